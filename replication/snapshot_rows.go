package replication

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SnapshotColumn describes a column of a Snapshot's rows, as the server does.
type SnapshotColumn struct {
	Name string
	OID  uint32 // type; for a domain the type beneath it
	Mod  int32  // type modifier, -1: none
	Key  bool   // part of the replica identity
}

// snapshotTable is what is known of a table whose rows are to be read.
type snapshotTable struct {
	table       Table
	oid         uint32
	partitioned bool
	columns     []string // those that the publication publishes, in the table's order
	keys        []string // of its replica identity
	filter      string   // the publication's row filter; "" none
	orderBy     string
	indexed     bool   // orderBy is the first column of an index
	files       string // changes when the table is truncated or rewritten
	estimate    int64  // rows, as of the last ANALYZE or VACUUM; 0 unknown
}

// quoted is the table's name in SQL, safe for every name.
func (t Table) quoted() string { return quoteIdent(t.Schema) + "." + quoteIdent(t.Name) }

// snapshotTables looks at the tables and whether their rows can be read.
func (c *Control) snapshotTables(ctx context.Context) ([]snapshotTable, error) {
	tables := make([]snapshotTable, 0, len(c.config.Tables))
	states, err := c.tables(ctx)
	if err != nil {
		return nil, err
	}
	for i, state := range states {
		if err := tableProblem(state); err != nil {
			return nil, err
		}
		t := snapshotTable{table: state.table, orderBy: c.config.Snapshot.orderBy(i)}
		if err := c.snapshotTable(ctx, &t); err != nil {
			return nil, err
		}
		if t.orderBy != "" && !slices.Contains(state.columns, t.orderBy) {
			return nil, &SetupError{
				Problem: fmt.Sprintf("table %s has no column %q to order a snapshot by; its columns are %s", t.table, t.orderBy, strings.Join(state.columns, ", ")),
				Remedy:  "correct outbox.order_by",
			}
		}
		if err := c.explain(ctx, &t); err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// explain has the query planned, so that what is wrong with it shows before a slot
// is made for it.
func (c *Control) explain(ctx context.Context, t *snapshotTable) error {
	if _, err := c.conn.Exec(ctx, "EXPLAIN "+t.query()); err != nil {
		return c.readError("read table", t.table, err)
	}
	return nil
}

// snapshotTable fills in t. What an unprivileged role may not see would be left out
// without a word by row security, so that is an error as well.
func (c *Control) snapshotTable(ctx context.Context, t *snapshotTable) error {
	var mayUse, maySelect, rowSecurity bool
	err := c.conn.QueryRow(ctx, `WITH parts AS (SELECT o.oid AS relid FROM pg_class o JOIN pg_namespace s ON s.oid = o.relnamespace WHERE s.nspname = $1 AND o.relname = $2
			UNION SELECT p.relid::oid FROM pg_class o JOIN pg_namespace s ON s.oid = o.relnamespace, pg_partition_tree(o.oid) p WHERE s.nspname = $1 AND o.relname = $2)
		SELECT r.oid, r.relkind = 'p', has_schema_privilege(n.oid, 'USAGE'), has_table_privilege(r.oid, 'SELECT'), row_security_active(r.oid),
		(SELECT string_agg(p.relid || ':' || coalesce(pg_relation_filenode(p.relid), 0), ',' ORDER BY p.relid) FROM parts p),
		(SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::int8 FROM pg_class c JOIN parts p ON c.oid = p.relid WHERE c.relkind <> 'p'),
		EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = i.indkey[0]
			WHERE i.indrelid = r.oid AND i.indisvalid AND i.indpred IS NULL AND a.attname = $3)
		FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
		WHERE n.nspname = $1 AND r.relname = $2`, t.table.Schema, t.table.Name, t.orderBy).
		Scan(&t.oid, &t.partitioned, &mayUse, &maySelect, &rowSecurity, &t.files, &t.estimate, &t.indexed)
	if err != nil {
		return fmt.Errorf("look at table %s: %w", t.table, err)
	}
	switch {
	case !maySelect || !mayUse:
		return c.selectError(t.table, nil)
	case rowSecurity:
		return &SetupError{
			Problem: fmt.Sprintf("row-level security hides rows of table %s from role %q, so a snapshot would not be whole", t.table, c.server.role),
			Remedy:  fmt.Sprintf("ALTER ROLE %s BYPASSRLS;", quoteIdent(c.server.role)),
		}
	}
	return c.publishedColumns(ctx, t)
}

// publishedColumns finds what the stream would carry of the table: the columns and
// the row filter of the publication (PostgreSQL 15), without generated columns that
// it does not publish.
func (c *Control) publishedColumns(ctx context.Context, t *snapshotTable) error {
	var list []string
	generated := "a.attgenerated = ''"
	if c.server.version >= 150000 {
		var filter *string
		err := c.conn.QueryRow(ctx, `SELECT attnames::text[], rowfilter FROM pg_publication_tables
			WHERE pubname = $1 AND schemaname = $2 AND tablename = $3`, c.config.Publication, t.table.Schema, t.table.Name).Scan(&list, &filter)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) { // SnapshotOnly needs no publication
			return fmt.Errorf("look at publication %q: %w", c.config.Publication, err)
		}
		if filter != nil {
			t.filter = *filter
		}
		if list != nil && c.server.version >= 180000 {
			generated = "true" // the list knows
		}
	}
	rows, err := c.conn.Query(ctx, `SELECT a.attname::text, r.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = r.oid
			AND a.attnum = ANY (i.indkey) AND CASE r.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)
		FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
		WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND (`+generated+`)
			AND ($2::text[] IS NULL OR a.attname = ANY ($2::text[])) ORDER BY a.attnum`, t.oid, list)
	if err != nil {
		return fmt.Errorf("look at table %s: %w", t.table, err)
	}
	var name string
	var key bool
	_, err = pgx.ForEachRow(rows, []any{&name, &key}, func() error {
		t.columns = append(t.columns, name)
		if key {
			t.keys = append(t.keys, name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look at table %s: %w", t.table, err)
	}
	return nil
}

// query selects the table's rows as the stream would carry them. Rows of tables
// that inherit from it are those tables' own.
func (t *snapshotTable) query() string {
	columns := make([]string, len(t.columns))
	for i, name := range t.columns {
		columns[i] = quoteIdent(name)
	}
	only := "ONLY "
	if t.partitioned {
		only = ""
	}
	sql := "SELECT " + strings.Join(columns, ", ") + " FROM " + only + t.table.quoted()
	if t.filter != "" {
		sql += " WHERE " + t.filter
	}
	if t.orderBy != "" {
		sql += " ORDER BY " + quoteIdent(t.orderBy)
	}
	return sql
}

// selectError says which rights are missing to read the table.
func (c *Control) selectError(t Table, err error) error {
	return &SetupError{
		Problem: fmt.Sprintf("role %q can't read table %s, which a snapshot has to (a stream needs no right to it)", c.server.role, t),
		Remedy:  strings.Join(c.config.selectSQL(c.server.role), "\n"), Err: err,
	}
}

// selectSQL grants what a snapshot needs.
func (c Config) selectSQL(role string) []string {
	var sql []string
	for _, t := range c.Tables {
		if use := fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s;", quoteIdent(t.Schema), quoteIdent(role)); !slices.Contains(sql, use) {
			sql = append(sql, use)
		}
		sql = append(sql, fmt.Sprintf("GRANT SELECT ON TABLE %s TO %s;", t, quoteIdent(role)))
	}
	return sql
}

// readerConfig is the connection that rows are read from. Its search_path is the
// role's own, as the stream's is: the text of some types depends on it.
func (c Config) readerConfig() (*pgx.ConnConfig, error) {
	p, err := c.connConfig()
	if err != nil {
		return nil, err
	}
	maps.Copy(p.RuntimeParams, output)
	idle := c.senderTimeout()
	p.RuntimeParams["tcp_keepalives_idle"] = seconds(idle)
	p.RuntimeParams["tcp_keepalives_interval"] = seconds(idle / 2)
	p.RuntimeParams["tcp_keepalives_count"] = "3"
	p.RuntimeParams["tcp_user_timeout"] = "0"      // it would cut a reader that takes nothing for a while
	p.RuntimeParams["row_security"] = "off"        // an error instead of rows left out
	p.RuntimeParams["cursor_tuple_fraction"] = "1" // all rows are read
	return p, nil
}

// cursor is the table that is being read.
type cursor struct {
	table   *snapshotTable
	columns []SnapshotColumn
	results *pgconn.MultiResultReader // of the present FETCH; nil: none
	rows    *pgconn.ResultReader
	fetched int // rows of it
}

// cursorName is free: the session is ours.
const cursorName = "walrelay_rows"

// Open begins to read the table, by its place in Config.Tables, and returns its
// columns. ctx is for all rows of the table: when it ends the connection is cut.
func (s *Snapshot) Open(ctx context.Context, table int) ([]SnapshotColumn, error) {
	s.cursor = cursor{table: &s.tables[table]}
	sql := "DECLARE " + cursorName + " NO SCROLL CURSOR FOR " + s.cursor.table.query()
	if _, err := s.reader.conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		return nil, s.control.readError("read table", s.cursor.table.table, err)
	}
	if err := s.fetch(ctx); err != nil { // its description is that of the rows
		return nil, err
	}
	for _, f := range s.cursor.rows.FieldDescriptions() {
		name := f.Name
		s.cursor.columns = append(s.cursor.columns, SnapshotColumn{
			Name: name, OID: f.DataTypeOID, Mod: f.TypeModifier, Key: slices.Contains(s.cursor.table.keys, name),
		})
	}
	return s.cursor.columns, nil
}

// OID is the table's.
func (s *Snapshot) OID(table int) uint32 { return s.tables[table].oid }

// fetch asks for the next rows.
func (s *Snapshot) fetch(ctx context.Context) error {
	c := &s.cursor
	c.fetched = 0
	c.results = s.reader.conn.PgConn().Exec(ctx, fmt.Sprintf("FETCH FORWARD %d FROM %s", s.control.config.Snapshot.fetchSize(), cursorName))
	if !c.results.NextResult() {
		err := c.results.Close()
		c.results = nil
		if err == nil {
			err = errors.New("the server sent no rows")
		}
		return s.control.readError("read table", c.table.table, err)
	}
	c.rows = c.results.ResultReader()
	return nil
}

// Next returns the next row of the table that was opened: PostgreSQL's text of
// each column, nil for NULL, as the stream would carry it. ok is false behind the
// last one. The row is valid until the next call. While the caller takes his time
// the server waits.
func (s *Snapshot) Next(ctx context.Context) (row [][]byte, ok bool, err error) {
	c := &s.cursor
	for {
		if c.rows.NextRow() {
			c.fetched++
			return c.rows.Values(), true, nil
		}
		err := c.results.Close()
		c.results = nil
		if err != nil {
			return nil, false, s.control.readError("read table", c.table.table, err)
		}
		if c.fetched < s.control.config.Snapshot.fetchSize() {
			if _, err := s.reader.conn.PgConn().Exec(ctx, "CLOSE "+cursorName).ReadAll(); err != nil {
				return nil, false, s.control.readError("read table", c.table.table, err)
			}
			return nil, false, nil
		}
		if err := s.fetch(ctx); err != nil {
			return nil, false, err
		}
	}
}

// readError explains why rows can't be read.
func (c *Control) readError(step string, t Table, err error) error {
	switch sqlState(err) {
	case codeInsufficientPrivilege:
		return c.selectError(t, err)
	case codeUndefinedColumn, codeUndefinedTable: // altered at the moment of the snapshot
		return fmt.Errorf("%w: %s %s: %v", ErrSnapshotLost, step, t, err)
	case codeUndefinedFunction: // ORDER BY a type without an order
		return &SetupError{Problem: fmt.Sprintf("%s %s: %v", step, t, err), Remedy: "name a column of another type in outbox.order_by", Err: err}
	}
	return fmt.Errorf("%s %s: %w", step, t, err)
}
