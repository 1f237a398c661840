package decoding

import "time"

// Kind says which message Decode has read.
type Kind uint8

// The kinds of messages of protocol version 1.
const (
	KindNone           Kind = iota
	KindBegin               // 'B', Message.Begin
	KindCommit              // 'C', Message.Commit
	KindRelation            // 'R', Message.Relation
	KindInsert              // 'I' into an outbox table, Message.Event
	KindInsertOther         // 'I' into another table of the publication
	KindUpdate              // 'U', Message.Table; with Table.Updates also Message.Event
	KindDelete              // 'D', Message.Table
	KindTruncate            // 'T'
	KindType                // 'Y'
	KindOrigin              // 'O'
	KindLogicalMessage      // 'M', Message.Logical
)

var kindNames = [...]string{"none", "begin", "commit", "relation", "insert", "insert other", "update",
	"delete", "truncate", "type", "origin", "logical message"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Message is what one frame says. Only the field that Kind names is set; the
// others keep what an earlier message left there. Reuse one Message for all
// frames: that is what makes Decode free of allocations.
type Message struct {
	Kind     Kind
	Begin    Begin
	Commit   Commit
	Relation Relation
	Logical  Logical
	// Table is the outbox table that KindInsert, KindUpdate and KindDelete
	// concern; nil when the row is another table's.
	Table *Table
	Event Event
}

// Begin opens a transaction ('B').
type Begin struct {
	FinalLSN   LSN       // commit LSN of the transaction
	CommitTime time.Time // UTC, microseconds
	XID        uint32
}

// Commit ends a transaction ('C').
type Commit struct {
	CommitLSN  LSN       // where the commit record begins, Begin.FinalLSN
	EndLSN     LSN       // where it ends: the position to confirm
	CommitTime time.Time // UTC, microseconds
}

// Relation announces a table ('R') before its first row on a connection and
// after it has changed.
type Relation struct {
	OID       uint32
	Namespace string
	Name      string
	Columns   []Column
	Table     *Table // the outbox table it is; nil when its rows are ignored
	// At says which columns are the parts of an event. It means nothing without a
	// Table, or when the first row will give a MappingError.
	At Places
}

// Places are numbers of columns; -1: the table has none for it.
type Places struct {
	ID, AggregateType, AggregateID, EventType, Payload int
	Extra                                              []int // as Table.Extra
}

// Column is one column of a Relation.
type Column struct {
	Name string
	OID  uint32 // type; for a domain the built-in type beneath it
	Mod  int32  // type modifier, -1: none
	Key  bool   // part of the replica identity
}

// Logical is what pg_logical_emit_message wrote ('M'). Prefix and Content are
// views of the frame, valid as long as it is.
type Logical struct {
	Transactional   bool
	LSN             LSN
	Prefix, Content []byte
}

// postgresEpoch is 2000-01-01T00:00:00Z in microseconds since 1970, the zero of
// the protocol's timestamps.
const postgresEpoch = 946_684_800_000_000

func commitTime(micros uint64) time.Time {
	return time.UnixMicro(int64(micros) + postgresEpoch).UTC()
}
