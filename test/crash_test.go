package test_test

import (
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// TestKillInBacklog: kill -9 of the relay in the middle of a backlog, ten times.
func TestKillInBacklog(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "backlog")
	const events, kills = 300_000, 10
	if code, output := s.run(t, []string{"init"}); code != 0 {
		t.Fatalf("init: exit code %d: %s", code, output)
	}
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: events, PerTransaction: 20, Aggregates: 500, Padding: 100})
	end, left := s.written(t), 0
	for i := range kills {
		from := s.confirmed(t)
		// A share of what is left, so that every kill comes long before the end.
		share := (end - from) / int64(kills-i+4)
		p := s.ready(t)
		harness.Eventually(t, patience, "some of the backlog is confirmed", func() bool { return s.confirmed(t) > from+share })
		left += leftOut(t, p)
		p.Kill()
		if s.confirmed(t) >= end {
			t.Errorf("the test is wrong: kill %d came after the end of the backlog", i+1)
		}
	}
	p := s.ready(t)
	result := s.verify(t)
	left += leftOut(t, p)
	t.Logf("%d kills repeated %d of %d events, %d that came again were left out", kills, result.Duplicates, events, left)
	if result.Duplicates > kills*lastRequest {
		t.Errorf("%d kills repeated more than a request each", kills)
	}
	// What comes again is what was received since the last confirmation, 200 ms of the
	// fastest drain at most, and never more than the window.
	if again := result.Duplicates + left; again == 0 || again > events/4 {
		t.Errorf("%d events came again after %d kills: none, or a quarter of all or more; progress is not confirmed in time", again, kills)
	}
	stop(t, p)
}

// leftOut are the events that came again and that the look back of a relay left out.
func leftOut(t *testing.T, p *harness.Process) int {
	t.Helper()
	return int(scrape(t, p).value("walrelay_lookback_skipped_total"))
}

// TestKillUnderLoad: progress is confirmed within about 200 ms also while events
// flow without a break, so that little comes again after a kill, and next to nothing of
// it is repeated.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 200, Pause: 2 * time.Millisecond})
	const kills = 3
	most, left := 0, 0
	for range kills {
		from := s.confirmed(t)
		s.more(t, 2000)
		harness.Eventually(t, patience, "progress is confirmed", func() bool { return s.confirmed(t) > from })
		// What is committed in a second and a half bounds what 200 ms can repeat,
		// at whatever speed this machine is.
		began, rows := time.Now(), s.rows(t)
		s.more(t, 500)
		rate := float64(s.rows(t)-rows) / time.Since(began).Seconds()
		most += int(rate*1.5) + 200
		left += leftOut(t, p)
		p.Kill()
		p = s.ready(t)
	}
	s.more(t, 500)
	written := quiet()
	result := s.verify(t)
	left += leftOut(t, p)
	t.Logf("%s; %d kills repeated %d events, %d that came again were left out, bound %d", written, kills, result.Duplicates, left, most)
	if result.Duplicates > kills*lastRequest {
		t.Errorf("%d kills repeated more than a request each", kills)
	}
	if result.Duplicates+left > most {
		t.Errorf("%d events came again after %d kills under a steady load, more than %d", result.Duplicates+left, kills, most)
	}
	stop(t, p)
}
