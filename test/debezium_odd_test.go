package test_test

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The ids of the rows that the cases insert.
const (
	first  = "00000000-0000-4000-8000-000000000001"
	second = "00000000-0000-4000-8000-000000000002"
	third  = "00000000-0000-4000-8000-000000000003"
)

// odd are the cases in which walrelay does something else than Debezium, and
// what exactly.
var odd = map[string]*oddity{
	// Debezium's own records, beside those of the outbox.
	"heartbeat":            omits(heartbeats, "no heartbeats: the position of an idle slot goes forward without; the events are the same"),
	"heartbeat_json":       omits(heartbeats, "no heartbeats: the position of an idle slot goes forward without; the events are the same"),
	"transaction_metadata": omits("fx.transaction", "no transaction metadata; `walrelay-xid` can be a header; the events are the same"),
	"op_logical_message":   omits("fx.message", "logical messages are no events; the rows are the same"),

	// Columns that are not there: found at the first row.
	"additional_missing_error": halts("stops at the first row and names the column; nothing is lost",
		[]string{`there is no column`, `nope`, "route.missing_columns"}, []string{"- nope", ""}, order(first, "a-1", "{}")),
	"additional_case_sensitive": halts("stops at the first row and names the column; nothing is lost",
		[]string{`there is no column`, `TYPE`}, []string{"- TYPE", "- type"}, row(first, "outbox.event.order", []byte("a-1"), []byte("{}"), recordedHeader{Name: "type", Value: content{bytes: []byte("OrderCreated")}})),
	"renamed_id_missing_fails": halts("stops at the first row and names the column; nothing is lost",
		[]string{"there is no column nope for the event id", "columns.id"}, []string{"id: nope", "id: id"}, order(first, "a-1", "{}")),
	"renamed_payload_missing_fails": halts("stops at the first row and names the column; nothing is lost",
		[]string{"there is no column nope for the payload", "columns.payload"}, []string{"payload: nope", "payload: payload"}, order(first, "a-1", "{}")),
	"ts_missing_column_fails": halts("stops at the first row and names the column; nothing is lost",
		[]string{`there is no column`, `ts`}, []string{"timestamp: ts", `timestamp: ""`}, order(first, "a-1", "{}")),

	// Timestamps.
	"ts_timestamptz_fails":    delivers("takes the column's time", at(order(first, "a-1", "{}"), 1704164645678)),
	"ts_date_fails":           delivers("takes midnight of that day in UTC", at(order(first, "a-1", "{}"), 1704153600000)),
	"ts_isostring_mode_fails": delivers("takes the column's time, whatever `types.time` makes of it elsewhere", at(order(first, "a-1", "{}"), 1704164645678)),
	"ts_bigint_fails":         stops("the row is poison (`unconvertible`): a number has no unit", "unconvertible", []string{first}),
	"ts_timestamp_pre1970":    stops("the row is poison (`invalid_timestamp`): Kafka has no such time", "invalid_timestamp", []string{second}),

	// Partitions.
	"partition_bigint_fails": delivers("takes the number", in(order(first, "a-1", "{}"), 1)),
	"partition_negative":     stops("the row is poison (`invalid_partition`)", "invalid_partition", []string{first}),
	"partition_out_of_range": stops("the row is poison (`invalid_partition`)", "invalid_partition", []string{second}, in(order(third, "a-1", "{}"), 2)),

	// Topics.
	"route_null_type":           stops("the row is poison (`null_aggregate_type`)", "null_aggregate_type", []string{first}),
	"column_default_route_null": stops("the row is poison (`null_aggregate_type`): the column's default does not count here, as in Debezium", "null_aggregate_type", []string{first}),
	"route_bad_topic_name": stops("the row is poison (`illegal_topic`)", "illegal_topic", []string{second},
		row(third, "outbox.event.ok", []byte("a-1"), []byte("{}"))),

	// Converters and the envelope.
	"schema_version_bigint_fails": delivers("takes the number", order(first, "a-1",
		`{"schema":{"type":"struct","fields":[{"type":"string","optional":true,"name":"io.debezium.data.Json","version":1,"field":"payload"},{"type":"string","optional":false,"field":"type"}],"optional":false,"name":"fx.public.outbox.order.Value","version":1},"payload":{"payload":"{}","type":"OrderCreated"}}`)),
	"jsonb_binarydata_nodelegate_fails": stops("the rows are poison (`unconvertible`)", "unconvertible", []string{first, second}),
	"bytea_binarydata_id_header_bd": delivers("the delegate makes the headers, as the configuration says",
		row("00000000-0000-4000-8000-000000000001", "outbox.event.order", []byte("agg-0"), []byte("\x00\xff\x10")),
		row("00000000-0000-4000-8000-000000000002", "outbox.event.order", []byte("agg-1"), []byte{}),
		row("00000000-0000-4000-8000-000000000003", "outbox.event.order", []byte("agg-2"), []byte("{}")),
		row("00000000-0000-4000-8000-000000000004", "outbox.event.order", []byte("agg-3"), nil),
		behind(row("00000000-0000-4000-8000-000000000005", "outbox.event.order", []byte("agg-4"), []byte("  ")))),

	// JSON expansion: what Debezium gives up on after it has changed the schema.
	"expand_edge_bigint":                stops(unexpandable, "unconvertible", []string{second}, order(third, "x", `{"after":1}`)),
	"expand_edge_bigint_jsonb_1e20":     stops(unexpandable, "unconvertible", []string{second}, order(third, "x", `{"after":1}`)),
	"expand_edge_huge_exp":              stops(unexpandable, "unconvertible", []string{second}, order(third, "x", `{"after":1}`)),
	"expand_edge_objs_long_int":         stops(unexpandable, "unconvertible", []string{second}, order(third, "x", `{"after":1}`)),
	"expand_edge_type_conflict_objects": stops(unexpandable, "unconvertible", []string{second}, order(third, "x", `{"after":1}`)),
	"expand_edge_root_array":            stops(unexpandable, "unconvertible", []string{second}, order(third, "x", `{"after":1}`)),
	"expand_edge_root_array_ints":       stops(unexpandable, "unconvertible", []string{second}, order(third, "x", `{"after":1}`)),

	// JSON expansion: what Debezium leaves to the order of a HashSet.
	"expand_edge_hetero_objects": unordered("the fields in the order in which they first appear",
		between(order(second, "x", `{"objs":[{"a":1,"b":null,"c":null},{"a":null,"b":2,"c":null},{"a":3,"b":null,"c":"x"}]}`))),
	"expand_edge_same_key_twice_types": unordered("the fields in the order in which they first appear",
		between(order(second, "x", `{"objs":[{"a":1,"b":"x"},{"a":null,"b":"y"}],"objs2":[{"a":1.5}]}`))),
	"expand_edge_nested_hetero": unordered("the first object's fields count; objects within those of an array are not merged, as in Debezium",
		between(order(second, "x", `{"n":[{"o":{"a":1}},{"o":{"a":null}}]}`))),

	// Size and tolerance.
	"too_large_fails":               stops("the row is poison (`too_large`)", "too_large", []string{second}, order(third, "a-1", "after")),
	"too_large_broker_fails":        stops("the row is poison (`too_large`)", "too_large", []string{second}),
	"too_large_tolerance_all":       parks("the row goes to the dead-letter topic", "fx.dead-letter", "too_large", []string{second}),
	"tolerance_all_converter_error": parks("the row goes to the dead-letter topic", "fx.dead-letter", "unconvertible", []string{second}),

	"ts_column_connect": delivers("takes the column's time, whatever `types.time` makes of it elsewhere",
		at(order(first, "a-1", `{"a": 1}`), 1709210096789), at(order(second, "a-1", `{"a": 1}`), 1), at(order(third, "a-1", `{"a": 1}`), 946684800499)),
	"ts_timestamptz_null": delivers("takes the commit time", order(first, "a-1", `{"a": 1}`)),
	"ts_far_future": stops("the rows are poison (`invalid_timestamp`): the broker takes none that is an hour ahead", "invalid_timestamp", []string{first, third},
		order(second, "a-1", `{"a": 1}`)),

	// Converters of numbers.
	"header_converters_int":              stops("the row is poison (`unconvertible`)", "unconvertible", []string{first}),
	"key_integer_converter_bigint_fails": stops("the row is poison (`unconvertible`)", "unconvertible", []string{first}),

	// Types that Debezium does not know.
	"domain_enum_fails":       writes("takes the column as the enum beneath the domain"),
	"binarydata_header_fails": writes("the delegate makes the headers, as the configuration says"),
	"unknown_payload_false":   delivers("PostgreSQL's text is the value", order(first, "a-1", "((0,0),(1,1),(1,0))")),

	// Refused with the reason, by import-debezium.
	"envelope_dup_alias":                       refuses(refused, "x"),
	"envelope_alias_payload":                   refuses(refused, "payload"),
	"placement_bad":                            refuses(refused, "placement"),
	"route_bad_regex":                          refuses(refused, "route.topic.regex"),
	"route_bad_replacement":                    refuses(refused, "route.topic.replacement"),
	"route_bad_replacement_backslash":          refuses(refused, "route.topic.replacement"),
	"route_bad_replacement_name":               refuses(refused, "route.topic.replacement"),
	"route_missing_numbered_group":             refuses(refused, "route.topic.replacement"),
	"route_empty_replacement":                  refuses(refused, "route.topic.replacement"),
	"route_regex_no_group_default_replacement": refuses(refused, "route.topic.regex", "no group with this name"),
	"route_class_w_unicode_flag":               refuses("the importer refuses the configuration: the flag `(?U)` is not supported", "route.topic.regex"),
	"column_truncate_mask":                     refuses("the importer refuses the configuration: what is hidden now would go out", "column.truncate.to.5.chars", "column.mask.with.4.chars", "column.mask.hash"),
	"key_stringconverter_utf16":                refuses("the importer refuses the configuration: walrelay writes UTF-8 only", "UTF-16"),
	"op_skip_create":                           refuses("the importer refuses the configuration, which publishes nothing", "skipped.operations"),
	"table_created_later":                      refuses("the importer wants the tables named with `--table`, and they have to be there", "--table"),

	// Topics and partitions of other types.
	"partition_smallint_fails":  writes("takes the number"),
	"route_char":                stops("the row is poison (`illegal_topic`)", "illegal_topic", []string{first}),
	"route_text_array_fails":    stops("the row is poison (`illegal_topic`)", "illegal_topic", []string{first}),
	"route_replacement_escapes": stops("the row is poison (`illegal_topic`)", "illegal_topic", []string{first}),

	// Schemas that change.
	"alter_column_type_envelope": writes("writes the row with the column's new type"),
	"version_expand_envelope_conflict": stopsAt(second, "the row is poison (`unconvertible`); as in Debezium the schema that a version gets is that of its first event since the start",
		"unconvertible", []string{third}),
	"defaults_added_later":         writes("shows the default that the column has now; Debezium the one it had when it saw the table last"),
	"expand_merged_1_json_schemas": writes("the fields in the order in which they first appear"),
	"expand_merged_2_json_schemas": writes("the fields in the order in which they first appear"),

	// Named by the importer as not supported.
	"column_propagate":          writes("schemas without the source types; the importer says so", "column.propagate.source.type"),
	"datatype_propagate":        writes("schemas without the source types; the importer says so", "datatype.propagate.source.type"),
	"topic_prefix_delimiter":    writes("dots in the envelope schema's name; the importer says so", "topic.delimiter"),
	"tables_quoted_adjust_avro": writes("the envelope schema's name as it is; the importer says so", "schema.name.adjustment.mode"),

	// Tables.
	"columns_quoted_adjust_avro": halts("wants the columns' own names, which the importer says; stops at the first row otherwise",
		[]string{"there is no column", "Typ_e"}, []string{"- Typ_e:", "- Typ-e:", "- Typ_e", "- Typ-e:Typ_e"}),
	"table_without_columns": halts("stops at the table's first row and names the column; nothing is lost",
		[]string{"public.plain", "there is no column id for the event id"}, []string{"--table", "public.outbox"}, order(second, "a-1", `{"a": 1}`)),
	"partitioned_all_via_root_false":  writes("the rows of partitions are those of the partitioned table, whose name the envelope's schema has"),
	"predicate_topic_matches":         omits("fx.public.other", "writes the outbox's events only"),
	"partitioned_root_via_root_false": writes("publishes the rows of the partitions, of which Debezium sees none"),
	"snapshot_select":                 writes("publishes all rows: `snapshot.select.statement.overrides` is not supported, and the importer says so"),
	"errors_tolerance_all_route_null": parks("the row goes to the dead-letter topic", "fx.dead-letter", "null_aggregate_type", []string{second}),

	// Operations.
	"op_update_fatal": halts("stops at the UPDATE; nothing is lost",
		[]string{"route.updates is stop", "set route.updates to warn or ignore"}, []string{"updates: stop", "updates: warn"}, order(second, "a-1", `{"a": 1}`)),
	"op_truncate_not_skipped": delivers("TRUNCATE is no event; goes on", order(second, "a-1", `{"a": 2}`)),
}

// refused is said of what Debezium fails on at its start or its first row.
const refused = "the importer refuses the configuration"

// oddPrefixes are the beginnings of the names of whole families of cases in which
// Debezium fails.
var oddPrefixes = map[string]*oddity{
	"expand_conflict_":           stops(unexpandable, "unconvertible", []string{second}),
	"expand_unchanged_envelope_": stops(unexpandable, "unconvertible", []string{second}),
}

// oddityOf returns what is odd about a case, nil for nothing.
func oddityOf(c *debeziumCase) *oddity {
	if o := odd[c.name]; o != nil {
		return o
	}
	for prefix, o := range oddPrefixes {
		if c.failed && strings.HasPrefix(c.name, prefix) {
			return o
		}
	}
	return nil
}

// tables are the cases whose configuration has a pattern for its tables, or
// excludes some. The importer wants them named: --table.
var tables = map[string][]string{
	"tables_regex":                      {"public.outbox", "public.outbox_b"},
	"tables_exclude":                    {"public.outbox", "public.outbox_b"},
	"tables_alternation":                {"public.outbox", "public.outbox_b"},
	"inherited_table":                   {"public.outbox", "public.outbox_child"},
	"partitioned_all_via_root_true":     {"public.outbox"},
	"partitioned_all_via_root_false":    {"public.outbox"},
	"partitioned_leaves_via_root_true":  {"public.outbox_a", "public.outbox_b"},
	"partitioned_leaves_via_root_false": {"public.outbox_a", "public.outbox_b"},
	"partitioned_move_leaves":           {"public.outbox_a", "public.outbox_b"},
}

const unexpandable = "the row is poison (`unconvertible`)"

// row is a record as the usual outbox of the cases makes it: the header id, the
// partition that the key decides, and the commit time. value nil is null.
func row(id, topic string, key, value []byte, more ...recordedHeader) recorded {
	partition := kgo.StickyKeyPartitioner(nil).ForTopic(topic).Partition(&kgo.Record{Key: key}, partitions)
	return recorded{
		Topic: topic, Partition: int32(partition), Offset: 1 << 30, // behind Debezium's
		Key: content{bytes: key}, Value: content{bytes: value},
		Headers: append([]recordedHeader{{Name: "id", Value: content{bytes: []byte(id)}}}, more...),
		Varies:  []string{"timestamp"},
	}
}

// at gives a row a timestamp of its own, in milliseconds since 1970.
func at(row recorded, timestamp int64) recorded {
	row.Timestamp, row.Varies = timestamp, nil
	return row
}

// in gives a row a partition of its own.
func in(row recorded, partition int32) recorded {
	row.Partition = partition
	return row
}

// behind puts a row behind the others of its partition.
func behind(row recorded) recorded {
	row.Offset++
	return row
}

// between gives the second of three rows its place.
func between(row recorded) recorded {
	row.Offset = 1
	return row
}

// order is a row of the topic outbox.event.order.
func order(id, key, value string) recorded {
	return row(id, "outbox.event.order", []byte(key), []byte(value))
}
