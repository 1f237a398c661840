package replication_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/replication"
)

// role makes a login role for the test; it is dropped after the database.
func (f *fixture) role(attributes string) string {
	f.t.Helper()
	name := f.config.Slot + `-relay`
	f.sql(`CREATE ROLE "` + name + `" LOGIN ` + attributes)
	root := f.connect(superuser)
	f.t.Cleanup(func() {
		// Cleanups run backwards: the database still holds grants, so the role's go first.
		for _, sql := range []string{`DROP OWNED BY "` + name + `" CASCADE`} {
			if _, err := f.admin.Exec(context.Background(), sql); err != nil {
				f.t.Errorf("clean up: %v", err)
			}
		}
		if _, err := root.Exec(context.Background(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1`, name); err != nil {
			f.t.Errorf("clean up: %v", err)
		}
		if _, err := root.Exec(context.Background(), `DROP ROLE "`+name+`"`); err != nil {
			f.t.Errorf("clean up: %v", err)
		}
	})
	return name
}

// script runs statements one after the other, as psql does.
func (f *fixture) script(sql string) {
	f.t.Helper()
	for _, statement := range statements(sql) {
		f.sql(statement)
	}
}

// statements splits at semicolons at the end of a line, outside of $walrelay$.
func statements(sql string) (list []string) {
	var one strings.Builder
	for line := range strings.Lines(sql) {
		one.WriteString(line)
		open := strings.Count(one.String(), "$walrelay$")%2 == 1
		code, _, _ := strings.Cut(line, " --")
		if !open && strings.HasSuffix(strings.TrimSpace(code), ";") {
			list = append(list, one.String())
			one.Reset()
		}
	}
	if strings.TrimSpace(one.String()) != "" {
		list = append(list, one.String())
	}
	return list
}

// TestPrivilegeSQL runs the relay under the role that the printed SQL makes, and
// nothing more.
func TestPrivilegeSQL(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	f.sql(`REVOKE ALL ON SCHEMA public FROM PUBLIC`)
	role := f.role("")
	f.config.ConnString = connString(t, f.config.ConnString, f.config.Slot, role)

	// Without the rights everything says which SQL is missing.
	_, err := f.prepare(f.control())
	mustSetup(t, err, "CREATE PUBLICATION", "GRANT SELECT, INSERT, UPDATE ON walrelay.marker")
	if !f.fails("role") || !f.fails("marker") || !f.fails("create") {
		t.Error("check does not see the missing rights")
	}

	sql := replication.PrivilegeSQL(f.config, role)
	f.script(sql)
	f.script(sql) // idempotent
	for _, finding := range f.control().Check(t.Context()) {
		if finding.Level == replication.Fail {
			t.Errorf("%+v", finding)
		}
	}
	f.event("p-1")
	c, s, _ := f.open()
	_, end := f.receive(s, "p-1")
	if err := s.Confirm(end, end, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.SaveProgress(t.Context(), end, true); err != nil {
		t.Fatal(err)
	}
	_, s, _ = f.open()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	// After a gap the SQL makes no slot in silence.
	f.sql(`SELECT pg_drop_replication_slot($1)`, f.config.Slot)
	f.script(sql)
	_, err = f.prepare(c)
	mustGap(t, err, "vanished")
}

// TestPrivilegeSQL_slotLeft lets the role make its slot itself.
func TestPrivilegeSQL_slotLeft(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	role := f.role("REPLICATION")
	f.config.ConnString = connString(t, f.config.ConnString, f.config.Slot, role)
	f.script(replication.PrivilegeSQL(f.config, role))
	f.sql(`SELECT pg_drop_replication_slot($1)`, f.config.Slot)
	pos, err := f.prepare(f.control())
	if err != nil || !pos.Made {
		t.Fatalf("%+v, %v", pos, err)
	}
}

// TestPrepare_noMarker runs an existing slot under a role that may keep no marker.
func TestPrepare_noMarker(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	f.sql(`CREATE PUBLICATION ` + f.config.Publication + ` FOR TABLE outbox`)
	f.sql(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, f.config.Slot)
	f.config.ConnString = connString(t, f.config.ConnString, f.config.Slot, f.role("REPLICATION"))
	f.event("p-1")
	c, s, confirmed := f.open()
	f.noted("no marker can be written")
	f.receive(s, "p-1")
	if err := c.SaveProgress(t.Context(), confirmed, false); err == nil {
		t.Error("progress was saved without a marker")
	}
	if c.IsClosed() {
		t.Error("the refused write broke the connection")
	}
}

// fails says whether Check finds a failure of that name.
func (f *fixture) fails(name string) bool {
	return slices.ContainsFunc(f.control().Check(f.t.Context()), func(x replication.Finding) bool {
		return x.Name == name && x.Level == replication.Fail && x.Remedy != ""
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	levels := func() map[string]replication.Level {
		m := map[string]replication.Level{}
		for _, x := range f.control().Check(t.Context()) {
			if x.Detail == "" || x.Level == replication.Fail && x.Remedy == "" {
				t.Errorf("says too little: %+v", x)
			}
			m[x.Name] = x.Level
		}
		return m
	}
	if got := levels(); got["table public.outbox"] != replication.OK || got["slot"] != replication.OK || got["publication"] != replication.OK {
		t.Errorf("before a first start: %v", got)
	}
	if got := f.ask(`SELECT count(*)::text FROM pg_publication`) + f.ask(`SELECT count(*)::text FROM pg_namespace WHERE nspname = 'walrelay'`); got != "00" {
		t.Error("check made something")
	}
	f.config.Tables = []replication.Table{{Schema: "public", Name: "missing"}}
	if got := levels(); got["table public.missing"] != replication.Fail {
		t.Errorf("missing table: %v", got)
	}
	f.config.Tables[0].Name = "outbox"
	f.sql(`CREATE PUBLICATION ` + f.config.Publication)
	if got := levels(); got["publication"] != replication.Fail {
		t.Errorf("empty publication: %v", got)
	}
	f.sql(`SELECT pg_create_physical_replication_slot($1)`, f.config.Slot)
	if got := levels(); got["slot"] != replication.Fail {
		t.Errorf("physical slot: %v", got)
	}
}

func TestCreateOutbox(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	c := f.control()
	for shape, table := range map[string]replication.Table{
		"debezium": {Schema: "public", Name: "Out one"}, "snake": {Schema: "public", Name: "two"},
	} {
		for range 2 {
			if err := c.CreateOutbox(t.Context(), table, shape); err != nil {
				t.Fatal(err)
			}
		}
		f.config.Tables = append(f.config.Tables, table)
	}
	if err := c.CreateOutbox(t.Context(), replication.Table{Schema: "public", Name: "x"}, "other"); err == nil {
		t.Error("an unknown shape was accepted")
	}
	if _, err := f.prepare(f.control()); err != nil {
		t.Error(err)
	}
}

func TestConnect_refused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	c := f.config
	c.ConnString = connString(t, superuser, "no_such_database", "")
	_, err := replication.Connect(t.Context(), c)
	mustSetup(t, err, "no_such_database", "create the database")
	_, err = replication.OpenStream(t.Context(), c, replication.Position{})
	mustSetup(t, err, "no_such_database")

	// A role that may not replicate gets the SQL.
	pos, err := f.prepare(f.control())
	if err != nil {
		t.Fatal(err)
	}
	c = f.config
	c.ConnString = connString(t, c.ConnString, c.Slot, f.role(""))
	_, err = replication.OpenStream(t.Context(), c, pos)
	mustSetup(t, err, "REPLICATION")

	// Where writes are refused nothing is taken.
	f.sql(`ALTER DATABASE ` + f.config.Slot + ` SET default_transaction_read_only = on`)
	if _, err = replication.Connect(t.Context(), f.config); err == nil || !strings.Contains(err.Error(), "no host accepts writes") {
		t.Errorf("SQL connection to a read-only database: %v", err)
	}
	if _, err = replication.OpenStream(t.Context(), f.config, pos); err == nil || !strings.Contains(err.Error(), "no host accepts writes") {
		t.Errorf("replication connection to a read-only database: %v", err)
	}
	f.sql(`SET default_transaction_read_only = off`)
	f.sql(`ALTER DATABASE ` + f.config.Slot + ` RESET default_transaction_read_only`)
}

// TestControl_timeout lets a context end in the middle of a query.
func TestControl_timeout(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	if _, err := f.prepare(f.control()); err != nil {
		t.Fatal(err)
	}
	c := f.control()
	f.sql(`BEGIN`)
	f.sql(`LOCK TABLE walrelay.marker IN ACCESS EXCLUSIVE MODE`)
	defer f.sql(`ROLLBACK`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Prepare(ctx, nil)
	if !errors.Is(err, context.DeadlineExceeded) || !c.IsClosed() {
		t.Errorf("%v, closed %t", err, c.IsClosed())
	}
	if _, err := c.Slot(t.Context()); err == nil {
		t.Error("a closed connection answers")
	}
}

// TestStream_tls runs into deadlines in the middle of TLS records.
func TestStream_tls(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Remove() })
	base := server.ConnString("postgres")
	f := newFixture(t, base)
	for _, name := range []string{"server.crt", "server.key"} {
		pem, err := os.ReadFile("testdata/tls/" + name)
		if err != nil {
			t.Fatal(err)
		}
		f.sql(`CREATE TEMPORARY TABLE pem (line text)`)
		for line := range strings.Lines(string(pem)) {
			f.sql(`INSERT INTO pem VALUES ($1)`, strings.TrimSpace(line))
		}
		f.sql(`COPY pem TO PROGRAM 'umask 077; cat > ` + name + `'`) // as the server's user, into the data directory
		f.sql(`DROP TABLE pem`)
	}
	f.sql(`ALTER SYSTEM SET ssl = on`)
	f.sql(`SELECT pg_reload_conf()`)
	f.await(`SELECT setting FROM pg_settings WHERE name = 'ssl'`, "on")
	u, err := url.Parse(f.config.ConnString)
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery = "sslmode=require"
	f.config.ConnString = u.String()
	f.config.SenderTimeout = 2 * time.Minute // nothing is answered while frames arrive
	_, s, _ := f.open()
	if got := f.ask(`SELECT ssl::text FROM pg_stat_ssl WHERE pid = $1`, s.PID()); got != "true" {
		t.Fatal("no TLS")
	}
	partialFrames(t, f, s)
	f.event("p-1")
	_, end := f.receive(s, "p-1")
	if err := s.Confirm(end, end, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.ask(`SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1`, f.config.Slot); got != end.String() {
		t.Errorf("slot after Close at %s, want %s", got, end)
	}
}
