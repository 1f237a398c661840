// Command faults breaks everything around the relay, one thing after another, while
// events flow, and prints what became of them:
//
//	go run ./test/faults                                  the whole matrix
//	go run ./test/faults -list                            what is in it
//	go run ./test/faults -run 'postgres/|kill -9'         some of it
//	go run ./test/faults -delivery exactly-once
//	go run ./test/faults -markdown docs/reliability.md    also puts the table there
//	go run ./test/faults -output json                     rows for programs
//	go run ./test/faults -keep rows.json                  keeps rows in a file, which
//	                                                      later runs go on with
//
// Every scenario has a load of 2,000 events a second, as far as the machine can, from
// eight connections in transactions of random size with rollbacks and savepoints.
// The fault comes in the middle of it. Recovery is the time from the fault's end (of
// a kill: from the kill) until the first event that was committed after that can be
// read from Kafka, as read_committed with exactly-once. Then the load ends, the slot
// has to drain, the relay to stop with code 0, and the verifier of package harness
// compares every record with the row that it came from.
//
// The exit code is 0 when every promise was kept, 1 when one was broken, 2 when the
// command was wrong. Scenarios run one at a time, in this package's tests
// (TestFaults); a plain `go test ./test/faults` runs a quick selection of them.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Between main and the test: see scenario_test.go for the variables.
const (
	modeAll  = "all"
	modeList = "list"

	attributePlan = "plan" // how many scenarios will run
	attributeRow  = "row"  // one result, as JSON
)

// settings are the command line.
type settings struct {
	run, delivery, markdown, output, keep string
	list, race, verbose                   bool
}

func main() {
	// A signal reaches go test too, which ends; then so do we, with what there is.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
	os.Exit(command(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.run, "run", "", "only scenarios whose \"group/name\" matches this `regexp`")
	flags.StringVar(&s.delivery, "delivery", "", "only \"at-least-once\" or \"exactly-once\"")
	flags.StringVar(&s.markdown, "markdown", "", "put the table into this `file` between its <!-- faults --> marks")
	flags.StringVar(&s.output, "output", "text", "\"text\", or \"json\" for rows as JSON on standard output")
	flags.StringVar(&s.keep, "keep", "", "keep rows in this `file`: the table has those of earlier runs, too, and a scenario that runs again replaces its row")
	flags.BoolVar(&s.list, "list", false, "list the scenarios and run none")
	flags.BoolVar(&s.race, "race", false, "with the race detector, which is slower")
	flags.BoolVar(&s.verbose, "v", false, "print what the tests say")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := s.check(flags.Args()); err != nil {
		_, _ = fmt.Fprintln(stderr, "faults:", err)
		return 2
	}
	progress := stdout
	if s.output == "json" {
		progress = stderr
	}
	f := &follower{out: progress, settings: s, began: time.Now(), said: map[string]*strings.Builder{}}
	var err error
	if f.earlier, err = keptRows(s.keep); err == nil {
		err = f.test(ctx, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "faults:", err)
		return 1
	}
	return f.finish(stdout, stderr)
}

func (s settings) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("%q is no flag: use -run to choose scenarios", rest[0])
	}
	if s.delivery != "" && s.delivery != "at-least-once" && s.delivery != "exactly-once" {
		return fmt.Errorf("-delivery %q: use at-least-once or exactly-once", s.delivery)
	}
	if s.output != "text" && s.output != "json" {
		return fmt.Errorf("-output %q: use text or json", s.output)
	}
	if _, err := regexp.Compile(s.run); err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if s.markdown != "" {
		return replaceSection(s.markdown, "", true)
	}
	return nil
}

// follower reads what `go test -json` tells, and shows it.
type follower struct {
	out      io.Writer
	settings settings
	began    time.Time
	planned  string
	earlier  []row // of the file to keep
	rows     []row
	failed   bool                        // go test did not end well
	said     map[string]*strings.Builder // output of tests that run
}

const packagePath = "github.com/walrelay/walrelay/test/faults"

// test runs the package's tests to their end.
func (f *follower) test(ctx context.Context, stderr io.Writer) error {
	args := []string{"test", "-json", "-count=1", "-timeout=6h", "-run=^TestFaults$"}
	if f.settings.race {
		args = append(args, "-race")
	}
	mode := modeAll
	if f.settings.list {
		mode = modeList
	}
	command := exec.CommandContext(ctx, "go", append(args, packagePath)...)
	command.Env = append(os.Environ(), "WALRELAY_FAULTS="+mode, "WALRELAY_FAULTS_RUN="+f.settings.run, "WALRELAY_FAULTS_DELIVERY="+f.settings.delivery)
	command.Stderr = stderr
	events, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start go test: %w", err)
	}
	err = f.follow(events)
	f.failed = command.Wait() != nil
	return err
}

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action, Test, Output, Key, Value string
}

func (f *follower) follow(events io.Reader) error {
	decoder := json.NewDecoder(events)
	for {
		var e event
		if err := decoder.Decode(&e); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read what go test says: %w", err)
		}
		f.take(e)
	}
}

func (f *follower) take(e event) {
	switch e.Action {
	case "build-output":
		f.printf("%s", e.Output)
	case "output":
		if f.settings.verbose {
			f.printf("%s", e.Output)
		}
		if f.said[e.Test] == nil {
			f.said[e.Test] = new(strings.Builder)
		}
		f.said[e.Test].WriteString(e.Output)
	case "attr":
		f.attribute(e.Key, e.Value)
	case "fail":
		if !f.settings.verbose && f.said[e.Test] != nil && (e.Test == "" || strings.Count(e.Test, "/") >= 3 || len(f.rows) == 0) {
			f.printf("%s\n", f.said[e.Test])
		}
		delete(f.said, e.Test)
	case "pass", "skip":
		delete(f.said, e.Test)
	}
}

func (f *follower) attribute(key, value string) {
	switch key {
	case attributePlan:
		f.planned = value
	case attributeRow:
		var r row
		if err := json.Unmarshal([]byte(value), &r); err != nil {
			f.printf("a row can't be read: %v: %s\n", err, value)
			f.failed = true
			return
		}
		f.rows = append(f.rows, r)
		if !f.settings.list {
			if err := keepRows(f.settings.keep, f.all()); err != nil {
				f.printf("keep the rows: %v\n", err)
				f.failed = true
			}
			f.printf("%6s  %3d/%s  %-8s  %s%s\n", time.Since(f.began).Round(time.Second), len(f.rows), f.planned, r.Verdict, r.name(), inShort(r))
		}
	}
}

// inShort is what a line of progress has behind the name.
func inShort(r row) string {
	if r.Verdict == verdictSkipped {
		return ": " + r.Note
	}
	return fmt.Sprintf(": %s events, %d lost, %d duplicates, %d out of order, back after %s",
		thousands(r.Events), r.Lost+r.Invented+r.Other, r.Duplicates, r.Disorder, recovery(r))
}

// printf shows progress; that nobody reads it is no error.
func (f *follower) printf(format string, args ...any) { _, _ = fmt.Fprintf(f.out, format, args...) }

// finish prints the table and says whether all is well.
func (f *follower) finish(stdout, stderr io.Writer) int {
	if f.settings.list {
		for _, r := range f.rows {
			_, _ = fmt.Fprintf(stdout, "%-16s %s/%s\n", r.Delivery, r.Group, r.Fault)
		}
		if f.failed {
			return 1
		}
		return 0
	}
	rows := f.all()
	text, kept := summary(rows)
	if f.settings.output == "json" {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(rows); err != nil {
			_, _ = fmt.Fprintln(stderr, "faults:", err)
			return 1
		}
	} else {
		_, _ = fmt.Fprintf(stdout, "\n%s\n%s in %s\n", table(rows, false), text, time.Since(f.began).Round(time.Second))
	}
	if f.settings.markdown != "" && len(rows) > 0 {
		if err := replaceSection(f.settings.markdown, f.section(rows, text), false); err != nil {
			_, _ = fmt.Fprintln(stderr, "faults:", err)
			return 1
		}
	}
	if f.failed && kept {
		_, _ = fmt.Fprintln(stderr, "faults: go test failed beside the rows: run it with -v")
	}
	if f.failed || !kept {
		return 1
	}
	return 0
}

// all are the rows of this run and those that it has kept of earlier ones, in the
// order of the matrix.
func (f *follower) all() []row {
	all := slices.Clone(f.rows)
	for _, old := range f.earlier {
		if !slices.ContainsFunc(f.rows, func(r row) bool { return r.name() == old.name() }) {
			all = append(all, old)
		}
	}
	slices.SortStableFunc(all, func(a, b row) int { return cmp.Compare(a.Order, b.Order) })
	return all
}

// section is what goes into the document.
func (f *follower) section(rows []row, verdicts string) string {
	command := "go run ./test/faults"
	if f.settings.run != "" {
		command += fmt.Sprintf(" -run '%s'", f.settings.run)
	}
	if f.settings.delivery != "" {
		command += " -delivery " + f.settings.delivery
	}
	when := f.began.Format(time.DateOnly)
	if len(rows) > len(f.rows) {
		command, when = "go run ./test/faults", "several runs until "+when
	}
	return fmt.Sprintf("`%s`, %s, on %s/%s, %d cores%s, %s: %s.\n\n%s", command, when, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		loads(rows), runtime.Version(), verdicts, table(rows, true))
}
