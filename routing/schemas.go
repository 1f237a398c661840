package routing

import (
	"slices"

	"github.com/walrelay/walrelay/routing/connect"
)

// maxSchemas bounds the envelope schemas that are remembered; beyond it all are
// forgotten and made again.
const maxSchemas = 10_000

// Schemas remembers the envelopes' schemas of all tables of a relay. Debezium
// keeps one for each schema of a payload, or for each version where a column gives
// one: the routed value that is seen first names it until the restart. The
// routers that share a Schemas belong to one goroutine.
type Schemas struct {
	byPayload map[*connect.Schema]*connect.Schema
	all       []envelope
	byVersion map[int64]*connect.Schema
}

type envelope struct {
	payload, schema *connect.Schema
}

// NewSchemas returns an empty memory.
func NewSchemas() *Schemas {
	s := &Schemas{}
	s.forget()
	return s
}

func (s *Schemas) forget() {
	s.byPayload, s.all = make(map[*connect.Schema]*connect.Schema), nil
	s.byVersion = make(map[int64]*connect.Schema)
}

// named returns the schema of an envelope around payload. name is called for one
// that is new.
func (s *Schemas) named(payload *connect.Schema, fields []connect.Field, name func() string) *connect.Schema {
	known := s.byPayload[payload]
	if known == nil {
		at := slices.IndexFunc(s.all, func(e envelope) bool { return connect.Equal(e.payload, payload) })
		switch {
		case at >= 0:
			known = s.all[at].schema
		case len(s.all) >= maxSchemas:
			s.forget()
		}
	}
	switch {
	case known == nil:
		known = newEnvelope(payload, fields, name())
		s.all = append(s.all, envelope{payload, known})
	case !sameFields(known.Fields[1:], fields):
		// The table has changed since, or it is another one: the name stays.
		named := known
		known = newEnvelope(payload, fields, named.Name)
		s.all = slices.DeleteFunc(s.all, func(e envelope) bool { return e.schema == named })
		s.all = append(s.all, envelope{payload, known})
	}
	if len(s.byPayload) < maxSchemas {
		s.byPayload[payload] = known
	}
	return known
}

// versioned returns the schema of an envelope of a version. Debezium goes by the
// version alone, so a payload of another shape under a known version does not fit.
func (s *Schemas) versioned(version int64, null bool, payload *connect.Schema, fields []connect.Field, name func() string) (*connect.Schema, error) {
	const nullVersion = 1 << 40 // no int32
	if null {
		version = nullVersion
	}
	known := s.byVersion[version]
	if known == nil || !sameFields(known.Fields[1:], fields) {
		if len(s.byVersion) >= maxSchemas {
			s.forget()
		}
		n := ""
		if known != nil {
			n = known.Name
		} else {
			n = name()
		}
		known = newEnvelope(payload, fields, n)
		if !null {
			known.Version, known.HasVersion = int32(version), true
		}
		s.byVersion[version] = known
	}
	if known.Fields[0].Schema != payload && !connect.Equal(known.Fields[0].Schema, payload) {
		return nil, &Poison{Reason: ReasonUnconvertible,
			Detail: "schema_version: an event of the same version had a payload of another schema: give events of another shape another version"}
	}
	return known, nil
}

func newEnvelope(payload *connect.Schema, fields []connect.Field, name string) *connect.Schema {
	return &connect.Schema{
		Type: connect.Struct, Name: name,
		Fields: append([]connect.Field{{Name: payloadField, Schema: payload}}, fields...),
	}
}

func sameFields(a, b []connect.Field) bool {
	return slices.EqualFunc(a, b, func(x, y connect.Field) bool {
		return x.Name == y.Name && (x.Schema == y.Schema || connect.Equal(x.Schema, y.Schema))
	})
}
