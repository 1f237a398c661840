package connect

import (
	"bytes"
	"testing"
)

// shapes are the values that the benchmarks convert.
func shapes() []struct {
	name   string
	schema *Schema
	value  *Value
} {
	numbers := &Schema{Type: Struct, Fields: []Field{
		{"i", optionalInt}, {"l", &Schema{Type: Int64}}, {"d", &Schema{Type: Float64}}, {"f", &Schema{Type: Float32}}, {"n", numeric}}}
	text := bytes.Repeat([]byte(`{"order": 4711, "items": ["a", "bé"]}`), 27) // about 1 KB
	type shape = struct {
		name   string
		schema *Schema
		value  *Value
	}
	return []shape{
		{"text1K", payload, &Value{Data: text}},
		{"envelope", envelope, envelopeValue()},
		{"numbers", numbers, &Value{Items: []Value{{Int: 7}, {Int: 12345678901}, {Float: 1234.5678}, {Float: 0.1}, {Data: bytesOf("EtaA")}}}},
		{"int64", &Schema{Type: Int64}, &Value{Int: 12345678901}},
		{"bytes1K", &Schema{Type: Bytes}, &Value{Data: text}},
	}
}

// BenchmarkConverter: no converter allocates for values whose schema stays.
func BenchmarkConverter(b *testing.B) {
	for _, name := range []string{"string", "json", "json-schema", "bytes", "binary", "simple", "int64"} {
		for _, s := range shapes() {
			c, err := NewConverter(Options{Converter: name, NullDefault: true})
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := c.Append(nil, s.schema, s.value); err != nil {
				continue // of a type that it does not take
			}
			b.Run(name+"/"+s.name, func(b *testing.B) {
				b.ReportAllocs()
				var out []byte
				for b.Loop() {
					out, _, _ = c.Append(out[:0], s.schema, s.value)
				}
				b.SetBytes(int64(len(out)))
			})
		}
	}
}

func BenchmarkAppendDouble(b *testing.B) {
	for _, c := range []struct {
		name   string
		f      float64
		java18 bool
	}{
		{"java19", 1234.5678, false}, {"java18", 1234.5678, true},
		{"java19-small", 1.2345e-250, false}, {"java18-small", 1.2345e-250, true}, {"java19-one-digit", 0.1, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				out = AppendDouble(out[:0], c.f, c.java18)
			}
		})
	}
}

// TestNoAllocation: the steady state does not allocate.
func TestNoAllocation(t *testing.T) {
	for _, name := range vectorConverters {
		c := converterOf(t, name)
		for _, s := range shapes() {
			out := make([]byte, 0, 1<<14)
			if _, _, err := c.Append(out, s.schema, s.value); err != nil {
				continue
			}
			if n := testing.AllocsPerRun(100, func() { c.Append(out, s.schema, s.value) }); n != 0 {
				t.Errorf("%s, %s: %v allocations", name, s.name, n)
			}
		}
	}
}

func BenchmarkAppendQuoted(b *testing.B) {
	for name, text := range map[string][]byte{
		"json":  bytes.Repeat([]byte(`{"order": 4711, "items": ["a", "bé"]}`), 27),
		"plain": bytes.Repeat([]byte("nothing to escape here. "), 43),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			var out []byte
			for b.Loop() {
				out = appendQuoted(out[:0], text)
			}
		})
	}
}
