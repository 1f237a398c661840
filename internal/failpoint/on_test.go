//go:build failpoints

package failpoint

import (
	"os"
	"os/exec"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]struct {
		at   Point
		pass int64
	}{"": {"", 0}, "before-confirm": {BeforeConfirm, 1}, "after-produce:12": {AfterProduce, 12}} {
		if at, pass, err := parse(text); err != nil || at != want.at || pass != want.pass {
			t.Errorf("%q: %s, %d, %v", text, at, pass, err)
		}
	}
	for _, text := range []string{"nowhere", "before-confirm:", "before-confirm:0", "before-confirm:x", ":1"} {
		if _, _, err := parse(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// TestPass: the program is gone at the third pass, and no other place counts.
func TestPass(t *testing.T) {
	if os.Getenv(Variable) == "before-confirm:3" {
		Pass(AfterConfirm)
		Pass(BeforeConfirm)
		Pass(BeforeConfirm)
		os.Stdout.WriteString("alive\n")
		Pass(BeforeConfirm)
		os.Stdout.WriteString("undead\n")
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestPass$")
	child.Env = append(os.Environ(), Variable+"=before-confirm:3")
	out, err := child.CombinedOutput()
	if err == nil || child.ProcessState.ExitCode() != -1 || string(out) != "alive\n" {
		t.Errorf("%v: %q", err, out)
	}
}
