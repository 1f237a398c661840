package telemetry

import (
	"net/http"
	"regexp"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// MaxEventTypes bounds the values of the label event_type: the first that many
// types keep their name, later ones count as OtherEventType. An event type comes
// from a table column, so its number has no other bound.
const (
	MaxEventTypes  = 100
	OtherEventType = "other"
)

// States are the values of walrelay_state.
var States = []string{"starting", "standby", "snapshot", "streaming", "blocked", "idle", "stopping"}

// SlotStatuses are the values of walrelay_slot_status: wal_status of
// pg_replication_slots, and "missing" for a slot that is not there.
var SlotStatuses = []string{"reserved", "extended", "unreserved", "lost", "missing"}

// Sides are the values of side in walrelay_reconnects_total.
var Sides = []string{"postgres", "kafka"}

// Metrics holds every metric of the process. All methods and fields may be used
// from any goroutine.
type Metrics struct {
	Registry *prometheus.Registry

	EventBytes      prometheus.Counter // bytes of keys, values and headers that were acknowledged
	LookbackSkipped prometheus.Counter // events that a former instance had delivered
	UnsentEvents    prometheus.Gauge   // events received and not yet acknowledged
	OldestUnsentAge prometheus.Gauge   // seconds since the commit of the oldest of them, 0 without one
	Delivery        *Histogram         // seconds from commit to acknowledgement, an observation an event
	Produce         *Histogram         // seconds from a produce request to its answer
	Commit          *Histogram         // seconds that Kafka takes to commit a transaction, with exactly-once
	ReceivedLSN     prometheus.Gauge   // as a number of bytes
	ConfirmedLSN    prometheus.Gauge   // as a number of bytes
	ReplicationLag  prometheus.Gauge   // bytes of WAL between the server's end and ConfirmedLSN
	SlotRetained    prometheus.Gauge   // bytes of WAL that the slot holds back
	WriteFence      prometheus.Gauge   // 1 when a former instance's late writes are shut out
	InFlightBytes   prometheus.Gauge   // memory of what was handed to Kafka and is not acknowledged
	LastReceived    prometheus.Gauge   // when the server last sent anything, seconds since 1970; 0 before
	LastAck         prometheus.Gauge   // when Kafka last acknowledged an event, seconds since 1970; 0 before
	Canary          *Histogram         // seconds from the canary's commit to its acknowledgement
	LastCanary      prometheus.Gauge   // when the last canary was acknowledged, seconds since 1970; 0 before
	Spill           Spill

	events     *prometheus.CounterVec
	failures   *prometheus.CounterVec
	retries    *prometheus.CounterVec
	reconnects *prometheus.CounterVec
	errors     *prometheus.CounterVec
	lastError  *prometheus.GaugeVec // at most one series
	slotSafe   *prometheus.GaugeVec // without labels, so that it can be absent
	slotLimit  *prometheus.GaugeVec // likewise
	slotFull   *prometheus.GaugeVec // likewise
	state      *prometheus.GaugeVec
	slotStatus *prometheus.GaugeVec

	mu      sync.Mutex
	last    errorLabels     // of lastError
	types   map[string]bool // event types that keep their name
	refresh []func()        // run before each scrape
}

// latency are buckets in seconds from a fast acknowledgement on the same machine
// to an outage of minutes.
var latency = []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60, 300, 1800}

// NewMetrics makes the metrics of a process and registers them, with those of the
// Go runtime and the process. version is shown in walrelay_build_info.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		Registry:        prometheus.NewRegistry(),
		EventBytes:      counter("event_bytes_total", "Bytes of keys, values and headers that Kafka has acknowledged."),
		LookbackSkipped: counter("lookback_skipped_total", "Events not sent again at the start, because Kafka had them from a former instance."),
		UnsentEvents:    gauge("unsent_events", "Events received from PostgreSQL and not yet acknowledged by Kafka."),
		OldestUnsentAge: gauge("oldest_unsent_age_seconds", "Time since the commit of the oldest event that Kafka has not acknowledged; 0 without one."),
		Delivery:        newHistogram("delivery_seconds", "Time from an event's commit to its acknowledgement by Kafka.", latency),
		Produce:         newHistogram("produce_seconds", "Time from a produce request to its answer.", latency),
		Commit:          newHistogram("commit_seconds", "Time that Kafka takes to commit a transaction; none without exactly-once.", latency),
		ReceivedLSN:     gauge("received_lsn", "WAL position up to which events were received, as a number."),
		ConfirmedLSN:    gauge("confirmed_lsn", "WAL position up to which PostgreSQL was told that everything is in Kafka, as a number."),
		ReplicationLag:  gauge("replication_lag_bytes", "WAL between the end of the server's WAL and the confirmed position."),
		SlotRetained:    gauge("slot_retained_bytes", "WAL that the server keeps because of the slot."),
		WriteFence:      gauge("write_fence", "1 when late writes of a former instance are shut out, else 0."),
		InFlightBytes:   gauge("in_flight_bytes", "Memory of what was handed to Kafka and is not yet acknowledged."),
		LastReceived:    gauge("last_received_timestamp_seconds", "When PostgreSQL last sent anything, keepalives included; 0 before."),
		LastAck:         gauge("last_acknowledged_timestamp_seconds", "When Kafka last acknowledged an event; 0 before."),
		Canary:          newHistogram("canary_seconds", "Time from the canary's commit to its acknowledgement by Kafka.", latency),
		LastCanary:      gauge("last_canary_timestamp_seconds", "When the last canary was acknowledged, before the first one when the relay was started; 0 without canary.every."),
		Spill:           newSpill(),
		events:          counters("events_total", "Events that Kafka has acknowledged.", "topic", "event_type"),
		failures:        counters("publish_failures_total", "Events that Kafka will never take.", "topic", "event_type", "reason"),
		retries:         counters("retries_total", "Produce attempts that were made again.", "reason"),
		reconnects:      counters("reconnects_total", "Connections that were lost and opened again.", "side"),
		errors:          counters("errors_total", "Errors of the relay by their code (docs/errors.md).", "code", "side"),
		lastError:       gauges("last_error_timestamp_seconds", "When the last error was met; the labels say which. Absent before.", "code", "side"),
		slotLimit:       gauges("slot_limit_bytes", "WAL that the server keeps for slots at most (max_slot_wal_keep_size); absent without a limit."),
		slotFull:        gauges("slot_full_seconds", "Time until the slot has reached its limit at the present rate; absent without a limit, and while it does not grow."),
		slotSafe:        gauges("slot_safe_bytes", "WAL that can be written before the slot is in danger (max_slot_wal_keep_size); absent without a limit."),
		state:           gauges("state", "1 for the relay's present state, 0 for the others.", "state"),
		slotStatus:      gauges("slot_status", "1 for the slot's present wal_status, 0 for the others.", "status"),
		types:           map[string]bool{},
	}
	build := gauges("build_info", "Always 1; the labels say what runs.", "version", "goversion")
	build.WithLabelValues(version, runtime.Version()).Set(1)
	for _, side := range Sides {
		m.reconnects.WithLabelValues(side)
	}
	m.SetState(States[0])
	m.Registry.MustRegister(
		m.EventBytes, m.LookbackSkipped, m.UnsentEvents, m.OldestUnsentAge, m.Delivery, m.Produce, m.Commit, m.ReceivedLSN, m.ConfirmedLSN,
		m.ReplicationLag, m.SlotRetained, m.WriteFence, m.events, m.failures, m.retries, m.reconnects, m.slotSafe,
		m.InFlightBytes, m.LastReceived, m.LastAck, m.Canary, m.LastCanary, m.Spill.transactions, m.Spill.times, m.Spill.bytes,
		m.errors, m.lastError, m.slotLimit, m.slotFull, m.state, m.slotStatus, build,
		goCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// goCollector has beside client_golang's usual figures the bytes that the last garbage
// collection found in use: the one figure of memory that does not rise with the load
// alone, so that a leak shows.
func goCollector() prometheus.Collector {
	return collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(
		collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)}))
}

const namespace = "walrelay"

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

// Events returns walrelay_events_total of a topic and event type. Finding it costs
// a map look-up and a lock, adding to it an atomic operation: the hot path keeps
// what it got.
func (m *Metrics) Events(topic, eventType string) prometheus.Counter {
	return m.events.WithLabelValues(label(topic), m.EventType(eventType))
}

// PublishFailures returns walrelay_publish_failures_total. reason is one of few
// short words.
func (m *Metrics) PublishFailures(topic, eventType, reason string) prometheus.Counter {
	return m.failures.WithLabelValues(label(topic), m.EventType(eventType), reason)
}

// Retries returns walrelay_retries_total. reason is one of few short words.
func (m *Metrics) Retries(reason string) prometheus.Counter { return m.retries.WithLabelValues(reason) }

// Reconnects returns walrelay_reconnects_total of a side: "postgres" or "kafka".
func (m *Metrics) Reconnects(side string) prometheus.Counter {
	return m.reconnects.WithLabelValues(side)
}

// EventType returns the value of the label event_type: the type itself, or
// OtherEventType when there are too many.
func (m *Metrics) EventType(eventType string) string {
	eventType = label(eventType)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.types[eventType]:
	case len(m.types) < MaxEventTypes:
		m.types[eventType] = true
	default:
		return OtherEventType
	}
	return eventType
}

// SetState sets walrelay_state: 1 for state, 0 for the other States.
func (m *Metrics) SetState(state string) { only(m.state, States, state) }

// SetSlotStatus sets walrelay_slot_status: 1 for status, 0 for the other
// SlotStatuses.
func (m *Metrics) SetSlotStatus(status string) { only(m.slotStatus, SlotStatuses, status) }

// SetSlotSafe sets walrelay_slot_safe_bytes; nil means that there is no limit, and
// the metric is absent.
func (m *Metrics) SetSlotSafe(bytes *int64) { optional(m.slotSafe, bytes) }

// SetSlotLimit sets walrelay_slot_limit_bytes; nil as for SetSlotSafe.
func (m *Metrics) SetSlotLimit(bytes *int64) { optional(m.slotLimit, bytes) }

// SetSlotFull sets walrelay_slot_full_seconds; nil when the slot does not grow
// towards a limit.
func (m *Metrics) SetSlotFull(seconds *float64) { optional(m.slotFull, seconds) }

// Failed counts an error and notes it as the last one. side is one of Sides, or
// relay.
func (m *Metrics) Failed(code, side string, at time.Time) {
	m.errors.WithLabelValues(code, side).Inc()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastError.WithLabelValues(code, side).Set(float64(at.UnixMilli()) / 1e3)
	if last := (errorLabels{code, side}); m.last != last {
		if m.last != (errorLabels{}) {
			m.lastError.DeleteLabelValues(m.last.code, m.last.side)
		}
		m.last = last
	}
}

// errorLabels are those of lastError.
type errorLabels struct{ code, side string }

// optional sets a gauge without labels, or lets it be absent.
func optional[N int64 | float64](v *prometheus.GaugeVec, value *N) {
	if value == nil {
		v.Reset()
		return
	}
	v.WithLabelValues().Set(float64(*value))
}

// only sets one of the values to 1 and the others to 0.
func only(v *prometheus.GaugeVec, values []string, value string) {
	for _, other := range values {
		if other != value {
			v.WithLabelValues(other).Set(0)
		}
	}
	v.WithLabelValues(value).Set(1)
}

// BeforeScrape lets f bring gauges up to date before each answer of Handler, for
// what would be too dear to keep up to date all the time. f must not block.
func (m *Metrics) BeforeScrape(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refresh = append(m.refresh, f)
}

// Handler serves the metrics in the formats that Prometheus asks for.
func (m *Metrics) Handler() http.Handler {
	scrape := promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.bringUpToDate()
		scrape.ServeHTTP(w, r)
	})
}
