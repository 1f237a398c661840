package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/demo/watchdog"
)

// binary is a program under test, built once.
type binary struct {
	once sync.Once
	path string
	err  error
}

// binaries are the programs under test, by build tag; "" has none.
var binaries struct {
	mu    sync.Mutex
	byTag map[string]*binary
}

// Binary builds cmd/walrelay of this module, with the race detector when the
// tests have it, and returns its path.
func Binary(t testing.TB) string {
	t.Helper()
	return TaggedBinary(t, "")
}

// TaggedBinary does the same with a build tag: "failpoints", see package
// internal/failpoint.
func TaggedBinary(t testing.TB, tag string) string {
	t.Helper()
	binaries.mu.Lock()
	b := binaries.byTag[tag]
	if b == nil {
		b = new(binary)
		if binaries.byTag == nil {
			binaries.byTag = map[string]*binary{}
		}
		binaries.byTag[tag] = b
	}
	binaries.mu.Unlock()
	b.once.Do(func() { b.path, b.err = buildBinary(background(t), tag) })
	if b.err != nil {
		t.Fatalf("build the program under test: %v", b.err)
	}
	return b.path
}

func buildBinary(ctx context.Context, tag string) (string, error) {
	module, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w: the tests need the go command", err)
	}
	dir, err := os.MkdirTemp("", "walrelay-build-")
	if err != nil {
		return "", err
	}
	shared.atEnd(func() error { return os.RemoveAll(dir) })
	path := filepath.Join(dir, "walrelay")
	args := []string{"build", "-o", path, "-tags", tag}
	if Race {
		args = append(args, "-race")
	}
	command := exec.CommandContext(ctx, "go", append(args, "./cmd/walrelay")...)
	command.Dir = filepath.Dir(strings.TrimSpace(string(module)))
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
}

// RelayOptions say how the program is started.
type RelayOptions struct {
	Args   []string // default "run"
	Config string   // YAML, goes into a file; "" for none
	Env    []string // "WALRELAY_KAFKA_BROKERS=…"; none of ours is inherited
	Dir    string   // working directory; default: an empty one

	Program string // default: the one that Binary builds
}

// Process is a running or ended walrelay.
type Process struct {
	// Address is where it serves HTTP, a free port unless the options say
	// otherwise.
	Address string

	command *exec.Cmd
	dog     *watchdog.Watchdog
	ended   chan struct{}

	mu     sync.Mutex
	lines  []Line
	output strings.Builder
}

// Line is one line of the program's JSON log; a line that is none has only a
// Text.
type Line struct {
	Text    string
	Level   string
	Message string
	Fields  map[string]any
}

// Relay starts walrelay with a JSON log. The test's end kills it and, when the
// test has failed, prints the end of its log.
func Relay(t testing.TB, options RelayOptions) *Process {
	t.Helper()
	p := &Process{ended: make(chan struct{})}
	if err := p.prepare(t, options); err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.command.Stdout, p.command.Stderr = writer, writer
	if p.dog, err = watchdog.Start("KILL", ""); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatalf("start walrelay: %v", err)
	}
	writer.Close()
	if err := p.dog.Watch(p.command.Process); err != nil {
		t.Error(err)
	}
	go p.follow(reader)
	t.Cleanup(func() { p.cleanup(t) })
	return p
}

func (p *Process) prepare(t testing.TB, options RelayOptions) error {
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	if len(options.Args) == 0 {
		options.Args = []string{"run"}
	}
	args := options.Args
	if options.Config != "" {
		file := filepath.Join(t.TempDir(), "walrelay.yaml")
		if err := os.WriteFile(file, []byte(options.Config), 0o600); err != nil {
			return err
		}
		args = append(args, "-c", file)
	}
	port, err := postgres.FreePort()
	if err != nil {
		return err
	}
	p.Address = local(port)
	env := []string{"WALRELAY_HTTP_LISTEN=" + p.Address, "WALRELAY_LOG_FORMAT=json"}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "WALRELAY_") && !strings.HasPrefix(variable, "PG") {
			env = append(env, variable)
		}
	}
	for _, variable := range options.Env {
		if address, ok := strings.CutPrefix(variable, "WALRELAY_HTTP_LISTEN="); ok {
			p.Address = address
		}
	}
	if options.Program == "" {
		options.Program = Binary(t)
	}
	p.command = exec.Command(options.Program, args...)
	p.command.Dir = options.Dir
	p.command.Env = append(env, options.Env...) // the last of two wins
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return nil
}

// follow collects the log until the process has ended and all is read.
func (p *Process) follow(output io.ReadCloser) {
	scanner := bufio.NewScanner(output)
	scanner.Buffer(make([]byte, 64<<10), 16<<20)
	for scanner.Scan() {
		line := Line{Text: scanner.Text()}
		if json.Unmarshal(scanner.Bytes(), &line.Fields) == nil {
			line.Level, _ = line.Fields["level"].(string)
			line.Message, _ = line.Fields["message"].(string)
		}
		p.mu.Lock()
		p.lines = append(p.lines, line)
		p.output.WriteString(line.Text + "\n")
		p.mu.Unlock()
	}
	output.Close()
	p.command.Wait() // the exit code is asked of ProcessState
	close(p.ended)
}

func (p *Process) cleanup(t testing.TB) {
	p.Kill()
	<-p.ended
	if err := p.dog.Close(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		lines := p.Log()
		t.Logf("walrelay (process %d) said last:", p.command.Process.Pid)
		for _, line := range lines[max(0, len(lines)-40):] {
			t.Log("    " + line.Text)
		}
	}
}

// Log returns the lines so far.
func (p *Process) Log() []Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Line(nil), p.lines...)
}

// Output returns all that it has printed so far.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// Logged returns the first line that contains the text.
func (p *Process) Logged(text string) (Line, bool) {
	for _, line := range p.Log() {
		if strings.Contains(line.Text, text) {
			return line, true
		}
	}
	return Line{}, false
}

// WaitLog waits for a line that contains the text and returns it; the end of
// the process is the end of waiting.
func (p *Process) WaitLog(t testing.TB, timeout time.Duration, text string) (found Line) {
	t.Helper()
	p.wait(t, timeout, fmt.Sprintf("walrelay logs %q", text), func() (ok bool) {
		found, ok = p.Logged(text)
		return ok
	})
	return found
}

// WaitReady waits until /readyz says yes.
func (p *Process) WaitReady(t testing.TB, timeout time.Duration) {
	t.Helper()
	last := "no answer"
	defer func() {
		if t.Failed() {
			t.Logf("/readyz said last: %s", last)
		}
	}()
	p.wait(t, timeout, "walrelay is ready", func() bool {
		status, body, err := p.Get(t.Context(), "/readyz")
		if err == nil {
			last = fmt.Sprintf("%d %s", status, body)
		}
		return err == nil && status == http.StatusOK
	})
}

func (p *Process) wait(t testing.TB, timeout time.Duration, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	gone := false
	err := await(ctx, func() bool {
		gone = p.Ended() // before the condition: the last words count
		return condition() || gone
	})
	if err == nil && (!gone || condition()) {
		return
	}
	if gone {
		t.Fatalf("walrelay ended with code %d before: %s", p.command.ProcessState.ExitCode(), what)
	}
	t.Fatalf("after %s still not: %s", timeout, what)
}

// Get asks the program's HTTP server.
func (p *Process) Get(ctx context.Context, path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Address+path, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

// PID is the process id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Ended says whether the process has ended and all its output is read.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Wait waits for the end and returns the exit code, -1 after a signal.
func (p *Process) Wait(t testing.TB, timeout time.Duration) int {
	t.Helper()
	Eventually(t, timeout, "walrelay ends", p.Ended)
	return p.command.ProcessState.ExitCode()
}

// Kill is SIGKILL; it returns when the process is gone.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// Terminate is SIGTERM, the request to stop.
func (p *Process) Terminate() { p.signal(syscall.SIGTERM) }

// Pause is SIGSTOP.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume is SIGCONT.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(signal syscall.Signal) {
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lines = append(p.lines, Line{Text: fmt.Sprintf("harness: send %s: %v", signal, err)})
	}
}
