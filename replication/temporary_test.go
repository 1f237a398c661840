package replication_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/replication"
)

// temporary makes f's slot a temporary one beside the publication's own.
func (f *fixture) temporary() (*replication.Stream, replication.Position) {
	f.t.Helper()
	f.config.Slot += "_temporary"
	s, pos, err := replication.OpenTemporary(f.t.Context(), f.config)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { f.close(s) })
	if err := s.Confirm(pos.Confirmed, pos.Confirmed, false); err != nil {
		f.t.Fatal(err)
	}
	return s, pos
}

// TestTemporary: it begins where it is made, is confirmed like another one, and is
// gone with its stream.
func TestTemporary(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	f.sql("CREATE PUBLICATION " + f.config.Publication + " FOR TABLE outbox")
	f.event("p-before")
	s, pos := f.temporary()
	if pos.SystemID == "" || pos.Timeline == 0 || pos.Confirmed == 0 {
		t.Errorf("%+v", pos)
	}
	f.event("p-1")
	f.event("p-2")
	seen, end := f.receive(s, "p-2")
	if !slices.Equal(seen, []string{"p-1", "p-2"}) {
		t.Errorf("received %v", seen)
	}
	if err := s.Confirm(end, end, true); err != nil {
		t.Fatal(err)
	}
	if frame, err := s.Receive(time.Now().Add(20 * time.Second)); err != nil || frame.Kind != replication.FrameKeepalive {
		t.Fatalf("%+v, %v", frame, err)
	}
	f.becomes(end.String() + " true") // the keepalive may be one that was on its way
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.becomes("")
}

// becomes waits until the slot's confirmed position, and whether it is a temporary one,
// are these; "" is no slot.
func (f *fixture) becomes(want string) {
	f.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got := f.ask(`SELECT string_agg(confirmed_flush_lsn::text || ' ' || temporary, ',') FROM pg_replication_slots WHERE slot_name = $1`, f.config.Slot)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("slot %q, want %q", got, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestTemporary_rights(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	f.sql("CREATE PUBLICATION " + f.config.Publication + " FOR TABLE outbox")
	role := f.config.Slot + "_plain"
	f.sql("CREATE ROLE " + role + " LOGIN")
	t.Cleanup(func() {
		if _, err := f.admin.Exec(context.Background(), "DROP ROLE "+role); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	f.config.ConnString = connString(t, f.config.ConnString, f.config.Slot, role)
	_, _, err := replication.OpenTemporary(t.Context(), f.config)
	var setup *replication.SetupError
	if !errors.As(err, &setup) || !strings.Contains(setup.Remedy, "REPLICATION") {
		t.Errorf("%v", err)
	}
}

func TestCheckSource(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	check := func(want string) {
		t.Helper()
		err := f.control().CheckSource(t.Context())
		var setup *replication.SetupError
		switch {
		case want == "" && err != nil:
			t.Error(err)
		case want != "" && (!errors.As(err, &setup) || !strings.Contains(err.Error(), want)):
			t.Errorf("%v does not say %q", err, want)
		}
	}
	check("there is no publication")
	f.sql("CREATE PUBLICATION " + f.config.Publication)
	check("lacks table public.outbox")
	f.sql("ALTER PUBLICATION " + f.config.Publication + " ADD TABLE outbox")
	check("")
	f.sql("ALTER PUBLICATION " + f.config.Publication + " SET (publish = 'update')")
	check("does not publish inserts")
	f.sql("DROP TABLE outbox")
	check("table public.outbox does not exist")
	f.sql("DROP PUBLICATION " + f.config.Publication)
	f.sql("CREATE PUBLICATION " + f.config.Publication + " FOR ALL TABLES")
	f.sql("CREATE TABLE outbox (id int)")
	check("")
}
