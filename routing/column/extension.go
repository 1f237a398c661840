package column

import (
	"encoding/binary"
	"encoding/hex"
	"math"

	"github.com/walrelay/walrelay/routing/connect"
)

var (
	errPoint  = fault("a point is not (x,y)")
	errShape  = fault("a geometric value is not in PostgreSQL's format")
	errVector = fault("a vector is not in pgvector's format")
)

// extension is the part for points, and for the types of extensions that Debezium
// knows by name: hstore, PostGIS and pgvector.
func (m *mapper) extension(t *shape) *part {
	switch t.name {
	case "hstore":
		return m.hstore()
	case "point":
		s := structure("io.debezium.data.geometry.Point", "Geometry (POINT)")
		s.Fields = []connect.Field{{Name: "x", Schema: &connect.Schema{Type: connect.Float64}}, {Name: "y", Schema: &connect.Schema{Type: connect.Float64}},
			{Name: "wkb", Schema: &connect.Schema{Type: connect.Bytes, Class: connect.ByteArray, Optional: true}},
			{Name: "srid", Schema: &connect.Schema{Type: connect.Int32, Optional: true}}}
		return &part{schema: s, read: readPoint}
	case "geometry", "geography":
		s := structure("io.debezium.data.geometry.Geometry", "Geometry")
		s.Optional = true
		if t.name == "geography" {
			s = structure("io.debezium.data.geometry.Geography", "Geography")
		}
		s.Fields = []connect.Field{{Name: "wkb", Schema: &connect.Schema{Type: connect.Bytes, Class: connect.ByteArray}},
			{Name: "srid", Schema: &connect.Schema{Type: connect.Int32, Optional: true}}}
		return &part{schema: s, read: readGeometry}
	case "vector", "halfvec":
		s, bits := logical(connect.Array, "io.debezium.data.DoubleVector"), 64
		s.Items = &connect.Schema{Type: connect.Float64}
		if t.name == "halfvec" {
			s, bits = logical(connect.Array, "io.debezium.data.FloatVector"), 32
			s.Items = &connect.Schema{Type: connect.Float32}
		}
		return &part{schema: s, read: func(text []byte, a *connect.Arena) (connect.Value, error) { return readVector(text, a, bits) }}
	case "sparsevec":
		s := structure("io.debezium.data.SparseDoubleVector", "Sparse double vector")
		s.Fields = []connect.Field{{Name: "dimensions", Schema: &connect.Schema{Type: connect.Int16}},
			{Name: "vector", Schema: &connect.Schema{Type: connect.Map, Keys: &connect.Schema{Type: connect.Int16}, Items: &connect.Schema{Type: connect.Float64}}}}
		return &part{schema: s, read: readSparse}
	}
	return nil
}

func structure(name, doc string) connect.Schema {
	s := logical(connect.Struct, name)
	s.Doc = doc
	return s
}

// readPoint adds the point as well-known binary, little endian.
func readPoint(text []byte, a *connect.Arena) (connect.Value, error) {
	if len(text) < 5 || text[0] != '(' || text[len(text)-1] != ')' {
		return null, errPoint
	}
	first, second, found := cut(text[1:len(text)-1], ',')
	x, ok := parseFloat(first, 64)
	y, okY := parseFloat(second, 64)
	if !found || !ok || !okY {
		return null, errPoint
	}
	wkb := a.Bytes(21)
	wkb[0], wkb[1] = 1, 1
	binary.LittleEndian.PutUint64(wkb[5:], math.Float64bits(x))
	binary.LittleEndian.PutUint64(wkb[13:], math.Float64bits(y))
	fields := a.Values(4)
	fields[0].Float, fields[1].Float, fields[2].Data, fields[3].Null = x, y, wkb, true
	return connect.Value{Items: fields}, nil
}

func cut(text []byte, at byte) (before, after []byte, found bool) {
	for i, c := range text {
		if c == at {
			return text[:i], text[i+1:], true
		}
	}
	return text, nil, false
}

// readGeometry takes PostGIS's extended well-known binary as it is. What is none
// Debezium writes as null.
func readGeometry(text []byte, a *connect.Arena) (connect.Value, error) {
	const withSRID = 0x20000000
	wkb := a.Bytes(hex.DecodedLen(len(text)))
	if _, err := hex.Decode(wkb, text); err != nil || len(wkb) < 9 {
		return null, nil
	}
	var order binary.ByteOrder = binary.BigEndian
	if wkb[0] != 0 {
		order = binary.LittleEndian
	}
	fields := a.Values(2)
	fields[0].Data = wkb
	if fields[1].Null = order.Uint32(wkb[1:])&withSRID == 0; !fields[1].Null {
		fields[1].Int = int64(int32(order.Uint32(wkb[5:])))
	}
	return connect.Value{Items: fields}, nil
}

func readVector(text []byte, a *connect.Arena, bits int) (connect.Value, error) {
	if len(text) < 3 || text[0] != '[' || text[len(text)-1] != ']' {
		return null, errVector
	}
	rest := text[1 : len(text)-1]
	items := a.Values(count(rest, ',') + 1)
	for i := range items {
		var one []byte
		var ok bool
		one, rest, _ = cut(rest, ',')
		if items[i].Float, ok = parseFloat(one, bits); !ok {
			return null, errVector
		}
	}
	return connect.Value{Items: items}, nil
}

func count(text []byte, c byte) (n int) {
	for _, at := range text {
		if at == c {
			n++
		}
	}
	return n
}

// readSparse reads {index:value,...}/dimensions. Debezium holds both indexes and
// dimensions as 16-bit integers; larger ones it can't convert.
func readSparse(text []byte, a *connect.Arena) (connect.Value, error) {
	body, after, found := cut(text, '/')
	dimensions, ok := parseInt(after)
	if !found || !ok || len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
		return null, errVector
	}
	var entries []connect.Value
	rest, large := body[1:len(body)-1], dimensions != int64(int16(dimensions))
	if len(rest) > 0 {
		entries = a.Values(2 * (count(rest, ',') + 1))
	}
	for i := 0; i < len(entries); i += 2 {
		var one []byte
		one, rest, _ = cut(rest, ',')
		index, value, _ := cut(one, ':')
		f, okValue := parseFloat(value, 64)
		n, ok := parseInt(index)
		if !ok || !okValue {
			return null, errVector
		}
		large = large || n != int64(int16(n))
		entries[i].Int, entries[i+1].Float = n, f
	}
	if large {
		return null, warned
	}
	hashMapOrder(entries, len(entries)/2, func(key *connect.Value) int32 { return int32(key.Int) })
	fields := a.Values(2)
	fields[0].Int, fields[1].Items = dimensions, entries
	return connect.Value{Items: fields}, nil
}

// geometric gives what PostgreSQL's JDBC driver does to the text of a geometric
// type, nil when it leaves it alone: numbers become Java's doubles.
func geometric(name string, java18 bool) func(text []byte, a *connect.Arena) ([]byte, error) {
	switch name {
	case "box", "circle", "line", "lseg", "path", "polygon":
	default:
		return nil
	}
	return func(text []byte, a *connect.Arena) ([]byte, error) {
		out := room(a, 3*len(text)+16)
		for i := 0; i < len(text); {
			c := text[i]
			if c == '(' || c == ')' || c == '[' || c == ']' || c == '{' || c == '}' || c == '<' || c == '>' || c == ',' {
				out = append(out, c)
				i++
				continue
			}
			end := i
			for end < len(text) && text[end] != ',' && text[end] != ')' && text[end] != '>' && text[end] != '}' {
				end++
			}
			f, ok := parseFloat(text[i:end], 64)
			if !ok {
				return nil, errShape
			}
			out = connect.AppendDouble(out, f, java18)
			i = end
		}
		return out, nil
	}
}
