package connect

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func bytesOf(b64 string) []byte {
	b, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		panic(err)
	}
	return b
}

var (
	optionalInt    = &Schema{Type: Int32, Optional: true}
	optionalString = &Schema{Type: String, Optional: true}
	variableScale  = &Schema{Type: Struct, Optional: true, Name: "io.debezium.data.VariableScaleDecimal", Version: 1, HasVersion: true,
		Doc: "Variable scaled decimal", Fields: []Field{{"scale", &Schema{Type: Int32}}, {"value", &Schema{Type: Bytes, Class: ByteArray}}}}
	point = &Schema{Type: Struct, Optional: true, Name: "io.debezium.data.geometry.Point", Version: 1, HasVersion: true,
		Doc: "Geometry (POINT)", Fields: []Field{{"x", &Schema{Type: Float64}}, {"y", &Schema{Type: Float64}},
			{"wkb", &Schema{Type: Bytes, Optional: true, Class: ByteArray}}, {"srid", optionalInt}}}
	numeric = &Schema{Type: Bytes, Class: BigDecimal, Optional: true, Name: decimalName, Version: 1, HasVersion: true,
		Parameters: []Parameter{{"scale", "2"}, {"connect.decimal.precision", "10"}}}
	defaulted = &Schema{Type: Int32, Optional: true, Default: &Value{Int: 5}}
	payload   = &Schema{Type: String, Optional: true, Name: "io.debezium.data.Json", Version: 1, HasVersion: true}
	envelope  = &Schema{Type: Struct, Name: "fx.public.outbox.order.Value", Fields: []Field{
		{"payload", payload}, {"di", defaulted}, {"e_xn", numeric}, {"e_xnn", variableScale}, {"e_xpt", point},
		{"e_xarr", &Schema{Type: Array, Optional: true, Items: optionalInt}}}}
)

func envelopeValue() *Value {
	return &Value{Items: []Value{
		{Data: []byte(`{"a": 1}`)}, {Null: true}, {Data: bytesOf("EtaA")},
		{Items: []Value{{Int: 28}, {Data: bytesOf("J+QbMka+ybFuOYEV")}}},
		{Items: []Value{{Float: 1.5}, {Float: 2}, {Data: bytesOf("AQEAAAAAAAAAAAD4PwAAAAAAAABA")}, {Null: true}}},
		{Items: []Value{{Int: 1}, {Int: 2}, {Null: true}}},
	}}
}

// TestRecorded: what Debezium's records hold.
func TestRecorded(t *testing.T) {
	for _, c := range []struct {
		converter string
		schema    *Schema
		value     *Value
		want      string
	}{
		{"simple", optionalString, &Value{Data: []byte(`tëxt "q" \ b`)}, `tëxt "q" \ b`},
		{"simple", numeric, &Value{Data: bytesOf("EtaA")}, "12345.60"},
		{"simple", variableScale, &envelopeValue().Items[3], `{"scale":28,"value":"J+QbMka+ybFuOYEV"}`},
		{"simple", point, &envelopeValue().Items[4], `{"x":1.5,"y":2.0,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAABA","srid":null}`},
		{"simple", &Schema{Type: Array, Items: optionalInt}, &envelopeValue().Items[5], "[1,2,null]"},
		{"simple", &Schema{Type: Array, Items: optionalString}, &Value{Items: []Value{{Data: []byte("a")}, {Data: []byte("b c")}}}, `["a","b c"]`},
		{"simple", &Schema{Type: Bytes}, &Value{Data: []byte("\xde\xad\xbe\xef")}, "3q2+7w=="},
		{"simple", &Schema{Type: Boolean}, &Value{Int: 1}, "true"},
		{"string", &Schema{Type: Bytes}, &Value{Data: []byte{1, 2, 3}}, "java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]"},
		{"string", numeric, &Value{Data: bytesOf("EtaA")}, "12345.60"},
		{"string", &Schema{Type: Float64}, &Value{Float: 2.5e-10}, "2.5E-10"},
		{"string", &Schema{Type: Array, Items: optionalString}, &Value{Items: []Value{{Data: []byte("a")}, {Data: []byte("b c")}, {Null: true}}}, "[a, b c, null]"},
		{"string", envelope, envelopeValue(), `Struct{payload={"a": 1},e_xn=12345.60,e_xnn=Struct{scale=28,value=J+QbMka+ybFuOYEV},` +
			`e_xpt=Struct{x=1.5,y=2.0,wkb=AQEAAAAAAAAAAAD4PwAAAAAAAABA},e_xarr=[1, 2, null]}`},
		{"json", payload, &Value{Data: []byte(`{"a": 1}`)}, `"{\"a\": 1}"`},
		{"json", payload, &Value{Null: true}, "null"},
		{"json-schema", payload, &Value{Null: true},
			`{"schema":{"type":"string","optional":true,"name":"io.debezium.data.Json","version":1},"payload":null}`},
		{"json-schema", &Schema{Type: String}, &Value{Data: []byte("agg-2")}, `{"schema":{"type":"string","optional":false},"payload":"agg-2"}`},
		{"json-schema", envelope, envelopeValue(), `{"schema":{"type":"struct","fields":[` +
			`{"type":"string","optional":true,"name":"io.debezium.data.Json","version":1,"field":"payload"},` +
			`{"type":"int32","optional":true,"default":5,"field":"di"},` +
			`{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"e_xn"},` +
			`{"type":"struct","fields":[{"type":"int32","optional":false,"field":"scale"},{"type":"bytes","optional":false,"field":"value"}],` +
			`"optional":true,"name":"io.debezium.data.VariableScaleDecimal","version":1,"doc":"Variable scaled decimal","field":"e_xnn"},` +
			`{"type":"struct","fields":[{"type":"double","optional":false,"field":"x"},{"type":"double","optional":false,"field":"y"},` +
			`{"type":"bytes","optional":true,"field":"wkb"},{"type":"int32","optional":true,"field":"srid"}],` +
			`"optional":true,"name":"io.debezium.data.geometry.Point","version":1,"doc":"Geometry (POINT)","field":"e_xpt"},` +
			`{"type":"array","items":{"type":"int32","optional":true},"optional":true,"field":"e_xarr"}],` +
			`"optional":false,"name":"fx.public.outbox.order.Value"},` +
			`"payload":{"payload":"{\"a\": 1}","di":5,"e_xn":"EtaA","e_xnn":{"scale":28,"value":"J+QbMka+ybFuOYEV"},` +
			`"e_xpt":{"x":1.5,"y":2.0,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAABA","srid":null},"e_xarr":[1,2,null]}}`},
		{"int64", &Schema{Type: Int64}, &Value{Int: 7}, "\x00\x00\x00\x00\x00\x00\x00\x07"},
		{"binary", &Schema{Type: Bytes}, &Value{Data: []byte("\x00\xff\x10")}, "\x00\xff\x10"},
	} {
		conv, err := NewConverter(Options{Converter: c.converter, NullDefault: true})
		if err != nil {
			t.Fatal(err)
		}
		got, null, err := conv.Append(nil, c.schema, c.value)
		if err != nil || null || string(got) != c.want {
			t.Errorf("%s:\n got %s (null %v, %v)\nwant %s", c.converter, got, null, err, c.want)
		}
	}
}

func TestBinary(t *testing.T) {
	alone, err := NewConverter(Options{Converter: "binary"})
	if err != nil {
		t.Fatal(err)
	}
	delegating, err := NewConverter(Options{Converter: "binary", Delegate: "string"})
	if err != nil {
		t.Fatal(err)
	}
	text, null := &Value{Data: []byte("x")}, &Value{Null: true}
	if _, _, err := alone.Append(nil, optionalString, text); err == nil {
		t.Error("a string goes through without a delegate")
	}
	if _, _, err := alone.Append(nil, optionalString, null); err == nil {
		t.Error("a null string goes through without a delegate")
	}
	if out, isNull, err := alone.Append(nil, &Schema{Type: Bytes}, null); out != nil || !isNull || err != nil {
		t.Errorf("null bytes: %q %v %v", out, isNull, err)
	}
	if _, _, err := alone.Append(nil, numeric, text); err == nil {
		t.Error("a decimal goes through without a delegate")
	}
	if out, _, err := delegating.Append(nil, optionalString, text); string(out) != "x" || err != nil {
		t.Errorf("delegate: %q %v", out, err)
	}
	if out, _, err := delegating.Append(nil, numeric, &Value{Data: []byte{150 - 100}}); string(out) != "0.50" || err != nil {
		t.Errorf("delegate, decimal: %q %v", out, err)
	}
	if _, isNull, err := delegating.Append(nil, optionalString, null); !isNull || err != nil {
		t.Errorf("delegate, null: %v %v", isNull, err)
	}
}

func TestNewConverter(t *testing.T) {
	for _, c := range []struct {
		o    Options
		says string
	}{
		{Options{}, "converter:"},
		{Options{Converter: "avro"}, `"avro"`},
		{Options{Converter: "json", Decimals: "plain"}, "decimals:"},
		{Options{Converter: "binary", Delegate: "binary"}, "delegate:"},
		{Options{Converter: "binary", Delegate: "avro"}, "delegate:"},
	} {
		if _, err := NewConverter(c.o); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want an error with %q", c.o, err, c.says)
		}
	}
}

// TestInvalidText: text that is no UTF-8 does no harm.
func TestInvalidText(t *testing.T) {
	v := &Value{Data: []byte("a\xffb\xed\xa0\x80c\xf0\x9f")}
	for converter, want := range map[string]string{
		"string": "a\xffb?c\xf0\x9f",
		"simple": "a\xffb?c\xf0\x9f",
		"json":   `"a` + "\ufffd" + `b\uD800c` + "\ufffd\ufffd" + `"`,
	} {
		c, _ := NewConverter(Options{Converter: converter})
		if got, _, err := c.Append(nil, optionalString, v); string(got) != want || err != nil {
			t.Errorf("%s: %q (%v), want %q", converter, got, err, want)
		}
	}
}

// nested gives a schema and a value with levels structs or arrays around a number.
func nested(levels int, structs bool) (*Schema, *Value) {
	s, v := &Schema{Type: Int32}, &Value{Int: 1}
	for range levels {
		if structs {
			s = &Schema{Type: Struct, Fields: []Field{{"a", s}}}
		} else {
			s = &Schema{Type: Array, Items: s}
		}
		v = &Value{Items: []Value{*v}}
	}
	return s, v
}

// TestDepth: Jackson writes no more than 1000 levels; the bounds are those that
// Kafka Connect showed.
func TestDepth(t *testing.T) {
	for _, c := range []struct {
		converter string
		structs   bool
		most      int
	}{
		{"json", false, 1000}, {"json", true, 1000}, {"json-schema", false, 998}, {"json-schema", true, 499},
	} {
		conv := converterOf(t, c.converter)
		s, v := nested(c.most, c.structs)
		if _, _, err := conv.Append(nil, s, v); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		s, v = nested(c.most+1, c.structs)
		var bad *Unconvertible
		if out, _, err := conv.Append(nil, s, v); !errors.As(err, &bad) || len(out) != 0 {
			t.Errorf("%+v: one more: %d bytes, %v", c, len(out), err)
		}
	}
}

// TestMalformed: values and schemas that do not fit are errors, never a panic.
func TestMalformed(t *testing.T) {
	for name, c := range allConverters(t) {
		for _, x := range []struct {
			s *Schema
			v Value
		}{
			{nil, Value{}},
			{&Schema{}, Value{}},
			{&Schema{Type: 99}, Value{}},
			{&Schema{Type: Array}, Value{Items: []Value{{}}}},
			{&Schema{Type: Map}, Value{Items: []Value{{}, {}}}},
			{&Schema{Type: Map, Keys: optionalString, Items: optionalInt}, Value{Items: []Value{{}}}},
			{&Schema{Type: Struct, Fields: []Field{{"a", optionalInt}}}, Value{}},
			{&Schema{Type: Struct, Fields: []Field{{"a", nil}}}, Value{Items: []Value{{}}}},
		} {
			var bad *Unconvertible
			if out, _, err := c.Append([]byte("-"), x.s, &x.v); !errors.As(err, &bad) || string(out) != "-" {
				t.Errorf("%s, %+v: %q %v", name, x.s, out, err)
			}
		}
		if strings.HasPrefix(name, "json") {
			continue
		}
		if _, null, err := c.Append(nil, &Schema{Type: Boolean}, &Value{Null: true}); name != "bytes" && (!null || err != nil) {
			t.Errorf("%s, null: %v %v", name, null, err)
		}
	}
	for _, c := range []string{"string", "simple", "json-numeric"} {
		s := &Schema{Type: Bytes, Class: BigDecimal, Name: decimalName}
		if _, _, err := converterOf(t, c).Append(nil, s, &Value{Data: []byte{1}}); err == nil {
			t.Errorf("%s: a decimal without a scale goes through", c)
		}
	}
}

func TestEqual(t *testing.T) {
	g := newGenerator(4)
	for i := range 500 {
		a := newGenerator(uint64(i)).schema(3)
		b := newGenerator(uint64(i)).schema(3)
		if !Equal(a, b) {
			t.Fatalf("%d: two schemas made alike differ", i)
		}
		change(g, b)
		if Equal(a, b) || Equal(b, a) {
			t.Fatalf("%d: a changed schema is equal", i)
		}
	}
	a := &Schema{Type: Int32, Parameters: []Parameter{{"a", "1"}, {"b", "2"}}}
	b := &Schema{Type: Int32, Parameters: []Parameter{{"b", "2"}, {"a", "1"}}}
	if !Equal(a, b) {
		t.Error("the order of parameters counts")
	}
	if Equal(a, nil) || Equal(nil, a) || !Equal(nil, nil) {
		t.Error("nil")
	}
}

// change makes s another schema in one way.
func change(g *generator, s *Schema) {
	for len(s.Fields) > 0 && g.oneIn(2) {
		s = s.Fields[g.IntN(len(s.Fields))].Schema
	}
	switch g.IntN(7) {
	case 0:
		s.Optional = !s.Optional
	case 1:
		s.Name += "x"
	case 2:
		s.HasVersion = !s.HasVersion
	case 3:
		s.Doc += "x"
	case 4:
		s.Parameters = append(s.Parameters, Parameter{"new", "1"})
	case 5:
		s.Fields = append(s.Fields, Field{"new", optionalInt})
	case 6:
		if s.Default == nil {
			s.Default = &Value{Int: 1}
		} else {
			s.Default = nil
		}
	}
}
