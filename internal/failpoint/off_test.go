//go:build !failpoints

package failpoint_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/internal/failpoint"
)

// TestNothing: without the tag a failpoint costs nothing: the compiler puts its
// empty body in the place of the call, and it allocates nothing.
func TestNothing(t *testing.T) {
	if failpoint.Enabled {
		t.Fatal("enabled without the tag")
	}
	if n := testing.AllocsPerRun(100, func() { failpoint.Pass(failpoint.AfterReceive) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
	out, err := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "build", "-gcflags=-m", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "can inline Pass") {
		t.Errorf("Pass is not inlined:\n%s", out)
	}
}
