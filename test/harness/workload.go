package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Workload is a shop: writers that put events into an outbox in transactions of
// random size, some rolled back, some with a savepoint rolled back. An
// aggregate's row is locked while its number grows, so the payload's "seq" is
// the order of commits. Writers connect again when the database goes away.
type Workload struct {
	Table         Table
	AggregateType string        // default "order"
	Writers       int           // default 4
	Aggregates    int           // default 50
	MaxEvents     int           // of one transaction; default 5
	Padding       int           // bytes in each payload
	Pause         time.Duration // of a writer between transactions; 0: flat out
	Rate          float64       // events committed a second, of all writers, where the server allows it; 0: flat out
	RollbackShare float64       // of transactions, 0 to 1
	SavepointUndo float64       // of events, 0 to 1, undone by a savepoint
	Transactions  int64         // stop after so many; 0: when the context ends
	Seed          uint64        // default: random, and printed when the test fails
}

// Written counts what a workload did, as far as the writers know: a commit
// whose answer was lost is in none. The table has the truth.
type Written struct{ Committed, RolledBack, Undone, Reconnects atomic.Int64 }

func (w *Written) String() string {
	return fmt.Sprintf("events committed %d, rolled back %d, undone by savepoints %d, reconnects %d",
		w.Committed.Load(), w.RolledBack.Load(), w.Undone.Load(), w.Reconnects.Load())
}

// Run writes until the context ends or the transactions are done, and then
// returns. It may run in a goroutine; it reports errors that no reconnect heals
// with t.Error.
func (db *DB) Run(ctx context.Context, t testing.TB, w Workload) *Written {
	t.Helper()
	w.setDefaults()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("workload seed %d", w.Seed)
		}
	})
	if err := w.prepare(ctx, db); err != nil {
		t.Errorf("prepare the workload: %v", err)
		return &Written{}
	}
	written := &Written{}
	var left atomic.Int64
	left.Store(w.Transactions)
	var writers sync.WaitGroup
	for i := range w.Writers {
		writers.Go(func() {
			one := writer{Workload: w, db: db, written: written, random: rand.New(rand.NewPCG(w.Seed, uint64(i)))}
			if err := one.run(ctx, &left); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	writers.Wait()
	return written
}

func (w *Workload) setDefaults() {
	if w.AggregateType == "" {
		w.AggregateType = "order"
	}
	if w.Writers == 0 {
		w.Writers = 4
	}
	if w.Aggregates == 0 {
		w.Aggregates = 50
	}
	if w.MaxEvents == 0 {
		w.MaxEvents = 5
	}
	if w.Seed == 0 {
		w.Seed = rand.Uint64()
	}
}

// numbers is the table of the aggregates' last numbers.
const numbers = "public.harness_numbers"

func (w *Workload) prepare(ctx context.Context, db *DB) error {
	return db.run(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+numbers+" (type text, id int, seq bigint NOT NULL, PRIMARY KEY (type, id)) WITH (fillfactor = 50)"); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "INSERT INTO "+numbers+" SELECT $1, n, 0 FROM generate_series(1, $2::int) n ON CONFLICT DO NOTHING", w.AggregateType, w.Aggregates)
		return err
	})
}

// writer is one session of the shop.
type writer struct {
	Workload
	db      *DB
	written *Written
	random  *rand.Rand
	insert  string
	due     time.Time // of the next transaction, with a Rate
	kept    int64     // events committed since the last pace
}

// pace waits for the time of the next transaction. A writer that was held up makes
// up for a moment of it only: a server that comes back is not flooded.
func (w *writer) pace(ctx context.Context, events int64) {
	const most = 100 * time.Millisecond
	now := time.Now()
	if w.due.Before(now.Add(-most)) {
		w.due = now.Add(-most)
	}
	w.due = w.due.Add(time.Duration(float64(events) * float64(w.Writers) / w.Rate * float64(time.Second)))
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(w.due)):
	}
}

func (w *writer) run(ctx context.Context, left *atomic.Int64) error {
	w.insert = fmt.Sprintf(`WITH next AS (UPDATE %s SET seq = seq + 1 WHERE type = $1 AND id = $2 RETURNING seq)
		INSERT INTO %s (%s, %s, %s, payload)
		SELECT $1, $2::int::text, $3, jsonb_build_object('seq', seq, 'pad', $4::text) FROM next`,
		numbers, w.Table.Name, w.Table.AggregateType, w.Table.AggregateID, w.Table.Type)
	var conn *pgx.Conn
	defer func() {
		if conn != nil {
			conn.Close(context.WithoutCancel(ctx))
		}
	}()
	for first := true; ctx.Err() == nil; first = false {
		if w.Transactions > 0 && left.Add(-1) < 0 {
			return nil
		}
		if !first && w.Pause > 0 {
			await(ctx, after(w.Pause))
		}
		if w.Rate > 0 {
			w.pace(ctx, w.kept)
			w.kept = 0
		}
		if conn == nil {
			var err error
			if conn, err = pgx.Connect(ctx, w.db.address); err != nil {
				conn = nil
				if !passing(err) && ctx.Err() == nil {
					return err
				}
				w.written.Reconnects.Add(1)
				left.Add(1)
				await(ctx, after(5*tick))
				continue
			}
		}
		if err := w.transaction(ctx, conn); err != nil {
			conn.Close(context.WithoutCancel(ctx))
			conn = nil
			if !passing(err) && ctx.Err() == nil {
				return err
			}
		}
	}
	return nil
}

// after is a condition that holds once d has passed.
func after(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return !time.Now().Before(end) }
}

// passing says whether an error is the server going away for a while.
func passing(err error) bool {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return true // the network's
	}
	// 57P01 to 57P03: shutting down, crashed, starting up; 08: connection.
	return strings.HasPrefix(server.Code, "57P0") || strings.HasPrefix(server.Code, "08")
}

// commitTimeout is for a COMMIT on a server that does not answer.
const commitTimeout = 30 * time.Second

func (w *writer) transaction(ctx context.Context, conn *pgx.Conn) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	aggregates := w.random.Perm(w.Aggregates)[:min(w.Aggregates, 1+w.random.IntN(w.MaxEvents))]
	slices.Sort(aggregates) // one order of locks: no deadlocks
	var kept, undone int64
	for _, aggregate := range aggregates {
		undo := w.random.Float64() < w.SavepointUndo
		if err := w.event(ctx, tx, aggregate+1, undo); err != nil {
			return err
		}
		if undo {
			undone++
		} else {
			kept++
		}
	}
	if w.random.Float64() < w.RollbackShare {
		if err := tx.Rollback(ctx); err != nil {
			return err
		}
		w.written.RolledBack.Add(kept)
	} else {
		// A COMMIT that is cut off may still take effect, after the truth was read.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
		defer cancel()
		if err := tx.Commit(ending); err != nil {
			return err
		}
		w.written.Committed.Add(kept)
		w.kept = kept
	}
	w.written.Undone.Add(undone)
	return nil
}

func (w *writer) event(ctx context.Context, tx pgx.Tx, aggregate int, undo bool) error {
	target := tx
	if undo {
		savepoint, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		target = savepoint
	}
	kind := [...]string{"Placed", "Paid", "Shipped"}[w.random.IntN(3)]
	tag, err := target.Exec(ctx, w.insert, w.AggregateType, aggregate, kind, strings.Repeat("x", w.Padding))
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("aggregate %d has no row in %s", aggregate, numbers)
	}
	if undo {
		return target.Rollback(ctx)
	}
	return nil
}

// Backlog is many events, written by the server itself.
type Backlog struct {
	Table          Table
	AggregateType  string // default "backlog"
	Events         int
	PerTransaction int // 0: all in one transaction
	Aggregates     int // default 1000
	Padding        int // bytes in each payload
	First          int // number of events of this type written before; they go on from there
}

// Write writes the backlog: about 100,000 events a second and more in large
// transactions. The connection must not be in a transaction, and has
// synchronous_commit off afterwards.
func (b Backlog) Write(ctx context.Context, conn *pgx.Conn) error {
	if b.AggregateType == "" {
		b.AggregateType = "backlog"
	}
	if b.Aggregates == 0 {
		b.Aggregates = 1000
	}
	if b.PerTransaction == 0 {
		b.PerTransaction = max(b.Events, 1)
	}
	insert := fmt.Sprintf(`INSERT INTO %s (%s, %s, %s, payload)
		SELECT '%s', mod(n, %d)::text, 'Placed', jsonb_build_object('seq', n / %d, 'pad', repeat('x', %d))
		FROM generate_series(%%s, %%s) n`,
		b.Table.Name, b.Table.AggregateType, b.Table.AggregateID, b.Table.Type,
		strings.ReplaceAll(b.AggregateType, "'", "''"), b.Aggregates, b.Aggregates, b.Padding)
	sql := fmt.Sprintf(`SET synchronous_commit = off;
		DO $backlog$ BEGIN
			FOR begin_at IN %d .. %d BY %d LOOP %s; COMMIT; END LOOP;
		END $backlog$`, b.First, b.First+b.Events-1, b.PerTransaction,
		fmt.Sprintf(insert, "begin_at", fmt.Sprintf("least(begin_at + %d, %d)", b.PerTransaction-1, b.First+b.Events-1)))
	for _, statement := range strings.SplitN(sql, ";", 2) {
		if _, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("write a backlog of %d events: %w", b.Events, err)
		}
	}
	return nil
}

// WriteBacklog is Backlog.Write on a connection of its own.
func (db *DB) WriteBacklog(t testing.TB, b Backlog) {
	t.Helper()
	if err := db.run(t.Context(), func(conn *pgx.Conn) error { return b.Write(t.Context(), conn) }); err != nil {
		t.Fatal(err)
	}
}
