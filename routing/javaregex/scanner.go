package javaregex

import "fmt"

// flags are the inline flags.
type flags uint8

const (
	caseless    flags = 1 << iota // i
	multiline                     // m
	dotAll                        // s
	unixLines                     // d
	unicodeCase                   // u
	comments                      // x
)

// Error says what is wrong with a pattern, or a replacement, and where.
type Error struct {
	What   string // "pattern" or "replacement"
	Pos    int    // in characters, from 0
	Detail string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s, at character %d: %s", e.What, e.Pos+1, e.Detail)
}

// scanner reads a pattern as java.util.regex.Pattern does: the same steps, which
// decide where white space counts under (?x).
type scanner struct {
	text   []rune // the pattern after unquote
	origin []int  // where each character was before
	cursor int
	flags  flags
}

func (s *scanner) has(f flags) bool { return s.flags&f != 0 }

// at returns a character, 0 beyond the end.
func (s *scanner) at(i int) rune {
	if i < 0 || i >= len(s.text) {
		return 0
	}
	return s.text[i]
}

func (s *scanner) place(i int) int {
	switch {
	case len(s.origin) == 0 || i < 0:
		return 0
	case i >= len(s.origin):
		return s.origin[len(s.origin)-1] + 1
	}
	return s.origin[i]
}

func (s *scanner) error(format string, args ...any) error {
	return &Error{What: "pattern", Pos: s.place(s.cursor - 1), Detail: fmt.Sprintf(format, args...)}
}

func (s *scanner) peek() rune {
	r := s.at(s.cursor)
	if s.has(comments) {
		r = s.peekPastSpace(r)
	}
	return r
}

func (s *scanner) read() rune {
	r := s.at(s.cursor)
	s.cursor++
	if s.has(comments) {
		r = s.peekPastSpaceRead(r)
	}
	return r
}

func (s *scanner) next() rune {
	s.cursor++
	r := s.at(s.cursor)
	if s.has(comments) {
		r = s.peekPastSpace(r)
	}
	return r
}

func (s *scanner) nextEscaped() rune {
	s.cursor++
	return s.at(s.cursor)
}

func (s *scanner) skip() rune {
	r := s.at(s.cursor + 1)
	s.cursor += 2
	return r
}

func (s *scanner) unread() { s.cursor-- }

func isSpace(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' }

func (s *scanner) peekPastSpace(r rune) rune {
	for isSpace(r) || r == '#' {
		for isSpace(r) {
			r = s.nextEscaped()
		}
		if r == '#' {
			r = s.nextEscaped()
			for s.cursor < len(s.text) && !s.endsLine(r) {
				r = s.nextEscaped()
			}
		}
	}
	return r
}

// peekPastSpaceRead is peekPastSpace behind the cursor.
func (s *scanner) peekPastSpaceRead(r rune) rune {
	s.cursor--
	r = s.peekPastSpace(r)
	s.cursor++
	return r
}

func (s *scanner) endsLine(r rune) bool {
	if s.has(unixLines) {
		return r == '\n'
	}
	return r == '\n' || r == '\r' || r == 0x85 || r|1 == 0x2029
}

// unquote replaces \Q...\E by escapes.
func (s *scanner) unquote(pattern []rune) {
	add := func(from int, list ...rune) {
		for _, r := range list {
			s.text, s.origin = append(s.text, r), append(s.origin, from)
		}
	}
	i := 0
	for i < len(pattern)-1 && (pattern[i] != '\\' || pattern[i+1] != 'Q') {
		if pattern[i] == '\\' {
			add(i, pattern[i])
			i++
		}
		add(i, pattern[i])
		i++
	}
	quoted, begin := false, false
	for i < len(pattern) {
		r, following := pattern[i], rune(0)
		if i+1 < len(pattern) {
			following = pattern[i+1]
		}
		switch {
		case r >= 0x80 || 'a' <= r|0x20 && r|0x20 <= 'z':
			add(i, r)
		case '0' <= r && r <= '9':
			if begin { // not part of an escape before the quotation
				add(i, '\\', 'x', '3')
			}
			add(i, r)
		case r != '\\' && quoted:
			add(i, '\\', r)
		case r != '\\':
			add(i, r)
		case quoted && following == 'E':
			quoted = false
			i++
		case quoted:
			add(i, '\\', '\\')
		case following == 'Q':
			quoted, begin = true, true
			i += 2
			continue
		default:
			add(i, r)
			if i+1 < len(pattern) {
				add(i+1, following)
				i++
			}
		}
		begin = false
		i++
	}
}
