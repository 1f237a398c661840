package replication

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	saved := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	txns := func(n int64) *int64 { return &n }
	config := Config{ConnString: "host=h user=u dbname=shop", Slot: "s", Publication: "p", Tables: []Table{{"public", "outbox"}}, AutoCreate: true}
	here := server{version: 150018, walLevel: "logical", systemID: "7", timeline: 1, database: "shop", role: "u"}
	slotAt := func(lsn LSN) *SlotState {
		return &SlotState{Plugin: "pgoutput", Type: "logical", Database: "shop", WALStatus: "reserved", Confirmed: lsn}
	}
	streaming := func(lsn LSN, clean bool) *marker {
		return &marker{state: stateStreaming, systemID: "7", timeline: 1, created: 50, confirmed: lsn, clean: clean, updatedAt: saved}
	}
	// base is a relay that stopped in good order and starts again.
	base := func() facts {
		return facts{config: config, server: here, access: markerWritable, marker: streaming(100, true), slot: slotAt(100), publication: publication{exists: true, oid: 5}}
	}

	mode := func(m SnapshotMode, change func(f *facts)) func(f *facts) {
		return func(f *facts) { f.config.Snapshot.Mode = m; change(f) }
	}
	initial := func(change func(f *facts)) func(f *facts) { return mode(SnapshotInitial, change) }
	only := func(change func(f *facts)) func(f *facts) { return mode(SnapshotOnly, change) }

	const setup, gap, active = "setup", "gap", "active"
	for _, c := range []struct {
		name   string
		change func(f *facts)
		action action
		err    string // kind of the error
		words  string // in the error or the note
		from   LSN
	}{
		{"clean restart", func(f *facts) {}, actStart, "", "", 0},
		{"slot behind", func(f *facts) { f.slot = slotAt(90) }, actStart, "", "sent again", 0},
		{"slot ahead of a clean marker", func(f *facts) { f.slot = slotAt(101) }, actStop, gap, "does not continue where this relay left off", 100},
		{"slot ahead of a dirty marker", func(f *facts) { f.slot, f.marker.clean = slotAt(101), false }, actStart, "", "", 0},
		{"slot vanished", func(f *facts) { f.slot = nil }, actStop, gap, "vanished", 100},
		{"slot vanished before progress", func(f *facts) { f.slot, f.marker.confirmed = nil, 0 }, actStop, gap, "vanished", 50},
		{"slot lost with the failover", func(f *facts) { f.slot, f.server.timeline = nil, 2 }, actStop, gap, "timeline 1 to 2", 100},
		{"slot came along in the failover", func(f *facts) { f.server.timeline = 2 }, actStart, "", "timeline 1 to 2", 0},
		{"slot came along and is ahead", func(f *facts) { f.server.timeline, f.slot = 2, slotAt(101) }, actStop, gap, "does not continue", 100},
		{"other system", func(f *facts) { f.server.systemID = "8" }, actStop, gap, "system 8", 100},
		{"other system, no slot", func(f *facts) { f.server.systemID, f.slot = "8", nil }, actStop, gap, "system 8", 100},
		{"publication gone", func(f *facts) { f.publication.exists = false }, actStop, gap, "publication", 100},
		{"publication made anew", func(f *facts) { f.marker.publication, f.marker.publicationOID = "p", 4 }, actStop, gap, "made after the slot", 100},
		{"publication as before", func(f *facts) { f.marker.publication, f.marker.publicationOID = "p", 5 }, actStart, "", "", 0},
		{"other publication configured", func(f *facts) { f.marker.publication, f.marker.publicationOID = "old", 4 }, actStart, "", "", 0},
		{"slot lost", func(f *facts) { f.slot.WALStatus = "lost" }, actStop, gap, "wal_status=lost", 100},
		{"slot invalidated", func(f *facts) { f.slot.WALStatus, f.slot.Invalidation = "lost", "idle_timeout" }, actStop, gap, "idle_timeout", 100},
		{"slot lost, no marker", func(f *facts) { f.marker, f.slot.WALStatus = nil, "lost" }, actStop, gap, "wal_status=lost", 100},
		{"replaced after a crash", func(f *facts) {
			f.marker.clean, f.marker.slotTxns, f.txns, f.txnsCounted = false, txns(10), txns(3), saved.Add(-time.Hour)
		}, actStop, gap, "made anew", 100},
		{"statistics lost after the marker", func(f *facts) {
			f.marker.clean, f.marker.slotTxns, f.txns, f.txnsCounted = false, txns(10), txns(3), saved.Add(time.Second)
		}, actStart, "", "", 0},
		{"statistics of another timeline", func(f *facts) {
			f.marker.slotTxns, f.txns, f.txnsCounted, f.server.timeline = txns(10), txns(3), saved.Add(-time.Hour), 2
		}, actStart, "", "", 0},
		{"statistics without a time", func(f *facts) { f.marker.slotTxns, f.txns = txns(10), txns(3) }, actStart, "", "", 0},
		{"marker not writable, dirty", func(f *facts) { f.access, f.marker.clean = markerReadable, false }, actRun, "", "GRANT", 0},
		{"marker not writable, clean", func(f *facts) { f.access = markerReadable }, actStop, setup, "GRANT", 0},

		{"first start", func(f *facts) { f.marker, f.slot, f.publication.exists = nil, nil, false }, actCreate, "", "", 0},
		{"first start, makes the marker", func(f *facts) { f.marker, f.slot, f.access = nil, nil, markerMakeable }, actCreate, "", "", 0},
		{"first start without rights", func(f *facts) { f.marker, f.slot, f.access = nil, nil, markerNone }, actStop, setup, "CREATE TABLE IF NOT EXISTS walrelay.marker", 0},
		{"first start, auto_create off", func(f *facts) { f.marker, f.slot, f.config.AutoCreate = nil, nil, false }, actStop, setup, "walrelay init", 0},
		{"first start on a standby", func(f *facts) { f.marker, f.slot, f.server.inRecovery = nil, nil, true }, actStop, setup, "standby", 0},
		{"first start, wal_level", func(f *facts) { f.marker, f.slot, f.server.walLevel = nil, nil, "replica" }, actStop, setup, "ALTER SYSTEM SET wal_level", 0},
		{"restart on a standby without the slot", func(f *facts) { f.slot, f.server.inRecovery = nil, true }, actStop, setup, "standby", 0},
		{"adopt", func(f *facts) { f.marker = nil }, actAdopt, "", "adopted", 0},
		{"adopt with a young publication", func(f *facts) { f.marker, f.publication.younger = nil, true }, actAdopt, "", "after the slot", 0},
		{"adopt without rights", func(f *facts) { f.marker, f.access = nil, markerNone }, actRun, "", "--print-sql", 0},
		{"adopt without publication", func(f *facts) { f.marker, f.publication.exists = nil, false }, actStop, setup, "publication", 0},

		{"creating, no slot", func(f *facts) { f.marker.state, f.slot = stateCreating, nil }, actCreate, "", "broken off", 0},
		{"creating, slot", func(f *facts) { f.marker.state = stateCreating }, actRedo, "", "made again", 0},
		{"snapshotting, slot, mode none", func(f *facts) { f.marker.state = stateSnapshotting }, actStart, "", "left out", 0},
		{"snapshotting, slot", initial(func(f *facts) { f.marker.state = stateSnapshotting }), actSnapshot, "", "published again", 0},
		{"snapshotting, slot, publication gone", initial(func(f *facts) { f.marker.state, f.publication.exists = stateSnapshotting, false }), actStop, gap, "publication", 50},
		{"snapshotting, slot, publication anew", initial(func(f *facts) {
			f.marker.state, f.marker.publication, f.marker.publicationOID = stateSnapshotting, "p", 4
		}), actStop, gap, "publication", 50},
		{"snapshotting, slot lost", initial(func(f *facts) { f.marker.state, f.slot.WALStatus = stateSnapshotting, "lost" }), actStop, gap, "wal_status=lost", 100},
		{"snapshotting, marker not writable", initial(func(f *facts) { f.marker.state, f.access = stateSnapshotting, markerReadable }), actStop, setup, "GRANT", 0},
		{"snapshotting, slot active", initial(func(f *facts) { f.marker.state, f.slot.Active = stateSnapshotting, true }), actStop, active, "unfinished", 0},
		{"snapshotting, no slot", initial(func(f *facts) { f.marker.state, f.slot = stateSnapshotting, nil }), actCreate, "", "the slot is gone", 0},
		{"snapshot, creating by init", initial(func(f *facts) { f.marker.state, f.slot, f.config.AutoCreate = stateCreating, nil, false }), actCreate, "", "made now", 0},
		{"snapshot, auto_create off", initial(func(f *facts) { f.marker, f.slot, f.config.AutoCreate = nil, nil, false }), actStop, setup, "walrelay init", 0},
		{"snapshot, slot without marker", initial(func(f *facts) { f.marker = nil }), actAdopt, "", "no snapshot is made", 0},
		{"snapshot, streaming", initial(func(f *facts) {}), actStart, "", "", 0},
		{"snapshot, vanished", initial(func(f *facts) { f.slot = nil }), actStop, gap, "vanished", 100},
		{"snapshot, system", initial(func(f *facts) { f.server.systemID, f.marker.state, f.slot = "8", stateSnapshotting, nil }), actStop, gap, "system 8", 100},

		{"only", only(func(f *facts) { f.marker, f.slot = nil, nil }), actSnapshot, "", "", 0},
		{"only, wal_level", only(func(f *facts) { f.marker, f.slot, f.server.walLevel = nil, nil, "replica" }), actSnapshot, "", "", 0},
		{"only, no rights", only(func(f *facts) { f.marker, f.slot, f.access = nil, nil, markerNone }), actStop, setup, "publish the rows again", 0},
		{"only, auto_create off", only(func(f *facts) { f.marker, f.slot, f.access, f.config.AutoCreate = nil, nil, markerMakeable, false }), actStop, setup, "marker", 0},
		{"only, broken off", only(func(f *facts) { f.marker.state, f.slot = stateSnapshotting, nil }), actSnapshot, "", "published again", 0},
		{"only, slot of a snapshot", only(func(f *facts) { f.marker.state = stateSnapshotting }), actRedo, "", "dropped", 0},
		{"only, slot in use", only(func(f *facts) { f.marker.state, f.slot.Active = stateSnapshotting, true }), actStop, active, "unfinished", 0},
		{"only, done", only(func(f *facts) { f.marker.state, f.slot = stateSnapshotted, nil }), actDone, "", "nothing to do", 0},
		{"only, done, a slot", only(func(f *facts) { f.marker.state = stateSnapshotted }), actStop, setup, "slot \"s\" exists", 0},
		{"only, streaming", only(func(f *facts) {}), actStop, setup, "slot \"s\" exists", 0},
		{"only, somebody's slot", only(func(f *facts) { f.marker = nil }), actStop, setup, "slot \"s\" exists", 0},
		{"only, vanished", only(func(f *facts) { f.slot = nil }), actStop, gap, "vanished", 100},
		{"only, standby", only(func(f *facts) { f.marker, f.slot, f.server.inRecovery = nil, nil, true }), actStop, setup, "standby", 0},
		{"after only, none", func(f *facts) { f.marker.state, f.slot = stateSnapshotted, nil }, actCreate, "", "are not published", 0},
		{"after only, initial", initial(func(f *facts) { f.marker.state, f.slot = stateSnapshotted, nil }), actCreate, "", "published again", 0},
		{"after only, a slot", func(f *facts) { f.marker.state = stateSnapshotted }, actAdopt, "", "adopted", 0},
		{"creating, slot active", func(f *facts) { f.marker.state, f.slot.Active = stateCreating, true }, actStop, active, "unfinished", 0},

		{"physical slot", func(f *facts) { f.slot.Type = "physical" }, actStop, setup, "physical", 0},
		{"other plugin", func(f *facts) { f.slot.Plugin = "wal2json" }, actStop, setup, "wal2json", 0},
		{"other database", func(f *facts) { f.slot.Database = "crm" }, actStop, setup, `"crm"`, 0},
		{"temporary slot", func(f *facts) { f.slot.Temporary = true }, actStop, setup, "temporary", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := base()
			c.change(&f)
			d := decide(f)
			if d.action != c.action {
				t.Errorf("action %d, want %d (%v)", d.action, c.action, d.err)
			}
			if (d.action == actStop) != (d.err != nil) {
				t.Fatalf("action %d with error %v", d.action, d.err)
			}
			var s *SetupError
			var g *GapError
			kind, text := "", d.note
			switch {
			case errors.As(d.err, &s):
				kind, text = setup, s.Error()
			case errors.As(d.err, &g):
				kind, text = gap, g.Error()
				if g.From != c.from || g.Advice == "" {
					t.Errorf("gap from %s, want %s; advice %q", g.From, c.from, g.Advice)
				}
			case errors.Is(d.err, ErrSlotActive):
				kind, text = active, d.err.Error()
			}
			if kind != c.err || !strings.Contains(text, c.words) {
				t.Errorf("got %q %q, want %q with %q", kind, text, c.err, c.words)
			}
		})
	}
}

// TestDecide_neverCreates walks through every combination: publication and slot
// are made only where nothing was ever read, and never without a marker.
func TestDecide_neverCreates(t *testing.T) {
	slot := &SlotState{Plugin: "pgoutput", Type: "logical", WALStatus: "reserved", Confirmed: 10}
	active := *slot
	active.Active = true
	states := []*marker{nil, {state: stateCreating}, {state: stateSnapshotting}, {state: stateSnapshotted}, {state: stateStreaming}, {state: stateStreaming, clean: true}}
	for _, mode := range []SnapshotMode{"", SnapshotNone, SnapshotInitial, SnapshotOnly} {
		for _, m := range states {
			for _, s := range []*SlotState{nil, slot, &active} {
				for access := markerNone; access <= markerWritable; access++ {
					for bits := range 8 {
						f := facts{config: Config{AutoCreate: bits&1 != 0}, access: access, marker: m, slot: s, publication: publication{exists: bits&2 != 0}}
						f.config.Snapshot.Mode = mode
						f.server = server{walLevel: "logical", inRecovery: bits&4 != 0}
						neverCreates(t, f)
					}
				}
			}
		}
	}
}

func neverCreates(t *testing.T, f facts) {
	t.Helper()
	m, s, d := f.marker, f.slot, decide(f)
	mode := f.config.Snapshot.mode()
	switch d.action {
	case actStart, actAdopt, actRun:
		if s == nil || mode == SnapshotOnly {
			t.Errorf("reads from a slot that is not there or not wanted: %+v", f)
		}
		return
	case actStop:
		return
	case actDone:
		if mode != SnapshotOnly || m == nil || m.state != stateSnapshotted || s != nil {
			t.Errorf("idle although there is something to do: %+v", f)
		}
		return
	}
	makesSlot := d.action == actCreate || d.action == actRedo && mode != SnapshotOnly
	switch {
	case m != nil && m.state == stateStreaming:
		t.Errorf("begins anew although it has streamed: %+v", f)
	case f.access != markerWritable && f.access != markerMakeable || f.server.inRecovery:
		t.Errorf("begins without a marker or on a standby: %+v", f)
	case makesSlot && !f.config.AutoCreate && (mode != SnapshotInitial || m == nil || m.state != stateCreating):
		t.Errorf("creates unasked: %+v", f)
	case d.action == actRedo && (m == nil || s == nil || s.Active || m.state == stateStreaming || m.state == stateSnapshotted):
		t.Errorf("drops a slot that is not its own or in use: %+v", f)
	case d.action == actRedo && m.state == stateSnapshotting && mode != SnapshotOnly:
		t.Errorf("drops a slot that holds what was committed since: %+v", f)
	case d.action == actSnapshot && s != nil && (s.Active || mode != SnapshotInitial || m == nil || m.state != stateSnapshotting):
		t.Errorf("publishes rows again beside a slot that is not for it: %+v", f)
	case d.action == actSnapshot && mode == SnapshotNone:
		t.Errorf("publishes rows unasked: %+v", f)
	}
}
