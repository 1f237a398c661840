package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// relay is a Pipeline that answers what it is told.
type relay struct {
	status  any
	ready   bool
	reasons []Reason
	dead    error
}

func (r *relay) Status() any             { return r.status }
func (r *relay) Ready() (bool, []Reason) { return r.ready, r.reasons }
func (r *relay) Alive() error            { return r.dead }

// serve is the handler of a server on the loopback without its listener; nothing
// is sampled.
func serve(c ServerConfig, p Pipeline) http.Handler {
	m := NewMetrics("")
	guard := newGuard(c, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, zerolog.Nop())
	return guard.wrap(routes(m, p, newHistory(m), make(chan struct{})))
}

func TestServer(t *testing.T) {
	tests := []struct {
		name, method, path string
		relay              relay
		code               int
		kind, body         string
	}{
		{name: "alive", path: "/healthz", code: 200, kind: "application/json", body: `{"alive": true}`},
		{name: "dead", path: "/healthz", relay: relay{dead: errors.New("no sign of life for 1m0s")}, code: 503, kind: "application/json",
			body: `{"alive": false, "reason": "no sign of life for 1m0s"}`},
		{name: "ready", path: "/readyz", relay: relay{ready: true}, code: 200, kind: "application/json", body: `{"ready": true, "reasons": []}`},
		{name: "not ready", path: "/readyz", relay: relay{reasons: []Reason{{Code: "standby", Error: "WR0901", Message: "another instance holds the slot"}}}, code: 503, kind: "application/json",
			body: `{"ready": false, "reasons": [{"code": "standby", "error": "WR0901", "message": "another instance holds the slot"}]}`},
		{name: "standby, taken for ready", path: "/readyz?standby=ok", relay: relay{reasons: []Reason{{Code: "standby"}}}, code: 200, kind: "application/json",
			body: `{"ready": true, "reasons": [{"code": "standby"}]}`},
		{name: "blocked is never ready", path: "/readyz?standby=ok", relay: relay{reasons: []Reason{{Code: "standby"}, {Code: "kafka"}}}, code: 503, kind: "application/json",
			body: `{"ready": false, "reasons": [{"code": "standby"}, {"code": "kafka"}]}`},
		{name: "status", path: "/status", relay: relay{status: map[string]any{"state": "streaming", "unsent": 3}}, code: 200, kind: "application/json",
			body: `{"state": "streaming", "unsent": 3}`},
		{name: "no such page", path: "/nope", code: 404},
		{name: "no such method", method: "POST", path: "/status", code: 405},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			method := test.method
			if method == "" {
				method = "GET"
			}
			w := httptest.NewRecorder()
			serve(ServerConfig{}, &test.relay).ServeHTTP(w, httptest.NewRequest(method, "http://localhost"+test.path, nil))
			if w.Code != test.code {
				t.Errorf("code %d, want %d", w.Code, test.code)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			if test.body == "" {
				return
			}
			if got := w.Header().Get("Content-Type"); got != test.kind {
				t.Errorf("Content-Type %q, want %q", got, test.kind)
			}
			var got, want any
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(test.body), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServer_Run(t *testing.T) {
	s, err := NewServer(ServerConfig{Listen: "127.0.0.1:0"}, NewMetrics("1.2.3"), &relay{ready: true}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + s.Addr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != 200 {
		t.Errorf("status %s, %v", answer.Status, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if _, err := net.Dial("tcp", s.Addr()); err == nil {
		t.Error("still listening after the end")
	}
}

// TestServer_Run_broken: a server that cannot go on says so and leaves nothing behind.
func TestServer_Run_broken(t *testing.T) {
	s, err := NewServer(ServerConfig{Listen: "127.0.0.1:0"}, NewMetrics(""), &relay{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background()); err == nil || !strings.HasPrefix(err.Error(), "serve http on 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
	goleak.VerifyNone(t)
}

func TestNewServer_errors(t *testing.T) {
	s, err := NewServer(ServerConfig{Listen: "127.0.0.1:0"}, NewMetrics(""), &relay{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	const way = ": set another http.listen (WALRELAY_HTTP_LISTEN, --listen), or an empty one to do without"
	_, err = NewServer(ServerConfig{Listen: s.Addr()}, NewMetrics(""), &relay{}, zerolog.Nop())
	if want := "listen on " + s.Addr() + ": the port is taken, perhaps by another walrelay" + way; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_, err = NewServer(ServerConfig{Listen: "192.0.2.1:9187"}, NewMetrics(""), &relay{}, zerolog.Nop())
	if err == nil || !strings.HasPrefix(err.Error(), "listen on 192.0.2.1:9187: ") || !strings.HasSuffix(err.Error(), way) {
		t.Errorf("got %v", err)
	}
}
