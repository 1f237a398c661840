package expand

import (
	"bytes"
	"hash/maphash"
	"math"
	"strconv"
)

// kind is the kind of a node, Jackson's node types with its numbers told apart.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindString
	kindInt    // fits int32
	kindLong   // fits int64
	kindBig    // an integer beyond that
	kindDouble // written with a fraction or an exponent
	kindArray
	kindObject
)

// Jackson's StreamReadConstraints.
const (
	maxDepth  = 1000
	maxDigits = 1000
	maxString = 20_000_000 // UTF-16 units
	maxName   = 50_000     // UTF-16 units
)

// maxText keeps every offset in 31 bits. PostgreSQL's values end at 1 GB.
const maxText = math.MaxInt32

// none ends a list of nodes.
const none int32 = -1

// span is a part of the text or, with the highest bit of start, of what was
// unescaped.
type span struct{ start, length uint32 }

const inUnescaped = 1 << 31

// node is one value of the document. A container's children are a list.
type node struct {
	key   span   // as a member
	num   uint64 // integer, bits of a double, 1 for true, or a string's span
	next  int32  // sibling
	child int32  // first child
	count int32  // children
	at    uint32 // offset in the text
	kind  kind
}

// parser reads JSON text as Jackson's ReaderBasedJsonParser and ObjectMapper do:
// strict JSON, with their limits; of a key that comes twice the last value, in
// the first place; what follows the first value is not looked at.
type parser struct {
	text      []byte
	pos       int
	nodes     []node
	unescaped []byte // strings and keys that had escapes
	strings   []byte // unescaped, where it stays

	seed  maphash.Seed
	slots []int32
}

func (p *parser) parse(text []byte) (int32, error) {
	p.text, p.pos, p.nodes, p.unescaped = text, 0, p.nodes[:0], p.unescaped[:0]
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return none, p.fail("it does not begin with { or [")
	}
	if len(text) > maxText {
		return none, p.fail("too long")
	}
	return p.value(0)
}

func (p *parser) fail(reason string) error { return &unchanged{reason: reason, offset: p.pos} }

// space skips white space and returns the byte after it, 0 at the end (a zero
// byte is valid nowhere outside of strings).
func (p *parser) space() byte {
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; c {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return c
		}
	}
	return 0
}

func (p *parser) add(k kind) int32 {
	p.nodes = append(p.nodes, node{kind: k, at: uint32(p.pos), next: none, child: none})
	return int32(len(p.nodes) - 1)
}

// value reads the value that begins at pos.
func (p *parser) value(depth int) (int32, error) {
	if p.pos >= len(p.text) {
		return none, p.fail("the text ends too early")
	}
	switch c := p.text[p.pos]; c {
	case '{':
		return p.object(depth + 1)
	case '[':
		return p.array(depth + 1)
	case '"':
		n := p.add(kindString)
		s, err := p.quoted(maxString)
		p.nodes[n].num = uint64(s.start)<<32 | uint64(s.length)
		return n, err
	case 't':
		return p.literal("true", kindBoolean, 1)
	case 'f':
		return p.literal("false", kindBoolean, 0)
	case 'n':
		return p.literal("null", kindNull, 0)
	default:
		if c == '-' || '0' <= c && c <= '9' {
			return p.number()
		}
	}
	return none, p.fail("a value is missing")
}

func (p *parser) literal(word string, k kind, num uint64) (int32, error) {
	if len(p.text)-p.pos < len(word) || string(p.text[p.pos:p.pos+len(word)]) != word {
		return none, p.fail("an unknown word")
	}
	n := p.add(k)
	p.nodes[n].num = num
	p.pos += len(word)
	return n, nil
}

func (p *parser) array(depth int) (int32, error) {
	if depth > maxDepth {
		return none, p.fail("nested too deeply")
	}
	n, last := p.add(kindArray), none
	p.pos++
	if p.space() == ']' {
		p.pos++
		return n, nil
	}
	for {
		p.space()
		e, err := p.value(depth)
		if err != nil {
			return none, err
		}
		p.link(n, &last, e)
		switch p.space() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return n, nil
		default:
			return none, p.fail("a comma or ] is missing")
		}
	}
}

func (p *parser) object(depth int) (int32, error) {
	if depth > maxDepth {
		return none, p.fail("nested too deeply")
	}
	n, last := p.add(kindObject), none
	p.pos++
	if p.space() == '}' {
		p.pos++
		return n, nil
	}
	for {
		if p.space() != '"' {
			return none, p.fail("a key in quotes is missing")
		}
		key, err := p.quoted(maxName)
		if err != nil {
			return none, err
		}
		if p.space() != ':' {
			return none, p.fail("a colon is missing")
		}
		p.pos++
		p.space()
		m, err := p.value(depth)
		if err != nil {
			return none, err
		}
		p.nodes[m].key = key
		p.link(n, &last, m)
		switch p.space() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			p.unique(n)
			return n, nil
		default:
			return none, p.fail("a comma or } is missing")
		}
	}
}

// link makes n the next child of parent, whose last child was *last.
func (p *parser) link(parent int32, last *int32, n int32) {
	if *last == none {
		p.nodes[parent].child = n
	} else {
		p.nodes[*last].next = n
	}
	*last = n
	p.nodes[parent].count++
}

// unique merges members with the same key: the last value in the first place.
func (p *parser) unique(object int32) {
	if p.nodes[object].count < 2 {
		return
	}
	first := p.nodes[object].child
	hashed := p.nodes[object].count > 8
	if hashed {
		p.clearSlots(int(p.nodes[object].count))
	}
	for prev, n := none, first; n != none; n = p.nodes[n].next {
		var same int32
		if hashed {
			same = p.slot(n)
		} else {
			same = p.before(first, n)
		}
		if same == none {
			prev = n
			continue
		}
		// The later member's value moves; its node stays where it is, so that the
		// loop finds its successor.
		later := p.nodes[n]
		p.nodes[prev].next = later.next
		later.key, later.next = p.nodes[same].key, p.nodes[same].next
		p.nodes[same] = later
		p.nodes[object].count--
	}
}

// before returns the member before n with n's key, or none.
func (p *parser) before(first, n int32) int32 {
	key := p.scratch(p.nodes[n].key)
	for m := first; m != n; m = p.nodes[m].next {
		if p.nodes[m].key.length == uint32(len(key)) && bytes.Equal(p.scratch(p.nodes[m].key), key) {
			return m
		}
	}
	return none
}

func (p *parser) clearSlots(n int) {
	size := 32
	for size < 2*n {
		size *= 2
	}
	if cap(p.slots) < size {
		p.slots = make([]int32, size)
	}
	p.slots = p.slots[:size]
	for i := range p.slots {
		p.slots[i] = none
	}
}

// slot returns the member with n's key that was put in before, or puts n in and
// returns none.
func (p *parser) slot(n int32) int32 {
	key := p.scratch(p.nodes[n].key)
	mask := uint64(len(p.slots) - 1)
	for i := maphash.Bytes(p.seed, key) & mask; ; i = (i + 1) & mask {
		m := p.slots[i]
		if m == none {
			p.slots[i] = n
			return none
		}
		if bytes.Equal(p.scratch(p.nodes[m].key), key) {
			return m
		}
	}
}

// scratch returns the bytes of s while the document is being parsed.
func (p *parser) scratch(s span) []byte {
	if s.start&inUnescaped != 0 {
		start := s.start &^ inUnescaped
		return p.unescaped[start : start+s.length]
	}
	return p.text[s.start : s.start+s.length]
}

// bytes returns the bytes of s where they stay.
func (p *parser) bytes(s span) []byte {
	if s.start&inUnescaped != 0 {
		start := s.start &^ inUnescaped
		return p.strings[start : start+s.length : start+s.length]
	}
	return p.text[s.start : s.start+s.length : s.start+s.length]
}

func (p *parser) digits() int {
	start := p.pos
	for p.pos < len(p.text) && '0' <= p.text[p.pos] && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

// number reads a number. One that is written as an integer is an int, a long or
// a big integer, any other a double.
func (p *parser) number() (int32, error) {
	n, start := p.add(kindInt), p.pos
	if p.text[p.pos] == '-' {
		p.pos++
	}
	first := p.pos
	length := p.digits()
	if length == 0 {
		return none, p.fail("a digit is missing")
	}
	zero := p.text[first] == '0'
	if zero && length > 1 {
		return none, p.fail("a number with a leading zero")
	}
	fraction, exponent := -1, -1
	if p.pos < len(p.text) && p.text[p.pos] == '.' {
		p.pos++
		if fraction = p.digits(); fraction == 0 {
			return none, p.fail("a digit is missing")
		}
	}
	if p.pos < len(p.text) && p.text[p.pos]|0x20 == 'e' {
		p.pos++
		if p.pos < len(p.text) && (p.text[p.pos] == '-' || p.text[p.pos] == '+') {
			p.pos++
		}
		if exponent = p.digits(); exponent == 0 {
			return none, p.fail("a digit is missing")
		}
	}
	if fraction < 0 && exponent < 0 {
		if length > maxDigits {
			return none, p.fail("a number with too many digits")
		}
		p.integer(n, start)
		return n, nil
	}
	if !zero { // Jackson counts a part that is not there as -1 after a zero
		fraction, exponent = max(fraction, 0), max(exponent, 0)
	}
	if length+fraction+exponent > maxDigits {
		return none, p.fail("a number with too many digits")
	}
	// Out of range is infinite, or zero, in both worlds: the error says no more.
	f, _ := strconv.ParseFloat(string(p.text[start:p.pos]), 64)
	p.nodes[n].kind, p.nodes[n].num = kindDouble, math.Float64bits(f)
	return n, nil
}

func (p *parser) integer(n int32, start int) {
	i, err := strconv.ParseInt(string(p.text[start:p.pos]), 10, 64)
	switch {
	case err != nil:
		p.nodes[n].kind = kindBig
	case i != int64(int32(i)):
		p.nodes[n].kind = kindLong
	}
	p.nodes[n].num = uint64(i)
}
