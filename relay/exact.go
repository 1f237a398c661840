package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// Exactly-once: the events of a transaction of Kafka and the watermark, which says
// up to which row they go, are committed together. A start reads the watermark and
// leaves out what is at or before it:
//
//	slot taken ─▶ producer id taken (a former instance's transaction is over) ─▶ watermark read
//	           ─▶ rows up to it left out ─▶ events … Cut(watermark) ─▶ committed ─▶ LSN confirmed
//
// The slot may send again from before the watermark, never from behind what is not
// committed. A position only means something in the history it is from, so a start
// stops with a gap where that can't be told: see judge.

// watermark is how far a slot's events are committed in Kafka: the row with this
// index (replication counts all rows of a transaction, whatever becomes of them) in
// the transaction that commits at LSN.
type watermark struct {
	System   string          `json:"system_identifier"`
	Timeline int32           `json:"timeline"` // the server's; the row may be of an ancestor
	Slot     string          `json:"slot"`
	LSN      replication.LSN `json:"-"`
	Text     string          `json:"lsn"`
	XID      uint32          `json:"xid"` // 0: a position before the slot's first event
	// Committed is when, by the server's clock: what tells the transaction from another
	// one that a restored server gives the same LSN and xid.
	Committed time.Time `json:"committed"`
	Index     int       `json:"index"`
	// Publication is what Index was counted with.
	Publication string `json:"publication"`
	// Generation is that of the marker (replication.ExactlyOnce).
	Generation int `json:"generation"`
}

// SinkConfig is cfg.Sink with what exactly-once adds to it.
func SinkConfig(cfg Config) sink.Config {
	c := cfg.Sink
	if cfg.Watermark == "" {
		return c
	}
	c.Transactions = true
	c.Own = map[string]sink.TopicCreation{cfg.Watermark: {Partitions: 1, ReplicationFactor: -1, Config: map[string]string{
		"cleanup.policy": "compact", "segment.bytes": "1048576", "segment.ms": "3600000", "min.cleanable.dirty.ratio": "0.1",
		// Markers of transactions are kept as long as tombstones, a day by default.
		"delete.retention.ms": "600000",
	}}}
	return c
}

// watermarkKey is the key of a slot's watermark.
func watermarkKey(systemID, slot string) string { return systemID + "/" + slot }

// record is the watermark as it stands in its topic.
func (w watermark) record(topic string) (routing.Record, error) {
	w.Text = w.LSN.String()
	value, err := json.Marshal(w)
	if err != nil {
		return routing.Record{}, fmt.Errorf("encode the watermark: %w", err)
	}
	return routing.Record{Topic: topic, Partition: 0, Key: []byte(watermarkKey(w.System, w.Slot)), Value: value, Timestamp: time.Now().UnixMilli()}, nil
}

// parseWatermark reads what record wrote.
func parseWatermark(value []byte) (*watermark, error) {
	var w watermark
	if err := json.Unmarshal(value, &w); err != nil {
		return nil, fmt.Errorf("read the watermark: %w", err)
	}
	lsn, err := replication.ParseLSN(w.Text)
	if err != nil || lsn == 0 {
		return nil, fmt.Errorf("read the watermark: lsn %q", w.Text)
	}
	w.LSN = lsn
	return &w, nil
}

// history is what a watermark is judged against.
type history struct {
	timeline int32
	flushed  replication.LSN // the server's WAL reached at least there after the slot was taken
	marker   replication.ExactlyOnce
	// switched gives where this server's history left another timeline.
	switched func(timeline int32) (replication.LSN, error)
}

// untold is the gap of a start that can't tell from w, nil for none, what is delivered.
func untold(slot string, w *watermark, reason string, values ...any) *replication.GapError {
	gap := &replication.GapError{
		Slot: slot, Reason: "exactly-once can't tell what is delivered: " + fmt.Sprintf(reason, values...),
		Advice: "compare the outbox with Kafka, publish what is missing by other means or accept repeats, then run `walrelay init --accept-gap`",
	}
	if w != nil {
		gap.From = w.LSN
	}
	return gap
}

// judge says from which watermark a start may go on; nil is the beginning of the
// slot. The error is a *replication.GapError where that can't be known.
func judge(w *watermark, h history, slot, topic string) (*watermark, error) {
	gap := func(reason string, values ...any) error { return untold(slot, w, reason, values...) }
	if w != nil && w.Generation > h.marker.Generation {
		return nil, gap("topic %q holds a watermark of this slot at %s that is newer than what the database knows: it was put back to an earlier state", topic, w.LSN)
	}
	if w != nil && w.Generation < h.marker.Generation {
		w = nil // from before a gap that a person has accepted
	}
	switch {
	case w == nil && h.marker.State == replication.ExactlyOnceRunning:
		return nil, gap("it has run for this slot, but topic %q holds no watermark of it any more", topic)
	case w == nil, w.XID == 0: // nothing is delivered
		return nil, nil
	case h.marker.State == replication.ExactlyOnceNever:
		return nil, gap("topic %q holds a watermark of this slot at %s, but the database does not know that it ever ran: it was put back to an earlier state, or walrelay.marker was made anew", topic, w.LSN)
	case w.Timeline == h.timeline && w.LSN >= h.flushed:
		return nil, gap("events up to %s are delivered, and the server's WAL ends at %s: it was put back to an earlier state", w.LSN, h.flushed)
	case w.Timeline > h.timeline:
		return nil, gap("the watermark is from timeline %d, and the server is on %d: it was put back to an earlier state, or is a primary of before a failover", w.Timeline, h.timeline)
	case w.Timeline < h.timeline:
		left, err := h.switched(w.Timeline)
		if errors.Is(err, replication.ErrNoAncestor) {
			return nil, gap("the watermark is from timeline %d, and this server, on %d, has never been on that (%v)", w.Timeline, h.timeline, err)
		}
		if err != nil {
			return nil, err
		}
		// Both are where a record begins, and the one that begins at left is another one.
		if w.LSN >= left {
			return nil, gap("events up to %s of timeline %d are delivered, and this server has left that timeline at %s (failover or restore): it lacks some of them, and has others under their positions", w.LSN, w.Timeline, left)
		}
	}
	return w, nil
}

// exactly is what exactly-once adds to a session.
type exactly struct {
	reading *watermarkReader
	from    replication.LSN // the slot's position: the server sends what commits there or behind it
	mark    *watermark      // nil: the slot's beginning
	judged  bool
	passed  replication.LSN // a position before the first event, from before it was judged
	met     bool            // the watermark's transaction came again, or need not
}

// known says whether the watermark is there, so that the event in s.msg can be
// judged. While it is not the event waits.
func (s *session) known() (bool, error) {
	x := s.exact
	if x.judged {
		return true, nil
	}
	found, err, ok := x.reading.result()
	switch {
	case !ok:
		return false, nil
	case err != nil:
		return false, err
	}
	if x.mark, err = judge(found, s.history, s.r.cfg.Replication.Slot, s.r.cfg.Watermark); err != nil {
		return false, err
	}
	x.judged = true
	return true, s.goOn()
}

// goOn begins to leave out what is delivered. The server sends again what commits
// at the slot's position or behind it (PostgreSQL's SnapBuildXactNeedsSkip), so the
// watermark's own transaction is among that, or all of it is behind the watermark.
func (s *session) goOn() error {
	x := s.exact
	if x.mark == nil || x.mark.LSN < x.from {
		x.met = true
		if x.passed > 0 {
			s.tracker.Boundary(x.passed)
		}
		return nil
	}
	if x.mark.Publication != s.r.cfg.Replication.Publication {
		gap := untold(s.r.cfg.Replication.Slot, x.mark, "rows of the transaction %d are counted with publication %q, and the configuration names %q", x.mark.XID, x.mark.Publication, s.r.cfg.Replication.Publication)
		gap.Advice = "name the former publication again, start and stop the relay once in good order, then change it"
		return gap
	}
	s.resume = resume{x.mark.System, s.position.Timeline, x.mark.LSN, x.mark.Index, x.mark.XID, x.mark.Committed}
	s.r.log.Info().Stringer("watermark_lsn", x.mark.LSN).Int("index", x.mark.Index).Msg("exactly-once goes on behind the watermark")
	if !s.inTransaction {
		return nil
	}
	return s.begun()
}

// begun compares a transaction that begins with the watermark's, which has to come
// again itself: where others are in its place the history is another one.
func (s *session) begun() error {
	x := s.exact
	if !x.judged || x.met {
		return nil
	}
	switch b := &s.msg.Begin; {
	case b.FinalLSN < x.mark.LSN:
		return nil
	case b.FinalLSN == x.mark.LSN && b.XID == x.mark.XID && b.CommitTime.Equal(x.mark.Committed):
		x.met = true
		return nil
	}
	return s.otherHistory()
}

func (s *session) otherHistory() error {
	m := s.exact.mark
	return untold(s.r.cfg.Replication.Slot, m, "the server does not send the transaction %d again that committed at %s (%s), its history is another one: it was put back to an earlier state", m.XID, m.LSN, m.Committed.UTC().Format(time.RFC3339Nano))
}

// exactBoundary notes a position outside a transaction. None counts before the
// watermark's own transaction has proven the history: the slot's position is part of
// the evidence, and a confirmed one would move it.
func (s *session) exactBoundary(lsn replication.LSN) error {
	x := s.exact
	switch {
	case !x.judged:
		x.passed = lsn
	case x.met:
		s.tracker.Boundary(lsn)
		if s.resume.lsn != 0 && lsn > s.resume.lsn {
			s.resume = resume{}
		}
	case lsn > x.mark.LSN:
		return s.otherHistory()
	}
	return nil
}

// watermarkAgain is the present watermark as a record, which goes to Kafka as a
// canary; nil while it is not known. Before the first event it stands at the
// canary's own transaction.
func (s *session) watermarkAgain() (*routing.Record, error) {
	switch known, err := s.known(); {
	case err != nil || !known:
		return nil, err
	case s.r.resume.lsn != 0:
	case s.exact.mark != nil:
		m := s.exact.mark
		s.r.resume = resume{s.position.SystemID, m.Timeline, m.LSN, m.Index, m.XID, m.Committed}
	default:
		s.r.resume = resume{s.position.SystemID, s.position.Timeline, s.msg.Begin.FinalLSN, -1, 0, s.msg.Begin.CommitTime}
	}
	s.r.lastNumber = s.tracker.Numbered()
	rec, err := s.r.watermark().record(s.r.cfg.Watermark)
	return &rec, err
}

// watermark is that of what was handed over last.
func (r *Relay) watermark() watermark {
	at := r.resume
	return watermark{Generation: r.generation, System: at.systemID, Timeline: at.timeline, Slot: r.cfg.Replication.Slot, LSN: at.lsn, XID: at.xid, Committed: at.committed, Index: at.index, Publication: r.cfg.Replication.Publication}
}

// cut ends the transaction of Kafka with what was handed over last.
func (r *Relay) cut() error {
	if r.cfg.Watermark == "" || r.resume.lsn == 0 {
		return nil
	}
	rec, err := r.watermark().record(r.cfg.Watermark)
	if err != nil {
		return err
	}
	r.producer.Load().Cut(&rec, sink.Meta{Number: r.lastNumber, Committed: time.Now().UnixMicro()})
	return nil
}

// cutNow is cut for the loop, where an error would be one of the encoder.
func (s *session) cutNow() {
	if s.exact == nil {
		return
	}
	if err := s.r.cut(); err != nil {
		s.r.trouble("watermark", "kafka: can't write the watermark", err, nil)
	}
}

// exactlyOnce begins to read the watermark, and lets the marker know that one may
// be written from now on.
func (s *session) exactlyOnce(ctx context.Context, control *replication.Control) error {
	step, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	marker, err := control.BeginExactlyOnce(step)
	if err != nil {
		return err
	}
	s.r.generation = marker.Generation
	s.exact = &exactly{from: s.confirmed, reading: s.r.readWatermark(ctx, s.producer, s.position.SystemID)}
	s.history = history{
		timeline: s.position.Timeline, flushed: marker.Flushed, marker: marker,
		switched: func(timeline int32) (replication.LSN, error) {
			step, cancel := context.WithTimeout(ctx, askTimeout)
			defer cancel()
			return replication.TimelineSwitch(step, s.r.cfg.Replication, s.position, timeline)
		},
	}
	return nil
}

// exactlyOnceRuns lets the marker know of the first watermark that was committed.
func (w *watch) exactlyOnceRuns(ctx context.Context) {
	if w.r.cfg.Watermark == "" || w.runs || w.r.meter.lastAck.Load() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if !w.connected(ctx) {
		return
	}
	if err := w.control.ExactlyOnceRuns(ctx); err != nil {
		w.trouble(ctx, "write marker", err)
		return
	}
	w.runs = true
}
