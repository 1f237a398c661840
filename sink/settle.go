package sink

import (
	"fmt"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/produce"

	"github.com/walrelay/walrelay/internal/failpoint"
	"github.com/walrelay/walrelay/routing"
)

// settle draws the consequences of an answer, or of its absence, for every batch
// of a request.
func (p *Producer) settle(l *lane, parcels []parcel, answer *produce.Response, err error, took time.Duration) {
	if err != nil {
		p.unanswered(l, parcels, err)
		return
	}
	p.wait("kafka", nil)
	codes := codesOf(answer)
	var again time.Time // when to try again; one step of the backoff an answer
	for i := range parcels {
		c := &parcels[i]
		code, ok := codes[partitionKey{c.part.topic.name, c.part.id}]
		if !ok {
			code = kafka.NetworkException // left out of the answer: uncertain
		}
		switch v := judge(code); v {
		case delivered:
			p.well(c.part)
			p.acknowledged(c, took)
		case poison:
			p.well(c.part)
			p.tooBad(l, c, code)
		default:
			if again.IsZero() {
				again = time.Now().Add(l.delay.NextBackOff())
			}
			p.unwell(c, code, v, again)
		}
	}
	if again.IsZero() {
		l.delay.Reset()
	}
	p.mu.Lock()
	p.signal()
	if p.session.draining {
		p.renewIfQuiet(time.Now())
	}
	if p.session.bump || p.session.wanted {
		p.task()
	}
	if p.txn.on {
		p.transactionTask()
	}
	p.mu.Unlock()
}

type partitionKey struct {
	topic string
	id    int32
}

func codesOf(answer *produce.Response) map[partitionKey]kafka.Error {
	codes := map[partitionKey]kafka.Error{}
	for i := range answer.Topics {
		for _, part := range answer.Topics[i].Partitions {
			codes[partitionKey{answer.Topics[i].Topic, part.Partition}] = kafka.Error(part.ErrorCode)
		}
	}
	return codes
}

// unanswered: the request may or may not have reached the broker.
func (p *Producer) unanswered(l *lane, parcels []parcel, err error) {
	p.retried("transport")
	p.wait("kafka", err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := refusal("produce", err); r != nil {
		p.stop(r)
	}
	at := time.Now().Add(l.delay.NextBackOff())
	for i := range parcels {
		c := &parcels[i]
		c.batch.uncertain = true
		c.part.landed(at)
		p.home(c.part)
	}
	p.lost()
	p.signal()
}

// lost makes the manager ask where all partitions are. Under Producer.mu.
func (p *Producer) lost() {
	for _, t := range p.topics {
		p.ask(t)
	}
}

// landed ends the flight of the partition's batch, which stays to be sent again.
func (part *partition) landed(retryAt time.Time) {
	part.inFlight = false
	part.retryAt = retryAt
}

// acknowledged: all in-sync replicas have the batch.
func (p *Producer) acknowledged(c *parcel, took time.Duration) {
	failpoint.Pass(failpoint.AfterAcknowledgement)
	b := c.batch
	if p.cfg.Transactions {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.txn.settle(Acked{Topic: c.part.topic.name, Partition: c.part.id, Records: int(b.count), Bytes: len(b.slab) - recordsAt, Took: took}, b)
		c.part.landed(time.Time{})
		c.part.sending = nil
		p.recycle(b)
		p.home(c.part)
		return
	}
	if p.cfg.Hooks.Acked != nil {
		p.cfg.Hooks.Acked(Acked{
			Topic: c.part.topic.name, Partition: c.part.id, Records: int(b.count), Bytes: len(b.slab) - recordsAt, Took: took,
			Commit: func(fn func(int64, int)) {
				for _, r := range b.commits {
					fn(r.of, int(r.n))
				}
			},
			Type: func(fn func(int32, int)) {
				for _, r := range b.types {
					fn(r.of, int(r.n))
				}
			},
		})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.part.topic.aside {
		p.waiting -= int(b.count)
	}
	c.part.landed(time.Time{})
	c.part.sending = nil
	p.recycle(b)
	p.home(c.part)
}

// unwell: the broker did not take the batch, or not for certain.
func (p *Producer) unwell(c *parcel, code kafka.Error, v verdict, again time.Time) {
	p.retried(reasonOf(code))
	p.ill(c.part, code)
	p.mu.Lock()
	defer p.mu.Unlock()
	name, b := c.part.topic.name, c.batch
	b.doubted = false
	c.part.landed(again)
	op := fmt.Sprintf("produce to topic %q partition %d", name, c.part.id)
	switch v {
	case uncertain:
		b.uncertain = true
	case misrouted:
		p.ask(c.part.topic)
	case outOfOrder:
		// Not appended, and nothing after it: all that is still uncertain is
		// resolved, then the epoch is raised and sequences start from 0 (KIP-360).
		b.uncertain = false
		if p.txn.on {
			p.stop(fmt.Errorf("%s: %w (%s)", op, ErrAborted, code))
			break
		}
		p.session.bump = true
	case fenced:
		p.stop(fmt.Errorf("%s: %w (%s)", op, ErrFenced, code))
	case refused:
		if c.part.topic.aside {
			p.replace(c.part.lane, c) // by nothing
			go p.wait(fmt.Sprintf("topic %q", name), fmt.Errorf("%w: %s", code, adviceFor(code, name)))
			return
		}
		p.stop(&RefusedError{op, code, adviceFor(code, name)})
	case incompetent:
		p.stop(fmt.Errorf("%s: the broker answered %d (%w), which walrelay does not know how to go on from", op, int(code), code))
	}
	p.home(c.part)
}

// illAfter is how long a partition may refuse before that is a wait: a leader that
// moves is none.
const illAfter = time.Second

// ill notes that a broker does not take the partition's batch. As well, it is
// called while that is in flight: only the lane that sent it is at the partition.
func (p *Producer) ill(part *partition, code kafka.Error) {
	switch now := time.Now(); {
	case part.illSince.IsZero():
		part.illSince = now
	case now.Sub(part.illSince) >= illAfter:
		part.told = true
		p.wait(part.String(), code)
	}
}

// well ends what ill noted.
func (p *Producer) well(part *partition) {
	part.illSince = time.Time{}
	if part.told {
		part.told = false
		p.wait(part.String(), nil)
	}
}

// doubts says that a refusal is not believed yet: an answer has no checksum, and a
// single changed byte of it would make poison of a good event. The same bytes go out
// once more under the same sequence, so a broker that has them after all says so. A
// half of what was refused twice is expected to be refused; it is asked about again
// when it is one record, before that is given up.
func (p *Producer) doubts(c *parcel, code kafka.Error) bool {
	b := c.batch
	if b.doubted || b.half && b.count > 1 {
		return false
	}
	p.retried(reasonOf(code))
	p.mu.Lock()
	defer p.mu.Unlock()
	b.doubted, b.uncertain = true, true
	c.part.landed(time.Time{})
	p.home(c.part)
	return true
}

// tooBad: the broker will not take the batch as it is. One record of it is at
// fault; halves are sent until that one stands alone.
func (p *Producer) tooBad(l *lane, c *parcel, code kafka.Error) {
	if p.doubts(c, code) {
		return
	}
	b := c.batch
	if b.watermark { // without it its transaction must not be committed
		p.mu.Lock()
		defer p.mu.Unlock()
		c.part.landed(time.Time{})
		p.stop(&RefusedError{"produce to topic " + strconv.Quote(c.part.topic.name), code, "see its max.message.bytes and message.timestamp settings: each record is a few hundred bytes, with the present time"})
		return
	}
	if b.count > 1 {
		left, right, err := b.halve()
		p.mu.Lock()
		defer p.mu.Unlock()
		if err != nil {
			p.stop(err)
			return
		}
		c.part.topic.resize = true
		p.ask(c.part.topic)
		p.replace(l, c, left, right)
		return
	}
	var remedy = Remedy{Stop: true}
	r := Rejection{Partition: c.part.id, Size: len(b.slab) - prefixLen, Reason: reasonOf(code), Err: code}
	p.mu.Lock()
	r.Limit = c.part.topic.maxBytes
	p.mu.Unlock()
	_ = b.records(func(_ int32, rec *routing.Record) { r.Record = *rec })
	r.Record.Topic, r.Record.Partition = c.part.topic.name, c.part.id
	if p.cfg.Hooks.Reject != nil {
		remedy = p.cfg.Hooks.Reject(r)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if remedy.Stop {
		c.part.landed(time.Time{})
		p.stop(&routing.Poison{Reason: r.Reason, Detail: fmt.Sprintf("topic %q partition %d refused a record of %d bytes (max.message.bytes %d): %s", r.Record.Topic, r.Partition, r.Size, r.Limit, code)})
		return
	}
	if remedy.Instead != nil && !p.substitute(remedy.Instead, b) {
		return
	}
	p.replace(l, c)
}

// replace puts others in the place of the batch in flight, which was refused
// and so has used up no sequence numbers.
func (p *Producer) replace(l *lane, c *parcel, others ...*batch) {
	b := c.batch
	c.part.sequence = b.sequence
	c.part.sending = nil
	c.part.landed(time.Time{})
	kept := 0
	for _, o := range others {
		o.txn = b.txn
		o.cost = p.memory.costOf(cap(o.slab))
		p.memory.used += o.cost
		l.pending += len(o.slab) - recordsAt
		kept += int(o.count)
	}
	if !c.part.topic.aside {
		p.waiting += kept - int(b.count)
	}
	p.txn.records += kept - int(b.count)
	c.part.queue = append(others, c.part.queue...)
	p.recycle(b)
	p.home(c.part)
}

// substitute sends rec (to the dead-letter topic) under the number of the record
// it stands for, so that nothing is confirmed before it is acknowledged.
func (p *Producer) substitute(rec *routing.Record, of *batch) bool {
	t := p.topics[rec.Topic]
	if t == nil || len(t.partitions) == 0 {
		p.stop(fmt.Errorf("dead-letter topic %q is not known to Kafka: create it", rec.Topic))
		return false
	}
	part, err := t.choose(rec)
	if err != nil {
		p.stop(err)
		return false
	}
	size := aloneLen(rec) + prefixLen
	b := &batch{slab: make([]byte, recordsAt, size), first: of.first, firstBytes: of.firstBytes, firstCommitted: of.firstCommitted}
	b.append(rec, size)
	b.commits = append(b.commits, of.commits...)
	b.types = append(b.types, of.types...)
	b.cost = p.memory.costOf(size)
	p.memory.used += b.cost
	p.waiting++
	b.txn = of.txn
	p.txn.records++
	if part.open != nil {
		part.closeOpen(false)
	}
	part.queue = append(part.queue, b)
	part.lane.pending += len(b.slab) - recordsAt
	part.lane.wake()
	if part.leader == nowhere {
		p.ask(t)
	}
	return true
}

// reasonOf is a short word for an error code, for metrics and logs.
func reasonOf(code kafka.Error) string {
	switch code {
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge:
		return routing.ReasonTooLarge
	case kafka.InvalidRecord:
		return routing.ReasonInvalidRecord
	case kafka.InvalidTimestamp:
		return routing.ReasonInvalidTimestamp
	}
	return snake(code.Title())
}

// snake turns "Not Leader For Partition" into not_leader_for_partition.
func snake(title string) string {
	b := []byte(title)
	for i, c := range b {
		switch {
		case c == ' ' || c == '-':
			b[i] = '_'
		case 'A' <= c && c <= 'Z':
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
