package column

import (
	"strconv"
	"strings"

	"github.com/walrelay/walrelay/routing/connect"
)

// part is how a type is represented: the schema, not yet optional, and how its
// values are read.
type part struct {
	schema connect.Schema
	read   reader
	plain  bool
	// As an array's element: PostgreSQL's JDBC driver makes other Java objects of
	// elements than Debezium of columns.
	element reader // nil: read
	nested  reader // of an array where an element should be; nil: Null
}

// mapper chooses the part for a type.
type mapper struct {
	modes   Modes
	notNull bool
}

// column is the part for a column's type, nil when Debezium has none.
func (m *mapper) column(t *shape) *part {
	if t.element != nil {
		return m.array(t)
	}
	return m.scalar(t)
}

// scalar is the part for a type that is no array.
func (m *mapper) scalar(t *shape) *part {
	if t.domain {
		return m.unknown(t) // only as an element: columns' domains are resolved before
	}
	if t.enum {
		return &part{schema: logical(connect.String, "io.debezium.data.Enum", connect.Parameter{Name: "allowed", Value: strings.Join(t.labels, ",")}),
			read: readText, plain: true, nested: readText}
	}
	for _, family := range []func(*shape) *part{m.number, m.text, m.binary, m.temporal, m.extension} {
		if p := family(t); p != nil {
			return p
		}
	}
	return m.unknown(t)
}

func plainType(t connect.Type) connect.Schema { return connect.Schema{Type: t} }

// logical is a schema with a name, of version 1.
func logical(t connect.Type, name string, parameters ...connect.Parameter) connect.Schema {
	return connect.Schema{Type: t, Name: name, Version: 1, HasVersion: true, Parameters: parameters}
}

// text is the part for types that go out as PostgreSQL's text.
func (m *mapper) text(t *shape) *part {
	p := &part{read: readText, plain: true, nested: readText}
	switch t.name {
	case "text", "varchar", "bpchar", "char", "inet", "cidr", "macaddr", "macaddr8",
		"int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange", "isbn":
		p.schema = plainType(connect.String)
	case "citext":
		p.schema, p.nested = plainType(connect.String), nil
	case "json", "jsonb":
		p.schema = logical(connect.String, "io.debezium.data.Json")
	case "uuid":
		p.schema = logical(connect.String, "io.debezium.data.Uuid")
	case "xml":
		p.schema = logical(connect.String, "io.debezium.data.Xml")
	case "tsvector":
		p.schema = logical(connect.String, "io.debezium.data.Tsvector")
	case "ltree":
		p.schema = logical(connect.String, "io.debezium.data.Ltree")
	case "name":
		// Debezium has a schema for it, but takes the value for one of an unknown type.
		p.schema = plainType(connect.String)
		if !m.modes.Unknown {
			p.plain, p.read = false, readNothing
			if m.notNull {
				p.read = readEmpty
			}
		}
	default:
		return nil
	}
	return p
}

func readText(text []byte, _ *connect.Arena) (connect.Value, error) {
	return connect.Value{Data: text}, nil
}

func readNothing([]byte, *connect.Arena) (connect.Value, error) { return null, nil }

func readEmpty([]byte, *connect.Arena) (connect.Value, error) {
	return connect.Value{Data: []byte{}}, nil
}

// number is the part for booleans and numbers.
func (m *mapper) number(t *shape) *part {
	switch t.name {
	case "bool":
		return &part{schema: plainType(connect.Boolean), read: readBool}
	case "int2":
		return &part{schema: plainType(connect.Int16), read: readInt16, plain: true}
	case "int4":
		return &part{schema: plainType(connect.Int32), read: readInt32, plain: true}
	case "int8", "oid":
		return &part{schema: plainType(connect.Int64), read: readInt64, plain: true}
	case "float4":
		return &part{schema: plainType(connect.Float32), read: readFloat32}
	case "float8":
		return &part{schema: plainType(connect.Float64), read: readFloat64}
	case "numeric":
		return m.numeric(t)
	case "money":
		return m.money()
	}
	return nil
}

// decimal is the schema of a Connect Decimal.
func decimal(scale int, parameters ...connect.Parameter) connect.Schema {
	s := logical(connect.Bytes, "org.apache.kafka.connect.data.Decimal",
		append([]connect.Parameter{{Name: "scale", Value: strconv.Itoa(scale)}}, parameters...)...)
	s.Class = connect.BigDecimal
	return s
}

func (m *mapper) numeric(t *shape) *part {
	scale, length := t.scale(), t.precision()
	variable := scale == 0 && (length == 0 || length == variableLength)
	if length == variableLength {
		scale = -1 // keep the value's own
	}
	switch {
	case m.modes.Decimal == "string":
		return &part{schema: plainType(connect.String), read: decimalText(scale), element: finite(decimalText(scale))}
	case m.modes.Decimal == "double":
		return &part{schema: plainType(connect.Float64), read: decimalDouble(scale), element: finite(decimalDouble(scale))}
	case variable:
		s := logical(connect.Struct, "io.debezium.data.VariableScaleDecimal")
		s.Doc = "Variable scaled decimal"
		s.Fields = []connect.Field{{Name: "scale", Schema: &connect.Schema{Type: connect.Int32}},
			{Name: "value", Schema: &connect.Schema{Type: connect.Bytes, Class: connect.ByteArray}}}
		return &part{schema: s, read: readVariable}
	}
	return &part{schema: decimal(t.scale(), connect.Parameter{Name: "connect.decimal.precision", Value: strconv.Itoa(length)}), read: decimalBytes(scale)}
}

func (m *mapper) money() *part {
	switch m.modes.Decimal {
	case "string":
		return &part{schema: plainType(connect.String), read: moneyText}
	case "double":
		return &part{schema: plainType(connect.Float64), read: moneyDouble}
	}
	return &part{schema: decimal(m.modes.MoneyDigits), read: moneyBytes(m.modes.MoneyDigits)}
}
