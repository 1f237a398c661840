package test_test

import (
	"testing"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/test/harness"
)

// restored is a server with a shop for each delivery.
type restored struct {
	server  *postgres.Server
	shops   []*chronicle
	numbers int
}

func restorable(t *testing.T) *restored {
	t.Helper()
	r := &restored{server: harness.PrivatePostgres(t, nil)}
	r.shops = eachDelivery(t, func() *shop { return openOn(t, harness.DatabaseOn(t, r.server), harness.Kafka(t), "order") })
	for _, c := range r.shops {
		c.begin(t)
	}
	return r
}

// commit adds an event to each shop.
func (r *restored) commit(t *testing.T) {
	t.Helper()
	r.numbers++
	for _, c := range r.shops {
		c.one(t, 100+r.numbers) // all of one length: what is written twice takes the same room
	}
}

// delivered adds an event to each shop and lets it be delivered.
func (r *restored) delivered(t *testing.T) {
	t.Helper()
	r.commit(t)
	for _, c := range r.shops {
		c.deliver(t)
	}
}

// grow writes WAL that has nothing to do with the shops, to beyond a position.
func (r *restored) grow(t *testing.T, beyond int64) {
	t.Helper()
	c := r.shops[0]
	c.Exec(t, "CREATE TABLE IF NOT EXISTS busy (text text)")
	harness.Eventually(t, patience, "the WAL has grown", func() bool {
		c.Exec(t, "INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 100)")
		return c.written(t) > beyond
	})
}

// TestRestoredDisk: the server's disk is put back to an earlier moment, slots
// included, and goes on with the same timeline: new transactions get LSNs that
// others had. At-least-once goes on from the slot. Exactly-once can't, and says so,
// at once and also after the WAL has grown past its watermark.
func TestRestoredDisk(t *testing.T) {
	t.Parallel()
	r := restorable(t)
	atLeastOnce, exactly := r.shops[0], r.shops[1]
	r.delivered(t)
	image := harness.TakeImage(t, r.server)
	r.delivered(t) // no server has these events any more afterwards
	watermark := exactly.written(t)

	image.Restore(t, r.server)
	exactly.gap(t, exactly.Slot, "put back to an earlier state")
	atLeastOnce.deliver(t)
	r.grow(t, watermark)
	exactly.gap(t, exactly.Slot, "its history is another one", "put back to an earlier state")
	r.commit(t)
	exactly.gap(t, exactly.Slot, "its history is another one")
	atLeastOnce.deliver(t)
	atLeastOnce.told(t)

	exactly.accept(t)
	exactly.deliver(t) // repeats what the image's slot had not confirmed: accepted
	r.delivered(t)
	exactly.note(t)
	result := exactly.lenient(t)
	if result.Duplicates > 1 {
		t.Errorf("more repeats than the event before the image: %s", result)
	}

	// Once more, to before the gap was accepted: the watermark is newer than the
	// database, and one acceptance is enough.
	image.Restore(t, r.server)
	exactly.gap(t, "newer than what the database knows")
	exactly.accept(t)
	exactly.deliver(t)
}

// lenient is told for a consumer whose repeats a person has accepted.
func (c *chronicle) lenient(t *testing.T) harness.Result {
	t.Helper()
	var events []harness.Event
	for _, e := range c.known {
		events = append(events, e)
	}
	verifier := harness.NewVerifier(events)
	for _, record := range c.Kafka.ReadCommitted(t, c.Topics...) {
		verifier.Observe(record)
	}
	result := verifier.Result()
	if result.Lost+result.Invented+result.Corrupted > 0 {
		t.Errorf("more than repeats: %s", result)
	}
	return result
}

// TestRestoredTwin: what is committed after the restore takes the very place, LSN
// and transaction id, of what was delivered before. It is another event all the same,
// and a relay that has lived through the restore tells.
func TestRestoredTwin(t *testing.T) {
	t.Parallel()
	for i := range 2 { // each alone on its server, so that nothing else is written
		r := restorable(t)
		c := r.shops[i]
		r.shops = r.shops[i : i+1]
		r.delivered(t)
		p := c.relay(t)
		p.Pause()
		if err := r.server.Stop(postgres.Immediate); err != nil {
			t.Fatal(err)
		}
		image := harness.TakeImage(t, r.server)
		if err := r.server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.commit(t)
		const place = "SELECT xmin::text || ' ' || (pg_current_wal_insert_lsn())::text FROM outbox ORDER BY payload->>'seq' DESC"
		first := c.QueryText(t, place)
		c.note(t)
		p.Resume()
		none(t, harness.VerifyCommitted(t, c.Kafka, patience, c.Committed(t, c.Prefix, c.Table), c.Topics...))

		p.Pause()
		image.Restore(t, r.server)
		r.commit(t)
		t.Logf("delivered, and then another in its place (xid, WAL behind it): %s, %s", first, c.QueryText(t, place))
		p.Resume()
		if i == 0 {
			c.told(t)
			stop(t, p)
			continue
		}
		ended(t, p, 4)
		mustSay(t, p.Output(), "put back to an earlier state", "walrelay init --accept-gap")
		c.gap(t, "put back to an earlier state")
	}
}

// TestRestoredInTime: the server is recovered up to a moment, on a new timeline, with
// the slot of the image that the recovery began with. What was delivered before that
// moment is known; a watermark behind it is not, and neither is one of another
// timeline that has the same number.
func TestRestoredInTime(t *testing.T) {
	t.Parallel()
	r := restorable(t)
	atLeastOnce, exactly := r.shops[0], r.shops[1]
	image := harness.TakeImage(t, r.server)
	r.delivered(t)
	early := exactly.QueryText(t, "SELECT pg_current_wal_flush_lsn()")
	r.delivered(t)
	exactly.Exec(t, "CREATE TABLE between (n int)")
	late := exactly.QueryText(t, "SELECT pg_current_wal_flush_lsn()")
	exactly.Exec(t, "CREATE TABLE gone (n int)")
	whole := harness.TakeImage(t, r.server)

	image.RestoreUntil(t, r.server, "recovery_target_lsn = '"+early+"'")
	exactly.gap(t, "this server has left that timeline at")
	atLeastOnce.deliver(t)
	atLeastOnce.told(t)

	whole.Restore(t, r.server) // the WAL of before
	image.RestoreUntil(t, r.server, "recovery_target_lsn = '"+late+"'")
	if exactly.QueryInt(t, "SELECT count(*) FROM pg_class WHERE relname IN ('between', 'gone')") != 1 {
		t.Error("the test is wrong: it was not recovered up to the moment between")
	}
	r.delivered(t)
	for _, c := range r.shops {
		c.told(t)
	}

	whole.Restore(t, r.server)
	image.RestoreUntil(t, r.server, "recovery_target_lsn = '"+late+"'")
	exactly.gap(t, "put back to an earlier state")
	r.commit(t)
	exactly.gap(t, "put back to an earlier state")
	atLeastOnce.deliver(t)
	atLeastOnce.told(t)
}
