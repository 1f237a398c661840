package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/replication"
)

// noon is when the looks of these tests are taken.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// The answers of /status in these tests.
const (
	streamingStatus = `{"version":"1.2.0","instance":"db1:4711","started":"2026-11-19T08:00:00Z","state":"streaming","since":"2026-11-22T09:47:00Z",
		"postgres":"walrelay@db:5432/shop","slot":"walrelay","publication":"walrelay","kafka":["kafka-1:9092","kafka-2:9092"],"tables":["public.outbox"],
		"received_lsn":"0/16B3748","confirmed_lsn":"0/16B3700","replication_lag_bytes":1234,"unsent_events":17,"oldest_unsent_age_seconds":0.0421,
		"delivered_events":1234567,"delivered_bytes":259058070,"reconnects":2,
		"errors":[{"at":"2026-11-22T09:46:59Z","first":"2026-11-22T09:40:00Z","code":"WR0601","side":"kafka","message":"no broker answers","advice":"Start Kafka.","count":41,"over":true},
			{"at":"2026-11-21T01:00:00Z","first":"2026-11-21T01:00:00Z","code":"WR0102","side":"postgres","message":"connection reset","advice":"Wait.","count":1,"over":false}],
		"producer":{"unacked_events":17,"in_flight_bytes":5120,"producer_id":1,"producer_epoch":0,"write_fence":true},
		"slot_state":{"wal_status":"reserved","restart_lsn":"0/16B0000","confirmed_flush_lsn":"0/16B3700","current_wal_lsn":"0/16B3BD2",
			"retained_bytes":1288490188,"safe_bytes":9448928051,"limit_bytes":10737418240,"full_in_seconds":273600,"at":"2026-11-22T11:59:52Z"},
		"topics":[{"topic":"outbox.event.order","event_type":"OrderPlaced","events":1200000},{"topic":"outbox.event.customer","events":34567}],
		"canary":{"every_seconds":10,"topic":"walrelay.canary","last_seconds":0.0043,"last_at":"2026-11-22T11:59:57Z"},
		"something_new":[1,2,3]}`
	blockedStatus = `{"started":"2026-11-22T11:00:00Z","state":"blocked","since":"2026-11-22T11:59:17Z",
		"reasons":[{"code":"kafka","error":"WR0601","message":"kafka: no broker answers: dial tcp 10.0.0.7:9092: connect: connection refused","advice":"Start Kafka, or correct kafka.brokers."},
			{"code":"kafka","error":"WR0601","message":"topic \"orders\": no broker answers","advice":"Start Kafka, or correct kafka.brokers."}],
		"postgres":"walrelay@db:5432/shop","slot":"walrelay","publication":"walrelay","kafka":["10.0.0.7:9092"],"tables":["public.outbox"],
		"received_lsn":"0/16B3748","confirmed_lsn":"0/16B3700","replication_lag_bytes":9663676416,"unsent_events":1,"oldest_unsent_age_seconds":44,
		"errors":[{"at":"2026-11-22T11:59:59Z","first":"2026-11-22T11:59:17Z","code":"WR0601","side":"kafka","message":"no broker answers","advice":"Start Kafka.","count":7,"over":false}],
		"producer":{"in_flight_bytes":300,"write_fence":false},
		"slot_state":{"wal_status":"unreserved","current_wal_lsn":"2/16B3748","retained_bytes":9663676416,"limit_bytes":10737418240,"full_in_seconds":75,"at":"2026-11-22T11:59:10Z"}}`
	snapshotStatus = `{"started":"2026-11-22T11:59:00Z","state":"snapshot","since":"2026-11-22T11:59:01Z","reasons":[{"code":"snapshot","message":"rows from before the slot are being published"}],
		"postgres":"walrelay@db:5432/shop","slot":"walrelay","publication":"walrelay","kafka":["k:9092"],"tables":["public.outbox"],"delivered_events":4500,
		"slot_state":{"wal_status":"reserved","current_wal_lsn":"0/2","retained_bytes":60000000000,"at":"2026-11-22T11:59:59Z"},
		"snapshot":{"lsn":"0/1","taken":"2026-11-22T11:59:01Z","table":"public.outbox","rows":4500,"estimated_rows":10000,"percent":45}}`
	oldStatus = `{"state":"starting","since":"2026-11-22T11:59:55Z","postgres":"u@db/shop","slot":"s","publication":"p","kafka":["k:1"],"last_error":"connection refused","last_error_at":"2026-11-22T11:59:58Z"}`
)

// decoded is a look at a relay that said this.
func decoded(t *testing.T, body string) *look {
	t.Helper()
	l := &look{at: noon, base: "http://127.0.0.1:9187"}
	if err := l.decode(&client{}, []byte(body)); err != nil {
		t.Fatal(err)
	}
	return l
}

// without is a look at a slot while no relay answers.
func without(change func(*look)) *look {
	limit := int64(10 << 30)
	l := &look{
		at: noon, base: "http://127.0.0.1:9187", away: &awayError{"http://127.0.0.1:9187", errors.New("connection refused")},
		slot: slotLook{target: "walrelay@db:5432/shop", name: "walrelay", publication: "walrelay", state: &replication.SlotState{
			WALStatus: "extended", Restart: 0x1000, Confirmed: 0x2000, Current: 0x2000 + 3<<30, RetainedBytes: 6 << 30, LimitBytes: &limit,
			InactiveSince: noon.Add(-59 * time.Minute),
		}},
	}
	if change != nil {
		change(l)
	}
	return l
}

// TestStatus_picture holds what a person sees to golden files.
func TestStatus_picture(t *testing.T) {
	tests := map[string]struct {
		look    *look
		rates   rates
		width   int
		height  int
		colours bool
	}{
		"streaming":       {look: decoded(t, streamingStatus)},
		"streaming_watch": {look: decoded(t, streamingStatus), rates: rates{delivered: true, events: 1499.7, bytes: 3e6}, width: 80, height: 24},
		"streaming_dark":  {look: decoded(t, streamingStatus), width: 80, colours: true},
		"blocked":         {look: decoded(t, blockedStatus), width: 80},
		"blocked_narrow":  {look: decoded(t, blockedStatus), width: 40},
		"snapshot":        {look: decoded(t, snapshotStatus), width: 80},
		"old":             {look: decoded(t, oldStatus), width: 80},
		"down":            {look: without(nil), width: 80},
		"down_watch":      {look: without(nil), width: 80, rates: rates{known: true, retained: 1 << 20}},
		"down_calm":       {look: without(nil), width: 80, rates: rates{known: true}},
		"down_unlimited":  {look: without(func(l *look) { l.slot.state.LimitBytes, l.slot.state.InactiveSince = nil, time.Time{} }), width: 80},
		"down_lost": {look: without(func(l *look) {
			l.slot.state.WALStatus, l.slot.state.Invalidation = "lost", "wal_removed"
		}), width: 80},
		"down_elsewhere": {look: without(func(l *look) { l.slot.state.Active, l.slot.state.ActivePID = true, 4711 }), width: 80},
		"down_off": {look: without(func(l *look) {
			l.base, l.away, l.slot.state.Active, l.slot.state.ActivePID = "", errOff, true, 4711
		}), width: 80},
		"down_off_idle": {look: without(func(l *look) { l.base, l.away = "", errOff }), width: 80},
		"down_no_slot": {look: without(func(l *look) {
			l.slot.state, l.slot.err = nil, &replication.GapError{Slot: "walrelay", Reason: "the slot has vanished"}
		}), width: 80},
		"down_both": {look: without(func(l *look) {
			l.slot.state, l.slot.err = nil, fmt.Errorf("connect to walrelay@db:5432/shop: %w", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})
		}), width: 80},
		"down_refused": {look: without(func(l *look) {
			l.slot.state, l.slot.err = nil, &replication.SetupError{Problem: "connect to walrelay@db:5432/shop: password authentication failed", Remedy: "check user and password"}
		}), width: 80},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := &printer{now: noon, width: test.width, height: test.height, colours: test.colours}
			p.look(test.look, test.rates)
			for _, line := range p.lines {
				if test.width > 0 && visible(line) > test.width {
					t.Errorf("wider than %d: %q", test.width, line)
				}
			}
			compare(t, "status_"+name+".txt", strings.Join(p.lines, "\n")+"\n")
		})
	}
}

// TestStatus_line: what --watch writes where there is no terminal.
func TestStatus_line(t *testing.T) {
	var b strings.Builder
	for _, l := range []*look{decoded(t, streamingStatus), decoded(t, blockedStatus), decoded(t, oldStatus), without(nil), without(func(l *look) { l.slot.state, l.slot.err = nil, errors.New("x\ny") })} {
		b.WriteString(watchLine(l, rates{delivered: l.status != nil, events: 12.4}) + "\n")
	}
	compare(t, "status_lines.txt", b.String())
}

func TestStatus_exitCode(t *testing.T) {
	at := func(state, since string) *look {
		return decoded(t, `{"state":"`+state+`","since":"`+since+`"}`)
	}
	const recent, old = "2026-11-22T11:59:50Z", "2026-11-22T11:50:00Z"
	for _, state := range relay.States {
		want := map[relay.State]int{relay.StateBlocked: 1, relay.StateStopping: 1, relay.StateStarting: 1}[state]
		if got := at(string(state), old).exitCode(); got != want {
			t.Errorf("%s: %d, want %d", state, got, want)
		}
	}
	off := func(active bool) *look {
		return without(func(l *look) { l.base, l.slot.state.Active = "", active })
	}
	for name, test := range map[string]struct {
		look *look
		want int
	}{
		"just starting": {at("starting", recent), 0},
		"no such state": {at("dancing", recent), 1},
		"down":          {without(nil), 1},
		"elsewhere":     {without(func(l *look) { l.slot.state.Active = true }), 1},
		"off, read":     {off(true), 0},
		"off, not read": {off(false), 1},
		"both away":     {without(func(l *look) { l.slot.state, l.slot.err = nil, errors.New("refused") }), 1},
	} {
		if got := test.look.exitCode(); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

// TestStatus_json: the relay's words unchanged, also those that we don't know.
func TestStatus_json(t *testing.T) {
	quietDir(t)
	server := fakeRelay(t, "s", map[string]string{"/status": streamingStatus})
	r := walrelay(t, []string{"WALRELAY_HTTP_LISTEN=" + server.Listener.Addr().String(), "WALRELAY_HTTP_TOKEN=s"}, "status", "-o", "json")
	var got, want any
	if err := errors.Join(json.Unmarshal([]byte(r.out), &got), json.Unmarshal([]byte(streamingStatus), &want)); err != nil {
		t.Fatalf("%v\n%s", err, r.out)
	}
	if a, _ := json.Marshal(got); r.code != 0 || r.stderr != "" || !bytes.Equal(a, must(json.Marshal(want))) || !strings.Contains(r.out, "\n  \"state\": \"streaming\"") {
		t.Errorf("code %d, %s\n%s", r.code, r.stderr, r.out)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// TestStatus_command: the ways to an answer, and what keeps from one.
func TestStatus_command(t *testing.T) {
	well := map[string]string{"/status": streamingStatus}
	postgres := "WALRELAY_POSTGRES_URL=postgres://walrelay@127.0.0.1:1/shop"
	tests := []struct {
		name    string
		answers map[string]string // nil: nobody there
		secret  string
		env     []string
		url     bool // ask by --url instead of http.listen
		file    string
		code    int
		out     []string
		stderr  string // BASE is the address; a trailing … allows more
	}{
		{name: "no configuration", answers: well, out: []string{"● streaming", "walrelay 1.2.0", "1,234,567 events"}},
		{name: "by url", answers: well, url: true, out: []string{"● streaming"}},
		{name: "by url beside a broken file", answers: well, url: true, file: "kafka: {brokerz: 1}\n", out: []string{"● streaming"}},
		{name: "by url with a password of the environment", answers: well, secret: "s", url: true, file: "kafka: {brokerz: 1}\n", env: []string{"WALRELAY_HTTP_PASSWORD=s"}, out: []string{"● streaming"}},
		{name: "blocked", answers: map[string]string{"/status": blockedStatus}, code: 1, out: []string{"● blocked", "→ Start Kafka"}},
		{name: "broken file", answers: well, file: "kafka: {brokerz: 1}\n", code: 3, stderr: "walrelay.yaml:1:9: kafka.brokerz: …"},
		{name: "no password", answers: well, secret: "s", code: 3, stderr: "walrelay: BASE wants a password: set http.password or http.token …"},
		{name: "wrong password", answers: well, secret: "s", env: []string{"WALRELAY_HTTP_PASSWORD=hunter2"}, code: 3, stderr: "walrelay: BASE wants another password or token: …"},
		{name: "something else", answers: map[string]string{"/status": "[]"}, code: 3, stderr: "walrelay: what answers at BASE is not a relay, …"},
		{name: "nobody there, nothing to ask PostgreSQL with", code: 3, out: []string{"● down", "no answer from BASE", "postgres.url: required", "-c FILE"}},
		{name: "nobody there at all", env: []string{postgres}, code: 1, out: []string{"● down", "no answer from BASE", "walrelay@127.0.0.1:1/shop", "Check postgres.url"}},
		{name: "off", env: []string{postgres, "WALRELAY_HTTP_LISTEN="}, code: 1, out: []string{"● down", "http.listen is off", "walrelay@127.0.0.1:1/shop"}},
		{name: "any port", env: []string{"WALRELAY_HTTP_LISTEN=:0", "WALRELAY_HTTP_ALLOW_ANONYMOUS=true"}, code: 3, stderr: "walrelay: http.listen is :0, which is any free port: name …"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			quietDir(t)
			address := closedPort(t)
			if test.answers != nil {
				address = fakeRelay(t, test.secret, test.answers).Listener.Addr().String()
			}
			if test.file != "" {
				if err := os.WriteFile("walrelay.yaml", []byte(test.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			args, env := []string{"status"}, append([]string{"WALRELAY_HTTP_LISTEN=" + address}, test.env...)
			if test.url {
				args, env = append(args, "--url", address), test.env
			}
			r := walrelay(t, env, args...)
			want, open := strings.CutSuffix(strings.ReplaceAll(test.stderr, "BASE", "http://"+address), "…")
			if r.code != test.code || !open && r.stderr != want || !strings.HasPrefix(r.stderr, want) {
				t.Errorf("code %d, want %d, stderr:\n%s\nwant:\n%s", r.code, test.code, r.stderr, want)
			}
			for _, text := range test.out {
				if !strings.Contains(r.out, strings.ReplaceAll(text, "BASE", "http://"+address)) {
					t.Errorf("no %q in\n%s", text, r.out)
				}
			}
			if strings.Contains(r.out+r.stderr, "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}

// TestHistory: rates come from differences, and never from before a restart.
func TestHistory(t *testing.T) {
	at := func(second int, started string, delivered uint64) *look {
		l := decoded(t, `{"state":"streaming","started":"2026-11-22T1`+started+`:00:00Z"}`)
		l.at, l.status.Delivered, l.status.DeliveredBytes = noon.Add(time.Duration(second)*time.Second), delivered, 10*delivered
		return l
	}
	var h history
	for i, step := range []struct {
		look *look
		want rates
	}{
		{at(0, "0", 100), rates{}},
		{at(1, "0", 200), rates{delivered: true, events: 100, bytes: 1000}},
		{at(3, "0", 250), rates{delivered: true, events: 50, bytes: 500}},
		{at(4, "1", 300), rates{}}, // another process, though it has delivered more
		{at(5, "1", 320), rates{delivered: true, events: 20, bytes: 200}},
		{at(6, "1", 250), rates{}}, // counted back: not the same
	} {
		if got := h.add(step.look); got != step.want {
			t.Errorf("step %d: %+v, want %+v", i, got, step.want)
		}
	}
	for i := range 2 * walLooks { // while it is down: the growth of what is held back
		l := without(func(l *look) {
			l.at, l.slot.state.RetainedBytes = noon.Add(time.Duration(10+i)*time.Second), int64(1000*i)
		})
		got := h.add(l)
		want := rates{known: true, retained: 1000}
		if i < 2 {
			want = rates{}
		}
		if got != want {
			t.Fatalf("down %d: %+v, want %+v", i, got, want)
		}
	}
	if len(h) != walLooks {
		t.Errorf("%d looks are kept", len(h))
	}
}

// TestStatus_watch: a line a second, also while the relay is away, until it is
// stopped, with code 0.
func TestStatus_watch(t *testing.T) {
	for _, output := range []string{"table", "json"} {
		t.Run(output, func(t *testing.T) {
			quietDir(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				switch asked.Add(1) {
				case 2: // it restarts, and a proxy says so
					w.WriteHeader(http.StatusBadGateway)
				case 3:
					panic(http.ErrAbortHandler)
				default:
					_, _ = io.WriteString(w, streamingStatus)
				}
			}))
			defer server.Close()
			var out watched
			back := out.until("rate=0/s")
			if output == "json" {
				back = out.until(`"down"`)
			}
			ended := make(chan int, 1)
			go func() {
				var stderr bytes.Buffer
				ended <- run(ctx, []string{"status", "--watch", "-o", output, "--url", server.URL}, nil, &out, &stderr)
			}()
			wait(t, "picture", back, &out)
			cancel()
			if code := <-ended; code != 0 {
				t.Errorf("code %d", code)
			}
			for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
				down := i == 1 || i == 2
				var state struct {
					At    time.Time
					State string
				}
				switch output {
				case "json":
					if err := json.Unmarshal([]byte(line), &state); err != nil || (state.State == "down") != down || state.At.IsZero() {
						t.Errorf("line %d: %v, %s", i, err, line)
					}
				default:
					if strings.Contains(line, "Z down") != down {
						t.Errorf("line %d: %s", i, line)
					}
				}
			}
		})
	}
}

func TestTexts(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := numberText(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	for n, want := range map[int64]string{-1: "0 B", 0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1<<20 - 1: "1.0 MiB", 10 << 30: "10.0 GiB", 1<<63 - 1: "8.0 EiB"} {
		if got := byteText(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for s, want := range map[float64]string{0: "0s", 0.0043: "4.3 ms", 1.9: "1s", 125: "2m 5s", 3700: "1h 1m", 273600: "3d 4h", 1e300: "years"} {
		if got := durationText(seconds(s)); got != want {
			t.Errorf("%g: %q, want %q", s, got, want)
		}
	}
}

// TestStatus_hostile: nothing that comes from a table or a server gives orders to the
// terminal.
func TestStatus_hostile(t *testing.T) {
	const evil = `\u001b[2J\u009b31m\r\u0007evil\n`
	l := decoded(t, `{"state":"blocked","since":"2026-11-22T11:00:00Z","tables":["`+evil+`"],
		"reasons":[{"code":"kafka","error":"WR0601","message":"`+evil+`","advice":"`+evil+`"}],
		"errors":[{"at":"2026-11-22T11:00:00Z","code":"WR0602","message":"`+evil+`","advice":"`+evil+`","count":1}],
		"topics":[{"topic":"t","event_type":"`+evil+`","events":1}],"snapshot":{"table":"`+evil+`"}}`)
	p := &printer{now: noon, width: 80}
	p.look(l, rates{})
	text := strings.Join(append(p.lines, watchLine(l, rates{}), statusLine(l.status.State, l.status.Reasons)), "\n")
	if strings.Count(text, "evil") != 9 || strings.ContainsAny(text, "\x1b\u009b\r\a") {
		t.Errorf("%d times evil: %q", strings.Count(text, "evil"), text)
	}
}

func TestLater(t *testing.T) {
	for _, test := range [][3]string{{"0/F", "0/10", "0/10"}, {"1/0", "0/FFFFFFFF", "1/0"}, {"0/1", "", "0/1"}, {"", "0/1", ""}} {
		if got := later(test[0], test[1]); got != test[2] {
			t.Errorf("%q %q: %q, want %q", test[0], test[1], got, test[2])
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text  string
		width int
		want  string
	}{
		{"one two three", 0, "one two three"},
		{"one two three", 8, "one two|three"},
		{"one two three", 3, "one|two|thr|ee"},
		{"", 5, ""},
		{green + "one" + normal + " two", 7, green + "one" + normal + " two"},
		{"  SELECT one from two", 12, "  SELECT one|  from two"},
		{"äöü äöü", 3, "äöü|äöü"},
		{"abcdefgh", 4, "abcd|efgh"},
	}
	for _, test := range tests {
		if got := strings.Join(wrap(test.text, test.width), "|"); got != test.want {
			t.Errorf("%q in %d: %q, want %q", test.text, test.width, got, test.want)
		}
	}
}
