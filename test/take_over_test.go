package test_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// takeOvers is how often each way of going is tried. The distribution wants more
// than CI has time for: WALRELAY_TEST_TAKE_OVERS=30 go test ./test -run TestTakeOver -v.
func takeOvers(t *testing.T) int {
	t.Helper()
	text := os.Getenv("WALRELAY_TEST_TAKE_OVERS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("WALRELAY_TEST_TAKE_OVERS is %q: give a number of rounds", text)
	}
	return n
}

// delivery is one of the two ways to deliver.
type way struct {
	name string
	env  func(s *shop) []string
	// verify judges what a consumer of this delivery sees.
	verify func(s *shop, t *testing.T) harness.Result
}

var ways = []way{
	{"at-least-once", func(*shop) []string { return []string{"WALRELAY_DELIVERY=at-least-once"} }, func(s *shop, t *testing.T) harness.Result {
		t.Helper()
		return harness.Verify(t, s.Kafka, patience, s.Committed(t, s.Prefix, s.Table), s.Topics...)
	}},
	{"exactly-once", (*shop).exact, (*shop).verifyCommitted},
}

// each runs a test with both ways.
func each(t *testing.T, test func(t *testing.T, d way)) {
	t.Helper()
	for _, d := range ways {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

// arrivals watches a shop's topics as a consumer does and tells the instances apart
// by the producer's epoch, which grows with every start.
type arrivals struct {
	mu     sync.Mutex
	newest epoch
	first  map[epoch]time.Time // when its first record arrived
	last   map[epoch]time.Time
	counts map[epoch]int
}

// epoch is a producer at a broker.
type epoch struct {
	id    int64
	epoch int16
}

// watch begins to read, until the test ends.
func (s *shop) watch(t *testing.T, committed bool) *arrivals {
	t.Helper()
	a := &arrivals{newest: epoch{-1, -1}, first: map[epoch]time.Time{}, last: map[epoch]time.Time{}, counts: map[epoch]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Kafka.Read(ctx, harness.ReadOptions{Topics: s.Topics, Committed: committed, Until: func() bool { return ctx.Err() != nil }}, a.note)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	return a
}

func (a *arrivals) note(r *kgo.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, of := time.Now(), epoch{r.ProducerID, r.ProducerEpoch}
	if a.counts[of] == 0 {
		a.first[of] = now
		if of.id != a.newest.id || of.epoch > a.newest.epoch {
			a.newest = of
		}
	}
	a.last[of] = now
	a.counts[of]++
}

// writer waits for the first record and says who wrote last, as far as can be told.
func (a *arrivals) writer(t *testing.T) (of epoch) {
	t.Helper()
	harness.Eventually(t, patience, "an event arrives", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		of = a.newest
		return len(a.counts) > 0
	})
	return of
}

// handover waits until somebody else than before writes, and says when that began
// and how long consumers had got nothing.
func (a *arrivals) handover(t *testing.T, before epoch) (first time.Time, silence time.Duration) {
	t.Helper()
	harness.Eventually(t, patience, "the other instance's events arrive", func() bool { return a.writer(t) != before })
	a.mu.Lock()
	defer a.mu.Unlock()
	first = a.first[a.newest]
	return first, first.Sub(a.last[before])
}

// TestTakeOver: from the moment one instance stops or is killed to the first
// event of the other one in Kafka it takes less than a second.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d way) {
		s := open(t, "order")
		env := d.env(s)
		active := s.ready(t, env...)
		quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 200, Pause: 5 * time.Millisecond})
		seen := s.watch(t, d.name == "exactly-once")
		s.more(t, 50)
		kills := 0
		for _, gone := range []struct {
			name string
			end  func(*harness.Process)
		}{
			{"stopped", func(p *harness.Process) { p.Terminate() }},
			{"killed", func(p *harness.Process) { p.Kill() }},
		} {
			var times, silences []time.Duration
			for range takeOvers(t) {
				standby := s.start(t, env...)
				standby.WaitLog(t, soon, "standing by")
				before := seen.writer(t)
				began := time.Now()
				gone.end(active)
				first, silence := seen.handover(t, before)
				times, silences = append(times, first.Sub(began)), append(silences, silence)
				if gone.name == "killed" {
					kills++
				} else {
					ended(t, active, 0)
				}
				active = standby
				s.more(t, 50)
			}
			t.Logf("%s: first event of the other instance after %s; consumers got nothing for %s", gone.name, spread(times), spread(silences))
			if worst := slices.Max(times); worst > patience/3 {
				t.Errorf("%s: it took %s", gone.name, worst)
			}
		}
		quiet()
		result := d.verify(s, t)
		t.Logf("%d kills repeated %d events", kills, result.Duplicates)
		s.drained(t)
		stop(t, active)
	})
}

// spread is the median and the worst of some times.
func spread(times []time.Duration) string {
	sorted := slices.Sorted(slices.Values(times))
	return fmt.Sprintf("p50 %s, max %s (of %d)", sorted[len(sorted)/2].Round(time.Millisecond), sorted[len(sorted)-1].Round(time.Millisecond), len(sorted))
}
