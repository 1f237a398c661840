// Package connect is Kafka Connect's data model and its converters: a value
// under a schema becomes the bytes of a record's key, value or header, byte for
// byte as Kafka Connect with the same converter writes them.
//
//	column ─┐
//	expand ─┴─ Schema, Value ──▶ Converter.Append ──▶ bytes
//
// The sources for the bytes are Kafka Connect 4.1's converters
// (org.apache.kafka.connect.storage, .json, .converters, .data.Values),
// Debezium's BinaryDataConverter, and Java's Double.toString.
//
// Everything here is pure and for use by one goroutine.
package connect
