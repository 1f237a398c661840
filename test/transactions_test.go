package test_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/test/harness"
)

// TestRollback: what is rolled back, as a whole or to a savepoint, never reaches
// Kafka, whatever is committed around it.
func TestRollback(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	conn := s.Conn(t)
	number := 0
	insert := func(tx pgx.Tx) {
		t.Helper()
		number++
		if _, err := tx.Exec(t.Context(), fmt.Sprintf(`INSERT INTO %s (aggregatetype, aggregateid, type, payload)
			VALUES ('order', '1', 'Placed', jsonb_build_object('seq', %d))`, s.Table.Name, number)); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(in interface {
		Begin(ctx context.Context) (pgx.Tx, error)
	}) pgx.Tx {
		t.Helper()
		tx, err := in.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	end := func(f func(ctx context.Context) error) {
		t.Helper()
		if err := f(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	tx := begin(conn) // wholly rolled back
	insert(tx)
	end(tx.Rollback)

	tx = begin(conn) // 2 and 6 stay; 3, 4 and 5 are undone
	insert(tx)
	outer := begin(tx)
	insert(outer)
	inner := begin(outer)
	insert(inner)
	end(inner.Commit) // released, and undone with the outer one all the same
	insert(outer)
	end(outer.Rollback)
	insert(tx)
	end(tx.Commit)

	tx = begin(conn) // a savepoint that is kept, in a transaction that is not
	inner = begin(tx)
	insert(inner)
	end(inner.Commit)
	end(tx.Rollback)

	tx = begin(conn) // nothing but what is undone: an empty commit
	inner = begin(tx)
	insert(inner)
	end(inner.Rollback)
	end(tx.Commit)

	result := s.verify(t)
	if result.Events != 2 {
		t.Errorf("the test is wrong: %d events are committed, not 2", result.Events)
	}
	none(t, result)
	s.drained(t)
	stop(t, p)
}

// TestConcurrentWriters: eight writers with transactions of random size, partly
// rolled back, in whole or in part.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	written := s.Run(t.Context(), t, harness.Workload{
		Table: s.Table, Writers: 8, Aggregates: 40, MaxEvents: 20, Padding: 100,
		RollbackShare: 0.2, SavepointUndo: 0.2, Transactions: 2000,
	})
	t.Log(written)
	if written.RolledBack.Load() == 0 || written.Undone.Load() == 0 {
		t.Error("the test is wrong: nothing was rolled back")
	}
	none(t, s.verify(t))
	stop(t, p)
}
