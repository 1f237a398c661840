package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// sentinel stands for every secret. Its pieces must not be seen either.
const sentinel = "s3ntin3l"

// TestSecrets puts the sentinel into every place that may hold a secret, by every
// way, and runs every command that reads the configuration, against servers that
// refuse it. No output may contain it.
func TestSecrets(t *testing.T) {
	address := refusingPostgres(t)
	url := "postgres://u:" + sentinel + "@" + address + "/shop?sslpassword=" + sentinel
	sasl := []string{"WALRELAY_KAFKA_SASL_MECHANISM=plain", "WALRELAY_KAFKA_SASL_USERNAME=u"}
	ways := []struct {
		name string
		env  []string
		args []string
		file string
		pg   string // PGPASSWORD
	}{
		{name: "environment", env: []string{"WALRELAY_POSTGRES_URL=" + url, "WALRELAY_POSTGRES_PASSWORD=" + sentinel, "WALRELAY_KAFKA_SASL_PASSWORD=" + sentinel}},
		{name: "secret files", env: []string{"WALRELAY_POSTGRES_URL_FILE=url", "WALRELAY_POSTGRES_PASSWORD_FILE=secret", "WALRELAY_KAFKA_SASL_PASSWORD_FILE=secret"}},
		{name: "file", file: "postgres: {url: '" + url + "', password: '" + sentinel + "'}\nkafka: {sasl: {password: '" + sentinel + "'}}\n"},
		{name: "file with secret files", file: "postgres: {url_file: url, password_file: secret}\nkafka: {sasl: {password_file: secret}}\n"},
		{name: "flag", args: []string{"--postgres-url", url}, env: []string{"WALRELAY_KAFKA_SASL_PASSWORD=" + sentinel}},
		{name: "keywords", env: []string{"WALRELAY_POSTGRES_URL=host=127.0.0.1 port=" + address[strings.LastIndexByte(address, ':')+1:] + " user=u password='" + sentinel + "'", "WALRELAY_KAFKA_SASL_PASSWORD=" + sentinel}},
		{name: "PGPASSWORD", env: []string{"WALRELAY_POSTGRES_URL=postgres://u@" + address + "/shop", "WALRELAY_KAFKA_SASL_PASSWORD=" + sentinel}, pg: sentinel},
		{name: "broken URL", env: []string{"WALRELAY_POSTGRES_URL=postgres://u:" + sentinel + "%zz@" + address + "/shop", "WALRELAY_KAFKA_SASL_PASSWORD=" + sentinel}},
		{name: "broken port", env: []string{"WALRELAY_POSTGRES_URL=postgres://u:" + sentinel + "/x@" + address + "/shop", "WALRELAY_KAFKA_SASL_PASSWORD=" + sentinel}},
		{name: "broken YAML", file: "postgres: {password: *" + sentinel + "}\nkafka: {}\n", env: []string{"WALRELAY_POSTGRES_URL=" + url}},
		{name: "wrong types", file: "postgres: {password: [" + sentinel + "]}\nkafka: {sasl: " + sentinel + "}\n", env: []string{"WALRELAY_POSTGRES_URL=" + url}},
		{name: "no mechanism", env: []string{"WALRELAY_POSTGRES_URL=" + url, "WALRELAY_KAFKA_SASL_PASSWORD=" + sentinel, "WALRELAY_KAFKA_SASL_MECHANISM=" + "nope"}},
	}
	commands := [][]string{{"config"}, {"config", "-o", "json"}, {"check"}, {"check", "-o", "json"}, {"status"}, {"health"}, {"init"}, {"init", "--print-sql"}, {"run", "--listen", ""}, {"run", "--log-level", "trace"}}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			quietDir(t)
			for name, text := range map[string]string{"secret": sentinel, "url": url, "walrelay.yaml": way.file} {
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if way.pg != "" {
				t.Setenv("PGPASSWORD", way.pg)
			}
			env := append(append([]string{"WALRELAY_KAFKA_BROKERS=127.0.0.1:1", "WALRELAY_HTTP_LISTEN=127.0.0.1:0",
				"WALRELAY_HTTP_PASSWORD=" + sentinel, "WALRELAY_HTTP_TOKEN=" + sentinel}, sasl...), way.env...)
			for _, command := range commands {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				var out, stderr bytes.Buffer
				run(ctx, append(command, way.args...), env, &out, &stderr)
				cancel()
				if text := out.String() + stderr.String(); strings.Contains(text, sentinel) {
					t.Errorf("walrelay %s: the secret is in\n%s", strings.Join(command, " "), text)
				}
				if out.Len()+stderr.Len() == 0 {
					t.Errorf("walrelay %s: no output, so this test shows nothing", strings.Join(command, " "))
				}
			}
		})
	}
}
