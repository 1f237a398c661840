package connect

import (
	"fmt"
	"math"
	"strings"
)

// Converter turns a value into the bytes of a record's key, value or header. It
// is for use by one goroutine.
type Converter interface {
	// Append appends the bytes of v, a value of s, to dst. With null the part is
	// null and nothing is appended. The error is an *Unconvertible; then too
	// nothing is appended.
	Append(dst []byte, s *Schema, v *Value) (out []byte, null bool, err error)
}

// Unconvertible is a value that cannot become what is asked for; in Kafka
// Connect it ends the task. Detail says what is wrong with it, never its content.
type Unconvertible struct{ Detail string }

func (e *Unconvertible) Error() string { return e.Detail }

func unconvertible(format string, args ...any) error {
	return &Unconvertible{Detail: fmt.Sprintf(format, args...)}
}

// Options choose a converter and how it works. What a converter has no use for
// it ignores.
type Options struct {
	// Converter is one of
	//
	//	string       StringConverter: the Java object's toString
	//	json         JsonConverter, schemas.enable=false
	//	json-schema  JsonConverter, schemas.enable=true (Connect's default)
	//	bytes        ByteArrayConverter
	//	binary       Debezium's BinaryDataConverter: bytes, the rest to Delegate
	//	simple       SimpleHeaderConverter
	//	int16, int32, int64, float32, float64, boolean
	//	             Connect's ShortConverter, IntegerConverter, LongConverter,
	//	             FloatConverter, DoubleConverter and BooleanConverter
	Converter string
	// Delegate is the converter to which binary gives what is not bytes: any of
	// the above but binary. Without one such a value is unconvertible. In a header
	// Debezium never sets it up, and fails on what is not bytes; here it works there, too.
	Delegate string
	// Decimals is JsonConverter's decimal.format: base64 (also "") or numeric.
	Decimals string
	// NullDefault is JsonConverter's replace.null.with.default, which is true in
	// Connect unless it is set: NULL goes out as the schema's default.
	NullDefault bool
	// Java18 prints floating-point numbers as Java up to 18 does, which at times
	// gives digits too many; else as Java from 19 on.
	Java18 bool
}

// NewConverter gives the converter that o asks for. The error says which option
// has a value that is none of those it may have.
func NewConverter(o Options) (Converter, error) {
	switch o.Decimals {
	case "", "base64", "numeric":
	default:
		return nil, fmt.Errorf("decimals: %q is not base64 or numeric", o.Decimals)
	}
	switch o.Converter {
	case "string":
		return &stringConverter{java18: o.Java18}, nil
	case "json", "json-schema":
		return newJSON(o), nil
	case "bytes":
		return bytesConverter{}, nil
	case "binary":
		return newBinary(o)
	case "simple":
		return &simpleConverter{java18: o.Java18}, nil
	}
	if t, ok := numberTypes[o.Converter]; ok {
		return numberConverter{of: t}, nil
	}
	return nil, fmt.Errorf("converter: %q is not string, json, json-schema, bytes, binary, simple, %s",
		o.Converter, "int16, int32, int64, float32, float64 or boolean")
}

func newBinary(o Options) (Converter, error) {
	if o.Delegate == "" {
		return &binaryConverter{}, nil
	}
	if o.Delegate == "binary" {
		return nil, fmt.Errorf("delegate: binary cannot be its own delegate; name another converter")
	}
	o.Converter, o.Delegate = o.Delegate, ""
	d, err := NewConverter(o)
	if err != nil {
		return nil, fmt.Errorf("delegate: %s", strings.TrimPrefix(err.Error(), "converter: "))
	}
	return &binaryConverter{delegate: d}, nil
}

// bytesConverter is ByteArrayConverter: bytes as they are, nothing else. The
// schema is looked at even when the value is null.
type bytesConverter struct{}

func (bytesConverter) Append(dst []byte, s *Schema, v *Value) ([]byte, bool, error) {
	if s == nil || s.Type != Bytes {
		return dst, false, unconvertible("the bytes converter takes bytes, this is %s", describe(s))
	}
	if v.Null {
		return dst, true, nil
	}
	if isDecimal(s) {
		return dst, false, unconvertible("the bytes converter takes bytes, this is a decimal")
	}
	return append(dst, v.Data...), false, nil
}

// binaryConverter is Debezium's BinaryDataConverter.
type binaryConverter struct{ delegate Converter }

func (c *binaryConverter) Append(dst []byte, s *Schema, v *Value) ([]byte, bool, error) {
	if s != nil && s.Type == Bytes {
		if v.Null {
			return dst, true, nil
		}
		if !isDecimal(s) {
			return append(dst, v.Data...), false, nil
		}
	}
	if c.delegate == nil {
		return dst, false, unconvertible("the binary converter takes bytes, this is %s: set a delegate", describe(s))
	}
	return c.delegate.Append(dst, s, v)
}

var numberTypes = map[string]Type{
	"int16": Int16, "int32": Int32, "int64": Int64,
	"float32": Float32, "float64": Float64, "boolean": Boolean,
}

// numberConverter is Connect's converters of numbers and booleans: the value in
// big-endian binary. They take no type but their own, however it would fit.
type numberConverter struct{ of Type }

func (c numberConverter) Append(dst []byte, s *Schema, v *Value) ([]byte, bool, error) {
	fits := s != nil && s.Type == c.of && logical(s) == notLogical
	if v.Null && (fits || c.of != Boolean || s != nil && s.Type == Boolean) {
		return dst, true, nil // only the boolean converter minds the schema of a null
	}
	if !fits {
		return dst, false, unconvertible("the %s converter takes no other type, this is %s", c.of, describe(s))
	}
	switch c.of {
	case Int16:
		return append(dst, byte(v.Int>>8), byte(v.Int)), false, nil
	case Int32:
		return appendUint32(dst, uint32(v.Int)), false, nil
	case Int64:
		return appendUint64(dst, uint64(v.Int)), false, nil
	case Float32:
		return appendUint32(dst, float32Bits(v.Float)), false, nil
	case Float64:
		return appendUint64(dst, float64Bits(v.Float)), false, nil
	}
	return append(dst, byte(v.Int&1)), false, nil
}

func appendUint32(dst []byte, u uint32) []byte {
	return append(dst, byte(u>>24), byte(u>>16), byte(u>>8), byte(u))
}

func appendUint64(dst []byte, u uint64) []byte {
	return appendUint32(appendUint32(dst, uint32(u>>32)), uint32(u))
}

// float32Bits and float64Bits give Java's one NaN, which is not Go's.
func float32Bits(f float64) uint32 {
	if f != f {
		return 0x7fc00000
	}
	return math.Float32bits(float32(f))
}

func float64Bits(f float64) uint64 {
	if f != f {
		return 0x7ff8000000000000
	}
	return math.Float64bits(f)
}

// describe names a schema's type for an error.
func describe(s *Schema) string {
	if s == nil {
		return "a value without a schema"
	}
	if s.Name != "" {
		return s.Type.String() + " (" + s.Name + ")"
	}
	return s.Type.String()
}
