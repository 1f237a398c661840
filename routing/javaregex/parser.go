package javaregex

import "math"

// maxNesting bounds groups and classes within each other. Java's stack ends
// somewhere as well.
const maxNesting = 200

// parser makes the tree of a pattern. Its functions are those of
// java.util.regex.Pattern, in the same order of steps.
type parser struct {
	scanner
	groups  int            // capturing groups so far
	names   map[string]int // of named groups
	nesting int
	backref []*node
}

func parse(pattern string) (*parser, *node, error) {
	p := &parser{names: map[string]int{}}
	p.unquote([]rune(pattern))
	n, err := p.expression()
	if err != nil {
		return nil, nil, err
	}
	if p.cursor < len(p.text) {
		if p.peek() == ')' {
			p.cursor++
			return nil, nil, p.error("a closing ) without its (")
		}
		return nil, nil, p.error("unexpected end of the expression")
	}
	return p, n, nil
}

func (p *parser) nest() error {
	if p.nesting++; p.nesting > maxNesting {
		return p.error("more than %d groups or classes within each other", maxNesting)
	}
	return nil
}

func (p *parser) expression() (*node, error) {
	if err := p.nest(); err != nil {
		return nil, err
	}
	defer func() { p.nesting-- }()
	var list []*node
	for {
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		list = append(list, n)
		if p.peek() != '|' {
			break
		}
		p.next()
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return &node{kind: kindAlternation, subs: list}, nil
}

func (p *parser) sequence() (*node, error) {
	seq := &node{kind: kindSequence}
	for {
		r := p.peek()
		var n *node
		var err error
		switch r {
		case '(':
			n, err = p.group()
			if err != nil {
				return nil, err
			}
			if n != nil { // else flags only
				seq.subs = append(seq.subs, n)
			}
			continue
		case '|', ')':
			return seq, nil
		case '?', '*', '+':
			p.next()
			return nil, p.error("nothing stands before %c that it could repeat; \\%c is the character itself", r, r)
		case 0:
			if p.cursor >= len(p.text) {
				return seq, nil
			}
		}
		n, err = p.atom(r)
		if err == nil {
			n, err = p.closure(n, false)
		}
		if err != nil {
			return nil, err
		}
		seq.subs = append(seq.subs, n)
	}
}

func (p *parser) atom(r rune) (*node, error) {
	pos := p.place(p.cursor)
	switch r {
	case '[':
		c, err := p.class(true)
		if err != nil {
			return nil, err
		}
		return &node{kind: kindSet, set: c.eval()}, nil
	case '\\':
		return p.escaped()
	case '^':
		p.next()
		return &node{kind: kindText, text: caret(p.flags)}, nil
	case '$':
		p.next()
		return &node{kind: kindText, text: dollar(p.flags)}, nil
	case '.':
		p.next()
		return &node{kind: kindSet, set: dot(p.flags)}, nil
	case '{':
		return &node{kind: kindEmpty, pos: pos}, nil // {2} alone repeats nothing
	}
	p.next()
	return &node{kind: kindSet, set: character(r, p.flags)}, nil
}

func (p *parser) escaped() (*node, error) {
	r := p.nextEscaped()
	if r == 'p' || r == 'P' {
		s, err := p.property(r == 'P')
		return &node{kind: kindSet, set: s}, err
	}
	p.unread()
	c, n, err := p.escape(false, false)
	if err != nil {
		return nil, err
	}
	if n == nil {
		n = &node{kind: kindSet, set: character(c, p.flags)}
	}
	return n, nil
}

// group reads a group with its repetition. It returns nil for (?flags).
func (p *parser) group() (*node, error) {
	pos, save := p.place(p.cursor), p.flags
	n := &node{kind: kindGroup, pos: pos}
	if p.next() == '?' {
		only, err := p.special(n)
		if err != nil || only {
			return nil, err
		}
	} else {
		p.groups++
		n.number = p.groups
	}
	body, err := p.expression()
	if err != nil {
		return nil, err
	}
	n.subs = []*node{body}
	if p.read() != ')' {
		return nil, p.error("a group has no closing )")
	}
	p.flags = save
	return p.closure(n, n.kind == kindGroup)
}

// special reads what stands between (? and the group's body. It returns true for
// a group of flags that has no body.
func (p *parser) special(n *node) (only bool, err error) {
	switch r := p.skip(); r {
	case ':':
	case '=', '!':
		n.kind, n.text = kindLook, "(?"+string(r)
	case '>':
		n.kind = kindAtomic
	case '<':
		r = p.read()
		if r == '=' || r == '!' {
			n.kind, n.text = kindLook, "(?<"+string(r)
			return false, nil
		}
		name, err := p.name(r)
		if err != nil {
			return false, err
		}
		if _, ok := p.names[name]; ok {
			return false, p.error("a second group with the name %s", name)
		}
		p.groups++
		n.number = p.groups
		p.names[name] = n.number
	default:
		p.unread()
		if err := p.setFlags(); err != nil {
			return false, err
		}
		switch p.read() {
		case ')':
			return true, nil
		case ':':
		default:
			return false, p.error("an unknown kind of group or flag after (?")
		}
	}
	return false, nil
}

// setFlags reads flags, after (?, up to what is none.
func (p *parser) setFlags() error {
	add := true
	for r := p.peek(); ; r = p.next() {
		var f flags
		switch r {
		case 'i':
			f = caseless
		case 'm':
			f = multiline
		case 's':
			f = dotAll
		case 'd':
			f = unixLines
		case 'u':
			f = unicodeCase
		case 'x':
			f = comments
		case 'U', 'c':
			p.cursor++
			return p.error("the flag %c is not supported; write the characters out, as in [\\p{L}\\p{Nd}_]", r)
		case '-':
			if !add {
				return nil
			}
			add = false
		default:
			return nil
		}
		if add {
			p.flags |= f
		} else {
			p.flags &^= f
		}
	}
}

func (p *parser) name(r rune) (string, error) {
	if !isLetter(r) {
		return "", p.error("the name of a group does not begin with a Latin letter")
	}
	var name []rune
	for isLetter(r) || isDigit(r) {
		name = append(name, r)
		r = p.read()
	}
	if r != '>' {
		return "", p.error("the name of a group has no closing >")
	}
	return string(name), nil
}

func isLetter(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' && r < 0x80 }
func isDigit(r rune) bool  { return '0' <= r && r <= '9' }

// closure reads the repetition of n, if there is one.
func (p *parser) closure(n *node, isGroup bool) (*node, error) {
	rep := &node{kind: kindRepeat, subs: []*node{n}, isGroup: isGroup, max: unlimited, pos: p.place(p.cursor)}
	switch p.peek() {
	case '?':
		rep.max = 1
	case '*':
	case '+':
		rep.min = 1
	case '{':
		if err := p.bounds(rep); err != nil {
			return nil, err
		}
	default:
		return n, nil
	}
	switch p.next() {
	case '?':
		p.next()
		rep.mode = lazy
	case '+':
		p.next()
		rep.mode = possessive
	}
	return rep, nil
}

// bounds reads {n}, {n,} or {n,m} up to the closing brace.
func (p *parser) bounds(rep *node) error {
	r := p.skip()
	if !isDigit(r) {
		return p.error("a repetition without its number; \\{ is the character itself")
	}
	rep.min, r = p.count(r)
	rep.max = rep.min
	if r == ',' {
		if r = p.read(); r == '}' {
			rep.max = unlimited
		} else {
			rep.max, r = p.count(r)
		}
	}
	switch {
	case rep.min > math.MaxInt32 || rep.max > math.MaxInt32:
		return p.error("a repetition with a number that is too large")
	case r != '}':
		return p.error("a repetition has no closing }")
	case rep.max < rep.min:
		return p.error("a repetition with a maximum below its minimum")
	}
	p.unread()
	return nil
}

// count reads a number that begins with r, and what follows it. One that is too
// large is returned as larger than MaxInt32.
func (p *parser) count(r rune) (int, rune) {
	v := 0
	for isDigit(r) {
		v = min(v*10+int(r-'0'), math.MaxInt32+1)
		r = p.read()
	}
	return v, r
}
