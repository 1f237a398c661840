package sink_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// place asks until the producer knows.
func (o *owner) place(rec *routing.Record) int32 {
	o.t.Helper()
	for {
		partition, err := o.p.Place(rec)
		if err == nil {
			return partition
		}
		if !errors.Is(err, sink.ErrPending) {
			o.t.Fatal(err)
		}
		select {
		case <-o.p.Changed():
		case <-time.After(20 * time.Second):
			o.t.Fatal("no place for a record")
		}
	}
}

// read is what a tail holds between two offsets, copied.
func read(t *testing.T, tail *sink.Tail, from, to int64) (records []sink.TailRecord) {
	t.Helper()
	err := tail.Read(t.Context(), from, to, func(r *sink.TailRecord) {
		c := *r
		c.Key, c.Value = clone(r.Key), clone(r.Value)
		c.Headers = nil
		for _, h := range r.Headers {
			c.Headers = append(c.Headers, routing.Header{Key: h.Key, Value: clone(h.Value)})
		}
		records = append(records, c)
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

// Place is where Produce then brings the record.
func TestPlace(t *testing.T) {
	c := fake(t)
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	want := map[string]int32{}
	for n := range 100 {
		rec := numbered("orders", n, uint64(n))
		want[string(rec.Key)] = o.place(rec)
		if err := o.send(rec); err != nil {
			t.Fatal(err)
		}
	}
	o.flush()
	for _, r := range logOf(t, c, "orders") {
		if r.Partition != want[string(r.Key)] {
			t.Errorf("key %s is in partition %d, its place was %d", r.Key, r.Partition, want[string(r.Key)])
		}
	}
	if p := o.place(&routing.Record{Topic: "orders", Partition: -1}); p != -1 {
		t.Errorf("a record that may go anywhere goes to %d", p)
	}
	if p := o.place(&routing.Record{Topic: "orders", Partition: 4}); p != 4 {
		t.Errorf("a record for partition 4 goes to %d", p)
	}
	var poison *routing.Poison
	if _, err := o.p.Place(&routing.Record{Topic: "orders", Partition: 6}); !errors.As(err, &poison) {
		t.Errorf("a partition that is not there: %v", err)
	}
}

// The producer id comes first: until then there is no place.
func TestPlace_waitsForTheFence(t *testing.T) {
	c := fake(t)
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	rec := numbered("orders", 1, 1)
	o.place(rec)
	o.p.Fence("another")
	if _, err := o.p.Place(rec); !errors.Is(err, sink.ErrPending) {
		t.Errorf("right after Fence: %v", err)
	}
	o.place(rec)
}

// A tail gives the log as another client reads it, whatever part of it is asked for.
func TestTail_reads(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			c := fake(t, kfake.SeedTopics(1, "one"))
			o := start(t, sink.Config{Brokers: c.ListenAddrs(), Compression: compression})
			for n := range 3000 {
				rec := numbered("one", n, uint64(n))
				rec.Headers = []routing.Header{{Key: "id", Value: []byte(strconv.Itoa(n))}, {Key: "null"}, {Key: "empty", Value: []byte{}}}
				switch n % 7 {
				case 0:
					rec.Key, rec.Partition = nil, 0
				case 1:
					rec.Key = []byte{}
				case 2:
					rec.Value = nil
				case 3:
					rec.Value = []byte{}
				case 4:
					rec.Value = make([]byte, 2000)
				}
				if err := o.send(rec); err != nil {
					t.Fatal(err)
				}
				if n%500 == 0 {
					o.flush()
				}
			}
			o.flush()
			var want []sink.TailRecord
			for _, r := range logOf(t, c, "one") {
				w := sink.TailRecord{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
				for _, h := range r.Headers {
					w.Headers = append(w.Headers, routing.Header(h))
				}
				want = append(want, w)
			}
			tail, err := o.p.OpenTail(t.Context(), "one", 0, time.UnixMilli(1_700_000_000_000))
			if err != nil {
				t.Fatal(err)
			}
			defer tail.Close()
			if tail.Start != 0 || tail.End != 3000 {
				t.Fatalf("tail from %d to %d", tail.Start, tail.End)
			}
			for _, part := range [][2]int64{{0, 3000}, {1, 2}, {499, 1501}, {2999, 3000}, {7, 7}} {
				if diff := cmp.Diff(want[part[0]:part[1]], read(t, tail, part[0], part[1]), sink.WholeBytes); part[0] < part[1] && diff != "" {
					t.Errorf("offsets %d to %d: %s", part[0], part[1], diff)
				}
			}
		})
	}
}

// A tail begins with the first record of the time asked for, not before the log's
// start, and is empty where there is nothing that young.
func TestTail_bounds(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "one"))
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	bounds := func(from int64) [2]int64 {
		t.Helper()
		tail, err := o.p.OpenTail(t.Context(), "one", 0, time.UnixMilli(from))
		if err != nil {
			t.Fatal(err)
		}
		defer tail.Close()
		return [2]int64{tail.Start, tail.End}
	}
	const first = 1_700_000_000_000
	if got := bounds(first); got != [2]int64{0, 0} {
		t.Errorf("of an empty log: %v", got)
	}
	for n := range 100 {
		if err := o.send(numbered("one", n, uint64(n))); err != nil {
			t.Fatal(err)
		}
		o.flush() // kfake finds batches by their time, not records
	}
	for from, want := range map[int64][2]int64{0: {0, 100}, first: {0, 100}, first + 50: {50, 100}, first + 99: {99, 100}, first + 100: {100, 100}} {
		if got := bounds(from); got != want {
			t.Errorf("from %d: %v, want %v", from-first, got, want)
		}
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: "one", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: 0, Offset: 70}}}}
	if _, err := req.RequestWith(t.Context(), cl); err != nil {
		t.Fatal(err)
	}
	if got := bounds(first + 50); got != [2]int64{70, 100} {
		t.Errorf("behind the log's start: %v", got)
	}
}

// What a transaction wrote that was aborted is not there; what was committed is.
func TestTail_aborted(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "one"))
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.TransactionalID("another"), kgo.DefaultProduceTopic("one"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for _, tx := range []struct {
		text string
		end  kgo.TransactionEndTry
	}{{"aborted", kgo.TryAbort}, {"committed", kgo.TryCommit}} {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := cl.ProduceSync(t.Context(), kgo.StringRecord(tx.text), kgo.StringRecord(tx.text)).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := cl.EndTransaction(t.Context(), tx.end); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.send(numbered("one", 1, 7)); err != nil {
		t.Fatal(err)
	}
	o.flush()
	tail, err := o.p.OpenTail(t.Context(), "one", 0, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	var texts []string
	for _, r := range read(t, tail, tail.Start, tail.End) {
		texts = append(texts, string(r.Value))
	}
	// One that aborted something in the same answer is not trusted for anything.
	for _, text := range texts {
		if text == "aborted" {
			t.Errorf("an aborted record is there: %q", texts)
		}
	}
	if len(texts) == 0 || texts[len(texts)-1] != "7" {
		t.Errorf("the record behind is not there: %q", texts)
	}
}

// Missing rights are told from what passes.
func TestTail_hopeless(t *testing.T) {
	for code, hopeless := range map[int16]bool{29: true, 6: false} {
		c := fake(t)
		o := start(t, sink.Config{Brokers: c.ListenAddrs()})
		o.load(100)
		o.flush()
		c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			asked := r.(*kmsg.FetchRequest)
			res := r.ResponseKind().(*kmsg.FetchResponse)
			part := kmsg.NewFetchResponseTopicPartition()
			part.Partition, part.ErrorCode = asked.Topics[0].Partitions[0].Partition, code
			res.Topics = []kmsg.FetchResponseTopic{{Topic: asked.Topics[0].Topic, TopicID: asked.Topics[0].TopicID, Partitions: []kmsg.FetchResponseTopicPartition{part}}}
			return res, nil, true
		})
		partition := o.place(numbered("orders", 1, 1))
		tail, err := o.p.OpenTail(t.Context(), "orders", partition, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		err = tail.Read(t.Context(), tail.Start, tail.End, func(*sink.TailRecord) { t.Error("a record") })
		tail.Close()
		if !errors.Is(err, kafka.Error(code)) || sink.Hopeless(err) != hopeless {
			t.Errorf("code %d: %v, hopeless %v", code, err, sink.Hopeless(err))
		}
	}
}

// Positions of a topic that was not asked for, as a damaged byte of the answer makes it,
// are an error that passes, not the end of the process.
func TestTail_anotherTopic(t *testing.T) {
	c := fake(t)
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(100)
	o.flush()
	tail, err := o.p.OpenTail(t.Context(), "orders", o.place(numbered("orders", 1, 1)), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := r.ResponseKind().(*kmsg.FetchResponse)
		res.Topics = []kmsg.FetchResponseTopic{{Topic: "orderz", Partitions: []kmsg.FetchResponseTopicPartition{kmsg.NewFetchResponseTopicPartition()}}}
		return res, nil, true
	})
	if err := tail.Read(t.Context(), tail.Start, tail.End, func(*sink.TailRecord) {}); !errors.Is(err, protocol.ErrNoPartition) {
		t.Errorf("reading gave %v", err)
	}
	c.ControlKey(int16(kmsg.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := r.ResponseKind().(*kmsg.ListOffsetsResponse)
		part := kmsg.NewListOffsetsResponseTopicPartition()
		res.Topics = []kmsg.ListOffsetsResponseTopic{{Topic: "orderz", Partitions: []kmsg.ListOffsetsResponseTopicPartition{part}}}
		return res, nil, true
	})
	if tail, err := o.p.OpenTail(t.Context(), "orders", o.place(numbered("orders", 1, 1)), time.Time{}); err == nil || sink.Hopeless(err) {
		t.Errorf("got %v, %v", tail, err)
	}
}

// A broker that does not answer ends reading with its context.
func TestTail_unanswered(t *testing.T) {
	c := fake(t)
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(100)
	o.flush()
	c.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return nil, errors.New("no answer"), true // kfake closes the connection
	})
	partition := o.place(numbered("orders", 1, 1))
	tail, err := o.p.OpenTail(t.Context(), "orders", partition, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := tail.Read(ctx, tail.Start, tail.End, func(*sink.TailRecord) {}); err == nil || sink.Hopeless(err) {
		t.Errorf("got %v", err)
	}
	if _, err := o.p.OpenTail(ctx, "unknown", 0, time.Time{}); err == nil {
		t.Error("a topic that is not there has a tail")
	}
}
