package debezium_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/config/debezium"
)

// optionNames are Debezium's and Kafka Connect's options, from their documentation.
func optionNames(t *testing.T) []string {
	t.Helper()
	return strings.Fields(string(read(t, "options.txt")))
}

// TestOptions_known: no option of the documentation is unknown.
func TestOptions_known(t *testing.T) {
	for _, name := range optionNames(t) {
		r, err := debezium.Import(with(t, map[string]string{name: "1"}), debezium.Options{Name: "c.json"})
		var refused *debezium.Refused
		switch {
		case errors.As(err, &refused): // it knows what it does not like
		case err != nil:
			t.Error(err)
		case slices.ContainsFunc(r.Report.Notes, func(n debezium.Note) bool { return n.Verdict == debezium.Unknown }):
			t.Errorf("%s is not known", name)
		}
	}
}

// sentinel stands for every secret.
const sentinel = "s3ntin3l"

// TestSecrets puts the sentinel into everything that may hold a secret; nothing that
// is written or said may hold it.
func TestSecrets(t *testing.T) {
	quiet(t)
	names := []string{
		"database.password", "database.sslpassword", "producer.override.sasl.jaas.config", "producer.override.ssl.truststore.password", "producer.override.ssl.keystore.password",
		"producer.override.ssl.key.password", "producer.override.ssl.keystore.key", "producer.ssl.keystore.key", "sasl.jaas.config", "ssl.key.password", "consumer.sasl.jaas.config", "heartbeat.action.query",
		"database.initial.statements", "producer.override.sasl.oauthbearer.client.credentials.client.secret", "value.converter.basic.auth.user.info", "config.providers.vault.param.token", "no.such.secret",
		"snapshot.select.statement.overrides.public.outbox", "schema.history.internal.x.password", "signal.consumer.sasl.jaas.config",
	}
	for _, protocol := range []string{"SASL_SSL", "SASL_PLAINTEXT", "SSL", "nonsense"} {
		options := map[string]string{"producer.override.security.protocol": protocol, "producer.override.sasl.mechanism": "PLAIN", "database.dbname": "shop?password=" + sentinel}
		for _, name := range names {
			options[name] = `x required username="u" password="` + sentinel + `";`
		}
		for _, extra := range []map[string]string{{}, {"bootstrap.servers": "u:" + sentinel + "@h:1"}, {"database.hostname": "u:" + sentinel + "@h"}} {
			for name, text := range extra {
				options[name] = text
			}
			r, err := debezium.Import(with(t, options), debezium.Options{Name: "c.json"})
			said := ""
			if err != nil {
				said = err.Error()
			} else {
				data, err := json.Marshal(r.Report)
				if err != nil {
					t.Fatal(err)
				}
				said = string(data) + r.Report.Text(true) + string(r.YAML)
			}
			if strings.Contains(said, sentinel) {
				t.Errorf("%s: the secret is in\n%s", protocol, said)
			}
		}
	}
}

// TestImport_complete: whatever options stand in a file, each of them is in the report,
// and what is written loads, or there are reasons.
func TestImport_complete(t *testing.T) {
	quiet(t)
	names := optionNames(t)
	for name := range base {
		names = append(names, name)
	}
	router := []string{"table.field.event.id", "table.field.event.key", "table.field.event.type", "table.field.event.payload", "table.field.event.timestamp", "table.field.event.schema.version", "route.by.field", "route.topic.replacement", "table.fields.additional.placement", "table.expand.json.payload", "unheard.of"}
	for _, name := range router {
		names = append(names, "transforms.outbox."+name)
	}
	slices.Sort(names)
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		options := map[string]string{}
		for name, value := range base {
			options[name] = value
		}
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 0, 12).Draw(t, "names") {
			options[name] = rapid.OneOf(rapid.SampledFrom([]string{"true", "false", "all", "1", "none", "a:header,b:envelope", "avro", "x", "${X}", "${env:X}", ""}), rapid.StringN(0, 8, 40)).Draw(t, "value")
		}
		data, err := json.Marshal(options)
		if err != nil {
			t.Fatal(err)
		}
		r, err := debezium.Import(data, debezium.Options{Name: "c.json"})
		if err != nil {
			var refused *debezium.Refused
			if !errors.As(err, &refused) || len(refused.Reasons) == 0 {
				t.Fatalf("%v without a reason", err)
			}
			return
		}
		for name := range options {
			if !slices.ContainsFunc(r.Report.Notes, func(n debezium.Note) bool { return n.Option == name }) {
				t.Errorf("%s is not in the report", name)
			}
		}
		loads(t, dir, r)
	})
}

// loads checks what was written: it is YAML, and a configuration.
func loads(t *rapid.T, dir string, r *debezium.Result) {
	var doc yaml.Node
	if err := yaml.Unmarshal(r.YAML, &doc); err != nil {
		t.Fatalf("%v\n%s", err, r.YAML)
	}
	path := filepath.Join(dir, "walrelay.yaml")
	if err := os.WriteFile(path, r.YAML, 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"WALRELAY_KAFKA_BROKERS=k:1"}
	for _, v := range r.Report.Environment {
		if strings.HasPrefix(v.Name, "WALRELAY_POSTGRES_") {
			env = append(env, v.Name+"=x")
		}
	}
	if _, err := config.Load(config.Options{File: path, Env: env}); err != nil && !missingFile(err) {
		t.Fatalf("%v\n%s", err, r.YAML)
	}
}

// missingFile tells whether nothing but files of the relay's machine is missing.
func missingFile(err error) bool {
	for _, line := range strings.Split(err.Error(), "\n") {
		if !strings.Contains(line, "unable to") && !strings.Contains(line, "no such file") && !strings.Contains(line, "does not exist") {
			return false
		}
	}
	return true
}

func FuzzImport(f *testing.F) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if data, err := os.ReadFile(filepath.Join("testdata", e.Name())); err == nil {
			f.Add(data)
		}
	}
	for _, text := range []string{"", "{", `{"config":{}}`, "debezium.source.a=${b:${c}}\n", "a\\\n=b", "%dev.debezium.sink.type=x", "kind: KafkaConnector\nspec: {config: {a: [b]}}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := debezium.Import(data, debezium.Options{Name: "f", Worker: data, WorkerName: "w"})
		if err != nil {
			var refused *debezium.Refused
			if !errors.As(err, &refused) || len(refused.Reasons) == 0 {
				t.Fatalf("%v without a reason", err)
			}
			return
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(r.YAML, &doc); err != nil {
			t.Fatalf("%v\n%s", err, r.YAML)
		}
		_ = r.Report.Text(true)
		if _, err := json.Marshal(r.Report); err != nil {
			t.Fatal(err)
		}
	})
}

func ExampleImport() {
	_, err := debezium.Import([]byte("connector.class=io.debezium.connector.mysql.MySqlConnector\ntransforms=\n"), debezium.Options{Name: "mysql.properties"})
	fmt.Println(err)
	// Output:
	// mysql.properties:1: connector.class: "io.debezium.connector.mysql.MySqlConnector" is not Debezium's PostgreSQL connector: only io.debezium.connector.postgresql.PostgresConnector can be imported
	// mysql.properties:2: transforms: has no Outbox Event Router (io.debezium.transforms.outbox.EventRouter): without it Debezium publishes plain change records, which walrelay does not
}
