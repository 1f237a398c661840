package debezium

import (
	"fmt"
	"slices"
	"strings"
)

// columnRules looks at the options about columns: where they touch what the records
// are made of, there is no counterpart.
func (im *importer) columnRules() {
	im.columnList("column.exclude.list", true)
	im.columnList("column.include.list", false)
	for _, e := range im.entries {
		if strings.HasPrefix(e.name, "column.mask.") || strings.HasPrefix(e.name, "column.truncate.") {
			im.masked(e)
		}
	}
	for _, name := range []string{"column.propagate.source.type", "datatype.propagate.source.type"} {
		e := im.get(name)
		switch {
		case e == nil:
		case im.schemas():
			im.note(Unsupported, e, "", "The schemas do not tell the columns' source types (parameters __debezium.source.column.*).")
		default:
			im.note(Ignored, e, "", "It is about schemas, which the records do not carry.")
		}
	}
	im.adjustments()
}

// schemas tells whether some part of the records carries its schema.
func (im *importer) schemas() bool {
	for _, c := range im.parts {
		if c.name == "json-schema" || c.delegate == "json-schema" {
			return true
		}
	}
	return false
}

// touched lists the columns of the records that a list of patterns matches.
func (im *importer) touched(e *entry) (columns []string, ok bool) {
	match, ok := matcher(patterns(e.value))
	if !ok {
		return nil, false
	}
	for _, t := range im.tables {
		for _, name := range im.names.used {
			if match(t.Schema + "." + t.Name + "." + name) {
				columns = append(columns, name)
			}
		}
	}
	return columns, true
}

// hidden tells whether a column that is to be placed is kept from the router by the
// column lists, and may be missing: then Debezium leaves the placement out.
func (im *importer) hidden(column string) bool {
	missing := strings.ToLower(trim(im.text(im.router+"table.field.additional.missing", "")))
	old := strings.ToLower(trim(im.text(im.router+"table.fields.additional.error.on.missing", "")))
	if missing != "ignore" && (missing != "" || old != "false") {
		return false
	}
	for _, list := range []struct {
		name    string
		exclude bool
	}{{"column.exclude.list", true}, {"column.include.list", false}} {
		e := im.get(list.name)
		if e == nil || trim(e.value) == "" || e.missing != "" {
			continue
		}
		match, ok := matcher(patterns(e.value))
		if !ok {
			continue
		}
		shown := func(t tableName) bool { return match(t.Schema+"."+t.Name+"."+column) != list.exclude }
		if len(im.tables) > 0 && !slices.ContainsFunc(im.tables, shown) {
			im.note(Differs, e, "route", column+" is placed nowhere: the list hides the column, and missing columns are ignored.")
			return true
		}
	}
	return false
}

// columnList looks at column.include.list or column.exclude.list.
func (im *importer) columnList(option string, exclude bool) {
	e := im.get(option)
	if e == nil || im.router == "" || trim(e.value) == "" || !im.resolved(e) {
		return
	}
	columns, ok := im.touched(e)
	switch {
	case !ok:
		im.note(Unsupported, e, "", "Has a pattern that cannot be looked at here. walrelay reads just the columns that its file names.")
	case exclude && len(columns) > 0:
		im.block(e, "leaves out %s, which the records are made of (Debezium fails on it, too): correct the list", strings.Join(columns, ", "))
	case !exclude && len(columns) < len(im.names.used)*len(im.tables):
		im.block(e, "leaves out columns which the records are made of (%s; Debezium fails on it, too): correct the list", strings.Join(im.names.used, ", "))
	case !e.noted:
		im.note(Ignored, e, "", "walrelay reads just the columns that its file names.")
	}
}

// masked refuses rules that would change what goes out: without them it would go out
// unmasked.
func (im *importer) masked(e *entry) {
	if im.router == "" || !im.resolved(e) {
		return
	}
	columns, ok := im.touched(e)
	switch {
	case !ok:
		im.block(e, "has a pattern that cannot be looked at here, and walrelay masks and truncates nothing: remove the option if it is not about the outbox")
	case len(columns) > 0:
		im.block(e, "changes %s, and walrelay masks and truncates nothing: what is hidden now would go out. Do it where the row is inserted, then remove the option", strings.Join(columns, ", "))
	default:
		im.note(Ignored, e, "", "It is not about the columns that the records are made of.")
	}
}

// adjustments looks at the connector's own adjustments of names.
func (im *importer) adjustments() {
	if e := im.get("schema.name.adjustment.mode"); e != nil {
		mode, ok := im.choice(e, "none", "avro", "avro_unicode")
		_, enveloped := im.values["route.envelope"]
		switch {
		case !ok:
		case mode == "none" || !enveloped || !im.schemas():
			im.note(Ignored, e, "", "The records carry no schema with a name that is made of table names.")
		default:
			im.note(Unsupported, e, "", fmt.Sprintf("Names of envelope schemas go out as they are, also where Avro would not take them (%s…).", im.prefix))
		}
	}
	if e := im.get("field.name.adjustment.mode"); e != nil {
		switch mode, ok := im.choice(e, "none", "avro", "avro_unicode"); {
		case !ok:
		case mode == "none":
			im.note(Ignored, e, "", "No names are adjusted.")
		default:
			im.note(Differs, e, "outbox.columns", "Debezium renames columns that Avro does not take (a-b becomes a_b), and its options have the new names. walrelay needs the real ones: correct outbox.columns and route.* where they differ.")
		}
	}
}
