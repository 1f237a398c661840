package test_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// checkReport is what `walrelay check -o json` prints.
type checkReport struct {
	OK                 bool
	Problems, Warnings int
	Servers            map[string]string
	Findings           []checkFinding
}

type checkFinding struct{ Side, Name, Level, Detail, Cause, Remedy, Doc string }

// find returns the finding; the test fails without.
func (r checkReport) find(t *testing.T, side, name, level string) checkFinding {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f checkFinding) bool { return f.Side == side && f.Name == name && f.Level == level })
	if i < 0 {
		t.Errorf("no %s of %s %q in %+v", level, side, name, r.Findings)
		return checkFinding{}
	}
	return r.Findings[i]
}

func (s *shop) check(t *testing.T, env ...string) (int, checkReport) {
	t.Helper()
	code, output := s.run(t, []string{"check", "-o", "json"}, env...)
	var r checkReport
	if err := json.Unmarshal([]byte(output), &r); err != nil {
		t.Fatalf("check: %v: %s", err, output)
	}
	for _, f := range r.Findings {
		if f.Level != "ok" && f.Remedy == "" {
			t.Errorf("%s: no remedy: %s", f.Name, f.Detail)
		}
	}
	return code, r
}

// TestCheck: both sides at once, and nothing is changed.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t) // so that the broker knows producers
	code, r := s.check(t)
	if code != 0 || !r.OK || r.Problems != 0 || len(r.Findings) < 20 {
		t.Errorf("beside a running relay: exit code %d: %+v", code, r)
	}
	r.find(t, "postgres", "replication connection", "ok")
	r.find(t, "kafka", "write fence", "ok")
	if !strings.Contains(r.Servers["postgres"], "PostgreSQL") || !strings.Contains(r.Servers["kafka"], "broker") {
		t.Errorf("servers: %v", r.Servers)
	}
	// The fence of the running relay was left alone.
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1}`)
	s.expect(t, 1)
	p.Kill()

	// Problems on both sides, in one go.
	s.Exec(t, "ALTER PUBLICATION "+s.Publication+" DROP TABLE public.outbox")
	code, r = s.check(t, "WALRELAY_KAFKA_BROKERS=127.0.0.1:1")
	if code != 3 || r.OK || r.Problems < 2 {
		t.Errorf("check: exit code %d: %+v", code, r)
	}
	r.find(t, "postgres", "publication", "fail")
	r.find(t, "kafka", "kafka", "fail")
	r.find(t, "kafka", "kafka", "fail")
	code, output := s.run(t, []string{"check"}, "WALRELAY_POSTGRES_URL=postgres://nobody@127.0.0.1:1/none", "WALRELAY_KAFKA_BROKERS=127.0.0.1:1")
	if code != 3 {
		t.Errorf("check: exit code %d: %s", code, output)
	}
	mustSay(t, output, "127.0.0.1:1", "2 problems", "leads to", "remedy")
}

// TestCheckTable: what the publication leaves out, and keys that are none.
func TestCheckTable(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, "ALTER TABLE public.outbox DROP CONSTRAINT outbox_pkey")
	s.Exec(t, "ALTER TABLE public.outbox ALTER COLUMN aggregateid DROP NOT NULL")
	code, r := s.check(t)
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	r.find(t, "postgres", "primary key of public.outbox", "warn")
	if f := r.find(t, "postgres", "event id of outbox", "warn"); !strings.Contains(f.Remedy, "CREATE UNIQUE INDEX") {
		t.Errorf("%+v", f)
	}
	if f := r.find(t, "postgres", "key of outbox", "warn"); !strings.Contains(f.Remedy, "SET NOT NULL") {
		t.Errorf("%+v", f)
	}
	if s.QueryText(t, "SELECT current_setting('server_version_num')") < "150000" {
		return // column lists came with 15
	}
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR TABLE public.outbox (id, aggregatetype, aggregateid, type) WITH (publish = 'insert')")
	code, r = s.check(t)
	f := r.find(t, "postgres", "columns of outbox", "fail")
	if code != 3 || !strings.Contains(f.Detail, "does not send payload") || !strings.Contains(f.Remedy, "ADD TABLE") {
		t.Errorf("exit code %d: %+v", code, f)
	}
}

// TestCheckTopics: a real broker's own words about topics.
func TestCheckTopics(t *testing.T) {
	t.Parallel()
	s := openOn(t, harness.Database(t), harness.Kafka(t))
	s.topic(t, "compact", "cleanup.policy", "compact")
	s.topic(t, "clock", "message.timestamp.type", "LogAppendTime")
	absent := s.Prefix + "absent"
	code, r := s.check(t, "WALRELAY_CANARY_EVERY=10s", "WALRELAY_CANARY_TOPIC="+absent, "WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS=3", "WALRELAY_KAFKA_TOPICS_CREATE_REPLICATION_FACTOR=7")
	if s.Kafka.Real() {
		if f := r.find(t, "kafka", `topic "`+absent+`"`, "fail"); code != 3 || !strings.Contains(f.Remedy, "at most") {
			t.Errorf("exit code %d: %+v", code, f)
		}
	}
	r.find(t, "kafka", `topic "`+s.Topics[0]+`" cleanup.policy`, "warn")
	r.find(t, "kafka", `topic "`+s.Topics[1]+`" message.timestamp.type`, "warn")
	code, r = s.check(t, "WALRELAY_CANARY_EVERY=10s", "WALRELAY_CANARY_TOPIC="+absent, "WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS=3")
	if f := r.find(t, "kafka", `topic "`+absent+`"`, "ok"); code != 0 || !strings.Contains(f.Detail, "will be made with 3 partitions") {
		t.Errorf("exit code %d: %+v", code, f)
	}
}
