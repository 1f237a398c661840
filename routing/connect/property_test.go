package connect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

// TestJSONReadsBack: what json and json-schema write, encoding/json reads as the
// same values and schemas.
func TestJSONReadsBack(t *testing.T) {
	g := newGenerator(9)
	plain := converterOf(t, "json")
	enveloped := converterOf(t, "json-schema")
	read := 0
	for range 5000 {
		s := g.schema(g.IntN(4))
		v := g.value(s)
		out, _, err := plain.Append(nil, s, &v)
		if err != nil {
			continue
		}
		if err := checkValue(s, &v, decode(t, out)); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		both, _, err := enveloped.Append(nil, s, &v)
		if err != nil {
			t.Fatalf("with a schema: %v", err)
		}
		if !bytes.HasSuffix(both, append(append([]byte(`,"payload":`), out...), '}')) {
			t.Fatalf("the payload of %s is not %s", both, out)
		}
		if err := checkSchema(s, decode(t, both).(map[string]any)["schema"], ""); err != nil {
			t.Fatalf("%v in %s", err, both)
		}
		read++
	}
	if read < 3000 {
		t.Errorf("only %d of 5000 could be converted", read)
	}
}

func decode(t *testing.T, text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var x any
	if err := d.Decode(&x); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if d.More() {
		t.Fatalf("more than one value in %s", text)
	}
	return x
}

// checkValue says how x, read from JSON, differs from v.
func checkValue(s *Schema, v *Value, x any) error {
	if v.Null && s.Default != nil {
		v = s.Default
	}
	if v.Null {
		return differ(x == nil, v, x)
	}
	switch s.Type {
	case String:
		return differ(x == string(v.Data), string(v.Data), x)
	case Bytes:
		return differ(x == base64.StdEncoding.EncodeToString(v.Data), v.Data, x)
	case Boolean:
		return differ(x == (v.Int != 0), v.Int, x)
	case Float32, Float64:
		if math.IsNaN(v.Float) || math.IsInf(v.Float, 0) {
			name := strings.TrimPrefix(strings.Replace(fmt.Sprint(v.Float), "Inf", "Infinity", 1), "+")
			return differ(x == name, v.Float, x)
		}
		n, _ := x.(json.Number)
		f, err := strconv.ParseFloat(string(n), map[Type]int{Float32: 32, Float64: 64}[s.Type])
		return differ(err == nil && f == v.Float, v.Float, x)
	case Array:
		return checkItems(s, v.Items, x)
	case Map:
		return checkMap(s, v, x)
	case Struct:
		object, ok := x.(map[string]any)
		if !ok || len(object) != len(s.Fields) {
			return differ(false, v, x)
		}
		for i, f := range s.Fields {
			if err := checkValue(f.Schema, &v.Items[i], object[f.Name]); err != nil {
				return err
			}
		}
		return nil
	}
	return differ(x == json.Number(strconv.FormatInt(v.Int, 10)), v.Int, x)
}

func differ(same bool, want, got any) error {
	if same {
		return nil
	}
	return fmt.Errorf("%#v, want %#v", got, want)
}

func checkItems(s *Schema, items []Value, x any) error {
	list, ok := x.([]any)
	if !ok || len(list) != len(items) {
		return differ(false, items, x)
	}
	for i := range list {
		if err := checkValue(s.item(i), &items[i], list[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkMap(s *Schema, v *Value, x any) error {
	object, isObject := x.(map[string]any)
	list, isList := x.([]any)
	if isObject != (s.Keys.Type == String) || len(object)+len(list) != len(v.Items)/2 {
		return differ(false, v, x)
	}
	for i := 0; i < len(v.Items); i += 2 {
		if isList {
			if err := checkItems(s, v.Items[i:i+2], list[i/2]); err != nil {
				return err
			}
		} else if err := checkValue(s.Items, &v.Items[i+1], object[string(v.Items[i].Data)]); err != nil {
			return err
		}
	}
	return nil
}

func checkSchema(s *Schema, x any, field string) error {
	m, ok := x.(map[string]any)
	if !ok {
		return differ(false, s, x)
	}
	want := map[string]any{"type": typeTexts[s.Type], "optional": s.Optional}
	if s.Name != "" {
		want["name"] = s.Name
	}
	if s.HasVersion {
		want["version"] = json.Number(fmt.Sprint(s.Version))
	}
	if s.Doc != "" {
		want["doc"] = s.Doc
	}
	if field != "" {
		want["field"] = field
	}
	for k, w := range want {
		if m[k] != w {
			return differ(false, w, m[k])
		}
	}
	parameters, _ := m["parameters"].(map[string]any)
	for _, p := range s.Parameters {
		if parameters[p.Name] != p.Value {
			return differ(false, p, m["parameters"])
		}
	}
	if _, has := m["default"]; has != (s.Default != nil) {
		return differ(false, s.Default, m["default"])
	} else if has {
		if err := checkValue(s, s.Default, m["default"]); err != nil {
			return err
		}
	}
	return checkParts(s, m)
}

func checkParts(s *Schema, m map[string]any) error {
	switch s.Type {
	case Array:
		return checkSchema(s.Items, m["items"], "")
	case Map:
		if err := checkSchema(s.Keys, m["keys"], ""); err != nil {
			return err
		}
		return checkSchema(s.Items, m["values"], "")
	case Struct:
		fields, _ := m["fields"].([]any)
		if len(fields) != len(s.Fields) {
			return differ(false, s.Fields, m["fields"])
		}
		for i, f := range s.Fields {
			if err := checkSchema(f.Schema, fields[i], f.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestSchemaTexts: what is kept is the same as what is made anew, of schemas that
// stay and of ones that do not come again, and never more than the bound.
func TestSchemaTexts(t *testing.T) {
	g := newGenerator(12)
	conv := converterOf(t, "json-schema").(*jsonConverter)
	var stay []*Schema
	for range 100 {
		stay = append(stay, g.schema(2))
	}
	null := &Value{Null: true}
	for round := range 3000 {
		for _, s := range []*Schema{stay[round%len(stay)], g.schema(2)} {
			got, _, err := conv.Append(nil, s, null)
			want, _, fresh := converterOf(t, "json-schema").Append(nil, s, null)
			if string(got) != string(want) || (err == nil) != (fresh == nil) {
				t.Fatalf("%s (%v), anew %s (%v)", got, err, want, fresh)
			}
		}
	}
	if n := len(conv.texts.texts); n > len(stay) {
		t.Errorf("%d schemas are kept, only %d came again", n, len(stay))
	}
	for range 3 * maxTexts {
		s := g.schema(0)
		for range 2 {
			if _, _, err := conv.Append(nil, s, &Value{}); err != nil {
				break
			}
		}
	}
	if n := len(conv.texts.texts); n > maxTexts {
		t.Errorf("%d schemas are kept, more than %d", n, maxTexts)
	}
}

// plainDecimal is BigDecimal.toString by the rules of its documentation.
func plainDecimal(unscaled *big.Int, scale int) string {
	digits, sign := new(big.Int).Abs(unscaled).String(), ""
	if unscaled.Sign() < 0 {
		sign = "-"
	}
	adjusted := len(digits) - 1 - scale
	switch {
	case scale == 0:
		return sign + digits
	case scale > 0 && adjusted >= -6:
		for len(digits) <= scale {
			digits = "0" + digits
		}
		return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if len(digits) > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	return fmt.Sprintf("%s%sE%+d", sign, digits, adjusted)
}

func FuzzAppendDecimal(f *testing.F) {
	f.Add([]byte{0}, 0)
	f.Add([]byte{}, 3)
	f.Add([]byte("\xff\x00\x01\x02\x03\x04\x05\x06\x07\x08"), 7)
	f.Add(bytes.Repeat([]byte{0x80}, 600), -3)
	f.Add(bytes.Repeat([]byte{0x7f}, 512), 1300)
	f.Add(append([]byte{0x80}, make([]byte, 511)...), 2)
	f.Fuzz(func(t *testing.T, unscaled []byte, scale int) {
		scale = int(int32(scale))
		n := new(big.Int).SetBytes(unscaled)
		if len(unscaled) > 0 && unscaled[0] >= 0x80 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(unscaled))*8))
		}
		s := &Schema{Type: Bytes, Class: BigDecimal, Parameters: []Parameter{{"scale", strconv.Itoa(scale)}}}
		got, err := appendDecimal([]byte("-"), unscaled, s)
		if err != nil {
			t.Fatal(err)
		}
		if want := "-" + plainDecimal(n, scale); len(want) < 1<<20 && string(got) != want {
			t.Errorf("%x scale %d: %s, want %s", unscaled, scale, got, want)
		}
	})
}

func FuzzAppendQuoted(f *testing.F) {
	for _, s := range append(alphabet, "\xff", "\xed\xa0\x80", "\xf0\x9f\x98", "\xc0\x80") {
		f.Add([]byte("x" + s + "y"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got := appendQuoted(nil, text)
		if other := appendQuotedName(nil, string(text)); string(got) != string(other) {
			t.Fatalf("as a string %q, as bytes %q", other, got)
		}
		var back string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%v: %q", err, got)
		}
		if bytes.Contains(text, []byte("\xed")) {
			return // halves of surrogate pairs: encoding/json has no place for them
		}
		if want := string([]rune(string(text))); back != want {
			t.Errorf("%q reads back as %q", text, back)
		}
		for _, b := range got {
			if b < 0x20 || b >= 0xf0 {
				t.Errorf("%q: byte %x is not escaped", got, b)
			}
		}
	})
}

// FuzzConverters: a value of one schema under another does no harm.
func FuzzConverters(f *testing.F) {
	for i := range uint64(20) {
		f.Add(i, i, []byte("text"))
		f.Add(i, i+1, []byte("\xff"))
	}
	converters := allConverters(f)
	f.Fuzz(func(t *testing.T, of, from uint64, data []byte) {
		s, g := newGenerator(of).schema(3), newGenerator(from)
		other := s
		if from != of {
			other = g.schema(3)
		}
		v := g.value(other)
		if len(v.Items) > 0 {
			v.Items[0].Data = data
		} else {
			v.Data = data
		}
		for name, c := range converters {
			out, null, err := c.Append([]byte("-"), s, &v)
			if !bytes.HasPrefix(out, []byte("-")) || (null || err != nil) && len(out) != 1 {
				t.Fatalf("%s: %q %v %v", name, out, null, err)
			}
			if strings.HasPrefix(name, "json") && err == nil && !json.Valid(out[1:]) {
				t.Fatalf("%s: %s", name, out)
			}
		}
	})
}
