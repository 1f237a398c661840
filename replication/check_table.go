package replication

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// tableDetails is what the catalog says of a table beyond tableState.
type tableDetails struct {
	table    Table
	kind     string // relkind
	identity string // relreplident: d default, n nothing, f full, i index
	primary  bool   // there is a primary key
	parts    []partState
	triggers []triggerState
	rules    []string // that act instead of an INSERT
	rows     int64    // by the server's statistics; -1 never counted
}

// partState is a partition, or a table that inherits.
type partState struct {
	Name, Kind, Persistence string // relkind and relpersistence
	Partition, Detaching    bool
}

// triggerState is a trigger that fires for an INSERT.
type triggerState struct {
	Name, Function, Source string
	Before                 bool
}

// outbox looks at the tables themselves. pgoutput needs no right to read them.
func (k *check) outbox(ctx context.Context) error {
	tables, err := k.tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		name := "table " + t.table.String()
		if err := tableProblem(t); err != nil {
			f := errorFinding(name, err)
			f.Cause = tableCause(t)
			k.put(f)
			continue
		}
		d, err := k.tableDetails(ctx, t.table)
		if err != nil {
			return err
		}
		kind := "columns "
		if t.kind == "p" {
			kind = fmt.Sprintf("partitioned (%d), columns ", len(d.parts))
		}
		k.ok(name, "%s%s", kind, strings.Join(t.columns, ", "))
		k.findings = append(k.findings, d.findings(k.config.Updates, k.config.Publication, k.publishes)...)
	}
	return nil
}

func tableCause(t tableState) string {
	switch {
	case !t.exists:
		return "there is nothing to publish, and no publication can name it"
	case t.persistence == "p":
		return "PostgreSQL publishes tables only"
	}
	return "no event would ever be seen by the relay"
}

const tableDetailsSQL = `SELECT r.relkind::text, r.relreplident::text, EXISTS (SELECT FROM pg_index i WHERE i.indrelid = r.oid AND i.indisprimary), r.reltuples::int8,
	ARRAY(SELECT rulename::text FROM pg_rewrite w WHERE w.ev_class = r.oid AND w.ev_type = '3' AND w.is_instead)
	FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace WHERE n.nspname = $1 AND r.relname = $2`

// All levels of partitions, by pg_inherits: pg_partition_tree would ask for rights.
const partsSQL = `WITH RECURSIVE tree AS (
	SELECT i.inhrelid, i.%s AS detaching FROM pg_inherits i JOIN pg_class r ON r.oid = i.inhparent JOIN pg_namespace n ON n.oid = r.relnamespace
	WHERE n.nspname = $1 AND r.relname = $2
	UNION ALL SELECT i.inhrelid, t.detaching OR i.%[1]s FROM pg_inherits i JOIN tree t ON t.inhrelid = i.inhparent)
	SELECT format('%%I.%%I', n.nspname, c.relname), c.relkind::text, c.relpersistence::text, c.relispartition, t.detaching
	FROM tree t JOIN pg_class c ON c.oid = t.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1`

// Triggers that fire for the rows of an INSERT: bit 0 row, bit 1 before, bit 2 insert.
const triggersSQL = `SELECT t.tgname::text, format('%I.%I', pn.nspname, p.proname), p.prosrc, t.tgtype & 2 <> 0
	FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid JOIN pg_namespace n ON n.oid = r.relnamespace
	JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace
	WHERE n.nspname = $1 AND r.relname = $2 AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 4 <> 0 AND t.tgtype & 1 <> 0 ORDER BY t.tgname`

func (c *Control) tableDetails(ctx context.Context, t Table) (tableDetails, error) {
	d := tableDetails{table: t}
	fail := func(err error) (tableDetails, error) { return d, fmt.Errorf("look at table %s: %w", t, err) }
	if err := c.conn.QueryRow(ctx, tableDetailsSQL, t.Schema, t.Name).Scan(&d.kind, &d.identity, &d.primary, &d.rows, &d.rules); err != nil {
		return fail(err)
	}
	rows, err := c.conn.Query(ctx, fmt.Sprintf(partsSQL, "inhdetachpending"), t.Schema, t.Name) // the column is there since 14
	if err != nil {
		return fail(err)
	}
	if d.parts, err = pgx.CollectRows(rows, pgx.RowToStructByPos[partState]); err != nil {
		return fail(err)
	}
	rows, err = c.conn.Query(ctx, triggersSQL, t.Schema, t.Name)
	if err != nil {
		return fail(err)
	}
	if d.triggers, err = pgx.CollectRows(rows, pgx.RowToStructByPos[triggerState]); err != nil {
		return fail(err)
	}
	return d, nil
}

// findings judges the details. updates says that the relay wants updates, too.
func (d tableDetails) findings(updates bool, name string, p publishes) []Finding {
	list := append(d.identityFindings(updates, name, p), d.partFindings()...)
	list = append(list, d.triggerFindings()...)
	if len(d.rules) > 0 {
		list = append(list, Finding{
			Name: "rules of " + d.table.String(), Level: Warn, Detail: "a rule acts instead of INSERT: " + strings.Join(d.rules, ", "),
			Cause:  "rows then land in another table, or nowhere, and are no changes of the outbox",
			Remedy: fmt.Sprintf("DROP RULE %s ON %s;", quoteIdent(d.rules[0]), d.table),
		})
	}
	return list
}

func (d tableDetails) identityFindings(updates bool, publication string, p publishes) (list []Finding) {
	name := "replica identity of " + d.table.String()
	switch {
	case d.identity == "f" && !updates:
		list = append(list, Finding{
			Name: name, Level: Warn, Detail: "FULL",
			Cause:  "every UPDATE and DELETE of the outbox, the cleaning too, writes the whole old row, payload and all, into the WAL; the relay needs inserts only",
			Remedy: fmt.Sprintf("ALTER TABLE %s REPLICA IDENTITY DEFAULT;", d.table),
		})
	case p.exists && (p.updates || p.deletes) && (d.identity == "n" || d.identity == "d" && !d.primary):
		list = append(list, Finding{
			Name: name, Level: Warn, Detail: "none, and the publication publishes " + p.rowChanges(),
			Cause:  "PostgreSQL refuses every UPDATE or DELETE of the outbox with an error, the cleaning of old rows too",
			Remedy: fmt.Sprintf("ALTER PUBLICATION %s SET (publish = 'insert');\nor give the table a primary key", quoteIdent(publication)),
		})
	}
	if !d.primary {
		list = append(list, Finding{
			Name: "primary key of " + d.table.String(), Level: Warn, Detail: "there is none",
			Cause:  "two events may have the same id: consumers that skip ids they know would drop the second one",
			Remedy: fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (id); -- or the column that holds the event id", d.table),
		})
	}
	return list
}

// partFindings looks at partitions and at tables that inherit.
func (d tableDetails) partFindings() (list []Finding) {
	name := "partitions of " + d.table.String()
	var lost, detaching, heirs []string
	for _, p := range d.parts {
		switch {
		case !p.Partition:
			heirs = append(heirs, p.Name)
		case p.Kind == "f" || p.Persistence != "p":
			lost = append(lost, p.Name)
		case p.Detaching:
			detaching = append(detaching, p.Name)
		}
	}
	if d.kind == "p" && len(d.parts) == 0 {
		list = append(list, Finding{
			Name: name, Level: Warn, Detail: "there is no partition", Cause: "PostgreSQL refuses every INSERT into the outbox",
			Remedy: fmt.Sprintf("CREATE TABLE %s PARTITION OF %s DEFAULT;", Table{Schema: d.table.Schema, Name: d.table.Name + "_default"}, d.table),
		})
	}
	if len(lost) > 0 {
		list = append(list, Finding{
			Name: name, Level: Fail, Detail: "foreign or unlogged: " + strings.Join(lost, ", "),
			Cause:  "rows that land there are not in the WAL, so their events are never published",
			Remedy: fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s; -- then attach an ordinary, logged table", d.table, lost[0]),
		})
	}
	if len(detaching) > 0 {
		list = append(list, Finding{
			Name: name, Level: Warn, Detail: "being detached: " + strings.Join(detaching, ", "),
			Cause:  "a DETACH … CONCURRENTLY was broken off; what is written to it directly is no event",
			Remedy: fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s FINALIZE;", d.table, detaching[0]),
		})
	}
	if len(heirs) > 0 {
		list = append(list, Finding{
			Name: "tables that inherit " + d.table.String(), Level: Warn, Detail: strings.Join(heirs, ", "),
			Cause:  "what is inserted into them comes under their own names, which is not the outbox, so it is not published",
			Remedy: "list them under outbox too, and in the publication; or use declarative partitions",
		})
	}
	return list
}

var (
	movesRow    = regexp.MustCompile(`(?is)\binsert\s+into\b`)
	returnsNull = regexp.MustCompile(`(?is)\breturn\s+null\b`)
)

// triggerFindings looks for triggers that keep a row from the table. A trigger that
// deletes the row after its INSERT is no matter: the INSERT is in the WAL.
func (d tableDetails) triggerFindings() (list []Finding) {
	name := "triggers of " + d.table.String()
	var harmless []string
	for _, t := range d.triggers {
		if !t.Before || !returnsNull.MatchString(t.Source) {
			harmless = append(harmless, t.Name)
			continue
		}
		f := Finding{
			Name: name, Level: Warn, Detail: fmt.Sprintf("trigger %q may suppress rows: %s returns NULL before the INSERT", t.Name, t.Function),
			Cause:  "a suppressed row is not in the table and not in the WAL, so its event is never published",
			Remedy: fmt.Sprintf("DROP TRIGGER %s ON %s; -- or have its function RETURN NEW", quoteIdent(t.Name), d.table),
		}
		if movesRow.MatchString(t.Source) {
			f.Detail = fmt.Sprintf("trigger %q moves rows to another table: %s inserts there and returns NULL", t.Name, t.Function)
			f.Cause = "rows come under the other table's name, which is not the outbox, so their events are not published"
			f.Remedy = "use declarative partitions instead of the trigger; or list the other tables under outbox and in the publication"
		}
		list = append(list, f)
	}
	if len(harmless) > 0 {
		list = append(list, Finding{Name: name, Detail: strings.Join(harmless, ", ") + ": they suppress no INSERT"})
	}
	return list
}
