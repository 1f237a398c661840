package sink

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
)

// session is the producer id and what is to be done about it. Guarded by
// Producer.mu.
type session struct {
	name     string // transactional id of the fence; "": none
	producer producerID
	ready    bool // records may be sent under producer
	fenced   bool // producer was taken under the transactional id
	wanted   bool // a producer id is to be taken; nothing is in flight
	draining bool // nothing new is taken in, to renew the producer id
	bump     bool // the epoch is to be raised when nothing is uncertain
	taken    time.Time
	asked    time.Time // since when the coordinator has not answered
}

// Fence takes a producer id with a new epoch: from its first batch on a
// partition the broker refuses what an older instance still sends there. The
// owner calls it after every successful START_REPLICATION and before the first
// Produce, with nothing unacknowledged (Flush first). It returns at
// once; Produce says ErrPending until the id is there. transactionalID is the
// same for every instance that may write the same slot's events; an empty one
// takes a producer id that shuts nobody out.
func (p *Producer) Fence(transactionalID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session.name = transactionalID
	p.session.ready, p.session.wanted = false, true
	p.task()
}

// renewIfQuiet renews a producer id that brokers will forget soon: at the first
// quiet moment after renewAfter, and by draining after renewLatest.
func (p *Producer) renewIfQuiet(now time.Time) {
	s := &p.session
	if !s.ready || now.Sub(s.taken) < renewAfter {
		return
	}
	if now.Sub(s.taken) >= renewLatest {
		s.draining = true
	}
	if p.waiting == 0 {
		s.ready, s.wanted, s.draining = false, true, false
		p.task()
	}
}

// calm says that no batch's fate is uncertain: the epoch may be raised.
func (p *Producer) calm() bool {
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
func (p *Producer) takeProducerID(ctx context.Context, fence bool) (done bool) {
	p.mu.Lock()
	name := p.session.name
	p.mu.Unlock()
	if !fence {
		name = ""
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	res, err := p.cluster.client().InitProducerID(ctx, &kafka.InitProducerIDRequest{
		TransactionalID: name, TransactionTimeoutMs: 60_000, ProducerID: -1, ProducerEpoch: -1,
	})
	if err == nil {
		err = res.Error
	}
	if err == nil {
		p.adopt(producerID{int64(res.Producer.ProducerID), int16(res.Producer.ProducerEpoch)}, name != "")
		return true
	}
	if name != "" && p.giveUpFence(err) {
		p.fenceHook(producerID{}, false, err)
		return p.takeProducerID(ctx, false)
	}
	if r := refusal("take a producer id", err); r != nil {
		p.mu.Lock()
		p.stop(r)
		p.mu.Unlock()
		return true
	}
	p.retried("init_producer_id")
	p.wait("producer id", err)
	return false
}

// giveUpFence says that at-least-once has to go on without the write fence:
// without the right to the transactional id at once, without a transaction
// coordinator (a single broker that can't make its transaction topic answers 15
// for ever) after ten seconds.
func (p *Producer) giveUpFence(err error) bool {
	const patience = 10 * time.Second
	var code kafka.Error
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case kafka.TransactionalIDAuthorizationFailed, kafka.UnsupportedVersion:
		return true
	case kafka.GroupCoordinatorNotAvailable, kafka.NotCoordinatorForGroup, kafka.GroupLoadInProgress:
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.session.asked.IsZero() {
			p.session.asked = time.Now()
		}
		return time.Since(p.session.asked) > patience
	}
	return false
}

// adopt starts to send under a new producer id or epoch: every partition counts
// from 0, and what was sealed under the old one is sealed anew.
func (p *Producer) adopt(id producerID, fenced bool) {
	p.mu.Lock()
	for _, t := range p.topics {
		for _, part := range t.partitions {
			part.sequence = 0
			if b := part.sending; b != nil {
				if b.wire != nil && cap(b.wire) != cap(b.slab) {
					p.memory.used -= cap(b.wire)
				}
				b.wire = nil
			}
		}
	}
	p.session = session{name: p.session.name, producer: id, ready: true, fenced: fenced, taken: time.Now()}
	for _, l := range p.lanes {
		l.wake()
	}
	p.signal()
	unnamed := p.session.name == ""
	p.mu.Unlock()
	p.wait("producer id", nil)
	if fenced || unnamed {
		p.fenceHook(id, fenced, nil)
	}
}

func (p *Producer) fenceHook(id producerID, fenced bool, err error) {
	if p.cfg.Hooks.Fence != nil {
		p.cfg.Hooks.Fence(id.id, id.epoch, fenced, err)
	}
}

// pending says why Produce can't take a record yet. Under mu.
func (p *Producer) pending(t *topic) error {
	if t.invalid != nil {
		return t.invalid
	}
	if !t.ready {
		p.needMetadata = true
		p.task()
	}
	return ErrPending
}
