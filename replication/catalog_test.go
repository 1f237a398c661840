package replication_test

import (
	"reflect"
	"testing"

	"github.com/walrelay/walrelay/replication"
)

// TestColumns looks at every kind of type, at domains and defaults, and compares
// whole descriptions, but for OIDs that differ from database to database.
func TestColumns(t *testing.T) {
	f := newFixture(t, superuser)
	f.script(`CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok');
ALTER TYPE app.mood ADD VALUE 'happy' BEFORE 'it''s ok';
CREATE DOMAIN app.short AS varchar(5) NOT NULL;
CREATE DOMAIN app.shorter AS app.short;
CREATE DOMAIN app.amounts AS numeric(6,2)[];
CREATE TYPE app.pair AS (a int, b text);
CREATE TABLE app."Out box" (
	gone int, id uuid DEFAULT gen_random_uuid(), "Weird ""name" text NOT NULL DEFAULT 'it''s' || ' x', n numeric(10,2), t timestamptz(3) DEFAULT '2024-01-02 03:04:05+02',
	i interval DEFAULT '1 day 02:00', by bytea DEFAULT '\x00ff', m app.mood DEFAULT 'happy', ms app.mood[], s app.short, ss app.shorter, am app.amounts, sa app.short[], p app.pair, r int4range, v int2vector,
	seq int NOT NULL, PRIMARY KEY (seq, id) INCLUDE (n));
ALTER TABLE app."Out box" DROP COLUMN gone;`)
	mood := []string{"sad", "happy", "it's ok"}
	want := []replication.CatalogColumn{
		{Name: "id", OID: 2950, Mod: -1, TypeName: "uuid", Kind: 'b', NotNull: true, Default: "gen_random_uuid()", KeyPosition: 2},
		{Name: `Weird "name`, OID: 25, Mod: -1, TypeName: "text", Kind: 'b', NotNull: true, Default: "('it''s'::text || ' x'::text)"},
		{Name: "n", OID: 1700, Mod: 10<<16 + 2 + 4, TypeName: "numeric", Kind: 'b'},
		{Name: "t", OID: 1184, Mod: 3, TypeName: "timestamptz", Kind: 'b', Default: "'2024-01-02 01:04:05+00'::timestamp with time zone"},
		{Name: "i", OID: 1186, Mod: -1, TypeName: "interval", Kind: 'b', Default: "'1 day 02:00:00'::interval"},
		{Name: "by", OID: 17, Mod: -1, TypeName: "bytea", Kind: 'b', Default: `'\x00ff'::bytea`},
		{Name: "m", Mod: -1, TypeName: "mood", Kind: 'e', Labels: mood, Default: "'happy'::app.mood"},
		{Name: "ms", Mod: -1, TypeName: "_mood", Kind: 'b', Element: &replication.CatalogColumn{Mod: -1, TypeName: "mood", Kind: 'e', Labels: mood}},
		{Name: "s", Domain: "short", OID: 1043, Mod: 9, TypeName: "varchar", Kind: 'b', NotNull: true},
		{Name: "ss", Domain: "shorter", OID: 1043, Mod: 9, TypeName: "varchar", Kind: 'b'},
		{Name: "am", Domain: "amounts", OID: 1231, Mod: 6<<16 + 2 + 4, TypeName: "_numeric", Kind: 'b', Element: &replication.CatalogColumn{OID: 1700, Mod: -1, TypeName: "numeric", Kind: 'b'}},
		{Name: "sa", Mod: -1, TypeName: "_short", Kind: 'b', Element: &replication.CatalogColumn{Mod: -1, TypeName: "short", Kind: 'd'}},
		{Name: "p", Mod: -1, TypeName: "pair", Kind: 'c'},
		{Name: "r", OID: 3904, Mod: -1, TypeName: "int4range", Kind: 'r'},
		{Name: "v", OID: 22, Mod: -1, TypeName: "int2vector", Kind: 'b', Element: &replication.CatalogColumn{OID: 21, Mod: -1, TypeName: "int2", Kind: 'b'}},
		{Name: "seq", OID: 23, Mod: -1, TypeName: "int4", Kind: 'b', NotNull: true, KeyPosition: 1},
	}
	// The role may see nothing of the schema, and its defaults would change the text of defaults.
	role := f.role("REPLICATION")
	f.sql(`ALTER ROLE "` + role + `" SET DateStyle = 'German'`)
	f.sql(`ALTER ROLE "` + role + `" SET IntervalStyle = 'iso_8601'`)
	f.sql(`ALTER ROLE "` + role + `" SET TimeZone = 'Asia/Tokyo'`)
	f.sql(`REVOKE ALL ON SCHEMA app FROM public`)
	f.config.ConnString = connString(t, superuser, f.config.Slot, role)
	got, err := f.control().Columns(t.Context(), "app", "Out box")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d columns, want %d: %+v", len(got), len(want), got)
	}
	for i := range got {
		name := got[i].Name
		if d := got[i].Declared; d == 0 || (d == got[i].OID) == (got[i].Domain != "") {
			t.Errorf("%s: declared as %d, beneath it %d", name, d, got[i].OID)
		}
		forget(&got[i], &want[i])
		if e := got[i].Element; e != nil && want[i].Element != nil {
			forget(e, want[i].Element)
		}
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s:\n got %+v %+v\nwant %+v %+v", name, got[i], got[i].Element, want[i], want[i].Element)
		}
	}
}

// forget takes off what want does not name: OIDs of the database's own types,
// and the difference between no labels and none.
func forget(got, want *replication.CatalogColumn) {
	got.Declared = 0
	if want.OID == 0 && got.OID >= 16384 {
		got.OID = 0
	}
	if len(got.Labels) == 0 {
		got.Labels = nil
	}
}

func TestColumnsKey(t *testing.T) {
	f := newFixture(t, superuser)
	f.script(`CREATE TABLE unique_only (a int, b int, c int, d int);
CREATE UNIQUE INDEX a_expression ON unique_only (d, (c + 1));
CREATE UNIQUE INDEX b_first ON unique_only (c, a) INCLUDE (b);
CREATE UNIQUE INDEX c_second ON unique_only (b);
CREATE TABLE keyless (a int);
CREATE INDEX ON keyless (a);`)
	c := f.control()
	for table, want := range map[string][]int{"unique_only": {2, 0, 1, 0}, "keyless": {0}, "absent": nil} {
		columns, err := c.Columns(t.Context(), "public", table)
		if err != nil {
			t.Errorf("%s: %v", table, err)
		}
		var got []int
		for _, column := range columns {
			got = append(got, column.KeyPosition)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: key positions %v, want %v", table, got, want)
		}
	}
}
