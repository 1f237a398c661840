package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// SummaryVariable names a file to which every test program appends its summary.
const SummaryVariable = "WALRELAY_TEST_SUMMARY"

// session is what the tests of this program share.
type session struct {
	mu       sync.Mutex
	origins  []string // "PostgreSQL: …", in order of first use
	warnings []string // what ran on less than the real thing
	skipped  []string
	cleanups []func() error // run in reverse at the end
}

// shared is the one session of a test program; package testing has no other
// place between TestMain and the tests.
var shared session

// Main is the body of TestMain: it runs the tests, removes what they shared,
// prints the summary and exits.
func Main(m *testing.M) {
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintf(os.Stderr, "remove what the tests started: %v\n", err)
		code = max(code, 1)
	}
	summary := shared.summary()
	fmt.Print(summary)
	if path := os.Getenv(SummaryVariable); path != "" {
		if err := appendFile(path, summary); err != nil {
			fmt.Fprintf(os.Stderr, "write the summary: %v\n", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

func appendFile(path, text string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text) // one write: blocks of several programs stay whole
	return errors.Join(err, file.Close())
}

// Skip skips the test and has the reason printed at the end of the run.
func Skip(t testing.TB, reason string) {
	t.Helper()
	shared.mu.Lock()
	shared.skipped = append(shared.skipped, fmt.Sprintf("%s: %s", t.Name(), reason))
	shared.mu.Unlock()
	t.Skip(reason)
}

// Required says whether a missing PostgreSQL or Kafka is a failure.
func Required() bool {
	return os.Getenv("WALRELAY_TEST_REQUIRE") == "1" || os.Getenv("CI") == "true"
}

// ToolsRequired says whether a missing browser or Prometheus is a failure, too. CI
// alone does not ask for them: it may run where nothing can be installed, and the
// summary says what was skipped.
func ToolsRequired() bool { return os.Getenv("WALRELAY_TEST_REQUIRE") == "1" }

// missing skips a test that cannot have what it needs, or fails it where that
// is required.
func missing(t testing.TB, what string, err error) {
	t.Helper()
	if Required() {
		t.Fatalf("no %s, and WALRELAY_TEST_REQUIRE or CI asks for one: %v", what, err)
	}
	Skip(t, fmt.Sprintf("no %s: %v", what, err))
}

// used notes an origin for the summary, once.
func (s *session) used(origin string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.origins, origin) {
		s.origins = append(s.origins, origin)
	}
}

func (s *session) warn(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.warnings, text) {
		s.warnings = append(s.warnings, text)
	}
}

func (s *session) atEnd(cleanup func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanups = append(s.cleanups, cleanup)
}

func (s *session) close() error {
	s.mu.Lock()
	cleanups := s.cleanups
	s.cleanups = nil
	s.mu.Unlock()
	var errs []error
	for _, cleanup := range slices.Backward(cleanups) {
		errs = append(errs, cleanup())
	}
	return errors.Join(errs...)
}

// summary is the block at the end of a run.
func (s *session) summary() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text strings.Builder
	fmt.Fprintf(&text, "=== %s tested with\n", filepath.Base(os.Args[0]))
	origins := s.origins
	if len(origins) == 0 {
		origins = []string{"neither PostgreSQL nor Kafka: no test asked"}
	}
	for _, origin := range origins {
		fmt.Fprintf(&text, "    %s\n", origin)
	}
	if Race {
		fmt.Fprintf(&text, "    race detector: on (%s)\n", runtime.Version())
	} else {
		fmt.Fprintf(&text, "    race detector: OFF (needs `go test -race` and a C compiler)\n")
	}
	for _, warning := range s.warnings {
		fmt.Fprintf(&text, "!!! %s\n", warning)
	}
	if len(s.skipped) == 0 {
		text.WriteString("    skipped: nothing\n")
	}
	for _, skipped := range s.skipped {
		fmt.Fprintf(&text, "!!! SKIPPED %s\n", skipped)
	}
	return text.String()
}

// background is for what outlives a test: shared servers and cleanups.
func background(t testing.TB) context.Context { return context.WithoutCancel(t.Context()) }
