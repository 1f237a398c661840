package relay

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/replication"
)

const mib = int64(1 << 20)

// slotAt is a look at a slot that holds back so many MiB; limit 0 means none.
func slotAt(retained, limit int64, status string) *replication.SlotState {
	s := &replication.SlotState{WALStatus: status, RetainedBytes: retained * mib}
	if limit > 0 {
		limit *= mib
		s.LimitBytes = &limit
	}
	return s
}

// TestGuard_fullIn: the time to full follows the growth of what stays retained, not
// the steps in which the slot gives WAL back.
func TestGuard_fullIn(t *testing.T) {
	for name, c := range map[string]struct {
		retained func(second int) int64 // MiB
		limit    int64
		want     float64 // seconds, 0 for none
	}{
		"growing":   {func(s int) int64 { return int64(s) }, 1000, 880},
		"constant":  {func(int) int64 { return 500 }, 1000, 0},
		"shrinking": {func(s int) int64 { return int64(500 - s) }, 1000, 0},
		"sawtooth":  {func(s int) int64 { return int64(16 + s%16) }, 1000, 0},
		"no limit":  {func(s int) int64 { return int64(s) }, 0, 0},
		"full":      {func(s int) int64 { return int64(2000 + s) }, 1000, 0.001},
	} {
		t.Run(name, func(t *testing.T) {
			var g guard
			var got *float64
			now := time.Unix(1000, 0)
			for second := 0; second <= 120; second += 2 {
				got, _ = g.look(slotAt(c.retained(second), c.limit, "reserved"), now.Add(time.Duration(second)*time.Second))
				if second < 20 && got != nil {
					t.Fatalf("a guess after %d seconds: %g", second, *got)
				}
			}
			switch {
			case (c.want == 0) != (got == nil):
				t.Fatalf("got %v, want %g", got, c.want)
			case got != nil && (*got < c.want*0.9-0.001 || *got > c.want*1.1):
				t.Errorf("full in %g s, want about %g", *got, c.want)
			}
		})
	}
}

// TestGuard_say: one line a step up, none while it stays, and one when it is over.
func TestGuard_say(t *testing.T) {
	var out strings.Builder
	log := zerolog.New(&out)
	var g guard
	for i, step := range []struct {
		slot *replication.SlotState
		want string // in the log, "" for silence
	}{
		{slotAt(100, 1000, "reserved"), ""},
		{slotAt(500, 1000, "extended"), "holds back much WAL"},
		{slotAt(700, 1000, "extended"), ""},
		{slotAt(800, 1000, "extended"), `"limit":"1000.0 MiB"`},
		{slotAt(990, 1000, "unreserved"), "about to be lost"},
		{slotAt(990, 1000, "unreserved"), ""},
		{slotAt(100, 1000, "reserved"), "less WAL again"},
		{slotAt(100, 1000, "reserved"), ""},
		{slotAt(510, 1000, "reserved"), "holds back much WAL"},
		{slotAt(490, 1000, "reserved"), ""}, // around a mark it does not begin again
		{slotAt(510, 1000, "reserved"), ""},
		{slotAt(0, 1000, "lost"), ""}, // the gap says it
		{slotAt(8<<10, 0, "reserved"), "the primary's disk is the limit"},
		{slotAt(15<<10, 0, "reserved"), ""},
		{slotAt(16<<10, 0, "reserved"), "16.0 GiB"},
		{slotAt(16<<10, 20<<10, "reserved"), `"limit":"20.0 GiB"`}, // another limit, another measure
	} {
		out.Reset()
		g.say(&log, "s", step.slot, nil)
		switch {
		case step.want == "" && out.Len() > 0:
			t.Errorf("step %d: not silent: %s", i, out.String())
		case !strings.Contains(out.String(), step.want):
			t.Errorf("step %d: want %q, got %q", i, step.want, out.String())
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1 << 20: "1.0 MiB", 50 << 30: "50.0 GiB", 1 << 62: "4.0 EiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
