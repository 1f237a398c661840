package expand

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/routing/connect"
)

// tame writes a document of which nothing gets lost but nulls and empty arrays:
// like elements in arrays, objects in arrays with members of one type each and
// nothing nested in them.
func (g generator) tame(depth int) any {
	doc := map[string]any{}
	for i := range g.IntN(5) {
		key := fmt.Sprint(string(rune('a'+i)), g.IntN(3))
		switch n := g.IntN(9); {
		case n == 0 && depth > 0:
			doc[key] = g.tame(depth - 1)
		case n == 1:
			doc[key] = nil
		case n < 6:
			doc[key] = g.scalar(g.IntN(4))
		case n == 6:
			list, of := []any{}, g.IntN(4)
			for range g.IntN(4) {
				list = append(list, g.scalar(of))
			}
			if len(list) > 0 && g.IntN(3) == 0 {
				list = append(list, nil)
			}
			doc[key] = list
		default:
			list := []any{}
			for range g.IntN(4) {
				element := map[string]any{}
				for of := range 4 {
					if g.IntN(2) == 0 {
						element[fmt.Sprint("m", of)] = g.scalar(of)
					}
				}
				list = append(list, element)
			}
			doc[key] = list
		}
	}
	return doc
}

func (g generator) scalar(of int) any {
	switch of {
	case 0:
		return float64(g.IntN(1 << 30))
	case 1:
		return g.Float64() + 0.001
	case 2:
		return strings.Repeat("ä\"\n😀 ", g.IntN(3))
	}
	return g.IntN(2) == 0
}

// bare drops members that are null or an empty array.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, m := range v {
			if list, ok := m.([]any); m == nil || ok && len(list) == 0 {
				continue
			}
			out[k] = bare(m)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = bare(v[i])
		}
		return out
	}
	return v
}

func TestNothingElseGetsLost(t *testing.T) {
	converter, err := connect.NewConverter(connect.Options{Converter: "json"})
	if err != nil {
		t.Fatal(err)
	}
	g := newGenerator(1)
	var a connect.Arena
	for _, keep := range []bool{false, true} {
		x := New(Options{KeepNulls: keep})
		for range 3000 {
			a.Reset()
			doc := g.tame(3)
			text, _ := json.Marshal(doc)
			s, v, err := x.Expand(text, &a)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			out, _, err := converter.Append(nil, s, &v)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			var got any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%s: %s: %v", text, out, err)
			}
			if !reflect.DeepEqual(bare(got), bare(doc)) {
				t.Fatalf("%s\nbecame %s", text, out)
			}
		}
	}
}

// What was expanded before makes no difference, nor does white space.
func TestSameEveryTime(t *testing.T) {
	g := newGenerator(2)
	var a connect.Arena
	for _, o := range []Options{{}, {KeepNulls: true}, {Names: "avro"}, {Names: "avro_unicode", KeepNulls: true}} {
		used := New(o)
		for range 3000 {
			text := g.document()
			a.Reset()
			want := ask(New(o), text, &a)
			if got := ask(used, text, &a); got != want {
				t.Fatalf("%s\nfirst %+v\nlater %+v", text, want, got)
			}
			if !json.Valid([]byte(text)) || text[0] != '{' {
				continue
			}
			var spaced bytes.Buffer
			if err := json.Indent(&spaced, []byte(text), "\r", "\t"); err != nil {
				t.Fatal(err)
			}
			if got := ask(used, strings.TrimSpace(spaced.String()), &a); got != want {
				t.Fatalf("%s\n%+v\nwith white space %+v", text, want, got)
			}
		}
	}
}

func TestPrefixesAreNoDocuments(t *testing.T) {
	g := newGenerator(3)
	x := New(Options{})
	var a connect.Arena
	for range 300 {
		text := g.object(4)
		for n := range len(text) {
			if _, _, err := x.Expand([]byte(text[:n]), &a); !errors.Is(err, ErrUnchanged) {
				t.Fatalf("%s: %v", text[:n], err)
			}
		}
	}
}

func TestLikeDocumentsShareTheirSchema(t *testing.T) {
	x := New(Options{})
	var a connect.Arena
	first, _, err := x.Expand([]byte(`{"a":1,"b":[{"c":"x"},{"d":[1.5]}]}`), &a)
	if err != nil {
		t.Fatal(err)
	}
	same, _, err := x.Expand([]byte(`{"a":7,"b":[{"c":"yy"},{"c":""},{"d":[2e1,3.25]}]}`), &a)
	if err != nil || same != first {
		t.Fatalf("another schema: %v, %v", same, err)
	}
	other, _, err := x.Expand([]byte(`{"a":7,"b":[{"d":[2.5]},{"c":""}]}`), &a)
	if err != nil || other == first {
		t.Fatalf("the same schema for another order: %v", err)
	}
}

func TestField(t *testing.T) {
	var a connect.Arena
	s, _, err := New(Options{Field: "data"}).Expand([]byte(`{"o":{"p":[{"x":{}}]}}`), &a)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	dumpSchema(&b, s)
	if want := "struct?<data>{<o>:struct?<data.o>{<p>:array?(struct?<data.o.p>{<x>:struct?<data.o.p.x>{};});};}"; b.String() != want {
		t.Fatalf("got %s", b.String())
	}
}

// The value's bytes must not be those of scratch that the next document uses.
func TestValuesLastAsLongAsTheArena(t *testing.T) {
	x := New(Options{})
	var a connect.Arena
	s, v, err := x.Expand([]byte(`{"a":"\u0041\n","b":"plain"}`), &a)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := x.Expand([]byte(`{"a":"\u0042\t\t\t\t","b":"other"}`), &a); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	dumpValue(&b, s, &v)
	if b.String() != "{<A%000a>;<plain>;}" {
		t.Fatal(b.String())
	}
}

func TestBounds(t *testing.T) {
	var a connect.Arena
	x := New(Options{})
	var conflict *Conflict

	// Every element lacks what the others have.
	var b strings.Builder
	b.WriteString(`{"a":[`)
	for i := range 4000 {
		fmt.Fprintf(&b, `{"k%d":1},`, i)
	}
	_, _, err := x.Expand([]byte(strings.TrimSuffix(b.String(), ",")+`]}`), &a)
	if !errors.As(err, &conflict) {
		t.Fatalf("many shapes: %v", err)
	}

	// Struct names grow with the square of the depth.
	key := strings.Repeat("k", 1000)
	text := strings.Repeat(`{"`+key+`":`, 900) + "1" + strings.Repeat("}", 900)
	if _, _, err = x.Expand([]byte(text), &a); !errors.As(err, &conflict) {
		t.Fatalf("long names: %v", err)
	}
	if _, _, err = x.Expand([]byte(`{"a":1}`), &a); err != nil {
		t.Fatalf("after that: %v", err)
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                           `expand json: the payload stays a string: it does not begin with { or [, at byte 0`,
		`[]`:                         `expand json: the payload stays a string: an empty array has no schema`,
		`{"a":secret}`:               `expand json: the payload stays a string: a value is missing, at byte 5`,
		`{"a":[1,"x"]}`:              `expand json: the payload stays a string: an array with elements of different types, at byte 8`,
		`[1]`:                        `expand json: an array is not a struct, at byte 0`,
		`{"a":18446744073709551616}`: `expand json: an integer that does not fit 64 bits, at byte 5`,
	} {
		var a connect.Arena
		if _, _, err := New(Options{}).Expand([]byte(text), &a); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}
