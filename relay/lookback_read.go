package relay

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/walrelay/walrelay/sink"
)

const (
	// lookPartition and lookAll are how long reading one partition may take, and
	// all of them with what is tried again.
	lookPartition = 10 * time.Second
	lookAll       = time.Minute
	// lookAgain is when a partition is tried again after an error.
	lookAgain = 250 * time.Millisecond
	// lookChunk is how many offsets are read first, enough for lookBefore and a second
	// under load; then twice as many, and so on. A standby that takes over waits for it.
	lookChunk = 1 << 11
	// lookBefore is how many records before the first event are looked at.
	lookBefore = 1000
)

// sighting is where in the log an identity was seen.
type sighting struct {
	first, last int64 // offsets
	millis      int64 // timestamp of the last
}

// probe is the first event that comes again in a partition: it need not be read back
// farther than to its last record.
type probe struct {
	identity  uint64
	notBefore int64
}

// begin reads a partition's tail in a goroutine, so that PostgreSQL goes on getting
// its status updates meanwhile.
func (l *lookback) begin(key tailKey, header string, first probe, committed time.Time) *tail {
	if l.from.IsZero() {
		l.from = committed.Add(-lookMargin)
	}
	t := &tail{at: -1}
	l.tails[key] = t
	l.readAhead(key, header)
	ahead := l.ahead[key]
	if ahead != nil && ahead.header != header {
		ahead = nil // another table's
	}
	room, began, deadline := lookEntries-l.entries, time.Now(), time.Now().Add(l.left)
	go func() {
		found, err := l.patiently(key, deadline, l.identifier(header), first, room, ahead)
		if l.ctx.Err() != nil {
			return // nobody waits any more, and an answer would be the wrong one
		}
		t.found, t.err, t.took = found, err, time.Since(began)
		t.ready.Store(true)
		l.producer.Wake()
	}()
	return t
}

// identify gives what a record is known by; false for one without event id.
type identify func(*sink.TailRecord) (uint64, bool)

// identifier is for one goroutine.
func (l *lookback) identifier(header string) identify {
	var hash maphash.Hash
	hash.SetSeed(l.seed)
	return func(r *sink.TailRecord) (uint64, bool) {
		id := headerValue(r.Headers, header)
		return l.identity(&hash, id, r.Key, r.Value, r.Timestamp), len(id) > 0
	}
}

// patiently reads a tail, again after an error as long as there is time.
func (l *lookback) patiently(key tailKey, deadline time.Time, of identify, first probe, room int, ahead *ahead) (found map[uint64]sighting, err error) {
	for {
		left := min(lookPartition, time.Until(deadline))
		if left <= 0 {
			return nil, errors.Join(err, fmt.Errorf("reading took longer than %s", lookAll))
		}
		ctx, cancel := context.WithTimeout(l.ctx, left)
		found, err = l.read(ctx, key, of, first, room, ahead)
		cancel()
		ahead = nil // once
		if err == nil || errors.Is(err, errNotWorthIt) || errors.Is(err, errWentBack) || errors.Is(err, errShortened) || sink.Hopeless(err) {
			return found, err
		}
		select {
		case <-l.ctx.Done():
			return nil, l.ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// What ends a look back without being tried again: its bounds, and a log that does
// not end where it got to.
var (
	errShortened  = errors.New("the log begins behind the first event that comes again, or that was not delivered: what was before is deleted")
	errNotWorthIt = errors.New("the first event that comes again is not among the last records")
	errWentBack   = errors.New("behind the first event that comes again are records from before it, or ones that can't be told from such: an earlier restart has repeated them, or another program writes there")
)

// read reads backwards, chunk by chunk, until the first event is found, with some
// of what stands before it: everything that counts stands behind. Nothing counts when
// it is not there.
func (l *lookback) read(ctx context.Context, key tailKey, of identify, first probe, room int, ahead *ahead) (map[uint64]sighting, error) {
	g, err := ahead.start(ctx, l, key, of)
	if err != nil {
		return nil, err
	}
	defer g.tail.Close()
	v := &g.survey
	v.room, v.full = room, len(v.found) > room
	for g.tail.End > g.tail.Start {
		seen, ok := v.found[first.identity]
		switch {
		case v.full:
			return nil, fmt.Errorf("%w: more than %d of them would have to be remembered", errNotWorthIt, room)
		case !ok || seen.millis < first.notBefore:
		case seen.first-g.start >= lookBefore || g.start == g.tail.Start:
			if v.wentBack(seen) {
				return nil, errWentBack
			}
			return v.found, nil
		}
		if g.tail.End-g.start >= lookRecords {
			return nil, fmt.Errorf("%w: %d were read", errNotWorthIt, g.tail.End-g.start)
		}
		if g.start == g.tail.Start {
			break
		}
		if err := g.more(ctx, of); err != nil {
			return nil, err
		}
	}
	if g.tail.Shortened {
		return nil, errShortened
	}
	return nil, nil
}

// survey is what the records of a tail say together, noted in any order.
type survey struct {
	found map[uint64]sighting
	odd   int64 // offset of the last record that has no identity, or is from before from
	from  int64 // milliseconds since 1970
	room  int   // for found
	full  bool  // something is left out, so that found says too little
}

func (v *survey) note(offset, millis int64, identity uint64, known bool) {
	if !known || millis < v.from {
		v.odd = max(v.odd, offset)
	}
	if !known || v.full {
		return
	}
	seen, again := v.found[identity]
	if !again {
		seen = sighting{offset, offset, millis}
	}
	if offset > seen.last {
		seen.last, seen.millis = offset, millis
	}
	seen.first = min(seen.first, offset)
	v.found[identity] = seen
	v.full = len(v.found) > v.room
}

// wentBack says that the log may have gone back to before the first event that
// comes again, and not come to it anew: a restart repeated events up to the one
// before and confirmed them. Then what stood before the event stands behind it, too,
// and left out now, it would stay the older one.
func (v *survey) wentBack(first sighting) bool {
	if v.odd > first.last {
		return true
	}
	for _, seen := range v.found {
		if seen.first < first.first && seen.last > first.last {
			return true
		}
	}
	return false
}
