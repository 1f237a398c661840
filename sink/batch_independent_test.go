package sink

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
)

// The batches of this package as others read them: franz-go here, with what its
// consumers use, and Kafka's own Java in batch_independent_java_test.go.

// codecs are the compressions, in the order of their numbers on the wire.
var codecs = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// decompressor is what franz-go's consumers use; making one takes longer than a batch.
var decompressor = kgo.DefaultDecompressor()

// source makes records of any bytes: lengths, null or not, and the content follow
// each other, so that a fuzzer changes one thing at a time.
type source struct{ b []byte }

func (s *source) byte() byte {
	if len(s.b) == 0 {
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

// bytes are null, or up to 253 as they stand, or some of them 100 times over.
func (s *source) bytes() []byte {
	n := int(s.byte())
	if n == 255 {
		return nil
	}
	repeat := 1
	if n == 254 {
		n, repeat = int(s.byte()), 100
	}
	n = min(n, len(s.b))
	out := bytes.Repeat(s.b[:n:n], repeat)
	s.b = s.b[n:]
	if out == nil {
		out = []byte{} // empty is not null
	}
	return out
}

func (s *source) int64() int64 {
	var b [8]byte
	s.b = s.b[copy(b[:], s.b):]
	return int64(binary.BigEndian.Uint64(b[:]))
}

// record is one with a time between 1970 and 2248: franz-go counts the distance to
// the first record of a batch in nanoseconds, which end after 292 years.
func (s *source) record(now int64) routing.Record {
	r := routing.Record{Key: s.bytes(), Value: s.bytes(), Timestamp: now}
	if s.byte()%2 == 1 {
		r.Timestamp = s.int64() & math.MaxInt64 % (1 << 43)
	}
	for range s.byte() % 8 {
		r.Headers = append(r.Headers, routing.Header{Key: string(s.bytes()), Value: s.bytes()})
	}
	return r
}

// sealed is a batch of all the records, as it goes out.
func sealed(t testing.TB, in []routing.Record, codec string, id producerID, sequence int32, inTransaction bool) *batch {
	t.Helper()
	c, err := newCompressor(codec)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for i := range in {
		size += aloneLen(&in[i]) + 20 // time and index may take more than in a batch of its own
	}
	b := newTestBatch(recordsAt + size)
	for i := range in {
		if !b.append(&in[i], math.MaxInt) {
			t.Fatal("no room")
		}
	}
	if inTransaction {
		b.txn = 1
	}
	b.seal(id, sequence, c)
	return b
}

// consumed is what a consumer of franz-go makes of a partition with this batch.
func consumed(t testing.TB, b *batch) []*kgo.Record {
	t.Helper()
	partition := kmsg.NewFetchResponseTopicPartition()
	partition.Partition = 3
	partition.RecordBatches = b.wire[prefixLen:]
	partition.HighWatermark, partition.LastStableOffset = int64(b.count), int64(b.count)
	var records, size int
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: "orders", IsolationLevel: kgo.ReadCommitted()},
		&partition, decompressor, func(m kgo.FetchBatchMetrics) { records += m.NumRecords; size += m.UncompressedBytes })
	switch {
	case got.Err != nil:
		t.Fatalf("franz-go's consumer: %v", got.Err)
	case next != int64(b.count) || records != int(b.count):
		t.Fatalf("the consumer goes on at %d after %d records of %d", next, records, b.count)
	case size != len(b.slab)-recordsAt:
		t.Fatalf("%d bytes without compression, the consumer has %d", len(b.slab)-recordsAt, size)
	}
	return got.Records
}

// asRecords are a consumer's records as ours.
func asRecords(in []*kgo.Record) []routing.Record {
	out := make([]routing.Record, len(in))
	for i, r := range in {
		out[i] = routing.Record{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp.UnixMilli()}
		for _, h := range r.Headers {
			out[i].Headers = append(out[i].Headers, routing.Header{Key: h.Key, Value: h.Value})
		}
	}
	return out
}

// difference is what equal says, at once when nothing differs: a fuzzer asks often.
func difference(a, b []routing.Record) string {
	sameBytes := func(x, y []byte) bool { return (x == nil) == (y == nil) && bytes.Equal(x, y) }
	if slices.EqualFunc(a, b, func(x, y routing.Record) bool {
		return sameBytes(x.Key, y.Key) && sameBytes(x.Value, y.Value) && x.Timestamp == y.Timestamp &&
			slices.EqualFunc(x.Headers, y.Headers, func(h, k routing.Header) bool { return h.Key == k.Key && sameBytes(h.Value, k.Value) })
	}) {
		return ""
	}
	if d := equal(a, b); d != "" {
		return d
	}
	return "they differ in what equal does not look at"
}

// FuzzBatch: whatever stands in records, franz-go reads the same out of the batch,
// as kmsg has it and as a consumer gets it, in every codec, in a transaction or not.
func FuzzBatch(f *testing.F) {
	f.Add([]byte{}, byte(0), int64(0), int16(0), int32(0), false)
	f.Add([]byte{3, 'k', 'e', 'y', 5, 'v', 'a', 'l', 'u', 'e', 0, 2, 2, 'i', 'd', 1, '7', 1, 'n', 255, 255, 255, 1, 0, 0, 1, 2, 3}, byte(1), int64(4711), int16(3), int32(99), true)
	for codec := range codecs {
		big := append([]byte{255, 254, 200}, bytes.Repeat([]byte("walrelay"), 25)...)
		f.Add(append(big, big...), byte(codec), int64(math.MaxInt64), int16(math.MaxInt16), int32(math.MaxInt32), codec%2 == 0)
	}
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC).UnixMilli()
	f.Fuzz(func(t *testing.T, text []byte, codec byte, id int64, epoch int16, sequence int32, inTransaction bool) {
		producer := producerID{id & math.MaxInt64, epoch & math.MaxInt16}
		sequence &= math.MaxInt32
		name := codecs[int(codec)%len(codecs)]
		var in []routing.Record
		for s := (source{b: text}); len(in) == 0 || len(s.b) > 0 && len(in) < 500; {
			in = append(in, s.record(now))
		}
		b := sealed(t, in, name, producer, sequence, inTransaction)
		checkHeader(t, b, in, name, producer, sequence, inTransaction)
		records := consumed(t, b)
		if d := difference(in, asRecords(records)); d != "" {
			t.Fatal(d)
		}
		for i, r := range records {
			if r.Topic != "orders" || r.Partition != 3 || r.Offset != int64(i) || r.ProducerID != producer.id || r.ProducerEpoch != producer.epoch ||
				r.Attrs.IsTransactional() != inTransaction || r.Attrs.IsControl() || r.Attrs.TimestampType() != 0 {
				t.Fatalf("record %d: %+v", i, r)
			}
		}
		sameWhenSplit(t, b, in)
	})
}

// checkHeader compares the header with what kmsg reads, field by field.
func checkHeader(t *testing.T, b *batch, in []routing.Record, codec string, id producerID, sequence int32, inTransaction bool) {
	t.Helper()
	rb, out := decoded(t, b.wire) // length, magic, CRC, count, offsets
	if d := difference(in, out); d != "" {
		t.Fatal(d)
	}
	first, last := in[0].Timestamp, in[0].Timestamp
	for i := range in {
		last = max(last, in[i].Timestamp)
	}
	want := int16(0)
	if inTransaction {
		want = 1 << 4
	}
	if len(b.wire) < len(b.slab) {
		for number, name := range codecs {
			if name == codec {
				want |= int16(number)
			}
		}
	}
	got := fmt.Sprint(rb.ProducerID, rb.ProducerEpoch, rb.FirstSequence, rb.FirstTimestamp, rb.MaxTimestamp, rb.PartitionLeaderEpoch, rb.NumRecords, rb.Attributes)
	if expected := fmt.Sprint(id.id, id.epoch, sequence, first, last, -1, len(in), want); got != expected {
		t.Fatalf("header %s instead of %s", got, expected)
	}
	if codec == "none" && len(b.wire) != len(b.slab) {
		t.Fatal("compressed without being told to")
	}
}

// sameWhenSplit splits the batch, as is done when a broker finds it too large.
func sameWhenSplit(t *testing.T, b *batch, in []routing.Record) {
	t.Helper()
	if b.count < 2 {
		return
	}
	for range in {
		b.note(Meta{})
	}
	left, right, err := b.halve()
	if err != nil {
		t.Fatal(err)
	}
	var both []routing.Record
	for _, half := range []*batch{left, right} {
		half.seal(producerID{1, 1}, 0, nil)
		both = append(both, asRecords(consumed(t, half))...)
	}
	if d := difference(in, both); d != "" {
		t.Fatal(d)
	}
}
