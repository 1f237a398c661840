package connect

import (
	"encoding/base64"
	"math"
	"strconv"
)

// maxDepth is how deep Jackson lets objects and arrays nest
// (StreamWriteConstraints).
const maxDepth = 1000

// jsonConverter is JsonConverter. It does not allocate once the texts of the
// schemas that stay are known.
type jsonConverter struct {
	schemas     bool // schemas.enable: the envelope of schema and payload
	numeric     bool // decimal.format
	nullDefault bool // replace.null.with.default
	java18      bool
	texts       schemaTexts
}

func newJSON(o Options) *jsonConverter {
	return &jsonConverter{
		schemas:     o.Converter == "json-schema",
		numeric:     o.Decimals == "numeric",
		nullDefault: o.NullDefault,
		java18:      o.Java18,
	}
}

// Append never gives null: a null value is JSON's null, but for one without a
// schema.
func (c *jsonConverter) Append(dst []byte, s *Schema, v *Value) ([]byte, bool, error) {
	if s == nil {
		if v.Null {
			return dst, true, nil
		}
		return dst, false, errNoSchema
	}
	if !c.schemas {
		out, err := c.value(dst, s, v, 0)
		if err != nil {
			return dst, false, err
		}
		return out, false, nil
	}
	out, err := c.texts.append(append(dst, `{"schema":`...), s, c)
	if err != nil {
		return dst, false, err
	}
	out, err = c.value(append(out, `,"payload":`...), s, v, 1)
	if err != nil {
		return dst, false, err
	}
	return append(out, '}'), false, nil
}

// value appends v, which is depth objects and arrays deep.
func (c *jsonConverter) value(dst []byte, s *Schema, v *Value, depth int) ([]byte, error) {
	if s == nil {
		return dst, errNoSchema
	}
	if v.Null {
		if s.Default == nil || !c.nullDefault || s.Default.Null {
			if !s.Optional {
				return dst, unconvertible("null where the schema (%s) asks for a value and has no default", describe(s))
			}
			return append(dst, "null"...), nil
		}
		v = s.Default
	}
	switch s.Type {
	case String:
		return appendQuoted(dst, v.Data), nil
	case Int8, Int16, Int32, Int64:
		if logical(s) == logicalTime && (v.Int < 0 || v.Int > dayMillis) {
			return dst, unconvertible("a time of day is before 00:00 or after 24:00")
		}
		return strconv.AppendInt(dst, v.Int, 10), nil
	case Boolean:
		return strconv.AppendBool(dst, v.Int != 0), nil
	case Float32, Float64:
		return c.float(dst, s, v), nil
	case Bytes:
		if isDecimal(s) {
			return c.decimal(dst, s, v)
		}
		return appendBase64(dst, v.Data), nil
	}
	if depth++; depth > maxDepth {
		return dst, errDepth
	}
	switch s.Type {
	case Array:
		return c.list(dst, s, v, depth)
	case Map:
		return c.mapping(dst, s, v, depth)
	case Struct:
		return c.structure(dst, s, v, depth)
	}
	return dst, errNoType
}

var errDepth = &Unconvertible{Detail: "objects and arrays are more than 1000 deep"}

// float appends a number, in quotes what is none in JSON.
func (c *jsonConverter) float(dst []byte, s *Schema, v *Value) []byte {
	f := v.Float
	if s.Type == Float32 {
		f = float64(float32(f))
	}
	quote := math.IsNaN(f) || math.IsInf(f, 0)
	if quote {
		dst = append(dst, '"')
	}
	if s.Type == Float32 {
		dst = AppendFloat(dst, float32(f), c.java18)
	} else {
		dst = AppendDouble(dst, f, c.java18)
	}
	if quote {
		dst = append(dst, '"')
	}
	return dst
}

func (c *jsonConverter) decimal(dst []byte, s *Schema, v *Value) ([]byte, error) {
	if c.numeric {
		return appendDecimal(dst, v.Data, s)
	}
	return appendBase64(dst, v.Data), nil
}

func (c *jsonConverter) list(dst []byte, s *Schema, v *Value, depth int) (_ []byte, err error) {
	dst = append(dst, '[')
	for i := range v.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = c.value(dst, s.Items, &v.Items[i], depth); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

// mapping appends an object when the schema's keys are strings, else an array of
// pairs.
func (c *jsonConverter) mapping(dst []byte, s *Schema, v *Value, depth int) (_ []byte, err error) {
	if len(v.Items)%2 != 0 {
		return dst, errOddMap
	}
	if s.Keys == nil {
		return dst, errNoSchema
	}
	if s.Keys.Type == String {
		return c.object(dst, s, v, depth)
	}
	dst = append(dst, '[')
	if depth++; depth > maxDepth && len(v.Items) > 0 {
		return dst, errDepth
	}
	for i := 0; i < len(v.Items); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = c.value(append(dst, '['), s.Keys, &v.Items[i], depth); err != nil {
			return dst, err
		}
		if dst, err = c.value(append(dst, ','), s.Items, &v.Items[i+1], depth); err != nil {
			return dst, err
		}
		dst = append(dst, ']')
	}
	return append(dst, ']'), nil
}

func (c *jsonConverter) object(dst []byte, s *Schema, v *Value, depth int) (_ []byte, err error) {
	dst = append(dst, '{')
	for i := 0; i < len(v.Items); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		if v.Items[i].Null && s.Keys.Optional && (s.Keys.Default == nil || !c.nullDefault) {
			dst = append(dst, `"null"`...) // an absent key's JSON text is its name
		} else if dst, err = c.value(dst, s.Keys, &v.Items[i], depth); err != nil {
			return dst, err
		}
		if dst, err = c.value(append(dst, ':'), s.Items, &v.Items[i+1], depth); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (c *jsonConverter) structure(dst []byte, s *Schema, v *Value, depth int) (_ []byte, err error) {
	if len(v.Items) != len(s.Fields) {
		return dst, errFields
	}
	dst = append(dst, '{')
	for i := range s.Fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuotedName(dst, s.Fields[i].Name), ':')
		if dst, err = c.value(dst, s.Fields[i].Schema, &v.Items[i], depth); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func appendBase64(dst, data []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), data), '"')
}
