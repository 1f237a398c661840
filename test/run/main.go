// Command run is the test command of the project: `go test` over every package, with
// what the machine allows, and a report that hides nothing.
//
//	go run ./test/run                       everything
//	go run ./test/run ./relay/... -count=1  some packages, with flags of go test
//
// It adds -race where that works and says so loudly where it does not, sets a
// -timeout of its own, and runs two packages at a time so that two cores are
// enough. Every package gets a line, a failed test its output, a skipped one its
// name; at the end stands what PostgreSQL and Kafka the tests ran with. The exit
// code is that of go test: 0 only when every test passed.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// summaryVariable names the file that the test programs append their summaries
// to; see package harness.
const summaryVariable = "WALRELAY_TEST_SUMMARY"

// defaults come first, so that the same flag on the command line wins.
var defaults = []string{"-json", "-timeout=36m", "-p=2"}

func main() {
	// A signal reaches go test too, which ends; then so do we, with a report.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	summaries, ownFile, err := summaryFile()
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "test/run:", err)
		return 1
	}
	if ownFile {
		defer os.Remove(summaries)
	}
	flags := append([]string{"test"}, defaults...)
	noRace := withoutRace(ctx)
	if noRace == "" {
		flags = append(flags, "-race")
	} else {
		_, _ = fmt.Fprintf(stdout, "!!! the race detector is OFF: %s\n", noRace)
	}
	command := exec.CommandContext(ctx, "go", append(flags, orEverything(args)...)...)
	// A program with the race detector sleeps for a second before it exits; the suites
	// start it a thousand times.
	command.Env = append([]string{"GORACE=atexit_sleep_ms=0"}, append(os.Environ(), summaryVariable+"="+summaries)...)
	command.Stderr = stderr
	events, err := command.StdoutPipe()
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "test/run:", err)
		return 1
	}
	if err := command.Start(); err != nil {
		_, _ = fmt.Fprintln(stderr, "test/run: start go test:", err)
		return 1
	}
	report := newReport(stdout)
	readErr := report.read(events)
	waitErr := command.Wait()
	report.close(summaries, noRace)
	if readErr != nil {
		_, _ = fmt.Fprintln(stderr, "test/run: read the results:", readErr)
		return 1
	}
	if waitErr != nil {
		return max(1, command.ProcessState.ExitCode())
	}
	return min(1, report.failed)
}

// orEverything adds ./... where the arguments are flags alone.
func orEverything(args []string) []string {
	for _, arg := range args {
		if strings.HasPrefix(arg, ".") || strings.Contains(arg, "/") && !strings.HasPrefix(arg, "-") {
			return args
		}
	}
	return append(args, "./test", "./...") // the longest first: the others run beside it
}

// withoutRace says why the race detector can't be used here, or "". It is tried
// on the smallest package, because that is the only answer that always holds.
func withoutRace(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "go", "test", "-race", "-count=1", "-run=^$", "./checkpoint").CombinedOutput()
	if err == nil {
		return ""
	}
	reason, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return fmt.Sprintf("install a C compiler to have it (%s/%s: %s)", runtime.GOOS, runtime.GOARCH, cmp.Or(reason, err.Error()))
}

// summaryFile is the file of summaryVariable, or one of our own.
func summaryFile() (path string, own bool, err error) {
	if path = os.Getenv(summaryVariable); path != "" {
		return path, false, nil
	}
	file, err := os.CreateTemp("", "walrelay-test-summary-")
	if err != nil {
		return "", false, err
	}
	return file.Name(), true, file.Close()
}
