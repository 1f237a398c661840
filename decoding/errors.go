package decoding

import (
	"fmt"
	"strings"
)

// ProtocolError says that a message is not what pgoutput protocol 1 in text
// format sends, or not where it may stand. It is never worth another try with
// the same bytes: the connection has to be reopened, and if the same message
// comes again the server or walrelay is at fault. Nothing at or after LSN may be
// confirmed.
type ProtocolError struct {
	Kind   byte   // the message's first byte; 0 when the message was empty
	LSN    LSN    // commit LSN of the transaction it stands in; 0 outside of one
	Detail string // what is wrong with it
}

func (e *ProtocolError) Error() string {
	where := "outside a transaction"
	if e.LSN != 0 {
		where = "in the transaction that commits at " + e.LSN.String()
	}
	kind := "an empty message"
	if e.Kind != 0 {
		kind = fmt.Sprintf("message %q (0x%02x)", rune(e.Kind), e.Kind)
	}
	return fmt.Sprintf("decode pgoutput %s %s: %s", kind, where, e.Detail)
}

// MappingError says that an event of an outbox table can't be read as the table
// is configured. It stands for one INSERT: nothing at or after LSN may be
// confirmed, what was before it is unharmed. With the configuration corrected a
// restart goes on with exactly this row.
type MappingError struct {
	LSN     LSN      // commit LSN of the transaction that holds the INSERT
	Table   string   // schema.name as in the configuration
	Role    string   // key under "columns" that has no column: id, payload, …; "" for others
	Column  string   // the column that is missing, as configured or by its usual names
	Columns []string // columns of the relation, in order
	Problem string   // what is wrong
	Advice  string   // what to do
}

func (e *MappingError) Error() string {
	return fmt.Sprintf("read outbox table %s in the transaction that commits at %s: %s; its columns there are %s: %s",
		e.Table, e.LSN, e.Problem, strings.Join(e.Columns, ", "), e.Advice)
}
