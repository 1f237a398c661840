package replication_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
)

// snapshotFixture has rows before the slot.
func snapshotFixture(t *testing.T, mode replication.SnapshotMode) *fixture {
	t.Helper()
	f := newFixture(t, superuser)
	f.config.Snapshot.Mode = mode
	return f
}

// begin prepares and opens the snapshot; it is closed with the test.
func (f *fixture) begin() (*replication.Control, *replication.Snapshot) {
	f.t.Helper()
	c := f.control()
	pos, err := f.prepare(c)
	if err != nil || !pos.Snapshot {
		f.t.Fatalf("%+v, %v", pos, err)
	}
	s, err := c.BeginSnapshot(f.t.Context(), func(msg string, kv ...any) { f.notes = append(f.notes, fmt.Sprint(append([]any{msg}, kv...)...)) })
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	return c, s
}

// rows reads a table of the snapshot: its columns, and the rows as text.
func (f *fixture) rows(s *replication.Snapshot, table int) (columns []replication.SnapshotColumn, rows []string) {
	f.t.Helper()
	columns, err := s.Open(f.t.Context(), table)
	if err != nil {
		f.t.Fatal(err)
	}
	for {
		row, ok, err := s.Next(f.t.Context())
		if err != nil {
			f.t.Fatal(err)
		}
		if !ok {
			return columns, rows
		}
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = string(v)
			if v == nil {
				texts[i] = "NULL"
			}
		}
		rows = append(rows, strings.Join(texts, "|"))
	}
}

// payloadsOf are the last columns of the outbox's rows.
func (f *fixture) payloadsOf(s *replication.Snapshot) (all []string) {
	f.t.Helper()
	_, rows := f.rows(s, 0)
	for _, row := range rows {
		all = append(all, row[strings.LastIndex(row, "|")+1:])
	}
	return all
}

func (f *fixture) finish(s *replication.Snapshot) {
	f.t.Helper()
	if err := s.Finish(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) marker() string {
	f.t.Helper()
	return f.ask(`SELECT coalesce((SELECT state FROM walrelay.marker WHERE slot = $1), 'none')`, f.config.Slot)
}

func (f *fixture) slots() string {
	f.t.Helper()
	return f.ask(`SELECT count(*)::text FROM pg_replication_slots WHERE database = current_database()`)
}

// TestSnapshot_joinsStream: rows and stream together are everything, once: also
// what is committed while the slot is made and while the rows are read.
func TestSnapshot_joinsStream(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.config.Snapshot.FetchSize = 3
	for i := range 10 {
		f.event(fmt.Sprintf("p-%d", i))
	}
	open := f.connect(f.config.ConnString) // a transaction that the slot has to wait for
	f.mustExec(open, `BEGIN`)
	f.mustExec(open, `INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', '1', 'Placed', 'p-10')`)
	written := make(chan error, 1)
	go func() {
		conn := open
		time.Sleep(300 * time.Millisecond)
		_, err := conn.Exec(context.Background(), `COMMIT`)
		written <- err
	}()
	c, s := f.begin()
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	for i := 11; i < 20; i++ {
		f.event(fmt.Sprintf("p-%d", i))
	}
	seen := f.payloadsOf(s)
	if f.marker() != "snapshotting" || f.slots() != "1" {
		t.Errorf("marker %s, %s slots", f.marker(), f.slots())
	}
	f.finish(s)
	if f.marker() != "streaming" {
		t.Errorf("marker %s", f.marker())
	}
	pos := s.Position()
	if !pos.Made || pos.Confirmed == 0 || pos.Confirmed != pos.Created || pos.Done || s.LSN() != pos.Created || time.Since(s.Time()) > time.Minute {
		t.Errorf("%+v at %s %s", pos, s.LSN(), s.Time())
	}
	stream := f.stream(pos)
	if lsn, err := c.Confirmed(t.Context()); err != nil || lsn != pos.Confirmed {
		t.Errorf("streams from %s, %v; the snapshot says %s", lsn, err, pos.Confirmed)
	}
	streamed, _ := f.receive(stream, "p-19")
	if len(seen) < 10 || len(streamed) < 9 {
		t.Errorf("%d rows, %d streamed", len(seen), len(streamed))
	}
	seen = append(seen, streamed...)
	for i := range 20 {
		if p := fmt.Sprintf("p-%d", i); i >= len(seen) || seen[i] != p {
			t.Fatalf("rows and stream are %v", seen)
		}
	}
	if again, err := f.prepare(c); err != nil || again.Snapshot || again.Made {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestSnapshot_sameText: a row of a snapshot has the very text that the stream has,
// whatever the defaults of database and role are.
func TestSnapshot_sameText(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.sql(`CREATE EXTENSION IF NOT EXISTS hstore; CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN amount AS numeric(10,2); CREATE DOMAIN short AS varchar(5);
		CREATE DOMAIN flagged AS boolean; CREATE TYPE pair AS (a int, b text)`)
	columns := []string{
		`ts timestamp`, `tz timestamptz`, `tz3 timestamptz(3)`, `d date`, `ti time`, `tit timetz`, `iv interval`, `by bytea`, `f4 real`, `f8 double precision`, `n numeric`,
		`n2 numeric(12,3)`, `money money`, `bo boolean`, `ch char(5)`, `vc varchar(7)`, `u uuid`, `j json`, `jb jsonb`, `x xml`, `ar int[]`, `ta text[]`, `m mood`, `ma mood[]`,
		`am amount`, `sh short`, `fl flagged`, `h hstore`, `r tstzrange`, `cls regclass`, `o oid`, `b bit(3)`, `vb bit varying`, `ip inet`, `pt point`, `cp pair`, `empty text`, `nul text`,
	}
	f.sql(`CREATE TABLE outbox2 (id int PRIMARY KEY, ` + strings.Join(columns, ", ") + `)`)
	f.config.Tables = append(f.config.Tables, replication.Table{Schema: "public", Name: "outbox2"})
	insert := func(id int) {
		f.sql(fmt.Sprintf(`INSERT INTO outbox2 VALUES (%d, '2024-02-29 10:34:56.7891', '2024-02-29 10:34:56.789123+02', '2024-02-29 10:34:56.789999+02', '2024-02-29', '10:34:56.7', '10:34:56.7+05:30',
			'1 year -2 months 3 days -04:05:06.7', '\x00ff5c', 0.1, 1e23, 'NaN', 1234.5, 12.34, true, 'ab', 'abc', '8e1f8a3e-0f3c-4c0f-9d8e-0a1b2c3d4e5f', '{"b":1,  "a" : 2}', '{"b":1,"a":2}', '<a/>',
			'{1,NULL,3}', '{"a b",NULL,"NULL"}', 'glad', '{sad,glad}', 12.3, 'abc', false, 'a=>1,b=>NULL', '[2024-01-01 00:00+02,)', 'outbox', 7, B'101', B'1', '10.0.0.1/8', '(1,2.5)', ROW(1, 'x y'), '', NULL)`, id))
	}
	for _, set := range []string{`DateStyle = 'German'`, `IntervalStyle = 'iso_8601'`, `TimeZone = 'Asia/Kolkata'`, `bytea_output = 'escape'`, `extra_float_digits = -15`, `lc_monetary = 'C'`,
		`search_path = public, pg_catalog`, `xmlbinary = 'hex'`, `statement_timeout = '10s'`} {
		f.sql(`ALTER DATABASE ` + f.config.Slot + ` SET ` + set)
	}
	insert(1)
	_, s := f.begin()
	described, err := s.Open(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	row, ok, err := s.Next(t.Context())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	got := make([]string, len(row))
	for i := range row {
		got[i] = fmt.Sprintf("%s %q null=%t oid=%d", described[i].Name, row[i], row[i] == nil, described[i].OID)
	}
	if _, ok, err := s.Next(t.Context()); ok || err != nil {
		t.Fatal(ok, err)
	}
	f.finish(s)
	insert(2)
	want, rel := streamedRow(t, f.stream(s.Position()))
	if len(want) != len(got) || len(got) != len(columns)+1 {
		t.Fatalf("%d columns, streamed %d", len(got), len(want))
	}
	for i := range want {
		// A domain over a type that is not built in is known to the stream only as itself.
		text := fmt.Sprintf("%s %q null=%t oid=%d", rel.Columns[i].Name, want[i].Data, want[i].Null, want[i].OID)
		if i > 0 && text != got[i] {
			t.Errorf("snapshot %s, stream %s", got[i], text)
		}
		if rel.Columns[i].Key != described[i].Key {
			t.Errorf("%s: key %t, streamed %t", described[i].Name, described[i].Key, rel.Columns[i].Key)
		}
		// For a domain the stream has no modifier: it is the type's beneath it.
		if domain := slices.Contains([]string{"am", "sh"}, described[i].Name); !domain && rel.Columns[i].Mod != described[i].Mod {
			t.Errorf("%s: modifier %d, streamed %d", described[i].Name, described[i].Mod, rel.Columns[i].Mod)
		}
	}
}

// streamedRow reads up to the first INSERT of outbox2.
func streamedRow(t *testing.T, s *replication.Stream) ([]decoding.Value, decoding.Relation) {
	t.Helper()
	d := decoding.New([]decoding.Table{{Schema: "public", Name: "outbox2", Columns: decoding.Columns{AggregateType: "vc", AggregateID: "vc", Payload: "vc"}}})
	var rel decoding.Relation
	for {
		frame, err := s.Receive(time.Now().Add(20 * time.Second))
		if err != nil || frame.Kind == replication.FrameNone {
			t.Fatalf("kind %v, %v", frame.Kind, err)
		}
		if frame.Kind != replication.FrameXLogData {
			continue
		}
		var m decoding.Message
		if err := d.Decode(frame.Data, &m); err != nil {
			t.Fatal(err)
		}
		switch m.Kind {
		case decoding.KindRelation:
			rel = m.Relation
		case decoding.KindInsert:
			return m.Event.Row, rel
		}
	}
}

// TestSnapshot_rowsOfPublication: the rows, columns and tables that the stream
// would carry, and no others.
func TestSnapshot_rowsOfPublication(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.sql(`CREATE SCHEMA "Shop Two";
		CREATE TABLE "Shop Two"."Out""box" (id int PRIMARY KEY, "The Name" text, part int GENERATED ALWAYS AS (id % 2) STORED, gone int, secret text);
		ALTER TABLE "Shop Two"."Out""box" DROP COLUMN gone;
		CREATE TABLE child () INHERITS (outbox);
		CREATE TABLE parted (id int, day int) PARTITION BY LIST (day);
		CREATE TABLE parted1 PARTITION OF parted FOR VALUES IN (1);
		CREATE TABLE parted2 (day int, id int);
		ALTER TABLE parted ATTACH PARTITION parted2 FOR VALUES IN (2);
		CREATE TABLE other (id int PRIMARY KEY);
		INSERT INTO "Shop Two"."Out""box" (id, "The Name", secret) SELECT n, 'n' || n, 's' FROM generate_series(1, 7) n;
		INSERT INTO parted SELECT n, 1 + n % 2 FROM generate_series(1, 5) n;
		INSERT INTO child (payload) VALUES ('p-child');
		INSERT INTO other VALUES (1)`)
	f.event("p-1")
	f.config.Tables = append(f.config.Tables, replication.Table{Schema: "Shop Two", Name: `Out"box`}, replication.Table{Schema: "public", Name: "parted"})
	f.config.Snapshot.FetchSize = 2
	f.config.Snapshot.OrderBy = []string{"", "The Name", "id"}
	publication := `CREATE PUBLICATION ` + f.config.Publication + ` FOR TABLE ONLY outbox, other, parted, "Shop Two"."Out""box"`
	filtered := f.ask(`SHOW server_version_num`) >= "150000"
	if filtered {
		publication += ` (id, "The Name") WHERE (id > 2 AND id <> 5)`
	}
	f.sql(publication + ` WITH (publish_via_partition_root = true)`)
	_, s := f.begin()
	// Rows must not vanish for the snapshot: what would make them is kept out.
	for _, sql := range []string{`TRUNCATE outbox`, `TRUNCATE parted1`, `ALTER TABLE outbox ALTER payload TYPE bytea USING NULL`} {
		conn := f.connect(f.config.ConnString)
		f.mustExec(conn, `SET lock_timeout = '50ms'`)
		if _, err := conn.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "55P03") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for table, want := range [][]string{
		{"2|order|1|Placed|p-1"},
		{"3|n3", "4|n4", "6|n6", "7|n7"},
		{"1|2", "2|1", "3|2", "4|1", "5|2"},
	} {
		if !filtered && table == 1 {
			continue
		}
		if _, rows := f.rows(s, table); !slices.Equal(rows, want) {
			t.Errorf("table %d: %q, want %q", table, rows, want)
		}
	}
}

// TestSnapshot_truncated: a table that is truncated after the slot was made and
// before it is locked would look empty to the snapshot: it begins anew, with what
// the stream does not have.
func TestSnapshot_truncated(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.event("p-1")
	c := f.control()
	if _, err := f.prepare(c); err != nil {
		t.Fatal(err)
	}
	_, err := c.BeginSnapshot(t.Context(), func(msg string, _ ...any) {
		if msg == "slot created" {
			f.sql(`TRUNCATE outbox`)
			f.event("p-2")
		}
	})
	if !errors.Is(err, replication.ErrSnapshotLost) || !strings.Contains(err.Error(), "truncated") {
		t.Fatal(err)
	}
	c.Close()
	_, s := f.begin()
	if got := f.payloadsOf(s); !slices.Equal(got, []string{"p-2"}) {
		t.Errorf("rows %v", got)
	}
	f.finish(s)
}

// TestSnapshot_order: the rows come in the order of the column, over many fetches.
func TestSnapshot_order(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.config.Snapshot.FetchSize = 7
	f.config.Snapshot.OrderBy = []string{"id"}
	f.sql(`INSERT INTO outbox (id, payload) SELECT n * 7919 % 1009, 'x' FROM generate_series(1, 1008) n`)
	_, s := f.begin()
	_, rows := f.rows(s, 0)
	for i, row := range rows {
		if !strings.HasPrefix(row, fmt.Sprintf("%d|", i+1)) {
			t.Fatalf("row %d is %q", i+1, row)
		}
	}
	if len(rows) != 1008 {
		t.Errorf("%d rows", len(rows))
	}
}

// TestSnapshot_brokenOff: a snapshot that is not finished begins anew, with all
// rows that are there then; the slot stays, so that what was deleted meanwhile is
// not lost.
func TestSnapshot_brokenOff(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.event("p-1")
	f.event("p-2")
	c, s := f.begin()
	made := s.LSN()
	f.event("p-3")
	f.sql(`DELETE FROM outbox WHERE payload = 'p-3'`) // published by the stream alone
	f.event("p-4")
	if _, err := s.Open(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Next(t.Context()); !ok || err != nil {
		t.Fatal(ok, err)
	}
	s.Close()
	c.Close()

	c, s = f.begin()
	f.noted("begins anew")
	if got := f.payloadsOf(s); !slices.Equal(got, []string{"p-1", "p-2", "p-4"}) {
		t.Errorf("rows %v", got)
	}
	if s.LSN() != made || s.Position().Confirmed != made {
		t.Errorf("the slot was made at %s, now %s", made, s.LSN())
	}
	f.finish(s)
	stream := f.stream(s.Position())
	if _, err := c.Confirmed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if streamed, _ := f.receive(stream, "p-4"); !slices.Equal(streamed, []string{"p-3", "p-4"}) {
		t.Errorf("streamed %v", streamed)
	}
}

// TestSnapshot_slow: no timeout of the server ends a snapshot whose reader takes
// his time.
func TestSnapshot_slow(t *testing.T) {
	t.Parallel()
	f := snapshotFixture(t, replication.SnapshotInitial)
	f.config.Snapshot.FetchSize = 1
	f.event("p-1")
	f.event("p-2")
	for _, name := range []string{"idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout", "wal_sender_timeout", "idle_session_timeout", "transaction_timeout"} {
		if f.ask(`SELECT count(*)::text FROM pg_settings WHERE name = $1`, name) == "1" {
			f.sql(`ALTER DATABASE ` + f.config.Slot + ` SET ` + name + ` = '300ms'`)
		}
	}
	_, s := f.begin()
	time.Sleep(time.Second)
	if _, err := s.Open(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		time.Sleep(500 * time.Millisecond)
		if _, ok, err := s.Next(t.Context()); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	f.finish(s)
}

func TestSnapshotConfig(t *testing.T) {
	base := replication.Config{ConnString: "host=h", Slot: "s", Publication: "p", Tables: []replication.Table{{Schema: "public", Name: "outbox"}}}
	for _, c := range []struct {
		snapshot replication.SnapshotConfig
		words    string
	}{
		{replication.SnapshotConfig{}, ""},
		{replication.SnapshotConfig{Mode: "only", FetchSize: 1, OrderBy: []string{"id"}}, ""},
		{replication.SnapshotConfig{Mode: "always"}, "none, initial or only"},
		{replication.SnapshotConfig{FetchSize: -1}, "1 to 1000000"},
		{replication.SnapshotConfig{FetchSize: replication.MaxFetchSize + 1}, "1 to 1000000"},
		{replication.SnapshotConfig{OrderBy: []string{"id", "id"}}, "2 columns for 1 tables"},
	} {
		base.Snapshot = c.snapshot
		text := fmt.Sprint(base.Validate())
		if (c.words == "") != (text == "<nil>") || !strings.Contains(text, c.words) {
			t.Errorf("%+v: %s", c.snapshot, text)
		}
	}
	if diff := cmp.Diff(replication.DefaultFetchSize, 10240); diff != "" {
		t.Error(diff)
	}
}
