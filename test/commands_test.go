package test_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// TestInit: it makes everything in the right order, and again changes nothing.
func TestInit(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, "DROP TABLE public.outbox")
	if code, output := s.run(t, []string{"init"}); code != 3 || !strings.Contains(output, "--create-table") && !strings.Contains(output, "walrelay init") {
		t.Errorf("init without the table: exit code %d: %s", code, output)
	}
	code, first := s.run(t, []string{"init", "--create-table"})
	if code != 0 || s.slots(t) != 1 {
		t.Fatalf("init: exit code %d, slots %d: %s", code, s.slots(t), first)
	}
	mustSay(t, first, "public.outbox", s.Slot, "ready")
	state := func() string {
		return s.QueryText(t, `SELECT (SELECT string_agg(m::text, ',') FROM walrelay.marker m) || confirmed_flush_lsn || (SELECT string_agg(p::text, ',') FROM pg_publication p)
			FROM pg_replication_slots WHERE slot_name = $1`, s.Slot)
	}
	before := state()
	if code, output := s.run(t, []string{"init", "--create-table"}); code != 0 {
		t.Errorf("init again: exit code %d: %s", code, output)
	}
	if after := state(); after != before {
		t.Errorf("init again has changed something:\n%s\n%s", before, after)
	}
	code, output := s.run(t, []string{"init", "--output", "json"})
	var result struct{ Slot, Publication string }
	if err := json.Unmarshal([]byte(output), &result); code != 0 || err != nil || result.Slot != s.Slot || result.Publication != s.Publication {
		t.Errorf("init --output json: exit code %d, %v: %s", code, err, output)
	}
	s.one(t, 1) // after init, before the first start
	p := s.ready(t, "WALRELAY_POSTGRES_AUTO_CREATE=false")
	s.expect(t, 1)
	stop(t, p)
}

// TestConfigCommand: what is in force, where it came from, and no secrets.
func TestConfigCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"walrelay.yaml": "postgres: {url: 'postgres://walrelay:hunter2@db:5432/shop'}\nkafka:\n  brokers: ['a:9092']\n  sasl: {mechanism: scram-sha-256, username: me, password_file: secret}\n  tls: {enabled: true}\n",
		"secret":        "hunter3\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range []string{"table", "json"} {
		p := harness.Relay(t, harness.RelayOptions{
			Args: []string{"config", "--slot", "mine", "--output", format}, Dir: dir, Env: []string{"WALRELAY_ON_POISON=skip", "WALRELAY_POSTGRES_PASSWORD=hunter4"},
		})
		ended(t, p, 0)
		output := p.Output()
		mustSay(t, output, "walrelay.yaml:3:", "WALRELAY_ON_POISON", "--slot", "mine", "default", "db:5432")
		if strings.Contains(output, "hunter") {
			t.Errorf("a secret is shown: %s", output)
		}
		if format == "json" && !json.Valid([]byte(output)) {
			t.Errorf("no JSON: %s", output)
		}
	}
}

// TestVersion and help need neither configuration nor servers.
func TestVersion(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"--version"}, {"--help"}, {"run", "--help"}, {"completion", "bash"}} {
		p := harness.Relay(t, harness.RelayOptions{Args: args})
		ended(t, p, 0)
		mustSay(t, p.Output(), "walrelay")
	}
	p := harness.Relay(t, harness.RelayOptions{Args: []string{"version", "-o", "json"}})
	ended(t, p, 0)
	var version struct{ Version, Commit, Go string }
	if err := json.Unmarshal([]byte(p.Output()), &version); err != nil || version.Version == "" || !strings.HasPrefix(version.Go, "go1.") {
		t.Errorf("version: %v: %s", err, p.Output())
	}
}

// TestConfigurationErrors: they are found before anything is touched, all at
// once, each at its place. Every single one is a test of package config; these
// go through the program.
func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	const good = "postgres: {url: 'postgres://walrelay@127.0.0.1:1/shop'}\nkafka: {brokers: ['127.0.0.1:1']}\n"
	for _, test := range []struct {
		name string
		args []string
		file string
		env  []string
		code int
		says []string
	}{
		{"all at once", nil, "postgres: {url: 'postgres://db/shop', slot: 'Not A Slot'}\nkafka:\n  brokers: [nowhere]\n  compresion: lz4\non_poison: explode\n", []string{"WALRELAY_LIMITS_IN_FLIGHT_BYTES=12 parsecs"}, 3,
			[]string{"walrelay.yaml:1:45: postgres.slot", "walrelay.yaml:3:13: kafka.brokers", "walrelay.yaml:4:3: kafka.compresion: unknown key (did you mean compression?)", "walrelay.yaml:5:12: on_poison", "WALRELAY_LIMITS_IN_FLIGHT_BYTES"}},
		{"not YAML", nil, "kafka: [\n", nil, 3, []string{"walrelay.yaml:"}},
		{"nothing given", nil, "", nil, 3, []string{"postgres.url", "kafka.brokers", "required"}},
		{"wrong type", nil, good + "limits: {in_flight_bytes: true}\n", nil, 3, []string{"walrelay.yaml:3:27: limits.in_flight_bytes"}},
		{"wrong route", nil, good + "route: {topic: 'a.${nobody}'}\n", nil, 3, []string{"walrelay.yaml:3:16: route.topic", "nobody"}},
		{"wrong header", nil, good + "route: {headers: ['walrelay-nothing']}\n", nil, 3, []string{"route.headers", "walrelay-nothing"}},
		{"no dead-letter topic", nil, good + "on_poison: dead-letter\n", nil, 3, []string{"dead_letter_topic"}},
		{"half of SASL", nil, good, []string{"WALRELAY_KAFKA_SASL_MECHANISM=plain"}, 3, []string{"username", "password"}},
		{"unknown variable", nil, good, []string{"WALRELAY_KAFKA_BROKER=a:1"}, 3, []string{"WALRELAY_KAFKA_BROKER"}},
		{"secret file that is not there", nil, good, []string{"WALRELAY_POSTGRES_PASSWORD_FILE=/nowhere/secret"}, 3, []string{"/nowhere/secret"}},
		{"file that is not there", []string{"run", "-c", "/nowhere/walrelay.yaml"}, "", nil, 3, []string{"/nowhere/walrelay.yaml"}},
		{"wrong flag value", []string{"run", "--brokers", "nowhere"}, good, nil, 3, []string{"--brokers"}},
		{"exactly-once with a snapshot", nil, good + "delivery: exactly-once\nsnapshot: {mode: initial}\n", nil, 3, []string{"walrelay.yaml:4:18: snapshot.mode", "at-least-once"}},
		{"listed twice", nil, good + "outbox: [{table: a}, {table: public.a}]\n", nil, 3, []string{"listed twice"}},
		{"no such flag", []string{"run", "--nonsense"}, good, nil, 2, []string{"--nonsense", "--help"}},
		{"no such command", []string{"nonsense"}, "", nil, 2, []string{"nonsense"}},
		{"argument too many", []string{"run", "nonsense"}, good, nil, 2, []string{"nonsense"}},
		{"flags that exclude each other", []string{"init", "--print-sql", "--accept-gap"}, good, nil, 2, []string{"print-sql", "accept-gap"}},
		{"no such output", []string{"version", "-o", "xml"}, "", nil, 2, []string{"xml", "json"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if test.file != "" {
				if err := os.WriteFile(filepath.Join(dir, "walrelay.yaml"), []byte(test.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p := harness.Relay(t, harness.RelayOptions{Args: test.args, Dir: dir, Env: test.env})
			ended(t, p, test.code)
			mustSay(t, p.Output(), test.says...)
		})
	}
}

// TestPortTaken: a second relay on the same status port says so.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	second := s.start(t, "WALRELAY_HTTP_LISTEN="+p.Address)
	ended(t, second, 3)
	mustSay(t, second.Output(), p.Address, "http.listen")
	stop(t, p)
}
