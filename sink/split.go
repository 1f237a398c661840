package sink

import (
	"encoding/binary"
	"errors"

	"github.com/walrelay/walrelay/routing"
)

var errCorruptBatch = errors.New("sink: own batch does not parse")

// cursor walks the records of a batch of our own making. Every step is bounds
// checked: the bytes were ours, but a wrong walk must not become wrong records.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) varint() int64 {
	u, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return int64(u>>1) ^ -int64(u&1)
}

func (c *cursor) take(n int64) []byte {
	if n < 0 || n > int64(len(c.b)) {
		c.bad, c.b = true, nil
		return nil
	}
	v := c.b[:n:n]
	c.b = c.b[n:]
	return v
}

// nullable reads a length and that many bytes; length -1 is null.
func (c *cursor) nullable() []byte {
	n := c.varint()
	if n == -1 {
		return nil
	}
	return c.take(n)
}

// next reads one record into r (slices into the batch) and gives its time
// relative to the batch's.
func (c *cursor) next(r *routing.Record) (timeDelta int64) {
	c.varint() // length
	c.take(1)  // attributes
	timeDelta = c.varint()
	c.varint() // offset delta
	r.Key = c.nullable()
	r.Value = c.nullable()
	r.Headers = r.Headers[:0]
	for n := c.varint(); n > 0 && !c.bad; n-- {
		key := c.take(c.varint())
		r.Headers = append(r.Headers, routing.Header{Key: string(key), Value: c.nullable()})
	}
	return timeDelta
}

// records calls fn for every record of the batch, in order.
func (b *batch) records(fn func(index int32, r *routing.Record)) error {
	c := cursor{b: b.slab[recordsAt:]}
	var r routing.Record
	for i := range b.count {
		r.Timestamp = b.baseTime + c.next(&r)
		if c.bad {
			return errCorruptBatch
		}
		fn(i, &r)
	}
	if len(c.b) != 0 {
		return errCorruptBatch
	}
	return nil
}

// halve gives the two halves of a batch that the broker refused as a whole, so
// that in the end the one record it objects to stands alone. The halves keep
// the first number of the whole: they may only hold back progress, never let it
// pass. Metrics of the whole go with the first half's records.
func (b *batch) halve() (left, right *batch, err error) {
	half := b.count / 2
	// Their encodings differ by the deltas, so they are measured first: slabs
	// that fit keep the two together no larger than the whole.
	var size [2]int
	var base [2]int64
	err = b.records(func(i int32, r *routing.Record) {
		side, index := 0, i
		if i >= half {
			side, index = 1, i-half
		}
		if index == 0 {
			base[side] = r.Timestamp
		}
		body := bodyLen(r, r.Timestamp-base[side], index)
		size[side] += varintLen(int64(body)) + body
	})
	if err != nil {
		return nil, nil, err
	}
	part := func(size int) *batch {
		return &batch{slab: make([]byte, recordsAt, recordsAt+size), first: b.first, firstBytes: b.firstBytes, firstCommitted: b.firstCommitted, half: true}
	}
	left, right = part(size[0]), part(size[1])
	_ = b.records(func(i int32, r *routing.Record) { // walked without error above
		into := left
		if i >= half {
			into = right
		}
		into.append(r, cap(into.slab))
	})
	left.commits, right.commits = divide(b.commits, uint32(left.count))
	left.types, right.types = divide(b.types, uint32(left.count))
	return left, right, nil
}

// divide gives the first room records' tallies to left and the others to right.
// Records of a type are not told apart, so which half counts which is not known;
// the sums are right.
func divide[K comparable](all []tally[K], room uint32) (left, right []tally[K]) {
	for _, t := range all {
		n := min(t.n, room)
		room -= n
		if n > 0 {
			left = append(left, tally[K]{t.of, n})
		}
		if t.n > n {
			right = append(right, tally[K]{t.of, t.n - n})
		}
	}
	return left, right
}
