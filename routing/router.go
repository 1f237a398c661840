package routing

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing/connect"
	"github.com/walrelay/walrelay/routing/expand"
	"github.com/walrelay/walrelay/routing/javaregex"
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

// maxTopics bounds the topic names a Router remembers. Events beyond it are
// routed just as well, at the price of an allocation each.
const maxTopics = 10_000

// maxScratch is how many bytes a Router keeps from one event to the next. A
// larger bytea payload gets its own.
const maxScratch = 1 << 20

// Router turns the events of one outbox table into records. It is not safe for
// use by several goroutines.
type Router struct {
	rules    Rules
	template []part
	pattern  *javaregex.Replacer // instead of template

	key, payload                  source
	headers, envelope             []placement
	partition, timestamp, version *source // nil: none
	extra                         []decoding.Extra

	keyFormat, valueFormat, headerFormat format
	bareJSON                             format           // without schema
	expander                             *expand.Expander // nil: payloads stay as they are

	identity     []identity      // the primary key, by Bind
	fields       []connect.Field // of the envelope behind the payload; nil: not bound yet
	fieldSources []*source
	schemas      *Schemas

	topics  map[string]string // by the name (template) or by the aggregate type (pattern)
	scratch []byte            // bytes built for the record at hand
	arena   connect.Arena     // values of the record at hand
	value   connect.Value     // the one being converted; here because a pointer to it is passed on
}

// Route fills rec with the record of e, which has to carry Extra's columns. With
// the default formats it does not allocate once it has seen the topic's name. The
// error is a *Poison, or says that e was decoded for other rules; rec is of no
// use then.
func (r *Router) Route(e *decoding.Event, rec *Record) error {
	if cap(r.scratch) > maxScratch {
		r.scratch = nil
	}
	r.scratch = r.scratch[:0]
	r.arena.Reset()
	if err := r.topic(e, rec); err != nil {
		return err
	}
	var err error
	if rec.Partition, err = r.recordPartition(e); err != nil {
		return at(err, "partition")
	}
	if rec.Key, err = r.part(e, &r.key, &r.keyFormat); err != nil {
		return at(err, "key")
	}
	if rec.Headers, err = r.recordHeaders(e, rec.Headers[:0]); err != nil {
		return err
	}
	if rec.Value, err = r.recordValue(e, e.AggregateType.Data); err != nil {
		return at(err, "payload")
	}
	rec.Timestamp = e.CommitTime.UnixMilli()
	if r.timestamp != nil {
		if err := r.recordTimestamp(e, rec); err != nil {
			return at(err, "timestamp")
		}
	}
	return nil
}

// recordHeaders appends the headers of e's record.
func (r *Router) recordHeaders(e *decoding.Event, headers []Header) ([]Header, error) {
	if len(e.Old) > 0 && r.rules.KeyUpdates {
		old, err := r.oldKey(e)
		if err != nil {
			return headers, at(err, "header "+oldKeyHeader)
		}
		headers = append(headers, Header{Key: oldKeyHeader, Value: old})
	}
	for i := range r.headers {
		h := &r.headers[i]
		if h.source.kind == sourceExtra && h.source.extra < len(e.Extra) && (e.Extra[h.source.extra].Missing || h.source.column.left) {
			continue
		}
		v, err := r.part(e, &h.source, &r.headerFormat)
		if err != nil {
			return headers, at(err, "header "+strconv.Quote(h.name))
		}
		headers = append(headers, Header{Key: h.name, Value: v})
	}
	return headers, nil
}

// recordPartition reads the partition's column.
func (r *Router) recordPartition(e *decoding.Event) (int32, error) {
	if r.partition == nil {
		return -1, nil
	}
	n, null, err := r.integer(e, r.partition)
	if err != nil || null {
		return -1, err
	}
	if n < 0 || n > math.MaxInt32 {
		return -1, &Poison{Reason: ReasonInvalidPartition, Detail: fmt.Sprintf("there can be no partition %d", n)}
	}
	return int32(n), nil
}

// integer reads an integer column, whose default does not stand for its NULL.
func (r *Router) integer(e *decoding.Event, s *source) (n int64, null bool, err error) {
	v, err := s.of(e)
	if err != nil || v.Null {
		return 0, true, err
	}
	b := r.bound(s, v)
	if !isInteger(b.schema()) {
		return 0, false, unfit(b, "integer")
	}
	got, err := b.codec.Read(v.Data, &r.arena)
	return got.Int, false, err
}

// recordTimestamp reads the timestamp's column.
func (r *Router) recordTimestamp(e *decoding.Event, rec *Record) error {
	v, err := r.timestamp.of(e)
	if err != nil || v.Null {
		return err
	}
	ms, err := r.millis(r.bound(r.timestamp, v), v)
	if err != nil {
		return err
	}
	if ms < 0 {
		return &Poison{Reason: ReasonInvalidTimestamp, Detail: "Kafka has no timestamps before 1970"}
	}
	rec.Timestamp = ms
	return nil
}

// at says which part of the record could not be made.
func at(err error, what string) error {
	var p *Poison
	var u *connect.Unconvertible
	switch {
	case errors.As(err, &p):
		return &Poison{Reason: p.Reason, Detail: what + ": " + p.Detail}
	case errors.As(err, &u):
		return &Poison{Reason: ReasonUnconvertible, Detail: what + ": " + u.Detail}
	}
	return err
}

// topic builds the topic's name in the scratch space and exchanges it for the
// string of the same name seen before.
func (r *Router) topic(e *decoding.Event, rec *Record) error {
	if r.pattern != nil {
		return r.patternTopic(e, rec)
	}
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
		var err error
		if name, err = appendText(name, v); err != nil {
			return at(err, "topic")
		}
	}
	r.scratch = name[:0]
	if topic, ok := r.topics[string(name)]; ok {
		rec.Topic = topic
		return nil
	}
	return r.newTopic(rec, name, name)
}

// patternTopic finds the topic by the regular expression.
func (r *Router) patternTopic(e *decoding.Event, rec *Record) error {
	v := &e.AggregateType
	if v.Null {
		return &Poison{Reason: ReasonNullAggregateType, Detail: "the topic needs the aggregate type, which is NULL"}
	}
	value, err := appendText(r.scratch, v)
	if err != nil {
		return at(err, "topic")
	}
	r.scratch = value[:0]
	if topic, ok := r.topics[string(value)]; ok {
		rec.Topic = topic
		return nil
	}
	name, _, err := r.pattern.Replace(string(value))
	if err != nil {
		return &Poison{Reason: ReasonIllegalTopic, Detail: "topic: " + err.Error()}
	}
	return r.newTopic(rec, value, []byte(name))
}

// newTopic checks a topic's name and remembers it under what it was found by.
func (r *Router) newTopic(rec *Record, by, name []byte) error {
	if err := checkTopic(name); err != nil {
		return err
	}
	rec.Topic = string(name)
	if len(r.topics) < maxTopics {
		r.topics[string(by)] = rec.Topic
	}
	return nil
}
