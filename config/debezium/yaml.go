package debezium

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// value is one setting of walrelay.yaml.
type value struct {
	text  string // as YAML
	items []item // instead, a list with an element a line
	from  string // the comment: where it comes from
}

// item is an element of a list.
type item struct{ text, from string }

// layout is the order of the file. outbox is written from the tables.
var layout = []string{
	"postgres.url", "postgres.password", "postgres.slot", "postgres.publication", "postgres.auto_create", "postgres.failover_slot",
	"outbox",
	"snapshot.mode", "snapshot.fetch_size",
	"route.topic", "route.pattern", "route.replacement", "route.headers", "route.envelope", "route.partition", "route.timestamp",
	"route.schema_version", "route.schema_prefix", "route.missing_columns",
	"route.expand_json", "route.expand_json_nulls", "route.expand_json_names", "route.tombstone_on_empty", "route.null_as_default",
	"route.updates", "route.key_updates",
	"format.key", "format.value", "format.headers",
	"types.decimal", "types.time", "types.interval", "types.binary", "types.hstore", "types.money_digits", "types.unknown", "types.unavailable",
	"kafka.brokers", "kafka.client_id", "kafka.compression",
	"kafka.tls.enabled", "kafka.tls.ca_file", "kafka.tls.cert_file", "kafka.tls.key_file",
	"kafka.sasl.mechanism", "kafka.sasl.username", "kafka.sasl.password",
	"kafka.topics.create",
	"delivery", "on_poison", "dead_letter_topic",
}

// set gives a key its value, already written as YAML, with where it comes from.
func (im *importer) set(key, text, from string) { im.values[key] = value{text: text, from: from} }

// take is set for an option of the file, with its line in the report.
func (im *importer) take(e *entry, key, text string) {
	im.set(key, text, e.origin())
	im.took(e, key, text)
}

// took notes an option that was taken over.
func (im *importer) took(e *entry, key, shown string) {
	e.noted = true
	im.report.Notes = append(im.report.Notes, Note{Verdict: Taken, Option: e.as, File: e.file, Line: e.line, Key: key, Value: shown})
}

// origin says where an option stands, for a comment.
func (e *entry) origin() string {
	where := ""
	if e.line > 0 {
		where = fmt.Sprintf(", line %d", e.line)
	}
	if e.file != "" {
		where += " of " + e.file
	}
	return e.as + where
}

// line is a line of the file.
type line struct{ text, from string }

// commentColumn bounds how far to the right the comments are aligned.
const commentColumn = 58

// yaml writes the file.
func (im *importer) yaml() []byte {
	var lines []line
	var open []string
	for _, key := range layout {
		if key == "outbox" {
			lines = append(append(lines, line{}), im.outboxLines()...)
			open = nil
			continue
		}
		v, ok := im.values[key]
		hint := im.hints[key]
		if !ok && hint == "" {
			continue
		}
		path := strings.Split(key, ".")
		same := 0
		for same < len(open) && same < len(path)-1 && open[same] == path[same] {
			same++
		}
		if same == 0 && len(lines) > 0 && (len(path) > 1 || len(open) > 0) {
			lines = append(lines, line{})
		}
		for depth := same; depth < len(path)-1; depth++ {
			lines = append(lines, line{text: indent(depth) + path[depth] + ":"})
		}
		open = path[:len(path)-1]
		depth := len(path) - 1
		if !ok {
			lines = append(lines, line{text: indent(depth) + "# " + hint})
			continue
		}
		lines = append(lines, v.lines(depth, path[depth])...)
	}
	return render(im.header(), lines)
}

// header is the comment at the top.
func (im *importer) header() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by walrelay import-debezium from %s (%s).\n", oneLine(im.o.Name), im.report.Format)
	b.WriteString("# The comments say which option a line comes from.\n")
	if len(im.report.Environment) > 0 {
		b.WriteString("#\n# walrelay takes from its environment:\n")
		for _, v := range im.report.Environment {
			for i, text := range wrapped(v.Text, 72) {
				if i == 0 {
					fmt.Fprintf(&b, "#   %s: %s\n", v.Name, text)
				} else {
					fmt.Fprintf(&b, "#     %s\n", text)
				}
			}
		}
	}
	return b.String() + "\n"
}

// lines writes one setting.
func (v value) lines(depth int, name string) []line {
	if v.items == nil {
		return []line{{indent(depth) + name + ": " + v.text, v.from}}
	}
	lines := []line{{indent(depth) + name + ":", v.from}}
	for _, it := range v.items {
		lines = append(lines, line{indent(depth+1) + "- " + it.text, it.from})
	}
	return lines
}

// outboxLines writes the tables: a mapping for one, a list for several.
func (im *importer) outboxLines() []line {
	lines := []line{{text: "outbox:"}}
	for _, table := range im.tables {
		first, depth := "  ", 1
		if len(im.tables) > 1 {
			first, depth = "  - ", 2
		}
		lines = append(lines, line{first + "table: " + scalar(table.String()), im.names.table}, line{text: indent(depth) + "columns:"})
		for _, c := range im.names.list() {
			lines = append(lines, line{indent(depth+1) + c.key + ": " + scalar(c.name), c.from})
		}
	}
	return lines
}

// render aligns the comments.
func render(header string, lines []line) []byte {
	column := 0
	for _, l := range lines {
		if n := utf8.RuneCountInString(l.text); l.from != "" && n <= commentColumn {
			column = max(column, n)
		}
	}
	var b strings.Builder
	b.WriteString(header)
	for _, l := range lines {
		b.WriteString(l.text)
		if l.from != "" {
			b.WriteString(strings.Repeat(" ", max(0, column-utf8.RuneCountInString(l.text))) + "  # " + oneLine(l.from))
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func indent(depth int) string { return strings.Repeat("  ", depth) }

// oneLine keeps a text from leaving its comment.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == utf8.RuneError || 0x80 <= r && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

// wrapped breaks a text into lines.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range words(oneLine(text)) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// plainText is what needs no quotes and is text for every reader of YAML.
var plainText = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./@${}+-]*(:[A-Za-z0-9_./@${}+-]+)*$`)

// notText are words that YAML takes for something else.
var notText = regexp.MustCompile(`^(?i:null|true|false|yes|no|on|off|y|n)$`)

// scalar writes a text as YAML: plain where that is safe, else in quotes.
func scalar(text string) string {
	switch {
	case plainText.MatchString(text) && !notText.MatchString(text):
		return text
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f }):
		return doubleQuoted(text)
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// doubleQuoted writes what single quotes cannot hold. Letters of other scripts stay.
func doubleQuoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
