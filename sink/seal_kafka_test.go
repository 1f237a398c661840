package sink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
	"github.com/walrelay/walrelay/test/harness"
)

// TestSeal_kafka is what only a real broker tells of seals. All share one.
func TestSeal_kafka(t *testing.T) {
	t.Parallel()
	b := &bench{Broker: harness.PrivateKafka(t, harness.KafkaOptions{})}
	b.admin = kadm.NewClient(b.Client(t))
	t.Run("shared", func(t *testing.T) {
		t.Run("shuts out the older", func(t *testing.T) { t.Parallel(); b.sealShutsOut(t) })
		t.Run("between batches", func(t *testing.T) { t.Parallel(); b.sealBetween(t) })
		t.Run("many at once", func(t *testing.T) { t.Parallel(); b.sealTopics(t) })
		for name, key := range map[string]kmsg.Key{"opening": kmsg.AddPartitionsToTxn, "ending": kmsg.EndTxn} {
			t.Run("answer to the "+name+" lost", func(t *testing.T) { t.Parallel(); b.sealUnanswered(t, key, false) })
			t.Run("request for the "+name+" lost", func(t *testing.T) { t.Parallel(); b.sealUnanswered(t, key, true) })
		}
	})
	t.Run("time", b.sealTime)
}

// seal is what Seal has to do without an error.
func (o *owner) seal(topic string) {
	o.t.Helper()
	if err := o.p.Seal(o.t.Context(), topic); err != nil {
		o.t.Error(err)
	}
}

// sealShutsOut: an older instance's batch is taken in a partition where the newer one
// has written nothing, until that has sealed the topic. What is there then is the end:
// a tail reads over the markers, and the newer one's sequences begin with 0.
func (b *bench) sealShutsOut(t *testing.T) {
	topic := b.Topic(t, 3)
	older := b.start(t, sink.Config{Brokers: b.Brokers()})
	ready(older, topic)
	fill(older, topic, 0, 10)
	older.flush()
	newer := b.start(t, sink.Config{Brokers: b.Brokers()})
	ready(newer, topic)
	fill(older, topic, 0, 5)
	fill(older, topic, 1, 5)
	older.flush() // late, and taken
	newer.seal(topic)
	for part, want := range map[int32]int{0: 15, 1: 5, 2: 0} {
		tail, err := newer.p.OpenTail(t.Context(), topic, part, time.Now().Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		defer tail.Close()
		if records := read(t, tail, tail.Start, tail.End); len(records) != want || tail.End != int64(want)+1 {
			t.Errorf("partition %d ends at %d with %d records, there are %d and a marker", part, tail.End, len(records), want)
		}
	}
	newer.number = older.number
	fill(older, topic, 1, 1)
	older.p.Dispatch()
	waitFor(t, "the older instance is shut out", func() bool { return older.p.Err() != nil })
	if err := older.p.Err(); !errors.Is(err, sink.ErrFenced) {
		t.Errorf("the older instance ended with %v", err)
	}
	for part := range int32(3) {
		fill(newer, topic, part, 5)
	}
	newer.flush()
	exact(t, b.ReadAll(t, topic), newer.number)
	epoch := newer.p.Stats().Epoch
	for part := range int32(3) {
		batches := b.batches(t, topic, part)
		last := batches[len(batches)-1]
		if last.ProducerEpoch != epoch || last.FirstSequence != 0 {
			t.Errorf("partition %d: after the seal comes sequence %d of epoch %d", part, last.FirstSequence, last.ProducerEpoch)
		}
		if marker := batches[len(batches)-2]; marker.Attributes&0x20 == 0 || marker.ProducerEpoch != epoch {
			t.Errorf("partition %d: no marker before it", part)
		}
	}
	if got := newer.p.Stats().Epoch; got != epoch {
		t.Errorf("the epoch was raised to %d", got)
	}
}

// sealBetween: markers among a producer's own batches do not disturb their sequences.
func (b *bench) sealBetween(t *testing.T) {
	topic := b.Topic(t, 2)
	var told fences
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Hooks: sink.Hooks{Fence: told.hook}})
	ready(o, topic)
	done := make(chan struct{})
	go func() { defer close(done); o.seal(topic) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		fill(o, topic, int32(o.number%2), 3)
		o.p.Dispatch()
	}
	fill(o, topic, 0, 10)
	fill(o, topic, 1, 10)
	o.flush()
	exact(t, b.ReadAll(t, topic), o.number)
	if all := told.all(); len(all) != 1 {
		t.Errorf("told %+v", all)
	}
}

// sealTopics: topics are sealed one after the other, each once, however many ask.
func (b *bench) sealTopics(t *testing.T) {
	topics := []string{b.Topic(t, 2), b.Topic(t, 6), b.Topic(t, 1)}
	o := b.start(t, sink.Config{Brokers: b.Brokers()})
	var wg sync.WaitGroup
	for _, topic := range topics {
		ready(o, topic)
		for range 10 {
			wg.Go(func() { o.seal(topic) })
		}
	}
	wg.Wait()
	for _, topic := range topics {
		if batches := b.batches(t, topic, 0); len(batches) != 1 {
			t.Errorf("%d markers", len(batches))
		}
	}
	o.p.Fence("walrelay-test-" + t.Name()) // the next session
	o.place(&routing.Record{Topic: topics[0], Partition: 0})
	o.seal(topics[0])
	if batches := b.batches(t, topics[0], 0); len(batches) != 2 {
		t.Errorf("%d markers after another Fence", len(batches))
	}
}

// sealUnanswered: the request to the coordinator, or its answer, is lost again and
// again. Nothing stays open that it would abort later, shutting out whom it belongs
// to; and what is late cannot open anything. Events go on meanwhile, also into
// partitions of a transaction that is open.
func (b *bench) sealUnanswered(t *testing.T, key kmsg.Key, request bool) {
	topic := b.Topic(t, 2)
	m := muted{key: key, request: request}
	var told fences
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Dial: m.dial, Hooks: sink.Hooks{Fence: told.hook}})
	ready(o, topic)
	m.armed.Store(1 << 20)
	if err := o.p.Seal(t.Context(), topic); err == nil {
		t.Error("the test is wrong: sealed")
	}
	fill(o, topic, 0, 10)
	o.flush()
	if state := b.state(t); request && key == kmsg.EndTxn && state != "Ongoing" {
		t.Errorf("the test is wrong: the transaction is %s", state)
	}
	m.armed.Store(0)
	waitFor(t, "another epoch", func() bool { return len(told.all()) > 1 })
	o.place(&routing.Record{Topic: topic, Partition: 0})
	fill(o, topic, 0, 10)
	fill(o, topic, 1, 10)
	o.flush()
	exact(t, b.ReadAll(t, topic), o.number)
	if all := told.all(); len(all) != 2 || all[1].id != all[0].id || all[1].epoch != all[0].epoch+1 || !all[1].fenced {
		t.Errorf("told %+v", all)
	}
	if state := b.state(t); state == "Ongoing" {
		t.Error("the transaction is open")
	}
	other := b.Topic(t, 1) // and the next is sealed as ever
	ready(o, other)
	o.seal(other)
}

// state is the transaction's at the coordinator.
func (b *bench) state(t *testing.T) string {
	t.Helper()
	described, err := b.admin.DescribeTransactions(t.Context(), "walrelay-test-"+t.Name())
	if err != nil {
		t.Fatal(err)
	}
	one, err := described.On("walrelay-test-"+t.Name(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return one.State
}

// sealTime says what a seal costs.
func (b *bench) sealTime(t *testing.T) {
	for _, partitions := range []int{6, 50} {
		var all []time.Duration
		topic := b.Topic(t, partitions)
		o := b.start(t, sink.Config{Brokers: b.Brokers()})
		ready(o, topic)
		for part := range int32(partitions) { // a new topic's leaders take a while to begin
			fill(o, topic, part, 1)
		}
		o.flush()
		for range 20 {
			o.p.Fence("walrelay-test-" + t.Name())
			ready(o, topic)
			began := time.Now()
			o.seal(topic)
			all = append(all, time.Since(began))
		}
		slices.Sort(all)
		t.Logf("%d partitions: p50 %s, max %s", partitions, all[len(all)/2].Round(100*time.Microsecond), all[len(all)-1].Round(100*time.Microsecond))
	}
}

// muted loses requests of one kind, or the answers to them.
type muted struct {
	key     kmsg.Key
	request bool
	armed   atomic.Int32 // to lose
}

func (m *muted) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("muted: %w", err)
	}
	return &mutedConn{Conn: c, m: m}, nil
}

type mutedConn struct {
	net.Conn
	m    *muted
	lose atomic.Bool
}

func (c *mutedConn) Write(b []byte) (int, error) {
	if len(b) >= 6 && binary.BigEndian.Uint16(b[4:]) == uint16(c.m.key) && c.m.armed.Add(-1) >= 0 {
		if c.m.request {
			_ = c.Close()
			return len(b), nil
		}
		c.lose.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *mutedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b) // so the broker has answered
	if c.lose.Load() {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
