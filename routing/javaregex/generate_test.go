package javaregex

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// generator writes random patterns of what Java knows, and values that have a
// chance to match.
type generator struct {
	*rand.Rand
	groups int
	names  []string
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 8))}
}

func (g *generator) one(list ...string) string { return list[g.IntN(len(list))] }

func (g *generator) pattern() string {
	g.groups, g.names = 0, nil
	s := g.one("", "", "", "", "(?i)", "(?s)", "(?m)", "(?x)", "(?d)", "(?iu)", "(?is)", "(?dm)")
	return s + g.alternation(3)
}

func (g *generator) alternation(depth int) string {
	list := []string{g.sequence(depth)}
	for g.IntN(4) == 0 {
		list = append(list, g.sequence(depth))
	}
	return strings.Join(list, "|")
}

func (g *generator) sequence(depth int) string {
	var b strings.Builder
	for range g.IntN(4) {
		b.WriteString(g.atom(depth))
		if g.IntN(3) == 0 {
			b.WriteString(g.one("*", "+", "?", "{2}", "{1,2}", "{0,1}", "{1,}", "{0}") + g.one("", "", "", "?", "+"))
		}
	}
	return b.String()
}

func (g *generator) atom(depth int) string {
	if depth <= 0 || g.IntN(2) == 0 {
		return g.character()
	}
	switch g.IntN(14) {
	case 0, 1, 2, 3, 4:
		g.groups++
		return "(" + g.alternation(depth-1) + ")"
	case 5:
		g.groups++
		name := "n" + strconv.Itoa(g.groups)
		g.names = append(g.names, name)
		return "(?<" + name + ">" + g.alternation(depth-1) + ")"
	case 6, 7:
		return "(?:" + g.alternation(depth-1) + ")"
	case 8:
		return g.one("(?=", "(?!") + g.alternation(depth-1) + ")"
	case 9:
		return g.one("(?<=", "(?<!") + g.character() + g.character() + ")"
	case 10:
		return "(?>" + g.alternation(depth-1) + ")"
	case 11:
		return g.one("(?i:", "(?-i:", "(?s-i:", "(?x: ") + g.alternation(depth-1) + ")"
	case 12:
		if g.groups > 0 {
			return `\` + strconv.Itoa(1+g.IntN(g.groups))
		}
		return g.class(2)
	}
	return g.class(2)
}

func (g *generator) character() string {
	switch g.IntN(12) {
	case 0, 1, 2, 3, 4, 5:
		return g.one("a", "b", "c", "A", "B", "1", "_", "-")
	case 6:
		return "."
	case 7:
		return g.class(2)
	case 8:
		return g.one(`\d`, `\w`, `\s`, `\h`, `\v`, `\R`, `\D`, `\W`, `\S`, `\p{Alpha}`, `\p{L}`, `\P{Lu}`, `\p{javaLowerCase}`, `\p{Lower}`,
			`\pL`, `\p{IsAlphabetic}`, `\p{IsLatin}`, `\p{Punct}`)
	case 9:
		return g.one("^", "$", `\b`, `\B`, `\A`, `\z`, `\Z`, `\G`)
	case 10:
		return g.one(`\x61`, `\u0062`, `\x{63}`, `\0101`, `\t`, `\n`, `\.`, `\-`, `\Qa\E`, `\Q.\E`, `\cA`, `\\`)
	}
	return g.one("ä", "Ä", "ß", "😀", "é", "\n", " ", "#", "K", "s", "ſ")
}

func (g *generator) class(depth int) string {
	var b strings.Builder
	b.WriteString(g.one("[", "[", "[^"))
	for range 1 + g.IntN(4) {
		switch g.IntN(11) {
		case 0, 1, 2, 3:
			b.WriteString(g.one("a", "b", "c", "A", "1", "_", "ä", "Ä", "😀", "k", "ÿ", "µ"))
		case 4, 5:
			b.WriteString(g.one("a-c", "A-Z", "0-9", "à-ü", "a-z", `\x41-\x5a`))
		case 6:
			b.WriteString(g.one(`\d`, `\w`, `\s`, `\W`, `\p{Upper}`, `\p{Ll}`, `\h`, `\-`, `\]`, `\v`))
		case 7:
			if depth > 0 {
				b.WriteString(g.class(depth - 1))
			}
		case 8:
			b.WriteString("&&")
		case 9:
			b.WriteString(g.one("-", "&", "^", "#", " ", "$", ".", "|", "(", "[b]", "&&[^b]", "&&[a-b]"))
		case 10:
			b.WriteString(g.one(`\Qab\E`, `\Q&&\E`, "ab"))
		}
	}
	return b.String() + "]"
}

func (g *generator) replacement() string {
	var b strings.Builder
	b.WriteString(g.one("x", "", "<"))
	for i := range g.groups {
		if g.IntN(3) > 0 {
			b.WriteString("$" + strconv.Itoa(i+1) + g.one("|", ",", "0", "1"))
		}
	}
	for _, n := range g.names {
		b.WriteString("${" + n + "}")
	}
	if g.IntN(20) == 0 {
		b.WriteString(g.one("$1", "$", "${x}", `\`, "$a", "$99"))
	}
	return b.String() + g.one("", "", "", `\$`, `\\`, "$0", "ä", "😀")
}

func (g *generator) value() string {
	var b strings.Builder
	for range g.IntN(7) {
		b.WriteString(g.one("a", "a", "a", "b", "b", "c", "A", "B", "C", "1", "2", "_", "-", ".", " ", "\n", "\r\n", "\r", "\t", "ä", "Ä", "ß", "é",
			"😀", "k", "K", "\u2028", "\u0085", "ÿ", "Ÿ", "ſ", "\u212a", "#", "\\"))
	}
	return b.String()
}
