package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/walrelay/walrelay/decoding"
)

// Header is one record header.
type Header struct {
	Key   string
	Value []byte // nil is null
}

// Record is what goes to Kafka for one event. Key, Value and the headers' values
// are valid until the next Route of the same Router and the next Decode of the
// event's Decoder, whichever is first; the topic and the headers' keys for ever.
// Nobody may write to them.
type Record struct {
	Topic     string
	Partition int32  // -1: by the key, as Java's default partitioner does
	Key       []byte // nil is null
	Value     []byte // nil is null, which is not the same as empty
	Headers   []Header
	Timestamp int64 // milliseconds since 1970
}

// Rules says how events become records.
type Rules struct {
	// Topic is a template of text, ${aggregate_type}, ${aggregate_id} and
	// ${event_type}. Default DefaultTopic.
	Topic string
	// Key is the column whose value is the record's key: one of the event's parts
	// (id, aggregate_type, aggregate_id, event_type, payload), the name of any
	// other column of the table, or "none". Default aggregate_id.
	Key string
	// Headers in their order, each "source" or "source:name". A source is a part
	// of the event or a column, as for Key, or one of walrelay's own:
	//
	//	walrelay-lsn          commit LSN, such as 0/16B3748
	//	walrelay-index        the row's place in its transaction, from 0
	//	walrelay-xid          transaction id
	//	walrelay-table        schema.name of the outbox table
	//	walrelay-commit-time  microseconds since 1970
	//
	// Without a name the header is called like its source; the event id is always
	// called "id" then, whatever its column. A name may come twice. Default
	// (nil) is id alone, as Debezium; an empty list that is not nil is no header.
	Headers []string
}

// maxTopics bounds the topic names a Router remembers. Events beyond it are
// routed just as well, at the price of an allocation each.
const maxTopics = 10_000

// maxScratch is how many bytes a Router keeps from one event to the next. A
// larger bytea payload gets its own.
const maxScratch = 1 << 20

// Router turns the events of one outbox table into records. It is not safe for
// use by several goroutines.
type Router struct {
	template []part
	key      source
	headers  []header
	extra    []string

	topics  map[string]string // legal names seen so far
	scratch []byte            // bytes built for the record at hand
}

type header struct {
	name   string
	source source
}

// New checks rules and returns a Router for them. The error names the rule and,
// in a template, the position.
func New(rules Rules) (*Router, error) {
	r := &Router{topics: make(map[string]string)}
	if rules.Topic == "" {
		rules.Topic = DefaultTopic
	}
	if rules.Key == "" {
		rules.Key = "aggregate_id"
	}
	if rules.Headers == nil {
		rules.Headers = []string{"id"}
	}
	var err error
	if r.template, err = parseTopic(rules.Topic); err != nil {
		return nil, err
	}
	if r.key, err = r.source(rules.Key); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if r.key.kind >= sourceLSN {
		return nil, fmt.Errorf("key %q: a record's key is a column or none, walrelay's own values are headers only", rules.Key)
	}
	for i, text := range rules.Headers {
		from, name, named := strings.Cut(text, ":")
		from, name = strings.TrimSpace(from), strings.TrimSpace(name)
		if !named {
			name = from
		}
		if from == "" || name == "" {
			return nil, fmt.Errorf("header %d (%q): write column or column:name", i+1, text)
		}
		s, err := r.source(from)
		if err != nil {
			return nil, fmt.Errorf("header %d: %w", i+1, err)
		}
		if s.kind == sourceNone {
			return nil, fmt.Errorf("header %d (%q): none is no column; leave it out", i+1, text)
		}
		r.headers = append(r.headers, header{name, s})
	}
	return r, nil
}

// Extra returns the columns that the table's events have to carry beside their
// own parts, for decoding.Table.Extra: in this order and nothing else.
func (r *Router) Extra() []string { return slices.Clone(r.extra) }

// Route fills rec with the record of e, which has to carry Extra's columns. It
// does not allocate once it has seen the topic's name. The error is a
// *Poison, or says that e was decoded for other rules; rec is of no use then.
func (r *Router) Route(e *decoding.Event, rec *Record) error {
	if cap(r.scratch) > maxScratch {
		r.scratch = nil
	}
	r.scratch = r.scratch[:0]
	if err := r.topic(e, rec); err != nil {
		return err
	}
	var err error
	if rec.Key, err = r.value(e, &r.key, inRecord); err != nil {
		return at(err, "key")
	}
	if rec.Value, r.scratch, err = convert(&e.Payload, inRecord, r.scratch); err != nil {
		return at(err, "payload")
	}
	rec.Headers = rec.Headers[:0]
	for i := range r.headers {
		h := &r.headers[i]
		v, err := r.value(e, &h.source, inHeader)
		if err != nil {
			return at(err, "header "+strconv.Quote(h.name))
		}
		rec.Headers = append(rec.Headers, Header{Key: h.name, Value: v})
	}
	rec.Partition = -1
	rec.Timestamp = e.CommitTime.UnixMilli()
	return nil
}

// topic builds the topic's name in the scratch space and exchanges it for the
// string of the same name seen before.
func (r *Router) topic(e *decoding.Event, rec *Record) error {
	name := r.scratch
	for i := range r.template {
		p := &r.template[i]
		if p.field == literal {
			name = append(name, p.text...)
			continue
		}
		v := p.field.of(e)
		if v.Null {
			return &Poison{Reason: nullReason[p.field], Detail: "the topic needs the " + p.field.String() + ", which is NULL"}
		}
		text, grown, err := convert(v, inRecord, name)
		if err != nil {
			return at(err, "topic")
		}
		name = append(grown[:len(name)], text...)
	}
	r.scratch = name[:0]
	if topic, ok := r.topics[string(name)]; ok {
		rec.Topic = topic
		return nil
	}
	if err := checkTopic(name); err != nil {
		return err
	}
	rec.Topic = string(name)
	if len(r.topics) < maxTopics {
		r.topics[rec.Topic] = rec.Topic
	}
	return nil
}

// at says which part of the record could not be made.
func at(err error, what string) error {
	if p, ok := err.(*Poison); ok {
		return &Poison{Reason: p.Reason, Detail: what + ": " + p.Detail}
	}
	return err
}
