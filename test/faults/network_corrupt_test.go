package main

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// corruptionFaults change bytes on the way. TCP's checksum has let them pass, as it
// does with what broken memory in a switch changes. TLS finds every one of them;
// without it Kafka's record batches have a checksum, and nothing else has.
func corruptionFaults() []scenario {
	// Answers are short: they take a higher rate to be hit.
	requests := corrupted(harness.ToServer, 20_000)
	answers := corrupted(harness.ToClient, 500)
	stream := corrupted(harness.ToClient, 20_000)
	// What a look back can't read is sent again.
	unpromised := func(name string, stage func(*testing.T, *scene) []*harness.Proxy, fault func(*testing.T, *scene, *harness.Proxy)) scenario {
		return scenario{name: name, stage: broken(stage, fault), unpromised: true, judge: count, repeats: math.MaxInt}
	}
	return []scenario{
		{name: "to PostgreSQL with TLS: one byte in 20,000 changed for 30 s", stage: broken(toPostgresTLS, stream)},
		{name: "to Kafka with TLS: one byte in 20,000 changed in requests for 30 s", stage: broken(toKafkaTLS, requests)},
		{name: "to Kafka with TLS: one byte in 500 changed in answers for 30 s", stage: broken(toKafkaTLS, answers)},
		unpromised("to PostgreSQL without TLS: one byte in 20,000 changed for 30 s", toPostgres, stream),
		unpromised("to Kafka without TLS: one byte in 20,000 changed in requests for 30 s", toKafka, requests),
		unpromised("to Kafka without TLS: one byte in 500 changed in answers for 30 s", toKafka, answers),
	}
}

// corrupted changes bytes, starts the relay again when it ends, and notes how it did.
func corrupted(way harness.Direction, every int) func(*testing.T, *scene, *harness.Proxy) {
	return func(t *testing.T, s *scene, p *harness.Proxy) {
		p.Corrupt(way, every)
		ends := map[string]int{}
		s.until(t, s.outage(30*time.Second), ends)
		p.Heal()
		p.Reset()
		if p.Damaged() == 0 {
			t.Error("the test is wrong: no byte was changed")
		}
		beyond := ""
		if s.QueryInt(t, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn > pg_current_wal_lsn()", s.Slot) > 0 {
			beyond = "; a position that was changed had moved the slot beyond the end of the WAL, where PostgreSQL leaves out all that is committed, until a person made a new slot"
			s.newSlot(t)
		}
		// What was damaged before the healing may still end it.
		for tries := 0; s.endsOrRecovers(t); tries++ {
			s.again(t, ends)
			if tries == 3 {
				beyond += "; in the end it refused to go on, until a person accepted the gap"
				s.newSlot(t)
			}
		}
		s.note = fmt.Sprintf("%s bytes were changed; the relay ended %s%s", thousands(p.Damaged()), endings(ends), beyond)
	}
}

// newSlot does what a person has to when the slot is of no use any more.
func (s *scene) newSlot(t *testing.T) {
	t.Helper()
	s.Relay.Kill()
	harness.Eventually(t, soon, "nobody uses the slot", func() bool { return s.walsender(t) == 0 })
	s.Exec(t, "SELECT pg_drop_replication_slot($1)", s.Slot)
	if code, output := s.command(t, "init", "--accept-gap"); code != 0 {
		t.Fatalf("init --accept-gap: exit code %d: %s", code, output)
	}
	s.start(t).WaitReady(t, soon)
}

// until keeps a relay running for a while.
func (s *scene) until(t *testing.T, during time.Duration, ends map[string]int) {
	t.Helper()
	for over := time.Now().Add(during); time.Now().Before(over); {
		ended := false
		harness.Eventually(t, during+soon, "the time is over", func() bool {
			ended = s.Relay.Ended()
			return ended || time.Now().After(over)
		})
		if ended {
			s.again(t, ends)
		}
	}
}

var troubleCode = regexp.MustCompile(`WR\d{4}`)

// again starts a relay that has ended by itself; it must have said why.
func (s *scene) again(t *testing.T, ends map[string]int) {
	t.Helper()
	code, output := s.Relay.Wait(t, soon), s.Relay.Output()
	found := troubleCode.FindAllString(output, -1)
	for _, bug := range []string{"panic:", "fatal error:", "goroutine "} {
		if strings.Contains(output, bug) {
			t.Errorf("the relay died of its input: %s", output[strings.Index(output, bug):])
		}
	}
	why := "without a word"
	if len(found) > 0 {
		why = found[len(found)-1]
	}
	ends[fmt.Sprintf("with code %d, %s", code, why)]++
	s.start(t)
}

func endings(ends map[string]int) string {
	if len(ends) == 0 {
		return "never"
	}
	var parts []string
	for _, one := range slices.Sorted(maps.Keys(ends)) {
		parts = append(parts, fmt.Sprintf("%d times %s", ends[one], one))
	}
	return strings.Join(parts, ", ")
}

// count is what has become of the events, whatever it is.
func count(t *testing.T, s *scene) harness.Result {
	v := harness.NewVerifier(s.Committed(t, s.Prefix, s.Table))
	read := s.Kafka.ReadAll
	if s.delivery == exactlyOnce {
		read = s.Kafka.ReadCommitted
	}
	for _, record := range read(t, s.Topics...) {
		v.Observe(record)
	}
	result := v.Result()
	t.Log(result)
	s.note = fmt.Sprintf("%s; lost %d, invented %d, in a wrong partition %d, with other bytes %d",
		s.note, result.Lost, result.Invented, result.Moved, result.Corrupted)
	return result
}

// toPostgresTLS is toPostgres with sslmode=verify-full.
func toPostgresTLS(t *testing.T, s *scene) []*harness.Proxy {
	server := harness.SecurePG(t)
	s.DB = harness.DatabaseOn(t, server.Server)
	proxy := harness.NewProxy(t, s.Target(t))
	address, err := url.Parse(s.ConnStringVia(t, proxy))
	must(t, err)
	address.Host = strings.Replace(address.Host, "127.0.0.1", "localhost", 1) // what the certificate names
	address.RawQuery = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {harness.File(t, "ca.pem", server.Trusted.PEM)}}.Encode()
	s.Addr = address.String()
	return []*harness.Proxy{proxy}
}

// toKafkaTLS is toKafka with TLS.
func toKafkaTLS(t *testing.T, s *scene) []*harness.Proxy {
	broker, authority := harness.TLSKafka(t)
	s.Kafka = broker
	s.Env = append(s.Env, "WALRELAY_KAFKA_TLS_CA_FILE="+harness.File(t, "ca.pem", authority.PEM))
	return []*harness.Proxy{broker.Proxy()}
}
