package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/test/harness"
)

// Time limits for what must happen. They only end a run that has failed.
const (
	soon     = 90 * time.Second
	patience = 4 * time.Minute
)

// scene is what a fault is played on: a database with an outbox, a Kafka with a
// topic, a relay between them and writers that do not stop.
//
//	before the stage   full, delivery
//	in the stage       it may set Server and DB, Kafka, Brokers, Addr, MakeTopic, Program, Env
//	in the fault       everything
type scene struct {
	*harness.DB                   // default: on the shared server
	Server      *postgres.Server  // default nil: the shared server, which nobody may break
	Kafka       *harness.Broker   // default: the shared broker, which nobody may break
	Brokers     []string          // what the relay is told; default: Kafka.Brokers()
	Addr        string            // connection URL for the relay; default: DB.ConnString()
	MakeTopic   func(name string) // default: Kafka.CreateTopic with six partitions
	Program     string            // default: the program under test
	Env         []string          // settings for the next start of a relay

	Table  harness.Table
	Prefix string
	Topics []string
	Relay  *harness.Process // the running one, which start replaces

	full     bool
	delivery delivery
	settings []string // of the scenario
	note     string   // what the row has to add, by stage, fault or judge

	mu      sync.Mutex
	marked  time.Time       // where recovery counts from
	counted []time.Duration // by count, in this round
	probes  int
	seen    map[string]time.Time // keys of probes that are in Kafka
}

// config is the relay's file.
func (s *scene) config() string {
	quoted := make([]string, 0, len(s.Brokers))
	for _, broker := range s.Brokers {
		quoted = append(quoted, fmt.Sprintf("%q", broker))
	}
	return fmt.Sprintf("postgres: {url: %q, slot: %s, publication: %s}\nkafka: {brokers: [%s]}\n", s.Addr, s.Slot, s.Publication, strings.Join(quoted, ", "))
}

func (s *scene) options(env []string) harness.RelayOptions {
	all := []string{"WALRELAY_ROUTE_TOPIC=" + s.Prefix + "${aggregate_type}"}
	if s.delivery == exactlyOnce {
		all = append(all, "WALRELAY_DELIVERY=exactly-once", "WALRELAY_KAFKA_WATERMARK_TOPIC="+s.Prefix+"watermark")
	}
	all = append(append(append(all, s.settings...), s.Env...), env...)
	return harness.RelayOptions{Config: s.config(), Env: all, Program: s.Program}
}

// start starts a relay, which becomes Relay; the former one is the caller's to end.
func (s *scene) start(t *testing.T, env ...string) *harness.Process {
	t.Helper()
	s.Relay = harness.Relay(t, s.options(env))
	return s.Relay
}

// command runs one command of the program to its end.
func (s *scene) command(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	options := s.options(nil)
	options.Args = args
	p := harness.Relay(t, options)
	code = p.Wait(t, soon)
	return code, p.Output()
}

// mark says that the fault is over now: recovery counts from here. Of a kill that is
// the moment of the kill.
func (s *scene) mark() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marked = time.Now()
}

// count notes a recovery that a fault has measured itself, with recovered.
func (s *scene) count(took time.Duration) { s.counted = append(s.counted, took) }

// says waits until a relay logs a text behind the first lines of its log.
func says(t *testing.T, p *harness.Process, from int, text string) {
	t.Helper()
	harness.Eventually(t, patience, fmt.Sprintf("the relay logs %q", text), func() bool {
		return slices.ContainsFunc(p.Log()[from:], func(line harness.Line) bool { return strings.Contains(line.Text, text) })
	})
}

// rows is how many events are committed.
func (s *scene) rows(t *testing.T) int64 {
	t.Helper()
	return s.QueryInt(t, "SELECT count(*) FROM "+s.Table.Name)
}

// more waits until that many further events are committed: time in the unit that
// matters. The server must be there.
func (s *scene) more(t *testing.T, events int64) {
	t.Helper()
	have := s.rows(t)
	harness.Eventually(t, patience, fmt.Sprintf("%d more events are committed", events), func() bool { return s.rows(t) >= have+events })
}

// a step is some load between faults, about a second and a half of it.
func (s *scene) step() int64 {
	if s.full {
		return 3000
	}
	return 300
}

// confirmed is the slot's position as a number.
func (s *scene) confirmed(t *testing.T) int64 {
	t.Helper()
	return s.QueryInt(t, "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
}

// drained waits until everything that is committed now is confirmed.
func (s *scene) drained(t *testing.T) {
	t.Helper()
	end := s.QueryInt(t, "SELECT pg_current_wal_lsn() - '0/0'")
	harness.Eventually(t, patience, "the slot confirms the present end of the WAL", func() bool { return s.confirmed(t) >= end })
}

// walsender is the process that serves the relay, 0 when none does.
func (s *scene) walsender(t *testing.T) int {
	t.Helper()
	return int(s.QueryInt(t, "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1", s.Slot))
}

// watch notes the probes that arrive in Kafka as a consumer sees them, until the
// test ends. It goes on through everything that happens to brokers and topics.
func (s *scene) watch(t *testing.T) {
	s.mu.Lock()
	s.seen = map[string]time.Time{}
	s.mu.Unlock()
	level := kgo.ReadUncommitted()
	if s.delivery == exactlyOnce {
		level = kgo.ReadCommitted()
	}
	client := s.Kafka.Client(t, kgo.ConsumeTopics(s.Topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(level),
		kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(50*time.Millisecond), kgo.MetadataMaxAge(5*time.Second), kgo.UnknownTopicRetries(-1),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			fetches := client.PollFetches(ctx)
			now := time.Now()
			s.mu.Lock()
			fetches.EachRecord(func(r *kgo.Record) {
				if strings.HasPrefix(string(r.Key), probePrefix) {
					s.seen[string(r.Key)] = now
				}
			})
			s.mu.Unlock()
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// probePrefix begins the aggregate ids of probes; each is an aggregate of its own.
const probePrefix = "probe-"

// recovered waits until an event that was committed after the mark is in Kafka and
// returns how long after the mark that was.
func (s *scene) recovered(t *testing.T) time.Duration {
	t.Helper()
	s.mu.Lock()
	marked, first := s.marked, s.probes
	s.mu.Unlock()
	var at time.Time
	committed := false
	harness.Eventually(t, patience, "an event that was committed after the fault is in Kafka", func() bool {
		if !committed {
			committed = s.probe(t.Context())
		}
		if s.Relay.Ended() {
			t.Fatal("the relay has ended")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := first; i < s.probes; i++ {
			if seen, ok := s.seen[fmt.Sprint(probePrefix, i)]; ok {
				at = seen
				return true
			}
		}
		return false
	})
	return at.Sub(marked)
}

// probe commits one event of its own, which a consumer can tell from the others;
// false when the server did not say that it is committed.
func (s *scene) probe(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s.mu.Lock()
	number := s.probes
	s.probes++
	s.mu.Unlock()
	conn, err := pgx.Connect(ctx, s.ConnString())
	if err != nil {
		return false
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s, %s, %s, payload) VALUES ($1, $2, 'Probe', jsonb_build_object('seq', 1))",
		s.Table.Name, s.Table.AggregateType, s.Table.AggregateID, s.Table.Type), aggregateType, fmt.Sprint(probePrefix, number))
	return err == nil
}

// report hands the row to main.
func report(t *testing.T, r row) {
	t.Helper()
	r.At = time.Now().UTC().Truncate(time.Second)
	if content, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(content), &r.Load) // 0 where it can't be read
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Attr(attributeRow, string(text))
}
