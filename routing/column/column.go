package column

import (
	"fmt"

	"github.com/walrelay/walrelay/routing/connect"
)

// Column is what is known of a column: the Relation message's part of it, Name,
// OID and Mod, completed by the catalog. For a domain OID, Mod, TypeName and Kind
// are those of the type beneath it.
type Column struct {
	Name        string
	OID         uint32   // type
	Mod         int32    // type modifier; -1: none
	TypeName    string   // pg_type.typname: "hstore", "mood", "_int4"; "" unknown, which does only for types that come with PostgreSQL
	Kind        byte     // pg_type.typtype: 'b' base, 'e' enum, 'r' range, 'm' multirange, 'c' composite, 'd' domain (of an Element); 0 unknown
	Element     *Column  // of an array: its element (OID, TypeName, Kind, Labels); may be nil for types that come with PostgreSQL
	Labels      []string // of an enum
	Domain      string   // name of the domain; "": the column's type is none. Defaults of such columns are not taken
	NotNull     bool
	Default     string // pg_get_expr of the default; "" none
	KeyPosition int    // in the primary key, from 1; 0: not part of it
	FromCatalog bool   // false: only the Relation message's part is known
}

// Modes are the options of Debezium that say how types are represented, in
// Debezium's words. An empty one is Debezium's default, which stands first.
type Modes struct {
	Decimal     string // decimal.handling.mode: precise, string, double
	Time        string // time.precision.mode: adaptive, adaptive_time_microseconds, connect, isostring, microseconds, nanoseconds
	Interval    string // interval.handling.mode: numeric, string
	Binary      string // binary.handling.mode: bytes, base64, base64-url-safe, hex
	HStore      string // hstore.handling.mode: json, map
	MoneyDigits int    // money.fraction.digits, as it is: 0 means none. Debezium's default is 2
	Unknown     bool   // include.unknown.datatypes
	Unavailable string // unavailable.value.placeholder; the Router's business
	Java18      bool   // write floating-point numbers as Java up to 18 does
}

// normal gives the modes with defaults filled in, or says which is no mode.
func (m Modes) normal() (Modes, error) {
	for _, option := range []struct {
		name  string
		value *string
		words []string
	}{
		{"decimal", &m.Decimal, []string{"precise", "string", "double"}},
		{"time", &m.Time, []string{"adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"}},
		{"interval", &m.Interval, []string{"numeric", "string"}},
		{"binary", &m.Binary, []string{"bytes", "base64", "base64-url-safe", "hex"}},
		{"hstore", &m.HStore, []string{"json", "map"}},
	} {
		if *option.value == "" {
			*option.value = option.words[0]
		}
		known := false
		for _, word := range option.words {
			known = known || *option.value == word
		}
		if !known {
			return m, fmt.Errorf("types.%s: %q: use one of %q", option.name, *option.value, option.words)
		}
	}
	if m.MoneyDigits < 0 || m.MoneyDigits > maxScale {
		return m, fmt.Errorf("types.money_digits: %d: use 0 to %d", m.MoneyDigits, maxScale)
	}
	return m, nil
}

// Codec reads the values of one column. It is for use by one goroutine.
type Codec struct {
	name   string
	schema connect.Schema
	read   reader
	plain  bool
}

// reader makes a value of a text that is not NULL. The error is warned, or one
// that fault has made beforehand.
type reader func(text []byte, a *connect.Arena) (connect.Value, error)

// Unmapped is the error of New for a column that Debezium leaves out of its
// events.
type Unmapped struct {
	Column string
	Type   string // its name, "" unknown
	OID    uint32
}

func (e *Unmapped) Error() string {
	name := e.Type
	if name == "" {
		name = fmt.Sprintf("with OID %d", e.OID)
	}
	return fmt.Sprintf("column %q: Debezium does not capture the type %s; types.unknown: true does for most types", e.Column, name)
}

// New makes the Codec of a column. The error is *Unmapped when Debezium would
// not capture such a column, else it names the mode that is none.
func New(c Column, m Modes) (*Codec, error) {
	m, err := m.normal()
	if err != nil {
		return nil, err
	}
	t := typeOf(&c)
	p := (&mapper{modes: m, notNull: c.NotNull}).column(t)
	if p == nil {
		return nil, &Unmapped{Column: c.Name, Type: t.name, OID: c.OID}
	}
	codec := &Codec{name: c.Name, schema: p.schema, read: p.read, plain: p.plain}
	// Debezium's builder of Geometry is optional whatever the column is.
	codec.schema.Optional = !c.NotNull || p.schema.Optional
	codec.schema.Default = defaultOf(&c, t, p, m)
	return codec, nil
}

// Schema is the column's schema with Optional and Default set. It belongs to the
// Codec and never changes.
func (c *Codec) Schema() *connect.Schema { return &c.schema }

// Plain says that Kafka Connect's StringConverter and SimpleHeaderConverter print
// every value of the column that is not NULL exactly as PostgreSQL does.
func (c *Codec) Plain() bool { return c.plain }

// Read makes a value of text, which is PostgreSQL's output for it and not NULL,
// with the session's settings of the package comment. The value may point into
// text and into a. It is Null where Debezium logs that it can't convert the value
// and writes null. *connect.Unconvertible when text is no value of the type, or
// one on which Debezium's task fails.
func (c *Codec) Read(text []byte, a *connect.Arena) (connect.Value, error) {
	v, err := c.read(text, a)
	switch {
	case err == nil:
		return v, nil
	case err == warned:
		return null, nil
	}
	return connect.Value{}, &connect.Unconvertible{Detail: fmt.Sprintf("column %q: %v", c.name, err)}
}

var null = connect.Value{Null: true}

// fault makes an error of a reader: the text is no value of the type, or one on
// which Debezium's task fails.
func fault(detail string) error { return &connect.Unconvertible{Detail: detail} }

// warned is a value that Debezium can't convert: it logs that and leaves the
// whole column null, an array too when the value is an element.
var warned = fault("Debezium writes null")

// room lends n bytes to append to.
func room(a *connect.Arena, n int) []byte { return a.Bytes(n)[:0] }
