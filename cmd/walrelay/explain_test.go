package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/relay"
)

// TestExplain: every code is explained, however it is written.
func TestExplain(t *testing.T) {
	all := walrelay(t, nil, "explain")
	if all.code != 0 || strings.Count(all.out, "\n") != len(relay.Troubles) {
		t.Errorf("code %d, %d lines for %d codes:\n%s", all.code, strings.Count(all.out, "\n"), len(relay.Troubles), all.out)
	}
	for i := range relay.Troubles {
		trouble := &relay.Troubles[i]
		r := walrelay(t, nil, "explain", trouble.Code)
		first, _, _ := strings.Cut(r.out, "\n")
		if r.code != 0 || !strings.HasPrefix(first, trouble.Code+"  ") || !strings.Contains(all.out, trouble.Code+"  "+trouble.Side) {
			t.Errorf("%s: code %d\n%s%s", trouble.Code, r.code, r.out, r.stderr)
		}
		for _, text := range []string{trouble.Title, trouble.Cause, trouble.Remedy} {
			if !strings.Contains(words(r.out), words(text)) {
				t.Errorf("%s: no %q in\n%s", trouble.Code, text, r.out)
			}
		}
		for line := range strings.Lines(r.out) {
			if visible(strings.TrimRight(line, "\n")) > explainWidth {
				t.Errorf("%s: too wide: %q", trouble.Code, line)
			}
		}
	}
	want := walrelay(t, nil, "explain", "WR0301").out
	for _, text := range []string{"wr0301", "0301", "301", " WR0301 "} {
		if got := walrelay(t, nil, "explain", text); got.out != want {
			t.Errorf("%q: %s%s", text, got.out, got.stderr)
		}
	}
}

// words are a text's words with one blank between.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestExplain_json(t *testing.T) {
	var one explanation
	r := walrelay(t, nil, "explain", "WR0301", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &one); err != nil || one != explanationOf(findTrouble("WR0301")) || one.Exit != 4 || one.Side != "postgres" {
		t.Errorf("%v\n%s", err, r.out)
	}
	var all []explanation
	r = walrelay(t, nil, "explain", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all) != len(relay.Troubles) {
		t.Errorf("%v\n%s", err, r.out)
	}
}

// TestExplain_unknown: a code that is not there is a wrong command line, with what
// it was perhaps meant to be.
func TestExplain_unknown(t *testing.T) {
	tests := map[string]struct{ says, not string }{
		"WR0391":     {says: "\n  WR0301  ", not: "WR0601"}, // one digit
		"WR3001":     {says: "\n  WR0301  "},                // two exchanged
		"vanished":   {says: "\n  WR0301  "},                // a word of the title
		"WR77777777": {says: "lists all\n", not: "Perhaps"},
		"":           {says: "lists all\n", not: "Perhaps"},
	}
	for code, test := range tests {
		r := walrelay(t, nil, "explain", code)
		if r.code != 2 || !strings.Contains(r.stderr, test.says) || test.not != "" && strings.Contains(r.stderr, test.not) || r.out != "" {
			t.Errorf("%q: code %d\n%s", code, r.code, r.stderr)
		}
	}
	if r := walrelay(t, nil, "explain", "WR0301", "WR0302"); r.code != 2 {
		t.Errorf("two codes: %d", r.code)
	}
}
