package telemetry

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// Reason is one reason why a relay is not ready.
type Reason struct {
	Code    string `json:"code"`              // a short word for programs: kafka, postgres, standby, …
	Error   string `json:"error,omitempty"`   // the stable code of the error behind it, see docs/errors.md
	Message string `json:"message,omitempty"` // a sentence for people: what is wrong and what to do
	Advice  string `json:"advice,omitempty"`  // what to do about an error of that code
}

// Pipeline is the relay as the server sees it. Its methods are called from any
// goroutine and must not block.
type Pipeline interface {
	// Status is what /status shows, as JSON.
	Status() any
	// Ready tells whether events flow or could flow, and if not, why.
	Ready() (bool, []Reason)
	// Alive tells whether the process still does its work: an error means that
	// only a restart helps.
	Alive() error
}

// ServerConfig says where a Server listens and to whom it answers.
type ServerConfig struct {
	Listen   string // host:port; port 0 is any free one
	Username string // of basic authentication; counts with Password only
	Password string // of basic authentication; "" for none
	Token    string // of bearer authentication, or a browser's password of any user; "" for none
}

// Server serves metrics, health, readiness, status and the status page. While it
// runs it keeps the history that the page begins with.
type Server struct {
	listener net.Listener
	http     *http.Server
	history  *history
	ending   chan struct{} // closed to end streams, which have no end of their own
}

// The limits of a request.
const (
	headerTimeout   = 5 * time.Second
	requestTimeout  = 10 * time.Second
	responseTimeout = 30 * time.Second // not for streams, see live.go
	idleTimeout     = time.Minute
	shutdownTimeout = 2 * time.Second
	maxHeader       = 16 << 10 // bytes; net/http adds 4 KiB of slack and answers 431 to more
)

// NewServer listens at once, so that a port that is taken is an error early. Run
// serves; until then clients wait.
func NewServer(c ServerConfig, m *Metrics, p Pipeline, log zerolog.Logger) (*Server, error) {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, listenError(c.Listen, err)
	}
	s := &Server{listener: listener, history: newHistory(m), ending: make(chan struct{})}
	s.http = &http.Server{
		Handler:           newGuard(c, listener.Addr(), log).wrap(routes(m, p, s.history, s.ending)),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      responseTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          stdlog.New(serverLog{log}, "", 0),
	}
	return s, nil
}

// listenError says what to do about an address that cannot be listened on.
func listenError(addr string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	const way = "set another http.listen (WALRELAY_HTTP_LISTEN, --listen), or an empty one to do without"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: the port is taken, perhaps by another walrelay: %s", addr, way)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listen on %s: not allowed for this user (ports below 1024 are privileged): %s", addr, way)
	}
	return fmt.Errorf("listen on %s: %w: %s", addr, err, way)
}

// Addr returns the address that is listened on, with the actual port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends and returns nil then. Answers under way get a moment to
// finish; streams are ended. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	sampling, stopSampling := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() { s.history.run(sampling) })
	defer sampler.Wait()
	defer stopSampling()
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(s.listener) }()
	select {
	case err := <-done:
		close(s.ending)
		return fmt.Errorf("serve http on %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	close(s.ending)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(stop); err != nil {
		_ = s.http.Close() // those that did not finish in time are cut off
	}
	<-done
	return nil
}

// Close stops listening. It is for a server that was never Run.
func (s *Server) Close() error {
	if err := s.listener.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.Addr(), err)
	}
	return nil
}

// serverLog takes what net/http has to say, which is about clients, not about us.
type serverLog struct{ log zerolog.Logger }

// Write logs one message at debug level.
func (l serverLog) Write(p []byte) (int, error) {
	l.log.Debug().Str("reason", strings.TrimSpace(string(p))).Msg("http request failed")
	return len(p), nil
}
