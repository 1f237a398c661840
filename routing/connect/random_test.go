package connect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

// generator makes random schemas and values of them: those that Debezium's
// columns and expanded payloads have, and stranger ones.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) *generator { return &generator{rand.New(rand.NewPCG(seed, 1))} }

func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

var scalars = []Type{Int8, Int16, Int32, Int64, Float32, Float64, Boolean, String, String, Bytes}

// schema makes a schema; strict leaves out what has no default and is null all
// the same.
func (g *generator) schema(depth int) *Schema {
	t := scalars[g.IntN(len(scalars))]
	if depth > 0 && g.oneIn(2) {
		t = []Type{Array, Map, Struct}[g.IntN(3)]
	}
	s := &Schema{Type: t, Optional: !g.oneIn(3)}
	switch {
	case t == Bytes:
		g.bytesSchema(s)
	case t == Int32 && g.oneIn(3):
		s.Name = []string{dateName, timeName}[g.IntN(2)]
	case t == Int64 && g.oneIn(3):
		s.Name = timestampName
	case g.oneIn(4):
		s.Name = g.text(6)
	}
	if g.oneIn(5) {
		s.Version, s.HasVersion = int32(g.IntN(4)-1), true
	}
	if g.oneIn(6) {
		s.Doc = g.text(10)
	}
	for i := range g.IntN(3) {
		s.Parameters = append(s.Parameters, Parameter{fmt.Sprint(g.text(3), i), g.text(5)})
	}
	switch t {
	case Array:
		s.Items = g.schema(depth - 1)
	case Map:
		s.Keys, s.Items = g.schema(0), g.schema(depth-1)
		if g.oneIn(2) {
			s.Keys = &Schema{Type: String, Optional: g.oneIn(3)}
		}
	case Struct:
		for i := range g.IntN(5) {
			s.Fields = append(s.Fields, Field{fmt.Sprint(g.text(4), i), g.schema(depth - 1)})
		}
	default:
		if g.oneIn(4) {
			v := g.value(s)
			if !v.Null {
				s.Default = &v
			}
		}
	}
	return s
}

func (g *generator) bytesSchema(s *Schema) {
	s.Class = Class(g.IntN(3))
	if s.Class != BigDecimal {
		return
	}
	s.Name, s.Version, s.HasVersion = decimalName, 1, true
	scale := g.IntN(12) - 3
	if g.oneIn(5) {
		scale = g.IntN(60) - 20
	}
	s.Parameters = []Parameter{{"scale", strconv.Itoa(scale)}}
}

func (g *generator) value(s *Schema) Value {
	if g.oneIn(6) && (s.Optional || s.Default != nil) {
		return Value{Null: true}
	}
	switch s.Type {
	case Int8:
		return Value{Int: int64(int8(g.Uint64()))}
	case Int16:
		return Value{Int: int64(int16(g.Uint64()))}
	case Int32:
		switch s.Name {
		case dateName:
			return Value{Int: int64(g.IntN(1500000) - 750000)}
		case timeName:
			return Value{Int: int64(g.IntN(86400100) - 50)}
		}
		return Value{Int: int64(int32(g.Uint64()) >> g.IntN(31))}
	case Int64:
		if s.Name == timestampName {
			ms := g.Int64() >> (12 + g.IntN(40))
			if g.oneIn(4) {
				ms -= ms % dayMillis
			}
			return Value{Int: ms}
		}
		return Value{Int: int64(g.Uint64()) >> g.IntN(63)}
	case Boolean:
		return Value{Int: int64(g.IntN(2))}
	case Float32:
		return Value{Float: float64(float32(g.float()))}
	case Float64:
		return Value{Float: g.float()}
	case String:
		return Value{Data: []byte(g.text(20))}
	case Bytes:
		return Value{Data: g.data(s)}
	}
	return g.parts(s)
}

func (g *generator) parts(s *Schema) Value {
	n := g.IntN(4)
	switch s.Type {
	case Map:
		n = 2 * min(n, 2) // a boolean key has no third value
	case Struct:
		n = len(s.Fields)
	}
	v := Value{Items: make([]Value, n)}
	for i := range v.Items {
		v.Items[i] = g.value(s.item(i))
	}
	if s.Type == Map {
		g.distinct(s, v.Items)
	}
	return v
}

// distinct makes the keys of a map of strings differ, as a map's do.
func (g *generator) distinct(s *Schema, items []Value) {
	for i := 0; i < len(items); i += 2 {
		switch s.Keys.Type {
		case String, Bytes:
			items[i] = Value{Data: append([]byte{byte('a' + i)}, items[i].Data...)}
		default:
			items[i] = Value{Int: int64(i / 2), Float: float64(i) / 2}
		}
	}
}

func (g *generator) data(s *Schema) []byte {
	n := g.IntN(12)
	if s.Class == BigDecimal {
		n++
		if g.oneIn(8) {
			n += g.IntN(40)
		}
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	if s.Class == BigDecimal { // BigInteger.toByteArray has no byte too many
		for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
			b = b[1:]
		}
	}
	return b
}

func (g *generator) float() float64 {
	switch g.IntN(8) {
	case 0:
		return []float64{0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64,
			math.SmallestNonzeroFloat64, 1e23, 2e-3, 1e7, 1e-3, 9999999, 0.001, 100, 1.1}[g.IntN(17)]
	case 1, 2:
		return math.Float64frombits(g.Uint64())
	case 3:
		return float64(g.Int32())
	}
	return float64(g.Int64N(1e7)) / math.Pow10(g.IntN(10))
}

var alphabet = []string{"a", "b", "Z", "0", " ", "_", ".", "/", "<", ">", "&", "'", `"`, `\`, "\b", "\f", "\n", "\r", "\t", "\x00",
	"\x01", "\x1f", "\x7f", "\u0080", "é", "ß", "\u2028", "\u2029", "€", "日", "\ufffd", "\ufeff", "\uffff", "😀", "\U0010ffff", "𐀀"}

func (g *generator) text(most int) string {
	n, from := g.IntN(most+1), len(alphabet)
	if g.oneIn(2) {
		from = 6
	}
	s := ""
	for range n {
		s += alphabet[g.IntN(from)]
	}
	return s
}
