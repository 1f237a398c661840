package relay

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
)

// unconnected is a relay that nothing is connected to, and its log.
func unconnected(t *testing.T) (*Relay, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	r, err := New(Config{
		Replication: replication.Config{ConnString: "host=h dbname=d", Slot: "s", Publication: "p"},
		Tables:      []Table{{Decoding: decoding.Table{Schema: "public", Name: "outbox"}}},
		Sink:        sink.Config{Brokers: []string{"127.0.0.1:1"}},
		Log:         zerolog.New(&log),
	})
	if err != nil {
		t.Fatal(err)
	}
	producer, err := sink.New(r.cfg.Sink)
	if err != nil {
		t.Fatal(err)
	}
	r.producer.Store(producer)
	return r, &log
}

// TestSnapshot_holdsBackVacuum: a snapshot that waits for Kafka says after a while
// what that does to the database, and not all the time.
func TestSnapshot_holdsBackVacuum(t *testing.T) {
	r, log := unconnected(t)
	now := time.Now()
	r.status.snapshot = &SnapshotStatus{EstimatedRows: 10}
	s := &snapshotRun{session: session{r: r, producer: r.producer.Load(), began: now}, alive: now.Add(24 * time.Hour), stuck: now, warn: now.Add(vacuumPatience)}
	for _, step := range []struct {
		after time.Duration
		said  int
	}{{time.Second, 0}, {vacuumPatience + time.Second, 1}, {vacuumPatience + time.Minute, 1}, {vacuumPatience + vacuumAgain + 2*time.Second, 2}} {
		if err := s.look(t.Context(), now.Add(step.after), true); err != nil {
			t.Fatal(err)
		}
		if said := strings.Count(log.String(), "vacuum"); said != step.said {
			t.Errorf("after %s it was said %d times, want %d", step.after, said, step.said)
		}
	}
	if ready, reasons := r.Ready(); ready || r.Snapshot().State != StateBlocked || reasons[0].Code != "kafka" {
		t.Errorf("ready %t, %s, %v", ready, r.Snapshot().State, reasons)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.look(ctx, now, true); err == nil {
		t.Error("goes on after the end")
	}
}

func TestSnapshot_progress(t *testing.T) {
	r, _ := unconnected(t)
	if r.Snapshot().Snapshot != nil {
		t.Error("a snapshot is shown where none was due")
	}
	for _, c := range []struct {
		rows      int
		estimated int64
		percent   int
		words     string
	}{{0, 0, 0, "0 so far"}, {5, 0, 0, "5 so far"}, {5, 1000, 0, "5 so far of about 1000 (0%)"}, {500, 1000, 50, "(50%)"}, {1500, 1000, 99, "(99%)"}} {
		r.status.snapshot = &SnapshotStatus{EstimatedRows: c.estimated, Taken: time.Now()}
		r.snapshotGoesOn(c.rows)
		look := r.Snapshot()
		ready, reasons := r.Ready()
		if ready || look.State != StateSnapshot || look.Snapshot.Rows != c.rows || look.Snapshot.Percent != c.percent || !strings.Contains(reasons[0].Message, c.words) {
			t.Errorf("%d of %d: %+v, %v", c.rows, c.estimated, look.Snapshot, reasons)
		}
	}
	r.snapshotEnds(1500)
	if look := r.Snapshot().Snapshot; look.Percent != 100 || look.Finished == nil {
		t.Errorf("at the end: %+v", look)
	}
}

func TestIdle(t *testing.T) {
	r, log := unconnected(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.idle(ctx) }()
	for r.Snapshot().State != StateIdle {
		time.Sleep(time.Millisecond)
	}
	if ready, reasons := r.Ready(); ready || !strings.Contains(reasons[0].Message, "snapshot.mode is only") {
		t.Errorf("ready %t, %v", ready, reasons)
	}
	cancel()
	if err := <-done; err != nil || !strings.Contains(log.String(), "nothing more is done") {
		t.Errorf("%v, log %s", err, log)
	}
}
