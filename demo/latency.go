package demo

import (
	"fmt"
	"math"
	"sync"
	"time"
)

const (
	latencyStep    = 1.02 // a bucket is 2 % wide, so a quantile is at most 2 % too high
	latencyBuckets = 1000 // 1 µs × 1.02^1000: about 400 s
)

// latencies counts durations in logarithmic buckets, so that a demo of a week
// needs as little memory as one of a second. Its methods may be called from any
// goroutine.
type latencies struct {
	mu     sync.Mutex
	counts [latencyBuckets]int64
	total  int64
}

// add counts d; less than 1 µs counts as 1 µs, more than the last bucket as the last.
func (l *latencies) add(d time.Duration) {
	i := 0
	if d > time.Microsecond {
		i = int(math.Ceil(math.Log(float64(d)/float64(time.Microsecond)) / math.Log(latencyStep)))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[min(i, latencyBuckets-1)]++
	l.total++
}

// quantile is the duration that the share q (0 < q ≤ 1) of all durations does
// not exceed, 0 when there are none.
func (l *latencies) quantile(q float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total == 0 {
		return 0
	}
	rank := int64(math.Ceil(q * float64(l.total)))
	for i, n := range l.counts {
		if rank -= n; rank <= 0 {
			return time.Duration(float64(time.Microsecond) * math.Pow(latencyStep, float64(i)))
		}
	}
	return 0
}

// reset forgets everything counted.
func (l *latencies) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts, l.total = [latencyBuckets]int64{}, 0
}

// milliseconds is d in ms, as the verdict has it.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

// readable is ms as a person reads it: "0.9 ms", "12 ms", "1.2 s".
func readable(ms float64) string {
	switch {
	case ms >= 1000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 10:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.1f ms", ms)
	}
}
