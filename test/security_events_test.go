package test_test

import (
	"strings"
	"testing"
)

// hostile is what somebody who may write to the outbox could try on those who look
// at the relay: terminals, browsers, log collectors and Prometheus.
const hostile = "\x1b]0;owned\a\x1b[2J<script>alert(1)</script>\"}\n{\"level\":\"fatal\",\"message\":\"forged\"}\r\nwalrelay_forged 1\n"

// TestSecurityEvents: types, ids and keys of events can't forge lines of the log, of
// the metrics, or what a terminal shows.
func TestSecurityEvents(t *testing.T) {
	t.Parallel()
	s := openSecure(t)
	s.topic(t, "small", "max.message.bytes", "600")
	for _, format := range []string{"console", "json"} {
		p := s.ready(t, brokers(s.broker.Direct()[0]), "WALRELAY_ON_POISON=skip", "WALRELAY_LOG_LEVEL=trace", "WALRELAY_LOG_FORMAT="+format)
		s.Insert(t, s.Table, "order", hostile, hostile, `{"seq": 1}`)
		s.Insert(t, s.Table, "small", hostile, hostile, `{"name": "`+strings.Repeat("x", 1000)+`"}`) // poison
		s.Insert(t, s.Table, "small/"+hostile, "1", "Placed", `{"seq": 1}`)                          // a topic that can't be
		s.drained(t)
		if failures := scrape(t, p).value("walrelay_publish_failures_total"); failures != 2 {
			t.Errorf("%v events were skipped instead of 2", failures)
		}
		for _, path := range []string{"/metrics", "/status", "/"} {
			clean(t, path, visit(t, p, path, ""))
		}
		for _, command := range [][]string{{"status"}, {"status", "-o", "json"}} {
			code, output := s.run(t, command, brokers(s.broker.Direct()[0]), "WALRELAY_HTTP_LISTEN="+p.Address)
			if code != 0 || !strings.Contains(output, "streaming") {
				t.Errorf("%s: exit code %d: %s", strings.Join(command, " "), code, output)
			}
			clean(t, strings.Join(command, " "), output)
		}
		stop(t, p)
		clean(t, "the log as "+format, p.Output())
	}
}

// clean: no raw control characters, and no line that an event has forged.
func clean(t *testing.T, where, output string) {
	t.Helper()
	// Prometheus's format escapes line ends and quotes alone.
	if where != "/metrics" && strings.ContainsAny(output, "\x1b\a") {
		t.Errorf("%s has control characters of an event: %q", where, output)
	}
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "walrelay_forged") || strings.HasPrefix(line, `{"level":"fatal"`) {
			t.Errorf("%s has a line that an event has forged: %q", where, line)
		}
	}
}
