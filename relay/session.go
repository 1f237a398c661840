package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/walrelay/walrelay/checkpoint"
	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/internal/failpoint"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

const (
	// tickEvery is how often progress is looked at and confirmed.
	tickEvery = 100 * time.Millisecond
	// glanceEvery is the number of frames after which the clock is looked at.
	glanceEvery = 64
	// openTimeout bounds the steps before streaming.
	openTimeout = 30 * time.Second
	// stopPatience is how long a stop waits for the end of the transaction that
	// is being received, and then for Kafka.
	stopPatience = 20 * time.Second
	// goodbyePatience is how long the end of a connection may take after that.
	goodbyePatience = 5 * time.Second
)

var (
	errSilent = errors.New("the server has sent nothing although it was asked to: reconnecting")
	// errRewound: what was taken for a repetition is not one.
	errRewound = errors.New("the server does not send again what it had sent: it was put back to an earlier state, so everything from the slot's position is sent to Kafka")
	// errShutdown: a server that shuts down waits until we have confirmed all of its
	// WAL, or are gone.
	errShutdown = errors.New("the server is shutting down and waits for the stream to end: letting it go")
)

// session is one connection to the slot, from START_REPLICATION to its end.
// Everything in it belongs to the goroutine of Run.
type session struct {
	r        *Relay
	producer *sink.Producer
	stream   *replication.Stream
	tracker  *checkpoint.Tracker
	watch    *watch
	position replication.Position
	resume   resume
	exact    *exactly  // nil with at-least-once
	history  history   // for exact
	look     *lookback // nil once it is over
	began    time.Time

	msg     decoding.Message
	rec     routing.Record
	pending pendingEvent // the event that waits for room

	inTransaction bool
	received      replication.LSN // highest position seen
	confirmed     replication.LSN // as last sent
	replyAsked    bool            // the server wants a status

	frames     int
	pace       pace
	dirty      bool // records were handed over since the last Dispatch
	heard      bool // frames came since the last tick
	lastHeard  time.Time
	nextTick   time.Time
	lastStatus time.Time
	idle       time.Time // when nothing last waited for an acknowledgement
	arrived    bool      // Kafka has given a producer id since the session began
	troubled   time.Time // since when Kafka gives trouble; zero when it does not
	skipped    int       // events of resume
}

// TransactionalID is what the write fence of a slot is taken under, the same for
// all its instances; the relay's principal needs Write and Describe on it.
func TransactionalID(systemID, slot string) string {
	return "walrelay-" + systemID + "-" + slot
}

// stream runs one session; nil means that ctx ended and the stop was graceful.
func (r *Relay) stream(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	r.setState(StateStarting)
	r.acquired = false
	control, position, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	watch := newWatch(r, control)
	defer watch.close()
	snapshot := position.Snapshot
	if snapshot {
		if position, err = r.snapshot(ctx, control); err != nil {
			return err
		}
	}
	if position.Done {
		control.Close()
		return r.idle(ctx)
	}
	stream, err := r.acquire(ctx, control, position)
	if err != nil {
		return err
	}
	r.acquired = true
	confirmed, err := watch.confirmed(ctx)
	if err != nil {
		_ = stream.Close(ctx) // the error to report is the first one
		return err
	}
	s := &session{
		r: r, producer: r.producer.Load(), stream: stream, position: position,
		tracker: checkpoint.New(confirmed), received: confirmed, confirmed: confirmed,
	}
	if r.cfg.Watermark != "" || control.Relieved() {
		r.resume = resume{} // the watermark knows, or the tails of what another instance delivered meanwhile
	}
	if r.resume.systemID == position.SystemID && r.resume.timeline == position.Timeline {
		if r.resume.lsn >= stream.Flushed() {
			r.log.Warn().Stringer("delivered_lsn", r.resume.lsn).Stringer("server_lsn", stream.Flushed()).
				Msg("the server was put back to an earlier state: events that it does not have any more were delivered")
			r.resume = resume{}
		}
		s.resume = r.resume
	}
	r.recent.begin()
	r.recent.budget = recentEvents
	s.look = r.lookBehind(ctx, s, control, snapshot)
	r.decoder.Reset()
	watch.pid = stream.PID()
	r.claimant.Store(watch)
	s.producer.Fence(TransactionalID(position.SystemID, r.cfg.Replication.Slot))
	if r.cfg.Watermark != "" {
		if err := s.exactlyOnce(ctx, control); err != nil {
			_ = stream.Close(ctx) // the error to report is the first one
			return err
		}
		defer s.exact.reading.cancel()
	}
	r.log.Info().Str("slot", r.cfg.Replication.Slot).Str("publication", r.cfg.Replication.Publication).
		Stringer("confirmed_lsn", confirmed).Uint32("walsender_pid", stream.PID()).Msg("streaming")
	s.watch, s.began = watch, time.Now()
	watch.start(confirmed)
	return s.end(ctx, watch, s.run(ctx))
}

// run reads frames until ctx ends at the boundary of a transaction (nil) or
// something fails.
func (s *session) run(ctx context.Context) error {
	wake := context.AfterFunc(ctx, s.stream.Interrupt)
	defer wake()
	if err := s.status(time.Now()); err != nil {
		return err
	}
	s.lastHeard = time.Now()
	s.nextTick = s.lastHeard.Add(tickEvery) // a server may say nothing for long, or for ever
	if s.arrived = s.producer.Ready(); s.arrived {
		s.r.setState(StateStreaming)
	} else {
		s.r.awaitKafka(s, s.lastHeard)
	}
	var stopBy time.Time
	for {
		if ctx.Err() != nil {
			if stopBy.IsZero() {
				stopBy = time.Now().Add(stopPatience)
				s.r.setState(StateStopping)
			}
			if !s.inTransaction || time.Now().After(stopBy) {
				return nil
			}
		}
		if err := s.step(ctx); err != nil {
			return err
		}
	}
}

// step moves by one frame, or by one tick when there is none.
func (s *session) step(ctx context.Context) error {
	if s.pending.waits {
		return s.wait(ctx)
	}
	if s.stream.Buffered() == 0 {
		s.caughtUp()
	}
	frame, err := s.stream.Receive(s.nextTick)
	if err != nil {
		return err
	}
	switch frame.Kind {
	case replication.FrameNone:
		return s.tick(time.Now())
	case replication.FrameKeepalive:
		if err := s.keepalive(frame); err != nil {
			return err
		}
	case replication.FrameXLogData:
		failpoint.Pass(failpoint.AfterReceive)
		if err := s.message(frame); err != nil {
			return err
		}
	}
	s.heard = true
	s.frames++
	s.pace.frames++
	if s.replyAsked || s.frames%glanceEvery == 0 {
		if now := time.Now(); s.replyAsked || !now.Before(s.nextTick) {
			return s.tick(now)
		}
	}
	return nil
}

// caughtUp is called when everything that was read is handed over: the lanes
// learn of it, and the next frames may gather.
func (s *session) caughtUp() {
	if s.dirty {
		s.cutNow()
		s.producer.Dispatch()
		s.dirty = false
	}
	if s.pace.fast(time.Now()) {
		time.Sleep(gatherFor)
	}
}

// keepalive takes the server's position as a boundary. Inside a transaction it
// is not one.
func (s *session) keepalive(f replication.Frame) error {
	s.received = max(s.received, f.ServerWALEnd)
	s.replyAsked = s.replyAsked || f.ReplyRequested
	if s.inTransaction {
		return nil
	}
	return s.boundary(f.ServerWALEnd)
}

// boundary notes a position outside a transaction. While events are skipped none
// counts: that they were delivered is certain only when the last of them is met.
func (s *session) boundary(lsn replication.LSN) error {
	if s.exact != nil {
		return s.exactBoundary(lsn)
	}
	switch {
	case s.skipped == 0 || s.resume.lsn == 0:
		s.tracker.Boundary(lsn)
	case lsn > s.resume.lsn:
		return errRewound
	}
	return nil
}

// message decodes a frame and acts on it.
func (s *session) message(f replication.Frame) error {
	if err := s.r.decoder.Decode(f.Data, &s.msg); err != nil {
		return err
	}
	if s.msg.Kind == decoding.KindCommit {
		if err := soundCommit(f, s.msg.Commit); err != nil {
			return err
		}
	}
	return s.handle()
}

// soundCommit holds against each other the three places where the server says where a
// transaction ends: a position that was changed on the way would move the slot past
// events that were never sent.
func soundCommit(f replication.Frame, c decoding.Commit) error {
	if f.WALStart == c.EndLSN && f.ServerWALEnd == c.EndLSN {
		return nil
	}
	return &decoding.ProtocolError{Kind: 'C', LSN: c.CommitLSN, Detail: fmt.Sprintf(
		"it ends at %s, but came as data of %s with the server at %s: a byte was changed on the way", c.EndLSN, f.WALStart, f.ServerWALEnd)}
}

// handle acts on the message in s.msg; rows of a snapshot come here, too.
func (s *session) handle() error {
	switch s.msg.Kind {
	case decoding.KindBegin:
		s.inTransaction = true
		if s.exact != nil {
			return s.begun()
		}
	case decoding.KindCommit:
		s.inTransaction = false
		s.received = max(s.received, s.msg.Commit.EndLSN)
		return s.boundary(s.msg.Commit.EndLSN)
	case decoding.KindInsert:
		return s.event()
	case decoding.KindUpdate:
		if s.msg.Table != nil && s.msg.Table.Updates {
			return s.update()
		}
	case decoding.KindLogicalMessage:
		return s.sing(&s.msg.Logical)
	case decoding.KindRelation:
		if s.msg.Relation.Table != nil {
			return s.r.bind(&s.msg.Relation)
		}
	}
	return nil
}

// wait sits out that Kafka takes nothing, without leaving PostgreSQL alone.
func (s *session) wait(ctx context.Context) error {
	s.cutNow()
	s.producer.Dispatch()
	timer := time.NewTimer(time.Until(s.nextTick))
	defer timer.Stop()
	select {
	case <-s.producer.Changed():
	case <-timer.C:
	case <-ctx.Done():
		// A stop does not wait for room: what was not handed over is sent again.
		s.pending = pendingEvent{}
		s.inTransaction = false
		return nil
	}
	if err := s.offer(); err != nil {
		return err
	}
	s.heard = true // nothing was read, so nothing can be missed
	if now := time.Now(); !now.Before(s.nextTick) {
		return s.tick(now)
	}
	return nil
}

// tick confirms progress, watches the server and shows how things are.
func (s *session) tick(now time.Time) error {
	s.r.moved()
	s.nextTick = now.Add(tickEvery)
	if s.heard {
		s.heard, s.lastHeard = false, now
		s.r.heard.Store(now.UnixNano())
	}
	s.r.recent.budget = recentEvents
	s.cutNow()
	timeout := s.senderTimeout()
	number, _, ok := s.producer.Oldest()
	confirmable := s.tracker.Confirmable(number, ok)
	if confirmable > s.confirmed || s.replyAsked || now.Sub(s.lastStatus) >= timeout/3 {
		s.confirmed = confirmable
		if err := s.status(now); err != nil {
			return err
		}
	}
	if err := s.producer.Err(); err != nil {
		return s.r.refused(err)
	}
	if alarm := s.watch.alarm.Load(); alarm != nil {
		return *alarm
	}
	s.r.progress(s, now, ok)
	if s.look != nil {
		s.lookAround()
	}
	if s.exact != nil { // without waiting for an event: a restored server is told at once
		if _, err := s.known(); err != nil {
			return err
		}
	}
	if now.Sub(s.lastHeard) > timeout {
		return fmt.Errorf("%w (for %s)", errSilent, now.Sub(s.lastHeard).Round(time.Second))
	}
	return nil
}

// status sends the standby status update. It asks for an answer when the server
// has been quiet, so that silence means something.
func (s *session) status(now time.Time) error {
	ask := !s.lastHeard.IsZero() && now.Sub(s.lastHeard) >= s.senderTimeout()/3
	if err := s.stream.Confirm(s.received, s.confirmed, ask); err != nil {
		return err
	}
	s.lastStatus, s.replyAsked = now, false
	return nil
}

func (s *session) senderTimeout() time.Duration {
	if t := s.r.cfg.Replication.SenderTimeout; t > 0 {
		return t
	}
	return replication.DefaultSenderTimeout
}
