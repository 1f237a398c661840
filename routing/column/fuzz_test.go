package column_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
)

// Each target reads any text as columns of one family, in every mode, and checks
// that the value fits its schema. The recorded texts are the seeds.

func FuzzNumbers(f *testing.F) {
	fuzzColumns(f, "bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "money")
}

func FuzzTemporal(f *testing.F) {
	fuzzColumns(f, "date", "time", "timetz", "timestamp", "timestamptz", "interval")
}

func FuzzBinary(f *testing.F) { fuzzColumns(f, "bytea", "bit", "varbit", "box", "circle", "tsquery") }

func FuzzExtensions(f *testing.F) {
	fuzzColumns(f, "hstore", "point", "geometry", "vector", "halfvec", "sparsevec")
}

func FuzzArrays(f *testing.F) {
	fuzzColumns(f, "_int4", "_text", "_numeric", "_date", "_time", "_timetz", "_timestamp", "_timestamptz", "_bytea", "_hstore", "_mood", "_box", "_ltree", "_geometry", "int2vector")
}

func fuzzColumns(f *testing.F, names ...string) {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	codecs := map[string]*column.Codec{}
	for _, r := range readRecorded(f) {
		if !wanted[r.Name] || r.Unmapped {
			continue
		}
		for _, rows := range [][][2]string{r.Rows, r.Malformed} {
			for i, row := range rows {
				if i%4 == 0 {
					f.Add([]byte(row[0]))
				}
			}
		}
		if c := codec(f, r.column(), r.modes(f)); codecs[schemaJSON(c.Schema())+r.Name] == nil {
			codecs[schemaJSON(c.Schema())+r.Name] = c
		}
	}
	if len(codecs) < len(names) {
		f.Fatalf("%d codecs for %q", len(codecs), names)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var a connect.Arena
		before := bytes.Clone(text)
		for _, c := range codecs {
			a.Reset()
			v, err := c.Read(text, &a)
			var unconvertible *connect.Unconvertible
			if err != nil && !errors.As(err, &unconvertible) {
				t.Errorf("%s: %v", schemaJSON(c.Schema()), err)
			}
			if err == nil {
				fits(t, c.Schema(), &v)
			}
		}
		if !bytes.Equal(text, before) {
			t.Error("the text was changed")
		}
	})
}

// fits checks a value against its schema, but for NULL.
func fits(t *testing.T, s *connect.Schema, v *connect.Value) {
	t.Helper()
	if v.Null {
		return
	}
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch s.Type {
	case connect.Int16:
		low, high = math.MinInt16, math.MaxInt16
	case connect.Int32:
		low, high = math.MinInt32, math.MaxInt32
	case connect.Boolean:
		low, high = 0, 1
	case connect.Array:
		for i := range v.Items {
			fits(t, s.Items, &v.Items[i])
		}
	case connect.Map:
		if len(v.Items)%2 != 0 {
			t.Fatalf("a map of %d items", len(v.Items))
		}
		for i := 0; i < len(v.Items); i += 2 {
			fits(t, s.Keys, &v.Items[i])
			fits(t, s.Items, &v.Items[i+1])
		}
	case connect.Struct:
		if len(v.Items) != len(s.Fields) {
			t.Fatalf("a struct of %d fields, not %d", len(v.Items), len(s.Fields))
		}
		for i, f := range s.Fields {
			fits(t, f.Schema, &v.Items[i])
			if v.Items[i].Null && !f.Schema.Optional {
				t.Errorf("field %s is null", f.Name)
			}
		}
	}
	if v.Int < low || v.Int > high {
		t.Errorf("%d in %s", v.Int, schemaJSON(s))
	}
}

// FuzzDefaults reads any expression as the default of columns of all types.
func FuzzDefaults(f *testing.F) {
	var columns []column.Column
	seen := map[string]bool{}
	for _, r := range readRecorded(f) {
		if r.Default != "" {
			f.Add(r.Default)
			if !seen[r.Type] {
				seen[r.Type] = true
				columns = append(columns, r.column())
			}
		}
	}
	f.Fuzz(func(t *testing.T, expression string) {
		for _, c := range columns {
			c.Default = expression
			for _, mode := range []string{"adaptive", "connect", "isostring", "nanoseconds"} {
				codec, err := column.New(c, column.Modes{Time: mode})
				var unmapped *column.Unmapped
				if errors.As(err, &unmapped) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if d := codec.Schema().Default; d != nil {
					fits(t, codec.Schema(), d)
				}
			}
		}
	})
}
