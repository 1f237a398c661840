package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/config"
)

// fakeRelay answers as a relay does, by path: a body, after a 503 when it begins
// with "!". With a secret every path but /healthz wants it.
func fakeRelay(t *testing.T, secret string, answers map[string]string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch authorised := password == secret || token == secret; {
		case !authorised && (r.URL.Path != "/healthz" || r.Header.Get("Authorization") != ""):
			http.Error(w, "not allowed", http.StatusUnauthorized)
			return
		}
		body, ok := answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if rest, down := strings.CutPrefix(body, "!"); down {
			w.WriteHeader(http.StatusServiceUnavailable)
			body = rest
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func TestHealth(t *testing.T) {
	well := map[string]string{"/healthz": `{"alive":true}`, "/readyz": `{"ready":true,"reasons":[]}`}
	ill := map[string]string{
		"/healthz": `!{"alive":false,"reason":"the relay's loop has not moved for 63s"}`,
		"/readyz":  `!{"ready":false,"reasons":[{"code":"kafka","error":"WR0601","message":"no broker\nanswers"},{"code":"standby"}]}`,
	}
	tests := []struct {
		name    string
		answers map[string]string // nil: nobody there
		secret  string
		args    []string
		env     []string
		code    int
		out     string // BASE is the address
	}{
		{name: "alive", answers: well, out: "alive: BASE\n"},
		{name: "ready", answers: well, args: []string{"--ready"}, out: "ready: BASE\n"},
		{name: "not alive", answers: ill, code: 1, out: "not alive: the relay's loop has not moved for 63s\n"},
		{name: "not ready", answers: ill, args: []string{"--ready"}, code: 1, out: "not ready: WR0601 no broker answers; standby\n"},
		{name: "alive needs no password", answers: well, secret: "s", env: []string{"WALRELAY_HTTP_PASSWORD=wrong"}, out: "alive: BASE\n"},
		{name: "token", answers: well, secret: "s", args: []string{"--ready"}, env: []string{"WALRELAY_HTTP_TOKEN=s"}, out: "ready: BASE\n"},
		{name: "password", answers: well, secret: "s", args: []string{"--ready"}, env: []string{"WALRELAY_HTTP_PASSWORD=s"}, out: "ready: BASE\n"},
		{name: "wrong password", answers: well, secret: "s", args: []string{"--ready"}, env: []string{"WALRELAY_HTTP_PASSWORD=hunter2"}, code: 1,
			out: "BASE wants another password or token: set http.password or http.token as the relay has it (also WALRELAY_HTTP_PASSWORD, WALRELAY_HTTP_TOKEN, or each from a file)\n"},
		{name: "nobody there", code: 1, out: "no answer from BASE: connection refused: start the relay, or name its address with http.listen or --url\n"},
		{name: "something else", answers: map[string]string{"/healthz": "<html>hello\nthere"}, code: 1,
			out: "what answers at BASE is not a relay, or is asked by the wrong name (/healthz: <html>hello): compare the address with the relay's http.listen\n"},
		{name: "not found", answers: map[string]string{}, code: 1,
			out: "what answers at BASE is not a relay, or is asked by the wrong name (/healthz 404 Not Found: 404 page not found): compare the address with the relay's http.listen\n"},
		{name: "bad setting", answers: well, env: []string{"WALRELAY_HTTP_ALLOW_ANONYMOUS=perhaps"}, code: 1, out: "WALRELAY_HTTP_ALLOW_ANONYMOUS: http.allow_anonymous: …"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			quietDir(t)
			address := closedPort(t)
			if test.answers != nil {
				address = fakeRelay(t, test.secret, test.answers).Listener.Addr().String()
			}
			for _, way := range []struct {
				env, args []string
			}{
				{env: []string{"WALRELAY_HTTP_LISTEN=" + address}},
				{args: []string{"--url", address}},
				{args: []string{"--url", "http://" + address + "/"}, env: []string{"WALRELAY_HTTP_LISTEN="}},
			} {
				r := walrelay(t, append(way.env, test.env...), append(append([]string{"health"}, test.args...), way.args...)...)
				want, open := strings.CutSuffix(strings.ReplaceAll(test.out, "BASE", "http://"+address), "…")
				if r.code != test.code || !open && r.out != want || !strings.HasPrefix(r.out, want) || r.stderr != "" {
					t.Errorf("%v %v: code %d, want %d\n%s%swant:\n%s", way.env, way.args, r.code, test.code, r.out, r.stderr, want)
				}
				if strings.Count(r.out, "\n") != 1 || strings.Contains(r.out, "hunter2") {
					t.Errorf("not one line, or a secret: %q", r.out)
				}
			}
		})
	}
}

// TestHealth_silent: a relay that takes the connection and says nothing is given
// up in time.
func TestHealth_silent(t *testing.T) {
	quietDir(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	began := time.Now()
	r := walrelay(t, []string{"WALRELAY_HTTP_LISTEN=" + listener.Addr().String()}, "health")
	if took := time.Since(began); r.code != 1 || r.out != "no answer from http://"+listener.Addr().String()+": nothing within 3s: start the relay, or name its address with http.listen or --url\n" || took > 2*answerTimeout {
		t.Errorf("code %d after %s: %s", r.code, took, r.out)
	}
}

// TestHealth_file: a configuration without PostgreSQL and Kafka will do.
func TestHealth_file(t *testing.T) {
	quietDir(t)
	server := fakeRelay(t, "s", map[string]string{"/readyz": `{"ready":true,"reasons":[]}`})
	if err := os.WriteFile("walrelay.yaml", []byte("http: {listen: '"+server.Listener.Addr().String()+"', password: s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := walrelay(t, nil, "health", "--ready"); r.code != 0 {
		t.Errorf("code %d: %s%s", r.code, r.out, r.stderr)
	}
}

func TestNewClient(t *testing.T) {
	tests := []struct{ listen, url, want string }{
		{listen: "127.0.0.1:9187", want: "http://127.0.0.1:9187"},
		{listen: ":9187", want: "http://127.0.0.1:9187"},
		{listen: "0.0.0.0:9187", want: "http://127.0.0.1:9187"},
		{listen: "[::]:9187", want: "http://127.0.0.1:9187"},
		{listen: "[::1]:9187", want: "http://[::1]:9187"},
		{listen: "10.0.0.7:80", want: "http://10.0.0.7:80"},
		{listen: "localhost:1", want: "http://localhost:1"},
		{listen: "", want: "error: http.listen is off"},
		{listen: ":0", want: "error: http.listen is :0, which is any free port"},
		{listen: "", url: "db:9187", want: "http://db:9187"},
		{listen: ":1", url: "https://me:hunter2@relay.example/walrelay/", want: "https://relay.example/walrelay"},
		{url: "ftp://db", want: "error: --url: want http://host:port"},
		{url: "http://", want: "error: --url: want http://host:port"},
		{url: "http://u:hunter2@[", want: "error: --url: want http://host:port"},
	}
	for _, test := range tests {
		c, err := newClient(config.HTTP{Listen: test.listen, Password: "p", Token: "t"}, test.url)
		switch want, fails := strings.CutPrefix(test.want, "error: "); {
		case fails && (err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%q %q: error %v, want %s", test.listen, test.url, err, want)
		case !fails && (err != nil || c.base != want):
			t.Errorf("%q %q: %+v, %v, want %s", test.listen, test.url, c, err, want)
		}
		if strings.Contains(test.url, "me:") && (c.username != "me" || c.password != "hunter2" || c.token != "") {
			t.Errorf("%s: %+v", test.url, c)
		}
	}
}
