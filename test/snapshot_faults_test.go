package test_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// TestSnapshotKilled: kill -9 in the middle. The next start publishes all rows once
// more, and what was committed and deleted in between comes from the slot.
func TestSnapshotKilled(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.ordered(t)
	insert := func(key string, events int) {
		t.Helper()
		s.Exec(t, `INSERT INTO public.outbox (aggregatetype, aggregateid, type, payload)
			SELECT 'order', $1, 'Placed', jsonb_build_object('seq', n) FROM generate_series(1, $2::int) n`, key, events)
	}
	insert("first", 3000)
	unstall := s.stall(t)
	insert("second", 3000)
	p := harness.Relay(t, s.snapshot("initial"))
	s.stalled(t, p)
	if state, rows, _, finished := snapshotStatus(t, p); state != "blocked" || rows != 3000 || finished {
		t.Errorf("/status: %s, %d rows, finished %t", state, rows, finished)
	}
	harness.Eventually(t, soon, "the rows before are in Kafka", func() bool { return scrape(t, p).value("walrelay_events_total") == 3000 })
	p.Kill()
	insert("passing", 100)
	gone := s.Expected(t, "SELECT id::text, $1 || 'order', aggregateid, (payload->>'seq')::bigint, payload::text FROM public.outbox WHERE aggregateid = 'passing'", s.Prefix)
	s.Exec(t, "DELETE FROM public.outbox WHERE aggregateid = 'passing'")
	insert("third", 500)
	unstall()

	p = harness.Relay(t, s.snapshot("initial"))
	p.WaitReady(t, patience)
	p.WaitLog(t, soon, "the snapshot begins anew")
	insert("fourth", 500)
	result := harness.Verify(t, s.Kafka, patience, append(gone, s.Committed(t, s.Prefix, s.Table)...), s.Topics...)
	// The first try's, and what was committed between the slot and the second try.
	if result.Duplicates < 3000 || result.Duplicates > 3000+500 {
		t.Errorf("%d events were repeated", result.Duplicates)
	}
	s.drained(t)
	stop(t, p)
}

// TestSnapshotStopped: a request to stop in the middle is obeyed at once, with a
// word on what comes next.
func TestSnapshotStopped(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.ordered(t)
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1}`)
	unstall := s.stall(t)
	p := harness.Relay(t, s.snapshot("initial"))
	s.stalled(t, p)
	stop(t, p)
	mustSay(t, p.Output(), "begins anew at the next start")
	unstall()
	p = harness.Relay(t, s.snapshot("initial"))
	p.WaitReady(t, soon)
	s.verify(t)
	stop(t, p)
}

// TestSnapshotStandby: while one instance publishes rows the other waits, and when
// that one is killed begins anew.
func TestSnapshotStandby(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.ordered(t)
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1}`)
	unstall := s.stall(t)
	first := harness.Relay(t, s.snapshot("initial"))
	s.stalled(t, first)
	second := harness.Relay(t, s.snapshot("initial"))
	t.Log(waitReason(t, second, "another instance", "snapshot"))
	code, output := s.runOptions(t, s.snapshot("initial"), "run", "--no-wait")
	if code != 5 {
		t.Errorf("--no-wait: exit code %d: %s", code, output)
	}
	harness.Never(t, 8*time.Second, "the standby takes the slot away", func() bool { return second.Ended() || first.Ended() || reasons(t, second) == "" })
	first.Kill()
	s.stalled(t, second)
	unstall()
	second.WaitReady(t, soon)
	s.verify(t)
	stop(t, second)
}

// TestSnapshotKafkaAway: Kafka goes away in the middle; nothing is lost, repeated or
// begun anew, and memory stays bounded.
func TestSnapshotKafkaAway(t *testing.T) {
	t.Parallel()
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{})
	s := openOn(t, harness.Database(t), kafka, "order", "backlog")
	s.ordered(t)
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1}`)
	unstall := s.stall(t)
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: 30_000, PerTransaction: 1000, Padding: 2000})
	options := s.snapshot("initial")
	options.Program = plainProgram(t)
	p := harness.Relay(t, options)
	s.stalled(t, p)
	unstall()
	harness.Eventually(t, soon, "rows flow", func() bool { _, rows, _, _ := snapshotStatus(t, p); return rows > 2 })
	if err := kafka.Kill(); err != nil {
		t.Fatal(err)
	}
	t.Log(waitReason(t, p, "kafka"))
	harness.Never(t, 5*time.Second, "walrelay ends or calls itself ready", func() bool { return p.Ended() || reasons(t, p) == "" })
	if err := kafka.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.WaitReady(t, patience)
	none(t, s.verify(t))
	if _, anew := p.Logged("begins anew"); anew {
		t.Error("the snapshot was begun anew")
	}
	boundedMemory(t, p)
	stop(t, p)
}

// TestSnapshotPostgresLost: the connections to PostgreSQL break in the middle; the
// same process begins anew by itself.
func TestSnapshotPostgresLost(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "backlog")
	s.ordered(t)
	proxy := harness.NewProxy(t, s.Target(t))
	s.Addr = s.ConnStringVia(t, proxy)
	for i := range 100 {
		s.Insert(t, s.Table, "order", itoa(i%5), "Placed", fmt.Sprintf(`{"seq": %d}`, i))
	}
	unstall := s.stall(t)
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: 60_000, PerTransaction: 1000})
	p := harness.Relay(t, s.snapshot("initial"))
	s.stalled(t, p)
	proxy.Reset() // while nothing is read
	p.WaitLog(t, soon, "stream lost")
	unstall()
	harness.Eventually(t, soon, "rows flow again", func() bool { _, rows, _, _ := snapshotStatus(t, p); return rows > 1000 })
	proxy.Reset() // while rows are on their way
	p.WaitReady(t, patience)
	p.WaitLog(t, soon, "begins anew")
	s.Insert(t, s.Table, "order", "0", "Placed", `{"seq": 1000}`)
	s.verify(t)
	stop(t, p)
}

// TestSnapshotPoison: a row that Kafka can never take is treated as in the stream.
func TestSnapshotPoison(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "dead")
	s.ordered(t)
	s.Exec(t, "ALTER TABLE public.outbox ALTER aggregatetype DROP NOT NULL")
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 0}`)
	s.Exec(t, `INSERT INTO public.outbox (aggregateid, type, payload) VALUES ('1', 'Placed', '{"seq": 1}')`)
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 2}`)
	code, output := s.runOptions(t, s.snapshot("initial"), "run")
	if code != 4 {
		t.Errorf("exit code %d under the policy stop", code)
	}
	mustSay(t, output, "on_poison")
	options := s.snapshot("initial")
	options.Env = append(options.Env, "WALRELAY_ON_POISON=dead-letter", "WALRELAY_DEAD_LETTER_TOPIC="+s.Prefix+"dead")
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	if dead := s.Kafka.ReadCount(t, soon, 1, s.Prefix+"dead"); len(dead) != 1 || !strings.Contains(string(dead[0].Value), `"seq": 1`) {
		t.Errorf("dead letters: %v", dead)
	}
	events := s.Expected(t, "SELECT id::text, $1 || 'order', aggregateid, (payload->>'seq')::bigint, payload::text FROM public.outbox WHERE aggregatetype IS NOT NULL", s.Prefix)
	harness.Verify(t, s.Kafka, patience, events, s.Prefix+"order")
	stop(t, p)
}
