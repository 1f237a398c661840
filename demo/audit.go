package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// settleAfter is the age at which an event that has arrived is taken out of both
// tables and into a count, so that a demo of a day stays small. An event that
// came once more after that would be new to the inbox and count as invented.
const settleAfter = 5 * time.Minute

// auditor compares what was committed with what has arrived. It knows nothing of
// the relay: its only sources are the outbox and the inbox. It belongs to one
// goroutine at a time.
type auditor struct {
	connString string
	conn       *pgx.Conn // nil or closed: the next question opens one
	settled    int64     // events committed, delivered, and taken out of both tables
}

// ask calls f with a connection.
func (a *auditor) ask(ctx context.Context, f func(*pgx.Conn) error) error {
	if a.conn == nil || a.conn.IsClosed() {
		conn, err := pgx.Connect(ctx, a.connString)
		if err != nil {
			return err
		}
		a.conn = conn
	}
	return f(a.conn)
}

// close closes the connection.
func (a *auditor) close() { closeSoon(a.conn) }

// findings are what the comparison has found.
type findings struct {
	written, delivered, lost, invented int64
}

// compare compares both tables in one snapshot.
func (a *auditor) compare(ctx context.Context) (findings, error) {
	var f findings
	err := a.ask(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `
SELECT count(o.id), count(i.event_id),
       count(*) FILTER (WHERE i.event_id IS NULL),
       count(*) FILTER (WHERE o.id IS NULL)
FROM outbox o FULL JOIN inbox i ON i.event_id = o.id`).Scan(&f.written, &f.delivered, &f.lost, &f.invented)
	})
	if err != nil {
		return f, fmt.Errorf("compare outbox and inbox: %w", err)
	}
	f.written += a.settled
	f.delivered += a.settled
	return f, nil
}

// settle takes events that have arrived a while ago out of both tables. The
// DELETE on the outbox makes no event: that is part of what the demo shows.
func (a *auditor) settle(ctx context.Context) error {
	err := a.ask(ctx, func(conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, `
WITH arrived AS (
	DELETE FROM inbox i USING outbox o WHERE i.event_id = o.id AND i.received_at < now() - $1::interval RETURNING i.event_id
)
DELETE FROM outbox WHERE id IN (SELECT event_id FROM arrived)`, settleAfter)
		a.settled += tag.RowsAffected()
		return err
	})
	if err != nil {
		return fmt.Errorf("settle events that have arrived: %w", err)
	}
	return nil
}

// held is how much WAL the slot has not confirmed yet, in bytes.
func (a *auditor) held(ctx context.Context, slot string) (int64, error) {
	var bytes int64
	err := a.ask(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `
SELECT coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::bigint
FROM pg_replication_slots WHERE slot_name = $1`, slot).Scan(&bytes)
	})
	if err != nil {
		return 0, fmt.Errorf("slot %q: %w", slot, err)
	}
	return bytes, nil
}

// fill puts together what the tables, the shop and the consumer have counted.
func (v *Verdict) fill(f findings, s *shop, c *consumer) {
	v.Orders, v.Transactions = s.orders.Load(), s.transactions.Load()
	v.RolledBack, v.SavepointsUndone, v.RolledBackEvents = s.rolledBack.Load(), s.savepoints.Load(), s.undone.Load()
	v.Written, v.Delivered, v.Lost = f.written, f.delivered, f.lost
	v.Invented = f.invented + c.unreadable.Load()
	v.Duplicates, v.OutOfOrder = c.duplicates.Load(), c.disordered.Load()
}
