package test_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// exactlyOnce lets all suites run with delivery: exactly-once:
// WALRELAY_TEST_DELIVERY=exactly-once go test ./test.
var exactlyOnce = os.Getenv("WALRELAY_TEST_DELIVERY") == "exactly-once"

// exact is the environment of a relay with exactly-once.
func (s *shop) exact() []string {
	return []string{"WALRELAY_DELIVERY=exactly-once", "WALRELAY_KAFKA_WATERMARK_TOPIC=" + s.Prefix + "watermark"}
}

// verifyCommitted is verify as a consumer with read_committed sees it.
func (s *shop) verifyCommitted(t *testing.T) harness.Result {
	t.Helper()
	return harness.VerifyCommitted(t, s.Kafka, patience, s.Committed(t, s.Prefix, s.Table), s.Topics...)
}

// TestExactlyOnce: killed again and again in a backlog and under load, consumers
// with read_committed see every event once.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "backlog")
	s.ready(t, s.exact()...).Kill()
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: 60_000, PerTransaction: 10, Aggregates: 100, Padding: 100})
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 2 * time.Millisecond})
	for range 10 {
		from := s.confirmed(t)
		p := s.ready(t, s.exact()...)
		harness.Eventually(t, patience, "progress is confirmed", func() bool { return s.confirmed(t) > from })
		p.Kill()
	}
	quiet()
	p := s.ready(t, s.exact()...)
	none(t, s.verifyCommitted(t))
	s.drained(t)
	stop(t, p)
}

// TestExactlyOnceCanary: with exactly-once the canary is a transaction of Kafka with
// nothing but the watermark in it, from before the first event on, and what it leaves
// in the topic is a watermark that a start goes on from.
func TestExactlyOnceCanary(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	canary := append(s.exact(), "WALRELAY_CANARY_EVERY=1s", "WALRELAY_CANARY_TOPIC="+s.Prefix+"nowhere")
	p := s.ready(t, canary...)
	sung := func() float64 { return scrape(t, p).value("walrelay_canary_seconds_count") }
	harness.Eventually(t, soon, "a canary comes before the first event", func() bool { return sung() > 0 })
	p.Kill()
	p = s.ready(t, canary...)
	s.one(t, 1)
	s.expect(t, 1)
	harness.Eventually(t, soon, "a canary comes after an event", func() bool { return sung() > 0 })
	if c := status(t, p).Canary; c == nil || c.Last == nil || c.Topic != s.Prefix+"watermark" {
		t.Errorf("/status says %+v", c)
	}
	p.Kill()
	p = s.ready(t, s.exact()...) // without canary: its messages are none of our business
	s.one(t, 2)
	none(t, s.verifyCommitted(t))
	s.drained(t)
	stop(t, p)
}

// TestExactlyOnceForeignTransaction: another producer's open transaction in the
// watermark's topic hides newer watermarks from consumers with read_committed. A
// start must wait for its end instead of going on from an older one.
func TestExactlyOnceForeignTransaction(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t, s.exact()...)
	s.one(t, 1)
	s.expect(t, 1)
	s.drained(t)
	foreign, err := kgo.NewClient(kgo.SeedBrokers(s.Kafka.Direct()...), kgo.TransactionalID(s.Prefix+"foreign"), kgo.DefaultProduceTopic(s.Prefix+"watermark"))
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	if err := foreign.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := foreign.ProduceSync(t.Context(), &kgo.Record{Key: []byte("foreign"), Value: []byte("open")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	before := s.confirmed(t)
	for n := range 3 {
		s.one(t, 2+n)
	}
	harness.Eventually(t, soon, "the watermark has moved on behind the open transaction", func() bool { return s.confirmed(t) > before })
	p.Kill()
	p = s.start(t, s.exact()...)
	s.one(t, 5)
	waitReason(t, p, "watermark", "a transaction may be open")
	if err := foreign.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	p.WaitReady(t, soon)
	none(t, s.verifyCommitted(t))
	s.drained(t)
	stop(t, p)
}

// TestExactlyOnceOtherTables: a relay is killed in the middle of a transaction of
// PostgreSQL, and the next one reads another table, too, whose rows stand between those
// that are delivered. The watermark counts the rows of all tables, so none of the first
// table's events is repeated or left out.
func TestExactlyOnceOtherTables(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.OutboxNamed(t, "public.second", harness.Debezium)
	s.Kafka.CreateTopic(t, s.Prefix+"second", partitions)
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR TABLE public.outbox, public.second WITH (publish = 'insert')")
	stop(t, s.ready(t, s.exact()...))
	const rows = 60_000
	s.Exec(t, fmt.Sprintf(`DO $$ BEGIN FOR n IN 1..%d LOOP
		INSERT INTO public.outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', n %% 50, 'Placed', json_build_object('seq', n));
		INSERT INTO public.second (aggregatetype, aggregateid, type, payload) VALUES ('second', n %% 50, 'Placed', json_build_object('seq', n));
		END LOOP; END $$`, rows))
	end := s.written(t)
	p := s.start(t, s.exact()...)
	p.WaitLog(t, soon, "streaming")
	delivered := 0
	harness.Eventually(t, patience, "some of the transaction is delivered", func() bool {
		delivered = int(scrape(t, p).value("walrelay_events_total", s.Prefix+"order"))
		return delivered > 0
	})
	p.Kill()
	if delivered >= rows || s.confirmed(t) >= end {
		t.Fatalf("the test is wrong: %d of %d events were delivered before the kill", delivered, rows)
	}
	t.Logf("killed after %d of %d events", delivered, rows)

	options := s.options(s.exact()...)
	options.Config = s.config("outbox: [{table: public.outbox}, {table: public.second}]")
	p = harness.Relay(t, options)
	p.WaitReady(t, soon)
	none(t, s.verifyCommitted(t))
	s.drained(t)
	stop(t, p)
	// Of the other table comes what stands behind the watermark.
	if n := len(s.Kafka.ReadAll(t, s.Prefix+"second")); n == 0 || n >= rows {
		t.Errorf("%d records of the second table, of %d rows", n, rows)
	}
}
