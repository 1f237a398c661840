package sink

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/walrelay/walrelay/routing"
)

// topic is what the producer knows of a topic. Guarded by Producer.mu.
type topic struct {
	name       string
	aside      bool  // Config.Aside
	ready      bool  // partitions and maxBytes are known
	invalid    error // *routing.Poison: Kafka can have no topic of this name
	partitions []*partition
	maxBytes   int       // max.message.bytes
	sizedAt    time.Time // when maxBytes was read
	stale      bool      // the cluster is to be asked about it
	resize     bool      // maxBytes is to be read again before a record is called too large
	learned    time.Time // when the partitions were read
	sticky     int32     // the partition that records without a key go to
	stuck      int       // records since sticky was chosen
}

// partition is one ordered log. Guarded by Producer.mu, but for the batch in
// sending while its lane has a request under way.
type partition struct {
	topic    *topic
	id       int32
	leader   int32 // broker, -1: unknown
	lane     *lane
	sequence int32    // of the next record to be sealed
	open     *batch   // grows
	queue    []*batch // closed, in order
	sending  *batch   // sealed; in a request, or to be sent again
	inFlight bool     // sending is in a request
	retryAt  time.Time
	txn      uint32 // the last transaction that it was added to
	class    int    // slab class of the next batch

	illSince time.Time // since when brokers refuse sending; zero when they don't
	told     bool      // and that is among the waits
}

// String names the partition for people.
func (part *partition) String() string {
	return fmt.Sprintf("topic %q partition %d", part.topic.name, part.id)
}

// choose is the partition a record belongs to: the one it names, Java's for its
// key, or for a record without key one that changes now and then, as Java's
// sticky partitioner does.
func (t *topic) choose(rec *routing.Record) (*partition, error) {
	n := len(t.partitions)
	switch {
	case rec.Partition >= 0:
		if int(rec.Partition) >= n {
			return nil, &routing.Poison{Reason: routing.ReasonInvalidPartition, Detail: fmt.Sprintf("partition %d of topic %q, which has %d", rec.Partition, t.name, n)}
		}
		return t.partitions[rec.Partition], nil
	case rec.Key != nil:
		return t.partitions[partitionOf(rec.Key, n)], nil
	}
	if t.stuck++; t.stuck >= 100 || int(t.sticky) >= n {
		t.sticky, t.stuck = rand.Int32N(int32(n)), 0
	}
	return t.partitions[t.sticky], nil
}

// closeOpen moves the open batch to the queue. full says that it could not grow
// further: the next one gets a bigger slab.
func (part *partition) closeOpen(full bool) {
	b := part.open
	part.open = nil
	part.queue = append(part.queue, b)
	switch {
	case full && part.class < len(slabClasses)-1:
		part.class++
	case !full && part.class > 0 && len(b.slab) < slabClasses[part.class]/8:
		part.class--
	}
}

// each calls fn for every batch that is not acknowledged.
func (part *partition) each(fn func(*batch)) {
	if part.sending != nil {
		fn(part.sending)
	}
	for _, b := range part.queue {
		fn(b)
	}
	if part.open != nil {
		fn(part.open)
	}
}

// next is the batch to send now: the one that came back before all others. Nil
// when there is none. With settling the producer id is about to change: then
// only a batch whose fate is uncertain goes out, because whatever is under way
// under the old id when sequences start anew may land twice.
func (part *partition) next(now time.Time, settling bool) *batch {
	switch {
	case part.inFlight || now.Before(part.retryAt):
		return nil
	case settling:
		if part.sending != nil && part.sending.uncertain {
			return part.sending
		}
		return nil
	case part.sending != nil:
		return part.sending
	case len(part.queue) > 0:
		return part.queue[0]
	}
	return part.open
}

// take makes next's batch the one in flight.
func (part *partition) take() *batch {
	if part.sending == nil {
		if len(part.queue) == 0 {
			part.closeOpen(false)
		}
		part.sending = part.queue[0]
		n := copy(part.queue, part.queue[1:])
		part.queue[n] = nil
		part.queue = part.queue[:n]
	}
	part.inFlight = true
	return part.sending
}

// hasWork says that something waits to be sent or acknowledged.
func (part *partition) hasWork() bool {
	return part.sending != nil || len(part.queue) > 0 || part.open != nil
}
