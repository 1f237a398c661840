package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// row is what became of a combination.
type row struct {
	combination
	Suite    string        `json:"suite"`
	Servers  []string      `json:"servers"` // as the harness names them
	Passed   int           `json:"passed"`
	Failed   int           `json:"failed"`
	Skipped  int           `json:"skipped"`
	Failures []string      `json:"failures,omitempty"` // names of tests, or why it is none
	Skips    []string      `json:"skips,omitempty"`
	Took     time.Duration `json:"took"`
	Date     string        `json:"date"`
}

// run runs the suite on the combination. What failed is printed as it fails.
func (j job) run(ctx context.Context, s settings, progress io.Writer) row {
	r := row{combination: j.combination, Suite: j.Suite, Date: today()}
	start := time.Now()
	err := j.tests(ctx, s, &r, progress)
	r.Took = time.Since(start).Round(time.Second)
	if err == nil {
		err = r.ranWithThem()
	}
	if err == nil && r.Passed == 0 {
		err = fmt.Errorf("no test ran")
	}
	if err != nil && r.Failed == 0 {
		r.Failed++
		r.Failures = append(r.Failures, err.Error())
	}
	_, _ = fmt.Fprintf(progress, "        %d passed, %d failed, %d skipped in %s\n", r.Passed, r.Failed, r.Skipped, r.Took)
	return r
}

func (j job) tests(ctx context.Context, s settings, r *row, progress io.Writer) error {
	summary, err := os.CreateTemp("", "walrelay-versions-")
	if err != nil {
		return err
	}
	defer os.Remove(summary.Name())
	if err := summary.Close(); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", j.arguments(s.race)...)
	command.Env = append(os.Environ(), "WALRELAY_TEST_REQUIRE=1", "WALRELAY_TEST_SUMMARY="+summary.Name(),
		"WALRELAY_TEST_POSTGRES_VERSION="+j.Postgres, harness.KafkaVersionVariable+"="+j.Kafka,
		"WALRELAY_TEST_POSTGRES=", harness.KafkaVariable+"=") // servers of that version, none that are there
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	command.Stderr = progress
	events, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	readErr := r.read(events, progress)
	err = command.Wait()
	text, _ := os.ReadFile(summary.Name()) // without it ranWithThem says what is missing
	r.Servers = servers(string(text))
	if readErr != nil {
		return fmt.Errorf("read the results: %w", readErr)
	}
	return err
}

// read counts the tests of `go test -json`, those with subtests beside these.
func (r *row) read(events io.Reader, progress io.Writer) error {
	output := map[string]*strings.Builder{}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		var e struct{ Action, Package, Test, Output string }
		if json.Unmarshal(line, &e) == nil {
			r.take(e.Action, e.Package, e.Test, e.Output, output, progress)
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (r *row) take(action, pkg, test, text string, output map[string]*strings.Builder, progress io.Writer) {
	name := strings.TrimPrefix(pkg, "github.com/walrelay/walrelay/") + " " + test
	switch {
	case action == "output":
		if output[name] == nil {
			output[name] = new(strings.Builder)
		}
		output[name].WriteString(text)
		return
	case action == "build-output":
		_, _ = io.WriteString(progress, text)
		return
	case action == "fail" && (test != "" || !r.troubled(name)):
		r.Failed++
		r.Failures = append(r.Failures, strings.TrimSpace(name))
		if output[name] != nil {
			_, _ = fmt.Fprintf(progress, "        FAILED %s\n%s", name, output[name])
		}
	case action == "pass" && test != "":
		r.Passed++
	case action == "skip" && test != "":
		r.Skipped++
		r.Skips = append(r.Skips, name)
	}
	if action == "pass" || action == "fail" || action == "skip" {
		delete(output, name)
	}
}

// troubled says whether a package that failed has a failed test to show for it.
func (r *row) troubled(pkg string) bool {
	for _, name := range r.Failures {
		if strings.HasPrefix(name, pkg) {
			return true
		}
	}
	return false
}

// servers are those of the harness's summaries, each once.
func servers(summary string) (found []string) {
	seen := map[string]bool{}
	for line := range strings.Lines(summary) {
		line = strings.TrimSpace(line)
		if seen[line] || !strings.HasPrefix(line, "PostgreSQL ") && !strings.HasPrefix(line, "Kafka ") {
			continue
		}
		seen[line] = true
		found = append(found, line)
	}
	return found
}

// ranWithThem says whether the tests ran with the servers they were to run with,
// and with no other but those whose version a test names.
func (r *row) ranWithThem() error {
	postgres, kafka := false, false
	for _, server := range r.Servers {
		switch {
		case strings.HasSuffix(server, harness.AskedFor):
		case strings.HasPrefix(server, "PostgreSQL "+r.Postgres+"."):
			postgres = true
		case strings.HasPrefix(server, "Kafka "+r.Kafka+" "):
			kafka = true
		default:
			return fmt.Errorf("it ran with %s", server)
		}
	}
	if !postgres || !kafka {
		return fmt.Errorf("it ran with %q only", r.Servers)
	}
	return nil
}
