package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// session is the producer id and what is to be done about it. Guarded by
// Producer.mu.
type session struct {
	name     string // transactional id of the fence; "": none
	producer producerID
	ready    bool  // records may be sent under producer
	fenced   bool  // producer was taken under the transactional id
	unfenced error // why it could not be
	wanted   bool  // a producer id is to be taken when nothing is uncertain
	draining bool  // nothing new is taken in, to renew the producer id
	renewing bool  // producer is good and only grows old: no reason to wait for another
	bump     bool  // the epoch is to be raised when nothing is uncertain
	brief    bool  // brokers allow no transaction of transactionTimeout
	taken    time.Time
	fenceAt  time.Time     // when a coordinator is looked for that was not there; zero: not
	asked    time.Time     // since when the coordinator has not answered
	round    int           // calls of Fence
	got      chan struct{} // closed when the producer id of this round is there
	seals    seals
}

// Taken waits until the producer id that the last Fence asked for is there: what an
// older instance had open has ended by then. Any goroutine.
func (p *Producer) Taken(ctx context.Context) error {
	p.mu.Lock()
	got := p.session.got
	p.mu.Unlock()
	for {
		select {
		case <-got:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
			if err := p.Err(); err != nil {
				return err
			}
		}
	}
}

// Knows says whether a topic's partitions are known. Any goroutine.
func (p *Producer) Knows(topic string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.topics[topic]
	return t != nil && t.ready
}

// Ready says that records can be sent: there is a producer id. Any goroutine.
func (p *Producer) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session.ready
}

// none asks for a new producer id.
var none = producerID{-1, -1}

// Fence takes a producer id with a new epoch: from its first batch on a
// partition the broker refuses what an older instance still sends there. The
// owner calls it after every successful START_REPLICATION and before the first
// Produce. It returns at once; what is still uncertain is resolved under the old
// id, and Produce says ErrPending until the new one is there. transactionalID is the
// same for every instance that may write the same slot's events; an empty one
// takes a producer id that shuts nobody out.
func (p *Producer) Fence(transactionalID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.session
	s.name, s.fenced, s.unfenced = transactionalID, false, nil
	s.ready, s.wanted, s.renewing, s.brief = false, true, false, false
	s.seals.forget(errSealRound)
	s.round++
	s.got = make(chan struct{})
	p.task()
}

// renewIfQuiet renews a producer id that brokers will forget soon: at the first
// quiet moment after renewAfter, and by draining after renewLatest. The manager
// calls it when the id is due, because an owner without records says nothing. Under
// mu.
func (p *Producer) renewIfQuiet(now time.Time) {
	s := &p.session
	if !s.ready || now.Sub(s.taken) < p.renewAfter && !s.draining || s.seals.busy() {
		return
	}
	if now.Sub(s.taken) >= p.renewLatest {
		s.draining = true
	}
	if p.waiting == 0 && !p.txn.first.ok {
		s.ready, s.wanted, s.draining, s.unfenced, s.renewing = false, true, false, nil, true
		p.task()
	}
}

// untilRenewal is when renewIfQuiet is to be called next: when the id is due, and
// now and then once it is.
func (p *Producer) untilRenewal() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.session.ready {
		return renewLook
	}
	due := max(time.Until(p.session.taken.Add(p.renewAfter)), min(p.renewAfter, renewLook))
	if at := p.session.fenceAt; !at.IsZero() {
		due = min(due, max(time.Until(at), 0))
	}
	return due
}

// fenceLater takes the fence that could not be had when the producer id was taken,
// because no coordinator was there: relay and brokers often start together. It is
// looked for first, so that records do not wait for one that never comes. The manager
// calls it.
func (p *Producer) fenceLater(ctx context.Context) {
	p.mu.Lock()
	s := p.session
	p.mu.Unlock()
	if !s.ready || s.fenceAt.IsZero() || time.Now().Before(s.fenceAt) {
		return
	}
	asking, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	res, err := p.cluster.client().FindCoordinator(asking, &kafka.FindCoordinatorRequest{
		Addr: p.cluster.addr, Key: s.name, KeyType: kafka.CoordinatorKeyTypeTransaction,
	})
	if err == nil {
		err = res.Error
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session.round != s.round || !p.session.ready {
		return
	}
	if err != nil {
		p.session.fenceAt = time.Now().Add(p.fenceAgain)
		return
	}
	p.session.fenceAt, p.session.draining = time.Time{}, true
	p.renewIfQuiet(time.Now())
}

// renewLater goes on with the id that could not be renewed; false when there is
// none to go on with. That the coordinator is away is no reason to hold up records,
// nor to do without the fence. A request without answer may have raised the
// coordinator's epoch: partitions go on taking the old one, and asked again the
// coordinator gives the one that it has (KIP-360). Only in a transaction, where it
// looks at the epoch itself, must the answer be waited for.
func (p *Producer) renewLater(code kafka.Error, round int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.session
	if s.round != round || !s.renewing || !s.fenced || code == 0 && p.cfg.Transactions {
		return false
	}
	s.ready, s.wanted, s.renewing = true, false, false
	s.taken = time.Now().Add(min(p.renewAfter, renewAgain) - p.renewAfter)
	for _, l := range p.lanes {
		l.wake()
	}
	p.transactionTask() // seals have waited
	p.signal()
	return true
}

// calm says that no batch's fate is uncertain, and no transaction's: the epoch may be
// raised.
func (p *Producer) calm() bool {
	if p.session.seals.busy() {
		return false
	}
	for _, t := range p.topics {
		for _, part := range t.partitions {
			if part.inFlight || part.sending != nil && part.sending.uncertain {
				return false
			}
		}
	}
	return true
}

// takeProducerID asks for a producer id, once. done is false when it is to be
// asked for again.
func (p *Producer) takeProducerID(ctx context.Context) (done bool) {
	p.mu.Lock()
	s := p.session
	p.mu.Unlock()
	name, last := s.name, none
	if s.unfenced != nil {
		name = ""
	}
	if s.fenced {
		// The coordinator compares: whom another instance has shut out must not
		// take the fence back (KIP-360).
		last = s.producer
	}
	timeout := transactionTimeout
	if s.brief {
		timeout = time.Second
	}
	asking, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	res, err := p.cluster.client().InitProducerID(asking, &kafka.InitProducerIDRequest{
		TransactionalID: name, TransactionTimeoutMs: int(timeout.Milliseconds()), ProducerID: int(last.id), ProducerEpoch: int(last.epoch),
	})
	if err == nil {
		err = res.Error
	}
	switch {
	case err == nil:
		if last == none && !p.claimed(ctx) {
			return true
		}
		p.adopt(producerID{int64(res.Producer.ProducerID), int16(res.Producer.ProducerEpoch)}, name != "", s.round)
		return true
	case errors.Is(err, kafka.InvalidTransactionTimeout) && p.shorten(s.round):
		return p.takeProducerID(ctx)
	case name != "" && p.giveUpFence(err, s.round):
		return p.takeProducerID(ctx)
	}
	return p.withoutProducerID(ctx, err, s.round)
}

// shorten lets at-least-once ask for a transaction timeout that every broker allows:
// the fence needs none, only Seal does.
func (p *Producer) shorten(round int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.session
	if p.cfg.Transactions || s.brief || s.round != round {
		return false
	}
	s.brief = true
	return true
}

// claimed asks the owner whether it may still write. An id that is not its own is
// never used.
func (p *Producer) claimed(ctx context.Context) bool {
	if p.cfg.Hooks.Claim == nil {
		return true
	}
	err := p.cfg.Hooks.Claim(ctx)
	if err != nil && ctx.Err() == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stop(fmt.Errorf("take a producer id: %w", err))
	}
	return err == nil
}

// withoutProducerID draws the consequences of an answer without producer id.
func (p *Producer) withoutProducerID(ctx context.Context, err error, round int) (done bool) {
	const op = "take a producer id"
	var code kafka.Error
	if errors.As(err, &code) && judge(code) == fenced {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stop(fmt.Errorf("%s: %w (%s)", op, ErrFenced, code))
		return true
	}
	if r := refusal(op, err); r != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stop(r)
		return true
	}
	if ctx.Err() != nil {
		return false
	}
	p.retried("init_producer_id")
	if p.renewLater(code, round) {
		return true
	}
	p.wait("producer id", hint(p.cfg, err))
	if code == 0 || code == kafka.NotCoordinatorForGroup {
		p.cluster.forget() // the coordinator may have moved to a broker not known yet
	}
	return false
}

// giveUpFence says that at-least-once has to go on without the write fence:
// without the right to the transactional id at once, without a transaction
// coordinator (a single broker that can't make its transaction topic answers 15
// for ever), or with markers that it can't write to a partition, when patience is
// over. Brokers that can't be reached at all say nothing
// of a coordinator: patience begins anew when they are there again.
func (p *Producer) giveUpFence(err error, round int) bool {
	var code kafka.Error
	_ = errors.As(err, &code) // 0: no answer
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.session
	if s.round != round || p.cfg.Transactions {
		return false
	}
	switch {
	case forbidden(code):
	case !coordinatorAway(code):
		s.asked = time.Time{}
		return false
	case s.renewing && s.fenced:
		return false // see renewLater
	default:
		if s.asked.IsZero() {
			s.asked = time.Now()
		}
		if time.Since(s.asked) <= p.patience {
			return false
		}
	}
	s.fenced, s.unfenced = false, err
	return true
}

// adopt starts to send under a new producer id or epoch: every partition counts
// from 0, and what was sealed under the old one is sealed anew. An id taken
// before the last call of Fence is left alone: another instance may have taken
// its own in between.
func (p *Producer) adopt(id producerID, fenced bool, round int) {
	p.mu.Lock()
	if p.session.round != round {
		p.task()
		p.mu.Unlock()
		return
	}
	for _, t := range p.topics {
		for _, part := range t.partitions {
			part.sequence = 0
			if b := part.sending; b != nil {
				b.sealed = false
			}
		}
	}
	if p.txn.on {
		if p.txn.first.ok { // the coordinator has ended what was open
			p.stop(fmt.Errorf("take a producer id: %w", ErrAborted))
			p.mu.Unlock()
			return
		}
		p.txn.now++ // partitions of an old one are not known to the new epoch
		p.txn.adding = nil
	}
	unfenced := p.session.unfenced
	got := p.session.got
	p.session = session{got: got, name: p.session.name, producer: id, ready: true, fenced: fenced, unfenced: unfenced, taken: time.Now(), round: round, brief: p.session.brief, seals: p.session.seals}
	p.session.seals.raise = false
	if code := kafka.Error(0); !fenced && errors.As(unfenced, &code) && !forbidden(code) {
		p.session.fenceAt = time.Now().Add(p.fenceAgain)
	}
	p.transactionTask() // seals have waited
	for _, l := range p.lanes {
		l.wake()
	}
	select {
	case <-got: // renewed
	default:
		close(got)
	}
	p.signal()
	p.mu.Unlock()
	p.wait("producer id", nil)
	if p.cfg.Hooks.Fence != nil {
		p.cfg.Hooks.Fence(id.id, id.epoch, fenced, unfenced)
	}
}

// pending says why Produce can't take a record yet. Under mu.
func (p *Producer) pending(t *topic) error {
	if t.invalid != nil {
		return t.invalid
	}
	if !t.ready {
		p.ask(t)
	}
	return ErrPending
}
