package routing

import (
	"bytes"
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

// bindKey finds the primary key: the catalog knows it, else the columns of the
// replica identity stand for it.
func (r *Router) bindKey(columns []column.Column) {
	r.identity = nil
	if !r.rules.KeyUpdates {
		return
	}
	for position := 1; ; position++ {
		found := false
		for i, c := range columns {
			if c.KeyPosition == position {
				r.identity = append(r.identity, identity{i, c.Name, r.bind(c)})
				found = true
			}
		}
		if !found {
			return
		}
	}
}

// KeyChanged tells whether an UPDATE changed the primary key, which makes the row
// an event again (Rules.KeyUpdates). It needs Bind with the catalog.
func (r *Router) KeyChanged(e *decoding.Event) bool {
	for _, k := range r.identity {
		if k.at >= len(e.Old) || k.at >= len(e.Row) || e.Old[k.at].Null {
			continue
		}
		if now := &e.Row[k.at]; !now.Unchanged && !bytes.Equal(e.Old[k.at].Data, now.Data) {
			return true
		}
	}
	return false
}

// oldKey makes the header with the primary key before the UPDATE: a struct of its
// columns, as Debezium does.
func (r *Router) oldKey(e *decoding.Event) ([]byte, error) {
	schema := &connect.Schema{Type: connect.Struct, Name: r.table + ".Key"}
	if r.rules.SchemaPrefix != "" {
		schema.Name = r.rules.SchemaPrefix + "." + schema.Name
	}
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
