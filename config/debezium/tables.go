package debezium

import (
	"fmt"
	"slices"
	"strings"

	"github.com/walrelay/walrelay/config"
)

// nameThem is what to do where the tables cannot be told from the file.
const nameThem = "name the outbox tables with --table schema.name (it may be repeated)"

// outboxTables finds the tables that are outboxes.
func (im *importer) outboxTables() {
	include := im.get("table.include.list")
	switch {
	case len(im.o.Tables) > 0:
		im.namedTables(include)
	case include != nil && trim(include.value) != "":
		im.listedTables(include)
	default:
		im.defaultTable(include)
	}
	im.tables = im.narrowed(im.tables)
	for _, name := range []string{"table.exclude.list", "schema.include.list", "schema.exclude.list"} {
		if e := im.get(name); e != nil && !e.noted {
			im.note(Ignored, e, "outbox", "walrelay reads only the tables that are listed in outbox.")
		}
	}
}

// namedTables takes those of --table.
func (im *importer) namedTables(include *entry) {
	for _, text := range im.o.Tables {
		table, err := config.ParseTable(text)
		if err != nil {
			im.block(nil, "--table: %s", err)
			continue
		}
		im.addTable(table)
	}
	im.names.table = "--table"
	if include == nil {
		return
	}
	match, ok := matcher(patterns(include.value))
	var outside []string
	for _, t := range im.tables {
		if ok && !match(t.Schema+"."+t.Name) {
			outside = append(outside, t.String())
		}
	}
	if len(outside) > 0 {
		im.note(Differs, include, "outbox", "--table counts, but Debezium does not read "+strings.Join(outside, ", ")+".")
		return
	}
	im.note(Differs, include, "outbox", "--table counts. Other tables are not read.")
}

// defaultTable is for a file that does not name the tables.
func (im *importer) defaultTable(include *entry) {
	im.names.table = "the usual outbox table; the file names none"
	im.tables = []config.Table{{Schema: "public", Name: "outbox"}}
	const text = "The file names no table, so Debezium reads all of them. public.outbox is assumed: if it is another one, "
	if include != nil {
		im.note(Dangerous, include, "outbox.table", "Is empty. "+text+nameThem+".")
		return
	}
	im.absent(Dangerous, "table.include.list", "outbox.table", text+nameThem+".")
}

// listedTables lists the names that the patterns of table.include.list stand for.
func (im *importer) listedTables(e *entry) {
	if !im.resolved(e) {
		return
	}
	im.names.table = e.origin()
	dotted, capitals := false, false
	for _, pattern := range patterns(e.value) {
		names, dots, err := finite(pattern)
		if err != nil {
			im.block(e, "%q stands for tables that only the database knows: %s", pattern, nameThem)
			continue
		}
		for _, name := range names {
			schema, table, ok := strings.Cut(name, ".")
			if !ok || schema == "" || table == "" || strings.ContainsAny(name, `"`) || strings.Contains(table, ".") {
				im.block(e, "%q is not of the form schema.table: %s", name, nameThem)
				continue
			}
			if strings.ToLower(name) != name {
				capitals = true
			}
			im.addTable(config.Table{Schema: schema, Name: table})
		}
		dotted = dotted || dots && strings.Count(pattern, ".") > strings.Count(pattern, `\.`)+1
	}
	var texts []string
	if dotted {
		texts = append(texts, "A dot without a backslash stands for any character in Debezium; it was taken for a dot.")
	}
	if capitals {
		texts = append(texts, "Debezium compares without regard to case; walrelay takes the names as they are written here.")
	}
	im.helpers(e)
	shown := make([]string, len(im.tables))
	for i, t := range im.tables {
		shown[i] = t.String()
	}
	if len(texts) > 0 {
		im.note(Differs, e, "outbox: "+strings.Join(shown, ", "), strings.Join(texts, " "))
		return
	}
	if !e.noted || len(shown) > 0 {
		im.took(e, "outbox.table", strings.Join(shown, ", "))
	}
}

func (im *importer) addTable(t config.Table) {
	if !slices.Contains(im.tables, t) {
		im.tables = append(im.tables, t)
	}
}

// helpers takes out what stands in the list for another purpose: signal and heartbeat
// tables, and tables that the router's predicate leaves to themselves.
func (im *importer) helpers(e *entry) {
	signal := trim(im.text("signal.data.collection", ""))
	query := strings.ToLower(im.text("heartbeat.action.query", ""))
	var kept []config.Table
	for _, t := range im.tables {
		name := t.Schema + "." + t.Name
		switch {
		case strings.EqualFold(name, signal):
			im.note(Differs, e, "outbox", name+" is left out: it is the signal table, no outbox.")
		case len(im.tables) > 1 && strings.Contains(query, strings.ToLower(t.Name)) && !strings.EqualFold(t.Name, "outbox"):
			im.note(Differs, e, "outbox", name+" is left out: it is the heartbeat table, no outbox.")
		case !im.routed(name):
			im.note(Unsupported, e, "outbox", fmt.Sprintf("%s is left out: the router's predicate does not choose it, so Debezium publishes its plain change records, which walrelay does not.", name))
		default:
			kept = append(kept, t)
		}
	}
	if len(kept) == 0 && len(im.tables) > 0 {
		im.block(e, "no table is left that the Outbox Event Router works on: %s", nameThem)
	}
	im.tables = kept
}

// narrowed leaves out what the other lists exclude.
func (im *importer) narrowed(tables []config.Table) []config.Table {
	lists := []struct {
		name    string
		exclude bool
		of      func(config.Table) string
	}{
		{"table.exclude.list", true, func(t config.Table) string { return t.Schema + "." + t.Name }},
		{"schema.include.list", false, func(t config.Table) string { return t.Schema }},
		{"schema.exclude.list", true, func(t config.Table) string { return t.Schema }},
	}
	for _, l := range lists {
		e := im.get(l.name)
		if e == nil || trim(e.value) == "" || !im.resolved(e) {
			continue
		}
		match, ok := matcher(patterns(e.value))
		if !ok {
			im.note(Unsupported, e, "outbox", "Has something that only Java's regular expressions know, so it was not looked at. See to it that outbox lists the right tables.")
			continue
		}
		var kept []config.Table
		for _, t := range tables {
			if match(l.of(t)) != l.exclude {
				kept = append(kept, t)
				continue
			}
			im.note(Differs, e, "outbox", t.String()+" is left out by it.")
		}
		if len(kept) == 0 && len(tables) > 0 {
			im.block(e, "leaves no outbox table: correct it, or %s", nameThem)
		}
		tables = kept
	}
	return tables
}
