package test_test

import (
	"os"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// exactlyOnce lets all suites run with delivery: exactly-once:
// WALRELAY_TEST_DELIVERY=exactly-once go test ./test.
var exactlyOnce = os.Getenv("WALRELAY_TEST_DELIVERY") == "exactly-once"

// exact is the environment of a relay with exactly-once.
func (s *shop) exact() []string {
	return []string{"WALRELAY_DELIVERY=exactly-once", "WALRELAY_KAFKA_WATERMARK_TOPIC=" + s.Prefix + "watermark"}
}

// verifyCommitted is verify as a consumer with read_committed sees it.
func (s *shop) verifyCommitted(t *testing.T) harness.Result {
	t.Helper()
	return harness.VerifyCommitted(t, s.Kafka, patience, s.Committed(t, s.Prefix, s.Table), s.Topics...)
}

// TestExactlyOnce: killed again and again in a backlog and under load, consumers
// with read_committed see every event once.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	s := open(t, "order", "backlog")
	s.ready(t, s.exact()...).Kill()
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: 60_000, PerTransaction: 10, Aggregates: 100, Padding: 100})
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 2 * time.Millisecond})
	for range 10 {
		from := s.confirmed(t)
		p := s.ready(t, s.exact()...)
		harness.Eventually(t, patience, "progress is confirmed", func() bool { return s.confirmed(t) > from })
		p.Kill()
	}
	quiet()
	p := s.ready(t, s.exact()...)
	none(t, s.verifyCommitted(t))
	s.drained(t)
	stop(t, p)
}
