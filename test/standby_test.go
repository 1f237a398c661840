package test_test

import (
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// TestStandby: of two relays of one slot one works and the other waits, and
// takes over when the first stops, dies, or loses its connection.
func TestStandby(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	active := s.ready(t)
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 2 * time.Millisecond})
	s.more(t, 200)
	for _, gone := range []struct {
		name string
		end  func()
	}{
		{"stopped", func() { stop(t, active) }},
		{"killed", func() { active.Kill() }},
	} {
		standby := s.start(t)
		waitReason(t, standby, "standby")
		standby.WaitLog(t, soon, "standing by")
		if standing := scrape(t, standby).value("walrelay_state", `state="standby"`); standing != 1 {
			t.Errorf("walrelay_state says standby %g", standing)
		}
		s.more(t, 200)
		began := time.Now()
		gone.end()
		standby.WaitReady(t, soon)
		t.Logf("took over %s after the other was %s", time.Since(began).Round(time.Millisecond), gone.name)
		active = standby
		s.more(t, 200)
	}
	quiet()
	result := s.verify(t)
	t.Logf("one kill repeated %d events", result.Duplicates)
	s.drained(t)
	stop(t, active)
}

// TestNoWait: a relay that is told not to wait leaves with code 5, and leaves
// the active one alone.
func TestNoWait(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	active := s.ready(t)
	options := s.options()
	options.Args = []string{"run", "--no-wait"}
	p := harness.Relay(t, options)
	ended(t, p, 5)
	mustSay(t, p.Output(), "another instance")
	s.one(t, 1)
	s.expect(t, 1)
	stop(t, active)
	p = harness.Relay(t, options) // nobody is there now
	p.WaitReady(t, soon)
	stop(t, p)
}

// TestFrozenRelay: a relay that is frozen for longer than its walsender lives,
// while another takes over, does no harm when it wakes up.
func TestFrozenRelay(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	short := "WALRELAY_POSTGRES_WAL_SENDER_TIMEOUT=2s"
	first := s.ready(t, short)
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 2 * time.Millisecond})
	s.more(t, 500)
	second := s.start(t, short)
	waitReason(t, second, "standby")
	first.Pause()
	second.WaitReady(t, soon)
	s.more(t, 500)
	s.drained(t)
	first.Resume()
	harness.Eventually(t, soon, "the first instance stands by or has given way", func() bool {
		return first.Ended() || containsAll(reasons(t, first), "standby")
	})
	s.more(t, 500)
	quiet()
	result := s.verify(t)
	t.Logf("duplicates %d", result.Duplicates)
	stop(t, second)
	first.WaitReady(t, soon) // it takes over again
	stop(t, first)
}
