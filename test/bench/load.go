package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// load writes single-row transactions at a fixed rate and remembers when each
// was committed. synchronous_commit stays on: without it the WAL is flushed, and
// so sent, up to three wal_writer_delay late, and that would be what is measured.
type load struct {
	tag   uint64
	rate  int // events a second, over all writers
	total int // events to write

	// Written by the writer of the event, read when write has returned.
	before []time.Time // just before COMMIT was sent
	after  []time.Time // when COMMIT returned
}

func newLoad(tag uint64, rate int, length time.Duration) *load {
	n := int(float64(rate) * length.Seconds())
	return &load{tag: tag, rate: rate, total: n, before: make([]time.Time, n), after: make([]time.Time, n)}
}

// writers is how many connections a rate needs when a commit takes 2 ms.
func (l *load) writers() int { return max(4, l.rate/250) }

// write runs the load to its end. It is an open loop: event n is due at n/rate
// whatever became of the ones before, and a writer that is late goes on at once.
func (l *load) write(ctx context.Context, o *outbox) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	conns := make([]*pgconn.PgConn, l.writers())
	for i := range conns {
		conn, err := l.connect(ctx, o.url)
		if err != nil {
			return err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		conns[i] = conn
	}
	var all sync.WaitGroup
	start := time.Now()
	for i, conn := range conns {
		all.Go(func() {
			for seq := i; seq < l.total; seq += len(conns) {
				due := start.Add(time.Duration(seq) * time.Second / time.Duration(l.rate))
				if d := time.Until(due); d > 0 {
					time.Sleep(d)
				}
				if err := l.one(ctx, conn, seq); err != nil {
					cancel(fmt.Errorf("write event %d: %w", seq, err))
					return
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func (l *load) connect(ctx context.Context, url string) (*pgconn.PgConn, error) {
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	for name, sql := range map[string]string{
		"begin":  "BEGIN",
		"insert": "INSERT INTO outbox VALUES ($1, '" + aggregateType + "', $2, '" + eventType + "', $3)",
		"commit": "COMMIT",
	} {
		if _, err := conn.Prepare(ctx, name, sql, nil); err != nil {
			conn.Close(ctx)
			return nil, err
		}
	}
	return conn, nil
}

var padding = strings.Repeat("x", paddingBytes)

// one writes one event: BEGIN and INSERT in one round trip, COMMIT in its own,
// so that the time around COMMIT holds nothing else. The aggregate is chosen so
// that it belongs to one writer, as in fill.
func (l *load) one(ctx context.Context, conn *pgconn.PgConn, seq int) error {
	aggregate := seq % (aggregates / l.writers() * l.writers())
	var insert pgconn.Batch
	insert.ExecPrepared("begin", nil, nil, nil)
	insert.ExecPrepared("insert", [][]byte{
		[]byte(eventID(l.tag, seq)),
		fmt.Appendf(nil, "agg-%04d", aggregate),
		fmt.Appendf(nil, `{"seq": %d, "pad": "%s"}`, seq, padding),
	}, nil, nil)
	if _, err := conn.ExecBatch(ctx, &insert).ReadAll(); err != nil {
		return err
	}
	l.before[seq] = time.Now()
	if result := conn.ExecPrepared(ctx, "commit", nil, nil, nil).Read(); result.Err != nil {
		return result.Err
	}
	l.after[seq] = time.Now()
	return nil
}

// achieved is the rate that was really written, in events a second, between the
// first and the last commit.
func (l *load) achieved() float64 {
	first, last := l.after[0], l.after[0]
	for _, t := range l.after {
		if t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	if !last.After(first) {
		return 0
	}
	return float64(l.total-1) / last.Sub(first).Seconds()
}

// writeOne writes a single event outside any load.
func writeOne(ctx context.Context, conn *pgx.Conn, tag uint64, seq int) error {
	_, err := conn.Exec(ctx, "INSERT INTO outbox VALUES ($1, $2, $3, $4, $5)",
		eventID(tag, seq), aggregateType, fmt.Sprintf("agg-%04d", seq%aggregates), eventType, `{"pad": "`+padding+`"}`)
	return err
}
