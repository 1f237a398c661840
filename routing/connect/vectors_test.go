package connect

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
)

// vector is one line of testdata/vectors.jsonl: a schema, a value, and what the
// converters of Kafka Connect 4.1.0 on Java 17 made of them: hex, null for a null
// part; those that are not named threw, but for string where Java prints a byte[].
type vector struct {
	Schema *vectorSchema      `json:"s"`
	Value  any                `json:"v"`
	Want   map[string]*string `json:"w,omitempty"`
}

// vectorSchema is a Schema in few bytes.
type vectorSchema struct {
	Type       string        `json:"t"`
	Optional   bool          `json:"o,omitempty"`
	Name       string        `json:"n,omitempty"`
	Version    *int32        `json:"v,omitempty"`
	Doc        string        `json:"d,omitempty"`
	Parameters [][2]string   `json:"p,omitempty"`
	Default    any           `json:"def,omitempty"`
	Fields     []vectorField `json:"f,omitempty"`
	Keys       *vectorSchema `json:"k,omitempty"`
	Items      *vectorSchema `json:"i,omitempty"`
	Class      string        `json:"c,omitempty"`
}

type vectorField struct {
	name   string
	schema *vectorSchema
}

func (f vectorField) MarshalJSON() ([]byte, error) { return json.Marshal([]any{f.name, f.schema}) }

func (f *vectorField) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&f.name, &f.schema})
}

var classNames = []string{"", "arr", "dec"}

func (x *vectorSchema) schema() *Schema {
	if x == nil {
		return nil
	}
	s := &Schema{Optional: x.Optional, Name: x.Name, Doc: x.Doc, Items: x.Items.schema(), Keys: x.Keys.schema()}
	for t := Int8; t <= Struct; t++ {
		if t.String() == x.Type {
			s.Type = t
		}
	}
	for i, c := range classNames {
		if c == x.Class {
			s.Class = Class(i)
		}
	}
	if x.Version != nil {
		s.Version, s.HasVersion = *x.Version, true
	}
	for _, p := range x.Parameters {
		s.Parameters = append(s.Parameters, Parameter{p[0], p[1]})
	}
	for _, f := range x.Fields {
		s.Fields = append(s.Fields, Field{f.name, f.schema.schema()})
	}
	if x.Default != nil {
		v := vectorValue(s, x.Default)
		s.Default = &v
	}
	return s
}

// vectorValue reads a value: numbers as decimal text, floating point as its bits
// in hex, strings and bytes in hex.
func vectorValue(s *Schema, x any) Value {
	switch x := x.(type) {
	case nil:
		return Value{Null: true}
	case []any:
		v := Value{Items: make([]Value, len(x))}
		for i := range x {
			v.Items[i] = vectorValue(s.item(i), x[i])
		}
		return v
	case string:
		switch s.Type {
		case Float32:
			u, _ := strconv.ParseUint(x, 16, 32)
			return Value{Float: float64(math.Float32frombits(uint32(u)))}
		case Float64:
			u, _ := strconv.ParseUint(x, 16, 64)
			return Value{Float: math.Float64frombits(u)}
		case String, Bytes:
			b, _ := hex.DecodeString(x)
			return Value{Data: b}
		}
		n, _ := strconv.ParseInt(x, 10, 64)
		return Value{Int: n}
	}
	panic(fmt.Sprintf("vector: %T", x))
}

// converterOf gives the converter that a vector's outcome is of.
func converterOf(t testing.TB, name string) Converter {
	o := Options{Converter: name, NullDefault: true, Java18: true}
	switch name {
	case "json-numeric":
		o = Options{Converter: "json", Decimals: "numeric", Java18: true}
	case "json-schema-numeric":
		o = Options{Converter: "json-schema", Decimals: "numeric", Java18: true}
	}
	c, err := NewConverter(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var vectorConverters = []string{"string", "simple", "json", "json-numeric", "json-schema", "json-schema-numeric",
	"bytes", "int16", "int32", "int64", "float32", "float64", "boolean"}

// differences compares the converters with a vector's outcomes.
func (x *vector) differences(converters map[string]Converter) (d []string) {
	s := x.Schema.schema()
	v := vectorValue(s, x.Value)
	for _, name := range vectorConverters {
		want, named := x.Want[name]
		if name == "string" && !named {
			continue
		}
		got, null, err := converters[name].Append([]byte("-"), s, &v)
		fails := !named
		switch {
		case err != nil:
			if !fails {
				d = append(d, fmt.Sprintf("%s: %v, want %s", name, err, text(want)))
			}
		case fails:
			d = append(d, fmt.Sprintf("%s: %s, want an error", name, got))
		case null != (want == nil):
			d = append(d, fmt.Sprintf("%s: null %v, want %s", name, null, text(want)))
		case !null && hex.EncodeToString(got[1:]) != *want:
			d = append(d, fmt.Sprintf("%s:\n got %s\nwant %s", name, got[1:], text(want)))
		}
		if (err != nil || null) && string(got) != "-" {
			d = append(d, name+": appended something to what is null or failed")
		}
	}
	return d
}

func text(want *string) string {
	if want == nil {
		return "null"
	}
	b, err := hex.DecodeString(*want)
	if err != nil {
		return *want
	}
	return string(b)
}

func allConverters(t testing.TB) map[string]Converter {
	all := map[string]Converter{}
	for _, name := range vectorConverters {
		all[name] = converterOf(t, name)
	}
	return all
}

// TestVectors: the converters give what Kafka Connect gave.
func TestVectors(t *testing.T) {
	file, err := os.Open("testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	converters := allConverters(t)
	n := 0
	for in := json.NewDecoder(file); in.More(); n++ {
		var x vector
		if err := in.Decode(&x); err != nil {
			t.Fatal(err)
		}
		for _, d := range x.differences(converters) {
			t.Errorf("vector %d: %s", n+1, d)
		}
	}
	if n < 300 {
		t.Errorf("%d vectors, want at least 300", n)
	}
}
