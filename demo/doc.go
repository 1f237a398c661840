// Package demo is a whole outbox on one machine: the thing itself, at work,
// with nothing to configure.
//
//	shop ──INSERT orders, outbox──▶ PostgreSQL ──WAL──▶ walrelay ──Produce──▶ Kafka
//	  ▲ some rolled back               │  ▲                                    │
//	                                   │  └── INSERT inbox ◀── consumer ◀──────┘
//	                                   ▼
//	                     verdict: outbox against inbox
//
// PostgreSQL is a real one (package demo/postgres), the relay is the one that
// `walrelay run` runs, Kafka is the one that was named or, said so in the
// output, an in-process stand-in.
//
// What the verdict says does not come from the relay. The events that must
// arrive are the rows of the outbox table, the events that did arrive are the
// rows of the consumer's inbox table, and the two are compared in PostgreSQL
// after everything has come to rest. Order is checked by the version that each
// aggregate counts in its own row: versions come to be in commit order, so an
// event that arrives after a newer one of its aggregate is out of order.
//
// [Run] is the command `walrelay demo`. [RunShop] and [RunConsumer] are its two
// ends as programs of their own, against any PostgreSQL and Kafka, for
// docker-compose and for trying walrelay on a real set-up.
//
// Only this package imports what only the demo needs (kfake, the PostgreSQL
// starter); the build tag nodemo of cmd/walrelay leaves it out of a binary.
package demo
