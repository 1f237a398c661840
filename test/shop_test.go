package test_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// Time limits for what must happen. They only end a test that fails, so they
// leave room for a slow machine and the race detector.
const (
	soon     = 60 * time.Second
	patience = 3 * time.Minute
)

// partitions is how many each topic of a test has.
const partitions = 6

// shop is a database with an outbox, a Kafka, and topics of its own.
type shop struct {
	*harness.DB
	Kafka  *harness.Broker
	Table  harness.Table
	Prefix string   // of its topics: prefix and aggregate type
	Addr   string   // connection URL for the relay
	Topics []string // made so far
}

// open makes a shop on the shared servers, with topics for the aggregate types.
func open(t *testing.T, aggregateTypes ...string) *shop {
	t.Helper()
	return openOn(t, harness.Database(t), harness.Kafka(t), aggregateTypes...)
}

// openOn makes one on servers of the test's own.
func openOn(t *testing.T, db *harness.DB, kafka *harness.Broker, aggregateTypes ...string) *shop {
	t.Helper()
	s := &shop{DB: db, Kafka: kafka, Prefix: harness.TopicPrefix(t), Addr: db.ConnString()}
	s.Table = db.Outbox(t, harness.Debezium)
	for _, aggregateType := range aggregateTypes {
		s.topic(t, aggregateType)
	}
	return s
}

// topic makes the topic of an aggregate type and returns its name.
func (s *shop) topic(t *testing.T, aggregateType string, config ...string) string {
	t.Helper()
	name := s.Prefix + aggregateType
	s.Kafka.CreateTopic(t, name, partitions, config...)
	s.Topics = append(s.Topics, name)
	return name
}

// config is the relay's file for the shop. more are further lines, which may add
// sections but not repeat these.
func (s *shop) config(more ...string) string {
	quoted := make([]string, 0, len(s.Kafka.Brokers()))
	for _, broker := range s.Kafka.Brokers() {
		quoted = append(quoted, fmt.Sprintf("%q", broker))
	}
	return fmt.Sprintf(`
postgres: {url: %q, slot: %s, publication: %s}
kafka: {brokers: [%s]}
`, s.Addr, s.Slot, s.Publication, strings.Join(quoted, ", ")) + strings.Join(more, "\n")
}

// start starts the relay; env are further settings by their environment twins.
func (s *shop) start(t *testing.T, env ...string) *harness.Process {
	t.Helper()
	return harness.Relay(t, s.options(env...))
}

func (s *shop) options(env ...string) harness.RelayOptions {
	own := []string{"WALRELAY_ROUTE_TOPIC=" + s.Prefix + "${aggregate_type}"}
	if exactlyOnce && !slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "WALRELAY_SNAPSHOT_MODE=") }) {
		own = append(own, s.exact()...)
	}
	return harness.RelayOptions{Config: s.config(), Env: append(own, env...)}
}

// ready starts the relay and waits until it is.
func (s *shop) ready(t *testing.T, env ...string) *harness.Process {
	t.Helper()
	p := s.start(t, env...)
	p.WaitReady(t, soon)
	return p
}

// run runs one command of the program to its end.
func (s *shop) run(t *testing.T, args []string, env ...string) (code int, output string) {
	t.Helper()
	options := s.options(env...)
	options.Args = args
	p := harness.Relay(t, options)
	code = p.Wait(t, soon)
	return code, p.Output()
}

// verify waits for all that is in the shop's outbox and judges it.
func (s *shop) verify(t *testing.T) harness.Result {
	t.Helper()
	if exactlyOnce {
		return s.verifyCommitted(t)
	}
	return harness.Verify(t, s.Kafka, patience, s.Committed(t, s.Prefix, s.Table), s.Topics...)
}

// stop asks the relay to stop, which has to end with code 0.
func stop(t *testing.T, p *harness.Process) {
	t.Helper()
	p.Terminate()
	ended(t, p, 0)
}

// ended waits for the end and checks the exit code.
func ended(t *testing.T, p *harness.Process, code int) {
	t.Helper()
	if got := p.Wait(t, soon); got != code {
		t.Errorf("exit code %d instead of %d", got, code)
	}
}

// none fails the test when there are duplicates.
func none(t *testing.T, result harness.Result) {
	t.Helper()
	if result.Duplicates != 0 {
		t.Errorf("duplicates where none are allowed: %s", result)
	}
}

// background runs the workload until the returned function is called, or the
// test ends.
func (s *shop) background(t *testing.T, w harness.Workload) (stop func() *harness.Written) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *harness.Written, 1)
	w.Table = s.Table
	go func() { done <- s.Run(ctx, t, w) }()
	var written *harness.Written
	stop = func() *harness.Written {
		cancel()
		if written == nil {
			written = <-done
		}
		return written
	}
	t.Cleanup(func() { stop() })
	return stop
}

// rows is how many events the shop has committed.
func (s *shop) rows(t *testing.T) int64 {
	t.Helper()
	return s.QueryInt(t, "SELECT count(*) FROM "+s.Table.Name)
}

// more waits until that many further events are committed: time in the unit
// that matters.
func (s *shop) more(t *testing.T, events int64) {
	t.Helper()
	have := s.rows(t)
	harness.Eventually(t, patience, fmt.Sprintf("%d more events are committed", events), func() bool { return s.rows(t) >= have+events })
}

// confirmed is the slot's position as a number.
func (s *shop) confirmed(t *testing.T) int64 {
	t.Helper()
	return s.QueryInt(t, "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
}

// written is the end of the WAL as a number.
func (s *shop) written(t *testing.T) int64 {
	t.Helper()
	return s.QueryInt(t, "SELECT pg_current_wal_lsn() - '0/0'")
}

// drained waits until everything that is committed now is confirmed.
func (s *shop) drained(t *testing.T) {
	t.Helper()
	end := s.written(t)
	harness.Eventually(t, patience, "the slot confirms the present end of the WAL", func() bool { return s.confirmed(t) >= end })
}

// readiness is the body of /readyz.
type readiness struct {
	Ready   bool
	Reasons []struct{ Code, Message string }
}

// reasons are the messages of /readyz, "" when ready or when nothing answers.
func reasons(t *testing.T, p *harness.Process) string {
	t.Helper()
	status, body, err := p.Get(t.Context(), "/readyz")
	if err != nil || status == http.StatusOK {
		return ""
	}
	var answer readiness
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Errorf("/readyz: %v in %q", err, body)
	}
	texts := make([]string, len(answer.Reasons))
	for i, reason := range answer.Reasons {
		texts[i] = reason.Code + ": " + reason.Message
	}
	return strings.Join(texts, "\n")
}

// waitReason waits until /readyz says no, with a reason that has all the texts.
func waitReason(t *testing.T, p *harness.Process, texts ...string) string {
	t.Helper()
	last := ""
	defer func() {
		if t.Failed() {
			t.Logf("/readyz said last: %q", last)
		}
	}()
	harness.Eventually(t, soon, fmt.Sprintf("/readyz gives a reason with %q", texts), func() bool {
		last = reasons(t, p)
		return last != "" && containsAll(last, texts...)
	})
	return last
}

func containsAll(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// mustSay fails the test for each text that the output lacks.
func mustSay(t *testing.T, output string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(output, text) {
			t.Errorf("it does not say %q:\n%s", text, output)
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// background is for cleanups, which run when the test's own context has ended.
func background(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }
