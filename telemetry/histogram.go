package telemetry

import (
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Histogram is a Prometheus histogram that takes many equal observations at once:
// Kafka acknowledges events by the batch. It may be used from any goroutine.
type Histogram struct {
	desc   *prometheus.Desc
	bounds []float64
	counts []atomic.Uint64 // by bucket, the last one is above all bounds
	sum    atomic.Uint64   // bits of a float64
}

// newHistogram makes a histogram with ascending upper bounds.
func newHistogram(name, help string, bounds []float64) *Histogram {
	return &Histogram{
		desc:   prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, nil, nil),
		bounds: bounds,
		counts: make([]atomic.Uint64, len(bounds)+1),
	}
}

// Observe counts n observations of the same value, in seconds. A negative value,
// from clocks that differ, counts as 0. Nothing is allocated.
func (h *Histogram) Observe(seconds float64, n int) {
	if n <= 0 || math.IsNaN(seconds) {
		return
	}
	seconds = max(seconds, 0)
	bucket, _ := slices.BinarySearch(h.bounds, seconds) // the first bound that is not below
	h.counts[bucket].Add(uint64(n))
	for {
		old := h.sum.Load()
		if h.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+seconds*float64(n))) {
			return
		}
	}
}

// Describe is prometheus.Collector.
func (h *Histogram) Describe(ch chan<- *prometheus.Desc) { ch <- h.desc }

// Collect is prometheus.Collector. The total is made of the buckets that were
// read, so that they agree.
func (h *Histogram) Collect(ch chan<- prometheus.Metric) {
	buckets := make(map[float64]uint64, len(h.bounds))
	var total uint64
	for i := range h.counts {
		total += h.counts[i].Load()
		if i < len(h.bounds) {
			buckets[h.bounds[i]] = total
		}
	}
	ch <- prometheus.MustNewConstHistogram(h.desc, total, math.Float64frombits(h.sum.Load()), buckets)
}

// maxLabel bounds a label's length in bytes.
const maxLabel = 249 // as long as a topic's name may be

// label makes a text fit for a label: Prometheus refuses what is not UTF-8.
func label(text string) string {
	if len(text) > maxLabel {
		text = text[:maxLabel]
	}
	return strings.ToValidUTF8(text, "�")
}
