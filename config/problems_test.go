package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/config"
)

// minimal is the shortest file that is complete.
const minimal = "postgres: {url: 'postgres://walrelay@db:5432/shop'}\nkafka: {brokers: ['localhost:9092']}\n"

// TestLoad_problems has every problem that Load can find, with its exact text. In
// files of a case, $DIR is the directory of the test.
func TestLoad_problems(t *testing.T) {
	tests := []struct {
		name  string
		file  string // minimal plus this, unless raw
		raw   bool
		env   []string
		flags map[string]string
		files map[string]string
		want  []string
	}{
		// The file as a whole.
		{name: "not YAML", raw: true, file: "kafka:\n  brokers: [a:1\ndelivery: x\n",
			want: []string{"walrelay.yaml:2:3: did not find expected ',' or ']': not valid YAML here or just before"}},
		{name: "not YAML, first line", raw: true, file: "a: b: c\n",
			want: []string{"walrelay.yaml:1:1: mapping values are not allowed in this context: not valid YAML here or just before"}},
		{name: "a value with a star", raw: true, file: "kafka:\n  sasl:\n    password: *hunter2\n",
			want: []string{"walrelay.yaml:3:15: a value begins with *, which YAML takes for an alias: put it in quotes"}},
		{name: "two documents", raw: true, file: minimal + "---\ndelivery: x\n",
			want: []string{"walrelay.yaml:3:1: a second document begins here: keep one"}},
		{name: "second document is not YAML", raw: true, file: minimal + "---\na: [\n",
			want: []string{"walrelay.yaml:5:1: did not find expected node content: not valid YAML here or just before"}},
		{name: "a list", raw: true, file: "- a\n",
			want: []string{"walrelay.yaml:1:1: want a mapping, got a list"}},
		{name: "a list as key", file: "[a, b]: c\n", want: []string{"walrelay.yaml:3:1: want a key, got a list"}},

		// Keys.
		{name: "unknown key, near", file: "on_fatl: exit\n", want: []string{"walrelay.yaml:3:1: on_fatl: unknown key (did you mean on_fatal?)"}},
		{name: "unknown key, spelling", file: "onFatal: exit\n", want: []string{"walrelay.yaml:3:1: onFatal: unknown key (did you mean on_fatal?)"}},
		{name: "unknown key, section squashed", file: "limits:\n  inflight-bytes: 1MiB\n", want: []string{"walrelay.yaml:4:3: limits.inflight-bytes: unknown key (did you mean in_flight_bytes?)"}},
		{name: "unknown key, elsewhere", file: "compression: lz4\n", want: []string{"walrelay.yaml:3:1: compression: unknown key (did you mean kafka.compression?)"}},
		{name: "unknown key, far", file: "zebra: 1\n", want: []string{"walrelay.yaml:3:1: zebra: unknown key"}},
		{name: "merge key", file: "<<: {delivery: at-least-once}\n", want: []string{"walrelay.yaml:3:1: <<: unknown key (YAML merge keys are not supported: write the keys out)"}},
		{name: "unknown key in an outbox", file: "outbox:\n  colums: {}\n", want: []string{"walrelay.yaml:4:3: outbox.colums: unknown key (did you mean columns?)"}},
		{name: "unknown key in a list", file: "outbox:\n  - table: a\n    columns:\n      aggregateid: x\n",
			want: []string{"walrelay.yaml:6:7: outbox[0].columns.aggregateid: unknown key (did you mean aggregate_id?)"}},
		{name: "duplicate key", file: "delivery: at-least-once\ndelivery: at-least-once\n", want: []string{"walrelay.yaml:4:1: delivery: set twice, first at line 3: keep one"}},
		{name: "duplicate section", file: "log: {level: info}\nlog: {format: json}\n", want: []string{"walrelay.yaml:4:1: log: set twice, first at line 3: keep one"}},

		// Types.
		{name: "number for text", file: "route: {key: 5}\n", want: []string{"walrelay.yaml:3:14: route.key: want text, got a number: put it in quotes"}},
		{name: "boolean for text", file: "delivery: true\n", want: []string{"walrelay.yaml:3:11: delivery: want text, got true or false: put it in quotes"}},
		{name: "date for text", file: "route: {key: 2026-01-01}\n", want: []string{"walrelay.yaml:3:14: route.key: want text, got a date: put it in quotes"}},
		{name: "list for text", file: "delivery: [a]\n", want: []string{"walrelay.yaml:3:11: delivery: want text, got a list"}},
		{name: "mapping for text", file: "delivery: {a: b}\n", want: []string{"walrelay.yaml:3:11: delivery: want text, got a mapping"}},
		{name: "own tag", file: "delivery: !env X\n", want: []string{`walrelay.yaml:3:11: delivery: want text, got a value with the tag "!env": put it in quotes`}},
		{name: "text for mapping", file: "log: json\n", want: []string{"walrelay.yaml:3:6: log: want a mapping, got text"}},
		{name: "text for mapping, deeper", raw: true, file: "postgres: {url: 'postgres://db/x'}\nkafka: {brokers: ['a:1'], sasl: hunter2}\n",
			want: []string{"walrelay.yaml:2:33: kafka.sasl: want a mapping, got text"}},
		{name: "text for boolean", raw: true, file: "postgres: {url: 'postgres://db/x', auto_create: \"true\"}\nkafka: {brokers: ['a:1']}\n",
			want: []string{"walrelay.yaml:1:49: postgres.auto_create: want true or false, got text"}},
		{name: "text for list", raw: true, file: "postgres: {url: 'postgres://db/x'}\nkafka:\n  brokers: localhost:9092\n",
			want: []string{"walrelay.yaml:3:12: kafka.brokers: want a list, got text: write [a, b]"}},
		{name: "number in a list", file: "route: {headers: [id, 7]}\n", want: []string{"walrelay.yaml:3:23: route.headers: want text, got a number: put it in quotes"}},
		{name: "list in a list", file: "route: {headers: [[id]]}\n", want: []string{"walrelay.yaml:3:19: route.headers: want text, got a list"}},
		{name: "boolean for size", file: "limits: {in_flight_bytes: true}\n", want: []string{"walrelay.yaml:3:27: limits.in_flight_bytes: want a size such as 16MiB, got true or false"}},
		{name: "list for table", file: "outbox: {table: [a]}\n", want: []string{"walrelay.yaml:3:17: outbox.table: want a table such as public.outbox, got a list"}},
		{name: "text for outbox", file: "outbox: public.outbox\n", want: []string{"walrelay.yaml:3:9: outbox: want a mapping, got text"}},
		{name: "text in the outbox list", file: "outbox: [public.outbox]\n", want: []string{"walrelay.yaml:3:10: outbox[0]: want a mapping, got text"}},

		// Lists and tables.
		{name: "no tables", file: "outbox: []\n", want: []string{"walrelay.yaml:3:9: outbox: is empty: list at least one table"}},
		{name: "table missing in a list", file: "outbox:\n  - {route: {topic: t}}\n", want: []string{"walrelay.yaml:4:5: outbox[0].table: required in a list: name the table"}},
		{name: "table twice", file: "outbox:\n  - {table: outbox}\n  - {table: public.outbox}\n",
			want: []string{"walrelay.yaml:5:13: outbox[1].table: public.outbox is listed twice, first as outbox[0]: keep one"}},
		{name: "no table name", file: "outbox: {table: a.b.c}\n", want: []string{`walrelay.yaml:3:17: outbox.table: "a.b.c" is no table name: write schema.table, with quotes around names that have capitals or dots`}},
		{name: "long column", file: "outbox: {columns: {id: " + strings.Repeat("x", 64) + "}}\n",
			want: []string{"walrelay.yaml:3:24: outbox.columns.id: has 64 bytes: PostgreSQL's names have at most 63"}},
		{name: "columns", file: "outbox: {columns: {id: 'a,,b'}}\n",
			want: []string{`walrelay.yaml:3:24: outbox.columns.id: "a,,b" has an empty name: write one column, or several separated by commas`}},
		{name: "list and environment", file: "outbox:\n  - table: a\n  - table: b\n", env: []string{"WALRELAY_OUTBOX_TABLE=c"},
			want: []string{"WALRELAY_OUTBOX_TABLE: outbox.table: means a single outbox, but walrelay.yaml lists 2 (walrelay.yaml:4:3): set it in the file"}},
		{name: "list and flag", file: "outbox:\n  - table: a\n  - table: b\n", flags: map[string]string{"table": "c"},
			want: []string{"--table: outbox.table: means a single outbox, but walrelay.yaml lists 2 (walrelay.yaml:4:3): set it in the file"}},
		{name: "envelope twice", file: "route: {envelope: [id, id]}\n", want: []string{`walrelay.yaml:3:24: route.envelope: "id" is listed twice: keep one`}},
		{name: "pattern alone", file: "route: {pattern: x}\n", want: []string{`walrelay.yaml:3:18: route.replacement: required with route.pattern: write the topic, with ${name} or $1 for groups of the pattern`}},
		{name: "replacement alone", file: "route: {replacement: x}\n", want: []string{`walrelay.yaml:3:22: route.pattern: required with route.replacement: write the regular expression, or use route.topic`}},
		{name: "two topics", file: "route: {topic: a, pattern: x, replacement: y}\n", want: []string{`walrelay.yaml:3:28: route.pattern: contradicts route.topic (walrelay.yaml:3:16): keep one of them`}},
		{name: "java version", file: "format: {java_version: 17}\n", want: []string{`walrelay.yaml:3:24: format.java_version: want 18 to 19, got 17`}},
		{name: "header empty", file: "route: {headers: ['']}\n", want: []string{"walrelay.yaml:3:19: route.headers: an element is empty: remove it"}},

		// Values.
		{name: "not allowed", file: "on_poison: drop\n", want: []string{`walrelay.yaml:3:12: on_poison: want stop, dead-letter or skip, got "drop" (did you mean stop?)`}},
		{name: "NUL", file: "route: {key: \"a\\0\"}\n", want: []string{"walrelay.yaml:3:14: route.key: contains a NUL byte"}},
		{name: "size unit", file: "limits: {in_flight_bytes: 16M}\n", want: []string{`walrelay.yaml:3:27: limits.in_flight_bytes: want a size such as 16MiB, 1GB or 65536 (bytes), got "16M"`}},
		{name: "size too small", file: "limits: {in_flight_bytes: 512KiB}\n", want: []string{"walrelay.yaml:3:27: limits.in_flight_bytes: want 1MiB to 4GiB, got 512KiB"}},
		{name: "size too large", file: "limits: {in_flight_bytes: 99999999999999999999}\n", want: []string{`walrelay.yaml:3:27: limits.in_flight_bytes: want a size such as 16MiB, got a number`}},
		{name: "exactly-once with a snapshot", file: "delivery: exactly-once\nsnapshot: {mode: initial}\n", want: []string{"walrelay.yaml:4:18: snapshot.mode: initial does not go with delivery exactly-once: a snapshot that breaks off begins anew; take it with at-least-once first"}},
		{name: "events in the watermark's topic", file: "delivery: exactly-once\nroute: {topic: walrelay.watermark}\n", want: []string{`kafka.watermark_topic: "walrelay.watermark" is route.topic, too: give the watermark a topic of its own`}},
		{name: "dead letter without topic", file: "on_poison: dead-letter\n", want: []string{"walrelay.yaml:3:12: dead_letter_topic: required with on_poison dead-letter: name a topic"}},
		{name: "dead letter topic", file: "dead_letter_topic: a b\n", want: []string{`walrelay.yaml:3:20: dead_letter_topic: "a b" is no topic name: want 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'`}},
		{name: "dead letter topic ..", file: "dead_letter_topic: ..\n", want: []string{`walrelay.yaml:3:20: dead_letter_topic: ".." is no topic name: want 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'`}},
		{name: "listen", file: "http: {listen: localhost}\n", want: []string{`walrelay.yaml:3:16: http.listen: "localhost" is no address: write 127.0.0.1:9187, or "" to switch it off`}},
		{name: "listen port", file: "http: {listen: ':99999'}\n", want: []string{`walrelay.yaml:3:16: http.listen: ":99999": want a port from 0 to 65535 (0: any free one)`}},
		{name: "route empty", file: "route: {topic: ''}\n", want: []string{"walrelay.yaml:3:16: route.topic: must not be empty: remove it for the default outbox.event.${aggregate_type}"}},
		{name: "log level", file: "log: {level: warning}\n", want: []string{`walrelay.yaml:3:14: log.level: want trace, debug, info, warn or error, got "warning"`}},

		// Environment and flags.
		{name: "environment value", env: []string{"WALRELAY_KAFKA_COMPRESSION=zst"}, want: []string{`WALRELAY_KAFKA_COMPRESSION: kafka.compression: want none, gzip, snappy, lz4 or zstd, got "zst" (did you mean zstd?)`}},
		{name: "environment boolean", env: []string{"WALRELAY_POSTGRES_AUTO_CREATE=maybe"}, want: []string{`WALRELAY_POSTGRES_AUTO_CREATE: postgres.auto_create: want true or false, got "maybe"`}},
		{name: "environment duration", env: []string{"WALRELAY_POSTGRES_WAL_SENDER_TIMEOUT=10"}, want: []string{`WALRELAY_POSTGRES_WAL_SENDER_TIMEOUT: postgres.wal_sender_timeout: want a duration such as 10s or 1m30s, got "10"`}},
		{name: "environment duration bounds", env: []string{"WALRELAY_POSTGRES_WAL_SENDER_TIMEOUT=1h"}, want: []string{`WALRELAY_POSTGRES_WAL_SENDER_TIMEOUT: postgres.wal_sender_timeout: want 1s to 10m, got 1h`}},
		{name: "environment list", env: []string{"WALRELAY_KAFKA_BROKERS=a:1,,b:2"}, want: []string{"WALRELAY_KAFKA_BROKERS: kafka.brokers: an element is empty: write a,b"}},
		{name: "environment list element", env: []string{"WALRELAY_KAFKA_BROKERS=a:1,b"}, want: []string{`WALRELAY_KAFKA_BROKERS: kafka.brokers: "b" has no port: write b:9092`}},
		{name: "environment number", env: []string{"WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS=six"}, want: []string{`WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS: kafka.topics.create.partitions: want a whole number, got "six"`}},
		{name: "environment number bounds", env: []string{"WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS=0"}, want: []string{`WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS: kafka.topics.create.partitions: want 1 to 100000, got 0`}},
		{name: "environment pairs", env: []string{"WALRELAY_KAFKA_TOPICS_CREATE_CONFIG=compact"}, want: []string{"WALRELAY_KAFKA_TOPICS_CREATE_CONFIG: kafka.topics.create.config: want name=value,name=value"}},
		{name: "environment pairs twice", env: []string{"WALRELAY_KAFKA_TOPICS_CREATE_CONFIG=a=1,a=2"}, want: []string{`WALRELAY_KAFKA_TOPICS_CREATE_CONFIG: kafka.topics.create.config: "a" is set twice: keep one`}},
		{name: "environment size", env: []string{"WALRELAY_LIMITS_IN_FLIGHT_BYTES=-1"}, want: []string{`WALRELAY_LIMITS_IN_FLIGHT_BYTES: limits.in_flight_bytes: want a size such as 16MiB, 1GB or 65536 (bytes), got "-1"`}},
		{name: "environment table", env: []string{"WALRELAY_OUTBOX_TABLE=a b"}, want: []string{`WALRELAY_OUTBOX_TABLE: outbox.table: "a b" is no table name: write schema.table, with quotes around names that have capitals or dots`}},
		{name: "environment unknown", env: []string{"WALRELAY_KAFKA_BROKER=a:1"}, want: []string{"WALRELAY_KAFKA_BROKER: unknown variable (did you mean WALRELAY_KAFKA_BROKERS?)"}},
		{name: "environment names no file", env: []string{"WALRELAY_CONFIG=$DIR/nope.yaml"}, raw: true, file: "-",
			want: []string{
				"WALRELAY_CONFIG: $DIR/nope.yaml does not exist: check the path (it is relative to the working directory)"}},
		{name: "environment names a directory", env: []string{"WALRELAY_CONFIG=$DIR"}, raw: true, file: "-",
			want: []string{"WALRELAY_CONFIG: $DIR is no configuration file: name a YAML file"}},
		{name: "flag value", flags: map[string]string{"log-level": "loud"}, want: []string{`--log-level: log.level: want trace, debug, info, warn or error, got "loud"`}},

		// What is missing.
		{name: "nothing", raw: true, file: "", want: []string{
			"postgres.url: required: set it in walrelay.yaml, in WALRELAY_POSTGRES_URL, with --postgres-url or by PG* variables",
			"kafka.brokers: required: set it in walrelay.yaml, in WALRELAY_KAFKA_BROKERS or with --brokers"}},
		{name: "empty brokers", raw: true, file: "postgres: {url: 'postgres://db/x'}\nkafka: {brokers: []}\n", want: []string{
			"walrelay.yaml:2:18: kafka.brokers: required: set it in walrelay.yaml, in WALRELAY_KAFKA_BROKERS or with --brokers"}},

		// PostgreSQL.
		{name: "slot", raw: true, file: "postgres: {url: 'postgres://db/x', slot: my-slot}\nkafka: {brokers: ['a:1']}\n",
			want: []string{`walrelay.yaml:1:42: postgres.slot: "my-slot" is no slot name: want 1 to 63 of a-z, 0-9 and _`}},
		{name: "URL", raw: true, file: "postgres: {url: 'postgres://u:hun%zzter2@db:5432/shop'}\nkafka: {brokers: ['a:1']}\n",
			want: []string{"walrelay.yaml:1:17: postgres.url: is no valid URL: check host and port, and write special characters of the user name and the password percent-encoded (@ as %40, / as %2F, : as %3A)"}},
		{name: "URL port", raw: true, file: "postgres: {url: 'postgres://u:hunter2@db:port/shop'}\nkafka: {brokers: ['a:1']}\n",
			want: []string{"walrelay.yaml:1:17: postgres.url: is no valid URL: check host and port, and write special characters of the user name and the password percent-encoded (@ as %40, / as %2F, : as %3A)"}},
		{name: "not a URL", raw: true, file: "postgres: {url: 'db:5432/shop'}\nkafka: {brokers: ['a:1']}\n",
			want: []string{"walrelay.yaml:1:17: postgres.url: is neither a URL (postgres://user@host:5432/database) nor keyword=value pairs (host=db user=walrelay dbname=shop)"}},
		{name: "URL with a bad option", raw: true, file: "postgres: {url: 'postgres://u:hunter2@db/shop?target_session_attrs=x'}\nkafka: {brokers: ['a:1']}\n",
			want: []string{"walrelay.yaml:1:17: postgres.url: unknown target_session_attrs value: x"}},
		{name: "URL with its password elsewhere", raw: true, file: "postgres: {url: 'host=db password=hunter2 target_session_attrs=hunter2'}\nkafka: {brokers: ['a:1']}\n",
			want: []string{"walrelay.yaml:1:17: postgres.url: is neither a URL (postgres://user@host:5432/database) nor keyword=value pairs (host=db user=walrelay dbname=shop)"}},

		// Brokers.
		{name: "brokers", raw: true, file: "postgres: {url: 'postgres://db/x'}\nkafka:\n  brokers:\n  - localhost\n",
			want: []string{`walrelay.yaml:4:5: kafka.brokers: "localhost" has no port: write localhost:9092`}},
		{name: "broker URL", flags: map[string]string{"brokers": "kafka://b:9092"}, want: []string{`--brokers: kafka.brokers: "kafka://b:9092" is a URL: write host:port`}},
		{name: "broker IPv6", flags: map[string]string{"brokers": "::1:9092"}, want: []string{`--brokers: kafka.brokers: "::1:9092" is no address: write host:port, an IPv6 host in brackets`}},
		{name: "broker port", flags: map[string]string{"brokers": "b:0"}, want: []string{`--brokers: kafka.brokers: "b:0": want a port from 1 to 65535`}},
		{name: "broker host", flags: map[string]string{"brokers": ":9092"}, want: []string{`--brokers: kafka.brokers: ":9092" has no host name: write host:port`}},

		// Topic creation in the file.
		{name: "topic settings", raw: true, file: "postgres: {url: 'postgres://db/x'}\nkafka:\n  brokers: ['a:1']\n  topics: {create: {config: compact}}\n",
			want: []string{"walrelay.yaml:4:29: kafka.topics.create.config: want a mapping of names to values, got text"}},
		{name: "topic setting twice", raw: true, file: "postgres: {url: 'postgres://db/x'}\nkafka:\n  brokers: ['a:1']\n  topics: {create: {config: {a: 1, a: 2}}}\n",
			want: []string{`walrelay.yaml:4:36: kafka.topics.create.config: "a" is set twice: keep one`}},
		{name: "topic setting list", raw: true, file: "postgres: {url: 'postgres://db/x'}\nkafka:\n  brokers: ['a:1']\n  topics: {create: {config: {a: [1]}}}\n",
			want: []string{`walrelay.yaml:4:33: kafka.topics.create.config: "a": want a value, got a list`}},
		{name: "topic setting without name", raw: true, file: "postgres: {url: 'postgres://db/x'}\nkafka:\n  brokers: ['a:1']\n  topics: {create: {config: {'': 1}}}\n",
			want: []string{"walrelay.yaml:4:30: kafka.topics.create.config: want a name, got text"}},
		{name: "partitions as text", raw: true, file: "postgres: {url: 'postgres://db/x'}\nkafka:\n  brokers: ['a:1']\n  topics: {create: {partitions: '6'}}\n",
			want: []string{"walrelay.yaml:4:33: kafka.topics.create.partitions: want a whole number, got text"}},

		// TLS.
		{name: "CA file", env: []string{"WALRELAY_KAFKA_TLS_CA_FILE=$DIR/nope.pem"},
			want: []string{"WALRELAY_KAFKA_TLS_CA_FILE: kafka.tls.ca_file: $DIR/nope.pem does not exist: check the path (it is relative to the working directory)"}},
		{name: "CA file without PEM", env: []string{"WALRELAY_KAFKA_TLS_CA_FILE=$DIR/ca.pem"}, files: map[string]string{"ca.pem": "x"},
			want: []string{"WALRELAY_KAFKA_TLS_CA_FILE: kafka.tls.ca_file: $DIR/ca.pem has no PEM certificate: want -----BEGIN CERTIFICATE-----"}},
		{name: "certificate without key", env: []string{"WALRELAY_KAFKA_TLS_CERT_FILE=$DIR/c.pem"}, want: []string{"WALRELAY_KAFKA_TLS_CERT_FILE: kafka.tls.key_file: required with cert_file"}},
		{name: "key without certificate", env: []string{"WALRELAY_KAFKA_TLS_KEY_FILE=$DIR/k.pem"}, want: []string{"WALRELAY_KAFKA_TLS_KEY_FILE: kafka.tls.cert_file: required with key_file"}},
		{name: "certificate and key missing", env: []string{"WALRELAY_KAFKA_TLS_CERT_FILE=$DIR/c.pem", "WALRELAY_KAFKA_TLS_KEY_FILE=$DIR/k.pem"}, want: []string{
			"WALRELAY_KAFKA_TLS_CERT_FILE: kafka.tls.cert_file: $DIR/c.pem does not exist: check the path (it is relative to the working directory)",
			"WALRELAY_KAFKA_TLS_KEY_FILE: kafka.tls.key_file: $DIR/k.pem does not exist: check the path (it is relative to the working directory)"}},
		{name: "no pair", env: []string{"WALRELAY_KAFKA_TLS_CERT_FILE=$DIR/c.pem", "WALRELAY_KAFKA_TLS_KEY_FILE=$DIR/k.pem"}, files: map[string]string{"c.pem": "x", "k.pem": "hunter2"},
			want: []string{"WALRELAY_KAFKA_TLS_CERT_FILE: kafka.tls.cert_file: $DIR/c.pem and $DIR/k.pem are no certificate with its key: tls: failed to find any PEM data in certificate input"}},

		// SASL.
		{name: "mechanism missing", env: []string{"WALRELAY_KAFKA_SASL_PASSWORD=hunter2"}, want: []string{"WALRELAY_KAFKA_SASL_PASSWORD: kafka.sasl.mechanism: required with password: plain, scram-sha-256 or scram-sha-512"}},
		{name: "mechanism unknown", env: []string{"WALRELAY_KAFKA_SASL_MECHANISM=SCRAM-SHA-256"}, want: []string{`WALRELAY_KAFKA_SASL_MECHANISM: kafka.sasl.mechanism: want plain, scram-sha-256 or scram-sha-512, got "SCRAM-SHA-256" (did you mean scram-sha-256?)`}},
		{name: "credentials missing", env: []string{"WALRELAY_KAFKA_SASL_MECHANISM=plain"}, want: []string{
			"WALRELAY_KAFKA_SASL_MECHANISM: kafka.sasl.username: required with mechanism plain",
			"WALRELAY_KAFKA_SASL_MECHANISM: kafka.sasl.password: required with mechanism plain: set it, or password_file"}},

		// Files of secrets.
		{name: "secret file missing", env: []string{"WALRELAY_POSTGRES_PASSWORD_FILE=$DIR/pw"}, want: []string{
			"WALRELAY_POSTGRES_PASSWORD_FILE: postgres.password_file: $DIR/pw does not exist: check the path (it is relative to the working directory)"}},
		{name: "secret file is a directory", env: []string{"WALRELAY_POSTGRES_PASSWORD_FILE=$DIR"}, want: []string{
			"WALRELAY_POSTGRES_PASSWORD_FILE: postgres.password_file: $DIR is a directory: name a file that holds nothing but the secret"}},
		{name: "secret file empty", env: []string{"WALRELAY_POSTGRES_PASSWORD_FILE=$DIR/pw"}, files: map[string]string{"pw": "\n"}, want: []string{
			"WALRELAY_POSTGRES_PASSWORD_FILE: postgres.password_file: $DIR/pw is empty: write the secret into it"}},
		{name: "secret file with lines", env: []string{"WALRELAY_POSTGRES_PASSWORD_FILE=$DIR/pw"}, files: map[string]string{"pw": "hunter2\nmore\n"}, want: []string{
			"WALRELAY_POSTGRES_PASSWORD_FILE: postgres.password_file: $DIR/pw has several lines: name a file that holds nothing but the secret"}},
		{name: "secret file large", env: []string{"WALRELAY_POSTGRES_PASSWORD_FILE=$DIR/pw"}, files: map[string]string{"pw": strings.Repeat("x", 70000)}, want: []string{
			"WALRELAY_POSTGRES_PASSWORD_FILE: postgres.password_file: $DIR/pw has 70000 bytes: name a file that holds nothing but the secret"}},
		{name: "secret and file", env: []string{"WALRELAY_POSTGRES_PASSWORD=hunter2", "WALRELAY_POSTGRES_PASSWORD_FILE=$DIR/pw"}, files: map[string]string{"pw": "hunter2"}, want: []string{
			"WALRELAY_POSTGRES_PASSWORD_FILE: postgres.password_file: postgres.password is set, too (WALRELAY_POSTGRES_PASSWORD): keep one of them"}},

		// All at once, in order.
		{name: "all at once", file: "delivery: twice\nzebra: 1\n", env: []string{"WALRELAY_LOG_LEVEL=x", "WALRELAY_HTTP_LISTEN=x"}, flags: map[string]string{"slot": "X"}, want: []string{
			`walrelay.yaml:3:11: delivery: want at-least-once or exactly-once, got "twice"`,
			"walrelay.yaml:4:1: zebra: unknown key",
			`WALRELAY_HTTP_LISTEN: http.listen: "x" is no address: write 127.0.0.1:9187, or "" to switch it off`,
			`WALRELAY_LOG_LEVEL: log.level: want trace, debug, info, warn or error, got "x"`,
			`--slot: postgres.slot: "X" is no slot name: want 1 to 63 of a-z, 0-9 and _`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := quietDir(t)
			file := test.file
			if !test.raw {
				file = minimal + file
			}
			if file != "-" {
				write(t, "walrelay.yaml", file)
			}
			for name, text := range test.files {
				write(t, name, text)
			}
			env := make([]string, len(test.env))
			for i, e := range test.env {
				env[i] = strings.ReplaceAll(e, "$DIR", dir)
			}
			_, err := config.Load(config.Options{Env: env, Flags: test.flags})
			var problems *config.Error
			if !errors.As(err, &problems) {
				t.Fatalf("got error %v, want an *Error", err)
			}
			got := strings.Split(strings.ReplaceAll(err.Error(), dir, "$DIR"), "\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ter2") {
				t.Errorf("a secret is in: %s", err)
			}
		})
	}
}

// quietDir makes an empty working directory for a test, without PG* variables and
// files of the user's home, and returns it.
func quietDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
