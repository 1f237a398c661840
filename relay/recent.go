package relay

import (
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
)

const (
	// recentEvents is how many events are kept for a look at them, and how many a
	// tick of the loop may add: more flow by unseen, so that looking costs nothing.
	recentEvents = 50
	// recentText and recentPayload bound what is kept of an id or key, and of a payload.
	recentText    = 256
	recentPayload = 2 << 10
)

// EventStatus is one of the last events, with what may be shown of it.
type EventStatus struct {
	At         time.Time `json:"at"` // when it was handed to the producer
	ID         string    `json:"id"`
	Topic      string    `json:"topic"`
	EventType  string    `json:"event_type,omitempty"`
	Key        string    `json:"key"`
	KeyBytes   int       `json:"key_bytes"`
	ValueBytes int       `json:"value_bytes"`
	LSN        string    `json:"lsn"` // commit LSN
	Committed  time.Time `json:"committed"`
	Delivered  bool      `json:"delivered"`
	Payload    string    `json:"payload,omitempty"` // its beginning, with Config.ShowPayloads
}

// recent keeps the last events, in memory that is used again and again.
type recent struct {
	payloads bool
	budget   int // left until the next tick; the loop's alone

	mu      sync.Mutex
	ring    [recentEvents]seenEvent
	count   uint64 // noted so far
	session int    // numbers are those of a session
}

type seenEvent struct {
	at, committed        time.Time
	session              int
	number               uint64
	id, key, payload     []byte
	eventType            string
	topic                string
	keyBytes, valueBytes int
	lsn                  replication.LSN
}

// note takes an event over. The loop calls it while there is budget. A key that is
// not the aggregate id may be any column, and is kept with payloads only.
func (w *recent) note(e *decoding.Event, rec *routing.Record, number uint64, eventType string, showKey bool) {
	w.budget--
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.ring[w.count%recentEvents]
	w.count++
	s.at, s.committed, s.session, s.number, s.lsn = time.Now(), e.CommitTime, w.session, number, e.CommitLSN
	s.eventType, s.topic = eventType, rec.Topic
	s.id = append(s.id[:0], e.ID.Data[:min(len(e.ID.Data), recentText)]...)
	s.key = append(s.key[:0], rec.Key[:min(len(rec.Key), recentText)]...)
	s.keyBytes, s.valueBytes = len(rec.Key), len(rec.Value)
	if !showKey && !w.payloads {
		s.key = s.key[:0]
	}
	if w.payloads {
		s.payload = append(s.payload[:0], rec.Value[:min(len(rec.Value), recentPayload)]...)
	}
}

// clear forgets the events of a producer that has ended: what of them was not
// delivered comes again.
func (w *recent) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count = 0
}

// begin makes the numbers that follow those of a new session.
func (w *recent) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.session++
}

// list gives the events, the newest first. open gives the number of the oldest event
// of the present session that is not acknowledged, if there is one; it is asked while
// no event can be noted.
func (w *recent) list(open func() (oldest uint64, waiting bool)) []EventStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	oldest, waiting := open()
	n := min(w.count, recentEvents)
	out := make([]EventStatus, 0, n)
	for i := uint64(1); i <= n; i++ {
		s := &w.ring[(w.count-i)%recentEvents]
		out = append(out, EventStatus{
			At: s.at, ID: readable(s.id), Topic: s.topic, EventType: s.eventType, Key: readable(s.key), KeyBytes: s.keyBytes, ValueBytes: s.valueBytes,
			LSN: s.lsn.String(), Committed: s.committed, Delivered: s.session != w.session || !waiting || s.number < oldest, Payload: readable(s.payload),
		})
	}
	return slices.Clip(out)
}

// readable makes text of what may be bytes; a rune that was cut off at the end is
// left out.
func readable(b []byte) string {
	for cut := 0; cut < utf8.UTFMax && cut <= len(b); cut++ {
		if text := b[:len(b)-cut]; utf8.Valid(text) {
			return string(text)
		}
	}
	return "(binary)"
}
