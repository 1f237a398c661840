// Command fuzz runs every fuzz target of the project for a while, and fails when
// one of them has found an input that breaks it.
//
//	go run ./test/fuzz                              every target, 30 s each
//	go run ./test/fuzz -time 10m -run 'Batch|Tuple' some of them, longer
//	go run ./test/fuzz -list ./routing/...          the targets of some packages
//
// The targets are found in the sources, so a new one needs no entry anywhere. As
// many run at a time as there are cores, each with one worker. What is found is
// printed, and left in the package's testdata/fuzz, where `go test` reads it from
// then on: mend the code, keep the file. Interesting inputs that break nothing are
// kept in Go's build cache, so the next run goes on where this one ended.
//
// The exit code is 0 when no target failed, 1 when one did, 2 when they could not
// be run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are the command line.
type options struct {
	time     time.Duration // of each target
	jobs     int           // targets at a time
	wanted   *regexp.Regexp
	list     bool
	packages []string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var wanted string
	flags := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&o.time, "time", 30*time.Second, "how long each target runs")
	flags.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "how many run at a time")
	flags.StringVar(&wanted, "run", "", "only targets whose name matches this expression")
	flags.BoolVar(&o.list, "list", false, "print the targets and run none")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.time <= 0 || o.jobs <= 0 {
		return o, errors.New("-time and -jobs must be more than 0")
	}
	var err error
	if o.wanted, err = regexp.Compile(wanted); err != nil {
		return o, fmt.Errorf("-run: %w", err)
	}
	if o.packages = flags.Args(); len(o.packages) == 0 {
		o.packages = []string{"./..."}
	}
	return o, nil
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var targets []target
	if err == nil {
		targets, err = find(ctx, o)
	}
	if err == nil && len(targets) == 0 {
		err = errors.New("no fuzz target found: run it in the project's folder, and see -run")
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "test/fuzz:", err)
		return 2
	}
	if o.list {
		for _, t := range targets {
			_, _ = fmt.Fprintf(stdout, "%-20s %s\n", t.name, t.pkg)
		}
		return 0
	}
	dir, err := os.MkdirTemp("", "walrelay-fuzz-")
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "test/fuzz:", err)
		return 2
	}
	defer os.RemoveAll(dir)
	return fuzz(ctx, o, len(targets), build(ctx, dir, targets), stdout)
}

// fuzz runs the targets as they are built, and prints a line for each as it ends.
func fuzz(ctx context.Context, o options, targets int, built <-chan job, stdout io.Writer) int {
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		failed []string
		total  int64
		slots  = make(chan struct{}, o.jobs)
		start  = time.Now()
	)
	_, _ = fmt.Fprintf(stdout, "%d targets, %s each, %d at a time\n", targets, o.time, o.jobs)
	_, _ = fmt.Fprintf(stdout, header, "target", "package", "inputs", "new", "time")
	for t := range built {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			r := t.run(ctx, o.time)
			mu.Lock()
			defer mu.Unlock()
			r.print(stdout)
			total += r.inputs
			if r.err != nil {
				failed = append(failed, t.name)
			}
		})
	}
	wg.Wait()
	switch {
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(stdout, "broken off")
		return 1
	case len(failed) > 0:
		_, _ = fmt.Fprintf(stdout, "\n!!! %d of %d targets failed: %q\n", len(failed), targets, failed)
		return 1
	}
	_, _ = fmt.Fprintf(stdout, "\n%d targets, %d inputs, %s: nothing broke\n", targets, total, time.Since(start).Round(time.Second))
	return 0
}
