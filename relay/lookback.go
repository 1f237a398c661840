package relay

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

const (
	// lookMargin is how far before the first event that comes again a partition is
	// read, by the records' timestamps: commits are not exactly in the order of
	// their times, and clocks differ.
	lookMargin = time.Minute
	// lookRecords is how many records a partition is read back at most, and after how
	// many events that are sent nothing delivered is expected any more: twice what a
	// relay's window can hold.
	lookRecords = 2 << 17
	// lookEntries bounds what is remembered of all partitions, some 24 bytes each.
	lookEntries = 400_000
	// lookSkew is by how much the clock of a foreign predecessor may be behind
	// PostgreSQL's.
	lookSkew = 2 * time.Second
)

// lookback leaves out what another process delivered and did not confirm. After a
// kill the slot sends again from its confirmed position; what of that is in Kafka
// is found by reading the ends of the partitions back, and not sent again.
//
//	event with a commit LSN up to limit ─▶ its partition's tail, read once ─▶ delivered | send
//	event behind limit ─▶ the look back is over
//
// # What counts as delivered
//
// The events of a partition are taken in their order. Each is delivered when the
// last record in the tail with its event id, key, value and timestamp stands behind
// the one that was found for the event before. The first event of which that is
// not true ends the look back for its partition: it and all after it are sent. So
// what is left out is always a beginning, and the log ends as if nobody had died:
//
//	log                  comes again   left out   sent      because
//	1 2 3                1 2 3 4       1 2 3      4
//	1 2 3 1 2            1 2 3 4       1 2        3 4       an earlier restart went back: consumers hold 2
//	1 3 (2 is missing)   1 2 3 4       1          2 3 4     3 behind 2 again, or 2 would be the newest
//	1 (twice inserted)   1 1 2         1          1 2       one record stands for one event
//	1 2 1                2 3                      2 3       1 was confirmed since: consumers hold it, not 2
//
// Every doubt falls on the side of sending: a record that is not found, whatever the
// reason (retention, compaction, a broker's own timestamps, a changed configuration,
// the bounds above, no right to read), is sent. What has no event id in its headers,
// no key and no partition, or a timestamp that is not the commit time
// (route.timestamp: then the same event inserted anew looks like its repetition), is
// not looked for, and ends the look back for the partition it goes to.
//
// # What it relies on
//
// The tail ends where the log ended when the producer id of this start had been taken
// and the topic sealed (sink.Producer.Seal): the write fence. What the predecessor had
// still under way is refused from then on, so nothing comes behind what is read. Where
// a topic can't be sealed, it is refused in a partition from our first record there
// only; what arrives before that is repeated, a request a broker at most. Without a
// fence (no coordinator, no right) such a request may arrive later, as without look
// back.
//
// An event found is in the log below the high watermark, so all in-sync replicas
// have it, though there may be fewer of them than min.insync.replicas asks for.
// 64 bits of hash say that a record is the event's: one not delivered is compared
// with the tail once a partition.
//
// One thing is taken for another: an event inserted anew, with id, key, value and
// the millisecond of its commit those of one that was confirmed just before the
// crash, is taken for that one's repeat. Consumers hold that very event then.
//
// The slot's former reader may be Debezium, whose records carry its own clock. Then
// (a slot without marker) the timestamp has only to be not before the commit.
//
// All methods belong to the goroutine of Run; reading has one of its own.
type lookback struct {
	r        *Relay
	producer *sink.Producer
	limit    replication.LSN // what commits behind it nobody can have delivered
	foreign  bool            // records of another program: timestamps are its clock's
	idHeader []string        // by table: the header with the event id, "" when events can't be known
	ctx      context.Context
	cancel   context.CancelFunc

	from    time.Time     // since when tails are read; zero before the first event
	left    time.Duration // for reading
	tails   map[tailKey]*tail
	ahead   map[tailKey]*ahead
	seed    maphash.Seed
	hash    maphash.Hash
	entries int // remembered of all tails
	skipped int
	sent    int // since the last that was skipped
	said    map[string]bool

	unsealed sync.Map // topics of which that was said
}

type tailKey struct {
	topic     string
	partition int32
}

// tail is what is known of the end of a partition.
type tail struct {
	ready atomic.Bool // found, err and took are there
	found map[uint64]sighting
	err   error
	took  time.Duration

	counted bool
	taken   int   // what found counts for in lookback.entries
	over    bool  // events are sent from here on
	at      int64 // offset of the last record that was found for an event
	behind  bool  // of the event that ended it a record is there, before that of the one before
}

// verdict is what becomes of an event.
type verdict int

const (
	lookSend verdict = iota
	lookWait
	lookDelivered
)

// lookBehind gives the look back for a session that begins, nil without one. While
// resume is in force this process knows itself what it has delivered, and a look
// back goes on that an earlier session began.
func (r *Relay) lookBehind(ctx context.Context, s *session, control *replication.Control, snapshot bool) *lookback {
	if r.cfg.Watermark != "" {
		return nil // the watermark knows
	}
	if s.resume.lsn != 0 {
		return r.look
	}
	foreign := s.position.Adopted
	if r.look != nil {
		foreign = foreign || r.look.foreign // the marker that says otherwise is ours
		r.stopLooking()
		r.look = nil
	}
	// Asked now that the slot is ours: the predecessor may have gone on until then.
	limit := s.stream.Flushed()
	step, cancel := context.WithTimeout(ctx, askTimeout)
	if state, err := control.Slot(step); err == nil {
		limit = max(limit, state.Current)
	}
	cancel()
	if snapshot || s.position.Made || s.confirmed >= limit {
		return nil // nobody has read from the slot, or all is confirmed
	}
	r.look = newLookback(ctx, r, s.producer, limit, foreign)
	return r.look
}

// stopLooking ends what a look back has under way.
func (r *Relay) stopLooking() {
	if r.look != nil {
		r.look.cancel()
	}
}

func newLookback(ctx context.Context, r *Relay, p *sink.Producer, limit replication.LSN, foreign bool) *lookback {
	l := &lookback{r: r, producer: p, limit: limit, foreign: foreign, tails: map[tailKey]*tail{}, ahead: map[tailKey]*ahead{}, said: map[string]bool{}, left: lookAll}
	l.seed = maphash.MakeSeed()
	l.hash.SetSeed(l.seed)
	l.ctx, l.cancel = context.WithCancel(ctx)
	for i := range r.cfg.Tables {
		l.idHeader = append(l.idHeader, idHeader(&r.cfg.Tables[i].Rules))
	}
	return l
}

// idHeader is the header that carries the event id; "" when an event can't be
// known again by its record.
func idHeader(rules *routing.Rules) string {
	if rules.Timestamp != "" {
		return ""
	}
	if rules.Headers == nil {
		return "id" // the default
	}
	for _, h := range rules.Headers {
		source, name, named := strings.Cut(h, ":")
		if strings.TrimSpace(source) != "id" {
			continue
		}
		if !named {
			return "id"
		}
		return strings.TrimSpace(name)
	}
	return ""
}

// lookBack says what becomes of the event on offer.
func (s *session) lookBack() verdict {
	e := &s.msg.Event
	if e.CommitLSN > s.look.limit {
		s.lookedBack()
		return lookSend
	}
	v := s.look.judge(&s.rec, s.look.headerOf(e.Table.Index, s.pending.poison != nil), e.CommitTime)
	switch v {
	case lookDelivered:
		s.look.sent = 0
		s.r.meter.lookedBack()
	case lookSend:
		// So many that are new: in a long backlog the rest is, too.
		if s.look.sent++; s.look.sent > lookRecords {
			s.lookedBack()
		}
	}
	return v
}

// lookedBack ends the look back and says what it was good for.
func (s *session) lookedBack() {
	l := s.look
	l.cancel()
	s.look, s.r.look = nil, nil
	if len(l.tails) > 0 {
		s.r.log.Info().Int("skipped", l.skipped).Int("partitions", len(l.tails)).Stringer("up_to_lsn", l.limit).
			Msg("looked back at what a former instance delivered: events that Kafka had were not sent again")
	}
}

// lookAround ends the look back at a moment without events: everything up to its
// limit was received and handled.
func (s *session) lookAround() {
	if !s.inTransaction && !s.pending.waits && s.received > s.look.limit {
		s.lookedBack()
	}
}

// headerOf is the header to know the event by. A dead letter is none that is looked for.
func (l *lookback) headerOf(table int, deadLetter bool) string {
	if deadLetter {
		return ""
	}
	return l.idHeader[table]
}

// judge says what becomes of a record. It may be asked for the same one again, as
// long as the answer is not lookDelivered.
func (l *lookback) judge(rec *routing.Record, header string, committed time.Time) verdict {
	partition, err := l.producer.Place(rec)
	switch {
	case errors.Is(err, sink.ErrPending):
		return lookWait
	case err != nil:
		return lookSend // Produce says it
	case partition < 0:
		l.doubt("no key", "no key and no partition: they may be in any partition, and are sent again")
		return lookSend
	}
	key := tailKey{rec.Topic, partition}
	t := l.tails[key]
	id := headerValue(rec.Headers, header)
	if header == "" || len(id) == 0 {
		if t == nil {
			t = &tail{}
			l.tails[key] = t
		}
		t.over = true
		l.doubt("no id", "no event id in their record's headers (route.headers), a timestamp of their own (route.timestamp), or are dead letters: they can't be known again for sure, and are sent again")
		return lookSend
	}
	if t != nil && t.over {
		return lookSend
	}
	identity := l.identity(&l.hash, id, rec.Key, rec.Value, rec.Timestamp)
	notBefore := int64(0)
	if l.foreign {
		notBefore = committed.Add(-lookSkew).UnixMilli()
	}
	if t == nil {
		t = l.begin(key, header, probe{identity, notBefore}, committed)
	}
	if !t.ready.Load() {
		return lookWait
	}
	l.take(key, t)
	if !t.delivered(identity, notBefore) {
		l.entries -= t.taken
		if t.behind {
			l.doubt("order", "a record, but only one before that of the event before them (an id that repeats, or what an earlier restart repeated): they and what follows them in their partition are sent again")
		}
		return lookSend
	}
	l.skipped++
	return lookDelivered
}

// delivered says whether the event that comes now is in the log, and the log goes
// on behind the one before.
func (t *tail) delivered(identity uint64, notBefore int64) bool {
	seen, ok := t.found[identity]
	if t.over || !ok || seen.last <= t.at || seen.millis < notBefore {
		t.over, t.found, t.behind = true, nil, ok && seen.last <= t.at
		return false
	}
	t.at = seen.last
	return true
}

// take counts what the reader has found.
func (l *lookback) take(key tailKey, t *tail) {
	if t.counted {
		return
	}
	t.counted, t.taken = true, len(t.found)
	l.entries += t.taken
	l.left -= t.took
	if t.err != nil && !l.said[key.topic] {
		l.said[key.topic] = true
		level := zerolog.WarnLevel
		if errors.Is(t.err, errShortened) {
			level = zerolog.InfoLevel // a quiet topic's retention looks the same
		}
		l.r.log.WithLevel(level).Err(t.err).Str("topic", key.topic).Int32("partition", key.partition).
			Msg("can't look back at what a former instance delivered here: what comes again is sent again")
	}
}

// doubt says once of which events the look back can't tell whether they were
// delivered.
func (l *lookback) doubt(what, have string) {
	if !l.said[what] {
		l.said[what] = true
		l.r.log.Info().Msg("looking back at what a former instance delivered leaves out events that have " + have)
	}
}

// headerValue is the first header's of that name.
func headerValue(headers []routing.Header, name string) []byte {
	for i := range headers {
		if headers[i].Key == name {
			return headers[i].Value
		}
	}
	return nil
}

// identity is what a record is known by.
func (l *lookback) identity(h *maphash.Hash, id, key, value []byte, millis int64) uint64 {
	var number [8]byte
	h.Reset()
	for _, part := range [...][]byte{id, key, value} {
		n := int64(len(part))
		if part == nil {
			n = -1
		}
		binary.LittleEndian.PutUint64(number[:], uint64(n))
		_, _ = h.Write(number[:])
		_, _ = h.Write(part)
	}
	if !l.foreign {
		binary.LittleEndian.PutUint64(number[:], uint64(millis))
		_, _ = h.Write(number[:])
	}
	return h.Sum64()
}
