package sink_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/walrelay/walrelay/sink"
)

// An id that came when the owner may not write any more is not used for anything.
func TestFence_claimRefused(t *testing.T) {
	c := fake(t)
	lost := errors.New("the slot is another's")
	var f fences
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{
		Fence: f.hook,
		Claim: func(context.Context) error { return lost },
	}})
	if err := o.send(numbered("orders", 1, 0)); !errors.Is(err, lost) {
		t.Errorf("Produce gave %v", err)
	}
	if err := o.p.Taken(t.Context()); !errors.Is(err, lost) {
		t.Errorf("Taken gave %v", err)
	}
	err := <-o.ended
	o.ended <- err
	if !errors.Is(err, lost) {
		t.Errorf("ended with %v", err)
	}
	if n := len(logOf(t, c, "orders")); n != 0 || len(f.all()) != 0 {
		t.Errorf("%d records were sent, told %+v", n, f.all())
	}
}

// Nothing is sent before the claim is answered, and an id that is only renewed
// needs none: there the coordinator compares.
func TestFence_claim(t *testing.T) {
	c := fake(t)
	var f fences
	var asked atomic.Int32
	answer := make(chan struct{})
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook, Claim: func(context.Context) error {
		asked.Add(1)
		<-answer
		return nil
	}}})
	waitFor(t, "the claim is asked for", func() bool { return asked.Load() == 1 })
	if err := o.p.Produce(numbered("orders", 1, 0), sink.Meta{Committed: time.Now().UnixMicro()}); !errors.Is(err, sink.ErrPending) || o.p.Ready() {
		t.Errorf("Produce before the answer: %v, ready %t", err, o.p.Ready())
	}
	close(answer)
	o.load(10)
	o.flush()
	o.p.SetRenewal(time.Millisecond, time.Hour)
	waitFor(t, "renewal", func() bool { o.p.Dispatch(); return len(f.all()) > 1 })
	o.p.SetRenewal(time.Hour, time.Hour)
	o.load(10)
	o.flush()
	exact(t, logOf(t, c, "orders"), o.number)
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	o.p.Fence("walrelay-test-" + t.Name()) // the next session
	o.load(10)
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times with the second session", n)
	}
}
