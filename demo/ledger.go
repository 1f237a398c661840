package demo

import (
	"sync"
	"time"
)

// ledger pairs the two ends of an event's way, in one process and on one clock:
// the moment the shop sends COMMIT, and the moment the consumer has the record
// in its hands. So the latency includes PostgreSQL's own commit, and the moment
// of writing to the WAL is never later than its beginning.
//
// It holds only the events that are on their way. It is not asked for the
// verdict, the tables are. Its methods may be called from any goroutine; a nil
// ledger, of a shop or a consumer that stands alone, does nothing.
type ledger struct {
	mu     sync.Mutex
	onWay  map[string]time.Time // event id → COMMIT sent
	all    latencies            // of the whole run
	recent latencies            // since the last line of output
}

func newLedger() *ledger {
	return &ledger{onWay: make(map[string]time.Time)}
}

// committing notes that COMMIT is about to be sent for these events.
func (l *ledger) committing(ids []string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, id := range ids {
		l.onWay[id] = now
	}
}

// forget takes back committing: the COMMIT has failed, or its outcome is unknown.
func (l *ledger) forget(ids []string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		delete(l.onWay, id)
	}
}

// consumed notes that the consumer got the event at the given time, and returns
// how long it took; false when the event is not known to be on its way (a
// duplicate, or an unknown outcome of COMMIT).
func (l *ledger) consumed(id string, at time.Time) (time.Duration, bool) {
	if l == nil {
		return 0, false
	}
	l.mu.Lock()
	sent, ok := l.onWay[id]
	delete(l.onWay, id)
	l.mu.Unlock()
	if !ok {
		return 0, false
	}
	took := at.Sub(sent)
	l.all.add(took)
	l.recent.add(took)
	return took, true
}

// waiting is the number of events on their way.
func (l *ledger) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.onWay)
}
