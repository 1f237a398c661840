package expand

import (
	"errors"
	"testing"

	"github.com/walrelay/walrelay/routing/connect"
)

// fits tells whether v is a value of s.
func fits(s *connect.Schema, v *connect.Value) bool {
	if v.Null {
		return s.Optional
	}
	switch s.Type {
	case connect.Struct:
		if len(v.Items) != len(s.Fields) {
			return false
		}
		for i := range v.Items {
			if !fits(s.Fields[i].Schema, &v.Items[i]) {
				return false
			}
		}
	case connect.Array:
		for i := range v.Items {
			if !fits(s.Items, &v.Items[i]) {
				return false
			}
		}
	case connect.Int32:
		return v.Int == int64(int32(v.Int))
	case connect.Bytes:
		return false // null only
	}
	return true
}

func FuzzExpand(f *testing.F) {
	for i, g := range readGolden(f) {
		if i%4 == 0 {
			f.Add([]byte(g.Text), i%3 == 0, uint8(i%3))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, keep bool, names uint8) {
		x := New(Options{KeepNulls: keep, Names: []string{"none", "avro", "avro_unicode"}[names%3]})
		var a connect.Arena
		for range 2 {
			s, v, err := x.Expand(text, &a)
			var conflict *Conflict
			switch {
			case errors.Is(err, ErrUnchanged), errors.As(err, &conflict):
				if s != nil {
					t.Fatal("a schema beside an error")
				}
			case err != nil:
				t.Fatal(err)
			case s.Type != connect.Struct || !fits(s, &v):
				t.Fatal("the value does not fit its schema")
			}
		}
	})
}
