package routing

import (
	"fmt"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
	"github.com/walrelay/walrelay/routing/expand"
)

// bound is what is known of the column of a source.
type bound struct {
	codec    *column.Codec // nil: a type that Debezium does not know, taken as text
	oid      uint32        // the type that codec was made for
	known    bool          // by Bind; else by the first value
	plain    bool          // its text is what the string converters print
	left     bool          // left out: for Debezium there is no such column
	hstore   bool          // an hstore, which as JSON has a stand-in of its own
	fallback *connect.Value
}

// textSchema is the schema of a column without a codec.
var textSchema = &connect.Schema{Type: connect.String, Optional: true}

func (b *bound) schema() *connect.Schema {
	if b.codec == nil {
		return textSchema
	}
	return b.codec.Schema()
}

// Bind tells the router what the columns are, from the Relation message (rel) and
// from the catalog, as far as that is known (NeedsCatalog). It belongs before the
// first event after a Relation message. The error names the column that the rules
// cannot work with.
func (r *Router) Bind(rel *decoding.Relation, catalog []column.Column) error {
	described := make([]column.Column, len(rel.Columns))
	for i, c := range rel.Columns {
		described[i] = describe(&c, catalog)
	}
	at := func(s *source) int {
		switch s.kind {
		case sourceID:
			return rel.At.ID
		case sourceAggregateType:
			return rel.At.AggregateType
		case sourceAggregateID:
			return rel.At.AggregateID
		case sourceEventType:
			return rel.At.EventType
		case sourcePayload:
			return rel.At.Payload
		case sourceExtra:
			if s.extra < len(rel.At.Extra) {
				return rel.At.Extra[s.extra]
			}
		}
		return -1
	}
	for _, s := range r.sources() {
		s.column = bound{known: true, plain: true} // a part that the table does without is NULL
		if i := at(s); i >= 0 && i < len(described) {
			s.column = r.bind(described[i])
			s.column.known = true
		}
	}
	r.fields = nil
	r.bindKey(described)
	if i := rel.At.Payload; r.rules.ExpandJSON && i >= 0 && i < len(described) {
		r.rules.Expand.Field = described[i].Name // the root of the names in inferred schemas
		r.expander = expand.New(r.rules.Expand)
	}
	return nil
}

// describe joins what the Relation message and the catalog say of a column. The
// message is of the time of the row, so it wins where they differ.
func describe(c *decoding.Column, catalog []column.Column) column.Column {
	d := column.Column{Name: c.Name, OID: c.OID, Mod: c.Mod}
	for _, known := range catalog {
		if known.Name != c.Name {
			continue
		}
		d = known
		if c.OID != known.OID && c.OID < firstUserOID {
			// Another type than today's: of the catalog's answer only what holds for any.
			d = column.Column{Name: c.Name, OID: c.OID, Mod: c.Mod, NotNull: known.NotNull, KeyPosition: known.KeyPosition, FromCatalog: true}
		} else if c.Mod >= 0 {
			d.Mod = c.Mod
		}
		break
	}
	return d
}

// firstUserOID is the first OID that PostgreSQL gives to what users make
// (FirstNormalObjectId).
const firstUserOID = 16384

// bind makes the codec of a column. A type that Debezium does not know is a
// column that does not exist there; here its text goes out, unless missing
// columns are to be left out.
func (r *Router) bind(c column.Column) bound {
	codec, err := column.New(c, r.rules.Types)
	if err != nil {
		return bound{oid: c.OID, plain: true, left: r.rules.IgnoreMissing}
	}
	b := bound{codec: codec, oid: c.OID, plain: codec.Plain(), hstore: c.TypeName == "hstore"}
	if r.rules.NullAsDefault {
		b.fallback = codec.Schema().Default
	}
	return b
}

// sources are all of a router's that are columns.
func (r *Router) sources() []*source {
	list := []*source{&r.payload, &r.key}
	for _, placements := range [][]placement{r.headers, r.envelope} {
		for i := range placements {
			list = append(list, &placements[i].source)
		}
	}
	for _, s := range []*source{r.partition, r.timestamp, r.version} {
		if s != nil {
			list = append(list, s)
		}
	}
	return list
}

// bound returns what is known of s's column. Without Bind the type alone is.
func (r *Router) bound(s *source, v *decoding.Value) *bound {
	b := &s.column
	if !b.known && (b.oid != v.OID || b.oid == 0) {
		*b = r.bind(column.Column{OID: v.OID, Mod: -1})
	}
	return b
}

// read gives the value of a column under b's schema.
func (r *Router) read(b *bound, v *decoding.Value) (connect.Value, error) {
	switch {
	case v.Unchanged:
		return r.unavailable(b), nil
	case v.Null && b.fallback != nil && !v.Missing:
		return *b.fallback, nil
	case v.Null:
		return connect.Value{Null: true}, nil
	case b.codec == nil:
		return connect.Value{Data: v.Data}, nil
	}
	got, err := b.codec.Read(v.Data, &r.arena)
	if got.Null && b.fallback != nil {
		return *b.fallback, err // what Debezium cannot read it takes for NULL
	}
	return got, err
}

// unavailable is what stands for a large value that an UPDATE left unchanged, by
// the type of the column; NULL for types that are never so large.
func (r *Router) unavailable(b *bound) connect.Value {
	s, text := b.schema(), []byte(r.rules.Types.Unavailable)
	switch {
	case s.Type == connect.String && b.hstore:
		return connect.Value{Data: fmt.Appendf(nil, "{%q:%q}", text, text)}
	case s.Type == connect.String, s.Type == connect.Bytes:
		return connect.Value{Data: text}
	case s.Type == connect.Map:
		return connect.Value{Items: []connect.Value{{Data: text}, {Data: text}}}
	case s.Type == connect.Array && s.Items.Type == connect.String:
		return connect.Value{Items: []connect.Value{{Data: text}}}
	case s.Type == connect.Array && (s.Items.Type == connect.Int16 || s.Items.Type == connect.Int32 || s.Items.Type == connect.Int64):
		items := make([]connect.Value, len(text))
		for i, c := range text {
			items[i].Int = int64(c)
		}
		return connect.Value{Items: items}
	}
	return connect.Value{Null: true}
}

// part gives the bytes of a source through a converter, nil for null.
func (r *Router) part(e *decoding.Event, s *source, f *format) ([]byte, error) {
	if s.kind == sourceNone {
		return nil, nil
	}
	v, err := s.of(e)
	if err != nil {
		return nil, err
	}
	if v == nil {
		start := len(r.scratch)
		r.scratch = s.own(e, r.scratch)
		own := r.scratch[start:len(r.scratch):len(r.scratch)]
		if f.text {
			return own, nil
		}
		return r.converted(f, ownSchema, &connect.Value{Data: own})
	}
	b := r.bound(s, v)
	if f.text && b.plain {
		switch {
		case !v.Null:
			return v.Data, nil
		case b.fallback == nil && !v.Unchanged:
			return nil, nil
		}
	}
	r.value, err = r.read(b, v)
	if err != nil {
		return nil, err
	}
	return r.converted(f, b.schema(), &r.value)
}

// converted appends a value's bytes to the scratch space.
func (r *Router) converted(f *format, schema *connect.Schema, v *connect.Value) ([]byte, error) {
	start := len(r.scratch)
	out, null, err := f.converter.Append(r.scratch, schema, v)
	if err != nil {
		return nil, err
	}
	r.scratch = out
	if null {
		return nil, nil
	}
	return out[start:len(out):len(out)], nil
}

// format is a converter and what the router has to know of it.
type format struct {
	converter connect.Converter
	text      bool // a string goes out as it is, and NULL as null
	schemas   bool // writes the schema, too
}

func newFormat(o connect.Options) (format, error) {
	if o.Converter == "text" {
		o.Converter = "string"
		converter, err := connect.NewConverter(o)
		return format{converter: textConverter{converter}, text: true}, err
	}
	converter, err := connect.NewConverter(o)
	return format{
		converter: converter,
		text:      o.Converter == "string" || o.Converter == "simple",
		schemas:   o.Converter == "json-schema" || o.Converter == "binary" && o.Delegate == "json-schema",
	}, err
}

// textConverter is the string converter, but for bytea: Java's toString of it is
// the same for all of a length, which nobody can want.
type textConverter struct{ connect.Converter }

func (c textConverter) Append(dst []byte, s *connect.Schema, v *connect.Value) ([]byte, bool, error) {
	if s.Type == connect.Bytes && s.Class == connect.ByteBuffer && !v.Null {
		return append(dst, v.Data...), false, nil
	}
	return c.Converter.Append(dst, s, v)
}

// unfit says that a column's type is not what a rule needs.
func unfit(b *bound, want string) error {
	kind := fmt.Sprintf("type %d", b.oid)
	if s := b.schema(); s.Name != "" {
		kind = s.Name
	}
	return &Poison{Reason: ReasonUnconvertible, Detail: fmt.Sprintf("the column (%s) is no %s", kind, want)}
}
