package relay

import (
	"encoding/json"
	"testing"

	"github.com/walrelay/walrelay/replication"
)

// FuzzWatermark: whatever stands in the watermark topic, reading it ends in an error
// or in a watermark with a position, which is the same after it was written again.
// What a start does with it is judged without a panic, and never goes on from a
// position that the server's WAL does not have.
func FuzzWatermark(f *testing.F) {
	for _, text := range []string{
		`{"system_identifier":"7","timeline":1,"slot":"s","lsn":"0/16B3748","xid":9,"index":3,"generation":0}`,
		`{"lsn":"FFFFFFFF/FFFFFFFF","timeline":-1,"index":-1}`, `{"lsn":"0/0"}`, `{"lsn":"1/"}`, `{"lsn":1}`, `{`, `null`, `[]`, ``,
		`{"lsn":"0/1","lsn":"0/2"}`, `{"LSN":"0/1"}`, `{"lsn":"0/1","index":9223372036854775808}`,
	} {
		f.Add([]byte(text), int32(1), uint64(1<<40), 0, 0, uint64(5))
	}
	f.Add([]byte(`{"lsn":"0/5","timeline":2,"generation":3}`), int32(4), uint64(9), 3, 2, uint64(5))
	f.Fuzz(func(t *testing.T, value []byte, timeline int32, flushed uint64, generation, state int, left uint64) {
		w, err := parseWatermark(value)
		if err != nil {
			if w != nil {
				t.Fatalf("%v, and still %+v", err, w)
			}
			return
		}
		if w.LSN == 0 {
			t.Fatal("a watermark without a position")
		}
		rec, err := w.record("marks")
		if err != nil || !json.Valid(rec.Value) || string(rec.Key) != watermarkKey(w.System, w.Slot) {
			t.Fatalf("%s %s: %v", rec.Key, rec.Value, err)
		}
		again, err := parseWatermark(rec.Value)
		if err != nil {
			t.Fatalf("%s written as %s: %v", value, rec.Value, err)
		}
		if again.Text, w.Text = "", ""; *again != *w {
			t.Fatalf("%+v became %+v", w, again)
		}
		states := []string{replication.ExactlyOnceNever, replication.ExactlyOnceBeginning, replication.ExactlyOnceRunning}
		h := history{timeline: timeline, flushed: replication.LSN(flushed),
			marker:   replication.ExactlyOnce{State: states[uint(state)%uint(len(states))], Generation: generation},
			switched: func(int32) (replication.LSN, error) { return replication.LSN(left), nil }}
		from, err := judge(w, h, w.Slot, "marks")
		switch {
		case err != nil || from == nil:
		case from != w || w.Generation != generation || w.Timeline > timeline:
			t.Fatalf("goes on from %+v on timeline %d, generation %d", from, timeline, generation)
		case w.Timeline == timeline && uint64(w.LSN) > flushed, w.Timeline < timeline && uint64(w.LSN) > left:
			t.Fatalf("goes on from %+v, the WAL ends at %d and left its timeline at %d", from, flushed, left)
		}
	})
}
