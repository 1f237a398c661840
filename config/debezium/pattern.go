package debezium

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// maxNames bounds how many names a regular expression may stand for.
const maxNames = 64

var errInfinite = errors.New("is a pattern without an end to its names")

// finite lists the texts that a Java regular expression matches as a whole, where
// they are few. A dot without a backslash counts as a dot: dotted tells whether
// there was one. What only Java's regular expressions have is an error.
func finite(pattern string) (names []string, dotted bool, err error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, false, errInfinite
	}
	names, err = enumerate(tree, &dotted)
	if err != nil {
		return nil, dotted, err
	}
	slices.Sort(names)
	return slices.Compact(names), dotted, nil
}

func enumerate(re *syntax.Regexp, dotted *bool) ([]string, error) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine:
		return []string{""}, nil
	case syntax.OpLiteral:
		return []string{string(re.Rune)}, nil
	case syntax.OpAnyCharNotNL, syntax.OpAnyChar:
		*dotted = true
		return []string{"."}, nil
	case syntax.OpCharClass:
		return runes(re)
	case syntax.OpCapture:
		return enumerate(re.Sub[0], dotted)
	case syntax.OpQuest:
		names, err := enumerate(re.Sub[0], dotted)
		return append([]string{""}, names...), err
	case syntax.OpRepeat:
		return repeated(re, dotted)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			names, err := enumerate(sub, dotted)
			if err != nil || len(all)+len(names) > maxNames {
				return nil, errInfinite
			}
			all = append(all, names...)
		}
		return all, nil
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			names, err := enumerate(sub, dotted)
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
func repeated(re *syntax.Regexp, dotted *bool) ([]string, error) {
	if re.Max < 0 || re.Max > maxNames {
		return nil, errInfinite
	}
	one, err := enumerate(re.Sub[0], dotted)
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

// matcher tells whether a name is matched by one of Debezium's patterns; ok is false
// when a pattern has something that only Java knows.
func matcher(patterns []string) (match func(string) bool, ok bool) {
	var list []*regexp.Regexp
	for _, p := range patterns {
		re, err := regexp.Compile(`^(?i:` + p + `)$`)
		if err != nil {
			return nil, false
		}
		list = append(list, re)
	}
	return func(name string) bool {
		return slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(name) })
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
