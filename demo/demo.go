package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/demo/postgres"
)

const (
	lineEvery     = 2 * time.Second
	settleEvery   = time.Minute
	drainTimeout  = 15 * time.Second // until everything committed has reached the consumer
	removeTimeout = 15 * time.Second // until topics on a given Kafka are removed
)

// Options of a demo. The zero value runs until the context ends and shows nothing.
type Options struct {
	// For is how long the shop is open. 0 means until the context ends.
	For time.Duration
	// Kafka is host:port of a Kafka to use, several with commas. Topics are made
	// there and removed in the end. Empty means an in-process stand-in.
	Kafka string
	// HTTP is where the status page listens. Empty means 127.0.0.1:9187, or a
	// free port where that is taken.
	HTTP string
	// Rate is the number of new orders a second; each makes about four events in
	// its life. Default 20.
	Rate int
	// Out gets what a person or, with Output "json", a program reads.
	Out io.Writer
	// Color allows colours in the text.
	Color bool
	// Output is "text" (default), or "json": nothing but one object at the end.
	Output string
	// Version is walrelay's, as the metrics show it. Default "demo".
	Version string
}

// Run runs a demo until ctx ends or o.For has passed, and removes what it has
// made, also when it fails. Writing o.Out ends with the verdict, whose last line
// contains "lost N".
//
// The verdict counts when err is nil; look at its OK. A demo that was stopped
// before it had started returns the context's error. Run may be called again,
// also at the same time.
func Run(ctx context.Context, o Options) (Verdict, error) {
	if o.Output != "" && o.Output != "text" && o.Output != "json" {
		return Verdict{}, fmt.Errorf(`output %q: is "text" or "json"`, o.Output)
	}
	if o.Version == "" {
		o.Version = "demo"
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	d := &demo{opt: o, screen: newScreen(o.Out, o.Color, o.Output == "json"), ledger: newLedger()}
	v, judged, err := d.run(ctx)
	if cleanup := d.cleanUp(); cleanup != nil {
		err = errors.Join(err, fmt.Errorf("clean up: %w", cleanup))
	}
	if !judged {
		return v, err
	}
	if o.Output == "json" {
		return v, errors.Join(err, v.writeJSON(o.Out))
	}
	d.screen.judge(v)
	return v, err
}

// demo is one run. Its fields are set in the order of starting and belong to the
// goroutine of Run.
type demo struct {
	opt    Options
	screen *screen
	ledger *ledger
	undo   []func() error // what was made, newest last

	server   *postgres.Server
	broker   *broker
	auditor  *auditor
	relaying *relaying
	shop     *shop
	consumer *consumer
	consumed func() // stops the consumer and waits for it
}

// onExit plans the removal of something that was made.
func (d *demo) onExit(undo func() error) { d.undo = append(d.undo, undo) }

// cleanUp removes everything that was made, newest first, whatever fails.
func (d *demo) cleanUp() error {
	var err error
	for i := len(d.undo) - 1; i >= 0; i-- {
		err = errors.Join(err, d.undo[i]())
	}
	return err
}

// run is a demo from its beginning to its verdict; judged tells whether it got
// that far.
func (d *demo) run(ctx context.Context) (v Verdict, judged bool, err error) {
	if err := d.start(ctx); err != nil {
		if ctx.Err() != nil { // err is only the echo of that
			err = fmt.Errorf("demo stopped before it had started: %w", ctx.Err())
		}
		return v, false, err
	}
	opened := time.Now()
	broken := d.open(ctx)
	v.Seconds = time.Since(opened).Seconds()

	rest := context.WithoutCancel(ctx) // Ctrl-C closes the shop; it doesn't lose events
	if broken == nil {
		d.drain(rest)
		broken = d.relaying.stop()
	}
	if broken == nil {
		broken = d.readToTheEnd(rest)
	}
	d.consumed()
	if err := d.judge(rest, &v); err != nil {
		return v, false, errors.Join(broken, err)
	}
	return v, true, broken
}

// start starts everything but the shop, from left to right.
func (d *demo) start(ctx context.Context) error {
	d.screen.printf("%s", d.screen.paint(bold, "walrelay demo")+": a shop, its outbox and Kafka, all on this machine")
	d.screen.printf("")
	if err := d.startPostgres(ctx); err != nil {
		return err
	}
	run := rand.Text()[:8]
	var err error
	d.broker, err = startBroker(ctx, d.opt.Kafka, run)
	d.onExit(func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
		defer cancel()
		return d.broker.close(ctx)
	})
	if err != nil {
		return err
	}
	d.screen.started("Kafka", d.broker.name)
	d.screen.started("topics", fmt.Sprintf("%s, %d partitions each", joined(d.broker.topics), demoPartitions))
	return d.startPrograms(ctx)
}

func (d *demo) startPostgres(ctx context.Context) error {
	begun := time.Now()
	stop := every(lineEvery, func() {
		d.screen.printf("  … PostgreSQL, %.0f s: where none is installed it is fetched, once", time.Since(begun).Seconds())
	})
	server, err := postgres.Start(ctx, postgres.Options{})
	stop()
	if err != nil {
		return err
	}
	d.server = server
	d.onExit(server.Remove)
	d.screen.started("PostgreSQL", fmt.Sprintf("%s from %s, a new server at 127.0.0.1:%d", server.Version(), server.Origin(), server.Port()))
	return nil
}

// startPrograms makes the tables and starts relay and consumer on them.
func (d *demo) startPrograms(ctx context.Context) error {
	database := d.server.ConnString("postgres")
	d.auditor = &auditor{connString: database}
	d.onExit(func() error { d.auditor.close(); return nil })
	err := d.auditor.ask(ctx, func(conn *pgx.Conn) error {
		return makeTables(ctx, conn, shopTables, seedCustomers)
	})
	if err != nil {
		return err
	}
	log := zerolog.New(zerolog.ConsoleWriter{Out: d.screen, NoColor: !d.opt.Color, TimeFormat: time.TimeOnly}).
		Level(zerolog.WarnLevel).With().Timestamp().Logger()
	if d.relaying, err = startRelay(ctx, d.opt, database, d.broker, log); err != nil {
		return err
	}
	d.onExit(d.relaying.close)
	d.screen.started("walrelay", fmt.Sprintf("slot %s, just what `walrelay run` runs", slot))
	d.screen.started("status", fmt.Sprintf("http://%s/, also /status, /readyz and /metrics", d.relaying.address))

	d.consumer, err = newConsumer(ctx, ConsumerOptions{Postgres: database, Kafka: d.broker.addresses, Topics: d.broker.topics},
		d.ledger, d.screen.tell, func(err error) { d.screen.warn("consumer: %v; trying again", err) })
	if err != nil {
		return err
	}
	d.consumed = d.background(ctx, d.consumer.run)
	d.onExit(func() error { d.consumed(); d.consumer.close(); return nil })
	select {
	case <-d.consumer.listening.asked:
	case <-time.After(drainTimeout):
		return fmt.Errorf("consumer: %s does not let it fetch within %s", d.broker.name, drainTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
	d.screen.started("consumer", "inbox table: an event that comes twice has its effect once")
	return nil
}

// background runs f until the returned stop is called, which waits for it. The
// end of ctx does not stop it.
func (d *demo) background(ctx context.Context, f func(context.Context)) (stop func()) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(life)
	}()
	return func() { cancel(); <-done }
}

// open keeps the shop open for its time, with a line now and then. It returns
// early, with an error, when the relay ends.
func (d *demo) open(ctx context.Context) error {
	o := ShopOptions{Postgres: d.server.ConnString("postgres"), Rate: d.opt.Rate, For: d.opt.For}
	o.setDefaults()
	d.shop = newShop(o, d.ledger, d.screen.tell)
	d.shop.trouble = func(err error) { d.screen.warn("shop: %v", err) }
	until := "until Ctrl-C"
	if o.For > 0 {
		until = "for " + o.For.String()
	}
	d.screen.started("shop", fmt.Sprintf("%d orders/s at %d tills, %s; one transaction in ten is rolled back", o.Rate, o.Tills, until))
	d.screen.printf("")

	ctx, closeShop := context.WithCancel(ctx)
	defer closeShop()
	stop := every(lineEvery, d.progress(ctx))
	defer stop()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		d.shop.run(ctx)
	}()
	select {
	case <-closed:
		return nil
	case <-d.relaying.ended:
		closeShop()
		<-closed
		return d.relaying.failure()
	}
}

// drain waits until everything committed has reached the consumer, and says so
// when that takes too long; the verdict will count what is missing.
func (d *demo) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	d.screen.printf("")
	d.screen.printf("  the shop is closed; waiting for the last events")
	var f findings
	err := waitFor(ctx, func() (done bool, err error) {
		f, err = d.auditor.compare(ctx)
		return f.lost == 0, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		d.screen.warn("%s events have not arrived after %s", thousands(f.lost), drainTimeout)
	} else if err != nil {
		d.screen.warn("%v", err)
	}
}

// readToTheEnd waits until the consumer has applied every record there is, so
// that a late duplicate is seen too. The relay has stopped: no more come.
func (d *demo) readToTheEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	ends, err := d.broker.ends(ctx)
	if err != nil {
		return err
	}
	err = waitFor(ctx, func() (bool, error) {
		for p, end := range ends {
			if d.consumer.position(p) < end {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("consumer: has not read its topics to the end after %s: %w", drainTimeout, err)
	}
	return nil
}

// waitFor asks until the answer is yes, an error, or ctx ends.
func waitFor(ctx context.Context, ask func() (bool, error)) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		if done, err := ask(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
	}
}

// judge fills the verdict from the tables and the counts of shop and consumer.
func (d *demo) judge(ctx context.Context, v *Verdict) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	f, err := d.auditor.compare(ctx)
	if err != nil {
		return err
	}
	v.PostgreSQL = d.server.Version() + " from " + d.server.Origin()
	v.Kafka = d.broker.name
	v.fill(f, d.shop, d.consumer)
	v.P50 = milliseconds(d.ledger.all.quantile(0.50))
	v.P99 = milliseconds(d.ledger.all.quantile(0.99))
	if last := d.shop.lastFailure.Load(); v.Written == 0 && last != nil {
		return fmt.Errorf("shop: nothing was written: %w", *last)
	}
	return nil
}
