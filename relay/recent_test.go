package relay

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing"
)

// TestRecent: the last events stand there, the newest first, with what may be
// shown of them.
func TestRecent(t *testing.T) {
	w := recent{budget: 1000}
	w.begin()
	note := func(n int, payload string) {
		var e decoding.Event
		e.ID.Data, e.CommitLSN = fmt.Appendf(nil, "id-%d", n), decoding.LSN(n)
		w.note(&e, &routing.Record{Topic: "t", Key: []byte(strings.Repeat("k", 300)), Value: []byte(payload)}, uint64(n), "Placed", true)
	}
	for n := range recentEvents + 10 {
		note(n, "secret")
	}
	list := w.list(opened(recentEvents+5, true))
	if len(list) != recentEvents || list[0].ID != fmt.Sprintf("id-%d", recentEvents+9) || list[0].Delivered {
		t.Fatalf("%d events, the first %+v", len(list), list[0])
	}
	if last := list[recentEvents-1]; last.ID != "id-10" || !last.Delivered || last.KeyBytes != 300 || len(last.Key) != recentText || last.ValueBytes != 6 || last.Payload != "" {
		t.Errorf("the last is %+v", last)
	}
	if all := w.list(opened(0, false)); !all[0].Delivered {
		t.Error("nothing waits, and the event is not delivered")
	}
	w.begin() // numbers begin again
	if all := w.list(opened(0, true)); !all[0].Delivered {
		t.Error("an event of the session before counts as open")
	}
	w.payloads = true
	note(7, strings.Repeat("é", recentPayload))
	if got := w.list(opened(0, true))[0].Payload; got != strings.Repeat("é", recentPayload/2) {
		t.Errorf("payload of %d bytes: %.20q", len(got), got)
	}
	note(8, "a\xff\xfe\xfd\xfcb")
	if got := w.list(opened(0, true))[0].Payload; got != "(binary)" {
		t.Errorf("bytes are shown as %q", got)
	}
	w.clear()
	if got := w.list(opened(0, false)); len(got) != 0 {
		t.Errorf("%d after clear", len(got))
	}
}

// TestJournal: the same error counts up, another one is another entry, and it is
// bounded.
func TestJournal(t *testing.T) {
	var j journal
	at := time.Unix(0, 0)
	kafka := Diagnose(&WaitError{"kafka", errors.New("refused")})
	j.add("kafka", kafka, "one", at)
	j.add("kafka", kafka, "two", at.Add(time.Second))
	j.over("kafka")
	j.add("kafka", kafka, "three", at.Add(time.Minute))
	list := j.list()
	if len(list) != 2 || list[0].Message != "three" || list[0].Over || list[0].Count != 1 {
		t.Fatalf("%+v", list)
	}
	if e := list[1]; e.Message != "two" || e.Count != 2 || !e.Over || !e.First.Equal(at) || e.Code != kafka.Code || e.Advice == "" {
		t.Errorf("%+v", e)
	}
	j.add("kafka", Diagnose(&WaitError{"kafka", io.EOF}), "four", at.Add(2*time.Minute))
	if list := j.list(); len(list) != 3 || list[0].Over || !list[1].Over {
		t.Errorf("another error of the same trouble: %+v", list)
	}
	for i := range 2 * journalSize {
		j.add(fmt.Sprint(i), kafka, "x", at)
	}
	if got := len(j.list()); got != journalSize {
		t.Errorf("%d entries", got)
	}
}

// opened is what recent.list asks for.
func opened(oldest uint64, waiting bool) func() (uint64, bool) {
	return func() (uint64, bool) { return oldest, waiting }
}
