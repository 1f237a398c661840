package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/checkpoint"
	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
)

// TestJudge: a start goes on from a watermark only in the history that it is from.
func TestJudge(t *testing.T) {
	running := replication.ExactlyOnce{State: replication.ExactlyOnceRunning}
	second := replication.ExactlyOnce{State: replication.ExactlyOnceNever, Generation: 1}
	left := func(lsn replication.LSN) func(int32) (replication.LSN, error) {
		return func(int32) (replication.LSN, error) { return lsn, nil }
	}
	stranger := func(int32) (replication.LSN, error) {
		return 0, fmt.Errorf("timeline 2: %w", replication.ErrNoAncestor)
	}
	at := func(timeline int32, lsn replication.LSN) *watermark {
		return &watermark{System: "1", Timeline: timeline, Slot: "s", LSN: lsn, XID: 7}
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
		{"database from before the acceptance", &watermark{Timeline: 1, LSN: 5, XID: 7, Generation: 1}, history{timeline: 1, flushed: 9, marker: running}, 0, "put back"},
		{"put back", at(1, 10), history{timeline: 1, flushed: 9, marker: running}, 0, "put back to an earlier state"},
		{"put back to where the commit record would begin", at(1, 9), history{timeline: 1, flushed: 9, marker: running}, 0, "put back to an earlier state"},
		{"failover that has it all", at(1, 5), history{timeline: 2, flushed: 9, marker: running, switched: left(6)}, 5, ""},
		{"failover that lacks some", at(1, 6), history{timeline: 2, flushed: 9, marker: running, switched: left(5)}, 0, "failover or restore"},
		{"failover that lacks the commit record", at(1, 5), history{timeline: 2, flushed: 9, marker: running, switched: left(5)}, 0, "failover or restore"},
		{"on a timeline that the server was never on", at(2, 5), history{timeline: 3, flushed: 9, marker: running, switched: stranger}, 0, "has never been on that"},
		{"older timeline", at(2, 5), history{timeline: 1, flushed: 9, marker: running}, 0, "put back"},
		{"canaries only", &watermark{Timeline: 1, LSN: 10, Index: -1}, history{timeline: 1, flushed: 9, marker: running}, 0, ""},
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

// TestWatermarkComesAgain: what the slot sends again has to hold the watermark's own
// transaction, known by LSN, xid and commit time. What is in its place instead, on a
// server that was restored and has grown since, is neither left out nor confirmed.
func TestWatermarkComesAgain(t *testing.T) {
	const from, end = 100, 210
	mark := watermark{System: "1", Timeline: 1, LSN: 200, XID: 7, Index: 1, Committed: time.UnixMicro(1000), Publication: "p"}
	begin := func(lsn replication.LSN, xid uint32, committed int64) func(*session) error {
		return func(s *session) error {
			s.inTransaction = true
			s.msg.Begin = decoding.Begin{FinalLSN: lsn, XID: xid, CommitTime: time.UnixMicro(committed)}
			return s.begun()
		}
	}
	boundary := func(lsn replication.LSN) func(*session) error {
		return func(s *session) error {
			s.inTransaction = false
			return s.exactBoundary(lsn)
		}
	}
	for _, c := range []struct {
		name        string
		from        replication.LSN // the slot's position
		publication string
		before      []func(*session) error // the watermark is read
		after       []func(*session) error
		gap         string
		confirmable replication.LSN
	}{
		{"itself", from, "p", nil, []func(*session) error{begin(150, 6, 900), boundary(160), begin(200, 7, 1000), boundary(end)}, "", end},
		{"itself, waiting", from, "p", []func(*session) error{boundary(90), begin(200, 7, 1000)}, []func(*session) error{boundary(end)}, "", end},
		{"the slot stands there", 200, "p", nil, []func(*session) error{begin(200, 7, 1000), boundary(end)}, "", end},
		{"before it was met", from, "p", nil, []func(*session) error{begin(150, 6, 900), boundary(160), boundary(200)}, "", from},
		{"another xid", from, "p", nil, []func(*session) error{begin(200, 8, 1000)}, "its history is another one", from},
		{"another commit time", from, "p", nil, []func(*session) error{begin(200, 7, 1001)}, "its history is another one", from},
		{"another commit time, waiting", from, "p", []func(*session) error{begin(200, 7, 1001)}, nil, "its history is another one", from},
		{"one behind it", from, "p", nil, []func(*session) error{begin(201, 7, 1000)}, "its history is another one", from},
		{"one behind it after others", from, "p", nil, []func(*session) error{begin(150, 6, 900), boundary(160), begin(201, 8, 1001)}, "its history is another one", from},
		{"a position behind it", from, "p", nil, []func(*session) error{boundary(201)}, "its history is another one", from},
		{"a position behind it, waiting", from, "p", []func(*session) error{boundary(300)}, []func(*session) error{boundary(300)}, "its history is another one", from},
		{"the slot is behind it", 201, "p", []func(*session) error{boundary(250)}, nil, "", 250},
		{"the slot is behind it, in an event", 201, "p", []func(*session) error{begin(260, 9, 2000)}, []func(*session) error{boundary(270)}, "", 270},
		{"counted with another publication", from, "q", nil, nil, "name the former publication", from},
		{"another publication behind it", 201, "q", nil, []func(*session) error{boundary(250)}, "", 250},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Relay{cfg: Config{Watermark: "marks", Replication: replication.Config{Slot: "s", Publication: c.publication}}, log: zerolog.Nop()}
			s := &session{r: r, tracker: checkpoint.New(c.from), exact: &exactly{reading: &watermarkReader{}, from: c.from}}
			s.history = history{timeline: 1, flushed: 1000, marker: replication.ExactlyOnce{State: replication.ExactlyOnceRunning}}
			read := func(s *session) error {
				if ok, err := s.known(); ok || err != nil {
					t.Errorf("known before it was read: %v", err)
				}
				m := mark
				s.exact.reading.found, s.exact.reading.done = &m, true
				_, err := s.known()
				return err
			}
			var err error
			for _, step := range slices.Concat(c.before, []func(*session) error{read}, c.after) {
				if err == nil {
					err = step(s)
				}
			}
			var gap *replication.GapError
			switch {
			case c.gap == "" && err != nil:
				t.Error(err)
			case c.gap != "" && (!errors.As(err, &gap) || !strings.Contains(err.Error(), c.gap)):
				t.Errorf("want a gap with %q, got %v", c.gap, err)
			}
			if got := s.tracker.Confirmable(0, false); got != max(c.confirmable, c.from) {
				t.Errorf("confirmable %s, want %s", got, c.confirmable)
			}
		})
	}
}

// TestWatermark: what is written is read, and nothing else is taken for one.
func TestWatermark(t *testing.T) {
	w := watermark{System: "7", Timeline: 3, Slot: "s", LSN: 0x16B3748, XID: 9, Committed: time.UnixMicro(1_790_000_000_123_456).UTC(), Index: -1, Publication: "p", Generation: 2}
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
