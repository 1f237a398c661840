package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReport reads events as go test writes them and looks at the counts and at
// what people get to see.
func TestReport(t *testing.T) {
	const events = `
{"Action":"start","Package":"p/good"}
{"Action":"run","Package":"p/good","Test":"TestA"}
{"Action":"output","Package":"p/good","Test":"TestA","Output":"quiet please\n"}
{"Action":"pass","Package":"p/good","Test":"TestA","Elapsed":10.1}
{"Action":"output","Package":"p/good","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"p/good","Test":"TestB","Output":"    b_test.go:7: no Java here\n"}
{"Action":"output","Package":"p/good","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p/good","Test":"TestB"}
{"Action":"pass","Package":"p/good","Elapsed":0.3}
{"Action":"output","Package":"p/bad","Test":"TestC","Output":"=== CONT  TestC\n"}
{"Action":"output","Package":"p/bad","Test":"TestC","Output":"want 1, got 2\n"}
{"Action":"fail","Package":"p/bad","Test":"TestC","Elapsed":61}
{"Action":"fail","Package":"p/bad","Elapsed":1}
{"Action":"output","Package":"p/crash","Test":"TestD","Output":"panic: boom\n"}
{"Action":"fail","Package":"p/crash","Elapsed":2}
{"ImportPath":"p/broken","Action":"build-output","Output":"x.go:1: undefined: y\n"}
{"Action":"fail","Package":"p/broken","Elapsed":0}
{"Action":"skip","Package":"p/none","Elapsed":0}
`
	summaries := filepath.Join(t.TempDir(), "summaries")
	if err := os.WriteFile(summaries, []byte("=== good.test tested with\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r := newReport(&out)
	if err := r.read(strings.NewReader(strings.TrimSpace(events))); err != nil {
		t.Fatal(err)
	}
	r.close(summaries, "no compiler")
	for _, want := range []string{
		"ok    p/good", "2 tests", "FAIL  p/bad", "want 1, got 2", "panic: boom", "FAIL  p/crash",
		"undefined: y", "FAIL  p/broken", "p/none", "no tests", "good.test tested with",
		"race detector was OFF: no compiler", "\nthe slowest tests\n     61.0s  p/bad TestC\n     10.1s  p/good TestA\n", "SKIPPED p/good TestB: b_test.go:7: no Java here",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if strings.Contains(out.String(), "quiet please") {
		t.Error("the report repeats the output of a test that passed")
	}
	if strings.Contains(out.String(), "=== CONT") {
		t.Error("the report has lines that only go test needs")
	}
	if want := "\n1 passed, 3 failed, 1 skipped\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("the report does not end with %q", want)
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

// TestOrEverything: flags alone mean all packages.
func TestOrEverything(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "./test ./..."},
		{"-count=1", "-count=1 ./test ./..."},
		{"./relay -run TestX", "./relay -run TestX"},
		{"-run=TestX/sub", "-run=TestX/sub ./test ./..."},
		{"github.com/walrelay/walrelay/relay", "github.com/walrelay/walrelay/relay"},
	} {
		if got := strings.Join(orEverything(strings.Fields(c.args)), " "); got != c.want {
			t.Errorf("orEverything(%q) = %q, want %q", c.args, got, c.want)
		}
	}
}
