package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"

	"github.com/walrelay/walrelay/internal/failpoint"
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
	// transactionLate bounds how long a transaction may grow in a backlog.
	transactionLate = 200 * time.Millisecond
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
	late := min(now.Sub(time.UnixMicro(t.newest))/10, transactionLate)
	if rest := late - now.Sub(t.since); rest > 0 && t.records < transactionSize && !t.hurried {
		if t.timer == nil {
			t.timer = time.AfterFunc(rest, p.ripen)
		} else {
			t.timer.Reset(rest)
		}
		return
	}
	p.closeNow()
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

// transactionTask wakes coordinate.
func (p *Producer) transactionTask() {
	select {
	case p.coordination <- struct{}{}:
	default:
	}
}

// coordinate is the goroutine that speaks with the transaction coordinator, until
// ctx ends or the producer has failed. It is not the manager's: a topic that is
// missing must not keep commits waiting.
func (p *Producer) coordinate(ctx context.Context) {
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval, delay.MaxInterval = 10*time.Millisecond, time.Second
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.coordination:
		}
		if p.Err() != nil {
			return
		}
		if p.transact(ctx) {
			delay.Reset()
			continue
		}
		if !pauseFor(ctx, delay.NextBackOff()) {
			return
		}
		p.transactionTask()
	}
}

// transact does what the coordinator has to be asked for; false when it is to be
// tried again.
func (p *Producer) transact(ctx context.Context) (done bool) {
	p.mu.Lock()
	t := &p.txn
	if !t.on || !p.session.ready || p.fatal != nil {
		p.mu.Unlock()
		return true
	}
	s := p.session
	topics := map[string][]kafka.AddPartitionToTxn{}
	parts := make([]*partition, 0, len(t.adding))
	for part := range t.adding {
		topics[part.topic.name] = append(topics[part.topic.name], kafka.AddPartitionToTxn{Partition: int(part.id)})
		parts = append(parts, part)
	}
	t.adding = nil
	whole := t.closing && t.acked == t.records
	p.mu.Unlock()
	switch {
	case len(parts) > 0:
		return p.addPartitions(ctx, s, topics, parts)
	case whole:
		return p.commit(ctx, s)
	}
	return true
}

// addPartitions tells the coordinator of partitions that the transaction writes to.
func (p *Producer) addPartitions(ctx context.Context, s session, topics map[string][]kafka.AddPartitionToTxn, parts []*partition) (done bool) {
	asking, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var about string
	var err error
	for wait := time.Millisecond; ; wait *= 2 {
		var res *kafka.AddPartitionsToTxnResponse
		res, err = p.cluster.client().AddPartitionsToTxn(asking, &kafka.AddPartitionsToTxnRequest{
			TransactionalID: s.name, ProducerID: int(s.producer.id), ProducerEpoch: int(s.producer.epoch), Topics: topics,
		})
		if err == nil {
			about, err = firstError(res.Topics)
		}
		// The markers of the transaction before are still being written.
		if !errors.Is(err, kafka.ConcurrentTransactions) || wait > 50*time.Millisecond {
			break
		}
		if !pauseFor(asking, wait) {
			break
		}
	}
	if err != nil {
		p.addAgain(s, parts)
		if errors.Is(err, kafka.UnknownTopicOrPartition) && p.gone(parts) {
			p.wait(WaitTransaction, nil) // what is waited for is the topic
			return false
		}
		return p.transactionError("add partitions to the transaction", about, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &p.txn
	if p.session.round != s.round || p.fatal != nil {
		return true
	}
	for _, part := range parts {
		part.txn = t.now
		part.lane.hurried = true
		part.lane.wake()
	}
	return true
}

// gone asks where the topics of partitions are, and says whether the cluster has
// answered before that one of them is not there.
func (p *Producer) gone(parts []*partition) (missing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, part := range parts {
		missing = missing || !part.topic.ready
		p.ask(part.topic)
	}
	return missing
}

// addAgain lets partitions be added again.
func (p *Producer) addAgain(s session, parts []*partition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session.round != s.round {
		return
	}
	if p.txn.adding == nil {
		p.txn.adding = map[*partition]bool{}
	}
	for _, part := range parts {
		p.txn.adding[part] = true
	}
}

// firstError is what a partition was refused for; one that was not to blame stands
// behind others.
func firstError(topics map[string][]kafka.AddPartitionToTxnPartition) (topic string, err error) {
	for name, partitions := range topics {
		for _, part := range partitions {
			switch {
			case part.Error == nil:
			case !errors.Is(part.Error, errNotAttempted):
				return name, part.Error
			case err == nil:
				topic, err = name, part.Error
			}
		}
	}
	return topic, err
}

// errNotAttempted (55) stands at the partitions that were not to blame.
const errNotAttempted = kafka.Error(55)

func pauseFor(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// commit ends the transaction. Where its answer is lost the producer ends, and the
// next one reads the watermark: the request names no transaction, only the producer
// and its epoch, so one that is late in the network could end the next transaction
// before its time (KIP-890, for clients that speak its protocol).
func (p *Producer) commit(ctx context.Context, s session) (done bool) {
	asking, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	start := time.Now()
	failpoint.Pass(failpoint.BeforeEndTxn)
	res, err := p.cluster.client().EndTxn(asking, &kafka.EndTxnRequest{
		TransactionalID: s.name, ProducerID: int(s.producer.id), ProducerEpoch: int(s.producer.epoch), Committed: true,
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		const op = "commit the transaction"
		if lost(err) && refusal(op, err) == nil && ctx.Err() == nil {
			p.retried("transaction")
			p.mu.Lock()
			defer p.mu.Unlock()
			p.stop(fmt.Errorf("%s: %w: %w", op, ErrAborted, err))
			return true
		}
		return p.transactionError(op, "", err)
	}
	failpoint.Pass(failpoint.AfterEndTxn)
	p.committed(time.Since(start))
	p.wait(WaitTransaction, nil)
	return true
}

// lost says that a request may have reached the broker, whose answer did not come.
func lost(err error) bool {
	var code kafka.Error
	var dial *net.OpError
	return !errors.As(err, &code) && !(errors.As(err, &dial) && dial.Op == "dial")
}

// transactionError draws the consequences of the coordinator's answer; false when
// it is to be asked again. topic is what it is about, "" for none.
func (p *Producer) transactionError(op, topic string, err error) (done bool) {
	var code kafka.Error
	known := errors.As(err, &code)
	fatal := error(nil)
	switch r := refusal(op, err); {
	case known && judge(code) == fenced:
		fatal = fmt.Errorf("%s: %w (%s)", op, ErrFenced, code)
	case known && judge(code) == refused:
		fatal = &RefusedError{op, code, adviceFor(code, topic)}
	case r != nil:
		fatal = r
	case known && !code.Temporary() && judge(code) != retry && judge(code) != misrouted:
		fatal = fmt.Errorf("%s: %w: %w", op, ErrAborted, err)
	}
	if fatal != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stop(fatal)
		return true
	}
	p.retried("transaction")
	p.wait(WaitTransaction, err)
	p.cluster.forget() // the coordinator may have moved
	return false
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
