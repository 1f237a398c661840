package debezium

import (
	"fmt"
	"slices"
	"strings"

	"github.com/walrelay/walrelay/config"
)

// Options says what Import needs beside the file.
type Options struct {
	// Name is what messages call the file.
	Name string
	// Worker is the file of the Kafka Connect worker that runs the connector, nil
	// when it is not known; WorkerName is what messages call it. The connector's own
	// options go before the worker's.
	Worker     []byte
	WorkerName string
	// Tables are the outbox tables, as in walrelay.yaml. Empty: those of the file's
	// table.include.list.
	Tables []string
	// Env looks up a variable for the references in the file; nil: none is set.
	Env func(name string) (string, bool)
}

// Result is a configuration that was made.
type Result struct {
	YAML   []byte // walrelay.yaml
	Report *Report
}

// Import makes walrelay.yaml of a connector's configuration: Kafka Connect's
// .properties or REST JSON, a Strimzi KafkaConnector, or Debezium Server's
// application.properties. The error is a *Refused with all reasons.
func Import(data []byte, o Options) (*Result, error) {
	im, err := read(data, o)
	if err != nil {
		return nil, err
	}
	im.single()
	im.groups()
	im.rest()
	if len(im.reasons) > 0 {
		return nil, &Refused{File: o.Name, Reasons: sorted(im.reasons)}
	}
	im.report.Notes = sorted(im.report.Notes)
	return &Result{YAML: im.yaml(), Report: im.report}, nil
}

// importer collects what becomes of the options of one file.
type importer struct {
	o       Options
	table   *index
	server  bool // Debezium Server
	entries []*entry
	byName  map[string]*entry
	report  *Report
	reasons []Note

	values map[string]value  // of walrelay.yaml, by key
	hints  map[string]string // comment lines instead of a key
	router string            // the transform's prefix, "" none
	prefix string            // topic.prefix
	tables []config.Table
	names  columns
	parts  map[string]converter // key, value, headers
}

// read parses the files, names what stands twice and resolves references.
func read(data []byte, o Options) (*importer, error) {
	im := &importer{o: o, table: newIndex(), byName: map[string]*entry{}, values: map[string]value{}, hints: map[string]string{}, parts: map[string]converter{}}
	if im.o.Env == nil {
		im.o.Env = func(string) (string, bool) { return "", false }
	}
	format, entries, err := parse(data)
	if err != nil {
		return nil, named(err, o.Name, "")
	}
	im.server = format == Server
	im.report = &Report{File: o.Name, Format: format, Notes: []Note{}, Environment: []Variable{}}
	for _, e := range entries {
		im.enter(e)
	}
	if o.Worker == nil {
		return im, nil
	}
	_, entries, err = parse(o.Worker)
	if err != nil {
		return nil, named(err, o.Name, o.WorkerName)
	}
	im.enterWorker(entries)
	return im, nil
}

// named gives the reasons of a file that cannot be read its name.
func named(err error, file, worker string) error {
	refused, ok := err.(*Refused)
	if !ok {
		return err
	}
	refused.File = file
	for i := range refused.Reasons {
		refused.Reasons[i].File = worker
	}
	return refused
}

// enter adds an option; the last of a name counts, as in Java.
func (im *importer) enter(e entry) {
	if im.server {
		e.value, e.missing = expand(e.value, im.o.Env)
	} else {
		e.value, e.missing = resolveProviders(e.value, im.o.Env)
	}
	if strings.ContainsRune(e.value, 0) {
		im.reasons = append(im.reasons, Note{Verdict: Blocked, Option: e.as, File: e.file, Line: e.line, Text: "has a NUL character, which neither PostgreSQL nor Kafka takes in a name: remove it"})
	}
	if first := im.byName[e.name]; first != nil {
		im.note(Differs, first, "", fmt.Sprintf("Stands again in line %d; the last one counts, as in Java.", e.line))
		*first = e // keeps its place in the list
		return
	}
	copied := e
	im.byName[e.name] = &copied
	im.entries = append(im.entries, &copied)
}

// enterWorker adds the worker's options. Of a converter the connector's or the
// worker's options count, never both.
func (im *importer) enterWorker(entries []entry) {
	own := map[string]bool{}
	for _, part := range []string{"key", "value", "header"} {
		own[part+".converter"] = im.byName[part+".converter"] != nil
	}
	for _, e := range entries {
		e.worker, e.file = true, im.o.WorkerName
		if part := converterOf(e.name); part != "" && own[part+".converter"] {
			im.report.Notes = append(im.report.Notes, Note{Verdict: Ignored, Option: e.as, File: e.file, Line: e.line, Text: "The connector has a " + part + ".converter of its own."})
			continue
		}
		if im.byName[e.name] != nil {
			im.report.Notes = append(im.report.Notes, Note{Verdict: Ignored, Option: e.as, File: e.file, Line: e.line, Text: "The connector's own counts."})
			continue
		}
		im.enter(e)
	}
}

// single lets the rows of the table speak that need to know nothing else.
func (im *importer) single() {
	im.findRouter()
	for _, e := range slices.Clone(im.entries) {
		row := im.row(e)
		switch {
		case row == nil || row.verdict == Unknown:
			im.note(Unknown, e, "", "Not known to the importer, so nothing was made of it. Look up what it does, and whether a key of walrelay.yaml does the same.")
		case row.use != nil:
			row.use(im, e)
		case row.verdict != "":
			im.note(row.verdict, e, "", row.why)
		}
	}
}

// groups reads the options that make sense together only.
func (im *importer) groups() {
	im.connector()
	im.defaults()
	im.delivery()
	im.outboxTables()
	im.transforms()
	im.routing()
	im.converters()
	im.columnRules()
	im.database()
	im.slot()
	im.kafka()
}

// rest sees to it that nothing is left out: an option of a group that the group had no
// use for.
func (im *importer) rest() {
	for _, e := range im.entries {
		if !e.noted {
			im.note(Ignored, e, "", "Of no effect with the other options of this file.")
		}
	}
}

// row finds the row of the table for an option.
func (im *importer) row(e *entry) *option {
	name := e.name
	for _, prefix := range []string{"producer.override.", "producer."} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return im.table.lookup(producerPart + rest)
		}
	}
	if rest, ok := strings.CutPrefix(name, im.router); ok && im.router != "" {
		return im.table.lookup(routerPart + rest)
	}
	if part := converterOf(name); part != "" && name != part+".converter" {
		return im.table.lookup(converterPart + strings.TrimPrefix(name, part+".converter."))
	}
	if part := im.formatOf(name); part != "" {
		return im.table.lookup(converterPart + name[strings.LastIndex(name, part)+len(part):])
	}
	return im.table.lookup(name)
}

// get returns an option of the file, nil when it is not there.
func (im *importer) get(name string) *entry { return im.byName[name] }

// text returns an option's value, or def when it is not there.
func (im *importer) text(name, def string) string {
	if e := im.get(name); e != nil {
		return e.value
	}
	return def
}

// note adds a line to the report.
func (im *importer) note(v Verdict, e *entry, key, text string) {
	e.noted = true
	im.report.Notes = append(im.report.Notes, Note{Verdict: v, Option: e.as, File: e.file, Line: e.line, Key: key, Text: text})
}

// absent adds a line about an option that the file does not have.
func (im *importer) absent(v Verdict, option, key, text string) {
	im.remark(v, im.spelled(option), key, text)
}

// remark adds a line about something that stands in none of the files.
func (im *importer) remark(v Verdict, about, key, text string) {
	im.report.Notes = append(im.report.Notes, Note{Verdict: v, Option: about, Key: key, Text: text})
}

// spelled is what a file of this format would call an option.
func (im *importer) spelled(name string) string {
	if !im.server || strings.HasPrefix(name, "debezium.") {
		return name
	}
	for _, p := range serverPrefixes[1:] {
		if rest, ok := strings.CutPrefix(name, p.connect); ok {
			return p.server + rest
		}
	}
	return serverPrefixes[0].server + name
}

// block adds a reason why no file can be made.
func (im *importer) block(e *entry, format string, args ...any) {
	n := Note{Verdict: Blocked, Text: fmt.Sprintf(format, args...)}
	if e != nil {
		e.noted = true
		n.Option, n.Line, n.File = e.as, e.line, e.file
	}
	im.reasons = append(im.reasons, n)
}

// blockAbsent is block for an option that is missing.
func (im *importer) blockAbsent(option, format string, args ...any) {
	im.reasons = append(im.reasons, Note{Verdict: Blocked, Option: im.spelled(option), Text: fmt.Sprintf(format, args...)})
}

// fromEnv notes a variable that the relay needs.
func (im *importer) fromEnv(name, option, text string) {
	for _, v := range im.report.Environment {
		if v.Name == name {
			return
		}
	}
	im.report.Environment = append(im.report.Environment, Variable{Name: name, Option: option, Text: text})
}

// resolved tells whether an option's value is known here, and refuses the file when
// it is not.
func (im *importer) resolved(e *entry) bool {
	if e.missing == "" {
		return true
	}
	im.block(e, "its value comes from %s, which is not known here: write the value into the file%s", e.missing, im.orEnvironment(e))
	return false
}

// orEnvironment adds what else helps where a variable is missing.
func (im *importer) orEnvironment(e *entry) string {
	if im.server || strings.HasPrefix(e.missing, "${env:") {
		return ", or set the variable for this command"
	}
	return ""
}

// flag reads a boolean; ok is false after a problem.
func (im *importer) flag(e *entry) (on, ok bool) {
	if !im.resolved(e) {
		return false, false
	}
	switch strings.ToLower(trim(e.value)) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	im.block(e, "%q is neither true nor false", e.value)
	return false, false
}

// choice reads one of several words, in whatever case.
func (im *importer) choice(e *entry, allowed ...string) (string, bool) {
	if !im.resolved(e) {
		return "", false
	}
	word := strings.ToLower(trim(e.value))
	if slices.Contains(allowed, word) {
		return word, true
	}
	im.block(e, "%q is not one of %s", e.value, strings.Join(allowed, ", "))
	return "", false
}
