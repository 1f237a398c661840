package relay

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/walrelay/walrelay/routing"
)

// surveyed is the tail that read makes of a log when first comes again.
func surveyed(log []uint64, first uint64) *tail {
	v := survey{found: map[uint64]sighting{}, odd: -1, room: len(log)}
	for at := len(log) - 1; at >= 0; at-- {
		v.note(int64(at), 0, log[at], true)
	}
	if seen, ok := v.found[first]; !ok || v.wentBack(seen) {
		return &tail{at: -1}
	}
	return &tail{at: -1, found: v.found}
}

func TestTail_delivered(t *testing.T) {
	for _, c := range []struct {
		name             string
		log, again, sent []uint64
	}{
		{"a beginning", []uint64{1, 2, 3}, []uint64{1, 2, 3, 4}, []uint64{4}},
		{"everything", []uint64{1, 2, 3}, []uint64{1, 2, 3}, nil},
		{"nothing", nil, []uint64{1, 2}, []uint64{1, 2}},
		{"others between", []uint64{8, 1, 9, 2, 7}, []uint64{1, 2, 3}, []uint64{3}},
		{"went back before", []uint64{1, 2, 3, 1, 2}, []uint64{1, 2, 3, 4}, []uint64{3, 4}},
		{"went back before, to the end", []uint64{1, 2, 1, 2, 3}, []uint64{1, 2, 3, 4}, []uint64{4}},
		{"one is missing", []uint64{1, 3}, []uint64{1, 2, 3, 4}, []uint64{2, 3, 4}},
		{"the first is missing", []uint64{2, 3}, []uint64{1, 2, 3}, []uint64{1, 2, 3}},
		{"another order", []uint64{2, 1}, []uint64{1, 2}, []uint64{2}},
		{"twice inserted, once delivered", []uint64{1}, []uint64{1, 1, 2}, []uint64{1, 2}},
		{"twice inserted and delivered", []uint64{1, 1}, []uint64{1, 1}, []uint64{1}},
		{"went back to before and was confirmed", []uint64{1, 2, 1}, []uint64{2, 3}, []uint64{2, 3}},
		{"twice inserted, others between", []uint64{1, 2, 1}, []uint64{1, 2, 1, 3}, []uint64{2, 1, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sent []uint64
			tail := surveyed(c.log, c.again[0])
			for _, identity := range c.again {
				if !tail.delivered(identity, 0) {
					sent = append(sent, identity)
				}
			}
			if !slices.Equal(sent, c.sent) {
				t.Errorf("sent %v, want %v", sent, c.sent)
			}
		})
	}
}

func TestTail_deliveredNotBefore(t *testing.T) {
	tail := &tail{at: -1, found: map[uint64]sighting{1: {0, 0, 1000}, 2: {1, 1, 1000}}}
	if !tail.delivered(1, 1000) || tail.delivered(2, 1001) {
		t.Error("a record from before the commit counts, or one from its time does not")
	}
}

// Whatever lives and deaths a partition's log has seen, a look back loses nothing,
// and behind every record comes the next event's or an earlier one's, the newest
// last. Events of a transaction may be the same.
func TestTail_histories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []uint64 // identities
		var starts []int    // of transactions, where the slot may stand
		for tx := range rapid.IntRange(1, 6).Draw(t, "transactions") {
			starts = append(starts, len(events))
			for range rapid.IntRange(1, 5).Draw(t, "size") {
				events = append(events, uint64(tx*10+rapid.IntRange(0, 4).Draw(t, "id")))
			}
		}
		var log []int // places in events
		confirmed, handled := 0, 0
		live := func(until int, back bool) {
			var identities []uint64
			for _, at := range log {
				identities = append(identities, events[at])
			}
			tail := &tail{}
			if starts[confirmed] < len(events) {
				tail = surveyed(identities, events[starts[confirmed]])
			}
			for at := starts[confirmed]; at < until; at++ {
				if !back || !tail.delivered(events[at], 0) {
					log = append(log, at)
				}
			}
			handled = max(handled, until)
		}
		for range rapid.IntRange(0, 5).Draw(t, "lives") {
			until := rapid.IntRange(starts[confirmed], len(events)).Draw(t, "until")
			live(until, rapid.Bool().Draw(t, "looks back"))
			for confirmed+1 < len(starts) && starts[confirmed+1] <= until && rapid.Bool().Draw(t, "confirms") {
				confirmed++
			}
		}
		live(len(events), true)
		previous := -1
		seen := make([]bool, len(events))
		for _, at := range log {
			if at > previous+1 {
				t.Fatalf("behind %d comes %d in %v (events %v)", previous, at, log, events)
			}
			previous, seen[at] = at, true
		}
		if i := slices.Index(seen, false); i >= 0 {
			t.Fatalf("event %d is lost in %v (events %v)", i, log, events)
		}
		if previous != len(events)-1 {
			t.Fatalf("the last record is %d of %d in %v (events %v)", previous, len(events), log, events)
		}
	})
}

func TestIDHeader(t *testing.T) {
	for _, c := range []struct {
		rules routing.Rules
		want  string
	}{
		{routing.Rules{}, "id"},
		{routing.Rules{Headers: []string{}}, ""},
		{routing.Rules{Headers: []string{"type:eventType", " id "}}, "id"},
		{routing.Rules{Headers: []string{"id:event-id", "id"}}, "event-id"},
		{routing.Rules{Headers: []string{`"id"`, "tenant:id"}}, ""},
		{routing.Rules{Timestamp: "created_at"}, ""},
	} {
		if got := idHeader(&c.rules); got != c.want {
			t.Errorf("%q: %q, want %q", c.rules.Headers, got, c.want)
		}
	}
}

// Null and empty, and where one part ends and the next begins, make a difference.
func TestLookback_identity(t *testing.T) {
	l := &lookback{}
	type part = []byte
	seen := map[uint64]int{}
	for i, c := range [][3]part{
		{part("a"), part("b"), part("c")}, {part("ab"), part(""), part("c")}, {part("a"), nil, part("c")},
		{part("a"), part(""), part("c")}, {part("a"), part("b"), nil}, {part("a"), part("b"), part("")}, {part("a"), part("bc"), part("")},
	} {
		identity := l.identity(&l.hash, c[0], c[1], c[2], 1)
		if other, ok := seen[identity]; ok {
			t.Errorf("%d and %d are the same", other, i)
		}
		seen[identity] = i
		if l.identity(&l.hash, c[0], c[1], c[2], 2) == identity {
			t.Errorf("%d: the timestamp makes no difference", i)
		}
	}
	l.foreign = true
	if l.identity(&l.hash, part("a"), nil, nil, 1) != l.identity(&l.hash, part("a"), nil, nil, 2) {
		t.Error("another program's timestamp makes a difference")
	}
}

// Behind the first event stands something that may be older: then the log may end
// before it.
func TestSurvey_wentBack(t *testing.T) {
	type note struct {
		offset, millis int64
		identity       uint64
	}
	for _, c := range []struct {
		name  string
		notes []note // identity 0 is none
		want  bool
	}{
		{"in order", []note{{5, 100, 7}, {6, 100, 1}, {7, 100, 2}}, false},
		{"an earlier one again", []note{{5, 100, 7}, {6, 100, 1}, {7, 100, 7}}, true},
		{"an earlier one again, read backwards", []note{{7, 100, 7}, {6, 100, 1}, {5, 100, 7}}, true},
		{"one from before what is read", []note{{6, 100, 1}, {7, 49, 7}}, true},
		{"such a one before", []note{{5, 49, 7}, {6, 100, 1}}, false},
		{"one without identity", []note{{6, 100, 1}, {7, 100, 0}}, true},
		{"such a one before", []note{{5, 100, 0}, {6, 100, 1}}, false},
		{"went back and came again", []note{{4, 100, 7}, {5, 100, 1}, {6, 100, 7}, {7, 100, 1}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := survey{found: map[uint64]sighting{}, odd: -1, from: 50, room: 10}
			for _, n := range c.notes {
				v.note(n.offset, n.millis, n.identity, n.identity != 0)
			}
			if got := v.wentBack(v.found[1]); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
	v := survey{found: map[uint64]sighting{}, odd: -1, room: 1}
	v.note(1, 0, 1, true)
	v.note(2, 0, 2, true)
	if !v.full {
		t.Error("what does not fit is left out in silence")
	}
}
