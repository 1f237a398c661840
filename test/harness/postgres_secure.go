package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
)

// The groups whose members a secure PostgreSQL lets in by their names; others,
// but for the superuser postgres, find no line in pg_hba.conf.
const (
	ByPassword    = "by_password"    // SCRAM, with and without TLS
	ByTLSPassword = "by_tls"         // SCRAM, with TLS alone
	ByCertificate = "by_certificate" // a client's certificate with the role's name
	Rejected      = "rejected"       // refused by a line of their own
)

// Connections with replication=database are matched by the lines of databases:
// the first line must not refuse the relay.
const secureHBA = `
host    replication all            all          reject
host    all         postgres       127.0.0.1/32 trust
hostssl all         +by_certificate 127.0.0.1/32 cert
host    all         +by_password   127.0.0.1/32 scram-sha-256
hostssl all         +by_tls        127.0.0.1/32 scram-sha-256
host    all         +rejected      127.0.0.1/32 reject
`

// SecurePostgres is a server with TLS that asks for passwords and certificates.
type SecurePostgres struct {
	*postgres.Server
	Trusted *Authority // that signed the server's certificate, and that it trusts
	Other   *Authority // that nobody trusts
}

// sharedSecurePostgres is the one of this test program.
var sharedSecurePostgres struct {
	once   sync.Once
	server *SecurePostgres
	err    error
}

// SecurePG is the test program's shared secure server, whose certificate is for
// "localhost" alone.
func SecurePG(t testing.TB) *SecurePostgres {
	t.Helper()
	s := &sharedSecurePostgres
	s.once.Do(func() {
		if s.server, s.err = StartSecurePostgres(background(t), Identity{Name: "server", Hosts: []string{"localhost"}}); s.err == nil {
			shared.atEnd(s.server.Remove)
		}
	})
	if s.err != nil {
		missing(t, "PostgreSQL with TLS", s.err)
	}
	return s.server
}

// StartSecurePostgres starts one with a certificate of that identity. The caller
// removes it.
func StartSecurePostgres(ctx context.Context, who Identity) (*SecurePostgres, error) {
	both, err := authorities("Trusted", "Other")
	if err != nil {
		return nil, err
	}
	server, err := postgres.Start(ctx, postgres.Options{Version: os.Getenv("WALRELAY_TEST_POSTGRES_VERSION")})
	if err != nil {
		return nil, err
	}
	shared.used(fmt.Sprintf("PostgreSQL %s: %s, with TLS, SCRAM and certificates", server.Version(), server.Origin()))
	s := &SecurePostgres{Server: server, Trusted: both[0], Other: both[1]}
	if err := s.secure(ctx, who); err != nil {
		return nil, errors.Join(fmt.Errorf("give PostgreSQL certificates: %w", err), server.Remove())
	}
	return s, nil
}

// secure has the server write its files by itself: a key must belong to the
// user that it runs as.
func (s *SecurePostgres) secure(ctx context.Context, who Identity) error {
	certificate, key, err := s.Trusted.Issue(who)
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, s.ConnString("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, file := range []struct{ name, content string }{
		{"server.crt", string(certificate)}, {"server.key", string(key)}, {"root.crt", string(s.Trusted.PEM)}, {"pg_hba.conf", secureHBA},
	} {
		lines := strings.Split(strings.TrimSpace(file.content), "\n")
		sql := fmt.Sprintf("COPY (SELECT unnest(string_to_array('%s', ';'))) TO PROGRAM 'umask 077; cat > %s'", strings.Join(lines, ";"), file.name)
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	for _, sql := range []string{
		"ALTER SYSTEM SET ssl_ca_file = 'root.crt'", "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()",
		"CREATE ROLE by_password", "CREATE ROLE by_tls", "CREATE ROLE by_certificate", "CREATE ROLE rejected",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	// A reload takes effect in the postmaster a moment later.
	var last error
	return errors.Join(await(ctx, func() bool {
		var tls *pgx.Conn
		if tls, last = pgx.Connect(ctx, strings.Replace(s.ConnString("postgres"), "sslmode=disable", "sslmode=require", 1)); last == nil {
			last = tls.Close(ctx)
		}
		return last == nil
	}), last)
}
