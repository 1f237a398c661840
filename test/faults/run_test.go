package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

const aggregateType = "order"

// load is the shop that goes on through every fault.
func load(s *scene) harness.Workload {
	w := harness.Workload{
		Table: s.Table, AggregateType: aggregateType, Writers: 8, Aggregates: 400, MaxEvents: 5, Padding: 100,
		Rate: 2000, RollbackShare: 0.1, SavepointUndo: 0.1,
	}
	if !s.full {
		w.Rate = 500 // beside other tests, with the race detector
	}
	return w
}

// play is one scenario that is being run.
type play struct {
	*scene
	scenario
	row        row
	recoveries []time.Duration
}

// run plays a scenario with one delivery: load, faults, recovery, the load's end,
// the slot drained, the relay stopped, and the verdict.
func run(t *testing.T, sc scenario, d delivery, result row, full bool) {
	p := &play{scene: &scene{full: full, delivery: d, settings: sc.relay}, scenario: sc, row: result}
	p.row.Verdict = verdictBroken
	if sc.needs != nil {
		if reason := sc.needs(); reason != "" {
			p.row.Verdict, p.row.Note = verdictSkipped, reason
			report(t, p.row)
			harness.Skip(t, reason)
		}
	}
	defer func() {
		p.row.recoveries(p.recoveries)
		if p.note != "" {
			p.row.Note = p.note
		}
		switch {
		case t.Skipped(): // by the stage: what it takes could not be had
			p.row.Verdict = verdictSkipped
		case !t.Failed():
			p.row.Verdict = verdictHeld
			if sc.ending != nil {
				p.row.Verdict = verdictDeclared
			}
			if sc.unpromised {
				p.row.Verdict = verdictNone
			}
		}
		report(t, p.row)
	}()
	fault := sc.stage(t, p.scene)
	p.open(t)
	p.start(t).WaitReady(t, soon)
	quiet := p.background(t)
	if sc.ending != nil {
		p.declared(t, fault, quiet)
		return
	}
	p.faults(t, fault)
	quiet()
	p.drained(t)
	p.Relay.Terminate()
	if code := p.Relay.Wait(t, soon); code != 0 {
		t.Errorf("asked to stop, the relay ended with code %d instead of 0", code)
	}
	p.verify(t)
}

// open makes what the stage left to the framework.
func (p *play) open(t *testing.T) {
	t.Helper()
	if p.DB == nil {
		p.DB = harness.Database(t)
	}
	if p.Kafka == nil {
		p.Kafka = harness.Kafka(t)
	}
	if p.Brokers == nil {
		p.Brokers = p.Kafka.Brokers()
	}
	if p.Addr == "" {
		p.Addr = p.ConnString()
	}
	if p.MakeTopic == nil {
		p.MakeTopic = func(name string) { p.Kafka.CreateTopic(t, name, 6) }
	}
	p.Prefix = harness.TopicPrefix(t)
	p.Table = p.Outbox(t, harness.Debezium)
	p.Topics = []string{p.Prefix + aggregateType}
	p.MakeTopic(p.Topics[0])
	p.watch(t)
}

// background runs the load until the returned function is called, which notes how
// fast it was.
func (p *play) background(t *testing.T) (quiet func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *harness.Written, 1)
	began := time.Now()
	go func() { done <- p.Run(ctx, t, load(p.scene)) }()
	stopped := false
	quiet = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		written := <-done
		p.row.Rate = float64(written.Committed.Load()) / time.Since(began).Seconds()
		t.Logf("load: %s, %.0f events/s", written, p.row.Rate)
	}
	t.Cleanup(quiet)
	return quiet
}

// faults breaks things, round by round, with load before, in and after each.
func (p *play) faults(t *testing.T, fault func()) {
	t.Helper()
	rounds := max(1, p.rounds)
	if !p.full {
		rounds = min(rounds, 2)
	}
	for range rounds {
		p.more(t, p.step())
		p.marked, p.counted = time.Time{}, nil
		fault()
		if p.marked.IsZero() {
			p.mark()
		}
		took := p.recovered(t)
		if p.counted != nil { // the fault knows better
			took = slices.Max(p.counted)
		}
		p.recoveries = append(p.recoveries, took)
		p.row.Rounds++
		t.Logf("round %d: recovered after %s", p.row.Rounds, took.Round(time.Millisecond))
	}
	p.more(t, p.step())
}

// verify judges what is in Kafka and fills the row.
func (p *play) verify(t *testing.T) {
	t.Helper()
	var result harness.Result
	switch {
	case p.judge != nil:
		result = p.judge(t, p.scene)
	case p.delivery == exactlyOnce:
		result = harness.VerifyCommitted(t, p.Kafka, patience, p.Committed(t, p.Prefix, p.Table), p.Topics...)
	default:
		result = harness.Verify(t, p.Kafka, patience, p.Committed(t, p.Prefix, p.Table), p.Topics...)
	}
	p.fill(result)
	if bound := p.repeats * max(1, p.row.Rounds); p.delivery == atLeastOnce && result.Duplicates > bound {
		t.Errorf("%d events are repeated, more than %d: %s", result.Duplicates, bound, result)
	}
}

func (p *play) fill(r harness.Result) {
	p.row.Events, p.row.Lost, p.row.Invented = r.Events, r.Lost, r.Invented
	p.row.Duplicates, p.row.Disorder, p.row.Other = r.Duplicates, r.Disorder, r.Moved+r.Corrupted
}

// declared plays a fault after which the relay can't go on without a gap: it has to
// end and say so, again and again, until a person accepts the gap. What was
// confirmed before and what was committed after that has to be in Kafka.
func (p *play) declared(t *testing.T, fault, quiet func()) {
	t.Helper()
	p.more(t, p.step())
	before := p.ids(t)
	p.drained(t)
	fault()
	p.row.Rounds = 1
	for range 2 { // the end, and a start that must not get by it
		p.endsAs(t)
		p.start(t)
	}
	p.endsAs(t)
	quiet()
	if code, output := p.command(t, "init", "--accept-gap"); code != 0 {
		t.Fatalf("init --accept-gap: exit code %d: %s", code, output)
	}
	accepted := p.ids(t)
	p.start(t).WaitReady(t, soon)
	p.mark()
	quiet = p.background(t)
	p.recovered(t)
	rate := p.row.Rate
	p.more(t, p.step())
	quiet()
	p.row.Rate = rate
	p.drained(t)
	p.Relay.Terminate()
	if code := p.Relay.Wait(t, soon); code != 0 {
		t.Errorf("asked to stop, the relay ended with code %d instead of 0", code)
	}
	p.verifyGap(t, before, accepted)
}

// endsAs waits for the declared end.
func (p *play) endsAs(t *testing.T) {
	t.Helper()
	if code := p.Relay.Wait(t, soon); code != p.ending.code {
		t.Errorf("exit code %d instead of %d", code, p.ending.code)
	}
	for _, words := range append([]string{p.Slot}, p.ending.words...) {
		if !strings.Contains(p.Relay.Output(), words) {
			t.Errorf("it does not say %q:\n%s", words, p.Relay.Output())
		}
	}
}

// ids of all events that are committed.
func (p *play) ids(t *testing.T) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for _, e := range p.Committed(t, p.Prefix, p.Table) {
		ids[e.ID] = true
	}
	return ids
}

// verifyGap: what is not in Kafka was committed after before, and is in accepted.
func (p *play) verifyGap(t *testing.T, before, accepted map[string]bool) {
	t.Helper()
	records := p.Kafka.ReadAll(t, p.Topics...)
	if p.delivery == exactlyOnce {
		records = p.Kafka.ReadCommitted(t, p.Topics...)
	}
	arrived := map[string]bool{}
	for _, r := range records {
		for _, h := range r.Headers {
			if h.Key == "id" {
				arrived[string(h.Value)] = true
			}
		}
	}
	all := p.Committed(t, p.Prefix, p.Table)
	missing := 0
	kept := slices.DeleteFunc(slices.Clone(all), func(e harness.Event) bool {
		gap := !arrived[e.ID] && accepted[e.ID] && !before[e.ID]
		if gap {
			missing++
		}
		return gap
	})
	verify := harness.Verify
	if p.delivery == exactlyOnce {
		verify = harness.VerifyCommitted
	}
	result := verify(t, p.Kafka, patience, kept, p.Topics...)
	result.Events += missing
	p.fill(result)
	p.row.Gap = missing
	p.row.Note = fmt.Sprintf("ends with exit code %d and %s; nothing is missing but the gap that it declares", p.ending.code, quotedAll(p.ending.words))
}

func quotedAll(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = fmt.Sprintf("%q", word)
	}
	return strings.Join(quoted, ", ")
}
