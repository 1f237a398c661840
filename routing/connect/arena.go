package connect

// Arena lends the bytes and values that are made for one event. What it lent is
// good until Reset. Once it has grown to what an event needs it does not
// allocate.
type Arena struct {
	bytes  []byte
	values []Value
}

// maxKept bounds the bytes, and the values, that Reset keeps for the next event.
const (
	maxKeptBytes  = 1 << 20
	maxKeptValues = 1 << 14
)

// Reset takes back all that was lent.
func (a *Arena) Reset() {
	if cap(a.bytes) > maxKeptBytes {
		a.bytes = nil
	}
	if cap(a.values) > maxKeptValues {
		a.values = nil
	}
	a.bytes, a.values = a.bytes[:0], a.values[:0]
}

// Bytes lends n zero bytes.
func (a *Arena) Bytes(n int) []byte {
	if cap(a.bytes)-len(a.bytes) < n {
		// What was lent before stays where it is: its borrowers hold it.
		a.bytes = make([]byte, 0, max(1024, n, min(2*cap(a.bytes), maxKeptBytes)))
	}
	start := len(a.bytes)
	a.bytes = a.bytes[:start+n]
	lent := a.bytes[start : start+n : start+n]
	clear(lent)
	return lent
}

// Values lends n zero values.
func (a *Arena) Values(n int) []Value {
	if cap(a.values)-len(a.values) < n {
		a.values = make([]Value, 0, max(64, n, min(2*cap(a.values), maxKeptValues)))
	}
	start := len(a.values)
	a.values = a.values[:start+n]
	lent := a.values[start : start+n : start+n]
	clear(lent)
	return lent
}

// Free lends what is left of the present block, empty, to append to; Keep says
// what was made of it. Between the two nothing else may be borrowed.
func (a *Arena) Free() []byte { return a.bytes[len(a.bytes):] }

// Keep takes note of built, which is Free's slice appended to, and returns it
// with no room behind it.
func (a *Arena) Keep(built []byte) []byte {
	if cap(built) == 0 {
		return built
	}
	free := a.bytes[len(a.bytes):cap(a.bytes)]
	if cap(free) > 0 && len(built) <= cap(free) && &built[:1][0] == &free[:1][0] {
		a.bytes = a.bytes[:len(a.bytes)+len(built)]
	} else {
		a.bytes = built // it grew out of the block: that is the block now
	}
	return built[:len(built):len(built)]
}
