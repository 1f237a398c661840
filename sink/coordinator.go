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
)

// transactionTask wakes coordinate.
func (p *Producer) transactionTask() {
	select {
	case p.coordination <- struct{}{}:
	default:
	}
}

// coordinate is the goroutine that speaks with the transaction coordinator, until
// ctx ends or the producer has failed: of Config.Transactions, or of the seals of the
// write fence. It is not the manager's: a topic that is missing must not keep commits
// waiting, nor a coordinator that is away the news of where partitions are.
func (p *Producer) coordinate(ctx context.Context) {
	work := p.sealNext
	if p.cfg.Transactions {
		work = p.transact
	}
	defer p.noMoreSeals()
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
		if work(ctx) {
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
// tried again. After work it looks again, whoever woke it: a wake-up is for either kind
// of work, and stays one when it comes twice.
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
		if part.txn == t.now {
			continue // asked for again while the request for it was under way
		}
		topics[part.topic.name] = append(topics[part.topic.name], kafka.AddPartitionToTxn{Partition: int(part.id)})
		parts = append(parts, part)
	}
	t.adding = nil
	whole := t.closing && t.acked == t.records
	p.mu.Unlock()
	switch {
	case whole: // whatever is left to add is for batches that are gone
		done = p.commit(ctx, s)
	case len(parts) > 0:
		done = p.addPartitions(ctx, s, topics, parts)
	default:
		return true
	}
	if done {
		p.transactionTask()
	}
	return done
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
