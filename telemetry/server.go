package telemetry

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"strings"
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

// Server serves metrics, health, readiness, status and the status page.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// The time limits of a request.
const (
	headerTimeout   = 5 * time.Second
	requestTimeout  = 10 * time.Second
	responseTimeout = 30 * time.Second
	idleTimeout     = time.Minute
	shutdownTimeout = 2 * time.Second
)

// NewServer listens on addr (host:port; port 0 is any free one) at once, so that a
// port that is taken is an error early. Run serves; until then clients wait.
func NewServer(addr string, m *Metrics, p Pipeline, log zerolog.Logger) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, listenError(addr, err)
	}
	return &Server{listener: listener, http: &http.Server{
		Handler:           handler(m, p),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      responseTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          stdlog.New(serverLog{log}, "", 0),
	}}, nil
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
// finish.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(s.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve http on %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
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

//go:embed status.html
var page []byte

// pagePolicy keeps the page to itself: nothing is loaded from elsewhere.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// handler routes the paths. Only GET and HEAD are answered.
func handler(m *Metrics, p Pipeline) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer := struct {
			Alive  bool   `json:"alive"`
			Reason string `json:"reason,omitempty"`
		}{Alive: true}
		if err := p.Alive(); err != nil {
			answer.Alive, answer.Reason = false, err.Error()
		}
		writeJSON(w, answer.Alive, answer)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		ready, reasons := p.Ready()
		if reasons == nil {
			reasons = []Reason{} // an empty list, not null
		}
		writeJSON(w, ready, struct {
			Ready   bool     `json:"ready"`
			Reasons []Reason `json:"reasons"`
		}{ready, reasons})
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, true, p.Status()) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", pagePolicy)
		_, _ = w.Write(page) // a client that has gone needs nothing
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// writeJSON answers with 200, or 503 when not ok.
func writeJSON(w http.ResponseWriter, ok bool, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		http.Error(w, "encode: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(body, '\n')) // a client that has gone needs nothing
}

// serverLog takes what net/http has to say, which is about clients, not about us.
type serverLog struct{ log zerolog.Logger }

// Write logs one message at debug level.
func (l serverLog) Write(p []byte) (int, error) {
	l.log.Debug().Str("reason", strings.TrimSpace(string(p))).Msg("http request failed")
	return len(p), nil
}
