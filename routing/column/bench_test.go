package column_test

import (
	"testing"

	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
)

// scalars are columns of one value, with a text for each.
var scalars = []struct {
	name  string
	c     column.Column
	modes column.Modes
	text  string
}{
	{"text", column.Column{OID: 25, Mod: -1}, column.Modes{}, "some text"},
	{"bool", column.Column{OID: 16, Mod: -1}, column.Modes{}, "t"},
	{"int8", column.Column{OID: 20, Mod: -1}, column.Modes{}, "-1234567890123"},
	{"float8", column.Column{OID: 701, Mod: -1}, column.Modes{}, "2.2250738585072014e-308"},
	{"numeric(10,2)", column.Column{OID: 1700, Mod: 10<<16 + 2 + 4}, column.Modes{}, "12345.60"},
	{"numeric", column.Column{OID: 1700, Mod: -1}, column.Modes{}, "1.2345678901234567890123456789"},
	{"numeric string", column.Column{OID: 1700, Mod: -1}, column.Modes{Decimal: "string"}, "12345.60"},
	{"numeric double", column.Column{OID: 1700, Mod: -1}, column.Modes{Decimal: "double"}, "12345.60"},
	{"money", column.Column{OID: 790, Mod: -1}, column.Modes{MoneyDigits: 1}, "-$1,234.99"},
	{"bytea", column.Column{OID: 17, Mod: -1}, column.Modes{}, `\xdeadbeef`},
	{"bytea base64", column.Column{OID: 17, Mod: -1}, column.Modes{Binary: "base64"}, `\xdeadbeef`},
	{"varbit", column.Column{OID: 1562, Mod: -1}, column.Modes{}, "1010101010101"},
	{"date", column.Column{OID: 1082, Mod: -1}, column.Modes{}, "2024-02-29"},
	{"time", column.Column{OID: 1083, Mod: -1}, column.Modes{}, "12:34:56.789123"},
	{"timetz", column.Column{OID: 1266, Mod: -1}, column.Modes{}, "12:34:56.789123+02"},
	{"timestamp", column.Column{OID: 1114, Mod: -1}, column.Modes{}, "2024-02-29 12:34:56.789123"},
	{"timestamp iso", column.Column{OID: 1114, Mod: -1}, column.Modes{Time: "isostring"}, "2024-02-29 12:34:56.789123"},
	{"timestamptz", column.Column{OID: 1184, Mod: -1}, column.Modes{}, "2024-02-29 12:34:56.789123+02"},
	{"interval", column.Column{OID: 1186, Mod: -1}, column.Modes{}, "1 year 2 mons -3 days 04:05:06.7"},
	{"interval iso", column.Column{OID: 1186, Mod: -1}, column.Modes{Interval: "string"}, "1 year 2 mons -3 days 04:05:06.7"},
	{"point", column.Column{OID: 600, Mod: -1}, column.Modes{}, "(1.5,2)"},
	{"int4[]", column.Column{OID: 1007, Mod: -1}, column.Modes{}, "{1,2,NULL,4,5,6,7,8}"},
	{"text[]", column.Column{OID: 1009, Mod: -1}, column.Modes{}, `{a,"b c","d\"e",NULL}`},
}

func BenchmarkRead(b *testing.B) {
	for _, s := range scalars {
		b.Run(s.name, func(b *testing.B) {
			c, text := codec(b, s.c, s.modes), []byte(s.text)
			var a connect.Arena
			b.ReportAllocs()
			for b.Loop() {
				a.Reset()
				if _, err := c.Read(text, &a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestReadDoesNotAllocate in the steady state.
func TestReadDoesNotAllocate(t *testing.T) {
	for _, s := range scalars {
		c, text := codec(t, s.c, s.modes), []byte(s.text)
		var a connect.Arena
		if n := testing.AllocsPerRun(100, func() {
			a.Reset()
			if v, err := c.Read(text, &a); err != nil || v.Null {
				t.Fatal(s.name, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}
