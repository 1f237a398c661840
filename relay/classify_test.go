package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unsent is an error of pgconn for a query that never left, such as "conn closed",
// whose types are not exported.
type unsent struct{}

func (unsent) Error() string     { return "conn closed" }
func (unsent) SafeToRetry() bool { return true }

// Every error has one decision and one exit code, also when it is wrapped.
func TestClassify(t *testing.T) {
	sql := func(code string) error { return &pgconn.PgError{Code: code} }
	for _, c := range []struct {
		name string
		err  error
		want decision
		code int // when the relay ends with it
	}{
		{"clean end", nil, stop, 0},
		{"slot vanished", &replication.GapError{Slot: "s"}, stop, 4},
		{"rights missing", &replication.SetupError{Problem: "p"}, stop, 3},
		{"column missing", &decoding.MappingError{}, stop, 4},
		{"frame that can't be", &decoding.ProtocolError{}, stop, 1},
		{"poison under stop", &PoisonError{}, stop, 4},
		{"poison without policy", &routing.Poison{}, stop, 4},
		{"Kafka refuses us", &sink.RefusedError{Err: io.EOF}, stop, 3},
		{"fenced", sink.ErrFenced, standBy, 1},
		{"slot active", replication.ErrSlotActive, standBy, 1},
		{"no wait", fmt.Errorf("%w (%w)", ErrStandby, replication.ErrSlotActive), stop, 5},
		{"server went down", replication.ErrStreamEnded, retry, 1},
		{"another server", replication.ErrServerChanged, retry, 1},
		{"server silent", errSilent, retry, 1},
		{"server put back to an earlier state", errRewound, retry, 1},
		{"server shutting down", fmt.Errorf("%w (%w)", errShutdown, sql("57P03")), retry, 1},
		{"read-only node", pgconn.ErrReadOnlyConnection, retry, 1},
		{"connection refused", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, retry, 1},
		{"name not found", &net.DNSError{Err: "no such host", IsNotFound: true}, retry, 1},
		{"reset", syscall.ECONNRESET, retry, 1},
		{"end of file", io.ErrUnexpectedEOF, retry, 1},
		{"own time limit", context.DeadlineExceeded, retry, 1},
		{"connection was dead already", fmt.Errorf("read server settings: %w", unsent{}), retry, 1},
		{"admin shutdown", sql("57P01"), retry, 1},
		{"crash shutdown", sql("57P02"), retry, 1},
		{"starting up", sql("57P03"), retry, 1},
		{"cancelled", sql("57014"), retry, 1},
		{"connection exception", sql("08006"), retry, 1},
		{"too many connections", sql("53300"), retry, 1},
		{"wrong node", sql("25006"), retry, 1},
		{"object in use", sql("55006"), standBy, 1},
		{"wrong password", sql("28P01"), stop, 3},
		{"no right", sql("42501"), stop, 3},
		{"no such object", sql("42704"), stop, 4},
		{"can't read from the slot", sql("55000"), stop, 4},
		{"disk full", sql("53100"), retry, 1}, // ending would free nothing
		{"out of memory", sql("53200"), retry, 1},
		{"I/O error", sql("58030"), retry, 1},
		{"WAL segment gone", sql("58P01"), stop, 4},
		{"SQL error nobody knows", sql("XX000"), stop, 1},
		{"error nobody knows", errors.New("what?"), stop, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.err
			if err != nil {
				err = fmt.Errorf("run: receive: %w", err)
			}
			if got := classify(err); got != c.want {
				t.Errorf("decision %d, want %d", got, c.want)
			}
			if got := ExitCode(err); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
		})
	}
}

// After a lost connection what was handed over is known by commit LSN and place.
func TestResume_covers(t *testing.T) {
	r := resume{lsn: 100, index: 5}
	for _, c := range []struct {
		lsn   replication.LSN
		index int
		want  bool
	}{{99, 9, true}, {100, 4, true}, {100, 5, true}, {100, 6, false}, {101, 0, false}} {
		if got := r.covers(c.lsn, c.index); got != c.want {
			t.Errorf("%s/%d: %v, want %v", c.lsn, c.index, got, c.want)
		}
	}
	if (resume{}).covers(1, 0) {
		t.Error("the zero value covers an event")
	}
}

// Event types have labels of their own until there are too many.
func TestMeter_labelsAreCapped(t *testing.T) {
	m := newMeter(nil)
	if m.label([]byte("")) != unknownType || m.name(unknownType) != "" {
		t.Error("the empty type has a label of its own")
	}
	seen := map[int32]bool{}
	for i := range 1000 {
		n := m.label(fmt.Appendf(nil, "type-%d", i))
		if n != m.label(fmt.Appendf(nil, "type-%d", i)) {
			t.Fatal("the label of a type changes")
		}
		seen[n] = true
	}
	if len(seen) > 110 {
		t.Errorf("%d labels for 1000 types", len(seen))
	}
	b := []byte("type-1")
	if n := testing.AllocsPerRun(100, func() { m.label(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
