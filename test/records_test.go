package test_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// TestShapes: both usual shapes are found by themselves, another one by
// configuration, and a table without a column for the event type does.
func TestShapes(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	snake := s.OutboxNamed(t, `public."Snake Outbox"`, harness.Snake)
	s.Exec(t, `CREATE TABLE own (key text, event_no bigint PRIMARY KEY, body text, kind text)`)
	options := s.options()
	options.Config = s.config(`
outbox:
  - table: public.outbox
  - table: 'public."Snake Outbox"'
  - table: own
    columns: {id: event_no, aggregate_type: kind, aggregate_id: key, payload: body}
`)
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	var events []harness.Event
	for i := range int64(20) {
		key := fmt.Sprintf("shared-%d", i)
		payload := fmt.Sprintf(`{"seq": %d}`, i)
		for _, table := range []harness.Table{s.Table, snake} {
			id := s.Insert(t, table, "order", key+table.Type, "Placed", payload)
			events = append(events, harness.Event{ID: id, Topic: s.Prefix + "order", Key: []byte(key + table.Type), Sequence: i, Value: []byte(payload)})
		}
		id := strconv.FormatInt(1000+i, 10)
		s.Exec(t, `INSERT INTO own VALUES ($1, $2::text::bigint, $3, 'order')`, key, id, payload)
		events = append(events, harness.Event{ID: id, Topic: s.Prefix + "order", Key: []byte(key), Sequence: i, Value: []byte(payload)})
	}
	none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
	stop(t, p)
}

// TestSharedPublication: a publication that others use as well, with every
// kind of change of several tables. Only the INSERTs of the outbox tables are
// events, each table by its own route.
func TestSharedPublication(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "audit", "order.second")
	second := s.OutboxNamed(t, "public.second", harness.Snake)
	s.Exec(t, "CREATE TABLE customer (id int PRIMARY KEY, name text)")
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR TABLE public.outbox, public.second, customer WITH (publish = 'insert, update, delete, truncate')")
	options := s.options()
	options.Config = s.config(fmt.Sprintf(`
outbox:
  - table: public.outbox
  - table: public.second
    route: {topic: '%s${aggregate_type}.second', key: event_type, headers: [id, aggregate_id:who, event_type]}
`, s.Prefix))
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	var events []harness.Event
	for i := range int64(30) {
		payload := fmt.Sprintf(`{"seq": %d}`, i)
		id := s.Insert(t, s.Table, "order", "7", "Placed", payload)
		events = append(events, harness.Event{ID: id, Topic: s.Prefix + "order", Key: []byte("7"), Sequence: i, Value: []byte(payload)})
		id = s.Insert(t, second, "order", "8", "Paid", payload)
		events = append(events, harness.Event{
			ID: id, Topic: s.Prefix + "order.second", Key: []byte("Paid"), Sequence: i, Value: []byte(payload),
			Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(id)}, {Key: "who", Value: []byte("8")}, {Key: "event_type", Value: []byte("Paid")}},
		})
		s.Exec(t, "INSERT INTO customer VALUES ($1, 'x')", i)
		s.Exec(t, "UPDATE customer SET name = 'y'; UPDATE public.outbox SET aggregatetype = 'audit'; DELETE FROM public.second WHERE payload->>'seq' <> '"+strconv.FormatInt(i, 10)+"'")
	}
	s.Exec(t, "DELETE FROM customer; TRUNCATE public.second, public.outbox, customer")
	id := s.Insert(t, s.Table, "order", "7", "Placed", `{"seq": 30}`)
	events = append(events, harness.Event{ID: id, Topic: s.Prefix + "order", Key: []byte("7"), Sequence: 30, Value: []byte(`{"seq": 30}`)})
	none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
	s.drained(t)
	stop(t, p)
}

// TestPartitionedOutbox: rows of all partitions, also of one that is attached
// later, are events of the one table; a partition that goes is none.
func TestPartitionedOutbox(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, `DROP TABLE public.outbox;
		CREATE TABLE public.outbox (id uuid DEFAULT gen_random_uuid(), aggregatetype text, aggregateid text, type text, payload jsonb,
			day int NOT NULL DEFAULT 1, PRIMARY KEY (id, day)) PARTITION BY LIST (day);
		CREATE TABLE day1 PARTITION OF public.outbox FOR VALUES IN (1);
		CREATE TABLE day2 PARTITION OF public.outbox FOR VALUES IN (2)`)
	p := s.ready(t)
	insert := func(from, to, day int) {
		t.Helper()
		s.Exec(t, `INSERT INTO public.outbox (aggregatetype, aggregateid, type, payload, day)
			SELECT 'order', (n % 5)::text, 'Placed', jsonb_build_object('seq', n), $3 FROM generate_series($1::int, $2) n`, from, to, day)
	}
	insert(1, 50, 1)
	insert(51, 100, 2)
	// The partition's own columns may stand in another order.
	s.Exec(t, `CREATE TABLE day3 (payload jsonb, day int NOT NULL, type text, aggregateid text, aggregatetype text, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (id, day));
		ALTER TABLE public.outbox ATTACH PARTITION day3 FOR VALUES IN (3)`)
	insert(101, 150, 3)
	insert(151, 200, 1)
	events := s.Committed(t, s.Prefix, s.Table)
	s.Exec(t, `DROP TABLE day1; ALTER TABLE public.outbox DETACH PARTITION day2`)
	if s.QueryInt(t, "SELECT current_setting('server_version_num')") < 150000 {
		// PostgreSQL 14 was seen to publish a detached partition's rows under the
		// name of its former root.
		none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
		stop(t, p)
		return
	}
	s.Exec(t, `INSERT INTO day2 (aggregatetype, aggregateid, type, payload, day) VALUES ('order', '1', 'Stray', '{"seq": 1000}', 2)`)
	none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
	s.drained(t)
	stop(t, p)
}

// TestPayloads: the value is the payload's bytes, whatever the column's type;
// NULL is a null value, and empty is not null.
func TestPayloads(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	text := []string{"", " ", "null", `{"a" : 1,   "b":[ ]}`, "zwei\nZeilen\tund\r\n", `\x00 \N \\`, "漢字 🐘 é e\u0301", strings.Repeat("ü", 40_000)}
	payloads := map[string][][]byte{
		"text":    {},
		"json":    {[]byte(`{"b":1,  "a" : "é 🐘", "a": 2.50}`), []byte(`"\u00e9"`), []byte("null"), []byte(" [1,2 ]\n")},
		"jsonb":   {[]byte(`{"a": 2.50, "b": "é 🐘"}`), []byte("null"), []byte("[]")},
		"bytea":   {{}, every, []byte("plain"), []byte(`\x41`), slices.Repeat(every, 300)},
		"varchar": {[]byte("x"), {}},
	}
	for _, value := range text {
		payloads["text"] = append(payloads["text"], []byte(value))
	}
	tables := ""
	for kind := range payloads {
		s.Exec(t, fmt.Sprintf("CREATE TABLE outbox_%s (id bigint PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload %s)", kind, kind))
		tables += "  - table: outbox_" + kind + "\n"
	}
	options := s.options()
	options.Config = s.config("outbox:\n" + tables)
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	var events []harness.Event
	add := func(kind string, value []byte) {
		t.Helper()
		id := strconv.Itoa(len(events))
		var argument any
		switch {
		case value == nil:
		case kind == "bytea":
			argument = value
		default:
			argument = string(value)
		}
		cast := map[bool]string{true: "bytea", false: "text::" + kind}[kind == "bytea"]
		s.Exec(t, fmt.Sprintf("INSERT INTO outbox_%s VALUES (%s, 'order', $1, 'Placed', $2::%s)", kind, id, cast), kind+id, argument)
		events = append(events, harness.Event{ID: id, Topic: s.Prefix + "order", Key: []byte(kind + id), Value: value})
	}
	for kind, values := range payloads {
		for _, value := range values {
			add(kind, value)
		}
		add(kind, nil)
	}
	none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
	stop(t, p)
}

// TestKeysAndHeaders: keys, also null and empty ones; columns of any type as
// headers; the commit time; and the partition that Java's producer would choose.
func TestKeysAndHeaders(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, `ALTER TABLE public.outbox ALTER aggregateid DROP NOT NULL, ADD tenant int, ADD note text, ADD urgent bool, ADD "Trace Id" text`)
	options := s.options("WALRELAY_ROUTE_HEADERS=id,type:eventType,tenant,note,urgent,Trace Id:trace,walrelay-table,walrelay-index")
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	keys := []*string{nil, new("")}
	for i := range 200 {
		keys = append(keys, new(fmt.Sprintf("%s-%d", []string{"order", "ключ", "鍵", strings.Repeat("long", 50)}[i%4], i)))
	}
	var events []harness.Event
	conn := s.Conn(t)
	var before, after int64
	clock := func(to *int64) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint").Scan(to); err != nil {
			t.Fatal(err)
		}
	}
	clock(&before)
	for i, key := range keys {
		var id string
		err := conn.QueryRow(t.Context(), `INSERT INTO public.outbox (aggregatetype, aggregateid, type, payload, tenant, note, urgent, "Trace Id")
			VALUES ('order', $1, 'Placed', '{}', $2, NULLIF($3, 'none'), $4, 't') RETURNING id::text`, key, i, []string{"none", "", "größer"}[i%3], i%2 == 0).Scan(&id)
		if err != nil {
			t.Fatal(err)
		}
		note := [][]byte{nil, {}, []byte("größer")}[i%3]
		e := harness.Event{ID: id, Topic: s.Prefix + "order", Sequence: int64(i), Value: []byte("{}"), Headers: []kgo.RecordHeader{
			{Key: "id", Value: []byte(id)}, {Key: "eventType", Value: []byte("Placed")}, {Key: "tenant", Value: []byte(strconv.Itoa(i))},
			{Key: "note", Value: note}, {Key: "urgent", Value: []byte(strconv.FormatBool(i%2 == 0))}, {Key: "trace", Value: []byte("t")},
			{Key: "walrelay-table", Value: []byte("public.outbox")}, {Key: "walrelay-index", Value: []byte("0")},
		}}
		if key != nil {
			e.Key = []byte(*key)
		}
		events = append(events, e)
	}
	clock(&after)
	none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
	// franz-go's partitioner is an implementation of Java's of its own.
	java := kgo.StickyKeyPartitioner(nil).ForTopic(s.Prefix + "order")
	used := make(map[int32]bool)
	for _, r := range s.Kafka.ReadAll(t, s.Prefix+"order") {
		if r.Key != nil {
			if want := java.Partition(&kgo.Record{Key: r.Key}, partitions); int(r.Partition) != want {
				t.Errorf("key %q is in partition %d, Java's producer would choose %d", r.Key, r.Partition, want)
			}
		}
		used[r.Partition] = true
		if at := r.Timestamp.UnixMilli(); at < before || at > after {
			t.Errorf("timestamp %d is not the time of the commit, which was in [%d, %d]", at, before, after)
		}
	}
	if len(used) != partitions {
		t.Errorf("only %d partitions are used", len(used))
	}
	stop(t, p)
}
