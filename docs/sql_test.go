package docs

import (
	"context"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/replication"
)

// A block of SQL in a page stands behind the comment
//
//	<!-- sql: NAME -->            run, after the blocks of the same name before it
//	<!-- sql: skip WHY -->        not run
//
// Blocks of one name share a database. As soon as one of them has made the table
// outbox, publication and slot are made as walrelay init makes them.

// sqlPages are the pages whose SQL is run.
var sqlPages = []string{"outbox-table.md", "security.md", "operations.md", "limits.md", "getting-started.md"}

// sqlResults is what holds after the last block of a name: how many events the
// relay would deliver, and a query that has to answer true.
var sqlResults = map[string]struct {
	before string // run first
	since  int    // the first major version that can
	events int
	query  string
}{
	"debezium":         {events: 2, query: "SELECT count(*) = 2 FROM outbox"},
	"snake":            {events: 12000, query: "SELECT count(*) = 0 FROM outbox"},
	"add-column":       {query: "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'outbox'::regclass AND attname = 'created_at'"},
	"uuidv7":           {query: "SELECT substring(uuidv7()::text, 15, 1) = '7' AND uuidv7() > (lpad(to_hex((extract(epoch FROM now() - interval '1 minute') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid"},
	"same-transaction": {events: 2, query: "SELECT count(*) = 1 AND min(aggregate_id) = '1002' FROM outbox"},
	"partitions":       {events: 2, query: "SELECT count(*) = 1 FROM outbox"},
	"inbox":            {query: "SELECT (SELECT count(*) FROM inbox) = 3 AND (SELECT count(*) FROM invoices) = 2"},
	"again": {
		before: `CREATE TABLE outbox (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregate_type text, aggregate_id text, event_type text, payload jsonb, created_at timestamptz DEFAULT now());
			CREATE TABLE delivered (id uuid);
			WITH o AS (INSERT INTO outbox (aggregate_type, created_at) VALUES ('delivered', now()), ('lost', now()), ('older', '2025-12-31') RETURNING id, aggregate_type)
			INSERT INTO delivered SELECT id FROM o WHERE aggregate_type = 'delivered'`,
		events: 1, query: "SELECT count(*) = 3 FROM outbox",
	},
	"slots": {},
	"keep":  {},
	"shards": {
		since: 15, before: `CREATE TABLE outbox (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregatetype text, aggregateid text, type text, payload jsonb)`,
		query: "SELECT count(*) = 2 FROM pg_publication_tables WHERE rowfilter IS NOT NULL",
	},
	"rights": {
		before: `CREATE TABLE outbox (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregatetype text, aggregateid text, type text, payload jsonb)`,
		query:  "SELECT rolreplication AND rolcanlogin AND NOT has_table_privilege(oid, 'outbox', 'SELECT') FROM pg_roles WHERE rolname = 'walrelay'",
	},
}

// TestSQL runs the SQL of the pages.
func TestSQL(t *testing.T) {
	blocks := map[string][]string{}
	marked := regexp.MustCompile("(?s)<!-- sql: (\\S+)[^>]*-->\n *```sql\n(.*?)```")
	for _, page := range sqlPages {
		text := read(t, page)
		found := marked.FindAllStringSubmatch(text, -1)
		for _, m := range found {
			if m[1] != "skip" {
				blocks[m[1]] = append(blocks[m[1]], m[2])
			}
		}
		if all := strings.Count(text, "```sql\n"); all != len(found) {
			t.Errorf("docs/%s has %d blocks of SQL, and %d of them say whether they are run", page, all, len(found))
		}
	}
	for name := range sqlResults {
		if blocks[name] == nil {
			t.Errorf("no page has a block of SQL named %s", name)
		}
	}
	server := sqlServer(t)
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		t.Run(name, func(t *testing.T) { runSQL(t, server, name, blocks[name]) })
	}
}

// sqlServer starts a server of the test's own: the pages make roles and change
// settings.
func sqlServer(t *testing.T) *postgres.Server {
	t.Helper()
	server, err := postgres.Start(t.Context(), postgres.Options{Version: os.Getenv("WALRELAY_TEST_POSTGRES_VERSION")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Remove(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func runSQL(t *testing.T, server *postgres.Server, name string, blocks []string) {
	want, known := sqlResults[name]
	if !known {
		t.Fatalf("the test says nothing about %s", name)
	}
	if server.Major() < want.since {
		t.Skipf("needs PostgreSQL %d", want.since)
	}
	slot := "docs_" + strings.ReplaceAll(name, "-", "_") // also the database's and the publication's name
	sqlExec(t, sqlConnect(t, server, "postgres"), "CREATE DATABASE "+slot)
	conn := sqlConnect(t, server, slot)
	if want.before != "" {
		sqlExec(t, conn, want.before)
	}
	for _, block := range blocks {
		if want.events > 0 {
			prepareSlot(t, conn, slot)
		}
		for _, statement := range statements(block) {
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%v in\n%s", err, statement)
			}
		}
	}
	if want.query != "" {
		var holds bool
		if err := conn.QueryRow(t.Context(), want.query).Scan(&holds); err != nil || !holds {
			t.Errorf("%s: %t, %v", want.query, holds, err)
		}
	}
	if want.events == 0 {
		return
	}
	var events, others int
	err := conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE kind = 'I'), count(*) FILTER (WHERE kind NOT IN ('B', 'R', 'I', 'C', 'Y'))
		FROM (SELECT chr(get_byte(data, 0)) AS kind FROM pg_logical_slot_peek_binary_changes($1::text::name, NULL, NULL, 'proto_version', '1', 'publication_names', $1::text)) m`, slot).
		Scan(&events, &others)
	if err != nil || events != want.events || others != 0 {
		t.Errorf("the slot sends %d inserts, want %d, and %d other changes, want none; %v", events, want.events, others, err)
	}
}

func sqlConnect(t *testing.T, server *postgres.Server, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.ConnString(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server is removed, too
	return conn
}

func sqlExec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// prepareSlot makes publication, marker and slot once there is a table outbox.
func prepareSlot(t *testing.T, conn *pgx.Conn, slot string) {
	t.Helper()
	var ready bool
	err := conn.QueryRow(t.Context(), `SELECT to_regclass('outbox') IS NOT NULL
		AND NOT EXISTS (SELECT FROM pg_replication_slots WHERE database = current_database())`).Scan(&ready)
	if err != nil {
		t.Fatal(err)
	}
	if !ready {
		return
	}
	control, err := replication.Connect(t.Context(), replication.Config{
		ConnString: conn.Config().ConnString(), Slot: slot, Publication: slot, AutoCreate: true, Instance: "docs",
		Tables: []replication.Table{{Schema: "public", Name: "outbox"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	if _, err := control.Prepare(t.Context(), func(string, ...any) {}); err != nil {
		t.Fatal(err)
	}
}

// statements splits a block at the semicolons that end a line outside of dollar
// quotes: what may not run inside of a transaction has to be sent alone.
func statements(block string) []string {
	var found []string
	var b strings.Builder
	comment := regexp.MustCompile(`\s*--.*$`)
	for line := range strings.Lines(block) {
		b.WriteString(line)
		bare := comment.ReplaceAllString(strings.TrimRight(line, "\n"), "")
		if strings.HasSuffix(bare, ";") && strings.Count(b.String(), "$$")%2 == 0 {
			found = append(found, b.String())
			b.Reset()
		}
	}
	if strings.TrimSpace(comment.ReplaceAllString(b.String(), "")) != "" {
		found = append(found, b.String()) // an unfinished statement: the server says so
	}
	return found
}
