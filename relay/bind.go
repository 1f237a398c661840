package relay

import (
	"context"
	"fmt"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/routing/column"
)

// bind tells a table's router what its columns are now.
func (r *Relay) bind(rel *decoding.Relation) error {
	return Bind(context.Background(), r.cfg.Replication, r.routers[rel.Table.Index], rel)
}

// Bind tells a router what the columns of its table are now, by rel. What the
// Relation message does not say is asked of the catalog, on a connection of its own
// to c's server: a table changes rarely, and other connections are in use.
func Bind(ctx context.Context, c replication.Config, router *routing.Router, rel *decoding.Relation) error {
	var catalog []column.Column
	if router.NeedsCatalog(rel) {
		var err error
		if catalog, err = catalogColumns(ctx, c, rel.Namespace, rel.Name); err != nil {
			return fmt.Errorf("look up the columns of %s.%s: %w", rel.Namespace, rel.Name, err)
		}
	}
	if err := router.Bind(rel, catalog); err != nil {
		return &BindError{rel.Namespace + "." + rel.Name, err}
	}
	return nil
}

// catalogColumns asks the catalog for the columns of a table, none when it is gone.
func catalogColumns(ctx context.Context, c replication.Config, schema, table string) ([]column.Column, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	control, err := replication.Connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	known, err := control.Columns(ctx, schema, table)
	if err != nil {
		return nil, err
	}
	return describe(known), nil
}

// describe is what the catalog says, as routing takes it.
func describe(known []replication.CatalogColumn) []column.Column {
	columns := make([]column.Column, len(known))
	for i := range known {
		columns[i] = catalogColumn(&known[i])
	}
	return columns
}

func catalogColumn(c *replication.CatalogColumn) column.Column {
	d := column.Column{
		Name: c.Name, Domain: c.Domain, OID: c.OID, Mod: c.Mod, TypeName: c.TypeName, Kind: c.Kind, Labels: c.Labels,
		NotNull: c.NotNull, Default: c.Default, KeyPosition: c.KeyPosition, FromCatalog: true,
	}
	if c.Element != nil {
		e := catalogColumn(c.Element)
		d.Element = &e
	}
	return d
}
