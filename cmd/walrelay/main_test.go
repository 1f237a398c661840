package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// TestMain lets the test binary be walrelay itself, for tests that need a process.
func TestMain(m *testing.M) {
	switch os.Getenv("WALRELAY_TEST_PROCESS") {
	case "walrelay":
		main()
	case "stubborn":
		stubborn()
	}
	os.Exit(m.Run())
}

// result is what a run of the program left.
type result struct {
	code        int
	out, stderr string
}

// walrelay runs the program in this process.
func walrelay(t *testing.T, env []string, args ...string) result {
	t.Helper()
	var out, stderr bytes.Buffer
	code := run(t.Context(), args, env, &out, &stderr)
	return result{code, out.String(), stderr.String()}
}

// quietDir makes an empty working directory, without PG* variables and files of
// the user's home.
func quietDir(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}
}

// golden is this package's testdata, whatever the working directory is.
var golden = func() string {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		panic(err)
	}
	return dir
}()

// compare holds text to a golden file.
func compare(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(golden, name)
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

func TestHelp(t *testing.T) {
	quietDir(t)
	root := (&app{}).root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	names := []string{""}
	for _, c := range root.Commands() {
		if c.Name() == "help" || c.Name() == "completion" { // cobra's own words
			continue
		}
		names = append(names, c.Name())
		for _, sub := range c.Commands() {
			names = append(names, c.Name()+" "+sub.Name())
		}
	}
	for _, name := range names {
		r := walrelay(t, nil, append(strings.Fields(name), "--help")...)
		if r.code != 0 || r.stderr != "" {
			t.Errorf("%s --help: code %d, stderr %q", name, r.code, r.stderr)
		}
		compare(t, "help"+strings.ReplaceAll(" "+name, " ", "_")+".txt", r.out)
	}
}

func TestExitCodes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	good := []string{"WALRELAY_POSTGRES_URL=postgres://walrelay@127.0.0.1:1/shop", "WALRELAY_KAFKA_BROKERS=127.0.0.1:1"}
	tests := []struct {
		name   string
		args   []string
		env    []string
		file   string // of walrelay.yaml
		code   int
		stderr string // "" nothing; a trailing … allows more
	}{
		{name: "nothing", code: 0},
		{name: "help", args: []string{"help", "run"}, code: 0},
		{name: "version", args: []string{"version"}, code: 0},
		{name: "version flag", args: []string{"--version"}, code: 0},
		{name: "completion", args: []string{"completion", "bash"}, code: 0},
		{name: "unknown command", args: []string{"rum"}, code: 2,
			stderr: "walrelay: unknown command \"rum\" for \"walrelay\"\n\nDid you mean this?\n\trun\nRun `walrelay --help` for usage.\n"},
		{name: "unknown flag", args: []string{"run", "--nope"}, code: 2, stderr: "walrelay: unknown flag: --nope\nRun `walrelay run --help` for usage.\n"},
		{name: "argument", args: []string{"check", "x"}, code: 2, stderr: "walrelay: unknown command \"x\" for \"walrelay check\"\nRun `walrelay check --help` for usage.\n"},
		{name: "output", args: []string{"config", "--output", "xml"}, code: 2, stderr: "walrelay: --output \"xml\": want table or json\nRun `walrelay config --help` for usage.\n"},
		{name: "role without print-sql", args: []string{"init", "--role", "r"}, env: good, code: 2, stderr: "walrelay: --role goes with --print-sql only\nRun `walrelay init --help` for usage.\n"},
		{name: "shape", args: []string{"init", "--create-table=round"}, env: good, code: 2, stderr: "walrelay: --create-table=round: want debezium or snake\nRun `walrelay init --help` for usage.\n"},
		{name: "both print-sql and accept-gap", args: []string{"init", "--print-sql", "--accept-gap"}, env: good, code: 2, stderr: "walrelay: if any flags in the group …"},
		{name: "no configuration", args: []string{"run"}, code: 3, stderr: "postgres.url: required: set it in walrelay.yaml, in WALRELAY_POSTGRES_URL, with --postgres-url or by PG* variables\n" +
			"kafka.brokers: required: set it in walrelay.yaml, in WALRELAY_KAFKA_BROKERS or with --brokers\n"},
		{name: "named file missing", args: []string{"run", "-c", "nope.yaml"}, env: good, code: 3, stderr: "--config: nope.yaml does not exist: check the path (it is relative to the working directory)\n"},
		{name: "init needs no Kafka", args: []string{"init", "--print-sql"}, env: good[:1], code: 0},
		{name: "route", args: []string{"config"}, env: good, file: "route:\n  topic: ${aggregat}\n", code: 3, stderr: "walrelay.yaml:2:10: route.topic: …"},
		{name: "route of a table", args: []string{"config"}, env: good, file: "outbox:\n- table: a\n- table: b\n  route: {headers: ['a:']}\n", code: 3, stderr: "walrelay.yaml:4:20: outbox[1].route.headers: …"},
		{name: "SCRAM password", args: []string{"config"}, env: append(good, "WALRELAY_KAFKA_SASL_MECHANISM=scram-sha-256", "WALRELAY_KAFKA_SASL_USERNAME=u", "WALRELAY_KAFKA_SASL_PASSWORD=hunter2\x01"), code: 3,
			stderr: "WALRELAY_KAFKA_SASL_PASSWORD: kafka.sasl.password: the user name or the password has a character that scram-sha-256 does not allow (control characters and the like): change it\n"},
		{name: "exactly-once", args: []string{"config"}, env: append(good, "WALRELAY_DELIVERY=exactly-once"), code: 0},
		{name: "exactly-once with a snapshot", args: []string{"run"}, env: append(good, "WALRELAY_DELIVERY=exactly-once", "WALRELAY_SNAPSHOT_MODE=initial"), code: 3, stderr: "WALRELAY_SNAPSHOT_MODE: snapshot.mode: initial does not go with delivery exactly-once: …"},
		{name: "port taken", args: []string{"run", "--listen", taken.Addr().String()}, env: good, code: 3,
			stderr: "walrelay: listen on " + taken.Addr().String() + ": the port is taken, perhaps by another walrelay: set another http.listen (WALRELAY_HTTP_LISTEN, --listen), or an empty one to do without\n"},
		{name: "init without PostgreSQL", args: []string{"init"}, env: good, code: 3, stderr: "walrelay: connect to walrelay@127.0.0.1:1/shop: …"},
		{name: "config", args: []string{"config"}, env: good, code: 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			quietDir(t)
			if test.file != "" {
				if err := os.WriteFile("walrelay.yaml", []byte(test.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r := walrelay(t, test.env, test.args...)
			if r.code != test.code {
				t.Errorf("exit code %d, want %d", r.code, test.code)
			}
			want, open := strings.CutSuffix(test.stderr, "…")
			if open && !strings.HasPrefix(r.stderr, want) || !open && r.stderr != want {
				t.Errorf("stderr:\n%s\nwant:\n%s", r.stderr, test.stderr)
			}
			if strings.Contains(r.stderr, "hunter2") {
				t.Error("a secret is in stderr")
			}
		})
	}
}

func TestConfig(t *testing.T) {
	quietDir(t)
	if err := os.WriteFile("walrelay.yaml", []byte("postgres:\n  url: postgres://u:hunter2@db/shop\n  password: hunter2\nkafka:\n  brokers: [a:1]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"WALRELAY_KAFKA_COMPRESSION=lz4", "WALRELAY_NONSENSE=1"}
	r := walrelay(t, env, "config", "--slot", "shop")
	if r.code != 0 || r.stderr != "warning: WALRELAY_NONSENSE: no setting of walrelay; it is ignored\n" {
		t.Errorf("code %d, stderr %q", r.code, r.stderr)
	}
	compare(t, "config.txt", r.out)
	r = walrelay(t, env, "config", "--slot", "shop", "-o", "json")
	var entries []struct{ Key, Value, Source string }
	if err := json.Unmarshal([]byte(r.out), &entries); err != nil || len(entries) < 30 || entries[0].Key != "postgres.url" {
		t.Errorf("json: %v\n%s", err, r.out)
	}
}

func TestVersion(t *testing.T) {
	r := walrelay(t, nil, "version")
	if !strings.HasPrefix(r.out, "walrelay ") || !strings.Contains(r.out, "\ncommit ") || !strings.Contains(r.out, "\ngo       go1.") {
		t.Errorf("got %q", r.out)
	}
	var b build
	if err := json.Unmarshal([]byte(walrelay(t, nil, "version", "--output=json").out), &b); err != nil || b != buildInfo() {
		t.Errorf("json: %+v, %v", b, err)
	}
}

func TestPrintSQL(t *testing.T) {
	quietDir(t)
	r := walrelay(t, []string{"WALRELAY_POSTGRES_URL=postgres://u:hunter2@db/shop"}, "init", "--print-sql", "--role", "carrier")
	if r.code != 0 || !strings.Contains(r.out, `"carrier"`) || !strings.Contains(r.out, "CREATE PUBLICATION") || strings.Contains(r.out, "hunter2") {
		t.Errorf("code %d\n%s", r.code, r.out)
	}
}
