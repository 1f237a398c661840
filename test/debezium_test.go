package test_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/test/harness"
)

// TestDebezium is the proof that walrelay writes what Debezium wrote, a subtest
// for each recorded case, through the whole program:
//
//	connector.properties ─ import-debezium ─▶ walrelay.yaml ┐
//	setup.sql, input.sql ─▶ PostgreSQL ─────────────────────┴▶ walrelay run ─▶ Kafka ─▶ records.jsonl?
//
// Configuration and SQL are used as they lie there; only where the servers are
// comes from the environment. A case that is not in the table of debezium_odd_test.go
// has to come out byte for byte. One that is there (Debezium failed, leaves
// something to chance, or writes records of its own) has to come out exactly as
// the table says.
//
// A case has a database of its own, and the names of slot, publication and
// topics that its configuration says. So one case runs at a time on a lane, which
// is a PostgreSQL and a Kafka; records are those behind the ends of all topics as
// they were before it, which spares making and deleting topics. There are
// debeziumLanes lanes, made as cases ask for them: the first has the servers that
// all tests share, another one its own. The program has no race detector here, also
// when the tests have: what is proven is bytes, in hundreds of short runs.
func TestDebezium(t *testing.T) {
	lanes := newLanes(t)
	for _, c := range loadDebeziumCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lane := lanes.take(t)
			// Given back last of all, when slot and database are gone.
			t.Cleanup(func() { lanes.give(lane) })
			if c.note != "" {
				t.Logf("%s: %s", c.dir, c.note)
			}
			started := time.Now()
			(&debeziumRun{debeziumCase: c, lane: lane}).judge(t, oddityOf(c))
			t.Logf("%.2f s", time.Since(started).Seconds())
		})
	}
}

// debeziumLanes is how many cases run at a time.
const debeziumLanes = 2

// lane is the servers that one case at a time has to itself.
type lane struct {
	server *postgres.Server // nil: the shared one
	kafka  *harness.Broker
	admin  *kadm.Client
}

// lanes lends lanes to the cases.
type lanes struct {
	parent *testing.T
	free   chan *lane

	mu   sync.Mutex
	made int
}

func newLanes(t *testing.T) *lanes {
	return &lanes{parent: t, free: make(chan *lane, debeziumLanes)}
}

func (l *lanes) give(used *lane) { l.free <- used }

// take waits for a lane, or makes one.
func (l *lanes) take(t *testing.T) *lane {
	t.Helper()
	select {
	case free := <-l.free:
		return free
	default:
	}
	if made := l.make(t); made != nil {
		return made
	}
	return <-l.free
}

// make makes a lane while there may be more, else returns nil. The first one is
// a must; another one only makes it faster.
func (l *lanes) make(t *testing.T) *lane {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == debeziumLanes {
		return nil
	}
	l.made++
	made := &lane{}
	if l.made == 1 {
		made.kafka = harness.Kafka(t)
	} else if err := made.start(l.parent); err != nil {
		l.made = debeziumLanes
		l.parent.Logf("one lane less: %v", err)
		return nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(made.kafka.Direct()...), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	l.parent.Cleanup(client.Close)
	made.admin = kadm.NewClient(client)
	return made
}

func (l *lane) start(t *testing.T) (err error) {
	ctx := background(t)
	if l.kafka, err = harness.StartKafka(ctx, harness.KafkaOptions{}); err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := l.kafka.Remove(); err != nil {
			t.Error(err)
		}
	})
	if l.server, err = postgres.Start(ctx, postgres.Options{Version: os.Getenv("WALRELAY_TEST_POSTGRES_VERSION")}); err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := l.server.Remove(); err != nil {
			t.Error(err)
		}
	})
	return nil
}

func (l *lane) database(t *testing.T) *harness.DB {
	t.Helper()
	if l.server == nil {
		return harness.Database(t)
	}
	return harness.DatabaseOn(t, l.server)
}

// debeziumRun is one case under way.
type debeziumRun struct {
	*debeziumCase
	lane *lane
	db   *harness.DB
	conn *pgx.Conn
	yaml string // the imported configuration
	said string // by import-debezium
	ends kadm.ListedOffsets
	from int64 // before the first row, milliseconds since 1970
	idle bool  // the relay's work is done and it has no slot: snapshot.mode is only
}

// prepare makes the database and imports the configuration. The exit code of
// import-debezium and what it said are the caller's to judge.
func (r *debeziumRun) prepare(t *testing.T) (code int, report string) {
	t.Helper()
	r.db = r.lane.database(t)
	r.conn = r.db.Conn(t)
	r.suits(t)
	r.ends = r.lane.topicEnds(t)
	r.from = r.clock(t)
	if err := r.execute(t, r.setup); err != nil {
		t.Fatalf("setup.sql: %v", err)
	}
	r.yaml = filepath.Join(t.TempDir(), "walrelay.yaml")
	var args []string
	for _, table := range tables[r.name] {
		args = append(args, "--table", table)
	}
	return r.importFile(t, args...)
}

// importFile runs import-debezium.
func (r *debeziumRun) importFile(t *testing.T, args ...string) (code int, report string) {
	t.Helper()
	args = append([]string{"import-debezium", r.config, "-o", r.yaml}, args...)
	out, err := exec.CommandContext(t.Context(), plainProgram(t), args...).CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatalf("run import-debezium: %v", err)
	} else if err != nil {
		code = ended.ExitCode()
	}
	r.said = string(out)
	return code, r.said
}

// start starts the relay with the imported file; the environment says where the
// servers are and how many partitions a topic has that it makes.
func (r *debeziumRun) start(t *testing.T, env ...string) *harness.Process {
	t.Helper()
	env = append([]string{
		"WALRELAY_POSTGRES_URL=" + r.db.ConnString(),
		"WALRELAY_KAFKA_BROKERS=" + strings.Join(r.lane.kafka.Brokers(), ","),
		"WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS=" + itoa(partitions),
	}, env...)
	if r.java > 0 && r.java < 19 {
		env = append(env, "WALRELAY_FORMAT_JAVA_VERSION=18")
	}
	return harness.Relay(t, harness.RelayOptions{Program: plainProgram(t), Args: []string{"run", "-c", r.yaml}, Env: env})
}

// begin waits until the relay is ready, or idle after a snapshot alone, and says
// whether it became so before it ended.
func (r *debeziumRun) begin(t *testing.T, p *harness.Process) bool {
	t.Helper()
	harness.Eventually(t, soon, "walrelay is ready, or has ended", func() bool {
		if p.Ended() {
			return true
		}
		status, body, err := p.Get(t.Context(), "/readyz")
		r.idle = err == nil && strings.Contains(body, "snapshot.mode is only: nothing more is done")
		return err == nil && status == http.StatusOK || r.idle
	})
	return !p.Ended()
}

// finish waits until the slot confirms all that is written now, and says whether
// it did before the relay ended.
func (r *debeziumRun) finish(t *testing.T, p *harness.Process) bool {
	t.Helper()
	if r.idle {
		if n := r.number(t, "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"); n != 0 {
			t.Errorf("%d slots, and snapshot.mode is only", n)
		}
		return true
	}
	end := r.number(t, "SELECT pg_current_wal_lsn() - '0/0'")
	done := false
	harness.Eventually(t, soon, "the slot confirms the end of the input, or walrelay has ended", func() bool {
		done = r.confirmed(t) >= end
		return done || p.Ended()
	})
	return done
}

// confirmed is the position of the case's slot, 0 without one.
func (r *debeziumRun) confirmed(t *testing.T) int64 {
	t.Helper()
	return r.number(t, "SELECT coalesce(max(confirmed_flush_lsn - '0/0'), 0) FROM pg_replication_slots WHERE database = current_database() AND NOT temporary")
}

// clock is PostgreSQL's.
func (r *debeziumRun) clock(t *testing.T) int64 {
	t.Helper()
	return r.number(t, "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)")
}

func (r *debeziumRun) number(t *testing.T, sql string) (n int64) {
	t.Helper()
	if err := r.conn.QueryRow(t.Context(), "SELECT ("+sql+")::bigint").Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// execute runs a script statement by statement on one connection, up to the first
// one that PostgreSQL refuses, which is returned.
func (r *debeziumRun) execute(t *testing.T, script string) (refusal error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for _, s := range splitSQL(script) {
		var err error
		if s.data != "" {
			_, err = r.conn.PgConn().CopyFrom(ctx, strings.NewReader(s.data), s.sql)
		} else {
			_, err = r.conn.PgConn().Exec(ctx, s.sql).ReadAll()
		}
		var refused *pgconn.PgError
		switch {
		case errors.As(err, &refused) && strings.HasPrefix(strings.ToUpper(s.sql), "CREATE EXTENSION"):
			harness.Skip(t, "this PostgreSQL does not have the extension: "+refused.Message)
		case errors.As(err, &refused):
			return fmt.Errorf("%w: %s", refused, s.sql)
		case err != nil:
			t.Fatalf("%s: %v", s.sql, err)
		}
	}
	return nil
}

// topicEnds are the offsets behind the last records of all topics.
func (l *lane) topicEnds(t *testing.T) kadm.ListedOffsets {
	t.Helper()
	ends, err := l.listEnds(t.Context())
	if err != nil {
		t.Fatalf("list the ends of all topics: %v", err)
	}
	return ends
}

func (l *lane) listEnds(ctx context.Context) (kadm.ListedOffsets, error) {
	topics, err := l.admin.ListTopics(ctx) // without Kafka's own
	if err := errors.Join(err, topics.Error()); err != nil || len(topics) == 0 {
		return nil, err
	}
	ends, err := l.admin.ListEndOffsets(ctx, topics.Names()...)
	return ends, errors.Join(err, ends.Error())
}

// records are those that all topics got since prepare, in the order of topic,
// partition and offset.
func (r *debeziumRun) records(t *testing.T) []*kgo.Record {
	t.Helper()
	from := make(map[string]map[int32]kgo.Offset)
	type place struct {
		topic     string
		partition int32
	}
	left := make(map[place]int64)
	r.lane.topicEnds(t).Each(func(end kadm.ListedOffset) {
		begin, known := r.ends.Lookup(end.Topic, end.Partition)
		if !known {
			begin.Offset = 0
		}
		if begin.Offset == end.Offset {
			return
		}
		if from[end.Topic] == nil {
			from[end.Topic] = make(map[int32]kgo.Offset)
		}
		from[end.Topic][end.Partition] = kgo.NewOffset().At(begin.Offset)
		left[place{end.Topic, end.Partition}] = end.Offset
	})
	if len(left) == 0 {
		return nil
	}
	client := r.lane.kafka.Client(t, kgo.ConsumePartitions(from), kgo.FetchMaxWait(100*time.Millisecond), kgo.KeepControlRecords())
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	var records []*kgo.Record
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read from Kafka, %d records so far: %v", len(records), err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			if !record.Attrs.IsControl() { // what a start leaves that looks back
				records = append(records, record)
			}
			if at := (place{record.Topic, record.Partition}); record.Offset+1 >= left[at] {
				delete(left, at)
			}
		})
	}
	sortRecords(records)
	return records
}
