package relay

import (
	"errors"
	"testing"
	"time"

	"github.com/walrelay/walrelay/checkpoint"
	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
)

// What is skipped as delivered is confirmed only once the last delivered event
// has come again; a server that goes on without it has another history.
func TestResume(t *testing.T) {
	insert := func(s *session, commit replication.LSN, index int) error {
		s.msg.Event = decoding.Event{CommitLSN: commit, Index: index}
		return s.event()
	}
	fresh := func() *session {
		return &session{tracker: checkpoint.New(100), resume: resume{lsn: 200, index: 1}}
	}
	t.Run("same history", func(t *testing.T) {
		s := fresh()
		if err := errors.Join(insert(s, 150, 0), s.boundary(160)); err != nil {
			t.Fatal(err)
		}
		if got := s.tracker.Confirmable(0, false); got != 100 {
			t.Errorf("confirmable %s before the last delivered event was met, want 0/64", got)
		}
		if err := errors.Join(insert(s, 200, 0), insert(s, 200, 1), s.boundary(210)); err != nil {
			t.Fatal(err)
		}
		if got := s.tracker.Confirmable(0, false); got != 210 || s.skipped != 3 {
			t.Errorf("confirmable %s, skipped %d, want 0/D2 and 3", got, s.skipped)
		}
	})
	t.Run("another transaction at its LSN", func(t *testing.T) {
		s := fresh()
		s.resume.xid, s.resume.committed = 7, time.UnixMicro(1000)
		s.msg.Event = decoding.Event{CommitLSN: 200, Index: 1, XID: 7, CommitTime: time.UnixMicro(1001)}
		if err := s.event(); !errors.Is(err, errRewound) {
			t.Errorf("got %v, want errRewound", err)
		}
	})
	t.Run("another event follows", func(t *testing.T) {
		s := fresh()
		if err := insert(s, 150, 0); err != nil {
			t.Fatal(err)
		}
		if err := insert(s, 201, 0); !errors.Is(err, errRewound) {
			t.Errorf("got %v, want errRewound", err)
		}
	})
	t.Run("a position beyond it follows", func(t *testing.T) {
		s := fresh()
		if err := insert(s, 150, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.boundary(201); !errors.Is(err, errRewound) {
			t.Errorf("got %v, want errRewound", err)
		}
	})
	t.Run("nothing to skip", func(t *testing.T) {
		s := fresh()
		if err := s.boundary(300); err != nil || s.tracker.Confirmable(0, false) != 300 {
			t.Errorf("got %v, confirmable %s, want 0/12C", err, s.tracker.Confirmable(0, false))
		}
	})
}
