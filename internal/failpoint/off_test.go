//go:build !failpoints

package failpoint_test

import (
	"context"
	"os"
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

// TestReleases: nothing that is given to people is built with failpoints.
func TestReleases(t *testing.T) {
	for _, path := range []string{"../../.goreleaser.yaml", "../../Dockerfile", "../../docker-compose.yml"} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "failpoint") {
			t.Errorf("%s speaks of failpoints: releases are built without them", path)
		}
	}
}
