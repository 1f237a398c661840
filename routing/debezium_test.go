package routing_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing"
)

// oids of the types in the test data; "mood" is an enum.
var oids = map[string]uint32{
	"bool": 16, "bytea": 17, "int8": 20, "int2": 21, "int4": 23, "text": 25, "xml": 142, "inet": 869, "bpchar": 1042,
	"varchar": 1043, "numeric": 1700, "uuid": 2950, "jsonb": 3802, "mood": 54321,
}

// value is a column as [type, PostgreSQL's text or null].
type value [2]*string

func (v value) column() decoding.Value {
	oid, ok := oids[*v[0]]
	if !ok {
		panic("test data: type " + *v[0])
	}
	if v[1] == nil {
		return decoding.Value{Null: true, OID: oid}
	}
	return decoding.Value{Data: []byte(*v[1]), OID: oid}
}

// recorded is one record that Debezium wrote, with the row it came from. The
// bytes are in base64, null is null.
type recorded struct {
	Note          string
	HeadersRule   []string `json:"headers_rule"`
	KeyRule       string   `json:"key_rule"`
	ID            value
	AggregateType value `json:"aggregate_type"`
	AggregateID   value `json:"aggregate_id"`
	EventType     value `json:"event_type"`
	Payload       value
	Extra         []value
	Topic         string
	Key, Value    *string
	Headers       [][2]*string
}

func decoded(t *testing.T, s *string) []byte {
	t.Helper()
	if s == nil {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(*s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The records are those that Debezium 3.6.1 with string converters wrote, the
// bytea key aside (doc.go); its __debezium.context headers are left out.
func TestRoute_asDebezium(t *testing.T) {
	b, err := os.ReadFile("testdata/debezium.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no records")
	}
	for _, r := range all {
		t.Run(r.Note, func(t *testing.T) {
			router, err := routing.New(routing.Rules{Key: r.KeyRule, Headers: r.HeadersRule})
			if err != nil {
				t.Fatal(err)
			}
			e := decoding.Event{ID: r.ID.column(), AggregateType: r.AggregateType.column(), AggregateID: r.AggregateID.column(),
				EventType: r.EventType.column(), Payload: r.Payload.column(), CommitTime: commitTime}
			for _, v := range r.Extra {
				e.Extra = append(e.Extra, v.column())
			}
			if len(e.Extra) != len(router.Extra()) {
				t.Fatalf("the router asks for %v", router.Extra())
			}
			want := routing.Record{Topic: r.Topic, Partition: -1, Key: decoded(t, r.Key), Value: decoded(t, r.Value),
				Timestamp: commitTime.UnixMilli()}
			for _, h := range r.Headers {
				want.Headers = append(want.Headers, routing.Header{Key: *h[0], Value: decoded(t, h[1])})
			}
			if err := router.Bind(relation(&e), nil); err != nil {
				t.Fatal(err)
			}
			var got routing.Record
			if err := router.Route(&e, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" { // cmp tells nil from empty
				t.Error(diff)
			}
		})
	}
}

// relation announces the columns of e. A numeric is a numeric(10,2).
func relation(e *decoding.Event) *decoding.Relation {
	rel := &decoding.Relation{Namespace: "public", Name: "outbox", At: decoding.Places{ID: 0, AggregateType: 1, AggregateID: 2, EventType: 3, Payload: 4}}
	for i, v := range append([]decoding.Value{e.ID, e.AggregateType, e.AggregateID, e.EventType, e.Payload}, e.Extra...) {
		c := decoding.Column{Name: fmt.Sprint("c", i), OID: v.OID, Mod: -1}
		if v.OID == oids["numeric"] {
			c.Mod = 10<<16 | 2 + 4
		}
		rel.Columns = append(rel.Columns, c)
		if i > 4 {
			rel.At.Extra = append(rel.At.Extra, i)
		}
	}
	return rel
}
