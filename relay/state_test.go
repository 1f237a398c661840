package relay

import (
	"strings"
	"testing"
)

// TestState_log: while the relay is blocked the log gets each kind of reason once, and
// anew when it is blocked again.
func TestState_log(t *testing.T) {
	r, log := unconnected(t)
	away := Reason{Code: "kafka", Error: codeNoLeader, Message: "the partition has no leader"}
	silent := Reason{Code: "kafka", Error: codeUnacknowledged, Message: "no acknowledgement for 3s"}
	for i, step := range []struct {
		state   State
		reasons []Reason
		says    []string // of the new lines
	}{
		{StateBlocked, []Reason{away}, []string{"state changed", "the partition has no leader", `"warn"`}},
		{StateBlocked, []Reason{away}, nil},
		{StateBlocked, []Reason{away, silent}, []string{"for another reason", "no acknowledgement", `"warn"`}},
		{StateBlocked, []Reason{silent}, nil},
		{StateBlocked, []Reason{away}, nil},
		{StateStreaming, nil, []string{"state changed", `"debug"`}},
		{StateBlocked, []Reason{silent}, []string{"state changed", "no acknowledgement"}},
	} {
		log.Reset()
		r.setWaiting(step.state, step.reasons...)
		said := log.String()
		if (said == "") != (step.says == nil) || strings.Count(said, "\n") > 1 {
			t.Errorf("step %d: the log has %q, and it should have %q", i, said, step.says)
		}
		for _, text := range step.says {
			if !strings.Contains(said, text) {
				t.Errorf("step %d: no %q in %q", i, text, said)
			}
		}
	}
}
