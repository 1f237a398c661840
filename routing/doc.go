// Package routing decides what a Kafka record of an outbox event looks like:
// topic, partition, key, value, headers and timestamp.
//
//	decoding ─Event─▶ Router.Route ─Record─▶ sink
//	                   │ column     a column's text → a typed value, as Debezium reads it
//	                   │ expand     the payload's JSON → a typed value
//	                   │ connect    Kafka Connect's converters: a typed value → bytes
//	                   └ javaregex  topics by Java's regular expressions
//
// The default is what Debezium's Outbox Event Router writes with its string
// converters:
//
//	topic      outbox.event.<aggregate type>, case kept
//	key        aggregate id as text, NULL is a null key
//	value      payload: text, json, jsonb as PostgreSQL's text, bytea as bytes,
//	           NULL is a null value, '' is an empty one
//	headers    id = event id
//	timestamp  commit time (Debezium: its own clock)
//
// byte for byte but for bytea: its bytes go out, where Kafka Connect's string
// converter writes "java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]", the same text for
// all of a length (the converter "string" does so here, too). Rules has the
// rest of that router's options. What is text in the WAL and text in the record
// is passed on as it is; everything else goes through a typed value.
//
// The packages are pure. The same event gives the same record on every run, but
// for the names of envelope schemas (Schemas); an event that can be no record is
// a *Poison, never dropped here.
package routing
