package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/walrelay/walrelay/shadow"
)

// line is a line on a terminal's standard error that is written over again.
type line struct {
	a        *app
	terminal bool

	mu    sync.Mutex
	shown bool
}

func (a *app) newLine() *line {
	terminal, _ := a.terminal(a.stderr)
	return &line{a: a, terminal: terminal}
}

// progress shows how things stand.
func (l *line) progress(p shadow.Progress) {
	if !l.terminal {
		return
	}
	text := fmt.Sprintf("%d events · %d agreed · %d differing · %d waiting · %d only in Kafka · %d only in WAL",
		p.Events, p.Agreed, p.Differing, p.Waiting, p.Only, p.Missing+p.Refused)
	if p.Ending {
		text += " · ending, Ctrl-C to wait no longer"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.a.complain("\r\x1b[K%s", text)
	l.shown = true
}

// say prints a line of its own.
func (l *line) say(text string) {
	l.clear()
	l.a.complain("%s\n", text)
}

// clear takes the line away.
func (l *line) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shown {
		l.a.complain("\r\x1b[K")
		l.shown = false
	}
}

// printShadow prints the result of a comparison: numbers, differences, verdict.
func (a *app) printShadow(r *shadow.Result, limit int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "compared %s (publication %s) with topics %s for %s\n\n",
		r.Postgres, r.Publication, orNone(strings.Join(r.Topics, ", ")), r.Ended.Sub(r.Began).Round(time.Second))
	shadowNumbers(&b, r)
	if len(r.Notes) > 0 {
		b.WriteString("\n")
	}
	for _, text := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", text)
	}
	for i := range r.Differences[:min(limit, len(r.Differences))] {
		fmt.Fprintf(&b, "\n%d. ", i+1)
		shadowDifference(&b, &r.Differences[i])
	}
	if shown := min(limit, len(r.Differences)); r.Different() > shown {
		fmt.Fprintf(&b, "\n%d more are not shown (--limit)\n", r.Different()-shown)
	}
	fmt.Fprintf(&b, "\n%s\n", shadowVerdict(r))
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

func orNone(text string) string {
	if text == "" {
		return "(none)"
	}
	return text
}

// shadowNumbers writes the summary. What is no difference stands there only when it
// happened.
func shadowNumbers(b *strings.Builder, r *shadow.Result) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	row := func(name string, n int, meaning string) { _, _ = fmt.Fprintf(w, "%s\t%d\t%s\n", name, n, meaning) } // a Builder never fails
	some := func(name string, n int, meaning string) {
		if n > 0 {
			row(name, n, meaning)
		}
	}
	row("events compared", r.Compared, "")
	row("agreed", r.Agreed, "")
	row("differing", r.Differing, "")
	for _, field := range shadow.Fields {
		some("… in "+field, r.ByField[field], "")
	}
	row("missing in Kafka", r.Missing, "walrelay would have written them")
	row("only in Kafka", r.Only, "walrelay would not have written them")
	some("refused", r.Refused, "walrelay would stop there, or do what on_poison says")
	some("duplicates", r.Duplicates, "in Kafka again with the same bytes: no difference")
	some("before the start", r.Early, "in Kafka, of transactions that committed before the slot was made: no difference")
	some("without an id", r.Nameless, "events and records without an event id can't be compared")
	some("still waiting", r.Waiting, "seen on one side only, for less than --wait")
	some("not compared", r.Dropped, "too many waited at a time")
	_ = w.Flush()
	for text := range strings.Lines(table.String()) {
		b.WriteString(strings.TrimRight(text, " \n") + "\n")
	}
}

// shadowDifference writes one difference, field by field.
func shadowDifference(b *strings.Builder, d *shadow.Difference) {
	fmt.Fprintf(b, "%s: event %q", d.Kind, d.ID)
	if d.Table != "" {
		fmt.Fprintf(b, " of %s, commit %s", d.Table, d.LSN)
	}
	switch {
	case d.Partition != nil && d.Offset != nil:
		fmt.Fprintf(b, ", at topic %s partition %d offset %d", d.Topic, *d.Partition, *d.Offset)
	case d.Topic != "":
		fmt.Fprintf(b, ", to topic %s", d.Topic)
	}
	b.WriteString("\n")
	if d.Reason != "" {
		fmt.Fprintf(b, "   %s\n", d.Reason)
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		name := f.Field
		if f.Name != "" {
			name = "header " + strconv.Quote(f.Name)
		}
		if f.At != nil {
			name += fmt.Sprintf(", from byte %d on", *f.At)
		}
		fmt.Fprintf(b, "   %s\n     in Kafka: %s\n     walrelay: %s\n", name, shadowSide(&f.Kafka), shadowSide(&f.Walrelay))
	}
}

// shadowSide is one side of a field.
func shadowSide(s *shadow.Side) string {
	if s.Null {
		return "null"
	}
	if s.Bytes == nil {
		return orNone(s.Text)
	}
	text := fmt.Sprintf("%d bytes, sha256 %s…", *s.Bytes, s.Hash)
	if s.Text != "" {
		text = s.Text + " (" + text + ")"
	}
	return text
}

// shadowVerdict is the last line.
func shadowVerdict(r *shadow.Result) string {
	broken := ""
	if r.Broken != "" {
		broken = "; the comparison ended early: " + r.Broken
	}
	switch {
	case r.Different() > 0:
		return fmt.Sprintf("NOT THE SAME: %d differing, %d missing in Kafka, %d only in Kafka, %d refused, of %d events compared%s",
			r.Differing, r.Missing, r.Only, r.Refused, r.Compared, broken)
	case r.Compared == 0:
		return "NOTHING COMPARED: no event was found on both sides. Were any written meanwhile, by this configuration's publication and to its topics?" + broken
	case broken != "":
		return fmt.Sprintf("INCOMPLETE: the same in all %d events compared%s", r.Compared, broken)
	}
	return fmt.Sprintf("THE SAME: all %d events compared agree", r.Compared)
}
