package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// journal is a Repeated with a clock of its own and the lines it wrote.
type journal struct {
	*Repeated
	clock time.Time
	out   bytes.Buffer
}

func newJournal() *journal {
	j := &journal{clock: time.Unix(0, 0)}
	j.Repeated = NewRepeated(zerolog.New(&j.out))
	j.now = func() time.Time { return j.clock }
	return j
}

// lines returns what was written since the last call.
func (j *journal) lines(t *testing.T) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for text := range strings.Lines(j.out.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, line)
	}
	j.out.Reset()
	return lines
}

func TestRepeated(t *testing.T) {
	j := newJournal()
	refused := errors.New("refused")
	expect := func(step string, want ...map[string]any) {
		t.Helper()
		if diff := cmp.Diff(want, j.lines(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	}
	j.Failed("produce", "produce", refused, func(e *zerolog.Event) { e.Str("topic", "orders") })
	expect("first", map[string]any{"level": "warn", "message": "produce", "error": "refused", "attempt": 1.0, "topic": "orders"})
	for range 100 {
		j.clock = j.clock.Add(100 * time.Millisecond)
		j.Failed("produce", "produce", refused, nil)
	}
	expect("within the interval")
	if !j.Failing("produce") || j.Failing("look at slot") {
		t.Error("failing: want produce alone")
	}
	j.Failed("look at slot", "look at slot", refused, nil)
	expect("another name", map[string]any{"level": "warn", "message": "look at slot", "error": "refused", "attempt": 1.0})
	j.Failed("produce", "produce", errors.New("denied"), nil)
	expect("another text", map[string]any{"level": "warn", "message": "produce", "error": "denied", "attempt": 102.0, "for": "10s"})
	j.clock = j.clock.Add(RepeatInterval)
	j.Failed("produce", "produce", refused, nil)
	j.Failed("produce", "produce", refused, nil)
	expect("after the interval", map[string]any{"level": "warn", "message": "produce", "error": "refused", "attempt": 103.0, "for": "40s"})
	j.clock = j.clock.Add(time.Second)
	j.Recovered("produce", "produce works again")
	expect("recovered", map[string]any{"level": "info", "message": "produce works again", "attempts": 104.0, "after": "41s"})
	j.Recovered("produce", "produce works again")
	expect("recovered is said once")
	j.Failed("produce", "produce", refused, nil)
	expect("first again", map[string]any{"level": "warn", "message": "produce", "error": "refused", "attempt": 1.0})
}

// TestRepeated_manyTexts holds an error whose text changes each time to a few lines.
func TestRepeated_manyTexts(t *testing.T) {
	j := newJournal()
	for i := range 1000 {
		j.Failed("produce", "produce", errors.New(strings.Repeat("x", i)), nil)
	}
	if got := len(j.lines(t)); got != maxTexts {
		t.Errorf("%d lines, want %d", got, maxTexts)
	}
	j.Failed("produce", "produce", nil, nil) // no error is no panic
}
