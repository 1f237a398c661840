package relay

import (
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
)

// TestAlive: a loop that has not moved for long is dead, whatever it waits for; a
// step that may rightly take long shows signs of life.
func TestAlive(t *testing.T) {
	r, err := New(Config{
		Replication: replication.Config{ConnString: "postgres://nobody@127.0.0.1:1/none", Slot: "s", Publication: "p"},
		Tables:      []Table{{Decoding: decoding.Table{Schema: "public", Name: "outbox"}}},
		Sink:        sink.Config{Brokers: []string{"127.0.0.1:1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Alive(); err != nil {
		t.Errorf("just made: %v", err)
	}
	stuck := func() { r.beat.Store(int64(time.Since(r.started) - silentAfter - time.Second)) }
	stuck()
	if err := r.Alive(); err == nil || !strings.Contains(err.Error(), "has not moved") {
		t.Errorf("stuck: %v", err)
	}
	r.moved()
	if err := r.Alive(); err != nil {
		t.Errorf("moves again: %v", err)
	}
	stuck()
	_, done := r.lively(t.Context(), "waits for open transactions")
	defer func() {
		if err := done(); err != nil {
			t.Error(err)
		}
	}()
	for until := time.Now().Add(10 * time.Second); r.Alive() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("a long step shows no sign of life")
		}
	}
}
