package telemetry

import (
	"bytes"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

const (
	username = "walrelay"
	password = "s3cret, with a comma"
	token    = "0123456789abcdef"
)

// TestGuard_credentials: who gets to what, by what they show.
func TestGuard_credentials(t *testing.T) {
	by := ServerConfig{Username: username, Password: password}
	with := ServerConfig{Token: token}
	both := ServerConfig{Username: username, Password: password, Token: token}
	basic := func(user, pass string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(user, pass)
		return r.Header.Get("Authorization")
	}
	tests := []struct {
		name          string
		config        ServerConfig
		authorization string
		code          int // of /status
	}{
		{"open", ServerConfig{Username: username}, "", 200},
		{"open, and credentials nobody asked for", ServerConfig{}, basic("a", "b"), 200},
		{"password: none", by, "", 401},
		{"password: right", by, basic(username, password), 200},
		{"password: wrong", by, basic(username, password+"x"), 401},
		{"password: empty", by, basic(username, ""), 401},
		{"password: of another user", by, basic("root", password), 401},
		{"password: as token", by, "Bearer " + password, 401},
		{"password: an empty token, where none is set", by, "Bearer ", 401},
		{"password: no user name and password, where no token is set", by, basic("", ""), 401},
		{"token: none", with, "", 401},
		{"token: right", with, "Bearer " + token, 200},
		{"token: scheme in small letters", with, "bearer " + token, 200},
		{"token: wrong", with, "Bearer " + token[1:], 401},
		{"token: in a browser", with, basic("anybody", token), 200},
		{"token: in a browser, wrong", with, basic("anybody", "x"), 401},
		{"token: no password, where none is set", with, basic("", ""), 401},
		{"token: without a scheme", with, token, 401},
		{"token: unknown scheme", with, "Digest " + token, 401},
		{"both: password", both, basic(username, password), 200},
		{"both: token", both, "Bearer " + token, 200},
		{"both: token in a browser", both, basic("x", token), 200},
		{"both: password of another user", both, basic("x", password), 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, path := range []string{"/status", "/", "/metrics", "/live", "/nothing"} {
				w, r := httptest.NewRecorder(), httptest.NewRequest("HEAD", "http://localhost"+path, nil)
				if test.authorization != "" {
					r.Header.Set("Authorization", test.authorization)
				}
				serve(test.config, &relay{}).ServeHTTP(w, r)
				code := test.code
				if path == "/nothing" && code == 200 {
					code = 404
				}
				if w.Code != code {
					t.Errorf("%s: code %d, want %d", path, w.Code, code)
				}
				asked := w.Header().Values("WWW-Authenticate")
				if (code == 401) != (len(asked) > 0) || code == 401 && !strings.HasPrefix(asked[0], `Basic realm="walrelay"`) {
					t.Errorf("%s: asked for %q with code %d", path, asked, code)
				}
			}
		})
	}
}

// TestGuard_probes: orchestrators get to health and bare readiness without
// credentials, and strangers learn no more there.
func TestGuard_probes(t *testing.T) {
	p := &relay{reasons: []Reason{{Code: "kafka", Error: "WR0601", Message: "kafka-1.internal refused", Advice: "look at kafka-1.internal"}}}
	ask := func(path, authorization string) (int, string) {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost"+path, nil)
		r.Header.Set("Authorization", authorization)
		serve(ServerConfig{Token: token}, p).ServeHTTP(w, r)
		return w.Code, strings.Join(strings.Fields(w.Body.String()), "")
	}
	for _, is := range []struct {
		path, authorization string
		code                int
		body                string
	}{
		{"/healthz", "", 200, `{"alive":true}`},
		{"/readyz", "", 503, `{"ready":false,"reasons":[{"code":"kafka","error":"WR0601"}]}`},
		{"/readyz", "Bearer " + token, 503, `{"ready":false,"reasons":[{"code":"kafka","error":"WR0601","message":"kafka-1.internalrefused","advice":"lookatkafka-1.internal"}]}`},
	} {
		if code, body := ask(is.path, is.authorization); code != is.code || body != is.body {
			t.Errorf("%s by %q: %d %s, want %d %s", is.path, is.authorization, code, body, is.code, is.body)
		}
	}
	if code, _ := ask("/readyz", "Bearer wrong"); code != 401 {
		t.Errorf("wrong credentials on /readyz: %d, want 401", code)
	}
	if p.reasons[0].Message == "" {
		t.Error("the relay's own reasons were cut")
	}
}

// TestGuard_refusalIsLogged once, and without what was tried.
func TestGuard_refusalIsLogged(t *testing.T) {
	var log bytes.Buffer
	g := newGuard(ServerConfig{Username: username, Password: password}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, zerolog.New(&log))
	for range 3 {
		r := httptest.NewRequest("GET", "/status", nil)
		r.SetBasicAuth(username, "guess")
		g.wrap(nil).ServeHTTP(httptest.NewRecorder(), r)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || strings.Contains(log.String(), "guess") || !strings.Contains(log.String(), `"client":"192.0.2.1:1234"`) {
		t.Errorf("%d lines: %s", n, log.String())
	}
}

// TestGuard_hosts: without protection the loopback answers to its own names, so
// that no page from elsewhere can reach it through a name of its own.
func TestGuard_hosts(t *testing.T) {
	const local, lan = "127.0.0.1", "10.1.2.3"
	tests := []struct {
		listen, addr, token, host string
		code                      int
	}{
		{"127.0.0.1:9187", local, "", "127.0.0.1:9187", 200},
		{"127.0.0.1:9187", local, "", "127.0.0.1", 200},
		{"127.0.0.1:9187", local, "", "127.8.9.1:1", 200},
		{"127.0.0.1:9187", local, "", "localhost:9187", 200},
		{"127.0.0.1:9187", local, "", "LocalHost.", 200},
		{"127.0.0.1:9187", local, "", "[::1]:9187", 200},
		{"127.0.0.1:9187", local, "", "[::1]", 200},
		{"127.0.0.1:9187", local, "", "", 200},
		{"127.0.0.1:9187", local, "", "evil.example:9187", 421},
		{"127.0.0.1:9187", local, "", "127.0.0.1.evil.example", 421},
		{"127.0.0.1:9187", local, "", "localhost.evil.example", 421},
		{"127.0.0.1:9187", local, "", "10.1.2.3", 421},
		{"relay.internal:9187", local, "", "relay.internal:9187", 200}, // the name resolves to the loopback
		{"relay.internal:9187", local, "", "other.internal:9187", 421},
		{"127.0.0.1:9187", local, token, "relay.example", 200}, // behind a proxy, protected
		{"10.1.2.3:9187", lan, "", "relay.example", 200},       // allow_anonymous
	}
	for _, test := range tests {
		g := newGuard(ServerConfig{Listen: test.listen, Token: test.token}, &net.TCPAddr{IP: net.ParseIP(test.addr)}, zerolog.Nop())
		m := NewMetrics("")
		h := g.wrap(routes(m, &relay{}, newHistory(m), nil))
		r := httptest.NewRequest("GET", "http://x/status", nil)
		r.Host = test.host
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.code {
			t.Errorf("listening on %s, host %q: %d, want %d: %s", test.listen, test.host, w.Code, test.code, w.Body)
		}
		r.URL.Path = "/healthz"
		w = httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != 200 {
			t.Errorf("/healthz by host %q: %d", test.host, w.Code)
		}
	}
}

// TestGuard_methods: there is nothing to change, by whatever method.
func TestGuard_methods(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"} {
		for _, path := range []string{"/", "/live", "/status", "/nothing"} {
			w := httptest.NewRecorder()
			serve(ServerConfig{}, &relay{}).ServeHTTP(w, httptest.NewRequest(method, "http://localhost"+path, nil))
			if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
}
