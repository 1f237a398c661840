package expand

import "unicode/utf8"

// plain marks the bytes that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

// quoted reads the string that begins at pos, of at most limit UTF-16 units.
func (p *parser) quoted(limit int) (span, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.text) && plain[p.text[p.pos]] {
		p.pos++
	}
	s := span{start: uint32(start), length: uint32(p.pos - start)}
	if p.pos < len(p.text) && p.text[p.pos] == '\\' {
		from := len(p.unescaped)
		p.unescaped = append(p.unescaped, p.text[start:p.pos]...)
		if err := p.escaped(from); err != nil {
			return span{}, err
		}
		s = span{start: uint32(from) | inUnescaped, length: uint32(len(p.unescaped) - from)}
	}
	switch {
	case p.pos >= len(p.text):
		return span{}, p.fail("a string has no end")
	case p.text[p.pos] != '"':
		return span{}, p.fail("a control character in a string")
	case int(s.length) > limit && units(p.scratch(s)) > limit:
		return span{}, p.fail("a string or key is too long")
	}
	p.pos++
	return s, nil
}

// escaped appends the rest of a string to unescaped, up to its closing quote or
// to what cannot be in it. The string's beginning is unescaped[from:].
func (p *parser) escaped(from int) error {
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if plain[c] {
			p.unescaped = append(p.unescaped, c)
			p.pos++
			continue
		}
		if c != '\\' {
			return nil
		}
		p.pos++
		if p.pos >= len(p.text) {
			return p.fail("a string has no end")
		}
		c = p.text[p.pos]
		p.pos++
		switch c {
		case '"', '/', '\\':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			unit, err := p.hex()
			if err != nil {
				return err
			}
			p.unescaped = appendUnit(p.unescaped, from, unit)
			continue
		default:
			return p.fail("an unknown escape")
		}
		p.unescaped = append(p.unescaped, c)
	}
	return nil
}

// hex reads the four digits of \uXXXX. Jackson looks at the lower eight bits of
// a character only, so that there are digits beyond ASCII.
func (p *parser) hex() (rune, error) {
	var unit rune
	for range 4 {
		r, size := utf8.DecodeRune(p.text[p.pos:])
		if size == 0 || r > 0xFFFF {
			return 0, p.fail("a hexadecimal digit is missing")
		}
		switch c := r & 0xFF; {
		case '0' <= c && c <= '9':
			unit = unit<<4 | (c - '0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			unit = unit<<4 | (c | 0x20 - 'a' + 10)
		default:
			return 0, p.fail("a hexadecimal digit is missing")
		}
		p.pos += size
	}
	return unit, nil
}

// appendUnit appends a UTF-16 unit to the string dst[from:]. The two halves of a
// surrogate pair become one character; a half alone is three bytes, as UTF-8
// would write it if it could.
func appendUnit(dst []byte, from int, unit rune) []byte {
	if unit < 0xD800 || unit > 0xDFFF {
		return utf8.AppendRune(dst, unit)
	}
	if n := len(dst); unit >= 0xDC00 && n-from >= 3 && dst[n-3] == 0xED && dst[n-2] >= 0xA0 && dst[n-2] < 0xB0 {
		high := 0xD000 | rune(dst[n-2]&0x3F)<<6 | rune(dst[n-1]&0x3F)
		return utf8.AppendRune(dst[:n-3], 0x10000+(high-0xD800)<<10+(unit-0xDC00))
	}
	return append(dst, 0xE0|byte(unit>>12), 0x80|byte(unit>>6)&0x3F, 0x80|byte(unit)&0x3F)
}

// units counts the UTF-16 units of s.
func units(s []byte) int {
	n := 0
	for _, c := range s {
		if c < 0x80 || c >= 0xC0 {
			n++ // begins a character
		}
		if c >= 0xF0 {
			n++ // of two units
		}
	}
	return n
}
