package replication

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzSwitchPoint: a history file as PostgreSQL writes it gives the position at
// which the timeline ended, whatever stands around that line; anything else is an
// error, no panic.
func FuzzSwitchPoint(f *testing.F) {
	f.Add("1\t0/16B3748\tno recovery target specified\n\n2\t0/5000000\tat restore point \"x\"\n", int32(2), uint32(0), uint32(7))
	f.Add("# comment\n", int32(1), uint32(1), uint32(0))
	f.Add("1 x\n1", int32(1), uint32(1<<31), uint32(1<<31))
	f.Fuzz(func(t *testing.T, text string, of int32, high, low uint32) {
		_, _ = switchPoint([]byte(text), of)
		_, _ = ParseLSN(text)
		want := LSN(uint64(high)<<32 | uint64(low))
		got, err := ParseLSN(want.String())
		if err != nil || got != want {
			t.Fatalf("%s is read as %s, %v", want, got, err)
		}
		// A reason is any text of one line; the line counts wherever it stands.
		reason := strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, text)
		if len(reason) > 1000 {
			return
		}
		file := "# " + reason + "\n" + fmt.Sprint(of) + "\t" + want.String() + "\t" + reason + "\n"
		if got, err := switchPoint([]byte(file), of); err != nil || got != want {
			t.Fatalf("%q: %s instead of %s, %v", file, got, want, err)
		}
	})
}
