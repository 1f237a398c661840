package main

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/test/harness"
)

// postgresFaults are the faults of the database server.
func postgresFaults() []scenario {
	gap := "walrelay init --accept-gap"
	return []scenario{
		{name: "stopped fast and started", rounds: 3, stage: restarted(postgres.Fast)},
		{name: "stopped immediate and started", rounds: 3, quick: []delivery{exactlyOnce}, stage: restarted(postgres.Immediate)},
		{name: "kill -9 of all its processes", rounds: 3, stage: restarted(postgres.Crash)},
		{name: "kill -9 of the walsender", rounds: 3, quick: []delivery{atLeastOnce}, stage: walsenderKilled},
		{name: "walsender terminated", rounds: 5, stage: walsenderTerminated},
		{name: "frozen for longer than wal_sender_timeout", rounds: 2, stage: serverFrozen},
		{name: "walsender frozen", rounds: 2, stage: walsenderFrozen},
		{name: "failover to a promoted standby", stage: failover, relay: []string{"WALRELAY_POSTGRES_FAILOVER_SLOT=true"}},
		{name: "slot dropped", stage: slotDropped, ending: &ending{4, []string{"vanished", gap}}},
		{name: "slot invalidated by max_slot_wal_keep_size", stage: slotInvalidated, ending: &ending{4, []string{"lost", gap}}},
	}
}

// own gives the scene a server that may be broken.
func own(t *testing.T, s *scene, settings map[string]string) {
	t.Helper()
	s.Server = harness.PrivatePostgres(t, settings)
	s.DB = harness.DatabaseOn(t, s.Server)
}

func restarted(mode postgres.Mode) func(*testing.T, *scene) func() {
	return func(t *testing.T, s *scene) func() {
		own(t, s, nil)
		return func() {
			t.Helper()
			must(t, s.Server.Stop(mode))
			must(t, s.Server.Start(t.Context()))
			s.mark()
		}
	}
}

// answers waits until the server takes connections: after the death of a backend it
// ends all the others and recovers by itself.
func (s *scene) answers(t *testing.T) {
	t.Helper()
	harness.Eventually(t, patience, "PostgreSQL answers again", func() bool {
		conn, err := pgx.Connect(t.Context(), s.ConnString())
		if err != nil {
			return false
		}
		defer conn.Close(t.Context())
		var one int
		return conn.QueryRow(t.Context(), "SELECT 1").Scan(&one) == nil
	})
}

// served waits until a walsender serves the relay and returns its process.
func (s *scene) served(t *testing.T) (pid int) {
	t.Helper()
	harness.Eventually(t, patience, "a walsender serves the relay", func() bool {
		pid = s.walsender(t)
		return pid != 0
	})
	return pid
}

func walsenderKilled(t *testing.T, s *scene) func() {
	own(t, s, nil)
	return func() {
		t.Helper()
		must(t, s.Server.Kill(s.served(t)))
		s.mark()
		s.answers(t)
	}
}

// walsenderTerminated needs no server of its own: only the relay's connection ends.
func walsenderTerminated(t *testing.T, s *scene) func() {
	return func() {
		t.Helper()
		s.Exec(t, "SELECT pg_terminate_backend($1, 10000)", s.served(t))
		s.mark()
	}
}

// serverFrozen: nothing answers for longer than the relay waits, and then all goes on.
func serverFrozen(t *testing.T, s *scene) func() {
	own(t, s, nil)
	return func() {
		t.Helper()
		from := len(s.Relay.Log())
		must(t, s.Server.Pause())
		says(t, s.Relay, from, "has sent nothing")
		must(t, s.Server.Resume())
		s.mark()
	}
}

// walsenderFrozen: the slot stays taken by a process that does nothing. The relay
// gives the connection up and waits for the slot; it is free when the walsender runs
// again and finds its connection dead.
func walsenderFrozen(t *testing.T, s *scene) func() {
	own(t, s, nil)
	return func() {
		t.Helper()
		from := len(s.Relay.Log())
		pid := s.served(t)
		must(t, s.Server.Pause(pid))
		says(t, s.Relay, from, "has sent nothing")
		must(t, s.Server.Resume(pid))
		s.mark()
	}
}

// failover kills the primary and promotes its standby, which keeps the slot. The
// relay and the writers know both.
func failover(t *testing.T, s *scene) func() {
	primary := harness.PostgresOf(t, "17", nil)
	s.Server = primary
	db := harness.DatabaseOn(t, primary)
	standby := harness.StandbyOf(t, primary, nil)
	s.DB = db.On(primary, standby.Server)
	return func() {
		t.Helper()
		standby.Guards(t)
		standby.KeepSlot(t, s.Slot)
		s.more(t, s.step())
		must(t, primary.Stop(postgres.Crash))
		standby.Promote(t)
		s.mark()
	}
}

// slotDropped: somebody drops the slot in the moment in which the relay is dead.
func slotDropped(t *testing.T, s *scene) func() {
	return func() {
		t.Helper()
		s.Relay.Kill()
		harness.Eventually(t, soon, "the slot is free", func() bool { return s.walsender(t) == 0 })
		s.more(t, s.step())
		s.Exec(t, "SELECT pg_drop_replication_slot($1)", s.Slot)
		s.start(t)
	}
}

// slotInvalidated: while the relay is away for long the server removes the WAL that
// it needs.
func slotInvalidated(t *testing.T, s *scene) func() {
	own(t, s, map[string]string{"max_slot_wal_keep_size": "16MB", "max_wal_size": "64MB"})
	return func() {
		t.Helper()
		s.Relay.Kill()
		s.Exec(t, "CREATE TABLE busy (text text)")
		harness.Eventually(t, patience, "the slot is lost", func() bool {
			s.Exec(t, "INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
			s.Exec(t, "CHECKPOINT")
			return s.QueryText(t, "SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1", s.Slot) == "lost"
		})
		s.start(t)
	}
}
