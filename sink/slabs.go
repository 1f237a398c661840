package sink

// Slab classes: what a batch may grow to. A busy partition takes big ones, a
// quiet one small ones, so that a thousand partitions don't cost a thousand big
// slabs and a backlog doesn't make small requests.
var slabClasses = [...]int{8 << 10, 32 << 10, 128 << 10, 512 << 10}

// slabs hands out the memory of batches and takes it back. What is out and what
// waits to be used again never exceed limit together, but for a single record
// that is larger than the limit itself, which gets its slab when nothing else is
// out. Guarded by Producer.mu.
type slabs struct {
	limit  int
	copied bool // a compressed copy is made of every slab
	used   int  // capacity handed out, compressed copies included
	idle   int  // capacity waiting in free
	free   [len(slabClasses)][][]byte
}

// get returns an empty slab of the class, or of size bytes when that is more
// than the class holds, and what it costs; nil when the limit does not allow it
// now.
func (s *slabs) get(class, size int) (slab []byte, cost int) {
	for class > 0 && slabClasses[class] > s.limit/16 {
		class--
	}
	for class < len(slabClasses) && slabClasses[class] < size {
		class++
	}
	want := size
	if class < len(slabClasses) {
		want = slabClasses[class]
	}
	cost = s.costOf(want)
	if s.used > 0 && s.used+cost > s.limit {
		return nil, 0
	}
	if class < len(slabClasses) {
		if n := len(s.free[class]); n > 0 {
			slab = s.free[class][n-1][:recordsAt]
			s.free[class][n-1] = nil
			s.free[class] = s.free[class][:n-1]
			s.idle -= want
		}
	}
	s.shed(cost)
	s.used += cost
	if slab == nil {
		slab = make([]byte, recordsAt, want)
	}
	return slab, cost
}

// costOf is what a slab takes of the limit: with compression as much again, for
// the copy that will be made of it, so that there is room when it is made.
func (s *slabs) costOf(size int) int {
	if s.copied {
		return 2 * size
	}
	return size
}

// put takes a slab back, and with it what it cost.
func (s *slabs) put(slab []byte, cost int) {
	size := cap(slab)
	s.used -= cost
	for class, c := range slabClasses {
		if c == size && s.used+s.idle+size <= s.limit {
			s.free[class] = append(s.free[class], slab)
			s.idle += size
			return
		}
	}
}

// shed gives waiting slabs to the garbage collector until want more bytes fit,
// the small ones first: a relay that needs new memory is a busy one.
func (s *slabs) shed(want int) {
	for class := range s.free {
		for len(s.free[class]) > 0 && s.used+s.idle+want > s.limit {
			n := len(s.free[class]) - 1
			s.free[class][n] = nil
			s.free[class] = s.free[class][:n]
			s.idle -= slabClasses[class]
		}
	}
}
