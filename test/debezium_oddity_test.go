package test_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

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
		if err := r.execute(t, r.input); err != nil {
			t.Fatalf("input.sql: %v", err)
		}
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

// halts is for configurations that walrelay finds to be wrong only at a row: it
// stops there with exit code 4 and these words, and with the file mended (the first
// text replaced by the second, and so on), or imported anew with the arguments given,
// the row and those behind it follow.
func halts(instead string, words, mend []string, rows ...recorded) *oddity {
	return &oddity{instead, func(t *testing.T, r *debeziumRun) {
		e := r.play(t)
		if !e.ready || e.confirmed || e.code != 4 {
			t.Fatalf("it does not stop with exit code 4:\n%s", e)
		}
		mustSay(t, e.said, words...)
		if strings.HasPrefix(mend[0], "--") {
			if code, said := r.importFile(t, append([]string{"--force"}, mend...)...); code != 0 {
				t.Fatalf("import-debezium with %q ends with %d:\n%s", mend, code, said)
			}
		} else {
			r.mend(t, mend)
		}
		r.again(t)
		r.same(t, r.with(rows), r.records(t))
	}}
}

// mend replaces texts in walrelay.yaml, given in pairs.
func (r *debeziumRun) mend(t *testing.T, pairs []string) {
	t.Helper()
	text, err := os.ReadFile(r.yaml)
	if err != nil {
		t.Fatal(err)
	}
	mended := strings.NewReplacer(pairs...).Replace(string(text))
	if mended == string(text) {
		t.Fatalf("walrelay.yaml has nothing of %q", pairs)
	}
	if err := os.WriteFile(r.yaml, []byte(mended), 0o600); err != nil {
		t.Fatal(err)
	}
}

// again starts the relay anew and lets it come to the end.
func (r *debeziumRun) again(t *testing.T, env ...string) {
	t.Helper()
	p := r.start(t, env...)
	if !r.begin(t, p) {
		t.Fatalf("it does not start again:\n%s", p.Output())
	}
	if confirmed, code := r.end(t, p); !confirmed || code != 0 {
		t.Fatalf("started again it ends with %d before all is confirmed:\n%s", code, p.Output())
	}
}

// writes is delivers for records too long for the table: they lie as walrelay
// writes them in debezium/instead, which -update writes anew, for a human to read. words
// are what import-debezium has to say about it.
func writes(instead string, words ...string) *oddity {
	return &oddity{instead, func(t *testing.T, r *debeziumRun) {
		file := filepath.Join("debezium", "instead", r.name+".jsonl")
		e := r.play(t)
		if *update && e.code == 0 {
			if err := os.WriteFile(file, recordLines(t, e.records), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := loadRecords(file)
		if err != nil {
			t.Fatal(err)
		}
		r.identical(t, e, want)
		mustSay(t, r.said, words...)
	}}
}

// recordLines are records in the format of records.jsonl. A timestamp of today is
// the commit time.
func recordLines(t *testing.T, records []*kgo.Record) []byte {
	t.Helper()
	type line struct {
		Topic     string           `json:"topic"`
		Partition int32            `json:"partition"`
		Offset    int64            `json:"offset"`
		Key       []byte           `json:"key"`
		KeyText   string           `json:"key_text,omitempty"`
		Value     []byte           `json:"value"`
		ValueText string           `json:"value_text,omitempty"`
		Headers   []map[string]any `json:"headers"`
		Timestamp int64            `json:"timestamp"`
		Type      string           `json:"timestamp_type"`
		Varies    []string         `json:"varies,omitempty"`
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for i, r := range records {
		l := line{
			Topic: r.Topic, Partition: r.Partition, Offset: int64(i), Key: r.Key, KeyText: string(r.Key), Value: r.Value, ValueText: string(r.Value),
			Headers: []map[string]any{}, Type: "CreateTime",
		}
		if time.Since(r.Timestamp).Abs() < time.Hour {
			l.Varies = []string{"timestamp"}
		} else {
			l.Timestamp = r.Timestamp.UnixMilli()
		}
		for _, h := range r.Headers {
			l.Headers = append(l.Headers, map[string]any{"name": h.Key, "value": h.Value, "text": string(h.Value)})
		}
		if err := encoder.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// stops is for rows that are poison, by their reason: the relay stops before the
// first of them with exit code 4. Started again with on_poison: dead-letter it
// brings these ids to the dead-letter topic and all others, among them the rows
// that Debezium did not get to, to where they belong.
func stops(instead, reason string, ids []string, rows ...recorded) *oddity {
	return stopsAt(ids[0], instead, reason, ids, rows...)
}

// stopsAt is stops where it is another row that the relay stops at first.
func stopsAt(stop, instead, reason string, ids []string, rows ...recorded) *oddity {
	return &oddity{instead, func(t *testing.T, r *debeziumRun) {
		e := r.play(t)
		if !e.ready || e.confirmed || e.code != 4 {
			t.Fatalf("it does not stop with exit code 4:\n%s", e)
		}
		mustSay(t, e.said, "on_poison", stop)
		const dead = "fx.dead"
		r.again(t, "WALRELAY_ON_POISON=dead-letter", "WALRELAY_DEAD_LETTER_TOPIC="+dead)
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
	if len(rows) == 0 {
		rows = r.rest(t, records)
	}
	r.same(t, r.with(rows), records)
	all = slices.Sorted(slices.Values(append(all, letters...)))
	if rows := r.rows(t); !slices.Equal(all, rows) {
		t.Errorf("the table has the rows %q, Kafka %q", rows, all)
	}
}

// rest are the records that walrelay writes beside Debezium's, from the file in
// debezium/instead if there is one.
func (r *debeziumRun) rest(t *testing.T, records []*kgo.Record) []recorded {
	t.Helper()
	file := filepath.Join("debezium", "instead", r.name+".jsonl")
	if *update {
		more := slices.DeleteFunc(slices.Clone(records), func(record *kgo.Record) bool {
			return slices.ContainsFunc(r.wrote, func(w recorded) bool { return identity(&w) == eventID(record) })
		})
		if len(more) == 0 {
			return nil
		}
		if err := os.WriteFile(file, recordLines(t, more), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := loadRecords(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].Offset += 1 << 30 // behind Debezium's
	}
	return rows
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
