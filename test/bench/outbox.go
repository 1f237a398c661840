package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

const (
	publication   = "bench"
	aggregates    = 5000
	partitions    = 6
	paddingBytes  = 256
	eventType     = "OrderPlaced"
	fillers       = 4 // connections that write a backlog
	aggregateType = "order"
)

// outbox is a database of its own with an outbox table, its publication and
// slots. Its control connection belongs to one goroutine.
type outbox struct {
	url  string // of this database
	name string // of this database
	base string // slot made before any event, copied for each contender
	tag  uint64 // upper half of the event ids
	conn *pgx.Conn
	root string // URL of the server
}

// tableSQL is the outbox in Debezium's shape. Autovacuum is off: it would start
// in the middle of a measurement, for one contender and not for the next.
const tableSQL = `CREATE TABLE outbox (
	id uuid PRIMARY KEY,
	aggregatetype varchar(255) NOT NULL,
	aggregateid varchar(255) NOT NULL,
	type varchar(255) NOT NULL,
	payload jsonb
) WITH (autovacuum_enabled = false, toast.autovacuum_enabled = false)`

// newOutbox makes the database, table, publication and base slot, in the order
// that logical decoding wants: the publication before the slot, both before the
// first event.
func newOutbox(ctx context.Context, serverURL, name string, tag uint64) (_ *outbox, err error) {
	o := &outbox{name: name, base: name, tag: tag, root: serverURL}
	if o.url, err = withDatabase(serverURL, name); err != nil {
		return nil, err
	}
	if err := o.onServer(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return nil, fmt.Errorf("create database %q: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = o.close(ctx) // the error at hand says more
		}
	}()
	if o.conn, err = pgx.Connect(ctx, o.url); err != nil {
		return nil, err
	}
	for _, sql := range []string{
		tableSQL,
		"CREATE PUBLICATION " + publication + " FOR TABLE outbox WITH (publish = 'insert', publish_via_partition_root = true)",
		"SELECT pg_create_logical_replication_slot('" + o.base + "', 'pgoutput')",
	} {
		if _, err := o.conn.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("make the outbox: %w", err)
		}
	}
	return o, nil
}

// withDatabase returns the server's URL with another database.
func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("--postgres: want a URL like postgres://user@host:5432/postgres")
	}
	u.Path = "/" + name
	return u.String(), nil
}

// onServer runs one statement outside the outbox's own database.
func (o *outbox) onServer(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, o.root)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// fillSQL writes events first, first+step, … below last, perTx a transaction.
// An aggregate belongs to one filler (its number modulo the fillers), so within
// an aggregate the running number rises in commit order and the verifier can
// check order without knowing the WAL. synchronous_commit is off while filling
// only: nothing is measured yet.
const fillSQL = `DO $fill$
BEGIN
	FOR tx IN 0..%[5]d LOOP
		INSERT INTO outbox
		SELECT (lpad(to_hex(%[1]d::bigint), 16, '0') || lpad(to_hex(seq), 16, '0'))::uuid,
			'` + aggregateType + `', 'agg-' || lpad((seq %% %[6]d)::text, 4, '0'), '` + eventType + `',
			jsonb_build_object('seq', seq, 'pad', repeat('x', %[7]d))
		FROM (SELECT %[2]d + (tx::bigint * %[4]d + i) * %[3]d AS seq FROM generate_series(0, %[4]d - 1) AS i) AS n;
		COMMIT;
	END LOOP;
END $fill$`

// fill writes n events, perTx a transaction, over several connections, and
// returns the LSN behind the last one. first is the number of the first event.
func (o *outbox) fill(ctx context.Context, first, n, perTx int) (pglogrepl.LSN, error) {
	writers := fillers
	for writers > 1 && n%(writers*perTx) != 0 {
		writers /= 2 // a divisor of aggregates: see fillSQL
	}
	errs := make(chan error, writers)
	for w := range writers {
		sql := fmt.Sprintf(fillSQL, o.tag, first+w, writers, perTx, n/writers/perTx-1, aggregates, paddingBytes)
		go func() { errs <- o.fillPart(ctx, sql) }()
	}
	var failed error
	for range writers {
		if err := <-errs; err != nil {
			failed = err
		}
	}
	if failed != nil {
		return 0, fmt.Errorf("fill the outbox: %w", failed)
	}
	return o.flushWAL(ctx)
}

func (o *outbox) fillPart(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, o.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SET synchronous_commit = off"); err != nil {
		return err
	}
	_, err = conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// flushWAL returns the end of the WAL and makes sure it is on disk: a walsender
// sends flushed WAL only. The checkpoint does that, adds a record behind the
// end, which is what a reader with an end position waits for, and keeps the
// next checkpoint out of the measurement.
func (o *outbox) flushWAL(ctx context.Context) (pglogrepl.LSN, error) {
	var text string
	if err := o.conn.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&text); err != nil {
		return 0, err
	}
	if _, err := o.conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return 0, err
	}
	return pglogrepl.ParseLSN(text)
}

// copySlot makes a slot that starts where the base slot stands.
func (o *outbox) copySlot(ctx context.Context, name string) error {
	_, err := o.conn.Exec(ctx, "SELECT pg_copy_logical_replication_slot($1, $2)", o.base, name)
	if err != nil {
		return fmt.Errorf("copy slot %q to %q: %w", o.base, name, err)
	}
	return nil
}

// confirmed returns a slot's confirmed_flush_lsn.
func (o *outbox) confirmed(ctx context.Context, slot string) (pglogrepl.LSN, error) {
	var text string
	err := o.conn.QueryRow(ctx, "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1", slot).Scan(&text)
	if err != nil {
		return 0, fmt.Errorf("look at slot %q: %w", slot, err)
	}
	return pglogrepl.ParseLSN(text)
}

// awaitConfirmed waits until a slot is confirmed up to end and returns how long
// that took.
func (o *outbox) awaitConfirmed(ctx context.Context, slot string, end pglogrepl.LSN) (time.Duration, error) {
	const limit = 30 * time.Second
	for start := time.Now(); ; {
		lsn, err := o.confirmed(ctx, slot)
		if err != nil {
			return 0, err
		}
		if lsn >= end {
			return time.Since(start), nil
		}
		if time.Since(start) > limit {
			return 0, fmt.Errorf("slot %q is confirmed to %s, not to %s, %s after the last record", slot, lsn, end, limit)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// dropSlot drops a slot, waiting for its walsender to leave, and the marker that
// walrelay keeps beside the outbox, so that the next run is a first start on an
// existing slot again.
func (o *outbox) dropSlot(ctx context.Context, slot string) error {
	ctx = context.WithoutCancel(ctx)
	var err error
	for range 200 {
		_, err = o.conn.Exec(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", slot)
		if err == nil {
			_, err = o.conn.Exec(ctx, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS walrelay CASCADE")
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("drop slot %q: %w", slot, err)
}

// close drops every slot of this database and the database itself, whatever
// state the run left them in: a forgotten slot would hold back WAL for ever.
func (o *outbox) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if o.conn != nil {
		o.conn.Close(ctx)
	}
	where := " FROM pg_replication_slots WHERE database = '" + o.name + "'"
	if err := o.onServer(ctx, "SELECT pg_terminate_backend(active_pid)"+where+" AND active"); err != nil {
		return err
	}
	var err error
	for range 100 {
		if err = o.onServer(ctx, "SELECT pg_drop_replication_slot(slot_name)"+where); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("drop the slots of database %q: %w", o.name, err)
	}
	return o.onServer(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{o.name}.Sanitize()+" WITH (FORCE)")
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
