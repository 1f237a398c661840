package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const tableSQL = `CREATE TABLE outbox (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregatetype text NOT NULL,
	aggregateid text NOT NULL, type text NOT NULL, payload jsonb NOT NULL)`

// insertSQL writes an event, which is deleted at once: it is in the WAL, and the table
// stays empty.
const insertSQL = `INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', $1, 'Placed', $2) RETURNING id`

// load writes until its context ends. Each writer has aggregates of its own, so the
// numbers of an aggregate rise in the order of the commits.
type load struct {
	counts []int // committed events by aggregate; after wait
	wg     sync.WaitGroup
	errs   chan error
}

func startLoad(ctx context.Context, address string, s settings) *load {
	l := &load{counts: make([]int, s.aggregates), errs: make(chan error, s.writers)}
	for w := range s.writers {
		l.wg.Go(func() { l.errs <- l.write(ctx, address, s, w) })
	}
	return l
}

// wait returns when all writers have ended.
func (l *load) wait() error {
	l.wg.Wait()
	close(l.errs)
	var all []error
	for err := range l.errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// write is one writer. A transaction that has begun is finished.
func (l *load) write(ctx context.Context, address string, s settings, writer int) error {
	working := context.WithoutCancel(ctx)
	conn, err := pgx.Connect(working, address)
	if err != nil {
		return err
	}
	defer conn.Close(working)
	random := rand.New(rand.NewPCG(uint64(writer), 6))
	pace := time.Duration(float64(time.Second) * float64(s.writers) / float64(s.rate))
	due := time.Now()
	for ctx.Err() == nil {
		n := 1 + random.IntN(5)
		if err := l.transaction(working, conn, s, writer, n, random); err != nil {
			return fmt.Errorf("writer %d: %w", writer, err)
		}
		// A machine that can't keep up does not make up for it later.
		due = maxTime(due.Add(time.Duration(n)*pace), time.Now().Add(-time.Second))
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(due)):
		}
	}
	return nil
}

// transaction writes n events; one in ten is rolled back.
func (l *load) transaction(ctx context.Context, conn *pgx.Conn, s settings, writer, n int, random *rand.Rand) error {
	rolled := random.IntN(10) == 0
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx) // after a commit it does nothing
	fresh := map[int]int{}
	for range n {
		a := random.IntN(s.aggregates/s.writers)*s.writers + writer
		fresh[a]++
		payload, err := json.Marshal(event{Aggregate: a, Number: l.counts[a] + fresh[a], Rolled: rolled})
		if err != nil {
			return err
		}
		var id string
		if err := tx.QueryRow(ctx, insertSQL, fmt.Sprintf("order-%d", a), payload).Scan(&id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM outbox WHERE id = $1", id); err != nil {
			return err
		}
	}
	if rolled {
		return tx.Rollback(ctx)
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	for a, more := range fresh {
		l.counts[a] += more
	}
	return nil
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
