package sink_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// At a slow rate a record goes out at once; under a backlog a request carries
// many.
func TestBatching_adapts(t *testing.T) {
	c := fake(t)
	var requests atomic.Int64
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		requests.Add(1)
		return nil, nil, false
	})
	var acked atomic.Int64
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Acked: func(a sink.Acked) { acked.Add(int64(a.Records)) }}})
	o.load(1)
	o.flush()
	requests.Store(0)
	for range 50 { // the next event comes when the last is delivered
		o.load(1)
		o.p.Dispatch()
		want := int64(o.number)
		waitFor(t, "acknowledgement", func() bool { return acked.Load() == want })
	}
	if n := requests.Load(); n != 50 {
		t.Errorf("%d requests for 50 records that came one by one", n)
	}
	requests.Store(0)
	const n = 50_000
	for i := range n {
		o.load(1)
		if i%10 == 9 {
			o.p.Dispatch() // a reader whose buffer runs dry all the time
		}
	}
	o.flush()
	o.settled()
	if per := float64(n) / float64(requests.Load()); per < 100 {
		t.Errorf("%.0f records a request under a backlog", per)
	}
}

// The hooks count every record once.
func TestHooks_count(t *testing.T) {
	c := fake(t)
	var records, commits, types atomic.Int64
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Acked: func(a sink.Acked) {
		records.Add(int64(a.Records))
		a.Commit(func(_ int64, n int) { commits.Add(int64(n)) })
		a.Type(func(_ int32, n int) { types.Add(int64(n)) })
		if a.Topic != "orders" || a.Bytes <= 0 || a.Took <= 0 {
			t.Errorf("%+v", a)
		}
	}}})
	o.load(1000)
	o.flush()
	if records.Load() != 1000 || commits.Load() != 1000 || types.Load() != 1000 {
		t.Errorf("%d records, %d commits, %d types", records.Load(), commits.Load(), types.Load())
	}
}

// A record that joins an open batch costs no allocation.
func TestProduce_allocates(t *testing.T) {
	c := fake(t)
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(1)
	o.flush()
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) { c.KeepControl(); return nil, nil, false })
	rec := numbered("orders", 1, 1)
	rec.Headers = []routing.Header{{Key: "id", Value: []byte("0123456789abcdef")}}
	m := sink.Meta{Number: o.number, Committed: 1}
	if err := o.p.Produce(rec, m); err != nil { // opens the batch
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(50, func() {
		m.Number++
		if err := o.p.Produce(rec, m); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
	o.flush()
}

// BenchmarkProduce is the way of a record from Produce to its acknowledgement by
// an in-process broker that keeps nothing.
func BenchmarkProduce(b *testing.B) {
	for _, compression := range []string{"none", "snappy", "lz4", "zstd"} {
		for _, size := range []int{100, 1000} {
			b.Run(fmt.Sprintf("%s/%d", compression, size), func(b *testing.B) {
				c := fake(b, kfake.BlackholeProduce())
				o := start(b, sink.Config{Brokers: c.ListenAddrs(), Compression: compression})
				keys := make([][]byte, 64)
				for i := range keys {
					keys[i] = fmt.Appendf(nil, "key-%d", i)
				}
				rec := &routing.Record{Topic: "orders", Partition: -1, Value: make([]byte, size), Timestamp: 1, Headers: []routing.Header{{Key: "id", Value: []byte("0f8fad5b-d9cb-469f-a165-70867728950e")}}}
				for i := range rec.Value {
					rec.Value[i] = byte(i * 7)
				}
				rec.Key = keys[0]
				if err := o.send(rec); err != nil {
					b.Fatal(err)
				}
				o.flush()
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for i := 0; b.Loop(); i++ {
					rec.Key = keys[i&63]
					for {
						err := o.p.Produce(rec, sink.Meta{Number: o.number, Committed: int64(i >> 7)})
						if err == nil {
							o.number++
							break
						}
						if !errors.Is(err, sink.ErrFull) {
							b.Fatal(err)
						}
						o.p.Dispatch()
						<-o.p.Changed()
					}
				}
				o.flush()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			})
		}
	}
}

// The producer may end at any moment, also without Kafka, and leaves nothing.
func TestRun_endsAtOnce(t *testing.T) {
	for range 20 {
		c := fake(t)
		o := start(t, sink.Config{Brokers: c.ListenAddrs()})
		o.load(int(time.Now().UnixNano() % 500))
		o.p.Dispatch()
	}
	start(t, sink.Config{Brokers: []string{freePort(t).addr()}})
}
