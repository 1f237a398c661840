package expand

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator writes random documents that are rich in what makes a difference:
// few keys that come again, arrays of like and unlike elements, edges of numbers,
// odd strings, and now and then broken text.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 4))} }

var (
	someKeys = []string{
		`a`, `a`, `b`, `b`, `c`, `d`, `o`, `long key`, ` `, `\t`, `.`, `a.b`, `a-b`, `a_b`, `1x`, `_1x`, `ä`, `\u00e4`, `😀`,
		`\ud83d\ude00`, `\ud83d`, `٣`, `$`, `x-`, `x_`, `\u0000`, `__`, `_u002d`, `a_u002db`, `"`, `payload`,
	}
	someNumbers = []string{
		`0`, `-0`, `1`, `-1`, `42`, `2147483647`, `2147483648`, `-2147483648`, `-2147483649`, `9223372036854775807`,
		`9223372036854775808`, `-9223372036854775808`, `-9223372036854775809`, `123456789012345678901234567890`, `0.0`, `-0.0`,
		`1.0`, `1.5`, `1e5`, `1E5`, `1E+5`, `1e-5`, `1e400`, `-1e400`, `1e-400`, `4.9e-324`, `2.4703282292062327e-324`,
		`2.4703282292062328e-324`, `123456789012345678901234567890.5`, `9007199254740993.0`, `1e23`, `1.7976931348623159e308`,
		`0.1`, `0e0`, `0.30000000000000004`, `100`, `1000000000`, `10000000000`, `2.2250738585072012e-308`,
	}
	brokenNumbers = []string{
		`01`, `-`, `+1`, `.5`, `1.`, `1e`, `1e+`, `-01`, `0x1`, `1_0`, `NaN`, `Infinity`, `-Infinity`, `1.e5`, `--1`, `1d`,
	}
	someStrings = []string{
		``, `x`, `y`, `ä`, `😀`, `\u00e9`, `\ud83d\ude00`, `\ud83d`, `\ude00`, `\ud83d\ud83d\ude00`, `\ud83dx\ude00`, `\ude00\ud83d`, `\"\\\/\b\f\n\r\t`,
		`\u0000`, `\uABCD`, `\uabcd`, `\uFFFF`, `\u2028`, "\u2028\u007f", `/`, `<>&'`, `true`, `null`, `1`, `\uİ041`, `  x  `,
	}
	brokenStrings = []string{`\x`, `\u12`, `\u12G4`, `\U0041`, "\n", "\t", "\x00", `\`, `\'`, "\x1f", `\u😀`}
	someSpaces    = []string{"", "", "", "", " ", "  ", "\n", "\t", "\r", "\r\n"}
)

func (g generator) one(list []string) string { return list[g.IntN(len(list))] }

func (g generator) key() string {
	if g.IntN(4) > 0 {
		return someKeys[g.IntN(7)]
	}
	return strings.ReplaceAll(g.one(someKeys), `"`, `\"`)
}

func (g generator) space() string {
	if g.IntN(3) > 0 {
		return ""
	}
	return g.one(someSpaces)
}

// like is what the elements of one array mostly are.
type like int

const (
	anything like = iota
	likeInt
	likeDouble
	likeLong
	likeString
	likeBoolean
	likeArray
	likeObject
	likes
)

func (g generator) value(depth int, l like) string {
	if l == anything {
		l = like(1 + g.IntN(int(likes)))
	}
	if depth <= 0 && l >= likeArray {
		l = likeInt
	}
	switch l {
	case likeInt:
		return fmt.Sprint(g.IntN(1000) - 500)
	case likeDouble:
		return fmt.Sprintf("%.2f", g.Float64()*100)
	case likeLong:
		return g.one(someNumbers)
	case likeString:
		return `"` + g.one(someStrings) + `"`
	case likeBoolean:
		return g.one([]string{"true", "false"})
	case likeArray:
		return g.array(depth - 1)
	case likeObject:
		return g.object(depth - 1)
	}
	return "null"
}

func (g generator) array(depth int) string {
	var b strings.Builder
	b.WriteByte('[')
	l := like(1 + g.IntN(int(likes)-1))
	if g.IntN(3) == 0 {
		l = likeObject
	}
	for i := range g.IntN(5) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(g.space())
		switch g.IntN(30) {
		case 0:
			b.WriteString(g.value(depth, anything))
		case 1, 2:
			b.WriteString("null")
		default:
			b.WriteString(g.value(depth, l))
		}
		b.WriteString(g.space())
	}
	b.WriteByte(']')
	return b.String()
}

func (g generator) object(depth int) string {
	var b strings.Builder
	b.WriteByte('{')
	n := g.IntN(5)
	if g.IntN(40) == 0 {
		n = 8 + g.IntN(8)
	}
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		key := g.key()
		if g.IntN(200) == 0 {
			key = ""
		}
		l := anything
		if len(key) == 1 && key[0] >= 'a' && key[0] <= 'd' && g.IntN(10) > 0 {
			l = like(1 + (int(key[0])+2)%int(likes-1)) // mostly the same type for the same key
		}
		b.WriteString(g.space() + `"` + key + `"` + g.space() + ":" + g.space() + g.value(depth, l) + g.space())
	}
	b.WriteByte('}')
	return b.String()
}

// document returns a document, mostly a valid one.
func (g generator) document() string {
	depth := 1 + g.IntN(5)
	s := g.object(depth)
	if g.IntN(12) == 0 {
		s = g.array(depth)
	}
	switch g.IntN(40) {
	case 0:
		s += g.one([]string{" ", "x", "{", "]", ",", "\x00"})
	case 1:
		s = s[:g.IntN(len(s)+1)]
	case 2:
		s = strings.Replace(s, `"x"`, `"`+g.one(brokenStrings)+`"`, 1)
	case 3:
		s = strings.Replace(s, ":", ":"+g.one(brokenNumbers)+g.one([]string{"", ",", "}", " "}), 1)
	case 4:
		at := g.IntN(len(s) + 1)
		s = s[:at] + g.one([]string{",", ":", "}", "]", "[", "{", `"`, `\`, "1", "e", "-", "/", "#", " ", "\u00a0", "true", "\x0b"}) + s[at:]
	case 5:
		if at := g.IntN(len(s)); true {
			s = s[:at] + s[at+1:]
		}
	}
	return strings.ToValidUTF8(s, "?")
}
