package harness

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// tick is when a condition is looked at again, slowTick how often after a while: a
// query every 10 ms of every test that waits takes the machine from what it waits for.
const (
	tick     = 10 * time.Millisecond
	slowTick = 50 * time.Millisecond
)

// Eventually waits until the condition holds and fails the test when it does
// not within timeout; what names it in the failure.
func Eventually(t testing.TB, timeout time.Duration, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if err := await(ctx, condition); err != nil {
		t.Fatalf("after %s still not: %s", timeout, what)
	}
}

// Never watches for the whole time that the condition does not hold.
func Never(t testing.TB, during time.Duration, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	if err := await(ctx, condition); err == nil {
		t.Fatalf("it happened: %s", what)
	}
}

// await returns nil once the condition holds, else why ctx ended.
func await(ctx context.Context, condition func() bool) error {
	wait := tick
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		if condition() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait: %w", context.Cause(ctx))
		case <-timer.C:
			wait = min(2*wait, slowTick)
			timer.Reset(wait)
		}
	}
}
