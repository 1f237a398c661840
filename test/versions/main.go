// Command versions runs the tests against every supported PostgreSQL and Kafka, one
// combination after the other, and prints what became of them:
//
//	go run ./test/versions                             everything: hours
//	go run ./test/versions -list                       what that is
//	go run ./test/versions -core                       the core suite alone, on each
//	go run ./test/versions -only '14\+3|18\+4'         some combinations
//	go run ./test/versions -keep rows.json             keeps rows in a file, which
//	                                                   later runs add to
//	go run ./test/versions -markdown docs/reliability.md  also puts the table there
//
// On the oldest pair and on the newest one all suites run, on the others the core
// suite: one test or two of everything that could depend on a server's version
// (see core in plan.go). PostgreSQL and Kafka's jars are fetched; see package
// harness. A run that did not use the servers it was for counts as failed.
//
// The exit code is 0 when every test passed, 1 when one failed, 2 when the command
// was wrong.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"syscall"
	"time"
)

func main() {
	// A signal reaches go test too, which ends; then so do we, with what there is.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// settings are the command line.
type settings struct {
	list, core, race bool
	keep, markdown   string
	only             *regexp.Regexp
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	var only string
	flags := flag.NewFlagSet("versions", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&s.list, "list", false, "print the combinations and run none")
	flags.BoolVar(&s.core, "core", false, "the core suite alone, on the ends too")
	flags.BoolVar(&s.race, "race", false, "with the race detector")
	flags.StringVar(&only, "only", "", "only combinations, such as 14+3.9.2, that match this expression")
	flags.StringVar(&s.keep, "keep", "", "file that keeps the rows; others in it stay")
	flags.StringVar(&s.markdown, "markdown", "", "file whose section of versions gets the table")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("%q: there are only flags; see -help", flags.Arg(0))
	}
	var err error
	if s.only, err = regexp.Compile(only); err != nil {
		return s, fmt.Errorf("-only: %w", err)
	}
	if s.markdown != "" {
		err = replaceSection(s.markdown, "", true)
	}
	return s, err
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var rows []row
	if err == nil {
		rows, err = kept(s.keep)
	}
	var plan []job
	if err == nil {
		if plan = wanted(s); len(plan) == 0 {
			err = errors.New("-only matches no combination; see -list")
		}
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "test/versions:", err)
		return 2
	}
	if s.list {
		for _, c := range plan {
			_, _ = fmt.Fprintf(stdout, "%-10s %s\n", c, c.Suite)
		}
		return 0
	}
	for i, c := range plan {
		if ctx.Err() != nil {
			break
		}
		_, _ = fmt.Fprintf(stderr, "%d/%d  PostgreSQL %s, Kafka %s: %s\n", i+1, len(plan), c.Postgres, c.Kafka, c.Suite)
		r := c.run(ctx, s, stderr)
		if ctx.Err() != nil {
			break // broken off: no result
		}
		rows = append(slices.DeleteFunc(rows, func(o row) bool { return o.combination == r.combination }), r)
		slices.SortFunc(rows, order)
		if err := keep(s.keep, rows); err != nil {
			_, _ = fmt.Fprintln(stderr, "test/versions:", err)
			return 2
		}
	}
	return report(ctx, s, rows, stdout, stderr)
}

// report prints the table, and says what the exit code is.
func report(ctx context.Context, s settings, rows []row, stdout, stderr io.Writer) int {
	_, _ = fmt.Fprintf(stdout, "\n%s", plain(rows))
	code := 0
	for _, r := range rows {
		for _, name := range r.Failures {
			_, _ = fmt.Fprintf(stdout, "!!! %s, %s: %s\n", r.combination, r.Suite, name)
			code = 1
		}
	}
	if s.markdown != "" && len(rows) > 0 {
		if err := replaceSection(s.markdown, markdown(rows), false); err != nil {
			_, _ = fmt.Fprintln(stderr, "test/versions:", err)
			return 2
		}
	}
	if ctx.Err() != nil {
		_, _ = fmt.Fprintln(stdout, "broken off")
		return 1
	}
	return code
}

// kept reads the rows of former runs.
func kept(path string) (rows []row, err error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &rows)
	}
	if err != nil {
		return nil, fmt.Errorf("-keep: %w: name another file, or delete it", err)
	}
	return rows, nil
}

func keep(path string, rows []row) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(rows, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// today is the day that stands in the table.
func today() string { return time.Now().UTC().Format(time.DateOnly) }
