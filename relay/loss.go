package relay

import (
	"context"
	"errors"
	"time"

	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
)

// afterLoss brings what the sink still has to Kafka after the connection to
// PostgreSQL was lost, so that the next connection can tell what was delivered.
// That may take as long as Kafka is away, so the slot is looked at meanwhile: one
// that is lost ends the relay, after a last try to deliver. An error ends the relay.
func (r *Relay) afterLoss(ctx context.Context, cause error) error {
	p := r.producer.Load()
	if errors.Is(cause, sink.ErrFenced) || p.Err() != nil {
		return nil // startSink makes a new one
	}
	var gap error
	looked, until := time.Now(), time.Time{}
	for {
		if err := r.cut(); err != nil {
			return err
		}
		slice, cancel := context.WithTimeout(ctx, time.Second)
		err := p.Flush(slice)
		cancel()
		r.moved()
		switch {
		case err == nil, p.Err() != nil, ctx.Err() != nil, gap != nil && time.Now().After(until):
			return gap
		}
		reasons := r.kafkaReasons(p)
		if len(reasons) == 0 { // an answer is still waited for
			reasons = []Reason{reasonFor("kafka", &WaitError{"kafka", errUnacknowledged}, err.Error())}
		}
		if gap == nil && time.Since(looked) >= slotEvery {
			if gap = r.slotGone(ctx); gap != nil {
				until = time.Now().Add(stopPatience)
			}
			looked = time.Now()
		}
		if gap != nil {
			reasons = append([]Reason{reasonFor("postgres", gap, gap.Error())}, reasons...)
		}
		r.setWaiting(StateBlocked, reasons...)
	}
}

// slotGone looks at the slot while no session does. The error is a
// *replication.GapError for a slot that has vanished or was invalidated, and nil
// also when nobody can tell.
func (r *Relay) slotGone(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	control, err := replication.Connect(ctx, r.cfg.Replication)
	if err != nil {
		return nil // the next session says what is wrong
	}
	defer control.Close()
	state, err := control.Look(ctx)
	var gap *replication.GapError
	if errors.As(err, &gap) {
		r.slotMissing()
		return r.since(gap)
	}
	if err != nil {
		return nil
	}
	r.seen(&state)
	if gap := state.Lost(r.cfg.Replication.Slot); gap != nil {
		return r.since(gap)
	}
	return nil
}

// since says of a gap since when events may be missing, and from where on, as far as
// this process knows better than the server.
func (r *Relay) since(gap *replication.GapError) *replication.GapError {
	gap.Since = r.goodAt
	if gap.From == 0 {
		gap.From = r.good
	}
	return gap
}

// seen shows how the slot is, and warns before it hurts.
func (r *Relay) seen(s *replication.SlotState) {
	fullIn, growth := r.guard.look(s, time.Now())
	r.slotSeen(s, fullIn, growth)
	slot := r.cfg.Replication.Slot
	if !r.costTold {
		r.costTold = true
		costOf(&r.log, slot, s)
	}
	r.guard.say(&r.log, slot, s, fullIn)
}

// Watch goes on looking at the slot after Run has ended with an error, until ctx
// ends: a relay that is held does not read, and its slot fills.
func (r *Relay) Watch(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		_ = r.slotGone(ctx) // shown, and what ended the relay stands already
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// watching looks at the slot while a snapshot is published, until the returned
// function is called.
func (r *Relay) watching(ctx context.Context) (stop func()) {
	if r.cfg.Replication.Snapshot.Mode == replication.SnapshotOnly {
		return func() {} // there is no slot
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Watch(ctx)
	}()
	return func() { cancel(); <-done }
}

// watchEvery is how often the slot is looked at where that takes a connection.
const watchEvery = 10 * time.Second

// slotMissing shows that there is no slot.
func (r *Relay) slotMissing() {
	r.meter.slot(nil, nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.slot, r.status.lag = nil, 0
}

// lastWord keeps the error that ends the relay, for a process that is held; of a
// gap also how the slot is now.
func (r *Relay) lastWord(ctx context.Context, err error) {
	if err == nil || errors.Is(err, ErrStandby) {
		return
	}
	r.noted("end", err)
	var gap *replication.GapError
	if errors.As(err, &gap) {
		_ = r.slotGone(context.WithoutCancel(ctx)) // err says it already
	}
}
