package test_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// TestStop: a relay that is asked to stop under load brings what it has to Kafka,
// confirms it, and repeats nothing at the next start.
func TestStop(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "backlog")
	s.ready(t).Kill()
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: 50_000, PerTransaction: 10, Aggregates: 100, Padding: 100})
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: time.Millisecond})
	for range 5 {
		from := s.confirmed(t)
		p := s.ready(t)
		harness.Eventually(t, patience, "progress is confirmed", func() bool { return s.confirmed(t) > from })
		stop(t, p)
		closed, ok := p.Logged("stream closed")
		if !ok {
			t.Fatal("it does not log the end of the stream")
		}
		slot := s.QueryText(t, "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = $1 AND NOT active", s.Slot)
		if closed.Fields["confirmed_lsn"] != slot || closed.Fields["clean"] != true {
			t.Errorf("it says that it confirmed %v (clean: %v), the slot says %s", closed.Fields["confirmed_lsn"], closed.Fields["clean"], slot)
		}
	}
	quiet()
	p := s.ready(t)
	none(t, s.verify(t))
	stop(t, p)
}

// TestStopWithoutKafka: while Kafka is away a stop ends within its patience, and
// a second signal ends it at once; nothing is lost either way.
func TestStopWithoutKafka(t *testing.T) {
	t.Parallel()
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{})
	s := openOn(t, harness.Database(t), kafka, "order")
	p := s.ready(t)
	s.one(t, 1)
	s.drained(t)
	if err := kafka.Pause(); err != nil {
		t.Fatal(err)
	}
	s.one(t, 2)
	harness.Eventually(t, soon, "an event is on its way", func() bool { return scrape(t, p).value("walrelay_unsent_events") == 1 })
	p.Terminate()
	waitReason(t, p, "stopping")
	ended(t, p, 0)
	mustSay(t, p.Output(), "stopping before the last events were confirmed")

	if err := kafka.Resume(); err != nil {
		t.Fatal(err)
	}
	p = s.ready(t)
	s.drained(t)
	if err := kafka.Pause(); err != nil {
		t.Fatal(err)
	}
	s.one(t, 3)
	harness.Eventually(t, soon, "an event is on its way", func() bool { return scrape(t, p).value("walrelay_unsent_events") == 1 })
	p.Terminate()
	waitReason(t, p, "stopping")
	p.Terminate()
	ended(t, p, 1)
	mustSay(t, p.Output(), "second signal")

	if err := kafka.Resume(); err != nil {
		t.Fatal(err)
	}
	p = s.ready(t)
	result := s.verify(t)
	// The two that were on their way when the relay gave up may have arrived.
	if result.Duplicates > 2 {
		t.Errorf("more repeats than unfinished events: %s", result)
	}
	stop(t, p)
}

// TestHold: with on_fatal: hold the process stays up after an error that needs a
// human, not ready, with the reason, and ends with the error's code when asked.
func TestHold(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t, "WALRELAY_ON_FATAL=hold")
	s.one(t, 1)
	s.drained(t)
	s.Exec(t, "ALTER TABLE public.outbox RENAME payload TO body")
	s.Exec(t, `INSERT INTO public.outbox (aggregatetype, aggregateid, type, body) VALUES ('order', '1', 'Placed', '{"seq": 2}')`)
	waitReason(t, p, "fatal", "public.outbox", "payload")
	p.WaitLog(t, soon, "held by on_fatal")
	if status, body, err := p.Get(t.Context(), "/healthz"); err != nil || status != http.StatusOK {
		t.Errorf("/healthz: %d %s %v", status, body, err)
	}
	if _, body, err := p.Get(t.Context(), "/status"); err != nil || !containsAll(body, `"blocked"`, "payload") {
		t.Errorf("/status: %s %v", body, err)
	}
	if blocked := scrape(t, p).value("walrelay_state", `state="blocked"`); blocked != 1 {
		t.Errorf("walrelay_state says blocked %g", blocked)
	}
	// The slot is free for one that can.
	other := s.ready(t, "WALRELAY_OUTBOX_COLUMNS_PAYLOAD=body")
	s.drained(t)
	stop(t, other)
	if p.Ended() {
		t.Error("it did not hold")
	}
	p.Terminate()
	ended(t, p, 4)
	s.Exec(t, "ALTER TABLE public.outbox RENAME body TO payload")
	s.expect(t, 1, 2)
}
