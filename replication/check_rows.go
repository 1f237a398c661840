package replication

import (
	"context"
	"fmt"
)

const (
	// sampledRows is how many rows of a table are measured at most.
	sampledRows = 20_000
	// sampleTimeout bounds that for a table, as PostgreSQL takes it.
	sampleTimeout = "2s"
)

// LargestRow measures the rows that are in the outbox tables now, as far as the role
// may read them: 0 when it may not, or when there are none. Of a large table it
// measures a part, for two seconds at most. The size is about that of a record.
func (c *Control) LargestRow(ctx context.Context) (bytes int64, err error) {
	tables, err := c.tables(ctx)
	if err != nil {
		return 0, err
	}
	for _, t := range tables {
		if tableProblem(t) != nil {
			continue
		}
		n, err := c.largestRow(ctx, t.table)
		if err != nil {
			return bytes, err
		}
		bytes = max(bytes, n)
	}
	return bytes, nil
}

func (c *Control) largestRow(ctx context.Context, t Table) (bytes int64, err error) {
	var may bool
	err = c.conn.QueryRow(ctx, `SELECT coalesce(bool_and(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(r.oid, 'SELECT') AND NOT row_security_active(r.oid)), false)
		FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace WHERE n.nspname = $1 AND r.relname = $2`, t.Schema, t.Name).Scan(&may)
	if err != nil || !may {
		return 0, err
	}
	if _, err := c.conn.Exec(ctx, `SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false)`, sampleTimeout); err != nil {
		return 0, err
	}
	// The text of a row doubles the quotes within.
	err = c.conn.QueryRow(ctx, fmt.Sprintf(`SELECT coalesce(max(octet_length(replace(o::text, '""', '"'))), 0)::int8 FROM (SELECT * FROM %s LIMIT %d) AS o`, t, sampledRows)).Scan(&bytes)
	if code := sqlState(err); code == "57014" || code == "55P03" { // it took too long; nothing is known then
		bytes, err = 0, nil
	}
	if c.IsClosed() {
		return 0, err
	}
	if _, back := c.conn.Exec(ctx, `SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)`); err == nil {
		err = back
	}
	return bytes, err
}
