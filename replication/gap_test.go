package replication_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/replication"
)

// mustGap and mustSetup want an error of the kind with the words in it.
func mustGap(t *testing.T, err error, words ...string) *replication.GapError {
	t.Helper()
	var gap *replication.GapError
	if !errors.As(err, &gap) {
		t.Fatalf("want a gap, got %v", err)
	}
	mustSay(t, err, words)
	return gap
}

func mustSetup(t *testing.T, err error, words ...string) {
	t.Helper()
	var setup *replication.SetupError
	if !errors.As(err, &setup) {
		t.Fatalf("want a setup error, got %v", err)
	}
	mustSay(t, err, words)
}

func mustSay(t *testing.T, err error, words []string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is missing in: %v", w, err)
		}
	}
}

func TestPrepare_gaps(t *testing.T) {
	t.Parallel()
	// Each case is a relay that has confirmed one event, stopped cleanly or not,
	// and finds something else when it comes back.
	for name, c := range map[string]struct {
		clean bool
		harm  string
		words string
	}{
		"vanished":            {true, `SELECT pg_drop_replication_slot($1)`, "the slot has vanished"},
		"vanished, crashed":   {false, `SELECT pg_drop_replication_slot($1)`, "the slot has vanished"},
		"advanced":            {true, `SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())`, "does not continue where this relay left off"},
		"replaced":            {true, `SELECT walrelay_replace($1)`, "does not continue where this relay left off"},
		"replaced, crashed":   {false, `SELECT walrelay_replace($1)`, "made anew"},
		"other system":        {true, `UPDATE walrelay.marker SET system_identifier = '1' WHERE slot = $1`, "this server is system"},
		"publication renewed": {true, `SELECT walrelay_drop_publication($1), walrelay_make_publication($1)`, "made after the slot"},
		"publication":         {true, `SELECT walrelay_drop_publication($1)`, "publication"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, superuser)
			f.sql(`CREATE FUNCTION walrelay_replace(s name) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
				PERFORM pg_drop_replication_slot(s); PERFORM pg_create_logical_replication_slot(s, 'pgoutput'); END $$`)
			f.sql(`CREATE FUNCTION walrelay_drop_publication(s name) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
				EXECUTE format('DROP PUBLICATION %I', s); END $$`)
			f.sql(`CREATE FUNCTION walrelay_make_publication(s name) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
				EXECUTE format('CREATE PUBLICATION %I FOR TABLE outbox', s); END $$`)
			end := f.workAndStop(c.clean)
			f.sql(`INSERT INTO outbox (payload) VALUES ('p-lost')`)
			f.sql(c.harm, f.config.Slot)
			if strings.HasPrefix(c.harm, "SELECT walrelay_replace") { // PostgreSQL 14 shows it half a second late
				f.await(`SELECT coalesce(max(total_txns), 0)::text FROM pg_stat_replication_slots WHERE slot_name = '`+f.config.Slot+`'`, "0")
			}
			control := f.control()
			_, err := f.prepare(control)
			gap := mustGap(t, err, c.words, end.String(), "--accept-gap")
			if gap.From != end || time.Since(gap.Since) > time.Hour {
				t.Errorf("gap from %s since %s, want %s", gap.From, gap.Since, end)
			}
			before := f.ask(`SELECT string_agg(slot_name || confirmed_flush_lsn, ',') FROM pg_replication_slots WHERE slot_name = $1`, f.config.Slot)
			if _, err := f.prepare(control); err == nil {
				t.Error("the gap is forgotten at the second start")
			}
			after := f.ask(`SELECT string_agg(slot_name || confirmed_flush_lsn, ',') FROM pg_replication_slots WHERE slot_name = $1`, f.config.Slot)
			if before != after {
				t.Errorf("slot changed from %q to %q", before, after)
			}
			if _, err := control.AcceptGap(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			_, s, _ := f.open()
			f.event("p-2")
			f.receive(s, "p-2")
		})
	}
}

// workAndStop carries one event and stops, in good order or as by kill -9.
func (f *fixture) workAndStop(clean bool) replication.LSN {
	f.t.Helper()
	c, s, _ := f.open()
	var end replication.LSN
	for _, p := range []string{"p-a", "p-b", "p-c"} {
		f.event(p)
		_, end = f.receive(s, p)
	}
	if err := s.Confirm(end, end, false); err != nil {
		f.t.Fatal(err)
	}
	if err := s.Close(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	// PostgreSQL 14 shows statistics half a second late.
	f.await(`SELECT (total_txns > 0)::text FROM pg_stat_replication_slots WHERE slot_name = '`+f.config.Slot+`'`, "true")
	if err := c.SaveProgress(f.t.Context(), end, clean); err != nil {
		f.t.Fatal(err)
	}
	return end
}

func TestPrepare_accepted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		clean bool
		after string
		words string
	}{
		"dirty and ahead":  {false, `SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())`, ""},
		"behind":           {true, `UPDATE walrelay.marker SET confirmed_lsn = 'FFFF/0' WHERE slot = $1`, "sent again"},
		"statistics reset": {false, `SELECT pg_stat_reset_replication_slot($1)`, ""},
		"other timeline":   {true, `UPDATE walrelay.marker SET timeline = 0 WHERE slot = $1`, "timeline 0 to 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, superuser)
			f.workAndStop(c.clean)
			f.event("p-1")
			f.sql(c.after, f.config.Slot)
			f.event("p-2")
			_, s, _ := f.open()
			f.receive(s, "p-2")
			f.noted(c.words)
		})
	}
}

// TestPrepare_crashedServer loses the statistics that recognise a replaced slot:
// that must not look like one.
func TestPrepare_crashedServer(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Remove() })
	f := newFixture(t, server.ConnString("postgres"))
	f.workAndStop(false)
	before := f.ask(`SELECT slot_txns::text FROM walrelay.marker`)
	if before == "" || before == "0" {
		t.Fatalf("no transactions counted: %q", before)
	}
	crash := map[string]func() error{
		"immediate": func() error { return server.Restart(t.Context(), postgres.Immediate) },
		"backend killed": func() error {
			var pid int
			if err := f.admin.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
				return err
			}
			witness := f.connect(f.config.ConnString)
			if err := server.Kill(pid); err != nil {
				return err
			}
			// The postmaster learns of it in its own time, and ends all the others then.
			for {
				if _, err := witness.Exec(t.Context(), `SELECT 1`); err != nil {
					return t.Context().Err()
				}
			}
		},
		"fast": func() error { return server.Restart(t.Context(), postgres.Fast) },
	}
	for _, name := range []string{"immediate", "backend killed", "fast"} {
		f.admin = f.connect(f.config.ConnString)
		if err := crash[name](); err != nil {
			t.Fatal(err)
		}
		f.config.Instance = name
		c := f.connectAgain()
		if _, err := f.prepare(c); err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
		f.admin = f.connect(f.config.ConnString)
		t.Logf("after %s the slot counts %s transactions", name,
			f.ask(`SELECT coalesce(max(total_txns)::text, 'no') FROM pg_stat_replication_slots WHERE slot_name = $1`, f.config.Slot))
		f.workAndStop(false)
	}
}

// connectAgain waits out the server's recovery.
func (f *fixture) connectAgain() *replication.Control {
	f.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		c, err := replication.Connect(f.t.Context(), f.config)
		if err == nil {
			_, err = c.Slot(f.t.Context())
		}
		if err == nil {
			f.t.Cleanup(c.Close)
			return c
		}
		if time.Now().After(deadline) {
			f.t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // a server in recovery gives no signal
	}
}
