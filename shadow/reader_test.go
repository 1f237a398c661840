package shadow

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/sink"
)

// gathered is what a reader has read.
type gathered struct {
	mu      sync.Mutex
	values  map[string]int // how often
	before  int            // records of before the start
	nothing []string       // null or empty, as it came
}

func (g *gathered) take(p *partition, rec *kafka.Record) {
	key, _ := readAll(rec.Key) // of memory
	value, _ := readAll(rec.Value)
	g.mu.Lock()
	defer g.mu.Unlock()
	if rec.Offset < p.start {
		g.before++
		return
	}
	g.values[string(value)]++
	if len(value) == 0 && len(rec.Headers) == 2 {
		g.nothing = append(g.nothing, fmt.Sprint(key == nil, value == nil, rec.Headers[0].Value == nil, rec.Headers[1].Value == nil))
	}
}

func (g *gathered) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.values)
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func fakeCluster(t *testing.T, brokers int) (*kfake.Cluster, *kgo.Client) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(brokers), kfake.SeedTopics(6, "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.MetadataMinAge(10*time.Millisecond), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return fake, client
}

func produce(t *testing.T, client *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// startReader reads what is written from now on.
func startReader(t *testing.T, fake *kfake.Cluster) (*reader, *gathered) {
	t.Helper()
	c := newCluster(sink.Config{Brokers: fake.ListenAddrs()})
	t.Cleanup(c.close)
	ends, err := c.ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g := &gathered{values: make(map[string]int)}
	r := newReader(c, ends, g.take)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return r, g
}

// TestReads: everything that is written after the ends were noted is read once, also
// what was written before the topic was named, while leaders move, and of topics that
// are made meanwhile; and no request is one that writes.
func TestReads(t *testing.T) {
	fake, client := fakeCluster(t, 3)
	var mu sync.Mutex
	asked := make(map[kmsg.Key]int)
	for i := range 50 {
		produce(t, client, &kgo.Record{Topic: "a", Value: fmt.Append(nil, "old", i)})
	}
	r, g := startReader(t, fake)
	total := 0
	load := func(topic string, n int) {
		t.Helper()
		for range n {
			total++
			produce(t, client, &kgo.Record{Topic: topic, Value: fmt.Append(nil, total)})
		}
	}
	load("a", 100) // before the topic is named
	client.Close() // what is asked from here on, is asked by the reader
	fake.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		asked[kmsg.Key(req.Key())]++
		return nil, nil, false
	})
	r.subscribe("a")
	await(t, "what was there is read", func() bool { return g.count() == total })
	mu.Lock()
	for key := range asked {
		switch key {
		case kmsg.ApiVersions, kmsg.Metadata, kmsg.ListOffsets, kmsg.Fetch:
		default:
			t.Errorf("the reader sends %s", key.Name())
		}
	}
	mu.Unlock()
	if g.before != 50 {
		t.Errorf("%d records of before the start were looked at instead of 50", g.before)
	}

	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.MetadataMinAge(10*time.Millisecond), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r.subscribe("b")
	r.subscribe("younger")
	for range 30 {
		_ = fake.MoveTopicPartition("a", rand.Int32N(6), rand.Int32N(3))
		load("a", 5)
		load("b", 5)
	}
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 2, 1, nil, "younger"); err != nil {
		t.Fatal(err)
	}
	load("younger", 10)
	await(t, "everything is read", func() bool { return g.count() == total })
	for value, n := range g.values {
		if n != 1 {
			t.Errorf("%s was read %d times", value, n)
		}
	}
	await(t, "all is well", func() bool { _, err := r.unreadable(); return err == nil })
	if found, missing := r.names(); len(found) != 3 || len(missing) != 0 {
		t.Errorf("%q, %q", found, missing)
	}
}

// TestNullAndEmpty stay apart in keys, values and headers.
func TestNullAndEmpty(t *testing.T) {
	fake, client := fakeCluster(t, 1)
	r, g := startReader(t, fake)
	r.subscribe("a")
	produce(t, client, &kgo.Record{Topic: "a", Key: nil, Value: []byte{}, Headers: []kgo.RecordHeader{{Key: "x", Value: nil}, {Key: "y", Value: []byte{}}}})
	await(t, "it is read", func() bool { return g.count() == 1 })
	if got := g.nothing[0]; got != "true false true false" {
		t.Error(got)
	}
}

// TestMarkers: records of transactions are read, their markers are not.
func TestMarkers(t *testing.T) {
	fake, plain := fakeCluster(t, 1)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.TransactionalID("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r, g := startReader(t, fake)
	r.subscribe("a")
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for j := range 6 {
			produce(t, client, &kgo.Record{Topic: "a", Value: fmt.Append(nil, i, j)})
		}
		if err := client.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	produce(t, plain, &kgo.Record{Topic: "a", Value: []byte("last")})
	await(t, "all is read", func() bool { return g.count() == 13 })
}

// TestUnreadable: a Kafka that is away is trouble from its first failure on, and a
// missing right is fatal.
func TestUnreadable(t *testing.T) {
	fake, client := fakeCluster(t, 1)
	r, g := startReader(t, fake)
	r.subscribe("a")
	produce(t, client, &kgo.Record{Topic: "a", Value: []byte("1")})
	await(t, "it is read", func() bool { return g.count() == 1 })
	fake.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("cut"), true
	})
	await(t, "it is noticed", func() bool { _, err := r.unreadable(); return err != nil })
	await(t, "it is over", func() bool { _, err := r.unreadable(); return err == nil })
	fake.Close()
	await(t, "it is noticed", func() bool { _, err := r.unreadable(); return err != nil })
	first, _ := r.unreadable()
	time.Sleep(2 * lookEvery)
	if since, err := r.unreadable(); err == nil || since.Sub(first) > lookEvery {
		t.Errorf("since %s, at first since %s: %v", since, first, err)
	}
}
