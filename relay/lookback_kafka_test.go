package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// lookFixture is a look back at a fake broker, and the producer it looks through.
type lookFixture struct {
	t        *testing.T
	cluster  *kfake.Cluster
	producer *sink.Producer
	look     *lookback
	log      bytes.Buffer
	number   uint64
}

// commitTime is the first event's.
var commitTime = time.UnixMilli(1_800_000_000_000)

func newLookFixture(t *testing.T) *lookFixture {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "one"), kfake.SeedTopics(1, "two"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	f := &lookFixture{t: t, cluster: c}
	f.restart()
	return f
}

// restart is the next instance, which begins to look back.
func (f *lookFixture) restart() {
	f.t.Helper()
	p, err := sink.New(sink.Config{Brokers: f.cluster.ListenAddrs()})
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	f.t.Cleanup(func() { cancel(); <-ended })
	p.Fence("walrelay-test")
	r := &Relay{cfg: Config{Tables: []Table{{}}}, log: zerolog.New(&f.log), meter: newMeter(nil)}
	f.producer, f.look = p, newLookback(ctx, r, p, 1, false)
}

// event is the record of event n, and when it was committed.
func event(topic string, n int) (*routing.Record, time.Time) {
	at := commitTime.Add(time.Duration(n) * time.Millisecond)
	return &routing.Record{
		Topic: topic, Partition: -1, Key: []byte("k"), Value: fmt.Append(nil, n), Timestamp: at.UnixMilli(),
		Headers: []routing.Header{{Key: "id", Value: fmt.Append(nil, n)}},
	}, at
}

// deliver sends events from up to, without, to.
func (f *lookFixture) deliver(topic string, from, to int) {
	f.t.Helper()
	for n := from; n < to; n++ {
		rec, at := event(topic, n)
		for {
			err := f.producer.Produce(rec, sink.Meta{Number: f.number, Committed: at.UnixMicro()})
			if err == nil {
				break
			}
			if !errors.Is(err, sink.ErrPending) && !errors.Is(err, sink.ErrFull) {
				f.t.Fatal(err)
			}
			<-f.producer.Changed()
		}
		f.number++
	}
	f.producer.Dispatch()
	if err := f.producer.Flush(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// judge waits for the verdict.
func (f *lookFixture) judge(rec *routing.Record, at time.Time) verdict {
	f.t.Helper()
	for {
		if v := f.look.judge(rec, "id", at); v != lookWait {
			return v
		}
		select {
		case <-f.producer.Changed():
		case <-time.After(20 * time.Second):
			f.t.Fatal("no verdict")
		}
	}
}

// skips is how many of the events the look back leaves out, which have to be the first.
func (f *lookFixture) skips(topic string, from, to int) (n int) {
	f.t.Helper()
	for i := from; i < to; i++ {
		rec, at := event(topic, i)
		if f.judge(rec, at) == lookDelivered {
			if n < i-from {
				f.t.Errorf("event %d is left out behind one that is sent", i)
			}
			n++
		}
	}
	return n
}

func TestLookback_restart(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 100)
	f.restart()
	if n := f.skips("one", 40, 150); n != 60 {
		t.Errorf("%d left out instead of 60", n)
	}
	if n := f.skips("two", 0, 10); n != 0 {
		t.Errorf("%d left out in a topic without records", n)
	}
	if f.log.Len() != 0 {
		t.Errorf("a doubt where there is none: %s", &f.log)
	}
}

// A start that looked at nothing repeats; the next one takes the log as it ends.
func TestLookback_afterRepeats(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 100)
	f.restart()
	f.deliver("one", 50, 70)
	f.restart()
	if n := f.skips("one", 50, 100); n != 20 {
		t.Errorf("%d left out, the log ends with event 69 of 50 to 99", n)
	}
	f.restart()
	if n := f.skips("one", 70, 100); n != 0 {
		t.Errorf("%d left out although the log ends before them", n)
	}
	if !strings.Contains(f.log.String(), "repeated") {
		t.Errorf("it says not why: %s", &f.log)
	}
}

// Events that can't be known again end the look back for their partition, because
// what follows them must follow again.
func TestLookback_unknownAmong(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 10)
	f.restart()
	if n := f.skips("one", 0, 5); n != 5 {
		t.Fatalf("%d left out instead of 5", n)
	}
	rec, at := event("one", 5)
	rec.Headers = nil
	if f.judge(rec, at) != lookSend {
		t.Error("an event without id is left out")
	}
	if n := f.skips("one", 6, 10); n != 0 {
		t.Errorf("%d left out behind it", n)
	}
	for range 10 {
		free := &routing.Record{Topic: "two", Partition: -1, Headers: []routing.Header{{Key: "id", Value: []byte("1")}}}
		if f.judge(free, at) != lookSend {
			t.Error("an event without key is left out")
		}
	}
	if lines := strings.Count(f.log.String(), "\n"); lines != 2 {
		t.Errorf("two doubts are said in %d lines: %s", lines, &f.log)
	}
}

// Without the right to read, all is sent, and that is said once.
func TestLookback_mayNotRead(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 100)
	f.restart()
	var asked atomic.Int32
	f.cluster.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		asked.Add(1)
		want, res := r.(*kmsg.FetchRequest), r.ResponseKind().(*kmsg.FetchResponse)
		part := kmsg.NewFetchResponseTopicPartition()
		part.ErrorCode = 29
		res.Topics = []kmsg.FetchResponseTopic{{Topic: want.Topics[0].Topic, Partitions: []kmsg.FetchResponseTopicPartition{part}}}
		return res, nil, true
	})
	if n := f.skips("one", 0, 100); n != 0 {
		t.Errorf("%d left out", n)
	}
	if lines := strings.Count(f.log.String(), "\n"); lines != 1 || asked.Load() != 1 {
		t.Errorf("asked %d times, said in %d lines: %s", asked.Load(), lines, &f.log)
	}
}

// A broker that answers nothing is waited for, during which judge comes back at once;
// when there is no time left, all is sent.
func TestLookback_noAnswer(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 100)
	f.restart()
	f.cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		return nil, errors.New("no answer"), true
	})
	rec, at := event("one", 0)
	f.look.left = 2 * time.Second
	for f.look.judge(rec, "id", at) == lookWait && len(f.look.tails) == 0 {
		<-f.producer.Changed()
	}
	began := time.Now()
	for range 100 {
		if v := f.look.judge(rec, "id", at); v != lookWait {
			t.Fatalf("verdict %d while nothing is known", v)
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("100 questions took %s", took)
	}
	if n := f.skips("one", 0, 100); n != 0 {
		t.Errorf("%d left out", n)
	}
	if lines := strings.Count(f.log.String(), "\n"); lines != 1 {
		t.Errorf("said in %d lines: %s", lines, &f.log)
	}
}

// late writes events as a request of a dead instance that the broker takes only now.
// kfake, unlike Kafka, fences before the new instance's first record, so another
// client writes.
func (f *lookFixture) late(topic string, from, to int) {
	f.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(f.cluster.ListenAddrs()...))
	if err != nil {
		f.t.Fatal(err)
	}
	defer client.Close()
	for n := from; n < to; n++ {
		rec, at := event(topic, n)
		r := &kgo.Record{Topic: topic, Key: rec.Key, Value: rec.Value, Timestamp: at, Headers: []kgo.RecordHeader{{Key: "id", Value: rec.Headers[0].Value}}}
		if err := client.ProduceSync(f.t.Context(), r).FirstErr(); err != nil {
			f.t.Fatal(err)
		}
	}
}

// What a dead instance had under way lands after its partition was read, for want of a
// fence: it is repeated, once, and the log goes on behind it.
func TestLookback_lateRequest(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 60)
	f.restart()
	if n := f.skips("one", 0, 20); n != 20 {
		t.Fatalf("%d left out instead of 20", n)
	}
	f.late("one", 60, 70)
	if n := f.skips("one", 20, 80); n != 40 {
		t.Errorf("%d left out instead of 40", n)
	}
	f.deliver("one", 60, 80)
	f.restart()
	if n := f.skips("one", 0, 90); n != 80 {
		t.Errorf("%d left out instead of 80: the log does not end in order", n)
	}
	if end := f.cluster.PartitionInfo("one", 0).HighWatermark; end != 92 {
		t.Errorf("%d records, want 80, 10 repeats and the markers of two seals", end)
	}
}
