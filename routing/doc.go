// Package routing decides what a Kafka record of an outbox event looks like:
// topic, key, value, headers and timestamp.
//
//	decoding ─Event─▶ Router.Route ─Record─▶ sink
//
// The default is byte for byte what Debezium's Outbox Event Router writes with
// its string converters:
//
//	topic      outbox.event.<aggregate type>, case kept
//	key        aggregate id as text, NULL is a null key
//	value      payload: text, json, jsonb as PostgreSQL's text, bytea as bytes,
//	           NULL is a null value, '' is an empty one
//	headers    id = event id
//	timestamp  commit time (Debezium: its own clock)
//
// A bytea key or value is its bytes, where the string converter of Kafka Connect
// writes "java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]", the same text for all of a
// length. Keys and headers of types that Debezium prints in its own way (dates and
// times, intervals, arrays, money, bit strings, numeric without a scale, floating
// point in exponential form) are PostgreSQL's text; text.go is the place for them.
//
// The package is pure. The same event gives the same record on every run; an
// event that no topic can take is a *Poison, never dropped here.
package routing
