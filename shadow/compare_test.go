package shadow

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ours makes a record of walrelay's; headers are name, value, name, value, where
// "<null>" is null.
func ours(id, topic, key, value string, headers ...string) *record {
	r := &record{topic: topic, partition: -1, byKey: -1, key: newPart(text(key)), value: newPart(text(value)), table: "public.outbox"}
	r.headers = []header{{"id", newPart([]byte(id))}}
	for pair := range slices.Chunk(headers, 2) {
		r.headers = append(r.headers, header{pair[0], newPart(text(pair[1]))})
	}
	r.id, _ = event(r.headers)
	r.fingerprint()
	return r
}

// theirs makes one of Kafka's, in the first of six partitions unless the key decides.
func theirs(id, topic, key, value string, headers ...string) *record {
	r := ours(id, topic, key, value, headers...)
	r.kafka, r.byKey = true, javaPartition(text(key), []int{0, 1, 2, 3, 4, 5})
	r.partition = max(r.byKey, 0)
	return r
}

func text(s string) []byte {
	if s == "<null>" {
		return nil
	}
	return []byte(s)
}

func TestCompare(t *testing.T) {
	long := strings.Repeat("x", 100)
	context := []string{contextPrefix + "taskId", "0", contextPrefix + "runId", "a"}
	tests := []struct {
		name string
		w, k *record
		edit func(w, k *record)
		want []string // field, of a header its name, and the offset
	}{
		{name: "same", w: ours("1", "t", "k", "v"), k: theirs("1", "t", "k", "v")},
		{name: "topic", w: ours("1", "t", "k", "v"), k: theirs("1", "u", "k", "v"), want: []string{"topic"}},
		{name: "key", w: ours("1", "t", "k", "v"), k: theirs("1", "t", "q", "v"), want: []string{"key 0"}},
		{name: "null key", w: ours("1", "t", "<null>", "v"), k: theirs("1", "t", "", "v"), want: []string{"key"}},
		{name: "both keys null, any partition", w: ours("1", "t", "<null>", "v"), k: theirs("1", "t", "<null>", "v"), edit: func(_, k *record) { k.partition = 4 }},
		{name: "partition by key", w: ours("1", "t", "k", "v"), k: theirs("1", "t", "k", "v"), edit: func(_, k *record) { k.partition = (k.partition + 1) % 6 }, want: []string{"partition"}},
		{name: "partition by column", w: ours("1", "t", "k", "v"), k: theirs("1", "t", "k", "v"), edit: func(w, k *record) { w.partition, k.partition = 3, 2 }, want: []string{"partition"}},
		{name: "partition by column before key", w: ours("1", "t", "k", "v"), k: theirs("1", "t", "k", "v"), edit: func(w, k *record) { w.partition, k.partition = 3, 3 }},
		{name: "value", w: ours("1", "t", "k", "vvw"), k: theirs("1", "t", "k", "vvv"), want: []string{"value 2"}},
		{name: "value is longer", w: ours("1", "t", "k", "v"), k: theirs("1", "t", "k", "vv"), want: []string{"value 1"}},
		{name: "tombstone", w: ours("1", "t", "k", "<null>"), k: theirs("1", "t", "k", ""), want: []string{"value"}},
		{name: "large values", w: ours("1", "t", "k", long+"1"), k: theirs("1", "t", "k", long+"2"), edit: func(w, k *record) { w.value.cut(10, 10) }, want: []string{"value"}},
		{name: "header is missing", w: ours("1", "t", "k", "v", "type", "a"), k: theirs("1", "t", "k", "v"), want: []string{"headers"}},
		{name: "header order", w: ours("1", "t", "k", "v", "a", "1", "b", "2"), k: theirs("1", "t", "k", "v", "b", "2", "a", "1"), want: []string{"headers"}},
		{name: "header twice", w: ours("1", "t", "k", "v", "a", "1"), k: theirs("1", "t", "k", "v", "a", "1", "a", "1"), want: []string{"headers"}},
		{name: "header values", w: ours("1", "t", "k", "v", "a", "10", "b", "2"), k: theirs("1", "t", "k", "v", "a", "1", "b", "<null>"), want: []string{"headers a 1", "headers b"}},
		{name: "header empty and null", w: ours("1", "t", "k", "v", "a", ""), k: theirs("1", "t", "k", "v", "a", "<null>"), want: []string{"headers a"}},
		{name: "names of headers don't run together", w: ours("1", "t", "k", "v", `a", "b`, ""), k: theirs("1", "t", "k", "v", "a", "", "b", ""), want: []string{"headers"}},
		{name: "context only in Kafka", w: ours("1", "t", "k", "v"), k: theirs("1", "t", "k", "v", context...)},
		{name: "context on both sides", w: ours("1", "t", "k", "v", contextPrefix+"taskId", "0", contextPrefix+"runId", "b"), k: theirs("1", "t", "k", "v", context...)},
		{name: "other context", w: ours("1", "t", "k", "v", contextPrefix+"taskId", "1", contextPrefix+"runId", "b"), k: theirs("1", "t", "k", "v", context...), want: []string{"headers " + contextPrefix + "taskId 0"}},
		{name: "context only wanted", w: ours("1", "t", "k", "v", context...), k: theirs("1", "t", "k", "v"), want: []string{"headers"}},
		{name: "timestamp by column", w: ours("1", "t", "k", "v"), k: theirs("1", "t", "k", "v"), edit: func(w, k *record) { w.timed, w.timestamp, k.timestamp = true, 1, 2 }, want: []string{"timestamp"}},
		{name: "timestamp by clock", w: ours("1", "t", "k", "v"), k: theirs("1", "t", "k", "v"), edit: func(w, k *record) { w.timestamp, k.timestamp = 1, 2 }},
		{name: "everything", w: ours("1", "t", "k", "v", "a", "1"), k: theirs("1", "u", "q", "w", "a", "2"),
			edit: func(w, k *record) { w.partition, w.timed, w.timestamp = 9, true, 7 },
			want: []string{"topic", "partition", "key 0", "value 0", "headers a 0", "timestamp"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.edit != nil {
				test.edit(test.w, test.k)
			}
			var got []string
			for _, f := range (&comparer{}).compare(test.w, test.k) {
				entry := f.Field
				if f.Name != "" {
					entry += " " + f.Name
				}
				if f.At != nil {
					entry += " " + string(rune('0'+*f.At))
				}
				got = append(got, entry)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNoPayloads: nothing of a value, nor of a header that carries the payload, is in
// a result that is not asked for it.
func TestNoPayloads(t *testing.T) {
	w, k := ours("1", "t", "key", "secret-one", "body", "secret-two", "type", "Placed"), theirs("1", "t", "key", "secret-three", "body", "secret-four", "type", "Paid")
	hiding := comparer{hidden: map[string]bool{"body": true}}
	b, err := json.Marshal(hiding.compare(w, k))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("secret")) || !bytes.Contains(b, []byte("Placed")) || !bytes.Contains(b, []byte("Paid")) {
		t.Errorf("%s", b)
	}
	b, err = json.Marshal((&comparer{payloads: true, hidden: hiding.hidden}).compare(w, k))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"secret-one", "secret-two", "secret-three", "secret-four"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s is not in %s", want, b)
		}
	}
}

func TestPlainID(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "7": "7", "a b": "a b", `"`: `"`, `"a"`: "a", `"a\"b"`: `a"b`, `"a" `: "a", `"open`: `"open`, `{`: `{`,
		`{"schema":{"type":"string"},"payload":"x"}`: "x", `{"schema":{"type":"int32"},"payload":12}`: "12",
		`{"payload":"x"}`: `{"payload":"x"}`, `{"id":1}`: `{"id":1}`,
	} {
		if got := plainID([]byte(in)); got != want {
			t.Errorf("%s: %q instead of %q", in, got, want)
		}
	}
}

// TestEvent: the first header of the name counts, and null is none.
func TestEvent(t *testing.T) {
	if id, ok := event([]header{{"x", newPart([]byte("1"))}, {"id", newPart([]byte("2"))}, {"id", newPart([]byte("3"))}}); id != "2" || !ok {
		t.Error(id, ok)
	}
	for _, headers := range [][]header{nil, {{"ID", newPart([]byte("1"))}}, {{"id", newPart(nil)}, {"id", newPart([]byte("3"))}}} {
		if id, ok := event(headers); ok {
			t.Error(id)
		}
	}
}

func TestShortText(t *testing.T) {
	euros := strings.Repeat("€", 30)
	for _, test := range []struct {
		in   string
		size int
		want string
	}{
		{"", 0, `""`},
		{"a\nb\x00", 4, `"a\nb\x00"`},
		{"cut", 9, `"cut"…`},
		{strings.Repeat("a", 60), 60, `"` + strings.Repeat("a", 60) + `"`},
		{strings.Repeat("a", 61), 61, `"` + strings.Repeat("a", 60) + `"…`},
		{euros[1:], 89, `"\x82\xac` + euros[:57] + `"…`}, // one more byte would be half a character
	} {
		if got := shortText([]byte(test.in), test.size); got != test.want {
			t.Errorf("%q: %s instead of %s", test.in, got, test.want)
		}
	}
}

// FuzzRecord: whatever stands in a record, it is compared without a panic, agrees
// with itself also when it was cut, and shows nothing that can't be printed.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`"1"`), []byte("key"), []byte(`{"a":1}`), 4)
	f.Add([]byte(`{"schema":{},"payload":"x"}`), []byte{}, []byte{0xff, 0xfe}, 0)
	f.Add([]byte("€"), []byte("€€"), bytes.Repeat([]byte("€"), 100), 1)
	f.Fuzz(func(t *testing.T, id, key, value []byte, cut int) {
		make := func() *record {
			return &record{topic: "t", partition: -1, byKey: -1, key: newPart(key), value: newPart(value), headers: []header{{"id", newPart(id)}}}
		}
		w, k := make(), make()
		if cut >= 0 {
			w.value.cut(cut, cut)
			w.key.cut(cut, cut)
		}
		c := comparer{payloads: true}
		if got := c.compare(w, k); len(got) != 0 {
			t.Errorf("a record differs from itself: %+v", got)
		}
		k.value, k.key = newPart(append([]byte{}, value...)), newPart(append([]byte("x"), key...))
		for _, d := range c.compare(w, k) {
			if strings.ContainsFunc(d.Kafka.Text+d.Walrelay.Text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%q", d.Kafka.Text)
			}
			if len(d.Kafka.Text) > 4*maxText*2 {
				t.Errorf("too long: %s", d.Kafka.Text)
			}
		}
		plainID(id)
	})
}
