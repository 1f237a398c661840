package test_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// The suite of security_*_test.go runs the built program against a real Kafka
// (KRaft, StandardAuthorizer) and a real PostgreSQL that verify who comes:
//
//   - security_kafka_test.go: TLS, mutual TLS and SASL (PLAIN, SCRAM). What does not
//     verify is refused with the setting to correct and exit code 3, or waited for
//     where it looks like a restart; nothing is lost meanwhile; refused starts make
//     few connections, waiting ones no storm; rotated passwords count from the next
//     connection on.
//   - security_acl_test.go: the ACLs of docs/security.md, read from there, are enough
//     for all that the relay does; each one that is missing is named, by the relay and
//     by `walrelay check`, or degrades as documented.
//   - security_postgres_test.go: sslmode, certificates, SCRAM and pg_hba.conf; the role
//     of `walrelay init --print-sql` is enough; each missing right is named.
//   - security_secrets_test.go: passwords, tokens, keys and payloads are in no log,
//     page, metric, command or command line, also not when a start fails.
//   - security_events_test.go: what an event is called forges nothing that people and
//     programs look at.
//   - security_http_test.go: the pages among hostile clients.
//
// All share one broker and one PostgreSQL.

// secureShop is a shop whose Kafka asks for certificates, passwords and rights.
// What is inserted while the relay is refused has to arrive at the end.
type secureShop struct {
	*shop
	broker *harness.SecureBroker
	sent   []int // the events so far

	repeated  bool // events may be there twice
	committed bool // consumers read with read_committed
}

// openSecure makes a shop and its slot, so that an event counts from now on.
func openSecure(t *testing.T) *secureShop {
	t.Helper()
	broker := harness.SecureKafka(t)
	s := &secureShop{shop: openOn(t, harness.Database(t), broker.Broker, "order"), broker: broker}
	if code, output := s.run(t, []string{"init"}); code != 0 {
		t.Fatalf("init: exit code %d: %s", code, output)
	}
	return s
}

// insert commits one more event.
func (s *secureShop) insert(t *testing.T) {
	t.Helper()
	s.sent = append(s.sent, len(s.sent)+1)
	s.one(t, len(s.sent))
}

// delivered checks that each event is in Kafka, once.
func (s *secureShop) delivered(t *testing.T) {
	t.Helper()
	events := s.Expected(t, "SELECT id::text, $1 || aggregatetype, aggregateid, (payload->>'seq')::bigint, payload::text FROM "+s.Table.Name, s.Prefix)
	verify := harness.Verify
	if s.committed {
		verify = harness.VerifyCommitted
	}
	result := verify(t, s.Kafka, soon, events, s.Topics...)
	if !s.repeated {
		none(t, result)
	}
	if t.Failed() {
		t.FailNow() // it would be waited for in vain
	}
}

// works starts the relay with the settings: all events so far and another one
// arrive. It returns what the relay has said.
func (s *secureShop) works(t *testing.T, env ...string) (output string) {
	t.Helper()
	p := s.ready(t, env...)
	s.insert(t)
	s.delivered(t)
	s.drained(t)
	stop(t, p)
	return p.Output()
}

// attempts bounds the connections of a start that Kafka refuses: producer id and
// metadata are asked for at the same time, each once or twice.
const attempts = 4

// refused starts the relay with settings that Kafka refuses: it ends with exit
// code 3 and the words, after few attempts through the proxy. An event waits
// meanwhile.
func (s *secureShop) refused(t *testing.T, proxy *harness.Proxy, says []string, env ...string) {
	t.Helper()
	s.insert(t)
	before := proxy.Accepted()
	p := s.start(t, env...)
	ended(t, p, 3)
	mustSay(t, p.Output(), says...)
	if made := proxy.Accepted() - before; made == 0 || made > attempts {
		t.Errorf("%d connections to Kafka instead of 1 to %d", made, attempts)
	}
	s.checkFails(t, env...)
}

// checkFails: `walrelay check` finds what keeps the relay from Kafka, too.
func (s *secureShop) checkFails(t *testing.T, env ...string) {
	t.Helper()
	if code, output := s.run(t, []string{"check"}, env...); code != 3 || !strings.Contains(output, "✗") || !strings.Contains(output, "remedy") {
		t.Errorf("check: exit code %d: %s", code, output)
	}
}

// storm is how long a relay that waits is watched, and stormLimit how many
// connections it may open in that time: one at once, and then ever more rarely,
// two seconds apart in the end.
const (
	storm      = 5 * time.Second
	stormLimit = 60 // some 30 in the first seconds, at growing intervals; without them it would be hundreds
)

// waits starts the relay with settings that Kafka answers as it would while it
// restarts: the relay waits, with the reason on /readyz, and makes no storm.
func (s *secureShop) waits(t *testing.T, proxy *harness.Proxy, says []string, env ...string) {
	t.Helper()
	s.insert(t)
	p := s.start(t, env...)
	reason := waitReason(t, p, says...)
	before := proxy.Accepted()
	time.Sleep(storm) // the time is what is measured
	if made := proxy.Accepted() - before; made == 0 || made > stormLimit {
		t.Errorf("%d connections to Kafka within %s instead of 1 to %d", made, storm, stormLimit)
	}
	t.Logf("%d connections in %s: %s", proxy.Accepted()-before, storm, reason)
	if p.Ended() {
		t.Error("it has ended instead of waiting")
	}
	stop(t, p)
	s.checkFails(t, env...)
}

// brokers is the setting of the one address to start from.
func brokers(address string) string { return "WALRELAY_KAFKA_BROKERS=" + address }

// TestSecurityKafkaTLS: a certificate counts when a trusted authority has signed
// it, for this host, and it has not expired.
func TestSecurityKafkaTLS(t *testing.T) {
	t.Parallel()
	s := openSecure(t)
	ca, other := harness.File(t, "ca.pem", s.broker.Trusted.PEM), harness.File(t, "other.pem", s.broker.Other.PEM)
	trust := "WALRELAY_KAFKA_TLS_CA_FILE=" + ca
	s.works(t, trust, brokers(s.broker.Listener(harness.ListenTLS)))
	for _, test := range []struct {
		name, listener string
		says           []string
		env            []string
	}{
		{"unknown authority", harness.ListenTLS, []string{"WR0605", "unknown authority", "kafka.tls.ca_file"}, []string{"WALRELAY_KAFKA_TLS_CA_FILE=" + other}},
		{"the system's authorities", harness.ListenTLS, []string{"WR0605", "unknown authority", "kafka.tls.ca_file"}, []string{"WALRELAY_KAFKA_TLS_ENABLED=true"}},
		{"other host", harness.ListenName, []string{"WR0605", "127.0.0.1", "kafka.tls.server_name"}, []string{trust}},
		{"other server_name", harness.ListenTLS, []string{"WR0605", "elsewhere.internal", "kafka.tls.server_name"}, []string{trust, "WALRELAY_KAFKA_TLS_SERVER_NAME=elsewhere.internal"}},
		{"expired", harness.ListenExpired, []string{"WR0605", "expired", "renew"}, []string{trust}},
		{"no client's certificate", harness.ListenMutual, []string{"WR0607", "kafka.tls.cert_file"}, []string{trust}},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxy := harness.NewProxy(t, s.broker.Listener(test.listener))
			env := append(test.env, brokers(proxy.Address()))
			s.refused(t, proxy, test.says, env...)
		})
	}
	s.works(t, trust, brokers(s.broker.Listener(harness.ListenName)), "WALRELAY_KAFKA_TLS_SERVER_NAME=kafka.internal")
	output := s.works(t, brokers(s.broker.Listener(harness.ListenExpired)), "WALRELAY_KAFKA_TLS_INSECURE_SKIP_VERIFY=true")
	mustSay(t, output, "insecure_skip_verify trusts any certificate")
}

// TestSecurityKafkaMutualTLS: the certificate of the client is its principal.
func TestSecurityKafkaMutualTLS(t *testing.T) {
	t.Parallel()
	s := openSecure(t)
	certificate, key := s.broker.Trusted.Files(t, harness.Identity{Name: s.Slot})
	wrong, wrongKey := s.broker.Other.Files(t, harness.Identity{Name: s.Slot})
	expired, expiredKey := s.broker.Trusted.Files(t, harness.Identity{Name: s.Slot, Expired: true})
	proxy := harness.NewProxy(t, s.broker.Listener(harness.ListenMutual))
	with := func(certificate, key string) []string {
		return []string{"WALRELAY_KAFKA_TLS_CA_FILE=" + harness.File(t, "ca.pem", s.broker.Trusted.PEM), brokers(proxy.Address()),
			"WALRELAY_KAFKA_TLS_CERT_FILE=" + certificate, "WALRELAY_KAFKA_TLS_KEY_FILE=" + key}
	}
	for _, test := range [][2]string{{"", ""}, {wrong, wrongKey}, {expired, expiredKey}} {
		s.refused(t, proxy, []string{"WR0607", "refused the TLS session", "kafka.tls.cert_file"}, with(test[0], test[1])...)
	}
	s.refused(t, proxy, []string{"WR070", "principal"}, with(certificate, key)...) // known, and without rights
	s.broker.Allow(t, "User:CN="+s.Slot, documented(t, s.Prefix)...)
	s.works(t, with(certificate, key)...)
}

// TestSecurityKafkaProtocols: who speaks TLS, plain text or SASL to a listener
// that expects another of them is told so. A broker that closes the connection
// looks the same while it restarts, so that is waited for, without a storm.
func TestSecurityKafkaProtocols(t *testing.T) {
	t.Parallel()
	broker := harness.SecureKafka(t)
	ca := "WALRELAY_KAFKA_TLS_CA_FILE=" + harness.File(t, "ca.pem", broker.Trusted.PEM)
	for _, test := range []struct {
		name, address string
		says          []string // by /readyz
		env           []string
	}{
		{"TLS to plain text", broker.Direct()[0], []string{"kafka", "does not speak TLS"}, []string{ca}},
		{"plain text to TLS", broker.Listener(harness.ListenTLS), []string{"kafka", "expects TLS (kafka.tls)"}, nil},
		{"no SASL", broker.Listener(harness.ListenSASL), []string{"kafka", "expects SASL (kafka.sasl)"}, nil},
		{"SASL without TLS to SASL with TLS", broker.Listener(harness.ListenSASLTLS), []string{"kafka", "expects TLS (kafka.tls)"}, sasl("plain", harness.PlainUser, harness.PlainPassword)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openSecure(t)
			proxy := harness.NewProxy(t, test.address)
			s.waits(t, proxy, test.says, append(test.env, brokers(proxy.Address()))...)
			s.works(t, brokers(broker.Direct()[0]))
		})
	}
	// Something that speaks another protocol than Kafka's in plain text.
	t.Run("TLS to a server of another kind", func(t *testing.T) {
		t.Parallel()
		s := openSecure(t)
		proxy := harness.NewProxy(t, speaker(t, "HTTP/1.1 400 Bad Request\r\n\r\n"))
		s.refused(t, proxy, []string{"WR0606", "does not speak TLS", "leave kafka.tls out"}, ca, brokers(proxy.Address()))
	})
}

// speaker is a server that says the same to everybody.
func speaker(t *testing.T, text string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.Read(make([]byte, 1)) // a reset would overtake the answer otherwise
				conn.Write([]byte(text))
			}()
		}
	}()
	return listener.Addr().String()
}

// sasl are the settings of a user.
func sasl(mechanism, user, password string) []string {
	return []string{"WALRELAY_KAFKA_SASL_MECHANISM=" + mechanism, "WALRELAY_KAFKA_SASL_USERNAME=" + user, "WALRELAY_KAFKA_SASL_PASSWORD=" + password}
}

// saslPassword has what SASLprep and PLAIN must leave alone.
const saslPassword = `sécret, with \ and 'quotes'`

// TestSecurityKafkaSASL: every mechanism, with and without TLS; who is not let in
// is told why, once.
func TestSecurityKafkaSASL(t *testing.T) {
	t.Parallel()
	for _, listener := range []string{harness.ListenSASL, harness.ListenSASLTLS} {
		t.Run(listener, func(t *testing.T) {
			t.Parallel()
			s := openSASL(t)
			proxy := harness.NewProxy(t, s.broker.Listener(listener))
			more := []string{brokers(proxy.Address())}
			if listener == harness.ListenSASLTLS {
				more = append(more, "WALRELAY_KAFKA_TLS_CA_FILE="+harness.File(t, "ca.pem", s.broker.Trusted.PEM))
			}
			as := func(mechanism, user, password string) []string {
				return append(sasl(mechanism, user, password), more...)
			}
			wrong := []string{"WR0608", "kafka.sasl.username and kafka.sasl.password"}
			s.works(t, as("plain", harness.PlainUser, harness.PlainPassword)...)
			s.refused(t, proxy, wrong, as("plain", harness.PlainUser, "wrong")...)
			s.refused(t, proxy, wrong, as("plain", "nobody", "wrong")...)
			for _, mechanism := range []string{"scram-sha-256", "scram-sha-512"} {
				s.works(t, as(mechanism, s.Slot, saslPassword)...)
				s.refused(t, proxy, wrong, as(mechanism, s.Slot, "wrong")...)
				s.refused(t, proxy, wrong, as(mechanism, "nobody", saslPassword)...)
			}
		})
	}
	t.Run("mechanisms and files", func(t *testing.T) {
		t.Parallel()
		s := openSASL(t)
		for address, says := range map[string]string{s.broker.Listener(harness.ListenPlain): "sasl.enabled.mechanisms", s.broker.Direct()[0]: "kafka.sasl.mechanism"} {
			proxy := harness.NewProxy(t, address)
			s.refused(t, proxy, []string{"WR0609", says}, append(sasl("scram-sha-512", s.Slot, saslPassword), brokers(proxy.Address()))...)
		}
		// A file as an editor leaves it.
		settings := sasl("scram-sha-512", s.Slot, "")[:2]
		for _, end := range []string{"", "\n", "\r\n"} {
			s.works(t, append(settings, "WALRELAY_KAFKA_SASL_PASSWORD_FILE="+harness.File(t, "password", []byte(saslPassword+end)), brokers(s.broker.Listener(harness.ListenSASL)))...)
		}
	})
}

// openSASL makes a shop with a SCRAM user of its slot's name; it and the user of
// PLAIN may write its topics.
func openSASL(t *testing.T) *secureShop {
	t.Helper()
	s := openSecure(t)
	s.broker.User(t, s.Slot, saslPassword)
	for _, user := range []string{s.Slot, harness.PlainUser} {
		s.broker.Allow(t, "User:"+user, documented(t, s.Prefix)...)
	}
	return s
}

// TestSecurityKafkaRotation: a password that is changed while the relay runs
// counts from the next connection on. Nothing is lost, whichever side knows it first.
func TestSecurityKafkaRotation(t *testing.T) {
	t.Parallel()
	s := openSecure(t)
	user := s.Slot
	s.broker.User(t, user, "old")
	s.broker.Allow(t, "User:"+user, documented(t, s.Prefix)...)
	p := s.ready(t, sasl("scram-sha-512", user, "old")...) // s.Kafka.Brokers is behind the proxy
	s.insert(t)
	s.delivered(t)
	s.broker.User(t, user, "new")
	s.insert(t)
	s.delivered(t) // the session goes on
	before := s.broker.Proxy().Accepted()
	s.broker.Proxy().Reset()
	s.insert(t)
	ended(t, p, 3)
	mustSay(t, p.Output(), "WR0608", "kafka.sasl.username and kafka.sasl.password")
	if made := s.broker.Proxy().Accepted() - before; made > attempts {
		t.Errorf("%d connections after the password was changed", made)
	}
	s.works(t, sasl("scram-sha-512", user, "new")...)
}
