package debezium_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/config/debezium"
)

var update = flag.Bool("update", false, "write the golden files")

// base is a connector that needs nothing to be said about it.
var base = map[string]string{
	"name":                        "orders",
	"connector.class":             "io.debezium.connector.postgresql.PostgresConnector",
	"database.hostname":           "db",
	"database.port":               "5432",
	"database.user":               "cdc",
	"database.dbname":             "shop",
	"topic.prefix":                "shop",
	"plugin.name":                 "pgoutput",
	"slot.name":                   "orders",
	"publication.name":            "orders",
	"publication.autocreate.mode": "filtered",
	"table.include.list":          "public.outbox",
	"snapshot.mode":               "no_data",
	"key.converter":               "org.apache.kafka.connect.storage.StringConverter",
	"value.converter":             "org.apache.kafka.connect.storage.StringConverter",
	"transforms":                  "outbox",
	"transforms.outbox.type":      "io.debezium.transforms.outbox.EventRouter",
}

// with is base with other options; "" removes one.
func with(t *testing.T, options map[string]string) []byte {
	t.Helper()
	all := map[string]string{}
	for name, value := range base {
		all[name] = value
	}
	for name, value := range options {
		if value == "" {
			delete(all, name)
		} else {
			all[name] = value
		}
	}
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// load loads a configuration that was made, with what the report says that the
// environment has to give.
func load(t interface {
	Helper()
	Fatalf(string, ...any)
	TempDir() string
}, r *debezium.Result) (*config.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "walrelay.yaml")
	if err := os.WriteFile(path, r.YAML, 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	values := map[string]string{
		"WALRELAY_KAFKA_BROKERS": "kafka:9092", "WALRELAY_KAFKA_SASL_USERNAME": "u", "WALRELAY_KAFKA_SASL_PASSWORD": "p",
		"WALRELAY_POSTGRES_SLOT": "s", "WALRELAY_POSTGRES_PUBLICATION": "p",
	}
	var env []string
	for _, v := range r.Report.Environment {
		if text, ok := values[v.Name]; ok {
			env = append(env, v.Name+"="+text)
		}
	}
	return config.Load(config.Options{File: path, Env: env})
}

// mustImport imports and loads what was made.
func mustImport(t *testing.T, data []byte, o debezium.Options) (*debezium.Result, *config.Config) {
	t.Helper()
	r, err := debezium.Import(data, o)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	c, err := load(t, r)
	if err != nil {
		t.Fatalf("the configuration does not load: %v\n%s", err, r.YAML)
	}
	return r, c
}

// quiet keeps the test's own environment out of connection strings.
func quiet(t *testing.T) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}
}

func TestImport_golden(t *testing.T) {
	quiet(t)
	tests := []struct {
		file   string
		worker string
		tables []string
		env    map[string]string
	}{
		{file: "placements.properties"}, {file: "server.properties"}, {file: "tolerance.properties"}, {file: "regex.properties"},
		{file: "json_schemas.properties"}, {file: "everything.json"}, {file: "refused.properties"},
		{file: "server_references.properties", env: map[string]string{"KAFKA_BROKERS": "kafka:9092"}},
		{file: "with_worker.json", worker: "worker.properties"},
		{file: "strimzi.yaml", env: map[string]string{"SLOT": "orders"}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			o := debezium.Options{Name: test.file, Tables: test.tables, Env: func(name string) (string, bool) {
				text, ok := test.env[name]
				return text, ok
			}}
			if test.worker != "" {
				o.Worker, o.WorkerName = read(t, test.worker), test.worker
			}
			r, err := debezium.Import(read(t, test.file), o)
			if err != nil {
				golden(t, test.file+".error", err.Error()+"\n")
				return
			}
			golden(t, test.file+".golden", string(r.YAML))
			golden(t, test.file+".report", r.Report.Text(false))
			if strings.Contains(string(r.YAML)+r.Report.Text(false), "not-copied") {
				t.Error("a secret was copied")
			}
			if strings.Contains(string(r.YAML), "ca_file: ") { // the file is not here
				return
			}
			if _, err := load(t, r); err != nil {
				t.Errorf("does not load: %v", err)
			}
		})
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with go test -update)", err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got; write it with go test -update):\n%s", name, diff)
	}
}

// withoutCounterpart are recorded cases that cannot be imported, with what the reason
// says.
var withoutCounterpart = map[string]string{
	"column_truncate_mask":      "masks and truncates nothing",
	"op_skip_create":            "skips INSERTs",
	"key_stringconverter_utf16": "walrelay writes UTF-8 only",

	"tables_regex":                      tableByHand,
	"inherited_table":                   tableByHand,
	"table_created_later":               tableByHand,
	"partitioned_all_via_root_false":    tableByHand,
	"partitioned_all_via_root_true":     tableByHand,
	"partitioned_leaves_via_root_false": tableByHand,
	"partitioned_leaves_via_root_true":  tableByHand,
	"partitioned_move_leaves":           tableByHand,

	"route_class_w_unicode_flag": "the flag U is not supported",
}

// tableByHand is the reason of a pattern that only the database could resolve.
const tableByHand = "name the outbox tables with --table"

// TestImport_recorded imports the configuration of every recorded case. Only
// those that Debezium's task failed with may be refused, too.
func TestImport_recorded(t *testing.T) {
	quiet(t)
	roots := []string{filepath.Join("..", "..", "test", "debezium")}
	if dir := os.Getenv("WALRELAY_TEST_DEBEZIUM"); dir != "" {
		roots = append(roots, dir)
	}
	n, refused := 0, 0
	for _, root := range roots {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error { // a folder that is missing has no cases
			if err != nil || d.Name() != "connector.properties" && d.Name() != "application.properties" {
				return nil
			}
			n++
			data, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
				return nil
			}
			r, err := debezium.Import(data, debezium.Options{Name: path})
			if reason := withoutCounterpart[filepath.Base(filepath.Dir(path))]; reason != "" {
				if err == nil || !strings.Contains(err.Error(), reason) {
					t.Errorf("%s: %v, want a reason with %q", path, err, reason)
				}
				return nil
			}
			outcome, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "case.json")) // without one Debezium ran
			if err != nil && strings.Contains(string(outcome), `"task_state": "FAILED"`) {
				refused++
				return nil
			}
			if err != nil {
				t.Errorf("refused: %v", err)
				return nil
			}
			if _, err := load(t, r); err != nil {
				t.Errorf("%s does not load: %v\n%s", path, err, r.YAML)
			}
			if r.Report.Count(debezium.Unknown) > 0 {
				t.Errorf("%s has options that are not known:\n%s", path, r.Report.Text(false))
			}
			return nil
		})
	}
	if n == 0 {
		t.Skip("NO RECORDED CASES: test/debezium has none, and WALRELAY_TEST_DEBEZIUM names no folder with cases")
	}
	t.Logf("%d cases, %d refused that Debezium failed with", n, refused)
}

// TestImport_options imports one option or a few on top of a plain connector.
func TestImport_options(t *testing.T) {
	quiet(t)
	type want map[string]string // of the effective configuration
	tests := []struct {
		name    string
		options map[string]string
		want    want
		verdict debezium.Verdict // of the first option of about
		about   string
	}{
		{"plain", nil, want{"postgres.slot": "orders", "postgres.publication": "orders", "postgres.auto_create": "true", "outbox.table": "public.outbox", "outbox.columns.aggregate_id": "aggregateid", "snapshot.mode": "none", "route.headers": "id", "route.null_as_default": "true", "route.key_updates": "publish", "route.updates": "warn", "format.key.converter": "string", "format.headers.converter": "simple", "route.schema_prefix": "shop"}, "", ""},
		{"slot by default", map[string]string{"slot.name": "", "publication.name": ""}, want{"postgres.slot": "debezium", "postgres.publication": "dbz_publication"}, debezium.Taken, "slot.name"},
		{"snapshot by default", map[string]string{"snapshot.mode": ""}, want{"snapshot.mode": "initial"}, debezium.Taken, "snapshot.mode"},
		{"snapshot always", map[string]string{"snapshot.mode": "ALWAYS"}, want{"snapshot.mode": "initial"}, debezium.Differs, "snapshot.mode"},
		{"snapshot only", map[string]string{"snapshot.mode": "initial_only", "snapshot.fetch.size": "77"}, want{"snapshot.mode": "only", "snapshot.fetch_size": "77"}, debezium.Taken, "snapshot.mode"},
		{"snapshot configured", map[string]string{"snapshot.mode": "configuration_based", "snapshot.mode.configuration.based.snapshot.data": "true", "snapshot.mode.configuration.based.start.stream": "true"}, want{"snapshot.mode": "initial"}, debezium.Differs, "snapshot.mode"},
		{"other plugin", map[string]string{"plugin.name": ""}, want{"postgres.slot": "orders_walrelay"}, debezium.Dangerous, "plugin.name"},
		{"all tables", map[string]string{"publication.autocreate.mode": ""}, want{"postgres.auto_create": "true"}, debezium.Dangerous, "publication.autocreate.mode"},
		{"publication by hand", map[string]string{"publication.autocreate.mode": "disabled"}, want{"postgres.auto_create": "true"}, debezium.Differs, "publication.autocreate.mode"},
		{"failover", map[string]string{"slot.failover": "true"}, want{"postgres.failover_slot": "true"}, debezium.Taken, "slot.failover"},
		{"dropped slot", map[string]string{"slot.drop.on.stop": "true"}, want{}, debezium.Dangerous, "slot.drop.on.stop"},
		{"worker's converters", map[string]string{"key.converter": "", "value.converter": "", "value.converter.schemas.enable": "false"}, want{"format.key.converter": "json-schema", "format.value.converter": "json-schema"}, debezium.Dangerous, "key.converter"},
		{"json", map[string]string{"value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "False", "value.converter.decimal.format": "numeric", "value.converter.replace.null.with.default": "false"}, want{"format.value.converter": "json", "format.value.decimals": "numeric", "format.value.null_default": "false"}, debezium.Taken, "value.converter"},
		{"binary", map[string]string{"value.converter": "io.debezium.converters.BinaryDataConverter", "value.converter.delegate.converter.type": "org.apache.kafka.connect.json.JsonConverter", "header.converter": "org.apache.kafka.connect.storage.StringConverter"}, want{"format.value.converter": "binary", "format.value.delegate": "json-schema", "format.headers.converter": "string"}, "", ""},
		{"long key", map[string]string{"key.converter": "org.apache.kafka.connect.converters.LongConverter"}, want{"format.key.converter": "int64"}, "", ""},
		{"renamed columns", map[string]string{"transforms.outbox.table.field.event.id": "EventId", "transforms.outbox.table.field.event.key": "order", "transforms.outbox.route.by.field": "kind", "transforms.outbox.table.field.event.payload": "yes", "transforms.outbox.table.field.event.type": "what"}, want{"outbox.columns.id": "EventId", "outbox.columns.aggregate_id": "order", "outbox.columns.aggregate_type": "kind", "outbox.columns.payload": "yes", "outbox.columns.event_type": "what"}, debezium.Differs, "transforms.outbox.table.field.event.type"},
		{"topic", map[string]string{"transforms.outbox.route.topic.replacement": "${routedByValue}.events"}, want{"route.topic": "${aggregate_type}.events"}, debezium.Taken, "transforms.outbox.route.topic.replacement"},
		{"constant topic", map[string]string{"transforms.outbox.route.topic.regex": ".*", "transforms.outbox.route.topic.replacement": "all"}, want{"route.topic": "all"}, "", ""},
		{"numbered group", map[string]string{"transforms.outbox.route.topic.regex": "(.*)", "transforms.outbox.route.topic.replacement": `a\-$10.$0`}, want{"route.topic": "a-${aggregate_type}0.${aggregate_type}"}, "", ""},
		{"pattern", map[string]string{"transforms.outbox.route.topic.regex": "(?<routedByValue>.*)Aggregate"}, want{"route.pattern": "(?<routedByValue>.*)Aggregate", "route.replacement": "outbox.event.${routedByValue}"}, "", ""},
		{"placements", map[string]string{"transforms.outbox.table.fields.additional.placement": " type : header , id:HEADER:again,payload:envelope:copy,part:partition,type:header,"}, want{"route.headers": `id,type,"id":again,type`, "route.envelope": `"payload":copy`, "route.partition": "part"}, "", ""},
		{"missing columns", map[string]string{"transforms.outbox.table.field.additional.missing": "ignore"}, want{"route.missing_columns": "ignore"}, "", ""},
		{"timestamp and version", map[string]string{"transforms.outbox.table.field.event.timestamp": "ts", "transforms.outbox.table.field.event.schema.version": "v"}, want{"route.timestamp": "ts", "route.schema_version": "v"}, "", ""},
		{"expansion", map[string]string{"transforms.outbox.table.expand.json.payload": "true", "transforms.outbox.table.json.payload.null.behavior": "optional_bytes", "transforms.outbox.field.name.adjustment.mode": "avro", "transforms.outbox.route.tombstone.on.empty.payload": "true"}, want{"route.expand_json": "true", "route.expand_json_nulls": "keep", "route.expand_json_names": "avro", "route.tombstone_on_empty": "true"}, "", ""},
		{"fatal updates", map[string]string{"transforms.outbox.table.op.invalid.behavior": "fatal"}, want{"route.updates": "stop"}, "", ""},
		{"skipped updates", map[string]string{"skipped.operations": "u,d,t"}, want{"route.updates": "ignore", "route.key_updates": "ignore"}, debezium.Taken, "skipped.operations"},
		{"types", map[string]string{"decimal.handling.mode": "string", "time.precision.mode": "connect", "hstore.handling.mode": "map", "interval.handling.mode": "string", "binary.handling.mode": "base64-url-safe", "money.fraction.digits": "4", "include.unknown.datatypes": "true", "unavailable.value.placeholder": "#"}, want{"types.decimal": "string", "types.time": "connect", "types.hstore": "map", "types.interval": "string", "types.binary": "base64-url-safe", "types.money_digits": "4", "types.unknown": "true", "types.unavailable": "#"}, "", ""},
		{"tolerance", map[string]string{"errors.tolerance": "all"}, want{"on_poison": "dead-letter", "dead_letter_topic": "shop.dead-letter"}, debezium.Dangerous, "errors.tolerance"},
		{"capitals", map[string]string{"table.include.list": "App.out-box"}, want{"outbox.table": `"App"."out-box"`}, debezium.Differs, "table.include.list"},
		{"excluded schema", map[string]string{"table.include.list": "(a|b)\\.outbox", "schema.exclude.list": "b"}, want{"outbox.table": "a.outbox"}, debezium.Differs, "schema.exclude.list"},
		{"worker and connector in one", map[string]string{"bootstrap.servers": "PLAINTEXT://k1:9092,[::1]:9092", "group.id": "g", "offset.storage.topic": "o"}, want{"kafka.brokers": "k1:9092,[::1]:9092"}, debezium.Taken, "bootstrap.servers"},
		{"sasl", map[string]string{"producer.override.security.protocol": "SASL_SSL", "producer.override.sasl.mechanism": "PLAIN", "producer.override.sasl.jaas.config": `x required username='a"b' password="secret";`}, want{"kafka.tls.enabled": "true", "kafka.sasl.mechanism": "plain", "kafka.sasl.username": `a"b`}, "", ""},
		{"topics", map[string]string{"topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "2", "topic.creation.default.retention.ms": "-1"}, want{"kafka.topics.create.partitions": "3", "kafka.topics.create.replication_factor": "2", "kafka.topics.create.config": "retention.ms=-1"}, "", ""},
		{"context headers", map[string]string{"extended.headers.enabled": "true"}, want{"route.headers": "id"}, debezium.Differs, "extended.headers.enabled"},
		{"signals", map[string]string{"signal.data.collection": "public.signals", "table.include.list": "public.outbox,public.signals"}, want{"outbox.table": "public.outbox"}, debezium.Dangerous, "signal.data.collection"},
		{"tables by the predicate", map[string]string{"table.include.list": `public\..*`, "transforms.outbox.predicate": "p", "predicates": "p", "predicates.p.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", "predicates.p.pattern": `shop\.public\.(events)`}, want{"outbox.table": "public.events"}, debezium.Unsupported, "table.include.list"},
		{"table by the predicate alone", map[string]string{"table.include.list": "", "transforms.outbox.predicate": "p", "predicates": "p", "predicates.p.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", "predicates.p.pattern": `shop.public.events`}, want{"outbox.table": "public.events"}, debezium.Ignored, "transforms.outbox.predicate"},
		{"heartbeat table", map[string]string{"table.include.list": "public.outbox,public.beat", "heartbeat.action.query": "UPDATE public.beat SET at = now()"}, want{"outbox.table": "public.outbox"}, debezium.Dangerous, "heartbeat.action.query"},
		{"filter of heartbeats", map[string]string{"transforms": "outbox,f", "transforms.f.type": "org.apache.kafka.connect.transforms.Filter", "transforms.f.predicate": "p", "transforms.f.negate": "true", "predicates": "p", "predicates.p.type": "org.apache.kafka.connect.transforms.predicates.HasHeaderKey", "predicates.p.name": "id"}, want{}, debezium.Unsupported, "transforms.f.type"},
		{"renamed heartbeats", map[string]string{"transforms": "outbox,r", "transforms.r.type": "org.apache.kafka.connect.transforms.RegexRouter", "transforms.r.predicate": "p", "predicates": "p", "predicates.p.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", "predicates.p.pattern": "__debezium-heartbeat.*"}, want{}, debezium.Unsupported, "transforms.r.type"},
		{"host from elsewhere", map[string]string{"database.hostname": "${file:/x:host}"}, want{"postgres.url": "postgres://cdc@/shop?port=5432"}, debezium.Differs, "database.hostname"},
		{"several hosts", map[string]string{"database.hostname": "a:5433,b,::1"}, want{"postgres.url": "postgres://cdc@a:5433,b:5432,[::1]:5432/shop"}, debezium.Taken, "database.hostname"},
		{"hidden column", map[string]string{"column.exclude.list": "public.outbox.x", "transforms.outbox.table.fields.additional.placement": "x:header,y:header", "transforms.outbox.table.field.additional.missing": "ignore"}, want{"route.headers": "id,y"}, debezium.Differs, "column.exclude.list"},
		{"shown columns", map[string]string{"column.include.list": "public.outbox.(id|aggregate.*|type|payload|y)", "transforms.outbox.table.fields.additional.placement": "x:envelope,y:header", "transforms.outbox.table.field.additional.missing": "ignore"}, want{"route.headers": "id,y", "route.envelope": ""}, debezium.Differs, "column.include.list"},
		{"usual table of a schema", map[string]string{"table.include.list": "", "schema.include.list": "app"}, want{"outbox.table": "app.outbox"}, debezium.Dangerous, "table.include.list"},
		{"dots in a name", map[string]string{"table.include.list": `My App\.Out-Box\.x`}, want{"outbox.table": `"My App"."Out-Box.x"`}, debezium.Differs, "table.include.list"},
		{"unknown", map[string]string{"no.such.option": "x"}, want{}, debezium.Unknown, "no.such.option"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, c := mustImport(t, with(t, test.options), debezium.Options{Name: "c.json"})
			got := map[string]string{}
			for _, e := range c.Effective() {
				got[e.Key] = e.Value
			}
			for key, value := range test.want {
				if got[key] != value {
					t.Errorf("%s: %q, want %q", key, got[key], value)
				}
			}
			if test.about != "" && !slices.ContainsFunc(r.Report.Notes, func(n debezium.Note) bool { return n.Option == test.about && n.Verdict == test.verdict }) {
				t.Errorf("%s is not %s:\n%s", test.about, test.verdict, r.Report.Text(false))
			}
		})
	}
}

// TestImport_refused is about files that no configuration can be made of.
func TestImport_refused(t *testing.T) {
	tests := []struct {
		name    string
		options map[string]string
		want    string // in the reason
	}{
		{"class", map[string]string{"connector.class": "io.debezium.connector.mysql.MySqlConnector"}, "connector.class"},
		{"no class", map[string]string{"connector.class": ""}, "connector.class"},
		{"no router", map[string]string{"transforms.outbox.type": "io.debezium.transforms.ExtractNewRecordState"}, "Outbox Event Router"},
		{"no transforms", map[string]string{"transforms": ""}, "Outbox Event Router"},
		{"topics after the router", map[string]string{"transforms": "outbox,r", "transforms.r.type": "org.apache.kafka.connect.transforms.RegexRouter"}, "route.topic.regex"},
		{"filter before the router", map[string]string{"transforms": "f,outbox", "transforms.f.type": "io.debezium.transforms.Filter"}, "before the router"},
		{"second router", map[string]string{"transforms": "outbox,o2", "transforms.o2.type": "io.debezium.transforms.outbox.EventRouter"}, "second Outbox Event Router"},
		{"avro", map[string]string{"key.converter": "io.confluent.connect.avro.AvroConverter"}, "schema registry"},
		{"endless tables", map[string]string{"table.include.list": `public\..*`}, "--table"},
		{"masked payload", map[string]string{"column.mask.hash.SHA-256.with.salt.x": `public\.outbox\.payload`}, "masks and truncates nothing"},
		{"hidden payload", map[string]string{"column.exclude.list": "public.outbox.payload"}, "leaves out payload"},
		{"hidden header", map[string]string{"column.exclude.list": "public.outbox.x", "transforms.outbox.table.fields.additional.placement": "x:header"}, "leaves out x"},
		{"no inserts", map[string]string{"skipped.operations": "c"}, "INSERTs"},
		{"placement", map[string]string{"transforms.outbox.table.fields.additional.placement": "a:footer"}, "header, envelope or partition"},
		{"one word", map[string]string{"transforms.outbox.table.fields.additional.placement": "a"}, "no placement"},
		{"two payloads", map[string]string{"transforms.outbox.table.fields.additional.placement": "a:envelope:payload"}, "two fields"},
		{"bad topic", map[string]string{"transforms.outbox.route.topic.replacement": "all events"}, "Kafka cannot have"},
		{"bad group", map[string]string{"transforms.outbox.route.topic.replacement": "${no}"}, "route.topic.replacement"},
		{"bad regex", map[string]string{"transforms.outbox.route.topic.regex": "("}, "route.topic.regex"},
		{"boolean", map[string]string{"transforms.outbox.table.expand.json.payload": "ja"}, "neither true nor false"},
		{"kerberos", map[string]string{"producer.override.security.protocol": "SASL_SSL"}, "Kerberos"},
		{"oauth", map[string]string{"producer.override.security.protocol": "SASL_SSL", "producer.override.sasl.mechanism": "OAUTHBEARER"}, "SCRAM"},
		{"unresolved", map[string]string{"transforms.outbox.table.field.event.id": "${file:/x:id}"}, "${file:/x:id}"},
		{"slot name", map[string]string{"slot.name": "Orders"}, "slot name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := debezium.Import(with(t, test.options), debezium.Options{Name: "c.json"})
			var refused *debezium.Refused
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want a reason with %q", err, test.want)
			}
		})
	}
}

// TestImport_tables is about --table.
func TestImport_tables(t *testing.T) {
	quiet(t)
	_, c := mustImport(t, with(t, map[string]string{"table.include.list": `public\..*`}), debezium.Options{Name: "c.json", Tables: []string{"public.outbox", `app."Out.Box"`}})
	if len(c.Outbox) != 2 || c.Outbox[1].Table.Name != "Out.Box" {
		t.Errorf("got %v", c.Outbox)
	}
	if _, err := debezium.Import(with(t, nil), debezium.Options{Name: "c.json", Tables: []string{"a.b.c"}}); err == nil {
		t.Error("a.b.c was taken for a table")
	}
}

// TestImport_format is about files that are none.
func TestImport_format(t *testing.T) {
	for name, text := range map[string]string{
		"empty": " \n", "binary": "\x00\x01", "list": `[{"name":"x"}]`, "broken": `{"a": 1,`, "broken value": "{\"a\":\n tru}", "nested": `{"config": {"a": {"b": 1}}}`,
		"two": `{"a": "b"} {"c": "d"}`, "escape": "a=\\u12", "yaml": "kind: KafkaConnector\nspec: 1\n",
	} {
		_, err := debezium.Import([]byte(text), debezium.Options{Name: "f"})
		var refused *debezium.Refused
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v, want a *Refused", name, err)
		} else if !strings.HasPrefix(err.Error(), "f") {
			t.Errorf("%s: %v does not name the file", name, err)
		}
	}
}
