package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/segmentio/kafka-go"
)

// sealTimeout is how long Seal takes at most.
const sealTimeout = 3 * time.Second

// seal is what Seal was asked for: one topic in one round of the fence.
type seal struct {
	done chan struct{} // closed when err is there
	err  error
}

// seals are the topics that Seal was called for since the last Fence, and what is
// left of their transactions. Guarded by Producer.mu.
type seals struct {
	topics  map[string]*seal
	queue   []string
	running bool      // a transaction is being opened or ended
	opened  time.Time // since when one may be open, by what the coordinator has said; zero: none is
	pending bool      // one is ended, and its markers are still being written
	raise   bool      // a request to open one may arrive late: not under an epoch that is used then
}

var (
	errSealBusy  = errors.New("an earlier transaction of this fence has not ended")
	errSealBrief = errors.New("the brokers' transaction.max.timeout.ms is below " + transactionTimeout.String())
	errSealRound = errors.New("the producer id is taken anew")
	errSealLate  = errors.New("the transaction's markers are not in all partitions yet")
)

// Seal ends what an older instance can still write to a topic: it waits for the
// producer id of the last Fence and writes a control marker with its epoch to all
// partitions of the topic, as the end of a transaction that holds nothing. From then
// on brokers refuse whatever is still under way from older epochs, so the end of a
// partition that is asked for afterwards is the end. Each topic is sealed once a
// Fence; who calls meanwhile waits with the first.
//
// An error says that older requests may still arrive where nothing was produced
// since; it takes three seconds at most and never ends the producer. nil without a
// write fence, which is told elsewhere, and with Config.Transactions, where an older
// instance's transaction has been aborted. Any goroutine.
func (p *Producer) Seal(ctx context.Context, topic string) error {
	if p.cfg.Transactions {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sealTimeout)
	defer cancel()
	if err := p.Taken(ctx); err != nil {
		return fmt.Errorf("seal topic %q: %w", topic, err)
	}
	g, err := p.enqueue(topic)
	if g != nil {
		select {
		case <-g.done:
			err = g.err
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("seal topic %q: %w", topic, err)
	}
	return nil
}

// enqueue asks for a topic's seal; nil without an error when there is nothing to
// seal with.
func (p *Producer) enqueue(topic string) (*seal, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.session
	l := &s.seals
	switch g := l.topics[topic]; {
	case p.fatal != nil:
		return nil, p.fatal
	case !s.fenced && s.wanted:
		return nil, errSealRound // Fence was called since
	case !s.fenced:
		return nil, nil
	case s.brief:
		return nil, errSealBrief
	case g != nil:
		return g, nil
	case !l.opened.IsZero() || l.pending:
		return nil, errSealBusy
	}
	g := &seal{done: make(chan struct{})}
	if l.topics == nil {
		l.topics = map[string]*seal{}
	}
	l.topics[topic] = g
	l.queue = append(l.queue, topic)
	p.transactionTask()
	return g, nil
}

// giveUp answers those that wait for a seal; the topics may be asked for again.
func (l *seals) giveUp(err error) {
	for _, name := range l.queue {
		g := l.topics[name]
		g.err = err
		close(g.done)
		delete(l.topics, name)
	}
	l.queue = nil
}

// forget is giveUp for the seal that runs, too: its outcome is of no meaning any more.
func (l *seals) forget(err error) {
	for g := range maps.Values(l.topics) {
		select {
		case <-g.done:
		default:
			g.err = err
			close(g.done)
		}
	}
	*l = seals{}
}

// noMoreSeals is the end of who makes them.
func (p *Producer) noMoreSeals() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session.seals.forget(errSealRound)
}

// busy says that the epoch must not be raised: the coordinator, asked for that while
// a transaction is open, aborts it under an epoch of its own and then refuses who
// names the one it had before.
func (l *seals) busy() bool { return l.running || !l.opened.IsZero() }

// sealNext does what Seal was called for, and what that has left: one transaction of
// the coordinator at a time. false when it is to be called again after a while.
func (p *Producer) sealNext(ctx context.Context) (done bool) {
	p.mu.Lock()
	s := &p.session
	l := &s.seals
	switch {
	case p.fatal != nil || s.wanted || s.bump || !s.ready: // adopt calls
		p.mu.Unlock()
		return true
	case !s.fenced:
		l.forget(errSealRound)
		p.mu.Unlock()
		return true
	case !l.opened.IsZero() || l.pending:
		at := *s
		p.mu.Unlock()
		return p.settleSeal(ctx, at)
	case len(l.queue) == 0:
		p.mu.Unlock()
		return true
	}
	name := l.queue[0]
	l.queue = l.queue[1:]
	l.running = true
	g, at, partitions := l.topics[name], *s, p.led(name)
	p.mu.Unlock()

	began := time.Now()
	asking, cancel := context.WithTimeout(ctx, sealTimeout)
	o := p.writeMarkers(asking, at, name, partitions)
	cancel()

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session.round != at.round {
		p.transactionTask()
		return true
	}
	l.running = false
	g.err = o.err
	close(g.done)
	l.pending, l.raise = o.pending, l.raise || o.unsure
	if o.open {
		l.opened = began
	}
	return p.sealsWent()
}

// sealsWent goes on after a seal or what was left of one. Under mu.
func (p *Producer) sealsWent() (done bool) {
	s := &p.session
	l := &s.seals
	if !l.opened.IsZero() || l.pending {
		l.giveUp(errSealBusy)
		p.task()
		return false
	}
	if l.raise && s.ready && s.fenced {
		l.raise = false
		s.ready, s.wanted, s.draining, s.unfenced, s.renewing = false, true, false, nil, true
	}
	p.task() // who wants the epoch raised has waited for calm
	p.transactionTask()
	return true
}

// settleSeal ends a transaction that may be open; false when it is to be tried again.
// The coordinator gives up before long, and raises the epoch.
func (p *Producer) settleSeal(ctx context.Context, at session) (done bool) {
	asking, cancel := context.WithTimeout(ctx, sealTimeout)
	defer cancel()
	ended, err := p.abort(asking, at)
	if ctx.Err() != nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.session
	if s.round != at.round {
		return true
	}
	l := &s.seals
	switch {
	case ended:
		l.opened, l.pending = time.Time{}, errors.Is(err, errSealLate)
	case !l.opened.IsZero() && time.Since(l.opened) > transactionTimeout:
		l.opened, l.raise = time.Time{}, false // there is none to raise any more
	}
	return p.sealsWent()
}

// led are a topic's partitions that have a leader: the markers of one without would
// be waited for as long as it has none, by whoever takes the producer id next, too.
// Under mu.
func (p *Producer) led(topic string) (partitions []kafka.AddPartitionToTxn) {
	t := p.topics[topic]
	if t == nil {
		return nil
	}
	for _, part := range t.partitions {
		if part.leader != nowhere {
			partitions = append(partitions, kafka.AddPartitionToTxn{Partition: int(part.id)})
		}
	}
	return partitions
}

// outcome is what became of a seal.
type outcome struct {
	err     error
	open    bool // its transaction may be open
	unsure  bool // a request to open it may be late
	pending bool // its markers are still being written
}

// writeMarkers opens a transaction in partitions and aborts it.
func (p *Producer) writeMarkers(ctx context.Context, s session, topic string, partitions []kafka.AddPartitionToTxn) (o outcome) {
	if len(partitions) == 0 {
		return outcome{err: kafka.LeaderNotAvailable}
	}
	request := &kafka.AddPartitionsToTxnRequest{
		TransactionalID: s.name, ProducerID: int(s.producer.id), ProducerEpoch: int(s.producer.epoch),
		Topics: map[string][]kafka.AddPartitionToTxn{topic: partitions},
	}
	o.err = p.persist(ctx, s, func() (done bool, err error) {
		res, err := p.cluster.client().AddPartitionsToTxn(ctx, request)
		if err == nil {
			_, err = firstError(res.Topics)
		}
		// What the coordinator could not write in time may be there all the same.
		o.unsure = o.unsure || unclear(err)
		return err == nil, err
	})
	if o.err != nil {
		o.open = o.unsure
		return o
	}
	ended, err := p.abort(ctx, s)
	o.err, o.open, o.pending = err, !ended, ended && errors.Is(err, errSealLate)
	o.unsure = o.unsure || o.open
	return o
}

// abort ends the transaction and waits until its markers are in all partitions. ended
// says that it is not open, whatever the error.
func (p *Producer) abort(ctx context.Context, s session) (ended bool, err error) {
	request := &kafka.EndTxnRequest{TransactionalID: s.name, ProducerID: int(s.producer.id), ProducerEpoch: int(s.producer.epoch)}
	err = p.persist(ctx, s, func() (done bool, err error) {
		res, err := p.cluster.client().EndTxn(ctx, request)
		if err == nil {
			err = res.Error
		}
		switch {
		case err == nil && !ended:
			// It is answered when the coordinator has noted it; asked once more it says
			// whether the markers are there.
			ended = true
			return false, kafka.ConcurrentTransactions
		case errors.Is(err, kafka.InvalidTransactionState) && ended:
			return true, nil // so do some that are not Apache Kafka: nothing is open
		}
		return err == nil, err
	})
	var code kafka.Error
	switch {
	case err == nil:
	case ended:
		err = fmt.Errorf("%w: %w", errSealLate, err)
	case errors.As(err, &code) && !transient(code):
		ended = true // nothing is open, or nothing of ours, or nothing that we may end
	}
	return ended, err
}

// persist asks until the coordinator has answered for good, ctx ends, or the round
// of the fence does.
func (p *Producer) persist(ctx context.Context, s session, ask func() (done bool, err error)) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		done, err := ask()
		var code kafka.Error
		known := errors.As(err, &code)
		switch {
		case done:
			return nil
		case known && !transient(code):
			return err
		case !known || code == kafka.NotCoordinatorForGroup:
			p.cluster.forget() // the coordinator may have moved
		}
		if !p.current(s.round) || !pauseFor(ctx, wait) {
			return err
		}
	}
}

// transient says of the coordinator's answer that it may be another one soon.
func transient(code kafka.Error) bool {
	v := judge(code)
	return v == retry || v == uncertain || v == misrouted || code == kafka.Unknown
}

// unclear says that the coordinator may do what it was asked for although it has not
// said so: a request may be late, and what it could not write to all replicas in time
// may come back with the next coordinator.
func unclear(err error) bool {
	if err == nil {
		return false
	}
	var code kafka.Error
	if !errors.As(err, &code) {
		return lost(err)
	}
	return judge(code) == uncertain || code == kafka.GroupCoordinatorNotAvailable || code == kafka.NotCoordinatorForGroup || code == kafka.Unknown
}

func (p *Producer) current(round int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session.round == round && p.fatal == nil
}
