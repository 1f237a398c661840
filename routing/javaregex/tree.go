package javaregex

// kind is what a node is.
type kind uint8

const (
	kindEmpty       kind = iota
	kindSet              // one character of set
	kindSequence         // subs, one after the other
	kindAlternation      // one of subs
	kindGroup            // subs[0]; captures as number, if that is not 0
	kindRepeat           // subs[0], min to max times
	kindAtomic           // subs[0], without coming back
	kindLook             // subs[0] ahead or behind, or not
	kindBackref          // what the group number has captured
	kindText             // an assertion, written as it is
	kindNewline          // \R
)

// mode is how a repetition goes.
type mode uint8

const (
	greedy mode = iota
	lazy
	possessive
)

const unlimited = 1<<31 - 1

// node is a part of a pattern.
type node struct {
	kind     kind
	subs     []*node
	set      set
	number   int
	min, max int
	mode     mode
	text     string // of a kindLook: how it opens
	isGroup  bool   // of a kindRepeat: a group is repeated, in Java another node
	pos      int    // in characters of the pattern
}

// fixed tells whether Java finds the node deterministic (TreeInfo): a group that
// is repeated is then run by GroupCurly, which never comes back to its inside.
func (n *node) fixed() bool {
	switch n.kind {
	case kindAlternation:
		return false
	case kindRepeat:
		if n.min == 0 && n.max == 1 || n.min != n.max {
			return false
		}
		return n.subs[0].fixed()
	case kindLook:
		return true
	}
	for _, s := range n.subs {
		if !s.fixed() {
			return false
		}
	}
	return true
}

// empty tells whether the node can match nothing.
func (n *node) empty() bool {
	switch n.kind {
	case kindSet, kindNewline:
		return false
	case kindAlternation:
		for _, s := range n.subs {
			if s.empty() {
				return true
			}
		}
		return false
	case kindRepeat:
		return n.min == 0 || n.subs[0].empty()
	case kindLook:
		return true
	}
	for _, s := range n.subs {
		if !s.empty() {
			return false
		}
	}
	return true
}
