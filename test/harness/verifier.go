package harness

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Event is one committed outbox row as it has to be in Kafka.
type Event struct {
	ID       string // value of the header "id"
	Topic    string
	Key      []byte // nil is null: no order is asked of it
	Sequence int64  // grows by commit among events of the same topic and key
	Value    []byte // nil is null
	// Headers in order; nil means the default, "id" alone.
	Headers []kgo.RecordHeader
}

// Result is how Kafka differs from what was committed.
type Result struct {
	Events     int // committed
	Records    int // in Kafka
	Lost       int // events without a record
	Invented   int // records of no committed event: rolled back, or of unknown origin
	Duplicates int // records beyond an event's first
	Disorder   int // places where an aggregate's order is broken, see Verifier
	Moved      int // keys found in more than one partition
	Corrupted  int // records whose topic, key, value or headers are not the event's
	Details    []string
}

// OK says that nothing is wrong; duplicates may be, that is for the test to say.
func (r Result) OK() bool {
	return r.Lost == 0 && r.Invented == 0 && r.Disorder == 0 && r.Moved == 0 && r.Corrupted == 0
}

func (r Result) String() string {
	text := fmt.Sprintf("events %d, records %d, lost %d, invented %d, duplicates %d, disorder %d, moved %d, corrupted %d",
		r.Events, r.Records, r.Lost, r.Invented, r.Duplicates, r.Disorder, r.Moved, r.Corrupted)
	if len(r.Details) > 0 {
		text += "\n    " + strings.Join(r.Details, "\n    ")
	}
	return text
}

// maxDetails keeps a log that is wrong a million times readable.
const maxDetails = 20

// Verifier compares a log with what was committed. Records of a partition are
// observed in the order of the log; one goroutine observes.
//
// The order of an aggregate (a topic's key) is right when its records can be
// read as the committed events in order, with restarts: after any event comes
// the next one, or an earlier one from where all is repeated, and the newest
// event is the last. A late write of an earlier event is none of these: either
// the order does not go on behind it, or it is the last.
type Verifier struct {
	seed       maphash.Seed
	expected   map[string]*expectation // by event id
	aggregates map[aggregate]*history
	partitions map[aggregate]int32 // where a key was first seen
	moved      map[aggregate]bool
	missing    int
	result     Result
}

type aggregate struct{ topic, key string }

// expectation is an event with its bytes as hashes: a million fit in memory.
type expectation struct {
	aggregate aggregate
	noKey     bool
	sequence  int64
	rank      int // place among the committed events of the aggregate
	value     uint64
	headers   uint64
	seen      int
}

// history is what the log says of an aggregate.
type history struct {
	events []*expectation // committed, in order
	log    []*expectation // observed, in order
}

// NewVerifier takes what was committed, in any order.
func NewVerifier(events []Event) *Verifier {
	v := &Verifier{
		seed: maphash.MakeSeed(), expected: make(map[string]*expectation, len(events)),
		aggregates: make(map[aggregate]*history), partitions: make(map[aggregate]int32), moved: make(map[aggregate]bool),
	}
	for i := range events {
		e := &events[i]
		headers := e.Headers
		if headers == nil {
			headers = []kgo.RecordHeader{{Key: "id", Value: []byte(e.ID)}}
		}
		x := &expectation{
			aggregate: aggregate{e.Topic, string(e.Key)}, noKey: e.Key == nil,
			sequence: e.Sequence, value: v.hash(e.Value), headers: v.hashHeaders(headers),
		}
		if _, twice := v.expected[e.ID]; twice {
			v.detail(fmt.Sprintf("the test is wrong: event id %s was committed twice", e.ID))
			v.result.Corrupted++
			continue
		}
		v.expected[e.ID] = x
		h := v.aggregates[x.aggregate]
		if h == nil {
			h = &history{}
			v.aggregates[x.aggregate] = h
		}
		if !x.noKey { // no order is asked of it, nor may it stand in that of the empty key
			h.events = append(h.events, x)
		}
	}
	v.result.Events, v.missing = len(v.expected), len(v.expected)
	for _, h := range v.aggregates {
		slices.SortFunc(h.events, func(a, b *expectation) int { return cmp.Compare(a.sequence, b.sequence) })
	}
	return v
}

// hash tells null, empty and all else apart.
func (v *Verifier) hash(b []byte) uint64 {
	if b == nil {
		return 0
	}
	return maphash.Bytes(v.seed, b) | 1
}

// hashHeaders puts lengths between the parts, so that no two lists look alike.
func (v *Verifier) hashHeaders(headers []kgo.RecordHeader) uint64 {
	var all maphash.Hash
	all.SetSeed(v.seed)
	for _, h := range headers {
		length := len(h.Value)
		if h.Value == nil {
			length = -1 // null is not empty
		}
		maphash.WriteComparable(&all, [2]int{len(h.Key), length})
		_, _ = all.WriteString(h.Key) // never fails
		_, _ = all.Write(h.Value)
	}
	return all.Sum64()
}

// Missing is how many committed events have not been observed yet.
func (v *Verifier) Missing() int { return v.missing }

// Observe takes the next record of a partition.
func (v *Verifier) Observe(r *kgo.Record) {
	v.result.Records++
	id := eventID(r)
	x, ok := v.expected[id]
	if !ok {
		v.result.Invented++
		v.detail(fmt.Sprintf("invented: event id %q, which was never committed, at %s", id, place(r)))
		return
	}
	if x.seen++; x.seen > 1 {
		v.result.Duplicates++
	} else {
		v.missing--
	}
	if fault := v.compare(x, r); fault != "" {
		v.result.Corrupted++
		v.detail(fmt.Sprintf("corrupted: another %s than committed in event %s at %s", fault, id, place(r)))
	}
	if x.noKey {
		return
	}
	first, known := v.partitions[x.aggregate]
	if !known {
		v.partitions[x.aggregate] = r.Partition
	} else if first != r.Partition && !v.moved[x.aggregate] {
		v.moved[x.aggregate] = true
		v.result.Moved++
		v.detail(fmt.Sprintf("moved: key %q of topic %s is in partition %d and at %s", r.Key, r.Topic, first, place(r)))
	}
	h := v.aggregates[x.aggregate]
	h.log = append(h.log, x)
}

func (v *Verifier) compare(x *expectation, r *kgo.Record) (fault string) {
	switch {
	case r.Topic != x.aggregate.topic:
		return "topic"
	case string(r.Key) != x.aggregate.key || (r.Key == nil) != x.noKey:
		return "key"
	case v.hash(r.Value) != x.value:
		return "value"
	case v.hashHeaders(r.Headers) != x.headers:
		return "set of headers"
	}
	return ""
}

// eventID is the value of the header "id".
func eventID(r *kgo.Record) string {
	for _, h := range r.Headers {
		if h.Key == "id" {
			return string(h.Value)
		}
	}
	return ""
}

func place(r *kgo.Record) string { return fmt.Sprintf("%s-%d@%d", r.Topic, r.Partition, r.Offset) }

func (v *Verifier) detail(text string) {
	if len(v.result.Details) < maxDetails {
		v.result.Details = append(v.result.Details, text)
	}
}

// Result judges what was observed so far.
func (v *Verifier) Result() Result {
	kept := v.result
	kept.Details = slices.Clone(v.result.Details)
	judge := Verifier{result: kept}
	for id, x := range v.expected {
		if x.seen == 0 {
			judge.result.Lost++
			judge.detail(fmt.Sprintf("lost: event %s, key %q, number %d of topic %s", id, x.aggregate.key, x.sequence, x.aggregate.topic))
		}
	}
	for a, h := range v.aggregates {
		judge.order(a, h)
	}
	return judge.result
}

// order looks for breaks in one aggregate. Lost events are left out: they are
// counted once, as lost.
func (v *Verifier) order(a aggregate, h *history) {
	rank := 0
	for _, x := range h.events {
		if x.seen > 0 {
			x.rank = rank
			rank++
		}
	}
	previous := -1
	for i, x := range h.log {
		switch {
		case x.rank > previous+1:
			v.result.Disorder++
			v.detail(fmt.Sprintf("disorder: key %q of topic %s: record %d is number %d, %d events too early", a.key, a.topic, i+1, x.sequence, x.rank-previous-1))
		case i == len(h.log)-1 && x.rank < rank-1:
			v.result.Disorder++
			v.detail(fmt.Sprintf("disorder: key %q of topic %s ends with number %d, %d events too old", a.key, a.topic, x.sequence, rank-1-x.rank))
		}
		previous = x.rank
	}
}

// Verify waits until Kafka has all committed events, at most for timeout, reads
// the topics to their end and fails the test when anything but a duplicate is
// wrong. Stop the relay first where late duplicates matter.
func Verify(t testing.TB, broker *Broker, timeout time.Duration, events []Event, more ...string) Result {
	t.Helper()
	return verify(t, broker, timeout, events, false, more)
}

// VerifyCommitted does the same as a read_committed consumer, for whom
// exactly-once allows no duplicates either.
func VerifyCommitted(t testing.TB, broker *Broker, timeout time.Duration, events []Event, more ...string) Result {
	t.Helper()
	result := verify(t, broker, timeout, events, true, more)
	if result.Duplicates > 0 {
		t.Errorf("duplicates for a read_committed consumer: %s", result)
	}
	return result
}

func verify(t testing.TB, broker *Broker, timeout time.Duration, events []Event, committed bool, topics []string) Result {
	t.Helper()
	verifier := NewVerifier(events)
	for a := range verifier.aggregates {
		if !slices.Contains(topics, a.topic) {
			topics = append(topics, a.topic)
		}
	}
	deadline := time.Now().Add(timeout)
	ctx, cancel := context.WithDeadline(t.Context(), deadline.Add(readAllTimeout))
	defer cancel()
	err := broker.Read(ctx, ReadOptions{Topics: topics, Committed: committed, Until: func() bool {
		return verifier.Missing() == 0 || time.Now().After(deadline)
	}}, verifier.Observe)
	result := verifier.Result()
	if err != nil {
		t.Errorf("verify: %v", err)
	}
	if !result.OK() {
		t.Errorf("Kafka is not what was committed: %s", result)
	} else {
		t.Logf("verified: %s", result)
	}
	return result
}
