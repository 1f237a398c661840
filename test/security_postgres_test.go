package test_test

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// pgShop is a shop on a PostgreSQL with TLS and passwords, and a role for the
// relay that has what `walrelay init --print-sql` grants.
type pgShop struct {
	*secureShop
	server *harness.SecurePostgres
	role   string
	kafka  string // the setting of a broker that asks for nothing
}

const rolePassword = "pa ss@/:wörd"

func openPG(t *testing.T, server *harness.SecurePostgres, group string) *pgShop {
	t.Helper()
	broker := harness.SecureKafka(t)
	s := &pgShop{
		secureShop: &secureShop{shop: openOn(t, harness.DatabaseOn(t, server.Server), broker.Broker, "order"), broker: broker},
		server:     server, kafka: brokers(broker.Direct()[0]),
	}
	s.role = s.Slot + "_relay"
	s.Exec(t, "CREATE ROLE "+s.role+" LOGIN PASSWORD '"+rolePassword+"' IN ROLE "+group)
	superuser := s.Addr
	s.Addr = s.as(t, superuser)
	code, script := s.run(t, []string{"init", "--print-sql"})
	if code != 0 {
		t.Fatalf("init --print-sql: exit code %d: %s", code, script)
	}
	conn := s.Conn(t)
	for _, statement := range statements(script) {
		if _, err := conn.PgConn().Exec(t.Context(), statement).ReadAll(); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return s
}

// as is a connection URL of the relay's role, with pairs of query parameters.
func (s *pgShop) as(t *testing.T, address string, parameters ...string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	parsed.User = url.UserPassword(s.role, rolePassword)
	query := parsed.Query()
	for i := 0; i < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

// at lets the relay connect through a proxy by another name of this machine.
func (s *pgShop) at(t *testing.T, proxy *harness.Proxy, host string, parameters ...string) {
	t.Helper()
	s.Addr = strings.Replace(s.as(t, s.ConnStringVia(t, proxy), parameters...), "127.0.0.1", host, 1)
}

// denied starts the relay, which PostgreSQL does not let in: it ends with exit code
// 3 and the words, after few attempts.
func (s *pgShop) denied(t *testing.T, proxy *harness.Proxy, says ...string) {
	t.Helper()
	s.insert(t)
	before := proxy.Accepted()
	p := s.start(t, s.kafka)
	ended(t, p, 3)
	mustSay(t, p.Output(), says...)
	// One for questions, and one for the stream where that one was let in.
	if made := proxy.Accepted() - before; made == 0 || made > 2 {
		t.Errorf("%d connections to PostgreSQL instead of 1 or 2", made)
	}
	if strings.Contains(p.Output(), rolePassword) || strings.Contains(p.Output(), url.QueryEscape(rolePassword)) {
		t.Error("it has told the password")
	}
}

// TestSecurityPostgresTLS: sslmode does what libpq's does, and a server that is not
// the one it should be gets no password.
func TestSecurityPostgresTLS(t *testing.T) {
	t.Parallel()
	s := openPG(t, harness.SecurePG(t), harness.ByTLSPassword)
	proxy := harness.NewProxy(t, s.Target(t))
	ca, other := harness.File(t, "ca.pem", s.server.Trusted.PEM), harness.File(t, "other.pem", s.server.Other.PEM)
	for _, test := range []struct {
		name, host string
		parameters []string
		says       []string // none: it works
	}{
		{"verify-full", "localhost", []string{"sslmode", "verify-full", "sslrootcert", ca}, nil},
		{"verify-full, other host", "127.0.0.1", []string{"sslmode", "verify-full", "sslrootcert", ca}, []string{"WR0104", "certificate for 127.0.0.1"}},
		{"verify-full, unknown authority", "localhost", []string{"sslmode", "verify-full", "sslrootcert", other}, []string{"WR0104", "unknown authority"}},
		{"verify-full, the system's authorities", "localhost", []string{"sslmode", "verify-full"}, []string{"WR0104", "unknown authority"}},
		{"verify-ca, other host", "127.0.0.1", []string{"sslmode", "verify-ca", "sslrootcert", ca}, nil},
		{"verify-ca, unknown authority", "localhost", []string{"sslmode", "verify-ca", "sslrootcert", other}, []string{"WR0104", "unknown authority"}},
		{"require", "127.0.0.1", []string{"sslmode", "require"}, nil},
		{"disable where TLS is demanded", "127.0.0.1", []string{"sslmode", "disable"}, []string{"WR0107", "no encryption", "pg_hba.conf"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.at(t, proxy, test.host, test.parameters...)
			if test.says != nil {
				s.denied(t, proxy, test.says...)
			} else {
				s.works(t, s.kafka)
			}
		})
	}
	s.at(t, proxy, "localhost", "sslmode", "verify-full", "sslrootcert", ca)
	s.works(t, s.kafka)
}

// TestSecurityPostgresOtherServers: a certificate that has expired, and a server
// without TLS.
func TestSecurityPostgresOtherServers(t *testing.T) {
	t.Parallel()
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		server, err := harness.StartSecurePostgres(background(t), harness.Identity{Name: "server", Hosts: []string{"localhost"}, Expired: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := server.Remove(); err != nil {
				t.Error(err)
			}
		})
		s := openPG(t, server, harness.ByPassword)
		proxy := harness.NewProxy(t, s.Target(t))
		s.at(t, proxy, "localhost", "sslmode", "verify-full", "sslrootcert", harness.File(t, "ca.pem", server.Trusted.PEM))
		s.denied(t, proxy, "WR0104", "expired")
		s.at(t, proxy, "localhost", "sslmode", "require")
		s.works(t, s.kafka)
	})
	t.Run("no TLS", func(t *testing.T) {
		t.Parallel()
		s := openSecure(t)
		proxy := harness.NewProxy(t, s.Target(t))
		s.Addr = strings.Replace(s.ConnStringVia(t, proxy), "sslmode=disable", "sslmode=verify-full", 1)
		s.insert(t)
		p := s.start(t, brokers(s.broker.Direct()[0]))
		// It may be switched on in a moment, so that is waited for.
		line := p.WaitLog(t, soon, "server refused TLS connection")
		mustSay(t, line.Text, "WR0119")
		before := proxy.Accepted()
		time.Sleep(storm) // the time is what is measured
		if made := proxy.Accepted() - before; made > stormLimit {
			t.Errorf("%d connections to PostgreSQL within %s", made, storm)
		}
		waitReason(t, p, "server refused TLS connection")
		stop(t, p)
		s.Addr = s.ConnString()
		s.works(t, brokers(s.broker.Direct()[0]))
	})
}

// TestSecurityPostgresLogin: who is not let in is told why.
func TestSecurityPostgresLogin(t *testing.T) {
	t.Parallel()
	server := harness.SecurePG(t)
	for _, test := range []struct {
		name, group string
		spoil       string // SQL
		mend        string // SQL
		says        []string
	}{
		{"wrong password", harness.ByPassword, "ALTER ROLE $ROLE PASSWORD 'other'", "ALTER ROLE $ROLE PASSWORD '" + rolePassword + "'", []string{"WR0106", "password authentication failed", "$ROLE"}},
		{"no password", harness.ByPassword, "ALTER ROLE $ROLE PASSWORD NULL", "ALTER ROLE $ROLE PASSWORD '" + rolePassword + "'", []string{"WR0106", "password authentication failed"}},
		{"password expired", harness.ByPassword, "ALTER ROLE $ROLE VALID UNTIL '2020-01-01'", "ALTER ROLE $ROLE VALID UNTIL 'infinity'", []string{"WR0106", "password authentication failed"}},
		{"no line in pg_hba.conf", harness.ByPassword, "REVOKE by_password FROM $ROLE", "GRANT by_password TO $ROLE", []string{"WR0107", "no pg_hba.conf entry", "$ROLE", "pg_hba.conf"}},
		{"refused by pg_hba.conf", harness.Rejected, "", "REVOKE rejected FROM $ROLE; GRANT by_password TO $ROLE", []string{"WR0107", "pg_hba.conf rejects", "$ROLE"}},
		{"no LOGIN", harness.ByPassword, "ALTER ROLE $ROLE NOLOGIN", "ALTER ROLE $ROLE LOGIN", []string{"WR0107", "not permitted to log in", "$ROLE"}},
		{"no CONNECT", harness.ByPassword, "REVOKE CONNECT ON DATABASE $DB FROM PUBLIC, $ROLE", "GRANT CONNECT ON DATABASE $DB TO $ROLE", []string{"WR02", "permission denied for database", "GRANT CONNECT"}},
		{"no REPLICATION", harness.ByPassword, "ALTER ROLE $ROLE NOREPLICATION", "ALTER ROLE $ROLE REPLICATION", []string{"WR02", "ALTER ROLE", "REPLICATION"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openPG(t, server, test.group)
			names := strings.NewReplacer("$ROLE", s.role, "$DB", s.Name)
			proxy := harness.NewProxy(t, s.Target(t))
			s.at(t, proxy, "127.0.0.1")
			if test.spoil != "" {
				s.Exec(t, names.Replace(test.spoil))
			}
			says := strings.Split(names.Replace(strings.Join(test.says, "\n")), "\n")
			s.denied(t, proxy, says...)
			if code, output := s.run(t, []string{"check"}, s.kafka); code != 3 {
				t.Errorf("check: exit code %d: %s", code, output)
			}
			s.Exec(t, names.Replace(test.mend))
			s.works(t, s.kafka)
		})
	}
}

// TestSecurityPostgresCertificate: a role that is known by its certificate.
func TestSecurityPostgresCertificate(t *testing.T) {
	t.Parallel()
	s := openPG(t, harness.SecurePG(t), harness.ByCertificate)
	proxy := harness.NewProxy(t, s.Target(t))
	ca := harness.File(t, "ca.pem", s.server.Trusted.PEM)
	own, ownKey := s.server.Trusted.Files(t, harness.Identity{Name: s.role})
	another, anotherKey := s.server.Trusted.Files(t, harness.Identity{Name: "somebody"})
	s.at(t, proxy, "localhost", "sslmode", "verify-full", "sslrootcert", ca)
	s.denied(t, proxy, "WR0107", "valid client certificate")
	s.at(t, proxy, "localhost", "sslmode", "verify-full", "sslrootcert", ca, "sslcert", another, "sslkey", anotherKey)
	s.denied(t, proxy, "WR0107", "certificate authentication failed", s.role)
	s.at(t, proxy, "localhost", "sslmode", "verify-full", "sslrootcert", ca, "sslcert", own, "sslkey", ownKey)
	s.works(t, s.kafka)

	// One of an authority that the server did not ask for is not even shown to it.
	strange, strangeKey := s.server.Other.Files(t, harness.Identity{Name: s.role})
	s.at(t, proxy, "localhost", "sslmode", "verify-full", "sslrootcert", ca, "sslcert", strange, "sslkey", strangeKey)
	s.denied(t, proxy, "WR0107", "valid client certificate")
	s.at(t, proxy, "localhost", "sslmode", "verify-full", "sslrootcert", ca, "sslcert", own, "sslkey", ownKey)
	s.works(t, s.kafka)
}

// TestSecurityPostgresRotation: a password that is changed while the relay runs
// counts from the next connection on.
func TestSecurityPostgresRotation(t *testing.T) {
	t.Parallel()
	s := openPG(t, harness.SecurePG(t), harness.ByPassword)
	proxy := harness.NewProxy(t, s.Target(t))
	s.at(t, proxy, "127.0.0.1")
	p := s.ready(t, s.kafka)
	s.Exec(t, "ALTER ROLE "+s.role+" PASSWORD 'new'")
	s.insert(t)
	s.delivered(t)
	before := proxy.Accepted()
	proxy.Reset()
	s.insert(t)
	ended(t, p, 3)
	mustSay(t, p.Output(), "WR0106", "password authentication failed")
	if made := proxy.Accepted() - before; made > attempts {
		t.Errorf("%d connections after the password was changed", made)
	}
	// A password of its own setting goes before the one in the URL.
	s.works(t, s.kafka, "WALRELAY_POSTGRES_PASSWORD_FILE="+harness.File(t, "password", []byte("new\n")))
}

// TestSecurityPostgresRights: the role that `walrelay init --print-sql` sets up can do
// all that the relay does (the canary included), and without one of its rights the relay
// says which, or goes on as docs/security.md says.
func TestSecurityPostgresRights(t *testing.T) {
	t.Parallel()
	server := harness.SecurePG(t)
	const marker, function = "walrelay.marker", "pg_logical_emit_message(boolean, text, text), pg_logical_emit_message(boolean, text, bytea)"
	noMarker := []string{"no marker can be written", "walrelay init --print-sql"}
	for _, test := range []struct {
		right, on, to string
		log, check    []string
		noCanary      bool
	}{
		{right: "USAGE", on: "SCHEMA walrelay", log: noMarker, check: []string{"! marker", "can't write walrelay.marker"}},
		{right: "SELECT", on: marker, log: noMarker, check: []string{"! marker", "can't write walrelay.marker"}},
		{right: "INSERT", on: marker, log: noMarker, check: []string{"! marker", "can't write walrelay.marker"}},
		{right: "UPDATE", on: marker, log: noMarker, check: []string{"! marker", "can't write walrelay.marker"}},
		{right: "EXECUTE", on: "FUNCTION " + function, to: "PUBLIC", log: []string{"WR0202", "permission denied for function pg_logical_emit_message"}, noCanary: true},
		{}, // nothing is missing
	} {
		t.Run(test.right+" on "+test.on, func(t *testing.T) {
			t.Parallel()
			s := openPG(t, server, harness.ByPassword)
			on := test.on
			if s.QueryInt(t, "SELECT current_setting('server_version_num')::bigint") >= 170000 {
				// The functions have got a third kind of argument, whether to flush.
				on = strings.NewReplacer("text, text)", "text, text, boolean)", "text, bytea)", "text, bytea, boolean)").Replace(on)
			}
			if test.right != "" {
				s.Exec(t, "REVOKE "+test.right+" ON "+on+" FROM "+cmp.Or(test.to, s.role))
			}
			s.Kafka.CreateTopic(t, s.Prefix+"canary", 1)
			harness.Eventually(t, soon, "the broker knows the new topic", func() bool { return len(s.Kafka.Topics(t, s.Prefix+"canary")) == 1 })
			settings := []string{s.kafka, "WALRELAY_CANARY_EVERY=200ms", "WALRELAY_CANARY_TOPIC=" + s.Prefix + "canary"}
			code, output := s.run(t, []string{"check"}, settings...)
			if code != 0 || !containsAll(strings.Join(strings.Fields(output), " "), test.check...) || test.check == nil && strings.Contains(output, "! marker") {
				t.Errorf("check: exit code %d: %s", code, output)
			}
			p := s.ready(t, settings...)
			s.insert(t)
			s.delivered(t)
			for _, text := range test.log {
				p.WaitLog(t, soon, text)
			}
			harness.Eventually(t, soon, "the canary has gone its way, or was missed", func() bool {
				_, failed := p.Logged("emit canary failed")
				return failed == test.noCanary && (failed || scrape(t, p).value("walrelay_last_canary_timestamp_seconds") > 0)
			})
			stop(t, p)
			if test.right != "" {
				s.Exec(t, "GRANT "+test.right+" ON "+on+" TO "+cmp.Or(test.to, s.role))
			}
			if output := s.works(t, settings...); containsAny(output, test.log...) {
				t.Errorf("with the right back it complains: %s", output)
			}
		})
	}
}

func containsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}
