package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if s := oneServer.server; s != nil {
		if err := s.Remove(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// tempDir lets everything temporary of this test be made in one folder, which
// another user (the one that PostgreSQL runs as) may enter. The returned check
// fails the test when something is left there, or a process that names it.
func tempDir(t *testing.T) (check func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "walrelay-demo-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	if os.TempDir() != dir {
		t.Logf("TMPDIR has no effect on this system: temporary folders are not checked")
	}
	return func() {
		t.Helper()
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range left {
			t.Errorf("left behind: %s", entry.Name())
		}
		lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil || len(lines) == 0 {
			t.Log("no /proc here: processes are not checked")
		}
		for _, name := range lines {
			if line, err := os.ReadFile(name); err == nil && bytes.Contains(line, []byte(dir)) {
				t.Errorf("still running: %s", bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
			}
		}
	}
}

func TestRun(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	check := tempDir(t)
	taken, err := net.Listen("tcp", defaultListen) // the usual port, if nobody has it already
	if err == nil {
		defer taken.Close()
	}
	var out bytes.Buffer
	v, err := Run(t.Context(), Options{For: 3 * time.Second, Rate: 40, Out: &out})
	t.Logf("output:\n%s", &out)
	if err != nil {
		t.Fatal(err)
	}
	check()
	if !v.OK() || v.Written == 0 || v.Delivered != v.Written {
		t.Errorf("verdict: %+v", v)
	}
	if v.Duplicates != 0 {
		t.Errorf("%d duplicates without a crash", v.Duplicates)
	}
	if v.RolledBack == 0 || v.P50 <= 0 || v.P99 < v.P50 || v.Seconds < 3 {
		t.Errorf("verdict: %+v", v)
	}
	text := strings.TrimRight(out.String(), "\n")
	if last := text[strings.LastIndexByte(text, '\n')+1:]; last != v.String() || !strings.Contains(last, "lost 0") {
		t.Errorf("last line: %q", last)
	}
	for _, want := range []string{"an in-process stand-in for Kafka (franz-go kfake), not a real one", v.PostgreSQL, "http://127.0.0.1:"} {
		if !strings.Contains(text, want) {
			t.Errorf("output lacks %q", want)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Error("colour without being asked for")
	}
	if strings.Contains(text, "http://"+defaultListen) {
		t.Error("status page at an address that is taken")
	}
}

// interruptAt ends a context when a text is written.
type interruptAt struct {
	bytes.Buffer
	text      string
	interrupt context.CancelFunc
}

func (w *interruptAt) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.interrupt()
	}
	return w.Buffer.Write(p)
}

// TestRun_interrupted ends the context while the shop is open: the verdict comes
// all the same, and nothing is left behind.
func TestRun_interrupted(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	check := tempDir(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &interruptAt{text: " events committed, ", interrupt: interrupt} // the first line of progress
	v, err := Run(ctx, Options{Out: out, HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	check()
	if !v.OK() || v.Written == 0 || v.Delivered != v.Written {
		t.Errorf("verdict: %+v", v)
	}
	if !strings.HasSuffix(out.String(), v.String()+"\n") {
		t.Errorf("output:\n%s", out)
	}
}

// TestRun_interruptedWhileStarting does so at every stage of the start.
func TestRun_interruptedWhileStarting(t *testing.T) {
	for _, stage := range []string{"walrelay demo", "PostgreSQL", "topics", "walrelay  ", "status"} {
		t.Run(strings.TrimSpace(stage), func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			check := tempDir(t)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			out := &interruptAt{text: stage, interrupt: interrupt}
			if _, err := Run(ctx, Options{Out: out, HTTP: "127.0.0.1:0"}); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want the context's; output:\n%s", err, out)
			}
			check()
		})
	}
}

// TestRun_givenKafka uses a broker that the demo has not started: it makes
// topics of its own there, beside others, and takes only them away.
func TestRun_givenKafka(t *testing.T) {
	check := tempDir(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(1, "outbox.event.order"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var out bytes.Buffer
	v, err := Run(t.Context(), Options{For: time.Second, Kafka: strings.Join(cluster.ListenAddrs(), ","), HTTP: "127.0.0.1:0", Output: "json", Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	check()
	if !v.OK() || v.Written == 0 || strings.Contains(v.Kafka, "stand-in") {
		t.Errorf("verdict: %+v", v)
	}
	var object struct {
		OK bool
		Verdict
	}
	decoder := json.NewDecoder(&out)
	if err := decoder.Decode(&object); err != nil {
		t.Fatal(err)
	}
	if !object.OK || object.Verdict != v || decoder.More() {
		t.Errorf("JSON: %+v, want %+v and nothing else", object, v)
	}
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if names := topics.Names(); len(names) != 1 || names[0] != "outbox.event.order" {
		t.Errorf("topics in the end: %v", names)
	}
	ends, err := admin.ListEndOffsets(t.Context(), "outbox.event.order")
	if err != nil {
		t.Fatal(err)
	}
	if end, _ := ends.Lookup("outbox.event.order", 0); end.Offset != 0 {
		t.Errorf("%d records in somebody else's topic", end.Offset)
	}
}

func TestRun_noKafkaThere(t *testing.T) {
	check := tempDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	if _, err := Run(ctx, Options{Kafka: address}); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("error %v, want one that names %s", err, address)
	}
	check()
}

func TestRun_stoppedBeforeItStarted(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	check := tempDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	check()
}

// TestRun_failsClean lets the last part of the start fail, after all others.
func TestRun_failsClean(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	check := tempDir(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := Run(t.Context(), Options{HTTP: taken.Addr().String()}); err == nil || !strings.Contains(err.Error(), "status page") {
		t.Errorf("error %v, want one of the status page", err)
	}
	check()
}

func TestRun_unknownOutput(t *testing.T) {
	if _, err := Run(t.Context(), Options{Output: "xml"}); err == nil || !strings.Contains(err.Error(), `"xml"`) {
		t.Errorf("error %v", err)
	}
}

func TestScreen_storiesInTurn(t *testing.T) {
	s := newScreen(nil, false, false)
	s.tell(kindPath, "a way that is already old")
	s.tell(kindPath, "a way")
	s.tell(kindRollback, "a rollback")
	for _, want := range []string{"a way", "a rollback", "", ""} {
		if got := s.story(); got != want {
			t.Errorf("story %q, want %q", got, want)
		}
	}
}

func TestScreen_colour(t *testing.T) {
	var out bytes.Buffer
	newScreen(&out, true, false).judge(Verdict{Written: 2, Lost: 1})
	if !strings.Contains(out.String(), "\x1b[31mverdict: BROKEN") {
		t.Errorf("output: %q", &out)
	}
	if got := (&screen{}).paint(red, "text"); got != "text" {
		t.Errorf("without colour: %q", got)
	}
}
