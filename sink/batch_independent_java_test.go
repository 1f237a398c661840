package sink

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/test/harness"
)

// javaRecords are records that kafka-dump-log prints so that nothing is ambiguous:
// text without line ends. It shows the names of headers, not their values; those
// are read by Java in the tests against a real Kafka (TestJavaConsumer).
func javaRecords() []routing.Record {
	records := []routing.Record{
		{Key: []byte("customer-ü-1"), Value: []byte(`{"total": 12.50, "note": "€ 😀"}`), Timestamp: 1_800_000_000_000,
			Headers: []routing.Header{{Key: "id", Value: []byte("7")}, {Key: "nothing"}, {Key: "empty", Value: []byte{}}, {Key: "übung", Value: []byte("x")}}},
		{Timestamp: 1_800_000_000_001},
		{Key: []byte{}, Value: []byte{}, Timestamp: 1_799_999_999_000}, // before the first
		{Key: []byte("tombstone"), Timestamp: 1_800_000_000_000},
		{Value: []byte("without a key"), Timestamp: 0},
		{Key: []byte(strings.Repeat("k", 63)), Value: []byte(strings.Repeat("v", 64)), Timestamp: 4_102_444_800_000}, // lengths at a varint's edge
		{Key: []byte("big"), Value: []byte(strings.Repeat("walrelay ", 20_000)), Timestamp: 1_800_000_000_002},
	}
	for i := range 200 {
		records = append(records, routing.Record{Key: fmt.Appendf(nil, "%d", i%7), Value: fmt.Appendf(nil, "event %d", i), Timestamp: 1_800_000_000_000 + int64(i)})
	}
	return records
}

// TestBatch_javaReadsIt: Kafka's own kafka-dump-log takes our batches for a segment
// of its log and reads every field as it was written: in all codecs, in a
// transaction or not, up to the last sequence before it wraps.
func TestBatch_javaReadsIt(t *testing.T) {
	in := javaRecords()
	var segment []byte
	var want []string
	next := int64(0) // offset
	for number, codec := range codecs {
		for _, inTransaction := range []bool{false, true} {
			id := producerID{id: 4711 + int64(number), epoch: int16(number)}
			sequence := int32(100 * number)
			if inTransaction {
				id, sequence = producerID{id: math.MaxInt64, epoch: math.MaxInt16 - 1}, math.MaxInt32-3 // wraps inside
			}
			b := sealed(t, in, codec, id, sequence, inTransaction)
			if codec != "none" && len(b.wire) >= len(b.slab) {
				t.Fatalf("%s makes it no smaller", codec)
			}
			wire := append([]byte(nil), b.wire[prefixLen:]...)
			binary.BigEndian.PutUint64(wire, uint64(next)) // a broker's work; the CRC does not cover it
			want = append(want, fmt.Sprintf("baseOffset: %d lastOffset: %d count: %d baseSequence: %d lastSequence: %d producerId: %d producerEpoch: %d "+
				"partitionLeaderEpoch: -1 isTransactional: %t isControl: false deleteHorizonMs: OptionalLong.empty position: %d CreateTime: 4102444800000 "+
				"size: %d magic: 2 compresscodec: %s crc: %d isvalid: true",
				next, next+int64(len(in))-1, len(in), sequence, nextSequence(sequence, int32(len(in)-1)), id.id, id.epoch, inTransaction, len(segment),
				len(wire), codec, binary.BigEndian.Uint32(wire[17:])))
			for i := range in {
				want = append(want, javaLine(&in[i], next, nextSequence(sequence, int32(i))))
				next++
			}
			segment = append(segment, wire...)
		}
	}
	path := filepath.Join(t.TempDir(), "00000000000000000000.log")
	if err := os.WriteFile(path, segment, 0o644); err != nil {
		t.Fatal(err)
	}
	printed := harness.KafkaTool(t, "kafka.tools.DumpLogSegments", "--print-data-log", "--files", path)
	_, body, _ := strings.Cut(printed, "Log starting offset: 0\n")
	got := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Kafka reads (+) something else than was written (-):\n%s", d)
	}
}

// javaLine is how kafka-dump-log prints a record.
func javaLine(r *routing.Record, offset int64, sequence int32) string {
	size := func(b []byte) int {
		if b == nil {
			return -1
		}
		return len(b)
	}
	var names []string
	for _, h := range r.Headers {
		names = append(names, h.Key)
	}
	line := fmt.Sprintf("| offset: %d CreateTime: %d keySize: %d valueSize: %d sequence: %d headerKeys: [%s]",
		offset, r.Timestamp, size(r.Key), size(r.Value), sequence, strings.Join(names, ","))
	if r.Key != nil {
		line += " key: " + string(r.Key)
	}
	if r.Value != nil {
		line += " payload: " + string(r.Value)
	}
	return line
}
