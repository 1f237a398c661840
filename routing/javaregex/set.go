package javaregex

import (
	"slices"
	"sync"
	"unicode"
)

// span is a range of code points, ends included.
type span struct{ lo, hi rune }

// set is a set of code points: spans in order, that do not touch.
type set []span

const maxRune = unicode.MaxRune

var everything = set{{0, maxRune}}

func (s set) eval() set { return s }

func one(r rune) set { return set{{r, r}} }

// normal puts spans in order and joins those that touch.
func normal(s set) set {
	slices.SortFunc(s, func(a, b span) int { return int(a.lo) - int(b.lo) })
	var out set
	for _, p := range s {
		if n := len(out); n > 0 && p.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, p.hi)
			continue
		}
		out = append(out, p)
	}
	return out
}

func (s set) union(t set) set { return normal(slices.Concat(s, t)) }

func (s set) negate() set {
	var out set
	next := rune(0)
	for _, p := range s {
		if p.lo > next {
			out = append(out, span{next, p.lo - 1})
		}
		next = p.hi + 1
	}
	if next <= maxRune {
		out = append(out, span{next, maxRune})
	}
	return out
}

func (s set) and(t set) set { return s.negate().union(t.negate()).negate() }

func tables(list ...*unicode.RangeTable) set {
	var out set
	for _, t := range list {
		for _, r := range t.R16 {
			out = appendStride(out, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			out = appendStride(out, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return normal(out)
}

func appendStride(s set, lo, hi, stride rune) set {
	if stride == 1 {
		return append(s, span{lo, hi})
	}
	for r := lo; r <= hi; r += stride {
		s = append(s, span{r, r})
	}
	return s
}

// Java's predefined classes.
var (
	digits     = set{{'0', '9'}}
	spaces     = set{{'\t', '\r'}, {' ', ' '}}
	words      = set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	horizontal = set{
		{'\t', '\t'}, {' ', ' '}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x200A},
		{0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
	}
	vertical    = set{{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}
	terminators = set{{'\n', '\n'}, {'\r', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}
)

// expr is a set whose parts may still change: in Java the plain characters of a
// class are one object, which is already part of an intersection when more of
// them come.
type expr interface{ eval() set }

type (
	bits  struct{ has [256]bool }
	union struct{ a, b expr }
	both  struct{ a, b expr }
	not   struct{ a expr }
)

func (b *bits) eval() set {
	var out set
	for r, ok := range b.has {
		if ok {
			out = append(out, span{rune(r), rune(r)})
		}
	}
	return normal(out)
}

func (u union) eval() set { return u.a.eval().union(u.b.eval()) }
func (b both) eval() set  { return b.a.eval().and(b.b.eval()) }
func (n not) eval() set   { return n.a.eval().negate() }

// lower and upper are for ASCII alone.
func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 0x20
	}
	return r
}

func upper(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 0x20
	}
	return r
}

// fold is what Java compares under (?iu).
func fold(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// folding are the characters that fold changes, or that have an upper case.
var folding = sync.OnceValue(func() []rune {
	var list []rune
	for r := rune(0); r <= maxRune; r++ {
		if unicode.ToUpper(r) != r || fold(r) != r {
			list = append(list, r)
		}
	}
	return list
})

// character is the set that the literal r stands for.
func character(r rune, f flags) set {
	switch {
	case f&caseless == 0:
	case f&unicodeCase != 0:
		if unicode.ToUpper(r) != fold(r) {
			out := one(fold(r))
			for _, c := range folding() {
				if fold(c) == fold(r) {
					out = append(out, span{c, c})
				}
			}
			return normal(out)
		}
	case r < 0x80:
		return normal(set{{lower(r), lower(r)}, {upper(r), upper(r)}})
	}
	return one(r)
}

// interval is the set that lo-hi in a class stands for.
func interval(lo, hi rune, f flags) set {
	s := set{{lo, hi}}
	switch {
	case f&caseless == 0:
	case f&unicodeCase != 0:
		in := func(r rune) bool { return lo <= r && r <= hi }
		for _, c := range folding() {
			if in(unicode.ToUpper(c)) || in(fold(c)) {
				s = append(s, span{c, c})
			}
		}
	default:
		for c := rune(0); c < 0x80; c++ {
			if u, l := upper(c), lower(c); lo <= u && u <= hi || lo <= l && l <= hi {
				s = append(s, span{c, c})
			}
		}
	}
	return normal(s)
}
