package checkpoint_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/walrelay/walrelay/checkpoint"
	"github.com/walrelay/walrelay/replication"
)

// model is the tracker as slow and as plain as it can be: it keeps everything
// and looks through all of it.
type model struct {
	start   replication.LSN
	acked   []bool
	lsns    []replication.LSN
	numbers []int // events before lsns[i]
}

func (m *model) confirmable() replication.LSN {
	best := m.start
	for i, lsn := range m.lsns {
		all := true
		for _, a := range m.acked[:m.numbers[i]] {
			all = all && a
		}
		if all && lsn > best {
			best = lsn
		}
	}
	return best
}

func (m *model) oldest() (uint64, bool) {
	for i, a := range m.acked {
		if !a {
			return uint64(i), true
		}
	}
	return 0, false
}

// Random interleavings of events, boundaries, acknowledgements and questions
// give what the slow model gives.
func TestTracker_likeTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := replication.LSN(rapid.Uint64Range(1, 1000).Draw(t, "start"))
		tr, m := checkpoint.New(start), &model{start: start}
		last := start
		t.Repeat(map[string]func(*rapid.T){
			"event": func(t *rapid.T) {
				if n := tr.Next(); n != uint64(len(m.acked)) {
					t.Fatalf("number %d, want %d", n, len(m.acked))
				}
				m.acked = append(m.acked, false)
			},
			"boundary": func(t *rapid.T) {
				// Mostly forward; a keepalive may repeat or even trail.
				last += replication.LSN(rapid.IntRange(0, 50).Draw(t, "step"))
				lsn := last - replication.LSN(rapid.SampledFrom([]int{0, 0, 0, 1, 30}).Draw(t, "back"))
				tr.Boundary(lsn)
				if len(m.lsns) == 0 || lsn > m.lsns[len(m.lsns)-1] {
					m.lsns, m.numbers = append(m.lsns, lsn), append(m.numbers, len(m.acked))
				}
			},
			"acknowledge": func(t *rapid.T) {
				if len(m.acked) == 0 {
					t.Skip("nothing to acknowledge")
				}
				m.acked[rapid.IntRange(0, len(m.acked)-1).Draw(t, "which")] = true
			},
			"": func(t *rapid.T) {
				if got, want := tr.Confirmable(m.oldest()), m.confirmable(); got != want {
					t.Fatalf("confirmable %s, want %s", got, want)
				}
			},
		})
	})
}

// A full ring merges boundaries: coarser, never too far, and in the end the
// same.
func TestTracker_mergesWhenFull(t *testing.T) {
	const events = 100_000
	tr := checkpoint.New(1)
	for i := range events {
		tr.Next()
		tr.Boundary(replication.LSN(100 + i))
	}
	for _, oldest := range []uint64{0, 1, 10, 4_000, 50_000, events - 1} {
		got := tr.Confirmable(oldest, true)
		if limit := max(1, replication.LSN(100+oldest)-1); oldest > 0 && got > limit || oldest == 0 && got != 1 {
			t.Errorf("oldest %d: confirmable %s is beyond an unacknowledged event", oldest, got)
		}
	}
	if got, want := tr.Confirmable(0, false), replication.LSN(100+events-1); got != want {
		t.Errorf("all acknowledged: %s, want %s", got, want)
	}
}

// An idle stream confirms keepalives at once; one with an event in flight does
// not.
func TestTracker_keepalive(t *testing.T) {
	tr := checkpoint.New(10)
	tr.Boundary(20)
	if got := tr.Confirmable(0, false); got != 20 {
		t.Fatalf("idle: %s, want 0/14", got)
	}
	n := tr.Next()
	tr.Boundary(30)
	if got := tr.Confirmable(n, true); got != 20 {
		t.Fatalf("event in flight: %s, want 0/14", got)
	}
	if got := tr.Confirmable(0, false); got != 30 {
		t.Fatalf("acknowledged: %s, want 0/1E", got)
	}
}

func BenchmarkTracker(b *testing.B) {
	tr := checkpoint.New(1)
	for i := range b.N {
		n := tr.Next()
		tr.Boundary(replication.LSN(i + 2))
		tr.Confirmable(n, true)
	}
}
