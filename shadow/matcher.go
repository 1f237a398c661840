package shadow

import (
	"container/list"
	"maps"
	"sync"
	"time"
)

const (
	// maxPending bounds the records that wait for their other side.
	maxPending = 100_000
	// maxSettled is how many ids are remembered at least, to recognise repeats.
	maxSettled = 250_000
	// maxSurplus bounds the ids of which more records than events were seen.
	maxSurplus = 10_000
)

// state of a record that has been seen on one side only.
type state uint8

const (
	stateWaiting state = iota // not for Config.Wait yet
	stateMissing              // counted as missing on the other side
	stateEarly                // of Kafka's: of before the slot, as it seems
	stateRefused              // of walrelay's: it would write none
)

// matcher joins the two sides by event id. Any goroutine may use it.
type matcher struct {
	mu       sync.Mutex
	wait     time.Duration
	pending  int // bound of records
	comparer comparer
	report   report
	counts   Counts

	// alone are the records seen on one side only, by id: all of an id from the same
	// side, in order. Ids need not be unique.
	alone   map[string][]*list.Element
	waiting list.List // of *record in stateWaiting, by age
	past    list.List // of the others
	kept    int       // bytes of them all

	settled   *memory        // id → content of the record in Kafka
	forgotten *memory        // ids that were dropped
	surplus   map[uint64]int // repeats in Kafka that could yet belong to an event of the same id

	joined bool                     // a first event was found on both sides
	first  map[topicPartition]int64 // lowest offset of a record that has an event
	firm   map[string][]int64       // ends noted after that; nil: not yet
	closed bool                     // nothing new is taken in
}

func newMatcher(cfg *Config) *matcher {
	hidden := make(map[string]bool, len(cfg.PayloadHeaders))
	for _, name := range cfg.PayloadHeaders {
		hidden[name] = true
	}
	return &matcher{
		wait: cfg.Wait, pending: maxPending,
		comparer: comparer{payloads: cfg.ShowPayloads, hidden: hidden},
		report:   report{limit: cfg.Limit, kept: make(map[Kind][]*Difference)},
		counts:   Counts{ByField: make(map[string]int)},
		alone:    make(map[string][]*list.Element),
		settled:  newMemory(maxSettled), forgotten: newMemory(maxSettled),
		surplus: make(map[uint64]int), first: make(map[topicPartition]int64),
	}
}

// wal takes what walrelay would write for an event.
func (m *matcher) wal(w *record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.other(w)
	if !m.closed || k != nil {
		m.counts.Events++
	}
	if k != nil {
		m.settle(w, k)
		return
	}
	id := hashID(w.id)
	if content, ok := m.settled.get(id); ok && m.surplus[id] > 0 && content == w.content && w.refused == "" {
		m.surplus[id]--
		m.counts.Duplicates--
		m.counts.Compared++
		m.counts.Agreed++
		return
	}
	if _, ok := m.forgotten.get(id); ok || m.closed {
		return
	}
	if w.refused != "" {
		m.refuse(w, nil)
	}
	m.add(w)
}

// kafkas takes a record that is in Kafka.
func (m *matcher) kafkas(k *record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.other(k)
	if !m.closed || w != nil {
		m.counts.Records++
	}
	if w != nil {
		m.settle(w, k)
		return
	}
	id := hashID(k.id)
	if content, ok := m.settled.get(id); ok && content == k.content || m.repeats(k) {
		m.counts.Duplicates++
		if len(m.surplus) < maxSurplus || m.surplus[id] > 0 {
			m.surplus[id]++
		}
		return
	}
	if _, ok := m.forgotten.get(id); ok || m.closed {
		return
	}
	m.add(k)
}

// before takes a record that was in Kafka before the slot was made, so that it is
// known when it is repeated.
func (m *matcher) before(k *record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settled.put(hashID(k.id), k.content)
}

// nameless counts an event or record without id.
func (m *matcher) nameless() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts.Nameless++
}

// repeats says whether a record of the same bytes waits already.
func (m *matcher) repeats(k *record) bool {
	for _, e := range m.alone[k.id] {
		if r := e.Value.(*record); r.kafka && r.content == k.content {
			return true
		}
	}
	return false
}

// other takes the oldest record of the other side with r's id out of those that
// wait; nil when there is none.
func (m *matcher) other(r *record) *record {
	same := m.alone[r.id]
	if len(same) == 0 || same[0].Value.(*record).kafka == r.kafka {
		return nil
	}
	o := same[0].Value.(*record)
	m.remove(same[0])
	switch o.state {
	case stateMissing:
		if o.kafka {
			m.counts.Only--
			m.report.withdraw(Only, o)
		} else {
			m.counts.Missing--
			m.report.withdraw(Missing, o)
		}
	case stateEarly:
		m.counts.Early--
	}
	return o
}

// settle compares the two sides of an event.
func (m *matcher) settle(w, k *record) {
	m.settled.put(hashID(k.id), k.content)
	if at, ok := m.first[k.place()]; !ok || k.offset < at {
		m.first[k.place()] = k.offset
	}
	m.joined = true
	if w.refused != "" {
		if w.state != stateRefused { // it comes after the record
			m.refuse(w, k)
		}
		return
	}
	m.counts.Compared++
	fields := m.comparer.compare(w, k)
	if len(fields) == 0 {
		m.counts.Agreed++
		return
	}
	m.counts.Differing++
	counted := ""
	for i := range fields { // those of a field follow each other
		if fields[i].Field != counted {
			counted = fields[i].Field
			m.counts.ByField[counted]++
		}
	}
	d := newDifference(Differs, w, k)
	d.Fields = fields
	m.report.add(d)
}

// refuse counts an event that walrelay makes no record of.
func (m *matcher) refuse(w, k *record) {
	w.state = stateRefused
	m.counts.Refused++
	m.report.add(newDifference(Refused, w, k))
}

// add lets a record wait for its other side.
func (m *matcher) add(r *record) {
	r.keep(keepBudget - m.kept)
	m.kept += r.kept
	queue := &m.waiting
	if r.state != stateWaiting {
		queue = &m.past
	}
	m.alone[r.id] = append(m.alone[r.id], queue.PushBack(r))
	for m.waiting.Len()+m.past.Len() > m.pending {
		m.drop()
	}
}

// drop gives up the record that has waited longest.
func (m *matcher) drop() {
	e := m.past.Front()
	if e == nil {
		e = m.waiting.Front()
		m.counts.Dropped++
	}
	m.forgotten.put(hashID(e.Value.(*record).id), 0)
	m.remove(e)
}

// remove takes a record out of those that wait.
func (m *matcher) remove(e *list.Element) {
	r := e.Value.(*record)
	m.kept -= r.kept
	if r.state == stateWaiting {
		m.waiting.Remove(e)
	} else {
		m.past.Remove(e)
	}
	same := m.alone[r.id]
	for i := range same {
		if same[i] == e {
			same = append(same[:i], same[i+1:]...)
			break
		}
	}
	if len(same) == 0 {
		delete(m.alone, r.id)
	} else {
		m.alone[r.id] = same
	}
}

// expire counts what has waited long enough.
func (m *matcher) expire(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for e := m.waiting.Front(); e != nil; e = m.waiting.Front() {
		r := e.Value.(*record)
		if now.Sub(r.seen) < m.wait {
			return
		}
		m.waiting.Remove(e)
		m.overdue(r)
		m.replace(r.id, e, m.past.PushBack(r))
	}
}

// overdue counts a record whose other side has not come in time.
func (m *matcher) overdue(r *record) {
	r.state = stateMissing
	var d *Difference
	switch {
	case !r.kafka:
		m.counts.Missing++
		d = newDifference(Missing, r, nil)
	case m.inside(r):
		m.counts.Only++
		d = newDifference(Only, nil, r)
	default:
		r.state = stateEarly
		m.counts.Early++
		return
	}
	d.of = r
	m.report.add(d)
}

func (m *matcher) replace(id string, old, e *list.Element) {
	for i, x := range m.alone[id] {
		if x == old {
			m.alone[id][i] = e
		}
	}
}

// inside says that a record in Kafka must be of a transaction that the slot sends.
func (m *matcher) inside(k *record) bool {
	if at, ok := m.first[k.place()]; ok && k.offset > at {
		return true
	}
	if m.firm == nil {
		return false
	}
	ends := m.firm[k.topic] // none: the topic is younger
	return int(k.partition) >= len(ends) || ends[k.partition] >= 0 && k.offset >= ends[k.partition]
}

// hasJoined says whether a first event was found on both sides.
func (m *matcher) hasJoined() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.joined
}

// noteEnds tells the ends of the topics after the first event was found.
func (m *matcher) noteEnds(ends map[string][]int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.firm = ends
}

// close takes in nothing new any more, only other sides of what waits.
func (m *matcher) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
}

// snapshot returns the counts as they are.
func (m *matcher) snapshot() Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.counts
	c.ByField = maps.Clone(m.counts.ByField)
	c.Waiting = m.waiting.Len()
	return c
}

// differences returns the first ones of each kind.
func (m *matcher) differences() []Difference {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.report.differences()
}
