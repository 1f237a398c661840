package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var sample = []row{
	{Group: "relay", Fault: "kill -9", Delivery: "at-least-once", Rounds: 3, Events: 12345, Rate: 1999.9, Duplicates: 2, Recovery: 2 * time.Second, Typical: 500 * time.Millisecond, Verdict: verdictHeld},
	{Group: "kafka", Fault: "disk full", Delivery: "exactly-once", Verdict: verdictSkipped, Note: "needs root"},
}

func TestTable(t *testing.T) {
	const text = `fault            delivery       times  events  events/s  lost  duplicates  disorder              recovery  verdict
relay: kill -9   at-least-once      3  12,345     1,999     0           2         0  0.5 s, at most 2.0 s  held
kafka: disk full  exactly-once`
	got := table(sample, false)
	for _, line := range strings.Split(text, "\n") {
		if !strings.Contains(strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(line), " ")) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
	if !strings.Contains(got, "kafka/disk full, exactly-once: needs root") {
		t.Errorf("no note in\n%s", got)
	}
	lines := strings.Split(table(sample, true), "\n")
	if len(lines[0]) == 0 || strings.Count(lines[0], "|") != strings.Count(lines[1], "|") || strings.Count(lines[0], "|") != strings.Count(lines[2], "|") {
		t.Errorf("no table in Markdown:\n%s", strings.Join(lines, "\n"))
	}
}

func TestSummary(t *testing.T) {
	if text, kept := summary(sample); !kept || text != "1 held, 1 not run" {
		t.Errorf("%q, %t", text, kept)
	}
	if text, kept := summary(append(sample, row{Verdict: verdictBroken})); kept || text != "1 held, 1 BROKEN, 1 not run" {
		t.Errorf("%q, %t", text, kept)
	}
	if _, kept := summary(nil); kept {
		t.Error("nothing was run, and that is well")
	}
}

func TestRecoveries(t *testing.T) {
	var r row
	r.recoveries([]time.Duration{3, 1, 2})
	if r.Recovery != 3 || r.Typical != 2 {
		t.Errorf("%d, %d", r.Recovery, r.Typical)
	}
}

func TestReplaceSection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte("a\n"+sectionBegin+"old\n"+sectionEnd+"b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := replaceSection(path, "new", false); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != "a\n"+sectionBegin+"\nnew\n"+sectionEnd+"b\n" {
		t.Errorf("%v: %q", err, content)
	}
	if err := os.WriteFile(path, []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceSection(path, "", true); err == nil {
		t.Error("a page without the marks is taken")
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.json")
	if rows, err := keptRows(path); err != nil || rows != nil {
		t.Errorf("no file: %v, %v", rows, err)
	}
	if err := keepRows(path, []row{{Order: 1, Fault: "a"}, {Order: 3, Fault: "c"}}); err != nil {
		t.Fatal(err)
	}
	earlier, err := keptRows(path)
	if err != nil {
		t.Fatal(err)
	}
	f := follower{earlier: earlier, rows: []row{{Order: 3, Fault: "c", Events: 5}, {Order: 2, Fault: "b"}}}
	all := f.all()
	if len(all) != 3 || all[0].Fault != "a" || all[1].Fault != "b" || all[2].Events != 5 {
		t.Errorf("%+v", all)
	}
}
