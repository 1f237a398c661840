package expand

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/walrelay/walrelay/routing/connect"
)

// answer is what Debezium makes of a document.
type answer struct {
	Is       string `json:"is"` // ok, unchanged, noschema, conflict
	Schema   string `json:"schema"`
	Value    string `json:"value"`
	Unstable bool   `json:"unstable"` // it depends on the order of a HashSet; this is the order of the text

	// What the converters of Kafka Connect on Java 17 make of the record's value,
	// in some documents: nil if they fail.
	String     *string `json:"string"`
	JSON       *string `json:"json"`       // schemas.enable=false
	WithSchema *string `json:"withschema"` // schemas.enable=true
}

// golden is a line of testdata/debezium.jsonl: written by Debezium 3.6.1.Final's
// JsonSchemaData with Jackson 2.19 and Kafka Connect 4.1.0.
type golden struct {
	Names string `json:"names"`
	Text  string `json:"text"`
	Drop  answer `json:"drop"` // null.behavior ignore
	Keep  answer `json:"keep"` // optional_bytes
}

func readGolden(t testing.TB) []golden {
	t.Helper()
	path := "testdata/debezium.jsonl"
	if more := os.Getenv("WALRELAY_EXPAND_GOLDEN"); more != "" {
		path = more // a longer file of the same kind
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []golden
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 256<<20)
	for lines.Scan() {
		var g golden
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAsDebezium(t *testing.T) {
	all := readGolden(t)
	if len(all) < 100 {
		t.Fatalf("only %d documents", len(all))
	}
	var a connect.Arena
	expanders := map[string]*Expander{}
	seen := map[string]int{}
	for _, g := range all {
		for _, keep := range []bool{false, true} {
			want := g.Drop
			if keep {
				want = g.Keep
			}
			id := fmt.Sprint(g.Names, keep)
			if expanders[id] == nil {
				expanders[id] = New(Options{KeepNulls: keep, Names: g.Names})
			}
			seen[want.Is]++
			a.Reset()
			got := ask(expanders[id], g.Text, &a)
			want.Unstable, want.String, want.JSON, want.WithSchema = false, nil, nil, nil
			if got != want {
				t.Errorf("%.2000s\nnames %s, nulls kept %v\n got %+.3000v\nwant %+.3000v", g.Text, g.Names, keep, got, want)
			}
		}
	}
	t.Log(seen)
}

func TestAsDebeziumInBytes(t *testing.T) {
	converters := map[string]connect.Converter{}
	for _, name := range []string{"string", "json", "json-schema"} {
		c, err := connect.NewConverter(connect.Options{Converter: name, NullDefault: true, Java18: true})
		if err != nil {
			t.Fatal(err)
		}
		converters[name] = c
	}
	var a connect.Arena
	compared := 0
	for _, g := range readGolden(t) {
		for keep, want := range map[bool]answer{false: g.Drop, true: g.Keep} {
			if want.Is != "ok" || want.String == nil {
				continue
			}
			compared++
			a.Reset()
			s, v, err := New(Options{KeepNulls: keep, Names: g.Names}).Expand([]byte(g.Text), &a)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]*string{"string": want.String, "json": want.JSON, "json-schema": want.WithSchema} {
				out, null, err := converters[name].Append(nil, s, &v)
				if null || err != nil || string(out) != *want {
					t.Errorf("%s, %s\n got %s, %v\nwant %s", g.Text, name, out, err, *want)
				}
			}
		}
	}
	if compared < 50 {
		t.Fatalf("only %d documents", compared)
	}
}

func ask(x *Expander, text string, a *connect.Arena) answer {
	s, v, err := x.Expand([]byte(text), a)
	var conflict *Conflict
	switch {
	case errors.Is(err, ErrNoSchema):
		return answer{Is: "noschema"}
	case errors.Is(err, ErrUnchanged):
		return answer{Is: "unchanged"}
	case errors.As(err, &conflict):
		return answer{Is: "conflict"}
	}
	var schema, value strings.Builder
	dumpSchema(&schema, s)
	dumpValue(&value, s, &v)
	return answer{Is: "ok", Schema: schema.String(), Value: value.String()}
}

func dumpString(b *strings.Builder, s string) {
	b.WriteByte('<')
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 && len(s) >= 3 { // half of a surrogate pair
			r, size = rune(s[0]&0x0F)<<12|rune(s[1]&0x3F)<<6|rune(s[2]&0x3F), 3
		}
		s = s[size:]
		if r > ' ' && r < 127 && r != '<' && r != '>' && r != '%' {
			b.WriteByte(byte(r))
			continue
		}
		units := []rune{r}
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			units = []rune{high, low}
		}
		for _, u := range units {
			fmt.Fprintf(b, "%%%04x", u)
		}
	}
	b.WriteByte('>')
}

func dumpSchema(b *strings.Builder, s *connect.Schema) {
	b.WriteString(map[connect.Type]string{
		connect.Int32: "int32", connect.Int64: "int64", connect.Float64: "float64", connect.Boolean: "boolean",
		connect.String: "string", connect.Bytes: "bytes", connect.Array: "array", connect.Struct: "struct",
	}[s.Type])
	if s.Optional {
		b.WriteByte('?')
	}
	switch s.Type {
	case connect.Array:
		b.WriteByte('(')
		dumpSchema(b, s.Items)
		b.WriteByte(')')
	case connect.Struct:
		if s.Name == "" {
			b.WriteByte('~')
		} else {
			dumpString(b, s.Name)
		}
		b.WriteByte('{')
		for _, f := range s.Fields {
			dumpString(b, f.Name)
			b.WriteByte(':')
			dumpSchema(b, f.Schema)
			b.WriteByte(';')
		}
		b.WriteByte('}')
	}
}

func dumpValue(b *strings.Builder, s *connect.Schema, v *connect.Value) {
	if v.Null {
		b.WriteByte('N')
		return
	}
	switch s.Type {
	case connect.Array:
		b.WriteByte('[')
		for i := range v.Items {
			dumpValue(b, s.Items, &v.Items[i])
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case connect.Struct:
		b.WriteByte('{')
		for i := range v.Items {
			dumpValue(b, s.Fields[i].Schema, &v.Items[i])
			b.WriteByte(';')
		}
		b.WriteByte('}')
	case connect.String:
		dumpString(b, string(v.Data))
	case connect.Int32:
		b.WriteString("i" + strconv.FormatInt(v.Int, 10))
	case connect.Int64:
		b.WriteString("l" + strconv.FormatInt(v.Int, 10))
	case connect.Boolean:
		b.WriteString(map[int64]string{0: "F", 1: "T"}[v.Int])
	case connect.Float64:
		b.WriteString("d" + strconv.FormatUint(math.Float64bits(v.Float), 16))
	}
}
