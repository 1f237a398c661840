package test_test

import (
	"strings"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// openExactPrincipal is openPrincipal with exactly-once, and the watermark in a topic
// that no right to the events' topics covers. The relay has to make it.
func openExactPrincipal(t *testing.T) *principal {
	t.Helper()
	p := openPrincipal(t)
	p.committed = true
	p.env = append(p.env, "WALRELAY_DELIVERY=exactly-once", "WALRELAY_KAFKA_WATERMARK_TOPIC="+watermarkOf(p.Prefix))
	return p
}

// watermarkOf is a topic whose name does not begin with the prefix of the events'.
func watermarkOf(prefix string) string { return "watermark." + prefix }

// begun makes a relay with all rights deliver an event, so that there is a watermark.
func (p *principal) begun(t *testing.T) {
	t.Helper()
	p.works(t, p.env...)
}

// TestSecurityExactlyOnceRights: the documented rights are all that exactly-once needs:
// to make the watermark's topic, to write in transactions, and to go on behind the
// watermark after a kill.
func TestSecurityExactlyOnceRights(t *testing.T) {
	t.Parallel()
	p := openExactPrincipal(t)
	if code, output := p.check(t); code != 0 || strings.Contains(output, "kafka-acls.sh") {
		t.Errorf("check: exit code %d: %s", code, output)
	}
	p.unconfirmed(t)
	p.make(t)
	process := p.ready(t, p.env...)
	p.delivered(t)
	p.drained(t)
	process.WaitLog(t, soon, "exactly-once goes on behind the watermark")
	stop(t, process)
	if output := process.Output(); strings.Contains(output, "Authorization") {
		t.Errorf("it lacks a right: %s", output)
	}
}

// TestSecurityExactlyOnceMissingRight: without one of the rights that exactly-once needs
// the relay names it and sends nothing, `walrelay check` does too, and with the right
// back all events are there once.
func TestSecurityExactlyOnceMissingRight(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		right  string
		events bool // of the events' topics; else of the watermark's or the transactional id
		code   int  // of relay and check; 0: nothing changes
		says   []string
		finds  []string
	}{
		{right: "Write on transactional-id", code: 3, says: []string{"WR0704", "Write and Describe on its transactional id"}, finds: []string{"no right to transactional id", "--transactional-id walrelay-"}},
		{right: "Read on topic", code: 3, says: []string{"WR0702", "watermark."}, finds: []string{"watermark.", "--operation Read"}},
		{right: "Write on topic", code: 3, says: []string{"WR0702", "Write and Describe on topic", "watermark."}, finds: []string{"watermark.", "no right to write", "--operation Write"}},
		{right: "DescribeConfigs on topic"},
		{right: "Read on topic", events: true}, // the watermark knows, there is no look back
	} {
		name := test.right
		if test.events {
			name += " of events"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openExactPrincipal(t)
			p.begun(t)
			operation, resource, _ := strings.Cut(test.right, " on ")
			taken := p.revokeOf(t, resource, operation, func(g harness.Grant) bool {
				return resource != "topic" || (g.Name == p.Prefix) == test.events
			})
			code, output := p.check(t)
			if code != test.code || !containsAll(strings.Join(strings.Fields(output), " "), test.finds...) {
				t.Errorf("check: exit code %d, and it should be %d and say %q: %s", code, test.code, test.finds, output)
			}
			if test.code != 0 {
				p.insert(t)
				process := p.start(t, p.env...)
				ended(t, process, test.code)
				mustSay(t, process.Output(), test.says...)
			} else {
				p.works(t, p.env...)
			}
			p.broker.Allow(t, p.name, taken...)
			p.works(t, p.env...)
		})
	}
}

// TestSecurityExactlyOnceWithoutCreate: the watermark's topic is missing and may not be
// made: it is waited for, and named.
func TestSecurityExactlyOnceWithoutCreate(t *testing.T) {
	t.Parallel()
	p := openExactPrincipal(t)
	taken := p.revoke(t, "topic", "Create")
	if code, output := p.check(t); code != 3 || !containsAll(strings.Join(strings.Fields(output), " "), "watermark.", "no right to make it", "--operation Create") {
		t.Errorf("check: exit code %d: %s", code, output)
	}
	p.insert(t)
	process := p.start(t, p.env...)
	waitReason(t, process, "kafka", watermarkOf(p.Prefix), "Authorization")
	if _, body, err := process.Get(t.Context(), "/readyz"); err != nil || !containsAll(body, "WR0705", "Grant Create") {
		t.Errorf("/readyz does not name the right: %v %s", err, body)
	}
	p.broker.Allow(t, p.name, taken...)
	process.WaitReady(t, soon)
	p.delivered(t)
	p.drained(t)
	stop(t, process)
}

// TestSecurityExactlyOnceMarker: exactly-once does not begin without the marker in
// PostgreSQL, which knows whether a watermark has to be in Kafka.
func TestSecurityExactlyOnceMarker(t *testing.T) {
	t.Parallel()
	server := harness.SecurePG(t)
	for _, right := range []string{"USAGE ON SCHEMA walrelay", "SELECT ON walrelay.marker", "UPDATE ON walrelay.marker"} {
		t.Run(right, func(t *testing.T) {
			t.Parallel()
			s := openPG(t, server, harness.ByPassword)
			settings := append(s.exact(), s.kafka)
			s.committed = true
			s.works(t, settings...)
			s.Exec(t, "REVOKE "+right+" FROM "+s.role)
			code, output := s.run(t, []string{"check"}, settings...)
			if code != 3 || !containsAll(output, "✗ marker", "can't write walrelay.marker", "exactly-once", "GRANT") {
				t.Errorf("check: exit code %d: %s", code, output)
			}
			s.insert(t)
			p := s.start(t, settings...)
			ended(t, p, 3)
			mustSay(t, p.Output(), "WR0203", "walrelay.marker", "GRANT")
			s.Exec(t, "GRANT "+right+" TO "+s.role)
			s.works(t, settings...)
		})
	}
}
