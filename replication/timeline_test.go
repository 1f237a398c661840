package replication

import "testing"

func TestSwitchPoint(t *testing.T) {
	content := []byte("1\t0/3000148\tno recovery target specified\n\n2\t1/4000000\tbefore 2026-01-01\n# comment\n")
	for of, want := range map[int32]string{1: "0/3000148", 2: "1/4000000"} {
		if got, err := switchPoint(content, of); err != nil || got.String() != want {
			t.Errorf("timeline %d: %s, %v", of, got, err)
		}
	}
	for _, c := range []string{"", "x", "3\n", "1\tnonsense\n", "9999999999\t0/1\n"} {
		if got, err := switchPoint([]byte(c), 1); err == nil {
			t.Errorf("%q: %s", c, got)
		}
	}
}
