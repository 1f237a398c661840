package sink

import (
	"bytes"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the tests of the package's surface shorten or look at.

// WholeBytes lets cmp compare bytes as one value, null apart from empty: one by one, by
// reflection, they take it minutes.
var WholeBytes = cmp.Comparer(func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) })

func (p *Producer) SetAnswerTimeout(d time.Duration) { p.answerTimeout = d }

func (p *Producer) SetPatience(d time.Duration) { p.patience = d }

func (p *Producer) SetFenceAgain(d time.Duration) { p.fenceAgain = d }

// SetRenewal says when the producer id is renewed. Before Run or by the owner.
func (p *Producer) SetRenewal(after, latest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renewAfter, p.renewLatest = after, latest
}

// SetSequence makes a partition count from sequence on, as after many records.
func (p *Producer) SetSequence(topic string, partition, sequence int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.topics[topic].partitions[partition].sequence = sequence
}

// Accounts gives the memory that is out, kept for later and allowed, and what
// the lanes believe to wait.
func (p *Producer) Accounts() (used, idle, limit, pending int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lanes {
		pending += l.pending
	}
	return p.memory.used, p.memory.idle, p.memory.limit, pending
}

// Adding is how many partitions wait to be added to the transaction, and settled
// whether every record of the one that is being closed is acknowledged.
func (p *Producer) Adding() (partitions int, settled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.txn.adding), p.txn.closing && p.txn.acked == p.txn.records
}
