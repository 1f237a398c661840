package replication

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Reader is the connection that reads from a slot.
type Reader struct {
	PID int32 // its walsender
	// What pg_stat_activity shows to its own role, to superusers and to members of
	// pg_read_all_stats; "" and zero for others.
	Name    string // application_name: "walrelay SLOT HOST:PROCESS" of an instance
	Address string // "" also for a Unix socket
	Since   time.Time
}

// Reader says who reads from the slot; a zero PID when nobody does.
func (c *Control) Reader(ctx context.Context) (Reader, error) {
	var r Reader
	var since *time.Time
	err := c.conn.QueryRow(ctx, `SELECT s.active_pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), ''), a.backend_start
		FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
		WHERE s.slot_name = $1 AND s.active_pid IS NOT NULL`, c.config.Slot).Scan(&r.PID, &r.Name, &r.Address, &since)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Reader{}, nil
	case err != nil:
		return Reader{}, fmt.Errorf("look at the reader of slot %q: %w", c.config.Slot, err)
	}
	if since != nil {
		r.Since = *since
	}
	return r, nil
}
