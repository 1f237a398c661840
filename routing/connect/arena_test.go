package connect

import (
	"bytes"
	"testing"
)

// TestArena: what was lent keeps its content until Reset.
func TestArena(t *testing.T) {
	var a Arena
	g := newGenerator(1)
	for range 50 {
		var lent [][]byte
		for i := range 200 {
			want := byte(i)
			switch g.IntN(2) {
			case 0:
				b := a.Bytes(g.IntN(3000))
				for j := range b {
					if b[j] != 0 {
						t.Fatal("lent bytes are not zero")
					}
					b[j] = want
				}
				lent = append(lent, b)
			case 1:
				for _, v := range a.Values(g.IntN(20)) {
					if v.Data != nil || v.Items != nil || v.Int != 0 || v.Null {
						t.Fatal("lent values are not zero")
					}
				}
				lent = append(lent, nil)
			}
		}
		for i, b := range lent {
			if bytes.Count(b, []byte{byte(i)}) != len(b) || cap(b) != len(b) {
				t.Fatal("what was lent was overwritten, or can be")
			}
		}
		a.Reset()
	}
	if n := testing.AllocsPerRun(100, func() {
		a.Reset()
		a.Bytes(50)
		a.Values(10)
	}); n != 0 {
		t.Errorf("%v allocations in the steady state", n)
	}
}
