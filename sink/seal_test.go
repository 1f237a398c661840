package sink_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// onSeal answers the requests of seals: a code, or 0 to leave them to the broker.
func onSeal(c *kfake.Cluster, code func(kmsg.Key) int16) {
	for _, key := range []kmsg.Key{kmsg.AddPartitionsToTxn, kmsg.EndTxn} {
		c.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			answer := code(key)
			switch res := r.ResponseKind().(type) {
			case *kmsg.EndTxnResponse:
				res.ErrorCode = answer
				return res, nil, answer != 0
			case *kmsg.AddPartitionsToTxnResponse:
				for _, topic := range r.(*kmsg.AddPartitionsToTxnRequest).Topics {
					out := kmsg.NewAddPartitionsToTxnResponseTopic()
					out.Topic = topic.Topic
					for _, id := range topic.Partitions {
						part := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
						part.Partition, part.ErrorCode = id, answer
						out.Partitions = append(out.Partitions, part)
					}
					res.Topics = append(res.Topics, out)
				}
				return res, nil, answer != 0
			}
			return nil, nil, false
		})
	}
}

// A coordinator that refuses is no reason to stop: not one that takes the producer for
// an older one either, which would show when it produces. What it refuses for good is
// asked for once; nothing was opened, so there is nothing to end.
func TestSeal_refused(t *testing.T) {
	for _, code := range []int16{3, 29, 47, 48, 49, 53, 90} {
		c := fake(t)
		var opened, ended atomic.Int32
		onSeal(c, func(key kmsg.Key) int16 {
			if key == kmsg.EndTxn {
				ended.Add(1)
				return 0
			}
			opened.Add(1)
			return code
		})
		var told fences
		o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: told.hook}})
		ready(o, "orders")
		want := kafka.Error(code)
		ctx := t.Context()
		if code == 3 { // may pass, so it is asked again until time is up
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			if err := o.p.Seal(ctx, "orders"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("code %d: %v", code, err)
			}
		} else {
			for range 2 {
				if err := o.p.Seal(ctx, "orders"); !errors.Is(err, want) {
					t.Errorf("code %d: %v", code, err)
				}
			}
			if n := opened.Load(); n != 1 {
				t.Errorf("code %d: asked for %d times", code, n)
			}
		}
		o.load(10)
		o.flush()
		exact(t, logOf(t, c, "orders"), o.number)
		if all := told.all(); len(all) != 1 || ended.Load() != 0 {
			t.Errorf("code %d: told %+v, ended %d times", code, all, ended.Load())
		}
	}
}

// As long as it is not known that the transaction has ended, events go on and the
// epoch is left alone; when it is, the epoch is raised, and topics are sealed again.
func TestSeal_coordinatorAway(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "other"))
	var back atomic.Bool
	var inits, early atomic.Int32
	onSeal(c, func(kmsg.Key) int16 {
		if !back.Load() {
			return 15
		}
		return 0
	})
	onInit(c, func(*kmsg.InitProducerIDRequest) int16 {
		if inits.Add(1) > 1 && !back.Load() {
			early.Add(1)
		}
		return 0
	})
	var told fences
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: told.hook}})
	ready(o, "orders")
	ready(o, "other")
	if err := o.p.Seal(t.Context(), "orders"); err == nil {
		t.Error("sealed")
	}
	waitFor(t, "another topic is not sealed", func() bool { return o.p.Seal(t.Context(), "other") != nil })
	o.p.SetRenewal(time.Millisecond, time.Millisecond) // due, and put off
	for range 10 {
		o.load(10)
		o.flush()
		o.p.Dispatch()
	}
	if early.Load() != 0 {
		t.Error("the epoch was raised beside a transaction that may be open")
	}
	o.p.SetRenewal(time.Hour, time.Hour)
	back.Store(true)
	waitFor(t, "another epoch", func() bool { return len(told.all()) > 1 })
	o.load(10)
	o.flush()
	o.place(&routing.Record{Topic: "other", Partition: 0})
	o.seal("other")
	exact(t, logOf(t, c, "orders"), o.number)
	if all := told.all(); len(all) != 2 || all[1].epoch != all[0].epoch+1 || !all[1].fenced {
		t.Errorf("told %+v", all)
	}
}

// Fence called while a seal is on its way: the seal is over, and says so. Its topic is
// sealed anew under the next producer id.
func TestSeal_fenceAgain(t *testing.T) {
	c := fake(t)
	asked, release := make(chan struct{}, 100), make(chan struct{})
	var once atomic.Bool
	c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if once.CompareAndSwap(false, true) {
			asked <- struct{}{}
			c.SleepControl(func() { <-release })
		}
		return nil, nil, false
	})
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	ready(o, "orders")
	sealed := make(chan error, 1)
	go func() { sealed <- o.p.Seal(t.Context(), "orders") }()
	<-asked
	o.p.Fence("walrelay-test-" + t.Name())
	if err := <-sealed; err == nil {
		t.Error("what was asked for under the old producer id counts")
	}
	close(release)
	ready(o, "orders")
	o.seal("orders")
	o.load(10)
	o.flush()
	if records := committedLog(t, c.ListenAddrs(), "orders", 10); len(records) != 10 {
		t.Errorf("%d records", len(records))
	}
}

// Without the fence, and with transactions, there is nothing to seal.
func TestSeal_nothingToSeal(t *testing.T) {
	for name, cfg := range map[string]sink.Config{"no fence": {}, "transactions": {Transactions: true}} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			onInit(c, func(r *kmsg.InitProducerIDRequest) int16 {
				if r.TransactionalID != nil && !cfg.Transactions {
					return 53
				}
				return 0
			})
			onSeal(c, func(key kmsg.Key) int16 { t.Errorf("%s was asked for", key.Name()); return 0 })
			cfg.Brokers = c.ListenAddrs()
			o := start(t, cfg)
			ready(o, "orders")
			o.seal("orders")
		})
	}
}

// Brokers that allow short transactions only are fenced with, and not sealed: the
// coordinator could give up in the middle.
func TestSeal_shortTransactions(t *testing.T) {
	c := fake(t)
	onInit(c, func(r *kmsg.InitProducerIDRequest) int16 {
		if r.TransactionTimeoutMillis > 10_000 {
			return 50
		}
		return 0
	})
	onSeal(c, func(key kmsg.Key) int16 { t.Errorf("%s was asked for", key.Name()); return 0 })
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	ready(o, "orders")
	if err := o.p.Seal(t.Context(), "orders"); err == nil {
		t.Error("sealed")
	}
	o.load(10)
	o.flush()
	if s := o.p.Stats(); !s.Fenced {
		t.Errorf("%+v", s)
	}
}

// Markers that can't be written keep the coordinator from giving a producer id: then
// at-least-once goes on without the fence when patience is over.
func TestFence_markersHang(t *testing.T) {
	c := fake(t)
	refuseFence(c, 51)
	var f fences
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook}}, func(p *sink.Producer) { p.SetPatience(30 * time.Millisecond) })
	o.load(10)
	o.flush()
	if all := f.all(); len(all) != 1 || all[0].fenced || !errors.Is(all[0].err, kafka.ConcurrentTransactions) {
		t.Errorf("told %+v", all)
	}
}
