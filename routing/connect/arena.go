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
