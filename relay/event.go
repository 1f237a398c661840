package relay

import (
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// pendingEvent is the event in session.msg that the sink had no room for. The
// frame it points into stays valid because nothing is received meanwhile.
type pendingEvent struct {
	waits bool
	meta  sink.Meta
	// poison is set once the record on offer is the event's dead letter.
	poison *routing.Poison
}

// event takes the INSERT in s.msg on its way.
func (s *session) event() error {
	e := &s.msg.Event
	if s.resume.covers(e.CommitLSN, e.Index) {
		s.skipped++
		if s.exact == nil && s.resume.lsn == e.CommitLSN && s.resume.index == e.Index {
			if s.resume.xid != e.XID || !s.resume.committed.Equal(e.CommitTime) {
				return errRewound
			}
			s.resume = resume{} // the last one: this is the history that we know
		}
		return nil
	}
	if s.skipped > 0 && s.resume.lsn != 0 && s.exact == nil {
		return errRewound
	}
	err := s.r.routers[e.Table.Index].Route(e, &s.rec)
	s.pending = pendingEvent{meta: sink.Meta{
		Number: s.tracker.Numbered(), Committed: e.CommitTime.UnixMicro(), Type: s.r.meter.label(e.EventType.Data),
	}}
	if err != nil {
		return s.poisoned(err)
	}
	switch {
	case s.exact != nil && s.rec.Topic == s.r.cfg.Watermark:
		return &ConfigError{fmt.Errorf("an event of %s goes to %q, which is kafka.watermark_topic: give the watermark a topic of its own", e.Table, s.rec.Topic)}
	case s.r.canary.on() && s.rec.Topic == s.r.canary.Topic:
		return &ConfigError{fmt.Errorf("an event of %s goes to %q, which is canary.topic: give the canary a topic of its own", e.Table, s.rec.Topic)}
	}
	return s.offer()
}

// update takes the UPDATE of an outbox row in s.msg: a new primary key makes it an
// event again where the rules say so, any other is what the policy says.
func (s *session) update() error {
	e := &s.msg.Event
	table := &s.r.cfg.Tables[e.Table.Index]
	if s.r.routers[e.Table.Index].KeyChanged(e) {
		return s.event()
	}
	switch table.Updates {
	case UpdateWarn:
		s.r.log.Warn().Stringer("table", e.Table).Stringer("lsn", e.CommitLSN).Msg("UPDATE of an outbox row makes no event")
	case UpdateStop:
		return &UpdateError{Table: e.Table.String(), LSN: e.CommitLSN}
	}
	return nil
}

// offer hands the record to the sink, or lets it wait.
func (s *session) offer() error {
	s.pending.waits = false
	if s.exact != nil {
		switch known, err := s.known(); {
		case err != nil:
			return err
		case !known:
			s.pending.waits = true
			return nil
		case s.resume.covers(s.msg.Event.CommitLSN, s.msg.Event.Index):
			s.skipped++
			return nil
		}
	}
	if s.look != nil {
		switch s.lookBack() {
		case lookWait:
			s.pending.waits = true
			return nil
		case lookDelivered:
			s.handled()
			return nil
		}
	}
	err := s.producer.Produce(&s.rec, s.pending.meta)
	switch {
	case err == nil:
		if s.r.recent.budget > 0 {
			s.r.recent.note(&s.msg.Event, &s.rec, s.pending.meta.Number, s.r.meter.name(s.pending.meta.Type), s.r.keyed[s.msg.Event.Table.Index])
		}
		s.r.lastNumber = s.pending.meta.Number
		s.tracker.Next()
		s.handled()
		s.dirty = true
		return nil
	case errors.Is(err, sink.ErrFull), errors.Is(err, sink.ErrPending):
		s.pending.waits = true
		return nil
	}
	return s.poisoned(err)
}

// handled notes that the event in s.msg is the sink's, or skipped, so that a new
// connection does not take it again.
func (s *session) handled() {
	e := &s.msg.Event
	s.r.resume = resume{s.position.SystemID, s.position.Timeline, e.CommitLSN, e.Index, e.XID, e.CommitTime}
}

// poisoned applies the policy to an event that Kafka can never take. Any other
// error is the session's end.
func (s *session) poisoned(err error) error {
	if fatal := s.producer.Err(); fatal != nil {
		return s.r.refused(fatal) // of an earlier event, not of this one
	}
	var p *routing.Poison
	if !errors.As(err, &p) {
		return err
	}
	e := &s.msg.Event
	s.r.meter.failure(s.rec.Topic, s.pending.meta.Type, p.Reason)
	describe := s.describe(e, p)
	switch s.r.cfg.OnPoison {
	case PoisonSkip:
		s.r.log.Error().EmbedObject(poisonFields{describe}).Msg("event skipped: Kafka can never take it")
		s.handled()
		return nil
	case PoisonDeadLetter:
		if s.pending.poison == nil {
			s.r.log.Warn().EmbedObject(poisonFields{describe}).Str("dead_letter_topic", s.r.cfg.DeadLetterTopic).Msg("event goes to the dead-letter topic: Kafka can never take it")
			s.pending.poison = p
			s.deadLetter(e, p, true)
			return s.offer()
		}
		if s.rec.Value != nil && p.Reason == routing.ReasonTooLarge {
			s.deadLetter(e, s.pending.poison, false) // too large for that topic too: without payload
			return s.offer()
		}
		return &DeadLetterError{s.r.cfg.DeadLetterTopic, describe}
	}
	return describe
}

// describe says which event it is. It names the key, never the payload.
func (s *session) describe(e *decoding.Event, p *routing.Poison) *PoisonError {
	return &PoisonError{
		ID: string(e.ID.Data), EventType: string(e.EventType.Data), Key: string(e.AggregateID.Data),
		Table: e.Table.String(), LSN: e.CommitLSN, Topic: s.rec.Topic, Reason: p.Reason, Detail: p.Detail,
	}
}

// Headers of a dead letter, behind the record's own.
const (
	headerReason = "walrelay-dead-letter-reason"
	headerDetail = "walrelay-dead-letter-detail"
	headerTopic  = "walrelay-dead-letter-topic" // where it should have gone
	headerTable  = "walrelay-dead-letter-table"
	headerLSN    = "walrelay-dead-letter-lsn"
	headerID     = "walrelay-dead-letter-event-id"
)

// deadLetter turns s.rec into the event's dead letter: the original key, value
// and headers as far as they could be made, and headers that say why. Without
// payload the value is null and the key is left out when it is what is too large.
func (s *session) deadLetter(e *decoding.Event, p *routing.Poison, payload bool) {
	topic := s.rec.Topic
	routed := p.Reason == routing.ReasonTooLarge
	if !routed {
		// The router gave up on the way: take what the row itself has.
		s.rec = routing.Record{Key: e.AggregateID.Data, Value: e.Payload.Data, Timestamp: e.CommitTime.UnixMilli(), Headers: []routing.Header{{Key: "id", Value: e.ID.Data}}}
		topic = ""
	}
	if !payload {
		const smallKey = 1 << 10
		topic = ""
		s.rec.Value = nil
		s.rec.Headers = []routing.Header{{Key: "id", Value: e.ID.Data}}
		if len(s.rec.Key) > smallKey {
			s.rec.Key = nil
		}
	}
	s.rec.Topic, s.rec.Partition = s.r.cfg.DeadLetterTopic, -1
	s.rec.Headers = append(s.rec.Headers, deadLetterHeaders(p, topic, e.Table.String(), e.CommitLSN.String(), string(e.ID.Data))...)
}

func deadLetterHeaders(p *routing.Poison, topic, table, lsn, id string) []routing.Header {
	headers := []routing.Header{
		{Key: headerReason, Value: []byte(p.Reason)},
		{Key: headerDetail, Value: []byte(p.Detail)},
	}
	for _, h := range []struct{ key, value string }{{headerTopic, topic}, {headerTable, table}, {headerLSN, lsn}, {headerID, id}} {
		if h.value != "" {
			headers = append(headers, routing.Header{Key: h.key, Value: []byte(h.value)})
		}
	}
	return headers
}

// rejected applies the policy to a record that the broker refused for what it
// is, although the sink had thought it sendable.
func (r *Relay) rejected(j sink.Rejection) sink.Remedy {
	detail := fmt.Sprintf("topic %q partition %d refused it: %v", j.Record.Topic, j.Partition, j.Err)
	if j.Reason == routing.ReasonTooLarge {
		detail = fmt.Sprintf("topic %q partition %d refused its %d bytes (max.message.bytes %d): %v", j.Record.Topic, j.Partition, j.Size, j.Limit, j.Err)
	}
	p := &routing.Poison{Reason: j.Reason, Detail: detail}
	if r.aside(j.Record.Topic) {
		r.canary.over()
		r.trouble("canary", "canary refused: events flow all the same", &WaitError{"canary", p}, nil)
		return sink.Remedy{}
	}
	r.meter.failure(j.Record.Topic, unknownType, p.Reason)
	id := ""
	for _, h := range j.Record.Headers {
		if h.Key == "id" {
			id = string(h.Value)
		}
	}
	say := func(message string) {
		r.log.Error().Str("event_id", id).Str("key", string(j.Record.Key)).Str("topic", j.Record.Topic).
			Str("reason", p.Reason).Int("bytes", j.Size).AnErr("cause", j.Err).Msg(message)
	}
	switch {
	case r.cfg.OnPoison == PoisonSkip:
		say("event skipped: the broker can never take it")
		return sink.Remedy{}
	case r.cfg.OnPoison == PoisonDeadLetter && j.Record.Topic != r.cfg.DeadLetterTopic:
		say("event goes to the dead-letter topic: the broker can never take it")
		return sink.Remedy{Instead: r.brokerDeadLetter(j, p, id)}
	}
	r.refusal.Store(&PoisonError{ID: id, Key: string(j.Record.Key), Topic: j.Record.Topic, Reason: p.Reason, Detail: p.Detail})
	return sink.Remedy{Stop: true}
}

// refused is the error that ended the producer, with the name of the event when
// it is a broker's refusal: the sink knows records only.
func (r *Relay) refused(fatal error) error {
	var p *routing.Poison
	if refusal := r.refusal.Load(); refusal != nil && errors.As(fatal, &p) {
		return refusal
	}
	return fatal
}

func (r *Relay) brokerDeadLetter(j sink.Rejection, p *routing.Poison, id string) *routing.Record {
	rec := j.Record
	rec.Headers = append(append([]routing.Header(nil), rec.Headers...), deadLetterHeaders(p, rec.Topic, "", "", id)...)
	rec.Topic, rec.Partition = r.cfg.DeadLetterTopic, -1
	switch p.Reason {
	case routing.ReasonTooLarge:
		rec.Value = nil
	case routing.ReasonInvalidTimestamp: // that topic would most likely refuse it, too
		rec.Timestamp = time.Now().UnixMilli()
	}
	return &rec
}

// poisonFields puts an event that Kafka can never take into the log.
type poisonFields struct{ *PoisonError }

func (f poisonFields) MarshalZerologObject(e *zerolog.Event) {
	e.Str("event_id", f.ID).Str("event_type", f.EventType).Str("key", f.Key).Str("table", f.Table).
		Stringer("lsn", f.LSN).Str("topic", f.Topic).Str("reason", f.Reason).Str("detail", f.Detail)
}
