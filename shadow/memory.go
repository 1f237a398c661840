package shadow

// memory remembers ids by their hashes, the last limit of them at least and twice
// as many at most.
type memory struct {
	limit      int
	young, old map[uint64]uint64
}

func newMemory(limit int) *memory { return &memory{limit: limit, young: make(map[uint64]uint64)} }

func (m *memory) put(id, what uint64) {
	if len(m.young) >= m.limit {
		m.young, m.old = make(map[uint64]uint64), m.young
	}
	m.young[id] = what
}

func (m *memory) get(id uint64) (what uint64, ok bool) {
	if what, ok = m.young[id]; !ok {
		what, ok = m.old[id]
	}
	return what, ok
}
