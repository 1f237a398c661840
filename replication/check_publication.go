package replication

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// publicationFinding looks whether the publication delivers the tables' inserts.
func (k *check) publicationFinding(ctx context.Context) error {
	name := "publication"
	p := k.facts.publication
	tables, err := k.tables(ctx)
	if err != nil {
		return err
	}
	switch {
	case p.exists:
		if err := k.config.publicationProblem(p, tables); err != nil {
			f := errorFinding(name, err)
			f.Cause = "events of the outbox do not come into the stream, and nothing would say so"
			k.put(f)
		} else {
			k.ok(name, "%q publishes the inserts of the outbox", k.config.Publication)
		}
		return k.publicationDetails(ctx)
	case k.facts.slot != nil:
		k.addError(name, k.config.publicationGap(k.facts.slot.Confirmed, time.Time{}, nil))
	case k.config.Snapshot.mode() == SnapshotOnly:
		k.ok(name, "%q does not exist, and snapshot.mode only needs none", k.config.Publication)
	case k.config.AutoCreate:
		k.ok(name, "%q is made at the first start", k.config.Publication)
	default:
		k.put(Finding{
			Name: name, Level: Fail, Detail: fmt.Sprintf("%q does not exist", k.config.Publication),
			Cause:  "postgres.auto_create is off, so the relay does not make it and stops",
			Remedy: k.config.publicationSQL() + ";",
		})
	}
	return nil
}

// publishes is what the publication carries.
type publishes struct {
	exists, allTables           bool
	updates, deletes, truncates bool
}

func (k *check) publishing(ctx context.Context) error {
	p := &k.publishes
	err := k.conn.QueryRow(ctx, `SELECT true, puballtables, pubupdate, pubdelete, pubtruncate FROM pg_publication WHERE pubname = $1`, k.config.Publication).
		Scan(&p.exists, &p.allTables, &p.updates, &p.deletes, &p.truncates)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("look at publication %q: %w", k.config.Publication, err)
	}
	return nil
}

// published is one table of the publication, with what narrows it.
type published struct {
	Table   string
	Ours    bool
	Filter  string
	Missing []string // columns of the table that are not sent
}

// publicationDetails looks at what goes beyond the inserts of the outbox, and at
// what narrows them.
func (k *check) publicationDetails(ctx context.Context) error {
	narrow := "NULL::text, '{}'::text[]"
	if k.server.version >= 150000 {
		narrow = `p.rowfilter, ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			AND a.attgenerated = '' AND NOT a.attname = ANY (p.attnames) ORDER BY a.attnum)`
	}
	schemas, names := splitTables(k.config.Tables)
	rows, err := k.conn.Query(ctx, `SELECT t, ours, coalesce(filter, ''), missing FROM (SELECT format('%I.%I', p.schemaname, p.tablename) AS t,
			(p.schemaname, p.tablename) IN (SELECT * FROM unnest($2::text[], $3::text[])) AS ours, x.* FROM pg_publication_tables p
			JOIN pg_namespace n ON n.nspname = p.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename,
			LATERAL (SELECT `+narrow+`) AS x (filter, missing) WHERE p.pubname = $1) AS listed ORDER BY ours DESC, t LIMIT 200`, k.config.Publication, schemas, names)
	if err != nil {
		return fmt.Errorf("look at publication %q: %w", k.config.Publication, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[published])
	if err != nil {
		return fmt.Errorf("look at publication %q: %w", k.config.Publication, err)
	}
	var partitions []string
	for _, t := range k.config.Tables { // their partitions are ours as well
		d, err := k.tableDetails(ctx, t)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		for _, part := range d.parts {
			partitions = append(partitions, part.Name)
		}
	}
	k.findings = append(k.findings, k.config.excess(k.publishes, list, partitions)...)
	k.findings = append(k.findings, k.config.narrowed(list)...)
	return nil
}

// excess says what the publication carries for nothing.
func (c Config) excess(p publishes, list []published, partitions []string) (findings []Finding) {
	name := quoteIdent(c.Publication)
	if c.Updates && !p.updates {
		findings = append(findings, Finding{
			Name: "publication updates", Level: Fail, Detail: fmt.Sprintf("%q does not publish updates", c.Publication),
			Cause:  "route.updates or route.key_updates asks for them, and none would come",
			Remedy: fmt.Sprintf("ALTER PUBLICATION %s SET (publish = '%s');", name, c.operations()),
		})
	}
	if more := p.more(c.Updates); more != "" {
		findings = append(findings, Finding{
			Name: "publication operations", Level: Warn, Detail: "publishes more than is needed: " + more,
			Cause:  "the cleaning of the outbox is decoded, sent and thrown away; and without a replica identity PostgreSQL refuses it",
			Remedy: fmt.Sprintf("ALTER PUBLICATION %s SET (publish = '%s');", name, c.operations()),
		})
	}
	var others []string
	for _, t := range list {
		if !t.Ours && !slices.Contains(partitions, t.Table) {
			others = append(others, t.Table)
		}
	}
	switch {
	case p.allTables:
		findings = append(findings, Finding{
			Name: "publication tables", Level: Warn, Detail: fmt.Sprintf("%q is FOR ALL TABLES", c.Publication),
			Cause:  "every change of the database is decoded and sent to the relay, which throws it away; and tables without a replica identity refuse UPDATE and DELETE when those are published",
			Remedy: "set postgres.publication to one of the outbox alone, made together with a new slot: a publication younger than the slot can't be decoded with it",
		})
	case len(others) > 0:
		more := ""
		if len(others) > 5 {
			others, more = others[:5], fmt.Sprintf(" and %d more", len(others)-5)
		}
		findings = append(findings, Finding{
			Name: "publication tables", Level: Warn, Detail: "has tables that are no outbox: " + strings.Join(others, ", ") + more,
			Cause:  "their changes are decoded and sent to the relay, which throws them away",
			Remedy: fmt.Sprintf("ALTER PUBLICATION %s DROP TABLE %s; -- a schema: DROP TABLES IN SCHEMA. Only if no other subscriber uses the publication", name, strings.Join(others, ", ")),
		})
	}
	return findings
}

// narrowed tells of row filters and column lists.
func (c Config) narrowed(list []published) (findings []Finding) {
	for _, t := range list {
		if !t.Ours {
			continue
		}
		if t.Filter != "" {
			findings = append(findings, Finding{
				Name: "row filter of " + t.Table, Level: Warn, Detail: "only rows with " + t.Filter,
				Cause:  "events of all other rows are not published; right when several relays share the table",
				Remedy: fmt.Sprintf("if that is not meant: ALTER PUBLICATION %s DROP TABLE %s;\nALTER PUBLICATION %s ADD TABLE %s;", quoteIdent(c.Publication), t.Table, quoteIdent(c.Publication), t.Table),
			})
		}
		if len(t.Missing) > 0 {
			findings = append(findings, Finding{Name: "column list of " + t.Table, Detail: "leaves out " + strings.Join(t.Missing, ", ")})
		}
	}
	return findings
}

// Unpublished returns the columns of a table that do not come with the stream: not
// in the publication's column list, or generated. None when there is no publication.
func (c *Control) Unpublished(ctx context.Context, schema, table string) ([]string, error) {
	list := "NULL::name[]"
	if c.server.version >= 150000 {
		list = "(SELECT p.attnames FROM pg_publication_tables p WHERE p.pubname = $3 AND p.schemaname = $1 AND p.tablename = $2)"
	}
	// A generated column that is listed is one that is published (18 and later).
	rows, err := c.conn.Query(ctx, `SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
		LATERAL (SELECT `+list+`) AS l (names)
		WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped AND $3::text <> ''
		AND CASE WHEN l.names IS NULL THEN a.attgenerated <> '' ELSE NOT a.attname = ANY (l.names) END ORDER BY a.attnum`, schema, table, c.config.Publication)
	if err != nil {
		return nil, fmt.Errorf("look at the columns that are published: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look at the columns that are published: %w", err)
	}
	return names, nil
}

// peekLimit is how much WAL a slot may hold back to be peeked at: PostgreSQL decodes
// from its beginning, and holds the slot meanwhile.
const peekLimit = 64 << 20

// publicationAge finds out whether the slot can be decoded with the publication, as
// harmlessly as it can be told: by transaction ids, by the marker, and last by
// peeking, which moves nothing.
func (k *check) publicationAge(ctx context.Context) error {
	const name = "publication age"
	p, s := k.facts.publication, k.facts.slot
	if !p.exists || s == nil || s.Plugin != "pgoutput" || s.Type != "logical" || s.WALStatus == "lost" || s.Database != k.server.database {
		return nil
	}
	m := k.facts.marker
	switch {
	case !p.younger:
		k.ok(name, "older than the slot's catalog, by their transaction ids")
		return nil
	case m != nil && m.renewed(k.config.Publication, p.oid):
		return nil // the slot's finding says so
	case m != nil && m.publication == k.config.Publication && m.publicationOID == p.oid:
		k.ok(name, "the one that the slot was read with, by the marker")
		return nil
	case s.Active || s.RetainedBytes > peekLimit || k.server.version >= 180000: // 18 would leave out, not complain
		why := "the slot is in use"
		if k.server.version >= 180000 {
			why = "PostgreSQL 18 does not say which"
		} else if !s.Active {
			why = "the slot holds back " + bytesText(s.RetainedBytes)
		}
		k.put(Finding{
			Name: name, Level: Warn, Detail: fmt.Sprintf("%q was made or changed about when the slot was, or after it; %s, so it was not tried out", k.config.Publication, why),
			Cause:  "changes from before the publication can't be decoded with it: PostgreSQL 17 and older end the stream with an error, 18 leaves them out silently",
			Remedy: fmt.Sprintf("when nobody reads the slot: SELECT count(*) FROM pg_logical_slot_peek_binary_changes(%s, NULL, 1, 'proto_version', '1', 'publication_names', %s);", quoteLiteral(k.config.Slot), quoteLiteral(k.config.Publication)),
		})
		return nil
	}
	k.put(k.config.peekFinding(k.peek(ctx)))
	return nil
}

// peek decodes the beginning of what the slot has, without moving it.
func (k *check) peek(ctx context.Context) error {
	if _, err := k.conn.Exec(ctx, `SELECT set_config('statement_timeout', '3s', false)`); err != nil {
		return err
	}
	_, err := k.conn.Exec(ctx, `SELECT count(*) FROM pg_logical_slot_peek_binary_changes($1, NULL, 1, 'proto_version', '1', 'publication_names', $2)`,
		k.config.Slot, quoteIdent(k.config.Publication))
	if !k.IsClosed() {
		_, reset := k.conn.Exec(ctx, `SELECT set_config('statement_timeout', '0', false)`)
		err = errors.Join(err, reset)
	}
	return err
}

// peekFinding judges the outcome of peek.
func (c Config) peekFinding(err error) Finding {
	const name = "publication age"
	switch code := sqlState(err); {
	case err == nil:
		return Finding{Name: name, Detail: "the slot can be decoded with it: peeked at"}
	case code == codeUndefinedObject:
		f := errorFinding(name, c.publicationGap(0, time.Time{}, err))
		f.Detail = fmt.Sprintf("publication %q was made after the slot: %v", c.Publication, err)
		f.Remedy = "what is in the slot can't be decoded any more, only a new slot helps: SELECT pg_drop_replication_slot(" + quoteLiteral(c.Slot) + ");\n" +
			"then start anew; publish what was committed since the slot was made by other means (docs/operations.md, a gap)"
		return f
	case code == codeObjectInUse, code == "57014", code == codeInsufficientPrivilege:
		return Finding{Name: name, Level: Warn, Detail: fmt.Sprintf("%q may be younger than the slot, and it could not be tried out: %v", c.Publication, err),
			Cause: "changes from before the publication can't be decoded with it", Remedy: "run the check again while nobody reads the slot"}
	}
	return Finding{Name: name, Level: Warn, Detail: "could not be tried out: " + err.Error()}
}

// rowChanges lists what is published of rows that exist.
func (p publishes) rowChanges() string {
	var list []string
	if p.updates {
		list = append(list, "updates")
	}
	if p.deletes {
		list = append(list, "deletes")
	}
	return strings.Join(list, " and ")
}

// more lists what is published and not needed.
func (p publishes) more(updates bool) string {
	var list []string
	if p.updates && !updates {
		list = append(list, "update")
	}
	if p.deletes {
		list = append(list, "delete")
	}
	if p.truncates {
		list = append(list, "truncate")
	}
	return strings.Join(list, ", ")
}
