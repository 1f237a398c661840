package column_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
)

// recorded is one column of testdata/types.jsonl: what the value converters of
// Debezium 3.6.1.Final made of it, fed by PgOutputColumnValue and the catalog of
// a PostgreSQL 15, in a JVM of version 17 in UTC.
type recorded struct {
	Type         string // as in CREATE TABLE
	OID          uint32
	Mod          int32
	Name, Kind   string
	Domain       string
	Labels       []string
	Element      *recorded
	NotNull      bool
	Default      string
	Modes        map[string]string
	Unmapped     bool
	Schema       json.RawMessage
	DefaultValue string
	Rows         [][2]string // PostgreSQL's text, dump of the value
	Malformed    [][2]string // the same of texts that PostgreSQL does not write
}

func (r *recorded) column() column.Column {
	c := column.Column{
		Name: "c", OID: r.OID, Mod: r.Mod, TypeName: r.Name, Kind: r.Kind[0], Domain: r.Domain,
		Labels: r.Labels, NotNull: r.NotNull, Default: r.Default, FromCatalog: true,
	}
	if r.Element != nil {
		element := r.Element.column()
		c.Element = &element
	}
	return c
}

func (r *recorded) modes(t testing.TB) column.Modes {
	m := column.Modes{MoneyDigits: 2, Java18: true}
	for option, word := range r.Modes {
		switch option {
		case "decimal.handling.mode":
			m.Decimal = word
		case "time.precision.mode":
			m.Time = word
		case "interval.handling.mode":
			m.Interval = word
		case "binary.handling.mode":
			m.Binary = word
		case "hstore.handling.mode":
			m.HStore = word
		case "include.unknown.datatypes":
			m.Unknown = word == "true"
		case "money.fraction.digits":
			m.MoneyDigits, _ = strconv.Atoi(word)
		default:
			t.Fatalf("option %s", option)
		}
	}
	return m
}

func (r *recorded) String() string {
	s := fmt.Sprint(r.Type, " ", r.Modes)
	if r.NotNull {
		s += " not null"
	}
	if r.Default != "" {
		s += " default " + r.Default
	}
	return s
}

func readRecorded(t testing.TB) (all []*recorded) {
	t.Helper()
	f, err := os.Open("testdata/types.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, &r)
	}
	if lines.Err() != nil || len(all) < 1000 {
		t.Fatalf("%d columns: %v", len(all), lines.Err())
	}
	return all
}

func TestRecorded(t *testing.T) {
	for _, r := range readRecorded(t) {
		codec, err := column.New(r.column(), r.modes(t))
		if r.Unmapped {
			if err == nil {
				t.Errorf("%s: captured", r)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", r, err)
			continue
		}
		schema := codec.Schema()
		if got, want := schemaJSON(schema), compact(t, r.Schema); got != want {
			t.Errorf("%s: schema\n got %s\nwant %s", r, got, want)
		}
		got := ""
		if schema.Default != nil {
			got = dump(schema, schema.Default)
		}
		if got != r.DefaultValue {
			t.Errorf("%s: default %q, want %q", r, got, r.DefaultValue)
		}
		var a connect.Arena
		for _, row := range r.Rows {
			a.Reset()
			v, err := codec.Read([]byte(row[0]), &a)
			if !matches(schema, &v, err, row[1]) {
				t.Errorf("%s: %q\n got %s, %v\nwant %s", r, row[0], dump(schema, &v), err, row[1])
			}
			if codec.Plain() && row[1] != "s"+quoted(row[0]) && row[1] != "i"+row[0] {
				t.Errorf("%s: plain, but %q becomes %s", r, row[0], row[1])
			}
		}
		// Debezium is lenient with what PostgreSQL never writes. What is accepted
		// here has to become the same.
		for _, row := range r.Malformed {
			a.Reset()
			v, err := codec.Read([]byte(row[0]), &a)
			if err == nil && !matches(schema, &v, err, row[1]) {
				t.Errorf("%s: malformed %q\n got %s\nwant %s", r, row[0], dump(schema, &v), row[1])
			}
		}
	}
}

// matches compares with a dump. "!resolve" fails Debezium's task, "!warn" is
// logged and becomes null; "unstable" is different in every run.
func matches(s *connect.Schema, v *connect.Value, err error, want string) bool {
	switch want {
	case "!resolve":
		return err != nil
	case "!warn":
		return err == nil && v.Null
	case "unstable":
		return err == nil
	}
	return err == nil && dump(s, v) == want
}

func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var any any
	if err := json.Unmarshal(raw, &any); err != nil {
		t.Fatal(err)
	}
	out, _ := json.Marshal(any)
	return string(out)
}

// schemaJSON is the schema as JsonConverter writes it, with sorted keys.
func schemaJSON(s *connect.Schema) string {
	out, _ := json.Marshal(schemaMap(s))
	return string(out)
}

var typeNames = map[connect.Type]string{
	connect.Int8: "int8", connect.Int16: "int16", connect.Int32: "int32", connect.Int64: "int64",
	connect.Float32: "float", connect.Float64: "double", connect.Boolean: "boolean", connect.String: "string",
	connect.Bytes: "bytes", connect.Array: "array", connect.Map: "map", connect.Struct: "struct",
}

func schemaMap(s *connect.Schema) map[string]any {
	m := map[string]any{"type": typeNames[s.Type], "optional": s.Optional}
	if s.Name != "" {
		m["name"] = s.Name
	}
	if s.HasVersion {
		m["version"] = s.Version
	}
	if s.Doc != "" {
		m["doc"] = s.Doc
	}
	if len(s.Parameters) > 0 {
		parameters := map[string]string{}
		for _, p := range s.Parameters {
			parameters[p.Name] = p.Value
		}
		m["parameters"] = parameters
	}
	switch s.Type {
	case connect.Array:
		m["items"] = schemaMap(s.Items)
	case connect.Map:
		m["keys"], m["values"] = schemaMap(s.Keys), schemaMap(s.Items)
	case connect.Struct:
		var fields []any
		for _, f := range s.Fields {
			field := schemaMap(f.Schema)
			field["field"] = f.Name
			fields = append(fields, field)
		}
		m["fields"] = fields
	}
	return m
}

func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}

// dump writes a value with a letter for its Java class.
func dump(s *connect.Schema, v *connect.Value) string {
	if v.Null {
		return "null"
	}
	switch s.Type {
	case connect.Int8, connect.Int16, connect.Int32, connect.Int64, connect.Boolean:
		return "i" + strconv.FormatInt(v.Int, 10)
	case connect.Float32, connect.Float64:
		f := v.Float
		if math.IsNaN(f) {
			return "f7ff8000000000000"
		}
		return "f" + strconv.FormatUint(math.Float64bits(f), 16)
	case connect.String:
		return "s" + quoted(string(v.Data))
	case connect.Bytes:
		return map[connect.Class]string{connect.ByteBuffer: "b", connect.ByteArray: "a", connect.BigDecimal: "d"}[s.Class] + hex.EncodeToString(v.Data)
	}
	var parts []string
	switch s.Type {
	case connect.Array:
		for i := range v.Items {
			parts = append(parts, dump(s.Items, &v.Items[i]))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case connect.Map:
		for i := 0; i < len(v.Items); i += 2 {
			parts = append(parts, dump(s.Keys, &v.Items[i])+"="+dump(s.Items, &v.Items[i+1]))
		}
		return "<" + strings.Join(parts, ",") + ">"
	}
	for i, f := range s.Fields {
		parts = append(parts, dump(f.Schema, &v.Items[i]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}
