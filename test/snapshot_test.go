package test_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// ordered adds a column to the shop's outbox that grows by commit within an
// aggregate, for a snapshot to be ordered by: writers hold the aggregate's lock
// when they take the number.
func (s *shop) ordered(t *testing.T) {
	t.Helper()
	s.Exec(t, "ALTER TABLE "+s.Table.Name+" ADD position bigint GENERATED ALWAYS AS IDENTITY UNIQUE")
}

// snapshot are the options of a relay that publishes the rows of the tables first,
// public.outbox by default, each in the order of position.
func (s *shop) snapshot(mode string, tables ...string) harness.RelayOptions {
	if len(tables) == 0 {
		tables = []string{"public.outbox"}
	}
	more := fmt.Sprintf("snapshot: {mode: %s, fetch_size: 500}\noutbox:\n", mode)
	for _, table := range tables {
		more += fmt.Sprintf("  - {table: %q, order_by: position}\n", table)
	}
	options := s.options()
	options.Config = s.config(more)
	return options
}

// stall puts one event into the outbox that waits for its topic, so that a snapshot
// in the order of position stays in the middle until unstall.
func (s *shop) stall(t *testing.T) (unstall func()) {
	t.Helper()
	s.Insert(t, s.Table, "stalled", "1", "Placed", `{"seq": 1}`)
	return func() { t.Helper(); s.topic(t, "stalled") }
}

// stalled waits until the relay has come to the row that stalls.
func (s *shop) stalled(t *testing.T, p *harness.Process) {
	t.Helper()
	waitReason(t, p, "kafka", s.Prefix+"stalled")
}

// snapshotStatus is the part of /status that is about the snapshot.
func snapshotStatus(t *testing.T, p *harness.Process) (state string, rows, percent int, finished bool) {
	t.Helper()
	status, body, err := p.Get(t.Context(), "/status")
	var answer struct {
		State    string
		Snapshot struct {
			Rows, Percent int
			Finished      *time.Time
		}
	}
	if err == nil && status == http.StatusOK {
		err = json.Unmarshal([]byte(body), &answer)
	}
	if err != nil || status != http.StatusOK {
		t.Fatalf("/status: %d %s %v", status, body, err)
	}
	return answer.State, answer.Snapshot.Rows, answer.Snapshot.Percent, answer.Snapshot.Finished != nil
}

// TestSnapshotJoinsStream: rows from before, and writers that never pause while the
// slot is made, the rows are read and the stream begins. Each event once, and an
// aggregate's events in order over the seam.
func TestSnapshotJoinsStream(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "backlog")
	s.ordered(t)
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: 60_000, PerTransaction: 1000, Aggregates: 300, Padding: 100})
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: time.Millisecond, RollbackShare: 0.1, SavepointUndo: 0.1})
	s.more(t, 1000)
	p := harness.Relay(t, s.snapshot("initial"))
	p.WaitReady(t, patience)
	p.WaitLog(t, soon, "snapshot published")
	s.more(t, 1000)
	t.Log(quiet())
	none(t, s.verify(t))
	s.drained(t)
	if _, rows, percent, finished := snapshotStatus(t, p); rows < 60_000 || percent != 100 || !finished {
		t.Errorf("/status: %d rows, %d%%, finished %t", rows, percent, finished)
	}
	stop(t, p)
	// From now on it is a slot like any other.
	p = harness.Relay(t, s.snapshot("initial"))
	p.WaitReady(t, soon)
	s.Insert(t, s.Table, "backlog", "last", "Placed", `{"seq": 1}`)
	none(t, s.verify(t))
	stop(t, p)
}

// TestSnapshotTables: tables of every kind under one snapshot: what one transaction
// wrote into two of them is before the slot in both, or in neither.
func TestSnapshotTables(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "second", "parted")
	s.ordered(t)
	second := s.OutboxNamed(t, `public."Second One"`, harness.Snake)
	s.Exec(t, `ALTER TABLE public."Second One" ADD position bigint GENERATED ALWAYS AS IDENTITY;
		CREATE TABLE public.parted (id uuid DEFAULT gen_random_uuid(), aggregatetype text, aggregateid text, type text, payload jsonb, position int) PARTITION BY RANGE (position);
		CREATE TABLE parted1 PARTITION OF public.parted FOR VALUES FROM (0) TO (100);
		CREATE TABLE parted2 PARTITION OF public.parted FOR VALUES FROM (100) TO (100000);
		CREATE TABLE customer (id int PRIMARY KEY)`)
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR ALL TABLES WITH (publish_via_partition_root = true)")
	pair := func(n int) {
		t.Helper()
		s.Exec(t, fmt.Sprintf(`BEGIN; INSERT INTO customer VALUES (%d);
			INSERT INTO public.outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', '7', 'Placed', '{"seq": %d}');
			INSERT INTO public."Second One" (aggregate_type, aggregate_id, event_type, payload) VALUES ('second', '7', 'Placed', '{"seq": %d}');
			INSERT INTO public.parted VALUES (DEFAULT, 'parted', '7', 'Placed', '{"seq": %d}', %d); COMMIT`, n, n, n, n, n))
	}
	for n := range 200 {
		pair(n)
	}
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for n := 200; ; n++ {
			select {
			case <-done:
				return
			default:
				pair(n)
			}
		}
	}()
	p := harness.Relay(t, s.snapshot("initial", "public.outbox", `public."Second One"`, "public.parted"))
	p.WaitReady(t, patience)
	s.more(t, 50)
	close(done)
	<-finished
	events := s.Committed(t, s.Prefix, s.Table, second, harness.Table{Name: "public.parted", AggregateType: "aggregatetype", AggregateID: "aggregateid", Type: "type"})
	none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
	s.drained(t)
	stop(t, p)
}

// TestSnapshotOnly: the rows, once, and nothing else: no slot that keeps WAL back,
// and a process that says what it waits for.
func TestSnapshotOnly(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.ordered(t)
	for i := range 10 {
		s.Insert(t, s.Table, "order", "1", "Placed", fmt.Sprintf(`{"seq": %d}`, i))
	}
	events := s.Committed(t, s.Prefix, s.Table)
	p := harness.Relay(t, s.snapshot("only"))
	t.Log(waitReason(t, p, "snapshot.mode is only", "initial", "none"))
	if state, _, _, finished := snapshotStatus(t, p); state != "idle" || !finished || s.slots(t) != 0 {
		t.Errorf("/status: %s, finished %t; %d slots", state, finished, s.slots(t))
	}
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 10}`)
	stop(t, p)
	p = harness.Relay(t, s.snapshot("only")) // does not publish them again
	waitReason(t, p, "snapshot.mode is only")
	none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
	stop(t, p)
	p = harness.Relay(t, s.snapshot("initial")) // does: nothing is missing then
	p.WaitReady(t, soon)
	if result := s.verify(t); result.Duplicates != len(events) {
		t.Errorf("%d events were repeated, want %d", result.Duplicates, len(events))
	}
	stop(t, p)
	code, output := s.runOptions(t, s.snapshot("only"), "run")
	if code != 3 {
		t.Errorf("exit code %d with a slot and snapshot.mode only", code)
	}
	mustSay(t, output, "snapshot.mode is only", s.Slot)
}

// runOptions runs one command to its end.
func (s *shop) runOptions(t *testing.T, options harness.RelayOptions, args ...string) (code int, output string) {
	t.Helper()
	options.Args = args
	p := harness.Relay(t, options)
	code = p.Wait(t, soon)
	return code, p.Output()
}

// TestSnapshotAdopted: a slot that was there, as Debezium leaves one, goes on where
// it stands; the rows before it were published by whoever made it.
func TestSnapshotAdopted(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.ordered(t)
	s.Insert(t, s.Table, "order", "old", "Placed", `{"seq": 0}`)
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR ALL TABLES")
	s.Exec(t, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", s.Slot)
	s.Insert(t, s.Table, "order", "new", "Placed", `{"seq": 0}`)
	p := harness.Relay(t, s.snapshot("initial"))
	p.WaitReady(t, soon)
	p.WaitLog(t, soon, "no snapshot is made")
	events := s.Expected(t, "SELECT id::text, $1 || 'order', aggregateid, 0, payload::text FROM public.outbox WHERE aggregateid = 'new'", s.Prefix)
	s.drained(t)
	none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
	stop(t, p)
}

// TestSnapshotInit: `init` and `check` beside a snapshot: the slot is left to the
// relay, which makes it with the rows, also where it may create nothing by itself.
func TestSnapshotInit(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.ordered(t)
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 0}`)
	if code, output := s.runOptions(t, s.snapshot("initial"), "init"); code != 0 || s.slots(t) != 0 {
		t.Fatalf("init: exit code %d, %d slots: %s", code, s.slots(t), output)
	}
	options := s.snapshot("initial")
	options.Env = append(options.Env, "WALRELAY_POSTGRES_AUTO_CREATE=false")
	code, output := s.runOptions(t, options, "check")
	if code != 0 {
		t.Errorf("check: exit code %d", code)
	}
	mustSay(t, output, "publishes the rows that are in the outbox")
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1}`)
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	none(t, s.verify(t))
	stop(t, p)
}

// TestSnapshotLarge: many times the rows that would fit, one by one through a bounded
// memory.
func TestSnapshotLarge(t *testing.T) {
	t.Parallel()
	s := open(t, "backlog")
	s.ordered(t)
	const events = 300_000
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: events, PerTransaction: 50_000, Aggregates: 5000, Padding: 200})
	s.Exec(t, "ANALYZE public.outbox")
	options := s.snapshot("initial")
	options.Config = strings.Replace(options.Config, "fetch_size: 500", "fetch_size: 10240", 1)
	options.Program = plainProgram(t)
	began := time.Now()
	p := harness.Relay(t, options)
	last := 0
	p.WaitLog(t, soon, "publishing the rows")
	harness.Eventually(t, 3*patience, "the snapshot is published", func() bool {
		state, rows, percent, finished := snapshotStatus(t, p)
		if rows < last || !finished && percent > 99 || state == "starting" && rows > 0 && !finished {
			t.Errorf("/status: %s, %d rows after %d, %d%%, finished %t", state, rows, last, percent, finished)
		}
		last = rows
		return finished
	})
	t.Logf("%d rows in %s", events, time.Since(began).Round(time.Millisecond))
	p.WaitReady(t, soon)
	none(t, s.verify(t))
	boundedMemory(t, p)
	stop(t, p)
}
