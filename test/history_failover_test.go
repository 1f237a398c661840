package test_test

import (
	"slices"
	"testing"
	"time"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/test/harness"
)

// failover is a primary with a standby, and a shop for each delivery. Relays and
// writers know both hosts.
type failover struct {
	primary *postgres.Server
	standby *harness.Standby
	shops   []*chronicle
	relays  []*harness.Process // one a shop
}

// withStandby makes one. major is PostgreSQL's version, "" for the usual one.
func withStandby(t *testing.T, major string) *failover {
	t.Helper()
	f := &failover{}
	if major == "" {
		f.primary = harness.PrivatePostgres(t, nil)
	} else {
		f.primary = harness.PostgresOf(t, major, nil)
	}
	f.shops = eachDelivery(t, func() *shop {
		return openOn(t, harness.DatabaseOn(t, f.primary), harness.Kafka(t), "order")
	})
	f.standby = harness.StandbyOf(t, f.primary, nil)
	for _, c := range f.shops {
		c.DB = c.On(f.primary, f.standby.Server)
		c.Addr = c.ConnString()
		if major != "" {
			c.env = append(c.env, "WALRELAY_POSTGRES_FAILOVER_SLOT=true")
		}
		f.relays = append(f.relays, c.relay(t))
	}
	if major != "" {
		for _, c := range f.shops {
			f.standby.KeepSlot(t, c.Slot)
		}
	}
	return f
}

// fail kills the primary and promotes the standby.
func (f *failover) fail(t *testing.T) {
	t.Helper()
	if err := f.primary.Stop(postgres.Crash); err != nil {
		t.Fatal(err)
	}
	f.standby.Promote(t)
}

// TestFailover: the primary dies under load and the standby takes over with the
// slots, which have waited for it (synchronized_standby_slots). The relays go on by
// themselves. What the new primary has is delivered, nothing that it lacks, and
// nothing twice. The standby was away for a moment before: commits of that time are
// lost with the primary, and no relay has seen them.
func TestFailover(t *testing.T) {
	t.Parallel()
	for _, major := range []string{"17", "18"} {
		t.Run(major, func(t *testing.T) {
			t.Parallel()
			f := withStandby(t, major)
			f.standby.Guards(t)
			var quiet []func() *harness.Written
			for _, c := range f.shops {
				quiet = append(quiet, c.background(t, harness.Workload{Writers: 2, Aggregates: 100, Pause: 5 * time.Millisecond, RollbackShare: 0.1}))
			}
			for _, c := range f.shops {
				c.more(t, 300)
			}
			f.standby.CatchUp(t)
			if err := f.standby.Stop(postgres.Fast); err != nil {
				t.Fatal(err)
			}
			for _, c := range f.shops {
				c.more(t, 100)
				harness.Eventually(t, soon, "the walsender waits for the standby", func() bool {
					return c.QueryInt(t, `SELECT count(*) FROM pg_stat_activity a JOIN pg_replication_slots s ON s.active_pid = a.pid
						WHERE s.slot_name = $1 AND a.wait_event = 'WaitForStandbyConfirmation'`, c.Slot) == 1
				})
			}
			if err := f.primary.Stop(postgres.Crash); err != nil {
				t.Fatal(err)
			}
			if err := f.standby.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			twin := harness.TakeImage(t, f.standby.Server) // of the standby, which may be promoted twice
			f.standby.Promote(t)
			for i, c := range f.shops {
				c.more(t, 300)
				f.relays[i].WaitReady(t, soon)
			}
			for i, c := range f.shops {
				t.Log(quiet[i]())
				none(t, c.verify(t))
				stop(t, f.relays[i])
			}
			f.strangers(t, twin)
		})
	}
}

// strangers lets the exactly-once relay meet servers of other histories after the
// failover: the former primary, and a primary on a timeline of the same number that
// has another history.
func (f *failover) strangers(t *testing.T, twin *harness.Image) {
	t.Helper()
	c := f.shops[1]
	if err := f.standby.Stop(postgres.Fast); err != nil {
		t.Fatal(err)
	}
	if err := f.primary.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.gap(t, "is a primary of before a failover")
	if err := f.primary.Stop(postgres.Fast); err != nil {
		t.Fatal(err)
	}
	twin.Restore(t, f.standby.Server)
	f.standby.Promote(t)
	c.gap(t, "put back to an earlier state")
}

// TestFailoverAsynchronous: without synchronized_standby_slots a relay may have
// delivered what the new primary never got. At-least-once goes on with what there is.
// Exactly-once stops, also when the new primary has long had other commits there.
func TestFailoverAsynchronous(t *testing.T) {
	t.Parallel()
	f := withStandby(t, "17")
	atLeastOnce, exactly := f.shops[0], f.shops[1]
	for i, c := range f.shops {
		c.one(t, 1)
		c.drained(t)
		c.note(t)
		stop(t, f.relays[i])
	}
	f.standby.CatchUp(t)
	if err := f.standby.Stop(postgres.Fast); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.shops {
		c.one(t, 2)
		c.deliver(t)
	}
	watermark := exactly.written(t)
	if err := f.primary.Stop(postgres.Crash); err != nil {
		t.Fatal(err)
	}
	if err := f.standby.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.standby.Promote(t)
	exactly.gap(t, "this server has left that timeline at", "failover or restore")
	(&restored{shops: f.shops}).grow(t, watermark)
	for _, c := range f.shops {
		c.one(t, 3)
	}
	exactly.gap(t, "this server has left that timeline at")
	atLeastOnce.deliver(t)
	atLeastOnce.told(t)
	exactly.accept(t)
	exactly.one(t, 4)
	exactly.deliver(t)
	if result := exactly.lenient(t); result.Duplicates > 1 {
		t.Errorf("more repeats than what the slot had not confirmed: %s", result)
	}
}

// TestFailoverWithoutSlot: the new primary does not have the slot, so what was
// committed between is a gap for both deliveries.
func TestFailoverWithoutSlot(t *testing.T) {
	t.Parallel()
	f := withStandby(t, "")
	for i, c := range f.shops {
		c.one(t, 1)
		c.drained(t)
		c.note(t)
		stop(t, f.relays[i])
	}
	f.standby.CatchUp(t)
	f.fail(t)
	for _, c := range f.shops {
		c.one(t, 2) // in the gap
		c.gap(t, c.Slot, "vanished", "the server went from timeline 1 to 2", "the slot did not come along")
		if c.slots(t) != 0 {
			t.Error("the slot was made again in silence")
		}
		c.accept(t)
		c.one(t, 3)
		p := c.relay(t)
		c.drained(t)
		events := slices.DeleteFunc(c.Committed(t, c.Prefix, c.Table), func(e harness.Event) bool { return e.Sequence == 2 })
		none(t, harness.VerifyCommitted(t, c.Kafka, patience, events, c.Topics...))
		stop(t, p)
	}
}
