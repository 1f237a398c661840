package relay

import (
	"context"
	"errors"
	"fmt"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
)

// CheckTables says for each outbox table whether its columns, as they are now,
// make events and records by the rules of cfg. It changes nothing.
func CheckTables(ctx context.Context, control *replication.Control, cfg Config) []replication.Finding {
	routers, tables, err := Routers(cfg.Tables)
	if err != nil {
		return []replication.Finding{{Name: "columns", Level: replication.Fail, Detail: err.Error()}}
	}
	var findings []replication.Finding
	for i := range tables {
		f := replication.Finding{Name: "columns of " + tables[i].Name, Level: replication.OK}
		if err := checkTable(ctx, control, routers[i], &tables[i], &f); err != nil {
			f.Level, f.Detail = replication.Fail, err.Error()
			var mapping *decoding.MappingError
			if errors.As(err, &mapping) {
				f.Detail, f.Remedy = mapping.Problem, mapping.Advice
			}
		}
		if f.Detail != "" {
			findings = append(findings, f)
		}
	}
	return findings
}

// checkTable fills in what f says of one table; nothing for one that does not
// exist, which others tell.
func checkTable(ctx context.Context, control *replication.Control, router *routing.Router, t *decoding.Table, f *replication.Finding) error {
	known, err := control.Columns(ctx, t.Schema, t.Name)
	if err != nil || len(known) == 0 {
		return err
	}
	rel := decoding.Relation{Namespace: t.Schema, Name: t.Name, Table: t}
	for i := range known {
		rel.Columns = append(rel.Columns, decoding.Column{Name: known[i].Name, OID: known[i].OID, Mod: known[i].Mod})
	}
	if rel.At, err = t.Place(rel.Columns); err != nil {
		return err
	}
	if err := router.Bind(&rel, describe(known)); err != nil {
		return err
	}
	doubts := router.Doubts()
	f.Detail = fmt.Sprintf("%d columns, all that the rules name are there", len(known))
	for i, d := range doubts {
		if i == 0 {
			f.Level, f.Detail, f.Remedy = replication.Fail, d.Problem, d.Advice
			continue
		}
		f.Detail, f.Remedy = f.Detail+"; "+d.Problem, f.Remedy+"\n"+d.Advice
	}
	return nil
}
