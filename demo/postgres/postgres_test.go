package postgres_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
)

func start(t *testing.T, options postgres.Options) *postgres.Server {
	t.Helper()
	began := time.Now()
	server, err := postgres.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s ready after %s", server.Origin(), time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := server.Remove(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func connect(t *testing.T, server *postgres.Server) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.ConnString("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func ask(t *testing.T, conn *pgx.Conn, query string) string {
	t.Helper()
	var answer string
	if err := conn.QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func TestStart(t *testing.T) {
	server := start(t, postgres.Options{Settings: map[string]string{"application_name": `it's a \ test`}})
	conn := connect(t, server)
	for query, want := range map[string]string{
		"SHOW wal_level":            "logical",
		"SHOW server_encoding":      "UTF8",
		"SHOW listen_addresses":     "127.0.0.1",
		"SHOW application_name":     `it's a \ test`,
		"SHOW server_version_num":   "",
		"SELECT current_user::text": "postgres",
		"SELECT datcollate FROM pg_database WHERE datname = 'postgres'":                   "C",
		"SELECT slot_name::text FROM pg_create_logical_replication_slot('s', 'pgoutput')": "s",
	} {
		if got := ask(t, conn, query); want != "" && got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if version := ask(t, conn, "SHOW server_version"); !strings.HasPrefix(version, server.Version()) {
		t.Errorf("the server is %s, Version says %s", version, server.Version())
	}
	socket := fmt.Sprintf("host=%s port=%d user=postgres dbname=postgres", server.SocketDir(), server.Port())
	local, err := pgx.Connect(t.Context(), socket)
	if err != nil {
		t.Fatalf("connect by the socket: %v", err)
	}
	local.Close(t.Context())
}

func TestRemoveLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", openTemp(t))
	server := start(t, postgres.Options{})
	if err := server.Remove(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", server.Port())); err == nil {
		conn.Close()
		t.Error("the server still listens")
	}
	if err := server.Remove(); err != nil {
		t.Errorf("a second Remove: %v", err)
	}
	if err := server.Start(t.Context()); err == nil {
		t.Error("a removed server started")
	}
}

// openTemp is a folder that the server's user can enter; t.TempDir is not.
func openTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "walrelay-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestStopAndStartAgain(t *testing.T) {
	server := start(t, postgres.Options{})
	conn := connect(t, server)
	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept (n int)"); err != nil {
		t.Fatal(err)
	}
	port, want := server.Port(), 0
	for _, mode := range []postgres.Mode{postgres.Fast, postgres.Immediate, postgres.Crash, postgres.Crash} {
		if _, err := conn.Exec(t.Context(), "INSERT INTO kept VALUES (1)"); err != nil {
			t.Fatal(err)
		}
		want++
		began := time.Now()
		if err := server.Restart(t.Context(), mode); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		t.Logf("restart %s took %s", mode, time.Since(began).Round(time.Millisecond))
		if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
			t.Errorf("%s: a session outlived the server", mode)
		}
		conn = connect(t, server)
		if got := ask(t, conn, "SELECT count(*)::text FROM kept"); got != fmt.Sprint(want) {
			t.Errorf("%s: %s of %d committed rows are there", mode, got, want)
		}
	}
	if server.Port() != port {
		t.Errorf("the port went from %d to %d", port, server.Port())
	}
	if err := server.Stop("gently"); err == nil || !strings.Contains(err.Error(), `"gently"`) {
		t.Errorf("an unknown mode: %v", err)
	}
}

func TestPauseAndResume(t *testing.T) {
	server := start(t, postgres.Options{})
	conn := connect(t, server)
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	brief, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := conn.Ping(brief); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a frozen server answers: %v", err)
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	conn = connect(t, server)
	other := connect(t, server)
	if err := server.Pause(int(conn.PgConn().PID())); err != nil {
		t.Fatal(err)
	}
	if err := other.Ping(t.Context()); err != nil {
		t.Errorf("the other backend does not answer: %v", err)
	}
	if err := server.Resume(int(conn.PgConn().PID())); err != nil {
		t.Fatal(err)
	}
	if err := conn.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := server.Pause(os.Getpid()); err == nil {
		t.Error("a process that is no backend was frozen")
	}
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context(), postgres.Immediate); err != nil {
		t.Errorf("a frozen server does not stop: %v", err)
	}
}

func TestKillBackend(t *testing.T) {
	server := start(t, postgres.Options{})
	conn, other := connect(t, server), connect(t, server)
	if err := server.Kill(int(conn.PgConn().PID())); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); other.Ping(t.Context()) == nil; {
		if time.Now().After(deadline) {
			t.Fatal("the other sessions were not ended")
		}
	}
}

func TestDataDirGoesOn(t *testing.T) {
	dir := filepath.Join(openTemp(t), "shop")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	first := start(t, postgres.Options{DataDir: dir})
	if _, err := connect(t, first).Exec(t.Context(), "CREATE TABLE kept (n int)"); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(postgres.Fast); err != nil {
		t.Fatal(err)
	}
	second := start(t, postgres.Options{DataDir: dir})
	if got := ask(t, connect(t, second), "SELECT count(*)::text FROM kept"); got != "0" {
		t.Errorf("the table holds %s rows", got)
	}
	if err := second.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "PG_VERSION")); err != nil {
		t.Errorf("Remove took a cluster that it had not made: %v", err)
	}
	if _, err := postgres.Start(t.Context(), postgres.Options{DataDir: dir, Version: "14"}); err == nil ||
		!strings.Contains(err.Error(), "ask for that version") && !strings.Contains(err.Error(), "PostgreSQL 14") {
		t.Errorf("another version on the same cluster: %v", err)
	}
}

func TestRefuses(t *testing.T) {
	full := openTemp(t)
	if err := os.WriteFile(filepath.Join(full, "diary"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for name, test := range map[string]struct {
		options postgres.Options
		want    string
	}{
		"old version":     {postgres.Options{Version: "9.6"}, "14 is the oldest"},
		"no version":      {postgres.Options{Version: "new"}, "does not begin with a number"},
		"unknown version": {postgres.Options{Version: "99"}, "no build of PostgreSQL 99"},
		"full folder":     {postgres.Options{DataDir: full}, "neither empty nor"},
		"no parent":       {postgres.Options{DataDir: "/nowhere/shop"}, "no such file"},
		"bad setting":     {postgres.Options{Settings: map[string]string{"a b": "1"}}, `setting "a b"`},
		"unknown setting": {postgres.Options{Settings: map[string]string{"wal_levle": "1"}}, "wal_levle"},
		"port taken":      {postgres.Options{Port: busy.Addr().(*net.TCPAddr).Port}, "the port is taken"},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := postgres.Start(t.Context(), test.options)
			if err == nil {
				server.Remove()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error does not say %q: %v", test.want, err)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(full, "diary")); err != nil {
		t.Errorf("a stranger's file was deleted: %v", err)
	}
}

// TestFetched runs the published build of WALRELAY_TEST_POSTGRES_VERSION, by
// default 17. The first time it needs the network, unless that version is
// installed here.
func TestFetched(t *testing.T) {
	version := cmp.Or(os.Getenv("WALRELAY_TEST_POSTGRES_VERSION"), "17")
	server := start(t, postgres.Options{Version: version})
	if fmt.Sprint(server.Major()) != version {
		t.Errorf("asked for %s, got %s", version, server.Version())
	}
	conn := connect(t, server)
	if got := ask(t, conn, "SELECT slot_name::text FROM pg_create_logical_replication_slot('s', 'pgoutput')"); got != "s" {
		t.Errorf("the slot is %q", got)
	}
}
