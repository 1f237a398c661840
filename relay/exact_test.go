package relay

import (
	"errors"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/replication"
)

// TestJudge: a start goes on from a watermark only in the history that it is from.
func TestJudge(t *testing.T) {
	running := replication.ExactlyOnce{State: replication.ExactlyOnceRunning}
	second := replication.ExactlyOnce{State: replication.ExactlyOnceNever, Generation: 1}
	left := func(lsn replication.LSN) func(int32) (replication.LSN, error) {
		return func(int32) (replication.LSN, error) { return lsn, nil }
	}
	at := func(timeline int32, lsn replication.LSN) *watermark {
		return &watermark{System: "1", Timeline: timeline, Slot: "s", LSN: lsn}
	}
	for _, c := range []struct {
		name string
		w    *watermark
		h    history
		want replication.LSN // of the watermark to go on from, 0 for the beginning
		gap  string
	}{
		{"first start", nil, history{timeline: 1, marker: replication.ExactlyOnce{State: replication.ExactlyOnceNever}}, 0, ""},
		{"broken off before the first commit", nil, history{timeline: 1, marker: replication.ExactlyOnce{State: replication.ExactlyOnceBeginning}}, 0, ""},
		{"broken off after it", at(1, 5), history{timeline: 1, flushed: 9, marker: replication.ExactlyOnce{State: replication.ExactlyOnceBeginning}}, 5, ""},
		{"goes on", at(1, 5), history{timeline: 1, flushed: 9, marker: running}, 5, ""},
		{"topic deleted", nil, history{timeline: 1, marker: running}, 0, "holds no watermark of it any more"},
		{"database from before", at(1, 5), history{timeline: 1, flushed: 9, marker: replication.ExactlyOnce{State: replication.ExactlyOnceNever}}, 0, "does not know that it ever ran"},
		{"accepted", at(1, 5), history{timeline: 1, flushed: 9, marker: second}, 0, ""},
		{"database from before the acceptance", &watermark{Timeline: 1, LSN: 5, Generation: 1}, history{timeline: 1, flushed: 9, marker: running}, 0, "put back"},
		{"put back", at(1, 10), history{timeline: 1, flushed: 9, marker: running}, 0, "put back to an earlier state"},
		{"failover that has it all", at(1, 5), history{timeline: 2, flushed: 9, marker: running, switched: left(5)}, 5, ""},
		{"failover that lacks some", at(1, 6), history{timeline: 2, flushed: 9, marker: running, switched: left(5)}, 0, "failover or restore"},
		{"older timeline", at(2, 5), history{timeline: 1, flushed: 9, marker: running}, 0, "put back"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := judge(c.w, c.h, "s", "marks")
			var gap *replication.GapError
			switch {
			case c.gap != "" && (!errors.As(err, &gap) || !strings.Contains(err.Error(), c.gap) || !strings.Contains(err.Error(), "--accept-gap")):
				t.Errorf("want a gap with %q, got %v", c.gap, err)
			case c.gap == "" && err != nil:
				t.Error(err)
			case c.gap == "" && (got == nil) != (c.want == 0), got != nil && got.LSN != c.want:
				t.Errorf("goes on from %+v, want %s", got, c.want)
			}
		})
	}
}

// TestWatermark: what is written is read, and nothing else is taken for one.
func TestWatermark(t *testing.T) {
	w := watermark{System: "7", Timeline: 3, Slot: "s", LSN: 0x16B3748, XID: 9, Index: -1, Generation: 2}
	rec, err := w.record("marks")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseWatermark(rec.Value)
	if w.Text = "0/16B3748"; err != nil || *got != w || string(rec.Key) != "7/s" || rec.Partition != 0 {
		t.Errorf("%s %s: %+v, %v", rec.Key, rec.Value, got, err)
	}
	for _, bad := range []string{"", "{", `{"lsn":"x"}`, `{"lsn":"0/0"}`, `[]`} {
		if got, err := parseWatermark([]byte(bad)); err == nil {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}
