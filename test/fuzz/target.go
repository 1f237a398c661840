package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

// target is a fuzz function of a package.
type target struct {
	name, pkg, dir string
}

// find lists the targets of the packages from their sources, without building them.
func find(ctx context.Context, o options) ([]target, error) {
	command := exec.CommandContext(ctx, "go", append([]string{"list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"}, o.packages...)...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var targets []target
	for packages := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Dir           string
			TestGoFiles, XTestGoFiles []string
		}
		if err := packages.Decode(&p); err == io.EOF {
			return targets, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for _, name := range append(p.TestGoFiles, p.XTestGoFiles...) {
			names, err := fuzzFunctions(filepath.Join(p.Dir, name))
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				if o.wanted.MatchString(name) {
					targets = append(targets, target{name: name, pkg: p.ImportPath, dir: p.Dir})
				}
			}
		}
	}
}

// fuzzFunctions names the fuzz targets of a source file.
func fuzzFunctions(path string) (names []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil {
			continue
		}
		// As go test has it: Fuzzy is none. It refuses other parameters than *testing.F.
		rest, ok := strings.CutPrefix(f.Name.Name, "Fuzz")
		if first, _ := utf8.DecodeRuneInString(rest); ok && !unicode.IsLower(first) {
			names = append(names, f.Name.Name)
		}
	}
	return names, nil
}

// result is what became of a target.
type result struct {
	target
	inputs, found int64 // executed, and new ones that reach new code
	took          time.Duration
	err           error
	output        string // of the test program, when it failed
	crashers      []string
}

const header = "%-20s %-52s %12s %6s %7s\n"

func (r *result) print(w io.Writer) {
	verdict := ""
	if r.err != nil {
		verdict = "  FAILED"
	}
	_, _ = fmt.Fprintf(w, "%-20s %-52s %12d %6d %6.1fs%s\n", r.name, strings.TrimPrefix(r.pkg, "github.com/"), r.inputs, r.found, r.took.Seconds(), verdict)
	if r.err == nil {
		return
	}
	_, _ = fmt.Fprintf(w, "%s\n%v\n", strings.TrimRight(r.output, "\n"), r.err)
	for _, path := range r.crashers {
		_, _ = fmt.Fprintf(w, "--- the input, %s:\n%s\n", path, crasher(path))
	}
}

// mostOfInput is how much of a crasher's file is printed, in bytes.
const mostOfInput = 16 << 10

func crasher(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(text) > mostOfInput {
		return fmt.Sprintf("%s\n… %d bytes in all", text[:mostOfInput], len(text))
	}
	return strings.TrimRight(string(text), "\n")
}

// grace is how long after its time a target may need to read its seeds and to make a
// crasher small.
const grace = 10 * time.Minute

// run fuzzes the target for d.
func (t job) run(ctx context.Context, d time.Duration) result {
	if t.err != nil {
		return result{target: t.target, err: t.err}
	}
	ctx, cancel := context.WithTimeout(ctx, d+grace)
	defer cancel()
	start := time.Now()
	// By default an interesting input is made smaller for up to a minute, in which
	// nothing else is tried.
	command := exec.CommandContext(ctx, t.path, "-test.run=^$", "-test.fuzz=^"+t.name+"$", "-test.fuzztime="+d.String(),
		"-test.fuzzminimizetime=100x", "-test.parallel=1", "-test.fuzzcachedir="+t.cache)
	command.Dir = t.dir
	// A group of its own: the workers are to end with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
	command.WaitDelay = 10 * time.Second
	out, err := command.CombinedOutput()
	r := result{target: t.target, took: time.Since(start), output: string(out), err: err}
	r.inputs, r.found = progress(r.output)
	for _, m := range writtenTo.FindAllStringSubmatch(r.output, -1) {
		r.crashers = append(r.crashers, filepath.Join(t.dir, m[1]))
	}
	// Go's fuzzer now and then takes the end of its time for a failure of the target.
	// Nothing is lost with that: an input that breaks it is written down before.
	if r.err != nil && len(r.crashers) == 0 && r.took >= d && endedByTime(r.output) {
		r.err = nil
	}
	switch {
	case r.err != nil:
	case !strings.Contains(r.output, "fuzz: elapsed:"):
		r.err = errors.New("it did not fuzz")
	case strings.Contains(r.output, "not built with coverage instrumentation"):
		r.err = errors.New("it did not see which code an input reaches")
	}
	return r
}

var (
	writtenTo  = regexp.MustCompile(`Failing input written to (\S+)`)
	elapsed    = regexp.MustCompile(`fuzz: elapsed: .* execs: (\d+) .*new interesting: (\d+)`)
	failedWith = regexp.MustCompile(`(?m)^--- FAIL: .*\n((?:[ \t]+.*\n)*)`)
)

// endedByTime says whether all that failed is the end of the time.
func endedByTime(output string) bool {
	m := failedWith.FindStringSubmatch(output)
	return m != nil && strings.TrimSpace(m[1]) == "context deadline exceeded"
}

// progress reads the last line of the fuzzer's account.
func progress(output string) (inputs, found int64) {
	if all := elapsed.FindAllStringSubmatch(output, -1); len(all) > 0 {
		last := all[len(all)-1]
		inputs, _ = strconv.ParseInt(last[1], 10, 64) // digits
		found, _ = strconv.ParseInt(last[2], 10, 64)
	}
	return inputs, found
}
