package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/walrelay/walrelay/config"
)

// refusingPostgres is a server that refuses every password, as a wrong one is. It
// returns its address.
func refusingPostgres(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	clients.Add(1)
	go func() {
		defer clients.Done()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			clients.Add(1)
			go func() {
				defer clients.Done()
				defer func() { _ = conn.Close() }()
				refuse(conn)
			}()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		clients.Wait()
	})
	return listener.Addr().String()
}

func refuse(conn net.Conn) {
	backend := pgproto3.NewBackend(conn, conn)
	for {
		message, err := backend.ReceiveStartupMessage()
		if err != nil {
			return
		}
		if _, ok := message.(*pgproto3.StartupMessage); ok {
			break
		}
		if _, err := conn.Write([]byte("N")); err != nil { // no TLS here
			return
		}
	}
	backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: `password authentication failed for user "u"`})
	_ = backend.Flush() // a client that has gone needs no answer
}

// watched is a writer that tells when a text has been written.
type watched struct {
	mu    sync.Mutex
	text  bytes.Buffer
	waits map[string]chan struct{}
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	for text, seen := range w.waits {
		if strings.Contains(w.text.String(), text) {
			close(seen)
			delete(w.waits, text)
		}
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// until returns a channel that is closed when text has been written.
func (w *watched) until(text string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := make(chan struct{})
	if strings.Contains(w.text.String(), text) {
		close(seen)
		return seen
	}
	if w.waits == nil {
		w.waits = map[string]chan struct{}{}
	}
	w.waits[text] = seen
	return seen
}

// wait waits for a channel, but not for ever.
func wait(t *testing.T, what string, c <-chan struct{}, log fmt.Stringer) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s within 20 s:\n%s", what, log)
	}
}

// TestRun_fatal: an error that needs a human ends the process with its code and one
// line in the log.
func TestRun_fatal(t *testing.T) {
	quietDir(t)
	r := walrelay(t, []string{"WALRELAY_POSTGRES_URL=postgres://u:hunter2@" + refusingPostgres(t) + "/shop", "WALRELAY_KAFKA_BROKERS=127.0.0.1:1", "WALRELAY_HTTP_LISTEN="}, "run")
	if r.code != 3 {
		t.Errorf("exit code %d, want 3", r.code)
	}
	if n := strings.Count(r.stderr, `"relay ended"`); n != 1 || !strings.Contains(r.stderr, `"exit_code":3`) || !strings.Contains(r.stderr, "password authentication failed") {
		t.Errorf("log:\n%s", r.stderr)
	}
	if strings.Contains(r.stderr, "hunter2") {
		t.Errorf("a secret is in the log:\n%s", r.stderr)
	}
	var first map[string]any
	if err := json.Unmarshal([]byte(strings.SplitN(r.stderr, "\n", 2)[0]), &first); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(timeFormat, fmt.Sprint(first["time"])); err != nil || !strings.HasSuffix(fmt.Sprint(first["time"]), "Z") || first["message"] != "walrelay starts" {
		t.Errorf("first line %v", first)
	}
}

// TestRun_hold: with on_fatal hold the process stays up, not ready, with the
// reason, until it is stopped, and ends with the code then.
func TestRun_hold(t *testing.T) {
	quietDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stderr watched
	held := stderr.until("held by on_fatal")
	ended := make(chan int, 1)
	env := []string{"WALRELAY_POSTGRES_URL=postgres://u@" + refusingPostgres(t) + "/shop", "WALRELAY_KAFKA_BROKERS=127.0.0.1:1", "WALRELAY_ON_FATAL=hold"}
	go func() { ended <- run(ctx, []string{"run", "--listen", "127.0.0.1:0"}, env, io.Discard, &stderr) }()
	wait(t, "hold", held, &stderr)
	base := "http://" + httpAddress(t, stderr.String())
	code, body := get(t, base+"/readyz")
	if code != 503 || !strings.Contains(body, `"fatal"`) || !strings.Contains(body, "password authentication failed") {
		t.Errorf("/readyz: %d %s", code, body)
	}
	if code, body := get(t, base+"/healthz"); code != 200 {
		t.Errorf("/healthz: %d %s", code, body)
	}
	if code, body := get(t, base+"/status"); code != 200 || !strings.Contains(body, `"state": "blocked"`) || !strings.Contains(body, "password authentication failed") {
		t.Errorf("/status: %d %s", code, body)
	}
	if code, body := get(t, base+"/metrics"); code != 200 || !strings.Contains(body, `walrelay_state{state="blocked"} 1`) {
		t.Errorf("/metrics: %d %s", code, body)
	}
	select {
	case code := <-ended:
		t.Fatalf("ended with %d before it was stopped", code)
	default:
	}
	cancel()
	if code := <-ended; code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
}

// httpAddress returns the address of the server from the first line of the log.
func httpAddress(t *testing.T, log string) string {
	t.Helper()
	var first struct{ HTTP string }
	if err := json.Unmarshal([]byte(strings.SplitN(log, "\n", 2)[0]), &first); err != nil || first.HTTP == "" {
		t.Fatalf("no http address in %s: %v", log, err)
	}
	return first.HTTP
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// process starts the test binary as another program; see TestMain.
func process(t *testing.T, kind string, env []string, args ...string) (*exec.Cmd, *watched) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stderr watched
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(env, "WALRELAY_TEST_PROCESS="+kind, "HOME="+t.TempDir())
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &stderr
}

func exitCode(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// TestRun_signal: a signal stops a relay that waits for PostgreSQL, with code 0.
func TestRun_signal(t *testing.T) {
	quietDir(t)
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		cmd, stderr := process(t, "walrelay", []string{"WALRELAY_POSTGRES_URL=postgres://u@127.0.0.1:1/shop", "WALRELAY_KAFKA_BROKERS=127.0.0.1:1", "WALRELAY_HTTP_LISTEN="}, "run")
		wait(t, "error", stderr.until(`"level":"warn"`), stderr)
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if code := exitCode(t, cmd); code != 0 || !strings.Contains(stderr.String(), "stopped on request") {
			t.Errorf("%s: exit code %d\n%s", s, code, stderr)
		}
	}
}

// stubborn is a program whose graceful stop never ends.
func stubborn() {
	a := &app{stderr: os.Stderr}
	ctx, stop := a.graceful(context.Background())
	defer stop()
	fmt.Fprintln(os.Stderr, "runs")
	<-ctx.Done()
	fmt.Fprintln(os.Stderr, "stopping")
	select {}
}

// TestGraceful_secondSignal: the second signal ends the process at once.
func TestGraceful_secondSignal(t *testing.T) {
	cmd, stderr := process(t, "stubborn", nil)
	wait(t, "start", stderr.until("runs"), stderr)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wait(t, "reaction", stderr.until("stopping"), stderr)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, cmd); code != 1 || !strings.Contains(stderr.String(), "second signal (terminated): stopped at once") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

func TestLimitMemory(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	defer func() { debug.SetMemoryLimit(limit); debug.SetGCPercent(percent) }()
	c := &config.Config{Limits: config.Limits{InFlightBytes: 16 << 20}, Kafka: config.Kafka{Compression: "none"}}
	(&app{env: []string{"GOMEMLIMIT=1GiB", "GOGC=100"}}).limitMemory(c)
	if got := debug.SetMemoryLimit(-1); got != limit {
		t.Errorf("GOMEMLIMIT is not respected: %d", got)
	}
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("GOGC is not respected: %d", got)
	}
	(&app{}).limitMemory(c)
	if got := debug.SetMemoryLimit(-1); got != 30<<20 {
		t.Errorf("memory limit %d, want 30 MiB", got)
	}
	if got := debug.SetGCPercent(100); got != 50 {
		t.Errorf("GC percent %d, want 50", got)
	}
	c.Kafka.Compression = "zstd"
	(&app{}).limitMemory(c)
	if got := debug.SetMemoryLimit(-1); got != 46<<20 {
		t.Errorf("memory limit with a compressor %d, want 46 MiB", got)
	}
}

func TestLogger(t *testing.T) {
	for format, want := range map[string]string{"json": `{"level":"info"`, "auto": `{"level":"info"`, "console": "20"} {
		var out bytes.Buffer
		log, err := (&app{stderr: &out}).logger(config.Log{Level: "info", Format: format})
		if err != nil {
			t.Fatal(err)
		}
		log.Debug().Msg("not seen")
		log.Info().Msg("seen")
		line, err := bufio.NewReader(&out).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, want) || !strings.Contains(line, "seen") || strings.Contains(line, "\x1b") {
			t.Errorf("%s: %q, %v", format, line, err)
		}
	}
}
