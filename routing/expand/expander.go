package expand

import (
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/walrelay/walrelay/routing/connect"
)

// Options are the settings of an Expander.
type Options struct {
	// KeepNulls keeps a member that is null, as optional bytes
	// (table.json.payload.null.behavior=optional_bytes). Default: it is left out.
	KeepNulls bool
	// Names is how a field's name is made valid for Avro, the router's own
	// field.name.adjustment.mode: none (default), avro or avro_unicode. As in
	// Debezium a member whose name changes loses its value: it is null.
	Names string
	// Field is the name of the payload's column, and so of the schema.
	// Default: payload.
	Field string
}

// Bounds of what is kept from one document to the next, and of what one document
// may become.
const (
	maxShapes     = 1 << 13 // shapes remembered
	maxShapeBytes = 8 << 20 // bytes of their keys
	maxKept       = 1 << 16 // nodes, bytes … of scratch
	maxFilled     = 4 << 20 // values added for fields that an element lacks
	maxNames      = 16 << 20
)

// ErrUnchanged says that a payload goes out as the string it is, under the
// column's schema. Debezium logs a warning. Errors that wrap it say why.
var ErrUnchanged = errors.New("expand json: the payload stays a string")

// ErrNoSchema is the case of ErrUnchanged where the string goes out without any
// schema: the payload is an empty array. JsonConverter with schemas then writes
// "schema":null, and an envelope cannot be made: Debezium's task fails.
var ErrNoSchema = fmt.Errorf("%w: an empty array has no schema", ErrUnchanged)

// unchanged is an ErrUnchanged with its reason and place. It never quotes the
// payload.
type unchanged struct {
	reason string
	offset int
}

func (e *unchanged) Error() string {
	return fmt.Sprintf("%v: %s, at byte %d", ErrUnchanged, e.reason, e.offset)
}

func (e *unchanged) Unwrap() error { return ErrUnchanged }

// Conflict is a payload whose schema could be inferred but which does not fit it.
// Debezium then sends the string under that schema: StringConverter passes the
// text as it is, JsonConverter and every envelope fail the task.
type Conflict struct {
	Detail string // what does not fit, never its content
	Offset int    // of the value, in bytes of the text
}

func (e *Conflict) Error() string {
	return fmt.Sprintf("expand json: %s, at byte %d", e.Detail, e.Offset)
}

// Expander expands payloads.
type Expander struct {
	keepNulls bool
	adjust    adjuster
	field     string

	parser
	shapes

	filled int // values added, in this document
}

// New makes an Expander. Names other than those of Options count as none.
func New(o Options) *Expander {
	x := &Expander{keepNulls: o.KeepNulls, adjust: adjusterOf(o.Names), field: o.Field}
	if x.field == "" {
		x.field = "payload"
	}
	x.seed = maphash.MakeSeed()
	x.shapes.init()
	return x
}

// Expand infers the schema of text and reads its value. The value's bytes are
// views of text and a's. The error is one of
//
//   - ErrUnchanged (by errors.Is): the payload goes out as the string it is;
//     ErrNoSchema is its one case with a difference
//   - *Conflict
func (x *Expander) Expand(text []byte, a *connect.Arena) (*connect.Schema, connect.Value, error) {
	x.trim()
	root, err := x.parse(text)
	if err != nil {
		return nil, connect.Value{}, err
	}
	if len(x.unescaped) > 0 {
		// What was unescaped lies in scratch, which the next document overwrites.
		lent := a.Bytes(len(x.unescaped))
		copy(lent, x.unescaped)
		x.strings = lent
	}
	x.path = append(x.path[:0], x.field...)
	s, err := x.infer(root, 0, true)
	if err != nil {
		return nil, connect.Value{}, err
	}
	if s == nil {
		return nil, connect.Value{}, ErrNoSchema
	}
	if s.schema.Type != connect.Struct {
		return nil, connect.Value{}, x.conflict(root, "an array is not a struct")
	}
	var v connect.Value
	x.filled = 0
	if err := x.read(root, s, a, &v); err != nil {
		return nil, connect.Value{}, err
	}
	return s.schema, v, nil
}

// trim forgets what an earlier document made large.
func (x *Expander) trim() {
	if len(x.known) > maxShapes || x.knownBytes > maxShapeBytes {
		x.shapes.init()
	}
	if cap(x.nodes) > maxKept {
		x.nodes = nil
	}
	if cap(x.unescaped) > maxKept {
		x.unescaped = nil
	}
	if cap(x.slots) > maxKept {
		x.slots = nil
	}
	x.shapes.trim()
	x.strings = nil
}

func (x *Expander) conflict(n int32, detail string) error {
	return &Conflict{Detail: detail, Offset: int(x.nodes[n].at)}
}
