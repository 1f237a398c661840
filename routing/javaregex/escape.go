package javaregex

import "unicode/utf8"

// escape reads an escape, with the cursor at its backslash: a character, or in n
// what is none (within a class always a kindSet). isRange tells that it is an
// end of a range.
func (p *parser) escape(inClass, isRange bool) (c rune, n *node, err error) {
	pos := p.place(p.cursor)
	r := p.skip()
	if r == 'v' && isRange {
		return 0x0B, nil, nil
	}
	if s := predefined(r); s != nil {
		return -1, &node{kind: kindSet, set: s, pos: pos}, nil
	}
	switch r {
	case '0':
		c, err = p.octal()
		return c, nil, err
	case 'a':
		return 0x07, nil, nil
	case 'e':
		return 0x1B, nil, nil
	case 'f':
		return '\f', nil, nil
	case 'n':
		return '\n', nil, nil
	case 'r':
		return '\r', nil, nil
	case 't':
		return '\t', nil, nil
	case 'c':
		if p.cursor >= len(p.text) {
			return 0, nil, p.error("\\c without its character")
		}
		return p.read() ^ 64, nil, nil
	case 'u':
		c, err = p.unicode()
		return c, nil, err
	case 'x':
		c, err = p.hexadecimal()
		return c, nil, err
	case 'N':
		return 0, nil, p.error("\\N{...} is not supported; write \\x{...} with the character's number")
	}
	if !inClass {
		if n, err := p.assertion(r); n != nil || err != nil {
			if n != nil {
				n.pos = pos
			}
			return -1, n, err
		}
	}
	if isLetter(r) || isDigit(r) || r == 0 && p.cursor > len(p.text) {
		return 0, nil, p.error("an unknown escape; a letter or digit stands for itself without \\")
	}
	return r, nil, nil
}

// predefined returns the class of an escape, nil if it has none.
func predefined(r rune) set {
	switch r {
	case 'D':
		return digits.negate()
	case 'H':
		return horizontal.negate()
	case 'S':
		return spaces.negate()
	case 'V':
		return vertical.negate()
	case 'W':
		return words.negate()
	case 'd':
		return digits
	case 'h':
		return horizontal
	case 's':
		return spaces
	case 'v':
		return vertical
	case 'w':
		return words
	}
	return nil
}

// assertion returns the node of an escape that stands for no character: nil if r
// is none of these.
func (p *parser) assertion(r rune) (*node, error) {
	text := func(s string) (*node, error) { return &node{kind: kindText, text: s}, nil }
	switch {
	case '1' <= r && r <= '9':
		return p.reference(p.number(int(r - '0')))
	case r == 'k':
		if p.read() != '<' {
			return nil, p.error("\\k is not followed by <name>")
		}
		name, err := p.name(p.read())
		if err != nil {
			return nil, err
		}
		number, ok := p.names[name]
		if !ok {
			return nil, p.error("no group before this has the name %s", name)
		}
		return p.reference(number)
	case r == 'A', r == 'G': // the value is searched once, from its beginning
		return text(`\A`)
	case r == 'z':
		return text(`\z`)
	case r == 'Z':
		return text(dollar(p.flags &^ multiline))
	case r == 'B':
		return text(boundary(false))
	case r == 'b':
		if p.peek() == '{' && p.at(p.cursor+1) == 'g' {
			return nil, p.error("\\b{g} is not supported; write what may stand before and after it as (?<=...) and (?=...)")
		}
		return text(boundary(true))
	case r == 'R':
		return &node{kind: kindNewline}, nil
	case r == 'X':
		return nil, p.error("\\X is not supported; write \\P{M}\\p{M}* for a character with its marks")
	}
	return nil, nil
}

// number reads the further digits of a backreference, as long as there are that
// many groups already.
func (p *parser) number(n int) int {
	for {
		r := p.peek()
		if !isDigit(r) || n*10+int(r-'0') > p.groups {
			return n
		}
		n = n*10 + int(r-'0')
		p.read()
	}
}

func (p *parser) reference(number int) (*node, error) {
	if p.has(caseless) {
		return nil, p.error("a backreference under (?i) is not supported; put (?-i:...) around it, or write the alternatives out")
	}
	n := &node{kind: kindBackref, number: number}
	p.backref = append(p.backref, n)
	return n, nil
}

func octalDigit(r rune) bool { return '0' <= r && r <= '7' }

func (p *parser) octal() (rune, error) {
	a := p.read()
	if !octalDigit(a) {
		return 0, p.error("\\0 without its octal digits")
	}
	b := p.read()
	if !octalDigit(b) {
		p.unread()
		return a - '0', nil
	}
	c := p.read()
	if !octalDigit(c) || a > '3' {
		p.unread()
		return (a-'0')*8 + b - '0', nil
	}
	return (a-'0')*64 + (b-'0')*8 + c - '0', nil
}

func hexDigit(r rune) (rune, bool) {
	switch {
	case isDigit(r):
		return r - '0', true
	case 'a' <= r|0x20 && r|0x20 <= 'f' && r < 0x80:
		return r | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func (p *parser) hexadecimal() (rune, error) {
	r := p.read()
	if d, ok := hexDigit(r); ok {
		if e, ok := hexDigit(p.read()); ok {
			return d*16 + e, nil
		}
		return 0, p.error("\\x without its two hexadecimal digits")
	}
	if _, ok := hexDigit(p.peek()); r != '{' || !ok {
		return 0, p.error("\\x without its hexadecimal digits")
	}
	var v rune
	r = p.read()
	for d, ok := hexDigit(r); ok; d, ok = hexDigit(r) {
		if v = v<<4 | d; v > maxRune {
			return 0, p.error("no character has a number as large as this")
		}
		r = p.read()
	}
	if r != '}' {
		return 0, p.error("\\x{ has no closing }")
	}
	return p.valid(v)
}

func (p *parser) unit() (rune, error) {
	var v rune
	for range 4 {
		d, ok := hexDigit(p.read())
		if !ok {
			return 0, p.error("\\u without its four hexadecimal digits")
		}
		v = v<<4 | d
	}
	return v, nil
}

func (p *parser) unicode() (rune, error) {
	high, err := p.unit()
	if err != nil || high < 0xD800 || high > 0xDBFF {
		if err == nil {
			return p.valid(high)
		}
		return 0, err
	}
	after := p.cursor
	if p.read() == '\\' && p.read() == 'u' {
		low, err := p.unit()
		if err != nil {
			return 0, err
		}
		if low >= 0xDC00 && low <= 0xDFFF {
			return 0x10000 + (high-0xD800)<<10 + (low - 0xDC00), nil
		}
	}
	p.cursor = after
	return p.valid(high)
}

// valid refuses half of a surrogate pair, which no value has.
func (p *parser) valid(r rune) (rune, error) {
	if !utf8.ValidRune(r) {
		return 0, p.error("half of a surrogate pair is no character")
	}
	return r, nil
}
