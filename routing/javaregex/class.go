package javaregex

import "strings"

// class reads a character class. The cursor is at its [, or for the right side
// of && one before it; only with consume the closing ] is taken.
//
// These are Java's steps with their oddities: the plain characters of a class
// are one object (chars), which takes part in what it was combined with before
// more characters come.
func (p *parser) class(consume bool) (expr, error) {
	if err := p.nest(); err != nil {
		return nil, err
	}
	defer func() { p.nesting-- }()
	c := classState{chars: &bits{}}
	negated := false
	r := p.next()
	if r == '^' && p.at(p.cursor-1) == '[' {
		r = p.next()
		negated = true
	}
	for {
		switch r {
		case '[':
			inner, err := p.class(true)
			if err != nil {
				return nil, err
			}
			c.last = inner
			c.add(inner)
			r = p.peek()
			continue
		case '&':
			if p.next() == '&' {
				if err := p.intersect(&c); err != nil {
					return nil, err
				}
				r = p.peek()
				continue
			}
			p.unread()
		case 0:
			if p.cursor >= len(p.text) {
				return nil, p.error("a character class has no closing ]")
			}
		case ']':
			if c.all != nil || c.hasChars { // else it is a character
				if consume {
					p.next()
				}
				return c.end(negated), nil
			}
		}
		e, err := p.classRange(c.chars)
		if err != nil {
			return nil, err
		}
		c.last = e
		if e == nil {
			c.hasChars = true
		} else {
			c.add(e)
		}
		r = p.peek()
	}
}

// classState is a class that is being read.
type classState struct {
	all      expr // so far, without chars
	last     expr // the part that was read last, nil for chars
	chars    *bits
	hasChars bool
}

func (c *classState) add(e expr) {
	if c.all == nil {
		c.all = e
	} else {
		c.all = union{c.all, e}
	}
}

func (c *classState) end(negated bool) expr {
	if c.hasChars {
		c.add(c.chars)
	}
	if negated {
		return not{c.all}
	}
	return c.all
}

// intersect reads the right side of &&, with the cursor at its second &.
func (p *parser) intersect(c *classState) error {
	r := p.next()
	var right expr
	for r != ']' && r != '&' {
		whole := r == '['
		if !whole {
			p.unread()
		}
		e, err := p.class(whole)
		if err != nil {
			return err
		}
		if right == nil {
			right = e
		} else {
			right = union{right, e}
		}
		r = p.peek()
	}
	if c.hasChars {
		if c.all == nil {
			c.last = c.chars
		}
		c.add(c.chars)
		c.hasChars = false
	}
	if right != nil {
		c.last = right
	}
	switch {
	case c.all == nil && right == nil:
		return p.error("&& without its left and right side")
	case c.all == nil:
		c.all = right
	case c.last == nil:
		return p.error("&& without its right side")
	default:
		c.all = both{c.all, c.last}
	}
	return nil
}

// classRange reads a character, a range or an escape of a class. It returns nil
// if that went into chars.
func (p *parser) classRange(chars *bits) (expr, error) {
	r := p.peek()
	if r != '\\' {
		p.next()
	} else {
		r = p.nextEscaped()
		if r == 'p' || r == 'P' {
			s, err := p.property(r == 'P')
			return s, err
		}
		isRange := p.at(p.cursor+1) == '-'
		p.unread()
		c, n, err := p.escape(true, isRange)
		if err != nil {
			return nil, err
		}
		if n != nil {
			return n.set, nil
		}
		r = c
	}
	if p.peek() == '-' {
		end := p.at(p.cursor + 1)
		if end != '[' && end != ']' {
			p.next()
			return p.classRangeTo(r)
		}
	}
	return p.single(chars, r), nil
}

func (p *parser) classRangeTo(lo rune) (expr, error) {
	hi := p.peek()
	if hi == '\\' {
		c, n, err := p.escape(true, true)
		if err != nil {
			return nil, err
		}
		hi = c
		if n != nil {
			hi = -1
		}
	} else {
		p.next()
	}
	if hi < lo {
		return nil, p.error("a range whose end comes before its beginning")
	}
	return interval(lo, hi, p.flags), nil
}

// single puts a character into chars, or returns its set.
func (p *parser) single(chars *bits, r rune) expr {
	unicodeFold := p.has(caseless) && p.has(unicodeCase)
	if r >= 256 || unicodeFold && strings.ContainsRune("ÿµIiSsKkÅå", r) {
		return character(r, p.flags)
	}
	chars.has[r] = true
	if p.has(caseless) {
		switch {
		case r < 0x80:
			chars.has[lower(r)], chars.has[upper(r)] = true, true
		case unicodeFold:
			for _, s := range character(r, p.flags) {
				for c := s.lo; c <= s.hi && c < 256; c++ {
					chars.has[c] = true
				}
			}
		}
	}
	return nil
}

// property reads a \p or \P, with the cursor at its letter.
func (p *parser) property(negated bool) (set, error) {
	var name string
	if p.next() != '{' {
		name = string(p.at(p.cursor))
		p.read()
	} else {
		p.next()
		from := p.cursor
		for p.read() != '}' {
			if p.cursor > len(p.text) {
				return nil, p.error("a property has no closing }")
			}
		}
		if p.cursor-1 <= from {
			return nil, p.error("a property without a name")
		}
		name = string(p.text[from : p.cursor-1])
	}
	s, err := p.named(name)
	if err == nil && negated {
		s = s.negate()
	}
	return s, err
}

func (p *parser) named(name string) (set, error) {
	ignore := p.has(caseless)
	found := func(s set, ok bool) (set, error) {
		if !ok {
			return nil, p.error("the property is unknown or not supported; write its characters out, as in [a-z]")
		}
		return s, nil
	}
	if key, value, ok := strings.Cut(name, "="); ok {
		switch strings.ToLower(key) {
		case "sc", "script":
			return found(script(value))
		case "gc", "general_category":
			return found(category(value, ignore))
		}
		return found(nil, false)
	}
	if short, ok := strings.CutPrefix(name, "Is"); ok {
		if s, ok := binary(short, ignore); ok {
			return s, nil
		}
		if s, ok := category(short, ignore); ok {
			return s, nil
		}
		return found(script(short))
	}
	return found(category(name, ignore))
}
