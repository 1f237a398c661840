package decoding

import (
	"time"

	"github.com/jackc/pglogrepl"
)

// LSN is a position in the write-ahead log, the same type as replication.LSN.
type LSN = pglogrepl.LSN

// Value is one column of a row in PostgreSQL's text format.
type Value struct {
	// Data is the text as the server sent it, a view of the frame: it is valid
	// until the frame is. It is nil for NULL and never nil otherwise.
	Data []byte
	// Null tells NULL from the empty text.
	Null bool
	// Missing: the table has no such column, which Extra.Optional allows. Null is
	// set, too.
	Missing bool
	// Unchanged: an UPDATE left a large (TOASTed) value alone, so that it is not in
	// the WAL. Null is set, too.
	Unchanged bool
	// OID is the column's type; for a domain the built-in type beneath it.
	OID uint32
}

// Event is one row inserted into an outbox table by a committed transaction.
// Its values are valid until the next Decode.
type Event struct {
	Table      *Table    // the outbox table, one of those given to New
	CommitLSN  LSN       // Begin.FinalLSN, equal to Commit.CommitLSN
	XID        uint32    // the transaction's id
	CommitTime time.Time // when it committed, by the server's clock; UTC, microseconds
	// Index is the row's place in its transaction: inserts, updates and deletes
	// of all tables of the publication counted from 0. CommitLSN and Index name a
	// row for ever, as long as the publication stays what it is.
	Index int

	ID, AggregateType, AggregateID, EventType, Payload Value

	// Extra holds the columns of Table.Extra in that order.
	Extra []Value

	// Row holds all columns, in the order of the Relation. Old is the row before
	// an UPDATE as far as the server sends it (its replica identity): columns that
	// it does not send are NULL. It is empty for an INSERT.
	Row, Old []Value
}
