package sink_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/sink"
)

// fences keeps what the Fence hook was told.
type fences struct {
	mu   sync.Mutex
	told []told
}

type told struct {
	id     int64
	epoch  int16
	fenced bool
	err    error
}

func (f *fences) hook(id int64, epoch int16, fenced bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, told{id, epoch, fenced, err})
}

func (f *fences) all() []told {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]told(nil), f.told...)
}

// onInit answers requests for a producer id; 0 leaves them to the broker.
func onInit(c *kfake.Cluster, code func(*kmsg.InitProducerIDRequest) int16) {
	c.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		res.ErrorCode = code(r.(*kmsg.InitProducerIDRequest))
		return res, nil, res.ErrorCode != 0
	})
}

// refuseFence answers every request for a producer id with a transactional id.
func refuseFence(c *kfake.Cluster, code int16) {
	onInit(c, func(r *kmsg.InitProducerIDRequest) int16 {
		if r.TransactionalID != nil {
			return code
		}
		return 0
	})
}

// From the new instance's first batch on a partition the old one is refused there.
func TestFence_shutsOutTheOlder(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "one"))
	older := start(t, sink.Config{Brokers: c.ListenAddrs()})
	for range 10 {
		if err := older.send(numbered("one", 1, older.number)); err != nil {
			t.Fatal(err)
		}
	}
	older.flush()
	newer := start(t, sink.Config{Brokers: c.ListenAddrs()}) // the same transactional id
	newer.number = older.number
	if err := newer.send(numbered("one", 1, newer.number)); err != nil {
		t.Fatal(err)
	}
	newer.flush()
	if err := older.send(numbered("one", 1, 99)); err != nil {
		t.Fatal(err)
	}
	older.p.Dispatch()
	err := <-older.ended
	older.ended <- err
	if !errors.Is(err, sink.ErrFenced) {
		t.Errorf("the older instance ended with %v", err)
	}
	if err := newer.send(numbered("one", 1, newer.number)); err != nil {
		t.Fatal(err)
	}
	newer.flush()
	exact(t, logOf(t, c, "one"), newer.number)
	if a, b := older.p.Stats(), newer.p.Stats(); !a.Fenced || !b.Fenced || a.ProducerID != b.ProducerID || b.Epoch <= a.Epoch {
		t.Errorf("older %+v, newer %+v", a, b)
	}
}

// Without the right to the transactional id at-least-once goes on at once.
func TestFence_notAllowed(t *testing.T) {
	c := fake(t)
	refuseFence(c, 53)
	var f fences
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook}})
	o.load(10)
	o.flush()
	exact(t, logOf(t, c, "orders"), o.number)
	all := f.all()
	if len(all) != 1 || all[0].fenced || all[0].id != o.p.Stats().ProducerID || !errors.Is(all[0].err, kafka.TransactionalIDAuthorizationFailed) {
		t.Errorf("told %+v, producer id %d", all, o.p.Stats().ProducerID)
	}
}

// Without a transaction coordinator it goes on when patience is over, once told.
func TestFence_noCoordinator(t *testing.T) {
	c := fake(t)
	var unnamed atomic.Int32
	onInit(c, func(r *kmsg.InitProducerIDRequest) int16 {
		if r.TransactionalID != nil {
			return 15
		}
		if unnamed.Add(1) < 3 {
			return 14 // the id without a name is not to be had at once either
		}
		return 0
	})
	var f fences
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook}}, func(p *sink.Producer) { p.SetPatience(30 * time.Millisecond) })
	o.load(10)
	o.flush()
	all := f.all()
	if len(all) != 1 || all[0].fenced || !errors.Is(all[0].err, kafka.GroupCoordinatorNotAvailable) {
		t.Errorf("told %+v", all)
	}
	if s := o.p.Stats(); s.Fenced || len(s.Waits) != 0 {
		t.Errorf("%+v", s)
	}
}

// The fence that no coordinator could give is taken as soon as there is one, between
// records: none waits for a coordinator that is still away, none is lost or repeated.
func TestFence_coordinatorComesLater(t *testing.T) {
	c := fake(t)
	var there, looked, named atomic.Int32
	c.ControlKey(int16(kmsg.FindCoordinator), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		looked.Add(1)
		if there.Load() == 1 {
			return nil, nil, false
		}
		res := r.ResponseKind().(*kmsg.FindCoordinatorResponse)
		res.ErrorCode = 15
		return res, nil, true
	})
	onInit(c, func(r *kmsg.InitProducerIDRequest) int16 {
		if r.TransactionalID == nil {
			return 0
		}
		named.Add(1)
		if there.Load() == 0 {
			return 15
		}
		return 0
	})
	var f fences
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook}}, func(p *sink.Producer) {
		p.SetPatience(30 * time.Millisecond)
		p.SetFenceAgain(20 * time.Millisecond)
	})
	o.load(10)
	o.flush()
	before, asked := looked.Load(), named.Load()
	for looked.Load() < before+3 { // it is looked for, and records go on
		o.load(1)
		o.flush()
	}
	if all := f.all(); len(all) != 1 || all[0].fenced || named.Load() != asked {
		t.Fatalf("told %+v, records have waited for the fence %d times", all, named.Load()-asked)
	}
	there.Store(1)
	for len(f.all()) < 2 {
		o.load(1)
		o.p.Dispatch()
	}
	o.load(10)
	o.flush()
	if all := f.all(); !all[1].fenced || all[1].err != nil || !o.p.Stats().Fenced {
		t.Errorf("told %+v", all)
	}
	exact(t, logOf(t, c, "orders"), o.number)
	settled := looked.Load()
	o.load(10)
	o.flush()
	if n := looked.Load(); n != settled {
		t.Errorf("with the fence a coordinator is looked for %d times", n-settled)
	}
}

// Whom a newer instance has shut out must not take the fence back when it raises
// its epoch: it names the epoch it has, and the coordinator refuses.
func TestFence_raisingIsNotTakingBack(t *testing.T) {
	c := fake(t)
	var asked atomic.Int32
	onInit(c, func(r *kmsg.InitProducerIDRequest) int16 {
		switch asked.Add(1) {
		case 1:
			if r.ProducerID != -1 || r.ProducerEpoch != -1 {
				t.Errorf("the first request names %d/%d", r.ProducerID, r.ProducerEpoch)
			}
			return 0
		}
		if r.ProducerID < 0 || r.ProducerEpoch < 0 {
			t.Errorf("to raise the epoch of %d/%d a new id is asked for", r.ProducerID, r.ProducerEpoch)
		}
		return 90
	})
	onProduce(c, func(string, int32) int16 { return 45 })
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(1)
	o.p.Dispatch()
	err := <-o.ended
	o.ended <- err
	if !errors.Is(err, sink.ErrFenced) {
		t.Errorf("ended with %v", err)
	}
}

// While the epoch is raised nothing is under way: an answer to the old epoch
// that got lost then would land a batch twice.
func TestFence_nothingIsSentWhileRaising(t *testing.T) {
	c := fake(t)
	var asked, raising, produced atomic.Int32
	done := make(chan struct{})
	c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if asked.Add(1) == 2 {
			raising.Store(1)
			c.SleepControl(func() { time.Sleep(300 * time.Millisecond) }) // longer than a batch waits to be sent again
			raising.Store(0)
			close(done)
		}
		return nil, nil, false
	})
	onProduce(c, func(string, int32) int16 {
		if raising.Load() == 1 {
			produced.Add(1)
		}
		if asked.Load() < 3 && raising.Load() == 1 || asked.Load() == 1 {
			return 45
		}
		return 0
	})
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(100)
	o.p.Dispatch()
	<-done
	o.flush()
	if n := produced.Load(); n != 0 {
		t.Errorf("%d batches were sent while the epoch was raised", n)
	}
	exact(t, logOf(t, c, "orders"), o.number)
}

// Fence called again while the first answer is on its way: that answer is older
// than the caller's claim and must not count.
func TestFence_again(t *testing.T) {
	c := fake(t)
	asked, release := make(chan struct{}, 10), make(chan struct{})
	var n atomic.Int32
	c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if n.Add(1) == 1 {
			asked <- struct{}{}
			c.SleepControl(func() { <-release })
		}
		return nil, nil, false
	})
	var f fences
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook}})
	<-asked
	o.p.Fence("walrelay-test-" + t.Name())
	close(release)
	o.load(10)
	o.flush()
	if all := f.all(); n.Load() < 2 || len(all) != 1 || all[0].epoch < 1 {
		t.Errorf("%d ids asked for, told %+v", n.Load(), all)
	}
	exact(t, logOf(t, c, "orders"), o.number)
}

// Fence with records on their way: they are resolved under the old id first.
func TestFence_withRecordsOnTheirWay(t *testing.T) {
	c := fake(t)
	var f faults
	i := 0
	f.set(func() fate { i++; return []fate{lostAnswer, untouched, delayed}[i%3] })
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Dial: f.dial})
	for range 10 {
		o.load(200)
		o.p.Dispatch()
		o.p.Fence("walrelay-test-" + t.Name())
	}
	o.flush()
	f.late.Wait()
	o.settled()
	exact(t, logOf(t, c, "orders"), o.number)
}

// A producer id is renewed at the first quiet moment, and by draining when none
// comes.
func TestFence_renewal(t *testing.T) {
	for name, d := range map[string][2]time.Duration{"quiet": {time.Millisecond, time.Hour}, "draining": {time.Millisecond, time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			var f fences
			o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook}})
			o.load(100)
			o.flush()
			o.p.SetRenewal(d[0], d[1])
			if name == "draining" {
				o.load(10) // something is always on its way when the owner looks
			}
			o.p.Dispatch()
			waitFor(t, "renewal", func() bool { o.p.Dispatch(); return len(f.all()) > 1 })
			o.p.SetRenewal(time.Hour, time.Hour)
			o.load(100)
			o.flush()
			o.settled()
			exact(t, logOf(t, c, "orders"), o.number)
			if all := f.all(); all[1].epoch <= all[0].epoch || !all[1].fenced {
				t.Errorf("told %+v", all)
			}
		})
	}
}

// A broker that is not there at the start is waited for; then the id is taken
// although no topic is asked for.
func TestFence_brokerDownAtTheStart(t *testing.T) {
	port := freePort(t)
	var f fences
	o := start(t, sink.Config{Brokers: []string{port.addr()}, Hooks: sink.Hooks{Fence: f.hook}})
	waitFor(t, "a reason to wait", func() bool { return o.p.Stats().Waits["producer id"] != nil })
	c := fake(t, kfake.Ports(port.number()))
	waitFor(t, "producer id", func() bool { return len(f.all()) == 1 })
	o.load(100)
	o.flush()
	exact(t, logOf(t, c, "orders"), o.number)
	if w := o.p.Stats().Waits; len(w) != 0 {
		t.Errorf("still waits: %v", w)
	}
}
