package decoding

import "fmt"

// Decoder reads the messages of one replication connection, in order. It
// remembers the open transaction and the relations announced so far. It is not
// safe for use by several goroutines.
type Decoder struct {
	tables    map[tableName]*Table
	relations map[uint32]*relation
	types     map[uint32]uint32 // domain → built-in type beneath it

	open bool // between Begin and Commit
	tx   Begin
	rows int // row messages of the transaction so far

	values []Value // columns of the row being read
	old    []Value // columns of the row before an UPDATE
}

type tableName struct{ schema, name string }

// relation is a cached Relation message.
type relation struct {
	table   *Table // nil: rows are ignored
	columns []Column
	mapping mapping
	err     *MappingError // raised at the first INSERT; its LSN is not set
}

// New returns a Decoder for the given outbox tables. Events point into a copy of
// tables. Of two entries for the same table the first counts.
func New(tables []Table) *Decoder {
	d := &Decoder{tables: make(map[tableName]*Table, len(tables))}
	own := append([]Table(nil), tables...)
	for i := range own {
		name := tableName{own[i].Schema, own[i].Name}
		if d.tables[name] == nil {
			d.tables[name] = &own[i]
		}
	}
	d.Reset()
	return d
}

// Reset forgets the open transaction and all relations. Call it for every new
// connection: the server announces relations anew on each.
func (d *Decoder) Reset() {
	d.relations = make(map[uint32]*relation)
	d.types = make(map[uint32]uint32)
	d.open, d.tx, d.rows = false, Begin{}, 0
}

// Decode reads one pgoutput message (the data of one XLogData) into m. What m
// holds afterwards is valid until the next Decode and as long as frame is not
// overwritten; after an error it holds nothing (KindNone). A row of an outbox table costs no allocation.
//
// The error is a *ProtocolError or a *MappingError. After either the connection
// has to be given up, with nothing confirmed from the open transaction on.
func (d *Decoder) Decode(frame []byte, m *Message) error {
	m.Kind = KindNone
	r := reader{b: frame}
	kind := r.u8()
	if r.short {
		return d.fail(0, "it has no first byte")
	}
	switch kind {
	case 'I':
		return d.insert(&r, m)
	case 'B':
		return d.begin(&r, m)
	case 'C':
		return d.commit(&r, m)
	case 'R':
		return d.relation(&r, m)
	case 'U':
		return d.update(&r, m)
	case 'D':
		return d.delete(&r, m)
	case 'T':
		return d.truncate(&r, m)
	case 'Y':
		return d.typ(&r, m)
	case 'O':
		return d.origin(&r, m)
	case 'M':
		return d.logical(&r, m)
	default:
		return d.fail(kind, "walrelay asks for protocol version 1, which has no such kind")
	}
}

// end checks that a message has been read exactly to its end.
func (d *Decoder) end(kind byte, r *reader) error {
	if r.short {
		return d.fail(kind, fmt.Sprintf("it ends too early, after %d bytes", len(r.b)))
	}
	if n := r.left(); n > 0 {
		return d.fail(kind, fmt.Sprintf("%d bytes are left over at its end", n))
	}
	return nil
}

func (d *Decoder) fail(kind byte, detail string) error {
	e := &ProtocolError{Kind: kind, Detail: detail}
	if d.open {
		e.LSN = d.tx.FinalLSN
	}
	return e
}

// begin reads Byte1('B') Int64(final LSN) Int64(commit time) Int32(xid).
func (d *Decoder) begin(r *reader, m *Message) error {
	b := Begin{FinalLSN: LSN(r.u64()), CommitTime: commitTime(r.u64()), XID: r.u32()}
	if err := d.end('B', r); err != nil {
		return err
	}
	if d.open {
		return d.fail('B', fmt.Sprintf("transaction %d begins before transaction %d has ended", b.XID, d.tx.XID))
	}
	d.open, d.tx, d.rows = true, b, 0
	m.Kind, m.Begin = KindBegin, b
	return nil
}

// commit reads Byte1('C') Int8(flags, unused) Int64(commit LSN) Int64(end LSN)
// Int64(commit time).
func (d *Decoder) commit(r *reader, m *Message) error {
	flags := r.u8()
	c := Commit{CommitLSN: LSN(r.u64()), EndLSN: LSN(r.u64()), CommitTime: commitTime(r.u64())}
	if err := d.end('C', r); err != nil {
		return err
	}
	switch {
	case !d.open:
		return d.fail('C', "no transaction is open")
	case flags != 0:
		return d.fail('C', fmt.Sprintf("flags 0x%02x are not known", flags))
	case c.CommitLSN != d.tx.FinalLSN:
		return d.fail('C', fmt.Sprintf("it commits at %s", c.CommitLSN))
	case c.EndLSN <= c.CommitLSN:
		return d.fail('C', fmt.Sprintf("it ends at %s, not after its beginning", c.EndLSN))
	}
	d.open = false
	m.Kind, m.Commit = KindCommit, c
	return nil
}

// origin reads Byte1('O') Int64(commit LSN on the origin) String(name).
func (d *Decoder) origin(r *reader, m *Message) error {
	r.u64()
	r.cstring()
	if err := d.end('O', r); err != nil {
		return err
	}
	m.Kind = KindOrigin
	return nil
}

// logical reads Byte1('M') Int8(1: transactional) Int64(LSN) String(prefix)
// Int32(length) Byte(content). It may come outside a transaction.
func (d *Decoder) logical(r *reader, m *Message) error {
	flags := r.u8()
	l := Logical{Transactional: flags == 1, LSN: LSN(r.u64()), Prefix: r.cstring(), Content: r.sized()}
	if err := d.end('M', r); err != nil {
		return err
	}
	if flags > 1 {
		return d.fail('M', fmt.Sprintf("flags 0x%02x are not known", flags))
	}
	if l.Transactional && !d.open {
		return d.fail('M', "it is transactional, but no transaction is open")
	}
	m.Kind, m.Logical = KindLogicalMessage, l
	return nil
}

// typ reads Byte1('Y') Int32(OID) String(namespace) String(name). For a domain
// the name is that of the type beneath it.
func (d *Decoder) typ(r *reader, m *Message) error {
	oid, schema, name := r.u32(), r.cstring(), r.cstring()
	if err := d.end('Y', r); err != nil {
		return err
	}
	delete(d.types, oid)
	if base := builtin[string(name)]; base != 0 && namespace(schema) == "pg_catalog" {
		d.types[oid] = base
	}
	m.Kind = KindType
	return nil
}

// event fills m's Event from the row in d.values.
func (d *Decoder) event(rel *relation, index int, m *Message) {
	e := &m.Event
	e.Table = rel.table
	e.CommitLSN, e.XID, e.CommitTime, e.Index = d.tx.FinalLSN, d.tx.XID, d.tx.CommitTime, index
	at := &rel.mapping.at
	e.ID = d.values[at[roleID]]
	e.AggregateType = d.values[at[roleAggregateType]]
	e.AggregateID = d.values[at[roleAggregateID]]
	e.Payload = d.values[at[rolePayload]]
	e.EventType = Value{Null: true}
	if i := at[roleEventType]; i >= 0 {
		e.EventType = d.values[i]
	}
	e.Extra = e.Extra[:0]
	for _, i := range rel.mapping.extra {
		if i < 0 {
			e.Extra = append(e.Extra, Value{Null: true, Missing: true})
			continue
		}
		e.Extra = append(e.Extra, d.values[i])
	}
	e.Row, e.Old = d.values, d.old
}
