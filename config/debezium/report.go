package debezium

import (
	"fmt"
	"sort"
	"strings"
)

// Verdict is what became of an option.
type Verdict string

// The verdicts, in the order of the report.
const (
	Blocked     Verdict = "blocked"     // no file that runs can be made
	Dangerous   Verdict = "dangerous"   // loses or spoils something in Debezium, or on the way from it
	Unsupported Verdict = "unsupported" // walrelay does not have it
	Unknown     Verdict = "unknown"     // not known to the importer
	Differs     Verdict = "differs"     // works, but not in the same way
	Taken       Verdict = "taken"       // taken over
	Ignored     Verdict = "ignored"     // without meaning in walrelay
)

// Note is one line of the report.
type Note struct {
	Verdict Verdict `json:"verdict"`
	Option  string  `json:"option,omitempty"` // as the file calls it; "" the file as a whole
	File    string  `json:"file,omitempty"`   // the worker's file, where the option is from there
	Line    int     `json:"line,omitempty"`   // from 1; 0: not in the file, Debezium's default
	Key     string  `json:"key,omitempty"`    // the key in walrelay.yaml
	Value   string  `json:"value,omitempty"`  // what stands there; never a secret
	Text    string  `json:"text,omitempty"`   // what differs, why, and what to do
}

// Variable is something that the environment has to give to the relay.
type Variable struct {
	Name   string `json:"name"`
	Option string `json:"option,omitempty"`
	Text   string `json:"text"`
}

// Report tells what became of every option of the file.
type Report struct {
	File        string     `json:"file"`
	Format      Format     `json:"format"`
	Connector   string     `json:"connector,omitempty"` // its name
	Notes       []Note     `json:"notes"`
	Environment []Variable `json:"environment"` // what the relay takes from its environment
}

// Count returns the number of notes of a verdict.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, note := range r.Notes {
		if note.Verdict == v {
			n++
		}
	}
	return n
}

// Refused is the error of a file that no configuration can be made of. It holds
// every reason, none of which contains a secret. It means exit code 3.
type Refused struct {
	File    string
	Reasons []Note
}

// Error returns a line per reason: file, line, option, text.
func (r *Refused) Error() string {
	lines := make([]string, len(r.Reasons))
	for i, n := range r.Reasons {
		file := r.File
		if n.File != "" {
			file = n.File
		}
		parts := make([]string, 0, 3)
		switch {
		case n.Line > 0:
			parts = append(parts, fmt.Sprintf("%s:%d", file, n.Line))
		case file != "":
			parts = append(parts, file)
		}
		if n.Option != "" {
			parts = append(parts, n.Option)
		}
		lines[i] = strings.Join(append(parts, n.Text), ": ")
	}
	return strings.Join(lines, "\n")
}

// sorted brings notes into the order of the report: by verdict, then as in the file,
// what is not in it last.
func sorted(notes []Note) []Note {
	rank := map[Verdict]int{Blocked: 0, Dangerous: 1, Unsupported: 2, Unknown: 3, Differs: 4, Taken: 5, Ignored: 6}
	sort.SliceStable(notes, func(i, j int) bool {
		a, b := notes[i], notes[j]
		switch {
		case a.Verdict != b.Verdict:
			return rank[a.Verdict] < rank[b.Verdict]
		case (a.Line == 0) != (b.Line == 0):
			return b.Line == 0
		case a.File != b.File:
			return a.File < b.File
		}
		return a.Line < b.Line
	})
	return notes
}

// headings are the groups of the text form.
var headings = []struct {
	verdict Verdict
	title   string
	colour  string
}{
	{Dangerous, "Dangerous", "\x1b[31m"},
	{Unsupported, "Not supported", "\x1b[33m"},
	{Unknown, "Not known", "\x1b[33m"},
	{Differs, "Differs", "\x1b[33m"},
	{Taken, "Taken over", "\x1b[32m"},
	{Ignored, "Without meaning here", ""},
}

// width is that of the report's text, in characters.
const width = 96

// Text returns the report for people; colours puts the headings into colour.
func (r *Report) Text(colours bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", r.File, r.Format)
	if r.Connector != "" {
		fmt.Fprintf(&b, ", connector %s", r.Connector)
	}
	b.WriteByte('\n')
	heading := func(title, colour string) {
		if colours && colour != "" {
			title = colour + title + "\x1b[39m"
		}
		fmt.Fprintf(&b, "\n%s\n", title)
	}
	for _, h := range headings {
		var notes []Note
		for _, n := range r.Notes {
			if n.Verdict == h.verdict {
				notes = append(notes, n)
			}
		}
		if len(notes) == 0 {
			continue
		}
		heading(fmt.Sprintf("%s (%d)", h.title, len(notes)), h.colour)
		writeNotes(&b, notes)
	}
	if len(r.Environment) > 0 {
		heading("From the environment of walrelay", "")
		longest := 0
		for _, v := range r.Environment {
			longest = max(longest, len(v.Name))
		}
		for _, v := range r.Environment {
			writeWrapped(&b, fmt.Sprintf("  %-*s  ", longest, v.Name), v.Text)
		}
	}
	return b.String()
}

// writeNotes writes the notes of one group: place, option and key on a line, the
// text below the options that it is about.
func writeNotes(b *strings.Builder, notes []Note) {
	place, option := 0, 0
	for _, n := range notes {
		place = max(place, len(n.place()))
		if len(n.Option) <= 50 {
			option = max(option, len(n.Option))
		}
	}
	done := make([]bool, len(notes))
	for i, first := range notes {
		if done[i] {
			continue
		}
		for j, n := range notes[i:] { // what has the same to be said stands together
			if n.Text != first.Text || n.Key != first.Key || j > 0 && n.Text == "" {
				continue
			}
			done[i+j] = true
			line := fmt.Sprintf("  %-*s  %-*s", place, n.place(), option, oneLine(n.Option))
			if n.Key != "" {
				line += "  → " + n.Key
			}
			if n.Value != "" {
				line += ": " + oneLine(n.Value)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
		if first.Text != "" {
			writeWrapped(b, strings.Repeat(" ", place+6), oneLine(first.Text))
		}
	}
}

// place says where an option stands.
func (n Note) place() string {
	at := "default"
	if n.Line > 0 {
		at = fmt.Sprintf("line %d", n.Line)
	}
	if n.File != "" {
		return n.File + " " + at
	}
	return at
}

// writeWrapped writes a text in lines of at most width characters, the first behind
// lead, the others below its end. Commands in backquotes are not broken.
func writeWrapped(b *strings.Builder, lead, text string) {
	indent := strings.Repeat(" ", len(lead))
	line, fresh := lead, true
	for _, word := range words(text) {
		if !fresh && len([]rune(line))+1+len([]rune(word)) > width {
			b.WriteString(line + "\n")
			line, fresh = indent, true
		}
		if !fresh {
			line += " "
		}
		line += word
		fresh = false
	}
	b.WriteString(line + "\n")
}

// words splits at blanks that are not between backquotes.
func words(text string) []string {
	var list []string
	quoted, start := false, 0
	for i := range len(text) {
		switch {
		case text[i] == '`':
			quoted = !quoted
		case text[i] == ' ' && !quoted:
			list = append(list, text[start:i])
			start = i + 1
		}
	}
	return append(list, text[start:])
}
