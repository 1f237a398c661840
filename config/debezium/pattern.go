package debezium

import (
	"errors"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/walrelay/walrelay/routing/javaregex"
)

// maxNames bounds how many names a regular expression may stand for.
const maxNames = 64

var errInfinite = errors.New("is a pattern without an end to its names")

// finite lists the texts that a Java regular expression matches as a whole, where
// they are few. A dot without a backslash counts as a dot, as it is meant. What only Java's regular expressions have is an error.
func finite(pattern string) (names []string, err error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, errInfinite
	}
	names, err = enumerate(tree)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func enumerate(re *syntax.Regexp) ([]string, error) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine:
		return []string{""}, nil
	case syntax.OpLiteral:
		return []string{string(re.Rune)}, nil
	case syntax.OpAnyCharNotNL, syntax.OpAnyChar:
		return []string{"."}, nil
	case syntax.OpCharClass:
		return runes(re)
	case syntax.OpCapture:
		return enumerate(re.Sub[0])
	case syntax.OpQuest:
		names, err := enumerate(re.Sub[0])
		return append([]string{""}, names...), err
	case syntax.OpRepeat:
		return repeated(re)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			names, err := enumerate(sub)
			if err != nil || len(all)+len(names) > maxNames {
				return nil, errInfinite
			}
			all = append(all, names...)
		}
		return all, nil
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			names, err := enumerate(sub)
			if err != nil {
				return nil, err
			}
			if all, err = product(all, names); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	return nil, errInfinite
}

// runes lists a character class. One that is case-insensitive for a single letter
// ([Aa]) is listed as it is, too.
func runes(re *syntax.Regexp) ([]string, error) {
	var names []string
	for i := 0; i+1 < len(re.Rune); i += 2 {
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			if len(names) == maxNames {
				return nil, errInfinite
			}
			names = append(names, string(r))
		}
	}
	return names, nil
}

// repeated lists x{2,3}.
func repeated(re *syntax.Regexp) ([]string, error) {
	if re.Max < 0 || re.Max > maxNames {
		return nil, errInfinite
	}
	one, err := enumerate(re.Sub[0])
	if err != nil {
		return nil, err
	}
	var all []string
	some := []string{""}
	for n := 0; ; n++ {
		if n >= re.Min {
			all = append(all, some...)
		}
		if n == re.Max {
			break
		}
		if some, err = product(some, one); err != nil || len(all)+len(some) > maxNames {
			return nil, errInfinite
		}
	}
	return all, nil
}

func product(heads, tails []string) ([]string, error) {
	if len(heads)*len(tails) > maxNames {
		return nil, errInfinite
	}
	all := make([]string, 0, len(heads)*len(tails))
	for _, head := range heads {
		for _, tail := range tails {
			all = append(all, head+tail)
		}
	}
	return all, nil
}

// matcher tells whether a name is matched as a whole by one of Debezium's patterns,
// which do not look at case; ok is false when a pattern cannot be told here. A pattern
// that takes too long counts as matching: no rule is overlooked.
func matcher(patterns []string) (match func(string) bool, ok bool) {
	var list []func(string) bool
	for _, p := range patterns {
		one, ok := whole("(?i)" + p)
		if !ok {
			return nil, false
		}
		list = append(list, one)
	}
	return func(name string) bool {
		return slices.ContainsFunc(list, func(one func(string) bool) bool { return one(name) })
	}, true
}

// whole tells whether a Java pattern matches all of a text.
func whole(pattern string) (match func(string) bool, ok bool) {
	re, err := javaregex.Compile(pattern, "")
	if err != nil {
		return nil, false
	}
	return func(text string) bool {
		_, matched, err := re.Replace(text)
		return matched || err != nil
	}, true
}

// patterns splits a list of regular expressions as Debezium does: at commas without
// a backslash before them.
func patterns(text string) []string {
	var list []string
	start := 0
	add := func(part string) {
		if part = trim(strings.ReplaceAll(part, `\,`, ",")); part != "" {
			list = append(list, part)
		}
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case ',':
			add(text[start:i])
			start = i + 1
		}
	}
	add(text[start:])
	return list
}
