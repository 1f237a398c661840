package replication

import (
	"encoding/binary"
	"fmt"
)

// FrameKind says what a Frame is.
type FrameKind uint8

// The kinds of frames.
const (
	FrameNone      FrameKind = iota // nothing arrived until the deadline, or Interrupt was called; the connection is good
	FrameXLogData                   // Data holds one message of the output plugin
	FrameKeepalive                  // primary keepalive message
)

// Frame is one CopyData message of the replication stream.
// See https://www.postgresql.org/docs/current/protocol-replication.html.
type Frame struct {
	Kind FrameKind
	// Data is the pgoutput message of an XLogData frame. Valid until the next
	// call of Receive or Close.
	Data []byte
	// WALStart is the position of the data of an XLogData frame. Never a value
	// to confirm: a Relation message has 0/0.
	WALStart LSN
	// ServerWALEnd is the server's position. In a keepalive it is a boundary:
	// everything that ended at or before it has been sent on this connection.
	ServerWALEnd LSN
	// ReplyRequested says that the server wants a status update at once.
	ReplyRequested bool
}

// First bytes and header lengths of the messages the server sends.
const (
	byteXLogData  = 'w'
	byteKeepalive = 'k'

	xlogDataHeader = 1 + 8 + 8 + 8 // byte, WAL start, server's WAL end, clock
	keepaliveSize  = 1 + 8 + 8 + 1 // byte, server's WAL end, clock, reply requested
)

// parseFrame reads the header of a CopyData message. The lengths are checked
// here because pglogrepl's parsers index past the end of a short one.
func parseFrame(b []byte) (Frame, error) {
	if len(b) == 0 {
		return Frame{}, fmt.Errorf("replication frame: empty CopyData message")
	}
	switch b[0] {
	case byteXLogData:
		if len(b) < xlogDataHeader {
			return Frame{}, fmt.Errorf("replication frame: XLogData of %d bytes is shorter than its header of %d", len(b), xlogDataHeader)
		}
		return Frame{
			Kind:         FrameXLogData,
			WALStart:     LSN(binary.BigEndian.Uint64(b[1:])),
			ServerWALEnd: LSN(binary.BigEndian.Uint64(b[9:])),
			Data:         b[xlogDataHeader:],
		}, nil
	case byteKeepalive:
		if len(b) != keepaliveSize {
			return Frame{}, fmt.Errorf("replication frame: keepalive of %d bytes, expected %d", len(b), keepaliveSize)
		}
		return Frame{
			Kind:           FrameKeepalive,
			ServerWALEnd:   LSN(binary.BigEndian.Uint64(b[1:])),
			ReplyRequested: b[17] != 0,
		}, nil
	}
	return Frame{}, fmt.Errorf("replication frame: unknown message byte 0x%02x", b[0])
}
