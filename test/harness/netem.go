package harness

import (
	"fmt"
	"os"
	"testing"
)

// toolMissing skips a test that can't have a tool of this machine, or a right to
// use it, or fails it where tools are required.
func toolMissing(t testing.TB, what string, err error) {
	t.Helper()
	if ToolsRequired() {
		t.Fatalf("no %s, and WALRELAY_TEST_REQUIRE asks for it: %v", what, err)
	}
	Skip(t, fmt.Sprintf("no %s: %v", what, err))
}

// NoDisk says why a broker can't have a disk of its own here (KafkaOptions.Disk),
// nil when it can.
func NoDisk() error {
	dir, err := os.MkdirTemp("", "walrelay-mount-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if err := mountDisk(dir, 1<<20); err != nil {
		return err
	}
	return unmountDisk(dir)
}

// NeedDisk skips the test where NoDisk, or fails it with WALRELAY_TEST_REQUIRE.
func NeedDisk(t testing.TB) {
	t.Helper()
	if err := NoDisk(); err != nil {
		toolMissing(t, "disk to fill", err)
	}
}
