package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/replication"
)

// TestCheck_nothingAnswers: both sides are reported, not only the first.
func TestCheck_nothingAnswers(t *testing.T) {
	quietDir(t)
	env := []string{"WALRELAY_POSTGRES_URL=postgres://walrelay@127.0.0.1:1/shop", "WALRELAY_KAFKA_BROKERS=127.0.0.1:1", "COLUMNS=80"}
	r := walrelay(t, env, "check")
	if r.code != 3 || r.stderr != "" {
		t.Errorf("code %d, stderr %q", r.code, r.stderr)
	}
	for _, want := range []string{
		"PostgreSQL: walrelay@127.0.0.1:1/shop\n  ✗ connection  ", "\nKafka: 127.0.0.1:1\n  ✗ kafka       ", "\n      leads to  ", "\n      remedy    ",
		"\n2 problems, no warnings: the relay cannot run like this (exit code 3)\n",
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	r = walrelay(t, env, "check", "--output", "json")
	var report struct {
		OK                 bool
		Problems, Warnings int
		Servers            map[string]string
		Findings           []struct{ Side, Name, Level, Detail, Cause, Remedy string }
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || report.OK || len(report.Findings) != 2 || report.Findings[0].Level != "fail" {
		t.Errorf("json: %v\n%s", err, r.out)
	}
	if report.Problems != 2 || report.Servers["postgres"] != "walrelay@127.0.0.1:1/shop" || report.Servers["kafka"] != "127.0.0.1:1" || report.Findings[1].Cause == "" {
		t.Errorf("%+v", report)
	}
}

// TestCheck_silent: a server that takes the connection and never answers hides
// nothing of the other side, and costs a bounded time.
func TestCheck_silent(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timeouts")
	}
	quietDir(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	r := walrelay(t, []string{"WALRELAY_POSTGRES_URL=postgres://walrelay@" + l.Addr().String() + "/shop?sslmode=disable", "WALRELAY_KAFKA_BROKERS=" + l.Addr().String()}, "check")
	if took := time.Since(began); took > checkTimeout {
		t.Errorf("it took %s", took)
	}
	if r.code != 3 || !strings.Contains(r.out, "✗ connection") || !strings.Contains(r.out, "✗ kafka") {
		t.Errorf("code %d\n%s", r.code, r.out)
	}
}

// TestCheck_stopped: a command that is interrupted says so.
func TestCheck_stopped(t *testing.T) {
	quietDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, stderr bytes.Buffer
	env := []string{"WALRELAY_POSTGRES_URL=postgres://walrelay@127.0.0.1:1/shop", "WALRELAY_KAFKA_BROKERS=127.0.0.1:1"}
	if code := run(ctx, []string{"check"}, env, &out, &stderr); code != 1 || stderr.String() != "walrelay: stopped before everything was looked at\n" {
		t.Errorf("code %d, stderr %q", code, stderr.String())
	}
}

// sample is a result with everything that can be printed.
func sample() []side {
	script := "DO $x$ BEGIN\n  one;\n  two;\n  three;\n  four;\n  five;\n  six;\nEND $x$;\n"
	return []side{
		{name: "config", title: "Configuration", findings: []replication.Finding{{Name: "settings", Level: replication.Warn, Detail: "kafka.linger has no effect"}}},
		{name: "postgres", title: "PostgreSQL", server: "PostgreSQL 17.2 on Amazon RDS, primary, timeline 3, walrelay@db.cx1.eu-central-1.rds.amazonaws.com:5432/shop", findings: []replication.Finding{
			{Name: "version", Detail: "PostgreSQL 17.2"},
			{Name: "wal_level", Level: replication.Fail, Detail: "wal_level is replica, logical replication needs logical", Cause: "the WAL lacks what it takes to decode rows from it: no slot can be made", Remedy: "set rds.logical_replication = 1 in the instance's DB parameter group, then reboot the instance", Doc: "https://docs.aws.amazon.com/x"},
			{Name: "marker", Level: replication.Fail, Detail: `"r" can't write walrelay.marker`, Cause: "no slot is made without it", Remedy: script},
			{Name: "create", Level: replication.Fail, Detail: "the publication does not exist", Remedy: script},
			{Name: "max_slot_wal_keep_size", Level: replication.Warn, Detail: "-1: no limit; 67.0 GiB of WAL are written a day on average", Cause: "the disk fills", Remedy: "ALTER SYSTEM SET max_slot_wal_keep_size = '66GB';\nSELECT pg_reload_conf();"},
			{Name: "replica identity of public.outbox_with_a_long_name", Level: replication.Warn, Detail: "FULL", Cause: "bloat", Remedy: `ALTER TABLE "public"."outbox_with_a_long_name" REPLICA IDENTITY DEFAULT; -- or the column that holds the event id, whichever it is`},
		}},
		{name: "kafka", title: "Kafka", server: "127.0.0.1:9092, cluster x, 3 brokers", findings: []replication.Finding{{Name: "kafka", Detail: "127.0.0.1:9092 answers"}}},
	}
}

// TestPrintSides compares whole sheets, wide and narrow.
func TestPrintSides(t *testing.T) {
	for name, columns := range map[string]string{"check_wide": "120", "check_narrow": "80"} {
		var out bytes.Buffer
		a := &app{env: []string{"COLUMNS=" + columns}, stdout: &out, stderr: io.Discard}
		sides := sample()
		if err := a.printSides(sides, diagnose(sides)); err != nil {
			t.Fatal(err)
		}
		compare(t, name+".txt", out.String())
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); columns == "80" && n > 80 {
				t.Errorf("%d columns: %s", n, line)
			}
			if strings.TrimRight(line, " \n") != strings.TrimRight(line, "\n") {
				t.Errorf("blanks at the end of %q", line)
			}
		}
	}
}

func TestWrapText(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 10, ""},
		{"one two three", 7, "one two|three"},
		{"one two three", 8, "one two|three"},
		{"one two three", 5, "one|two|three"},
		{"verylongword x", 5, "verylongword|x"},
		{"äöü äöü", 3, "äöü|äöü"},
		{"SELECT a, b FROM c;", 10, "SELECT a,|b FROM c;"},
		{"SELECT 'a b' FROM c;", 10, "SELECT 'a b' FROM c;"},
		{"SELECT 1; -- a remark on it", 12, "SELECT 1;|-- a remark|-- on it"},
		{"SELECT 1; -- short", 18, "SELECT 1; -- short"},
		{"-- a whole line of remark", 10, "-- a whole line of remark"},
		{"kafka-topics.sh --bootstrap-server b:1 --create", 20, "kafka-topics.sh|--bootstrap-server|b:1 --create"},
	} {
		if got := strings.Join(wrapText(test.text, test.width), "|"); got != test.want {
			t.Errorf("%q in %d: %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range []string{"no warnings", "1 warning", "2 warnings"} {
		if got := count(n, "warning"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

// TestFixedTopics: what is looked at without an event, and what for.
func TestFixedTopics(t *testing.T) {
	quietDir(t)
	c, err := config.Load(config.Options{Env: []string{"WALRELAY_POSTGRES_URL=postgres://db/shop", "WALRELAY_KAFKA_BROKERS=b:9092", "WALRELAY_ROUTE_TOPIC=orders",
		"WALRELAY_CANARY_EVERY=10s", "WALRELAY_ON_POISON=dead-letter", "WALRELAY_DEAD_LETTER_TOPIC=dead"}, Check: checkDetails})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(fixedTopics(c), " "); got != "orders dead walrelay.canary" {
		t.Error(got)
	}
	if of := purposes(c); of["dead"] != "for dead letters" || of["walrelay.canary"] != "for the canary" || of["orders"] != "" {
		t.Error(of)
	}
}
