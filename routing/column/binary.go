package column

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"

	"github.com/walrelay/walrelay/routing/connect"
)

var (
	errBytea = fault("a bytea is not in hex format")
	errBit   = fault("a bit string has other characters than 0 and 1")
)

// binary is the part for bytea and the bit strings.
func (m *mapper) binary(t *shape) *part {
	switch t.name {
	case "bytea":
		s, build := m.bytes()
		return &part{schema: s, read: func(text []byte, a *connect.Arena) (connect.Value, error) {
			if len(text) < 2 || text[0] != '\\' || text[1] != 'x' {
				return null, errBytea
			}
			raw := a.Bytes(hex.DecodedLen(len(text) - 2))
			if _, err := hex.Decode(raw, text[2:]); err != nil {
				return null, errBytea
			}
			return connect.Value{Data: build(raw, a)}, nil
		}}
	case "bit", "varbit":
		if t.precision() == 1 {
			return &part{schema: plainType(connect.Boolean), read: readBit}
		}
		s := logical(connect.Bytes, "io.debezium.data.Bits", connect.Parameter{Name: "length", Value: strconv.Itoa(t.precision())})
		s.Class = connect.ByteArray
		return &part{schema: s, read: readBits}
	}
	return nil
}

// bytes is how binary data goes out: the schema, and what is made of the bytes.
func (m *mapper) bytes() (connect.Schema, func(raw []byte, a *connect.Arena) []byte) {
	switch m.modes.Binary {
	case "base64":
		return plainType(connect.String), func(raw []byte, a *connect.Arena) []byte {
			return base64.StdEncoding.AppendEncode(room(a, base64.StdEncoding.EncodedLen(len(raw))), raw)
		}
	case "base64-url-safe":
		return plainType(connect.String), func(raw []byte, a *connect.Arena) []byte {
			return base64.URLEncoding.AppendEncode(room(a, base64.URLEncoding.EncodedLen(len(raw))), raw)
		}
	case "hex":
		return plainType(connect.String), func(raw []byte, a *connect.Arena) []byte {
			return hex.AppendEncode(room(a, hex.EncodedLen(len(raw))), raw)
		}
	}
	return connect.Schema{Type: connect.Bytes, Class: connect.ByteBuffer}, func(raw []byte, _ *connect.Arena) []byte { return raw }
}

// readBit reads a bit string of length 1, or the 0 to 1 bits of a bit varying(1).
func readBit(text []byte, _ *connect.Arena) (connect.Value, error) {
	switch string(text) {
	case "0":
		return connect.Value{}, nil
	case "1":
		return connect.Value{Int: 1}, nil
	case "":
		return null, warned
	}
	return null, errBit
}

// readBits turns a bit string into bytes, the last bit in the lowest of the
// first byte, without the zero bytes at the end.
func readBits(text []byte, a *connect.Arena) (connect.Value, error) {
	out := a.Bytes((len(text) + 7) / 8)
	used := 0
	for i := range text {
		switch text[len(text)-1-i] {
		case '0':
		case '1':
			out[i/8] |= 1 << (i % 8)
			used = i/8 + 1
		default:
			return null, errBit
		}
	}
	return connect.Value{Data: out[:used]}, nil
}

// unmappedArrays are those that Debezium never captures.
var unmappedArrays = map[string]bool{"money": true, "name": true, "interval": true, "varbit": true, "xml": true, "point": true, "refcursor": true}

// unknown is the part for the types that Debezium passes on as binary data when
// it is asked to.
func (m *mapper) unknown(t *shape) *part {
	if !m.modes.Unknown {
		return nil
	}
	s, build := m.bytes()
	rewrite := geometric(t.name, m.modes.Java18)
	return &part{schema: s, read: func(text []byte, a *connect.Arena) (connect.Value, error) {
		if rewrite != nil {
			var err error
			if text, err = rewrite(text, a); err != nil {
				return null, err
			}
		}
		return connect.Value{Data: build(text, a)}, nil
	}}
}
