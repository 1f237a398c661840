package routing

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing/connect"
)

// source says where a key's, header's or field's value comes from, and what is
// known of the column.
type source struct {
	kind     sourceKind
	extra    int    // place in Event.Extra
	name     string // of that column
	constant string
	column   bound
}

// placement is a source under the name of a header or of a field of the envelope.
type placement struct {
	name   string
	source source
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
	sourceConstant
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
func (r *Router) source(name string, optional bool) (source, error) {
	if column, ok := quotedName(name); ok {
		return r.column(column, optional), nil
	}
	if kind, ok := sources[name]; ok {
		return source{kind: kind}, nil
	}
	if strings.HasPrefix(name, "walrelay-") {
		return source{}, fmt.Errorf("%q is not known: use walrelay-lsn, walrelay-index, walrelay-xid, walrelay-table or walrelay-commit-time", name)
	}
	return r.column(name, optional), nil
}

func (r *Router) column(name string, optional bool) source {
	x := decoding.Extra{Column: name, Optional: optional}
	at := slices.Index(r.extra, x)
	if at < 0 {
		at = len(r.extra)
		r.extra = append(r.extra, x)
	}
	return source{kind: sourceExtra, extra: at, name: name}
}

// of returns the column of e that s stands for, nil when it is none.
func (s *source) of(e *decoding.Event) (*decoding.Value, error) {
	switch s.kind {
	case sourceID:
		return &e.ID, nil
	case sourceAggregateType:
		return &e.AggregateType, nil
	case sourceAggregateID:
		return &e.AggregateID, nil
	case sourceEventType:
		return &e.EventType, nil
	case sourcePayload:
		return &e.Payload, nil
	case sourceExtra:
		if s.extra >= len(e.Extra) {
			return nil, fmt.Errorf("the event was decoded without column %q: decoding.Table.Extra has to be Router.Extra()", s.name)
		}
		return &e.Extra[s.extra], nil
	}
	return nil, nil
}

// own appends the value of a source that is not a column.
func (s *source) own(e *decoding.Event, dst []byte) []byte {
	switch s.kind {
	case sourceLSN:
		return appendLSN(dst, e.CommitLSN)
	case sourceIndex:
		return strconv.AppendInt(dst, int64(e.Index), 10)
	case sourceXID:
		return strconv.AppendUint(dst, uint64(e.XID), 10)
	case sourceTable:
		return append(append(append(dst, e.Table.Schema...), '.'), e.Table.Name...)
	case sourceCommitTime:
		return strconv.AppendInt(dst, e.CommitTime.UnixMicro(), 10)
	case sourceConstant:
		return append(dst, s.constant...)
	}
	return dst
}

// contextSource stands for the headers that Debezium adds to every record.
const contextSource = "debezium-context"

// contextHeaders are those headers: who wrote the record, and in which run.
func contextHeaders(prefix string) ([]placement, error) {
	if prefix == "" {
		return nil, fmt.Errorf("header %q needs schema_prefix, Debezium's topic.prefix", contextSource)
	}
	var list []placement
	for _, h := range [][2]string{
		{"connectorLogicalName", prefix}, {"taskId", "0"}, {"connectorName", "postgresql"}, {"runId", runID()},
	} {
		list = append(list, placement{"__debezium.context." + h[0], source{kind: sourceConstant, constant: h[1]}})
	}
	return list, nil
}

// runID is a UUID of version 7 (RFC 9562): milliseconds and random bits.
func runID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(time.Now().UnixMilli()))
	copy(b[:6], ms[2:])
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ownSchema is the schema of walrelay's own values.
var ownSchema = &connect.Schema{Type: connect.String}

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
