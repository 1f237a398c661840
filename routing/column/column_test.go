package column_test

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
)

func codec(t testing.TB, c column.Column, m column.Modes) *column.Codec {
	t.Helper()
	codec, err := column.New(c, m)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// TestUnmapped tells what Debezium does not capture from modes that are none.
func TestUnmapped(t *testing.T) {
	_, err := column.New(column.Column{Name: "q", OID: 3615, Mod: -1}, column.Modes{})
	var unmapped *column.Unmapped
	if !errors.As(err, &unmapped) || unmapped.Column != "q" || unmapped.Type != "tsquery" {
		t.Errorf("tsquery: %v", err)
	}
	for _, m := range []column.Modes{{Decimal: "exact"}, {Time: "seconds"}, {Interval: "iso"}, {Binary: "raw"}, {HStore: "text"}, {MoneyDigits: -1}} {
		if _, err := column.New(column.Column{Name: "i", OID: 23, Mod: -1}, m); err == nil || errors.As(err, &unmapped) {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

// TestWithoutCatalog: the Relation message alone does for PostgreSQL's own types.
func TestWithoutCatalog(t *testing.T) {
	for _, r := range readRecorded(t) {
		if r.OID >= 16384 || r.Element != nil && r.Element.OID >= 16384 || r.Domain != "" || r.Unmapped || r.NotNull || r.Default != "" {
			continue
		}
		switch r.Name { // types that Debezium does not know are alike
		case "int4multirange", "jsonpath", "pg_lsn", "pg_snapshot", "regclass", "regtype", "tid", "cid", "txid_snapshot", "xid", "xid8", "_int4multirange":
			continue
		}
		whole, relation := codec(t, r.column(), r.modes(t)), codec(t, column.Column{Name: "c", OID: r.OID, Mod: r.Mod}, r.modes(t))
		if !connect.Equal(whole.Schema(), relation.Schema()) || whole.Plain() != relation.Plain() {
			t.Errorf("%s: %s without catalog", r, schemaJSON(relation.Schema()))
		}
	}
}

// TestErrorsAreQuiet: an error names the column and never the value.
func TestErrorsAreQuiet(t *testing.T) {
	for oid, text := range map[uint32]string{23: "secret", 1700: "secret", 1114: "secret", 1186: "5 secret", 17: `\xsecret`, 1007: "{secret}", 600: "(secret)"} {
		_, err := codec(t, column.Column{Name: "c", OID: oid, Mod: -1}, column.Modes{}).Read([]byte(text), new(connect.Arena))
		var unconvertible *connect.Unconvertible
		if !errors.As(err, &unconvertible) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), `column "c"`) {
			t.Errorf("%d: %v", oid, err)
		}
	}
}

// TestTimestampsAgainstTime compares with package time, which has the proleptic
// Gregorian calendar too.
func TestTimestampsAgainstTime(t *testing.T) {
	micros := codec(t, column.Column{OID: 1114, Mod: -1}, column.Modes{})
	zoned := codec(t, column.Column{OID: 1184, Mod: -1}, column.Modes{})
	days := codec(t, column.Column{OID: 1082, Mod: -1}, column.Modes{})
	var a connect.Arena
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		a.Reset()
		at := time.UnixMicro(random.Int64N(3e17) - 6e16).UTC() // years 68 to 9575 and so on
		year, era := at.Year(), ""
		if year <= 0 {
			year, era = 1-year, " BC"
		}
		text := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006") + at.Format("-01-02 15:04:05.999999")
		v, err := micros.Read([]byte(text+era), &a)
		if err != nil || v.Int != at.UnixMicro() {
			t.Fatalf("%s: %d, %v; want %d", text+era, v.Int, err, at.UnixMicro())
		}
		v, err = days.Read([]byte(text[:10]+era), &a)
		if want := at.Truncate(0).Unix(); err != nil || v.Int*86400 > want || v.Int*86400 <= want-86400 {
			t.Fatalf("%s: %d, %v", text[:10]+era, v.Int, err)
		}
		if at.Year() < 0 {
			continue
		}
		offset := random.IntN(27) - 13
		local := at.Add(time.Duration(offset) * time.Hour)
		if local.Year() < 1 {
			continue
		}
		text = local.Format("2006-01-02 15:04:05.999999") + at.In(time.FixedZone("", offset*3600)).Format("-07")
		v, err = zoned.Read([]byte(text), &a)
		if want := at.Format("2006-01-02T15:04:05.000000Z"); err != nil || string(v.Data) != want {
			t.Fatalf("%s: %s, %v; want %s", text, v.Data, err, want)
		}
	}
}

// TestDecimalsAgainstBig compares with math/big: the bytes are the shortest two's
// complement of the unscaled value.
func TestDecimalsAgainstBig(t *testing.T) {
	c := codec(t, column.Column{OID: 1700, Mod: 1000<<16 + 3 + 4}, column.Modes{})
	var a connect.Arena
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 20000 {
		a.Reset()
		raw := make([]byte, 1+i%25)
		for j := range raw {
			raw[j] = byte(random.Uint32())
		}
		want := new(big.Int).SetBytes(raw)
		if i > 19990 {
			want.Exp(big.NewInt(7), big.NewInt(int64(i-18000)), nil)
		}
		digits := want.String()
		for len(digits) < 4 {
			digits = "0" + digits
		}
		text := digits[:len(digits)-3] + "." + digits[len(digits)-3:]
		if i%2 == 0 {
			text, want = "-"+text, want.Neg(want)
		}
		v, err := c.Read([]byte(text), &a)
		if err != nil || signed(v.Data).Cmp(want) != 0 {
			t.Fatalf("%s: %x, %v", text, v.Data, err)
		}
		if n := len(v.Data); n > 1 && (v.Data[0] == 0 && v.Data[1] < 0x80 || v.Data[0] == 0xff && v.Data[1] >= 0x80) {
			t.Fatalf("%s: %x is not the shortest", text, v.Data)
		}
	}
}

// signed reads two's complement.
func signed(data []byte) *big.Int {
	v := new(big.Int).SetBytes(data)
	if len(data) > 0 && data[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
	}
	return v
}
