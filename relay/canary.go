package relay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// Canary is an event of the relay's own that goes the whole way while nothing else
// does: a logical message in the WAL, through the slot, to a record in a topic of
// its own. It shows that the way is open, and how long it takes. Every 0: none.
// With exactly-once the record is the watermark once more, in its topic: another
// topic that does not answer would hold up the transaction that events are in.
type Canary struct {
	Every time.Duration // without an acknowledged event
	Topic string
}

// canaryPrefix is the prefix of our logical messages.
const canaryPrefix = "walrelay.canary"

// canary keeps track of them.
type canary struct {
	Canary
	token string // of this process: the slot's other readers, past and future, have others
	sent  atomic.Int64

	underway atomic.Bool  // emitted, not yet acknowledged or given up
	handed   atomic.Bool  // to the sink
	emitted  atomic.Int64 // when, ns since 1970
	took     atomic.Int64 // ns, of the last one that was acknowledged
	ackedAt  atomic.Int64 // ns since 1970; 0 before
}

func (c *canary) on() bool { return c.Every > 0 }

// due says that one should be emitted: nothing was acknowledged for a while, nor
// was one emitted, and none is under way. One that got lost with a connection is
// given up after a while; one that Kafka was given is not.
func (c *canary) due(now, lastAck time.Time) bool {
	emitted := time.Unix(0, c.emitted.Load())
	if !c.on() || now.Sub(lastAck) < c.Every || now.Sub(emitted) < c.Every || c.handed.Load() {
		return false
	}
	return !c.underway.Load() || now.Sub(emitted) > max(6*c.Every, time.Minute)
}

// aside says that a topic is the canary's alone: no event waits for it.
func (r *Relay) aside(topic string) bool { return r.canary.on() && topic == r.cfg.Sink.Aside }

// over notes that none is under way.
func (c *canary) over() {
	c.handed.Store(false)
	c.underway.Store(false)
}

// emit writes one into the WAL, on the watch's connection.
func (w *watch) emit(ctx context.Context) {
	c := &w.r.canary
	now := time.Now()
	if !c.due(now, time.Unix(0, max(w.r.meter.lastAck.Load(), c.ackedAt.Load()))) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if !w.connected(ctx) {
		return
	}
	c.emitted.Store(now.UnixNano())
	c.underway.Store(true)
	content := c.token + " " + strconv.FormatInt(c.sent.Add(1), 10)
	if err := w.control.EmitMessage(ctx, canaryPrefix, content); err != nil {
		c.underway.Store(false)
		w.trouble(ctx, "emit canary", err)
		return
	}
	w.r.recovered("emit canary", "canary emitted again")
}

// sing hands a canary's record to the sink. It never waits for room: the canary
// must not hold up events.
func (s *session) sing(l *decoding.Logical) error {
	c := &s.r.canary
	if !c.on() || !l.Transactional || string(l.Prefix) != canaryPrefix || len(l.Content) < len(c.token) || string(l.Content[:len(c.token)]) != c.token {
		return nil
	}
	committed := s.msg.Begin.CommitTime
	rec := routing.Record{
		Topic: c.Topic, Partition: -1, Key: []byte(s.r.cfg.Replication.Slot), Timestamp: committed.UnixMilli(),
		Value: fmt.Appendf(nil, `{"slot": %q, "lsn": %q, "committed": %q}`, s.r.cfg.Replication.Slot, s.msg.Begin.FinalLSN, committed.Format(time.RFC3339Nano)),
	}
	if s.exact != nil {
		again, err := s.watermarkAgain()
		if again == nil {
			c.over()
			return err
		}
		rec = *again
	}
	c.handed.Store(true) // the acknowledgement may be faster than what follows
	err := s.producer.Produce(&rec, sink.Meta{Number: s.tracker.Numbered(), Committed: committed.UnixMicro(), Type: unknownType})
	switch {
	case err == nil: // without a number: no event waits for it
		s.dirty = true
		return nil
	case s.producer.Err() != nil:
		return s.r.refused(s.producer.Err())
	}
	c.over()
	if !errors.Is(err, sink.ErrFull) {
		s.r.trouble("canary", "canary not sent: events flow all the same", &WaitError{"canary", err}, nil)
	}
	return nil
}

// canaryAcked notes that a canary has arrived.
func (r *Relay) canaryAcked(committed int64, now time.Time) {
	took := max(0, now.Sub(time.UnixMicro(committed)))
	r.canary.took.Store(int64(took))
	r.canary.ackedAt.Store(now.UnixNano())
	r.canary.over()
	r.recovered("canary", "canary arrives again")
	if m := r.cfg.Metrics; m != nil {
		m.Canary.Observe(took.Seconds(), 1)
		m.LastCanary.Set(float64(now.UnixMilli()) / 1e3)
	}
}

// CanaryStatus is what /status says of the canary.
type CanaryStatus struct {
	Every  float64    `json:"every_seconds"`
	Topic  string     `json:"topic"`
	Last   *float64   `json:"last_seconds,omitempty"` // commit to acknowledgement of the last one
	LastAt *time.Time `json:"last_at,omitempty"`
}

func (c *canary) status() *CanaryStatus {
	if !c.on() {
		return nil
	}
	out := &CanaryStatus{Every: c.Every.Seconds(), Topic: c.Topic}
	if at := c.ackedAt.Load(); at != 0 {
		took, when := time.Duration(c.took.Load()).Seconds(), time.Unix(0, at)
		out.Last, out.LastAt = &took, &when
	}
	return out
}
