package replication

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/walrelay/walrelay/internal/failpoint"
)

// Stream is the one replication connection of a slot. All methods belong to the
// goroutine that owns it, but for Interrupt. After an error of any method the
// connection is unusable: Close it and open a new one.
type Stream struct {
	config   Config
	position Position

	pg       *pgconn.PgConn // hijacked; only its Frontend is used, by pglogrepl
	conn     net.Conn
	frontend *pgproto3.Frontend
	in       *bufio.Reader // below frontend
	pid      uint32
	flushed  LSN // the server's flush position when the stream began

	armed       time.Time // the read deadline set on conn; zero when unknown
	confirmed   LSN       // last confirmed position of this connection
	interrupted atomic.Bool
	failed      error // first error of Receive or Confirm

	mu      sync.Mutex // guards closing, with the deadline that goes with it
	closing bool       // Close has begun, and its deadline is not Interrupt's to move
}

// writeTimeout bounds a status update: 39 bytes that do not fit into the socket
// buffer for that long mean a server that has stopped reading.
const writeTimeout = 5 * time.Second

// OpenStream connects in replication mode and starts the slot at 0/0, that is at
// its own confirmed_flush_lsn. pos is what Prepare returned; a server that is not
// that one gives ErrServerChanged.
//
// Errors: ErrSlotActive while another connection reads from the slot; *GapError
// when the slot has vanished or lost its WAL; *SetupError when rights or settings
// are missing; others are worth another try. Once it has succeeded the slot is
// ours: call Control.Confirmed next.
func OpenStream(ctx context.Context, c Config, pos Position) (*Stream, error) {
	rc, err := c.replicationConfig()
	if err != nil {
		return nil, err
	}
	var in *bufio.Reader
	rc.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		in = bufio.NewReaderSize(r, readBuffer)
		return pgproto3.NewFrontend(in, w)
	}
	pg, err := pgconn.ConnectConfig(ctx, rc)
	if err != nil {
		return nil, c.connectError(err)
	}
	s, err := startStream(ctx, c, pos, pg)
	if err != nil {
		_ = pg.Close(context.WithoutCancel(ctx)) // the error to report is the first one
		return nil, err
	}
	s.in = in
	return s, nil
}

// readBuffer is how much one system call may read. pgproto3 alone reads 8 KiB,
// which in a backlog are a dozen events.
const readBuffer = 64 << 10

// startStream checks the server and turns pg into a Stream.
func startStream(ctx context.Context, c Config, pos Position, pg *pgconn.PgConn) (*Stream, error) {
	system, err := pglogrepl.IdentifySystem(ctx, pg)
	if err != nil {
		return nil, c.streamError("identify system", pos, err)
	}
	if system.SystemID != pos.SystemID || system.Timeline != pos.Timeline {
		return nil, fmt.Errorf("%w: system %s timeline %d, expected %s timeline %d",
			ErrServerChanged, system.SystemID, system.Timeline, pos.SystemID, pos.Timeline)
	}
	pid, err := backendPID(ctx, pg)
	if err != nil {
		return nil, c.streamError("ask for the walsender's process", pos, err)
	}
	err = pglogrepl.StartReplication(ctx, pg, quoteIdent(c.Slot), 0, pglogrepl.StartReplicationOptions{
		Mode: pglogrepl.LogicalReplication,
		PluginArgs: []string{
			"proto_version '1'",
			"publication_names " + quotePluginValue(quoteIdent(c.Publication)),
			"messages 'true'",
		},
	})
	if err != nil {
		return nil, c.streamError("start replication", pos, err)
	}
	hijacked, err := pg.Hijack()
	if err != nil {
		return nil, fmt.Errorf("start replication on slot %q: %w", c.Slot, err)
	}
	if err := hijacked.Conn.SetDeadline(time.Time{}); err != nil { // a leftover of ctx
		_ = hijacked.Conn.Close()
		return nil, fmt.Errorf("start replication on slot %q: %w", c.Slot, err)
	}
	return &Stream{config: c, position: pos, pg: pg, conn: hijacked.Conn, frontend: hijacked.Frontend, pid: pid, flushed: system.XLogPos}, nil
}

// backendPID is the walsender's process as the server knows it. What the protocol
// says at the connection's start may be a pooler's own number.
func backendPID(ctx context.Context, pg *pgconn.PgConn) (uint32, error) {
	results, err := pg.Exec(ctx, "SELECT pg_backend_pid()").ReadAll()
	if err != nil {
		return 0, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 1 {
		return 0, errors.New("pg_backend_pid() gave no row")
	}
	pid, err := strconv.ParseUint(string(results[0].Rows[0][0]), 10, 32)
	return uint32(pid), err
}

// quotePluginValue quotes an option's value for the replication grammar, which
// knows only doubled quotes and takes a backslash as it is.
func quotePluginValue(s string) string {
	b := []byte{'\''}
	for i := range len(s) {
		if s[i] == '\'' {
			b = append(b, '\'')
		}
		b = append(b, s[i])
	}
	return string(append(b, '\''))
}

// PID is the process id of the walsender that serves this stream.
func (s *Stream) PID() uint32 { return s.pid }

// Flushed is how far the server's WAL was flushed when the stream began. A
// position that was received from this server before can't lie beyond it.
func (s *Stream) Flushed() LSN { return s.flushed }

// Receive returns the next frame. It returns a frame of kind FrameNone when
// nothing has arrived until deadline or when Interrupt was called; the connection
// is good then. The zero deadline waits for ever; with one that has passed only
// what is buffered is handed out and the socket is not read. Frame.Data is valid
// until the next call.
//
// The read deadline of the socket is moved only when a wait ran into it or when
// deadline is before it, so a caller that moves its deadline on with every frame
// pays for it only once in the time it waits.
//
// ErrStreamEnded means that the server ended the stream, a *pgconn.PgError,
// *GapError or *SetupError in the chain that it refused to go on.
func (s *Stream) Receive(deadline time.Time) (Frame, error) {
	if s.failed != nil {
		return Frame{}, s.failed
	}
	for {
		if err := s.arm(deadline); err != nil {
			return Frame{}, s.fail(fmt.Errorf("receive from slot %q: %w", s.config.Slot, err))
		}
		msg, err := s.frontend.Receive()
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				return Frame{}, s.fail(fmt.Errorf("receive from slot %q: %w", s.config.Slot, err))
			}
			// pgproto3 keeps what it has read of a message, so the next call goes on there.
			s.armed = time.Time{}
			if s.interrupted.Swap(false) || (!deadline.IsZero() && !time.Now().Before(deadline)) {
				return Frame{}, nil
			}
			continue
		}
		if data, ok := msg.(*pgproto3.CopyData); ok {
			frame, err := parseFrame(data.Data)
			if err != nil {
				return Frame{}, s.fail(fmt.Errorf("receive from slot %q: %w", s.config.Slot, err))
			}
			return frame, nil
		}
		if err := s.control(msg); err != nil {
			return Frame{}, s.fail(err)
		}
	}
}

// arm sets the socket's read deadline unless the one that is set serves: one that
// fires too early costs a turn of the loop in Receive, one too late would block.
func (s *Stream) arm(deadline time.Time) error {
	if !s.armed.IsZero() && (deadline.IsZero() || !s.armed.After(deadline)) {
		return nil
	}
	s.armed = deadline
	if err := s.conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	if s.interrupted.Load() { // Interrupt came between: its deadline is lost, so set it again
		s.armed = time.Time{}
		return s.conn.SetReadDeadline(time.Unix(1, 0))
	}
	return nil
}

// control handles what is not a frame; an error ends the stream.
func (s *Stream) control(msg pgproto3.BackendMessage) error {
	switch msg := msg.(type) {
	case *pgproto3.NoticeResponse, *pgproto3.ParameterStatus:
		return nil
	case *pgproto3.ErrorResponse:
		return s.config.streamError("receive", s.position, pgconn.ErrorResponseToPgError(msg))
	case *pgproto3.CopyDone, *pgproto3.CommandComplete:
		return fmt.Errorf("receive from slot %q: %w", s.config.Slot, ErrStreamEnded)
	}
	return fmt.Errorf("receive from slot %q: unexpected message %T", s.config.Slot, msg)
}

// Interrupt makes a Receive that waits, or else the next one that would wait,
// return FrameNone. Any goroutine may call it, at any time; it does not disturb a
// Close.
func (s *Stream) Interrupt() {
	s.interrupted.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	// An error means that the connection is closed, which Receive finds by itself.
	_ = s.conn.SetReadDeadline(time.Unix(1, 0))
}

// Buffered is the number of bytes that are read from the socket and not handed
// out; more is usually under way.
func (s *Stream) Buffered() int { return s.frontend.ReadBufferLen() + s.in.Buffered() }

// Confirm sends a standby status update: received as written, confirmed as
// flushed and applied. PostgreSQL may then discard WAL before confirmed and does
// not send again what ended at or before it. replyRequested asks for a keepalive
// in return.
//
// confirmed is a commit's end LSN, a keepalive's ServerWALEnd or, before the
// first of them, what Control.Confirmed returned. It must not be zero (the server
// would take received for it) and must not decrease on one connection; both are
// refused without sending. Does not wait for an answer.
func (s *Stream) Confirm(received, confirmed LSN, replyRequested bool) error {
	if s.failed != nil {
		return s.failed
	}
	if confirmed == 0 {
		return s.fail(fmt.Errorf("confirm on slot %q: position 0/0 refused", s.config.Slot))
	}
	if confirmed < s.confirmed {
		return s.fail(fmt.Errorf("confirm on slot %q: position goes back from %s to %s", s.config.Slot, s.confirmed, confirmed))
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return s.fail(fmt.Errorf("confirm on slot %q: %w", s.config.Slot, err))
	}
	if confirmed > s.confirmed {
		failpoint.Pass(failpoint.BeforeConfirm)
	}
	err := pglogrepl.SendStandbyStatusUpdate(context.Background(), s.pg, pglogrepl.StandbyStatusUpdate{ // ignores its context
		WALWritePosition: max(received, confirmed),
		WALFlushPosition: confirmed,
		WALApplyPosition: confirmed,
		ReplyRequested:   replyRequested,
	})
	if err != nil {
		return s.fail(fmt.Errorf("confirm on slot %q: %w", s.config.Slot, err))
	}
	if confirmed > s.confirmed {
		failpoint.Pass(failpoint.AfterConfirm)
	}
	s.confirmed = confirmed
	return nil
}

// fail remembers the first error; the connection's state is unknown after it.
func (s *Stream) fail(err error) error {
	s.failed = err
	return err
}

// closeTimeout bounds Close when its context has no deadline.
const closeTimeout = 5 * time.Second

// Close ends the stream. On a good connection it sends CopyDone and reads on
// until the server has answered it, so the last Confirm is taken when Close
// returns nil; frames that still arrive are dropped and sent again to the next
// stream. ctx bounds the wait, 5s without a deadline of its own. The connection
// is closed in every case.
func (s *Stream) Close(ctx context.Context) error {
	defer s.conn.Close()
	if s.failed != nil {
		return nil // its error has been reported; there is nobody to say goodbye to
	}
	s.failed = fmt.Errorf("slot %q: %w", s.config.Slot, net.ErrClosed)
	s.mu.Lock()
	s.closing = true
	err := s.conn.SetDeadline(deadlineOf(ctx, closeTimeout))
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err != nil {
		return fmt.Errorf("close stream of slot %q: %w", s.config.Slot, err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("close stream of slot %q: %w", s.config.Slot, ctx.Err())
	}
	s.frontend.Send(&pgproto3.CopyDone{})
	if err := s.frontend.Flush(); err != nil {
		return fmt.Errorf("close stream of slot %q: %w", s.config.Slot, err)
	}
	return s.drain()
}

// drain reads until the server is ready for a next command: then it has released
// the slot. Its CopyDone already proves that it has read our last status, which
// came before ours, so what goes wrong after that is no error.
func (s *Stream) drain() error {
	taken := false
	for {
		msg, err := s.frontend.Receive()
		if err != nil {
			if taken {
				return nil
			}
			return fmt.Errorf("close stream of slot %q: the server did not acknowledge the end: %w", s.config.Slot, err)
		}
		switch msg := msg.(type) {
		case *pgproto3.CopyDone:
			taken = true
		case *pgproto3.ErrorResponse:
			if taken {
				return nil
			}
			return s.config.streamError("close stream", s.position, pgconn.ErrorResponseToPgError(msg))
		case *pgproto3.ReadyForQuery:
			s.frontend.Send(&pgproto3.Terminate{})
			_ = s.frontend.Flush() // a courtesy
			return nil
		}
	}
}
