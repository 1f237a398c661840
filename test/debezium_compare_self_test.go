package test_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Three records by hand: an ordinary one, one without key, and an empty value
// with a timestamp of the row's own.
const recordedByHand = `[
{"topic": "orders", "partition": 4, "offset": 0, "key": "YS0x", "value": "e30=", "timestamp": 1, "timestamp_type": "CreateTime", "varies": ["timestamp"],
 "headers": [{"name": "__debezium.context.runId", "value": "eA==", "varies": true}, {"name": "id", "value": "MQ=="}, {"name": "type", "value": null}]},
{"topic": "orders", "partition": 2, "offset": 7, "key": null, "value": null, "timestamp": 1, "timestamp_type": "CreateTime", "varies": ["offset", "partition", "timestamp"],
 "headers": [{"name": "id", "value": "Mg=="}]},
{"topic": "orders", "partition": 4, "offset": 1, "key": "YS0x", "value": "", "timestamp": 1700000000123, "timestamp_type": "CreateTime",
 "headers": [{"name": "id", "value": "Mw=="}, {"name": "x", "value": ""}, {"name": "x", "value": "eA=="}]}]`

// writtenByHand are records that are the same by the rules.
func writtenByHand() []*kgo.Record {
	header := func(name string, value []byte) kgo.RecordHeader { return kgo.RecordHeader{Key: name, Value: value} }
	at := time.UnixMilli(50)
	return []*kgo.Record{
		{Topic: "orders", Partition: 4, Offset: 100, Key: []byte("a-1"), Value: []byte("{}"), Timestamp: at,
			Headers: []kgo.RecordHeader{header("id", []byte("1")), header("type", nil)}},
		{Topic: "orders", Partition: 0, Offset: 3, Timestamp: at, Headers: []kgo.RecordHeader{header("id", []byte("2"))}},
		{Topic: "orders", Partition: 4, Offset: 101, Key: []byte("a-1"), Value: []byte{}, Timestamp: time.UnixMilli(1700000000123),
			Headers: []kgo.RecordHeader{header("id", []byte("3")), header("x", []byte{}), header("x", []byte("x"))}},
	}
}

// TestCompareDebezium: what is the same by the rules has no difference, and any
// change of one thing is found and named.
func TestCompareDebezium(t *testing.T) {
	t.Parallel()
	var want []recorded
	if err := json.Unmarshal([]byte(recordedByHand), &want); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func(r []*kgo.Record) []*kgo.Record
		says  []string // nil: no difference
	}{
		{"same", func(r []*kgo.Record) []*kgo.Record { return r }, nil},
		{"read in another order", func(r []*kgo.Record) []*kgo.Record { return []*kgo.Record{r[2], r[1], r[0]} }, nil},
		{"one missing", func(r []*kgo.Record) []*kgo.Record { return r[:2] }, []string{"missing:", "«3»"}},
		{"none", func([]*kgo.Record) []*kgo.Record { return nil }, []string{"missing:", "«1»", "«2»", "«3»"}},
		{"one twice", func(r []*kgo.Record) []*kgo.Record { return append(r, r[0]) }, []string{"unexpected:", "«1»"}},
		{"topic", func(r []*kgo.Record) []*kgo.Record { r[0].Topic = "order"; return r }, []string{"«1»", "topic", "walrelay order"}},
		{"partition", func(r []*kgo.Record) []*kgo.Record { r[0].Partition = 5; return r }, []string{"«1»", "partition", "Debezium 4", "walrelay 5"}},
		{"key null", func(r []*kgo.Record) []*kgo.Record { r[0].Key = nil; return r }, []string{"key", "Debezium «a-1»", "walrelay null"}},
		{"key empty for null", func(r []*kgo.Record) []*kgo.Record { r[1].Key = []byte{}; return r }, []string{"key", "Debezium null", "walrelay «»"}},
		{"value null for empty", func(r []*kgo.Record) []*kgo.Record { r[2].Value = nil; return r }, []string{"value", "Debezium «»", "walrelay null"}},
		{"value empty for null", func(r []*kgo.Record) []*kgo.Record { r[1].Value = []byte{}; return r }, []string{"value", "Debezium null", "walrelay «»"}},
		{"value", func(r []*kgo.Record) []*kgo.Record { r[0].Value = []byte{'{', 0, '}'}; return r }, []string{"value", "Debezium «{}»", `walrelay "{\x00}"`}},
		{"header null for empty", func(r []*kgo.Record) []*kgo.Record { r[2].Headers[1].Value = nil; return r }, []string{"header x", "Debezium «»", "walrelay null"}},
		{"header empty for null", func(r []*kgo.Record) []*kgo.Record { r[0].Headers[1].Value = []byte{}; return r }, []string{"header type", "walrelay «»"}},
		{"headers of one name swapped", func(r []*kgo.Record) []*kgo.Record {
			h := r[2].Headers
			h[1], h[2] = h[2], h[1]
			return r
		}, []string{"header x"}},
		{"headers swapped", func(r []*kgo.Record) []*kgo.Record {
			h := r[0].Headers
			h[0], h[1] = h[1], h[0]
			return r
		}, []string{"headers", `walrelay "type" "id"`}},
		{"header more", func(r []*kgo.Record) []*kgo.Record {
			r[0].Headers = append(r[0].Headers, kgo.RecordHeader{Key: "__debezium.context.taskId"})
			return r
		}, []string{"headers", "taskId"}},
		{"id", func(r []*kgo.Record) []*kgo.Record { r[0].Headers[0].Value = []byte("9"); return r }, []string{"header id", "Debezium «1»", "walrelay «9»"}},
		{"commit time too early", func(r []*kgo.Record) []*kgo.Record { r[0].Timestamp = time.UnixMilli(9); return r }, []string{"timestamp", "not the commit time"}},
		{"commit time too late", func(r []*kgo.Record) []*kgo.Record { r[1].Timestamp = time.UnixMilli(91); return r }, []string{"timestamp", "not the commit time"}},
		{"own timestamp", func(r []*kgo.Record) []*kgo.Record { r[2].Timestamp = time.UnixMilli(1700000000124); return r }, []string{"timestamp", "Debezium 1700000000123", "walrelay 1700000000124"}},
		{"order in a partition", func(r []*kgo.Record) []*kgo.Record { r[2].Offset = 99; return r }, []string{"order in orders, partition 4", "«1» before «3»"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(differences(want, c.spoil(writtenByHand()), 10, 90), "\n")
			if c.says == nil && got != "" {
				t.Errorf("differences where there are none:\n%s", got)
			}
			mustSay(t, got, c.says...)
		})
	}
}

// TestCompareDebeziumLong: long values go by length and digest, or are shown
// where they begin to differ.
func TestCompareDebeziumLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 100)
	abridged := content{length: 3, sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
	if !abridged.equal([]byte("abc")) || abridged.equal([]byte("abd")) || abridged.equal(nil) {
		t.Error("the digest does not decide")
	}
	a, b := contrast(content{bytes: []byte(long + "a")}, []byte(long+"b"))
	if !strings.HasSuffix(a, "789a»") || !strings.HasSuffix(b, "789b»") || len(a) > 2*shownBytes {
		t.Errorf("the difference is not shown:\n%s\n%s", a, b)
	}
	if a, b := contrast(abridged, nil); !strings.Contains(a, "3 bytes") || b != "null" {
		t.Errorf("%s, %s", a, b)
	}
}

// TestCompareDebeziumAddresses: base64 may stand where Java printed an array's
// address, and nothing else.
func TestCompareDebeziumAddresses(t *testing.T) {
	t.Parallel()
	want := content{bytes: []byte("a[B@1b2c3d,(x)[B@0}")}
	for got, equal := range map[string]bool{
		"aDw==,(x)}": true, "aAA==,(x)AAEC}": true, "a,(x)}": true,
		"aDw==,(y)}": false, "aD w==,(x)}": false, "aDw==,(x)": false, "xaDw==,(x)}": false, "": false,
	} {
		if want.equalButAddresses([]byte(got)) != equal {
			t.Errorf("%q is as good as %q: %t", got, want.bytes, !equal)
		}
	}
	nested := content{bytes: []byte(`["[Ljava.lang.String;@73426750","x"]`)}
	if !nested.equalButAddresses([]byte(`["{a,b}","x"]`)) || nested.equalButAddresses([]byte(`["a,b","x"]`)) {
		t.Error("PostgreSQL's text of an array has to stand for Java's address of one")
	}
	if (content{bytes: []byte("a")}).equalButAddresses([]byte("a")) || want.equalButAddresses(nil) {
		t.Error("without an address, or null, is no such case")
	}
}
