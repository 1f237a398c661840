package test_test

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// ask runs a command that asks the relay at an address.
func (s *shop) ask(t *testing.T, address string, args []string, env ...string) (code int, output string) {
	t.Helper()
	return s.run(t, args, append([]string{"WALRELAY_HTTP_LISTEN=" + address}, env...)...)
}

// stated is what scripts read of `walrelay status --output json`.
type stated struct {
	State     string
	Slot      string
	Delivered uint64 `json:"delivered_events"`
	Reasons   []struct{ Code, Error, Message, Advice string }
	Active    *bool `json:"slot_active"`
	SlotState *struct {
		WALStatus string `json:"wal_status"`
		Retained  int64  `json:"retained_bytes"`
	} `json:"slot_state"`
}

func (s *shop) stated(t *testing.T, address string, code int, env ...string) (answer stated) {
	t.Helper()
	got, output := s.ask(t, address, []string{"status", "--output", "json"}, env...)
	if err := json.Unmarshal([]byte(output), &answer); err != nil || got != code {
		t.Errorf("status --output json: exit code %d, want %d, %v: %s", got, code, err, output)
	}
	return answer
}

// TestStatus: a running relay by its HTTP, and when it has stopped its slot by SQL.
func TestStatus(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	token := "WALRELAY_HTTP_TOKEN=opensesame"
	p := s.ready(t, token)
	for number := range 7 {
		s.one(t, number)
	}
	s.drained(t)
	code, output := s.ask(t, p.Address, []string{"status"}, token)
	if code != 0 {
		t.Errorf("status: exit code %d", code)
	}
	mustSay(t, output, "● streaming", "http://"+p.Address, s.Slot, "public.outbox", "7 events", "confirmed", "held back", s.Prefix+"order", "Placed")
	if answer := s.stated(t, p.Address, 0, token); answer.State != "streaming" || answer.Delivered != 7 || answer.Slot != s.Slot {
		t.Errorf("status: %+v", answer)
	}
	code, output = s.ask(t, p.Address, []string{"status"})
	if code != 3 || !strings.Contains(output, "http.token") {
		t.Errorf("status without the token: exit code %d: %s", code, output)
	}
	for _, args := range [][]string{{"health"}, {"health", "--ready"}} {
		if code, output := s.ask(t, p.Address, args, token); code != 0 || !strings.Contains(output, "http://"+p.Address) {
			t.Errorf("%v: exit code %d: %s", args, code, output)
		}
	}
	second := s.start(t) // of the same slot
	waitReason(t, second, "standby")
	if answer := s.stated(t, second.Address, 0); answer.State != "standby" {
		t.Errorf("the second says %+v", answer)
	}
	if code, output := s.ask(t, second.Address, []string{"health", "--ready"}); code != 1 || !strings.Contains(output, "not ready") {
		t.Errorf("health --ready of a standby: exit code %d: %s", code, output)
	}
	stop(t, second)
	code, output = s.ask(t, second.Address, []string{"status"}) // where nobody is any more
	if code != 1 {
		t.Errorf("status: exit code %d", code)
	}
	mustSay(t, output, "● down", "Somebody reads from the slot all the same", "--url")
	stop(t, p)
	s.one(t, 8) // nobody delivers it
	code, output = s.ask(t, p.Address, []string{"status"}, token)
	if code != 1 {
		t.Errorf("status of a stopped relay: exit code %d", code)
	}
	mustSay(t, output, "● down", "connection refused", "inactive", "held back", "behind the WAL", "start it", "pg_drop_replication_slot('"+s.Slot+"')")
	answer := s.stated(t, p.Address, 1)
	if answer.State != "down" || len(answer.Reasons) != 2 || answer.Active == nil || *answer.Active || answer.SlotState == nil || answer.SlotState.Retained <= 0 {
		t.Errorf("status: %+v", answer)
	}
	if code, output := s.ask(t, p.Address, []string{"health"}); code != 1 || !strings.Contains(output, "no answer") {
		t.Errorf("health of a stopped relay: exit code %d: %s", code, output)
	}
	s.Exec(t, "SELECT pg_drop_replication_slot($1)", s.Slot)
	code, output = s.ask(t, p.Address, []string{"status"})
	if code != 1 {
		t.Errorf("status without a slot: exit code %d", code)
	}
	mustSay(t, output, "there is no slot "+s.Slot, "walrelay check")
	code, output = s.ask(t, p.Address, []string{"status"}, "WALRELAY_POSTGRES_URL=postgres://nobody@127.0.0.1:1/none")
	if code != 1 {
		t.Errorf("status without anybody: exit code %d", code)
	}
	mustSay(t, output, "no answer from http://"+p.Address, "nobody@127.0.0.1:1/none", "postgres.url")
}

// TestStatusBlocked: a relay whose Kafka is away is not well, but alive.
func TestStatusBlocked(t *testing.T) {
	t.Parallel()
	s := open(t)
	nowhere := "WALRELAY_KAFKA_BROKERS=127.0.0.1:1"
	p := s.start(t, nowhere)
	waitReason(t, p, "127.0.0.1:1")
	harness.Eventually(t, soon, "the relay is blocked", func() bool {
		_, body, err := p.Get(t.Context(), "/status")
		return err == nil && strings.Contains(body, `"state": "blocked"`)
	})
	code, output := s.ask(t, p.Address, []string{"status"})
	if code != 1 {
		t.Errorf("status: exit code %d", code)
	}
	mustSay(t, output, "● blocked", "WR06", "→", "127.0.0.1:1")
	if code, output := s.ask(t, p.Address, []string{"health"}); code != 0 {
		t.Errorf("health: exit code %d: %s", code, output)
	}
	if code, output := s.ask(t, p.Address, []string{"health", "--ready"}); code != 1 || !strings.Contains(output, "WR06") {
		t.Errorf("health --ready: exit code %d: %s", code, output)
	}
	stop(t, p)
}

// TestStatusWatch: --watch goes on while the relay restarts.
func TestStatusWatch(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	options := s.options("WALRELAY_HTTP_LISTEN=" + p.Address)
	options.Args = []string{"status", "--watch"}
	watch := harness.Relay(t, options)
	watch.WaitLog(t, soon, "Z streaming ")
	p.Kill()
	watch.WaitLog(t, soon, "Z down ")
	s.one(t, 1)
	p = s.ready(t, "WALRELAY_HTTP_LISTEN="+p.Address)
	watch.WaitLog(t, soon, "Z streaming delivered=1 ")
	watch.Terminate()
	ended(t, watch, 0)
	stop(t, p)
}

// manager is a service manager's end of NOTIFY_SOCKET.
type manager struct {
	socket *net.UnixConn
	path   string
	heard  []string
}

func listen(t *testing.T) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{path: filepath.Join(dir, "socket")}
	if m.socket, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.path, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.socket.Close()
		os.RemoveAll(dir)
	})
	return m
}

// until reads until a message begins with text and returns it.
func (m *manager) until(t *testing.T, text string) string {
	t.Helper()
	buffer := make([]byte, 4096)
	for {
		if err := m.socket.SetReadDeadline(time.Now().Add(soon)); err != nil {
			t.Fatal(err)
		}
		n, err := m.socket.Read(buffer)
		if err != nil {
			t.Fatalf("no %q: %v; said was %q", text, err, m.heard)
		}
		message := string(buffer[:n])
		m.heard = append(m.heard, message)
		if strings.HasPrefix(message, text) {
			return message
		}
	}
}

// quiet says that nothing was said for so long.
func (m *manager) quiet(t *testing.T, d time.Duration) bool {
	t.Helper()
	if err := m.socket.SetReadDeadline(time.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
	_, err := m.socket.Read(make([]byte, 4096))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// TestServiceManager: what systemd is told from the start to the stop, and that a
// frozen relay does not feed the watchdog.
func TestServiceManager(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	m := listen(t)
	p := s.start(t, "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=1000000")
	m.until(t, "WATCHDOG=1")
	m.until(t, "STATUS=streaming")
	m.until(t, "READY=1")
	m.until(t, "WATCHDOG=1")
	p.Pause()
	harness.Eventually(t, soon, "the watchdog is not fed for longer than it takes", func() bool { return m.quiet(t, 1500*time.Millisecond) })
	p.Resume()
	m.until(t, "WATCHDOG=1")
	p.Terminate()
	m.until(t, "STOPPING=1")
	ended(t, p, 0)
}
