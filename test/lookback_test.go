package test_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// lastRequest is how many records of a test's size a Produce request holds at most:
// what a killed relay may still have under way, and so what a kill can repeat.
const lastRequest = 1 << 20 / 200

// lookedBack is how many events the relay says that it left out.
func lookedBack(p *harness.Process) int {
	line, ok := p.Logged("looked back at what")
	if !ok {
		return 0
	}
	skipped, _ := line.Fields["skipped"].(float64)
	return int(skipped)
}

// waitLookedBack waits for the end of the look back.
func waitLookedBack(t *testing.T, p *harness.Process) int {
	t.Helper()
	p.WaitLog(t, soon, "looked back at what")
	return lookedBack(p)
}

// TestLookBackTakeOver: a standby takes over from one that is killed under load.
func TestLookBackTakeOver(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 2 * time.Millisecond})
	skipped := 0
	const kills = 5
	for range kills {
		standby := s.start(t)
		waitReason(t, standby, "standby")
		s.more(t, 500)
		p.Kill()
		standby.WaitReady(t, soon)
		p = standby
		s.more(t, 200)
		skipped += lookedBack(p)
	}
	quiet()
	s.drained(t)
	result := s.verify(t)
	t.Logf("%d kills repeated %d events, %d were left out", kills, result.Duplicates, skipped)
	if result.Duplicates > kills*lastRequest {
		t.Errorf("%d kills repeated %d events", kills, result.Duplicates)
	}
	stop(t, p)
}

// predecessor makes a slot as Debezium leaves it behind: without marker, its
// confirmed position before the events, some of which are in Kafka with the
// predecessor's own timestamps.
func (s *shop) predecessor(t *testing.T, events, delivered int, clock time.Duration) {
	t.Helper()
	s.Exec(t, fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s", s.Publication, s.Table.Name))
	s.Exec(t, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", s.Slot)
	for i := range events {
		s.Insert(t, s.Table, "order", itoa(i%7), "Placed", fmt.Sprintf(`{"seq": %d}`, i))
	}
	committed := s.Committed(t, s.Prefix, s.Table)
	slices.SortFunc(committed, func(a, b harness.Event) int { return int(a.Sequence - b.Sequence) })
	client := s.Kafka.Client(t, kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	for _, e := range committed[:delivered] {
		r := &kgo.Record{Topic: e.Topic, Key: e.Key, Value: e.Value, Timestamp: time.Now().Add(clock), Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(e.ID)}}}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLookBackAdopted: a slot that another program used is taken over; what that
// had delivered and not confirmed is not sent again, although its timestamps are
// its own. A clock far behind leaves doubt, and all is sent.
func TestLookBackAdopted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		clock   time.Duration
		repeats int
	}{
		{"its clock", 0, 0},
		{"a clock a little behind", -time.Second, 0},
		{"a clock far behind", -time.Hour, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, "order")
			s.predecessor(t, 100, 60, c.clock)
			p := s.ready(t)
			s.drained(t)
			result := s.verify(t)
			if result.Duplicates != c.repeats {
				t.Errorf("%d repeats instead of %d: %s", result.Duplicates, c.repeats, result)
			}
			s.drained(t)
			if got := waitLookedBack(t, p); got != 60-c.repeats {
				t.Errorf("%d events left out instead of %d", got, 60-c.repeats)
			}
			if got := scrape(t, p).value("walrelay_lookback_skipped_total"); int(got) != 60-c.repeats {
				t.Errorf("walrelay_lookback_skipped_total is %g", got)
			}
			stop(t, p)
			p = s.ready(t)
			s.one(t, 1000)
			s.drained(t)
			if result := s.verify(t); result.Duplicates != c.repeats {
				t.Errorf("the next start repeats: %s", result)
			}
			stop(t, p)
		})
	}
}

// killed leaves a shop whose relay has delivered everything and confirmed nothing:
// it is frozen before it can, and killed. more comes between.
func (s *shop) killed(t *testing.T, fill func(), env ...string) {
	t.Helper()
	if code, output := s.run(t, []string{"init"}, env...); code != 0 {
		t.Fatalf("init: exit code %d: %s", code, output)
	}
	at := s.QueryText(t, "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
	copied := s.Slot + "_kept"
	// A copy of the slot stands where the slot stood: it becomes the slot.
	s.Exec(t, "SELECT pg_copy_logical_replication_slot($1, $2)", s.Slot, copied)
	fill()
	p := s.ready(t, env...)
	s.drained(t)
	p.Kill()
	harness.Eventually(t, soon, "the slot is free", func() bool {
		return s.QueryInt(t, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1 AND active", s.Slot) == 0
	})
	s.Exec(t, "SELECT pg_drop_replication_slot($1)", s.Slot)
	s.Exec(t, "SELECT pg_copy_logical_replication_slot($1, $2)", copied, s.Slot)
	s.Exec(t, "SELECT pg_drop_replication_slot($1)", copied)
	if now := s.QueryText(t, "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1", s.Slot); now != at {
		t.Fatalf("the slot stands at %s and not where it stood, at %s", now, at)
	}
	// The marker knows how many transactions the slot had decoded; the copy begins anew.
	s.Exec(t, "UPDATE walrelay.marker SET slot_txns = NULL, clean = false")
}

// settled starts the relay, waits until all is confirmed, and counts the copies of
// each event id.
func (s *shop) settled(t *testing.T, env ...string) (copies map[string]int, p *harness.Process) {
	t.Helper()
	p = s.ready(t, env...)
	s.drained(t)
	copies = map[string]int{}
	for _, r := range s.Kafka.ReadAll(t, s.Topics...) {
		for _, h := range r.Headers {
			if strings.HasSuffix(h.Key, "id") {
				copies[string(h.Value)]++
			}
		}
	}
	return copies, p
}

// TestLookBackDoubts: where it can't be told whether an event was delivered, it is
// sent, and that is said once. In every case 200 events were delivered and none
// confirmed.
func TestLookBackDoubts(t *testing.T) {
	t.Parallel()
	const events = 200
	for _, c := range []struct {
		name    string
		topic   []string // configuration
		env     []string
		between func(*testing.T, *shop)
		repeats int // of the events
		says    string
		markers bool // transactions were written between
	}{
		{name: "nothing in doubt"},
		{name: "compression", env: []string{"WALRELAY_KAFKA_COMPRESSION=zstd"}},
		{name: "the id under another name", env: []string{"WALRELAY_ROUTE_HEADERS=type:eventType,id:event-id"}},
		{name: "compacted", topic: []string{"cleanup.policy", "compact"}},
		// The broker puts its clock into the batch; what the producer wrote stays below.
		{name: "LogAppendTime", topic: []string{"message.timestamp.type", "LogAppendTime"}},
		{name: "LogAppendTime, compressed by the broker", topic: []string{"message.timestamp.type", "LogAppendTime", "compression.type", "gzip"}},
		{name: "no id", env: []string{"WALRELAY_ROUTE_HEADERS=type:eventtype,walrelay-xid:xid"}, repeats: events, says: "no event id"},
		{name: "own timestamps", env: []string{"WALRELAY_ROUTE_TIMESTAMP=at"}, repeats: events, says: "a timestamp of their own"},
		{name: "no key", env: []string{"WALRELAY_ROUTE_KEY=none"}, repeats: events, says: "no key"},
		// Where the first of a partition is gone, all of it is sent.
		{name: "log start moved", between: func(t *testing.T, s *shop) { s.deleteRecords(t, 5) }, repeats: events, says: "the log begins behind"},
		{name: "log empty", between: func(t *testing.T, s *shop) { s.deleteRecords(t, 1<<30) }, repeats: events, says: "the log begins behind"},
		{name: "another writer", between: func(t *testing.T, s *shop) { s.foreign(t) }, markers: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.Exec(t, "ALTER TABLE public.outbox ADD at timestamp DEFAULT '2026-01-01'")
			s.topic(t, "order", c.topic...)
			s.killed(t, func() {
				s.Exec(t, `INSERT INTO public.outbox (id, aggregatetype, aggregateid, type, payload)
					SELECT gen_random_uuid(), 'order', (n % 50)::text, 'Placed', jsonb_build_object('seq', n) FROM generate_series(1, $1::int) n`, events)
			}, c.env...)
			if c.between != nil {
				c.between(t, s)
			}
			before := s.records(t)
			_, p := s.settled(t, c.env...)
			out := int64(scrape(t, p).value("walrelay_lookback_skipped_total"))
			stop(t, p)
			sent := s.records(t) - before
			if c.markers { // the brokers write a transaction's markers when they come to it
				sent = events - out
			}
			t.Logf("%d of %d are sent again", sent, events)
			if sent != int64(c.repeats) {
				t.Errorf("%d are sent again instead of %d", sent, c.repeats)
			}
			if c.says != "" {
				mustSay(t, p.Output(), c.says)
				if n := strings.Count(p.Output(), c.says); n != 1 {
					t.Errorf("%q is said %d times", c.says, n)
				}
			}
		})
	}
}

// records counts what is in the topics, without the markers of seals and transactions.
func (s *shop) records(t *testing.T) int64 {
	t.Helper()
	return int64(len(s.Kafka.ReadAll(t, s.Topics...)))
}

// ends adds up the partitions' end offsets.
func (s *shop) ends(t *testing.T) (sum int64) {
	t.Helper()
	offsets, err := kadm.NewClient(s.Kafka.Client(t)).ListEndOffsets(t.Context(), s.Topics...)
	if err != nil {
		t.Fatal(err)
	}
	offsets.Each(func(o kadm.ListedOffset) { sum += o.Offset })
	return sum
}

// deleteRecords moves the log start of every partition up by n records.
func (s *shop) deleteRecords(t *testing.T, n int64) {
	t.Helper()
	admin := kadm.NewClient(s.Kafka.Client(t))
	ends, err := admin.ListEndOffsets(t.Context(), s.Topics...)
	if err != nil {
		t.Fatal(err)
	}
	to := make(kadm.Offsets)
	ends.Each(func(o kadm.ListedOffset) {
		to.Add(kadm.Offset{Topic: o.Topic, Partition: o.Partition, At: min(n, o.Offset), LeaderEpoch: -1})
	})
	done, err := admin.DeleteRecords(t.Context(), to)
	if err == nil {
		err = done.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// foreign writes records of another program between those of the relay, and a
// transaction that it aborts, with the ids and keys of events that were delivered.
func (s *shop) foreign(t *testing.T) {
	t.Helper()
	client := s.Kafka.Client(t, kgo.TransactionalID(s.Prefix+"foreign"), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	for i, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for n := range 50 {
			r := &kgo.Record{Topic: s.Topics[0], Key: []byte(itoa(n)), Value: []byte("foreign"), Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(itoa(i))}}}
			if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.EndTransaction(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLookBackAborted: what a transaction wrote that was aborted is in the log, and
// not delivered.
func TestLookBackAborted(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.predecessor(t, 50, 0, 0)
	client := s.Kafka.Client(t, kgo.TransactionalID(s.Prefix+"dead"), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Committed(t, s.Prefix, s.Table) {
		r := &kgo.Record{Topic: e.Topic, Key: e.Key, Value: e.Value, Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(e.ID)}}}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	p := s.ready(t)
	harness.VerifyCommitted(t, s.Kafka, patience, s.Committed(t, s.Prefix, s.Table), s.Topics...)
	stop(t, p)
}

// TestLookBackSameID: the same row, id included, is inserted again and again, some
// of it delivered: every insert has its record.
func TestLookBackSameID(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, "ALTER TABLE public.outbox DROP CONSTRAINT outbox_pkey")
	insert := func(n int) {
		s.Exec(t, fmt.Sprintf(`INSERT INTO public.outbox (id, aggregatetype, aggregateid, type, payload)
			SELECT '11111111-1111-1111-1111-111111111111', 'order', '1', 'Placed', '{"seq": 1}' FROM generate_series(1, %d)`, n))
	}
	s.killed(t, func() { insert(3); insert(2) })
	insert(4) // not delivered, and like the others
	insert(1)
	const id = "11111111-1111-1111-1111-111111111111"
	copies, p := s.settled(t)
	stop(t, p)
	if n := strings.Count(p.Output(), "an id that repeats"); n != 1 {
		t.Errorf("it says %d times that ids repeat", n)
	}
	t.Logf("10 inserts of one id made %d records", copies[id])
	if copies[id] < 10 {
		t.Errorf("10 inserts of one id made only %d records", copies[id])
	}
}

// TestLookBackMemory: a whole window of one partition is left out within the memory
// that is promised.
func TestLookBackMemory(t *testing.T) {
	t.Parallel()
	const events = 150_000
	s := open(t, "order")
	s.killed(t, func() {
		s.WriteBacklog(t, harness.Backlog{Table: s.Table, AggregateType: "order", Events: events, PerTransaction: 100, Aggregates: 1, Padding: 300})
	})
	options := s.options()
	options.Program = plainProgram(t)
	began := time.Now()
	p := harness.Relay(t, options)
	s.drained(t)
	t.Logf("over after %s", time.Since(began).Round(time.Millisecond))
	if left := scrape(t, p).value("walrelay_lookback_skipped_total"); left != events {
		t.Errorf("%g of %d events left out", left, events)
	}
	none(t, s.verify(t))
	boundedMemory(t, p)
	stop(t, p)
}

// TestLookBackFrozenKafka: the broker stops to answer while the relay looks back.
// PostgreSQL goes on hearing of it, and nothing is lost.
func TestLookBackFrozenKafka(t *testing.T) {
	t.Parallel()
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{Proxied: true})
	s := openOn(t, harness.Database(t), kafka, "order")
	const short = "WALRELAY_POSTGRES_WAL_SENDER_TIMEOUT=3s"
	s.killed(t, func() {
		s.WriteBacklog(t, harness.Backlog{Table: s.Table, AggregateType: "order", Events: 20_000, PerTransaction: 100, Aggregates: 100, Padding: 1000})
	}, short)
	kafka.Proxy().Delay(harness.ToClient, 300*time.Millisecond) // so that there is time to freeze it
	p := s.start(t, short)
	p.WaitLog(t, soon, "producer id taken")
	time.Sleep(time.Second)
	kafka.Proxy().Freeze(harness.ToClient | harness.ToServer)
	pid := s.QueryInt(t, "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
	harness.Never(t, 8*time.Second, "PostgreSQL gives up the stream", func() bool {
		return s.QueryInt(t, "SELECT coalesce(active_pid, 0) FROM pg_replication_slots WHERE slot_name = $1", s.Slot) != pid
	})
	_, over := p.Logged("looked back at what")
	kafka.Proxy().Heal()
	p.WaitReady(t, soon)
	s.drained(t) // all is in Kafka from the start: what comes again has to be waited for, or half of it is seen
	result := s.verify(t)
	t.Logf("over before it froze: %v; left out %d, repeated %d", over, waitLookedBack(t, p), result.Duplicates)
	stop(t, p)
}
