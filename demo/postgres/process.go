package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Mode is how a server stops, in PostgreSQL's words.
type Mode string

// Fast ends all sessions and writes a checkpoint; it waits for walsenders to
// send what is left. Immediate ends without either: the next start recovers
// from the WAL. Crash is kill -9 of the postmaster and of all its children.
const (
	Fast      Mode = "fast"
	Immediate Mode = "immediate"
	Crash     Mode = "crash"
)

const (
	startTimeout = 2 * time.Minute // recovery after a crash is part of a start
	stopTimeout  = time.Minute
	tick         = 5 * time.Millisecond
	portAttempts = 5
)

var errPortTaken = errors.New("the port is taken")

// process is one life of the postmaster.
type process struct {
	command *exec.Cmd
	exited  chan struct{} // closed after the process is reaped
	err     error         // how it ended; read after exited
}

// Start starts a stopped server again on the same port and data, and returns
// when it takes connections. It does nothing when the server runs.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		return errors.New("start PostgreSQL: it was removed")
	}
	if s.process != nil && s.process.alive() {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it did not become ready within %s", startTimeout))
	defer cancel()
	chosen := s.port != 0
	for attempt := 1; ; attempt++ {
		if !chosen {
			port, err := FreePort()
			if err != nil {
				return err
			}
			s.port = port
		}
		err := s.launch(ctx)
		if errors.Is(err, errPortTaken) && !chosen && attempt < portAttempts {
			continue // somebody was quicker
		}
		return err
	}
}

func (s *Server) launch(ctx context.Context) error {
	if err := s.configure(); err != nil {
		return err
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer log.Close()
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	p, err := s.spawn(log)
	if err != nil {
		return err
	}
	if err := s.dog.Watch(p.command.Process); err != nil {
		p.command.Process.Kill()
		<-p.exited
		return err
	}
	s.process = p
	if err := s.awaitReady(ctx, p); err != nil {
		err = errors.Join(err, s.stop(Immediate))
		said, _ := io.ReadAll(io.NewSectionReader(log, begin, 1<<20))
		if bytes.Contains(said, []byte("could not create any TCP/IP sockets")) || bytes.Contains(said, []byte("could not bind IPv4")) {
			err = errors.Join(fmt.Errorf("%w: %d: name another one", errPortTaken, s.port), err)
		}
		return fmt.Errorf("run %s: %w: %s", filepath.Join(s.install.bin, "postgres"), err, lastLines(said))
	}
	return nil
}

func (s *Server) spawn(log *os.File) (*process, error) {
	command := exec.Command(filepath.Join(s.install.bin, "postgres"), "-D", s.data())
	command.Dir, command.Env, command.SysProcAttr = s.dir, environment(), s.run.attributes()
	command.Stdout = log
	if s.options.Log != nil {
		command.Stdout = io.MultiWriter(log, s.options.Log)
		// Backends hold the pipe; after a crash they may outlive the postmaster.
		command.WaitDelay = time.Second
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("run PostgreSQL: %w", err)
	}
	p := &process{command: command, exited: make(chan struct{})}
	go func() {
		p.err = command.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// awaitReady watches postmaster.pid as pg_ctl does: the first line is the
// process, the eighth its state.
func (s *Server) awaitReady(ctx context.Context, p *process) error {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	pid := strconv.Itoa(p.command.Process.Pid)
	for {
		content, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
		if lines := strings.Split(string(content), "\n"); err == nil && len(lines) >= 8 &&
			lines[0] == pid && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.exited:
			return fmt.Errorf("it ended by itself: %w", exitError(p.err))
		case <-ticks.C:
		}
	}
}

func exitError(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// Stop stops the server; its data and port stay for Start. It does nothing
// when the server is stopped. A server that has not ended after a minute is
// killed, and that is an error.
func (s *Server) Stop(mode Mode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop(mode)
}

// Restart stops the server and starts it again on the same port.
func (s *Server) Restart(ctx context.Context, mode Mode) error {
	if err := s.Stop(mode); err != nil {
		return err
	}
	return s.Start(ctx)
}

func (s *Server) stop(mode Mode) error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	defer s.dog.Watch(nil) // its death shows again at the next start or Remove
	if !p.alive() {
		return nil
	}
	signals := map[Mode]syscall.Signal{Fast: syscall.SIGINT, Immediate: syscall.SIGQUIT, Crash: syscall.SIGKILL}
	signal, known := signals[mode]
	if !known {
		s.process = p
		return fmt.Errorf("stop PostgreSQL: unknown mode %q: use %q, %q or %q", mode, Fast, Immediate, Crash)
	}
	pid := p.command.Process.Pid
	family := append(descendants(pid), pid)
	if mode == Crash {
		killAll(family, syscall.SIGKILL)
	} else {
		p.command.Process.Signal(signal)
	}
	killAll(family, syscall.SIGCONT) // a frozen process acts on a signal only when it runs
	select {
	case <-p.exited:
		awaitDeath(family)
		return nil
	case <-time.After(stopTimeout):
	}
	killAll(append(descendants(pid), pid), syscall.SIGKILL)
	<-p.exited
	return fmt.Errorf("stop PostgreSQL %s: it ran on for %s and was killed; see its log", mode, stopTimeout)
}

// FreePort finds a TCP port on 127.0.0.1 that nobody listens on, below the
// range that systems give to outgoing connections: a server that is stopped
// for a while finds its port free again.
func FreePort() (int, error) {
	var last error
	for range 100 {
		port := 10240 + rand.IntN(32768-10240)
		listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		return port, listener.Close()
	}
	return 0, fmt.Errorf("find a free port: %w", last)
}

// environment is this program's without what would change the server's mind.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "PG") && !strings.HasPrefix(variable, "LC_") && !strings.HasPrefix(variable, "LANG") {
			kept = append(kept, variable)
		}
	}
	return append(kept, "LC_ALL=C")
}

// lastLines is the end of a program's output, for an error message.
func lastLines(output []byte) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if len(lines) > 12 {
		lines = lines[len(lines)-12:]
	}
	return strings.Join(lines, "\n")
}
