package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/walrelay/walrelay/sink"
)

// waitWatermark is what a start with exactly-once waits for, in the log.
const waitWatermark = "watermark"

// watermarkReader reads a slot's watermark in a goroutine, so that PostgreSQL goes
// on getting its status updates: first the producer id must be there, which ends
// what a former instance had open, then the topic is read to its end.
type watermarkReader struct {
	cancel context.CancelFunc

	mu    sync.Mutex
	done  bool
	found *watermark
	err   error
	wait  error // why it can't be read yet
}

// readWatermark begins to read.
func (r *Relay) readWatermark(ctx context.Context, p *sink.Producer, systemID string) *watermarkReader {
	ctx, cancel := context.WithCancel(ctx)
	w := &watermarkReader{cancel: cancel}
	key := watermarkKey(systemID, r.cfg.Replication.Slot)
	go func() {
		found, err := r.patientWatermark(ctx, p, key, w)
		if ctx.Err() != nil {
			return // nobody waits any more
		}
		w.mu.Lock()
		w.done, w.found, w.err = true, found, err
		w.mu.Unlock()
		p.Wake()
	}()
	return w
}

// result is what was found, once ok.
func (w *watermarkReader) result() (found *watermark, err error, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.found, w.err, w.done
}

// waits notes why the watermark can't be read yet.
func (w *watermarkReader) waits(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wait = err
}

// reasons say why no event flows as long as the watermark can't be read.
func (w *watermarkReader) reasons() []Reason {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done || w.wait == nil {
		return nil
	}
	return []Reason{reasonFor("kafka", &WaitError{waitWatermark, w.wait}, fmt.Sprintf("%s: %v", waitWatermark, w.wait))}
}

// patientWatermark tries until it can be read, or an error says that it never will.
func (r *Relay) patientWatermark(ctx context.Context, p *sink.Producer, key string, w *watermarkReader) (*watermark, error) {
	if err := p.Taken(ctx); err != nil {
		return nil, err
	}
	for {
		step, cancel := context.WithTimeout(ctx, lookPartition)
		found, err := r.findWatermark(step, p, key)
		cancel()
		if err == nil {
			r.recovered(waitWatermark, "watermark read")
			return found, nil
		}
		if ctx.Err() != nil || sink.Hopeless(err) && !errors.Is(err, errNoTopicYet) && !errors.Is(err, sink.ErrStuck) {
			return nil, err
		}
		w.waits(err)
		r.trouble(waitWatermark, "kafka: can't read the watermark yet", &WaitError{waitWatermark, err}, nil)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// errNoTopicYet: the watermark's topic is being made.
var errNoTopicYet = errors.New("the watermark's topic is not there yet")

// markChunk is how many offsets of the topic are read first, from its end; then
// eight times as many, and so on.
const markChunk = 1 << 9

// findWatermark looks for the newest watermark of ours; nil when the topic holds none.
// It looks from the topic's end backwards, because what compaction has not reached
// yet, and the markers of transactions, are many. Transactions of other relays that
// are open are waited for: behind their beginning nothing can be read.
func (r *Relay) findWatermark(ctx context.Context, p *sink.Producer, key string) (*watermark, error) {
	if !p.Knows(r.cfg.Watermark) {
		return nil, errNoTopicYet
	}
	tail, err := p.OpenTail(ctx, r.cfg.Watermark, 0, time.UnixMilli(0))
	if err != nil {
		return nil, err
	}
	defer tail.Close()
	if err := tail.Whole(ctx); err != nil {
		return nil, err
	}
	var last []byte
	for to, chunk := tail.End, int64(markChunk); to > tail.Start && last == nil; chunk *= 8 {
		from := max(tail.Start, to-chunk)
		err = tail.Read(ctx, from, to, func(rec *sink.TailRecord) {
			if string(rec.Key) == key && rec.Value != nil {
				last = append(last[:0], rec.Value...)
			}
		})
		if err != nil {
			return nil, err
		}
		to = from
	}
	if last == nil {
		return nil, nil
	}
	return parseWatermark(last)
}
