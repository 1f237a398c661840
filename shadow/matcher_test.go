package shadow

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func testMatcher() *matcher {
	return newMatcher(&Config{Wait: 30 * time.Second, Limit: 10})
}

// at sets when a record was seen, in seconds.
func at(seconds int, r *record) *record {
	r.seen = epoch.Add(time.Duration(seconds) * time.Second)
	return r
}

func offset(n int64, r *record) *record {
	r.offset = n
	return r
}

func refused(id string) *record {
	return &record{id: id, topic: "t", partition: -1, byKey: -1, refused: "unconvertible: no", table: "public.outbox"}
}

// expect holds the numbers to those given; the ones left out are zero.
func expect(t *testing.T, m *matcher, want Counts) {
	t.Helper()
	got := m.snapshot()
	got.ByField = nil
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("\n got %s\nwant %s", g, w)
	}
}

func (m *matcher) expireAt(seconds int) { m.expire(epoch.Add(time.Duration(seconds) * time.Second)) }

func TestMatchesInAnyOrder(t *testing.T) {
	m := testMatcher()
	m.wal(at(0, ours("1", "t", "k", "v")))
	m.kafkas(at(1, theirs("2", "t", "k", "v")))
	expect(t, m, Counts{Events: 1, Records: 1, Waiting: 2})
	m.kafkas(at(2, theirs(`"1"`, "t", "k", "v"))) // as JsonConverter writes the id
	m.wal(at(3, ours("2", "t", "k", "w")))
	expect(t, m, Counts{Events: 2, Records: 2, Compared: 2, Differing: 2})
	fields := m.snapshot().ByField
	if fields[fieldValue] != 1 || fields[fieldHeaders] != 1 || len(fields) != 2 {
		t.Error(fields)
	}
	if d := m.differences(); len(d) != 2 || d[1].ID != "2" || *d[1].Partition != theirs("", "t", "k", "").partition || d[1].LSN != "0/0" {
		t.Errorf("%+v", d)
	}
}

// TestMissingAndLate: what does not come in time counts, until it comes.
func TestMissingAndLate(t *testing.T) {
	m := testMatcher()
	m.wal(at(0, ours("1", "t", "k", "v")))
	m.wal(at(20, ours("2", "t", "k", "v")))
	m.expireAt(29)
	expect(t, m, Counts{Events: 2, Waiting: 2})
	m.expireAt(30)
	expect(t, m, Counts{Events: 2, Missing: 1, Waiting: 1})
	if d := m.differences(); len(d) != 1 || d[0].Kind != Missing || d[0].ID != "1" || d[0].Topic != "t" {
		t.Errorf("%+v", d)
	}
	m.kafkas(at(100, theirs("1", "t", "k", "v")))
	expect(t, m, Counts{Events: 2, Records: 1, Compared: 1, Agreed: 1, Waiting: 1})
	if d := m.differences(); len(d) != 0 {
		t.Errorf("%+v", d)
	}
}

// TestOnlyInKafka: a record without event counts when it must be of the slot's time:
// behind one of its partition that has an event, or behind the ends noted later.
func TestOnlyInKafka(t *testing.T) {
	m := testMatcher()
	m.kafkas(at(0, offset(5, theirs("before", "t", "k", "v"))))
	m.kafkas(at(0, offset(6, theirs("1", "t", "k", "v"))))
	m.kafkas(at(0, offset(7, theirs("extra", "t", "k", "v"))))
	m.kafkas(at(0, offset(9, theirs("unclear", "u", "k", "v"))))
	m.wal(at(1, ours("1", "t", "k", "v")))
	m.expireAt(40)
	expect(t, m, Counts{Events: 1, Records: 4, Compared: 1, Agreed: 1, Only: 1, Early: 2})
	if d := m.differences(); len(d) != 1 || d[0].Kind != Only || d[0].ID != "extra" || *d[0].Offset != 7 {
		t.Errorf("%+v", d)
	}
	m.noteEnds(map[string][]int64{"u": {10, 10, 10, 10, 10, 10}})
	m.kafkas(at(50, offset(9, theirs("early", "u", "k", "v"))))
	m.kafkas(at(50, offset(10, theirs("late", "u", "k", "v"))))
	m.kafkas(at(50, offset(0, theirs("young", "younger topic", "k", "v"))))
	m.expireAt(90)
	expect(t, m, Counts{Events: 1, Records: 7, Compared: 1, Agreed: 1, Only: 3, Early: 3})
	m.wal(at(100, ours("late", "u", "k", "v")))
	m.wal(at(100, ours("early", "u", "k", "v")))
	expect(t, m, Counts{Events: 3, Records: 7, Compared: 3, Agreed: 3, Only: 2, Early: 2})
}

func TestDuplicates(t *testing.T) {
	m := testMatcher()
	m.before(theirs("0", "t", "k", "v"))
	m.kafkas(at(0, theirs("0", "t", "k", "v"))) // written before the start, and again
	m.wal(at(0, ours("1", "t", "k", "v")))
	for range 3 {
		r := at(1, theirs("1", "t", "k", "v", contextPrefix+"runId", "another start"))
		r.timestamp = rand.Int64()
		m.kafkas(r)
	}
	m.kafkas(at(1, theirs("2", "t", "k", "v"))) // twice before the event is seen
	m.kafkas(at(1, theirs("2", "t", "k", "v")))
	m.wal(at(2, ours("2", "t", "k", "v")))
	expect(t, m, Counts{Events: 2, Records: 6, Compared: 2, Agreed: 2, Duplicates: 4})
	m.noteEnds(map[string][]int64{})
	m.kafkas(at(3, theirs("1", "t", "k", "other bytes")))
	m.expireAt(60)
	expect(t, m, Counts{Events: 2, Records: 7, Compared: 2, Agreed: 2, Duplicates: 4, Only: 1})
}

// TestIDsNotUnique: events of one id are compared in their order, and as many records
// belong to them.
func TestIDsNotUnique(t *testing.T) {
	for name, feed := range map[string]func(m *matcher){
		"events first": func(m *matcher) {
			m.wal(ours("1", "t", "k", "a"))
			m.wal(ours("1", "t", "k", "b"))
			m.kafkas(theirs("1", "t", "k", "a"))
			m.kafkas(theirs("1", "t", "k", "b"))
		},
		"records first": func(m *matcher) {
			m.kafkas(theirs("1", "t", "k", "a"))
			m.kafkas(theirs("1", "t", "k", "b"))
			m.wal(ours("1", "t", "k", "a"))
			m.wal(ours("1", "t", "k", "b"))
		},
		"the same bytes": func(m *matcher) {
			m.kafkas(theirs("1", "t", "k", "a"))
			m.kafkas(theirs("1", "t", "k", "a"))
			m.wal(ours("1", "t", "k", "a"))
			m.wal(ours("1", "t", "k", "a"))
		},
		"the same bytes, late": func(m *matcher) {
			m.wal(ours("1", "t", "k", "a"))
			m.kafkas(theirs("1", "t", "k", "a"))
			m.kafkas(theirs("1", "t", "k", "a"))
			m.wal(ours("1", "t", "k", "a"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := testMatcher()
			feed(m)
			expect(t, m, Counts{Events: 2, Records: 2, Compared: 2, Agreed: 2})
		})
	}
}

// TestRefused: an event without a record counts once, and takes what is in Kafka.
func TestRefused(t *testing.T) {
	m := testMatcher()
	m.noteEnds(map[string][]int64{})
	m.wal(at(0, refused("1")))
	expect(t, m, Counts{Events: 1, Refused: 1})
	m.kafkas(at(1, theirs("1", "t", "k", "v")))
	m.kafkas(at(1, theirs("2", "t", "k", "v")))
	m.wal(at(2, refused("2")))
	m.wal(at(3, refused("3")))
	m.expireAt(100)
	expect(t, m, Counts{Events: 3, Records: 2, Refused: 3})
	for _, d := range m.differences() {
		if d.Kind != Refused || d.Reason != "unconvertible: no" {
			t.Errorf("%+v", d)
		}
	}
}

// TestClosed: after the end nothing new waits, but what waits is still found.
func TestClosed(t *testing.T) {
	m := testMatcher()
	m.wal(at(0, ours("1", "t", "k", "v")))
	m.kafkas(at(0, theirs("2", "t", "k", "v")))
	m.close()
	m.wal(at(1, ours("3", "t", "k", "v")))
	m.kafkas(at(1, theirs("4", "t", "k", "v")))
	expect(t, m, Counts{Events: 1, Records: 1, Waiting: 2})
	m.kafkas(at(1, theirs("1", "t", "k", "v")))
	m.wal(at(1, ours("2", "t", "k", "v")))
	expect(t, m, Counts{Events: 2, Records: 2, Compared: 2, Agreed: 2})
}

// TestBounded: beyond the bound the oldest are dropped and said so, what has counted
// as missing before what waits; and the other side of what was dropped is no
// difference.
func TestBounded(t *testing.T) {
	m := testMatcher()
	m.pending = 10
	m.noteEnds(map[string][]int64{})
	m.wal(at(0, ours("old", "t", "k", "v")))
	m.expireAt(30)
	for i := range 15 {
		m.wal(at(40, ours(fmt.Sprint(i), "t", "k", "v")))
	}
	expect(t, m, Counts{Events: 16, Missing: 1, Waiting: 10, Dropped: 5})
	for i := range 15 {
		m.kafkas(at(41, theirs(fmt.Sprint(i), "t", "k", "v")))
	}
	m.expireAt(200)
	expect(t, m, Counts{Events: 16, Records: 15, Compared: 10, Agreed: 10, Missing: 1, Dropped: 5})
	if len(m.alone) != 0 || m.kept != 0 {
		t.Errorf("%d ids, %d bytes are left", len(m.alone), m.kept)
	}
}

// TestKeepsLittle: of large values only the beginning is kept, and less when much
// waits; they are compared by their hashes.
func TestKeepsLittle(t *testing.T) {
	m := testMatcher()
	value := string(make([]byte, 1<<20))
	for i := range 200 {
		m.wal(ours(fmt.Sprint(i), "t", "k", value))
	}
	if m.kept > 200*1000 {
		t.Errorf("%d bytes are kept", m.kept)
	}
	m.kafkas(theirs("0", "t", "k", value))
	m.kafkas(theirs("1", "t", "k", value[1:]+"x"))
	expect(t, m, Counts{Events: 200, Records: 2, Compared: 2, Agreed: 1, Differing: 1, Waiting: 198})
	small := string(make([]byte, keepWhole))
	for i := range 2 * keepBudget / keepWhole {
		m.wal(ours(fmt.Sprint("small", i), "t", "k", small))
	}
	if m.kept > keepBudget+10<<20 {
		t.Errorf("%d bytes are kept", m.kept)
	}
}

func TestLimit(t *testing.T) {
	m := newMatcher(&Config{Wait: time.Second, Limit: 3})
	for i := range 10 {
		m.wal(at(0, ours(fmt.Sprint(i), "t", "k", "v")))
		m.kafkas(at(0, theirs(fmt.Sprint(i), "t", "k", "w")))
		m.wal(at(0, ours(fmt.Sprint("missing", i), "t", "k", "v")))
	}
	m.expireAt(100)
	if d := m.differences(); len(d) != 6 || d[0].Kind != Differs || d[3].Kind != Missing || d[3].ID != "missing0" {
		t.Errorf("%+v", d)
	}
}

// TestAnyInterleaving: in whatever order the two sides come, the numbers at the end
// are those of what was done to the records.
func TestAnyInterleaving(t *testing.T) {
	for round := range 200 {
		random := rand.New(rand.NewPCG(1, uint64(round)))
		m := testMatcher()
		m.noteEnds(map[string][]int64{})
		var want Counts
		var wal, kafka []*record
		for i := range random.IntN(300) {
			id := fmt.Sprint(i)
			w, k := ours(id, "t", id, "v", "h", id), theirs(id, "t", id, "v", "h", id)
			switch random.IntN(8) {
			case 0:
				wal, want.Missing = append(wal, w), want.Missing+1
				continue
			case 1:
				kafka, want.Only = append(kafka, k), want.Only+1
				continue
			case 2:
				k = theirs(id, "t", id, "other", "h", id)
				want.Differing++
			case 3:
				kafka = append(kafka, theirs(id, "t", id, "v", "h", id))
				want.Duplicates, want.Agreed = want.Duplicates+1, want.Agreed+1
			default:
				want.Agreed++
			}
			want.Compared++
			wal, kafka = append(wal, w), append(kafka, k)
		}
		want.Events, want.Records = len(wal), len(kafka)
		now := 0
		for len(wal)+len(kafka) > 0 {
			now += random.IntN(3)
			if n := random.IntN(len(wal) + len(kafka)); n < len(wal) {
				m.wal(at(now, wal[0]))
				wal = wal[1:]
			} else {
				m.kafkas(at(now, kafka[0]))
				kafka = kafka[1:]
			}
			m.expireAt(now)
		}
		m.expireAt(now + 100)
		expect(t, m, want)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	m := testMatcher()
	b.ReportAllocs()
	for i := range b.N {
		id := fmt.Sprint(i)
		m.wal(ours(id, "t", "key", "a value of a usual size would be a little longer than this one"))
		m.kafkas(theirs(id, "t", "key", "a value of a usual size would be a little longer than this one"))
	}
}
