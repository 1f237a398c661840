package replication_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/replication"
)

// superuser is the URL of the server that the tests of this package share: the
// one of WALRELAY_TEST_POSTGRES, else one started here, of the version in
// WALRELAY_TEST_POSTGRES_VERSION.
var superuser string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	superuser = os.Getenv("WALRELAY_TEST_POSTGRES")
	if superuser == "" {
		server, err := postgres.Start(context.Background(), options)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer server.Remove()
		superuser = server.ConnString("postgres")
	}
	return m.Run()
}

var options = postgres.Options{Version: os.Getenv("WALRELAY_TEST_POSTGRES_VERSION")}

// fixture is a database of its own, with slot and publication of its name.
type fixture struct {
	t      *testing.T
	admin  *pgx.Conn // superuser in the test's database
	config replication.Config
	notes  []string // what Prepare logged
}

var fixtures atomic.Int32

// connString is the superuser's URL with another database and user.
func connString(t *testing.T, base, database, user string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database
	if user != "" {
		u.User = url.User(user)
	}
	return u.String()
}

func newFixture(t *testing.T, base string) *fixture {
	t.Helper()
	name := fmt.Sprintf("rep_%d_%d", os.Getpid(), fixtures.Add(1))
	f := &fixture{t: t, config: replication.Config{
		ConnString: connString(t, base, name, ""), Slot: name, Publication: name,
		Tables: []replication.Table{{Schema: "public", Name: "outbox"}}, AutoCreate: true, Instance: "a",
	}}
	root := f.connect(base)
	f.mustExec(root, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, base)
		if err != nil {
			t.Errorf("clean up: %v", err)
			return
		}
		defer conn.Close(ctx)
		conn.Exec(ctx, `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1 AND active`, name)
		for _, sql := range []string{
			`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '` + name + `'`,
			`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '` + name + `'`,
			`DROP DATABASE ` + name,
		} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				t.Errorf("clean up: %s: %v", sql, err)
			}
		}
	})
	f.admin = f.connect(f.config.ConnString)
	f.sql(`CREATE TABLE outbox (id bigserial PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload text)`)
	return f
}

func (f *fixture) connect(conn string) *pgx.Conn {
	f.t.Helper()
	c, err := pgx.Connect(f.t.Context(), conn)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func (f *fixture) mustExec(conn *pgx.Conn, sql string, args ...any) {
	f.t.Helper()
	if _, err := conn.Exec(f.t.Context(), sql, args...); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
}

func (f *fixture) sql(sql string, args ...any) { f.t.Helper(); f.mustExec(f.admin, sql, args...) }

func (f *fixture) ask(sql string, args ...any) string {
	f.t.Helper()
	var answer *string
	if err := f.admin.QueryRow(f.t.Context(), sql, args...).Scan(&answer); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
	if answer == nil {
		return ""
	}
	return *answer
}

// event commits one outbox row with the payload.
func (f *fixture) event(payload string) {
	f.t.Helper()
	f.sql(`INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', '1', 'Placed', $1)`, payload)
}

func (f *fixture) control() *replication.Control {
	f.t.Helper()
	c, err := replication.Connect(f.t.Context(), f.config)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(c.Close)
	return c
}

func (f *fixture) prepare(c *replication.Control) (replication.Position, error) {
	return c.Prepare(f.t.Context(), func(msg string, kv ...any) { f.notes = append(f.notes, fmt.Sprint(append([]any{msg}, kv...)...)) })
}

// open prepares and opens the stream; both are closed with the test.
func (f *fixture) open() (*replication.Control, *replication.Stream, replication.LSN) {
	f.t.Helper()
	c := f.control()
	pos, err := f.prepare(c)
	if err != nil {
		f.t.Fatal(err)
	}
	s := f.stream(pos)
	confirmed, err := c.Confirmed(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if err := s.Confirm(confirmed, confirmed, false); err != nil {
		f.t.Fatal(err)
	}
	return c, s, confirmed
}

func (f *fixture) stream(pos replication.Position) *replication.Stream {
	f.t.Helper()
	s, err := replication.OpenStream(f.t.Context(), f.config, pos)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { f.close(s) })
	return s
}

func (f *fixture) close(s *replication.Stream) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = s.Close(ctx) // some tests have broken it on purpose; those that mean it look at Close themselves
}

var payloads = regexp.MustCompile(`p-[0-9a-z]+`)

// receive reads until the commit of a transaction with the payload; it returns
// the payloads on the way and the commit's end LSN.
func (f *fixture) receive(s *replication.Stream, until string) (seen []string, end replication.LSN) {
	f.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	found := false
	for {
		frame, err := s.Receive(deadline)
		switch {
		case err != nil:
			f.t.Fatalf("after %v: %v", seen, err)
		case frame.Kind == replication.FrameNone:
			f.t.Fatalf("only %v, no %s", seen, until)
		case frame.Kind != replication.FrameXLogData:
		case frame.Data[0] == 'I':
			p := payloads.FindString(string(frame.Data))
			seen = append(seen, p)
			found = found || p == until
		case frame.Data[0] == 'C' && found:
			for _, b := range frame.Data[10:18] { // flags, commit LSN, end LSN
				end = end<<8 | replication.LSN(b)
			}
			return seen, end
		}
	}
}

// await polls the catalog; nothing there signals.
func (f *fixture) await(sql, want string) {
	f.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got := f.ask(sql)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%s: %q, want %q", sql, got, want)
		}
		f.sql("SELECT pg_sleep(0.02)")
	}
}

func (f *fixture) noted(words string) {
	f.t.Helper()
	if all := strings.Join(f.notes, "\n"); !strings.Contains(all, words) {
		f.t.Errorf("%q was not said, only: %s", words, all)
	}
}
