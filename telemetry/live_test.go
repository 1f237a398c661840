package telemetry

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// waiting ends a test that fails anyway.
const waiting = 20 * time.Second

// streams is a server of a stream whose samples the test takes.
func streams(t *testing.T, status any) (*live, string) {
	t.Helper()
	l := &live{
		history: newHistory(NewMetrics("")), seats: make(chan struct{}, maxLive), patience: liveWrite, ending: make(chan struct{}),
		look: func() look { return look{Now: 1, Ready: true, Reasons: listed(nil), Status: status} },
	}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return l, server.URL
}

// client is one end of a stream.
type client struct {
	code  int
	head  http.Header
	lines *bufio.Scanner
	close func()
}

func dial(t *testing.T, url string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waiting)
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 16<<20)
	c := &client{answer.StatusCode, answer.Header, lines, func() {
		cancel()
		_ = answer.Body.Close()
	}}
	t.Cleanup(c.close)
	return c
}

// event reads the next event.
func (c *client) event(t *testing.T) (name, data string) {
	t.Helper()
	for c.lines.Scan() {
		line := c.lines.Text()
		switch {
		case line == "" && name != "":
			return name, data
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data = line[len("data: "):]
		}
	}
	t.Fatalf("the stream has ended: %v", c.lines.Err())
	return "", ""
}

// samples reads an event that must hold samples, and returns their times since day.
func (c *client) samples(t *testing.T) (seconds []int64) {
	t.Helper()
	name, data := c.event(t)
	var samples []Sample
	if err := json.Unmarshal([]byte(data), &samples); name != "samples" || err != nil {
		t.Fatalf("%s %v: %s", name, err, data)
	}
	for _, s := range samples {
		seconds = append(seconds, (s.At-day.UnixMilli())/1000)
	}
	return seconds
}

func (c *client) status(t *testing.T, want string) {
	t.Helper()
	if name, data := c.event(t); name != "status" || data != want {
		t.Fatalf("%s %s, want %s", name, data, want)
	}
}

// TestLive: a page gets what was before it at first, then each second.
func TestLive(t *testing.T) {
	l, url := streams(t, map[string]string{"id": "<b>\n"})
	for i := range 4 {
		l.history.take(day.Add(time.Duration(i) * time.Second))
	}
	c := dial(t, url)
	if c.code != 200 || c.head.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", c.code, c.head)
	}
	if c.lines.Scan(); c.lines.Text() != "retry: 2000" {
		t.Errorf("begins with %q", c.lines.Text())
	}
	const status = `{"now":1,"ready":true,"reasons":[],"status":{"id":"\u003cb\u003e\n"}}`
	if got := fmt.Sprint(c.samples(t)); got != "[1 2 3]" {
		t.Errorf("history %s", got)
	}
	c.status(t, status)
	for i := range 3 {
		l.history.take(day.Add(time.Duration(i+4) * time.Second))
		if got, want := fmt.Sprint(c.samples(t)), fmt.Sprintf("[%d]", i+4); got != want {
			t.Errorf("samples %s, want %s", got, want)
		}
		c.status(t, status)
	}
}

// TestLive_cap: there are so many seats, a client that goes leaves its own, and
// who gets none is told why.
func TestLive_cap(t *testing.T) {
	l, url := streams(t, nil)
	var clients []*client
	for range maxLive {
		c := dial(t, url)
		if c.code != 200 {
			t.Fatalf("client %d: %d", len(clients), c.code)
		}
		clients = append(clients, c)
	}
	c := dial(t, url)
	if c.lines.Scan(); c.code != 503 || c.head.Get("Retry-After") == "" || !strings.HasPrefix(c.lines.Text(), "16 pages are open already") {
		t.Errorf("one too many: %d %v %s", c.code, c.head, c.lines.Text())
	}
	clients[3].close()
	left(t, l, maxLive-1)
	if c := dial(t, url); c.code != 200 {
		t.Errorf("a seat is free: %d", c.code)
	}
}

// left waits until so many clients are there.
func left(t *testing.T, l *live, n int) {
	t.Helper()
	for end := time.Now().Add(waiting); len(l.seats) != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d clients, want %d", len(l.seats), n)
		}
	}
}

// TestLive_slow: who does not read is cut off, and nothing piles up for him.
func TestLive_slow(t *testing.T) {
	l, url := streams(t, strings.Repeat("x", 32<<20)) // more than the system's buffers take
	l.patience = 50 * time.Millisecond
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // it has begun
		t.Fatal(err)
	}
	left(t, l, 0)
}

// TestLive_head holds no seat.
func TestLive_head(t *testing.T) {
	l, url := streams(t, nil)
	answer, err := http.Head(url)
	if err != nil || answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%v %v", answer, err)
	}
	answer.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	left(t, l, 0)
}

// started is a running server with limits that a test can wait for. The function
// stops it and returns how long that took.
func started(t *testing.T) (s *Server, stop func() time.Duration) {
	t.Helper()
	s, err := NewServer(ServerConfig{Listen: "127.0.0.1:0"}, NewMetrics(""), &relay{ready: true}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	s.http.ReadHeaderTimeout, s.http.ReadTimeout, s.http.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() time.Duration {
		begin := time.Now()
		cancel()
		if !stopped {
			stopped = true
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
		}
		return time.Since(begin)
	}
	t.Cleanup(func() { stop() })
	return s, stop
}

// TestServer_live: the real sampler feeds a stream past the limits of an answer,
// and the stream does not hold up the server's end.
func TestServer_live(t *testing.T) {
	s, stop := started(t)
	c := dial(t, "http://"+s.Addr()+"/live")
	for n := 0; n < 2; { // each takes a second, ten times the limit
		if name, data := c.event(t); name == "samples" && data != "[]" {
			n++
		}
	}
	if took := stop(); took >= shutdownTimeout {
		t.Errorf("the end took %s", took)
	}
	for c.lines.Scan() { // ends
	}
	if err := c.lines.Err(); err != nil {
		t.Errorf("the stream was torn, not ended: %v", err)
	}
}

// TestServer_hugeHeader: what is too much is refused, not kept.
func TestServer_hugeHeader(t *testing.T) {
	s, _ := started(t)
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.Addr()+"/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Much", strings.Repeat("x", 2*maxHeader))
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("code %d", answer.StatusCode)
	}
}

// TestServer_silentClient: who connects and says nothing is cut off.
func TestServer_silentClient(t *testing.T) {
	s, _ := started(t)
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(waiting)); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil {
		t.Errorf("not cut off: %q %v", answer, err)
	}
}

// TestHistory_cost: a second's sample is nothing beside a second.
func TestHistory_cost(t *testing.T) {
	h := newHistory(NewMetrics(""))
	h.take(day)
	if got := testing.AllocsPerRun(100, func() { h.take(time.Now()) }); got > 100 {
		t.Errorf("%g allocations a sample", got)
	}
}

func BenchmarkHistory_take(b *testing.B) {
	h := newHistory(NewMetrics(""))
	for b.Loop() {
		h.take(time.Now())
	}
}
