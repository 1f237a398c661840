package test_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// shadowReport is what `walrelay shadow -o json` prints.
type shadowReport struct {
	Agrees       bool
	Slot, Broken string
	Topics       []string
	Events       int
	Compared     int
	Agreed       int
	Differing    int
	ByField      map[string]int `json:"differing_by_field"`
	Missing      int            `json:"missing_in_kafka"`
	Only         int            `json:"only_in_kafka"`
	Refused      int            `json:"walrelay_would_stop"`
	Duplicates   int
	Early        int `json:"before_the_start"`
	Waiting      int
	Differences  []struct {
		Kind, ID, Topic, Reason string
		Fields                  []struct{ Field, Name string }
	}
	Notes []string
}

// of returns the difference of an event, written as "kind field field".
func (r shadowReport) of(id string) string {
	for _, d := range r.Differences {
		if d.ID == id {
			text := d.Kind
			for _, f := range d.Fields {
				text += " " + f.Field
			}
			return text
		}
	}
	return ""
}

// shadow starts the comparison and waits until it has begun.
func (s *shop) shadow(t *testing.T, env []string, flags ...string) *harness.Process {
	t.Helper()
	options := s.options(env...)
	options.Args = append([]string{"shadow", "-o", "json", "--limit", "100"}, flags...)
	p := harness.Relay(t, options)
	p.WaitLog(t, soon, "comparing from")
	return p
}

// report waits for the end of a comparison, with the exit code.
func report(t *testing.T, p *harness.Process, code int) (r shadowReport) {
	t.Helper()
	ended(t, p, code)
	_, text, _ := strings.Cut(p.Output(), "\n{")
	if err := json.Unmarshal([]byte("{"+text), &r); err != nil {
		t.Fatalf("the report: %v: %s", err, p.Output())
	}
	return r
}

// watchers is how many slots of comparisons there are.
func (s *shop) watchers(t *testing.T) int64 {
	t.Helper()
	return s.QueryInt(t, "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'walrelay_shadow_%' AND database = current_database()")
}

// watched waits until a comparison has read, and confirmed, what is written now.
func (s *shop) watched(t *testing.T) {
	t.Helper()
	end := s.written(t)
	harness.Eventually(t, soon, "the temporary slot is confirmed up to now", func() bool {
		return s.QueryInt(t, `SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots
			WHERE slot_name LIKE 'walrelay_shadow_%' AND temporary AND database = current_database()`) >= end
	})
}

// offsets are the ends of the shop's topics: whoever writes moves them.
func (s *shop) offsets(t *testing.T) (total int64) {
	t.Helper()
	ends, err := kadm.NewClient(s.Kafka.Client(t)).ListEndOffsets(t.Context(), s.Topics...)
	if err != nil {
		t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	return total
}

// TestShadowAgrees: beside a relay that plays Debezium everything is the same, and
// the relay, PostgreSQL and Kafka are what they were before.
func TestShadowAgrees(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, `ALTER TABLE public.outbox ALTER payload DROP NOT NULL, ADD tenant int, ADD note text, ADD body bytea, ADD at timestamp`)
	env := []string{"WALRELAY_ROUTE_HEADERS=id,type:eventType,tenant,note,body", "WALRELAY_ROUTE_TIMESTAMP=at", "WALRELAY_ROUTE_PARTITION=tenant"}
	relay := s.ready(t, env...)
	insert := func(from, to int) {
		t.Helper()
		s.Exec(t, `INSERT INTO public.outbox (aggregatetype, aggregateid, type, payload, tenant, note, body, at)
			SELECT 'order', 'agg-' || n % 20, 'Placed', CASE WHEN n % 7 > 0 THEN jsonb_build_object('seq', n, 'pad', repeat('x', n * 10)) END,
				NULLIF(n % 6, 5), (ARRAY['', 'größer', NULL])[n % 3 + 1], decode(CASE WHEN n % 2 = 0 THEN '' ELSE '00ff' END, 'hex'),
				CASE WHEN n % 5 > 0 THEN timestamp '2024-02-29 12:00:00.123' + n * interval '1 second' END
			FROM generate_series($1::int, $2) n`, from, to)
	}
	insert(1, 50) // before the start: not compared
	s.drained(t)
	marker := s.QueryText(t, "SELECT string_agg(m::text, ',') FROM walrelay.marker m")
	p := s.shadow(t, env, "--wait", "20s")
	insert(51, 500)
	// What it has read is confirmed: it holds back no WAL.
	s.watched(t)
	s.drained(t)
	p.Terminate()
	r := report(t, p, 0)
	if !r.Agrees || r.Compared != 450 || r.Agreed != 450 || r.Events != 450 || len(r.Differences) != 0 || r.Broken != "" {
		t.Errorf("%+v", r)
	}
	if !slices.Equal(r.Topics, s.Topics) || !strings.HasPrefix(r.Slot, "walrelay_shadow_") {
		t.Errorf("topics %q, slot %s", r.Topics, r.Slot)
	}
	harness.Eventually(t, soon, "the slot is gone", func() bool { return s.watchers(t) == 0 })
	if now := s.QueryText(t, "SELECT string_agg(m::text, ',') FROM walrelay.marker m"); now != marker && !strings.Contains(now, s.Slot) {
		t.Errorf("the marker has changed: %s, %s", marker, now)
	}
	if got := s.offsets(t); got != 500 {
		t.Errorf("%d records in Kafka instead of 500", got)
	}
	insert(501, 600)
	s.drained(t)
	if got := s.offsets(t); got != 600 {
		t.Errorf("%d records in Kafka instead of 600: the relay was disturbed", got)
	}
	if line, ok := relay.Logged("fenced"); ok {
		t.Errorf("the relay was fenced: %s", line.Text)
	}
	stop(t, relay)
}

// tamperer writes the records of rows as somebody else would.
type tamperer struct {
	t      *testing.T
	s      *shop
	client *kgo.Client
	conn   *pgx.Conn
}

// tamper makes one; options are its Kafka client's.
func (s *shop) tamper(t *testing.T, options ...kgo.Opt) *tamperer {
	t.Helper()
	return &tamperer{t, s, s.Kafka.Client(t, options...), s.Conn(t)}
}

func (w *tamperer) row(key, payload string) string {
	w.t.Helper()
	var id string
	err := w.conn.QueryRow(w.t.Context(), `INSERT INTO public.outbox (aggregatetype, aggregateid, type, payload)
		VALUES ('order', $1, 'Placed', $2) RETURNING id::text`, key, payload).Scan(&id)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// write writes a record with the headers id, eventType, as the rules ask for, after edit.
func (w *tamperer) write(id, key, payload string, edit func(*kgo.Record)) {
	w.t.Helper()
	r := &kgo.Record{Topic: w.s.Prefix + "order", Key: []byte(key), Value: []byte(payload), Headers: []kgo.RecordHeader{
		{Key: "__debezium.context.runId", Value: []byte("x")}, {Key: "id", Value: []byte(id)}, {Key: "eventType", Value: []byte("Placed")},
	}}
	if edit != nil {
		edit(r)
	}
	if err := w.client.ProduceSync(w.t.Context(), r).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// TestShadowFinds: everything that another writer does differently is named, and
// nothing else.
func TestShadowFinds(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "other")
	s.Exec(t, "ALTER TABLE public.outbox ALTER payload TYPE text, ADD place int")
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR TABLE public.outbox")
	w := s.tamper(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	java := kgo.StickyKeyPartitioner(nil).ForTopic(s.Prefix + "order")
	place := func(r *kgo.Record) { r.Partition = int32(java.Partition(r, partitions)) }
	old := w.row("k", "before")
	w.write(old, "k", "before", place)
	p := s.shadow(t, []string{"WALRELAY_ROUTE_HEADERS=id,type:eventType", "WALRELAY_ROUTE_PARTITION=place"},
		"--wait", "4s", "--topics", s.Prefix+"other")
	w.write(old, "k", "before", place) // repeated from before the start

	want := make(map[string]string)
	pair := func(kind, payload string, edit func(*kgo.Record)) string {
		id := w.row("k", payload)
		w.write(id, "k", payload, func(r *kgo.Record) {
			place(r)
			if edit != nil {
				edit(r)
			}
		})
		want[id] = kind
		return id
	}
	first := pair("", "{}", nil)
	pair("", "", nil)
	pair("", strings.Repeat("long", 10_000), nil)
	pair("differs value", "secret-in-row", func(r *kgo.Record) { r.Value = []byte("secret-in-kafka") })
	pair("differs value", "null", func(r *kgo.Record) { r.Value = nil })
	pair("differs value", strings.Repeat("long", 10_000), func(r *kgo.Record) { r.Value[39_999]++ })
	pair("differs partition key", "key", func(r *kgo.Record) {
		r.Key, r.Partition = []byte("q"), (int32(java.Partition(&kgo.Record{Key: []byte("q")}, partitions))+1)%partitions
	})
	pair("differs partition", "partition", func(r *kgo.Record) { r.Partition = (r.Partition + 1) % partitions })
	pair("differs topic", "topic", func(r *kgo.Record) { r.Topic = s.Prefix + "other" })
	pair("differs headers", "header", func(r *kgo.Record) { r.Headers[2].Value = []byte("Paid") })
	pair("differs headers", "no header", func(r *kgo.Record) { r.Headers = r.Headers[:2] })
	pair("differs headers", "null header", func(r *kgo.Record) { r.Headers[2].Value = nil })
	pair("differs headers", "as JSON", func(r *kgo.Record) { r.Headers[1].Value = []byte(`"` + string(r.Headers[1].Value) + `"`) })
	missing := w.row("k", "missing")
	want[missing] = "missing in Kafka"
	w.write(first, "k", "{}", place) // a repeat
	w.write("extra", "k", "extra", place)
	want["extra"] = "only in Kafka"
	s.Exec(t, "INSERT INTO public.outbox (aggregatetype, aggregateid, type, payload, place) VALUES ('order', 'k', 'Placed', 'refused', -1)")
	refused := s.QueryText(t, "SELECT id FROM public.outbox WHERE place = -1")
	want[refused] = "walrelay would stop"
	s.Exec(t, "DELETE FROM public.outbox")

	p.Terminate()
	r := report(t, p, 1)
	for id, kind := range want {
		if got := r.of(id); got != kind {
			t.Errorf("%s: %q instead of %q", id, got, kind)
		}
	}
	fields := fmt.Sprint(r.ByField)
	if r.Agrees || r.Events != 15 || r.Compared != 13 || r.Agreed != 3 || r.Differing != 10 || r.Missing != 1 || r.Only != 1 || r.Refused != 1 || r.Duplicates != 2 || r.Waiting != 0 ||
		fields != "map[headers:4 key:1 partition:2 topic:1 value:3]" {
		t.Errorf("%+v", r)
	}
	if strings.Contains(p.Output(), "secret") {
		t.Errorf("a payload is shown: %s", p.Output())
	}
}

// TestShadowTable: the report for people, with payloads when they are asked for.
func TestShadowTable(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR TABLE public.outbox")
	w := s.tamper(t)
	options := s.options("WALRELAY_ROUTE_HEADERS=id,type:eventType")
	options.Args = []string{"shadow", "--for", "3s", "--wait", "2s", "--show-payloads"}
	p := harness.Relay(t, options)
	p.WaitLog(t, soon, "comparing from")
	id := w.row("k", `{"a": 1}`)
	w.write(id, "k", `{"a": 2}`, nil)
	ended(t, p, 1)
	mustSay(t, p.Output(), "events compared   1", "NOT THE SAME: 1 differing", id, "value, from byte 6 on", `in Kafka: "{\"a\": 2}" (8 bytes`, `walrelay: "{\"a\": 1}" (8 bytes`)
}

// TestShadowNothing: no event, no agreement.
func TestShadowNothing(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR TABLE public.outbox")
	code, output := s.run(t, []string{"shadow", "--for", "300ms"})
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	mustSay(t, output, "NOTHING COMPARED")
	if code, output = s.run(t, []string{"shadow", "--wait", "0s"}); code != 2 {
		t.Errorf("usage: exit code %d: %s", code, output)
	}
}

// TestShadowLost: with the connection the slot is gone, and what was found is told;
// a broken Kafka is waited out, but not for ever.
func TestShadowLost(t *testing.T) {
	t.Parallel()
	s := openOn(t, harness.Database(t), harness.PrivateKafka(t, harness.KafkaOptions{}), "order")
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR TABLE public.outbox")
	w := s.tamper(t)
	headers := []string{"WALRELAY_ROUTE_HEADERS=id,type:eventType"}
	one := func() {
		t.Helper()
		w.write(w.row("k", "{}"), "k", "{}", nil)
	}
	proxy := harness.NewProxy(t, s.Target(t))
	direct := s.Addr
	s.Addr = s.ConnStringVia(t, proxy)
	p := s.shadow(t, headers)
	s.Addr = direct
	one()
	s.watched(t)
	time.Sleep(time.Second) // the reader's turn, which nothing tells from outside
	proxy.Cut()
	r := report(t, p, 1)
	if r.Compared != 1 || r.Agreed != 1 || r.Broken == "" || r.Agrees {
		t.Errorf("%+v", r)
	}
	harness.Eventually(t, soon, "the slot is gone", func() bool { return s.watchers(t) == 0 })

	// Kafka away for less than --wait: the comparison goes on.
	p = s.shadow(t, headers, "--wait", "40s")
	one()
	if err := s.Kafka.Kill(); err != nil {
		t.Fatal(err)
	}
	id := w.row("k", "{}")
	if err := s.Kafka.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.write(id, "k", "{}", nil)
	s.watched(t)
	p.Terminate()
	if r = report(t, p, 0); r.Compared != 2 || r.Agreed != 2 {
		t.Errorf("%+v", r)
	}

	// Kafka away for longer.
	p = s.shadow(t, headers, "--wait", "3s")
	one()
	s.watched(t)
	if err := s.Kafka.Kill(); err != nil {
		t.Fatal(err)
	}
	w.row("k", "{}")
	if r = report(t, p, 1); r.Missing != 0 || !strings.Contains(r.Broken, "reading from Kafka has failed") {
		t.Errorf("%+v", r)
	}
	if err := s.Kafka.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestShadowSetup: what is missing is said before anything is compared, and no more
// is needed than REPLICATION.
func TestShadowSetup(t *testing.T) {
	t.Parallel()
	server := harness.PrivatePostgres(t, map[string]string{"wal_level": "logical", "max_replication_slots": "1", "max_wal_senders": "1"})
	s := openOn(t, harness.DatabaseOn(t, server), harness.Kafka(t), "order")
	refused := func(want string, env ...string) {
		t.Helper()
		code, output := s.run(t, []string{"shadow", "--for", "1s"}, env...)
		if code != 3 {
			t.Errorf("exit code %d instead of 3: %s", code, output)
		}
		mustSay(t, output, want)
	}
	refused("there is no publication")
	s.Exec(t, "CREATE PUBLICATION "+s.Publication)
	refused("lacks table public.outbox")
	s.Exec(t, "ALTER PUBLICATION "+s.Publication+" ADD TABLE public.outbox")
	refused("127.0.0.1:1", "WALRELAY_KAFKA_BROKERS=127.0.0.1:1")
	s.Exec(t, "CREATE ROLE plain LOGIN; CREATE ROLE watcher LOGIN REPLICATION")
	full := s.Addr
	as := func(role string) { s.Addr = strings.Replace(full, "postgres@", role+"@", 1) }
	as("plain")
	if s.Addr == full {
		t.Fatalf("another role for %s", full)
	}
	refused("REPLICATION")
	as("watcher")
	p := s.shadow(t, []string{"WALRELAY_ROUTE_HEADERS=id,type:eventType"}, "--wait", "10s")
	refused("max_wal_senders")
	w := s.tamper(t)
	w.write(w.row("k", "{}"), "k", "{}", nil)
	s.watched(t)
	p.Terminate()
	if r := report(t, p, 0); r.Compared != 1 {
		t.Errorf("%+v", r)
	}
	harness.Eventually(t, soon, "the slot is gone", func() bool { return s.watchers(t) == 0 })
	s.Exec(t, "SELECT pg_create_physical_replication_slot('taken')")
	refused("max_replication_slots")
	s.Exec(t, "SELECT pg_drop_replication_slot('taken')")
}
