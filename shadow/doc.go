// Package shadow compares what walrelay would write with what is written: beside a
// running Debezium, or anything else that turns the same outbox into records.
//
//	temporary slot ─▶ decoding ─▶ routing ─record─┐
//	                                               ├▶ matcher, by event id ─▶ Result
//	Kafka's topics ─▶ reader ──────────────record─┘
//
// It writes nothing: no record, no consumer group, no offsets, no producer id, so it
// fences nobody; in PostgreSQL no marker, and a slot that is dropped with its
// connection and confirmed as it is read, so that it holds back no WAL.
//
// # What is read
//
// The ends of all topics are noted first, then the slot is made, so no record of a
// transaction that the slot sends can lie before them. A topic is read from its
// noted end (one that is younger from its start) as soon as an event is routed to
// it; topics that no event is routed to are read only when they are named in
// Config.Topics.
//
// What the other side writes of transactions that committed before the slot is no
// difference. Nothing tells them apart but their place: the ends are noted again
// shortly after the first event was found on both sides, and a record that has no
// event counts as "only in Kafka" when it lies behind them, or behind a record of its
// partition that has one.
//
// # What is compared
//
// Topic, partition (where the key or a column decides it), key, value, headers by
// name, order and bytes, null and empty kept apart, and the timestamp where a column
// gives it. The headers __debezium.context.* count only when walrelay would write
// them, and then but for runId. Records are read uncommitted, those of aborted
// transactions, too: what is written again afterwards is a repeat.
//
// One difference can be without meaning: with an envelope and schemas in the value
// Debezium names the schema after the first event since its own start, walrelay after
// the first since its own.
//
// Each id that is missing on one side waits for Config.Wait, and still counts as
// compared when it comes later. Memory is bounded: of what waits a hash and the
// beginning is kept, of at most maxPending records.
package shadow
