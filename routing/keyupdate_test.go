package routing_test

import (
	"testing"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/routing/column"
)

// Keys are compared by their values, as Java's equals does, not by their texts.
func TestKeyChanged_values(t *testing.T) {
	const numeric, float8, interval, uuid = 1700, 701, 1186, 2950
	for _, c := range []struct {
		name     string
		oid      uint32
		types    column.Modes
		old, now string
		want     bool
	}{
		{"trailing zeros are not part of a numeric", numeric, column.Modes{}, "1.0", "1.00", false},
		{"another numeric", numeric, column.Modes{}, "1.0", "1.01", true},
		{"as text they differ", numeric, column.Modes{Decimal: "string"}, "1.0", "1.00", true},
		{"as doubles they do not", numeric, column.Modes{Decimal: "double"}, "1.0", "1.00", false},
		{"NaN is itself", float8, column.Modes{}, "NaN", "NaN", false},
		{"zero has a sign in Java", float8, column.Modes{}, "0", "-0", true},
		{"intervals are microseconds", interval, column.Modes{}, "24:00:00", "1 day", false},
		{"or texts", interval, column.Modes{Interval: "string"}, "24:00:00", "1 day", true},
		{"uuid", uuid, column.Modes{}, "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002", true},
		{"not sent of the old row", numeric, column.Modes{}, "", "1", true},
	} {
		r := router(t, routing.Rules{KeyUpdates: true, Types: c.types})
		rel := decoding.Relation{Namespace: "public", Name: "outbox", Columns: []decoding.Column{{Name: "id", OID: c.oid, Mod: -1}}}
		if err := r.Bind(&rel, []column.Column{{Name: "id", OID: c.oid, Mod: -1, Kind: 'b', NotNull: true, KeyPosition: 1, FromCatalog: true}}); err != nil {
			t.Fatal(err)
		}
		e := decoding.Event{
			Row: []decoding.Value{{OID: c.oid, Data: []byte(c.now)}},
			Old: []decoding.Value{{OID: c.oid, Data: []byte(c.old), Null: c.old == ""}},
		}
		if got := r.KeyChanged(&e); got != c.want {
			t.Errorf("%s: %q becomes %q: changed is %t", c.name, c.old, c.now, got)
		}
	}
}
