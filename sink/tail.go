package sink

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"github.com/walrelay/walrelay/routing"
)

// tailFetch bounds one answer of the broker: large enough to be worth a request,
// small enough for the memory that decoding takes.
const tailFetch = 1 << 20

// Place is the partition that Produce would choose for rec now: -1 for a record
// that may go to any. It is known only once the producer id of the last Fence was
// taken, so that whatever is asked of the partition afterwards is asked after the
// fence. ErrPending says: wait for Changed and call again; another error is the one
// that Produce would give. The owner calls it.
func (p *Producer) Place(rec *routing.Record) (partition int32, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fatal != nil {
		return -1, p.fatal
	}
	t := p.topics[rec.Topic]
	if t == nil {
		t = p.addTopic(rec.Topic)
	}
	if !t.ready || !p.session.ready || p.session.draining {
		return -1, p.pending(t)
	}
	if rec.Partition < 0 && rec.Key == nil {
		return -1, nil
	}
	part, err := t.choose(rec)
	if err != nil {
		return -1, err
	}
	return part.id, nil
}

// Partitions is how many partitions a topic is known to have, 0 when it is not
// known. Any goroutine.
func (p *Producer) Partitions(topic string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.topics[topic]
	if t == nil || !t.ready {
		return 0
	}
	return len(t.partitions)
}

// Wake fills Changed, for who finds out beside the producer what the owner waits
// for. Any goroutine.
func (p *Producer) Wake() { p.signal() }

// Tail is the end of one partition's log, as it was when OpenTail asked. It has
// connections of its own, so that reading does not meddle with what is written.
// One goroutine at a time; Close it.
type Tail struct {
	// Start is the first offset that may hold a record of the time asked for, End
	// the one behind the last that a read_committed consumer could read.
	Start, End int64
	// Shortened: the log's first record is not from before the time asked for, and there
	// were others before it, or there is none left.
	Shortened bool

	topic     string
	partition int32
	client    *kafka.Client
	done      func()
	key       []byte // of the record at hand
	value     []byte
	headers   []routing.Header
}

// TailRecord is one record of a Tail. Its bytes are valid until the visit is over.
type TailRecord struct {
	Offset     int64
	Timestamp  int64  // milliseconds since 1970
	Key, Value []byte // nil is null
	Headers    []routing.Header
}

var (
	// ErrStuck: asked for the same place again, the broker would send the same again,
	// as long as a transaction that hides what is behind it is open.
	ErrStuck    = errors.New("the broker's answer holds nothing beyond what is read already (a transaction may be open)")
	errDecoding = errors.New("the broker's answer can't be decoded")
)

// OpenTail finds out where the partition's log ends now, and where records of the
// time from and later begin in it. It needs the right to describe the topic; Tail.Read
// that to read it. Errors of the broker are kafka.Error. Any goroutine.
func (p *Producer) OpenTail(ctx context.Context, topic string, partition int32, from time.Time) (*Tail, error) {
	t := &Tail{topic: topic, partition: partition}
	t.client, t.done = p.cluster.scout([]string{topic})
	bounds, err := t.offsets(ctx, kafka.ReadCommitted, kafka.FirstOffset, kafka.LastOffset)
	since := int64(-1) // that recent there is no record
	if err == nil {
		t.Start, t.End = bounds[0], bounds[1]
		bounds, err = t.offsets(ctx, kafka.ReadCommitted, max(from.UnixMilli(), 0))
	}
	if err == nil {
		since = bounds[0]
	}
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("look for the end of topic %q partition %d: %w", topic, partition, err)
	}
	first := t.Start
	if since < 0 {
		since = t.End
	}
	t.Shortened = first > 0 && since <= first
	t.Start = max(t.Start, since)
	return t, nil
}

// Whole moves End to the end of all that is written. Reading up to there fails as
// long as transactions are open.
func (t *Tail) Whole(ctx context.Context) error {
	bounds, err := t.offsets(ctx, kafka.ReadUncommitted, kafka.LastOffset)
	if err != nil {
		return fmt.Errorf("look for the end of topic %q partition %d: %w", t.topic, t.partition, err)
	}
	t.End = bounds[0]
	return nil
}

// offsets asks for positions in the log, at the same time, and gives them in the order
// asked for: the first record of a time (milliseconds since 1970; -1 when there is
// none), or with kafka.FirstOffset and LastOffset the log's ends. kafka-go's own
// Client.ListOffsets takes an answer about another topic, as a damaged byte makes it,
// for an empty log, or ends the process.
func (t *Tail) offsets(ctx context.Context, level kafka.IsolationLevel, times ...int64) ([]int64, error) {
	asked := make([]listoffsets.RequestPartition, len(times))
	for i, at := range times {
		asked[i] = listoffsets.RequestPartition{Partition: t.partition, CurrentLeaderEpoch: -1, Timestamp: at}
	}
	answer, err := t.client.Transport.RoundTrip(ctx, t.client.Addr, &listoffsets.Request{
		ReplicaID: -1, IsolationLevel: int8(level), Topics: []listoffsets.RequestTopic{{Topic: t.topic, Partitions: asked}},
	})
	if err != nil {
		return nil, err
	}
	got, ok := answer.(*listoffsets.Response)
	if !ok || len(got.Topics) != 1 || got.Topics[0].Topic != t.topic || len(got.Topics[0].Partitions) != len(times) {
		return nil, protocol.ErrNoPartition
	}
	offsets, there := make([]int64, len(times)), make([]bool, len(times))
	for _, part := range got.Topics[0].Partitions {
		// kafka-go puts the time asked for into what answers it.
		at := slices.Index(times, part.Timestamp)
		switch {
		case part.Partition != t.partition:
			return nil, protocol.ErrNoPartition
		case part.ErrorCode != 0:
			return nil, kafka.Error(part.ErrorCode)
		case at < 0 || there[at]:
			return nil, protocol.ErrNoPartition
		}
		offsets[at], there[at] = part.Offset, true
	}
	return offsets, nil
}

// Close lets go of the connections.
func (t *Tail) Close() { t.done() }

// Read calls visit for the records from the offset from up to, but without, the
// offset to, in their order. What a transaction has written that was aborted, or
// may have been, is left out.
func (t *Tail) Read(ctx context.Context, from, to int64, visit func(*TailRecord)) (err error) {
	defer func() {
		// kafka-go decodes what the broker says; a panic there must not be the end of
		// the process, which would read the same again at its next start.
		if p := recover(); p != nil {
			err = fmt.Errorf("read topic %q partition %d: %w: %v", t.topic, t.partition, errDecoding, p)
		}
	}()
	for next := from; next < to; {
		at, err := t.fetch(ctx, next, to, visit)
		if err == nil && at <= next {
			err = ErrStuck
		}
		if err != nil {
			return fmt.Errorf("read topic %q partition %d at offset %d: %w", t.topic, t.partition, next, err)
		}
		next = at
	}
	return nil
}

// fetch visits the records of one answer and returns the offset behind the last.
// kafka-go's own Client.Fetch does not say what was aborted.
func (t *Tail) fetch(ctx context.Context, from, to int64, visit func(*TailRecord)) (next int64, err error) {
	answer, err := t.client.Transport.RoundTrip(ctx, t.client.Addr, &fetch.Request{
		ReplicaID: -1, MaxWaitTime: 500, MinBytes: 1, MaxBytes: tailFetch, IsolationLevel: int8(kafka.ReadCommitted),
		SessionID: -1, SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{Topic: t.topic, Partitions: []fetch.RequestPartition{{
			Partition: t.partition, CurrentLeaderEpoch: -1, FetchOffset: from, LogStartOffset: -1, PartitionMaxBytes: tailFetch,
		}}}},
	})
	if err != nil {
		return from, err
	}
	got, ok := answer.(*fetch.Response)
	switch {
	case !ok || got.ErrorCode == 0 && (len(got.Topics) == 0 || len(got.Topics[0].Partitions) == 0):
		return from, protocol.ErrNoPartition
	case got.ErrorCode != 0:
		return from, kafka.Error(got.ErrorCode)
	}
	part := &got.Topics[0].Partitions[0]
	if got.Topics[0].Topic != t.topic || part.Partition != t.partition {
		return from, protocol.ErrNoPartition
	}
	if part.ErrorCode != 0 {
		return from, kafka.Error(part.ErrorCode)
	}
	aborted := abortions{pending: part.AbortedTransactions, open: map[int64]bool{}}
	slices.SortFunc(aborted.pending, func(a, b fetch.ResponseTransaction) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	stream, ok := part.RecordSet.Records.(*protocol.RecordStream)
	if !ok {
		return from, ErrStuck // no batch at all
	}
	next = from
	for _, batch := range stream.Records {
		seen := visit
		switch b := batch.(type) {
		case *protocol.RecordBatch:
			aborted.reach(b.BaseOffset)
			if b.Attributes.Transactional() && aborted.open[b.ProducerID] {
				seen = nil
			}
		case *protocol.ControlBatch:
			aborted.reach(b.BaseOffset)
			seen = func(r *TailRecord) { aborted.marker(b.ProducerID, r.Key) }
		default:
			seen = nil // batches too old for headers
		}
		last, err := t.batch(batch, from, to, seen)
		if err != nil {
			return from, err
		}
		next = max(next, last+1)
	}
	return next, nil
}

// abortions say which batches of an answer were aborted: those of a producer from
// the first offset of its transaction up to the marker that ends it
// (FetchResponse.AbortedTransactions, KIP-98).
type abortions struct {
	pending []fetch.ResponseTransaction // by first offset
	open    map[int64]bool              // by producer id
}

// reach opens the transactions that begin at or before offset.
func (a *abortions) reach(offset int64) {
	for len(a.pending) > 0 && a.pending[0].FirstOffset <= offset {
		a.open[a.pending[0].ProducerID] = true
		a.pending = a.pending[1:]
	}
}

// marker takes a control record's key: version, then type, 0 for an abort.
func (a *abortions) marker(producer int64, key []byte) {
	if len(key) == 4 && binary.BigEndian.Uint16(key[2:]) == 0 {
		delete(a.open, producer)
	}
}

// batch visits the records of one batch that lie in [from, to) and returns the
// last one's offset. A nil visit passes over them.
func (t *Tail) batch(records protocol.RecordReader, from, to int64, visit func(*TailRecord)) (last int64, err error) {
	last = -1
	for {
		r, err := records.ReadRecord()
		switch {
		case errors.Is(err, io.EOF):
			return last, nil
		case err != nil:
			return last, err
		}
		last = r.Offset
		t.key, err = contents(r.Key, t.key)
		if err == nil {
			t.value, err = contents(r.Value, t.value)
		}
		if err != nil {
			return last, err
		}
		if visit == nil || r.Offset < from || r.Offset >= to {
			continue
		}
		t.headers = t.headers[:0]
		for i := range r.Headers {
			t.headers = append(t.headers, routing.Header(r.Headers[i]))
		}
		record := TailRecord{Offset: r.Offset, Timestamp: r.Time.UnixMilli(), Headers: t.headers}
		if r.Key != nil {
			record.Key = t.key
		}
		if r.Value != nil {
			record.Value = t.value
		}
		visit(&record)
	}
}

// contents reads b into the space of buf and gives b's memory back.
func contents(b protocol.Bytes, buf []byte) ([]byte, error) {
	if b == nil {
		return buf, nil
	}
	n := b.Len()
	if buf == nil || cap(buf) < n {
		buf = make([]byte, n, max(n, 512))
	}
	buf = buf[:n]
	_, err := io.ReadFull(b, buf)
	return buf, errors.Join(err, b.Close())
}

// Hopeless says that an error of a Tail is not mended by trying again: a missing
// right, a log that can't be read.
func Hopeless(err error) bool {
	var code kafka.Error
	if errors.As(err, &code) && judge(code) == misrouted {
		return false // a leader that moves, or a broker that the cluster takes for dead for a moment
	}
	if errors.As(err, &code) && !code.Temporary() && code != kafka.Unknown { // unknown: what a broker says that was just frozen, too
		return true
	}
	return errors.Is(err, ErrStuck) || errors.Is(err, errDecoding) || refusal("read", err) != nil
}
