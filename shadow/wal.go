package shadow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
)

// tickEvery is how often progress is confirmed and waiting records are looked at.
const tickEvery = 100 * time.Millisecond

var errSilent = errors.New("the server has sent nothing although it was asked to")

// source reads the slot and turns its rows into the records that walrelay would
// write. One goroutine's.
type source struct {
	cfg     *Config
	stream  *replication.Stream
	decoder *decoding.Decoder
	routers []*routing.Router
	timed   []int // per table: place of the timestamp's column in Event.Extra, -1: none
	take    func(*record)

	msg           decoding.Message
	rec           routing.Record
	inTransaction bool
	received      replication.LSN
	confirmed     replication.LSN // the last boundary
	heard         time.Time
	lastStatus    time.Time
}

func newSource(cfg *Config, routers []*routing.Router, tables []decoding.Table) *source {
	s := &source{cfg: cfg, decoder: decoding.New(tables), routers: routers}
	for i := range tables {
		s.timed = append(s.timed, timestampPlace(routers[i], cfg.Tables[i].Rules.Timestamp))
	}
	return s
}

// timestampPlace finds the column that gives the timestamp.
func timestampPlace(router *routing.Router, name string) int {
	for i, x := range router.Extra() {
		if name != "" && (x.Column == name || `"`+strings.ReplaceAll(x.Column, `"`, `""`)+`"` == name) {
			return i
		}
	}
	return -1
}

// run reads until ctx ends (nil) or something fails. Everything read is confirmed:
// nobody needs it again.
func (s *source) run(ctx context.Context) error {
	wake := context.AfterFunc(ctx, s.stream.Interrupt)
	defer wake()
	s.heard = time.Now()
	if err := s.status(s.heard); err != nil {
		return err
	}
	next := s.heard.Add(tickEvery)
	for ctx.Err() == nil {
		frame, err := s.stream.Receive(next)
		if err != nil {
			return err
		}
		asked := false
		switch frame.Kind {
		case replication.FrameKeepalive:
			asked = frame.ReplyRequested
			s.received = max(s.received, frame.ServerWALEnd)
			if !s.inTransaction {
				s.confirmed = max(s.confirmed, frame.ServerWALEnd)
			}
		case replication.FrameXLogData:
			if err := s.message(ctx, frame.Data); err != nil {
				return err
			}
		}
		now := time.Now()
		if frame.Kind != replication.FrameNone {
			s.heard = now
		}
		if asked || !now.Before(next) {
			next = now.Add(tickEvery)
			if err := s.tick(now, asked); err != nil {
				return err
			}
		}
	}
	return nil
}

// tick confirms what was read, and notices a server that is silent.
func (s *source) tick(now time.Time, asked bool) error {
	timeout := s.cfg.Replication.SenderTimeout
	if timeout <= 0 {
		timeout = replication.DefaultSenderTimeout
	}
	if now.Sub(s.heard) > timeout {
		return fmt.Errorf("%w (for %s)", errSilent, now.Sub(s.heard).Round(time.Second))
	}
	if asked || now.Sub(s.lastStatus) >= min(time.Second, timeout/3) {
		return s.status(now)
	}
	return nil
}

func (s *source) status(now time.Time) error {
	s.lastStatus = now
	return s.stream.Confirm(s.received, s.confirmed, now.Sub(s.heard) > time.Second)
}

// message decodes a frame and hands on the event in it.
func (s *source) message(ctx context.Context, data []byte) error {
	if err := s.decoder.Decode(data, &s.msg); err != nil {
		return &stopError{err}
	}
	switch s.msg.Kind {
	case decoding.KindBegin:
		s.inTransaction = true
	case decoding.KindCommit:
		s.inTransaction = false
		s.confirmed = max(s.confirmed, s.msg.Commit.EndLSN)
		s.received = max(s.received, s.confirmed)
	case decoding.KindInsert:
		return s.event()
	case decoding.KindUpdate:
		if s.msg.Table != nil && s.msg.Table.Updates {
			return s.update()
		}
	case decoding.KindRelation:
		if rel := &s.msg.Relation; rel.Table != nil {
			return relay.Bind(ctx, s.cfg.Replication, s.routers[rel.Table.Index], rel)
		}
	}
	return nil
}

// stopError is what the relay would stop at, and this with it.
type stopError struct{ err error }

func (e *stopError) Error() string { return "walrelay would stop here: " + e.err.Error() }

func (e *stopError) Unwrap() error { return e.err }

// update takes an UPDATE of an outbox row as the relay does.
func (s *source) update() error {
	e := &s.msg.Event
	if s.routers[e.Table.Index].KeyChanged(e) {
		return s.event()
	}
	if s.cfg.Tables[e.Table.Index].Updates == relay.UpdateStop {
		r := s.newRecord(e)
		r.id, r.refused = string(e.ID.Data), (&relay.UpdateError{Table: e.Table.String(), LSN: e.CommitLSN}).Error()
		s.take(r)
	}
	return nil
}

func (s *source) newRecord(e *decoding.Event) *record {
	return &record{partition: -1, byKey: -1, lsn: e.CommitLSN, table: e.Table.String(), seen: time.Now()}
}

// event makes the record of the event in msg.
func (s *source) event() error {
	e := &s.msg.Event
	r := s.newRecord(e)
	err := s.routers[e.Table.Index].Route(e, &s.rec)
	var poison *routing.Poison
	switch {
	case errors.As(err, &poison):
		r.refused, r.id = poison.Reason+": "+poison.Detail, string(e.ID.Data)
		r.topic = s.rec.Topic
		if poison.Reason == routing.ReasonIllegalTopic || poison.Reason == routing.ReasonNullAggregateType {
			r.topic = "" // it has none: what stands there is an earlier event's
		}
	case err != nil:
		return &stopError{err}
	default:
		s.fill(r, e)
	}
	s.take(r)
	return nil
}

// fill turns the routed record into one to compare. Its bytes are borrowed.
func (s *source) fill(r *record, e *decoding.Event) {
	r.topic, r.partition, r.timestamp = s.rec.Topic, s.rec.Partition, s.rec.Timestamp
	r.key, r.value = newPart(s.rec.Key), newPart(s.rec.Value)
	r.headers = make([]header, len(s.rec.Headers))
	for i, h := range s.rec.Headers {
		r.headers[i] = header{h.Key, newPart(h.Value)}
	}
	var ok bool
	if r.id, ok = event(r.headers); !ok && !e.ID.Null {
		r.id = string(e.ID.Data) // the configuration leaves the header out
	}
	if at := s.timed[e.Table.Index]; at >= 0 && at < len(e.Extra) {
		r.timed = !e.Extra[at].Null
	}
	r.fingerprint()
}
