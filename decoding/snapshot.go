package decoding

import (
	"fmt"
	"time"
)

// Rows makes the rows of one table that were read by SQL look like the INSERTs of
// one transaction, so that the rows of a snapshot take the way of streamed ones.
// Made by Decoder.Rows; it belongs to the Decoder's goroutine.
type Rows struct {
	decoder  *Decoder
	relation *relation
	announce Relation
	tx       Begin
}

// Rows begins the rows of the table that rel describes: Namespace, Name and
// Columns in the order of the values, as a Relation message would. Its Table is
// filled in. lsn and at are what the events carry as CommitLSN and CommitTime;
// their XID is 0.
//
// A Decoder that reads rows reads no messages meanwhile; Reset it before it
// reads a connection.
func (d *Decoder) Rows(rel Relation, lsn LSN, at time.Time) *Rows {
	rel.Table = d.tables[tableName{rel.Namespace, rel.Name}]
	known := d.newRelation(&rel, nil)
	rel.place(known)
	return &Rows{
		decoder: d, relation: known, announce: rel,
		tx: Begin{FinalLSN: lsn, CommitTime: at.UTC().Truncate(time.Microsecond)},
	}
}

// Announce fills m with the table's Relation (KindRelation). Call it once, before
// the first row.
func (r *Rows) Announce(m *Message) { m.Kind, m.Relation = KindRelation, r.announce }

// Insert fills m with the row of the values (KindInsert), each PostgreSQL's text
// of a column, nil for NULL; index is Event.Index. What m holds is valid until the
// next row and as long as the values are not overwritten. It does not allocate.
//
// The error is a *MappingError when the table can't be read as it is configured,
// at its first row as in a stream. For a table that is no outbox table m becomes
// KindInsertOther.
func (r *Rows) Insert(values [][]byte, index int, m *Message) error {
	m.Kind = KindNone
	d, rel := r.decoder, r.relation
	switch {
	case rel.table == nil:
		m.Kind, m.Table = KindInsertOther, nil
		return nil
	case rel.err != nil:
		e := *rel.err
		e.LSN = r.tx.FinalLSN
		return &e
	case len(values) != len(rel.columns):
		return fmt.Errorf("read outbox table %s: the row has %d columns, its description %d", rel.table, len(values), len(rel.columns))
	}
	d.tx = r.tx
	d.values, d.old = d.values[:0], d.old[:0]
	for i, text := range values {
		d.values = append(d.values, Value{Data: text, Null: text == nil, OID: rel.columns[i].OID})
	}
	d.event(rel, index, m)
	m.Kind, m.Table = KindInsert, rel.table
	return nil
}
