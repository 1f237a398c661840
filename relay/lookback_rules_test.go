package relay

import (
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Commits are not in the order of their times, and clocks differ: partitions are read
// from a minute before the first event that comes again, and not from farther back.
func TestLookback_margin(t *testing.T) {
	const second = 1000 // an event a millisecond
	for _, c := range []struct {
		name  string
		older int // events before the first
		want  int
	}{{"half a minute", 30 * second, 10}, {"two minutes", 120 * second, 0}} {
		t.Run(c.name, func(t *testing.T) {
			f := newLookFixture(t)
			f.deliver("two", -c.older, 10-c.older)
			f.deliver("one", 0, 10)
			f.restart()
			if n := f.skips("one", 0, 10); n != 10 {
				t.Errorf("%d of the first partition left out instead of 10", n)
			}
			if n := f.skips("two", -c.older, 10-c.older); n != c.want {
				t.Errorf("%d of the second left out instead of %d", n, c.want)
			}
		})
	}
}

// What is remembered of all partitions is bounded: what does not fit is sent, which
// is said once. The room of a partition that is over is there for others.
func TestLookback_room(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 100)
	f.deliver("two", 0, 100)
	f.restart()
	f.look.entries = lookEntries - 99
	if n := f.skips("one", 0, 100); n != 0 {
		t.Errorf("%d left out, for which there is no room", n)
	}
	if lines := strings.Count(f.log.String(), "\n"); lines != 1 || !strings.Contains(f.log.String(), "remembered") {
		t.Errorf("said in %d lines: %s", lines, &f.log)
	}
	f.look.entries = lookEntries - 100
	if n := f.skips("two", 0, 101); n != 100 {
		t.Errorf("%d left out, for which there is just room", n)
	}
	if f.look.entries != lookEntries-100 {
		t.Errorf("%d entries are still counted", f.look.entries+100-lookEntries)
	}
}

// The end of the log is that of read_committed: what an open transaction holds is not
// delivered, nor is what stands behind its beginning.
func TestLookback_openTransaction(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 50)
	client, err := kgo.NewClient(kgo.SeedBrokers(f.cluster.ListenAddrs()...), kgo.TransactionalID("another"), kgo.DefaultProduceTopic("one"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	rec, at := event("one", 50)
	open := &kgo.Record{Key: rec.Key, Value: rec.Value, Timestamp: at, Headers: []kgo.RecordHeader{{Key: "id", Value: rec.Headers[0].Value}}}
	if err := client.ProduceSync(t.Context(), open).FirstErr(); err != nil {
		t.Fatal(err)
	}
	f.restart()
	if n := f.skips("one", 0, 60); n != 50 {
		t.Errorf("%d left out instead of 50", n)
	}
	if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
}

// Retention has deleted what comes again, or a part of it: what is gone can't be
// found, so it is sent, which is said once.
func TestLookback_logStart(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 100)
	client, err := kgo.NewClient(kgo.SeedBrokers(f.cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: "one", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: 0, Offset: 50}}}}
	if _, err := req.RequestWith(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	f.restart()
	if n := f.skips("one", 60, 110); n != 40 {
		t.Errorf("%d left out instead of 40, all of which are there", n)
	}
	if f.log.Len() != 0 {
		t.Errorf("a doubt where there is none: %s", &f.log)
	}
	f.restart()
	if n := f.skips("one", 40, 110); n != 0 {
		t.Errorf("%d left out behind what is gone", n)
	}
	if lines := strings.Count(f.log.String(), "\n"); lines != 1 || !strings.Contains(f.log.String(), "begins") {
		t.Errorf("said in %d lines: %s", lines, &f.log)
	}
}

// An id that repeats: a record stands for one event. What is left over is sent, which
// is said once.
func TestLookback_idsThatRepeat(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 3)
	f.restart()
	for i, want := range []verdict{lookDelivered, lookSend, lookSend, lookSend} {
		rec, at := event("one", []int{0, 0, 1, 2}[i]) // the first was inserted twice, and delivered once
		if got := f.judge(rec, at); got != want {
			t.Errorf("event %d: verdict %d, want %d", i, got, want)
		}
	}
	if lines := strings.Count(f.log.String(), "\n"); lines != 1 || !strings.Contains(f.log.String(), "repeat") {
		t.Errorf("said in %d lines: %s", lines, &f.log)
	}
}

// Nothing is read of a topic that none of the events that come again goes to, and a
// partition is read once, however many do.
func TestLookback_readsOnce(t *testing.T) {
	f := newLookFixture(t)
	f.deliver("one", 0, 200)
	f.deliver("two", 0, 200)
	f.restart()
	var mu sync.Mutex
	asked := make(map[string]int)
	f.cluster.ControlKey(int16(kmsg.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		for _, topic := range r.(*kmsg.ListOffsetsRequest).Topics {
			asked[topic.Topic]++
		}
		return nil, nil, false
	})
	if n := f.skips("one", 0, 200); n != 200 {
		t.Errorf("%d left out instead of 200", n)
	}
	mu.Lock()
	defer mu.Unlock()
	if asked["one"] == 0 || asked["one"] > 4 || asked["two"] != 0 {
		t.Errorf("asked for the ends of logs: %v", asked)
	}
}
