package sink

import (
	"bytes"
	"testing"

	"github.com/walrelay/walrelay/routing"
)

// BenchmarkEncode is append and seal, a record.
func BenchmarkEncode(b *testing.B) {
	rec := routing.Record{Key: []byte("12345678"), Value: bytes.Repeat([]byte("v"), 256), Timestamp: 1, Headers: []routing.Header{{Key: "id", Value: bytes.Repeat([]byte("i"), 36)}}}
	batch := newTestBatch(128 << 10)
	m := Meta{Committed: 1}
	b.ReportAllocs()
	for b.Loop() {
		if !batch.append(&rec, 1<<20) {
			batch.seal(producerID{1, 1}, 0, nil)
			slab := batch.slab[:recordsAt]
			batch.reset()
			batch.slab = slab
			batch.append(&rec, 1<<20)
		}
		batch.note(m)
	}
}

func BenchmarkPartitionOf(b *testing.B) {
	key := []byte("0f8fad5b-d9cb-469f-a165-70867728950e")
	b.ReportAllocs()
	for b.Loop() {
		partitionOf(key, 12)
	}
}
