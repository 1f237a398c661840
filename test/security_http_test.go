package test_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

const (
	httpPassword = "correct horse"
	httpToken    = "battery-staple"
)

// TestSecurityHTTP: hostile clients get the same short answers, hold up nobody, and
// cost little memory, while the relay streams on.
func TestSecurityHTTP(t *testing.T) {
	t.Parallel()
	s := openSecure(t)
	options := s.options(brokers(s.broker.Direct()[0]), "WALRELAY_HTTP_PASSWORD="+httpPassword, "WALRELAY_HTTP_TOKEN="+httpToken)
	options.Program = plainProgram(t)
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	stopWriting := s.background(t, harness.Workload{Pause: 5 * time.Millisecond})
	var attacks sync.WaitGroup
	for _, attack := range []func(*testing.T, string){slowRequests, idleConnections, deafStreams, longHeaders, garbage} {
		attacks.Go(func() { attack(t, p.Address) })
	}
	answersToStrangers(t, p.Address)
	paths(t, p.Address)
	methods(t, p.Address)
	before := scrapeAs(t, p.Address)
	s.more(t, 200) // while the attacks go on
	attacks.Wait()
	harness.Eventually(t, soon, "the relay delivers on", func() bool { return scrapeAs(t, p.Address) > before })
	stopWriting()
	none(t, s.verify(t))
	boundedMemory(t, p)
	stop(t, p)
	if strings.Contains(p.Output(), "panic") {
		t.Error("a request has made the server panic")
	}
}

// TestSecurityHTTPNames: without a password the relay answers to names of this
// machine only: a page elsewhere cannot read it through a visitor's browser.
func TestSecurityHTTPNames(t *testing.T) {
	t.Parallel()
	s := openSecure(t)
	p := s.ready(t, brokers(s.broker.Direct()[0]))
	_, port, err := net.SplitHostPort(p.Address)
	if err != nil {
		t.Fatal(err)
	}
	for host, status := range map[string]string{
		p.Address: "200", "localhost:" + port: "200", "LOCALHOST": "200", "[::1]:" + port: "200", "127.0.0.1": "200",
		"evil.example": "421", "evil.example:" + port: "421", "localhost.evil.example": "421", "127.0.0.1.evil.example": "421", "0.0.0.0": "421",
		"<script>alert(1)</script>": "400", "localhost@evil.example": "400", "a b": "400", "127.0.0.1:" + port + "\r\nHost: evil.example": "400",
	} {
		for _, path := range []string{"/", "/status", "/metrics", "/live", "/readyz"} {
			head, body := say(t, p.Address, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
			if !strings.HasPrefix(head, "HTTP/1.1 "+status) {
				t.Errorf("%s for the name %q: %s instead of %s", path, host, head, status)
			}
			if status != "200" && (strings.Contains(body, s.Slot) || strings.Contains(body, "<script>")) {
				t.Errorf("%s for the name %q tells: %s", path, host, body)
			}
		}
	}
	stop(t, p)
}

// say sends bytes as they are and returns the first line of the answer and the
// beginning of the rest.
func say(t *testing.T, address, request string) (head, rest string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Errorf("connect to the relay: %v", err) // also called beside the test's own goroutine
		return "", ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	conn.Write([]byte(request)) // it may be refused in the middle
	reader := bufio.NewReader(conn)
	head, _ = reader.ReadString('\n') // "" when it is closed without an answer
	content := make([]byte, 2<<10)
	n, _ := io.ReadFull(reader, content)
	return strings.TrimSpace(head), string(content[:n])
}

// request is a GET with further header lines.
func request(path string, lines ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: relay.internal\r\nConnection: close\r\n" + strings.Join(append(lines, "", ""), "\r\n")
}

// answersToStrangers: who has no or wrong credentials gets one and the same answer
// everywhere, and the bare probes.
func answersToStrangers(t *testing.T, address string) {
	t.Helper()
	wrong := []string{
		"X-None: 1", "Authorization:", "Authorization: Basic", "Authorization: Basic %%%", "Authorization: Bearer", "Authorization: Bearer wrong",
		"Authorization: Bearer " + httpPassword, "Authorization: Bearer " + httpToken + "x", "Authorization: Bearer " + httpToken[:5], "Authorization: Digest x",
		basic("walrelay", "wrong"), basic("walrelay", ""), basic("", httpPassword), basic("other", httpPassword), basic("walrelay", httpPassword+"x"),
		"Authorization: Bearer " + strings.Repeat("x", 8<<10), "Cookie: token=" + httpToken, "X-Forwarded-For: 127.0.0.1",
	}
	var first string
	for _, line := range wrong {
		for _, path := range []string{"/", "/status", "/live", "/metrics", "/metrics?token=" + httpToken, "/debug/pprof/", "/nothing"} {
			head, rest := say(t, address, request(path, line))
			answer := head + "\n" + withoutDate(rest)
			if first == "" {
				first = answer
			}
			if answer != first || !strings.HasPrefix(head, "HTTP/1.1 401") {
				t.Errorf("%s with %.60q: %q instead of %q", path, line, answer, first)
				return
			}
		}
	}
	for _, line := range []string{"Authorization: Bearer " + httpToken, "authorization: bearer " + httpToken, basic("walrelay", httpPassword), basic("any", httpToken)} {
		if head, _ := say(t, address, request("/status", line)); !strings.HasPrefix(head, "HTTP/1.1 200") {
			t.Errorf("/status with the right %.20q: %s", line, head)
		}
	}
	head, body := say(t, address, request("/readyz"))
	if !strings.HasPrefix(head, "HTTP/1.1 200") || !strings.Contains(body, `"ready": true`) || strings.Contains(body, "message") {
		t.Errorf("/readyz to a stranger: %s %s", head, body)
	}
}

func basic(user, password string) string {
	r, _ := http.NewRequest(http.MethodGet, "/", nil) // the method and the path are right
	r.SetBasicAuth(user, password)
	return "Authorization: " + r.Header.Get("Authorization")
}

func withoutDate(head string) string {
	var kept strings.Builder
	for line := range strings.Lines(head) {
		if !strings.HasPrefix(line, "Date:") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// paths: there are no files to get at.
func paths(t *testing.T, address string) {
	t.Helper()
	for _, path := range []string{
		"/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/./../etc/passwd",
		"/..\\..\\etc\\passwd", "/status/../../etc/passwd", "/%00", "/page.html", "/page/../page.go", "/.git/config", "file:///etc/passwd",
		"http://evil.example/status", "*",
	} {
		for _, line := range []string{"X-None: 1", "Authorization: Bearer " + httpToken} {
			head, rest := say(t, address, request(path, line))
			if strings.HasPrefix(head, "HTTP/1.1 200") && path != "http://evil.example/status" || strings.Contains(rest, "root:") || strings.Contains(rest, "package telemetry") {
				t.Errorf("%s with %.20q: %s %s", path, line, head, rest)
			}
		}
	}
}

// methods: nothing can be changed.
func methods(t *testing.T, address string) {
	t.Helper()
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"} {
		for _, path := range []string{"/", "/status", "/healthz", "/metrics"} {
			head, _ := say(t, address, method+" "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "+httpToken+"\r\nContent-Length: 3\r\n\r\nabc")
			if !strings.HasPrefix(head, "HTTP/1.1 405") && !(method == "CONNECT" && strings.HasPrefix(head, "HTTP/1.1 4")) {
				t.Errorf("%s %s: %s", method, path, head)
			}
		}
	}
}

// longHeaders: more than some kilobytes of them is refused.
func longHeaders(t *testing.T, address string) {
	for _, size := range []int{64 << 10, 1 << 20, 16 << 20} {
		for _, line := range []string{"Authorization: Bearer " + strings.Repeat("x", size), strings.TrimSuffix(strings.Repeat("X-A: 1\r\n", size/8), "\r\n")} {
			if head, _ := say(t, address, request("/metrics", line)); head != "" && !strings.HasPrefix(head, "HTTP/1.1 431") {
				t.Errorf("%d bytes of headers: %s", size, head)
			}
		}
		if head, _ := say(t, address, request("/"+strings.Repeat("a", size))); head != "" && !strings.HasPrefix(head, "HTTP/1.1 4") {
			t.Errorf("a path of %d bytes: %s", size, head)
		}
	}
}

// garbage: what is no HTTP is answered by an error or by closing.
func garbage(t *testing.T, address string) {
	for _, text := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 200), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"\x00\x00\x00\x00\r\n\r\n", "GET\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzzzz\r\n",
		"GET /metrics HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET /metrics HTTP/1.1\r\n bad: x\r\n\r\n", "GET /metrics HTTP/1.1\r\n\r\n",
	} {
		if head, _ := say(t, address, text); head != "" && !strings.HasPrefix(head, "HTTP/1.1 4") && !strings.HasPrefix(head, "HTTP/1.1 505") {
			t.Errorf("%.30q: %s", text, head)
		}
	}
}

// The number of connections of an attack that holds them.
const held = 300

// slowRequests: who sends a request byte by byte is cut off in time (slow loris).
func slowRequests(t *testing.T, address string) {
	var clients sync.WaitGroup
	for range held {
		clients.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Errorf("a slow client can't connect: %v", err)
				return
			}
			defer conn.Close()
			go func() {
				for _, err = conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\n")); err == nil; _, err = conn.Write([]byte("X")) {
					time.Sleep(300 * time.Millisecond) // the client's slowness
				}
			}()
			conn.SetReadDeadline(time.Now().Add(30 * time.Second))
			if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Error("a slow request is waited for longer than 30 s")
			}
		})
	}
	clients.Wait()
}

// idleConnections: who connects and says nothing keeps nobody else out.
func idleConnections(t *testing.T, address string) {
	for range held {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Errorf("with many connections nobody else gets in: %v", err)
			return
		}
		defer conn.Close()
	}
	for range 10 {
		if head, _ := say(t, address, request("/healthz")); !strings.HasPrefix(head, "HTTP/1.1 200") {
			t.Errorf("/healthz among %d idle connections: %s", held, head)
		}
	}
}

// deafStreams: who opens the live stream and never reads is one of a few, and when
// it has gone its seat is free.
func deafStreams(t *testing.T, address string) {
	const clients = 60
	conns := make([]net.Conn, 0, clients)
	taken := 0
	for range clients {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Errorf("open a stream: %v", err)
			return
		}
		conns = append(conns, conn)
		conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprintf(conn, "GET /live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", httpToken)
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		head := make([]byte, len("HTTP/1.1 200"))
		if _, err := io.ReadFull(conn, head); err != nil {
			t.Errorf("open a stream: %v", err)
		}
		if string(head) == "HTTP/1.1 200" {
			taken++
		}
	}
	if taken == 0 || taken == clients {
		t.Errorf("%d of %d streams are served at a time", taken, clients)
	}
	time.Sleep(storm) // they are deaf for a while
	for _, conn := range conns {
		conn.Close()
	}
	harness.Eventually(t, soon, "a stream can be opened when the deaf ones have gone", func() bool {
		head, _ := say(t, address, "HEAD /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "+httpToken+"\r\n\r\n")
		return strings.HasPrefix(head, "HTTP/1.1 200")
	})
}

// scrapeAs is the number of delivered events, asked with the token.
func scrapeAs(t *testing.T, address string) (events float64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+httpToken)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("/metrics while clients are hostile: %v", err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		var value float64
		if rest, ok := strings.CutPrefix(lines.Text(), "walrelay_events_total{"); ok {
			_, number, _ := strings.Cut(rest, "} ")
			if _, err := fmt.Sscan(number, &value); err != nil {
				t.Fatalf("/metrics: %q: %v", lines.Text(), err)
			}
			events += value
		}
	}
	return events
}
