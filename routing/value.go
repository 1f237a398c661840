package routing

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing/connect"
	"github.com/walrelay/walrelay/routing/expand"
)

// payloadField is the field of the envelope that holds the payload.
const payloadField = "payload"

// recordValue makes the record's value: the payload, expanded or not, alone or in
// its envelope.
func (r *Router) recordValue(e *decoding.Event, topicName []byte) ([]byte, error) {
	v := &e.Payload
	b := r.bound(&r.payload, v)
	f := &r.valueFormat
	if f.text && b.plain && r.expander == nil && len(r.envelope) == 0 && (!v.Null || b.fallback == nil && !v.Unchanged) {
		if v.Null || r.rules.TombstoneOnEmpty && blank(v.Data) {
			return nil, nil
		}
		return v.Data, nil
	}
	schema := b.schema()
	payload, err := r.read(b, v)
	if err != nil {
		return nil, err
	}
	schemaless := false
	if schema.Type == connect.String && !payload.Null && r.expander != nil {
		if schema, payload, schemaless, err = r.expand(schema, payload); err != nil {
			return nil, err
		}
	}
	if r.rules.TombstoneOnEmpty && (payload.Null || schema.Type == connect.String && blank(payload.Data)) {
		return nil, nil
	}
	if len(r.envelope) == 0 {
		r.value = payload
		if schemaless && f.schemas {
			return r.schemaless(schema, &r.value)
		}
		return r.converted(f, schema, &r.value)
	}
	schema, fields, err := r.envelopeSchema(e, schema, topicName)
	if err != nil {
		return nil, err
	}
	if r.value, err = r.enveloped(e, fields, payload); err != nil {
		return nil, err
	}
	return r.converted(f, schema, &r.value)
}

// expand turns the payload's JSON text into a value, as far as Debezium does.
// schemaless: it stays the text that it is, but under no schema (an empty array).
func (r *Router) expand(schema *connect.Schema, payload connect.Value) (s *connect.Schema, v connect.Value, schemaless bool, err error) {
	inferred, value, err := r.expander.Expand(payload.Data, &r.arena)
	var conflict *expand.Conflict
	switch {
	case err == nil:
		return inferred, value, false, nil
	case errors.Is(err, expand.ErrNoSchema) && len(r.envelope) > 0:
		return nil, payload, false, &Poison{Reason: ReasonUnconvertible, Detail: "expand_json: an empty array has no schema, and a field of the envelope needs one"}
	case errors.Is(err, expand.ErrUnchanged):
		return schema, payload, errors.Is(err, expand.ErrNoSchema), nil
	case errors.As(err, &conflict) && r.valueFormat.text && len(r.envelope) == 0:
		return schema, payload, false, nil // the string converter does not look at the schema
	case errors.As(err, &conflict):
		return nil, payload, false, &Poison{Reason: ReasonUnconvertible, Detail: "expand_json: " + conflict.Error()}
	}
	return nil, payload, false, err
}

// schemaless is what the JSON converter with schemas writes for text without one.
func (r *Router) schemaless(schema *connect.Schema, v *connect.Value) ([]byte, error) {
	start := len(r.scratch)
	r.scratch = append(r.scratch, `{"schema":null,"payload":`...)
	if _, err := r.converted(&r.bareJSON, schema, v); err != nil {
		return nil, err
	}
	r.scratch = append(r.scratch, '}')
	return r.scratch[start:len(r.scratch):len(r.scratch)], nil
}

// blank is Java's trim().isEmpty(): nothing above U+0020.
func blank(text []byte) bool {
	for _, c := range text {
		if c > ' ' {
			return false
		}
	}
	return true
}

// enveloped puts the payload and the envelope's columns into one struct.
func (r *Router) enveloped(e *decoding.Event, fields []*source, payload connect.Value) (connect.Value, error) {
	items := r.arena.Values(1 + len(fields))
	items[0] = payload
	for i, s := range fields {
		v, err := s.of(e)
		if err != nil {
			return connect.Value{}, err
		}
		if items[i+1], err = r.read(r.bound(s, v), v); err != nil {
			return connect.Value{}, err
		}
	}
	return connect.Value{Items: items}, nil
}

// envelopeSchema returns the schema of the envelope around a payload, and the
// sources of its fields behind the payload.
func (r *Router) envelopeSchema(e *decoding.Event, payload *connect.Schema, routed []byte) (*connect.Schema, []*source, error) {
	if r.fields == nil {
		if err := r.bindEnvelope(e); err != nil {
			return nil, nil, err
		}
	}
	if r.version != nil {
		version, null, err := r.integer(e, r.version)
		if err != nil {
			return nil, nil, at(err, "schema_version")
		}
		s, err := r.schemas.versioned(version, null, payload, r.fields, func() string { return r.schemaName(e, routed) })
		return s, r.fieldSources, err
	}
	return r.schemas.named(payload, r.fields, func() string { return r.schemaName(e, routed) }), r.fieldSources, nil
}

// schemaName is Debezium's: the routed value stands before the last part of the
// name of the table's own schema.
func (r *Router) schemaName(e *decoding.Event, routed []byte) string {
	return r.tableSchema(e.Table) + "." + string(routed) + ".Value"
}

// tableSchema begins the names of a table's schemas. Characters that Kafka would
// not take in a topic are underscores in it.
func (r *Router) tableSchema(t *decoding.Table) string {
	name := []byte(t.String())
	for i := 0; i < len(name); i++ {
		if legal(name[i]) {
			continue
		}
		_, size := utf8.DecodeRune(name[i:])
		name = append(append(name[:i:i], '_'), name[i+size:]...)
	}
	if r.rules.SchemaPrefix != "" {
		return r.rules.SchemaPrefix + "." + string(name)
	}
	return string(name)
}

// bindEnvelope finds the fields that the envelope of this table has.
func (r *Router) bindEnvelope(e *decoding.Event) error {
	r.fields, r.fieldSources = []connect.Field{}, nil
	for i := range r.envelope {
		p := &r.envelope[i]
		v, err := p.source.of(e)
		if err != nil {
			r.fields = nil
			return err
		}
		b := r.bound(&p.source, v)
		if v.Missing || b.left {
			if !r.rules.IgnoreMissing {
				r.fields = nil
				return fmt.Errorf("envelope: the table has no column for %q", p.name)
			}
			continue
		}
		r.fields = append(r.fields, connect.Field{Name: p.name, Schema: b.schema()})
		r.fieldSources = append(r.fieldSources, &p.source)
	}
	return nil
}
