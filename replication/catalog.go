package replication

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// CatalogColumn is what the catalog knows of a table's column now. The Relation
// message of the stream names only column, declared type and modifier, and it
// describes the table as it was when the row was written: the two are to be
// joined by Name and Declared.
type CatalogColumn struct {
	Name     string
	Declared uint32 // type of the column, as the Relation message has it
	Domain   string // name of the declared type when it is a domain, else ""

	// The type beneath all domains, with the modifier that the innermost of them
	// gives when the column itself has none (-1).
	OID      uint32
	Mod      int32
	TypeName string         // pg_type.typname: "int4", "_int4", "mood"
	Kind     byte           // pg_type.typtype: b base, c composite, e enum, m multirange, p pseudo, r range
	Labels   []string       // of an enum, in its order
	Element  *CatalogColumn // of an array: Declared, OID, TypeName, Kind (d for a domain), Labels; Mod -1

	NotNull bool   // by the column or by its domain
	Default string // pg_get_expr of the column's own DEFAULT; "" none
	// KeyPosition is the place in the primary key, from 1; without one, in the
	// first unique index by name that has no expressions. 0: not part of it.
	KeyPosition int
}

// columnsSQL walks a column's domains down to the type beneath. The settings
// make pg_get_expr write dates and intervals in one form whatever the role's
// defaults are; set_config is volatile, so the join runs it before the output is
// computed. Only catalogs that everyone may read are asked, and the table is
// named by join: a cast to regclass asks for USAGE on its schema.
const columnsSQL = `WITH RECURSIVE walk AS (
	SELECT a.attrelid, a.attnum, a.attname, a.attnotnull, a.atttypid AS declared, a.atttypid AS type, a.atttypmod AS mod
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
	SELECT w.attrelid, w.attnum, w.attname, w.attnotnull, w.declared, t.typbasetype,
		CASE WHEN w.mod = -1 THEN t.typtypmod ELSE w.mod END
	FROM walk w JOIN pg_type t ON t.oid = w.type WHERE t.typtype = 'd'
), key AS (
	SELECT i.indkey::int2[] AS columns, i.indnkeyatts
	FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
	WHERE i.indrelid = (SELECT attrelid FROM walk LIMIT 1) AND i.indisunique AND 0 <> ALL (i.indkey::int2[])
	ORDER BY NOT i.indisprimary, NOT i.indisclustered, x.relname LIMIT 1
)
SELECT w.attname::text, w.declared, CASE WHEN d.typtype = 'd' THEN d.typname::text ELSE '' END,
	t.oid, w.mod, t.typname::text, t.typtype::text,
	ARRAY(SELECT l.enumlabel::text FROM pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder),
	coalesce(e.oid, 0), coalesce(e.typname::text, ''), coalesce(e.typtype::text, ''),
	ARRAY(SELECT l.enumlabel::text FROM pg_enum l WHERE l.enumtypid = e.oid ORDER BY l.enumsortorder),
	w.attnotnull OR d.typtype = 'd' AND d.typnotnull, coalesce(pg_get_expr(f.adbin, f.adrelid), ''),
	coalesce((SELECT k.place::int FROM key, unnest(key.columns[0:key.indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, place)
		WHERE k.attnum = w.attnum LIMIT 1), 0)
FROM (SELECT set_config('DateStyle', 'ISO', true), set_config('IntervalStyle', 'postgres', true),
		set_config('TimeZone', 'UTC', true), set_config('bytea_output', 'hex', true)) AS settings
CROSS JOIN walk w
JOIN pg_type t ON t.oid = w.type AND t.typtype <> 'd'
JOIN pg_type d ON d.oid = w.declared
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
LEFT JOIN pg_attrdef f ON f.adrelid = w.attrelid AND f.adnum = w.attnum
ORDER BY w.attnum`

// Columns looks up the columns of a table in the catalog, in their order. It
// needs no right on the table or its schema. A table that is not there has none.
func (c *Control) Columns(ctx context.Context, schema, table string) ([]CatalogColumn, error) {
	rows, err := c.conn.Query(ctx, columnsSQL, schema, table)
	if err == nil {
		var columns []CatalogColumn
		if columns, err = pgx.CollectRows(rows, scanColumn); err == nil {
			return columns, nil
		}
	}
	return nil, fmt.Errorf("look up the columns of %s: %w", Table{Schema: schema, Name: table}, err)
}

func scanColumn(row pgx.CollectableRow) (CatalogColumn, error) {
	var c, e CatalogColumn
	var kind, elementKind string
	err := row.Scan(&c.Name, &c.Declared, &c.Domain, &c.OID, &c.Mod, &c.TypeName, &kind, &c.Labels,
		&e.OID, &e.TypeName, &elementKind, &e.Labels, &c.NotNull, &c.Default, &c.KeyPosition)
	if err != nil {
		return CatalogColumn{}, err
	}
	c.Kind = firstByte(kind)
	if e.OID != 0 {
		e.Declared, e.Mod, e.Kind = e.OID, -1, firstByte(elementKind)
		c.Element = &e
	}
	return c, nil
}

func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}
