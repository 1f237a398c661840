package test_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// plain is the program without the race detector, for what is said of memory.
var plain struct {
	once sync.Once
	path string
	err  error
}

// plainProgram builds it, or takes the one under test when that is plain.
func plainProgram(t *testing.T) string {
	t.Helper()
	if !harness.Race {
		return harness.Binary(t)
	}
	plain.once.Do(func() {
		// Beside the one under test, which is removed at the end with its folder.
		plain.path = filepath.Join(filepath.Dir(harness.Binary(t)), "walrelay-plain")
		command := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "build", "-o", plain.path, "../cmd/walrelay")
		if out, err := command.CombinedOutput(); err != nil {
			plain.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if plain.err != nil {
		t.Fatalf("build the program without the race detector: %v", plain.err)
	}
	return plain.path
}

// peakMemory is the most resident memory that the process ever had, in bytes; 0
// where the system does not tell.
func peakMemory(t *testing.T, p *harness.Process) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Logf("peak memory is not measured here: %v", err)
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				t.Fatalf("read VmHWM: %v", err)
			}
			return kilobytes << 10
		}
	}
	t.Fatalf("process %d has no VmHWM", p.PID())
	return 0
}

// maxMemory is the bar for the peak. The benchmark holds the stricter one of a
// quiet machine.
const maxMemory = 64 << 20

// boundedMemory checks the peak against the bar.
func boundedMemory(t *testing.T, p *harness.Process) {
	t.Helper()
	peak := peakMemory(t, p)
	t.Logf("peak memory %.1f MiB", float64(peak)/(1<<20))
	if peak > maxMemory {
		t.Errorf("peak memory of %.1f MiB is above %d MiB", float64(peak)/(1<<20), maxMemory>>20)
	}
}

// metrics is one scrape: samples as they are written, by name.
type metrics map[string][]sample

type sample struct {
	labels string // `{topic="a",event_type="b"}`, or empty
	value  float64
}

func scrape(t *testing.T, p *harness.Process) metrics {
	t.Helper()
	status, body, err := p.Get(t.Context(), "/metrics")
	if err != nil || status != http.StatusOK {
		t.Fatalf("/metrics: %d %v", status, err)
	}
	m := make(metrics)
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		// Label values here hold no spaces, so the last one ends the name.
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("/metrics: %q: %v", line, err)
		}
		name, labels := line[:at], ""
		if brace := strings.IndexByte(name, '{'); brace >= 0 {
			name, labels = name[:brace], name[brace:]
		}
		m[name] = append(m[name], sample{labels, value})
	}
	return m
}

// value adds up the samples of a name that have all the labels, each given as
// `topic="a"`.
func (m metrics) value(name string, labels ...string) (sum float64) {
	for _, s := range m[name] {
		if containsAll(s.labels, labels...) {
			sum += s.value
		}
	}
	return sum
}
