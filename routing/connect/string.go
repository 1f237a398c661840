package connect

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"
)

// stringConverter is StringConverter: Java's toString of the value, in UTF-8.
//
// It differs from Java where Java's text is of no use and not the same in two
// runs: a byte[] is "[B@" and its address there, and its base64 here. A
// java.util.Date is printed as in a JVM whose time zone is UTC.
type stringConverter struct{ java18 bool }

func (c *stringConverter) Append(dst []byte, s *Schema, v *Value) ([]byte, bool, error) {
	if v.Null {
		return dst, true, nil
	}
	out, err := c.toString(dst, s, v)
	if err != nil {
		return dst, false, err
	}
	return out, false, nil
}

// toString appends the toString of v, which is not null.
func (c *stringConverter) toString(dst []byte, s *Schema, v *Value) ([]byte, error) {
	if s == nil {
		return dst, errNoSchema
	}
	switch s.Type {
	case String:
		return appendUTF8(dst, v.Data), nil
	case Int8, Int16, Int32, Int64:
		if l := logical(s); l != notLogical {
			return appendDateString(dst, millis(l, v.Int)), nil
		}
		return strconv.AppendInt(dst, v.Int, 10), nil
	case Boolean:
		return strconv.AppendBool(dst, v.Int != 0), nil
	case Float32:
		return AppendFloat(dst, float32(v.Float), c.java18), nil
	case Float64:
		return AppendDouble(dst, v.Float, c.java18), nil
	case Bytes:
		return c.bytes(dst, s, v)
	case Array:
		return c.list(dst, s, v)
	case Map:
		return c.mapping(dst, s, v)
	case Struct:
		return c.structure(dst, s, v)
	}
	return dst, errNoType
}

func (c *stringConverter) bytes(dst []byte, s *Schema, v *Value) ([]byte, error) {
	switch {
	case isDecimal(s):
		return appendDecimal(dst, v.Data, s)
	case s.Class == ByteArray:
		return base64.StdEncoding.AppendEncode(dst, v.Data), nil
	}
	dst = append(dst, "java.nio.HeapByteBuffer[pos=0 lim="...)
	dst = strconv.AppendInt(dst, int64(len(v.Data)), 10)
	dst = append(dst, " cap="...)
	dst = strconv.AppendInt(dst, int64(len(v.Data)), 10)
	return append(dst, ']'), nil
}

// valueOf is Java's String.valueOf: toString, or "null".
func (c *stringConverter) valueOf(dst []byte, s *Schema, v *Value) ([]byte, error) {
	if v.Null {
		return append(dst, "null"...), nil
	}
	return c.toString(dst, s, v)
}

func (c *stringConverter) list(dst []byte, s *Schema, v *Value) (_ []byte, err error) {
	dst = append(dst, '[')
	for i := range v.Items {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if dst, err = c.valueOf(dst, s.Items, &v.Items[i]); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (c *stringConverter) mapping(dst []byte, s *Schema, v *Value) (_ []byte, err error) {
	if len(v.Items)%2 != 0 {
		return dst, errOddMap
	}
	dst = append(dst, '{')
	for i := 0; i < len(v.Items); i += 2 {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if dst, err = c.valueOf(dst, s.Keys, &v.Items[i]); err != nil {
			return dst, err
		}
		dst = append(dst, '=')
		if dst, err = c.valueOf(dst, s.Items, &v.Items[i+1]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// structure is Struct.toString, which leaves out null fields.
func (c *stringConverter) structure(dst []byte, s *Schema, v *Value) (_ []byte, err error) {
	if len(v.Items) != len(s.Fields) {
		return dst, errFields
	}
	dst = append(dst, "Struct{"...)
	first := true
	for i := range s.Fields {
		if v.Items[i].Null {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, s.Fields[i].Name...)
		dst = append(dst, '=')
		if dst, err = c.toString(dst, s.Fields[i].Schema, &v.Items[i]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// What only a mistake in the program can bring about.
var (
	errNoSchema = &Unconvertible{Detail: "a value without a schema cannot be converted"}
	errNoType   = &Unconvertible{Detail: "a schema is of no known type"}
	errOddMap   = &Unconvertible{Detail: "a map has a key without a value"}
	errFields   = &Unconvertible{Detail: "a struct has not one value for each of its fields"}
)

// appendUTF8 appends text as Java's String.getBytes(UTF_8) gives it. Half a
// surrogate pair, which JSON's \ud800 makes and which stands in a Value as the
// three bytes that UTF-8's scheme would give it, becomes a question mark. Other
// bytes that are no UTF-8, which only a database in SQL_ASCII has, stay.
func appendUTF8(dst, text []byte) []byte {
	if utf8.Valid(text) {
		return append(dst, text...)
	}
	for len(text) > 0 {
		if isSurrogate(text) {
			dst, text = append(dst, '?'), text[3:]
			continue
		}
		_, n := utf8.DecodeRune(text)
		dst, text = append(dst, text[:n]...), text[n:]
	}
	return dst
}

// isSurrogate says whether text begins with a lone surrogate in UTF-8's scheme.
func isSurrogate(text []byte) bool {
	return len(text) >= 3 && text[0] == 0xed && text[1]&0xe0 == 0xa0 && text[2]&0xc0 == 0x80
}
