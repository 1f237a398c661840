package expand

import (
	"encoding/binary"

	"github.com/walrelay/walrelay/routing/connect"
)

// shape is a schema that is known. Two shapes are equal if and only if they are
// the same, and so are their ids.
type shape struct {
	schema *connect.Schema
	id     uint32
	fields []*shape         // of a struct
	items  *shape           // of an array
	index  map[string]int32 // fields by name, made when there are many and one is looked for
}

// optional are the shapes without parts. They are never forgotten.
func optional(id uint32, t connect.Type) *shape {
	return &shape{id: id, schema: &connect.Schema{Type: t, Optional: true}}
}

var (
	shapeBytes   = optional(1, connect.Bytes)
	shapeBoolean = optional(2, connect.Boolean)
	shapeString  = optional(3, connect.String)
	shapeInt     = optional(4, connect.Int32)
	shapeLong    = optional(5, connect.Int64)
	shapeDouble  = optional(6, connect.Float64)
)

const firstID = 7

// member is a field of a struct that is being inferred.
type member struct {
	name  []byte
	shape *shape
}

// shapes knows the shapes that were inferred, by a key of their parts' ids: a
// shape of known parts is found without making it again, and whether two are
// equal is one comparison.
type shapes struct {
	known      map[string]*shape // by the key of structs and arrays
	merged     map[string]*shape // by the ids of what was merged
	knownBytes int
	nextID     uint32

	key     []byte
	path    []byte   // names of the structs around
	members []member // of the structs around
	merging []*shape // of the arrays around
	changed []byte   // names that were adjusted
	seen    map[uint64]struct{}
	arrays  uint32 // arrays of objects in this document
	made    int    // bytes of names that this document made
}

func (t *shapes) init() {
	t.known, t.merged = make(map[string]*shape), make(map[string]*shape)
	t.knownBytes, t.nextID = 0, firstID
	t.seen = make(map[uint64]struct{})
}

// trim makes ready for a document.
func (t *shapes) trim() {
	t.members, t.merging = t.members[:0], t.merging[:0]
	if cap(t.members) > maxKept {
		t.members, t.merging = nil, nil
	}
	if cap(t.key) > maxKept {
		t.key = nil
	}
	if cap(t.path) > maxKept {
		t.path = nil
	}
	if cap(t.changed) > maxKept {
		t.changed = nil
	}
	t.changed, t.arrays, t.made = t.changed[:0], 0, 0
	if len(t.seen) > 0 {
		if len(t.seen) > maxKept {
			t.seen = make(map[uint64]struct{})
		}
		clear(t.seen)
	}
}

// array returns the shape of an array of items.
func (t *shapes) array(items *shape) *shape {
	t.key = binary.AppendUvarint(append(t.key[:0], 'a'), uint64(items.id))
	if s := t.known[string(t.key)]; s != nil {
		return s
	}
	return t.remember(&shape{items: items, schema: &connect.Schema{
		Type: connect.Array, Optional: true, Items: items.schema,
	}})
}

// structOf returns the shape of a struct with members as its fields.
func (t *shapes) structOf(name []byte, isOptional bool, members []member) *shape {
	begin := byte('s')
	if isOptional {
		begin = 'o'
	}
	t.key = binary.AppendUvarint(append(t.key[:0], begin), uint64(len(name)))
	t.key = append(t.key, name...)
	for _, m := range members {
		t.key = binary.AppendUvarint(t.key, uint64(m.shape.id))
		t.key = binary.AppendUvarint(t.key, uint64(len(m.name)))
		t.key = append(t.key, m.name...)
	}
	if s := t.known[string(t.key)]; s != nil {
		return s
	}
	s := &shape{fields: make([]*shape, len(members)), schema: &connect.Schema{
		Type: connect.Struct, Optional: isOptional, Name: string(name),
		Fields: make([]connect.Field, len(members)),
	}}
	for i, m := range members {
		s.fields[i] = m.shape
		s.schema.Fields[i] = connect.Field{Name: string(m.name), Schema: m.shape.schema}
	}
	t.made += len(name)
	return t.remember(s)
}

func (t *shapes) remember(s *shape) *shape {
	s.id = t.nextID
	t.nextID++
	t.known[string(t.key)] = s
	t.knownBytes += len(t.key)
	return s
}

// merge returns the shape of the elements of an array whose objects have these
// shapes, at least two, all different. Like Debezium's mergeSchema it is not
// optional, so that a null among them does not fit.
func (t *shapes) merge(list []*shape) *shape {
	t.key = t.key[:0]
	for _, s := range list {
		t.key = binary.AppendUvarint(t.key, uint64(s.id))
	}
	if s := t.merged[string(t.key)]; s != nil {
		return s
	}
	key := string(t.key)
	base := len(t.members)
	names := make(map[string]int32)
	for _, s := range list {
		for i, f := range s.schema.Fields {
			at, ok := names[f.Name]
			if !ok {
				names[f.Name] = int32(len(t.members) - base)
				t.members = append(t.members, member{name: []byte(f.Name), shape: s.fields[i]})
				continue
			}
			// A null's bytes give way to what else there is; between others the
			// first one stays, and the values decide whether that is a conflict.
			if old := &t.members[base+int(at)]; old.shape == shapeBytes {
				old.shape = s.fields[i]
			}
		}
	}
	s := t.structOf([]byte(list[0].schema.Name), false, t.members[base:])
	clear(t.members[base:])
	t.members = t.members[:base]
	t.merged[key] = s
	t.knownBytes += len(key)
	return s
}

// find returns the position of the field called name, or -1. Most callers ask
// for the fields in their order: next is where the last one was, plus one.
func (s *shape) find(name []byte, next int) int {
	fields := s.schema.Fields
	if next < len(fields) && fields[next].Name == string(name) {
		return next
	}
	if len(fields) <= 8 {
		for i := range fields {
			if fields[i].Name == string(name) {
				return i
			}
		}
		return -1
	}
	if s.index == nil {
		s.index = make(map[string]int32, len(fields))
		for i := range fields {
			s.index[fields[i].Name] = int32(i)
		}
	}
	if i, ok := s.index[string(name)]; ok {
		return int(i)
	}
	return -1
}
