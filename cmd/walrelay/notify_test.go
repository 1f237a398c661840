package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/relay"
)

// manager is a service manager that collects what it is told.
type manager struct {
	mu    sync.Mutex
	heard []string
	err   error
}

func (m *manager) send(text string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = append(m.heard, text)
	return m.err
}

// take returns what was said since it was last asked, repeated messages once.
func (m *manager) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	heard := slices.Compact(m.heard)
	m.heard = nil
	return heard
}

// service is a notifier whose relay the test plays.
type service struct {
	*notifier
	manager
	mu      sync.Mutex
	state   relay.State
	reasons []relay.Reason
	dead    error
}

func (s *service) set(state relay.State, dead error, reasons ...relay.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.reasons, s.dead = state, reasons, dead
}

// serve starts a notifier with the given watchdog, changed; stop begins the stop, end
// ends it.
func serve(watchdog time.Duration, change ...func(*service)) (s *service, stop, end func()) {
	s = &service{state: relay.StateStarting}
	s.notifier = &notifier{
		log: zerolog.Nop(), send: s.manager.send, every: notifyEvery, grace: startGrace, watchdog: watchdog,
		look: func() (relay.State, []relay.Reason) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.state, s.reasons
		},
		alive: func() error {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.dead
		},
	}
	for _, f := range change {
		f(s)
	}
	stopping, quit, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		s.run(stopping, quit)
	}()
	return s, func() { close(stopping) }, func() {
		close(quit)
		<-ended
	}
}

// after lets the time pass and returns what was said meanwhile.
func (s *service) after(d time.Duration) []string {
	time.Sleep(d)
	synctest.Wait()
	return s.take()
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

const extend = "EXTEND_TIMEOUT_USEC=15000000"

// TestNotify_life: from the start through trouble to the stop.
func TestNotify_life(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stop, end := serve(0)
		same(t, "start", s.after(3*time.Second), "STATUS=starting", extend)
		s.set(relay.StateStarting, nil, relay.Reason{Code: "postgres", Error: "WR0101", Message: "connection\n refused"})
		same(t, "waits", s.after(3*time.Second), "STATUS=starting: WR0101 connection refused", extend)
		s.set(relay.StateStreaming, nil)
		same(t, "flows", s.after(3*time.Second), "STATUS=streaming", "READY=1")
		same(t, "goes on", s.after(time.Minute))
		s.set(relay.StateStarting, nil, relay.Reason{Code: "postgres"})
		same(t, "away", s.after(time.Minute), "STATUS=starting: postgres")
		stop()
		s.set(relay.StateStopping, nil)
		same(t, "stops", s.after(time.Second), "STOPPING=1", "STATUS=stopping")
		end()
		same(t, "has ended", s.take())
	})
}

// TestNotify_ready: which states end the start.
func TestNotify_ready(t *testing.T) {
	for _, state := range relay.States {
		synctest.Test(t, func(t *testing.T) {
			s, _, end := serve(0)
			s.set(state, nil)
			ready := slices.Contains(s.after(startGrace/2), "READY=1")
			if want := state != relay.StateStarting && state != relay.StateStopping; ready != want {
				t.Errorf("%s: ready %t, want %t", state, ready, want)
			}
			end()
		})
	}
}

// TestNotify_grace: a database that is away holds up a start for a while only.
func TestNotify_grace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, end := serve(0)
		same(t, "waits", s.after(startGrace-time.Second), "STATUS=starting", extend)
		same(t, "is up", s.after(2*time.Second), extend, "READY=1")
		same(t, "goes on", s.after(time.Minute))
		end() // nobody has asked for it
		same(t, "ends", s.take(), "STOPPING=1")
	})
}

// TestNotify_watchdog: it is fed at half its time, and only while the loop moves.
func TestNotify_watchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, end := serve(20 * time.Second)
		s.set(relay.StateStreaming, nil)
		same(t, "at once", s.after(time.Second), "WATCHDOG=1", "STATUS=streaming", "READY=1")
		for range 3 {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if heard := s.take(); !slices.Equal(heard, []string{"WATCHDOG=1"}) {
				t.Errorf("every ten seconds: %q", heard)
			}
		}
		s.set(relay.StateStreaming, errors.New("the loop has not moved"))
		same(t, "dead", s.after(time.Minute))
		s.set(relay.StateStreaming, nil)
		same(t, "moves again", s.after(10*time.Second), "WATCHDOG=1")
		end()
	})
}

// TestNotify_deaf: that nobody listens is said once, and stops nothing.
func TestNotify_deaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s, _, end := serve(2*time.Second, func(s *service) { s.err, s.log = errors.New("nobody"), zerolog.New(&log) })
		s.after(time.Minute)
		end()
		if n := strings.Count(log.String(), "can't be told"); n != 1 {
			t.Errorf("said %d times:\n%s", n, log.String())
		}
	})
}

// TestNotify_socket: the real socket and environment, as systemd gives them.
func TestNotify_socket(t *testing.T) {
	quietDir(t)
	dir, err := os.MkdirTemp("", "notify") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "socket")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "600000")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan result, 1)
	go func() {
		var out, stderr watched
		env := []string{"WALRELAY_POSTGRES_URL=postgres://u@127.0.0.1:1/shop", "WALRELAY_KAFKA_BROKERS=127.0.0.1:1", "WALRELAY_HTTP_LISTEN="}
		code := run(ctx, []string{"run"}, env, &out, &stderr)
		ended <- result{code, out.String(), stderr.String()}
	}()
	var heard []string
	until := func(text string) {
		t.Helper()
		buffer := make([]byte, 4096)
		for {
			if err := socket.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, err := socket.Read(buffer)
			if err != nil {
				t.Fatalf("no %q: %v\n%q", text, err, heard)
			}
			heard = append(heard, string(buffer[:n]))
			if strings.Contains(heard[len(heard)-1], text) {
				return
			}
		}
	}
	until("127.0.0.1:1") // STATUS with the reason
	until("EXTEND_TIMEOUT_USEC=")
	until("WATCHDOG=1")
	cancel()
	until("STOPPING=1")
	if r := <-ended; r.code != 0 {
		t.Errorf("code %d\n%s", r.code, r.stderr)
	}
	if slices.Contains(heard, "READY=1") {
		t.Errorf("ready without PostgreSQL: %q", heard)
	}
}
