package decoding_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/decoding"
)

var commitTime = time.Date(2026, 3, 4, 5, 6, 7, 891011000, time.UTC)

const commitLSN = decoding.LSN(0x1_0000_0ABC)

// decode feeds frames in order and fails at the first error.
func decode(t *testing.T, d *decoding.Decoder, m *decoding.Message, frames ...[]byte) {
	t.Helper()
	for i, f := range frames {
		if err := d.Decode(f, m); err != nil {
			t.Fatalf("frame %d (%c): %v", i, f[0], err)
		}
	}
}

func parts(e *decoding.Event) []string {
	out := []string{}
	for _, v := range append([]decoding.Value{e.ID, e.AggregateType, e.AggregateID, e.EventType, e.Payload}, e.Extra...) {
		if v.Null {
			out = append(out, "NULL")
			continue
		}
		out = append(out, string(v.Data))
	}
	return out
}

func outbox() []decoding.Table { return []decoding.Table{{Schema: "public", Name: "outbox"}} }

func TestDecoder_event(t *testing.T) {
	d := decoding.New(outbox())
	var m decoding.Message
	decode(t, d, &m,
		begin(commitLSN, commitTime, 77),
		relation(1, "public", "outbox", debezium...),
		insert(1, "e-1", "order", "", "Made", null))
	e := &m.Event
	if m.Kind != decoding.KindInsert || m.Table != e.Table || e.Table.String() != "public.outbox" {
		t.Fatalf("kind %v, table %v", m.Kind, e.Table)
	}
	if e.CommitLSN != commitLSN || e.XID != 77 || e.Index != 0 || !e.CommitTime.Equal(commitTime) {
		t.Errorf("commit %s, xid %d, index %d, time %s", e.CommitLSN, e.XID, e.Index, e.CommitTime)
	}
	if diff := cmp.Diff([]string{"e-1", "order", "", "Made", "NULL"}, parts(e)); diff != "" {
		t.Error(diff)
	}
	if e.AggregateID.Data == nil {
		t.Error("the empty text must not be nil")
	}
	if e.Payload.Data != nil {
		t.Error("NULL must be nil")
	}
	decode(t, d, &m, commit(commitLSN, commitLSN+8))
	if m.Kind != decoding.KindCommit || m.Commit.CommitLSN != commitLSN || m.Commit.EndLSN != commitLSN+8 {
		t.Errorf("commit %+v", m.Commit)
	}
}

// Index counts the rows of all tables, so that it names a row whatever is mapped.
func TestDecoder_indexCountsAllRows(t *testing.T) {
	d := decoding.New(outbox())
	var m decoding.Message
	row := []string{"1", "a", "b", "c", "d"}
	decode(t, d, &m,
		begin(commitLSN, commitTime, 1),
		relation(1, "public", "outbox", debezium...),
		relation(2, "public", "orders", names("id")...),
		insert(2, "1"), update(2, 0, nil, []string{"2"}), remove(2, "2"),
		update(1, 'K', []string{"1", null, null, null, null}, []string{"1", "a", "b", "c", toasted}),
		update(1, 'O', row, row), u32(append(u32([]byte{'T'}, 1), 3), 2), insert(1, row...))
	if m.Event.Index != 5 {
		t.Errorf("index %d, want 5", m.Event.Index)
	}
	decode(t, d, &m, commit(commitLSN, commitLSN+1), begin(commitLSN+2, commitTime, 2), insert(1, row...))
	if m.Event.Index != 0 {
		t.Errorf("index %d in the next transaction, want 0", m.Event.Index)
	}
}

func TestDecoder_ignoresOtherTables(t *testing.T) {
	d := decoding.New(outbox())
	for i, name := range [][2]string{{"public", "outbox2"}, {"other", "outbox"}, {"public", "Outbox"}, {"", "outbox"}} {
		var m decoding.Message
		d.Reset()
		decode(t, d, &m, begin(1, commitTime, 1), relation(9, name[0], name[1], names("x", "y")...), insert(9, toasted, null))
		if m.Kind != decoding.KindInsertOther || m.Table != nil {
			t.Errorf("case %d: kind %v, table %v", i, m.Kind, m.Table)
		}
	}
}

func TestDecoder_severalTables(t *testing.T) {
	d := decoding.New([]decoding.Table{
		{Schema: "public", Name: "outbox", Index: 0},
		{Schema: "billing", Name: "Events", Index: 1, Columns: decoding.Columns{ID: "n", Payload: "body"}, Extra: extras("tenant", "n")},
	})
	var m decoding.Message
	decode(t, d, &m,
		begin(commitLSN, commitTime, 1),
		relation(1, "public", "outbox", debezium...),
		relation(2, "billing", "Events", names("tenant", "n", "aggregate_type", "aggregate_id", "body", "created_at")...),
		insert(2, "acme", "7", "bill", "b-1", "{}", "now"))
	if m.Event.Table.Index != 1 {
		t.Errorf("table %d", m.Event.Table.Index)
	}
	if diff := cmp.Diff([]string{"7", "bill", "b-1", "NULL", "{}", "acme", "7"}, parts(&m.Event)); diff != "" {
		t.Error(diff)
	}
	decode(t, d, &m, insert(1, "1", "a", "b", "c", "d"))
	if m.Event.Table.Index != 0 || len(m.Event.Extra) != 0 {
		t.Errorf("table %d, extra %d", m.Event.Table.Index, len(m.Event.Extra))
	}
}

func TestDecoder_domainsAreTheirBaseType(t *testing.T) {
	d := decoding.New(outbox())
	var m decoding.Message
	typ := func(oid uint32, schema, name string) []byte { return text(text(u32([]byte{'Y'}, oid), schema), name) }
	decode(t, d, &m,
		begin(commitLSN, commitTime, 1),
		typ(50001, "", "bytea"), typ(50002, "public", "mood"), typ(50003, "public", "bool"),
		relation(1, "public", "outbox", column{"id", 2950}, column{"aggregatetype", 50002}, column{"aggregateid", 50003},
			column{"payload", 50001}),
		insert(1, "1", "happy", "t", `\x00`))
	e := &m.Event
	if e.Payload.OID != 17 || e.AggregateType.OID != 50002 || e.AggregateID.OID != 50003 || e.ID.OID != 2950 {
		t.Errorf("types %d %d %d %d", e.Payload.OID, e.AggregateType.OID, e.AggregateID.OID, e.ID.OID)
	}
}

func TestDecoder_logicalMessage(t *testing.T) {
	d := decoding.New(nil)
	frame := func(flags byte) []byte {
		return append(u32(text(u64([]byte{'M', flags}, 42), "prefix"), 3), "a\x00b"...)
	}
	var m decoding.Message
	decode(t, d, &m, frame(0))
	if l := m.Logical; l.Transactional || l.LSN != 42 || string(l.Prefix) != "prefix" || string(l.Content) != "a\x00b" {
		t.Errorf("%+v", l)
	}
	wantProtocolError(t, d.Decode(frame(1), &m), 'M', "no transaction is open")
	decode(t, d, &m, begin(1, commitTime, 1), frame(1))
	if !m.Logical.Transactional {
		t.Error("not transactional")
	}
	wantProtocolError(t, d.Decode(frame(2), &m), 'M', "flags 0x02")
}

func wantProtocolError(t *testing.T, err error, kind byte, detail string) *decoding.ProtocolError {
	t.Helper()
	var e *decoding.ProtocolError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a ProtocolError with %q", err, detail)
	}
	if e.Kind != kind || !strings.Contains(e.Detail, detail) {
		t.Errorf("got %v, want kind %q and %q", e, kind, detail)
	}
	return e
}

func TestDecoder_protocolErrors(t *testing.T) {
	row := []string{"1", "a", "b", "c", "d"}
	tests := []struct {
		name   string
		frame  []byte
		kind   byte
		detail string
	}{
		{"empty", nil, 0, "no first byte"},
		{"unknown kind", []byte{'S', 0}, 'S', "no such kind"},
		{"unknown kind that is no letter", []byte{0xff}, 0xff, "no such kind"},
		{"begin in a transaction", begin(5, commitTime, 9), 'B', "before transaction 1 has ended"},
		{"commit elsewhere", commit(commitLSN+1, commitLSN+2), 'C', "it commits at"},
		{"commit that ends where it begins", commit(commitLSN, commitLSN), 'C', "not after its beginning"},
		{"relation unknown", insert(99, row...), 'I', "relation 99 has not been announced"},
		{"too few columns", insert(1, "1"), 'I', "1 columns, its relation 5"},
		{"toasted in an insert", insert(1, "1", "a", "b", "c", toasted), 'I', `column "payload" of outbox table public.outbox is an unchanged TOAST`},
		{"binary", insert(1, "1", "a", "b", "c", asBinary), 'I', "format 0x62"},
		{"binary elsewhere", insert(2, asBinary), 'I', "format 0x62"},
		{"old row in an insert", tuple(append(u32([]byte{'I'}, 1), 'O'), row...), 'I', "a new row was expected, not 0x4f"},
		{"new row in a delete", tuple(append(u32([]byte{'D'}, 1), 'N'), row...), 'D', "an old row was expected"},
		{"no new row in an update", tuple(append(u32([]byte{'U'}, 1), 'X'), row...), 'U', "a new row was expected"},
		{"trailing byte", append(insert(1, row...), 0), 'I', "1 bytes are left over"},
		{"truncate of more than there is", u32(append(u32([]byte{'T'}, 0x40000001), 0), 1), 'T', "don't fit"},
		{"negative length", append(append(u16(append(u32([]byte{'I'}, 2), 'N'), 1), 't'), 0xff, 0xff, 0xff, 0xff), 'I', "ends too early"},
		{"name without end", append(u32([]byte{'Y'}, 1), 'x'), 'Y', "ends too early"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := decoding.New(outbox())
			var m decoding.Message
			decode(t, d, &m, begin(commitLSN, commitTime, 1), relation(1, "public", "outbox", debezium...),
				relation(2, "public", "other", names("x")...))
			e := wantProtocolError(t, d.Decode(tt.frame, &m), tt.kind, tt.detail)
			if e.LSN != commitLSN || !strings.Contains(e.Error(), "1/ABC") {
				t.Errorf("the error does not say where: %v", e)
			}
			if m.Kind != decoding.KindNone {
				t.Errorf("kind %v after an error", m.Kind)
			}
		})
	}
	t.Run("outside a transaction", func(t *testing.T) {
		d := decoding.New(outbox())
		var m decoding.Message
		decode(t, d, &m, relation(1, "public", "outbox", debezium...))
		truncate := u32(append(u32([]byte{'T'}, 1), 0), 1)
		for _, f := range [][]byte{insert(1, row...), update(1, 0, nil, row), remove(1, row...), truncate, commit(1, 2)} {
			e := wantProtocolError(t, d.Decode(f, &m), f[0], "no transaction is open")
			if !strings.Contains(e.Error(), "outside a transaction") {
				t.Error(e)
			}
		}
	})
}

func TestDecoder_Reset(t *testing.T) {
	d := decoding.New(outbox())
	var m decoding.Message
	decode(t, d, &m, begin(commitLSN, commitTime, 1), relation(1, "public", "outbox", debezium...))
	d.Reset()
	decode(t, d, &m, begin(commitLSN, commitTime, 1))
	wantProtocolError(t, d.Decode(insert(1, "1", "a", "b", "c", "d"), &m), 'I', "has not been announced")
}

// The caller's frame is the event's memory: nothing is copied, and nothing the
// event holds can be appended to over the frame.
func TestDecoder_valuesAreViews(t *testing.T) {
	d := decoding.New(outbox())
	var m decoding.Message
	frame := insert(1, "1", "a", "b", "c", "payload")
	decode(t, d, &m, begin(1, commitTime, 1), relation(1, "public", "outbox", debezium...), frame)
	frame[len(frame)-1] = 'D'
	if string(m.Event.Payload.Data) != "payloaD" {
		t.Error("the payload was copied")
	}
	_ = append(m.Event.ID.Data, "overwrites"...)
	if string(m.Event.Payload.Data) != "payloaD" {
		t.Error("an append went into the frame")
	}
}
