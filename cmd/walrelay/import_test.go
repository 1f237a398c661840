package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/config/debezium"
)

const connectorFile = `name=orders
connector.class=io.debezium.connector.postgresql.PostgresConnector
database.hostname=db
database.user=cdc
database.password=s3ntin3l
database.dbname=shop
topic.prefix=shop
plugin.name=pgoutput
publication.autocreate.mode=filtered
table.include.list=public.outbox
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
transforms=outbox
transforms.outbox.type=io.debezium.transforms.outbox.EventRouter
transforms.outbox.route.topic.replacement=shop.${routedByValue}
`

// TestImport goes the whole way: import, then look at the configuration.
func TestImport(t *testing.T) {
	quietDir(t)
	writeFile(t, "connector.properties", connectorFile)
	r := walrelay(t, nil, "import-debezium", "connector.properties", "-o", "walrelay.yaml")
	if r.code != exitDone || r.out != "" {
		t.Fatalf("code %d, out %q, stderr:\n%s", r.code, r.out, r.stderr)
	}
	for _, want := range []string{"Taken over", "walrelay.yaml was written", "PGPASSWORD", "WALRELAY_KAFKA_BROKERS", "`walrelay check -c walrelay.yaml`"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("the report has no %q:\n%s", want, r.stderr)
		}
	}
	if strings.Contains(r.stderr, "\x1b") {
		t.Error("colours, but no terminal")
	}
	r = walrelay(t, []string{"WALRELAY_KAFKA_BROKERS=kafka:9092"}, "config")
	if r.code != exitDone || !strings.Contains(r.out, "shop.${aggregate_type}") || !strings.Contains(r.out, "postgres://cdc@db/shop") {
		t.Errorf("code %d, stderr %s, out:\n%s", r.code, r.stderr, r.out)
	}

	before, err := os.ReadFile("walrelay.yaml")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, "walrelay.yaml", "mine")
	if r := walrelay(t, nil, "import-debezium", "connector.properties", "-o", "walrelay.yaml"); r.code != exitConfig || !strings.Contains(r.stderr, "--force") {
		t.Errorf("an existing file: code %d, stderr %s", r.code, r.stderr)
	}
	if data, err := os.ReadFile("walrelay.yaml"); err != nil || string(data) != "mine" {
		t.Errorf("the existing file was touched: %q, %v", data, err)
	}
	if r := walrelay(t, nil, "import-debezium", "connector.properties", "-o", "walrelay.yaml", "--force"); r.code != exitDone {
		t.Errorf("--force: code %d, stderr %s", r.code, r.stderr)
	}
	if data, err := os.ReadFile("walrelay.yaml"); err != nil || string(data) != string(before) {
		t.Errorf("--force wrote %q, %v", data, err)
	}
}

func TestImport_output(t *testing.T) {
	quietDir(t)
	writeFile(t, "connector.properties", connectorFile)
	writeFile(t, "worker.properties", "bootstrap.servers=k:9092\n")
	writeFile(t, "bad.json", `{"connector.class": "x", "transforms": "a"}`)
	type report struct {
		OK      bool            `json:"ok"`
		Written string          `json:"written"`
		Reasons []debezium.Note `json:"reasons"`
		Notes   []debezium.Note `json:"notes"`
		File    string          `json:"file"`
	}
	parse := func(text string) (r report) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return r
	}

	r := walrelay(t, nil, "import-debezium", "connector.properties", "--worker", "worker.properties")
	if r.code != exitDone || !strings.Contains(r.out, "brokers: [k:9092]") || !strings.Contains(r.stderr, "Taken over") {
		t.Errorf("to standard output: code %d, out %s, stderr %s", r.code, r.out, r.stderr)
	}
	r = walrelay(t, nil, "import-debezium", "connector.properties", "--output", "json")
	if r.code != exitDone || !strings.HasPrefix(r.out, "# Made by walrelay") || !parse(r.stderr).OK {
		t.Errorf("JSON beside the file: code %d, out %s, stderr %s", r.code, r.out, r.stderr)
	}
	r = walrelay(t, nil, "import-debezium", "connector.properties", "--output", "json", "-o", filepath.Join(t.TempDir(), "w.yaml"))
	if got := parse(r.out); r.code != exitDone || r.stderr != "" || got.Written == "" || len(got.Notes) < 15 || got.File != "connector.properties" {
		t.Errorf("JSON: code %d, out %s, stderr %s", r.code, r.out, r.stderr)
	}
	r = walrelay(t, nil, "import-debezium", "bad.json", "-o", "no.yaml")
	if r.code != exitConfig || !strings.Contains(r.stderr, "bad.json:1: connector.class: ") || !strings.Contains(r.stderr, "2 problems") {
		t.Errorf("refused: code %d, stderr %s", r.code, r.stderr)
	}
	if _, err := os.Stat("no.yaml"); err == nil {
		t.Error("a refused file left a configuration")
	}
	r = walrelay(t, nil, "import-debezium", "bad.json", "-o", "no.yaml", "--output", "json")
	if got := parse(r.out); r.code != exitConfig || got.OK || len(got.Reasons) != 2 {
		t.Errorf("refused as JSON: code %d, out %s, stderr %s", r.code, r.out, r.stderr)
	}
}

func TestImport_usage(t *testing.T) {
	quietDir(t)
	writeFile(t, "connector.properties", connectorFile)
	for _, test := range []struct {
		args []string
		code int
	}{
		{nil, exitUsage},
		{[]string{"a", "b"}, exitUsage},
		{[]string{"connector.properties", "--output", "xml"}, exitUsage},
		{[]string{"connector.properties", "--force"}, exitUsage},
		{[]string{"missing.properties"}, exitConfig},
		{[]string{"connector.properties", "--worker", "missing.properties"}, exitConfig},
		{[]string{"connector.properties", "--table", "a.b.c"}, exitConfig},
		{[]string{"connector.properties", "-o", "no/such/folder/w.yaml"}, exitConfig},
	} {
		if r := walrelay(t, nil, append([]string{"import-debezium"}, test.args...)...); r.code != test.code || strings.Contains(r.stderr, "s3ntin3l") {
			t.Errorf("%v: code %d, stderr %s", test.args, r.code, r.stderr)
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
