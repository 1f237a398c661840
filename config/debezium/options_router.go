package debezium

// routerOptions are those of the Outbox Event Router, below transforms.NAME.
var routerOptions = []option{
	{name: routerPart + "type"}, {name: routerPart + "predicate"}, {name: routerPart + "negate"},
	{name: routerPart + "table.field.event.id"}, {name: routerPart + "table.field.event.key"}, {name: routerPart + "table.field.event.type"}, {name: routerPart + "table.field.event.payload"},
	{name: routerPart + "table.field.event.payload.id", verdict: Unsupported, why: "An option of Debezium 1. If it named the key's column, name that column in outbox.columns.aggregate_id."},
	{name: routerPart + "table.field.event.timestamp"}, {name: routerPart + "table.field.event.schema.version"},
	{name: routerPart + "table.fields.additional.placement"}, {name: routerPart + "table.field.additional.missing"},
	{name: routerPart + "table.fields.additional.error.on.missing"}, // of versions 2.x
	{name: routerPart + "table.expand.json.payload"}, {name: routerPart + "table.json.payload.null.behavior"},
	{name: routerPart + "table.op.invalid.behavior"}, {name: routerPart + "debezium.op.invalid.behavior"},
	{name: routerPart + "route.by.field"}, {name: routerPart + "route.topic.regex"}, {name: routerPart + "route.topic.replacement"},
	{name: routerPart + "route.tombstone.on.empty.payload"},
	{name: routerPart + "field.name.adjustment.mode"},
	{name: routerPart + "schema.name.adjustment.mode", verdict: Ignored, why: "The router does not read it."},
	{name: routerPart + "tracing.*", verdict: Unsupported, why: "There is no OpenTelemetry in walrelay; Debezium has it only with OpenTelemetry on its class path. A column with the span's context can go out by route.headers."},
	{name: routerPart + "plugin.version", verdict: Ignored, why: "A choice between versions of a Java class."},
}

// converterOptions are those of key.converter, value.converter and header.converter.
var converterOptions = []option{
	{name: "key.converter"}, {name: "value.converter"}, {name: "header.converter"},
	{name: converterPart + "schemas.enable"}, {name: converterPart + "decimal.format"}, {name: converterPart + "replace.null.with.default"},
	{name: converterPart + "delegate.converter.type"}, {name: converterPart + "delegate.converter.type.*"},
	{name: converterPart + "converter.encoding"}, {name: converterPart + "class"},
	{name: converterPart + "encoding", verdict: Ignored, why: "Kafka Connect reads converter.encoding only; text is UTF-8."},
	{name: converterPart + "converter.type", verdict: Ignored, why: "Kafka Connect sets it by itself."},
	{name: converterPart + "schemas.cache.size", verdict: Ignored, why: "A cache of Kafka Connect's."},
	{name: converterPart + "plugin.version", verdict: Ignored, why: "A choice between versions of a Java class."},
}

// connectOptions are those that Kafka Connect has for every source connector.
var connectOptions = []option{
	{name: "name", use: useName},
	{name: "tasks.max", verdict: Ignored, why: "walrelay reads a slot with one process; a second one waits as standby."}, {name: "tasks.max.enforce", verdict: Ignored, why: "walrelay reads a slot with one process."},
	{name: "transforms"}, {name: "transforms.*"}, {name: "predicates"}, {name: "predicates.*"},
	{name: "config.action.reload", verdict: Ignored, why: "walrelay reads its configuration at the start."},
	{name: "connector.plugin.version", verdict: Ignored, why: "A choice between versions of a Java class."}, {name: "multi.partition.mode", verdict: Ignored, why: noStreaming},
	{name: "errors.tolerance", use: useTolerance},
	{name: "errors.log.*", verdict: Ignored, why: "Each event that Kafka never takes is named in the log, without its content."},
	{name: "errors.retry.*", verdict: Ignored, why: waits},
	{name: "errors.deadletterqueue.*", verdict: Ignored, why: "Kafka Connect has it for sink connectors only. walrelay has on_poison: dead-letter."},
	{name: "exactly.once.support"}, {name: "transaction.boundary*", verdict: Ignored, why: "walrelay decides by itself how many events a transaction of Kafka holds."},
	{name: "offsets.storage.topic", verdict: Ignored, why: noOffsets},
	{name: "topic.creation.*"},
	{name: "tasks", verdict: Ignored, why: "Kafka Connect's account of the connector."}, {name: "type", verdict: Ignored, why: "Kafka Connect's account of the connector."}, {name: "initial_state", verdict: Ignored, why: "walrelay runs as long as its process does."},
}
