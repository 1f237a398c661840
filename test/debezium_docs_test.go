package test_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/debezium-cases.md anew")

// debeziumGroups are the groups of cases by the beginnings of their names, the
// longest of which counts.
var debeziumGroups = []struct {
	title    string
	prefixes []string
}{
	{"Topic", []string{"route_"}},
	{"Partition", []string{"partition_", "partitioner_"}},
	{"Key", []string{"key_"}},
	{"Headers", []string{"header_", "additional_", "extended_", "placement_"}},
	{"Column types", []string{
		"array_", "binary_", "bit_", "domain_", "edge_", "enum_", "hstore_", "interval_", "json_", "key_payload_", "money_", "numbers_", "numeric_",
		"point_", "range_", "special_", "text_", "time_", "timestamp_", "timestamptz_", "timetz_", "unknown_",
	}},
	{"Timestamp", []string{"ts_"}},
	{"Payload", []string{"default_", "bytea_", "jsonb_", "binarydata_", "array_payload", "int_", "xml_", "toast_", "worker_", "payload_"}},
	{"Envelope", []string{"envelope_", "schema_", "other_", "version_", "topic_prefix_"}},
	{"JSON expansion", []string{"expand_"}},
	{"Tombstones", []string{"tombstone_"}},
	{"Column defaults", []string{"column_default", "aggregateid_default", "defaults_"}},
	{"Tables and columns", []string{"renamed_", "column", "no_", "id_", "partitioned_", "inherited_", "table", "alter_", "predicate_", "datatype_"}},
	{"Operations", []string{"op_"}},
	{"Snapshot", []string{"snapshot_"}},
	{"Size and tolerance", []string{"too_", "tolerance_", "errors_"}},
	{"Debezium's own records", []string{"heartbeat", "transaction_"}},
	{"Debezium Server", []string{"server_"}},
	{"Others", []string{""}},
}

// groupOf returns the title of a case's group.
func groupOf(name string) (title string) {
	longest := 0
	for _, group := range debeziumGroups {
		for _, prefix := range group.prefixes {
			if strings.HasPrefix(name, prefix) && len(prefix) >= longest {
				title, longest = group.title, len(prefix)
			}
		}
	}
	return title
}

const debeziumCasesHead = `# Debezium, case by case

<!-- Generated from test/debezium: go test ./test -run TestDebeziumCases -update -->

What Debezium's PostgreSQL connector with the Outbox Event Router wrote to Kafka
was recorded in %d cases ([test/debezium](../test/debezium/README.md)). ` + "`go test ./test -run TestDebezium`" + `
runs each through the whole program: a real PostgreSQL, the configuration imported
as it is, the SQL as it is, the relay, Kafka, and a comparison of topic, partition,
key, value, headers and timestamp, byte for byte. In %d of them walrelay writes the
same; %d are those in which Debezium failed, left something to chance, lost a row or
wrote records of its own, and those with an option that walrelay does not have. There
it does what stands below, which the test demands just as strictly. Where the
configuration has a pattern for its tables, they are named with ` + "`--table`" + `.

In all cases the four ` + "`__debezium.context.*`" + ` headers are left out unless asked for, and
without a timestamp column the timestamp is the commit time instead of the time at
which Debezium saw the row.

| group | cases | the same, byte for byte | different |
|---|---|---|---|
`

// debeziumCasesDocument is docs/debezium-cases.md.
func debeziumCasesDocument(cases []*debeziumCase) string {
	members := make(map[string][]*debeziumCase)
	for _, c := range cases {
		title := groupOf(c.name)
		members[title] = append(members[title], c)
	}
	different := 0
	var table, details strings.Builder
	for _, group := range debeziumGroups {
		all := members[group.title]
		if len(all) == 0 {
			continue
		}
		n := 0
		for _, c := range all {
			instead := c.instead()
			if instead == "" {
				continue
			}
			if n++; n == 1 {
				fmt.Fprintf(&details, "\n## %s\n\n| case | Debezium | walrelay |\n|---|---|---|\n", group.title)
			}
			fmt.Fprintf(&details, "| `%s`: %s | %s | %s |\n", c.name, cell(c.note), cell(c.oddly()), cell(instead))
		}
		different += n
		shown := "–"
		if n > 0 {
			shown = fmt.Sprintf("[%d](#%s)", n, strings.ReplaceAll(regexp.MustCompile("[^a-z0-9 -]").ReplaceAllString(strings.ToLower(group.title), ""), " ", "-"))
		}
		fmt.Fprintf(&table, "| %s | %d | %d | %s |\n", group.title, len(all), len(all)-n, shown)
	}
	fmt.Fprintf(&table, "| **all** | %d | %d | %d |\n", len(cases), len(cases)-different, different)
	return fmt.Sprintf(debeziumCasesHead, len(cases), len(cases)-different, different) + table.String() + details.String()
}

// instead says what walrelay does instead, "" where it does the same.
func (c *debeziumCase) instead() string {
	switch o := oddityOf(c); {
	case o != nil:
		return o.instead
	case c.addresses():
		return "writes the bytes in base64 there, or PostgreSQL's text of the array"
	}
	return ""
}

// oddly says what Debezium does in a case in which walrelay does something else.
func (c *debeziumCase) oddly() string {
	switch {
	case c.failed && len(c.trace) > 0:
		why := strings.TrimPrefix(c.trace[len(c.trace)-1], "Caused by: ")
		class, message, ok := strings.Cut(why, ": ")
		if !ok {
			message = class
		}
		return "task fails: " + message
	case c.addresses() || strings.Contains(c.unstable, "object hash"):
		return "writes the address that an array has in Java (`[B@1b2c3d`), another one in every run"
	case c.unstable != "":
		return "not the same in every run: " + c.unstable
	case strings.HasPrefix(c.name, "too_") || strings.HasPrefix(c.name, "tolerance_") || strings.HasPrefix(c.name, "errors_"):
		return "drops the row and goes on"
	}
	var own []string
	for _, w := range c.wrote {
		if (strings.HasPrefix(w.Topic, "__debezium") || strings.HasPrefix(w.Topic, "fx.")) && !slices.Contains(own, w.Topic) {
			own = append(own, w.Topic)
		}
	}
	if len(own) == 0 {
		return "writes the records"
	}
	return "also writes to " + strings.Join(own, ", ")
}

// maxCell bounds what is quoted in a table.
const maxCell = 240

// cell makes text fit for a cell of a Markdown table.
func cell(text string) string {
	if len(text) > maxCell {
		text = strings.ToValidUTF8(text[:maxCell], "") + "…"
	}
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(text)
}

// TestDebeziumCases: the table in the documentation is that of the cases, each of
// which is in a group; each in which Debezium failed says what walrelay does, and
// nothing is said of a case that is not there.
func TestDebeziumCases(t *testing.T) {
	t.Parallel()
	cases := loadDebeziumCases(t)
	known := make(map[string]bool)
	for _, c := range cases {
		known[c.name] = true
		if o := oddityOf(c); o == nil && (c.failed || c.unstable != "" && !c.addresses()) {
			t.Errorf("%s: Debezium failed or left something to chance: say in debezium_odd_test.go what walrelay does instead", c.name)
		} else if o != nil && o.instead == "" {
			t.Errorf("%s: debezium_odd_test.go does not say what walrelay does instead", c.name)
		}
	}
	for _, name := range append(slices.Collect(maps.Keys(odd)), slices.Collect(maps.Keys(tables))...) {
		if !known[name] {
			t.Errorf("debezium_odd_test.go has %s, which is no case", name)
		}
	}
	file := filepath.Join("..", "docs", "debezium-cases.md")
	want := debeziumCasesDocument(cases)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/debezium-cases.md is out of date: run go test ./test -run TestDebeziumCases -update")
	}
}
