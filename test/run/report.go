package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

// report turns events into lines for people and counts.
type report struct {
	out      io.Writer
	output   map[testName]*strings.Builder // of what has not ended yet
	tests    map[string]int                // tests that ran, by package
	troubled map[string]bool               // packages with a failed test
	skips    []string
	slow     []event // tests that took longer than slowTest, without subtests
	passed   int
	failed   int
}

// slowTest is how long a test may take before it may stand among the slowest, of
// which slowTests are shown: where the time goes is the first question when a run
// gets too long.
const (
	slowTest  = 10 // seconds
	slowTests = 15
)

// testName is a test of a package; Test is "" for the package itself.
type testName struct{ Package, Test string }

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[testName]*strings.Builder{}, tests: map[string]int{}, troubled: map[string]bool{}}
}

// printf writes a line. That standard output is closed is noticed by go test.
func (r *report) printf(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format, args...) }

// read takes in events until there are no more.
func (r *report) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				r.take(&e)
			} else {
				r.printf("%s", line) // not an event: somebody may need it
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (r *report) take(e *event) {
	name := testName{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		r.printf("%s", e.Output)
	case "output":
		if r.output[name] == nil {
			r.output[name] = new(strings.Builder)
		}
		r.output[name].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.packageEnded(e)
		} else {
			r.testEnded(e)
		}
		delete(r.output, name)
	}
}

// testEnded counts a test. One with subtests is counted beside them, as go test
// does.
func (r *report) testEnded(e *event) {
	r.tests[e.Package]++
	if e.Elapsed > slowTest && !strings.Contains(e.Test, "/") {
		r.slow = append(r.slow, *e)
	}
	switch e.Action {
	case "pass":
		r.passed++
	case "skip":
		r.skips = append(r.skips, fmt.Sprintf("%s %s: %s", e.Package, e.Test, r.reason(testName{e.Package, e.Test})))
	case "fail":
		r.failed++
		r.troubled[e.Package] = true
		r.dump(testName{e.Package, e.Test})
	}
}

// reason is what a skipped test said last.
func (r *report) reason(name testName) string {
	last := "no reason given"
	if r.output[name] == nil {
		return last
	}
	for line := range strings.Lines(r.output[name].String()) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			last = line
		}
	}
	return last
}

// dump prints what a test or package has written, without the lines by which go
// test follows parallel tests.
func (r *report) dump(name testName) {
	if r.output[name] == nil {
		return
	}
	for line := range strings.Lines(r.output[name].String()) {
		switch word, _, _ := strings.Cut(strings.TrimPrefix(line, "=== "), " "); {
		case strings.HasPrefix(line, "=== ") && (word == "RUN" || word == "PAUSE" || word == "CONT" || word == "NAME"):
		default:
			r.printf("%s", line)
		}
	}
}

// packageEnded prints the line of a package. One that failed without a failed
// test (a crash, a timeout, TestMain, a build) counts as one failure.
func (r *report) packageEnded(e *event) {
	switch {
	case e.Action == "fail":
		for name := range r.output { // what the crash has cut short
			if name.Package == e.Package && name.Test != "" {
				r.dump(name)
			}
		}
		if !r.troubled[e.Package] {
			r.failed++
		}
		r.dump(testName{Package: e.Package})
		r.printf("FAIL  %-58s %7.1fs\n", e.Package, e.Elapsed)
	case r.tests[e.Package] == 0:
		r.printf("-     %-58s no tests\n", e.Package)
	default:
		r.printf("ok    %-58s %7.1fs  %d tests\n", e.Package, e.Elapsed, r.tests[e.Package])
	}
}

// close prints what the tests ran with, what was skipped, and the counts.
func (r *report) close(summaries, noRace string) {
	if text, err := os.ReadFile(summaries); err == nil && len(text) > 0 {
		r.printf("\n%s", text)
	}
	r.slowest()
	if noRace != "" {
		r.printf("\n!!! the race detector was OFF: %s\n", noRace)
	}
	slices.Sort(r.skips)
	for _, skip := range r.skips {
		r.printf("SKIPPED %s\n", skip)
	}
	r.printf("\n%d passed, %d failed", r.passed, r.failed)
	if len(r.skips) > 0 {
		r.printf(", %d skipped", len(r.skips))
	}
	r.printf("\n")
}

// slowest prints the tests that took longest, whatever waited beside them.
func (r *report) slowest() {
	if len(r.slow) == 0 {
		return
	}
	slices.SortFunc(r.slow, func(a, b event) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	r.printf("\nthe slowest tests\n")
	for _, e := range r.slow[:min(len(r.slow), slowTests)] {
		r.printf("  %7.1fs  %s %s\n", e.Elapsed, e.Package, e.Test)
	}
}
