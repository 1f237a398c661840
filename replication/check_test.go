package replication_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/replication"
)

// examine runs the whole preflight as the command does.
func (f *fixture) examine() []replication.Finding {
	f.t.Helper()
	control, findings := replication.CheckConnection(f.t.Context(), f.config)
	if control == nil {
		return findings
	}
	defer control.Close()
	return append(findings, control.Check(f.t.Context())...)
}

// finding returns the first one of that name and level; the test fails without.
func (f *fixture) finding(list []replication.Finding, name string, level replication.Level) replication.Finding {
	f.t.Helper()
	for _, x := range list {
		if x.Name == name && x.Level == level {
			return x
		}
	}
	f.t.Errorf("no %s of %q among:", level, name)
	for _, x := range list {
		f.t.Logf("%s %s: %s", x.Level, x.Name, x.Detail)
	}
	return replication.Finding{}
}

// says fails the test unless the finding has all the words.
func says(t *testing.T, x replication.Finding, words ...string) {
	t.Helper()
	all := strings.Join([]string{x.Detail, x.Cause, x.Remedy}, "\n")
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("%s: no %q in:\n%s", x.Name, w, all)
		}
	}
}

// TestCheck_complete: a fresh server has no problem, and whatever is said of a
// provoked one has a cause and a remedy.
func TestCheck_complete(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	for _, x := range f.examine() {
		if x.Detail == "" || x.Level == replication.Fail || x.Level != replication.OK && (x.Cause == "" || x.Remedy == "") {
			t.Errorf("%+v", x)
		}
	}
	if _, err := f.prepare(f.control()); err != nil {
		t.Fatal(err)
	}
	list := f.examine()
	for _, x := range list {
		if x.Level == replication.Fail {
			t.Errorf("after a first start: %+v", x)
		}
	}
	says(t, f.finding(list, "replication connection", replication.OK), "wal_sender_timeout 9s")
	f.finding(list, "pooler", replication.OK)
	f.finding(list, "publication age", replication.OK)
	if about := f.control().About(t.Context()); !strings.Contains(about, "primary, timeline 1, ") || strings.Contains(about, " on ") {
		t.Errorf("about: %s", about)
	}
}

// TestCheck_provoked sets up one thing at a time that is wrong.
func TestCheck_provoked(t *testing.T) {
	t.Parallel()
	const foreign = `CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;`
	partitioned := `DROP TABLE outbox; CREATE TABLE outbox (id bigint, aggregatetype text, aggregateid text, type text, payload text, PRIMARY KEY (id)) PARTITION BY RANGE (id);`
	for _, test := range []struct {
		name  string
		since int // the version from which on PostgreSQL has it
		sql   string
		look  string // name of the finding
		level replication.Level
		says  []string
	}{
		{name: "all tables", sql: `CREATE PUBLICATION $pub FOR ALL TABLES`, look: "publication tables", level: replication.Warn, says: []string{"FOR ALL TABLES"}},
		{name: "other tables", sql: `CREATE TABLE other (id int PRIMARY KEY); CREATE PUBLICATION $pub FOR TABLE outbox, other WITH (publish = 'insert')`,
			look: "publication tables", level: replication.Warn, says: []string{"public.other", "DROP TABLE public.other"}},
		{name: "schema", since: 15, sql: `CREATE TABLE other (id int); CREATE PUBLICATION $pub FOR TABLES IN SCHEMA public WITH (publish = 'insert')`,
			look: "publication tables", level: replication.Warn, says: []string{"public.other", "DROP TABLES IN SCHEMA"}},
		{name: "all operations", sql: `CREATE PUBLICATION $pub FOR TABLE outbox`, look: "publication operations", level: replication.Warn, says: []string{"update, delete, truncate", "SET (publish = 'insert')"}},
		{name: "no inserts", sql: `CREATE PUBLICATION $pub FOR TABLE outbox WITH (publish = 'delete')`, look: "publication", level: replication.Fail, says: []string{"does not publish inserts"}},
		{name: "row filter", since: 15, sql: `CREATE PUBLICATION $pub FOR TABLE outbox WHERE (aggregatetype = 'order') WITH (publish = 'insert')`,
			look: "row filter of public.outbox", level: replication.Warn, says: []string{"aggregatetype = 'order'", "DROP TABLE"}},
		{name: "column list", since: 15, sql: `CREATE PUBLICATION $pub FOR TABLE outbox (id, payload) WITH (publish = 'insert')`,
			look: "column list of public.outbox", level: replication.OK, says: []string{"aggregatetype, aggregateid, type"}},
		{name: "partitions under their names", sql: partitioned + `CREATE TABLE part PARTITION OF outbox DEFAULT; CREATE PUBLICATION $pub FOR TABLE outbox`,
			look: "publication", level: replication.Fail, says: []string{"publish_via_partition_root = true"}},
		{name: "no key", sql: `ALTER TABLE outbox DROP CONSTRAINT outbox_pkey`, look: "primary key of public.outbox", level: replication.Warn, says: []string{"ADD PRIMARY KEY"}},
		{name: "no identity", sql: `ALTER TABLE outbox DROP CONSTRAINT outbox_pkey; CREATE PUBLICATION $pub FOR TABLE outbox`,
			look: "replica identity of public.outbox", level: replication.Warn, says: []string{"refuses every UPDATE or DELETE"}},
		{name: "full identity", sql: `ALTER TABLE outbox REPLICA IDENTITY FULL`, look: "replica identity of public.outbox", level: replication.Warn, says: []string{"REPLICA IDENTITY DEFAULT"}},
		{name: "unlogged", sql: `ALTER TABLE outbox SET UNLOGGED`, look: "table public.outbox", level: replication.Fail, says: []string{"SET LOGGED"}},
		{name: "a view", sql: `ALTER TABLE outbox RENAME TO real; CREATE VIEW outbox AS SELECT * FROM real`, look: "table public.outbox", level: replication.Fail, says: []string{"no table"}},
		{name: "trigger that moves", sql: `CREATE TABLE archive (LIKE outbox); CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO archive SELECT (NEW).*; RETURN NULL; END'; CREATE TRIGGER away BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION moves()`,
			look: "triggers of public.outbox", level: replication.Warn, says: []string{`"away" moves rows`, "public.moves"}},
		{name: "trigger that suppresses", sql: `CREATE FUNCTION eats() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.type IS NULL THEN RETURN NULL; END IF; RETURN NEW; END'; CREATE TRIGGER eater BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION eats()`,
			look: "triggers of public.outbox", level: replication.Warn, says: []string{"may suppress rows", "DROP TRIGGER"}},
		{name: "trigger that deletes", sql: `CREATE FUNCTION cleans() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM outbox WHERE id = NEW.id; RETURN NULL; END'; CREATE TRIGGER cleaner AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION cleans()`,
			look: "triggers of public.outbox", level: replication.OK, says: []string{"cleaner", "suppress no INSERT"}},
		{name: "rule", sql: `CREATE TABLE archive (LIKE outbox); CREATE RULE divert AS ON INSERT TO outbox DO INSTEAD INSERT INTO archive VALUES (NEW.*)`,
			look: "rules of public.outbox", level: replication.Warn, says: []string{"divert", "DROP RULE"}},
		{name: "foreign partition", sql: foreign + strings.ReplaceAll(partitioned, ", PRIMARY KEY (id)", "") + `CREATE FOREIGN TABLE far PARTITION OF outbox FOR VALUES FROM (0) TO (10) SERVER elsewhere`,
			look: "partitions of public.outbox", level: replication.Fail, says: []string{"public.far", "DETACH PARTITION"}},
		{name: "no partition", sql: partitioned, look: "partitions of public.outbox", level: replication.Warn, says: []string{"PARTITION OF public.outbox DEFAULT"}},
		{name: "heir", sql: `CREATE TABLE heir () INHERITS (outbox)`, look: "tables that inherit public.outbox", level: replication.Warn, says: []string{"public.heir"}},
		{name: "publication after the slot", sql: `SELECT pg_create_logical_replication_slot('$pub', 'pgoutput');; INSERT INTO outbox (payload) VALUES ('x');; CREATE PUBLICATION $pub FOR TABLE outbox`,
			look: "publication age", level: replication.Fail, says: []string{"made after the slot", "pg_drop_replication_slot"}},
		{name: "another plugin", sql: `SELECT pg_create_physical_replication_slot('$pub')`, look: "slot", level: replication.Fail, says: []string{"physical"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, superuser)
			version := f.control().Version() / 10000
			if version < test.since {
				t.Skipf("PostgreSQL %d does not have it", version)
			}
			level := test.level
			if test.look == "publication age" && version >= 18 {
				level, test.says = replication.Warn, []string{"leaves them out silently"} // and so can't be told
			}
			for transaction := range strings.SplitSeq(test.sql, ";;") {
				f.sql(strings.ReplaceAll(transaction, "$pub", f.config.Publication), pgx.QueryExecModeSimpleProtocol)
			}
			list := f.examine()
			x := f.finding(list, test.look, level)
			says(t, x, test.says...)
			if level != replication.OK && (x.Cause == "" || x.Remedy == "") {
				t.Errorf("says too little: %+v", x)
			}
		})
	}
}

// TestCheck_role looks at what a role lacks, in every way that one can.
func TestCheck_role(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	role := f.role("")
	f.sql(`CREATE ROLE "` + role + `-group" REPLICATION NOLOGIN`)
	defer f.sql(`DROP ROLE "` + role + `-group"`)
	f.sql(`GRANT "` + role + `-group" TO "` + role + `"`)
	f.sql(`ALTER ROLE "` + role + `" VALID UNTIL 'tomorrow'`)
	f.sql(`ALTER ROLE "` + role + `" SET password_encryption = 'md5'`)
	f.config.ConnString = connString(t, f.config.ConnString, f.config.Slot, role)
	list := f.examine()
	says(t, f.finding(list, "role", replication.Fail), "is not inherited", "ALTER ROLE \""+role+"\" REPLICATION;")
	says(t, f.finding(list, "replication connection", replication.Fail), "ALTER ROLE")
	says(t, f.finding(list, "password", replication.Warn), "VALID UNTIL 'infinity'")
	says(t, f.finding(list, "password_encryption", replication.Warn), "scram-sha-256")
	f.finding(list, "marker", replication.Fail)
	f.finding(list, "create", replication.Fail)
}

// TestCheck_snapshotRights: the tables have to be readable for a snapshot alone.
func TestCheck_snapshotRights(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	role := f.role("REPLICATION")
	f.script(replication.PrivilegeSQL(f.config, role))
	f.sql(`SELECT pg_drop_replication_slot($1)`, f.config.Slot)
	f.config.ConnString = connString(t, f.config.ConnString, f.config.Slot, role)
	for _, x := range f.examine() {
		if x.Level == replication.Fail {
			t.Errorf("without a snapshot: %+v", x)
		}
	}
	f.config.Snapshot.Mode = replication.SnapshotInitial
	says(t, f.finding(f.examine(), "snapshot", replication.Fail), "SELECT")
}

func TestCheck_encoding(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	name := f.config.Slot + "_ascii"
	f.sql(`CREATE DATABASE ` + name + ` ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
	defer f.sql(`DROP DATABASE ` + name + ` WITH (FORCE)`)
	f.config.ConnString = connString(t, superuser, name, "")
	says(t, f.finding(f.examine(), "encoding", replication.Warn), "SQL_ASCII", "not UTF-8")
}

// TestCheck_server looks at a server whose settings are wrong, and which bears the
// signs of managed services one after the other.
func TestCheck_server(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), postgres.Options{Version: options.Version, Settings: map[string]string{
		"wal_level": "replica", "max_replication_slots": "1", "max_prepared_transactions": "2", "max_slot_wal_keep_size": "64MB",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Remove() })
	f := newFixture(t, server.ConnString("postgres"))
	f.sql(`SELECT pg_create_physical_replication_slot('taken', true)`)
	f.sql(`SET synchronous_commit = local`)
	f.sql(`ALTER SYSTEM SET synchronous_standby_names = '*'`)
	f.sql(`ALTER SYSTEM SET synchronous_commit = local`)
	eighteen := f.control().Version() >= 180000
	if eighteen {
		f.sql(`ALTER SYSTEM SET idle_replication_slot_timeout = '1h'`)
	}
	f.sql(`SELECT pg_reload_conf()`)
	f.await(`SELECT setting FROM pg_settings WHERE name = 'synchronous_standby_names'`, "*")
	list := f.examine()
	says(t, f.finding(list, "wal_level", replication.Fail), "wal_level is replica", "ALTER SYSTEM SET wal_level = logical;", "restart")
	says(t, f.finding(list, "max_replication_slots", replication.Fail), "1 of 1", "max_replication_slots = 11", "restart")
	says(t, f.finding(list, "synchronous_standby_names", replication.Warn), "commits of all applications hang")
	if eighteen {
		says(t, f.finding(list, "idle_replication_slot_timeout", replication.Warn), "1h", "invalidates")
	}
	f.forgotten(list)
	for _, service := range []struct{ name, sql, undo, says string }{
		{"Google Cloud SQL", `CREATE ROLE cloudsqlsuperuser`, `DROP ROLE cloudsqlsuperuser`, "cloudsql.logical_decoding=on"},
		{"Azure Database for PostgreSQL", `CREATE ROLE azure_pg_admin`, `DROP ROLE azure_pg_admin`, "az postgres flexible-server parameter set"},
		{"Supabase", `CREATE ROLE supabase_admin`, `DROP ROLE supabase_admin`, "Supabase runs with wal_level = logical"},
		{"Neon", `CREATE ROLE neon_superuser`, `DROP ROLE neon_superuser`, "Logical Replication, Enable"},
		{"Amazon RDS", `ALTER SYSTEM SET "rds.logical_replication" = 'off'`, `SELECT 1`, "rds.logical_replication = 1"},
		{"Amazon Aurora", `CREATE FUNCTION public.aurora_version() RETURNS text LANGUAGE sql AS 'SELECT ''15.4'''`, `SELECT 1`, "modify-db-cluster-parameter-group"},
	} {
		if strings.HasPrefix(service.sql, "ALTER") { // a custom setting has to be declared before ALTER SYSTEM takes it
			f.sql(`SET "rds.logical_replication" = 'off'`)
		}
		f.sql(service.sql)
		f.sql(`SELECT pg_reload_conf()`)
		if strings.HasPrefix(service.sql, "ALTER") {
			f.awaitSetting("rds.logical_replication", "off")
		}
		list := f.examine()
		says(t, f.finding(list, "wal_level", replication.Fail), service.says)
		if about := f.control().About(t.Context()); !strings.Contains(about, " on "+service.name) {
			t.Errorf("%s: %s", service.name, about)
		}
		f.sql(service.undo)
	}
}

// forgotten leaves a transaction open and another prepared, and looks at them once they
// are old enough to be named.
func (f *fixture) forgotten(before []replication.Finding) {
	f.t.Helper()
	f.finding(before, "long transactions", replication.OK)
	f.finding(before, "prepared transactions", replication.OK)
	writer := f.connect(f.config.ConnString + "&application_name=shop")
	f.mustExec(writer, `BEGIN`)
	f.mustExec(writer, `INSERT INTO outbox (payload) VALUES ('x')`)
	f.mustExec(writer, `PREPARE TRANSACTION 'it''s'`)
	f.mustExec(writer, `BEGIN`)
	f.mustExec(writer, `INSERT INTO outbox (payload) VALUES ('y')`)
	f.await(`SELECT (clock_timestamp() - max(xact_start) > interval '10.1 s')::text FROM pg_stat_activity WHERE application_name = 'shop'`, "true")
	list := f.examine()
	says(f.t, f.finding(list, "long transactions", replication.Warn), "(shop of postgres in "+f.config.Slot+", idle in transaction)", "pg_terminate_backend(")
	says(f.t, f.finding(list, "prepared transactions", replication.Warn), "ROLLBACK PREPARED 'it''s';")
	f.mustExec(writer, `ROLLBACK`)
	f.mustExec(writer, `ROLLBACK PREPARED 'it''s'`)
}

// awaitSetting waits until new connections see the setting.
func (f *fixture) awaitSetting(name, want string) {
	f.t.Helper()
	for range 200 {
		conn := f.connect(f.config.ConnString)
		var got *string
		if err := conn.QueryRow(f.t.Context(), `SELECT current_setting($1, true) FROM pg_sleep(0.02)`, name).Scan(&got); err != nil {
			f.t.Fatal(err)
		}
		conn.Close(f.t.Context())
		if got != nil && *got == want {
			return
		}
	}
	f.t.Fatalf("%s did not become %s", name, want)
}

// TestCheck_limit: the WAL that a slot holds back is compared with its limit, and
// what others hold back is named.
func TestCheck_limit(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), postgres.Options{Version: options.Version, Settings: map[string]string{
		"wal_level": "logical", "max_slot_wal_keep_size": "64MB", "max_prepared_transactions": "2", "min_wal_size": "32MB", "max_wal_size": "32MB",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Remove() })
	f := newFixture(t, server.ConnString("postgres"))
	if _, err := f.prepare(f.control()); err != nil {
		t.Fatal(err)
	}
	f.finding(f.examine(), "slot retention", replication.OK)
	for f.ask(`SELECT (pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > 45 * 1024 * 1024)::text FROM pg_replication_slots WHERE slot_name = $1`, f.config.Slot) != "true" {
		f.sql(`SELECT pg_switch_wal() FROM pg_logical_emit_message(false, 'x', 'x')`)
	}
	list := f.examine()
	says(t, f.finding(list, "slot retention", replication.Warn), "%", "max_slot_wal_keep_size")
	for f.ask(`SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1`, f.config.Slot) != "lost" {
		f.sql(`SELECT pg_switch_wal() FROM pg_logical_emit_message(false, 'x', 'x')`)
		f.sql(`CHECKPOINT`)
	}
	says(t, f.finding(f.examine(), "slot", replication.Fail), "lost", "--accept-gap")
	// The slot of another relay is lost as well, for this one's eyes.
	f.config.Slot += "_b"
	says(t, f.finding(f.examine(), "other slots", replication.Warn), "is lost", "pg_drop_replication_slot")
	f.config.Slot = strings.TrimSuffix(f.config.Slot, "_b")
}

// TestLargestRow measures what may be read, and leaves the rest alone.
func TestLargestRow(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	measure := func(atLeast, atMost int64) {
		t.Helper()
		got, err := f.control().LargestRow(t.Context())
		if err != nil || got < atLeast || got > atMost {
			t.Errorf("%d bytes, %v; want %d to %d", got, err, atLeast, atMost)
		}
	}
	measure(0, 0)
	f.event("small")
	f.event(`{"a":"` + strings.Repeat("ä", 50_000) + `"}`)
	measure(100_000, 100_200)
	f.config.ConnString = connString(t, f.config.ConnString, f.config.Slot, f.role("REPLICATION"))
	measure(0, 0)
}

// TestCheck_names: what scripts look for.
func TestCheck_names(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	var names []string
	for _, x := range f.examine() {
		names = append(names, x.Name)
	}
	for _, want := range []string{
		"connection", "replication connection", "version", "wal_level", "recovery", "encoding", "clock", "tls", "pooler", "role", "marker", "password_encryption",
		"max_replication_slots", "max_wal_senders", "table public.outbox", "publication", "slot", "max_slot_wal_keep_size", "synchronous_standby_names",
		"wal_sender_timeout", "logical_decoding_work_mem", "other slots", "long transactions", "prepared transactions",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("no %q among %v", want, names)
		}
	}
}
