package decoding_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/decoding"
)

// described is the outbox as a row description tells of it.
func described(columns ...string) decoding.Relation {
	rel := decoding.Relation{OID: 1, Namespace: "public", Name: "outbox"}
	for _, name := range columns {
		rel.Columns = append(rel.Columns, decoding.Column{Name: name, OID: 25, Mod: -1})
	}
	return rel
}

// TestRows_likeInsert: a row that was read by SQL is the event that its INSERT
// would have been.
func TestRows_likeInsert(t *testing.T) {
	columns := []string{"id", "aggregatetype", "aggregateid", "type", "payload", "note"}
	values := [][]byte{[]byte("1"), []byte("order"), []byte("a-1"), []byte(""), []byte(`{"a": "\\"}`), nil}
	tables := outbox()
	tables[0].Extra = append(extras("note", "id"), decoding.Extra{Column: "absent", Optional: true})
	at := time.Date(2026, 11, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	d := decoding.New(tables)
	rows := d.Rows(described(columns...), 0x50, at)
	var m decoding.Message
	rows.Announce(&m)
	if m.Kind != decoding.KindRelation || m.Relation.Table == nil || m.Relation.Table.Name != "outbox" || len(m.Relation.Columns) != len(columns) {
		t.Fatalf("announced %+v", m)
	}
	if err := rows.Insert(values, 7, &m); err != nil {
		t.Fatal(err)
	}
	if m.Kind != decoding.KindInsert || m.Table == nil {
		t.Fatalf("%v %v", m.Kind, m.Table)
	}
	e := m.Event
	if e.CommitLSN != 0x50 || e.XID != 0 || e.Index != 7 || !e.CommitTime.Equal(at.Truncate(time.Microsecond)) || e.CommitTime.Location() != time.UTC {
		t.Errorf("lsn %s xid %d index %d time %s", e.CommitLSN, e.XID, e.Index, e.CommitTime)
	}
	text := func(v []byte) decoding.Value { return decoding.Value{Data: v, Null: v == nil, OID: 25} }
	want := []decoding.Value{text(values[0]), text(values[1]), text(values[2]), text(values[3]), text(values[4])}
	if diff := cmp.Diff(want, []decoding.Value{e.ID, e.AggregateType, e.AggregateID, e.EventType, e.Payload}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]decoding.Value{text(nil), text(values[0]), {Null: true, Missing: true}}, e.Extra); diff != "" {
		t.Error(diff)
	}
	if len(e.Row) != len(columns) || len(e.Old) != 0 {
		t.Errorf("row of %d columns, old one of %d", len(e.Row), len(e.Old))
	}
}

func TestRows_mapping(t *testing.T) {
	d := decoding.New(outbox())
	rows := d.Rows(described("id", "aggregatetype", "aggregateid"), 0x50, time.Now())
	var m decoding.Message
	rows.Announce(&m) // an empty table is no error, as in a stream
	err := rows.Insert(make([][]byte, 3), 0, &m)
	var mapping *decoding.MappingError
	if !errors.As(err, &mapping) || mapping.LSN != 0x50 || mapping.Role != "payload" || m.Kind != decoding.KindNone {
		t.Errorf("%v, kind %v", err, m.Kind)
	}
	if err := d.Rows(described("id", "aggregatetype", "aggregateid", "payload"), 1, time.Now()).Insert(make([][]byte, 3), 0, &m); err == nil {
		t.Error("a row of another width was taken")
	}
	other := described("id")
	other.Name = "customer"
	if err := d.Rows(other, 1, time.Now()).Insert(make([][]byte, 1), 0, &m); err != nil || m.Kind != decoding.KindInsertOther {
		t.Errorf("another table: %v, kind %v", err, m.Kind)
	}
}

// TestRows_thenStream: after Reset the decoder reads a connection as if there had
// been no rows.
func TestRows_thenStream(t *testing.T) {
	d := decoding.New(outbox())
	rows := d.Rows(described("id", "aggregatetype", "aggregateid", "payload"), 0x50, time.Now())
	var m decoding.Message
	if err := rows.Insert(slices.Repeat([][]byte{[]byte("x")}, 4), 3, &m); err != nil {
		t.Fatal(err)
	}
	d.Reset()
	once, frames := transaction(2)
	if err := d.Decode(once, &m); err != nil {
		t.Fatal(err)
	}
	for _, frame := range frames {
		if err := d.Decode(frame, &m); err != nil {
			t.Fatal(err)
		}
		if m.Kind == decoding.KindInsert && (m.Event.CommitLSN == 0x50 || m.Event.Index > 1) {
			t.Errorf("lsn %s, index %d", m.Event.CommitLSN, m.Event.Index)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	d := decoding.New(outbox())
	rows := d.Rows(described("id", "aggregatetype", "aggregateid", "type", "payload"), 0x50, time.Now())
	values := slices.Repeat([][]byte{make([]byte, 100)}, 5)
	var m decoding.Message
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := rows.Insert(values, i, &m); err != nil {
			b.Fatal(err)
		}
	}
}
