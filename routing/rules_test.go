package routing_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
	"github.com/walrelay/walrelay/routing/expand"
)

// outboxColumns are the columns of the table that these tests bind to, as the
// catalog knows them. The first five are the parts of the event.
var outboxColumns = []column.Column{
	{Name: "id", OID: 2950, Mod: -1, TypeName: "uuid", Kind: 'b', NotNull: true, KeyPosition: 1, FromCatalog: true},
	{Name: "aggregatetype", OID: 25, Mod: -1, TypeName: "text", Kind: 'b', NotNull: true, FromCatalog: true},
	{Name: "aggregateid", OID: 25, Mod: -1, TypeName: "text", Kind: 'b', NotNull: true, FromCatalog: true},
	{Name: "type", OID: 25, Mod: -1, TypeName: "text", Kind: 'b', NotNull: true, FromCatalog: true},
	{Name: "payload", OID: 3802, Mod: -1, TypeName: "jsonb", Kind: 'b', Default: `'{"d": 1}'::jsonb`, FromCatalog: true},
	{Name: "n", OID: 23, Mod: -1, TypeName: "int4", Kind: 'b', Default: "7", FromCatalog: true},
	{Name: "big", OID: 20, Mod: -1, TypeName: "int8", Kind: 'b', FromCatalog: true},
	{Name: "ts", OID: 1114, Mod: -1, TypeName: "timestamp", Kind: 'b', FromCatalog: true},
	{Name: "tz", OID: 1184, Mod: -1, TypeName: "timestamptz", Kind: 'b', FromCatalog: true},
	{Name: "day", OID: 1082, Mod: -1, TypeName: "date", Kind: 'b', FromCatalog: true},
}

// row is an event of that table under rules, as decoding would make it: values
// by column, "NULL" for NULL, and NULL for what is left out.
func row(t *testing.T, r *routing.Router, values map[string]string) decoding.Event {
	t.Helper()
	e := event()
	e.Table = &decoding.Table{Schema: "public", Name: "outbox"}
	rel := decoding.Relation{Namespace: "public", Name: "outbox", At: decoding.Places{ID: 0, AggregateType: 1, AggregateID: 2, EventType: 3, Payload: 4}}
	place := map[string]int{}
	for i, c := range outboxColumns {
		rel.Columns = append(rel.Columns, decoding.Column{Name: c.Name, OID: c.OID, Mod: c.Mod})
		text, ok := values[c.Name]
		v := decoding.Value{OID: c.OID, Null: !ok || text == "NULL"}
		if !v.Null {
			v.Data = []byte(text)
		}
		e.Row = append(e.Row, v)
		place[c.Name] = i
	}
	e.ID, e.AggregateType, e.AggregateID, e.EventType, e.Payload = e.Row[0], e.Row[1], e.Row[2], e.Row[3], e.Row[4]
	for _, x := range r.Extra() {
		at, ok := place[x.Column]
		if !ok {
			at = -1
			e.Extra = append(e.Extra, decoding.Value{Null: true, Missing: true})
		} else {
			e.Extra = append(e.Extra, e.Row[at])
		}
		rel.At.Extra = append(rel.At.Extra, at)
	}
	if err := r.Bind(&rel, outboxColumns); err != nil {
		t.Fatal(err)
	}
	return e
}

// usual is a row with all parts.
func usual(more ...string) map[string]string {
	m := map[string]string{"id": "00000000-0000-4000-8000-000000000001", "aggregatetype": "order", "aggregateid": "o-1", "type": "Paid", "payload": `{"a": 1}`}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// shown is a record as text: null and empty are told apart.
func shown(rec *routing.Record) []string {
	text := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return "=" + string(b)
	}
	lines := []string{"topic " + rec.Topic, "key " + text(rec.Key), "value " + text(rec.Value)}
	for _, h := range rec.Headers {
		lines = append(lines, "header "+h.Key+" "+text(h.Value))
	}
	return lines
}

func TestRoute_rules(t *testing.T) {
	json := connect.Options{Converter: "json", NullDefault: true}
	schema := connect.Options{Converter: "json-schema", NullDefault: true}
	str := connect.Options{Converter: "string"}
	none := []string{}
	tests := []struct {
		name  string
		rules routing.Rules
		row   map[string]string
		want  []string // from the topic on; shorter than all: the rest is not looked at
	}{
		{"pattern", routing.Rules{Pattern: "(?<a>[a-z]+)(-v(\\d+))?", Replacement: "ev.${a}.$3", Headers: none},
			usual("aggregatetype", "order-v2"), []string{"topic ev.order.2"}},
		{"pattern without a match", routing.Rules{Pattern: "x(.*)", Replacement: "ev.$1"}, usual(), []string{"topic order"}},
		{"string converter of bytea is Java's", routing.Rules{ValueFormat: str}, usual(), []string{"topic outbox.event.order", "key =o-1", `value ={"a": 1}`}},
		{"json", routing.Rules{KeyFormat: json, ValueFormat: json}, usual(), []string{"topic outbox.event.order", `key ="o-1"`, `value ="{\"a\": 1}"`}},
		{"json null", routing.Rules{ValueFormat: connect.Options{Converter: "json"}}, usual("payload", "NULL"), []string{"topic outbox.event.order", "key =o-1", "value =null"}},
		{"json with schema", routing.Rules{KeyFormat: schema, Headers: none}, usual(),
			[]string{"topic outbox.event.order", `key ={"schema":{"type":"string","optional":false},"payload":"o-1"}`}},
		{"expand", routing.Rules{ValueFormat: json, ExpandJSON: true}, usual(), []string{"topic outbox.event.order", "key =o-1", `value ={"a":1}`}},
		{"expand drops null", routing.Rules{ValueFormat: json, ExpandJSON: true}, usual("payload", `{"a": null, "b": 1.0}`), []string{"topic outbox.event.order", "key =o-1", `value ={"b":1.0}`}},
		{"expand keeps null", routing.Rules{ValueFormat: json, ExpandJSON: true, Expand: expand.Options{KeepNulls: true}}, usual("payload", `{"a": null}`),
			[]string{"topic outbox.event.order", "key =o-1", `value ={"a":null}`}},
		{"expand of no JSON", routing.Rules{ValueFormat: json, ExpandJSON: true}, usual("payload", `"x"`), []string{"topic outbox.event.order", "key =o-1", `value ="\"x\""`}},
		{"expand of an empty array", routing.Rules{ValueFormat: schema, ExpandJSON: true}, usual("payload", "[]"), []string{"topic outbox.event.order", "key =o-1", `value ={"schema":null,"payload":"[]"}`}},
		{"expand under string", routing.Rules{ValueFormat: str, ExpandJSON: true}, usual(), []string{"topic outbox.event.order", "key =o-1", "value =Struct{a=1}"}},
		{"expand conflict under string", routing.Rules{ValueFormat: str, ExpandJSON: true}, usual("payload", "[1, 2]"), []string{"topic outbox.event.order", "key =o-1", "value =[1, 2]"}},
		{"tombstone", routing.Rules{TombstoneOnEmpty: true, ValueFormat: json}, usual("payload", " \t\n"), []string{"topic outbox.event.order", "key =o-1", "value null"}},
		{"tombstone of NULL", routing.Rules{TombstoneOnEmpty: true, ValueFormat: json, Envelope: []string{"n"}}, usual("payload", "NULL"), []string{"topic outbox.event.order", "key =o-1", "value null"}},
		{"no-break space is not blank", routing.Rules{TombstoneOnEmpty: true}, usual("payload", "\u00a0"), []string{"topic outbox.event.order", "key =o-1", "value =\u00a0"}},
		{"NULL is NULL", routing.Rules{Headers: []string{"n"}}, usual("n", "NULL", "payload", "NULL"), []string{"topic outbox.event.order", "key =o-1", "value null", "header n null"}},
		{"NULL is the default", routing.Rules{Headers: []string{"n"}, NullAsDefault: true}, usual("n", "NULL", "payload", "NULL"),
			[]string{"topic outbox.event.order", "key =o-1", `value ={"d": 1}`, "header n =7"}},
		{"envelope", routing.Rules{ValueFormat: json, Envelope: []string{"type:eventType", "n", "ts"}}, usual("n", "3"),
			[]string{"topic outbox.event.order", "key =o-1", `value ={"payload":"{\"a\": 1}","eventType":"Paid","n":3,"ts":null}`}},
		{"envelope expanded", routing.Rules{ValueFormat: json, ExpandJSON: true, Envelope: []string{"type"}}, usual(),
			[]string{"topic outbox.event.order", "key =o-1", `value ={"payload":{"a":1},"type":"Paid"}`}},
		{"envelope schema", routing.Rules{ValueFormat: schema, SchemaPrefix: "fx", SchemaVersion: "n", Envelope: []string{"type"}}, usual("n", "4"),
			[]string{"topic outbox.event.order", "key =o-1", `value ={"schema":{"type":"struct","fields":[{"type":"string","optional":true,"name":"io.debezium.data.Json","version":1,"default":"{\"d\": 1}","field":"payload"},` +
				`{"type":"string","optional":false,"field":"type"}],"optional":false,"name":"fx.public.outbox.order.Value","version":4},"payload":{"payload":"{\"a\": 1}","type":"Paid"}}`}},
		{"missing ignored", routing.Rules{IgnoreMissing: true, Headers: []string{"nope", "id"}, Envelope: []string{"nope", "n"}, ValueFormat: json}, usual("n", "3"),
			[]string{"topic outbox.event.order", "key =o-1", `value ={"payload":"{\"a\": 1}","n":3}`, "header id =00000000-0000-4000-8000-000000000001"}},
		{"quoted source", routing.Rules{Headers: []string{`"id"`, `"type":x`, `"id"`}}, usual(),
			[]string{"topic outbox.event.order", "key =o-1", `value ={"a": 1}`, "header id =00000000-0000-4000-8000-000000000001", "header x =Paid", "header id =00000000-0000-4000-8000-000000000001"}},
		{"types in headers", routing.Rules{Headers: []string{"ts", "tz", "day", "n"}}, usual("ts", "2024-01-02 03:04:05.678901", "tz", "2024-01-02 03:04:05.678+02", "day", "2024-02-29", "n", "-5"),
			[]string{"topic outbox.event.order", "key =o-1", `value ={"a": 1}`, "header ts =1704164645678901", "header tz =2024-01-02T01:04:05.678000Z", "header day =19782", "header n =-5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := router(t, tt.rules)
			e := row(t, r, tt.row)
			var rec routing.Record
			if err := r.Route(&e, &rec); err != nil {
				t.Fatal(err)
			}
			got := shown(&rec)
			if diff := cmp.Diff(tt.want, got[:min(len(got), len(tt.want))]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRoute_partitionAndTimestamp(t *testing.T) {
	const commit = -1
	tests := []struct {
		name      string
		rules     routing.Rules
		row       map[string]string
		partition int32
		timestamp int64
		reason    string
	}{
		{"partition", routing.Rules{Partition: "n"}, usual("n", "5"), 5, commit, ""},
		{"partition NULL, no default", routing.Rules{Partition: "n", NullAsDefault: true}, usual("n", "NULL"), -1, commit, ""},
		{"partition of bigint", routing.Rules{Partition: "big"}, usual("big", "5"), 5, commit, ""},
		{"partition too large", routing.Rules{Partition: "big"}, usual("big", "2147483648"), 0, 0, routing.ReasonInvalidPartition},
		{"partition negative", routing.Rules{Partition: "n"}, usual("n", "-1"), 0, 0, routing.ReasonInvalidPartition},
		{"partition of text", routing.Rules{Partition: "type"}, usual(), 0, 0, routing.ReasonUnconvertible},
		{"timestamp", routing.Rules{Timestamp: "ts"}, usual("ts", "2024-01-02 03:04:05.678901"), -1, 1704164645678, ""},
		{"timestamp NULL", routing.Rules{Timestamp: "ts"}, usual(), -1, commit, ""},
		{"timestamp cut towards zero", routing.Rules{Timestamp: "ts"}, usual("ts", "1969-12-31 23:59:59.9995"), -1, 0, ""},
		{"timestamp before 1970", routing.Rules{Timestamp: "ts"}, usual("ts", "1969-12-31 23:59:59"), 0, 0, routing.ReasonInvalidTimestamp},
		{"timestamptz", routing.Rules{Timestamp: "tz"}, usual("tz", "2024-01-02 03:04:05.678901+02"), -1, 1704157445678, ""},
		{"timestamptz infinity", routing.Rules{Timestamp: "tz"}, usual("tz", "infinity"), 0, 0, routing.ReasonInvalidTimestamp},
		{"date", routing.Rules{Timestamp: "day"}, usual("day", "2024-02-29"), -1, 1709164800000, ""},
		{"bigint has no unit", routing.Rules{Timestamp: "big"}, usual("big", "1"), 0, 0, routing.ReasonUnconvertible},
		{"bigint NULL", routing.Rules{Timestamp: "big"}, usual(), -1, commit, ""},
		{"nanoseconds", routing.Rules{Timestamp: "ts", Types: column.Modes{Time: "nanoseconds"}}, usual("ts", "2024-01-02 03:04:05.678901"), -1, 1704164645678, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := router(t, tt.rules)
			e := row(t, r, tt.row)
			var rec routing.Record
			err := r.Route(&e, &rec)
			var p *routing.Poison
			if tt.reason != "" {
				if !errors.As(err, &p) || p.Reason != tt.reason {
					t.Fatalf("got %v, want poison for %s", err, tt.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tt.timestamp == commit {
				tt.timestamp = commitTime.UnixMilli()
			}
			if rec.Partition != tt.partition || rec.Timestamp != tt.timestamp {
				t.Errorf("partition %d, timestamp %d, want %d and %d", rec.Partition, rec.Timestamp, tt.partition, tt.timestamp)
			}
		})
	}
}

func TestRoute_unconvertible(t *testing.T) {
	for name, rules := range map[string]routing.Rules{
		"bytes of text":              {ValueFormat: connect.Options{Converter: "bytes"}},
		"root array expanded":        {ValueFormat: connect.Options{Converter: "json"}, ExpandJSON: true},
		"empty array in an envelope": {ValueFormat: connect.Options{Converter: "json"}, ExpandJSON: true, Envelope: []string{"type"}},
		"int64 of text":              {KeyFormat: connect.Options{Converter: "int64"}},
	} {
		r := router(t, rules)
		payload := "[1, 2]"
		if strings.Contains(name, "empty") {
			payload = "[]"
		}
		e := row(t, r, usual("payload", payload))
		var rec routing.Record
		var p *routing.Poison
		if err := r.Route(&e, &rec); !errors.As(err, &p) || p.Reason != routing.ReasonUnconvertible {
			t.Errorf("%s: got %v", name, err)
		} else if strings.Contains(p.Detail, "[1, 2]") || strings.Contains(p.Detail, "o-1") {
			t.Errorf("%s: the detail shows the value: %s", name, p.Detail)
		}
	}
}

// Debezium remembers an envelope's schema by the schema of its payload: the first
// routed value names it.
func TestRoute_schemaNames(t *testing.T) {
	name := regexp.MustCompile(`"name":"([^"]*\.Value)"`)
	rules := routing.Rules{ValueFormat: connect.Options{Converter: "json-schema"}, SchemaPrefix: "fx", Envelope: []string{"type"}}
	r := router(t, rules)
	for i, want := range []string{"order", "order", "order"} {
		e := row(t, r, usual("aggregatetype", []string{"order", "invoice", "payment"}[i]))
		var rec routing.Record
		if err := r.Route(&e, &rec); err != nil {
			t.Fatal(err)
		}
		if got := name.FindSubmatch(rec.Value); got == nil || string(got[1]) != "fx.public.outbox."+want+".Value" {
			t.Errorf("event %d: schema name %s, want that of %s", i, got, want)
		}
	}
	rules.SchemaVersion = "n"
	r = router(t, rules)
	for i, want := range []string{"order", "invoice", "order", "payment"} {
		e := row(t, r, usual("aggregatetype", []string{"order", "invoice", "payment", "payment"}[i], "n", []string{"1", "2", "1", "NULL"}[i]))
		var rec routing.Record
		if err := r.Route(&e, &rec); err != nil {
			t.Fatal(err)
		}
		if got := name.FindSubmatch(rec.Value); got == nil || string(got[1]) != "fx.public.outbox."+want+".Value" {
			t.Errorf("versioned event %d: schema name %s, want that of %s", i, got, want)
		}
	}
}

func TestRoute_keyUpdate(t *testing.T) {
	r := router(t, routing.Rules{KeyUpdates: true, SchemaPrefix: "fx"})
	e := row(t, r, usual())
	if r.KeyChanged(&e) {
		t.Error("an INSERT changes no key")
	}
	e.Old = make([]decoding.Value, len(e.Row))
	for i := range e.Old {
		e.Old[i] = decoding.Value{Null: true}
	}
	e.Old[0] = e.Row[0]
	if r.KeyChanged(&e) {
		t.Error("the same key")
	}
	e.Old[0].Data = []byte("00000000-0000-4000-8000-000000000009")
	if !r.KeyChanged(&e) {
		t.Fatal("another key")
	}
	e.Payload = decoding.Value{OID: 3802, Null: true, Unchanged: true}
	r = router(t, routing.Rules{KeyUpdates: true, SchemaPrefix: "fx", Types: column.Modes{Unavailable: "gone"}})
	row(t, r, usual()) // binds
	var rec routing.Record
	if err := r.Route(&e, &rec); err != nil {
		t.Fatal(err)
	}
	want := []string{"topic outbox.event.order", "key =o-1", "value =gone", `header __debezium.oldkey ={"id":"00000000-0000-4000-8000-000000000009"}`,
		"header id =00000000-0000-4000-8000-000000000001"}
	if diff := cmp.Diff(want, shown(&rec)); diff != "" {
		t.Error(diff)
	}
	if r := router(t, routing.Rules{}); r.KeyChanged(&e) {
		t.Error("not asked for")
	}
}

// A large value that an UPDATE left alone has a stand-in for each type.
func TestRoute_unavailable(t *testing.T) {
	rules := routing.Rules{KeyUpdates: true, Types: column.Modes{Unavailable: "ab"}, Headers: []string{"s", "b", "ss", "is", "h", "n"}}
	r := router(t, rules)
	rel := decoding.Relation{Namespace: "public", Name: "outbox", At: decoding.Places{ID: 0, AggregateType: 0, AggregateID: 0, EventType: 0, Payload: 0}}
	catalog := []column.Column{
		{Name: "id", OID: 25, Mod: -1, TypeName: "text", Kind: 'b'}, {Name: "s", OID: 25, Mod: -1, TypeName: "text", Kind: 'b'},
		{Name: "b", OID: 17, Mod: -1, TypeName: "bytea", Kind: 'b'},
		{Name: "ss", OID: 1009, Mod: -1, TypeName: "_text", Kind: 'b', Element: &column.Column{OID: 25, Mod: -1, TypeName: "text", Kind: 'b'}},
		{Name: "is", OID: 1007, Mod: -1, TypeName: "_int4", Kind: 'b', Element: &column.Column{OID: 23, Mod: -1, TypeName: "int4", Kind: 'b'}},
		{Name: "h", OID: 20000, Mod: -1, TypeName: "hstore", Kind: 'b'}, {Name: "n", OID: 1700, Mod: -1, TypeName: "numeric", Kind: 'b'},
	}
	e := event()
	e.Extra = nil
	for i, c := range catalog {
		rel.Columns = append(rel.Columns, decoding.Column{Name: c.Name, OID: c.OID, Mod: -1})
		if i > 0 {
			rel.At.Extra = append(rel.At.Extra, i)
			e.Extra = append(e.Extra, decoding.Value{OID: c.OID, Null: true, Unchanged: true})
		}
	}
	if err := r.Bind(&rel, catalog); err != nil {
		t.Fatal(err)
	}
	var rec routing.Record
	if err := r.Route(&e, &rec); err != nil {
		t.Fatal(err)
	}
	want := []string{"header s =ab", "header b =YWI=", `header ss =["ab"]`, "header is =[97,98]", `header h ={"ab":"ab"}`, "header n null"}
	if diff := cmp.Diff(want, shown(&rec)[3:]); diff != "" {
		t.Error(diff)
	}
}

func TestRoute_contextHeaders(t *testing.T) {
	r := router(t, routing.Rules{Headers: []string{"debezium-context", "id"}, SchemaPrefix: "fx"})
	e := row(t, r, usual())
	var rec routing.Record
	if err := r.Route(&e, &rec); err != nil {
		t.Fatal(err)
	}
	got := shown(&rec)[3:]
	if !regexp.MustCompile(`^header __debezium.context.runId =[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(got[3]) {
		t.Errorf("no UUID of version 7: %s", got[3])
	}
	got[3] = "run"
	want := []string{"header __debezium.context.connectorLogicalName =fx", "header __debezium.context.taskId =0",
		"header __debezium.context.connectorName =postgresql", "run", "header id =00000000-0000-4000-8000-000000000001"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := routing.New(routing.Rules{Headers: []string{"debezium-context"}}); err == nil || !strings.Contains(err.Error(), "schema_prefix") {
		t.Errorf("without a prefix: %v", err)
	}
}

func TestNew_refusesRules(t *testing.T) {
	for want, rules := range map[string]routing.Rules{
		"format of key":                     {KeyFormat: connect.Options{Converter: "avro"}},
		"format of headers":                 {HeaderFormat: connect.Options{Converter: "nope"}},
		`the field "payload" is there`:      {Envelope: []string{"x:payload"}},
		`the field "x" is there already`:    {Envelope: []string{"x", "y:x"}},
		"walrelay's own values are headers": {Envelope: []string{"walrelay-lsn"}},
	} {
		if _, err := routing.New(rules); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", rules, err, want)
		}
	}
}
