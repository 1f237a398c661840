package debezium

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

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
	if list := im.predicateTables(); len(list) > 0 {
		im.names.table = im.get(im.router + "predicate").origin()
		im.tables = list
		if include != nil {
			im.note(Ignored, include, "outbox.table", "Is empty; the tables are those of the router's predicate.")
		}
		return
	}
	im.names.table = "the usual outbox table; the file names none"
	for _, schema := range im.usualSchemas() {
		im.addTable(config.Table{Schema: schema, Name: "outbox"})
	}
	text := "The file names no table, so Debezium reads all of them. " + im.tables[0].String() + " is assumed: if it is another one, "
	if include != nil {
		im.note(Dangerous, include, "outbox.table", "Is empty. "+text+nameThem+".")
		return
	}
	im.absent(Dangerous, "table.include.list", "outbox.table", text+nameThem+".")
}

// usualSchemas are the schemas where the usual outbox table is looked for.
func (im *importer) usualSchemas() []string {
	var schemas []string
	for _, pattern := range patterns(im.text("schema.include.list", "")) {
		if names, err := finite(pattern); err == nil {
			schemas = append(schemas, names...)
		}
	}
	if len(schemas) == 0 || slices.Contains(schemas, "public") {
		return []string{"public"}
	}
	return schemas
}

// listedTables lists the names that the patterns of table.include.list stand for.
func (im *importer) listedTables(e *entry) {
	if !im.resolved(e) {
		return
	}
	im.names.table = e.origin()
	capitals, dots := false, false
	for _, pattern := range patterns(e.value) {
		names, err := finite(pattern)
		if err != nil && im.chosenTables(e, pattern) {
			continue
		}
		if err != nil {
			im.block(e, "%q stands for tables that only the database knows: %s", pattern, nameThem)
			continue
		}
		for _, name := range names {
			schema, table, ok := strings.Cut(name, ".")
			if !ok || schema == "" || table == "" || strings.ContainsAny(name, `"`) || len(schema) > 63 || len(table) > 63 {
				im.block(e, "%q is not of the form schema.table: %s", name, nameThem)
				continue
			}
			capitals = capitals || strings.ToLower(name) != name
			dots = dots || strings.Contains(table, ".")
			im.addTable(config.Table{Schema: schema, Name: table})
		}
	}
	im.helpers(e)
	shown := make([]string, len(im.tables))
	for i, t := range im.tables {
		shown[i] = t.String()
	}
	var texts []string
	if capitals {
		texts = append(texts, "Debezium compares without regard to case; walrelay takes the names as they are written here.")
	}
	if dots {
		texts = append(texts, "Of several dots the first was taken for the one between schema and table.")
	}
	switch {
	case len(texts) > 0:
		im.note(Differs, e, "outbox: "+strings.Join(shown, ", "), strings.Join(texts, " "))
	case !e.noted || len(shown) > 0:
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
	var kept []config.Table
	for _, t := range im.tables {
		name := t.Schema + "." + t.Name
		switch {
		case strings.EqualFold(name, signal):
			im.note(Differs, e, "outbox", name+" is left out: it is the signal table, no outbox.")
		case len(im.tables) > 1 && im.heartbeatTable(t):
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

// heartbeatTable tells whether the heartbeat's statement names a table that is not
// called like an outbox: heartbeats may go into an outbox, too, and one that is left
// out by mistake is worse than one too many, which walrelay check finds.
func (im *importer) heartbeatTable(t config.Table) bool {
	name := strings.ToLower(t.Name)
	for _, word := range []string{"outbox", "event", "message"} {
		if strings.Contains(name, word) {
			return false
		}
	}
	words := strings.FieldsFunc(strings.ToLower(im.text("heartbeat.action.query", "")), func(r rune) bool {
		return r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return slices.Contains(words, name)
}

// predicateTables are the tables that the router's predicate chooses by their topics,
// nil when it does not name them.
func (im *importer) predicateTables() []config.Table {
	p, ok := im.predicateOf(im.router)
	if !ok || im.router == "" || p.class != "TopicNameMatches" || p.negate {
		return nil
	}
	topics, err := finite(p.pattern)
	if err != nil {
		return nil
	}
	var list []config.Table
	for _, topic := range topics {
		name, ok := strings.CutPrefix(topic, im.rawTopic(""))
		schema, table, dot := strings.Cut(name, ".")
		if !ok || !dot || schema == "" || table == "" || strings.Contains(table, ".") {
			return nil
		}
		list = append(list, config.Table{Schema: schema, Name: table})
	}
	return list
}

// chosenTables takes those tables of an endless pattern that the router's predicate
// chooses.
func (im *importer) chosenTables(e *entry, pattern string) bool {
	match, ok := matcher([]string{pattern})
	if !ok {
		return false
	}
	found := false
	for _, t := range im.predicateTables() {
		if match(t.Schema + "." + t.Name) {
			im.addTable(t)
			found = true
		}
	}
	if found {
		im.note(Unsupported, e, "outbox", "Of the tables of "+pattern+" only those that the router's predicate chooses are outboxes. Debezium publishes plain change records of the others, which walrelay does not.")
	}
	return found
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
			im.note(Unsupported, e, "outbox", "Has a pattern that cannot be looked at here. See to it that outbox lists the right tables.")
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
