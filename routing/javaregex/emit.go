package javaregex

import (
	"fmt"
	"strconv"
	"strings"
)

// Java's anchors, written with lookaround.
const (
	notTerminated = `(?<=[\n\u0085\u2028\u2029])|(?<=\r)(?!\n)` // a line ends before
	newline       = `\r\n|[\n\u000b\f\r\u0085\u2028\u2029]`
)

func dot(f flags) set {
	switch {
	case f&dotAll != 0:
		return everything
	case f&unixLines != 0:
		return one('\n').negate()
	}
	return terminators.negate()
}

func caret(f flags) string {
	switch {
	case f&multiline == 0:
		return `\A`
	case f&unixLines != 0:
		return `(?!\z)(?:\A|(?<=\n))`
	}
	return `(?!\z)(?:\A|` + notTerminated + `)`
}

func dollar(f flags) string {
	switch {
	case f&unixLines != 0 && f&multiline == 0:
		return `(?=\n?\z)`
	case f&unixLines != 0:
		return `(?=\n|\z)`
	case f&multiline == 0:
		return `(?:\z|(?=\r\n\z)|(?=[\r\u0085\u2028\u2029]\z)|(?<!\r)(?=\n\z))`
	}
	return `(?:\z|(?=[\r\u0085\u2028\u2029])|(?<!\r)(?=\n))`
}

// boundary is \b or \B as up to Java 18: a word is made of letters, digits and
// underscores of Unicode, and of the marks that belong to a letter or digit.
func boundary(is bool) string {
	const (
		word   = `\p{L}\p{Nd}_`
		before = `[` + word + `]|[\p{L}\p{Nd}]\p{Mn}+`
		after  = `[` + word + `]`
		mark   = `(?=\p{Mn})(?<=[\p{L}\p{Nd}]\p{Mn}*)`
		left   = `(?<=` + before + `)`
		noLeft = `(?<!` + before + `)`
		right  = `(?:(?=` + after + `)|` + mark + `)`
		none   = `(?!` + after + `)(?!` + mark + `)`
	)
	if is {
		return `(?:` + left + none + `|` + noLeft + right + `)`
	}
	return `(?:` + left + right + `|` + noLeft + none + `)`
}

// emitter writes a tree for regexp2.
type emitter struct {
	strings.Builder
	captures map[int]int // of the groups that are used, their numbers there
	groups   int         // of the pattern
	err      error
}

// around is what lies around a node, as far as it matters.
type around struct {
	behind bool // a lookbehind
	lost   bool // something that loses track of captures
	fixed  bool // a group that Java repeats without coming back to its inside
}

// refuse notes an error, the first one counts.
func (e *emitter) refuse(n *node, format string, args ...any) {
	if e.err == nil {
		e.err = &Error{What: "pattern", Pos: n.pos, Detail: fmt.Sprintf(format, args...)}
	}
}

func (e *emitter) node(n *node, in around) {
	switch n.kind {
	case kindSet:
		e.set(n.set)
	case kindSequence:
		for _, s := range n.subs {
			e.node(s, in)
		}
	case kindAlternation:
		e.WriteString("(?:")
		for i, s := range n.subs {
			if i > 0 {
				e.WriteByte('|')
			}
			e.node(s, in)
		}
		e.WriteByte(')')
	case kindGroup:
		e.group(n, in)
	case kindRepeat:
		e.repeat(n, in)
	case kindAtomic:
		if in.behind {
			e.refuse(n, "(?>...) within a lookbehind is not supported")
		}
		in.lost = true
		e.wrap("(?>", n.subs[0], in)
	case kindLook:
		in.lost, in.behind = true, in.behind || strings.HasPrefix(n.text, "(?<")
		in.fixed = false
		e.wrap(n.text, n.subs[0], in)
	case kindBackref:
		e.backref(n, in)
	case kindText:
		e.WriteString(n.text)
	case kindNewline:
		if in.fixed {
			e.WriteString("(?>" + newline + ")")
		} else {
			e.WriteString("(?:" + newline + ")")
		}
	}
}

func (e *emitter) wrap(open string, n *node, in around) {
	e.WriteString(open)
	e.node(n, in)
	e.WriteByte(')')
}

func (e *emitter) group(n *node, in around) {
	if _, used := e.captures[n.number]; !used || n.number == 0 {
		e.wrap("(?:", n.subs[0], in)
		return
	}
	if in.lost {
		e.refuse(n, "group %d is used, but lies within a lookaround, (?>...), a possessive repetition, or a repeated "+
			"group whose length is fixed: what Java has in it then depends on attempts that failed; capture it elsewhere", n.number)
	}
	e.captures[n.number] = e.next()
	e.wrap("(", n.subs[0], in)
}

// next is the number of the capturing group that is opened next.
func (e *emitter) next() int {
	n := 1
	for _, at := range e.captures {
		if at > 0 {
			n++
		}
	}
	return n
}

func (e *emitter) repeat(n *node, in around) {
	body := n.subs[0]
	optional := n.min == 0 && n.max == 1
	open := "(?:"
	if n.mode == possessive {
		if in.behind {
			e.refuse(n, "a possessive repetition within a lookbehind is not supported")
		}
		in.lost = true
		e.WriteString("(?>")
		open = "(?>" // Java comes back to none of its repetitions either
	} else if n.isGroup && n.min > 1 && body.empty() && !body.fixed() {
		// Java takes one that is empty for all that are still missing.
		e.refuse(n, "a group that can be empty is repeated at least %d times; begin its repetition at 0", n.min)
	}
	if !n.isGroup {
		in.fixed = true
		e.wrap(open, body, in)
	} else {
		inner := in
		if body.fixed() && !optional {
			inner.fixed, inner.lost = true, true
		}
		e.WriteString(open)
		if _, used := e.captures[body.number]; used && body.number != 0 && !in.lost {
			// The group itself is what Java keeps track of, but not of nothing.
			if inner.fixed && body.empty() {
				e.refuse(body, "group %d is used, can be empty, and is repeated; take its repetition away", body.number)
			}
			e.captures[body.number] = e.next()
			e.wrap("(", body.subs[0], inner)
		} else {
			e.node(body, inner)
		}
		e.WriteByte(')')
	}
	switch {
	case optional:
		e.WriteByte('?')
	case n.max == unlimited:
		fmt.Fprintf(e, "{%d,}", n.min)
	default:
		fmt.Fprintf(e, "{%d,%d}", n.min, n.max)
	}
	switch n.mode {
	case lazy:
		e.WriteByte('?')
	case possessive:
		e.WriteByte(')')
	}
}

func (e *emitter) backref(n *node, in around) {
	switch {
	case in.behind:
		e.refuse(n, "a backreference within a lookbehind is not supported")
	case n.number > e.groups:
		e.WriteString("(?!)") // never matches
	case e.captures[n.number] == 0:
		e.refuse(n, "a reference to group %d before that group is not supported", n.number)
	default:
		e.WriteString(`\k<` + strconv.Itoa(e.captures[n.number]) + ">")
	}
}

func (e *emitter) set(s set) {
	switch {
	case len(s) == 0:
		e.WriteString("(?!)")
	case len(s) == 1 && s[0].lo == s[0].hi:
		e.character(s[0].lo)
	case len(s) == 1 && s[0] == everything[0]:
		e.WriteString(`[\s\S]`)
	default:
		e.WriteByte('[')
		for _, p := range s {
			e.character(p.lo)
			if p.hi > p.lo {
				if p.hi > p.lo+1 {
					e.WriteByte('-')
				}
				e.character(p.hi)
			}
		}
		e.WriteByte(']')
	}
}

func (e *emitter) character(r rune) {
	switch {
	case isLetter(r) || isDigit(r) || r > 0xFFFF:
		e.WriteRune(r)
	default:
		fmt.Fprintf(e, `\u%04x`, r)
	}
}
