package test_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/test/harness"
)

// status is what /status says.
func status(t *testing.T, p *harness.Process) relay.Status {
	t.Helper()
	var s relay.Status
	code, body, err := p.Get(t.Context(), "/status")
	if err != nil || code != http.StatusOK {
		t.Fatalf("/status: %d %v", code, err)
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatalf("/status: %v in %s", err, body)
	}
	return s
}

// alive fails the test when /healthz does not say so: no trouble of a neighbour
// is mended by a restart.
func alive(t *testing.T, p *harness.Process) {
	t.Helper()
	if code, body, err := p.Get(t.Context(), "/healthz"); err != nil || code != http.StatusOK {
		t.Errorf("/healthz: %d %s %v", code, body, err)
	}
}

// TestPostgresFrozen: the whole server stands still. The relay says so, lives on,
// and goes on when the server does.
func TestPostgresFrozen(t *testing.T) {
	t.Parallel()
	server := harness.PrivatePostgres(t, nil)
	s := openOn(t, harness.DatabaseOn(t, server), harness.Kafka(t), "order")
	p := s.ready(t, "WALRELAY_POSTGRES_WAL_SENDER_TIMEOUT=3s")
	s.one(t, 1)
	s.drained(t)
	if err := server.Pause(s.backends(t)...); err != nil {
		t.Fatal(err)
	}
	t.Logf("while it is frozen: %s", waitReason(t, p, "postgres"))
	alive(t, p)
	var seen relay.Status // the session is closed first, which a server that stands still holds up
	harness.Eventually(t, soon, "the error is listed", func() bool {
		seen = status(t, p)
		return len(seen.Errors) > 0
	})
	last := seen.Errors[0]
	if last.Side != "postgres" || !strings.HasPrefix(last.Code, "WR01") || last.Advice == "" || last.Over {
		t.Errorf("errors are %+v", seen.Errors)
	}
	if m := scrape(t, p); m.value("walrelay_errors_total", `side="postgres"`) == 0 || m.value("walrelay_last_error_timestamp_seconds", `code="`+last.Code) == 0 {
		t.Errorf("metrics do not show the error: %v", m["walrelay_errors_total"])
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	p.WaitReady(t, soon)
	s.one(t, 2)
	s.expect(t, 1, 2)
	harness.Eventually(t, soon, "the error is over", func() bool { return status(t, p).Errors[0].Over })
	stop(t, p)
}

// backends are the server's processes that serve connections.
func (s *shop) backends(t *testing.T) (pids []int) {
	t.Helper()
	rows, err := s.Conn(t).Query(t.Context(), "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type IN ('client backend', 'walsender')")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// TestSlotGuard: with Kafka away the slot fills up. The relay warns at both marks
// and before the slot is lost, shows when it will be full, and when it is lost ends
// with what is missing and since when, although Kafka is still away.
func TestSlotGuard(t *testing.T) {
	t.Parallel()
	server := harness.PrivatePostgres(t, map[string]string{"max_slot_wal_keep_size": "256MB", "max_wal_size": "32MB", "min_wal_size": "32MB", "checkpoint_timeout": "30s"})
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{})
	s := openOn(t, harness.DatabaseOn(t, server), kafka, "order")
	p := s.ready(t, "WALRELAY_ON_FATAL=hold")
	line := p.WaitLog(t, soon, "this slot holds back WAL")
	if removed, _ := line.Fields["removed_by"].(string); !strings.Contains(removed, "pg_drop_replication_slot('"+s.Slot+"')") || line.Fields["limit"] == "" {
		t.Errorf("the start says of the slot: %v", line.Fields)
	}
	s.one(t, 1)
	s.drained(t)
	at := s.QueryText(t, "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
	if err := kafka.Pause(); err != nil {
		t.Fatal(err)
	}
	s.one(t, 2)
	s.Exec(t, "CREATE TABLE busy (text text)")
	retained := func() float64 { return scrape(t, p).value("walrelay_slot_retained_bytes") }
	grow := func() { // and wait until the relay has seen it
		before := retained()
		s.Exec(t, "INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 16000)")
		harness.Eventually(t, soon, "it sees the slot grow", func() bool { return retained() > before })
	}
	marks := func() (n int) {
		for _, line := range p.Log() {
			if line.Message == "slot holds back much WAL" {
				n++
			}
		}
		return n
	}
	for mark, share := range []float64{0.5, 0.8} {
		for retained() < share*(256<<20) {
			if marks() > mark {
				t.Fatalf("it warned before %g of the limit", share)
			}
			grow()
		}
		harness.Eventually(t, soon, "it warns", func() bool { return marks() == mark+1 })
	}
	if limit := scrape(t, p).value("walrelay_slot_limit_bytes"); limit != 256<<20 {
		t.Errorf("walrelay_slot_limit_bytes is %g", limit)
	}
	harness.Eventually(t, patience, "it shows when the slot will be full", func() bool {
		full := scrape(t, p)["walrelay_slot_full_seconds"]
		return len(full) == 1 && full[0].value > 0
	})
	harness.Eventually(t, patience, "the slot is lost", func() bool {
		s.Exec(t, "INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 16000)")
		s.Exec(t, "CHECKPOINT")
		return s.QueryText(t, "SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1", s.Slot) == "lost"
	})
	// Kafka is still away, and the process is told apart by its reasons only.
	waitReason(t, p, s.Slot, "lost", at, "recorded", "walrelay init --accept-gap")
	p.WaitLog(t, soon, "held by on_fatal")
	waitReason(t, p, "fatal", "lost")
	alive(t, p)
	if got := scrape(t, p); got.value("walrelay_slot_status", `status="lost"`) != 1 || got.value("walrelay_state", `state="blocked"`) != 1 {
		t.Errorf("metrics say %v, %v", got["walrelay_slot_status"], got["walrelay_state"])
	}
	p.Terminate()
	ended(t, p, 4)
}

// TestSlotDroppedWhileHeld: a slot that somebody drops ends the relay; held, it
// says missing.
func TestSlotDroppedWhileHeld(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t, "WALRELAY_ON_FATAL=hold")
	s.one(t, 1)
	s.drained(t)
	harness.Eventually(t, soon, "the slot can be dropped", func() bool {
		s.Exec(t, "SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots WHERE slot_name = $1 AND active", s.Slot)
		return s.dropped(t)
	})
	waitReason(t, p, "fatal", s.Slot, "vanished", "may be missing")
	alive(t, p)
	harness.Eventually(t, soon, "metrics say that it is missing", func() bool {
		return scrape(t, p).value("walrelay_slot_status", `status="missing"`) == 1
	})
	if s := status(t, p); s.SlotState != nil || len(s.Errors) == 0 || !strings.HasPrefix(s.Errors[0].Code, "WR03") {
		t.Errorf("/status says %+v, %+v", s.SlotState, s.Errors)
	}
	p.Terminate()
	ended(t, p, 4)
}

// TestCanary: while nothing happens a canary goes the whole way again and again,
// to its own topic, and is counted apart; events keep it quiet.
func TestCanary(t *testing.T) {
	if exactlyOnce {
		t.Skip("with exactly-once the canary has no topic of its own: TestExactlyOnceCanary")
	}
	t.Parallel()
	s := open(t, "order")
	topic := s.topic(t, "canary")
	s.Topics = s.Topics[:1] // it holds no event of the shop
	p := s.ready(t, "WALRELAY_CANARY_EVERY=1s", "WALRELAY_CANARY_TOPIC="+topic)
	harness.Eventually(t, soon, "three have come", func() bool { return scrape(t, p).value("walrelay_canary_seconds_count") >= 3 })
	s.one(t, 1)
	s.drained(t)
	m := scrape(t, p)
	if got := m.value("walrelay_events_total"); got != 1 {
		t.Errorf("walrelay_events_total is %g after one event", got)
	}
	if age := float64(time.Now().Unix()) - m.value("walrelay_last_canary_timestamp_seconds"); age < -5 || age > 30 {
		t.Errorf("the last canary came %g s ago", age)
	}
	records := s.Kafka.ReadAll(t, topic)
	if len(records) < 3 || string(records[0].Key) != s.Slot || !json.Valid(records[0].Value) {
		t.Errorf("records are %+v", records)
	}
	if c := status(t, p).Canary; c == nil || c.Last == nil || *c.Last <= 0 || c.Topic != topic {
		t.Errorf("/status says %+v", c)
	}
	stop(t, p)
	// A topic that is missing harms no event.
	p = s.ready(t, "WALRELAY_CANARY_EVERY=1s", "WALRELAY_CANARY_TOPIC="+topic+".missing")
	p.WaitLog(t, soon, "canary not sent")
	s.one(t, 2)
	s.expect(t, 1, 2)
	if text := reasons(t, p); text != "" {
		t.Errorf("not ready: %s", text)
	}
	stop(t, p)
}

// TestLastEvents: /status names the last events, and shows payloads only when told.
func TestLastEvents(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	for _, show := range []bool{false, true} {
		p := s.ready(t, "WALRELAY_HTTP_SHOW_PAYLOADS="+map[bool]string{true: "true", false: "false"}[show])
		s.one(t, 1)
		s.drained(t)
		got := status(t, p)
		if len(got.Events) != 1 || len(got.Topics) != 1 || got.Topics[0].Topic != s.Prefix+"order" || got.Topics[0].Events != 1 || got.Topics[0].EventType != "Placed" {
			t.Fatalf("events %+v, topics %+v", got.Events, got.Topics)
		}
		e := got.Events[0]
		if !e.Delivered || e.Key != "1" || e.ValueBytes != len(`{"seq": 1}`) || e.ID == "" || e.LSN == "" || e.Topic != s.Prefix+"order" || (e.Payload != "") != show {
			t.Errorf("show_payloads %t: %+v", show, e)
		}
		if !show && strings.Contains(p.Output(), "seq") {
			t.Error("the log has a payload")
		}
		stop(t, p)
	}
}
