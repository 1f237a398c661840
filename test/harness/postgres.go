package harness

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
)

// sharedPostgres is the superuser's URL of the server that this test program
// uses, and why there is none.
var sharedPostgres struct {
	once sync.Once
	url  string
	err  error
}

// postgresURL starts the shared server when a test first needs it.
func postgresURL(t testing.TB) string {
	t.Helper()
	s := &sharedPostgres
	s.once.Do(func() { s.url, s.err = openPostgres(background(t)) })
	if s.err != nil {
		missing(t, "PostgreSQL", s.err)
	}
	return s.url
}

func openPostgres(ctx context.Context) (string, error) {
	if address := os.Getenv("WALRELAY_TEST_POSTGRES"); address != "" {
		version, err := checkPostgres(ctx, address)
		if err != nil {
			return "", fmt.Errorf("use WALRELAY_TEST_POSTGRES: %w", err)
		}
		shared.used(fmt.Sprintf("PostgreSQL %s (WALRELAY_TEST_POSTGRES)", version))
		return address, nil
	}
	server, err := postgres.Start(ctx, postgres.Options{Version: os.Getenv("WALRELAY_TEST_POSTGRES_VERSION")})
	if err != nil {
		return "", err
	}
	shared.atEnd(server.Remove)
	shared.used(fmt.Sprintf("PostgreSQL %s: %s", server.Version(), server.Origin()))
	return server.ConnString("postgres"), nil
}

// checkPostgres refuses a server on which every test would fail alike.
func checkPostgres(ctx context.Context, address string) (version string, err error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var level, super string
	err = conn.QueryRow(ctx, "SELECT current_setting('server_version'), current_setting('wal_level'), current_setting('is_superuser')").
		Scan(&version, &level, &super)
	switch {
	case err != nil:
		return "", err
	case level != "logical":
		return "", fmt.Errorf("its wal_level is %s: set logical and restart it", level)
	case super != "on":
		return "", fmt.Errorf("its user is no superuser: name one")
	}
	return version, nil
}

// PrivatePostgres is a server of this test's own, to stop, freeze and break. It
// is always started here, also when WALRELAY_TEST_POSTGRES names another.
func PrivatePostgres(t testing.TB, settings map[string]string) *postgres.Server {
	t.Helper()
	server := privatePostgres(t, postgres.Options{Version: os.Getenv("WALRELAY_TEST_POSTGRES_VERSION"), Settings: settings})
	shared.used(fmt.Sprintf("PostgreSQL %s: %s", server.Version(), server.Origin()))
	return server
}

// AskedFor ends the summary's line about a server whose version the test itself names.
const AskedFor = ", as a test asks for"

// PostgresOf is one of a major version, "17", whatever the others use.
func PostgresOf(t testing.TB, major string, settings map[string]string) *postgres.Server {
	t.Helper()
	server := privatePostgres(t, postgres.Options{Version: major, Settings: settings})
	shared.used(fmt.Sprintf("PostgreSQL %s: %s%s", server.Version(), server.Origin(), AskedFor))
	return server
}

func privatePostgres(t testing.TB, options postgres.Options) *postgres.Server {
	t.Helper()
	server, err := postgres.Start(background(t), options)
	if err != nil {
		missing(t, "PostgreSQL", err)
	}
	t.Cleanup(func() {
		if err := server.Remove(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// withDatabase replaces the database in a connection URL.
func withDatabase(address, database string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil || cmp.Or(parsed.Scheme, "none") == "none" {
		return "", fmt.Errorf("WALRELAY_TEST_POSTGRES is no URL: write postgres://user@host:port/database")
	}
	parsed.Path = "/" + database
	return parsed.String(), nil
}
