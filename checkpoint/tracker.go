// Package checkpoint answers one question: how far may the slot be confirmed?
//
// Every event of a connection gets a running number. A boundary is an LSN that
// the server gave as one (a commit's end, a keepalive's WAL end) together with
// the number that the next event will get. It is confirmable when no smaller
// number is unacknowledged:
//
//	numbers      0   1   2  |3   4  |5          oldest unacknowledged: 4
//	boundaries              3@0/50  5@0/90      confirmable: 0/50
//
// # Guarantee
//
// [Tracker.Confirmable] never passes an event that is not acknowledged, never
// goes back, and gives no LSN but those it was given. Cost: none an event, O(1)
// a boundary, and one look at the oldest number when somebody asks.
//
// The package does no I/O and starts no goroutine; a Tracker belongs to one.
package checkpoint

import "github.com/walrelay/walrelay/replication"

// ringSize is the number of boundaries that are told apart. When more are open
// they merge: progress is then confirmed in larger steps, never too far.
const ringSize = 1 << 12

// boundary: everything before lsn is acknowledged once no number below next is
// unacknowledged.
type boundary struct {
	next uint64
	lsn  replication.LSN
}

// Tracker turns acknowledgements into an LSN. The zero value is not ready; use
// New.
type Tracker struct {
	next      uint64 // number of the next event
	confirmed replication.LSN
	ring      []boundary // a queue of n boundaries from head on; both fields grow
	head, n   int
}

// New starts at the position that the slot has confirmed already.
func New(confirmed replication.LSN) *Tracker {
	return &Tracker{confirmed: confirmed, ring: make([]boundary, ringSize)}
}

// Next gives the number of the event that comes now.
func (t *Tracker) Next() uint64 {
	n := t.next
	t.next++
	return n
}

// Numbered is how many numbers were given.
func (t *Tracker) Numbered() uint64 { return t.next }

// Boundary says that the server gave lsn as a position behind everything
// numbered so far and before everything that follows. An lsn that is not beyond
// the last one adds nothing.
func (t *Tracker) Boundary(lsn replication.LSN) {
	if t.n == 0 {
		if lsn > t.confirmed {
			t.push(boundary{t.next, lsn})
		}
		return
	}
	last := &t.ring[(t.head+t.n-1)%len(t.ring)]
	switch {
	case lsn <= last.lsn:
	case last.next == t.next, t.n == len(t.ring):
		// No event since the last boundary, or no room: the later one stands
		// for both. It needs at least the acknowledgements of the earlier.
		last.next, last.lsn = t.next, lsn
	default:
		t.push(boundary{t.next, lsn})
	}
}

func (t *Tracker) push(b boundary) {
	t.ring[(t.head+t.n)%len(t.ring)] = b
	t.n++
}

// Confirmable gives the highest LSN such that everything before it is
// acknowledged. oldest is the smallest number not acknowledged; without any, ok
// is false.
func (t *Tracker) Confirmable(oldest uint64, ok bool) replication.LSN {
	for t.n > 0 && (!ok || t.ring[t.head].next <= oldest) {
		t.confirmed = t.ring[t.head].lsn
		t.head = (t.head + 1) % len(t.ring)
		t.n--
	}
	return t.confirmed
}
