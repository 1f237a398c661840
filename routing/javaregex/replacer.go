package javaregex

import (
	"errors"
	"fmt"
	"time"

	"github.com/dlclark/regexp2"
)

// timeout ends a match that tries too many ways. What takes a second on values
// as short as an aggregate type has no end.
const timeout = time.Second

// Bounds of the results that are remembered.
const (
	maxCached     = 1024
	maxCachedSize = 256 // bytes of a value
)

// ErrTooSlow is a match that was given up after a second: the pattern tries too
// many ways on this value. Nested repetitions as (a+)+ are the usual reason.
var ErrTooSlow = errors.New("the regular expression takes too long on a value; repeat nothing that is repeated inside, as in (a+)+")

// Replacer rewrites values. It is for use by one goroutine.
type Replacer struct {
	whole *regexp2.Regexp // the pattern, on all of the value
	begin *regexp2.Regexp // the pattern, from the value's beginning
	parts []part
	cache map[string]result
}

type result struct {
	value   string
	matched bool
}

// Compile makes a Replacer of a Java pattern and a replacement as
// Matcher.replaceFirst takes it: $1 and ${name} are groups, \$ and \\ the
// characters themselves. The error is an *Error.
func Compile(pattern, replacement string) (*Replacer, error) {
	p, tree, err := parse(pattern)
	if err != nil {
		return nil, err
	}
	parts, err := p.template(replacement)
	if err != nil {
		return nil, err
	}
	e := emitter{captures: map[int]int{}, groups: p.groups}
	for _, part := range parts {
		if part.group > 0 {
			e.captures[part.group] = 0
		}
	}
	for _, n := range p.backref {
		e.captures[n.number] = 0
	}
	e.node(tree, around{})
	if e.err != nil {
		return nil, e.err
	}
	for i := range parts {
		if parts[i].group > 0 {
			parts[i].group = e.captures[parts[i].group]
		}
	}
	r := &Replacer{parts: parts, cache: map[string]result{}}
	if r.whole, err = compile(`\A(?:` + e.String() + `)\z`); err != nil {
		return nil, err
	}
	// Where the whole value matches, the first match begins where the value does.
	if r.begin, err = compile(`\A(?:` + e.String() + `)`); err != nil {
		return nil, err
	}
	return r, nil
}

func compile(translated string) (*regexp2.Regexp, error) {
	re, err := regexp2.Compile(translated, regexp2.None)
	if err != nil {
		return nil, &Error{What: "pattern", Detail: fmt.Sprintf("it cannot be translated: %v", err)}
	}
	re.MatchTimeout = timeout
	return re, nil
}

// Replace returns the value with the first match replaced, and true, if the
// pattern matches all of it; else the value as it is, and false. The error is
// ErrTooSlow.
func (r *Replacer) Replace(value string) (string, bool, error) {
	if known, ok := r.cache[value]; ok {
		return known.value, known.matched, nil
	}
	out, matched, err := r.replace(value)
	if err != nil {
		return value, false, ErrTooSlow // the one error that regexp2 has for a match
	}
	if len(value) <= maxCachedSize && len(out) <= maxCachedSize {
		if len(r.cache) >= maxCached {
			clear(r.cache)
		}
		r.cache[value] = result{out, matched}
	}
	return out, matched, nil
}

func (r *Replacer) replace(value string) (string, bool, error) {
	text := []rune(value)
	matched, err := r.whole.MatchRunes(text)
	if err != nil || !matched {
		return value, false, err
	}
	m, err := r.begin.FindRunesMatch(text)
	if err != nil || m == nil {
		return value, false, err
	}
	var out []byte
	for _, p := range r.parts {
		switch {
		case p.group < 0:
			out = append(out, p.text...)
		case p.group == 0:
			out = append(out, m.String()...)
		default:
			if g := m.GroupByNumber(p.group); g != nil && len(g.Captures) > 0 {
				out = append(out, g.String()...)
			}
		}
	}
	return string(append(out, string(text[m.Index+m.Length:])...)), true, nil
}
