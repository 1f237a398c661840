package sink_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

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
