package main

import (
	"fmt"
	"os"
	"strings"
)

// The table stands in the document between these lines.
const (
	sectionBegin = "<!-- faults -->\n"
	sectionEnd   = "<!-- /faults -->\n"
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
