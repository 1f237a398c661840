package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func record(tag uint64, seq int, key string, partition int32) *kgo.Record {
	return &kgo.Record{
		Key: []byte(key), Partition: partition,
		Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(eventID(tag, seq))}},
	}
}

func TestChecker(t *testing.T) {
	const tag = 0x1234_5678_9abc_def0
	tests := []struct {
		name    string
		events  int
		records []*kgo.Record
		want    verdict
	}{
		{"OK", 3, []*kgo.Record{record(tag, 0, "a", 0), record(tag, 1, "b", 1), record(tag, 2, "a", 0)},
			verdict{Records: 3, Distinct: 3}},
		{"Empty", 2, nil,
			verdict{Lost: 2}},
		// The count of records is right, the events are not.
		{"LostAndDuplicated", 2, []*kgo.Record{record(tag, 0, "a", 0), record(tag, 0, "a", 0)},
			verdict{Records: 2, Distinct: 1, Lost: 1, Duplicates: 1}},
		{"OutOfOrder", 3, []*kgo.Record{record(tag, 2, "a", 0), record(tag, 0, "a", 0), record(tag, 1, "b", 0)},
			verdict{Records: 3, Distinct: 3, OutOfOrder: 1}},
		{"Moved", 2, []*kgo.Record{record(tag, 0, "a", 0), record(tag, 1, "a", 3)},
			verdict{Records: 2, Distinct: 2, Moved: 1}},
		{"Foreign", 1, []*kgo.Record{record(tag, 0, "a", 0), record(tag+1, 0, "a", 0), record(tag, 1, "a", 0), {Key: []byte("a")}},
			verdict{Records: 4, Distinct: 1, Foreign: 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newChecker(tag, tt.events)
			for _, r := range tt.records {
				c.record(r)
			}
			if got := c.verdict(); got != tt.want {
				t.Errorf("verdict %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestPercentiles(t *testing.T) {
	var d []time.Duration
	for i := 1000; i > 0; i-- {
		d = append(d, time.Duration(i))
	}
	want := percentiles{P50: 500, P99: 990, P999: 999, Max: 1000}
	if got := newPercentiles(d); got != want {
		t.Errorf("of 1 to 1000: %+v, want %+v", got, want)
	}
	if got := newPercentiles([]time.Duration{7}); got != (percentiles{7, 7, 7, 7}) {
		t.Errorf("of a single 7: %+v", got)
	}
}

// A slow round of the machine must not look like a slow contender: ratios are
// taken within a round.
func TestSummarizeRatios(t *testing.T) {
	run := func(name string, round int, rate float64, cpu time.Duration) drainRun {
		return drainRun{Contender: name, Round: round, Rate: rate, CPU: cpu}
	}
	failed := drainRun{Contender: "pg_recvlogical", Round: 2, Error: "gone"}
	all := summarize([]drainRun{
		run("pg_recvlogical", 0, 100, 1), run("bareloop", 0, 100, time.Second), run("walrelay", 0, 90, 2*time.Second),
		run("pg_recvlogical", 1, 10, 1), run("bareloop", 1, 10, 3*time.Second), run("walrelay", 1, 9, 6*time.Second),
		failed, run("bareloop", 2, 10, time.Second), run("walrelay", 2, 500, 2*time.Second),
	}, 1000)
	if len(all) != 3 || all[2].Contender != "walrelay" {
		t.Fatalf("summaries %+v", all)
	}
	relay := all[2]
	if relay.ToRecv == nil || *relay.ToRecv != 0.9 || relay.ToLoop == nil || *relay.ToLoop != 2 {
		t.Errorf("ratios %v and %v, want 0.9 and 2", number("%v", relay.ToRecv), number("%v", relay.ToLoop))
	}
	if relay.Rate != 90 || relay.RateMin != 9 || relay.RateMax != 500 || relay.CPU != 2000 {
		t.Errorf("summary %+v", relay)
	}
	if all[0].Error != "gone" || all[0].Rounds != 2 {
		t.Errorf("a failed round is hidden: %+v", all[0])
	}
}

func TestBars(t *testing.T) {
	good := verdict{}
	drain := func(s summary) report {
		return report{Drains: []drainReport{{Name: "drain1", PerTx: 1, Summaries: []summary{s}}}}
	}
	relay := summary{Contender: "walrelay", ToRecv: ptr(0.95), CPU: 10.1, ToLoop: ptr(1.35), Allocs: ptr(0.1), PeakRSS: 48 << 20, Verdict: &good}
	wrong := relay
	wrong.Verdict = &verdict{Lost: 1}
	failed := relay
	failed.Error = "gone"
	tests := []struct {
		name    string
		summary summary
		want    string
	}{
		{"Limits", relay, "ok, miss, ok, miss, ok"},
		{"FastButWrong", wrong, strings.TrimSuffix(strings.Repeat("wrong: lost 1, ", 5), ", ")},
		{"Failed", failed, strings.TrimSuffix(strings.Repeat("not measured, ", 5), ", ")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := drain(tt.summary)
			var got []string
			for _, b := range r.bars() {
				got = append(got, b.Verdict)
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("verdicts %s, want %s", s, tt.want)
			}
		})
	}
}

func TestReportProblems(t *testing.T) {
	r := report{
		Latency: []latencyReport{{Rate: 500, Achieved: 400, Verdict: &verdict{Duplicates: 2}}},
		Memory:  []memoryReport{{Name: "kafka_away", Error: "not measured"}},
	}
	r.finish(options{rounds: 3})
	if len(r.Problems) != 2 || len(r.Notes) != 1 {
		t.Errorf("problems %q, notes %q", r.Problems, r.Notes)
	}
	var tables, data bytes.Buffer
	if err := r.writeTables(&tables); err != nil || !strings.Contains(tables.String(), "duplicates 2") {
		t.Errorf("tables do not name the duplicates: %v\n%s", err, &tables)
	}
	if err := r.writeJSON(&data); err != nil || !json.Valid(data.Bytes()) {
		t.Errorf("JSON: %v\n%s", err, &data)
	}
}

func TestUsage(t *testing.T) {
	tests := []struct{ name, arg, want string }{
		{"UnknownPart", "--only=drain7", `no part "drain7"`},
		{"UnknownContender", "--contenders=debezium", `no contender "debezium"`},
		{"UnevenEvents", "--events=150", "150 is not"},
		{"NoRounds", "--rounds=0", "--rounds: 0"},
		{"Extra", "--extra=x", "want NAME=COMMAND"},
		{"Output", "--output=xml", `"xml" is neither`},
		{"Argument", "drain1", `unexpected argument "drain1"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(context.Background(), []string{tt.arg}, &stdout, &stderr); code != 2 {
				t.Errorf("exit code %d, want 2", code)
			}
			if !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("message %q does not say %q", &stderr, tt.want)
			}
		})
	}
}

// The peak of a child must be its own: a small child of a large parent is small.
func TestChildPeakRSSIsItsOwn(t *testing.T) {
	if vmHWM(os.Getpid()) == 0 {
		t.Skip("NO /proc HERE: peak memory cannot be measured on this system")
	}
	ballast := bytes.Repeat([]byte{1}, 64<<20)
	c, err := startChild(t.Context(), t.TempDir(), "sleeper", []string{"sleep", "60"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.kill()
	deadline := time.Now().Add(10 * time.Second)
	for c.peakRSS.Load() == 0 && time.Now().Before(deadline) {
		c.readRSS()
	}
	if own := vmHWM(os.Getpid()); own < int64(len(ballast)) {
		t.Fatalf("peak of this process %d bytes, want more than its ballast of %d", own, len(ballast))
	}
	if peak := c.peakRSS.Load(); peak == 0 || peak > 32<<20 {
		t.Errorf("peak of the child %d bytes, want its own few MiB", peak)
	}
}
