package relay

import (
	"context"
	"sync"

	"github.com/walrelay/walrelay/sink"
)

const (
	// lookAhead is up to how many partitions of a topic are read together with the
	// first of them that an event comes for; the others of a larger topic when their
	// own first event comes.
	lookAhead = 64
	// lookReaders is how many of them at a time.
	lookReaders = 4
)

// reading is a tail as far as it was read, backwards.
type reading struct {
	tail   *sink.Tail
	survey survey
	start  int64 // first offset that was read
	chunk  int64 // size of the next one
}

// open seals a partition's topic, finds the partition's end and reads the first chunk.
func (l *lookback) open(ctx context.Context, key tailKey, of identify) (*reading, error) {
	l.seal(ctx, key.topic)
	tail, err := l.producer.OpenTail(ctx, key.topic, key.partition, l.from)
	if err != nil {
		return nil, err
	}
	g := &reading{tail: tail, start: tail.End, chunk: lookChunk, survey: survey{found: map[uint64]sighting{}, odd: -1, from: l.from.UnixMilli(), room: lookEntries}}
	if err := g.more(ctx, of); err != nil {
		tail.Close()
		return nil, err
	}
	return g, nil
}

// seal makes the ends of a topic's partitions final. Where that can't be they are read
// all the same: what comes late then is repeated.
func (l *lookback) seal(ctx context.Context, topic string) {
	err := l.producer.Seal(ctx, topic)
	if err == nil || l.ctx.Err() != nil {
		return
	}
	if _, said := l.unsealed.LoadOrStore(topic, true); !said {
		l.r.log.Debug().Err(err).Str("topic", topic).Msg("looking back without shutting out late requests first: one that arrives now is repeated")
	}
}

// more reads the next chunk.
func (g *reading) more(ctx context.Context, of identify) error {
	start := max(g.tail.Start, g.start-g.chunk)
	err := g.tail.Read(ctx, start, g.start, func(r *sink.TailRecord) {
		identity, ok := of(r)
		g.survey.note(r.Offset, r.Timestamp, identity, ok)
	})
	g.start, g.chunk = start, 2*g.chunk
	return err
}

// ahead is a tail that is opened before an event comes for it: one after the other
// would take a standby longer than all the rest of its take-over.
type ahead struct {
	header string
	once   sync.Once
	got    *reading
	err    error
}

// readAhead begins to read the tails of a topic, once.
func (l *lookback) readAhead(first tailKey, header string) {
	if l.ahead[first] != nil {
		return
	}
	n := min(l.producer.Partitions(first.topic), lookAhead)
	if int(first.partition) >= n {
		n = 0 // it is none of them, and may be asked for often
	}
	keys := make(chan tailKey, n)
	all := make(map[tailKey]*ahead, n)
	for p := range int32(n) {
		key := tailKey{first.topic, p}
		all[key] = &ahead{header: header}
		l.ahead[key] = all[key]
		if key != first {
			keys <- key
		}
	}
	close(keys)
	for range min(n-1, lookReaders) {
		go func() {
			for key := range keys {
				if l.ctx.Err() != nil {
					return
				}
				all[key].open(l.ctx, l, key)
			}
		}()
	}
}

func (a *ahead) open(ctx context.Context, l *lookback, key tailKey) {
	a.once.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, lookPartition)
		defer cancel()
		a.got, a.err = l.open(ctx, key, l.identifier(a.header))
	})
}

// start is what was read ahead, once, or what is read now.
func (a *ahead) start(ctx context.Context, l *lookback, key tailKey, of identify) (*reading, error) {
	if a == nil {
		return l.open(ctx, key, of)
	}
	a.open(ctx, l, key)
	g := a.got
	a.got = nil // not to be kept
	return g, a.err
}
