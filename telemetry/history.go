package telemetry

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

const (
	sampleEvery   = time.Second
	historyLength = 600 // samples: the last ten minutes
	walWindow     = 10  // samples that the WAL's rate is taken over: its end is not looked at each second
)

// Sample is one second of a relay's life. Rates are per second, times in seconds,
// sizes in bytes.
type Sample struct {
	At       int64    `json:"t"`         // ms since 1970, the end of the second
	State    string   `json:"state"`     // one of States
	Events   float64  `json:"events"`    // acknowledged per second
	Bytes    float64  `json:"bytes"`     // acknowledged per second
	WAL      float64  `json:"wal"`       // written by PostgreSQL per second, over the last ten
	P50      *float64 `json:"p50"`       // half of the events were delivered within; null without events
	P99      *float64 `json:"p99"`       // 99 of 100 were
	Unsent   float64  `json:"unsent"`    // events
	Age      float64  `json:"age"`       // of the oldest unsent one, 0 without
	Lag      float64  `json:"lag"`       // WAL not confirmed
	Retained float64  `json:"retained"`  // WAL that the slot holds back
	Limit    *float64 `json:"limit"`     // of it; null without
	InFlight float64  `json:"in_flight"` // memory of what Kafka has not acknowledged
}

// reading is what the counters said at a time.
type reading struct {
	at      time.Time
	buckets []uint64 // of Metrics.Delivery
	bytes   float64
	wal     float64 // end of the WAL as far as it is known; never goes back
}

// history takes a sample of the metrics each second and keeps the last ones. It
// costs a few atomic loads a second, looked at or not. Any goroutine may read.
type history struct {
	metrics *Metrics

	mu      sync.Mutex
	ring    [historyLength]Sample
	taken   int           // samples ever; the next goes to ring[taken%historyLength]
	changed chan struct{} // closed by the next sample
	last    []reading     // the last walWindow ones, oldest first; of the sampling goroutine alone
}

func newHistory(m *Metrics) *history {
	return &history{metrics: m, changed: make(chan struct{})}
}

// run samples until ctx ends.
func (h *history) run(ctx context.Context) {
	h.take(time.Now()) // rates begin here
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			h.take(now)
		}
	}
}

// take takes a sample. The first call only begins: rates need two readings.
func (h *history) take(now time.Time) {
	h.metrics.bringUpToDate()
	r := h.read(now)
	var previous *reading
	if n := len(h.last); n > 0 {
		previous = &h.last[n-1]
		r.wal = max(r.wal, previous.wal)
	}
	if previous != nil {
		h.add(h.sample(previous, &r))
	}
	if len(h.last) > walWindow {
		h.last = append(h.last[:0], h.last[1:]...)
	}
	h.last = append(h.last, r)
}

// read looks at the counters.
func (h *history) read(now time.Time) reading {
	m := h.metrics
	return reading{
		at: now, buckets: m.Delivery.load(), bytes: value(m.EventBytes),
		wal: max(value(m.ReceivedLSN), value(m.ConfirmedLSN)+value(m.ReplicationLag)),
	}
}

// sample makes a sample of two readings and the gauges.
func (h *history) sample(from, to *reading) Sample {
	m := h.metrics
	seconds := to.at.Sub(from.at).Seconds()
	fresh, total := make([]uint64, len(to.buckets)), uint64(0)
	for i := range fresh {
		fresh[i] = to.buckets[i] - from.buckets[i]
		total += fresh[i]
	}
	s := Sample{
		At: to.at.UnixMilli(), State: m.presentState(),
		Events: rate(float64(total), seconds), Bytes: rate(to.bytes-from.bytes, seconds), WAL: h.walRate(to),
		Unsent: value(m.UnsentEvents), Age: round(value(m.OldestUnsentAge)), Lag: value(m.ReplicationLag),
		Retained: value(m.SlotRetained), InFlight: value(m.InFlightBytes), Limit: single(m.slotLimit),
	}
	if total > 0 {
		p50, p99 := quantile(.5, m.Delivery.bounds, fresh, total), quantile(.99, m.Delivery.bounds, fresh, total)
		s.P50, s.P99 = &p50, &p99
	}
	return s
}

// walRate is how fast the WAL has grown since the oldest reading that knew its end.
func (h *history) walRate(to *reading) float64 {
	for i := range h.last {
		if from := &h.last[i]; from.wal > 0 {
			return rate(to.wal-from.wal, to.at.Sub(from.at).Seconds())
		}
	}
	return 0
}

func (h *history) add(s Sample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring[h.taken%historyLength] = s
	h.taken++
	close(h.changed)
	h.changed = make(chan struct{})
}

// since returns the samples after the first n ever taken, oldest first, as far as
// they are kept, how many were taken in all, and a channel that is closed by the
// next one.
func (h *history) since(n int) (samples []Sample, taken int, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n = max(n, h.taken-historyLength)
	samples = make([]Sample, 0, max(0, h.taken-n))
	for ; n < h.taken; n++ {
		samples = append(samples, h.ring[n%historyLength])
	}
	return samples, h.taken, h.changed
}

// rate is an amount per second; 0 when no time has passed.
func rate(amount, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return round(max(0, amount) / seconds)
}

// round cuts digits that mean nothing.
func round(v float64) float64 { return math.Round(v*1e3) / 1e3 }

// quantile estimates the value that a share q of the observations does not exceed,
// evenly spread within their bucket, as Prometheus does. bounds are the buckets'
// upper ends; what is above all of them counts as the last bound.
func quantile(q float64, bounds []float64, counts []uint64, total uint64) float64 {
	rank := q * float64(total)
	below := 0.0
	for i, bound := range bounds {
		n := float64(counts[i])
		if below+n >= rank && n > 0 {
			lower := 0.0
			if i > 0 {
				lower = bounds[i-1]
			}
			return lower + (bound-lower)*(rank-below)/n
		}
		below += n
	}
	return bounds[len(bounds)-1]
}

// load reads the counts by bucket.
func (h *Histogram) load() []uint64 {
	counts := make([]uint64, len(h.counts))
	for i := range counts {
		counts[i] = h.counts[i].Load()
	}
	return counts
}

// presentState is what SetState was last told.
func (m *Metrics) presentState() string {
	for _, state := range States {
		if value(m.state.WithLabelValues(state)) == 1 {
			return state
		}
	}
	return ""
}

// value reads a counter or gauge.
func value(m prometheus.Metric) float64 {
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		return 0 // it has nothing that could fail
	}
	if out.Counter != nil {
		return out.Counter.GetValue()
	}
	return out.Gauge.GetValue()
}

// single reads a gauge that has one series at most; nil when it has none.
func single(v *prometheus.GaugeVec) *float64 {
	series := make(chan prometheus.Metric, 1)
	v.Collect(series)
	select {
	case one := <-series:
		got := value(one)
		return &got
	default:
		return nil
	}
}

// bringUpToDate runs what BeforeScrape was given.
func (m *Metrics) bringUpToDate() {
	m.mu.Lock()
	refresh := m.refresh
	m.mu.Unlock()
	for _, f := range refresh {
		f()
	}
}
