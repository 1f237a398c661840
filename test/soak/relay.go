package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// relay is the program under test, started as often as it was killed.
type relay struct {
	program, config string
	address         string // of its HTTP side
	log             string // file of the process that runs or ran last
	life            int    // processes before this one

	command *exec.Cmd
	ended   chan struct{}
	started atomic.Int64 // ns since 1970
}

// build builds the command of this module as a release is built.
func build(ctx context.Context, dir string) (string, error) {
	module, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w: run this in the project's folder", err)
	}
	program := filepath.Join(dir, "walrelay")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/walrelay")
	command.Dir = filepath.Dir(strings.TrimSpace(string(module)))
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ./cmd/walrelay: %w\n%s", err, out)
	}
	return program, nil
}

// newRelay writes the configuration.
func newRelay(dir, program, postgres, broker, delivery string) (*relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{program: program, config: filepath.Join(dir, "walrelay.yaml"), address: listener.Addr().String(), life: -1}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("postgres: {url: %q, slot: soak, publication: soak}\nkafka: {brokers: [%q], watermark_topic: soak.watermark}\n"+
		"route: {topic: \"soak.${aggregate_type}\"}\ndelivery: %s\nhttp: {listen: %q}\nlog: {format: json}\n",
		postgres, broker, delivery, r.address)
	return r, os.WriteFile(r.config, []byte(text), 0o600)
}

// start starts it and returns when it is ready.
func (r *relay) start(ctx context.Context) error {
	r.life++
	log, err := os.Create(filepath.Join(filepath.Dir(r.config), fmt.Sprintf("relay-%d.log", r.life)))
	if err != nil {
		return err
	}
	defer log.Close()
	r.log = log.Name()
	r.command = exec.Command(r.program, "run", "-c", r.config)
	r.command.Stdout, r.command.Stderr = log, log
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "WALRELAY_") && !strings.HasPrefix(variable, "PG") {
			r.command.Env = append(r.command.Env, variable)
		}
	}
	r.started.Store(time.Now().UnixNano())
	if err := r.command.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	r.ended = ended
	go func() {
		_ = r.command.Wait() // how it ended is in ProcessState
		close(ended)
	}()
	return r.await(ctx, "it is not ready", func() bool {
		answer, err := http.Get("http://" + r.address + "/readyz")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// patience is how long a machine may take for what takes seconds.
const patience = 5 * time.Minute

// await waits for a condition, as long as the relay runs.
func (r *relay) await(ctx context.Context, problem string, met func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-r.ended:
			return fmt.Errorf("the relay has ended by itself (%s); its log ends:\n%s", r.command.ProcessState, r.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; the relay's log ends:\n%s", problem, ctx.Err(), r.tail())
		case <-tick.C:
		}
	}
	return nil
}

// kill ends it as kill -9 does.
func (r *relay) kill() {
	if r.command == nil || r.command.Process == nil {
		return
	}
	_ = r.command.Process.Kill() // it may have ended
	<-r.ended
}

// stop asks it to end; another exit code than 0 is an error.
func (r *relay) stop() error {
	if err := r.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the relay: %w; its log ends:\n%s", err, r.tail())
	}
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.kill()
		return errors.New("the relay did not stop when it was asked to")
	}
	if code := r.command.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the relay ended with code %d; its log ends:\n%s", code, r.tail())
	}
	return nil
}

// tail is the end of the log.
func (r *relay) tail() string {
	text, err := os.ReadFile(r.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-10):], []byte("\n")))
}

// metrics reads the figures by name; nil when it does not answer.
func (r *relay) metrics(names []string) map[string]float64 {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get("http://" + r.address + "/metrics")
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	values := map[string]float64{}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		for _, name := range names {
			text, ok := strings.CutPrefix(lines.Text(), name+" ")
			if value, err := strconv.ParseFloat(text, 64); ok && err == nil {
				values[name] = value
			}
		}
	}
	return values
}
