package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
)

// DB is a database of one test, with names for a slot and a publication that
// no other test has. Nothing but the database exists at first.
type DB struct {
	Name        string
	Slot        string
	Publication string

	address string // superuser, this database
	admin   string // superuser, another database
}

// Database makes an empty database on the shared server; the test's end drops
// its slots and it.
func Database(t testing.TB) *DB {
	t.Helper()
	return newDatabase(t, postgresURL(t))
}

// DatabaseOn makes one on a private server.
func DatabaseOn(t testing.TB, server *postgres.Server) *DB {
	t.Helper()
	return newDatabase(t, server.ConnString("postgres"))
}

func newDatabase(t testing.TB, admin string) *DB {
	t.Helper()
	name := uniqueName()
	db := &DB{Name: name, Slot: name, Publication: name, admin: admin}
	var err error
	if db.address, err = withDatabase(admin, name); err != nil {
		t.Fatal(err)
	}
	if err := db.administer(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("make the test's database: %v", err)
	}
	t.Cleanup(func() { db.drop(background(t), t) })
	return db
}

// uniqueName serves for slots, databases and topics alike; several test
// programs may share one server.
func uniqueName() string { return fmt.Sprintf("wr%012x", rand.Uint64()>>16) }

func (db *DB) administer(ctx context.Context, sql string, args ...any) error {
	conn, err := pgx.Connect(ctx, db.admin)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql, args...)
	return err
}

// drop removes the slots first: a database that has one cannot be dropped. A
// private server that is stopped or removed takes its databases along.
func (db *DB) drop(ctx context.Context, t testing.TB) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, db.admin)
	if err != nil {
		t.Logf("database %s is left to its server: %v", db.Name, err)
		return
	}
	defer conn.Close(ctx)
	var last error
	err = await(ctx, func() bool {
		// A walsender that has been told to end lives on for a moment.
		_, last = conn.Exec(ctx, `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1 AND active`, db.Name)
		if last == nil {
			_, last = conn.Exec(ctx, `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1`, db.Name)
		}
		return last == nil || conn.IsClosed()
	})
	if err == nil && last == nil {
		_, last = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+db.Name+" WITH (FORCE)")
	}
	if last != nil {
		t.Errorf("drop database %s: %v", db.Name, last)
	}
}

// ConnString is a superuser's connection URL for the database.
func (db *DB) ConnString() string { return db.address }

// ConnStringVia is the same through a proxy.
func (db *DB) ConnStringVia(t testing.TB, p *Proxy) string {
	t.Helper()
	address, err := url.Parse(db.address)
	if err != nil {
		t.Fatal(err)
	}
	address.Host = p.Address()
	return address.String()
}

// Target is the address of the server, for a Proxy.
func (db *DB) Target(t testing.TB) string {
	t.Helper()
	config, err := pgx.ParseConfig(db.address)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s:%d", config.Host, config.Port)
}

// Conn opens a connection that the test's end closes.
func (db *DB) Conn(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.address)
	if err != nil {
		t.Fatalf("connect to the test's database: %v", err)
	}
	t.Cleanup(func() { conn.Close(background(t)) })
	return conn
}

// Exec runs one statement with arguments, or several without, on a connection
// of its own and fails the test on an error.
func (db *DB) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if err := db.run(t.Context(), func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), sql, args...)
		return err
	}); err != nil {
		t.Fatalf("%s: %v", abbreviate(sql), err)
	}
}

// QueryText returns the one value of a query as text, "" for NULL or no row.
func (db *DB) QueryText(t testing.TB, sql string, args ...any) string {
	t.Helper()
	return query[string](t, db, "SELECT coalesce((SELECT x::text FROM ("+sql+") AS q(x) LIMIT 1), '')", args...)
}

// QueryInt returns the one number of a query, 0 for NULL or no row.
func (db *DB) QueryInt(t testing.TB, sql string, args ...any) int64 {
	t.Helper()
	return query[int64](t, db, "SELECT coalesce((SELECT x::bigint FROM ("+sql+") AS q(x) LIMIT 1), 0)", args...)
}

func query[T any](t testing.TB, db *DB, sql string, args ...any) (value T) {
	t.Helper()
	if err := db.run(t.Context(), func(conn *pgx.Conn) error {
		return conn.QueryRow(t.Context(), sql, args...).Scan(&value)
	}); err != nil {
		t.Fatalf("%s: %v", abbreviate(sql), err)
	}
	return value
}

func (db *DB) run(ctx context.Context, use func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, db.address)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return use(conn)
}

func abbreviate(sql string) string {
	if sql = strings.Join(strings.Fields(sql), " "); len(sql) > 120 {
		sql = sql[:120] + "…"
	}
	return sql
}
