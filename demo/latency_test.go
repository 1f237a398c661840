package demo

import (
	"testing"
	"time"
)

func TestLatencies(t *testing.T) {
	var l latencies
	if got := l.quantile(0.5); got != 0 {
		t.Errorf("quantile of nothing = %s", got)
	}
	for i := 1; i <= 1000; i++ {
		l.add(time.Duration(i) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.001: time.Millisecond, 0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := l.quantile(q); got < want || got > want*103/100 {
			t.Errorf("quantile(%v) = %s, want %s or up to 3 %% more", q, got, want)
		}
	}
	l.reset()
	if got := l.quantile(0.5); got != 0 {
		t.Errorf("quantile after reset = %s", got)
	}
}

func TestLatencies_extremes(t *testing.T) {
	var l latencies
	l.add(-time.Second)
	if got := l.quantile(1); got != time.Microsecond {
		t.Errorf("negative: %s, want 1µs", got)
	}
	l.add(24 * time.Hour)
	if got := l.quantile(1); got < 300*time.Second {
		t.Errorf("a day: %s, want the last bucket", got)
	}
}

func TestLedger(t *testing.T) {
	l := newLedger()
	l.committing([]string{"a", "b", "c"})
	l.forget([]string{"b"})
	if took, ok := l.consumed("a", time.Now().Add(time.Second)); !ok || took < time.Second {
		t.Errorf("a: %s, %v", took, ok)
	}
	for _, id := range []string{"a", "b", "unknown"} {
		if _, ok := l.consumed(id, time.Now()); ok {
			t.Errorf("%s: a second, forgotten or unknown event has a latency", id)
		}
	}
	if got := l.waiting(); got != 1 {
		t.Errorf("%d on the way, want c alone", got)
	}
	var alone *ledger
	alone.committing([]string{"a"})
	alone.forget([]string{"a"})
	if _, ok := alone.consumed("a", time.Now()); ok {
		t.Error("a nil ledger knows a latency")
	}
}

func TestReadable(t *testing.T) {
	for ms, want := range map[float64]string{0: "0.0 ms", 0.91: "0.9 ms", 9.94: "9.9 ms", 12.3: "12 ms", 1234: "1.2 s"} {
		if got := readable(ms); got != want {
			t.Errorf("readable(%v) = %q, want %q", ms, got, want)
		}
	}
}
