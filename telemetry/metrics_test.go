package telemetry

import (
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// scrape returns what /metrics answers.
func scrape(m *Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// TestMetrics_names holds the process to the names that dashboards are built on.
func TestMetrics_names(t *testing.T) {
	m := NewMetrics("1.2.3")
	m.Events("orders", "created").Add(2)
	m.EventBytes.Add(512)
	m.PublishFailures("orders", "created", "too_large").Inc()
	m.Retries("not_leader").Inc()
	m.Reconnects("kafka").Inc()
	m.UnsentEvents.Set(7)
	m.OldestUnsentAge.Set(1.5)
	m.Delivery.Observe(0.0015, 3)
	m.Produce.Observe(0.001, 1)
	m.ReceivedLSN.Set(300)
	m.ConfirmedLSN.Set(200)
	m.ReplicationLag.Set(100)
	m.SlotRetained.Set(1000)
	safe := int64(5000)
	m.SetSlotSafe(&safe)
	m.SetSlotStatus("extended")
	m.SetState("streaming")
	m.WriteFence.Set(1)
	got := scrape(m)
	for _, want := range []string{
		`walrelay_events_total{event_type="created",topic="orders"} 2`,
		`walrelay_event_bytes_total 512`,
		`walrelay_publish_failures_total{event_type="created",reason="too_large",topic="orders"} 1`,
		`walrelay_retries_total{reason="not_leader"} 1`,
		`walrelay_unsent_events 7`,
		`walrelay_oldest_unsent_age_seconds 1.5`,
		`walrelay_delivery_seconds_bucket{le="0.001"} 0`,
		`walrelay_delivery_seconds_bucket{le="0.002"} 3`,
		`walrelay_delivery_seconds_bucket{le="+Inf"} 3`,
		`walrelay_delivery_seconds_sum 0.0045`,
		`walrelay_delivery_seconds_count 3`,
		`walrelay_produce_seconds_bucket{le="0.001"} 1`,
		`walrelay_received_lsn 300`,
		`walrelay_confirmed_lsn 200`,
		`walrelay_replication_lag_bytes 100`,
		`walrelay_slot_retained_bytes 1000`,
		`walrelay_slot_safe_bytes 5000`,
		`walrelay_slot_status{status="extended"} 1`,
		`walrelay_slot_status{status="lost"} 0`,
		`walrelay_state{state="blocked"} 0`,
		`walrelay_state{state="starting"} 0`,
		`walrelay_state{state="streaming"} 1`,
		`walrelay_reconnects_total{side="kafka"} 1`,
		`walrelay_reconnects_total{side="postgres"} 0`,
		`walrelay_write_fence 1`,
		`walrelay_build_info{goversion="go`,
		`version="1.2.3"} 1`,
		"go_goroutines ", "go_gc_heap_live_bytes ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
	m.SetSlotSafe(nil)
	if strings.Contains(scrape(m), "walrelay_slot_safe_bytes") {
		t.Error("walrelay_slot_safe_bytes is there without a limit")
	}
}

func TestMetrics_EventType_capped(t *testing.T) {
	m := NewMetrics("")
	for i := range 1000 {
		m.Events("orders", fmt.Sprint("type ", i)).Inc()
	}
	got := scrape(m)
	if n := strings.Count(got, "walrelay_events_total{"); n != MaxEventTypes+1 {
		t.Errorf("%d series, want %d", n, MaxEventTypes+1)
	}
	for _, want := range []string{
		`walrelay_events_total{event_type="other",topic="orders"} 900`,
		`walrelay_events_total{event_type="type 7",topic="orders"} 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

// TestMetrics_label: what comes from a table column can be anything.
func TestMetrics_label(t *testing.T) {
	m := NewMetrics("")
	m.Events("orders", "a\xff\n\"b"+strings.Repeat("x", 1000)).Inc()
	if _, err := m.Registry.Gather(); err != nil {
		t.Error(err)
	}
}

func TestMetrics_BeforeScrape(t *testing.T) {
	m := NewMetrics("")
	n := 0.0
	m.BeforeScrape(func() { n++; m.UnsentEvents.Set(n) })
	scrape(m)
	if got := scrape(m); !strings.Contains(got, "walrelay_unsent_events 2\n") {
		t.Error("the second scrape did not see what was set just before it")
	}
}

func TestHistogram(t *testing.T) {
	h := newHistogram("test_seconds", "Test.", []float64{1, 2})
	h.Observe(-5, 1)
	h.Observe(1, 2) // a bound belongs to its bucket
	h.Observe(1.5, 10)
	h.Observe(100, 1)
	h.Observe(1, 0)
	h.Observe(math.NaN(), 1)
	want := `# HELP walrelay_test_seconds Test.
# TYPE walrelay_test_seconds histogram
walrelay_test_seconds_bucket{le="1"} 3
walrelay_test_seconds_bucket{le="2"} 13
walrelay_test_seconds_bucket{le="+Inf"} 14
walrelay_test_seconds_sum 117
walrelay_test_seconds_count 14
`
	m := &Metrics{Registry: prometheus.NewRegistry()}
	m.Registry.MustRegister(h)
	if got := scrape(m); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if n := testing.AllocsPerRun(100, func() { h.Observe(1.5, 3) }); n != 0 {
		t.Errorf("%g allocations an observation", n)
	}
}
