package decoding_test

import (
	"strings"
	"testing"

	"github.com/walrelay/walrelay/decoding"
)

// transaction is Begin, n rows of 256 bytes of padding, Commit, and the relation
// that has to come before it once.
func transaction(n int) (once []byte, frames [][]byte) {
	payload := `{"n": 1, "padding": "` + strings.Repeat("x", 256) + `"}`
	frames = append(frames, begin(100, commitTime, 1))
	for range n {
		frames = append(frames, insert(1, "00000000-0000-4000-8000-000000000001", "order", "order-4711", "OrderCreated", payload))
	}
	once = relation(1, "public", "outbox", debezium...)
	return once, append(frames, commit(100, 200))
}

// ready returns a decoder that has seen once.
func ready(t testing.TB, once []byte, m *decoding.Message, extra ...string) *decoding.Decoder {
	tables := outbox()
	tables[0].Extra = extras(extra...)
	d := decoding.New(tables)
	if err := d.Decode(once, m); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDecoder_doesNotAllocate(t *testing.T) {
	var m decoding.Message
	once, frames := transaction(3)
	d := ready(t, once, &m, "type", "id")
	frames = append(frames, append(u32(text(u64([]byte{'M', 0}, 1), "p"), 1), 'x'))
	got := testing.AllocsPerRun(100, func() {
		for _, f := range frames {
			if err := d.Decode(f, &m); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations a transaction, want none", got)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, bench := range []struct {
		name string
		rows int
	}{{"1 event a transaction", 1}, {"100 events a transaction", 100}} {
		b.Run(bench.name, func(b *testing.B) {
			var m decoding.Message
			once, frames := transaction(bench.rows)
			d := ready(b, once, &m)
			b.ReportAllocs()
			events := 0
			for b.Loop() {
				for _, f := range frames {
					if err := d.Decode(f, &m); err != nil {
						b.Fatal(err)
					}
				}
				events += bench.rows
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}
