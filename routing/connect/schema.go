package connect

import "slices"

// Type is the type of a Schema, Connect's Schema.Type.
type Type uint8

// The types, with what of a Value counts for each.
const (
	Int8    Type = iota + 1 // Int
	Int16                   // Int
	Int32                   // Int
	Int64                   // Int
	Float32                 // Float
	Float64                 // Float
	Boolean                 // Int, 0 or 1
	String                  // Data, UTF-8
	Bytes                   // Data
	Array                   // Items, the elements
	Map                     // Items, key and value by turns
	Struct                  // Items, one for each of the schema's fields
)

// typeNames are the types' names in Connect, and typeTexts those in JSON
// schemas, which differ for floating point.
var (
	typeNames = [...]string{"no type", "int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "bytes", "array", "map", "struct"}
	typeTexts = [...]string{"", "int8", "int16", "int32", "int64", "float", "double", "boolean", "string", "bytes", "array", "map", "struct"}
)

// String gives the type's name in Connect, in lower case.
func (t Type) String() string {
	if int(t) >= len(typeNames) {
		t = 0
	}
	return typeNames[t]
}

// Class is the Java class that a value of type Bytes has in Kafka Connect. Only
// what prints Java's toString can tell them apart.
type Class uint8

// The classes. A BigDecimal's schema is org.apache.kafka.connect.data.Decimal
// with the parameter "scale"; its bytes are the unscaled value, two's
// complement, big endian.
const (
	ByteBuffer Class = iota
	ByteArray
	BigDecimal
)

// Schema describes values. It must not change once it is in use.
type Schema struct {
	Type       Type
	Optional   bool
	Name       string // "": none
	Version    int32
	HasVersion bool
	Doc        string      // "": none
	Parameters []Parameter // in the order in which JSON shows them
	Default    *Value      // nil: none
	Fields     []Field     // of a Struct
	Items      *Schema     // of an Array's elements, of a Map's values
	Keys       *Schema     // of a Map's keys
	Class      Class       // of Bytes
}

// Parameter is one of a schema's parameters.
type Parameter struct{ Name, Value string }

// Field is one field of a Struct.
type Field struct {
	Name   string
	Schema *Schema
}

// The names of Connect's own logical types. A value of Date, Time or Timestamp
// is a java.util.Date there, and that is what the converters print; its Int is
// days since 1970, milliseconds since midnight, or milliseconds since 1970.
const (
	decimalName   = "org.apache.kafka.connect.data.Decimal"
	dateName      = "org.apache.kafka.connect.data.Date"
	timeName      = "org.apache.kafka.connect.data.Time"
	timestampName = "org.apache.kafka.connect.data.Timestamp"
)

// logicalType says whether a schema is one of Connect's logical types.
type logicalType uint8

const (
	notLogical logicalType = iota
	logicalDecimal
	logicalDate
	logicalTime
	logicalTimestamp
)

func logical(s *Schema) logicalType {
	switch {
	case s.Type == Bytes && (s.Class == BigDecimal || s.Name == decimalName):
		return logicalDecimal
	case s.Type == Int32 && s.Name == dateName:
		return logicalDate
	case s.Type == Int32 && s.Name == timeName:
		return logicalTime
	case s.Type == Int64 && s.Name == timestampName:
		return logicalTimestamp
	}
	return notLogical
}

func isDecimal(s *Schema) bool { return s.Type == Bytes && logical(s) == logicalDecimal }

// Equal says whether a and b describe the same values, as Connect's
// ConnectSchema.equals does, which does not mind the order of the parameters.
// The Class counts as well: Connect knows it from the value.
func Equal(a, b *Schema) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil {
		return false
	}
	if a.Type != b.Type || a.Optional != b.Optional || a.Name != b.Name || a.Class != b.Class ||
		a.HasVersion != b.HasVersion || a.HasVersion && a.Version != b.Version || a.Doc != b.Doc ||
		len(a.Fields) != len(b.Fields) || len(a.Parameters) != len(b.Parameters) {
		return false
	}
	for i := range a.Fields {
		if a.Fields[i].Name != b.Fields[i].Name || !Equal(a.Fields[i].Schema, b.Fields[i].Schema) {
			return false
		}
	}
	for _, p := range a.Parameters {
		if !slices.Contains(b.Parameters, p) {
			return false
		}
	}
	return Equal(a.Items, b.Items) && Equal(a.Keys, b.Keys) && equalDefaults(a, b)
}

func equalDefaults(a, b *Schema) bool {
	if a.Default == nil || b.Default == nil {
		return a.Default == b.Default
	}
	return equalValues(a, a.Default, b.Default)
}

// equalValues compares two values of s as Java's equals does: NaN is NaN, and
// 0.0 is not -0.0.
func equalValues(s *Schema, a, b *Value) bool {
	if s == nil || a.Null || b.Null {
		return s != nil && a.Null && b.Null
	}
	switch s.Type {
	case Float32:
		return float32Bits(a.Float) == float32Bits(b.Float)
	case Float64:
		return float64Bits(a.Float) == float64Bits(b.Float)
	case String, Bytes:
		return string(a.Data) == string(b.Data)
	case Array, Map, Struct:
		if len(a.Items) != len(b.Items) {
			return false
		}
		for i := range a.Items {
			if !equalValues(s.item(i), &a.Items[i], &b.Items[i]) {
				return false
			}
		}
		return true
	}
	return a.Int == b.Int
}

// item is the schema of the i-th of a value's Items; nil when there is none.
func (s *Schema) item(i int) *Schema {
	switch {
	case s.Type == Struct:
		if i >= len(s.Fields) {
			return nil
		}
		return s.Fields[i].Schema
	case s.Type == Map && i%2 == 0:
		return s.Keys
	}
	return s.Items
}
