package replication_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/walrelay/walrelay/replication"
)

// TestSnapshot_twoInstances: while one publishes, others wait; then they find
// nothing to do.
func TestSnapshot_twoInstances(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.event("p-1")
	late := f.control()
	if pos, err := f.prepare(late); err != nil || !pos.Snapshot {
		t.Fatalf("%+v, %v", pos, err)
	}
	_, s := f.begin()
	if _, err := f.prepare(f.control()); !errors.Is(err, replication.ErrSlotActive) {
		t.Errorf("Prepare beside a snapshot: %v", err)
	}
	if _, err := late.BeginSnapshot(t.Context(), nil); !errors.Is(err, replication.ErrSlotActive) {
		t.Errorf("a second snapshot: %v", err)
	}
	f.finish(s)
	if _, err := late.BeginSnapshot(t.Context(), nil); !errors.Is(err, replication.ErrSlotActive) {
		t.Errorf("a second snapshot after the first: %v", err)
	}
	if pos, err := f.prepare(late); err != nil || pos.Snapshot {
		t.Errorf("%+v, %v", pos, err)
	}
}

// TestSnapshot_lost: whoever has lost his lock does not say that he is done.
func TestSnapshot_lost(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	_, s := f.begin()
	if err := s.Alive(t.Context()); err != nil {
		t.Error(err)
	}
	f.sql(`UPDATE walrelay.marker SET holder = 'b'`)
	for what, err := range map[string]error{"Alive": s.Alive(t.Context()), "Finish": s.Finish(t.Context())} {
		if !errors.Is(err, replication.ErrSnapshotLost) {
			t.Errorf("%s after another took over: %v", what, err)
		}
	}
	s.Close()
	_, s = f.begin()
	f.sql(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	if err := s.Alive(t.Context()); !errors.Is(err, replication.ErrSnapshotLost) {
		t.Errorf("without its lock: %v", err)
	}
	if f.marker() != "snapshotting" {
		t.Errorf("marker %s", f.marker())
	}
}

// TestSnapshot_only: the rows once, no slot, and no publication.
func TestSnapshot_only(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotOnly)
	f.event("p-1")
	c, s := f.begin()
	if got := f.payloadsOf(s); !slices.Equal(got, []string{"p-1"}) {
		t.Errorf("rows %v", got)
	}
	f.finish(s)
	if pos := s.Position(); !pos.Done || pos.Confirmed != 0 || s.LSN() == 0 {
		t.Errorf("%+v at %s", pos, s.LSN())
	}
	if f.marker() != "snapshotted" || f.slots() != "0" || f.ask(`SELECT count(*)::text FROM pg_publication`) != "0" {
		t.Errorf("marker %s, %s slots", f.marker(), f.slots())
	}
	if pos, err := f.prepare(c); err != nil || !pos.Done || pos.Snapshot {
		t.Errorf("%+v, %v", pos, err)
	}
	f.noted("nothing to do")
	if f.fails("slot") || f.fails("publication") {
		t.Error("check finds fault with it")
	}
	f.config.Snapshot.Mode = replication.SnapshotInitial
	_, s = f.begin()
	if got := f.payloadsOf(s); !slices.Equal(got, []string{"p-1"}) {
		t.Errorf("rows %v", got)
	}
	f.finish(s)
	f.config.Snapshot.Mode = replication.SnapshotOnly
	_, err := f.prepare(f.control())
	mustSetup(t, err, "snapshot.mode to none or initial")
}

// TestSnapshot_init: what `walrelay init` leaves is enough for a relay that may not
// create anything by itself.
func TestSnapshot_init(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.event("p-1")
	c := f.control()
	if pos, err := f.prepare(c); err != nil || !pos.Snapshot || f.slots() != "0" || f.marker() != "creating" {
		t.Fatalf("%+v, %v, marker %s", pos, err, f.marker())
	}
	c.Close()
	f.config.AutoCreate = false
	_, s := f.begin()
	f.noted("the slot is made now")
	f.finish(s)
}

// TestSnapshot_refused: what can't be read is said before a slot is made.
func TestSnapshot_refused(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.sql(`ALTER TABLE outbox ADD doc json`)
	refused := func(words ...string) {
		t.Helper()
		c := f.control()
		_, err := f.prepare(c)
		if err == nil {
			_, err = c.BeginSnapshot(t.Context(), nil)
		}
		mustSetup(t, err, words...)
		c.Close()
	}
	f.config.Snapshot.OrderBy = []string{"nosuch"}
	refused(`no column "nosuch"`, "aggregateid", "outbox.order_by")
	if f.slots() != "0" || !f.fails("snapshot") {
		t.Error("a slot was made, or check says nothing")
	}
	f.config.Snapshot.OrderBy = nil
	role := f.role("REPLICATION")
	owner := f.config.ConnString
	f.config.ConnString = connString(t, owner, f.config.Slot, role)
	f.sql(`GRANT CREATE ON DATABASE ` + f.config.Slot + ` TO "` + role + `"`)
	refused("can't read table", "GRANT SELECT ON TABLE public.outbox")
	f.sql(`GRANT SELECT ON outbox TO "` + role + `"; ALTER TABLE outbox ENABLE ROW LEVEL SECURITY`)
	refused("row-level security", "BYPASSRLS")
	if f.slots() != "0" {
		t.Error("a slot was made")
	}
	f.config.ConnString = owner
	f.config.Snapshot.OrderBy = []string{"doc"}
	refused("ordering operator", "outbox.order_by")
	if f.slots() != "0" {
		t.Error("a slot was made")
	}
}

// TestSnapshot_leastPrivilege: the printed SQL is enough for a snapshot.
func TestSnapshot_leastPrivilege(t *testing.T) {
	t.Parallel()
	for _, mode := range []replication.SnapshotMode{replication.SnapshotInitial, replication.SnapshotOnly} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := snapshotFixture(t, mode)
			f.sql(`REVOKE ALL ON SCHEMA public FROM PUBLIC`)
			f.event("p-1")
			role := f.role("")
			f.config.ConnString = connString(t, f.config.ConnString, f.config.Slot, role)
			sql := replication.PrivilegeSQL(f.config, role)
			f.script(sql)
			f.script(sql)
			for _, finding := range f.control().Check(t.Context()) {
				if finding.Level == replication.Fail {
					t.Errorf("%+v", finding)
				}
			}
			_, s := f.begin()
			if got := f.payloadsOf(s); !slices.Equal(got, []string{"p-1"}) {
				t.Errorf("rows %v", got)
			}
			f.finish(s)
		})
	}
}
