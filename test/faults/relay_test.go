package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/internal/failpoint"
	"github.com/walrelay/walrelay/test/harness"
)

// lateRequest is how many duplicates a kill may leave to at-least-once: what the
// dead relay had under way to the broker and that lands after its successor has
// looked at the ends of the topics. Next to always that is none.
const lateRequest = 25

// relayFaults are the deaths of the relay itself.
func relayFaults() []scenario {
	all := []scenario{
		{name: "kill -9 at any moment", rounds: 10, quick: []delivery{atLeastOnce, exactlyOnce}, stage: killed, repeats: lateRequest},
		{name: "stopped, a standby takes over", rounds: 5, stage: overtaken(func(t *testing.T, s *scene, p *harness.Process) {
			p.Terminate()
			s.mark()
			ended(t, p, 0)
		})},
		{name: "kill -9, a standby takes over", rounds: 5, repeats: lateRequest, stage: overtaken(func(_ *testing.T, s *scene, p *harness.Process) {
			p.Kill()
			s.mark()
		})},
		{name: "frozen, a standby takes over, awake again", rounds: 2, repeats: lateRequest, stage: frozenAndOvertaken},
		{name: "frozen for longer than wal_sender_timeout", rounds: 2, stage: frozenAlone},
	}
	for _, point := range failpoint.Points {
		sc := scenario{name: "kill -9 " + strings.ReplaceAll(string(point), "-", " "), rounds: 5, stage: killedAt(point), repeats: lateRequest}
		switch point {
		case failpoint.BeforeEndTxn:
			sc.deliveries = []delivery{exactlyOnce}
		case failpoint.AfterEndTxn:
			sc.deliveries = []delivery{exactlyOnce}
			sc.quick = sc.deliveries
		case failpoint.AfterProduce:
			sc.quick = []delivery{atLeastOnce}
		}
		all = append(all, sc)
	}
	return all
}

// ended checks how a relay ends.
func ended(t *testing.T, p *harness.Process, code int) {
	t.Helper()
	if got := p.Wait(t, soon); got != code {
		t.Errorf("the relay ended with code %d instead of %d", got, code)
	}
}

func killed(t *testing.T, s *scene) func() {
	return func() {
		s.Relay.Kill()
		s.mark()
		s.start(t)
	}
}

// passes is about the first second or two of the load, in passes of a point.
var passes = map[failpoint.Point]int{
	failpoint.AfterReceive:         4000, // a transaction of three events makes five frames
	failpoint.BeforeProduce:        150,
	failpoint.AfterProduce:         150,
	failpoint.AfterAcknowledgement: 600, // batches of six partitions
	failpoint.BeforeEndTxn:         60,
	failpoint.AfterEndTxn:          60,
	failpoint.BeforeConfirm:        8, // ten times a second
	failpoint.AfterConfirm:         8,
}

// killedAt lets a relay with failpoints take the place of the one that runs, and
// another one that of it, when it is dead.
func killedAt(point failpoint.Point) func(*testing.T, *scene) func() {
	return func(t *testing.T, s *scene) func() {
		tagged := harness.TaggedBinary(t, "failpoints")
		return func() {
			t.Helper()
			s.Relay.Terminate()
			ended(t, s.Relay, 0)
			most := passes[point]
			if !s.full {
				most = most/4 + 1
			}
			s.Program = tagged
			doomed := s.start(t, fmt.Sprintf("%s=%s:%d", failpoint.Variable, point, 1+most/2+rand.IntN(most)))
			ended(t, doomed, -1)
			s.mark()
			s.Program = ""
			s.start(t)
		}
	}
}

// overtaken has a second relay stand by, and lets the first one go.
func overtaken(leave func(*testing.T, *scene, *harness.Process)) func(*testing.T, *scene) func() {
	return func(t *testing.T, s *scene) func() {
		return func() {
			t.Helper()
			first := s.Relay
			s.start(t).WaitLog(t, soon, "standing by")
			leave(t, s, first)
		}
	}
}

// frozenAndOvertaken freezes the active relay; the standby takes over when the
// server has given up the frozen one. That wakes up again while events flow, has to
// find that it is shut out, and stands by.
func frozenAndOvertaken(t *testing.T, s *scene) func() {
	return func() {
		t.Helper()
		first := s.Relay
		second := s.start(t)
		second.WaitLog(t, soon, "standing by")
		first.Pause()
		s.mark()
		took := s.recovered(t)
		s.count(took)
		s.more(t, s.step())
		from := len(first.Log())
		first.Resume()
		says(t, first, from, "standing by")
		first.Terminate()
		ended(t, first, 0)
		s.mark()
	}
}

// frozenAlone freezes the relay until the server has ended its connection.
func frozenAlone(t *testing.T, s *scene) func() {
	return func() {
		t.Helper()
		s.Relay.Pause()
		harness.Eventually(t, patience, "the server gives up the frozen relay", func() bool { return s.walsender(t) == 0 })
		s.Relay.Resume()
		s.mark()
	}
}
