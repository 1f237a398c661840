package decoding_test

import (
	"context"
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

var capture = flag.Bool("capture", false,
	"capture frames from the server at WALRELAY_TEST_POSTGRES (wal_level=logical, superuser) into testdata/pgNN; run with -update")

// setup makes outboxes of both shapes, a partitioned one, two that change mid
// stream, and a table that has nothing to do with it, all in one publication of
// all operations.
const setup = `
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN shop.body AS bytea;
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255), type text, payload jsonb,
	created_at timestamptz);
CREATE TABLE shop."Events" (event_id bigint PRIMARY KEY, aggregate_type text NOT NULL, aggregate_id uuid, event_type text,
	payload shop.body, mood shop.mood, flag boolean, n numeric(10,2));
CREATE TABLE parted (id int, aggregatetype text, aggregateid text, type text, payload text) PARTITION BY LIST (type);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('A');
CREATE TABLE parted_rest (type text, payload text, junk int, aggregateid text, aggregatetype text, id int);
ALTER TABLE parted_rest DROP COLUMN junk;
ALTER TABLE parted ATTACH PARTITION parted_rest DEFAULT;
CREATE TABLE renamed (id int PRIMARY KEY, aggregatetype text, aggregateid text, payload json);
CREATE TABLE moved (id int PRIMARY KEY, aggregatetype text, aggregateid text, payload json);
CREATE TABLE orders (id int PRIMARY KEY, total numeric, note text);
ALTER TABLE orders REPLICA IDENTITY FULL;
CREATE PUBLICATION capture FOR TABLE outbox, shop."Events", parted, renamed, moved, orders WITH (publish_via_partition_root = true);
`

// input is run as transactions of their own, in order.
var input = []string{
	// Both shapes beside another table, with text that is easy to get wrong.
	`INSERT INTO orders VALUES (1, 9.90, 'n');
	 INSERT INTO outbox VALUES ('00000000-0000-4000-8ABC-000000000001', 'Order', 'agg-ü-1', 'OrderCreated',
		'{"b": 1, "a": {"z": [1,2,3], "y": null}, "emoji": "😀", "n": 12345678901234567890.10}', '2024-02-29 12:34:56.789+02');
	 INSERT INTO shop."Events" VALUES (9007199254740993, 'bill', '00000000-0000-4000-8000-00000000ABCD', 'Paid', '\x00ff10', 'happy', true, 12345.60);`,
	// NULL, empty and control characters.
	`INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000002', '', NULL, NULL, NULL, NULL),
		('00000000-0000-4000-8000-000000000003', 'order', '', '', '"line\nquote\"tab\t"', 'infinity');
	 INSERT INTO shop."Events" VALUES (2, 'bill', NULL, NULL, ''::bytea, NULL, false, NULL), (3, 'bill', NULL, NULL, NULL, 'sad', NULL, 0);`,
	// Partitions, one with its columns in another order, appear as their root.
	`INSERT INTO parted VALUES (1, 'order', '1', 'A', 'a'), (2, 'order', '2', 'B', 'b');`,
	// What was rolled back is never sent.
	`BEGIN; INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000010', 'order', 'kept', 'T', '1');
	 SAVEPOINT s; INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000011', 'order', 'rolled back', 'T', '2'); ROLLBACK TO s;
	 INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000012', 'order', 'kept too', 'T', '3'); COMMIT;`,
	`BEGIN; INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000013', 'order', 'rolled back', 'T', '1'); ROLLBACK;`,
	// 20,000 bytes that don't compress: out of line in TOAST.
	`INSERT INTO parted SELECT 3, 'order', 'big', 'B', string_agg(md5(i::text), '' ORDER BY i) FROM generate_series(1, 625) i;`,
	// Updates (one with the unchanged TOAST value, one of the key), deletes, truncate.
	`ALTER TABLE parted_a REPLICA IDENTITY FULL; ALTER TABLE parted_rest REPLICA IDENTITY FULL; ALTER TABLE parted REPLICA IDENTITY FULL;`,
	`UPDATE outbox SET created_at = NULL WHERE aggregateid = 'kept'; UPDATE parted SET aggregateid = 'BIG' WHERE id = 3;
	 UPDATE orders SET total = 10; UPDATE outbox SET id = '00000000-0000-4000-8000-0000000000ff' WHERE aggregateid = 'kept too';
	 DELETE FROM outbox WHERE aggregateid = 'kept'; DELETE FROM orders;`,
	`TRUNCATE orders, parted RESTART IDENTITY;`,
	// Logical messages, inside and outside a transaction.
	`BEGIN; SELECT pg_logical_emit_message(true, 'walrelay', 'in a transaction'); COMMIT;`,
	`SELECT pg_logical_emit_message(false, 'other', E'\\x0001'::bytea);`,
	// A transaction that touches nothing published.
	`CREATE TABLE unpublished (x int); INSERT INTO unpublished VALUES (1);`,
	// A column renamed in the middle of a transaction and back.
	`INSERT INTO renamed VALUES (1, 'order', '1', '{"a":  1}');`,
	`BEGIN; INSERT INTO renamed VALUES (2, 'order', '1', '{}'); ALTER TABLE renamed RENAME payload TO body;
	 INSERT INTO renamed VALUES (3, 'order', '1', '{}'); ALTER TABLE renamed RENAME body TO payload; COMMIT;`,
	`ALTER TABLE renamed RENAME payload TO body; ALTER TABLE renamed RENAME body TO payload; INSERT INTO renamed VALUES (4, 'order', '1', '{}');`,
	`ALTER TABLE renamed ADD COLUMN extra text DEFAULT 'dflt', DROP COLUMN aggregateid; INSERT INTO renamed VALUES (5, 'order', '{}');`,
	// The table renamed: still an outbox for those who write to it.
	`INSERT INTO moved VALUES (1, 'order', '1', '{}'); ALTER TABLE moved RENAME TO moved_away; INSERT INTO moved_away VALUES (2, 'order', '1', '{}');`,
}

// TestCapture does nothing without -capture: it makes test data, it tests nothing.
func TestCapture(t *testing.T) {
	if !*capture {
		return
	}
	server := os.Getenv("WALRELAY_TEST_POSTGRES")
	if server == "" {
		t.Fatal("-capture needs WALRELAY_TEST_POSTGRES")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const database = "walrelay_decoding_capture"
	admin := dial(t, ctx, server, "", false)
	run(t, ctx, admin, "DROP DATABASE IF EXISTS "+database)
	run(t, ctx, admin, "CREATE DATABASE "+database)
	defer run(t, ctx, admin, "DROP DATABASE "+database)
	sql := dial(t, ctx, server, database, false)
	defer sql.Close(ctx)
	defer run(t, ctx, sql, "SELECT pg_drop_replication_slot('walrelay_decoding_capture')")
	run(t, ctx, sql, setup)
	run(t, ctx, sql, "SELECT pg_create_logical_replication_slot('walrelay_decoding_capture', 'pgoutput')")
	for _, statement := range input {
		run(t, ctx, sql, statement)
	}
	end := run(t, ctx, sql, "SELECT pg_current_wal_flush_lsn()")
	until, err := pglogrepl.ParseLSN(end)
	if err != nil {
		t.Fatal(err)
	}
	major := run(t, ctx, sql, "SELECT current_setting('server_version_num')::int / 10000")
	frames := stream(t, ctx, dial(t, ctx, server, database, true), until)
	path := filepath.Join("testdata", "pg"+major, "outbox.frames")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, f := range frames {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d frames, %d bytes in %s", len(frames), len(b), path)
}

func dial(t *testing.T, ctx context.Context, server, database string, replication bool) *pgconn.PgConn {
	t.Helper()
	config, err := pgconn.ParseConfig(server)
	if err != nil {
		t.Fatal(err)
	}
	if database != "" {
		config.Database = database
	}
	if replication {
		config.RuntimeParams["replication"] = "database"
	}
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["bytea_output"] = "hex"
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// run returns the first column of the last row.
func run(t *testing.T, ctx context.Context, conn *pgconn.PgConn, sql string) string {
	t.Helper()
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	for _, r := range results {
		if len(r.Rows) > 0 && len(r.Rows[0]) > 0 {
			return string(r.Rows[0][0])
		}
	}
	return ""
}

// stream returns the messages of the slot up to the WAL position until.
func stream(t *testing.T, ctx context.Context, conn *pgconn.PgConn, until pglogrepl.LSN) [][]byte {
	t.Helper()
	defer conn.Close(ctx)
	err := pglogrepl.StartReplication(ctx, conn, "walrelay_decoding_capture", 0, pglogrepl.StartReplicationOptions{
		PluginArgs: []string{"proto_version '1'", "publication_names 'capture'", "messages 'true'"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for {
		message, err := conn.ReceiveMessage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		data, ok := message.(*pgproto3.CopyData)
		if !ok {
			t.Fatalf("got %T: %v", message, message)
		}
		switch data.Data[0] {
		case pglogrepl.XLogDataByteID:
			x, err := pglogrepl.ParseXLogData(data.Data[1:])
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, append([]byte(nil), x.WALData...))
		case pglogrepl.PrimaryKeepaliveMessageByteID:
			k, err := pglogrepl.ParsePrimaryKeepaliveMessage(data.Data[1:])
			if err != nil {
				t.Fatal(err)
			}
			if k.ServerWALEnd >= until {
				return frames
			}
		default:
			t.Fatalf("CopyData of kind %c", data.Data[0])
		}
	}
}
