package relay

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/walrelay/walrelay/replication"
)

const (
	slotEvery   = 2 * time.Second  // looks at the slot
	lookFirst   = slotEvery / 10   // the first of them: a take-over has other things to do
	tablesEvery = 10 * time.Second // looks at publication and tables
	markerEvery = time.Minute      // writes of the marker, with progress
	askTimeout  = 5 * time.Second  // for one question
)

// watch owns the SQL connection of a session: it looks at the slot now and then
// and keeps the marker. Its trouble is never the stream's, but a slot that is
// lost is known before the walsender says so.
type watch struct {
	r        *Relay
	control  *replication.Control
	progress atomic.Uint64         // confirmed LSN, written by the session
	alarm    atomic.Pointer[error] // what must end the session
	saved    replication.LSN
	tablesAt time.Time // when publication and tables were last looked at
	runs     bool      // the marker knows that exactly-once runs
	quit     context.CancelFunc
	done     chan struct{}

	pid    uint32          // the session's walsender
	claims chan chan error // who asks whether the slot is still ours
	life   context.Context // ends with the session
	end    context.CancelFunc
}

func newWatch(r *Relay, control *replication.Control) *watch {
	w := &watch{r: r, control: control, claims: make(chan chan error)}
	w.life, w.end = context.WithCancel(context.Background())
	return w
}

// confirmed asks for the slot's own confirmed position, which is stable now that
// the slot is ours.
func (w *watch) confirmed(ctx context.Context) (replication.LSN, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return w.control.Confirmed(ctx)
}

// start begins to look, in a goroutine of its own until stop.
func (w *watch) start(confirmed replication.LSN) {
	ctx, cancel := context.WithCancel(context.Background())
	w.quit, w.done, w.saved = cancel, make(chan struct{}), confirmed
	w.progress.Store(uint64(confirmed))
	w.r.good, w.r.goodAt = confirmed, time.Now()
	go func() {
		defer close(w.done)
		slot, marker := time.NewTicker(slotEvery), time.NewTicker(markerEvery)
		defer slot.Stop()
		defer marker.Stop()
		first := time.NewTimer(lookFirst)
		defer first.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case answer := <-w.claims:
				answer <- w.ours(ctx)
			case <-first.C:
				w.look(ctx)
			case <-slot.C:
				w.look(ctx)
				w.emit(ctx)
				w.exactlyOnceRuns(ctx)
			case <-marker.C:
				if lsn := replication.LSN(w.progress.Load()); lsn > w.saved {
					w.save(ctx, lsn, false)
				}
			}
		}
	}()
}

// stop ends the goroutine; the connection is the caller's again.
func (w *watch) stop() {
	w.end()
	if w.quit != nil {
		w.quit()
		<-w.done
		w.quit = nil
	}
}

func (w *watch) close() {
	w.stop()
	w.control.Close()
}

// look brings what the metrics say of the slot up to date.
func (w *watch) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if !w.connected(ctx) {
		return
	}
	state, err := w.control.Look(ctx)
	if err != nil {
		w.found(ctx, "look at slot", err)
		if w.control.IsClosed() {
			w.connected(ctx) // says at once whether the server is shutting down
		}
		return
	}
	w.r.seen(&state)
	if lost := state.Lost(w.r.cfg.Replication.Slot); lost != nil {
		w.found(ctx, "look at slot", w.r.since(lost))
		return
	}
	if time.Since(w.tablesAt) < tablesEvery {
		return
	}
	if err := w.control.CheckPublication(ctx); err != nil {
		w.found(ctx, "look at publication", err)
		return
	}
	w.tablesAt = time.Now()
	w.r.good, w.r.goodAt = replication.LSN(w.progress.Load()), time.Now()
	w.r.recovered("look at slot", "slot seen again")
	w.r.recovered("look at publication", "publication seen again")
}

// found ends the session for what the catalog says is broken: a publication or a
// table that was dropped or changed lets events pass by without an error in the
// stream. What was written since the last look that was good may be missing, so
// it is a gap, whatever mends it. A question that failed is only trouble.
func (w *watch) found(ctx context.Context, what string, err error) {
	var gap *replication.GapError
	var setup *replication.SetupError
	switch {
	case errors.As(err, &gap):
		if gap.From == 0 {
			gap.From, gap.Since = w.r.good, w.r.goodAt
		}
	case errors.As(err, &setup):
		err = &replication.GapError{
			Slot: w.r.cfg.Replication.Slot, From: w.r.good, Since: w.r.goodAt, Err: err,
			Reason: "while it was being read, this changed: " + setup.Problem,
			Advice: "publish again what was written to the table since then, and mend it before the next start, which may ask for `walrelay init --accept-gap`: " + setup.Remedy,
		}
	default:
		w.trouble(ctx, what, err)
		return
	}
	w.alarm.CompareAndSwap(nil, &err)
}

// save writes the marker. That it can't be written is worth a line in the log,
// not the stream.
func (w *watch) save(ctx context.Context, lsn replication.LSN, clean bool) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if !w.connected(ctx) {
		return
	}
	if err := w.control.SaveProgress(ctx, lsn, clean); err != nil {
		w.trouble(ctx, "write marker", err)
		return
	}
	w.saved = lsn
	w.r.recovered("write marker", "marker written again")
}

// connected reopens the SQL connection when it broke.
func (w *watch) connected(ctx context.Context) bool {
	if !w.control.IsClosed() {
		return true
	}
	control, err := replication.Connect(ctx, w.r.cfg.Replication)
	if err != nil {
		if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == "57P03" {
			// The stream lives, so the server is not starting. It stops its walsenders last
			// and only when all is confirmed: with Kafka away that would be never.
			alarm := fmt.Errorf("%w (%w)", errShutdown, err)
			w.alarm.CompareAndSwap(nil, &alarm)
		}
		w.trouble(ctx, "connect for slot and marker", err)
		return false
	}
	w.control = control
	w.r.recovered("connect for slot and marker", "SQL connection is back")
	return true
}

func (w *watch) trouble(ctx context.Context, what string, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return // stopping
	}
	w.r.trouble(what, what+" failed: events flow all the same", err, nil)
}
