package test_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// TestMetrics: every metric that dashboards are promised is there, and says what
// happened.
func TestMetrics(t *testing.T) {
	t.Parallel()
	server := harness.PrivatePostgres(t, map[string]string{"max_slot_wal_keep_size": "1GB"})
	s := openOn(t, harness.DatabaseOn(t, server), harness.Kafka(t), "order", "invoice")
	small := s.topic(t, "small", "max.message.bytes", itoa(smallLimit))
	p := s.ready(t, "WALRELAY_ON_POISON=skip")
	for i := range 30 {
		payload := `{"seq": ` + itoa(i) + `, "pad": "` + strings.Repeat("x", 100) + `"}`
		s.Insert(t, s.Table, "order", "1", "Placed", payload)
		s.Insert(t, s.Table, "invoice", "1", "Sent", payload)
		s.Insert(t, s.Table, "order", "2", "Paid", payload)
	}
	delivered := s.Committed(t, s.Prefix, s.Table)
	s.Insert(t, s.Table, "small", "1", "Huge", `{"seq": 1, "pad": "`+strings.Repeat("x", 2*smallLimit)+`"}`)
	s.drained(t)
	if err := server.Restart(t.Context(), "fast"); err != nil { // one reconnect
		t.Fatal(err)
	}
	p.WaitLog(t, soon, "stream is back")
	s.drained(t)

	m := scrape(t, p)
	order, invoice := `topic="`+s.Prefix+`order"`, `topic="`+s.Prefix+`invoice"`
	for _, is := range []struct {
		name     string
		labels   []string
		from, to float64
	}{
		{"walrelay_events_total", []string{order, `event_type="Placed"`}, 30, 30},
		{"walrelay_events_total", []string{order, `event_type="Paid"`}, 30, 30},
		{"walrelay_events_total", []string{invoice, `event_type="Sent"`}, 30, 30},
		{"walrelay_events_total", nil, 90, 90},
		{"walrelay_event_bytes_total", nil, 90 * 100, 90 * 300},
		{"walrelay_publish_failures_total", []string{`topic="` + small + `"`, `event_type="Huge"`, `reason="too_large"`}, 1, 1},
		{"walrelay_unsent_events", nil, 0, 0},
		{"walrelay_oldest_unsent_age_seconds", nil, 0, 0},
		{"walrelay_delivery_seconds_count", nil, 90, 90},
		{"walrelay_delivery_seconds_sum", nil, 1e-6, 90 * 60},
		{"walrelay_produce_seconds_count", nil, 1, 90},
		{"walrelay_received_lsn", nil, 1, 1e18},
		{"walrelay_confirmed_lsn", nil, 1, 1e18},
		{"walrelay_replication_lag_bytes", nil, 0, 1 << 20},
		{"walrelay_slot_retained_bytes", nil, 0, 64 << 20},
		{"walrelay_slot_safe_bytes", nil, 512 << 20, 2 << 30},
		{"walrelay_slot_status", []string{`status="reserved"`}, 1, 1},
		{"walrelay_slot_status", nil, 1, 1},
		{"walrelay_state", []string{`state="streaming"`}, 1, 1},
		{"walrelay_state", nil, 1, 1},
		{"walrelay_reconnects_total", []string{`side="postgres"`}, 1, 50},
		{"walrelay_reconnects_total", []string{`side="kafka"`}, 0, 0},
		{"walrelay_build_info", []string{`version="`, `goversion="go`}, 1, 1},
		{"go_goroutines", nil, 1, 200},
		{"process_resident_memory_bytes", nil, 1 << 20, 1 << 30},
	} {
		if got := m.value(is.name, is.labels...); len(m[is.name]) == 0 || got < is.from || got > is.to {
			t.Errorf("%s %v is %g, not in [%g, %g]: %v", is.name, is.labels, got, is.from, is.to, m[is.name])
		}
	}
	for _, state := range []string{"starting", "standby", "streaming", "blocked", "stopping"} {
		if !slices.ContainsFunc(m["walrelay_state"], func(one sample) bool { return strings.Contains(one.labels, state) }) {
			t.Errorf("walrelay_state lacks %s", state)
		}
	}
	if m.value("walrelay_confirmed_lsn") > m.value("walrelay_received_lsn") {
		t.Error("more is confirmed than received")
	}
	pages(t, p)
	none(t, harness.Verify(t, s.Kafka, patience, delivered, s.Topics...))
	stop(t, p)
}

// pages looks at what people and scripts open.
func pages(t *testing.T, p *harness.Process) {
	t.Helper()
	for path, text := range map[string]string{"/": "<html", "/healthz": `"alive": true`, "/readyz": `"ready": true`, "/status": `"state": "streaming"`} {
		status, body, err := p.Get(t.Context(), path)
		if err != nil || status != http.StatusOK || !strings.Contains(body, text) {
			t.Errorf("%s: %d %v, without %s: %s", path, status, err, text, body)
		}
		if path != "/" && !json.Valid([]byte(body)) {
			t.Errorf("%s is no JSON: %s", path, body)
		}
	}
	if status, _, err := p.Get(t.Context(), "/nothing"); err != nil || status != http.StatusNotFound {
		t.Errorf("/nothing: %d %v", status, err)
	}
}
