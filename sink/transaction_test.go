package sink_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// watermark is the record of a Cut.
func watermark(number uint64) *routing.Record {
	return &routing.Record{Topic: "marks", Partition: -1, Key: []byte("slot"), Value: strconv.AppendUint(nil, number, 10), Timestamp: time.Now().UnixMilli()}
}

// committedLog reads a topic as consumers with read_committed do.
func committedLog(t *testing.T, brokers []string, topic string, want int) []*kgo.Record {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var records []*kgo.Record
	for len(records) < want && ctx.Err() == nil {
		records = append(records, cl.PollFetches(ctx).Records()...)
	}
	return records
}

// TestTransactions: what was cut is committed with its watermark, in order, and
// counts only then.
func TestTransactions(t *testing.T) {
	c := fake(t, kfake.SeedTopics(6, "orders"), kfake.SeedTopics(1, "marks"))
	var acked atomic.Int64
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Transactions: true, Hooks: sink.Hooks{Acked: func(a sink.Acked) { acked.Add(int64(a.Records)) }}})
	o.p.Learn("marks")
	const rounds, each = 50, 100
	for range rounds {
		o.load(each)
		o.p.Cut(watermark(o.number-1), sink.Meta{Number: o.number - 1, Committed: time.Now().UnixMicro()})
		o.p.Dispatch()
	}
	o.flush()
	if got := acked.Load(); got != rounds*each {
		t.Errorf("%d acknowledged", got)
	}
	if _, _, waits := o.p.Oldest(); waits {
		t.Error("something still waits")
	}
	records := committedLog(t, c.ListenAddrs(), "orders", rounds*each)
	last := map[string]uint64{}
	for _, r := range records {
		n, err := strconv.ParseUint(string(r.Value), 10, 64)
		if err != nil || n < last[string(r.Key)] {
			t.Fatalf("record %s after %d of key %s", r.Value, last[string(r.Key)], r.Key)
		}
		last[string(r.Key)] = n
	}
	marks := committedLog(t, c.ListenAddrs(), "marks", 1)
	if len(records) != rounds*each || len(marks) == 0 || string(marks[len(marks)-1].Value) != strconv.Itoa(rounds*each-1) {
		t.Errorf("%d records, %d watermarks", len(records), len(marks))
	}
	t.Logf("%d transactions", len(marks))
	if used, _, _, pending := o.p.Accounts(); used != 0 || pending != 0 {
		t.Errorf("%d bytes of memory are out, %d pending", used, pending)
	}
}

// TestTransactions_lostAnswer: when the answer to a commit is lost nobody knows
// whether it counts, so the producer ends, and the next one has the last word.
func TestTransactions_lostAnswer(t *testing.T) {
	c := fake(t, kfake.SeedTopics(6, "orders"), kfake.SeedTopics(1, "marks"))
	var once atomic.Bool
	c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if once.CompareAndSwap(false, true) {
			return nil, errors.New("the connection is cut"), true
		}
		return nil, nil, false
	})
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Transactions: true})
	o.p.Learn("marks")
	o.load(10)
	o.p.Cut(watermark(9), sink.Meta{Number: 9, Committed: time.Now().UnixMicro()})
	o.p.Dispatch()
	err := <-o.ended
	o.ended <- err
	if !errors.Is(err, sink.ErrAborted) {
		t.Errorf("ended with %v", err)
	}
}

// TestTransactions_askedTwice: a partition is asked for again while the request to add
// it is under way. When that second request fails, after all is acknowledged, the
// transaction is committed all the same.
func TestTransactions_askedTwice(t *testing.T) {
	c := fake(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"), kfake.SeedTopics(1, "marks"))
	asked, again := make(chan struct{}), make(chan struct{})
	var p atomic.Pointer[sink.Producer]
	requests, committed := 0, false
	c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		committed = true
		return nil, nil, false
	})
	c.ControlKey(int16(kmsg.AddPartitionsToTxn), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.AddPartitionsToTxnRequest)
		if !slices.ContainsFunc(req.Topics, func(t kmsg.AddPartitionsToTxnRequestTopic) bool { return t.Topic == "marks" }) {
			return nil, nil, false
		}
		requests++
		switch {
		case requests == 1:
			c.SleepControl(func() { close(asked); <-again })
		case requests == 2 && !committed:
			c.SleepControl(func() {
				for settled := false; !settled && t.Context().Err() == nil; _, settled = p.Load().Adding() {
					time.Sleep(time.Millisecond)
				}
			})
			res := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
			for _, topic := range req.Topics {
				res.Topics = append(res.Topics, kmsg.AddPartitionsToTxnResponseTopic{Topic: topic.Topic, Partitions: []kmsg.AddPartitionsToTxnResponseTopicPartition{{ErrorCode: 5}}})
			}
			return res, nil, true
		}
		return nil, nil, false
	})
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Transactions: true})
	p.Store(o.p)
	o.p.Learn("marks")
	cut := func() {
		o.p.Cut(watermark(o.number-1), sink.Meta{Number: o.number - 1, Committed: time.Now().UnixMicro()})
		o.p.Dispatch()
	}
	o.load(1)
	cut()
	<-asked
	o.load(1) // wakes the lane, which finds the watermark not admitted yet
	o.p.Dispatch()
	waitFor(t, "it is asked for again", func() bool { adding, _ := o.p.Adding(); return adding > 0 })
	close(again)
	o.flushCut(t)
}

// TestTransactions_skipped: a transaction whose only event Kafka has refused is
// committed all the same, with its watermark, and holds nothing back.
func TestTransactions_skipped(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "orders"), kfake.SeedTopics(1, "marks"))
	refused := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl() // one refusal is not believed
		req := r.(*kmsg.ProduceRequest)
		if req.Topics[0].Topic != "orders" {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		part := kmsg.NewProduceResponseTopicPartition()
		part.ErrorCode = 87 // INVALID_RECORD
		out := kmsg.NewProduceResponseTopic()
		out.Topic, out.Partitions = "orders", append(out.Partitions, part)
		res.Topics = append(res.Topics, out)
		return res, nil, true
	})
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Transactions: true, Hooks: sink.Hooks{Reject: func(sink.Rejection) sink.Remedy {
		close(refused)
		return sink.Remedy{}
	}}})
	o.p.Learn("marks")
	o.load(1)
	o.p.Dispatch()
	<-refused // before it is cut
	o.p.Cut(watermark(0), sink.Meta{Number: 0, Committed: time.Now().UnixMicro()})
	o.flush()
	if _, _, waits := o.p.Oldest(); waits {
		t.Error("something still waits")
	}
	if marks := committedLog(t, c.ListenAddrs(), "marks", 1); len(marks) != 1 {
		t.Errorf("%d watermarks", len(marks))
	}
}
