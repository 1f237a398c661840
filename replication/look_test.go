package replication_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/replication"
)

// TestLook: a look that is shown has the server's counters of what was spilled, and
// every one of them has: counters that go back look like a reset.
func TestLook(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	c, s, _ := f.open()
	f.close(s)
	f.sql(`INSERT INTO outbox (aggregatetype, aggregateid, type, payload) SELECT 'order', '1', repeat('x', 200), '{}' FROM generate_series(1, 2000)`)
	f.sql(`SET logical_decoding_work_mem = '64kB'`)
	f.sql(`SELECT count(*) FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2)`, f.config.Slot, f.config.Publication)
	f.await(`SELECT (spill_txns > 0)::text FROM pg_stat_replication_slots WHERE slot_name = '`+f.config.Slot+`'`, "true")
	for range 2 {
		state, err := c.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if state.SpilledTransactions == 0 || state.Spills == 0 || state.SpilledBytes == 0 || state.Lag() <= 0 {
			t.Errorf("%d transactions, %d times, %d bytes spilled, lag %d", state.SpilledTransactions, state.Spills, state.SpilledBytes, state.Lag())
		}
	}
}

// TestLook_beyondTheWAL: the server takes a position that it has not reached yet, and
// skips what commits before it. That is a gap, told by the next look and at a start.
func TestLook_beyondTheWAL(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	c, s, from := f.open()
	far := from + 1<<40
	if err := s.Confirm(far, far, false); err != nil {
		t.Fatal(err)
	}
	f.await(`SELECT (confirmed_flush_lsn > pg_current_wal_lsn())::text FROM pg_replication_slots WHERE slot_name = '`+f.config.Slot+`'`, "true")
	state, err := c.Slot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if gap := state.Lost(f.config.Slot); gap == nil || !strings.Contains(gap.Reason, "beyond the end of the server's WAL") {
		t.Errorf("a look says %v", gap)
	}
	f.close(s)
	var gap *replication.GapError
	if _, err := f.prepare(f.control()); !errors.As(err, &gap) || gap.From >= far {
		t.Errorf("a start says %v", err)
	}
}
