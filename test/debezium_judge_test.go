package test_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// ending is how a case went.
type ending struct {
	imported  bool // import-debezium took the file
	ready     bool // the relay was, so that the input was written beneath it
	confirmed bool // the slot confirms all of the input
	code      int  // of the last process: import-debezium's or the relay's
	said      string
	records   []*kgo.Record
}

func (e ending) String() string {
	text := fmt.Sprintf("imported %t, ready %t, all confirmed %t, exit code %d", e.imported, e.ready, e.confirmed, e.code)
	for _, r := range e.records {
		text += "\n    " + describeRecord(r)
	}
	return text + "\n    it said last: " + e.lastWords()
}

// lastWords is the error that the program ended with, or its last line.
func (e ending) lastWords() string {
	lines := strings.Split(strings.TrimSpace(e.said), "\n")
	last := lines[len(lines)-1]
	var line struct{ Error, Message string }
	if json.Unmarshal([]byte(last), &line) == nil {
		return cmp.Or(line.Error, line.Message)
	}
	return last
}

// play runs the case from its beginning to its end.
func (r *debeziumRun) play(t *testing.T) (e ending) {
	t.Helper()
	if e.code, e.said = r.prepare(t); e.code != 0 {
		return e
	}
	e.imported = true
	p := r.start(t)
	e.ready = r.begin(t, p)
	if !e.ready {
		e.code = p.Wait(t, soon)
	}
	if e.ready || e.code == 0 { // with snapshot.mode only its work is done
		r.execute(t, r.input)
	}
	if e.ready {
		e.confirmed, e.code = r.end(t, p)
	}
	e.said, e.records = p.Output(), r.records(t)
	return e
}

// end lets the relay finish and stops it.
func (r *debeziumRun) end(t *testing.T, p *harness.Process) (confirmed bool, code int) {
	t.Helper()
	if confirmed = r.finish(t, p); confirmed {
		p.Terminate()
	}
	return confirmed, p.Wait(t, soon)
}

// judge runs the case and judges it: by what is odd about it, or else by
// Debezium's records.
func (r *debeziumRun) judge(t *testing.T, o *oddity) {
	switch {
	case o != nil:
		o.judge(t, r)
	case r.failed || r.unstable != "":
		t.Errorf("Debezium failed in this case or left something to chance, so debezium_odd_test.go has to say what walrelay does instead; it did:\n%s", r.play(t))
	default:
		r.identical(t, r.play(t), r.wrote)
	}
	if text, err := os.ReadFile(r.yaml); err == nil && t.Failed() {
		t.Logf("walrelay.yaml:\n%s", text)
	}
}

// identical demands a run without any trouble, and exactly these records.
func (r *debeziumRun) identical(t *testing.T, e ending, want []recorded) {
	t.Helper()
	if !e.imported || e.code != 0 {
		t.Fatalf("walrelay did not get through:\n%s", e)
	}
	r.same(t, want, e.records)
}

// same compares what is in Kafka with the records that have to be there.
func (r *debeziumRun) same(t *testing.T, want []recorded, got []*kgo.Record) {
	t.Helper()
	if lines := differences(want, got, r.from, r.clock(t)); len(lines) > 0 {
		t.Errorf("%s (%s) is not what Debezium wrote:\n%s", r.name, r.note, strings.Join(lines, "\n"))
	}
}

// oddity is a case that cannot, or should not, come out as in Debezium.
type oddity struct {
	instead string // what walrelay does, for the documentation
	judge   func(*testing.T, *debeziumRun)
}

// omits is for records of Debezium's own beside those of the outbox: they are not
// there, and the outbox's are as they were.
func omits(topic, instead string) *oddity {
	return &oddity{instead, func(t *testing.T, r *debeziumRun) {
		events := slices.DeleteFunc(slices.Clone(r.wrote), func(w recorded) bool { return w.Topic == topic })
		if len(events) == len(r.wrote) {
			t.Errorf("no record of Debezium's is in %s: the case belongs among the ordinary ones", topic)
		}
		for i := range events {
			if topic == heartbeats { // there "varies" is about the heartbeats
				events[i].Varies = []string{"timestamp"}
			}
		}
		r.identical(t, r.play(t), events)
	}}
}

// heartbeats is the topic of Debezium's heartbeats.
const heartbeats = "__debezium-heartbeat.fx"

// refuses is for configurations that walrelay does not start with: with which
// words, by import-debezium or by run. Nothing is written to Kafka, and a slot
// that is there confirms nothing.
func refuses(instead string, words ...string) *oddity {
	return &oddity{instead, func(t *testing.T, r *debeziumRun) {
		e := r.play(t)
		if e.ready || e.code != 3 || len(e.records) > 0 {
			t.Fatalf("it is not refused with exit code 3:\n%s", e)
		}
		mustSay(t, e.said, words...)
		before := r.confirmed(t)
		r.execute(t, r.input)
		if after := r.confirmed(t); after != before {
			t.Errorf("the slot went from %d to %d without a relay", before, after)
		}
	}}
}

// delivers is for rows that Debezium failed on, or leaves to chance, and that
// walrelay brings to Kafka: exactly Debezium's records, less those of the same
// ids, and these.
func delivers(instead string, rows ...recorded) *oddity {
	return &oddity{instead, func(t *testing.T, r *debeziumRun) {
		r.identical(t, r.play(t), r.with(rows))
	}}
}

// stops is for rows that are poison, by their reason: the relay stops before the
// first of them with exit code 4. Started again with on_poison: dead-letter it
// brings these ids to the dead-letter topic and all others, among them the rows
// that Debezium did not get to, to where they belong.
func stops(instead, reason string, ids []string, rows ...recorded) *oddity {
	return &oddity{instead, func(t *testing.T, r *debeziumRun) {
		e := r.play(t)
		if !e.ready || e.confirmed || e.code != 4 {
			t.Fatalf("it does not stop with exit code 4:\n%s", e)
		}
		mustSay(t, e.said, "on_poison", ids[0])
		const dead = "fx.dead"
		p := r.start(t, "WALRELAY_ON_POISON=dead-letter", "WALRELAY_DEAD_LETTER_TOPIC="+dead)
		if !r.begin(t, p) {
			t.Fatalf("with a dead-letter topic it does not start:\n%s", p.Output())
		}
		if confirmed, code := r.end(t, p); !confirmed || code != 0 {
			t.Fatalf("with a dead-letter topic it ends with %d before all is confirmed:\n%s", code, p.Output())
		}
		r.parked(t, dead, reason, ids, rows)
	}}
}

// parks is stops for a configuration that the importer gives a dead-letter topic.
func parks(instead, dead, reason string, ids []string, rows ...recorded) *oddity {
	return &oddity{instead, func(t *testing.T, r *debeziumRun) {
		if e := r.play(t); !e.confirmed || e.code != 0 {
			t.Fatalf("walrelay did not get through:\n%s", e)
		}
		r.parked(t, dead, reason, ids, rows)
	}}
}

// parked checks what is in Kafka now: the dead letters, the records, and that no
// row is lost.
func (r *debeziumRun) parked(t *testing.T, dead, reason string, ids []string, rows []recorded) {
	t.Helper()
	var records []*kgo.Record
	var letters, all []string
	for _, record := range r.records(t) {
		why := headers(record)
		if record.Topic != dead {
			records, all = append(records, record), append(all, why["id"])
			continue
		}
		if why["walrelay-dead-letter-reason"] != reason {
			t.Errorf("a dead letter's reason is %q, not %q: %s", why["walrelay-dead-letter-reason"], reason, describeRecord(record))
		}
		letters = append(letters, why["walrelay-dead-letter-event-id"])
	}
	if slices.Sort(letters); !slices.Equal(letters, ids) {
		t.Errorf("dead letters of %q, not of %q", letters, ids)
	}
	r.same(t, r.with(rows), records)
	all = slices.Sorted(slices.Values(append(all, letters...)))
	if rows := r.rows(t); !slices.Equal(all, rows) {
		t.Errorf("the table has the rows %q, Kafka %q", rows, all)
	}
}

// rows are the ids in the outbox, sorted.
func (r *debeziumRun) rows(t *testing.T) (ids []string) {
	t.Helper()
	if err := r.conn.QueryRow(t.Context(), `SELECT array_agg(id::text ORDER BY id::text COLLATE "C") FROM outbox`).Scan(&ids); err != nil {
		t.Fatal(err)
	}
	return ids
}

// with returns Debezium's records with rows instead of those of the same id.
func (r *debeziumRun) with(rows []recorded) []recorded {
	all := slices.DeleteFunc(slices.Clone(r.wrote), func(w recorded) bool {
		return slices.ContainsFunc(rows, func(row recorded) bool { return identity(&row) == identity(&w) })
	})
	return append(all, rows...)
}

// row is a record as the usual outbox of the cases makes it: the header id, the
// partition that the key decides, and the commit time. value nil is null.
func row(id, topic string, key, value []byte, more ...recordedHeader) recorded {
	partition := kgo.StickyKeyPartitioner(nil).ForTopic(topic).Partition(&kgo.Record{Key: key}, partitions)
	return recorded{
		Topic: topic, Partition: int32(partition), Offset: 1 << 30, // behind Debezium's
		Key: content{bytes: key}, Value: content{bytes: value},
		Headers: append([]recordedHeader{{Name: "id", Value: content{bytes: []byte(id)}}}, more...),
		Varies:  []string{"timestamp"},
	}
}

// order is a row of the topic outbox.event.order.
func order(id, key, value string) recorded {
	return row(id, "outbox.event.order", []byte(key), []byte(value))
}

// unordered is for JSON objects whose fields Debezium writes in an order that is
// chance: walrelay writes the same fields with the same values in the order given
// here.
func unordered(instead string, rows ...recorded) *oddity {
	return &oddity{instead, func(t *testing.T, r *debeziumRun) {
		for _, row := range rows {
			at := slices.IndexFunc(r.wrote, func(w recorded) bool { return identity(&w) == identity(&row) })
			if at < 0 || !sameJSON(r.wrote[at].Value.bytes, row.Value.bytes) {
				t.Errorf("%s is not in another order what Debezium wrote", row.Value)
			}
		}
		r.identical(t, r.play(t), r.with(rows))
	}}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// sortRecords puts records in the order of topic, partition and offset.
func sortRecords(records []*kgo.Record) {
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
}
