package test_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
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
	if e.ready {
		if err := r.execute(t, r.input); err != nil {
			t.Logf("input.sql ends early, as it did when it was recorded: %v", err)
		}
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
	case r.failed || r.unstable != "" && !r.addresses():
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

// sortRecords puts records in the order of topic, partition and offset.
func sortRecords(records []*kgo.Record) {
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
}
