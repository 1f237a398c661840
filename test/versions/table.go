package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

var heads = []string{"PostgreSQL", "Kafka", "suite", "passed", "failed", "skipped", "time", "on"}

func (r row) cells() []string {
	postgres := r.Postgres
	for _, server := range r.Servers { // with the minor version, as far as it is told
		if rest, ok := strings.CutPrefix(server, "PostgreSQL "+r.Postgres+"."); ok {
			minor, _, _ := strings.Cut(rest, " ")
			postgres = r.Postgres + "." + strings.TrimRight(minor, ":,")
			break
		}
	}
	return []string{postgres, r.Kafka, r.Suite, fmt.Sprint(r.Passed), fmt.Sprint(r.Failed), fmt.Sprint(r.Skipped), short(r.Took), r.Date}
}

func short(d time.Duration) string {
	return fmt.Sprintf("%d:%02d min", int(d.Minutes()), int(d.Seconds())%60)
}

// plain is the table for a terminal.
func plain(rows []row) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, r := range rows {
		_, _ = fmt.Fprintln(w, strings.Join(r.cells(), "\t"))
	}
	_ = w.Flush() // into memory
	return text.String()
}

// markdown is the section of the document.
func markdown(rows []row) string {
	var text strings.Builder
	text.WriteString("`go run ./test/versions`; a test with subtests counts beside them.\n\n")
	text.WriteString("| " + strings.Join(heads, " | ") + " |\n|---|---|---|---:|---:|---:|---:|---|\n")
	for _, r := range rows {
		text.WriteString("| " + strings.Join(r.cells(), " | ") + " |\n")
	}
	for _, r := range rows {
		for _, name := range r.Failures {
			_, _ = fmt.Fprintf(&text, "\nFailed on %s: `%s`.\n", r.combination, strings.ReplaceAll(name, "`", "'"))
		}
	}
	return text.String()
}

// The table stands in the document between these lines.
const (
	sectionBegin = "<!-- versions -->\n"
	sectionEnd   = "<!-- /versions -->\n"
)

// replaceSection puts text between the marks of a file; with dry it only looks
// whether they are there.
func replaceSection(path, text string, dry bool) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("-markdown: %w", err)
	}
	before, rest, begins := strings.Cut(string(content), sectionBegin)
	_, after, ends := strings.Cut(rest, sectionEnd)
	if !begins || !ends {
		return fmt.Errorf("-markdown: %s has no lines %q and %q: add them where the table is to stand",
			path, strings.TrimSpace(sectionBegin), strings.TrimSpace(sectionEnd))
	}
	if dry {
		return nil
	}
	return os.WriteFile(path, []byte(before+sectionBegin+"\n"+text+"\n"+sectionEnd+after), 0o644)
}
