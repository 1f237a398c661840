package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/walrelay/walrelay/replication"
)

const (
	// defaultWidth is taken where no terminal says how wide it is.
	defaultWidth = 100
	// narrowest is the least that a detail is wrapped to.
	narrowest = 30
	// widestName is up to where names decide where the details begin; a longer one
	// has its detail on the next line.
	widestName = 28
)

// sheet writes findings for a person.
type sheet struct {
	b       bytes.Buffer
	width   int
	name    int // where details begin, after the names
	paint   func(text, colour string) string
	scripts []string // remedies that are written at the end
}

// printSides prints the sides one after the other, and a sum.
func (a *app) printSides(sides []side, d diagnosis) error {
	_, colours := a.terminal(a.stdout)
	s := &sheet{width: a.width(), paint: func(text, colour string) string { return paint(text, colour, colours) }}
	for _, f := range d.Findings {
		if n := utf8.RuneCountInString(f.Name); n <= widestName {
			s.name = max(s.name, n)
		}
	}
	for _, side := range sides {
		s.side(side)
	}
	s.writeScripts()
	s.sum(d)
	_, err := a.stdout.Write(s.b.Bytes())
	return err
}

// width is that of the terminal, or what COLUMNS says.
func (a *app) width() int {
	if n, _ := terminalSize(a.stdout); n > 0 {
		return n
	}
	var n int
	if _, err := fmt.Sscanf(a.getenv("COLUMNS"), "%d", &n); err == nil && n > 0 {
		return n
	}
	return defaultWidth
}

// side writes one side under its heading.
func (s *sheet) side(p side) {
	if s.b.Len() > 0 {
		s.b.WriteByte('\n')
	}
	heading := p.title
	if p.server != "" {
		heading += ": " + strings.TrimPrefix(p.server, p.title+" ")
	}
	for _, line := range wrapText(heading, s.width) {
		s.b.WriteString(line + "\n")
	}
	for _, f := range p.findings {
		s.finding(f)
	}
}

// finding writes a line for what was found, and below it where that leads and what
// to do.
func (s *sheet) finding(f replication.Finding) {
	mark := map[replication.Level]string{
		replication.OK: s.paint("✓", green), replication.Warn: s.paint("!", yellow), replication.Fail: s.paint("✗", red),
	}[f.Level]
	at := 4 + s.name + 2
	lines := wrapText(f.Detail, max(narrowest, s.width-at))
	if n := utf8.RuneCountInString(f.Name); n > s.name {
		fmt.Fprintf(&s.b, "  %s %s\n", mark, f.Name)
	} else {
		fmt.Fprintf(&s.b, "  %s %-*s  %s\n", mark, s.name, f.Name, lines[0])
		lines = lines[1:]
	}
	for _, line := range lines {
		fmt.Fprintf(&s.b, "%*s%s\n", at, "", line)
	}
	if f.Level == replication.OK {
		return
	}
	s.below("leads to", f.Cause)
	s.remedy(f.Remedy)
	s.below("see", f.Doc)
}

// remedyLabel is that of the words before cause and remedy.
const remedyLabel = 8

// below writes a labelled text under a finding.
func (s *sheet) below(label, text string) {
	if text == "" {
		return
	}
	const at = 6 + remedyLabel + 2
	for i, line := range wrapText(text, max(narrowest, s.width-at)) {
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(&s.b, "%6s%-*s  %s\n", "", remedyLabel, label, line)
	}
}

// scriptLines is from how many lines on a remedy is a script, and comes at the end.
const scriptLines = 8

// remedy writes what to do, a step a line. A script follows all findings, once and
// unbroken, so that it can be copied.
func (s *sheet) remedy(text string) {
	if text = strings.TrimRight(text, "\n"); text == "" {
		return
	}
	if strings.Count(text, "\n")+1 >= scriptLines {
		if !slices.Contains(s.scripts, text) {
			s.scripts = append(s.scripts, text)
		}
		s.below("remedy", fmt.Sprintf("run script %d below", slices.Index(s.scripts, text)+1))
		return
	}
	label := "remedy"
	for line := range strings.Lines(text) {
		s.below(label, strings.TrimRight(line, "\n"))
		label = ""
	}
}

// writeScripts writes what the remedies refer to.
func (s *sheet) writeScripts() {
	for i, text := range s.scripts {
		fmt.Fprintf(&s.b, "\nScript %d:\n\n%s\n", i+1, text)
	}
}

// sum ends the sheet.
func (s *sheet) sum(d diagnosis) {
	verdict := "the relay can run (exit code 0)"
	if d.Problems > 0 {
		verdict = "the relay cannot run like this (exit code 3)"
	}
	fmt.Fprintf(&s.b, "\n%s, %s: %s\n", count(d.Problems, "problem"), count(d.Warnings, "warning"), verdict)
}

// wrapText breaks a text at its blanks so that no line is longer than width, but for
// words that are. The comment behind a statement goes to lines of its own. SQL with
// another comment or with a blank in quotes is left whole: broken, it would not be the
// same any more.
func wrapText(text string, width int) []string {
	if sql, remark, ok := strings.Cut(text, "; -- "); ok && utf8.RuneCountInString(text) > width {
		lines := wrapText(sql+";", width)
		for _, line := range wrapText(remark, width-3) {
			lines = append(lines, "-- "+line)
		}
		return lines
	}
	if text == "" || !breakable(text) {
		return []string{text}
	}
	var lines []string
	for text != "" {
		if utf8.RuneCountInString(text) <= width {
			return append(lines, text)
		}
		cut, at, n := -1, 0, 0
		for i, r := range text {
			if n > width && cut >= 0 {
				break
			}
			if r == ' ' && i > at {
				cut = i
				if n > width {
					break
				}
			}
			n++
		}
		if cut < 0 {
			return append(lines, text)
		}
		lines = append(lines, text[:cut])
		text = strings.TrimLeft(text[cut:], " ")
	}
	return lines
}

// breakable tells whether a text may be broken at any blank.
func breakable(text string) bool {
	if strings.Contains(text, " --") && !strings.Contains(text, " --bootstrap") && !strings.Contains(text, " --name") || strings.HasPrefix(text, "--") {
		return false
	}
	if !strings.HasSuffix(text, ";") {
		return true
	}
	for i, part := range strings.Split(text, "'") {
		if i%2 == 1 && strings.Contains(part, " ") {
			return false
		}
	}
	return true
}

// count writes "1 problem", "2 problems", "no problems".
func count(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
