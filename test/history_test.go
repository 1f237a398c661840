package test_test

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/walrelay/walrelay/test/harness"
)

// The histories: what a relay does when the server that it comes back to is not the
// one it knew. An LSN means something only in the history it is from, so what is
// asked here is whether the relay tells. Restores are in history_restore_test.go,
// failovers in history_failover_test.go.

// chronicle is a shop with the delivery that its relay is run with.
type chronicle struct {
	*shop
	env   []string
	known map[string]harness.Event // by id: all that was ever committed, also what no server has any more
}

// eachDelivery makes two shops, one of each delivery: at-least-once, exactly-once.
func eachDelivery(t *testing.T, open func() *shop) []*chronicle {
	t.Helper()
	first, second := chronicleOf(open()), chronicleOf(open())
	first.env = []string{"WALRELAY_DELIVERY=at-least-once"}
	second.env = second.exact()
	return []*chronicle{first, second}
}

func chronicleOf(s *shop) *chronicle {
	return &chronicle{shop: s, known: make(map[string]harness.Event)}
}

// note keeps what the database has now.
func (c *chronicle) note(t *testing.T) {
	t.Helper()
	for _, e := range c.Committed(t, c.Prefix, c.Table) {
		c.known[e.ID] = e
	}
}

// told verifies what a consumer has: all events that were ever committed, also
// those of histories that are gone, once.
func (c *chronicle) told(t *testing.T) {
	t.Helper()
	c.note(t)
	var events []harness.Event
	for _, e := range c.known {
		events = append(events, e)
	}
	none(t, harness.VerifyCommitted(t, c.Kafka, patience, events, c.Topics...))
}

// begin makes publication and slot: what is committed from now on is to be delivered.
func (c *chronicle) begin(t *testing.T) {
	t.Helper()
	if code, output := c.run(t, []string{"init"}, c.env...); code != 0 {
		t.Fatalf("init: exit code %d: %s", code, output)
	}
}

// relay starts the relay with its delivery, and waits until it is ready.
func (c *chronicle) relay(t *testing.T, env ...string) *harness.Process {
	t.Helper()
	return c.ready(t, slices.Concat(c.env, env)...)
}

// deliver runs the relay until all that is committed is delivered.
func (c *chronicle) deliver(t *testing.T) {
	t.Helper()
	p := c.relay(t)
	c.drained(t)
	stop(t, p)
	c.note(t)
}

// gap starts the relay, which has to end with exit code 4 and these words, twice.
func (c *chronicle) gap(t *testing.T, words ...string) {
	t.Helper()
	for range 2 {
		p := c.start(t, c.env...)
		ended(t, p, 4)
		mustSay(t, p.Output(), append(words, "walrelay init --accept-gap")...)
	}
}

// accept is `walrelay init --accept-gap`, once.
func (c *chronicle) accept(t *testing.T) {
	t.Helper()
	if code, output := c.run(t, []string{"init", "--accept-gap"}, c.env...); code != 0 {
		t.Fatalf("init --accept-gap: exit code %d: %s", code, output)
	}
}

// mark is the topic of the watermark.
func (c *chronicle) mark() string { return c.Prefix + "watermark" }

// TestWatermarkGone: the topic of the watermark is deleted, emptied or made anew
// while no relay runs. Nobody knows then what is delivered, so a person decides.
func TestWatermarkGone(t *testing.T) {
	t.Parallel()
	c := chronicleOf(open(t, "order"))
	c.env = c.exact()
	c.begin(t)
	admin := kadm.NewClient(c.Kafka.Client(t))
	remove := func(t *testing.T) {
		if _, err := admin.DeleteTopic(t.Context(), c.mark()); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, soon, "the topic is gone", func() bool { return len(c.Kafka.Topics(t, c.mark())) == 0 })
	}
	number := 0
	for _, test := range []struct {
		name string
		gone func(t *testing.T)
	}{
		{"deleted", remove},
		{"emptied", func(t *testing.T) {
			ends, err := admin.ListEndOffsets(t.Context(), c.mark())
			if err != nil {
				t.Fatal(err)
			}
			// A compacted topic lets nobody delete its records, until it is another one.
			policy := "delete"
			_, err = admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "cleanup.policy", Value: &policy}}, c.mark())
			if err != nil {
				t.Fatal(err)
			}
			if deleted, err := admin.DeleteRecords(t.Context(), ends.Offsets()); err != nil || deleted.Error() != nil {
				t.Fatal(err, deleted.Error())
			}
		}},
		{"made anew", func(t *testing.T) {
			remove(t)
			c.Kafka.CreateTopic(t, c.mark(), 1, "cleanup.policy", "compact")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			number++
			c.one(t, number)
			c.deliver(t)
			test.gone(t)
			c.gap(t, c.Slot, c.mark(), "holds no watermark of it any more")
			c.accept(t)
			number++
			c.one(t, number)
			c.deliver(t)
		})
	}
	c.told(t)
}

// TestExistingSlot: exactly-once begins with a slot that is there, and goes on with
// one that was dropped and accepted as a gap.
func TestExistingSlot(t *testing.T) {
	t.Parallel()
	c := chronicleOf(open(t, "order"))
	c.env = c.exact()
	c.Exec(t, "CREATE PUBLICATION "+c.Publication+" FOR TABLE public.outbox")
	c.Exec(t, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", c.Slot)
	c.one(t, 1)
	c.deliver(t)
	c.Exec(t, "SELECT pg_drop_replication_slot($1)", c.Slot)
	c.gap(t, "vanished")
	c.accept(t)
	c.one(t, 2)
	c.deliver(t)

	// A marker that was made anew does not know of the watermark.
	c.Exec(t, "DELETE FROM walrelay.marker WHERE slot = $1", c.Slot)
	c.gap(t, "put back to an earlier state")
	c.accept(t)
	c.one(t, 3)
	c.deliver(t)
	c.told(t)
}

// TestDeliveryChanged: after a stop in good order the delivery may be changed there
// and back; nothing is lost or repeated.
func TestDeliveryChanged(t *testing.T) {
	t.Parallel()
	c := chronicleOf(open(t, "order"))
	c.begin(t)
	for number, delivery := range []string{"exactly-once", "at-least-once", "exactly-once", "at-least-once", "exactly-once"} {
		c.env = c.exact()
		if delivery == "at-least-once" {
			c.env = []string{"WALRELAY_DELIVERY=" + delivery}
		}
		c.one(t, number)
		c.deliver(t)
	}
	c.told(t)
}

// TestPublicationChanged: rows are counted with a publication, so one that is in the
// middle of a transaction goes on with the same one.
func TestPublicationChanged(t *testing.T) {
	t.Parallel()
	c := chronicleOf(open(t, "order"))
	c.env = c.exact()
	proxy := harness.NewProxy(t, c.Target(t))
	c.Addr = c.ConnStringVia(t, proxy)
	former, other := c.Publication, c.Publication+"_other"
	c.Exec(t, "CREATE PUBLICATION "+other+" FOR ALL TABLES") // before the slot
	c.begin(t)
	c.one(t, 1)
	c.deliver(t)
	c.Publication = other
	c.one(t, 2)
	p := c.relay(t) // after a stop in good order it may be changed
	c.drained(t)
	proxy.Drop(harness.ToServer) // nothing is confirmed any more
	c.one(t, 3)
	c.note(t)
	none(t, harness.VerifyCommitted(t, c.Kafka, patience, c.Committed(t, c.Prefix, c.Table), c.Topics...))
	p.Kill()
	proxy.Reset()
	proxy.Heal()
	c.Publication = former
	p = c.start(t, c.env...)
	ended(t, p, 4)
	mustSay(t, p.Output(), "name the former publication again", other)
	c.Publication = other
	c.one(t, 4)
	c.deliver(t)
	c.told(t)
}

// TestMarkerOfAnotherSystem: a dump that was restored into another cluster brings
// the marker along, and no slot.
func TestMarkerOfAnotherSystem(t *testing.T) {
	t.Parallel()
	for _, c := range eachDelivery(t, func() *shop { return open(t, "order") }) {
		c.begin(t)
		c.one(t, 0)
		c.deliver(t)
		c.Exec(t, "UPDATE walrelay.marker SET system_identifier = '7' || substr(system_identifier, 1, 10)")
		c.Exec(t, "SELECT pg_drop_replication_slot($1)", c.Slot)
		c.gap(t, "restored, copied or upgraded")
		c.accept(t)
		c.one(t, 1)
		c.deliver(t)
		c.told(t)
	}
}
