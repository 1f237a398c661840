package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// The core suite has no name that is no test, and something of each kind.
func TestCoreExists(t *testing.T) {
	files, err := filepath.Glob("../*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	var sources strings.Builder
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(text)
	}
	for _, name := range core {
		if !strings.Contains(sources.String(), "\nfunc "+name+"(t *testing.T)") {
			t.Errorf("%s is no test of package test any more: name another in plan.go", name)
		}
	}
}

func TestPlan(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-list"}, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	ends := regexp.MustCompile(`^14\+3\.9\.\d+ +all\n18\+4\.\d+\.\d+ +all\n`)
	if len(lines) != 10 || !ends.MatchString(out.String()) || strings.Count(out.String(), " core") != 8 {
		t.Errorf("the plan is\n%s", &out)
	}
	out.Reset()
	if code := run(t.Context(), []string{"-list", "-core", "-only", `^16\+`}, &out, &errs); code != 0 || strings.Count(out.String(), "\n") != 2 || strings.Contains(out.String(), "all") {
		t.Errorf("exit %d:\n%s", code, &out)
	}
	for _, args := range [][]string{{"-only", "("}, {"-only", "9.6"}, {"here"}, {"-markdown", "absent"}, {"-unknown"}} {
		errs.Reset()
		if code := run(t.Context(), args, &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, &errs)
		}
	}
}

// What go test says becomes a row; a package that fails without a failed test counts.
func TestRead(t *testing.T) {
	const pkg = `"Package":"github.com/walrelay/walrelay/test"`
	events := strings.Join([]string{
		`{"Action":"output",` + pkg + `,"Test":"TestA","Output":"what went wrong\n"}`,
		`{"Action":"fail",` + pkg + `,"Test":"TestA"}`,
		`{"Action":"pass",` + pkg + `,"Test":"TestB/sub"}`,
		`{"Action":"pass",` + pkg + `,"Test":"TestB"}`,
		`{"Action":"skip",` + pkg + `,"Test":"TestC"}`,
		`{"Action":"fail",` + pkg + `}`,
		`{"Action":"output","Package":"github.com/walrelay/walrelay/sink","Output":"panic\n"}`,
		`{"Action":"fail","Package":"github.com/walrelay/walrelay/sink"}`,
		`{"Action":"pass","Package":"github.com/walrelay/walrelay/relay"}`,
	}, "\n")
	var r row
	var progress bytes.Buffer
	if err := r.read(strings.NewReader(events), &progress); err != nil {
		t.Fatal(err)
	}
	if r.Passed != 2 || r.Failed != 2 || r.Skipped != 1 || strings.Join(r.Failures, ",") != "test TestA,sink" {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(progress.String(), "what went wrong") || !strings.Contains(progress.String(), "panic") {
		t.Error(progress.String())
	}
}

// A run with other servers than it was for is no success.
func TestRanWithThem(t *testing.T) {
	const summary = "=== test.test tested with\n    PostgreSQL 14.24: embedded 14.24 (fetched)\n    Kafka 3.9.2 (jars, Java 17)\n    race detector: OFF\n"
	r := row{combination: combination{"14", "3.9.2"}, Servers: servers(summary + summary)}
	if err := r.ranWithThem(); err != nil || len(r.Servers) != 2 {
		t.Errorf("%q: %v", r.Servers, err)
	}
	r.Servers = append(r.Servers, "PostgreSQL 17.8: embedded 17.8 (fetched)"+harness.AskedFor)
	if err := r.ranWithThem(); err != nil {
		t.Errorf("a test names a version: %v", err)
	}
	for _, other := range []row{
		{combination: combination{"17", "3.9.2"}, Servers: r.Servers[1:]},
		{combination: combination{"15", "3.9.2"}, Servers: r.Servers},
		{combination: combination{"14", "4.1.2"}, Servers: r.Servers},
		{combination: combination{"14", "3.9.2"}},
		{combination: combination{"14", "3.9.2"}, Servers: append(r.Servers, "Kafka 4.1.2 (jars, Java 17)")},
	} {
		if other.ranWithThem() == nil {
			t.Errorf("%s with %q is taken", other.combination, other.Servers)
		}
	}
	r.Suite, r.Passed, r.Took, r.Date = suiteCore, 28, 61*time.Second, "2026-11-22"
	for _, want := range []string{"14.24", "3.9.2", "1:01 min"} {
		if text := plain([]row{r}); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	path := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(path, []byte("a\n"+sectionBegin+"old\n"+sectionEnd+"b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := replaceSection(path, markdown([]row{r}), false); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "old") || !strings.Contains(string(text), "| 14.24 | 3.9.2 | core | 28 |") || !strings.HasSuffix(string(text), "b\n") {
		t.Errorf("%v:\n%s", err, text)
	}
	// Rows are kept from one run to the next.
	file := filepath.Join(t.TempDir(), "rows.json")
	if err := keep(file, []row{r}); err != nil {
		t.Fatal(err)
	}
	again, err := kept(file)
	before, _ := json.Marshal([]row{r})
	after, _ := json.Marshal(again)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("%v: %s became %s", err, before, after)
	}
}
