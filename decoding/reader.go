package decoding

import (
	"bytes"
	"encoding/binary"
)

// reader is a cursor over one message and the only place that indexes its bytes.
// A read beyond the end gives zero values and marks the reader short; the caller
// looks at short once, and inside every loop whose count comes from the message.
type reader struct {
	b     []byte
	off   int
	short bool
}

// next returns the next n bytes as a view of the message, nil when there are fewer.
func (r *reader) next(n int) []byte {
	if r.short || n < 0 || n > len(r.b)-r.off {
		r.short = true
		return nil
	}
	b := r.b[r.off : r.off+n : r.off+n]
	r.off += n
	return b
}

func (r *reader) u8() byte {
	if b := r.next(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.next(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.next(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.next(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// sized returns the bytes after a 32-bit length. A length that is negative as
// an Int32 is short: no message is that long.
func (r *reader) sized() []byte {
	return r.next(int(int32(r.u32())))
}

// cstring returns the bytes before the next zero byte and steps over it.
func (r *reader) cstring() []byte {
	if r.short {
		return nil
	}
	n := bytes.IndexByte(r.b[r.off:], 0)
	if n < 0 {
		r.short = true
		return nil
	}
	s := r.next(n)
	r.off++
	return s
}

// left is the number of bytes not read yet.
func (r *reader) left() int { return len(r.b) - r.off }
