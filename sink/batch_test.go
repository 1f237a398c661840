package sink

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/walrelay/walrelay/routing"
)

// decoded reads a batch with franz-go's decoder and checks everything that a
// broker checks.
func decoded(t rapid.TB, wire []byte) (kmsg.RecordBatch, []routing.Record) {
	if got := int(binary.BigEndian.Uint32(wire)); got != len(wire)-4 {
		t.Fatalf("size prefix %d before %d bytes", got, len(wire)-4)
	}
	raw := wire[4:]
	var rb kmsg.RecordBatch
	if err := rb.ReadFrom(raw); err != nil {
		t.Fatalf("franz-go does not read the batch: %v", err)
	}
	switch {
	case int(rb.Length) != len(raw)-12:
		t.Fatalf("length %d of %d bytes", rb.Length, len(raw))
	case rb.Magic != 2 || rb.FirstOffset != 0 || rb.LastOffsetDelta != rb.NumRecords-1:
		t.Fatalf("magic %d, first offset %d, last delta %d of %d records", rb.Magic, rb.FirstOffset, rb.LastOffsetDelta, rb.NumRecords)
	case uint32(rb.CRC) != crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)):
		t.Fatal("wrong CRC")
	}
	records, err := kfake.BatchRecords(rb)
	if err != nil {
		t.Fatalf("records: %v", err)
	}
	var out []routing.Record
	for i, r := range records {
		if int(r.OffsetDelta) != i || r.Attributes != 0 {
			t.Fatalf("record %d: offset delta %d, attributes %d", i, r.OffsetDelta, r.Attributes)
		}
		o := routing.Record{Key: r.Key, Value: r.Value, Timestamp: rb.FirstTimestamp + r.TimestampDelta64}
		for _, h := range r.Headers {
			o.Headers = append(o.Headers, routing.Header{Key: h.Key, Value: h.Value})
		}
		out = append(out, o)
	}
	return rb, out
}

func newTestBatch(size int) *batch {
	return &batch{slab: make([]byte, recordsAt, size), cost: 2 * size}
}

func equal(a, b []routing.Record) string {
	// Null and empty differ: cmp tells nil slices from empty ones. Lists of
	// headers alone have no null on the wire.
	flat := func(rs []routing.Record) []routing.Record {
		out := append([]routing.Record(nil), rs...)
		for i := range out {
			out[i].Topic, out[i].Partition = "", 0
			if len(out[i].Headers) == 0 {
				out[i].Headers = nil
			}
		}
		return out
	}
	return cmp.Diff(flat(a), flat(b), WholeBytes)
}

func TestBatch_nullIsNotEmpty(t *testing.T) {
	in := []routing.Record{
		{Timestamp: 1000},
		{Key: []byte{}, Value: []byte{}, Timestamp: 1000},
		{Key: []byte("k"), Value: nil, Headers: []routing.Header{{Key: "", Value: nil}, {Key: "e", Value: []byte{}}, {Key: "v", Value: []byte("x")}}, Timestamp: 2000},
		{Key: nil, Value: []byte("v"), Timestamp: 500}, // before the first
		{Key: bytes.Repeat([]byte("k"), 64), Value: bytes.Repeat([]byte("v"), 8192), Timestamp: 0},
		{Timestamp: -1},
	}
	many := routing.Record{Timestamp: 1}
	for i := range 300 {
		many.Headers = append(many.Headers, routing.Header{Key: "h", Value: []byte{byte(i)}})
	}
	in = append(in, many)
	b := newTestBatch(1 << 20)
	for i := range in {
		if !b.append(&in[i], 1<<20) {
			t.Fatal("no room")
		}
	}
	b.seal(producerID{4711, 3}, 99, nil)
	rb, out := decoded(t, b.wire)
	if d := equal(in, out); d != "" {
		t.Error(d)
	}
	if rb.ProducerID != 4711 || rb.ProducerEpoch != 3 || rb.FirstSequence != 99 || rb.Attributes != 0 {
		t.Errorf("producer %d/%d, sequence %d, attributes %d", rb.ProducerID, rb.ProducerEpoch, rb.FirstSequence, rb.Attributes)
	}
	if rb.FirstTimestamp != 1000 || rb.MaxTimestamp != 2000 {
		t.Errorf("timestamps %d to %d", rb.FirstTimestamp, rb.MaxTimestamp)
	}
}

func bytesOrNull(max int) *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		return rapid.SliceOfN(rapid.Byte(), 0, max).Draw(t, "bytes")
	})
}

func anyRecord() *rapid.Generator[routing.Record] {
	return rapid.Custom(func(t *rapid.T) routing.Record {
		r := routing.Record{Key: bytesOrNull(80).Draw(t, "key"), Value: bytesOrNull(400).Draw(t, "value")}
		r.Timestamp = rapid.OneOf(rapid.Int64Range(-1, 1<<45), rapid.Int64Range(1_800_000_000_000, 1_800_000_001_000)).Draw(t, "timestamp")
		for range rapid.IntRange(0, 5).Draw(t, "headers") {
			r.Headers = append(r.Headers, routing.Header{Key: rapid.String().Draw(t, "name"), Value: bytesOrNull(70).Draw(t, "header")})
		}
		return r
	})
}

// What is encoded is what franz-go decodes, in every codec, whole and in halves,
// and sizes are told exactly beforehand.
func TestBatch_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(anyRecord(), 1, 40).Draw(t, "records")
		codec, err := newCompressor(rapid.SampledFrom([]string{"none", "gzip", "snappy", "lz4", "zstd"}).Draw(t, "codec"))
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for i := range in {
			size += aloneLen(&in[i]) + 20
		}
		b := newTestBatch(recordsAt + size)
		for i := range in {
			alone := newTestBatch(aloneLen(&in[i]) + prefixLen)
			if !alone.append(&in[i], aloneLen(&in[i])) || len(alone.slab) != cap(alone.slab) {
				t.Fatalf("record %d alone takes %d bytes, said %d", i, len(alone.slab)-prefixLen, aloneLen(&in[i]))
			}
			if !b.append(&in[i], math.MaxInt) {
				t.Fatal("no room")
			}
			b.note(Meta{Committed: int64(i / 3), Type: int32(i % 4)})
		}
		b.seal(producerID{1, 0}, 0, codec)
		if b.cost < cap(b.slab) || b.cost > 2*cap(b.slab) {
			t.Fatalf("costs %d of %d", b.cost, cap(b.slab))
		}
		if _, out := decoded(t, b.wire); equal(in, out) != "" {
			t.Fatal(equal(in, out))
		}
		// The same again under another id: only the header differs.
		records := append([]byte(nil), b.wire[recordsAt:]...)
		b.seal(producerID{2, 5}, 7, codec)
		rb, out := decoded(t, b.wire)
		if equal(in, out) != "" || rb.ProducerID != 2 || rb.ProducerEpoch != 5 || rb.FirstSequence != 7 || !bytes.Equal(records, b.wire[recordsAt:]) {
			t.Fatal("sealed again: another batch")
		}
		if len(in) < 2 {
			return
		}
		left, right, err := b.halve()
		if err != nil {
			t.Fatal(err)
		}
		var both []routing.Record
		sum := [2]uint32{}
		for _, h := range []*batch{left, right} {
			if len(h.slab) != cap(h.slab) {
				t.Fatalf("half of %d bytes in a slab of %d", len(h.slab), cap(h.slab))
			}
			h.seal(producerID{1, 0}, 0, nil)
			_, out := decoded(t, h.wire)
			both = append(both, out...)
			for _, c := range h.commits {
				sum[0] += c.n
			}
			for _, c := range h.types {
				sum[1] += c.n
			}
		}
		if d := equal(in, both); d != "" {
			t.Fatal(d)
		}
		if int(sum[0]) != len(in) || int(sum[1]) != len(in) {
			t.Fatalf("metrics count %v of %d records", sum, len(in))
		}
	})
}

func TestBatch_limits(t *testing.T) {
	r := routing.Record{Value: bytes.Repeat([]byte("x"), 100)}
	b := newTestBatch(1000)
	for b.append(&r, 500) {
	}
	if n := len(b.slab) - prefixLen; n > 500 || n+len(r.Value) < 500-20 {
		t.Errorf("%d bytes below a limit of 500", n)
	}
	before := append([]byte(nil), b.slab...)
	if count := b.count; b.append(&r, 500) || b.count != count || !bytes.Equal(before, b.slab) {
		t.Error("a record that does not fit changed the batch")
	}
}

func TestNextSequence_wraps(t *testing.T) {
	for _, c := range [][3]int32{{0, 1, 1}, {math.MaxInt32, 1, 0}, {math.MaxInt32 - 1, 1, math.MaxInt32}, {math.MaxInt32 - 1, 5, 3}, {math.MaxInt32, 10, 9}, {7, 0, 7}} {
		if got := nextSequence(c[0], c[1]); got != c[2] {
			t.Errorf("%d records from %d: %d, want %d", c[1], c[0], got, c[2])
		}
	}
}

// A corrupt batch makes an error, never a panic or invented records.
func TestHalve_corrupt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(anyRecord(), 2, 5).Draw(t, "records")
		b := newTestBatch(1 << 14)
		for i := range in {
			b.append(&in[i], 1<<14)
		}
		at := rapid.IntRange(recordsAt, len(b.slab)-1).Draw(t, "at")
		if rapid.Bool().Draw(t, "cut") {
			b.slab = b.slab[:at]
			if _, _, err := b.halve(); err == nil {
				t.Fatal("a cut batch was split")
			}
			return
		}
		b.slab[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		if left, right, err := b.halve(); err == nil && left.count+right.count != b.count {
			t.Fatal("records got lost")
		}
	})
}

func TestCompressor_names(t *testing.T) {
	for _, name := range []string{"", "none", "gzip", "snappy", "lz4", "zstd"} {
		c, err := newCompressor(name)
		if err != nil || (c == nil) != (name == "" || name == "none") {
			t.Errorf("%q: %v, %v", name, c, err)
		}
	}
	if _, err := newCompressor("brotli"); err == nil {
		t.Error("brotli is no codec of Kafka")
	}
	if c, _ := newCompressor("zstd"); c.attributes != int16(compress.Zstd) {
		t.Error("attributes are not Kafka's number of the codec")
	}
}

// Whatever is taken and given back, the books are right and the limit holds.
func TestSlabs_books(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int{64 << 10, 1 << 20, 5 << 20}).Draw(t, "limit")
		s := slabs{limit: limit, copied: rapid.Bool().Draw(t, "copied")}
		type lent struct {
			slab []byte
			cost int
		}
		var out []lent
		sum := 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(out) > 0 && rapid.Bool().Draw(t, "put") {
				i := rapid.IntRange(0, len(out)-1).Draw(t, "which")
				sum -= out[i].cost
				s.put(out[i].slab, out[i].cost)
				out = append(out[:i], out[i+1:]...)
			} else {
				size := rapid.OneOf(rapid.IntRange(70, 600<<10), rapid.Just(6<<20)).Draw(t, "size")
				slab, cost := s.get(rapid.IntRange(0, len(slabClasses)-1).Draw(t, "class"), size)
				if slab == nil {
					if s.used == 0 {
						t.Fatal("nothing is out, and still a slab is refused")
					}
					continue
				}
				if cap(slab) < size || len(slab) != recordsAt || cost < cap(slab) {
					t.Fatalf("%d/%d bytes for %d, cost %d", len(slab), cap(slab), size, cost)
				}
				sum += cost
				out = append(out, lent{slab, cost})
			}
			if s.used != sum {
				t.Fatalf("%d out, books say %d", sum, s.used)
			}
			if len(out) > 1 && s.used > limit || len(out) != 1 && s.used+s.idle > limit {
				t.Fatalf("%d out and %d idle above %d", s.used, s.idle, limit)
			}
		}
	})
}
