package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/config"
)

// load loads and fails the test on an error.
func load(t *testing.T, o config.Options) *config.Config {
	t.Helper()
	c, err := config.Load(o)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return c
}

// entry returns the effective value and source of a key.
func entry(t *testing.T, c *config.Config, key string) config.Entry {
	t.Helper()
	for _, e := range c.Effective() {
		if e.Key == key {
			return e
		}
	}
	t.Fatalf("no key %s", key)
	return config.Entry{}
}

func TestLoad_minimal(t *testing.T) {
	quietDir(t)
	write(t, "walrelay.yaml", minimal)
	c := load(t, config.Options{})
	if c.File != "walrelay.yaml" {
		t.Errorf("file %q", c.File)
	}
	want := route("outbox.event.${aggregate_type}", "aggregate_id", "id")
	if diff := cmp.Diff(want, c.Outbox[0].Route); diff != "" {
		t.Errorf("route (-want +got):\n%s", diff)
	}
	if got := c.Outbox[0].Table.String(); got != "public.outbox" {
		t.Errorf("table %s", got)
	}
	if c.Limits.InFlightBytes != 16<<20 || c.Postgres.WALSenderTimeout != 10*time.Second || !c.Postgres.AutoCreate {
		t.Errorf("defaults: %+v %+v", c.Limits, c.Postgres)
	}
	if c.Kafka.Topics.Create != nil || c.Kafka.TLS.Enabled {
		t.Errorf("kafka: %+v", c.Kafka)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings: %q", c.Warnings)
	}
}

func TestLoad_full(t *testing.T) {
	quietDir(t)
	text, err := os.ReadFile(testdata + "/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "my.yaml", string(text))
	c := load(t, config.Options{File: "my.yaml"})
	want := []config.Outbox{
		{Table: config.Table{Schema: "public", Name: "outbox"},
			Columns: config.Columns{ID: "event_id", AggregateType: "kind", AggregateID: "agg", EventType: "what", Payload: "body"},
			Route:   route("orders", "event_id", "id", "what:type")},
		{Table: config.Table{Schema: "Billing", Name: "out.box"},
			Route: route("all.${aggregate_type}", "aggregate_id")},
	}
	if diff := cmp.Diff(want, c.Outbox); diff != "" {
		t.Errorf("outbox (-want +got):\n%s", diff)
	}
	create := &config.TopicCreation{Partitions: 6, ReplicationFactor: 3, Config: map[string]string{"retention.ms": "1000", "cleanup.policy": "compact,delete", "preallocate": "true"}}
	if diff := cmp.Diff(create, c.Kafka.Topics.Create); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	if c.HTTP.Listen != "" || c.Limits.InFlightBytes != 1e9 || c.OnPoison != "dead-letter" || c.DeadLetterTopic != "dead" || c.OnFatal != "hold" {
		t.Errorf("%+v", c)
	}
	if got := entry(t, c, "outbox[1].table"); got != (config.Entry{Key: "outbox[1].table", Value: `"Billing"."out.box"`, Source: "my.yaml:18:12"}) {
		t.Errorf("entry %+v", got)
	}
	if got := entry(t, c, "http.listen").Source; got != "my.yaml:45:11" {
		t.Errorf("http.listen from %s", got)
	}
}

// testdata is this package's directory of test files, whatever the working
// directory of a test is.
var testdata = func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return dir + "/testdata"
}()

func TestLoad_precedence(t *testing.T) {
	quietDir(t)
	write(t, "walrelay.yaml", minimal+"log: {level: warn}\n")
	o := config.Options{}
	if got := entry(t, load(t, o), "log.level"); got.Value != "warn" || got.Source != "walrelay.yaml:3:14" {
		t.Errorf("file: %+v", got)
	}
	o.Env = []string{"WALRELAY_LOG_LEVEL=debug"}
	if got := entry(t, load(t, o), "log.level"); got.Value != "debug" || got.Source != "WALRELAY_LOG_LEVEL" {
		t.Errorf("environment: %+v", got)
	}
	o.Flags = map[string]string{"log-level": "error"}
	if got := entry(t, load(t, o), "log.level"); got.Value != "error" || got.Source != "--log-level" {
		t.Errorf("flag: %+v", got)
	}
	if got := entry(t, load(t, o), "log.format"); got.Value != "auto" || got.Source != "default" {
		t.Errorf("default: %+v", got)
	}
}

// TestLoad_environmentTwins sets each setting by its variable alone.
func TestLoad_environmentTwins(t *testing.T) {
	values := map[string]string{
		"postgres.url": "postgres://db/x", "postgres.password": "p", "postgres.slot": "s", "postgres.publication": "p",
		"postgres.auto_create": "false", "postgres.failover_slot": "true", "postgres.wal_sender_timeout": "20s",
		"outbox.table": "a.b", "outbox.columns.id": "c1", "outbox.columns.aggregate_type": "c2", "outbox.columns.aggregate_id": "c3",
		"outbox.columns.event_type": "c4", "outbox.columns.payload": "c5", "outbox.route.topic": "t1", "outbox.route.key": "id", "outbox.route.headers": "id,type",
		"route.topic": "t", "route.key": "id", "route.headers": "id,type", "kafka.brokers": "a:1,b:2", "kafka.client_id": "c", "kafka.compression": "lz4",
		"kafka.tls.enabled": "true", "kafka.tls.server_name": "n", "kafka.tls.insecure_skip_verify": "true",
		"kafka.sasl.mechanism": "plain", "kafka.sasl.username": "u", "kafka.sasl.password": "p",
		"kafka.topics.create.partitions": "6", "kafka.topics.create.replication_factor": "3", "kafka.topics.create.config": "cleanup.policy=compact,delete,retention.ms=1",
		"kafka.watermark_topic": "w", "delivery": "at-least-once", "on_poison": "skip", "on_fatal": "hold", "dead_letter_topic": "d",
		"outbox.order_by": "c6", "route.pattern": "(.*)x", "route.replacement": "$1", "route.envelope": "a,b:c", "route.partition": "c7", "route.timestamp": "c8",
		"route.schema_version": "c9", "route.schema_prefix": "fx", "route.missing_columns": "ignore", "route.expand_json": "true",
		"route.expand_json_nulls": "keep", "route.expand_json_names": "avro", "route.tombstone_on_empty": "true", "route.null_as_default": "true",
		"route.updates": "warn", "route.key_updates": "publish",
		"format.key.converter": "json", "format.key.delegate": "string", "format.key.decimals": "numeric", "format.key.null_default": "false",
		"format.value.converter": "binary", "format.value.delegate": "json", "format.value.decimals": "numeric", "format.value.null_default": "false",
		"format.headers.converter": "string", "format.headers.delegate": "json-schema", "format.headers.decimals": "numeric", "format.headers.null_default": "false",
		"format.java_version": "18", "types.decimal": "double", "types.time": "connect", "types.interval": "string", "types.binary": "hex", "types.hstore": "map",
		"types.money_digits": "0", "types.unknown": "true", "types.unavailable": "gone", "snapshot.mode": "initial", "snapshot.fetch_size": "7",
		"limits.in_flight_bytes": "8MiB", "http.listen": "127.0.0.1:0", "http.username": "me", "http.password": "pw2", "http.token": "abc", "http.allow_anonymous": "true", "http.show_payloads": "true",
		"canary.every": "5s", "canary.topic": "birds", "log.level": "debug", "log.format": "json",
	}
	masked := map[string]bool{"postgres.password": true, "kafka.sasl.password": true, "http.password": true, "http.token": true}
	quietDir(t)
	base := []string{"WALRELAY_POSTGRES_URL=postgres://db/y", "WALRELAY_KAFKA_BROKERS=z:1",
		"WALRELAY_KAFKA_SASL_MECHANISM=scram-sha-256", "WALRELAY_KAFKA_SASL_USERNAME=me", "WALRELAY_KAFKA_SASL_PASSWORD=pw"}
	for _, e := range load(t, config.Options{Env: append(base, "WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS=1",
		"WALRELAY_OUTBOX_ROUTE_TOPIC=x", "WALRELAY_OUTBOX_ROUTE_KEY=x", "WALRELAY_OUTBOX_ROUTE_HEADERS=x")}).Effective() {
		value, ok := values[e.Key]
		if !ok {
			if !strings.HasSuffix(e.Key, "_file") {
				t.Errorf("no value for %s in this test", e.Key)
			}
			continue
		}
		name := "WALRELAY_" + strings.ToUpper(strings.ReplaceAll(e.Key, ".", "_"))
		env := append(base, name+"="+value)
		switch e.Key { // the two stand together or not at all
		case "route.pattern":
			env = append(env, "WALRELAY_ROUTE_REPLACEMENT=x")
		case "route.replacement":
			env = append(env, "WALRELAY_ROUTE_PATTERN=x")
		case "http.username":
			env = append(env, "WALRELAY_HTTP_PASSWORD=x")
		}
		got := entry(t, load(t, config.Options{Env: env}), e.Key)
		if masked[e.Key] {
			value = "****"
		}
		if got.Value != value || got.Source != name {
			t.Errorf("%s=%s: got %+v", name, value, got)
		}
	}
}

func TestLoad_emptyVariable(t *testing.T) {
	quietDir(t)
	write(t, "walrelay.yaml", minimal)
	c := load(t, config.Options{Env: []string{"WALRELAY_LOG_LEVEL=", "WALRELAY_HTTP_LISTEN="}})
	if got := entry(t, c, "log.level"); got.Value != "info" || got.Source != "default" {
		t.Errorf("an empty variable is not as if it were not set: %+v", got)
	}
	if got := entry(t, c, "http.listen"); got.Value != "" || got.Source != "WALRELAY_HTTP_LISTEN" {
		t.Errorf("an empty listen address does not switch it off: %+v", got)
	}
}

func TestLoad_null(t *testing.T) {
	quietDir(t)
	write(t, "walrelay.yaml", minimal+"outbox:\nroute:\n  key: ~\nlog: {level: null}\n")
	c := load(t, config.Options{})
	if c.Outbox[0].Route.Key != "aggregate_id" || c.Log.Level != "info" {
		t.Errorf("null is not as if the key were not there: %+v %+v", c.Outbox, c.Log)
	}
}

func TestLoad_topicCreation(t *testing.T) {
	for text, want := range map[string]*config.TopicCreation{
		"{}": {}, "null": nil, "{partitions: 3}": {Partitions: 3},
	} {
		quietDir(t)
		write(t, "walrelay.yaml", "postgres: {url: 'postgres://db/x'}\nkafka: {brokers: ['a:1'], topics: {create: "+text+"}}\n")
		if diff := cmp.Diff(want, load(t, config.Options{}).Kafka.Topics.Create); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestLoad_tlsSwitch(t *testing.T) {
	for text, want := range map[string]bool{
		"{}": false, "null": false, "{enabled: true}": true, "{server_name: x}": true, "{insecure_skip_verify: false}": true,
		"{enabled: false, server_name: x}": false, "{enabled: false, ca_file: nope}": false,
	} {
		quietDir(t)
		write(t, "walrelay.yaml", "postgres: {url: 'postgres://db/x'}\nkafka: {brokers: ['a:1'], tls: "+text+"}\n")
		c := load(t, config.Options{})
		if c.Kafka.TLS.Enabled != want {
			t.Errorf("tls: %s: enabled %t", text, c.Kafka.TLS.Enabled)
		}
		tls, err := c.Kafka.TLS.Config()
		if err != nil || (tls != nil) != want {
			t.Errorf("tls: %s: config %v, error %v", text, tls, err)
		}
	}
}

func TestLoad_alias(t *testing.T) {
	quietDir(t)
	write(t, "walrelay.yaml", minimal+"outbox:\n- {table: a, route: &r {topic: t}}\n- {table: b, route: *r}\n")
	c := load(t, config.Options{})
	if c.Outbox[1].Route.Topic != "t" {
		t.Errorf("alias: %+v", c.Outbox[1])
	}
}

func TestLoad_singleList(t *testing.T) {
	quietDir(t)
	write(t, "walrelay.yaml", minimal+"outbox: [{table: a}]\n")
	c := load(t, config.Options{Env: []string{"WALRELAY_OUTBOX_TABLE=b"}})
	if len(c.Outbox) != 1 || c.Outbox[0].Table.Name != "b" {
		t.Errorf("outbox %+v", c.Outbox)
	}
	if got := entry(t, c, "outbox[0].table").Source; got != "WALRELAY_OUTBOX_TABLE" {
		t.Errorf("from %s", got)
	}
}

func TestLoad_postgresByVariables(t *testing.T) {
	quietDir(t)
	t.Setenv("PGHOST", "db.example")
	c := load(t, config.Options{Env: []string{"PGHOST=db.example", "WALRELAY_KAFKA_BROKERS=a:1"}})
	if c.Postgres.URL != "" {
		t.Errorf("url %q", c.Postgres.URL)
	}
	if got := entry(t, c, "postgres.url").Source; got != "PG* variables" {
		t.Errorf("from %s", got)
	}
}

func TestLoad_secretFiles(t *testing.T) {
	dir := quietDir(t)
	write(t, "pw", "from-file\r\n")
	write(t, "url", "postgres://db/from-file\n")
	write(t, "walrelay.yaml", "postgres:\n  url_file: url\n  password_file: "+dir+"/pw\nkafka: {brokers: ['a:1']}\n")
	c := load(t, config.Options{})
	if c.Postgres.Password != "from-file" || c.Postgres.URL != "postgres://db/from-file" {
		t.Errorf("%q %q", c.Postgres.Password, c.Postgres.URL)
	}
	if got, want := entry(t, c, "postgres.password"), (config.Entry{Key: "postgres.password", Value: "****", Source: "file " + dir + "/pw of walrelay.yaml:3:18"}); got != want {
		t.Errorf("entry %+v, want %+v", got, want)
	}
	// What is set closer to the process goes before a file named farther away.
	c = load(t, config.Options{Env: []string{"WALRELAY_POSTGRES_PASSWORD=direct"}})
	if c.Postgres.Password != "direct" || c.Postgres.PasswordFile != "" {
		t.Errorf("environment: %q, file %q", c.Postgres.Password, c.Postgres.PasswordFile)
	}
	write(t, "walrelay.yaml", minimal[:len(minimal)-1]+"\n")
	write(t, "url", "postgres://db/closer\n")
	c = load(t, config.Options{Env: []string{"WALRELAY_POSTGRES_URL_FILE=url"}})
	if c.Postgres.URL != "postgres://db/closer" {
		t.Errorf("file of the environment: %q", c.Postgres.URL)
	}
}

func TestLoad_warnings(t *testing.T) {
	quietDir(t)
	write(t, "walrelay.yaml", minimal)
	env := []string{"WALRELAY_NONSENSE=1", "WALRELAY_TEST_KAFKA=a:1", "WALRELAY_PORT=tcp://10.0.0.1:9187", "WALRELAY_PORT_9187_TCP_ADDR=10.0.0.1",
		"WALRELAY_SERVICE_HOST=10.0.0.1", "WALRELAY_SERVICE_PORT_HTTP=9187", "WALRELAY_CONFIG=walrelay.yaml", "WALRELAY_KAFKA_TLS_INSECURE_SKIP_VERIFY=true"}
	want := []string{
		"WALRELAY_NONSENSE: no setting of walrelay; it is ignored",
		"kafka.tls.insecure_skip_verify trusts any certificate: set ca_file instead",
	}
	if diff := cmp.Diff(want, load(t, config.Options{Env: env}).Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	env = []string{"WALRELAY_KAFKA_SASL_MECHANISM=plain", "WALRELAY_KAFKA_SASL_USERNAME=u", "WALRELAY_KAFKA_SASL_PASSWORD=hunter2"}
	want = []string{"kafka.sasl.mechanism plain without kafka.tls sends the password in clear text: use TLS or scram-sha-512"}
	if diff := cmp.Diff(want, load(t, config.Options{Env: env}).Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestLoad_check reports what another package says of a key, with its place.
func TestLoad_check(t *testing.T) {
	quietDir(t)
	write(t, "walrelay.yaml", minimal+"route: {topic: '${x}'}\n")
	_, err := config.Load(config.Options{Check: func(c *config.Config, report func(string, error)) {
		report("route.topic", fmt.Errorf("no %s", c.Route.Topic))
	}})
	if err == nil || err.Error() != "walrelay.yaml:3:16: route.topic: no ${x}" {
		t.Errorf("got %v", err)
	}
}

// TestLoad_secretsMasked puts a secret into every place that may hold one.
func TestLoad_secretsMasked(t *testing.T) {
	const secret = "hunter2"
	for _, url := range []string{
		"postgres://u:hunter2@db:5432/shop", "postgresql://u:hunter2@a,b:5433/shop?sslmode=disable",
		"postgres://u@db/shop?password=hunter2", "postgres://u@db/shop?sslmode=disable&p%61ssword=hunter2&application_name=x",
		"host=db password=hunter2 user=u", "host=db password = 'hunter2' user=u", `host=db password='a\'hunter2' user=u`, `host=db password=a\ hunter2 user=u`,
		"postgres://u:x@hunter2@db/shop", "postgres://u:x:hunter2@db/shop", "postgres://u@db/shop?sslpassword=hunter2",
	} {
		quietDir(t)
		c, err := config.Load(config.Options{Env: []string{
			"WALRELAY_POSTGRES_URL=" + url, "WALRELAY_POSTGRES_PASSWORD=" + secret, "WALRELAY_KAFKA_BROKERS=a:1",
			"WALRELAY_KAFKA_SASL_MECHANISM=plain", "WALRELAY_KAFKA_SASL_USERNAME=u", "WALRELAY_KAFKA_SASL_PASSWORD=" + secret,
		}})
		if err != nil { // some of these are malformed: then the problem must not tell
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", url, err)
			}
			continue
		}
		if text := fmt.Sprint(c.Effective(), c.Warnings); strings.Contains(text, secret) {
			t.Errorf("%s: shown as %s", url, entry(t, c, "postgres.url").Value)
		}
	}
}

func TestMaskedURL(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://u:pw@h:5432/db?sslmode=require": "postgres://u:****@h:5432/db?sslmode=require",
		"postgres://u@h:5432/db":                    "postgres://u@h:5432/db",
		"postgres://h:5432/db?application_name=a":   "postgres://h:5432/db?application_name=a",
		"host=h user=u dbname=d":                    "host=h user=u dbname=d",
		"host=h password='a b' user=u":              "host=h password=**** user=u",
	} {
		quietDir(t)
		c := load(t, config.Options{Env: []string{"WALRELAY_POSTGRES_URL=" + url, "WALRELAY_KAFKA_BROKERS=a:1"}})
		if got := entry(t, c, "postgres.url").Value; got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
}

// FuzzLoad holds Load to: any file is either a configuration or a list of
// problems, and never a panic.
func FuzzLoad(f *testing.F) {
	text, err := os.ReadFile(testdata + "/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(minimal))
	f.Add([]byte("a: &a [*a]\nkafka: *a\n"))
	f.Add([]byte("kafka: &k {topics: {create: {config: {? *k : 1}}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := t.TempDir() + "/w.yaml"
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Options{File: path})
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v, error %v", c, err)
		}
		if c != nil {
			c.Effective()
		}
	})
}

// route is a route with the defaults for all that is not given.
func route(topic, key string, headers ...string) config.Route {
	return config.Route{Topic: topic, Key: key, Headers: append([]string{}, headers...), MissingColumns: "error",
		ExpandJSONNulls: "drop", ExpandJSONNames: "none", Updates: "ignore", KeyUpdates: "ignore"}
}
