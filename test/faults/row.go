package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Verdicts of a row.
const (
	verdictHeld     = "held"       // nothing lost, invented, out of order or repeated more often than promised
	verdictDeclared = "declared"   // the relay ended and said that it could not go on without a gap
	verdictNone     = "no promise" // what nothing without a checksum can promise: the figures are what happened
	verdictBroken   = "BROKEN"
	verdictSkipped  = "not run"
)

// row is the result of one scenario with one delivery. It is printed by the test as
// an attribute, in JSON, and read by main.
type row struct {
	Order      int           `json:"order"` // place in the matrix
	At         time.Time     `json:"at"`    // when it ended
	Group      string        `json:"group"`
	Fault      string        `json:"fault"`
	Delivery   string        `json:"delivery"`
	Rounds     int           `json:"rounds"`     // how often it was broken
	Events     int           `json:"events"`     // committed, and so to be found in Kafka
	Rate       float64       `json:"events_s"`   // committed a second while the load ran, faults included
	Lost       int           `json:"lost"`       // events without a record
	Gap        int           `json:"gap"`        // events that the relay has declared to be missing
	Invented   int           `json:"invented"`   // records of no committed event
	Duplicates int           `json:"duplicates"` // records beyond an event's first
	Disorder   int           `json:"disorder"`   // places where an aggregate's order is broken
	Other      int           `json:"other"`      // records in another partition or with other bytes
	Recovery   time.Duration `json:"recovery"`   // the longest of the rounds; 0: none was measured
	Typical    time.Duration `json:"typical"`    // the median of the rounds
	Load       float64       `json:"load"`       // the machine's load average at the end; 0: not known
	Verdict    string        `json:"verdict"`
	Note       string        `json:"note"` // for people: the words of a declared ending, why it was not run
}

func (r row) name() string { return r.Group + "/" + r.Fault + ", " + r.Delivery }

// recoveries puts the measured times into the row.
func (r *row) recoveries(all []time.Duration) {
	if len(all) == 0 {
		return
	}
	all = slices.Sorted(slices.Values(all))
	r.Recovery, r.Typical = all[len(all)-1], all[(len(all)-1)/2]
}

// columns of the table, as cells of text.
var columns = []struct {
	head  string
	right bool
	cell  func(row) string
}{
	{"fault", false, func(r row) string { return r.Group + ": " + r.Fault }},
	{"delivery", false, func(r row) string { return r.Delivery }},
	{"times", true, func(r row) string { return ran(r, fmt.Sprint(r.Rounds)) }},
	{"events", true, func(r row) string { return ran(r, thousands(r.Events)) }},
	{"events/s", true, func(r row) string { return ran(r, thousands(int(r.Rate))) }},
	{"lost", true, func(r row) string { return ran(r, lost(r)) }},
	{"duplicates", true, func(r row) string { return ran(r, thousands(r.Duplicates)) }},
	{"disorder", true, func(r row) string { return ran(r, thousands(r.Disorder)) }},
	{"recovery", true, func(r row) string { return recovery(r) }},
	{"verdict", false, func(r row) string { return r.Verdict }},
}

func ran(r row, text string) string {
	if r.Verdict == verdictSkipped {
		return "–"
	}
	return text
}

func lost(r row) string {
	text := thousands(r.Lost + r.Invented + r.Other)
	if r.Gap > 0 {
		text += ", gap of " + thousands(r.Gap)
	}
	return text
}

func recovery(r row) string {
	switch {
	case r.Recovery == 0:
		return "–"
	case r.Rounds > 1:
		return seconds(r.Typical) + ", at most " + seconds(r.Recovery)
	}
	return seconds(r.Recovery)
}

func seconds(d time.Duration) string {
	if d < 50*time.Millisecond {
		return "<0.1 s"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// table is the aligned text for a terminal, or a table in Markdown, with the notes
// below.
func table(rows []row, markdown bool) string {
	var text strings.Builder
	separator, begin, end := "  ", "", ""
	if markdown {
		separator, begin, end = " | ", "| ", " |"
	}
	widths := make([]int, len(columns))
	cells := [][]string{make([]string, len(columns))}
	for i, c := range columns {
		cells[0][i] = c.head
		for j, r := range rows {
			if i == 0 {
				cells = append(cells, make([]string, len(columns)))
			}
			cells[j+1][i] = c.cell(r)
		}
		for _, line := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(line[i]))
		}
	}
	for n, line := range cells {
		text.WriteString(begin)
		for i, c := range columns {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(line[i]))
			switch {
			case c.right:
				line[i] = pad + line[i]
			case i < len(columns)-1 || markdown:
				line[i] += pad
			}
		}
		text.WriteString(strings.Join(line, separator) + end + "\n")
		if n == 0 && markdown {
			text.WriteString(rule(widths))
		}
	}
	return text.String() + notes(rows, markdown)
}

func rule(widths []int) string {
	var text strings.Builder
	for i, width := range widths {
		colon := "-"
		if columns[i].right {
			colon = ":"
		}
		text.WriteString("|-" + strings.Repeat("-", width) + colon)
	}
	return text.String() + "|\n"
}

// notes lists what the rows have to add, each once.
func notes(rows []row, markdown bool) string {
	var text strings.Builder
	begin := "  "
	if markdown {
		begin = "- "
	}
	for _, r := range rows {
		if r.Note != "" {
			fmt.Fprintf(&text, "%s%s: %s\n", begin, r.name(), r.Note)
		}
	}
	if text.Len() == 0 {
		return ""
	}
	return "\n" + text.String()
}

// loads says how busy the machine was: times mean little without it.
func loads(rows []row) string {
	least, most := math.Inf(1), 0.0
	for _, r := range rows {
		if r.Load > 0 {
			least, most = min(least, r.Load), max(most, r.Load)
		}
	}
	if most == 0 {
		return ""
	}
	return fmt.Sprintf(", load average %.0f to %.0f", least, most)
}

// summary is the last line, and whether all promises were kept.
func summary(rows []row) (text string, kept bool) {
	count := map[string]int{}
	for _, r := range rows {
		count[r.Verdict]++
	}
	var parts []string
	for _, verdict := range []string{verdictHeld, verdictDeclared, verdictNone, verdictBroken, verdictSkipped} {
		if count[verdict] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[verdict], verdict))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing was run"), count[verdictBroken] == 0 && len(rows) > 0
}
