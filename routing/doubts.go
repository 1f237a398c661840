package routing

import (
	"fmt"

	"github.com/walrelay/walrelay/routing/connect"
)

// Doubt is a rule that the table's columns will not satisfy.
type Doubt struct {
	Problem string // what does not fit
	Advice  string // what to do
}

// Doubts says which rules would make poison of every event, judging by the types
// of the columns alone. It belongs behind Bind.
func (r *Router) Doubts() []Doubt {
	var doubts []Doubt
	say := func(advice, format string, args ...any) {
		doubts = append(doubts, Doubt{Problem: fmt.Sprintf(format, args...), Advice: advice})
	}
	for _, c := range []struct {
		rule   string
		source *source
	}{{"route.partition", r.partition}, {"route.schema_version", r.version}} {
		if c.source != nil && !isInteger(c.source.column.schema()) {
			say("name an integer column in "+c.rule+", or remove it", "%s: column %s is no integer", c.rule, c.source.name)
		}
	}
	if r.timestamp != nil && !isTime(r.timestamp.column.schema().Name) {
		say("name a timestamp column, or remove route.timestamp for the commit time", "route.timestamp: column %s is no timestamp", r.timestamp.name)
	}
	if s := r.payload.column.schema(); r.rules.ExpandJSON && s.Type != connect.String {
		say("remove route.expand_json, or set types.binary if the payload is bytea", "route.expand_json: the payload is no text")
	}
	if len(r.envelope) == 0 && !r.rules.ExpandJSON {
		r.doubtFormat("value", r.rules.ValueFormat, r.payload.column.schema(), say)
	}
	if r.key.kind != sourceNone {
		r.doubtFormat("key", r.rules.KeyFormat, r.key.column.schema(), say)
	}
	return doubts
}

// doubtFormat asks the converters that take one type only.
func (r *Router) doubtFormat(part string, o connect.Options, s *connect.Schema, say func(advice, format string, args ...any)) {
	want, ok := map[string]connect.Type{
		"bytes": connect.Bytes, "int16": connect.Int16, "int32": connect.Int32, "int64": connect.Int64,
		"float32": connect.Float32, "float64": connect.Float64, "boolean": connect.Boolean,
	}[o.Converter]
	if o.Converter == "binary" && o.Delegate == "" {
		want, ok = connect.Bytes, true
	}
	if ok && s.Type != want {
		say("set format."+part+".converter to one that takes the column (string, json)", "format.%s.converter %s does not take the column's type (%s)", part, o.Converter, s.Type)
	}
}

func isInteger(s *connect.Schema) bool {
	return s.Name == "" && (s.Type == connect.Int16 || s.Type == connect.Int32 || s.Type == connect.Int64)
}
