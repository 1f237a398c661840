package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// module makes a Go module of its own with the fuzz targets given.
func module(t *testing.T, body string) {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"go.mod": "module github.com/example/fuzzed\n\ngo 1.26\n",
		"fuzzed_test.go": "package fuzzed\n\nimport \"testing\"\n\n" +
			"func Fuzzy(t *testing.T, f int) {}\n\nfunc TestNot(t *testing.T) {}\n\n" + body,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("GOFLAGS", "-mod=mod")
}

const (
	good = "func FuzzGood(f *testing.F) { f.Fuzz(func(t *testing.T, n int) {}) }\n"
	bad  = "func FuzzBad(f *testing.F) { f.Add(\"seed\"); f.Fuzz(func(t *testing.T, s string) { if s != \"seed\" { t.Fatal(\"broken by \", len(s)) } }) }\n"
)

func TestRun_good(t *testing.T) {
	module(t, good)
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-time=200ms"}, &out, &errs); code != 0 {
		t.Fatalf("exit %d:\n%s%s", code, &out, &errs)
	}
	if !strings.Contains(out.String(), "1 targets") || !strings.Contains(out.String(), "nothing broke") {
		t.Error(out.String())
	}
}

// A crasher fails the run and is printed, and the other targets run all the same.
func TestRun_crasher(t *testing.T) {
	module(t, good+bad)
	var out, errs bytes.Buffer
	// The crasher ends its target at once; the time is for a slow machine.
	if code := run(t.Context(), []string{"-time=20s", "-run=Bad"}, &out, &errs); code != 1 {
		t.Fatalf("exit %d:\n%s%s", code, &out, &errs)
	}
	for _, want := range []string{"FAILED", "broken by", "--- the input, ", "go test fuzz v1", `["FuzzBad"]`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	out.Reset()
	if code := run(t.Context(), []string{"-list"}, &out, &errs); code != 0 || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("exit %d, listed:\n%s", code, &out)
	}
}

// Nothing to fuzz, and what can't be built, are no success.
func TestRun_nothing(t *testing.T) {
	module(t, "")
	for _, args := range [][]string{nil, {"-time=0s"}, {"-run=("}, {"-unknown"}, {"./absent"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, errs.String())
		}
	}
	module(t, good+"var x int = \"\"\n")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-time=200ms"}, &out, &errs); code != 1 || !strings.Contains(out.String(), "FAILED") {
		t.Errorf("does not build: exit %d:\n%s", code, &out)
	}
}

// The project's own targets are found, wherever they stand.
func TestFind_project(t *testing.T) {
	t.Chdir("../..")
	o, err := parse(nil, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := find(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FuzzBatch", "FuzzDecode", "FuzzImport", "FuzzLoad", "FuzzNumbers", "FuzzParseFrame", "FuzzTuples", "FuzzWatermark"} {
		if !slices.ContainsFunc(targets, func(t target) bool { return t.name == want }) {
			t.Errorf("%s is not found", want)
		}
	}
}

func TestEndedByTime(t *testing.T) {
	const fail = "fuzz: elapsed: 30s, execs: 12345 (411/sec), new interesting: 7 (total: 99)\n--- FAIL: FuzzX (30.05s)\n%sFAIL\nexit status 1\n"
	for text, want := range map[string]bool{
		"    context deadline exceeded\n": true,
		"    --- FAIL: FuzzX (0.00s)\n        x_test.go:7: context deadline exceeded\n    \n    Failing input written to testdata/fuzz/FuzzX/1\n": false,
		"    fuzzing process hung or terminated unexpectedly\n":                                                                                   false,
		"": false,
	} {
		output := fmt.Sprintf(fail, text)
		if got := endedByTime(output); got != want {
			t.Errorf("%q: %t", output, got)
		}
		if inputs, found := progress(output); inputs != 12345 || found != 7 {
			t.Errorf("%d inputs, %d found", inputs, found)
		}
	}
	if r := (&result{took: time.Second, crashers: []string{"absent"}, err: os.ErrInvalid}); true {
		var out bytes.Buffer
		r.print(&out)
		if !strings.Contains(out.String(), "absent") {
			t.Error(out.String())
		}
	}
}
