// Package sink is the ordered, idempotent Kafka producer of walrelay.
//
// kafka.Writer promises no order: a lost answer duplicates records and a late
// request lands old records after newer ones. So this package stands one layer
// lower. It encodes record batches itself, with producer id, epoch and
// sequence, and sends them as raw Produce requests through kafka.Transport,
// which brings connections, TLS and SASL.
//
//	Produce ─▶ topic ─▶ partition: open batch ─▶ queue ─▶ sending ─┐
//	                                                               ├─▶ lane (one a broker) ─▶ Produce request
//	Produce ─▶ topic ─▶ partition: open batch ─▶ queue ─▶ sending ─┘        many partitions, one in flight
//
// # Guarantees
//
// A partition's records reach its log in the order of Produce, each once, for
// the life of a [Producer]: there is one batch in flight a partition, and a
// batch whose fate is uncertain is sent again as the same bytes with the same
// sequence until the broker's answer is certain. Nothing is skipped and nothing
// overtakes. [Producer.Oldest] is the smallest number that is not acknowledged;
// it never passes a record that the brokers (acks=all) do not have.
//
// The producer id is taken under a transactional id although no transactions
// are used: every [Producer.Fence] raises the epoch, and from the new
// instance's first batch on a partition the broker refuses what an older
// instance still has on its way there.
//
// # Goroutines
//
// Produce, Dispatch and the other methods of the stream belong to one goroutine,
// the owner. A lane a broker sends and receives. One manager goroutine asks for
// metadata, creates topics and takes producer ids. All of them share what
// Producer.mu guards; nothing is held over network I/O.
package sink
