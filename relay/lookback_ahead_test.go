package relay

import (
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// The first event of a topic has all its partitions read, and each partition's
// events are found as if it had been read by itself.
func TestLookback_readsAhead(t *testing.T) {
	const partitions = 6
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "many"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	of := func(n int) (*routing.Record, time.Time) {
		rec, at := event("many", n)
		rec.Partition = int32(n % partitions)
		return rec, at
	}
	f := &lookFixture{t: t, cluster: c}
	f.restart()
	for n := range 60 {
		rec, at := of(n)
		for f.producer.Produce(rec, sink.Meta{Number: f.number, Committed: at.UnixMicro()}) != nil {
			<-f.producer.Changed()
		}
		f.number++
	}
	f.producer.Dispatch()
	if err := f.producer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	asked := map[int32]int{}
	all := make(chan struct{})
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		for _, topic := range r.(*kmsg.FetchRequest).Topics {
			for _, p := range topic.Partitions {
				if asked[p.Partition]++; len(asked) == partitions && asked[p.Partition] == 1 {
					close(all)
				}
			}
		}
		return nil, nil, false
	})
	f.restart()
	if v := f.judge(of(20)); v != lookDelivered {
		t.Errorf("the first event: %d", v)
	}
	select {
	case <-all:
	case <-time.After(20 * time.Second):
		t.Fatalf("only partitions %v were read", asked)
	}
	for n := 21; n < 90; n++ {
		if v := f.judge(of(n)); (v == lookDelivered) != (n < 60) {
			t.Errorf("event %d: %d", n, v)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for p, n := range asked {
		if n != 1 {
			t.Errorf("partition %d was read %d times", p, n)
		}
	}
}
