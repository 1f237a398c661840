package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/walrelay/walrelay/decoding"
)

// source says where a key's or header's value comes from.
type source struct {
	kind  sourceKind
	extra int // place in Event.Extra
}

type sourceKind uint8

const (
	sourceNone sourceKind = iota
	sourceID
	sourceAggregateType
	sourceAggregateID
	sourceEventType
	sourcePayload
	sourceExtra
	// From here on walrelay's own, not columns.
	sourceLSN
	sourceIndex
	sourceXID
	sourceTable
	sourceCommitTime
)

var sources = map[string]sourceKind{
	"none":                 sourceNone,
	"id":                   sourceID,
	"aggregate_type":       sourceAggregateType,
	"aggregate_id":         sourceAggregateID,
	"event_type":           sourceEventType,
	"payload":              sourcePayload,
	"walrelay-lsn":         sourceLSN,
	"walrelay-index":       sourceIndex,
	"walrelay-xid":         sourceXID,
	"walrelay-table":       sourceTable,
	"walrelay-commit-time": sourceCommitTime,
}

// source finds the source that a rule names and notes the columns that decoding
// has to bring along.
func (r *Router) source(name string) (source, error) {
	if kind, ok := sources[name]; ok {
		return source{kind: kind}, nil
	}
	if strings.HasPrefix(name, "walrelay-") {
		return source{}, fmt.Errorf("%q is not known: use walrelay-lsn, walrelay-index, walrelay-xid, walrelay-table or walrelay-commit-time", name)
	}
	at := slices.Index(r.extra, name)
	if at < 0 {
		at = len(r.extra)
		r.extra = append(r.extra, name)
	}
	return source{kind: sourceExtra, extra: at}, nil
}

// value returns the bytes of s for e, nil for NULL.
func (r *Router) value(e *decoding.Event, s *source, u use) (out []byte, err error) {
	var v *decoding.Value
	start := len(r.scratch)
	switch s.kind {
	case sourceNone:
		return nil, nil
	case sourceID:
		v = &e.ID
	case sourceAggregateType:
		v = &e.AggregateType
	case sourceAggregateID:
		v = &e.AggregateID
	case sourceEventType:
		v = &e.EventType
	case sourcePayload:
		v = &e.Payload
	case sourceExtra:
		if s.extra >= len(e.Extra) {
			return nil, fmt.Errorf("the event was decoded without column %q: decoding.Table.Extra has to be Router.Extra()", r.extra[s.extra])
		}
		v = &e.Extra[s.extra]
	case sourceLSN:
		r.scratch = appendLSN(r.scratch, e.CommitLSN)
	case sourceIndex:
		r.scratch = strconv.AppendInt(r.scratch, int64(e.Index), 10)
	case sourceXID:
		r.scratch = strconv.AppendUint(r.scratch, uint64(e.XID), 10)
	case sourceTable:
		r.scratch = append(append(append(r.scratch, e.Table.Schema...), '.'), e.Table.Name...)
	case sourceCommitTime:
		r.scratch = strconv.AppendInt(r.scratch, e.CommitTime.UnixMicro(), 10)
	}
	if v != nil {
		out, r.scratch, err = convert(v, u, r.scratch)
		return out, err
	}
	return r.scratch[start:len(r.scratch):len(r.scratch)], nil
}

// appendLSN appends an LSN as PostgreSQL writes it: two hexadecimal halves.
func appendLSN(dst []byte, lsn decoding.LSN) []byte {
	dst = appendUpperHex(dst, uint32(lsn>>32))
	dst = append(dst, '/')
	return appendUpperHex(dst, uint32(lsn))
}

func appendUpperHex(dst []byte, n uint32) []byte {
	start := len(dst)
	dst = strconv.AppendUint(dst, uint64(n), 16)
	for i := start; i < len(dst); i++ {
		if 'a' <= dst[i] && dst[i] <= 'f' {
			dst[i] -= 'a' - 'A'
		}
	}
	return dst
}
