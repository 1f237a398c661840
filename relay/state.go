package relay

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
	"github.com/walrelay/walrelay/telemetry"
)

// State is what the relay does; see the package comment.
type State string

// The states of a relay, as metrics, /readyz and /status name them.
const (
	StateStarting  State = "starting"
	StateStandby   State = "standby"
	StateSnapshot  State = "snapshot"
	StateStreaming State = "streaming"
	StateBlocked   State = "blocked"
	StateIdle      State = "idle"
	StateStopping  State = "stopping"
)

// States are all of them.
var States = []State{StateStarting, StateStandby, StateSnapshot, StateStreaming, StateBlocked, StateIdle, StateStopping}

// Reason is why a relay is not ready.
type Reason = telemetry.Reason

const (
	// blockedAfter is how long trouble with Kafka lasts before the relay is called
	// blocked: a leader that moves is no blockage.
	blockedAfter = 2 * time.Second
	// silentAfter is when Alive calls the loop dead. Its longest step without a
	// sign of life is bounded by openTimeout.
	silentAfter = 2 * openTimeout
)

// status is the part of Status that is kept; guarded by Relay.mu.
type status struct {
	State               State
	Since               time.Time
	reasons             []Reason
	said                []string // codes of the reasons that the log has since the state changed
	received, confirmed replication.LSN
	reconnects          int
	lastError           string
	lastErrorAt         time.Time
	slot                *SlotStatus
	lag                 int64 // WAL behind the confirmed position, when the slot was last looked at
	snapshot            *SnapshotStatus
}

func (r *Relay) setState(s State) { r.setWaiting(s) }

// setWaiting changes the state and says why it is not streaming.
func (r *Relay) setWaiting(s State, reasons ...Reason) {
	r.mu.Lock()
	changed := r.status.State != s
	if changed {
		r.status.State, r.status.Since, r.status.said = s, time.Now(), nil
	}
	r.status.reasons = reasons
	news := r.status.unsaid()
	r.mu.Unlock()
	if changed {
		r.meter.state(s)
		r.sayState(s, "state changed", news)
	} else if s == StateBlocked && len(news) > 0 {
		r.sayState(s, "blocked for another reason, too", news)
	}
}

// unsaid are the reasons that are none the log has, which gets them now. Each kind is
// new once: a wait that changes between two of them is no news.
func (s *status) unsaid() (news []Reason) {
	for _, reason := range s.reasons {
		if !slices.Contains(s.said, reason.Error) {
			s.said, news = append(s.said, reason.Error), append(news, reason)
		}
	}
	return news
}

// sayState logs a change, loudly when events have stopped flowing.
func (r *Relay) sayState(s State, message string, reasons []Reason) {
	level := zerolog.DebugLevel
	if s == StateBlocked {
		level = zerolog.WarnLevel
	}
	e := r.log.WithLevel(level).Str("state", string(s))
	if len(reasons) > 0 {
		e.Str("reason", reasons[0].Message) // the others are on /readyz
	}
	e.Msg(message)
}

// reasonOf says which side an error is about.
func reasonOf(err error) Reason {
	return reasonFor(Diagnose(err).Side, err, err.Error())
}

// failed notes an error that is waited out.
func (r *Relay) failed(err error, wait time.Duration) {
	reason := reasonOf(err)
	if r.acquired {
		side := reason.Code
		if side != "kafka" {
			side = "postgres" // it is the stream that was lost
		}
		r.meter.reconnect(side)
	}
	r.trouble("stream", "stream lost: reconnecting", err, func(e *zerolog.Event) { e.Stringer("wait", wait.Round(time.Millisecond)) })
	if classify(err) != standBy {
		r.setWaiting(StateStarting, reason) // after the error is listed: who sees the reason finds it
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.acquired {
		r.status.reconnects++
	}
	r.status.lastError, r.status.lastErrorAt = err.Error(), time.Now()
}

// progress shows where the session stands, at every tick. waiting says that
// something is not acknowledged.
func (r *Relay) progress(s *session, now time.Time, waiting bool) {
	r.mu.Lock()
	r.status.received, r.status.confirmed = s.received, s.confirmed
	state := r.status.State
	r.mu.Unlock()
	r.meter.positions(s.received, s.confirmed)
	s.watch.progress.Store(uint64(s.confirmed))
	if state != StateStarting && state != StateStreaming && state != StateBlocked {
		return
	}
	if s.arrived = s.arrived || s.producer.Ready(); !s.arrived {
		r.awaitKafka(s, now)
		return
	}
	if reasons := r.blockage(s, now, waiting); len(reasons) > 0 {
		r.setWaiting(StateBlocked, reasons...)
		return
	}
	r.setState(StateStreaming)
	r.recovered("stream", "stream is back")
}

// awaitKafka says that the stream is open and Kafka has given no producer id yet:
// events would not flow.
func (r *Relay) awaitKafka(s *session, now time.Time) {
	state, reasons := StateStarting, r.kafkaReasons(s.producer)
	if len(reasons) == 0 {
		reasons = []Reason{reasonFor("kafka", &WaitError{"producer id", sink.ErrPending}, "waiting for a producer id from Kafka")}
	}
	if now.Sub(s.began) > blockedAfter {
		state = StateBlocked
	}
	r.setWaiting(state, reasons...)
}

// blockage says why events do not get on, or would not if there were any, once
// that has lasted for a while. A backlog that is being worked off is none.
func (r *Relay) blockage(s *session, now time.Time, waiting bool) []Reason {
	reasons := r.kafkaReasons(s.producer)
	if s.exact != nil {
		reasons = append(reasons, s.exact.reading.reasons()...)
	}
	if waiting = waiting || s.pending.waits; !waiting {
		s.idle = now // who waits for nothing is not kept waiting
	}
	last := r.lastAck(s)
	if last.Before(s.idle) {
		last = s.idle
	}
	quiet := now.Sub(last)
	if len(reasons) == 0 && waiting && quiet > blockedAfter {
		reasons = []Reason{reasonFor("kafka", &WaitError{"kafka", errUnacknowledged}, fmt.Sprintf("no acknowledgement from Kafka for %s: look at its brokers", quiet.Round(time.Second)))}
	}
	switch {
	case len(reasons) == 0:
		s.troubled = time.Time{}
		return nil
	case s.troubled.IsZero():
		s.troubled = now
	}
	if now.Sub(s.troubled) < blockedAfter && quiet < 2*blockedAfter {
		return nil
	}
	return reasons
}

// lastAck is when something was last acknowledged, or the session began.
func (r *Relay) lastAck(s *session) time.Time {
	last := time.Unix(0, r.meter.lastAck.Load())
	if last.Before(s.began) {
		return s.began
	}
	return last
}

// kafkaReasons are what the sink waits for.
func (r *Relay) kafkaReasons(p *sink.Producer) []Reason {
	waits := p.Stats().Waits
	reasons := make([]Reason, 0, len(waits))
	for what, err := range waits {
		if r.aside(r.canary.Topic) && what == fmt.Sprintf("topic %q", r.canary.Topic) {
			continue // no event waits for it
		}
		reasons = append(reasons, reasonFor("kafka", &WaitError{what, err}, fmt.Sprintf("%s: %v", what, err)))
	}
	sort.Slice(reasons, func(i, j int) bool { return reasons[i].Message < reasons[j].Message })
	return reasons
}

// slotSeen takes over a look at the slot.
func (r *Relay) slotSeen(s *replication.SlotState, fullIn, growth *float64) {
	r.meter.slot(s, fullIn)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.lag, r.status.slot = s.Lag(), NewSlotStatus(s, time.Now())
	r.status.slot.FullIn, r.status.slot.Growth = fullIn, growth
}

// unsent are the events received and not acknowledged, and the age of the oldest.
func (r *Relay) unsent() (events int, age time.Duration) {
	p := r.producer.Load()
	if p == nil {
		return 0, 0
	}
	if _, committed, ok := p.Oldest(); ok {
		age = max(0, time.Since(time.UnixMicro(committed)))
	}
	return p.Stats().Unacked, age
}

// Ready says whether events flow, and otherwise why they don't. Any goroutine.
func (r *Relay) Ready() (bool, []Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.State == StateStreaming {
		return true, nil
	}
	if len(r.status.reasons) > 0 {
		return false, slices.Clone(r.status.reasons)
	}
	return false, []Reason{{Code: string(r.status.State), Message: "the relay is " + string(r.status.State)}}
}

// Alive fails when the loop has not moved for long. Any goroutine.
func (r *Relay) Alive() error {
	if quiet := time.Since(r.started) - time.Duration(r.beat.Load()); quiet > silentAfter {
		return fmt.Errorf("the relay's loop has not moved for %s", quiet.Round(time.Second))
	}
	return nil
}
