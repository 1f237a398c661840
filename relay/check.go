package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
)

// CheckTables says for each outbox table whether its columns, as they are now and
// as the publication sends them, make events and records by the rules of cfg, and
// whether the event ids are fit for what consumers do with them. It changes nothing.
func CheckTables(ctx context.Context, control *replication.Control, cfg Config) []replication.Finding {
	routers, tables, err := Routers(cfg.Tables)
	if err != nil {
		return []replication.Finding{{Name: "columns", Level: replication.Fail, Detail: err.Error(), Remedy: "correct route and outbox in the configuration"}}
	}
	var findings []replication.Finding
	for i := range tables {
		findings = append(findings, checkTable(ctx, control, routers[i], &tables[i], cfg.Tables[i].Rules.Key)...)
	}
	return findings
}

// checkTable looks at one table; nothing for one that does not exist, which others
// tell.
func checkTable(ctx context.Context, control *replication.Control, router *routing.Router, t *decoding.Table, key string) []replication.Finding {
	f := replication.Finding{Name: "columns of " + t.Name}
	known, err := control.Columns(ctx, t.Schema, t.Name)
	if err == nil && len(known) == 0 {
		return nil
	}
	var hidden []string
	if err == nil {
		hidden, err = control.Unpublished(ctx, t.Schema, t.Name)
	}
	if err != nil {
		f.Level, f.Detail, f.Remedy = replication.Fail, err.Error(), "run the check again"
		return []replication.Finding{f}
	}
	sent := slices.DeleteFunc(slices.Clone(known), func(c replication.CatalogColumn) bool { return slices.Contains(hidden, c.Name) })
	places, err := bind(router, t, sent)
	if err != nil {
		return []replication.Finding{unfit(f, err, router, t, known, hidden)}
	}
	f.Detail = fmt.Sprintf("%d columns, all that the rules name are there", len(sent))
	for i, d := range router.Doubts() {
		if i == 0 {
			f.Level, f.Detail, f.Remedy = replication.Fail, d.Problem, d.Advice
			continue
		}
		f.Detail, f.Remedy = f.Detail+"; "+d.Problem, f.Remedy+"\n"+d.Advice
	}
	if f.Level != replication.OK {
		f.Cause = "the relay could not make records as the configuration says, and would stop at the first one"
	}
	return append([]replication.Finding{f}, checkKeys(t, sent, places, keyColumn(key, sent, places))...)
}

// bind places the columns and prepares the router for them, as the first row would.
func bind(router *routing.Router, t *decoding.Table, columns []replication.CatalogColumn) (decoding.Places, error) {
	rel := decoding.Relation{Namespace: t.Schema, Name: t.Name, Table: t}
	for i := range columns {
		rel.Columns = append(rel.Columns, decoding.Column{Name: columns[i].Name, OID: columns[i].OID, Mod: columns[i].Mod})
	}
	var err error
	if rel.At, err = t.Place(rel.Columns); err != nil {
		return rel.At, err
	}
	return rel.At, router.Bind(&rel, describe(columns))
}

// unfit explains columns that make no event. What the publication leaves out is the
// reason when with it all would be well.
func unfit(f replication.Finding, err error, router *routing.Router, t *decoding.Table, known []replication.CatalogColumn, hidden []string) replication.Finding {
	f.Level, f.Detail, f.Cause = replication.Fail, err.Error(), "the relay would stop at the first event, with exit code 4"
	var mapping *decoding.MappingError
	if errors.As(err, &mapping) {
		f.Detail, f.Remedy = mapping.Problem, mapping.Advice
	}
	if len(hidden) == 0 {
		return f
	}
	if _, whole := bind(router, t, known); whole == nil {
		f.Detail += "; the table has it, but the publication does not send " + strings.Join(hidden, ", ")
		f.Remedy = "have the publication send all columns (generated ones only from PostgreSQL 18 on): ALTER PUBLICATION … DROP TABLE " + t.String() + ";\n" +
			"ALTER PUBLICATION … ADD TABLE " + t.String() + "; -- without a list of columns"
	}
	return f
}

// keyColumn finds the column of the record's key, -1 for none.
func keyColumn(key string, columns []replication.CatalogColumn, at decoding.Places) int {
	switch key {
	case "", "aggregate_id":
		return at.AggregateID
	case "id":
		return at.ID
	case "aggregate_type":
		return at.AggregateType
	case "event_type":
		return at.EventType
	case "payload":
		return at.Payload
	}
	return slices.IndexFunc(columns, func(c replication.CatalogColumn) bool { return c.Name == strings.Trim(key, `"`) })
}

// checkKeys looks at the columns that consumers rely on: that of the event id, and
// that of the record's key, -1 for none.
func checkKeys(t *decoding.Table, columns []replication.CatalogColumn, at decoding.Places, keyAt int) (list []replication.Finding) {
	id := &columns[at.ID]
	f := replication.Finding{Name: "event id of " + t.Name, Detail: fmt.Sprintf("column %s, %s", id.Name, id.TypeName)}
	keyColumns := 0
	for i := range columns {
		if columns[i].KeyPosition > 0 {
			keyColumns++
		}
	}
	switch {
	case id.KeyPosition == 0:
		f.Level, f.Detail = replication.Warn, f.Detail+", which is no part of the table's key"
		f.Cause = "unless another unique index covers it, two events may have one id, and consumers that skip ids they know drop the second"
		f.Remedy = fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY ON %s (%s);", t, quoted(id.Name))
	case keyColumns > 1:
		f.Detail += fmt.Sprintf(", unique with %d more of the key", keyColumns-1)
	case !id.NotNull:
		f.Level, f.Detail = replication.Warn, f.Detail+", which may be NULL"
		f.Cause = "an event without an id can't be told from its repetition"
		f.Remedy = fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;", t, quoted(id.Name))
	}
	list = append(list, f)
	if keyAt < 0 {
		return list
	}
	if key := &columns[keyAt]; !key.NotNull {
		list = append(list, replication.Finding{
			Name: "key of " + t.Name, Level: replication.Warn, Detail: fmt.Sprintf("column %s may be NULL", key.Name),
			Cause:  "an event without a key goes to any partition, so it has no order among those of its aggregate, and a compacted topic refuses it",
			Remedy: fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;", t, quoted(key.Name)),
		})
	}
	return list
}

// quoted quotes a column for SQL.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
