package replication

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// publication is what the catalog says about it.
type publication struct {
	exists    bool
	oid       uint32
	allTables bool
	inserts   bool
	viaRoot   bool
	younger   bool           // made or changed after the slot's catalog horizon; also when a transaction was open as the slot was made
	covers    map[Table]bool // as pg_publication_tables lists them
	published entries
}

// tableState is what the catalog says about an outbox table.
type tableState struct {
	table       Table
	exists      bool
	kind        string // relkind: r ordinary, p partitioned, others can't be published
	persistence string // relpersistence: p permanent; u and t are not in the WAL
	columns     []string
}

func (c *Control) publication(ctx context.Context) (publication, error) {
	p := publication{covers: map[Table]bool{}}
	err := c.conn.QueryRow(ctx, `SELECT p.oid, puballtables, pubinsert, pubviaroot,
			least(age(p.xmin), (SELECT min(age(r.xmin)) FROM pg_publication_rel r WHERE r.prpubid = p.oid)) <=
			coalesce((SELECT age(catalog_xmin) FROM pg_replication_slots WHERE slot_name = $2), 0)
		FROM pg_publication p WHERE pubname = $1`, c.config.Publication, c.config.Slot).
		Scan(&p.oid, &p.allTables, &p.inserts, &p.viaRoot, &p.younger)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("look at publication %q: %w", c.config.Publication, err)
	}
	p.exists = true
	schemas, names := splitTables(c.config.Tables)
	rows, err := c.conn.Query(ctx, `SELECT schemaname, tablename FROM pg_publication_tables
		WHERE pubname = $1 AND (schemaname, tablename) IN (SELECT * FROM unnest($2::text[], $3::text[]))`,
		c.config.Publication, schemas, names)
	if err != nil {
		return p, fmt.Errorf("look at publication %q: %w", c.config.Publication, err)
	}
	var t Table
	_, err = pgx.ForEachRow(rows, []any{&t.Schema, &t.Name}, func() error { p.covers[t] = true; return nil })
	if err != nil {
		return p, fmt.Errorf("look at publication %q: %w", c.config.Publication, err)
	}
	p.published, err = c.entries(ctx)
	return p, err
}

func (c *Control) tables(ctx context.Context) ([]tableState, error) {
	states := make([]tableState, 0, len(c.config.Tables))
	for _, t := range c.config.Tables {
		s := tableState{table: t}
		err := c.conn.QueryRow(ctx, `SELECT r.relkind::text, r.relpersistence::text,
			ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = r.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum)
			FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace WHERE n.nspname = $1 AND r.relname = $2`, t.Schema, t.Name).
			Scan(&s.kind, &s.persistence, &s.columns)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, fmt.Errorf("look at table %s: %w", t, err)
		}
		s.exists = err == nil
		states = append(states, s)
	}
	return states, nil
}

func splitTables(tables []Table) (schemas, names []string) {
	for _, t := range tables {
		schemas, names = append(schemas, t.Schema), append(names, t.Name)
	}
	return schemas, names
}

// tableProblem says what keeps a table from being an outbox, or nil.
func tableProblem(s tableState) error {
	switch {
	case !s.exists:
		return &SetupError{
			Problem: fmt.Sprintf("table %s does not exist", s.table),
			Remedy:  "correct outbox.table, or make the table (`walrelay init` can)",
		}
	case s.kind != "r" && s.kind != "p":
		return &SetupError{Problem: fmt.Sprintf("%s is no table and can't be published", s.table), Remedy: "name the table behind it"}
	case s.persistence != "p":
		return &SetupError{
			Problem: fmt.Sprintf("table %s is unlogged or temporary: its rows are not in the WAL", s.table),
			Remedy:  fmt.Sprintf("ALTER TABLE %s SET LOGGED;", s.table),
		}
	}
	return nil
}

// publicationProblem says why the publication would not deliver the tables'
// inserts, with the statements that mend it, or nil.
func (c Config) publicationProblem(p publication, tables []tableState) error {
	name := quoteIdent(c.Publication)
	var problems, remedies []string
	if !p.inserts {
		problems = append(problems, "does not publish inserts")
		remedies = append(remedies, fmt.Sprintf("ALTER PUBLICATION %s SET (publish = '%s');", name, c.operations()))
	}
	for _, t := range tables {
		switch {
		case t.kind == "p" && !p.viaRoot:
			problems = append(problems, fmt.Sprintf("publishes the partitions of %s under their own names", t.table))
			remedies = append(remedies, fmt.Sprintf("ALTER PUBLICATION %s SET (publish_via_partition_root = true);", name))
			if !p.allTables {
				remedies = append(remedies, fmt.Sprintf("-- and, if it lists only partitions: ALTER PUBLICATION %s ADD TABLE %s;", name, t.table))
			}
		case !p.allTables && !p.covers[t.table]:
			problems = append(problems, fmt.Sprintf("lacks table %s", t.table))
			remedies = append(remedies, fmt.Sprintf("ALTER PUBLICATION %s ADD TABLE %s;", name, t.table))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &SetupError{
		Problem: fmt.Sprintf("publication %q %s", c.Publication, strings.Join(problems, ", ")),
		Remedy:  strings.Join(remedies, "\n") + "\n-- rows committed before the change are not delivered by an existing slot",
	}
}

// CheckPublication says whether the publication still delivers the inserts of
// the outbox tables: nil, a *SetupError with the statements that mend it, or a
// *GapError when it is gone. Worth asking now and then while streaming:
// PostgreSQL 18 skips changes silently when a publication is dropped, also for
// the time before it is made again.
func (c *Control) CheckPublication(ctx context.Context) error {
	p, err := c.publication(ctx)
	if err != nil {
		return err
	}
	if !p.exists {
		return &GapError{
			Slot: c.config.Slot, Advice: acceptAdvice,
			Reason: fmt.Sprintf("publication %q was dropped; the slot can't be decoded with one made later", c.config.Publication),
		}
	}
	m, err := c.checkContinuity(ctx, p)
	if err != nil {
		return err
	}
	tables, err := c.tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := tableProblem(t); err != nil {
			return err
		}
	}
	if err := c.config.publicationProblem(p, tables); err != nil {
		return err
	}
	c.published = p.published
	if m != nil && m.holder == c.config.holder() && m.published.text() != p.published.text() {
		return c.notePublished(ctx, p.published)
	}
	return nil
}

// checkContinuity compares the publication with the one that the marker knows; where
// none is kept, with the one that this connection saw first. It gives the marker when
// it is of this publication.
func (c *Control) checkContinuity(ctx context.Context, p publication) (m *marker, err error) {
	access, err := c.markerAccess(ctx)
	if err != nil {
		return nil, err
	}
	if access == markerReadable || access == markerWritable {
		if m, err = c.readMarker(ctx); err != nil {
			return nil, err
		}
	}
	before := c.published
	if m != nil && m.publication == c.config.Publication {
		if m.renewed(c.config.Publication, p.oid) {
			return nil, c.config.publicationGap(m.confirmed, m.updatedAt, nil)
		}
		before = m.published
	} else {
		m = nil
	}
	if table := before.interrupted(p.published); table != "" {
		return nil, c.config.interruptedGap(table)
	}
	return m, nil
}

// renewed says that the publication was dropped and made again under its name.
// Another name is a change of configuration, which a person has made.
func (m *marker) renewed(name string, oid uint32) bool {
	return m.publication == name && m.publicationOID != 0 && m.publicationOID != oid
}

// publicationSQL makes the publication: inserts of the outbox tables only, and
// updates where they are asked for.
func (c Config) publicationSQL() string {
	names := make([]string, len(c.Tables))
	for i, t := range c.Tables {
		names[i] = t.String()
	}
	return fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s WITH (publish = '%s', publish_via_partition_root = true)",
		quoteIdent(c.Publication), strings.Join(names, ", "), c.operations())
}

// operations are what the publication has to carry.
func (c Config) operations() string {
	if c.Updates {
		return "insert, update"
	}
	return "insert"
}

// ensurePublication makes the publication where it is missing and checks one
// that is there.
func (c *Control) ensurePublication(ctx context.Context) error {
	tables, err := c.tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := tableProblem(t); err != nil {
			return err
		}
	}
	p, err := c.publication(ctx)
	if err != nil {
		return err
	}
	if p.exists {
		return c.config.publicationProblem(p, tables)
	}
	if _, err := c.conn.Exec(ctx, c.config.publicationSQL()); err != nil {
		return c.rightsError(fmt.Sprintf("create publication %q", c.config.Publication), err)
	}
	return nil
}
