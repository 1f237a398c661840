package test_test

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// The cases were recorded with PostgreSQL 15 and Kafka 4. With older servers some
// can't be played again, or nothing of walrelay's is what differs then.

// newSQL is what PostgreSQL 14 does not know.
var newSQL = []struct {
	sql *regexp.Regexp
	why string
}{
	{regexp.MustCompile(`MERGE INTO`), "MERGE"},
	{regexp.MustCompile(`numeric\((\d+,-\d+|2,4)\)`), "numeric with a scale below 0 or above the precision"},
	{regexp.MustCompile(`CREATE PUBLICATION \w+ FOR (TABLES IN SCHEMA|TABLE \w+ (\(|WHERE))`), "a publication of a schema, of columns or of rows"},
}

// suits skips the case where the servers are too old for it.
func (r *debeziumRun) suits(t *testing.T) {
	t.Helper()
	if r.number(t, "SELECT current_setting('server_version_num')::int8") < 150000 {
		for _, n := range newSQL {
			if n.sql.MatchString(r.setup + r.input) {
				harness.Skip(t, "PostgreSQL has this since 15: "+n.why)
			}
		}
		if r.wroteOctal() {
			harness.Skip(t, `PostgreSQL writes "char" beyond ASCII in octal since 15`)
		}
	}
	if r.name == "ts_far_future" && !r.lane.refusesTheFuture(t) {
		harness.Skip(t, "Kafka refuses records of the future since 4.0")
	}
}

// wroteOctal says whether a record holds the byte C3 as "char" writes it.
func (r *debeziumRun) wroteOctal() bool {
	octal := func(c content) bool { return bytes.Contains(c.bytes, []byte(`\303`)) }
	return slices.ContainsFunc(r.wrote, func(w recorded) bool {
		return octal(w.Value) || slices.ContainsFunc(w.Headers, func(h recordedHeader) bool { return octal(h.Value) })
	})
}

// refusesTheFuture says whether brokers refuse records of a time far ahead.
func (l *lane) refusesTheFuture(t *testing.T) bool {
	t.Helper()
	const setting = "log.message.timestamp.after.max.ms"
	brokers, err := l.admin.ListBrokers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	configs, err := l.admin.DescribeBrokerConfigs(t.Context(), brokers.NodeIDs()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, broker := range configs {
		for _, c := range broker.Configs {
			if c.Key == setting {
				return c.MaybeValue() != "9223372036854775807"
			}
		}
	}
	t.Fatalf("brokers have no %s", setting)
	return false
}
