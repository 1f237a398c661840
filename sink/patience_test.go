package sink

import (
	"testing"
	"time"
)

// A quiet relay's event is committed at once; in a backlog a transaction grows to
// transactionSize records, or until it is late.
func TestTransaction_patience(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name    string
		records int
		age     time.Duration // of the newest record's commit
		grows   time.Duration // since its first record
		hurried bool
		want    time.Duration
	}{
		{"just committed", 1, 0, 0, false, 0},
		{"10 ms old, a tenth of it", 1, 10 * time.Millisecond, 0, false, time.Millisecond},
		{"a backlog", 1, time.Hour, 0, false, transactionLate},
		{"a backlog, for a while", transactionSize - 1, time.Hour, transactionLate - time.Millisecond, false, time.Millisecond},
		{"a backlog, for long", 100, time.Hour, transactionLate, false, 0},
		{"a backlog, large", transactionSize, time.Hour, 0, false, 0},
		{"a backlog, and somebody waits", 1, time.Hour, 0, true, 0},
		{"a clock that is behind", 1, -time.Hour, 0, false, 0},
	} {
		tx := transaction{records: test.records, newest: now.Add(-test.age).UnixMicro(), since: now.Add(-test.grows), hurried: test.hurried}
		if got := max(0, tx.rest(now)); (got - test.want).Abs() > 2*time.Microsecond { // commit times have no nanoseconds
			t.Errorf("%s: %s, and it should be %s", test.name, got, test.want)
		}
	}
}
