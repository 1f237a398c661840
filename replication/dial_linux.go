package replication

import (
	"context"
	"strings"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), in milliseconds; package syscall
// does not name it.
const tcpUserTimeout = 0x12

// setUserTimeout returns a hook that lets a connection fail when sent data stays
// unacknowledged for d. Keepalives alone don't see that: they are not sent while
// data is under way.
func setUserTimeout(d time.Duration) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, network, _ string, conn syscall.RawConn) error {
		if !strings.HasPrefix(network, "tcp") {
			return nil
		}
		return conn.Control(func(fd uintptr) {
			// Only a faster diagnosis: a kernel that refuses it (gVisor does) is no reason not to connect.
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds()))
		})
	}
}
