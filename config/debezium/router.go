package debezium

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/routing/javaregex"
)

// Debezium's defaults of route.topic.regex and route.topic.replacement.
const (
	defaultRegex       = "(?<routedByValue>.*)"
	defaultReplacement = "outbox.event.${routedByValue}"
)

type tableName = config.Table

// columns are the outbox columns, with the comments of their lines.
type columns struct {
	table string // the comment of the table
	found []column
	used  []string // every column that the records are made of
}

// column is one line below outbox.columns.
type column struct{ key, name, from string }

func (c *columns) list() []column { return c.found }

// routing reads the router's options.
func (im *importer) routing() {
	if im.router == "" {
		return
	}
	im.column("id", "table.field.event.id", "id")
	im.column("aggregate_type", "route.by.field", "aggregatetype")
	im.column("aggregate_id", "table.field.event.key", "aggregateid")
	im.eventType()
	im.column("payload", "table.field.event.payload", "payload")
	im.topic()
	im.placements()
	im.recordTime()
	im.schemaVersion()
	im.expansion()
	im.updates()
}

// option returns an option of the router whose value is known, nil when there is none.
func (im *importer) option(name string) *entry {
	e := im.get(im.router + name)
	if e == nil || !im.resolved(e) {
		return nil
	}
	return e
}

// column names a column, also where the name is Debezium's default: walrelay would
// look for others.
func (im *importer) column(key, option, def string) {
	c := column{key: key, name: def, from: im.spelled(im.router+option) + ": Debezium's default"}
	if e := im.option(option); e != nil && im.columnName(e, e.value) {
		c.name, c.from = e.value, e.origin()
		im.took(e, "outbox.columns."+key, e.value)
	}
	im.names.found = append(im.names.found, c)
	im.uses(c.name)
}

// uses notes a column that records are made of.
func (im *importer) uses(name string) {
	if !slices.Contains(im.names.used, name) {
		im.names.used = append(im.names.used, name)
	}
}

// columnName refuses what cannot be a column's name.
func (im *importer) columnName(e *entry, name string) bool {
	switch {
	case name == "":
		im.block(e, "is empty: name a column, or remove the option")
	case strings.ContainsAny(name, ",\x00"):
		im.block(e, "%q is no column that walrelay can name: commas separate names there", name)
	case len(name) > 63:
		im.block(e, "has %d bytes: PostgreSQL's names have at most 63", len(name))
	default:
		return true
	}
	return false
}

// eventType names the column of the event type where walrelay would not find it. In
// Debezium the option has no effect.
func (im *importer) eventType() {
	e := im.option("table.field.event.type")
	switch {
	case e == nil:
	case e.value == "type" || e.value == "event_type":
		im.note(Ignored, e, "outbox.columns.event_type", "Debezium never reads it; walrelay finds this column by itself, for metrics.")
	case im.columnName(e, e.value):
		im.names.found = append(im.names.found, column{"event_type", e.value, e.origin()})
		im.note(Differs, e, "outbox.columns.event_type", "Debezium never reads it, so the column may be missing there; walrelay needs it then, for metrics. Remove the line if there is no such column.")
	}
}

// topic takes over the routing rule: as a template where it is one.
func (im *importer) topic() {
	regex, replacement := im.option("route.topic.regex"), im.option("route.topic.replacement")
	pattern, target, from := defaultRegex, defaultReplacement, ""
	if regex != nil {
		pattern, from = regex.value, regex.origin()
	}
	if replacement != nil {
		target = replacement.value
		from = strings.TrimPrefix(from+"; "+replacement.origin(), "; ")
	}
	if regex == nil && replacement == nil {
		return // walrelay's default is Debezium's
	}
	last := replacement
	if last == nil {
		last = regex
	}
	if _, err := javaregex.Compile(pattern, target); err != nil {
		var bad *javaregex.Error
		if errors.As(err, &bad) && bad.What == "pattern" && regex != nil {
			last = regex
		}
		im.block(last, "%s", err)
		return
	}
	if template, ok := topicTemplate(pattern, target); ok {
		if bad := notTopic.FindString(strings.ReplaceAll(template, "${aggregate_type}", "")); bad != "" || template == "." || template == ".." || template == "" {
			im.block(last, "makes topics that Kafka cannot have (%q): a name may hold letters, digits, '.', '_' and '-'", template)
			return
		}
		im.set("route.topic", scalar(template), from)
		for _, e := range []*entry{regex, replacement} {
			if e != nil {
				im.took(e, "route.topic", template)
			}
		}
		return
	}
	im.values["route.pattern"] = value{text: scalar(pattern), from: originOr(regex, im.spelled(im.router+"route.topic.regex")+": Debezium's default")}
	im.values["route.replacement"] = value{text: scalar(target), from: originOr(replacement, im.spelled(im.router+"route.topic.replacement")+": Debezium's default")}
	if regex != nil {
		im.took(regex, "route.pattern", pattern)
	}
	if replacement != nil {
		im.took(replacement, "route.replacement", target)
	}
}

func originOr(e *entry, def string) string {
	if e == nil {
		return def
	}
	return e.origin()
}

// wholeValue matches the patterns that take any value as a whole: .*, (.*), (?<name>.*).
var wholeValue = regexp.MustCompile(`^(?:\.\*|\((?:\?<([A-Za-z][A-Za-z0-9]*)>)?\.\*\))$`)

// topicTemplate makes a template of route.topic of a pattern and a replacement, where
// the pattern takes the whole value and the replacement puts it into a text.
func topicTemplate(pattern, replacement string) (template string, ok bool) {
	m := wholeValue.FindStringSubmatch(pattern)
	if m == nil {
		return "", false
	}
	groups := strings.Count(pattern, "(")
	var b strings.Builder
	for i := 0; i < len(replacement); i++ {
		switch c := replacement[i]; {
		case c == '\\' && i+1 < len(replacement):
			i++
			if replacement[i] == '$' {
				return "", false
			}
			b.WriteByte(replacement[i])
		case c == '\\':
			return "", false
		case c != '$':
			b.WriteByte(c)
		case i+1 < len(replacement) && '0' <= replacement[i+1] && replacement[i+1] <= '0'+byte(groups):
			number := int(replacement[i+1] - '0')
			for i++; i+1 < len(replacement) && '0' <= replacement[i+1] && replacement[i+1] <= '9'; i++ { // as many digits as there are groups for
				next := number*10 + int(replacement[i+1]-'0')
				if next > groups {
					break
				}
				number = next
			}
			b.WriteString("${aggregate_type}")
		case m[1] != "" && strings.HasPrefix(replacement[i:], "${"+m[1]+"}"):
			i += len(m[1]) + 2
			b.WriteString("${aggregate_type}")
		default:
			return "", false
		}
	}
	return b.String(), true
}

// sourceWords are names that mean something else than a column in a list of sources.
var sourceWords = []string{"id", "aggregate_type", "aggregate_id", "event_type", "payload", "none", "debezium-context"}

// sourceOf writes a column as a source, in double quotes where it would be taken for
// something else.
func sourceOf(column, alias string) string {
	if slices.Contains(sourceWords, column) || strings.HasPrefix(column, "walrelay-") || strings.ContainsAny(column, `":`) || column != trim(column) {
		column = `"` + strings.ReplaceAll(column, `"`, `""`) + `"`
	}
	if alias == "" {
		return column
	}
	return column + ":" + alias
}

// placements reads table.fields.additional.placement: col:header|envelope|partition[:alias].
func (im *importer) placements() {
	headers := []item{{"id", "the router writes it always"}}
	e := im.option("table.fields.additional.placement")
	if e == nil {
		im.missingColumns(false)
		return
	}
	var envelope []item
	fields := []string{"payload"}
	shown := map[string][]string{}
	for _, text := range javaSplit(e.value, ",") {
		parts := javaSplit(text, ":")
		if len(parts) != 2 && len(parts) != 3 {
			im.block(e, "%q is no placement: want column:header, column:envelope or column:partition, and :name behind it for another name", trim(text))
			continue
		}
		name, where, alias := trim(parts[0]), strings.ToLower(trim(parts[1])), ""
		if !im.columnName(e, name) {
			continue
		}
		if len(parts) == 3 && trim(parts[2]) != name {
			alias = trim(parts[2])
		}
		if im.hidden(name) {
			continue
		}
		from := fmt.Sprintf("%s, line %d", trim(text), e.line)
		im.uses(name)
		source := sourceOf(name, alias)
		shown[where] = append(shown[where], source)
		switch where {
		case "header":
			headers = append(headers, item{scalar(source), from})
		case "envelope":
			field := alias
			if field == "" {
				field = name
			}
			if slices.Contains(fields, field) {
				im.block(e, "puts two fields %q into the envelope, which Debezium fails on, too: give one another name", field)
				continue
			}
			fields = append(fields, field)
			envelope = append(envelope, item{scalar(source), from})
		case "partition":
			im.partition(e, name, from)
		default:
			im.block(e, "%q: a column goes to header, envelope or partition", trim(text))
		}
	}
	if len(headers) > 1 {
		im.values["route.headers"] = value{items: headers}
		im.note(Taken, e, "route.headers", strings.Join(shown["header"], ", "))
	}
	if len(envelope) > 0 {
		im.values["route.envelope"] = value{items: envelope, from: "the value becomes a struct of payload and these"}
		im.note(Taken, e, "route.envelope", strings.Join(shown["envelope"], ", "))
	}
	im.missingColumns(true)
}

// partition takes over a column:partition. Debezium Server does not pass it on.
func (im *importer) partition(e *entry, name, from string) {
	if im.server {
		im.note(Ignored, e, "", name+":partition has no effect with Debezium Server: the key decides the partition. Set route.partition to let the column decide.")
		return
	}
	im.set("route.partition", scalar(name), from)
	im.took(e, "route.partition", name)
}

// missingColumns reads table.field.additional.missing, and what version 2 had for it.
func (im *importer) missingColumns(placed bool) {
	if e := im.option("table.field.additional.missing"); e != nil {
		if mode, ok := im.choice(e, "error", "ignore"); ok {
			im.take(e, "route.missing_columns", mode)
		}
	}
	e := im.option("table.fields.additional.error.on.missing")
	if e == nil {
		return
	}
	on, ok := im.flag(e)
	switch {
	case !ok:
	case on || !placed || im.get(im.router+"table.field.additional.missing") != nil:
		im.note(Ignored, e, "", "An option of Debezium 2; walrelay's default is the same.")
	default:
		im.set("route.missing_columns", "ignore", e.origin())
		im.note(Differs, e, "route.missing_columns: ignore", "An option of Debezium 2, which Debezium 3 does not read any more (table.field.additional.missing).")
	}
}

// recordTime takes over the timestamp column. Debezium Server does not pass it on.
func (im *importer) recordTime() {
	e := im.option("table.field.event.timestamp")
	switch {
	case im.server && e != nil:
		im.note(Ignored, e, "", "Has no effect with Debezium Server, whose records carry the time at which they were sent. walrelay uses the commit time; set route.timestamp to use the column.")
	case e == nil && im.server:
		im.absent(Differs, im.router+"table.field.event.timestamp", "route.timestamp", "walrelay's records carry the time of the commit; Debezium Server's carry the time at which they were sent.")
	case e == nil:
		im.absent(Differs, im.router+"table.field.event.timestamp", "route.timestamp", "Without a column records carry the time of the commit; Debezium's carry the time at which it processed the row.")
	case im.columnName(e, e.value):
		im.uses(e.value)
		im.take(e, "route.timestamp", scalar(e.value))
	}
}

func (im *importer) schemaVersion() {
	if e := im.option("table.field.event.schema.version"); e != nil && im.columnName(e, e.value) {
		im.uses(e.value)
		im.take(e, "route.schema_version", scalar(e.value))
	}
}

// expansion reads what is about JSON payloads and empty ones.
func (im *importer) expansion() {
	expanded := false
	if e := im.option("table.expand.json.payload"); e != nil {
		if on, ok := im.flag(e); ok {
			expanded = on
			im.take(e, "route.expand_json", yesNo(on))
		}
	}
	if e := im.option("table.json.payload.null.behavior"); e != nil {
		if mode, ok := im.choice(e, "ignore", "optional_bytes"); ok {
			im.take(e, "route.expand_json_nulls", map[string]string{"ignore": "drop", "optional_bytes": "keep"}[mode])
		}
	}
	if e := im.option("field.name.adjustment.mode"); e != nil {
		if mode, ok := im.choice(e, "none", "avro", "avro_unicode"); ok {
			im.take(e, "route.expand_json_names", mode)
		}
	}
	if e := im.option("route.tombstone.on.empty.payload"); e != nil {
		if on, ok := im.flag(e); ok {
			im.take(e, "route.tombstone_on_empty", yesNo(on))
		}
	}
	if expanded {
		im.remark(Differs, "Java's version", "format.java_version", "Numbers with a fraction are printed as Java 19 and later do. Where Debezium runs on Java 18 or older, set format.java_version to 18: some have other last digits there.")
	}
}

func yesNo(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

// updates reads what an UPDATE of an outbox row does.
func (im *importer) updates() {
	if e := im.get("skipped.operations"); e != nil && slices.ContainsFunc(listOf(e.value), func(op string) bool { return strings.EqualFold(op, "u") }) {
		im.set("route.updates", "ignore", e.origin())
		return
	}
	e := im.option("table.op.invalid.behavior")
	if e == nil {
		e = im.option("debezium.op.invalid.behavior")
	}
	if e == nil {
		im.set("route.updates", "warn", im.spelled(im.router+"table.op.invalid.behavior")+": Debezium's default")
		return
	}
	switch mode, ok := im.choice(e, "warn", "error", "fatal"); {
	case !ok:
	case mode == "error":
		im.set("route.updates", "warn", e.origin())
		im.note(Differs, e, "route.updates: warn", "An UPDATE is logged as a warning, where Debezium logs it as an error; the row is left out in both.")
	case mode == "fatal":
		im.take(e, "route.updates", "stop")
	default:
		im.take(e, "route.updates", "warn")
	}
}
