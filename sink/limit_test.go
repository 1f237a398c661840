package sink_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// A broker that does not answer: Produce says ErrFull at the limit, which holds;
// then everything is delivered, and many such cycles need no more memory.
func TestLimit_brokerDoesNotAnswer(t *testing.T) {
	for _, compression := range []string{"none", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			c := fake(t)
			var dead atomic.Bool
			c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				return nil, nil, dead.Load() // read, and never answered
			})
			const limit = 1 << 20
			o := start(t, sink.Config{Brokers: c.ListenAddrs(), InFlightBytes: limit, Compression: compression},
				func(p *sink.Producer) { p.SetAnswerTimeout(50 * time.Millisecond) })
			// Compresses, but not well: the copies are as large as can be.
			value := make([]byte, 1000)
			random := rand.New(rand.NewPCG(5, 6))
			stop := beside(func() {
				if s := o.p.Stats(); s.MemoryBytes > limit {
					t.Errorf("%d bytes in flight, limit %d", s.MemoryBytes, limit)
				}
				time.Sleep(100 * time.Microsecond) // between two looks
			})
			defer stop()
			var after uint64
			for cycle := range 8 {
				dead.Store(true)
				for full := false; !full; {
					rec := numbered("orders", int(o.number%37), o.number)
					for i := range value {
						value[i] = '0' + byte(random.IntN(10))
					}
					rec.Headers = []routing.Header{{Key: "filler", Value: value}}
					switch err := o.p.Produce(rec, sink.Meta{Number: o.number}); {
					case errors.Is(err, sink.ErrFull):
						full = true
					case errors.Is(err, sink.ErrPending):
						<-o.p.Changed()
					case err != nil:
						t.Fatal(err)
					default:
						o.number++
					}
				}
				if s := o.p.Stats(); s.Unacked == 0 {
					t.Error("full of nothing")
				}
				waitFor(t, "a lost answer", func() bool { return o.p.Stats().Waits["kafka"] != nil })
				dead.Store(false)
				o.flush()
				o.settled()
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				if cycle == 3 {
					after = m.HeapAlloc
				} else if cycle == 7 && m.HeapAlloc > after+16<<20 { // kfake keeps the log in the heap
					t.Errorf("heap grew from %d to %d bytes", after, m.HeapAlloc)
				}
			}
			exact(t, logOf(t, c, "orders"), o.number)
		})
	}
}

// One record larger than the limit is still sent, alone.
func TestLimit_largerThanTheLimit(t *testing.T) {
	for _, compression := range []string{"none", "gzip"} {
		c := fake(t)
		o := start(t, sink.Config{Brokers: c.ListenAddrs(), InFlightBytes: 64 << 10, Compression: compression})
		for i := range 20 {
			rec := numbered("orders", i, o.number)
			if i%4 == 0 {
				rec.Value = append(bytes.Repeat([]byte("0"), 200<<10), rec.Value...)
			}
			if err := o.send(rec); err != nil {
				t.Fatal(err)
			}
		}
		o.flush()
		o.settled()
		exact(t, logOf(t, c, "orders"), o.number)
	}
}

// The window counts what lies behind the oldest record, also what is delivered:
// a partition that is stuck bounds what a crash repeats.
func TestLimit_window(t *testing.T) {
	c := fake(t)
	var stuck atomic.Bool
	stuck.Store(true)
	onProduce(c, func(string, int32) int16 { return 0 })
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		for _, rt := range r.(*kmsg.ProduceRequest).Topics {
			for _, rp := range rt.Partitions {
				if rp.Partition == 0 && stuck.Load() {
					return nil, errors.New("partition 0 is stuck"), true
				}
			}
		}
		return nil, nil, false
	})
	const limit = 1 << 20
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), InFlightBytes: limit})
	at := func(p int32) *routing.Record {
		return &routing.Record{Topic: "orders", Partition: p, Value: bytes.Repeat([]byte("0"), 1000)}
	}
	if err := o.send(at(0)); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for full := 0; full < 6; {
		err := o.p.Produce(at(1), sink.Meta{Number: o.number})
		switch {
		case errors.Is(err, sink.ErrFull):
			full++
			o.p.Dispatch()
			select {
			case <-o.p.Changed():
			case <-time.After(5 * time.Second):
				t.Fatal("nothing changes")
			}
		case err != nil:
			t.Fatal(err)
		default:
			o.number++
			sent++
		}
	}
	if got := sent * 1000; got > limit {
		t.Errorf("%d bytes were taken behind a stuck record, limit %d", got, limit)
	}
	if n, _, ok := o.p.Oldest(); !ok || n != 0 {
		t.Errorf("oldest %d (%v), want 0", n, ok)
	}
	stuck.Store(false)
	o.flush()
	o.settled()
}
