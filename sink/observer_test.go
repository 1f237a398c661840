package sink_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/sink"
)

// observer checks all the time that the log holds every record below the oldest
// that counts as unacknowledged.
type observer struct {
	t      testing.TB
	c      *kfake.Cluster
	p      *sink.Producer
	topics []string

	mu      sync.Mutex
	read    map[place]int64 // offset to read next
	seen    map[uint64]bool // in the log, or left out on purpose
	checked uint64
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

func observe(o *owner, c *kfake.Cluster, topics ...string) *observer {
	ctx, cancel := context.WithCancel(context.Background())
	v := &observer{t: o.t, c: c, p: o.p, topics: topics, seen: map[uint64]bool{}, read: map[place]int64{}, cancel: cancel}
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(10*time.Millisecond), kgo.MetadataMinAge(20*time.Millisecond))
	if err != nil {
		o.t.Fatal(err)
	}
	v.done.Go(func() {
		defer cl.Close()
		for ctx.Err() == nil {
			fs := cl.PollFetches(ctx)
			v.mu.Lock()
			fs.EachRecord(func(r *kgo.Record) {
				n, _ := strconv.ParseUint(string(r.Value), 10, 64)
				v.seen[n] = true
				at := place{r.Topic, r.Partition}
				v.read[at] = max(v.read[at], r.Offset+1)
			})
			v.mu.Unlock()
		}
	})
	v.done.Go(func() {
		for ctx.Err() == nil {
			v.look(ctx)
		}
	})
	o.t.Cleanup(v.stop)
	return v
}

// leftOut says that n is not to be in the log.
func (v *observer) leftOut(n uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen[n] = true
}

func (v *observer) look(ctx context.Context) {
	oldest, _, ok := v.p.Oldest()
	for _, topic := range v.topics {
		for _, p := range v.c.PartitionInfos(topic) {
			v.readTo(ctx, place{topic, p.Partition}, p.HighWatermark)
		}
	}
	if !ok || ctx.Err() != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for n := v.checked; n < oldest; n++ {
		if !v.seen[n] {
			v.t.Errorf("the oldest unacknowledged is said to be %d, but %d is not in the log", oldest, n)
			v.cancel()
			return
		}
	}
	v.checked = max(v.checked, oldest)
}

func (v *observer) readTo(ctx context.Context, at place, end int64) {
	for ctx.Err() == nil {
		v.mu.Lock()
		there := v.read[at] >= end
		v.mu.Unlock()
		if there {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (v *observer) stop() {
	v.cancel()
	v.done.Wait()
}
