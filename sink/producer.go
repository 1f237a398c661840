package sink

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/walrelay/walrelay/routing"
)

// Producer hands records to Kafka, in order a partition and each once. Make one
// with New, run Run beside it, and call the rest from one goroutine, the owner.
type Producer struct {
	cfg Config

	// changed is filled when something that the owner may wait for happened.
	changed chan struct{}
	// tasks wakes the manager, coordination who speaks with the transaction coordinator.
	tasks, coordination chan struct{}

	cluster cluster // connections and metadata; has its own lock

	mu      sync.Mutex
	topics  map[string]*topic
	lanes   map[int32]*lane
	memory  slabs
	batches []*batch // empty ones, to be used again
	started func(*lane)

	session       session
	txn           transaction
	producedBytes int64 // record bytes handed over since the start
	waiting       int   // records handed over and not acknowledged
	window        oldest
	needMetadata  bool // some topic is stale
	fatal         error
	waits         map[string]error // what the producer waits for, and why

	// As the constants of the same name; tests shorten them.
	answerTimeout, patience, renewAfter, renewLatest, fenceAgain time.Duration
}

// oldest is what is known of the oldest record that is not acknowledged.
type oldest struct {
	ok        bool
	number    uint64
	bytes     int64 // producedBytes before it
	committed int64 // its commit time, µs since 1970
}

// New makes a producer that has not spoken to Kafka yet.
func New(cfg Config) (*Producer, error) {
	if len(cfg.Brokers) == 0 {
		return nil, fmt.Errorf("no Kafka brokers given: set kafka.brokers")
	}
	codec, err := newCompressor(cfg.Compression)
	if err != nil {
		return nil, err
	}
	if cfg.InFlightBytes <= 0 {
		cfg.InFlightBytes = 16 << 20
	}
	if cfg.ClientID == "" {
		cfg.ClientID = "walrelay"
	}
	p := &Producer{
		cfg:           cfg,
		changed:       make(chan struct{}, 1),
		tasks:         make(chan struct{}, 1),
		coordination:  make(chan struct{}, 1),
		topics:        map[string]*topic{},
		lanes:         map[int32]*lane{},
		memory:        slabs{limit: cfg.InFlightBytes, copied: codec != nil},
		waits:         map[string]error{},
		txn:           transaction{on: cfg.Transactions, now: 1},
		answerTimeout: answerTimeout,
		patience:      patience,
		renewAfter:    renewAfter,
		renewLatest:   renewLatest,
		fenceAgain:    fenceAgain,
	}
	p.cluster.open(cfg)
	return p, nil
}

// Run does the producer's work until ctx ends or something happens that needs
// more than patience. Its error is the one that Produce then gives, too.
func (p *Producer) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var lanes sync.WaitGroup
	p.mu.Lock()
	p.started = func(l *lane) { lanes.Go(func() { l.run(ctx) }) }
	for _, l := range p.lanes {
		p.started(l)
	}
	p.mu.Unlock()
	lanes.Go(func() { p.coordinate(ctx) })
	p.manage(ctx)
	p.mu.Lock()
	p.started = func(*lane) {}
	p.mu.Unlock()
	// What is in flight after a failure may still be acknowledged: every
	// acknowledgement is one repeat less.
	if ctx.Err() == nil {
		grace := time.AfterFunc(lastAnswers, cancel)
		defer grace.Stop()
	}
	lanes.Wait()
	cancel()
	p.cluster.forget()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fatal
}

// Produce hands over one record; its bytes are copied, rec may be used again.
// It never blocks. ErrFull and ErrPending say: keep the record, wait for Changed
// and call again. A *routing.Poison is a record that Kafka can never take;
// nothing was handed over. Every other error is the end of the producer.
//
// Records are on their way after the next Dispatch at the latest.
func (p *Producer) Produce(rec *routing.Record, m Meta) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fatal != nil {
		return p.fatal
	}
	t := p.topics[rec.Topic]
	if t == nil {
		t = p.addTopic(rec.Topic)
	}
	if !t.ready || !p.session.ready || p.session.draining {
		return p.pending(t)
	}
	part, err := t.choose(rec)
	if err != nil {
		if p.reread(t, t.learned) {
			return ErrPending
		}
		return err
	}
	if p.windowFull(m.Number) {
		return ErrFull
	}
	if size := aloneLen(rec); size > t.maxBytes && !p.fitsCompressed(rec, t.maxBytes) {
		return p.tooLarge(t, size)
	}
	return p.add(part, rec, m)
}

// add puts rec behind what the partition has, in its open batch or a new one.
func (p *Producer) add(part *partition, rec *routing.Record, m Meta) error {
	if p.txn.on && part.open != nil && part.open.txn != p.txn.number() {
		part.closeOpen(false)
	}
	b := part.open
	before := 0
	if b != nil {
		before = len(b.slab)
	}
	if b == nil || !b.append(rec, part.topic.maxBytes) {
		if b != nil {
			part.closeOpen(true)
			part.lane.wake()
		}
		if b = p.newBatch(part, aloneLen(rec)+prefixLen); b == nil {
			p.hurry()
			return ErrFull
		}
		before = recordsAt
		b.append(rec, max(part.topic.maxBytes, aloneLen(rec)))
		b.first, b.firstBytes, b.firstCommitted = m.Number, p.producedBytes, m.Committed
		if p.txn.on {
			b.txn = p.txn.number()
		}
		part.open = b
		if !p.window.ok && !part.topic.aside {
			p.window = oldest{true, m.Number, p.producedBytes, m.Committed}
		}
	}
	b.note(m)
	if p.txn.on {
		p.txn.took(m, p.producedBytes)
	}
	size := len(b.slab) - before
	p.producedBytes += int64(size)
	if !part.topic.aside {
		p.waiting++
	}
	part.lane.added(size, m.Committed)
	if part.leader == nowhere {
		p.ask(part.topic)
	}
	return nil
}

// newBatch takes a slab of the partition's class; nil when memory is used up.
func (p *Producer) newBatch(part *partition, size int) *batch {
	slab, cost := p.memory.get(part.class, size)
	if slab == nil {
		return nil
	}
	var b *batch
	if n := len(p.batches); n > 0 {
		b = p.batches[n-1]
		p.batches = p.batches[:n-1]
	} else {
		b = new(batch)
	}
	b.slab, b.cost = slab, cost
	return b
}

// recycle takes back what a batch was made of.
func (p *Producer) recycle(b *batch) {
	p.memory.put(b.slab, b.cost)
	b.reset()
	p.batches = append(p.batches, b)
}

// windowFull says whether too much lies behind the oldest unacknowledged record.
func (p *Producer) windowFull(number uint64) bool {
	over := func() bool {
		return p.window.ok && (number-p.window.number >= maxWindowEvents || p.producedBytes-p.window.bytes >= int64(p.cfg.InFlightBytes))
	}
	if !over() {
		return false
	}
	p.window = p.findOldest()
	if over() {
		p.hurry()
		return true
	}
	return false
}

// findOldest looks through the partitions for the oldest unacknowledged record.
func (p *Producer) findOldest() oldest {
	o := p.txn.first // what is acknowledged counts when it is committed
	for _, t := range p.topics {
		if t.aside {
			continue
		}
		for _, part := range t.partitions {
			part.each(func(b *batch) {
				if !o.ok || b.first < o.number {
					o = oldest{true, b.first, b.firstBytes, b.firstCommitted}
				}
			})
		}
	}
	return o
}

// hurry ends the lanes' lingering, and a transaction's: the owner waits for room.
func (p *Producer) hurry() {
	if p.txn.on {
		p.txn.hurried = true
		p.closeIfRipe(time.Now())
	}
	for _, l := range p.lanes {
		if l.pending > 0 {
			l.hurried = true
			l.wake()
		}
	}
}

// Dispatch lets the lanes know that nothing more comes for the moment. The owner
// calls it before it blocks; calling it often costs little.
func (p *Producer) Dispatch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lanes {
		if l.pending > 0 {
			l.wake()
		}
	}
	p.renewIfQuiet(time.Now())
}

// Changed fires after acknowledgements and when what Produce waited for may be
// there. One receive may stand for many changes.
func (p *Producer) Changed() <-chan struct{} { return p.changed }

func (p *Producer) signal() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// Oldest gives the number and the commit time (µs since 1970) of the oldest
// record that is not acknowledged; ok is false when there is none. May be called
// from any goroutine.
func (p *Producer) Oldest() (number uint64, committed int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.window = p.findOldest()
	return p.window.number, p.window.committed, p.window.ok
}

// Stats is a look at the producer from outside.
type Stats struct {
	Unacked     int              `json:"unacked_events"`  // records handed over and not acknowledged
	MemoryBytes int              `json:"in_flight_bytes"` // their buffers' capacity
	ProducerID  int64            `json:"producer_id"`
	Epoch       int16            `json:"producer_epoch"`
	Fenced      bool             `json:"write_fence"` // older instances are shut out
	Waits       map[string]error `json:"-"`           // what the producer waits for, and why
}

// Stats may be called from any goroutine.
func (p *Producer) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	waits := make(map[string]error, len(p.waits))
	for k, v := range p.waits {
		waits[k] = v
	}
	return Stats{p.waiting, p.memory.used, p.session.producer.id, p.session.producer.epoch, p.session.fenced, waits}
}

// Err is the error that ended the producer, or nil. Any goroutine.
func (p *Producer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fatal
}

// Flush waits until everything that was handed over is acknowledged; with
// Config.Transactions everything that was cut is committed, too.
func (p *Producer) Flush(ctx context.Context) error {
	for {
		p.mu.Lock()
		left, open, fatal := p.waiting, p.txn.first.ok, p.fatal
		if fatal == nil {
			p.hurry()
		}
		p.mu.Unlock()
		switch {
		case fatal != nil:
			return fatal
		case left == 0 && !open:
			return nil
		}
		select {
		case <-p.changed:
		case <-ctx.Done():
			return fmt.Errorf("flush: %d events not acknowledged by Kafka: %w", left, context.Cause(ctx))
		}
	}
}

// stop ends the producer with err; the first one counts.
func (p *Producer) stop(err error) {
	if p.fatal == nil {
		p.fatal = err
	}
	for _, l := range p.lanes {
		l.wake()
	}
	p.task()
	p.transactionTask()
	p.signal()
}

// wait records what the producer waits for; a nil err ends the wait. The hook
// runs without the lock.
func (p *Producer) wait(what string, err error) {
	p.mu.Lock()
	_, was := p.waits[what]
	if err == nil {
		delete(p.waits, what)
	} else {
		p.waits[what] = err
	}
	p.mu.Unlock()
	if p.cfg.Hooks.Wait != nil && (err != nil || was) {
		p.cfg.Hooks.Wait(what, err)
	}
}

func (p *Producer) retried(reason string) {
	if p.cfg.Hooks.Retry != nil {
		p.cfg.Hooks.Retry(reason)
	}
}
