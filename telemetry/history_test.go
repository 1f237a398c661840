package telemetry

import (
	"math"
	"testing"
	"time"
)

// day is when the tests' time begins.
var day = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// newest is the last sample.
func newest(t *testing.T, h *history) Sample {
	t.Helper()
	samples, _, _ := h.since(0)
	if len(samples) == 0 {
		t.Fatal("no sample")
	}
	return samples[len(samples)-1]
}

func TestHistory_take(t *testing.T) {
	m := NewMetrics("")
	h := newHistory(m)
	m.Delivery.Observe(0.004, 1000) // before anybody looked: counts for no rate
	m.EventBytes.Add(1e6)
	m.ReceivedLSN.Set(5e9)
	h.take(day)
	if samples, n, _ := h.since(0); len(samples) != 0 || n != 0 {
		t.Fatalf("%d samples of one reading", len(samples))
	}
	m.SetState("streaming")
	m.Delivery.Observe(0.004, 99)
	m.Delivery.Observe(0.8, 1)
	m.EventBytes.Add(30000)
	m.ReceivedLSN.Set(5e9 + 4000)
	m.UnsentEvents.Set(7)
	m.ReplicationLag.Set(900)
	m.SlotRetained.Set(12345)
	m.InFlightBytes.Set(77)
	m.BeforeScrape(func() { m.OldestUnsentAge.Set(1.5) }) // as the relay does: only when asked
	h.take(day.Add(2 * time.Second))
	s := newest(t, h)
	p50, p99 := s.P50, s.P99
	s.P50, s.P99 = nil, nil
	if want := (Sample{At: day.UnixMilli() + 2000, State: "streaming", Events: 50, Bytes: 15000, WAL: 2000, Unsent: 7, Age: 1.5, Lag: 900, Retained: 12345, InFlight: 77}); s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	// 99 of 100 are within (0.002, 0.005]: the median is the 50th of them.
	if want := 0.002 + 0.003*50/99; p50 == nil || math.Abs(*p50-want) > 1e-9 {
		t.Errorf("p50 %v, want %g", p50, want)
	}
	if want := 0.005; p99 == nil || math.Abs(*p99-want) > 1e-9 {
		t.Errorf("p99 %v, want %g", p99, want)
	}

	limit := int64(1 << 30)
	m.SetSlotLimit(&limit)
	m.SetState("blocked")
	h.take(day.Add(3 * time.Second))
	s = newest(t, h)
	if s.Events != 0 || s.P50 != nil || s.P99 != nil || s.State != "blocked" || s.Limit == nil || *s.Limit != 1<<30 {
		t.Errorf("nothing was delivered: %+v", s)
	}
	m.SetSlotLimit(nil)
	h.take(day.Add(4 * time.Second))
	if s = newest(t, h); s.Limit != nil {
		t.Errorf("the limit is gone: %+v", s)
	}
}

// TestHistory_frozen: a process that slept has no burst afterwards, and a clock
// that stands still divides by nothing.
func TestHistory_frozen(t *testing.T) {
	m := NewMetrics("")
	h := newHistory(m)
	h.take(day)
	m.Delivery.Observe(0.004, 600)
	h.take(day.Add(time.Minute))
	if s := newest(t, h); s.Events != 10 {
		t.Errorf("%g events a second after a minute's sleep, want 10", s.Events)
	}
	m.Delivery.Observe(0.004, 5)
	h.take(day.Add(time.Minute))
	if s := newest(t, h); s.Events != 0 || math.IsInf(s.WAL, 0) || math.IsNaN(s.WAL) {
		t.Errorf("no time has passed: %+v", s)
	}
}

// TestHistory_wal: the WAL's end is known by jumps and from two sides; the rate is
// taken over several seconds and is never negative.
func TestHistory_wal(t *testing.T) {
	m := NewMetrics("")
	h := newHistory(m)
	second := 0
	take := func() float64 {
		h.take(day.Add(time.Duration(second) * time.Second))
		second++
		if second == 1 {
			return 0
		}
		return newest(t, h).WAL
	}
	take()
	take()
	m.ReceivedLSN.Set(1e9) // first known now: the WAL before is no growth
	if got := take(); got != 0 {
		t.Errorf("rate %g at the first sight of the WAL's end", got)
	}
	for range 5 {
		take()
	}
	m.ConfirmedLSN.Set(1e9) // the server says that it is further than what came
	m.ReplicationLag.Set(6000)
	if got := take(); got != 1000 {
		t.Errorf("rate %g, want 6000 bytes over 6 s", got)
	}
	m.ReplicationLag.Set(0) // an older look
	for range walWindow {
		if got := take(); got < 0 {
			t.Errorf("rate %g", got)
		}
	}
	if got := take(); got != 0 {
		t.Errorf("rate %g after ten quiet seconds", got)
	}
	m.ReplicationLag.Set(6000) // as far as it was known to be before
	if got := take(); got != 0 {
		t.Errorf("rate %g of WAL that was counted before", got)
	}
}

// TestHistory_ring keeps ten minutes and hands out what is new.
func TestHistory_ring(t *testing.T) {
	h := newHistory(NewMetrics(""))
	samples, n, changed := h.since(0)
	if len(samples) != 0 || n != 0 {
		t.Fatalf("%d of %d", len(samples), n)
	}
	h.take(day)
	select {
	case <-changed:
		t.Fatal("the first reading is no sample")
	default:
	}
	for i := range historyLength + 50 {
		h.take(day.Add(time.Duration(i+1) * time.Second))
	}
	select {
	case <-changed:
	default:
		t.Fatal("not told of new samples")
	}
	samples, n, _ = h.since(0)
	if len(samples) != historyLength || n != historyLength+50 {
		t.Fatalf("%d of %d", len(samples), n)
	}
	for i, s := range samples {
		if want := day.Add(time.Duration(i+51) * time.Second).UnixMilli(); s.At != want {
			t.Fatalf("sample %d is of %d, want %d", i, s.At, want)
		}
	}
	if samples, n, _ = h.since(n - 2); len(samples) != 2 || n != historyLength+50 {
		t.Errorf("%d since two before", len(samples))
	}
	if samples, _, _ = h.since(n); len(samples) != 0 {
		t.Errorf("%d that are not new", len(samples))
	}
}

func TestQuantile(t *testing.T) {
	bounds := []float64{1, 2, 4}
	for _, test := range []struct {
		q      float64
		counts []uint64
		want   float64
	}{
		{.5, []uint64{10, 0, 0, 0}, .5},
		{.99, []uint64{100, 0, 0, 0}, .99},
		{.5, []uint64{0, 10, 0, 0}, 1.5},
		{.5, []uint64{5, 0, 5, 0}, 1},
		{.75, []uint64{5, 0, 5, 0}, 3},
		{.5, []uint64{0, 0, 1, 0}, 3},
		{.99, []uint64{0, 0, 0, 3}, 4}, // beyond all bounds
		{.5, []uint64{1, 0, 0, 9}, 4},
	} {
		var total uint64
		for _, n := range test.counts {
			total += n
		}
		if got := quantile(test.q, bounds, test.counts, total); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("quantile %g of %v: %g, want %g", test.q, test.counts, got, test.want)
		}
	}
}
