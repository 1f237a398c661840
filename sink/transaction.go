package sink

import (
	"errors"
	"fmt"
	"time"

	"github.com/walrelay/walrelay/routing"
)

// ErrAborted means that a transaction could not be brought to its end, or nobody
// knows: the next producer id ends it, and the last watermark says what counts.
var ErrAborted = errors.New("the transaction is given up")

// WaitTransaction is what the producer waits for, in Hooks.Wait, when the transaction
// coordinator gives trouble.
const WaitTransaction = "transaction"

const (
	// transactionTimeout is when the coordinator aborts a transaction whose producer
	// is silent.
	transactionTimeout = time.Minute
	// transactionSize is the number of records that ends the patience of a
	// transaction in a backlog.
	transactionSize = 10_000
	// transactionLate bounds how long a transaction may grow in a backlog: enough for
	// transactionSize at 20,000 records a second.
	transactionLate = 500 * time.Millisecond
)

// transaction is what Config.Transactions adds (KIP-98). Records are handed over
// as without it, and lanes send them at once; what was handed over up to a Cut is
// committed together with the Cut's record. While one transaction is being
// committed the next one gathers, because a producer id has one at a time:
//
//	Produce … Produce ─ Cut ─▶ closing: all acknowledged ─▶ EndTxn ─▶ Acked, Oldest moves
//	          Produce … (gathers for the next, not sent yet) ───────▶ sent, and so on
//
// A record counts as acknowledged when its transaction is committed. What can't be
// resolved ends the producer with ErrAborted. Guarded by Producer.mu.
type transaction struct {
	on      bool
	now     uint32 // number of the one that lanes send for
	closing bool   // it takes in nothing more
	hurried bool   // the owner waits: no patience

	records int // of now, the Cut's included, on their way or acknowledged
	acked   int
	settled []arrival // batches of now that were acknowledged
	adding  map[*partition]bool

	first  oldest    // of now; not ok without records
	next   oldest    // of the one that gathers while now is closing
	behind int       // records of that one
	since  time.Time // when the one that gathers got its first record
	newest int64     // commit time of the last record, µs since 1970
	cut    *cut      // ends the one that gathers, as long as nothing more comes
	timer  *time.Timer
}

// cut is the record that ends a transaction.
type cut struct {
	rec  routing.Record
	meta Meta
}

// arrival is what is told of a batch once its transaction is committed.
type arrival struct {
	acked   Acked
	commits []tally[int64]
	types   []tally[int32]
	silent  bool // the Cut's
}

// Cut ends a transaction: everything that was handed over counts as one, with rec
// as its last record, as soon as the one before is committed and there is enough of
// it or nothing more comes for the moment. rec is copied. A Produce after it takes
// it back. The owner calls it whenever it could go on from here, and before it
// blocks. Without records handed over since the last it does nothing.
func (p *Producer) Cut(rec *routing.Record, m Meta) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &p.txn
	if !t.on || p.fatal != nil || !t.gathering().ok {
		return
	}
	t.cut = &cut{rec: copyOf(rec), meta: m}
	p.closeIfRipe(time.Now())
}

func copyOf(rec *routing.Record) routing.Record {
	c := *rec
	c.Key, c.Value = append([]byte(nil), rec.Key...), append([]byte(nil), rec.Value...)
	c.Headers = nil // a watermark has none
	return c
}

// gathering is the first record that the next Cut would end. Its number of records
// may be zero all the same: Kafka can refuse every one of them.
func (t *transaction) gathering() *oldest {
	if t.closing {
		return &t.next
	}
	return &t.first
}

// number is the transaction that a record handed over now belongs to.
func (t *transaction) number() uint32 {
	if t.closing {
		return t.now + 1
	}
	return t.now
}

// took notes a record that was handed over.
func (t *transaction) took(m Meta, bytes int64) {
	first := t.gathering()
	if t.closing {
		t.behind++
	} else {
		t.records++
	}
	if !first.ok {
		*first = oldest{true, m.Number, bytes, m.Committed}
		t.since = time.Now()
	}
	t.newest, t.cut = m.Committed, nil
}

// closeIfRipe ends the transaction that gathers, or sees to it that it is ended
// later.
func (p *Producer) closeIfRipe(now time.Time) {
	t := &p.txn
	if t.closing || t.cut == nil || !p.session.ready {
		return
	}
	if rest := t.rest(now); rest > 0 {
		if t.timer == nil {
			t.timer = time.AfterFunc(rest, p.ripen)
		} else {
			t.timer.Reset(rest)
		}
		return
	}
	p.closeNow()
}

// rest is how long the transaction that gathers may grow from now on: a tenth of
// the age of its newest record, so that next to nothing is added to what is late anyway.
func (t *transaction) rest(now time.Time) time.Duration {
	if t.records >= transactionSize || t.hurried {
		return 0
	}
	late := min(now.Sub(time.UnixMicro(t.newest))/10, transactionLate)
	return late - now.Sub(t.since)
}

// ripen is closeIfRipe when the patience is over.
func (p *Producer) ripen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fatal == nil {
		p.closeIfRipe(time.Now())
	}
}

// closeNow takes nothing more into the transaction and sends its last record.
func (p *Producer) closeNow() {
	t := &p.txn
	name := t.cut.rec.Topic
	topic := p.topics[name]
	if topic == nil {
		topic = p.addTopic(name)
	}
	if !topic.ready {
		return // the owner cuts again when it is
	}
	part, err := topic.choose(&t.cut.rec)
	if err != nil {
		p.stop(fmt.Errorf("topic %q: %w", name, err))
		return
	}
	size := aloneLen(&t.cut.rec) + prefixLen
	b := &batch{slab: make([]byte, recordsAt, size), txn: t.now, first: t.cut.meta.Number, firstBytes: p.producedBytes, firstCommitted: t.cut.meta.Committed, watermark: true}
	b.append(&t.cut.rec, size)
	b.cost = p.memory.costOf(size)
	p.memory.used += b.cost
	for _, known := range p.topics {
		for _, other := range known.partitions {
			if other.open != nil {
				other.closeOpen(false)
			}
		}
	}
	part.queue = append(part.queue, b)
	part.lane.pending += len(b.slab) - recordsAt
	t.records++
	t.closing, t.cut, t.hurried = true, nil, false
	t.next, t.behind = oldest{}, 0
	for _, l := range p.lanes {
		l.hurried = true
		l.wake()
	}
}

// admits says whether a batch may be sent: it is of the present transaction, and
// the coordinator knows of its partition. Else that is asked for.
func (p *Producer) admits(part *partition, b *batch) bool {
	t := &p.txn
	if !t.on {
		return true
	}
	if b.txn != t.now {
		return false
	}
	if part.txn == t.now {
		return true
	}
	if !t.adding[part] {
		if t.adding == nil {
			t.adding = map[*partition]bool{}
		}
		t.adding[part] = true
	}
	p.transactionTask()
	return false
}

// settle keeps what is to be told of an acknowledged batch. It recycles nothing.
func (t *transaction) settle(a Acked, b *batch) {
	t.acked += int(b.count)
	t.settled = append(t.settled, arrival{acked: a, commits: b.commits, types: b.types, silent: b.watermark})
	b.commits, b.types = nil, nil
}

// committed moves on to the next transaction.
func (p *Producer) committed(took time.Duration) {
	p.mu.Lock()
	t := &p.txn
	done, records := t.settled, t.records
	for i := range done {
		if !done[i].silent {
			p.waiting -= done[i].acked.Records
		}
	}
	t.now++
	t.closing = false
	t.records, t.acked, t.settled = t.behind, 0, nil
	t.first, t.next, t.behind = t.next, oldest{}, 0
	p.closeIfRipe(time.Now())
	for _, l := range p.lanes {
		l.hurried = l.pending > 0
		l.wake()
	}
	p.mu.Unlock()
	if hook := p.cfg.Hooks.Committed; hook != nil {
		hook(records, took)
	}
	if hook := p.cfg.Hooks.Acked; hook != nil {
		for i := range done {
			if !done[i].silent {
				hook(done[i].told())
			}
		}
	}
	p.signal()
}

// told is the batch as the hook gets it.
func (s *arrival) told() Acked {
	a := s.acked
	a.Commit = func(fn func(int64, int)) {
		for _, r := range s.commits {
			fn(r.of, int(r.n))
		}
	}
	a.Type = func(fn func(int32, int)) {
		for _, r := range s.types {
			fn(r.of, int(r.n))
		}
	}
	return a
}
