package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
)

const (
	defaultRate  = 20
	defaultTills = 4
	defaultEvery = 10 * time.Second

	transactionTimeout = 10 * time.Second
)

// ShopOptions says where a shop writes and how busy it is.
type ShopOptions struct {
	// Postgres is the connection string of the shop's database. Empty means the
	// PG* variables and ~/.pgpass, as in libpq.
	Postgres string
	// Rate is the number of new orders a second; each makes about four events
	// in its life. Default 20.
	Rate int
	// Tills is the number of connections that write at the same time. Default 4.
	Tills int
	// For is how long the shop is open. 0 means until the context ends.
	For time.Duration
	// Every is how often a line is written to Out. Default 10 s.
	Every time.Duration
	// Out gets a line now and then and what went wrong. Default: nothing.
	Out io.Writer
}

func (o *ShopOptions) setDefaults() {
	if o.Rate <= 0 {
		o.Rate = defaultRate
	}
	if o.Tills <= 0 {
		o.Tills = defaultTills
	}
	if o.Every <= 0 {
		o.Every = defaultEvery
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
}

// RunShop writes orders and their outbox rows until ctx ends or o.For has
// passed. It makes the tables it needs (customers, orders, order_items, outbox)
// where they are missing and leaves them behind. PostgreSQL may go away and come
// back: the shop waits for it, at the start too. It returns nil when it was
// stopped, and an error only when PostgreSQL refuses what no waiting can change
// before the first order.
func RunShop(ctx context.Context, o ShopOptions) error {
	o.setDefaults()
	lines := &lineWriter{out: o.Out}
	conn, err := connect(ctx, o.Postgres, func(err error) { lines.printf("shop: %v; trying again", err) })
	if err != nil {
		return unlessStopped(ctx, fmt.Errorf("shop: %w", err))
	}
	err = makeTables(ctx, conn, shopTables, seedCustomers)
	closeSoon(conn)
	if err != nil {
		return unlessStopped(ctx, fmt.Errorf("shop: %w", err))
	}
	s := newShop(o, nil, nil)
	s.trouble = func(err error) { lines.printf("shop: %v", err) }
	lines.printf("shop: open, %d orders/s at %d tills", o.Rate, o.Tills)
	stop := every(o.Every, func() { lines.printf("shop: %s", s.summary()) })
	s.run(ctx)
	stop()
	lines.printf("shop: closed; %s", s.summary())
	return nil
}

// shop takes orders and moves them on. One goroutine keeps the agenda, each
// till is a goroutine with a connection of its own.
type shop struct {
	opt     ShopOptions
	ledger  *ledger            // nil when the shop stands alone
	tell    func(kind, string) // a story worth telling; never nil
	trouble func(error)        // a transaction that failed; never nil

	agenda agenda
	visits chan visit // from the agenda to the tills

	orders, transactions, events   atomic.Int64 // committed
	rolledBack, savepoints, undone atomic.Int64 // undone on purpose: transactions, savepoints, outbox rows
	lastFailure                    atomic.Pointer[error]
}

func newShop(o ShopOptions, l *ledger, tell func(kind, string)) *shop {
	if tell == nil {
		tell = func(kind, string) {}
	}
	return &shop{opt: o, ledger: l, tell: tell, trouble: func(error) {}, agenda: newAgenda(o.Rate), visits: make(chan visit)}
}

// run opens the shop until ctx ends or opt.For has passed. When it returns, no
// transaction is open and every COMMIT has been answered or given up.
func (s *shop) run(ctx context.Context) {
	if s.opt.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.opt.For)
		defer cancel()
	}
	var tills sync.WaitGroup
	for range s.opt.Tills {
		tills.Go(func() { s.till(ctx) })
	}
	for {
		v, ok := s.agenda.next(ctx)
		if !ok {
			break
		}
		select {
		case s.visits <- v:
		case <-ctx.Done():
		}
	}
	close(s.visits)
	tills.Wait()
}

// till serves one visit after the other on a connection of its own, and opens a
// new one when that breaks.
func (s *shop) till(ctx context.Context) {
	var conn *pgx.Conn
	defer func() { closeSoon(conn) }()
	for v := range s.visits {
		if conn == nil || conn.IsClosed() {
			var err error
			if conn, err = connect(ctx, s.opt.Postgres, s.failed); err != nil {
				if ctx.Err() == nil {
					s.failed(err)
				}
				continue
			}
		}
		if err := s.serve(ctx, conn, v); err != nil {
			s.failed(err)
		}
	}
}

func (s *shop) failed(err error) {
	s.lastFailure.Store(&err)
	s.trouble(err)
}

// serve does one visit in one transaction. A stop of the shop does not cut it
// off: a COMMIT without an answer would make its outcome unknown.
func (s *shop) serve(ctx context.Context, conn *pgx.Conn, v visit) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), transactionTimeout)
	defer cancel()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(ctx) // after COMMIT it does nothing
	p := purchase{tx: tx}
	after, err := v.do(ctx, &p)
	if errors.Is(err, errMovedOn) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s of order %d: %w", v.step, v.order, err)
	}
	if reason, ok := changeOfMind(v.step); ok {
		if err := tx.Rollback(ctx); err != nil {
			return fmt.Errorf("roll back: %w", err)
		}
		s.regretted(v, &p, reason)
		return nil
	}
	s.ledger.committing(p.events)
	if err := tx.Commit(ctx); err != nil {
		s.ledger.forget(p.events)
		return fmt.Errorf("commit: %w", err)
	}
	s.committed(&p, after)
	return nil
}

// committed counts what a committed transaction has done and plans what comes next.
func (s *shop) committed(p *purchase, after *visit) {
	s.transactions.Add(1)
	s.events.Add(int64(len(p.events)))
	s.orders.Add(p.placed)
	s.savepoints.Add(int64(p.undone))
	s.undone.Add(int64(p.undone))
	if p.undone > 0 {
		s.tell(kindSavepoint, fmt.Sprintf("order %d wanted gift wrap, there was none: ROLLBACK TO SAVEPOINT took that event back, the order itself was committed", p.order))
	}
	if after != nil {
		s.agenda.add(*after)
	}
}

// regretted counts a transaction that was rolled back. An order that exists
// comes again, so that its life goes on.
func (s *shop) regretted(v visit, p *purchase, reason string) {
	s.rolledBack.Add(1)
	s.undone.Add(int64(len(p.events) + p.undone))
	s.tell(kindRollback, fmt.Sprintf("order %d: %s, ROLLBACK; its event %s was written to the outbox and nobody will ever see it", p.order, reason, p.last))
	if v.step != stepPlace {
		v.due = time.Now().Add(pause())
		s.agenda.add(v)
	}
}

// summary is what the shop has done so far, in words.
func (s *shop) summary() string {
	return fmt.Sprintf("%s orders placed, %s events committed, %s transactions rolled back",
		thousands(s.orders.Load()), thousands(s.events.Load()), thousands(s.rolledBack.Load()))
}

// changeOfMind decides whether a transaction is rolled back at its end, in about
// one of ten, and why.
func changeOfMind(step step) (reason string, yes bool) {
	if rand.IntN(10) != 0 {
		return "", false
	}
	return step.regret(), true
}

// pause is the time until the next step in the life of an order.
func pause() time.Duration {
	return 100*time.Millisecond + rand.N(900*time.Millisecond)
}

// connect opens a connection, as often and as long as it takes. It gives up when
// ctx ends, and at once where waiting can't help: an impossible connection
// string. tried gets the error of each attempt that will be repeated.
func connect(ctx context.Context, connString string, tried func(error)) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(connString)
	if err != nil {
		return nil, fmt.Errorf("connection string: %w", err)
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 100*time.Millisecond, 5*time.Second
	return backoff.Retry(ctx, func() (*pgx.Conn, error) {
		return pgx.ConnectConfig(ctx, config)
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, _ time.Duration) { tried(err) }))
}

// closeSoon closes a connection, politely but not for longer than a second.
func closeSoon(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // the session ends either way
}

// unlessStopped is err, or nil when ctx has ended and err is only the echo of that.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
