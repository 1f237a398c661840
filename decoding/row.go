package decoding

import "fmt"

// relation reads Byte1('R') Int32(OID) String(namespace) String(name)
// Int8(replica identity) Int16(columns), and per column Int8(flags: 1 = key)
// String(name) Int32(type) Int32(type modifier). It replaces what was known of
// the OID.
func (d *Decoder) relation(r *reader, m *Message) error {
	rel := Relation{OID: r.u32(), Namespace: namespace(r.cstring()), Name: string(r.cstring())}
	r.u8()
	n := int(r.u16())
	for i := 0; i < n && !r.short; i++ {
		flags, name, oid, mod := r.u8(), r.cstring(), r.u32(), int32(r.u32())
		if base := d.types[oid]; base != 0 {
			oid = base
		}
		rel.Columns = append(rel.Columns, Column{Name: string(name), OID: oid, Mod: mod, Key: flags&1 != 0})
	}
	if err := d.end('R', r); err != nil {
		return err
	}
	rel.Table = d.tables[tableName{rel.Namespace, rel.Name}]
	known := d.newRelation(&rel, d.relations[rel.OID])
	d.relations[rel.OID] = known
	rel.place(known)
	m.Kind, m.Relation = KindRelation, rel
	return nil
}

// place says where the parts of an event stand.
func (rel *Relation) place(known *relation) {
	if rel.Table != nil && known.err == nil {
		rel.At = known.mapping.places()
	}
}

// newRelation finds the columns of an outbox table. A table that was an outbox
// table under its old name and has a new one that nobody configured must not
// become one of those that are ignored: rows already written by those who don't
// know of the renaming would be lost.
func (d *Decoder) newRelation(rel *Relation, before *relation) *relation {
	c := &relation{table: rel.Table, columns: rel.Columns}
	names := make([]string, len(rel.Columns))
	for i := range rel.Columns {
		names[i] = rel.Columns[i].Name
	}
	switch {
	case rel.Table != nil:
		c.mapping, c.err = newMapping(rel.Table, names)
	case before != nil && before.table != nil:
		now := rel.Namespace + "." + rel.Name
		c.table = before.table
		c.err = &MappingError{
			Table: before.table.String(), Columns: names,
			Problem: "the table is now called " + now,
			Advice: "add " + now + " to the outbox tables of the configuration, beside the old name as long as rows " +
				"under it may come; when its rows are not events any more, take it out of the publication and start again",
		}
	}
	return c
}

// insert reads Byte1('I') Int32(OID) Byte1('N') tuple.
func (d *Decoder) insert(r *reader, m *Message) error {
	rel, err := d.row('I', r)
	if err != nil {
		return err
	}
	if mark := r.u8(); mark != 'N' && !r.short {
		return d.fail('I', fmt.Sprintf("a new row was expected, not 0x%02x", mark))
	}
	if err := d.tuple('I', r, rel); err != nil {
		return err
	}
	if err := d.end('I', r); err != nil {
		return err
	}
	index := d.rows
	d.rows++
	if rel.table == nil {
		m.Kind, m.Table = KindInsertOther, nil
		return nil
	}
	if rel.err != nil {
		e := *rel.err
		e.LSN = d.tx.FinalLSN
		return &e
	}
	d.old = d.old[:0]
	d.event(rel, index, m)
	m.Kind, m.Table = KindInsert, rel.table
	return nil
}

// update reads Byte1('U') Int32(OID), perhaps Byte1('K' or 'O') and the old
// tuple, Byte1('N') and the new tuple.
func (d *Decoder) update(r *reader, m *Message) error {
	rel, err := d.row('U', r)
	if err != nil {
		return err
	}
	mark := r.u8()
	d.old = d.old[:0]
	if mark == 'K' || mark == 'O' {
		if err := d.tuple('U', r, rel); err != nil {
			return err
		}
		d.values, d.old = d.old, d.values
		mark = r.u8()
	}
	if mark != 'N' && !r.short {
		return d.fail('U', fmt.Sprintf("a new row was expected, not 0x%02x", mark))
	}
	if err := d.tuple('U', r, rel); err != nil {
		return err
	}
	if err := d.end('U', r); err != nil {
		return err
	}
	index := d.rows
	d.rows++
	m.Kind, m.Table = KindUpdate, rel.table
	if rel.table == nil || !rel.table.Updates {
		return nil
	}
	if rel.err != nil {
		e := *rel.err
		e.LSN = d.tx.FinalLSN
		return &e
	}
	for i := range d.old { // what the row kept is in the old row, if that was sent whole
		if d.values[i].Unchanged && !d.old[i].Null {
			d.values[i] = d.old[i]
		}
	}
	d.event(rel, index, m)
	return nil
}

// delete reads Byte1('D') Int32(OID) Byte1('K' or 'O') and the old tuple.
func (d *Decoder) delete(r *reader, m *Message) error {
	rel, err := d.row('D', r)
	if err != nil {
		return err
	}
	if mark := r.u8(); mark != 'K' && mark != 'O' && !r.short {
		return d.fail('D', fmt.Sprintf("an old row was expected, not 0x%02x", mark))
	}
	if err := d.tuple('D', r, rel); err != nil {
		return err
	}
	if err := d.end('D', r); err != nil {
		return err
	}
	d.rows++
	m.Kind, m.Table = KindDelete, rel.table
	return nil
}

// truncate reads Byte1('T') Int32(relations) Int8(1: CASCADE, 2: RESTART
// IDENTITY) and an Int32 OID per relation.
func (d *Decoder) truncate(r *reader, m *Message) error {
	n := r.u32()
	r.u8()
	if int64(n)*4 != int64(r.left()) && !r.short {
		return d.fail('T', fmt.Sprintf("%d relations don't fit %d bytes", n, r.left()))
	}
	r.next(r.left())
	if err := d.end('T', r); err != nil {
		return err
	}
	if !d.open {
		return d.fail('T', "no transaction is open")
	}
	m.Kind = KindTruncate
	return nil
}

// row reads the OID of a row message and looks up its relation.
func (d *Decoder) row(kind byte, r *reader) (*relation, error) {
	oid := r.u32()
	if r.short {
		return nil, d.end(kind, r)
	}
	if !d.open {
		return nil, d.fail(kind, "no transaction is open")
	}
	rel := d.relations[oid]
	if rel == nil {
		return nil, d.fail(kind, fmt.Sprintf("relation %d has not been announced", oid))
	}
	return rel, nil
}

// tuple reads Int16(columns) and per column Byte1('n' NULL, 'u' unchanged TOAST,
// 't' text) with, for text, Int32(length) and the bytes, into d.values.
//
// The server knows 'u' only where it did not log a value, which is an UPDATE. An
// INSERT has it when a row filter turned an UPDATE into one, and then the event's
// bytes are not in the WAL.
func (d *Decoder) tuple(kind byte, r *reader, rel *relation) error {
	n := int(r.u16())
	if r.short {
		return d.end(kind, r)
	}
	if n != len(rel.columns) {
		return d.fail(kind, fmt.Sprintf("the row has %d columns, its relation %d", n, len(rel.columns)))
	}
	d.values = d.values[:0]
	for i := range rel.columns {
		v := Value{OID: rel.columns[i].OID}
		switch mark := r.u8(); {
		case r.short:
			return d.end(kind, r)
		case mark == 't':
			if v.Data = r.sized(); r.short {
				return d.end(kind, r)
			}
		case mark == 'n':
			v.Null = true
		case mark == 'u' && (kind != 'I' || rel.table == nil):
			v.Null, v.Unchanged = true, true
		case mark == 'u':
			return d.fail(kind, fmt.Sprintf("column %q of outbox table %s is an unchanged TOAST value, so this INSERT was an UPDATE "+
				"that a row filter let in: publish the outbox with publish = 'insert' only", rel.columns[i].Name, rel.table))
		default:
			return d.fail(kind, fmt.Sprintf("column %q has format 0x%02x; walrelay asks for text ('t') only", rel.columns[i].Name, mark))
		}
		d.values = append(d.values, v)
	}
	return nil
}
