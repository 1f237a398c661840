package routing

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
)

// oldKeyHeader is the header with the primary key that a row had before.
const oldKeyHeader = "__debezium.oldkey"

// identity is a column of the primary key.
type identity struct {
	at    int // its place in the row
	name  string
	bound bound
}

// bindKey finds the primary key, in the order of its own columns.
func (r *Router) bindKey(columns []column.Column) {
	r.identity = nil
	if !r.rules.KeyUpdates {
		return
	}
	positions := make(map[int]int, len(columns))
	for i, c := range columns {
		if c.KeyPosition > 0 {
			r.identity = append(r.identity, identity{i, c.Name, r.bind(c)})
			positions[i] = c.KeyPosition
		}
	}
	slices.SortFunc(r.identity, func(a, b identity) int { return cmp.Compare(positions[a.at], positions[b.at]) })
}

// KeyChanged tells whether an UPDATE changed the primary key, which makes the row
// an event again (Rules.KeyUpdates). It needs Bind with the catalog. A key column
// that the server does not send of the old row counts as changed: then the
// replica identity is another index, and one of its columns changed. As in
// Debezium the values count, not their texts: a numeric 1.0 that becomes 1.00 is
// the same key.
func (r *Router) KeyChanged(e *decoding.Event) bool {
	for i := range r.identity {
		k := &r.identity[i]
		if k.at >= len(e.Old) || k.at >= len(e.Row) {
			continue
		}
		old, now := &e.Old[k.at], &e.Row[k.at]
		if now.Unchanged || bytes.Equal(old.Data, now.Data) {
			continue
		}
		if k.bound.plain || old.Null || now.Null {
			return true
		}
		r.arena.Reset()
		was, err := r.read(&k.bound, old)
		if err != nil {
			return true
		}
		is, err := r.read(&k.bound, now)
		if err != nil || !sameValue(&was, &is) {
			return true
		}
	}
	return false
}

// sameValue is Java's equals of two values under one schema.
func sameValue(a, b *connect.Value) bool {
	return a.Null == b.Null && a.Int == b.Int && math.Float64bits(a.Float) == math.Float64bits(b.Float) && bytes.Equal(a.Data, b.Data) &&
		slices.EqualFunc(a.Items, b.Items, func(x, y connect.Value) bool { return sameValue(&x, &y) })
}

// oldKey makes the header with the primary key before the UPDATE: a struct of its
// columns, as Debezium does.
func (r *Router) oldKey(e *decoding.Event) ([]byte, error) {
	schema := &connect.Schema{Type: connect.Struct, Name: r.tableSchema(e.Table) + ".Key"}
	items := r.arena.Values(len(r.identity))
	for i := range r.identity {
		k := &r.identity[i]
		v := decoding.Value{Null: true}
		if k.at < len(e.Old) {
			v = e.Old[k.at]
		}
		schema.Fields = append(schema.Fields, connect.Field{Name: k.name, Schema: k.bound.schema()})
		var err error
		if items[i], err = r.read(&k.bound, &v); err != nil {
			return nil, err
		}
		if items[i].Null && !k.bound.schema().Optional {
			items[i] = connect.Value{Data: []byte{}} // Debezium's stand-in for a value that was not sent
		}
	}
	r.value = connect.Value{Items: items}
	return r.converted(&r.headerFormat, schema, &r.value)
}

// NeedsCatalog tells whether Bind should be given what the catalog knows of the
// table's columns: whether they may be NULL, their defaults, the primary key,
// types that are not built in. Nothing of that shows in the default formats with
// columns of the usual types.
func (r *Router) NeedsCatalog(rel *decoding.Relation) bool {
	if r.rules.NullAsDefault || r.rules.KeyUpdates {
		return true
	}
	for _, o := range []connect.Options{r.rules.KeyFormat, r.rules.ValueFormat, r.rules.HeaderFormat} {
		if o.Converter == "json-schema" || o.Delegate == "json-schema" {
			return true
		}
	}
	return slices.ContainsFunc(rel.Columns, func(c decoding.Column) bool { return c.OID >= firstUserOID })
}
