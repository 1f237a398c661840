package connect

import (
	"encoding/base64"
	"strconv"
)

// simpleConverter is SimpleHeaderConverter, that is Values.convertToString: like
// JSON, but with strings and bytes bare when they stand alone, with no escapes
// but those of quote and backslash, and with keys of any type.
//
// A struct's null field shows the default of its schema. Dates are printed as in
// a JVM whose time zone is UTC.
type simpleConverter struct{ java18 bool }

func (c *simpleConverter) Append(dst []byte, s *Schema, v *Value) ([]byte, bool, error) {
	if v.Null {
		return dst, true, nil
	}
	out, err := c.value(dst, s, v, false)
	if err != nil {
		return dst, false, err
	}
	return out, false, nil
}

func (c *simpleConverter) value(dst []byte, s *Schema, v *Value, embedded bool) ([]byte, error) {
	if v.Null {
		return append(dst, "null"...), nil
	}
	if s == nil {
		return dst, errNoSchema
	}
	switch s.Type {
	case String:
		if embedded {
			return appendEscaped(dst, v.Data), nil
		}
		return appendUTF8(dst, v.Data), nil
	case Int8, Int16, Int32, Int64:
		if l := logical(s); l != notLogical {
			return appendDateFormat(dst, millis(l, v.Int)), nil
		}
		return strconv.AppendInt(dst, v.Int, 10), nil
	case Boolean:
		return strconv.AppendBool(dst, v.Int != 0), nil
	case Float32:
		return AppendFloat(dst, float32(v.Float), c.java18), nil
	case Float64:
		return AppendDouble(dst, v.Float, c.java18), nil
	case Bytes:
		if isDecimal(s) {
			return appendDecimal(dst, v.Data, s)
		}
		if !embedded {
			return base64.StdEncoding.AppendEncode(dst, v.Data), nil
		}
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.Data), '"'), nil
	case Array:
		return c.list(dst, s, v)
	case Map:
		return c.mapping(dst, s, v)
	case Struct:
		return c.structure(dst, s, v)
	}
	return dst, errNoType
}

func (c *simpleConverter) list(dst []byte, s *Schema, v *Value) (_ []byte, err error) {
	dst = append(dst, '[')
	for i := range v.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = c.value(dst, s.Items, &v.Items[i], true); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (c *simpleConverter) mapping(dst []byte, s *Schema, v *Value) (_ []byte, err error) {
	if len(v.Items)%2 != 0 {
		return dst, errOddMap
	}
	dst = append(dst, '{')
	for i := 0; i < len(v.Items); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = c.value(dst, s.Keys, &v.Items[i], true); err != nil {
			return dst, err
		}
		dst = append(dst, ':')
		if dst, err = c.value(dst, s.Items, &v.Items[i+1], true); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (c *simpleConverter) structure(dst []byte, s *Schema, v *Value) (_ []byte, err error) {
	if len(v.Items) != len(s.Fields) {
		return dst, errFields
	}
	dst = append(dst, '{')
	for i := range s.Fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendEscaped(dst, s.Fields[i].Name), ':')
		fs, fv := s.Fields[i].Schema, &v.Items[i]
		if fv.Null && fs != nil && fs.Default != nil {
			fv = fs.Default // Struct.get
		}
		if dst, err = c.value(dst, fs, fv, true); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// appendEscaped appends text in quotes, with a backslash before every quote and
// backslash, and nothing else escaped.
func appendEscaped[T []byte | string](dst []byte, text T) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b == 0xed && isSurrogate([]byte(text[i:min(i+3, len(text))])):
			dst = append(dst, '?')
			i += 2
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}
