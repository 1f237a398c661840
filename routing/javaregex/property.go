package javaregex

import (
	"strings"
	"unicode"
)

var (
	letters    = []*unicode.RangeTable{unicode.Lu, unicode.Ll, unicode.Lt, unicode.Lm, unicode.Lo}
	marks      = []*unicode.RangeTable{unicode.Mn, unicode.Me, unicode.Mc}
	numbers    = []*unicode.RangeTable{unicode.Nd, unicode.Nl, unicode.No}
	separators = []*unicode.RangeTable{unicode.Zs, unicode.Zl, unicode.Zp}
	others     = []*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs}
	punctuated = []*unicode.RangeTable{
		unicode.Pd, unicode.Ps, unicode.Pe, unicode.Pc, unicode.Po, unicode.Pi, unicode.Pf,
	}
	symbols = []*unicode.RangeTable{unicode.Sm, unicode.Sc, unicode.Sk, unicode.So}
)

func unassigned() set {
	var all set
	for _, list := range [][]*unicode.RangeTable{letters, marks, numbers, separators, others, punctuated, symbols} {
		all = append(all, tables(list...)...)
	}
	return normal(all).negate()
}

// cased widens lower, upper and title case to each other under (?i).
func cased(own set, caseless bool) set {
	if !caseless {
		return own
	}
	return tables(unicode.Ll, unicode.Lu, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// category is CharPredicates.forProperty: general categories, POSIX names, and
// the methods of java.lang.Character.
func category(name string, caseless bool) (set, bool) {
	switch name {
	case "Lu", "Ll", "Lt":
		if caseless {
			return tables(unicode.Lu, unicode.Ll, unicode.Lt), true
		}
	case "Cn":
		return unassigned(), true
	case "L":
		return tables(letters...), true
	case "M":
		return tables(marks...), true
	case "N":
		return tables(numbers...), true
	case "Z":
		return tables(separators...), true
	case "C":
		return tables(others...).union(unassigned()), true
	case "P":
		return tables(punctuated...), true
	case "S":
		return tables(symbols...), true
	case "LC":
		return tables(unicode.Lu, unicode.Ll, unicode.Lt), true
	case "LD":
		return tables(letters...).union(tables(unicode.Nd)), true
	case "L1":
		return set{{0, 0xFF}}, true
	case "all":
		return everything, true
	}
	if t := unicode.Categories[name]; t != nil && len(name) == 2 {
		return tables(t), true
	}
	if s, ok := posix(name, caseless); ok {
		return s, true
	}
	return character17(name, caseless)
}

func posix(name string, caseless bool) (set, bool) {
	switch name {
	case "ASCII":
		return set{{0, 0x7F}}, true
	case "Alnum":
		return set{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, true
	case "Alpha":
		return set{{'A', 'Z'}, {'a', 'z'}}, true
	case "Blank":
		return set{{'\t', '\t'}, {' ', ' '}}, true
	case "Cntrl":
		return set{{0, 0x1F}, {0x7F, 0x7F}}, true
	case "Digit":
		return digits, true
	case "Graph":
		return set{{0x21, 0x7E}}, true
	case "Lower":
		if caseless {
			return posix("Alpha", false)
		}
		return set{{'a', 'z'}}, true
	case "Print":
		return set{{0x20, 0x7E}}, true
	case "Punct":
		return set{{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, true
	case "Space":
		return spaces, true
	case "Upper":
		if caseless {
			return posix("Alpha", false)
		}
		return set{{'A', 'Z'}}, true
	case "XDigit":
		return set{{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, true
	}
	return nil, false
}

// character17 is the properties named after methods of java.lang.Character.
func character17(name string, caseless bool) (set, bool) {
	switch name {
	case "javaLowerCase":
		return binary("LOWERCASE", caseless)
	case "javaUpperCase":
		return binary("UPPERCASE", caseless)
	case "javaTitleCase":
		return binary("TITLECASE", caseless)
	case "javaAlphabetic":
		return binary("ALPHABETIC", false)
	case "javaIdeographic":
		return binary("IDEOGRAPHIC", false)
	case "javaDigit":
		return tables(unicode.Nd), true
	case "javaDefined":
		return unassigned().negate(), true
	case "javaLetter":
		return tables(letters...), true
	case "javaLetterOrDigit":
		return category("LD", false)
	case "javaSpaceChar":
		return tables(separators...), true
	case "javaWhitespace":
		noBreak := set{{0xA0, 0xA0}, {0x2007, 0x2007}, {0x202F, 0x202F}}
		return tables(separators...).and(noBreak.negate()).union(set{{'\t', '\r'}, {0x1C, 0x1F}}), true
	case "javaISOControl":
		return set{{0, 0x1F}, {0x7F, 0x9F}}, true
	}
	return nil, false
}

// binary is CharPredicates.forUnicodeProperty, after Is.
func binary(name string, caseless bool) (set, bool) {
	switch strings.ToUpper(name) {
	case "ALPHABETIC", "ALPHA":
		return tables(letters...).union(tables(unicode.Nl, unicode.Other_Alphabetic)), true
	case "ASSIGNED":
		return unassigned().negate(), true
	case "CONTROL", "CNTRL":
		return tables(unicode.Cc), true
	case "DIGIT":
		return tables(unicode.Nd), true
	case "IDEOGRAPHIC":
		return tables(unicode.Ideographic), true
	case "JOINCONTROL", "JOIN_CONTROL":
		return set{{0x200C, 0x200D}}, true
	case "LETTER":
		return tables(letters...), true
	case "LOWERCASE", "LOWER":
		return cased(tables(unicode.Ll, unicode.Other_Lowercase), caseless), true
	case "UPPERCASE", "UPPER":
		return cased(tables(unicode.Lu, unicode.Other_Uppercase), caseless), true
	case "TITLECASE":
		return cased(tables(unicode.Lt), caseless), true
	case "PUNCTUATION", "PUNCT":
		return tables(punctuated...), true
	case "WHITESPACE", "WHITE_SPACE", "SPACE":
		return tables(separators...).union(set{{'\t', '\r'}, {0x85, 0x85}}), true
	}
	return nil, false
}

// script finds a script by its full name, in any case, as
// Character.UnicodeScript.forName does.
func script(name string) (set, bool) {
	for full, t := range unicode.Scripts {
		if strings.EqualFold(full, name) {
			return tables(t), true
		}
	}
	return nil, false
}
