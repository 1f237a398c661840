package replication_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/replication"
)

func TestStream_receivesAndConfirms(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	_, s, _ := f.open()
	f.event("p-1")
	f.sql(`UPDATE outbox SET type = 'Changed'`)
	f.sql(`DELETE FROM outbox`)
	f.event("p-2")
	seen, end := f.receive(s, "p-2")
	if !slices.Equal(seen, []string{"p-1", "p-2"}) {
		t.Errorf("received %v", seen)
	}
	if err := s.Confirm(end, end, false); err != nil {
		t.Fatal(err)
	}
	// Close returns when the server has taken the last status, so no waiting here.
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	slot := `SELECT confirmed_flush_lsn::text || ' ' || active FROM pg_replication_slots WHERE slot_name = $1`
	if got, want := f.ask(slot, f.config.Slot), end.String()+" false"; got != want {
		t.Errorf("slot after Close: %s, want %s", got, want)
	}
	f.event("p-3")
	_, s, _ = f.open()
	if seen, _ := f.receive(s, "p-3"); !slices.Equal(seen, []string{"p-3"}) {
		t.Errorf("received %v after the confirmed position", seen)
	}
}

func TestStream_unconfirmedComesAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	_, s, _ := f.open()
	f.event("p-1")
	f.receive(s, "p-1")
	f.close(s)
	_, s, _ = f.open()
	f.receive(s, "p-1")
}

func TestStream_applicationName(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	f.config.SenderTimeout = 7 * time.Second
	f.open()
	got := f.ask(`SELECT application_name FROM pg_stat_replication WHERE pid =
		(SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1)`, f.config.Slot)
	if want := "walrelay " + f.config.Slot + " a"; got != want {
		t.Errorf("application_name %q, want %q", got, want)
	}
}

func TestStream_slotActive(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	c, s, _ := f.open()
	pos, err := f.prepare(c)
	if err != nil {
		t.Fatalf("a standby's Prepare: %v", err)
	}
	second, err := replication.OpenStream(t.Context(), f.config, pos)
	if !errors.Is(err, replication.ErrSlotActive) {
		t.Fatalf("second stream: %v, %v", second, err)
	}
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "55006" {
		t.Errorf("the server's error is lost: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.stream(pos) // free as soon as Close has returned
}

func TestStream_deadline(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	_, s, _ := f.open()
	f.drainIdle(s)
	for range 3 {
		began := time.Now()
		frame, err := s.Receive(began.Add(60 * time.Millisecond))
		if err != nil || (frame.Kind == replication.FrameNone && time.Since(began) < 60*time.Millisecond) {
			t.Fatalf("%+v, %v after %s", frame, err, time.Since(began))
		}
	}
	// A short deadline after a long one holds too, and the connection is good.
	// (A frame that is buffered is handed out all the same: other tests make keepalives.)
	for frame := (replication.Frame{Kind: replication.FrameKeepalive}); frame.Kind != replication.FrameNone; {
		began, err := time.Now(), error(nil)
		if frame, err = s.Receive(began.Add(-time.Second)); err != nil || time.Since(began) > 5*time.Second {
			t.Fatalf("%+v, %v after %s", frame, err, time.Since(began))
		}
	}
	f.event("p-1")
	f.receive(s, "p-1")
}

// drainIdle takes the keepalives of a start off the stream.
func (f *fixture) drainIdle(s *replication.Stream) {
	f.t.Helper()
	for {
		frame, err := s.Receive(time.Now().Add(100 * time.Millisecond))
		if err != nil {
			f.t.Fatal(err)
		}
		if frame.Kind == replication.FrameNone {
			return
		}
	}
}

// TestStream_partialFrames runs into the deadline in the middle of large frames,
// which must be handed out whole by later calls.
func TestStream_partialFrames(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	f.config.SenderTimeout = 2 * time.Minute // nothing is answered meanwhile
	_, s, _ := f.open()
	partialFrames(t, f, s)
	f.event("p-1")
	f.receive(s, "p-1")
}

func partialFrames(t *testing.T, f *fixture, s *replication.Stream) {
	t.Helper()
	const size = 20 << 20
	for range 3 {
		f.sql(`INSERT INTO outbox (payload) VALUES (repeat('x', $1))`, size)
	}
	got, timeouts := 0, 0
	for end := time.Now().Add(60 * time.Second); got < 3; {
		if time.Now().After(end) {
			t.Fatalf("%d frames after %d timeouts", got, timeouts)
		}
		frame, err := s.Receive(time.Now().Add(200 * time.Microsecond))
		switch {
		case err != nil:
			t.Fatal(err)
		case frame.Kind == replication.FrameNone:
			timeouts++
		case frame.Kind == replication.FrameXLogData && frame.Data[0] == 'I':
			if n := strings.Count(string(frame.Data), "x"); n != size {
				t.Fatalf("payload of %d bytes, want %d", n, size)
			}
			got++
		}
	}
	if timeouts == 0 {
		t.Error("no deadline was met, so nothing was tried")
	}
}

func TestStream_interrupt(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	_, s, _ := f.open()
	f.drainIdle(s)
	for i := range 200 {
		done := make(chan error, 1)
		go func() {
			for {
				frame, err := s.Receive(time.Now().Add(30 * time.Second))
				if err != nil || frame.Kind == replication.FrameNone {
					done <- err
					return
				}
			}
		}()
		if i%2 == 0 {
			time.AfterFunc(time.Duration(i)*10*time.Microsecond, s.Interrupt)
		} else {
			s.Interrupt()
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("turn %d: Receive waits on after Interrupt", i)
		}
	}
	f.event("p-1")
	f.receive(s, "p-1")
}

// TestStream_interruptDuringClose: an Interrupt that comes late, when Close has set
// its deadline, leaves the goodbye alone.
func TestStream_interruptDuringClose(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	_, s, _ := f.open()
	// Close looks at its context's error right after it has set the deadline.
	if err := s.Close(interrupting{t.Context(), s}); err != nil {
		t.Fatal(err)
	}
}

// interrupting calls Interrupt whenever it is asked for its error.
type interrupting struct {
	context.Context
	stream *replication.Stream
}

func (c interrupting) Err() error {
	c.stream.Interrupt()
	return c.Context.Err()
}

func TestStream_confirmRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	_, s, confirmed := f.open()
	if err := s.Confirm(confirmed, confirmed-1, false); err == nil {
		t.Error("a position that goes back was sent")
	}
	f.close(s)
	_, s, confirmed = f.open()
	if err := s.Confirm(confirmed, 0, false); err == nil {
		t.Error("position zero was sent")
	}
}

// TestStream_replyRequested asks the server for a keepalive, and sees it ask us:
// near the end of wal_sender_timeout it wants a reply.
func TestStream_replyRequested(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	f.config.SenderTimeout = 2 * time.Second
	_, s, confirmed := f.open()
	f.drainIdle(s)
	if err := s.Confirm(confirmed, confirmed, true); err != nil {
		t.Fatal(err)
	}
	frame, err := s.Receive(time.Now().Add(10 * time.Second))
	if err != nil || frame.Kind != replication.FrameKeepalive || frame.ServerWALEnd == 0 {
		t.Fatalf("asked for a keepalive, got %+v, %v", frame, err)
	}
	for !frame.ReplyRequested {
		if frame, err = s.Receive(time.Now().Add(10 * time.Second)); err != nil || frame.Kind == replication.FrameNone {
			t.Fatalf("the server did not ask for a reply: %+v, %v", frame, err)
		}
	}
	// Without an answer it cuts the connection.
	for err == nil {
		if frame, err = s.Receive(time.Now().Add(20 * time.Second)); err == nil && frame.Kind == replication.FrameNone {
			t.Fatal("own wal_sender_timeout had no effect")
		}
	}
}

func TestStream_walsenderTerminated(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	_, s, _ := f.open()
	f.sql(`SELECT pg_terminate_backend($1)`, s.PID())
	deadline := time.Now().Add(20 * time.Second)
	for {
		frame, err := s.Receive(deadline)
		var pgErr *pgconn.PgError
		if errors.As(err, &pgErr) && pgErr.Code == "57P01" {
			break
		}
		if err != nil || frame.Kind == replication.FrameNone {
			t.Fatalf("%+v, %v", frame, err)
		}
	}
	if _, err := s.Receive(deadline); err == nil {
		t.Error("Receive goes on after an error")
	}
	if err := s.Confirm(1, 1, false); err == nil {
		t.Error("Confirm goes on after an error")
	}
	f.close(s)
	f.event("p-1")
	f.await(`SELECT active::text FROM pg_replication_slots WHERE slot_name = '`+f.config.Slot+`'`, "false")
	_, s, _ = f.open()
	f.receive(s, "p-1")
}

func TestStream_serverRestart(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Remove() })
	for _, mode := range []postgres.Mode{postgres.Fast, postgres.Immediate} {
		t.Run(string(mode), func(t *testing.T) {
			f := newFixture(t, server.ConnString("postgres"))
			_, s, _ := f.open()
			f.event("p-1")
			_, end := f.receive(s, "p-1")
			if err := s.Confirm(end, end, false); err != nil {
				t.Fatal(err)
			}
			restarted := make(chan error, 1)
			go func() { restarted <- server.Restart(context.WithoutCancel(t.Context()), mode) }()
			// A fast shutdown waits until we have confirmed what it keeps telling us.
			for err == nil {
				var frame replication.Frame
				if frame, err = s.Receive(time.Now().Add(30 * time.Second)); err == nil {
					if frame.Kind == replication.FrameNone {
						t.Fatal("the stream outlived the server")
					}
					if frame.Kind == replication.FrameKeepalive {
						_ = s.Confirm(frame.ServerWALEnd, frame.ServerWALEnd, false)
					}
				}
			}
			t.Logf("the stream ended with: %v", err)
			if mode == postgres.Fast && !errors.Is(err, replication.ErrStreamEnded) {
				t.Errorf("want ErrStreamEnded, got %v", err)
			}
			err = nil
			if err := <-restarted; err != nil {
				t.Fatal(err)
			}
			f.admin = f.connect(f.config.ConnString)
			f.event("p-2")
			_, s, _ = f.open()
			f.receive(s, "p-2")
		})
	}
}

// TestStream_allocations holds the hot path to its promise.
func TestStream_allocations(t *testing.T) {
	f := newFixture(t, superuser)
	_, s, _ := f.open()
	f.sql(`INSERT INTO outbox (payload) SELECT 'p-1' FROM generate_series(1, 20000)`)
	f.receiveOne(s) // the stream runs
	allocations := testing.AllocsPerRun(10000, func() { f.receiveOne(s) })
	if allocations >= 0.1 {
		t.Errorf("%.2f allocations a frame", allocations)
	}
}

func (f *fixture) receiveOne(s *replication.Stream) {
	frame, err := s.Receive(time.Now().Add(20 * time.Second))
	if err != nil || frame.Kind == replication.FrameNone {
		f.t.Fatalf("%+v, %v", frame, err)
	}
}
