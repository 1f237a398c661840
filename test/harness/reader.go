package harness

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadOptions say what of some topics is read. Reading begins at the start.
type ReadOptions struct {
	Topics []string

	// Committed reads as read_committed does: no records of open or aborted
	// transactions.
	Committed bool

	// Until, asked after every fetch, keeps the reading beyond the present end
	// of the topics while it says false. After that, and by default, all that
	// is there is read and Read returns.
	Until func() bool
}

// readAllTimeout bounds ReadAll.
const readAllTimeout = 2 * time.Minute

// ReadAll returns all that is in the topics now, partition by partition in the
// order of the log. Null and empty keys, values and header values stay apart.
func (b *Broker) ReadAll(t testing.TB, topics ...string) []*kgo.Record {
	t.Helper()
	return b.read(t, readAllTimeout, ReadOptions{Topics: topics})
}

// ReadCommitted is ReadAll with read_committed.
func (b *Broker) ReadCommitted(t testing.TB, topics ...string) []*kgo.Record {
	t.Helper()
	return b.read(t, readAllTimeout, ReadOptions{Topics: topics, Committed: true})
}

// ReadCount waits until the topics hold at least count records and returns all
// of them; it fails the test when that takes longer than timeout.
func (b *Broker) ReadCount(t testing.TB, timeout time.Duration, count int, topics ...string) []*kgo.Record {
	t.Helper()
	var records []*kgo.Record
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	err := b.Read(ctx, ReadOptions{Topics: topics, Until: func() bool { return len(records) >= count }},
		func(r *kgo.Record) { records = append(records, r) })
	if err != nil {
		t.Fatalf("read %d records: got %d: %v", count, len(records), err)
	}
	return records
}

func (b *Broker) read(t testing.TB, timeout time.Duration, options ReadOptions) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var records []*kgo.Record
	if err := b.Read(ctx, options, func(r *kgo.Record) { records = append(records, r) }); err != nil {
		t.Fatal(err)
	}
	return records
}

// Read calls visit for every record, within a partition in the order of the
// log. The record may be kept. Topics that do not exist are an error, unless
// Until waits for them.
func (b *Broker) Read(ctx context.Context, options ReadOptions, visit func(*kgo.Record)) error {
	offsets := kgo.NewOffset().AtStart()
	level := kgo.ReadUncommitted()
	if options.Committed {
		level = kgo.ReadCommitted()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.direct...), kgo.ConsumeTopics(options.Topics...),
		kgo.ConsumeResetOffset(offsets), kgo.FetchIsolationLevel(level), kgo.KeepControlRecords(),
		kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(50*time.Millisecond), kgo.UnknownTopicRetries(-1))
	if err != nil {
		return fmt.Errorf("read from Kafka: %w", err)
	}
	defer client.Close()
	r := reader{client: client, options: options, visit: visit, next: make(map[partition]int64)}
	if err := r.run(ctx); err != nil {
		return fmt.Errorf("read from Kafka, %d records so far: %w", r.count, err)
	}
	return nil
}

type partition struct {
	topic  string
	number int32
}

type reader struct {
	client  *kgo.Client
	options ReadOptions
	visit   func(*kgo.Record)
	next    map[partition]int64 // the offset after the last record seen
	count   int
}

func (r *reader) run(ctx context.Context) error {
	for r.options.Until != nil && !r.options.Until() {
		if err := r.poll(ctx); err != nil {
			return err
		}
	}
	ends, err := r.ends(ctx)
	if err != nil {
		return err
	}
	for !r.reached(ends) {
		if err := r.poll(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ends are the offsets after the last record that can be read now.
func (r *reader) ends(ctx context.Context) (map[partition]int64, error) {
	admin := kadm.NewClient(r.client)
	list := admin.ListEndOffsets
	if r.options.Committed {
		list = admin.ListCommittedOffsets
	}
	listed, err := list(ctx, r.options.Topics...)
	if err := errors.Join(err, listed.Error()); err != nil {
		return nil, fmt.Errorf("find the end of the topics: %w", err)
	}
	starts, err := admin.ListStartOffsets(ctx, r.options.Topics...)
	if err := errors.Join(err, starts.Error()); err != nil {
		return nil, fmt.Errorf("find the start of the topics: %w", err)
	}
	ends := make(map[partition]int64)
	listed.Each(func(o kadm.ListedOffset) {
		if start, ok := starts.Lookup(o.Topic, o.Partition); !ok || start.Offset < o.Offset {
			ends[partition{o.Topic, o.Partition}] = o.Offset
		}
	})
	return ends, nil
}

func (r *reader) reached(ends map[partition]int64) bool {
	for p, end := range ends {
		if r.next[p] < end {
			return false
		}
	}
	return true
}

func (r *reader) poll(ctx context.Context) error {
	// A short poll lets Until see what changed elsewhere.
	brief, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	fetches := r.client.PollFetches(brief)
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	for _, failure := range fetches.Errors() {
		if !errors.Is(failure.Err, context.DeadlineExceeded) {
			return fmt.Errorf("topic %s, partition %d: %w", failure.Topic, failure.Partition, failure.Err)
		}
	}
	fetches.EachRecord(func(record *kgo.Record) {
		r.next[partition{record.Topic, record.Partition}] = record.Offset + 1
		if !record.Attrs.IsControl() { // a marker of a transaction
			r.count++
			r.visit(record)
		}
	})
	return nil
}
