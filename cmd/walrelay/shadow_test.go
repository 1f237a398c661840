package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/shadow"
)

// shadowResult has something of everything that a report can hold.
func shadowResult() *shadow.Result {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	lengths := []int{27, 28, 0}
	at, partition, offset := 12, int32(3), int64(4711)
	return &shadow.Result{
		Postgres: "walrelay@db:5432/shop", Slot: "walrelay_shadow_1_2", Publication: "dbz", Began: began, Ended: began.Add(10 * time.Minute),
		Topics: []string{"outbox.event.order", "outbox.event.parcel"},
		Counts: shadow.Counts{
			Events: 1210, Records: 1209, Compared: 1200, Agreed: 1198, Differing: 2, ByField: map[string]int{"value": 1, "headers": 2},
			Missing: 3, Only: 1, Refused: 1, Duplicates: 4, Early: 5, Nameless: 6, Waiting: 7, Dropped: 8,
		},
		Differences: []shadow.Difference{
			{Kind: shadow.Differs, ID: "id-1", Topic: "outbox.event.order", Partition: &partition, Offset: &offset, Table: "public.outbox", LSN: "0/16B3748", Fields: []shadow.FieldDifference{
				{Field: "value", At: &at, Kafka: shadow.Side{Bytes: &lengths[0], Hash: "0badcafe"}, Walrelay: shadow.Side{Bytes: &lengths[1], Hash: "deadbeef", Text: `"{\"a\": 1}"`}},
				{Field: "headers", Kafka: shadow.Side{Text: `"id", "type"`}, Walrelay: shadow.Side{}},
			}},
			{Kind: shadow.Differs, ID: "id-2", Topic: "outbox.event.order", Partition: &partition, Offset: &offset, Table: "public.outbox", LSN: "0/16B3748", Fields: []shadow.FieldDifference{
				{Field: "headers", Name: "type", Kafka: shadow.Side{Null: true}, Walrelay: shadow.Side{Bytes: &lengths[2], Hash: "e3b0c442", Text: `""`}},
			}},
			{Kind: shadow.Refused, ID: "id-3", Table: "public.outbox", LSN: "0/16B3748", Reason: "unconvertible: key: no"},
			{Kind: shadow.Missing, ID: "id-4", Topic: "outbox.event.parcel", Table: "public.outbox", LSN: "0/16B3748"},
			{Kind: shadow.Only, ID: "id-5", Topic: "outbox.event.parcel", Partition: &partition, Offset: &offset},
		},
		Notes: []string{"topic x does not exist, or may not be seen"},
	}
}

func TestShadowReport(t *testing.T) {
	for name, edit := range map[string]func(*shadow.Result){
		"shadow_differs.txt": func(*shadow.Result) {},
		"shadow_same.txt": func(r *shadow.Result) {
			r.Counts, r.Differences, r.Notes = shadow.Counts{Events: 12, Records: 12, Compared: 12, Agreed: 12}, nil, nil
		},
		"shadow_nothing.txt": func(r *shadow.Result) {
			r.Counts, r.Differences, r.Notes, r.Topics = shadow.Counts{}, nil, nil, nil
		},
		"shadow_broken.txt": func(r *shadow.Result) {
			r.Counts, r.Differences, r.Notes = shadow.Counts{Events: 12, Records: 12, Compared: 12, Agreed: 12}, nil, nil
			r.Broken = "the stream from PostgreSQL has ended, and the temporary slot with it: EOF"
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := shadowResult()
			edit(r)
			var out strings.Builder
			if err := (&app{stdout: &out}).printShadow(r, 4); err != nil {
				t.Fatal(err)
			}
			compare(t, name, out.String())
		})
	}
}

func TestShadowUsage(t *testing.T) {
	quietDir(t)
	for _, args := range [][]string{
		{"--for", "-1s"}, {"--for", "soon"}, {"--wait", "0s"}, {"--limit", "-1"}, {"-o", "xml"}, {"extra"}, {"--unknown"},
	} {
		if got := walrelay(t, nil, append([]string{"shadow"}, args...)...); got.code != exitUsage || got.out != "" {
			t.Errorf("%q: code %d, %s", args, got.code, got.stderr)
		}
	}
	if got := walrelay(t, nil, "shadow"); got.code != exitConfig || !strings.Contains(got.stderr, "kafka.brokers") {
		t.Errorf("without configuration: code %d, %s", got.code, got.stderr)
	}
}

// TestShadowSetup: a server that refuses is a matter of set-up, whatever the reason.
func TestShadowSetup(t *testing.T) {
	quietDir(t)
	address := refusingPostgres(t)
	for _, url := range []string{"postgres://u:p@" + address + "/d", "postgres://u:p@127.0.0.1:1/d"} {
		got := walrelay(t, []string{"WALRELAY_POSTGRES_URL=" + url, "WALRELAY_KAFKA_BROKERS=127.0.0.1:1"}, "shadow")
		if got.code != exitConfig || !strings.Contains(got.stderr, "connect to") {
			t.Errorf("%s: code %d, %s", url, got.code, got.stderr)
		}
	}
}

func TestPayloadHeaders(t *testing.T) {
	for _, test := range []struct {
		headers []string
		column  string
		want    []string
	}{
		{[]string{"id", "type:eventType", "payloads"}, "", nil},
		{[]string{"payload", "payload:body", `"payload"`, `"payload":"raw"`}, "", []string{"payload", "body", "payload", `"raw"`}},
		{[]string{"data:d", "body", "other"}, "data, body", []string{"d", "body"}},
	} {
		if got := payloadHeaders(test.headers, decoding.Columns{Payload: test.column}); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q instead of %q", test.headers, got, test.want)
		}
	}
}

// TestShadowTopics: topics that are known without an event are read from the start.
func TestShadowTopics(t *testing.T) {
	quietDir(t)
	for topic, want := range map[string][]string{"fixed": {"more", "fixed"}, "event.${aggregate_type}": {"more"}} {
		c, err := config.Load(config.Options{Env: []string{"WALRELAY_POSTGRES_URL=postgres://db/shop", "WALRELAY_KAFKA_BROKERS=b:9092", "WALRELAY_ROUTE_TOPIC=" + topic}, Check: checkDetails})
		if err != nil {
			t.Fatal(err)
		}
		sc, err := shadowConfig(c, shadowFlags{topics: []string{"more"}})
		if err != nil || !slices.Equal(sc.Topics, want) {
			t.Errorf("%s: %q, %v", topic, sc.Topics, err)
		}
	}
}

// TestLine: the line of progress is written over, and only on a terminal.
func TestLine(t *testing.T) {
	var stderr strings.Builder
	a := &app{stderr: &stderr}
	l := a.newLine()
	l.progress(shadow.Progress{})
	l.say("one")
	l.terminal = true
	l.progress(shadow.Progress{Counts: shadow.Counts{Events: 3}, Ending: true})
	l.clear()
	l.clear()
	if got := stderr.String(); !strings.HasPrefix(got, "one\n\r\x1b[K3 events") || strings.Count(got, "\x1b[K") != 2 || !strings.HasSuffix(got, "Ctrl-C to wait no longer\r\x1b[K") {
		t.Errorf("%q", got)
	}
}

type refusingWriter struct{}

func (refusingWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestShadowReportFails(t *testing.T) {
	if err := (&app{stdout: refusingWriter{}}).printShadow(shadowResult(), 1); err == nil {
		t.Error("a report that can't be written is no success")
	}
}
