package replication

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ExactlyOnce is what the marker knows of exactly-once for a slot.
type ExactlyOnce struct {
	// State is never, beginning (a watermark may be there or not) or running (one must
	// be there).
	State string
	// Generation counts the gaps that a person has accepted: a watermark of an older
	// one does not count any more, and one of a newer one means that this database was
	// put back. It is at least the seconds since 2020 when the last one was accepted, so
	// that one accepted on a database that was put back is newer than all before.
	Generation int
	// Flushed is how far the server's WAL reached when this was read.
	Flushed LSN
}

// The states of ExactlyOnce.
const (
	ExactlyOnceNever     = "never"
	ExactlyOnceBeginning = "beginning"
	ExactlyOnceRunning   = "running"
)

// BeginExactlyOnce gives what the marker knows, and notes that a watermark may be
// written from now on. Call it when the slot is ours. A *SetupError without a marker.
func (c *Control) BeginExactlyOnce(ctx context.Context) (ExactlyOnce, error) {
	var e ExactlyOnce
	var flushed string
	err := c.conn.QueryRow(ctx, `WITH before AS (SELECT slot, exactly_once, generation FROM walrelay.marker WHERE slot = $1 AND holder = $2)
		UPDATE walrelay.marker m SET exactly_once = CASE m.exactly_once WHEN 'never' THEN 'beginning' ELSE m.exactly_once END
		FROM before WHERE m.slot = before.slot RETURNING before.exactly_once, before.generation, pg_current_wal_flush_lsn()::text`, c.config.Slot, c.config.holder()).Scan(&e.State, &e.Generation, &flushed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return e, fmt.Errorf("begin exactly-once with slot %q: %w", c.config.Slot, ErrNotHolder)
	case err != nil:
		return e, &SetupError{Problem: fmt.Sprintf("exactly-once needs walrelay.marker, which can't be written: %v", err), Remedy: PrivilegeSQL(c.config, c.server.role), Err: err}
	}
	return e, parseLSN(flushed, &e.Flushed)
}

// ExactlyOnceRuns notes that a watermark is in Kafka.
func (c *Control) ExactlyOnceRuns(ctx context.Context) error {
	_, err := c.conn.Exec(ctx, `UPDATE walrelay.marker SET exactly_once = 'running' WHERE slot = $1 AND holder = $2`, c.config.Slot, c.config.holder())
	if err != nil {
		return fmt.Errorf("note that exactly-once runs with slot %q: %w", c.config.Slot, err)
	}
	return nil
}

// newGeneration makes the watermark that may be in Kafka count no more.
func (c *Control) newGeneration(ctx context.Context) error {
	_, err := c.conn.Exec(ctx, `UPDATE walrelay.marker SET exactly_once = 'never', generation = greatest(generation + 1, extract(epoch FROM now() - '2020-01-01Z'::timestamptz)::int) WHERE slot = $1`, c.config.Slot)
	if err != nil {
		return c.rightsError("write walrelay.marker", err)
	}
	return nil
}
