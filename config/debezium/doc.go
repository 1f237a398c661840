// Package debezium turns the configuration of a Debezium PostgreSQL connector
// with the Outbox Event Router into walrelay.yaml.
//
//	file ──▶ entries (properties.go, json.go, strimzi.go; server.go for Debezium Server)
//	           │ references resolved (reference.go)
//	           ▼
//	        the table of options (options*.go): what becomes of each
//	           │ handlers: postgres.go, tables.go, router.go, transforms.go, converters.go, kafka.go, delivery.go
//	           ▼
//	        *Result: walrelay.yaml with a comment per line, and a report
//
// Import guarantees three things. Every option of the file is in the report: taken
// over, different, dangerous, not supported, without meaning here, or unknown; none
// is dropped silently. What it writes is a complete configuration: with the
// variables that the report names it loads and runs. And no secret is copied: not
// into the file, not into the report, not into an error.
//
// It reads Debezium 3.6's options and the names that older versions had for them,
// and Kafka Connect's and the Kafka producer's as far as they come with them. It
// touches neither a network nor any file.
package debezium
