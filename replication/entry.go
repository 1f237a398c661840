package replication

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// entries are the rows of the catalog that put each outbox table into the
// publication, by Table.String: the table's own, its schema's, those of the
// partitioned tables above it, or the publication itself when it is for all tables.
//
// They tell a table that has been published all the time from one that was taken out
// and put back: what is written in between passes the slot by without an error, and
// afterwards the publication looks as before. But the row is another one, with an oid
// of its own. A row filter or a column list is no change of the row either: PostgreSQL
// replaces it.
type entries map[string][]string

// entriesSQL names each row by its catalog and oid.
func (c *Control) entriesSQL() string {
	schemas := ""
	if c.server.version >= 150000 {
		schemas = `UNION ALL SELECT 'schema ' || s.oid FROM pg_publication_namespace s
			WHERE s.pnpubid = p.oid AND s.pnnspid IN (SELECT relnamespace FROM pg_class WHERE oid = r.oid OR oid IN (SELECT relid FROM pg_partition_ancestors(r.oid)))`
	}
	return `SELECT n.nspname::text, r.relname::text, ARRAY(
			SELECT 'publication ' || p.oid WHERE p.puballtables
			UNION ALL SELECT 'table ' || e.oid FROM pg_publication_rel e
			WHERE e.prpubid = p.oid AND (e.prrelid = r.oid OR e.prrelid IN (SELECT relid FROM pg_partition_ancestors(r.oid))) ` + schemas + `)
		FROM pg_publication p, pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
		WHERE p.pubname = $1 AND (n.nspname, r.relname) IN (SELECT * FROM unnest($2::text[], $3::text[]))`
}

func (c *Control) entries(ctx context.Context) (entries, error) {
	all := entries{}
	schemas, names := splitTables(c.config.Tables)
	rows, err := c.conn.Query(ctx, c.entriesSQL(), c.config.Publication, schemas, names)
	if err == nil {
		var t Table
		var of []string
		_, err = pgx.ForEachRow(rows, []any{&t.Schema, &t.Name, &of}, func() error {
			if len(of) > 0 {
				all[t.String()] = slices.Sorted(slices.Values(of))
			}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("look at publication %q: %w", c.config.Publication, err)
	}
	return all, nil
}

// text is how the marker keeps them.
func (e entries) text() string {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings
	}
	return string(text)
}

// interrupted names a table that was published before and is now, but not all the time
// in between: no row that published it then does so now. "" when there is none.
// Nothing is said of a table that is new, nor of one that is missing.
func (e entries) interrupted(now entries) string {
	for table, before := range e {
		of := now[table]
		if len(of) > 0 && !slices.ContainsFunc(of, func(row string) bool { return slices.Contains(before, row) }) {
			return table
		}
	}
	return ""
}

// interruptedGap explains a table that was out of the publication for a time.
func (c Config) interruptedGap(table string) *GapError {
	return &GapError{
		Slot: c.Slot, Advice: acceptAdvice,
		Reason: fmt.Sprintf("table %s was taken out of publication %q and put back, or its row filter or column list was changed: "+
			"what was written to it in between does not come from the slot", table, c.Publication),
	}
}

// keeping adds what was known before of tables that are out of the publication now:
// a relay that goes on without them has said so, and they are not new when they come
// back.
func (e entries) keeping(before entries, tables []Table) entries {
	all := maps.Clone(e)
	for _, t := range tables {
		if rows, known := before[t.String()]; known && all[t.String()] == nil {
			all[t.String()] = rows
		}
	}
	return all
}

// notePublished lets the marker know of rows that were added or taken away without
// harm. Another holder's marker is left alone.
func (c *Control) notePublished(ctx context.Context, now entries) error {
	_, err := c.conn.Exec(ctx, `UPDATE walrelay.marker SET published = $3 WHERE slot = $1 AND holder = $2`, c.config.Slot, c.config.holder(), now.text())
	if err != nil {
		return fmt.Errorf("write walrelay.marker: %w", err)
	}
	return nil
}
