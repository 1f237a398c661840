package sink

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/segmentio/kafka-go/sasl"

	"github.com/walrelay/walrelay/routing"
)

// Config says where the producer writes and within what bounds.
type Config struct {
	Brokers  []string       // host:port of brokers to start from; at least one
	ClientID string         // how brokers' logs name us. Default "walrelay"
	TLS      *tls.Config    // nil: plain text
	SASL     sasl.Mechanism // nil: no authentication

	// Dial opens connections to brokers; nil dials TCP with keepalives. For
	// tests that stand between.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Compression string         // none (default), gzip, snappy, lz4, zstd
	Create      *TopicCreation // nil: a missing topic is waited for

	// Aside is a topic whose records nothing waits for: they are no part of Oldest,
	// Flush and the window, and what Kafka refuses of them is dropped and said as a wait.
	Aside string

	// Own are topics of walrelay's own, made where they are missing whatever Create says.
	Own map[string]TopicCreation

	// InFlightBytes bounds the memory of records handed over and not yet
	// acknowledged, and the bytes of the window behind the oldest of them.
	// With compression a batch counts twice until its compressed copy is made.
	// Default 16 MiB. One record larger than that is still sent, alone.
	InFlightBytes int

	// Transactions: records count when the transaction that Cut ends is committed.
	// Needs a transactional id (Fence), which is waited for without end.
	Transactions bool

	Hooks Hooks
}

// creation says how a missing topic is made; nil: not by walrelay.
func (c *Config) creation(topic string) *TopicCreation {
	if own, ok := c.Own[topic]; ok {
		return &own
	}
	return c.Create
}

// TopicCreation says how a missing topic is made.
type TopicCreation struct {
	Partitions        int               // -1: the cluster's default
	ReplicationFactor int               // -1: the cluster's default
	Config            map[string]string // topic configuration, e.g. retention.ms
}

// Hooks let the relay count and log. They are called from the producer's own
// goroutines, without its lock; nil ones are left out. They must not block.
type Hooks struct {
	// Acked: all in-sync replicas have the batch.
	Acked func(Acked)
	// Committed: a transaction of so many records, the Cut's included, is committed,
	// which took the coordinator so long. Acked is called for its batches after it.
	Committed func(records int, took time.Duration)
	// Retry: something is tried again; reason is a short word for a metric.
	Retry func(reason string)
	// Wait: the producer has to wait for what (a topic, the cluster, a producer
	// id), because of err. Called with a nil err when the wait for what is over.
	Wait func(what string, err error)
	// Fence: a producer id was taken. Without fenced, an older instance is not
	// shut out, because of err.
	Fence func(id int64, epoch int16, fenced bool, err error)
	// Grown: a topic has more partitions now than before, so that the keys of some
	// records move to others.
	Grown func(topic string, before, now int)
	// Claim is asked with a producer id that Fence has asked for in hand, before its
	// first use: whether the owner may still write. An error ends the producer. It may
	// block as long as ctx lives. Nil: always.
	Claim func(ctx context.Context) error
	// Reject decides what becomes of a record that the broker will never take.
	// Nil, or a Rejection answered with Stop, ends the producer with the poison.
	Reject func(Rejection) Remedy
}

// Acked describes a batch that was acknowledged.
type Acked struct {
	Topic     string
	Partition int32
	Records   int
	Bytes     int           // of the batch before compression
	Took      time.Duration // from the request to the answer
	// Commit calls fn with every run of records committed at the same time
	// (microseconds since 1970). Valid only during the call of the hook.
	Commit func(fn func(micros int64, records int))
	// Type calls fn with the number of records a Meta.Type label. Likewise.
	Type func(fn func(label int32, records int))
}

// Rejection is a record that the broker refuses for what it is.
type Rejection struct {
	Record    routing.Record // as it was sent; valid only during the call
	Partition int32
	Size      int // of the record alone in a batch, in bytes
	Limit     int // max.message.bytes of the topic as last known
	Reason    string
	Err       error // the broker's answer
}

// Remedy is what to do about a Rejection: end with the poison, leave the record
// out, or send another one (to the dead-letter topic) in its place.
type Remedy struct {
	Stop    bool
	Instead *routing.Record // nil with Stop false: leave it out
}

// Meta is what the producer keeps of an event beside its record.
type Meta struct {
	Number    uint64 // running number; grows by one with every event
	Committed int64  // commit time, microseconds since 1970
	Type      int32  // the relay's label of the event type, for Hooks.Acked
}

// What the producer's timing is made of.
const (
	// linger is how long a lane lets a batch grow when events come fast.
	// lingerLate bounds it when they are late anyway.
	linger     = 3 * time.Millisecond
	lingerLate = 20 * time.Millisecond
	// sparse is the number of events expected within linger below which a lane
	// sends at once.
	sparse = 8
	// goodSize is the amount of waiting bytes that ends the linger.
	goodSize = 512 << 10
	// maxRequest bounds what one Produce request carries, so that the copies
	// that kafka-go makes of it stay small; a single larger batch goes alone.
	// Azure Event Hubs takes 1,046,528 bytes.
	maxRequest = 1_000_000
	// produceTimeout is what the broker may take for acks=all.
	produceTimeout = 10 * time.Second
	// answerTimeout is when an answer counts as lost.
	answerTimeout = 15 * time.Second
	// lastAnswers is how long a failed producer waits for the answers to what is
	// in flight.
	lastAnswers = 5 * time.Second
	// renewAfter is when a producer id is renewed at the next quiet moment:
	// brokers forget a partition's producer state after a day and a
	// transactional id after seven. renewLatest is when it drains for it.
	renewAfter  = 20 * time.Hour
	renewLatest = 26 * time.Hour
	// renewAgain is when it is tried again after the coordinator was away, renewLook
	// how often a due id is looked at while the producer is not quiet.
	renewAgain = time.Hour
	renewLook  = time.Minute
	// patience is how long a transaction coordinator is waited for before the
	// producer goes on without the write fence.
	patience = 10 * time.Second
	// fenceAgain is when, without the fence, a coordinator is looked for again.
	fenceAgain = time.Minute
	// metadataAge is how often metadata is asked for anew though nothing went wrong:
	// topics get new partitions, and then keys move. It costs one request.
	metadataAge = time.Minute
	// maxWindowEvents bounds the events behind the oldest unacknowledged one,
	// also those already acknowledged: what a crash can repeat at most.
	maxWindowEvents = 1 << 17
	// defaultMaxMessage is Kafka's default max.message.bytes, assumed where the
	// topic's configuration may not be read.
	defaultMaxMessage = 1048588
)
