//go:build !linux

package replication

import (
	"context"
	"syscall"
	"time"
)

// setUserTimeout does nothing where TCP_USER_TIMEOUT is not known; keepalives and
// the caller's watchdog find a dead server later.
func setUserTimeout(time.Duration) func(context.Context, string, string, syscall.RawConn) error {
	return nil
}
