package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxPoll bounds the records of one transaction of the consumer.
const maxPoll = 500

// ConsumerOptions says what a consumer reads and where its inbox is.
type ConsumerOptions struct {
	// Postgres is the connection string of the database with the inbox. Empty
	// means the PG* variables and ~/.pgpass, as in libpq.
	Postgres string
	// Kafka are the bootstrap brokers, host:port. Default localhost:9092.
	Kafka []string
	// Topics are read from their beginning, or from where Group stopped.
	// Default outbox.event.order and outbox.event.customer.
	Topics []string
	// Group is the consumer group. Empty means none: all partitions, from the
	// beginning at every start; the inbox skips what it knows.
	Group string
	// Every is how often a line is written to Out. Default 10 s.
	Every time.Duration
	// Out gets a line now and then and what went wrong. Default: nothing.
	Out io.Writer
}

func (o *ConsumerOptions) setDefaults() {
	if len(o.Kafka) == 0 {
		o.Kafka = []string{"localhost:9092"}
	}
	if len(o.Topics) == 0 {
		o.Topics = []string{"outbox.event.order", "outbox.event.customer"}
	}
	if o.Every <= 0 {
		o.Every = defaultEvery
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
}

// RunConsumer consumes the shop's events with an inbox table until ctx ends. It
// makes the tables it needs (inbox, aggregate_view) where they are missing and
// leaves them behind. PostgreSQL and Kafka may go away and come back: it waits
// for them. It returns nil when it was stopped, and an error when it can't start.
func RunConsumer(ctx context.Context, o ConsumerOptions) error {
	o.setDefaults()
	lines := &lineWriter{out: o.Out}
	trouble := func(err error) { lines.printf("consumer: %v; trying again", err) }
	c, err := newConsumer(ctx, o, nil, nil, trouble)
	if err != nil {
		return unlessStopped(ctx, fmt.Errorf("consumer: %w", err))
	}
	defer c.close()
	lines.printf("consumer: reading %s from %s", strings.Join(o.Topics, ", "), strings.Join(o.Kafka, ","))
	stop := every(o.Every, func() { lines.printf("consumer: %s", c.summary()) })
	defer stop()
	c.run(ctx)
	return nil
}

// consumer is an idempotent consumer. In one transaction it writes the event id
// to its inbox and lets the event have its effect; an id that is there already
// had its effect, and is skipped. So it may get an event any number of times.
//
// run belongs to one goroutine; counts and positions may be read by others.
type consumer struct {
	opt     ConsumerOptions
	client  *kgo.Client
	conn    *pgx.Conn
	ledger  *ledger            // nil when the consumer stands alone
	tell    func(kind, string) // a story worth telling; never nil
	trouble func(error)        // what will be tried again; never nil

	listening *firstFetch // tells when the client asks for records

	consumed   atomic.Int64 // records
	effective  atomic.Int64 // events that had their effect
	duplicates atomic.Int64 // events that the inbox knew
	disordered atomic.Int64 // events after a newer one of the same aggregate
	unreadable atomic.Int64 // records that are no events of the shop

	mu        sync.Mutex
	positions map[partition]int64 // guarded by mu; the offset after the newest applied record
}

// partition is one partition of a topic.
type partition struct {
	topic string
	id    int32
}

// firstFetch is a hook of the client that tells when it asks a broker for records
// for the first time: from then on a record reaches it as soon as it is there.
type firstFetch struct {
	once  sync.Once
	asked chan struct{} // closed at the first Fetch request
}

func newFirstFetch() *firstFetch { return &firstFetch{asked: make(chan struct{})} }

// OnBrokerWrite is kgo.HookBrokerWrite.
func (f *firstFetch) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == int16(kmsg.Fetch) && err == nil {
		f.once.Do(func() { close(f.asked) })
	}
}

// newConsumer connects to both sides and makes the consumer's tables.
func newConsumer(ctx context.Context, o ConsumerOptions, l *ledger, tell func(kind, string), trouble func(error)) (*consumer, error) {
	if tell == nil {
		tell = func(kind, string) {}
	}
	c := &consumer{opt: o, ledger: l, tell: tell, trouble: trouble, listening: newFirstFetch(), positions: make(map[partition]int64)}
	var err error
	if c.conn, err = connect(ctx, o.Postgres, trouble); err != nil {
		return nil, err
	}
	if err = makeTables(ctx, c.conn, consumerTables); err != nil {
		closeSoon(c.conn)
		return nil, err
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(o.Kafka...),
		kgo.ConsumeTopics(o.Topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // an end of the log may be a marker's
		kgo.ClientID("walrelay-demo-consumer"),
		kgo.WithHooks(c.listening),
	}
	if o.Group != "" {
		options = append(options, kgo.ConsumerGroup(o.Group), kgo.DisableAutoCommit())
	}
	if c.client, err = kgo.NewClient(options...); err != nil {
		closeSoon(c.conn)
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return c, nil
}

// close leaves the group and closes both connections.
func (c *consumer) close() {
	c.client.Close()
	closeSoon(c.conn)
}

// run applies records as they come until ctx ends.
func (c *consumer) run(ctx context.Context) {
	for ctx.Err() == nil {
		fetches := c.client.PollRecords(ctx, maxPoll)
		arrived := time.Now()
		fetches.EachError(func(topic string, id int32, err error) {
			if ctx.Err() == nil {
				c.trouble(fmt.Errorf("fetch %s/%d: %w", topic, id, err))
			}
		})
		records := fetches.Records()
		if len(records) == 0 {
			continue
		}
		if !c.applyUntilDone(ctx, records, arrived) {
			return
		}
		if c.opt.Group != "" {
			// Not committed means read again later, and skipped by the inbox.
			if err := c.client.CommitRecords(ctx, records...); err != nil && ctx.Err() == nil {
				c.trouble(fmt.Errorf("commit offsets: %w", err))
			}
		}
	}
}

// applyUntilDone repeats a transaction that failed, on a new connection if need
// be; false when ctx ended first. A repetition is no more than a duplicate.
func (c *consumer) applyUntilDone(ctx context.Context, records []*kgo.Record, arrived time.Time) bool {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 100*time.Millisecond, 5*time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		return struct{}{}, c.apply(ctx, records, arrived)
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, _ time.Duration) { c.trouble(err) }))
	return err == nil
}

// apply lets the events have their effect in one transaction, each once. Counts
// change only when the transaction has committed.
func (c *consumer) apply(ctx context.Context, records []*kgo.Record, arrived time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), transactionTimeout)
	defer cancel()
	if c.conn.IsClosed() {
		conn, err := connect(ctx, c.opt.Postgres, c.trouble)
		if err != nil {
			return err
		}
		c.conn = conn
	}
	outcomes := make([]outcome, len(records))
	err := pgx.BeginFunc(ctx, c.conn, func(tx pgx.Tx) error {
		for i, r := range records {
			if r.Attrs.IsControl() {
				continue
			}
			var err error
			if outcomes[i], err = applyRecord(ctx, tx, r); err != nil {
				return fmt.Errorf("apply %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, r := range records {
		c.count(r, outcomes[i], arrived)
	}
	return nil
}

// outcome is what an event has come to.
type outcome int

const (
	applied    outcome = iota
	duplicate          // the inbox had it
	disordered         // new, but a newer event of its aggregate came before it
	unreadable         // not an event of the shop
)

// applyRecord does the work of an idempotent consumer for one event.
func applyRecord(ctx context.Context, tx pgx.Tx, r *kgo.Record) (outcome, error) {
	id, body, err := read(r)
	if err != nil {
		return unreadable, nil
	}
	tag, err := tx.Exec(ctx, `INSERT INTO inbox (event_id) VALUES ($1) ON CONFLICT DO NOTHING`, id)
	if err != nil {
		return 0, err
	}
	if tag.RowsAffected() == 0 {
		return duplicate, nil
	}
	tag, err = tx.Exec(ctx, `
INSERT INTO aggregate_view AS v (topic, key, version, event) VALUES ($1, $2, $3, $4)
ON CONFLICT (topic, key) DO UPDATE SET version = excluded.version, event = excluded.event WHERE v.version < excluded.version`,
		r.Topic, string(r.Key), body.Version, body.Event)
	if err != nil {
		return 0, err
	}
	if tag.RowsAffected() == 0 {
		return disordered, nil
	}
	return applied, nil
}

// count adds one outcome to the counts and tells of it.
func (c *consumer) count(r *kgo.Record, o outcome, arrived time.Time) {
	c.mu.Lock()
	c.positions[partition{r.Topic, r.Partition}] = r.Offset + 1
	c.mu.Unlock()
	if r.Attrs.IsControl() { // the relay's, not an event
		return
	}
	c.consumed.Add(1)
	switch o {
	case unreadable:
		c.unreadable.Add(1)
		return
	case duplicate:
		c.duplicates.Add(1)
		c.tell(kindDuplicate, fmt.Sprintf("%s/%d offset %d came a second time; the inbox knew it, nothing happened", r.Topic, r.Partition, r.Offset))
		return
	case disordered:
		c.disordered.Add(1)
	}
	c.effective.Add(1)
	id, body, err := read(r)
	if err != nil {
		return // can't be: applyRecord has read it
	}
	if took, ok := c.ledger.consumed(id, arrived); ok {
		c.tell(kindPath, fmt.Sprintf("%s: COMMIT → WAL → %s/%d offset %d → consumer in %s",
			body, r.Topic, r.Partition, r.Offset, readable(milliseconds(took))))
	}
}

// read takes the event id and the payload from a record.
func read(r *kgo.Record) (id string, body payload, err error) {
	for _, h := range r.Headers {
		if h.Key == "id" {
			id = string(h.Value)
		}
	}
	if !isUUID(id) {
		return "", body, errors.New("no event id in header id")
	}
	if err := json.Unmarshal(r.Value, &body); err != nil {
		return "", body, fmt.Errorf("payload: %w", err)
	}
	if body.Version <= 0 {
		return "", body, errors.New("no version in payload")
	}
	return id, body, nil
}

// isUUID reports whether s has the form in which PostgreSQL writes a uuid.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return true
}

// String says in words what the event says.
func (p payload) String() string {
	if p.Event == pointsEarned {
		return fmt.Sprintf("customer %d earned %d points", p.Customer, p.Points)
	}
	if p.Event == giftWrapped {
		return fmt.Sprintf("order %d gift wrapped", p.Order)
	}
	return fmt.Sprintf("order %d %s", p.Order, p.Status)
}

// position is the offset after the newest record applied from a partition.
func (c *consumer) position(p partition) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.positions[p]
}

// summary is what the consumer has done so far, in words.
func (c *consumer) summary() string {
	return fmt.Sprintf("%s events had their effect, %s duplicates skipped, %s out of order",
		thousands(c.effective.Load()), thousands(c.duplicates.Load()), thousands(c.disordered.Load()))
}
