// Command bench measures walrelay against its floors, on one machine in one run and on
// the same WAL.
//
//	go run ./test/bench                          everything, on servers of its own
//	go run ./test/bench --only drain1,latency    parts of it
//	go run ./test/bench --postgres URL --kafka HOST:PORT --output json
//
// The parts:
//
//	drain1    a backlog of 500,000 events, one event a transaction
//	drain100  the same, a hundred events a transaction
//	latency   commit to consumer at 500 and at 5,000 events/s
//	start     process start to the first record a consumer sees
//	idle      CPU with nothing to do
//	rss       peak memory with a 1,000,000-row transaction, and with Kafka away
//	          for a minute under load
//
// A drain works like this. One slot is made before the backlog is written; each
// contender of each round reads a copy of it (pg_copy_logical_replication_slot),
// so all decode the same WAL from the same place. The contenders are
// pg_recvlogical writing to /dev/null (the floor in C), a bare read loop over
// pgconn (the floor in Go, this same binary started again as "bench bareloop"),
// walrelay, and whatever --extra names. They run one after another, several
// rounds, in an order that rotates; every ratio is taken within a round and the
// table shows medians.
//
// A run that is fast and wrong is reported as wrong: after every run that
// produced records the topic is read back and every event is looked for by its
// id. Bars are verdicts in a table. A missed bar does not fail the command; a
// lost event, or a part that could not be measured, does.
//
// README.md in this folder has the method in detail.
package main
