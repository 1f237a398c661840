package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// clockFaults are wall clocks that are set while everything runs, of one program at
// a time: nobody's clock has to agree with another's. Kafka refuses records whose
// time is more than an hour ahead of its own (message.timestamp.after.max.ms), so
// PostgreSQL's stays below that.
func clockFaults() []scenario {
	return []scenario{
		{name: "PostgreSQL's clock 50 minutes ahead, then 100 back", rounds: 2, needs: noClock, stage: postgresClock},
		{name: "Kafka's clock 25 hours ahead, then back", rounds: 2, needs: noClock, stage: kafkaClock},
		{name: "the relay's clock an hour ahead, an hour back", rounds: 2, stage: relayClock},
	}
}

// noClock says why the clock of a C program can't be moved here.
func noClock() string {
	if runtime.GOOS != "linux" {
		return "moving the clock of a server needs Linux (LD_PRELOAD)"
	}
	if _, err := exec.LookPath("cc"); err != nil {
		return "moving the clock of a server needs a C compiler: install one (cc)"
	}
	return ""
}

// clock is the wall clock of a server.
type clock struct {
	library, file string
}

// newClock builds the library. Servers that start while set is called see the clock.
func newClock(t *testing.T) *clock {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "walrelay-clock-") // for the user of PostgreSQL, too
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	c := &clock{library: filepath.Join(dir, "clock.so"), file: filepath.Join(dir, "offset")}
	c.move(t, 0)
	if out, err := exec.CommandContext(t.Context(), "cc", "-shared", "-fPIC", "-O2", "-o", c.library, "testdata/clock.c").CombinedOutput(); err != nil {
		t.Fatalf("build the clock: %v: %s", err, out)
	}
	return c
}

// move sets the clock to that much from the machine's.
func (c *clock) move(t *testing.T, by time.Duration) {
	t.Helper()
	file, err := os.OpenFile(c.file, os.O_CREATE|os.O_WRONLY, 0o644) // not truncated: programs have it in memory
	must(t, err)
	defer file.Close()
	_, err = file.Write(binary.NativeEndian.AppendUint64(nil, uint64(int64(by/time.Second))))
	must(t, err)
}

// given starts a server that sees the clock. Scenarios of the full matrix run one at
// a time, so the environment is nobody else's.
func (c *clock) given(t *testing.T, start func()) {
	t.Helper()
	for name, value := range map[string]string{"LD_PRELOAD": c.library, "WALRELAY_CLOCK": c.file} {
		must(t, os.Setenv(name, value))
		defer os.Unsetenv(name)
	}
	start()
}

// shows fails the test when a clock is not that much from the machine's.
func shows(t *testing.T, what string, seen time.Time, by time.Duration) {
	t.Helper()
	if off := time.Until(seen) - by; off.Abs() > 10*time.Minute {
		t.Fatalf("the test is wrong: %s is %s from the machine's time instead of %s", what, time.Until(seen).Round(time.Second), by)
	}
}

func postgresClock(t *testing.T, s *scene) func() {
	c := newClock(t)
	c.given(t, func() { own(t, s, nil) })
	next := []time.Duration{50 * time.Minute, -50 * time.Minute}
	return func() {
		t.Helper()
		by := next[0]
		next = next[1:]
		c.move(t, by)
		s.mark()
		seconds := s.QueryInt(t, "SELECT extract(epoch FROM clock_timestamp())::bigint")
		shows(t, "PostgreSQL's clock", time.Unix(seconds, 0), by)
	}
}

func kafkaClock(t *testing.T, s *scene) func() {
	c := newClock(t)
	c.given(t, func() { s.Kafka = harness.PrivateKafka(t, harness.KafkaOptions{}) })
	next := []time.Duration{25 * time.Hour, 0}
	appended := s.Kafka.Topic(t, 1, "message.timestamp.type", "LogAppendTime")
	client := s.Kafka.Client(t, kgo.ConsumeTopics(appended))
	return func() {
		t.Helper()
		by := next[0]
		next = next[1:]
		c.move(t, by)
		s.mark()
		must(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: appended}).FirstErr())
		fetches := client.PollFetches(t.Context())
		must(t, fetches.Err())
		shows(t, "Kafka's clock", fetches.Records()[0].Timestamp, by)
	}
}

// jumping is the program with a wall clock that jumps.
var jumping struct {
	once sync.Once
	path string
	err  error
}

// jumpVariable is "seconds after the start,seconds to jump" for such a program.
const jumpVariable = "TEST_CLOCK_JUMP"

// relayClock needs a program of its own: Go takes the time from the kernel itself.
func relayClock(t *testing.T, s *scene) func() {
	jumping.once.Do(func() {
		jumping.path, jumping.err = buildJumping(context.WithoutCancel(t.Context()), filepath.Dir(harness.Binary(t)))
	})
	must(t, jumping.err)
	next := []time.Duration{time.Hour, -time.Hour}
	return func() {
		t.Helper()
		by := next[0]
		next = next[1:]
		s.Relay.Terminate()
		ended(t, s.Relay, 0)
		s.Program = jumping.path
		const after = 5 * time.Second
		began := time.Now()
		p := s.start(t, fmt.Sprintf("%s=%d,%d", jumpVariable, int(after.Seconds()), int(by.Seconds())))
		p.WaitReady(t, soon)
		harness.Eventually(t, soon, "the clock has jumped", func() bool { return time.Since(began) > after })
		s.mark()
		s.count(s.recovered(t))
		p.Terminate()
		ended(t, p, 0)
		lines := p.Log()
		text, _ := lines[len(lines)-1].Fields["time"].(string)
		seen, err := time.Parse(time.RFC3339, text)
		must(t, err)
		shows(t, "the clock in the relay's log", seen, by)
		s.Program = ""
		s.start(t)
		s.mark()
	}
}

// jumpSource is what package time of that program has more.
const jumpSource = `package time

import "syscall"

var jumpAfter, jumpBy = jump()

func jump() (after, by int64) {
	text, _ := syscall.Getenv("` + jumpVariable + `")
	for i := range len(text) {
		if text[i] == ',' {
			first, _ := atoi(text[:i])
			second, _ := atoi(text[i+1:])
			return int64(first) * int64(Second), int64(second)
		}
	}
	return 0, 0
}
`

// buildJumping builds cmd/walrelay with another time.Now: as if somebody set the
// machine's time, the wall clock jumps and the one that only goes forward does not.
func buildJumping(ctx context.Context, dir string) (path string, err error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("find Go: %w", err)
	}
	folder := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	original, err := os.ReadFile(filepath.Join(folder, "time.go"))
	if err != nil {
		return "", fmt.Errorf("find Go's source: %w", err)
	}
	const place = "\tmono -= startNano\n\tsec += unixToInternal - minWall\n"
	before, after, found := strings.Cut(string(original), place)
	if !found {
		return "", fmt.Errorf("time.Now of %s is another one than this test knows: adapt it", runtime.Version())
	}
	changed := before + place + "\tif jumpAfter != 0 && mono >= jumpAfter {\n\t\tsec += jumpBy\n\t}\n" + after
	files := map[string]string{"time.go": changed, "jump.go": jumpSource}
	replace := map[string]string{}
	for name, content := range files {
		replace[filepath.Join(folder, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o644); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "walrelay-jumping")
	if out, err := exec.CommandContext(ctx, "go", "build", "-overlay", list, "-o", path, "github.com/walrelay/walrelay/cmd/walrelay").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program with a clock that jumps: %w: %s", err, out)
	}
	return path, nil
}
