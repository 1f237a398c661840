package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/replication"
)

// prepare connects and makes sure that there is a slot to read from. Making one
// waits for the transactions that are open, however long they are.
func (r *Relay) prepare(ctx context.Context) (*replication.Control, replication.Position, error) {
	step, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	control, err := replication.Connect(step, r.cfg.Replication)
	if err != nil {
		return nil, replication.Position{}, err
	}
	position, err := r.prepared(ctx, control)
	if err != nil {
		control.Close()
		return nil, replication.Position{}, err
	}
	return control, position, nil
}

// prepared asks until nobody else is in the first start of the slot, which with a
// snapshot may take long.
func (r *Relay) prepared(ctx context.Context, control *replication.Control) (replication.Position, error) {
	for {
		step, done := r.lively(ctx, fmt.Sprintf("slot %q is being prepared on %s, which takes as long as the oldest open transaction", r.cfg.Replication.Slot, r.cfg.Replication.Target()))
		position, err := control.Prepare(step, r.say)
		if silent := done(); silent != nil && err != nil {
			err = silent
		}
		if err == nil || !errors.Is(err, replication.ErrSlotActive) {
			return position, err
		}
		if r.cfg.NoWait {
			return position, fmt.Errorf("%w (%w)", ErrStandby, err)
		}
		r.standBy(err, "another instance makes the slot or publishes its snapshot; this one takes over when it stops")
		if !r.sleep(ctx, standbyLook) {
			return position, ctx.Err()
		}
	}
}

// say is replication.LogFunc.
func (r *Relay) say(message string, fields ...any) {
	level := zerolog.InfoLevel
	if slices.Contains(fields, any("warning")) {
		level = zerolog.WarnLevel
	}
	r.log.WithLevel(level).Fields(fields).Msg(message)
}

// lively shows signs of life during a step that may rightly take long, until done is
// called. When it does take long, reason says why, and now and then the server is
// asked whether it is there: one that is frozen ends step, and done says so.
func (r *Relay) lively(ctx context.Context, reason string) (step context.Context, done func() error) {
	const long = 5 * time.Second
	step, cancel := context.WithCancelCause(ctx)
	quit, began := make(chan struct{}), time.Now()
	go func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for asked, silent := began, 0; ; {
			select {
			case <-quit:
				return
			case <-ticker.C:
			}
			r.moved()
			if time.Since(began) > long {
				r.setWaiting(StateStarting, Reason{Code: "postgres", Message: reason})
			}
			if time.Since(asked) < livelyAsk {
				continue
			}
			if asked = time.Now(); r.answers(step) {
				silent = 0
			} else if silent++; silent == 2 {
				cancel(fmt.Errorf("prepare slot %q: %w", r.cfg.Replication.Slot, errSilent))
			}
		}
	}()
	return step, sync.OnceValue(func() error {
		close(quit)
		defer cancel(nil)
		if ctx.Err() != nil {
			return nil
		}
		return context.Cause(step)
	})
}

// livelyAsk is how often the server is asked during a step that takes long.
const livelyAsk = 15 * time.Second

// answers says whether the server says anything at all to a new connection.
func (r *Relay) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	control, err := replication.Connect(ctx, r.cfg.Replication)
	if err == nil {
		control.Close()
		return true
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg)
}

const (
	// standbyFirst is how long a slot in use is asked for by starting it: every 50
	// to 100 ms, because a killed predecessor's walsender lives on for a moment.
	standbyFirst = 3 * time.Second
	// standbyLook is how often a standby looks at the slot after that. Looking
	// leaves no error in the server's log.
	standbyLook = 100 * time.Millisecond
)

// acquire starts the slot, standing by while another connection reads from it.
func (r *Relay) acquire(ctx context.Context, control *replication.Control, position replication.Position) (*replication.Stream, error) {
	began := time.Now()
	for wait := 50 * time.Millisecond; ; wait = min(wait+wait/8, 100*time.Millisecond) {
		step, cancel := context.WithTimeout(ctx, openTimeout)
		stream, err := replication.OpenStream(step, r.cfg.Replication, position)
		cancel()
		if err == nil || !errors.Is(err, replication.ErrSlotActive) {
			return stream, err
		}
		waited := time.Since(began)
		if r.cfg.NoWait && waited > time.Second {
			return nil, fmt.Errorf("%w (%w)", ErrStandby, err)
		}
		r.standBy(err, r.holder(ctx, control)+" reads from the slot; this one takes over when it stops")
		if waited > standbyFirst {
			if err := r.slotFree(ctx, control, err); err != nil {
				return nil, err
			}
			continue
		}
		if !r.sleep(ctx, wait) {
			return nil, ctx.Err()
		}
	}
}

// holder says who reads from the slot, as far as the server tells.
func (r *Relay) holder(ctx context.Context, control *replication.Control) string {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	who, err := control.Reader(ctx)
	if err != nil || who.Name == "" {
		return "another instance" // what is wrong shows when the slot is asked for again
	}
	name := who.Name
	if instance, ok := strings.CutPrefix(name, "walrelay "+r.cfg.Replication.Slot+" "); ok {
		name = "instance " + instance
	}
	if who.Address != "" {
		name += " at " + who.Address
	}
	return name
}

// standBy says once that this instance waits.
func (r *Relay) standBy(err error, message string) {
	r.mu.Lock()
	news := r.status.State != StateStandby
	r.mu.Unlock()
	if news {
		r.log.Info().Err(err).Str("reason", message).Msg("standing by")
	}
	r.setWaiting(StateStandby, reasonFor("standby", err, message))
}

// slotFree waits until nobody reads from the slot; held is why it can't be had now.
func (r *Relay) slotFree(ctx context.Context, control *replication.Control, held error) error {
	var pid int32
	for {
		step, cancel := context.WithTimeout(ctx, askTimeout)
		state, err := control.Slot(step)
		cancel()
		if err != nil || !state.Active {
			return err
		}
		if pid != 0 && state.ActivePID != pid { // another standby was faster
			r.standBy(held, r.holder(ctx, control)+" reads from the slot; this one takes over when it stops")
		}
		pid = state.ActivePID
		if !r.sleep(ctx, standbyLook) {
			return ctx.Err()
		}
	}
}
