package javaregex

// part is a part of a replacement: text, if group is negative.
type part struct {
	text  string
	group int
}

// template reads a replacement as Matcher.appendExpandedReplacement does. What
// that finds out at the first match is an error here.
func (p *parser) template(replacement string) ([]part, error) {
	t := templateReader{parser: p, text: []rune(replacement)}
	for t.at < len(t.text) {
		r := t.text[t.at]
		t.at++
		switch r {
		case '\\':
			if t.at == len(t.text) {
				return nil, t.error("a \\ at its end; \\\\ is the character itself")
			}
			t.plain = append(t.plain, t.text[t.at])
			t.at++
		case '$':
			n, err := t.reference()
			if err != nil {
				return nil, err
			}
			t.flush()
			t.parts = append(t.parts, part{group: n})
		default:
			t.plain = append(t.plain, r)
		}
	}
	t.flush()
	return t.parts, nil
}

type templateReader struct {
	*parser
	text  []rune
	at    int
	plain []rune
	parts []part
}

func (t *templateReader) error(detail string) error {
	return &Error{What: "replacement", Pos: t.at - 1, Detail: detail}
}

func (t *templateReader) flush() {
	if len(t.plain) > 0 {
		t.parts = append(t.parts, part{text: string(t.plain), group: -1})
		t.plain = t.plain[:0]
	}
}

// reference reads what stands after a $.
func (t *templateReader) reference() (int, error) {
	if t.at == len(t.text) {
		return 0, t.error("a $ at its end; \\$ is the character itself")
	}
	r := t.text[t.at]
	t.at++
	if r == '{' {
		return t.named()
	}
	if !isDigit(r) {
		return 0, t.error("a $ without a group's number or {name}; \\$ is the character itself")
	}
	n := int(r - '0')
	if n > t.groups {
		return 0, t.error("the pattern has no group with this number")
	}
	for t.at < len(t.text) && isDigit(t.text[t.at]) {
		longer := n*10 + int(t.text[t.at]-'0')
		if longer > t.groups {
			break // the digit stands for itself
		}
		n = longer
		t.at++
	}
	return n, nil
}

func (t *templateReader) named() (int, error) {
	from := t.at
	for t.at < len(t.text) && (isLetter(t.text[t.at]) || isDigit(t.text[t.at])) {
		t.at++
	}
	switch {
	case t.at == from:
		return 0, t.error("${ without a group's name")
	case t.at == len(t.text) || t.text[t.at] != '}':
		return 0, t.error("${ without its closing }")
	}
	n, ok := t.names[string(t.text[from:t.at])]
	if !ok {
		return 0, t.error("the pattern has no group with this name")
	}
	t.at++
	return n, nil
}
