package sink_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake starts an in-process broker with the topic of these tests.
func fake(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(6, "orders")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// owner drives a producer as the relay does.
type owner struct {
	t      testing.TB
	p      *sink.Producer
	number uint64
	ended  chan error
}

func start(t testing.TB, cfg sink.Config, settings ...func(*sink.Producer)) *owner {
	t.Helper()
	p, err := sink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range settings {
		set(p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	o := &owner{t: t, p: p, ended: make(chan error, 1)}
	go func() { o.ended <- p.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-o.ended })
	p.Fence("walrelay-test-" + t.Name())
	return o
}

// send hands over one record and waits for room where it has to.
func (o *owner) send(rec *routing.Record) error {
	for {
		err := o.p.Produce(rec, sink.Meta{Number: o.number, Committed: time.Now().UnixMicro()})
		if err == nil {
			o.number++
			return nil
		}
		if !errors.Is(err, sink.ErrFull) && !errors.Is(err, sink.ErrPending) {
			return err
		}
		o.p.Dispatch()
		select {
		case <-o.p.Changed():
		case <-time.After(30 * time.Second):
			o.t.Fatalf("nothing changed for 30 s: %v", o.p.Stats().Waits)
		}
	}
}

func (o *owner) flush() {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if err := o.p.Flush(ctx); err != nil {
		o.t.Fatal(err)
	}
}

func record(key string, n int) *routing.Record {
	return &routing.Record{Topic: "orders", Partition: -1, Key: []byte(key), Value: fmt.Appendf(nil, "%s/%d", key, n), Timestamp: time.Now().UnixMilli(), Headers: []routing.Header{{Key: "id", Value: fmt.Appendf(nil, "%d", n)}}}
}

// check: every key's values in order, each once.
func check(t *testing.T, records []*kgo.Record, keys, each int) {
	t.Helper()
	next := map[string]int{}
	where := map[string]int32{}
	for _, r := range records {
		k := string(r.Key)
		if want := fmt.Sprintf("%s/%d", k, next[k]); string(r.Value) != want {
			t.Fatalf("partition %d offset %d: %q, want %q", r.Partition, r.Offset, r.Value, want)
		}
		if p, ok := where[k]; ok && p != r.Partition {
			t.Fatalf("key %q in partitions %d and %d", k, p, r.Partition)
		}
		where[k] = r.Partition
		next[k]++
	}
	for i := range keys {
		if k := fmt.Sprint("key-", i); next[k] != each {
			t.Errorf("%s: %d of %d records", k, next[k], each)
		}
	}
}

func TestProducer_inOrderOnce(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			c := fake(t)
			o := start(t, sink.Config{Brokers: c.ListenAddrs(), Compression: compression})
			const keys, each = 50, 400
			for n := range each {
				for k := range keys {
					if err := o.send(record(fmt.Sprint("key-", k), n)); err != nil {
						t.Fatal(err)
					}
				}
			}
			o.flush()
			if _, _, ok := o.p.Oldest(); ok {
				t.Error("flushed, and still something is not acknowledged")
			}
			check(t, logOf(t, c, "orders"), keys, each)
		})
	}
}

func TestProducer_tooLargeIsPoison(t *testing.T) {
	c := fake(t)
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	big := record("k", 0)
	big.Value = []byte(strings.Repeat("x", 2<<20))
	err := o.send(big)
	var p *routing.Poison
	if !errors.As(err, &p) || p.Reason != routing.ReasonTooLarge {
		t.Fatalf("got %v, want poison too_large", err)
	}
	if err := o.send(record("key-0", 0)); err != nil {
		t.Fatal(err)
	}
	o.flush()
	check(t, logOf(t, c, "orders"), 1, 1)
}
