package relay

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/segmentio/kafka-go"

	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
)

// An error has its code whatever it is wrapped in, and what is done about it is
// what its entry says.
func TestDiagnose(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.code+" "+s.name, func(t *testing.T) {
			if s.err == nil {
				t.Fatal("no error")
			}
			got := Diagnose(fmt.Errorf("run: %w", s.err))
			if got.Code != s.code {
				t.Fatalf("%v: %s (%s), want %s", s.err, got.Code, got.Title, s.code)
			}
			if waits := classify(s.err) != stop; waits != got.Retry {
				t.Errorf("waited out: %v, its entry says %v", waits, got.Retry)
			}
			want := got.Exit
			if got.Retry {
				want = exitFailure
			}
			if code := ExitCode(s.err); code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
		})
	}
	if Diagnose(nil) != (Trouble{}) {
		t.Error("no error is a trouble")
	}
}

// Every entry is reached by a sample: one that is not is of no use or not tested.
func TestTroubles_reachable(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range samples(t) {
		seen[Diagnose(s.err).Code] = true
	}
	for _, trouble := range Troubles {
		if !seen[trouble.Code] {
			t.Errorf("no sample is %s: %s", trouble.Code, trouble.Title)
		}
	}
}

// The table keeps its form.
func TestTroubles(t *testing.T) {
	exits := []int{exitFailure, exitSetup, exitHuman, exitStandby}
	last := ""
	for _, e := range Troubles {
		problem := func(format string, args ...any) {
			t.Helper()
			t.Errorf("%s: %s", e.Code, fmt.Sprintf(format, args...))
		}
		if len(e.Code) != 6 || !strings.HasPrefix(e.Code, "WR0") || e.Code <= last {
			problem("code not ascending after %q, or malformed", last)
		}
		last = e.Code
		if !slices.Contains([]string{sidePostgres, sideKafka, sideRelay}, e.Side) {
			problem("side %q", e.Side)
		}
		if e.Title == "" || len(e.Title) > 70 || strings.HasSuffix(e.Title, ".") || strings.ContainsAny(e.Title, "|\n") {
			problem("title %q", e.Title)
		}
		for _, text := range []string{e.Cause, e.Remedy} {
			if !strings.HasSuffix(text, ".") || strings.Contains(text, "  ") || strings.Count(text, "`")%2 == 1 || strings.ContainsAny(text, "\n<") {
				problem("text %q", text)
			}
		}
		switch {
		case e.Retry && (e.Exit != 0 || e.wait == stop):
			problem("is waited out and ends the process")
		case !e.Retry && (!slices.Contains(exits, e.Exit) || e.wait != 0):
			problem("exit code %d", e.Exit)
		}
	}
}

// A PostgreSQL error that says what has to be done stays one that ends the
// process, with its own exit code, whatever the server's error in it is.
func TestDiagnose_madeByReplication(t *testing.T) {
	states := []string{"", "57P01", "53100", "53300", "08006", "25006", "55006", "28P01", "42704", "55000", "58P01", "XX000", "40001"}
	for state := range sqlStates {
		states = append(states, state)
	}
	for _, state := range states {
		cause := error(&pgconn.PgError{Code: state})
		setup := &replication.SetupError{Problem: "p", Err: cause}
		gap := &replication.GapError{Reason: "r", Err: cause}
		if got := Diagnose(setup); got.Retry || got.Exit != exitSetup {
			t.Errorf("set-up with %s: %+v", state, got)
		}
		if got := Diagnose(gap); got.Retry || got.Exit != exitHuman {
			t.Errorf("gap with %s: %+v", state, got)
		}
		if got := Diagnose(&replication.GapError{Reason: "r", Err: setup}); got.Exit != exitHuman {
			t.Errorf("gap by a set-up with %s: %+v", state, got)
		}
	}
}

// What the sink waits for is waited for, and what it refuses ends the process,
// whatever the broker's code is.
func TestDiagnose_madeBySink(t *testing.T) {
	for code := kafka.Error(-1); code < 120; code++ {
		if got := Diagnose(&WaitError{"kafka", code}); !got.Retry || got.Side != sideKafka {
			t.Errorf("waiting for %d: %+v", code, got)
		}
		if got := Diagnose(&sink.RefusedError{Op: "o", Err: code, Advice: "a"}); got.Retry || got.Exit == 0 {
			t.Errorf("refused with %d: %+v", code, got)
		}
	}
	for _, s := range samples(t) {
		if got := Diagnose(&WaitError{"kafka", s.err}); !got.Retry || got.Side != sideKafka {
			t.Errorf("waiting because of %v: %+v", s.err, got)
		}
	}
}

// Texts of our own by which errors are told are still written like that.
func TestPhrases(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"../replication/*.go", "../sink/*.go", "*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "trouble") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	for _, phrases := range [][]phrase{gapPhrases, lossPhrases, setupPhrases, tablePhrases, topicPhrases, textPhrases} {
		for _, p := range phrases {
			if !strings.Contains(source.String(), p.text) {
				t.Errorf("nobody writes %q any more, by which %s is told", p.text, p.code)
			}
		}
	}
}

// Wrappers keep what they wrap, text and chain.
func TestTroubleErrors(t *testing.T) {
	cause := errors.New("cause")
	for _, err := range []error{&WaitError{"kafka", cause}, &ConfigError{cause}, &DeadLetterError{"dead", cause}, &BindError{"public.outbox", cause}} {
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), "cause") {
			t.Errorf("%T: %v", err, err)
		}
	}
}
