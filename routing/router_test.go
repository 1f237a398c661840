package routing_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing"
)

var commitTime = time.Date(2026, 3, 4, 5, 6, 7, 891999000, time.UTC)

func text(s string) decoding.Value { return decoding.Value{Data: []byte(s), OID: 25} }

func bytea(s string) decoding.Value { return decoding.Value{Data: []byte(s), OID: 17} }

var null = decoding.Value{Null: true, OID: 25}

func event() decoding.Event {
	return decoding.Event{
		Table:     &decoding.Table{Schema: "public", Name: "outbox"},
		CommitLSN: 0xAB_0000_01CD, XID: 4711, Index: 12, CommitTime: commitTime,
		ID: text("e-1"), AggregateType: text("Order"), AggregateID: text("o-1"), EventType: text("Paid"), Payload: text("{}"),
	}
}

func router(t testing.TB, rules routing.Rules) *routing.Router {
	t.Helper()
	r, err := routing.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func route(t testing.TB, rules routing.Rules, e decoding.Event) routing.Record {
	t.Helper()
	var rec routing.Record
	if err := router(t, rules).Route(&e, &rec); err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestRoute_topic(t *testing.T) {
	for template, want := range map[string]string{
		"":                  "outbox.event.Order",
		"events":            "events",
		"${aggregate_type}": "Order",
		"a.${aggregate_type}-${event_type}_${aggregate_id}.z": "a.Order-Paid_o-1.z",
		"${aggregate_type}${aggregate_type}":                  "OrderOrder",
		strings.Repeat("x", 249):                              strings.Repeat("x", 249),
	} {
		if rec := route(t, routing.Rules{Topic: template}, event()); rec.Topic != want {
			t.Errorf("%q: %q, want %q", template, rec.Topic, want)
		}
	}
	e := event()
	e.AggregateType = decoding.Value{Data: []byte("t"), OID: 16}
	e.EventType = bytea(`\x6162`)
	if rec := route(t, routing.Rules{Topic: "x.${aggregate_type}.${event_type}.y"}, e); rec.Topic != "x.true.ab.y" {
		t.Errorf("converted: %q", rec.Topic)
	}
}

func TestNew_refuses(t *testing.T) {
	tests := []struct {
		rules routing.Rules
		want  string
	}{
		{routing.Rules{Topic: "a b"}, "position 2: a topic name may hold"},
		{routing.Rules{Topic: "events.ü"}, "position 8: "},
		{routing.Rules{Topic: "ev$"}, "position 3: '$' begins a column"},
		{routing.Rules{Topic: "ev.$aggregate_type"}, "position 4: '$' begins"},
		{routing.Rules{Topic: "ev.$${event_type}"}, "position 4: '$' begins"},
		{routing.Rules{Topic: "ev.${event_type"}, "position 4: '}' is missing"},
		{routing.Rules{Topic: "ev.${type}.x"}, `position 6: "type" is not known: use aggregate_type`},
		{routing.Rules{Topic: "${}"}, `position 3: "" is not known`},
		{routing.Rules{Topic: "${ event_type }"}, `" event_type " is not known`},
		{routing.Rules{Topic: "."}, `may not be called "."`},
		{routing.Rules{Topic: ".."}, `may not be called ".."`},
		{routing.Rules{Topic: strings.Repeat("x", 200) + "${event_type}" + strings.Repeat("y", 50)}, "at most 249"},
		{routing.Rules{Key: "walrelay-lsn"}, "headers only"},
		{routing.Rules{Key: "walrelay-nonsense"}, `"walrelay-nonsense" is not known`},
		{routing.Rules{Headers: []string{"id", "walrelay-x:y"}}, `header 2: "walrelay-x" is not known`},
		{routing.Rules{Headers: []string{""}}, "write column or column:name"},
		{routing.Rules{Headers: []string{"id:"}}, "write column or column:name"},
		{routing.Rules{Headers: []string{" :x"}}, "write column or column:name"},
		{routing.Rules{Headers: []string{"none"}}, "none is no column"},
	}
	for _, tt := range tests {
		if _, err := routing.New(tt.rules); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.rules, err, tt.want)
		}
	}
}

func TestRoute_poison(t *testing.T) {
	tests := []struct {
		name   string
		rules  routing.Rules
		change func(*decoding.Event)
		reason string
		detail string
	}{
		{"NULL aggregate type", routing.Rules{}, func(e *decoding.Event) { e.AggregateType = null }, routing.ReasonNullAggregateType, "NULL"},
		{"NULL aggregate id", routing.Rules{Topic: "x.${aggregate_id}"}, func(e *decoding.Event) { e.AggregateID = null }, routing.ReasonNullAggregateID, "NULL"},
		{"NULL event type", routing.Rules{Topic: "x.${event_type}"}, func(e *decoding.Event) { e.EventType = null }, routing.ReasonNullEventType, "NULL"},
		{"illegal byte", routing.Rules{}, func(e *decoding.Event) { e.AggregateType = text("bad name/ü") }, routing.ReasonIllegalTopic,
			`"outbox.event.bad name/ü": byte 17 is neither`},
		{"too long", routing.Rules{}, func(e *decoding.Event) { e.AggregateType = text(strings.Repeat("x", 237)) }, routing.ReasonIllegalTopic, "it has 250 bytes"},
		{"empty", routing.Rules{Topic: "${aggregate_type}"}, func(e *decoding.Event) { e.AggregateType = text("") }, routing.ReasonIllegalTopic, "empty"},
		{"dot", routing.Rules{Topic: "${aggregate_type}"}, func(e *decoding.Event) { e.AggregateType = text(".") }, routing.ReasonIllegalTopic, "not allowed"},
		{"dots", routing.Rules{Topic: ".${aggregate_type}"}, func(e *decoding.Event) { e.AggregateType = text(".") }, routing.ReasonIllegalTopic, "not allowed"},
		{"odd hex", routing.Rules{}, func(e *decoding.Event) { e.Payload = bytea(`\x0`) }, routing.ReasonUnconvertible, "a bytea is not in hex format"},
		{"no hex", routing.Rules{}, func(e *decoding.Event) { e.Payload = bytea(`\xzz`) }, routing.ReasonUnconvertible, "payload: "},
		{"escape format", routing.Rules{}, func(e *decoding.Event) { e.AggregateID = bytea(`a\\b`) }, routing.ReasonUnconvertible, "key: "},
		{"header", routing.Rules{}, func(e *decoding.Event) { e.ID = bytea("") }, routing.ReasonUnconvertible, `header "id": `},
		{"boolean", routing.Rules{}, func(e *decoding.Event) { e.AggregateID = decoding.Value{Data: []byte("yes"), OID: 16} }, routing.ReasonUnconvertible, "neither t nor f"},
		{"topic", routing.Rules{}, func(e *decoding.Event) { e.AggregateType = bytea("x") }, routing.ReasonInvalid, "topic: a bytea"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := event()
			tt.change(&e)
			r := router(t, tt.rules)
			var rec routing.Record
			var p *routing.Poison
			if err := r.Route(&e, &rec); !errors.As(err, &p) || p.Reason != tt.reason || !strings.Contains(p.Detail, tt.detail) {
				t.Fatalf("got %v, want %s with %q", err, tt.reason, tt.detail)
			}
			if !strings.Contains(p.Error(), tt.reason) {
				t.Error(p)
			}
			// The next event does not suffer from it.
			next := event()
			if err := r.Route(&next, &rec); err != nil {
				t.Error(err)
			}
		})
	}
}

// An event decoded for other rules is nobody's poison: skipping it would lose it.
func TestRoute_missingExtra(t *testing.T) {
	e := event()
	var rec routing.Record
	err := router(t, routing.Rules{Headers: []string{"tenant"}}).Route(&e, &rec)
	var p *routing.Poison
	if err == nil || errors.As(err, &p) || !strings.Contains(err.Error(), `"tenant"`) {
		t.Errorf("got %v", err)
	}
}

func TestRoute_keys(t *testing.T) {
	tests := []struct {
		key   string
		extra []string
		want  []byte
	}{
		{"", nil, []byte("o-1")},
		{"aggregate_id", nil, []byte("o-1")},
		{"id", nil, []byte("e-1")},
		{"aggregate_type", nil, []byte("Order")},
		{"event_type", nil, []byte("Paid")},
		{"payload", nil, []byte("{}")},
		{"none", nil, nil},
		{"tenant", []string{"tenant"}, []byte("acme")},
	}
	for _, tt := range tests {
		r := router(t, routing.Rules{Key: tt.key, Headers: []string{"tenant:a", "tenant:b", "x"}})
		e := event()
		e.Extra = []decoding.Value{text("acme"), null}
		if diff := cmp.Diff([]decoding.Extra{{Column: "tenant"}, {Column: "x"}}, r.Extra()); diff != "" {
			t.Errorf("key %q: extra %s", tt.key, diff)
		}
		var rec routing.Record
		if err := r.Route(&e, &rec); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, rec.Key); diff != "" {
			t.Errorf("key %q: %s", tt.key, diff)
		}
		want := []routing.Header{{Key: "a", Value: []byte("acme")}, {Key: "b", Value: []byte("acme")}, {Key: "x"}}
		if diff := cmp.Diff(want, rec.Headers); diff != "" {
			t.Errorf("key %q: %s", tt.key, diff)
		}
	}
}

func TestRoute_ownHeaders(t *testing.T) {
	rec := route(t, routing.Rules{Headers: []string{"walrelay-lsn", "walrelay-index", "walrelay-xid", "walrelay-table",
		"walrelay-commit-time:at", "id", "id:again"}}, event())
	var got []string
	for _, h := range rec.Headers {
		got = append(got, h.Key+"="+string(h.Value))
	}
	want := []string{"walrelay-lsn=AB/1CD", "walrelay-index=12", "walrelay-xid=4711", "walrelay-table=public.outbox",
		fmt.Sprintf("at=%d", commitTime.UnixMicro()), "id=e-1", "again=e-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	e := event()
	if e.CommitLSN.String() != "AB/1CD" {
		t.Errorf("PostgreSQL writes %s", e.CommitLSN)
	}
	if rec := route(t, routing.Rules{Headers: []string{}}, event()); len(rec.Headers) != 0 {
		t.Errorf("an empty list gives %v", rec.Headers)
	}
}

func TestRoute_timestampIsCommitTime(t *testing.T) {
	if rec := route(t, routing.Rules{}, event()); rec.Timestamp != commitTime.UnixMilli() || rec.Partition != -1 {
		t.Errorf("timestamp %d, partition %d", rec.Timestamp, rec.Partition)
	}
}

// Everything that has to be built for one record lives side by side, also when
// the space for it has to grow on the way.
func TestRoute_builtValuesDoNotOverlap(t *testing.T) {
	r := router(t, routing.Rules{Headers: []string{"id", "a", "b", "walrelay-lsn", "c"}})
	e := event()
	e.ID, e.AggregateID, e.Payload = bytea(`\x01`), bytea(`\x0203`), bytea(`\x`+strings.Repeat("04", 1000))
	e.Extra = []decoding.Value{bytea(`\x05`), bytea(`\x`), bytea(`\x` + strings.Repeat("06", 3000))}
	for range 3 {
		var rec routing.Record
		if err := r.Route(&e, &rec); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(rec.Key, []byte{2, 3}) || !bytes.Equal(rec.Value, bytes.Repeat([]byte{4}, 1000)) {
			t.Errorf("key %x, value of %d", rec.Key, len(rec.Value))
		}
		for i, want := range []string{"AQ==", "BQ==", "", "AB/1CD"} {
			if h := rec.Headers[i]; string(h.Value) != want || h.Value == nil {
				t.Errorf("header %s is %q", h.Key, h.Value)
			}
		}
		_ = append(rec.Key, "overwrites"...)
		if rec.Value[0] != 4 {
			t.Error("an append to the key went into the value")
		}
	}
}

func TestRoute_topicNamesAreShared(t *testing.T) {
	r := router(t, routing.Rules{})
	e := event()
	var a, b routing.Record
	for _, rec := range []*routing.Record{&a, &b} {
		if err := r.Route(&e, rec); err != nil {
			t.Fatal(err)
		}
	}
	if unsafe.StringData(a.Topic) != unsafe.StringData(b.Topic) {
		t.Error("the same topic twice, and two strings")
	}
	// More topics than are remembered work as well, and the first stay shared.
	for i := range 10_050 {
		e.AggregateType = text(fmt.Sprint("t", i))
		if err := r.Route(&e, &b); err != nil || b.Topic != fmt.Sprint("outbox.event.t", i) {
			t.Fatalf("%q, %v", b.Topic, err)
		}
	}
	e = event()
	if err := r.Route(&e, &b); err != nil || unsafe.StringData(a.Topic) != unsafe.StringData(b.Topic) {
		t.Error("the first topic has been forgotten", err)
	}
}

func benchEvent() decoding.Event {
	e := event()
	e.ID = decoding.Value{Data: []byte("00000000-0000-4000-8000-000000000001"), OID: 2950}
	e.Payload = text(`{"n": 1, "padding": "` + strings.Repeat("x", 256) + `"}`)
	return e
}

func TestRoute_doesNotAllocate(t *testing.T) {
	for name, rules := range map[string]routing.Rules{
		"default": {},
		"much":    {Topic: "x.${aggregate_type}.${event_type}", Headers: []string{"id", "walrelay-lsn", "walrelay-index", "walrelay-table", "a", "b"}},
	} {
		r := router(t, rules)
		e := benchEvent()
		e.Extra = []decoding.Value{bytea(`\xdeadbeef`), {Data: []byte("t"), OID: 16}}
		if name == "much" {
			e.Payload = bytea(`\x` + strings.Repeat("ab", 256))
		}
		var rec routing.Record
		got := testing.AllocsPerRun(100, func() {
			if err := r.Route(&e, &rec); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("%s: %v allocations an event, want none", name, got)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	for _, bench := range []struct {
		name    string
		rules   routing.Rules
		payload decoding.Value
	}{
		{"default", routing.Rules{}, benchEvent().Payload},
		{"bytea payload", routing.Rules{}, bytea(`\x` + strings.Repeat("ab", 256))},
		{"six headers", routing.Rules{Headers: []string{"id", "event_type:eventType", "walrelay-lsn", "walrelay-xid", "walrelay-index", "walrelay-table"}},
			benchEvent().Payload},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := router(b, bench.rules)
			e := benchEvent()
			e.Payload = bench.payload
			var rec routing.Record
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Route(&e, &rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var kafkaName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// FuzzTopic: a template is refused, or every event gets a name that Kafka takes,
// or it is poison.
func FuzzTopic(f *testing.F) {
	for _, s := range []string{"", "x", "outbox.event.${aggregate_type}", "${event_type}.${aggregate_id}", "$", "${", "${}", "a$b", ".", "ü"} {
		f.Add(s, "order")
		f.Add(s, "bad/name")
	}
	f.Fuzz(func(t *testing.T, template, aggregate string) {
		r, err := routing.New(routing.Rules{Topic: template})
		if err != nil {
			return
		}
		e := event()
		e.AggregateType = text(aggregate)
		var rec routing.Record
		err = r.Route(&e, &rec)
		var p *routing.Poison
		if err != nil && !errors.As(err, &p) {
			t.Fatal(err)
		}
		legal := kafkaName.MatchString(rec.Topic) && rec.Topic != "." && rec.Topic != ".."
		if err == nil && !legal {
			t.Fatalf("template %q, aggregate type %q: topic %q", template, aggregate, rec.Topic)
		}
		if template == "" && err != nil && kafkaName.MatchString("outbox.event."+aggregate) {
			t.Fatalf("%q is fine: %v", aggregate, err)
		}
	})
}

// FuzzBytea: what PostgreSQL writes comes out as it was, the rest is poison.
func FuzzBytea(f *testing.F) {
	for _, s := range []string{`\x`, `\x00ff`, `\x0`, `\xzz`, ``, `abc`, `\\x00`, `\X00`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := router(t, routing.Rules{})
		e := event()
		var rec routing.Record
		e.Payload = bytea(`\x` + hex.EncodeToString(b))
		if err := r.Route(&e, &rec); err != nil || !bytes.Equal(rec.Value, b) || rec.Value == nil {
			t.Fatalf("%x became %x, %v", b, rec.Value, err)
		}
		e.Payload = decoding.Value{Data: b, OID: 17}
		err := r.Route(&e, &rec)
		var p *routing.Poison
		if err != nil && !errors.As(err, &p) {
			t.Fatal(err)
		}
		if err == nil && !strings.EqualFold(`\x`+hex.EncodeToString(rec.Value), string(b)) {
			t.Fatalf("%q became %x", b, rec.Value)
		}
	})
}
