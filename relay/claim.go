package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/walrelay/walrelay/replication"
)

// A producer id says who may write, and the slot is the lock behind it. Between the
// two much time may pass: Kafka is away, or this process is frozen, and the server
// gives the slot to another instance. An id that the coordinator gives after that is
// the newest, so it would shut out the rightful holder and let this instance send
// what it has received long ago. So with the id in hand, and before its first use,
// the server is asked whether the slot is still read by our own walsender:
//
//	START_REPLICATION ─▶ producer id taken ─▶ slot still ours ─▶ first record
//
// Whoever gets the slot later takes a newer id, which shuts this one out.

// errUnclaimed: the session ended before it was known whether the slot was its own.
var errUnclaimed = fmt.Errorf("the session ended before the producer id was its own: %w", replication.ErrStreamEnded)

// claimAgain is when the server is asked again after an error.
const claimAgain = 250 * time.Millisecond

// claim is sink.Hooks.Claim. Any goroutine.
func (r *Relay) claim(ctx context.Context) error {
	w := r.claimant.Load()
	if w == nil {
		return nil // nobody reads from the slot during a snapshot, which has a lock of its own
	}
	answer := make(chan error, 1)
	select {
	case w.claims <- answer:
	case <-w.life.Done():
		return errUnclaimed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-w.life.Done():
		return errUnclaimed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ours asks until the server has said who reads from the slot.
func (w *watch) ours(ctx context.Context) error {
	for {
		step, cancel := context.WithTimeout(ctx, askTimeout)
		state, err := w.reader(step)
		cancel()
		switch {
		case err == nil && uint32(state.ActivePID) == w.pid:
			return nil
		case err == nil:
			return fmt.Errorf("the slot was lost before Kafka had given a producer id: %w (walsender %d, ours was %d)", replication.ErrSlotActive, state.ActivePID, w.pid)
		}
		select {
		case <-ctx.Done():
			return errUnclaimed
		case <-time.After(claimAgain):
		}
	}
}

// reader looks at the slot.
func (w *watch) reader(ctx context.Context) (replication.SlotState, error) {
	if !w.connected(ctx) {
		return replication.SlotState{}, errUnclaimed // said already
	}
	state, err := w.control.Slot(ctx)
	if err != nil {
		w.found(ctx, "look at slot", err)
	}
	return state, err
}
