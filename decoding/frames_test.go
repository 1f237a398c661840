package decoding_test

import (
	"encoding/binary"
	"time"

	"github.com/walrelay/walrelay/decoding"
)

// Frames built by hand, for what no server sends on request.

func u16(b []byte, n uint16) []byte  { return binary.BigEndian.AppendUint16(b, n) }
func u32(b []byte, n uint32) []byte  { return binary.BigEndian.AppendUint32(b, n) }
func u64(b []byte, n uint64) []byte  { return binary.BigEndian.AppendUint64(b, n) }
func text(b []byte, s string) []byte { return append(append(b, s...), 0) }

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func begin(lsn decoding.LSN, at time.Time, xid uint32) []byte {
	return u32(u64(u64([]byte{'B'}, uint64(lsn)), uint64(at.Sub(epoch).Microseconds())), xid)
}

func commit(lsn, end decoding.LSN) []byte {
	return u64(u64(u64([]byte{'C', 0}, uint64(lsn)), uint64(end)), 0)
}

// column is name and type OID.
type column struct {
	name string
	oid  uint32
}

func relation(oid uint32, schema, name string, columns ...column) []byte {
	b := u32([]byte{'R'}, oid)
	b = append(text(text(b, schema), name), 'd')
	b = u16(b, uint16(len(columns)))
	for _, c := range columns {
		b = append(b, 0)
		b = u32(u32(text(b, c.name), c.oid), 0xffffffff)
	}
	return b
}

// null stands for NULL in a row, toasted for an unchanged TOAST value and asBinary
// for a value in binary format.
const (
	null     = "\x00null"
	toasted  = "\x00toasted"
	asBinary = "\x00binary"
)

func tuple(b []byte, values ...string) []byte {
	b = u16(b, uint16(len(values)))
	for _, v := range values {
		switch v {
		case null:
			b = append(b, 'n')
		case toasted:
			b = append(b, 'u')
		case asBinary:
			b = append(u32(append(b, 'b'), 1), 1)
		default:
			b = append(u32(append(b, 't'), uint32(len(v))), v...)
		}
	}
	return b
}

func insert(oid uint32, values ...string) []byte {
	return tuple(append(u32([]byte{'I'}, oid), 'N'), values...)
}

func update(oid uint32, old byte, key, values []string) []byte {
	b := u32([]byte{'U'}, oid)
	if old != 0 {
		b = tuple(append(b, old), key...)
	}
	return tuple(append(b, 'N'), values...)
}

func remove(oid uint32, values ...string) []byte {
	return tuple(append(u32([]byte{'D'}, oid), 'K'), values...)
}

func names(columns ...string) []column {
	out := make([]column, len(columns))
	for i, name := range columns {
		out[i] = column{name, 25}
	}
	return out
}

var debezium = names("id", "aggregatetype", "aggregateid", "type", "payload")
