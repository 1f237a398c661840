package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/checkpoint"
	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
)

const (
	// sayEvery is how often a snapshot's progress is logged.
	sayEvery = 10 * time.Second
	// vacuumPatience is how long a snapshot may wait for Kafka before the log says
	// what that does to the database.
	vacuumPatience = time.Minute
	// vacuumAgain is when it says so again.
	vacuumAgain = 10 * time.Minute
)

// snapshotRun publishes the rows of one snapshot. They take the way of streamed
// events; the session has no stream, because nothing is read from the slot yet.
type snapshotRun struct {
	session
	snap  *replication.Snapshot
	index int       // rows so far, of all tables: Event.Index
	alive time.Time // when the snapshot is next asked whether it still counts
	stuck time.Time // since when a row waits for room; zero when none does
	warn  time.Time // when that is said next
}

// snapshot publishes the rows that were in the outbox before the slot, and returns
// when Kafka has acknowledged all of them and the marker says so. An error means
// that nothing of it counts: the next try begins anew, with repeats.
func (r *Relay) snapshot(ctx context.Context, control *replication.Control) (replication.Position, error) {
	snap, err := r.beginSnapshot(ctx, control)
	if err != nil {
		return replication.Position{}, err
	}
	defer snap.Close()
	// The rows carry the slot's position as theirs, where the first streamed
	// transaction may commit: it must not be taken for delivered.
	defer func() { r.resume = resume{} }()
	defer r.watchSnapshot()()
	defer r.watching(ctx)()
	s := &snapshotRun{snap: snap, session: session{
		r: r, producer: r.producer.Load(), position: snap.Position(), tracker: checkpoint.New(snap.LSN()), began: time.Now(),
	}}
	s.nextTick, s.alive = s.began.Add(tickEvery), s.began.Add(sayEvery)
	r.claimant.Store(nil)
	s.producer.Fence(TransactionalID(s.position.SystemID, r.cfg.Replication.Slot))
	r.snapshotBegins(snap)
	if err := s.publish(ctx); err != nil {
		if ctx.Err() != nil {
			r.log.Warn().Int("rows", s.index).Msg("stopped in the middle of the snapshot: it begins anew at the next start, and rows that are in Kafka already are published again")
		}
		return replication.Position{}, err
	}
	r.snapshotEnds(s.index)
	return s.position, nil
}

// beginSnapshot makes the slot and opens the snapshot.
func (r *Relay) beginSnapshot(ctx context.Context, control *replication.Control) (*replication.Snapshot, error) {
	step, done := r.lively(ctx, fmt.Sprintf("slot %q is being made on %s, which takes as long as the oldest open transaction", r.cfg.Replication.Slot, r.cfg.Replication.Target()))
	snap, err := control.BeginSnapshot(step, r.say)
	if silent := done(); silent != nil && err != nil {
		err = silent
	}
	return snap, err
}

// publish brings all tables to Kafka.
func (s *snapshotRun) publish(ctx context.Context) error {
	for table := range s.r.cfg.Tables {
		if err := s.table(ctx, table); err != nil {
			return err
		}
	}
	s.snap.Release() // nothing is read any more: the server may clean up
	for {
		step, cancel := context.WithTimeout(ctx, tickEvery)
		err := s.producer.Flush(step)
		cancel()
		switch {
		case err == nil:
			return s.finish(ctx)
		case s.producer.Err() != nil:
			return s.r.refused(s.producer.Err())
		case ctx.Err() != nil:
			return err
		}
		if err := s.look(ctx, time.Now(), true); err != nil {
			return err
		}
	}
}

// finish puts the end of the snapshot into the marker.
func (s *snapshotRun) finish(ctx context.Context) error {
	step, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return s.snap.Finish(step)
}

// table brings the rows of one table to the sink.
func (s *snapshotRun) table(ctx context.Context, table int) error {
	s.r.snapshotTable(table, s.index)
	columns, err := s.snap.Open(ctx, table)
	if err != nil {
		return err
	}
	t := &s.r.cfg.Tables[table].Decoding
	relation := decoding.Relation{OID: s.snap.OID(table), Namespace: t.Schema, Name: t.Name}
	for _, c := range columns {
		relation.Columns = append(relation.Columns, decoding.Column(c))
	}
	rows := s.r.decoder.Rows(relation, s.snap.LSN(), s.snap.Time())
	rows.Announce(&s.msg)
	if err := s.handle(); err != nil {
		return err
	}
	for {
		row, ok, err := s.snap.Next(ctx)
		if err != nil || !ok {
			return err
		}
		if err := rows.Insert(row, s.index, &s.msg); err != nil {
			return err
		}
		if err := s.row(ctx); err != nil {
			return err
		}
	}
}

// row brings the row in s.msg to the sink, however long that takes.
func (s *snapshotRun) row(ctx context.Context) error {
	if err := s.handle(); err != nil {
		return err
	}
	for s.pending.waits {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	s.stuck = time.Time{}
	s.index++
	if s.index%glanceEvery == 0 {
		if now := time.Now(); !now.Before(s.nextTick) {
			s.producer.Dispatch()
			return s.look(ctx, now, false)
		}
	}
	return nil
}

// wait waits until the sink may have room, or for a tick.
func (s *snapshotRun) wait(ctx context.Context) error {
	s.producer.Dispatch()
	if s.stuck.IsZero() {
		s.stuck = time.Now()
		s.warn = s.stuck.Add(vacuumPatience)
	}
	timer := time.NewTimer(time.Until(s.nextTick))
	defer timer.Stop()
	select {
	case <-s.producer.Changed():
	case <-timer.C:
	case <-ctx.Done():
		return fmt.Errorf("publish the snapshot: %w", ctx.Err())
	}
	if err := s.offer(); err != nil {
		return err
	}
	if now := time.Now(); !now.Before(s.nextTick) {
		return s.look(ctx, now, true)
	}
	return nil
}

// look shows how things are and whether the snapshot still counts.
func (s *snapshotRun) look(ctx context.Context, now time.Time, waiting bool) error {
	s.nextTick = now.Add(tickEvery)
	s.r.recent.budget = recentEvents
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("publish the snapshot: %w", err)
	}
	if err := s.producer.Err(); err != nil {
		return s.r.refused(err)
	}
	if !now.Before(s.alive) {
		s.alive = now.Add(sayEvery)
		step, cancel := context.WithTimeout(ctx, askTimeout)
		err := s.snap.Alive(step)
		cancel()
		if err != nil {
			return err
		}
	}
	if reasons := s.r.blockage(&s.session, now, waiting); len(reasons) > 0 {
		s.r.setWaiting(StateBlocked, reasons...)
	} else {
		s.r.snapshotGoesOn(s.index)
	}
	if !s.stuck.IsZero() && now.After(s.warn) {
		s.warn = now.Add(vacuumAgain)
		s.r.log.Warn().Stringer("for", now.Sub(s.stuck).Round(time.Second)).
			Msg("the snapshot waits for Kafka with its transaction open: until it ends PostgreSQL can't clean up deleted rows in this database (vacuum), and the outbox can't be truncated or altered")
	}
	return nil
}

// watchSnapshot shows signs of life and logs progress, also while the server
// sorts before the first row, until the returned function is called.
func (r *Relay) watchSnapshot() (done func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		life, say := time.NewTicker(time.Second), time.NewTicker(sayEvery)
		defer life.Stop()
		defer say.Stop()
		for {
			select {
			case <-quit:
				return
			case <-life.C:
				r.moved()
			case <-say.C:
				r.mu.Lock()
				look := *r.status.snapshot
				r.mu.Unlock()
				r.log.Info().EmbedObject(look).Msg("publishing the snapshot")
			}
		}
	}()
	return func() { close(quit); <-ended }
}

// idle stays up after a snapshot without a slot until ctx ends.
func (r *Relay) idle(ctx context.Context) error {
	const message = "the rows of the snapshot are published, and snapshot.mode is only: nothing more is done; " +
		"to stream, set snapshot.mode to initial (which publishes the rows once more, so that nothing is missing) or to none (from then on only)"
	r.log.Info().Str("slot", r.cfg.Replication.Slot).Msg(message)
	r.setWaiting(StateIdle, Reason{Code: "snapshot", Message: message})
	for r.sleep(ctx, time.Second) {
	}
	return nil
}

// SnapshotStatus is how far the snapshot of the first start has come.
type SnapshotStatus struct {
	LSN           string     `json:"lsn"`   // where the slot begins; without one the WAL position
	Taken         time.Time  `json:"taken"` // by the server's clock
	Table         string     `json:"table"` // the one that is being read
	Rows          int        `json:"rows"`  // read so far
	EstimatedRows int64      `json:"estimated_rows,omitempty"`
	Percent       int        `json:"percent,omitempty"` // by the estimate, 100 only at the end
	Finished      *time.Time `json:"finished,omitempty"`
}

// percent of the estimate; 0 without one.
func (s *SnapshotStatus) percent() int {
	if s.EstimatedRows == 0 {
		return 0
	}
	return int(min(99, int64(s.Rows)*100/s.EstimatedRows))
}

// MarshalZerologObject puts the progress into the log.
func (s SnapshotStatus) MarshalZerologObject(e *zerolog.Event) {
	e.Str("table", s.Table).Int("rows", s.Rows)
	if s.EstimatedRows > 0 {
		e.Int64("estimated_rows", s.EstimatedRows).Int("percent", s.Percent)
	}
}

func (r *Relay) snapshotBegins(snap *replication.Snapshot) {
	status := SnapshotStatus{LSN: snap.LSN().String(), Taken: snap.Time().UTC()}
	for table := range r.cfg.Tables {
		status.EstimatedRows += snap.Estimate(table)
	}
	r.mu.Lock()
	r.status.snapshot = &status
	r.mu.Unlock()
	r.log.Info().Str("slot", r.cfg.Replication.Slot).Str("lsn", status.LSN).Int("tables", len(r.cfg.Tables)).Int64("estimated_rows", status.EstimatedRows).
		Msg("publishing the rows that were in the outbox before")
	r.snapshotGoesOn(0)
}

func (r *Relay) snapshotTable(table, rows int) {
	r.mu.Lock()
	r.status.snapshot.Table = r.cfg.Tables[table].Decoding.String()
	r.mu.Unlock()
	r.snapshotGoesOn(rows)
}

// snapshotGoesOn shows how many rows were handed over.
func (r *Relay) snapshotGoesOn(rows int) {
	r.mu.Lock()
	s := r.status.snapshot
	s.Rows, s.Percent = rows, 0
	s.Percent = s.percent()
	message := fmt.Sprintf("publishing the rows that were in the outbox before the start: %d so far", rows)
	if s.EstimatedRows > 0 {
		message += fmt.Sprintf(" of about %d (%d%%)", s.EstimatedRows, s.Percent)
	}
	r.mu.Unlock()
	r.setWaiting(StateSnapshot, Reason{Code: "snapshot", Message: message})
}

func (r *Relay) snapshotEnds(rows int) {
	now := time.Now()
	r.mu.Lock()
	s := r.status.snapshot
	s.Rows, s.Percent, s.Finished = rows, 100, &now
	took := now.Sub(s.Taken)
	r.mu.Unlock()
	r.log.Info().Int("rows", rows).Stringer("took", took.Round(time.Millisecond)).Msg("snapshot published: Kafka has acknowledged all of its rows")
}
