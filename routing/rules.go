package routing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
	"github.com/walrelay/walrelay/routing/expand"
	"github.com/walrelay/walrelay/routing/javaregex"
)

// Rules says how events become records. The zero value is the default.
type Rules struct {
	// Topic is a template of text, ${aggregate_type}, ${aggregate_id} and
	// ${event_type}. Default DefaultTopic.
	Topic string
	// Pattern and Replacement, given both, stand in Topic's place: a Java regular
	// expression for the whole aggregate type, and what Matcher.replaceFirst makes
	// the topic of. An aggregate type that does not match is the topic itself.
	Pattern, Replacement string
	// Key is the source of the record's key: one of the event's parts (id,
	// aggregate_type, aggregate_id, event_type, payload), the name of any other
	// column of the table, or "none". Default aggregate_id. A name in double quotes
	// is always a column's, also where a part is called so.
	Key string
	// Headers in their order, each "source" or "source:name". A source is a part
	// of the event or a column, as for Key, or one of walrelay's own:
	//
	//	walrelay-lsn          commit LSN, such as 0/16B3748
	//	walrelay-index        the row's place in its transaction, from 0
	//	walrelay-xid          transaction id
	//	walrelay-table        schema.name of the outbox table
	//	walrelay-commit-time  microseconds since 1970
	//	debezium-context      the four __debezium.context.* headers
	//
	// Without a name the header is called like its source; the event id is always
	// called "id" then, whatever its column. A name may come twice. Default
	// (nil) is id alone, as Debezium; an empty list that is not nil is no header.
	Headers []string
	// Envelope lists sources as Headers does. With any, the value is a struct of
	// the field "payload" and these.
	Envelope []string
	// Partition names the integer column with the partition; "" or NULL: the key
	// decides.
	Partition string
	// Timestamp names the column with the record's timestamp; "" or NULL: the
	// commit time.
	Timestamp string
	// SchemaVersion names the integer column with the version of the envelope's
	// schema. SchemaPrefix begins that schema's name (Debezium's topic.prefix).
	SchemaVersion, SchemaPrefix string
	// IgnoreMissing does without columns of Headers and Envelope that the table
	// does not have.
	IgnoreMissing bool

	ExpandJSON       bool           // the payload's JSON text becomes a struct
	Expand           expand.Options // how
	TombstoneOnEmpty bool           // a payload that is NULL or blank gives a null value
	NullAsDefault    bool           // an explicit NULL is the column's DEFAULT
	KeyUpdates       bool           // an UPDATE of the primary key is an event, see KeyChanged

	// The converters. An empty Converter is "text" for key and value, which is
	// "string" but for bytea, whose bytes go out as they are; "simple" for headers.
	KeyFormat, ValueFormat, HeaderFormat connect.Options
	// Types says what column types become.
	Types column.Modes
	// Schemas is shared by the routers of one relay; nil: the router's own.
	Schemas *Schemas
}

// New checks rules and returns a Router for them. The error names the rule and,
// in a template, the position.
func New(rules Rules) (*Router, error) {
	r := &Router{rules: rules, topics: make(map[string]string), schemas: rules.Schemas, payload: source{kind: sourcePayload}}
	if r.schemas == nil {
		r.schemas = NewSchemas()
	}
	if rules.Key == "" {
		rules.Key = "aggregate_id"
	}
	if rules.Headers == nil {
		rules.Headers = []string{"id"}
	}
	for _, step := range []func(*Rules) error{r.setTopic, r.setFormats, r.setKey, r.setHeaders, r.setEnvelope, r.setColumns} {
		if err := step(&rules); err != nil {
			return nil, err
		}
	}
	if rules.ExpandJSON {
		r.expander = expand.New(rules.Expand)
	}
	var err error
	r.bareJSON, err = newFormat(connect.Options{Converter: "json"})
	return r, err
}

func (r *Router) setTopic(rules *Rules) (err error) {
	if rules.Pattern != "" || rules.Replacement != "" {
		r.pattern, err = javaregex.Compile(rules.Pattern, rules.Replacement)
		return err
	}
	if rules.Topic == "" {
		rules.Topic = DefaultTopic
	}
	r.template, err = parseTopic(rules.Topic)
	return err
}

func (r *Router) setFormats(rules *Rules) error {
	for _, f := range []struct {
		name    string
		options connect.Options
		usual   string
		format  *format
	}{
		{"key", rules.KeyFormat, "text", &r.keyFormat},
		{"value", rules.ValueFormat, "text", &r.valueFormat},
		{"headers", rules.HeaderFormat, "simple", &r.headerFormat},
	} {
		if f.options.Converter == "" {
			f.options.Converter = f.usual
		}
		var err error
		if *f.format, err = newFormat(f.options); err != nil {
			return fmt.Errorf("format of %s: %w", f.name, err)
		}
	}
	return nil
}

func (r *Router) setKey(rules *Rules) (err error) {
	if r.key, err = r.source(rules.Key, false); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if r.key.kind >= sourceLSN {
		return fmt.Errorf("key %q: a record's key is a column or none, walrelay's own values are headers only", rules.Key)
	}
	return nil
}

func (r *Router) setHeaders(rules *Rules) error {
	for i, text := range rules.Headers {
		if strings.TrimSpace(text) == contextSource {
			h, err := contextHeaders(rules.SchemaPrefix)
			if err != nil {
				return err
			}
			r.headers = append(r.headers, h...)
			continue
		}
		p, err := r.placement(text, rules.IgnoreMissing)
		if err != nil {
			return fmt.Errorf("header %d%w", i+1, err)
		}
		r.headers = append(r.headers, p)
	}
	return nil
}

func (r *Router) setEnvelope(rules *Rules) error {
	names := []string{payloadField}
	for i, text := range rules.Envelope {
		p, err := r.placement(text, rules.IgnoreMissing)
		if err != nil {
			return fmt.Errorf("envelope %d%w", i+1, err)
		}
		switch {
		case p.source.kind >= sourceLSN:
			return fmt.Errorf("envelope %d (%q): only parts of the event and columns can stand in it; walrelay's own values are headers", i+1, text)
		case slices.Contains(names, p.name):
			return fmt.Errorf("envelope %d (%q): the field %q is there already: give it another name (column:name)", i+1, text, p.name)
		}
		names = append(names, p.name)
		r.envelope = append(r.envelope, p)
	}
	return nil
}

func (r *Router) setColumns(rules *Rules) error {
	for _, c := range []struct {
		name   string
		source **source
	}{{rules.Partition, &r.partition}, {rules.Timestamp, &r.timestamp}, {rules.SchemaVersion, &r.version}} {
		if c.name != "" {
			s := r.column(unquoted(c.name), false)
			*c.source = &s
		}
	}
	return nil
}

// placement reads "source" or "source:name". The error begins where "header 3"
// ends.
func (r *Router) placement(text string, optional bool) (placement, error) {
	from, name, named := cutSource(text)
	from, name = strings.TrimSpace(from), strings.TrimSpace(name)
	if !named {
		name = unquoted(from)
	}
	if from == "" || name == "" {
		return placement{}, fmt.Errorf(" (%q): write column or column:name", text)
	}
	s, err := r.source(from, optional)
	if err != nil {
		return placement{}, fmt.Errorf(": %w", err)
	}
	if s.kind == sourceNone {
		return placement{}, fmt.Errorf(" (%q): none is no column; leave it out", text)
	}
	return placement{name: name, source: s}, nil
}

// cutSource splits "source:name" at the first colon that is not in quotes.
func cutSource(text string) (source, name string, named bool) {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ':' && !quoted:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

// unquoted takes the double quotes off a name as SQL writes it.
func unquoted(name string) string {
	if inner, ok := quotedName(name); ok {
		return inner
	}
	return name
}

func quotedName(name string) (string, bool) {
	if len(name) < 3 || name[0] != '"' || name[len(name)-1] != '"' {
		return "", false
	}
	return strings.ReplaceAll(name[1:len(name)-1], `""`, `"`), true
}

// Extra returns the columns that the table's events have to carry beside their
// own parts, for decoding.Table.Extra: in this order and nothing else.
func (r *Router) Extra() []decoding.Extra { return slices.Clone(r.extra) }
