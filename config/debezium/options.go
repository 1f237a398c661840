package debezium

import (
	"slices"
	"strings"
)

// option is one row of the table that says what becomes of each option.
type option struct {
	name    string  // Kafka Connect's name; with * at the end every name that begins so
	verdict Verdict // fixed: what becomes of it whatever its value
	why     string  // with a verdict: why, or what to do
	use     handler // otherwise: what looks at the value
}

// handler says what becomes of an option. A nil handler (and no verdict) means that a
// group of options is read together later.
type handler func(im *importer, e *entry)

// options is the table. A name that is in no row is reported as unknown; of several
// rows that fit a name the longest counts.
var options = slices.Concat(connectorOptions, sourceOptions, routerOptions, converterOptions, connectOptions, kafkaOptions, workerOptions, serverOptions)

// The names under which the options of the parts stand in the table, whatever the
// part is called in a file.
const (
	routerPart    = "<router>."    // transforms.NAME. of the Outbox Event Router
	converterPart = "<converter>." // key.converter., value.converter., header.converter.
	producerPart  = "<producer>."  // producer.override., producer., debezium.sink.kafka.producer.
)

// index is the table, made ready for looking up names.
type index struct {
	names    map[string]*option
	prefixes []*option // the rows with *, the longest first
}

func newIndex() *index {
	x := &index{names: make(map[string]*option, len(options))}
	for i := range options {
		o := &options[i]
		x.names[o.name] = o
		if strings.HasSuffix(o.name, "*") {
			x.prefixes = append(x.prefixes, o)
		}
	}
	slices.SortStableFunc(x.prefixes, func(a, b *option) int { return len(b.name) - len(a.name) })
	return x
}

// lookup finds the row of a name, nil when there is none.
func (x *index) lookup(name string) *option {
	if o, ok := x.names[name]; ok {
		return o
	}
	for _, o := range x.prefixes {
		if strings.HasPrefix(name, strings.TrimSuffix(o.name, "*")) {
			return o
		}
	}
	return nil
}

// Texts that several rows share.
const (
	noQueue      = "walrelay has no queue between reading and writing; limits.in_flight_bytes bounds its memory."
	noOffsets    = "walrelay's place is the slot's confirmed position in PostgreSQL; it keeps no offsets elsewhere. After the switch Debezium's stored offsets are out of date: the guide says how to go back."
	noJMX        = "There is no JMX; metrics are on http.listen (/metrics)."
	noSignals    = "There are no signals and no ad-hoc snapshots in walrelay."
	noBatch      = "walrelay builds its own batches."
	waits        = "walrelay waits out what passes by itself, without end, and shows it on /readyz."
	alwaysAll    = "walrelay always writes with acks=all and an order per key."
	noHistory    = "PostgreSQL's connector has no schema history."
	noStreaming  = "Of no effect on the records of the outbox."
	noNotices    = "There are no notifications; look at the log, /readyz and /metrics."
	ownSnapshots = "Only the mode and the fetch size of a snapshot can be set: all outbox tables are read under the slot's one exported snapshot, one after the other."
)

// connectorOptions are those of Debezium's PostgreSQL connector beside what is about
// the database.
var connectorOptions = []option{
	{name: "connector.class"},
	{name: "topic.prefix", use: useTopicPrefix},
	{name: "database.server.name", use: useOldName("topic.prefix")},
	{name: "table.include.list"}, {name: "table.exclude.list"}, {name: "schema.include.list"}, {name: "schema.exclude.list"},
	{name: "table.whitelist", use: useOldName("table.include.list")}, {name: "table.blacklist", use: useOldName("table.exclude.list")},
	{name: "schema.whitelist", use: useOldName("schema.include.list")}, {name: "schema.blacklist", use: useOldName("schema.exclude.list")},
	{name: "table.ignore.builtin", verdict: Ignored, why: noStreaming},
	{name: "column.include.list"}, {name: "column.exclude.list"}, {name: "column.whitelist", use: useOldName("column.include.list")}, {name: "column.blacklist", use: useOldName("column.exclude.list")},
	{name: "column.mask.*"}, {name: "column.truncate.*"},
	{name: "column.propagate.source.type"}, {name: "datatype.propagate.source.type"},
	{name: "message.key.columns", verdict: Differs, why: "The router replaces the key. In Debezium an UPDATE of these columns, instead of the primary key's, publishes a row again; in walrelay one of the primary key does."},
	{name: "snapshot.mode", use: useSnapshotMode},
	{name: "snapshot.fetch.size", use: useFetchSize},
	{name: "snapshot.mode.configuration.based.*"}, {name: "snapshot.mode.custom.name"},
	{name: "snapshot.custom.class", verdict: Unsupported, why: ownSnapshots},
	{name: "snapshot.locking.mode", verdict: Ignored, why: "A snapshot of walrelay locks no table."}, {name: "snapshot.locking.mode.*", verdict: Ignored, why: "A snapshot of walrelay locks no table."},
	{name: "snapshot.isolation.mode", verdict: Ignored, why: "A snapshot of walrelay sees exactly what was committed before the slot (repeatable read)."},
	{name: "snapshot.lock.timeout.ms", verdict: Ignored, why: "A snapshot of walrelay locks no table."},
	{name: "snapshot.max.threads", verdict: Ignored, why: ownSnapshots}, {name: "snapshot.max.threads.multiplier", verdict: Ignored, why: ownSnapshots}, {name: "legacy.snapshot.max.threads", verdict: Ignored, why: ownSnapshots},
	{name: "snapshot.delay.ms", verdict: Ignored, why: "A snapshot begins at once."},
	{name: "snapshot.tables.order.by.row.count", verdict: Ignored, why: ownSnapshots},
	{name: "snapshot.query.mode", verdict: Unsupported, why: ownSnapshots}, {name: "snapshot.query.mode.*", verdict: Unsupported, why: ownSnapshots},
	{name: "snapshot.include.collection.list", verdict: Unsupported, why: "A snapshot covers all outbox tables. Where that is too much, set snapshot.mode to none, or empty the table before the switch."},
	{name: "snapshot.select.statement.overrides", verdict: Unsupported, why: "A snapshot reads the whole table. If the statement orders the rows, name its column in outbox.order_by; if it leaves rows out, delete them before the switch or set snapshot.mode to none."},
	{name: "snapshot.select.statement.overrides.*", verdict: Unsupported, why: "A snapshot reads the whole table (see snapshot.select.statement.overrides)."},
	{name: "incremental.snapshot.*", verdict: Ignored, why: noSignals},
	{name: "signal.data.collection", verdict: Dangerous, why: "The signal table does nothing any more: who inserts into it to start a snapshot waits in vain. walrelay ignores the table; take it out of the publication and drop it."},
	{name: "signal.enabled.channels", use: useSignalChannels},
	{name: "signal.*", verdict: Unsupported, why: noSignals},
	{name: "read.only", verdict: Ignored, why: noSignals},
	{name: "heartbeat.interval.ms", use: useHeartbeat},
	{name: "heartbeat.action.query", verdict: Dangerous, why: "Heartbeat tables are no longer needed: walrelay moves its slot on also while nothing is written to the outbox. The table stands in the publication for nothing: take it out and drop it after the switch."},
	{name: "heartbeat.topics.prefix", verdict: Ignored, why: "walrelay writes no heartbeats."}, {name: "topic.heartbeat.prefix", verdict: Ignored, why: "walrelay writes no heartbeats."}, {name: "topic.heartbeat.name", verdict: Ignored, why: "walrelay writes no heartbeats."},
	{name: "max.batch.size", verdict: Ignored, why: noQueue}, {name: "max.queue.size", verdict: Ignored, why: noQueue}, {name: "max.queue.size.in.bytes", verdict: Ignored, why: noQueue}, {name: "poll.interval.ms", verdict: Ignored, why: noQueue}, {name: "queue.provider.*", verdict: Ignored, why: noQueue}, {name: "query.fetch.size", verdict: Ignored, why: noQueue},
	{name: "streaming.delay.ms", verdict: Ignored, why: "Streaming begins at once."},
	{name: "errors.max.retries", verdict: Ignored, why: waits}, {name: "retriable.restart.connector.wait.ms", verdict: Ignored, why: waits}, {name: "custom.retriable.exception", verdict: Ignored, why: waits},
	{name: "event.processing.failure.handling.mode", use: useFailureMode}, {name: "event.converting.failure.handling.mode", use: useFailureMode}, {name: "event.deserialization.failure.handling.mode", use: useFailureMode},
	{name: "skipped.operations", use: useSkipped},
	{name: "skip.messages.without.change", verdict: Ignored, why: "It is about UPDATEs, which make no events."},
	{name: "tombstones.on.delete", verdict: Ignored, why: "DELETEs make no events; the router throws their tombstones away, too."},
	{name: "provide.transaction.metadata", use: useTransactionMetadata}, {name: "transaction.metadata.factory", verdict: Ignored, why: "There are no transaction events."}, {name: "transaction.topic", verdict: Ignored, why: "There are no transaction events."}, {name: "topic.transaction", verdict: Ignored, why: "There are no transaction events."},
	{name: "message.prefix.include.list", verdict: Unsupported, why: "Messages of pg_logical_emit_message are not published (Debezium writes them to <topic.prefix>.message)."},
	{name: "message.prefix.exclude.list", verdict: Ignored, why: "Messages of pg_logical_emit_message are not published at all."},
	{name: "decimal.handling.mode", use: useMode("types.decimal", "precise", "double", "string")},
	{name: "hstore.handling.mode", use: useMode("types.hstore", "json", "map")},
	{name: "interval.handling.mode", use: useMode("types.interval", "numeric", "string")},
	{name: "binary.handling.mode", use: useMode("types.binary", "bytes", "base64", "base64-url-safe", "hex")},
	{name: "time.precision.mode", use: useMode("types.time", "adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds")},
	{name: "money.fraction.digits", use: useMoneyDigits},
	{name: "include.unknown.datatypes", use: useUnknownTypes},
	{name: "unavailable.value.placeholder", use: usePlaceholder}, {name: "toasted.value.placeholder", use: useOldName("unavailable.value.placeholder")},
	{name: "schema.refresh.mode", verdict: Ignored, why: "walrelay takes the columns of each row from the WAL itself."},
	{name: "schema.name.adjustment.mode"}, {name: "sanitize.field.names", verdict: Unsupported, why: "An old option of Debezium 1: write the columns' real names."},
	{name: "field.name.adjustment.mode"},
	{name: "extended.headers.enabled"},
	{name: "converters", verdict: Unsupported, why: "There are no custom converters: the columns that they convert go out by the rules of types.*. Compare with `walrelay shadow` before the switch."},
	{name: "post.processors", verdict: Unsupported, why: "There are no post processors: rows go out as they were inserted."},
	{name: "statistics.metrics.enabled", verdict: Ignored, why: noJMX}, {name: "custom.metric.tags", verdict: Ignored, why: noJMX}, {name: "advanced.metrics.enable", verdict: Ignored, why: noJMX},
	{name: "executor.shutdown.timeout.ms", verdict: Ignored, why: "walrelay ends after what it has received is delivered and confirmed."}, {name: "log.position.check.enable", verdict: Ignored, why: noOffsets},
	{name: "guardrail.*", verdict: Ignored, why: "walrelay reads only the tables that are listed."},
	{name: "topic.naming.strategy", use: useNamingStrategy},
	{name: "topic.delimiter", use: useDelimiter}, {name: "topic.cache.size", verdict: Ignored, why: noStreaming}, {name: "custom.sanitize.pattern", verdict: Ignored, why: noStreaming},
	{name: "sourceinfo.struct.maker", verdict: Ignored, why: noStreaming}, {name: "include.schema.comments", verdict: Ignored, why: noStreaming}, {name: "include.schema.changes", verdict: Ignored, why: noStreaming},
	{name: "notification.*", verdict: Ignored, why: noNotices},
	{name: "openlineage.integration.*", verdict: Unsupported, why: "There is no OpenLineage in walrelay."},
	{name: "schema.history.internal*", verdict: Ignored, why: noHistory}, {name: "database.history*", verdict: Ignored, why: noHistory},
	{name: "internal.*", verdict: Ignored, why: "An internal switch of Debezium."},
}

// sourceOptions are about the database, the slot and the publication.
var sourceOptions = []option{
	{name: "database.hostname"}, {name: "database.port"}, {name: "database.user"}, {name: "database.dbname"},
	{name: "database.password"},
	{name: "database.sslmode"}, {name: "database.sslrootcert"}, {name: "database.sslcert"}, {name: "database.sslkey"}, {name: "database.sslpassword"},
	{name: "database.sslfactory", verdict: Unsupported, why: "A class of Java's: use database.sslrootcert's counterpart, sslrootcert in postgres.url."},
	{name: "database.tcpKeepAlive", verdict: Ignored, why: "Keep-alive is always on."},
	{name: "database.initial.statements", verdict: Unsupported, why: "There are no statements at the start of a connection: set them for the role with ALTER ROLE … SET."},
	{name: "database.query.timeout.ms", verdict: Ignored, why: "walrelay's few statements have time limits of their own."}, {name: "database.connection.timeout.ms", verdict: Ignored, why: waits}, {name: "connection.validation.timeout.ms", verdict: Ignored, why: waits},
	{name: "database.connection.factory.class", verdict: Unsupported, why: "A class of Java's that makes connections: give walrelay a password by PGPASSWORD or ~/.pgpass."},
	{name: "database.targetServerType"}, {name: "driver.targetServerType", use: useOldName("database.targetServerType")},
	{name: "database.*", verdict: Unsupported, why: "A property of the JDBC driver: see whether a parameter of postgres.url or a PG* variable does the same."}, {name: "driver.*", verdict: Unsupported, why: "A property of the JDBC driver: see whether a parameter of postgres.url or a PG* variable does the same."},
	{name: "plugin.name"}, {name: "slot.name"}, {name: "slot.failover", use: useFailover},
	{name: "slot.drop.on.stop", use: useDropSlot}, {name: "slot.drop_on_stop", use: useOldName("slot.drop.on.stop")},
	{name: "slot.max.retries", verdict: Ignored, why: waits}, {name: "slot.retry.delay.ms", verdict: Ignored, why: waits}, {name: "create.slot.command.timeout", verdict: Ignored, why: "walrelay waits for its slot as long as it takes, and says what it waits for."},
	{name: "slot.stream.params", verdict: Unsupported, why: "Parameters of the plugin cannot be set; walrelay gives pgoutput what it needs."},
	{name: "slot.seek.to.known.offset.on.start", verdict: Ignored, why: noOffsets}, {name: "offset.mismatch.strategy", verdict: Ignored, why: noOffsets},
	{name: "publication.name"}, {name: "publication.autocreate.mode"},
	{name: "publish.via.partition.root", use: usePartitionRoot},
	{name: "replica.identity.autoset.values", verdict: Ignored, why: "walrelay changes no table's REPLICA IDENTITY and needs none; what Debezium set stays."},
	{name: "status.update.interval.ms", verdict: Ignored, why: "walrelay confirms as often as its wal_sender_timeout asks for."},
	{name: "lsn.flush.mode", use: useFlushMode}, {name: "flush.lsn.source", use: useFlushMode},
	{name: "lsn.flush.timeout.*", verdict: Ignored, why: "Confirming a position is one message that waits for nothing."},
	{name: "xmin.fetch.interval.ms", verdict: Ignored, why: "walrelay follows the slot's positions by itself; see /metrics."},
}
