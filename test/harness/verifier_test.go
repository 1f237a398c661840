package harness

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

const testTopic = "outbox.event.order"

// committed is three aggregates of five events each.
func committed() []Event {
	var events []Event
	for _, key := range []string{"a", "b", "c"} {
		for n := range 5 {
			events = append(events, Event{
				ID: fmt.Sprintf("%s%d", key, n), Topic: testTopic, Key: []byte(key), Sequence: int64(n),
				Value: fmt.Appendf(nil, `{"seq": %d}`, n),
			})
		}
	}
	rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	return events
}

// log makes records of event ids: "a0 a1 b0".
func log(ids string) []*kgo.Record {
	var records []*kgo.Record
	for i, id := range strings.Fields(ids) {
		records = append(records, &kgo.Record{
			Topic: testTopic, Partition: int32(id[0] % 2), Offset: int64(i),
			Key: []byte(id[:1]), Value: fmt.Appendf(nil, `{"seq": %s}`, id[1:]),
			Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(id)}},
		})
	}
	return records
}

func judge(events []Event, records []*kgo.Record) Result {
	v := NewVerifier(events)
	for _, r := range records {
		v.Observe(r)
	}
	return v.Result()
}

const right = "a0 b0 a1 c0 a2 b1 c1 c2 b2 b3 a3 a4 b4 c3 c4"

func TestVerifierFindsFaults(t *testing.T) {
	for _, c := range []struct {
		name, log string
		want      Result
	}{
		{"right", right, Result{}},
		{"lost in the middle", strings.Replace(right, "b2 ", "", 1), Result{Lost: 1}},
		{"lost at the end", strings.TrimSuffix(right, " c4"), Result{Lost: 1}},
		{"all lost", "", Result{Lost: 15}},
		{"an aggregate lost", "a0 a1 a2 a3 a4 b0 b1 b2 b3 b4", Result{Lost: 5}},
		{"rolled back", right + " a5", Result{Invented: 1}},
		{"swapped", strings.Replace(right, "a3 a4", "a4 a3", 1), Result{Disorder: 2}},
		{"swapped and followed", "a0 a2 a1 a3 a4" + rest("a"), Result{Disorder: 2}},
		{"repeated after a restart", "a0 a1 a2 a1 a2 a3 a4" + rest("a"), Result{Duplicates: 2}},
		{"repeated after two restarts", "a0 a1 a2 a1 a1 a2 a3 a4" + rest("a"), Result{Duplicates: 3}},
		{"all repeated", right + " " + right, Result{Duplicates: 15}},
		{"repeated at once", "a0 a0 a1 a2 a3 a4 a4" + rest("a"), Result{Duplicates: 2}},
		{"stale after newer, followed", "a0 a1 a2 a3 a1 a4" + rest("a"), Result{Duplicates: 1, Disorder: 1}},
		{"stale at the end", "a0 a1 a2 a3 a4 a3" + rest("a"), Result{Duplicates: 1, Disorder: 1}},
		{"lost behind disorder", "a0 a2 a1 a4" + rest("a"), Result{Lost: 1, Disorder: 2}},
		{"nothing known", "x9", Result{Lost: 15, Invented: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := judge(committed(), log(c.log))
			c.want.Events, c.want.Records = 15, len(strings.Fields(c.log))
			details := got.Details
			got.Details = nil
			if got.String() != c.want.String() {
				t.Errorf("got  %s\nwant %s\n%v", got, c.want, details)
			}
			if faulty := !c.want.OK(); faulty != (len(details) > 0) || faulty == got.OK() {
				t.Errorf("OK %t, details %v", got.OK(), details)
			}
		})
	}
}

// rest is the right log without one aggregate.
func rest(key string) string {
	var kept []string
	for _, id := range strings.Fields(right) {
		if !strings.HasPrefix(id, key) {
			kept = append(kept, id)
		}
	}
	return " " + strings.Join(kept, " ")
}

func TestVerifierFindsDamage(t *testing.T) {
	id := []kgo.RecordHeader{{Key: "id", Value: []byte("c4")}}
	for name, damage := range map[string]func(*kgo.Record){
		"topic":           func(r *kgo.Record) { r.Topic = "other" },
		"key":             func(r *kgo.Record) { r.Key = []byte("z") },
		"null key":        func(r *kgo.Record) { r.Key = nil },
		"value":           func(r *kgo.Record) { r.Value = []byte(`{"seq":4}`) },
		"null value":      func(r *kgo.Record) { r.Value = nil },
		"empty value":     func(r *kgo.Record) { r.Value = []byte{} },
		"header more":     func(r *kgo.Record) { r.Headers = append(id, kgo.RecordHeader{Key: "x"}) },
		"header twice":    func(r *kgo.Record) { r.Headers = append(id, id...) },
		"header renamed":  func(r *kgo.Record) { r.Headers = append(id, kgo.RecordHeader{Key: "ID", Value: []byte("c4")}) },
		"headers swapped": func(r *kgo.Record) { r.Headers = append([]kgo.RecordHeader{{Key: "x"}}, id...) },
	} {
		t.Run(name, func(t *testing.T) {
			records := log(right)
			damage(records[len(records)-1])
			if got := judge(committed(), records); got.Corrupted != 1 || got.OK() {
				t.Error(got)
			}
		})
	}
	records := log(right)
	records[len(records)-1].Headers = nil
	if got := judge(committed(), records); got.Invented != 1 || got.Lost != 1 {
		t.Errorf("a record without id: %s", got)
	}
}

func TestVerifierTellsNullFromEmpty(t *testing.T) {
	header := []kgo.RecordHeader{{Key: "id", Value: []byte("1")}, {Key: "note"}}
	for _, c := range []struct {
		event, record []byte
		fault         int
	}{{nil, nil, 0}, {[]byte{}, []byte{}, 0}, {nil, []byte{}, 1}, {[]byte{}, nil, 1}} {
		event := Event{ID: "1", Topic: testTopic, Key: c.event, Value: c.event, Headers: header}
		record := &kgo.Record{Topic: testTopic, Key: c.record, Value: c.record, Headers: header}
		if got := judge([]Event{event}, []*kgo.Record{record}); got.Corrupted != c.fault {
			t.Errorf("committed %#v, in Kafka %#v: %s", c.event, c.record, got)
		}
	}
	empty := []kgo.RecordHeader{header[0], {Key: "note", Value: []byte{}}}
	if got := judge([]Event{{ID: "1", Topic: testTopic, Headers: header}}, []*kgo.Record{{Topic: testTopic, Headers: empty}}); got.Corrupted != 1 {
		t.Errorf("an empty header instead of null: %s", got)
	}
}

func TestVerifierFindsMovedKeys(t *testing.T) {
	records := log(right)
	for _, r := range records {
		if string(r.Key) == "b" && r.Offset > 5 {
			r.Partition = 7
		}
	}
	if got := judge(committed(), records); got.Moved != 1 || got.OK() || got.Disorder != 0 {
		t.Error(got)
	}
}

func TestVerifierRefusesIDsTwice(t *testing.T) {
	events := committed()
	if got := judge(append(events, events[0]), log(right)); got.OK() {
		t.Error("a truth with the same event twice is accepted")
	}
}

// TestVerifierAcceptsRestarts is the model: a log made of runs, each from an
// earlier place on, is right; with one late write of an old event it is not.
func TestVerifierAcceptsRestarts(t *testing.T) {
	for range 200 {
		var ids []string
		for next := 0; next < 5; {
			end := next + 1 + rand.IntN(5-next)
			for n := next; n < end; n++ {
				ids = append(ids, fmt.Sprintf("a%d", n))
			}
			if next = end; next < 5 {
				next = rand.IntN(next + 1)
			}
		}
		text := strings.Join(ids, " ")
		if got := judge(committed(), log(text+rest("a"))); !got.OK() {
			t.Fatalf("%s: %s", text, got)
		}
		stale := text + fmt.Sprintf(" a%d", rand.IntN(4))
		if got := judge(committed(), log(stale+rest("a"))); got.OK() {
			t.Fatalf("%s is accepted: %s", stale, got)
		}
	}
}
