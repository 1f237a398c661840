package decoding_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/walrelay/walrelay/decoding"
)

// FuzzTuples: rows of any content, changed in one place, against another decoder of
// pgoutput. A row as a server makes it is read; what is read is what pglogrepl
// reads. (Not the other way round: pglogrepl takes frames that end too early or
// go on too long.)
func FuzzTuples(f *testing.F) {
	f.Add(byte('I'), []byte("ttttt"), []byte("\x011\x05order\x01a\x01T\x02{}"), -1, byte(0))
	f.Add(byte('I'), []byte("tnttt"), []byte("\x00\xff"), -1, byte(0))
	f.Add(byte('U'), []byte("ttttt"), []byte("\x01a"), -1, byte(0))
	f.Add(byte('K'), []byte("tnnnntttut"), []byte("\x03key"), -1, byte(0))
	f.Add(byte('O'), []byte("tttttutttu"), []byte("\x03key"), 11, byte('b'))
	f.Add(byte('D'), []byte("tnnnn"), []byte("\x03key"), 6, byte('x'))
	tables := []decoding.Table{{Schema: "public", Name: "outbox", Updates: true, Extra: extras("note")}}
	columns := append(slices.Clone(debezium), column{"note", 3802})
	f.Fuzz(func(t *testing.T, kind byte, marks, content []byte, at int, with byte) {
		frame := anyRow(kind, marks, content, len(columns))
		changed := at >= 0 && at < len(frame)
		if changed {
			frame[at] = with
		}
		d := decoding.New(tables)
		var m decoding.Message
		for _, setup := range [][]byte{relation(1, "public", "outbox", columns...), begin(9, commitTime, 7)} {
			if err := d.Decode(setup, &m); err != nil {
				t.Fatal(err)
			}
		}
		err := d.Decode(frame, &m)
		switch {
		case err == nil:
			sameRow(t, frame, &m)
		case !changed && (frame[0] != 'I' || !bytes.ContainsRune(marksOf(marks, len(columns)), 'u')):
			t.Fatalf("a right row is refused: %v", err)
		}
	})
}

// marksOf are the kinds of values of one row.
func marksOf(marks []byte, columns int) []byte {
	row := bytes.Repeat([]byte{'n'}, columns)
	for i := range row {
		if i < len(marks) && (marks[i] == 't' || marks[i] == 'u') {
			row[i] = marks[i]
		}
	}
	return row
}

// anyRow is an INSERT, an UPDATE without (U) or with an old row (K, O), or a DELETE,
// of values with the marks; content holds their lengths and bytes in turn.
func anyRow(kind byte, marks, content []byte, columns int) []byte {
	row := func(b []byte) []byte {
		b = u16(b, uint16(columns))
		for _, mark := range marksOf(marks, columns) {
			if b = append(b, mark); mark != 't' {
				continue
			}
			n := 0
			if len(content) > 0 {
				n = min(int(content[0]), len(content)-1)
				content = content[1:]
			}
			b = append(u32(b, uint32(n)), content[:n]...)
			content = content[n:]
		}
		if len(marks) > columns {
			marks = marks[columns:]
		}
		return b
	}
	switch kind {
	case 'K', 'O':
		return row(append(row(append(u32([]byte{'U'}, 1), kind)), 'N'))
	case 'U':
		return row(append(u32([]byte{'U'}, 1), 'N'))
	case 'D':
		return row(append(u32([]byte{'D'}, 1), 'K'))
	}
	return row(append(u32([]byte{'I'}, 1), 'N'))
}

// sameRow compares a message with what pglogrepl reads from the frame.
func sameRow(t *testing.T, frame []byte, m *decoding.Message) {
	t.Helper()
	other, err := pglogrepl.Parse(frame)
	if err != nil {
		t.Fatalf("%s is read, pglogrepl refuses it: %v", m.Kind, err)
	}
	switch o := other.(type) {
	case *pglogrepl.InsertMessage:
		if m.Kind != decoding.KindInsert {
			t.Fatalf("an INSERT is %s", m.Kind)
		}
		sameValues(t, m.Event.Row, o.Tuple.Columns, nil)
		sameEvent(t, &m.Event)
	case *pglogrepl.UpdateMessage:
		if m.Kind != decoding.KindUpdate {
			t.Fatalf("an UPDATE is %s", m.Kind)
		}
		var old []*pglogrepl.TupleDataColumn
		if o.OldTuple != nil {
			old = o.OldTuple.Columns
		}
		sameValues(t, m.Event.Old, old, nil)
		sameValues(t, m.Event.Row, o.NewTuple.Columns, old)
		sameEvent(t, &m.Event)
	case *pglogrepl.DeleteMessage:
		if m.Kind != decoding.KindDelete {
			t.Fatalf("a DELETE is %s", m.Kind)
		}
	case *pglogrepl.RelationMessage:
		if m.Kind != decoding.KindRelation || m.Relation.OID != o.RelationID || m.Relation.Name != o.RelationName || len(m.Relation.Columns) != len(o.Columns) {
			t.Fatalf("%+v, pglogrepl has %+v", m.Relation, o)
		}
	case *pglogrepl.LogicalDecodingMessage:
		if m.Kind != decoding.KindLogicalMessage || string(m.Logical.Prefix) != o.Prefix || !bytes.Equal(m.Logical.Content, o.Content) || m.Logical.LSN != o.LSN {
			t.Fatalf("%+v, pglogrepl has %+v", m.Logical, o)
		}
	case *pglogrepl.TypeMessage:
		if m.Kind != decoding.KindType {
			t.Fatalf("a type is %s", m.Kind)
		}
	case *pglogrepl.TruncateMessage:
		if m.Kind != decoding.KindTruncate {
			t.Fatalf("a TRUNCATE is %s", m.Kind)
		}
	case *pglogrepl.OriginMessage:
		if m.Kind != decoding.KindOrigin {
			t.Fatalf("an origin is %s", m.Kind)
		}
	default:
		t.Fatalf("a row became %s, and a %T for pglogrepl", m.Kind, other)
	}
}

// sameValues compares a row; an UPDATE takes what it left alone from the old row.
func sameValues(t *testing.T, got []decoding.Value, want, old []*pglogrepl.TupleDataColumn) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, pglogrepl has %d", len(got), len(want))
	}
	for i, v := range got {
		w := want[i]
		if w.DataType == 'u' && old != nil && old[i].DataType == 't' {
			w = old[i]
		}
		if v.Null != (w.DataType != 't') || v.Unchanged != (w.DataType == 'u') || v.Null != (v.Data == nil) || !bytes.Equal(v.Data, w.Data) {
			t.Fatalf("value %d is %+v, pglogrepl has %c %q", i, v, w.DataType, w.Data)
		}
	}
}

// sameEvent says that the parts of an event are the columns they should be.
func sameEvent(t *testing.T, e *decoding.Event) {
	t.Helper()
	parts := []decoding.Value{e.ID, e.AggregateType, e.AggregateID, e.EventType, e.Payload, e.Extra[0]}
	for i, part := range parts {
		if part.Null != e.Row[i].Null || !bytes.Equal(part.Data, e.Row[i].Data) || part.OID != e.Row[i].OID {
			t.Fatalf("part %d is %+v, its column %+v", i, part, e.Row[i])
		}
	}
	if e.CommitLSN != 9 || e.XID != 7 || !e.CommitTime.Equal(commitTime.Truncate(time.Microsecond)) || e.Index != 0 || e.Extra[0].OID != 3802 {
		t.Fatalf("%+v", e)
	}
}

// FuzzTransaction: begin and commit of any numbers, against pglogrepl.
func FuzzTransaction(f *testing.F) {
	f.Add(uint64(9), uint64(10), uint64(800_000_000_000_000), uint32(7), byte(0))
	f.Add(uint64(1<<63), uint64(1<<63+1), uint64(1<<63-1), uint32(1<<31), byte(1))
	f.Add(uint64(9), uint64(9), uint64(0), uint32(0), byte(0))
	f.Fuzz(func(t *testing.T, lsn, end, micros uint64, xid uint32, flags byte) {
		// Times that time.Time holds in microseconds: 290,000 years to either side.
		micros &= 1<<62 - 1
		first := u32(u64(u64([]byte{'B'}, lsn), micros), xid)
		last := u64(u64(u64([]byte{'C', flags}, lsn), end), micros)
		d := decoding.New(nil)
		var m decoding.Message
		if err := d.Decode(first, &m); err != nil {
			t.Fatal(err)
		}
		other, err := pglogrepl.Parse(first)
		if o, ok := other.(*pglogrepl.BeginMessage); err != nil || !ok || o.FinalLSN != m.Begin.FinalLSN || o.Xid != m.Begin.XID {
			t.Fatalf("%+v, pglogrepl has %+v, %v", m.Begin, o, err)
		}
		if got := uint64(m.Begin.CommitTime.UnixMicro() - epoch.UnixMicro()); got != binary.BigEndian.Uint64(first[9:]) {
			t.Fatalf("%d µs instead of %d", got, micros)
		}
		err = d.Decode(last, &m)
		if right := flags == 0 && end > lsn; (err == nil) != right {
			t.Fatalf("a commit at %d to %d with flags %d: %v", lsn, end, flags, err)
		} else if !right {
			return
		}
		other, err = pglogrepl.Parse(last)
		if o, ok := other.(*pglogrepl.CommitMessage); err != nil || !ok || o.CommitLSN != m.Commit.CommitLSN || o.TransactionEndLSN != m.Commit.EndLSN {
			t.Fatalf("%+v, pglogrepl has %+v, %v", m.Commit, o, err)
		}
	})
}
