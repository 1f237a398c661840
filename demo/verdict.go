package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Verdict is what a demo has found out, in numbers. Lost, Invented, Written and
// Delivered are counted in PostgreSQL after everything has come to rest.
type Verdict struct {
	PostgreSQL string  `json:"postgresql"` // version and where it came from
	Kafka      string  `json:"kafka"`      // which broker
	Seconds    float64 `json:"seconds"`    // how long the shop was open

	Orders           int64 `json:"orders"`             // orders placed and committed
	Transactions     int64 `json:"transactions"`       // transactions committed
	RolledBack       int64 `json:"rolled_back"`        // transactions rolled back on purpose
	SavepointsUndone int64 `json:"savepoints_undone"`  // savepoints rolled back inside committed transactions
	RolledBackEvents int64 `json:"rolled_back_events"` // outbox rows that those two have undone

	Written    int64 `json:"written"`      // events committed: rows of the outbox
	Delivered  int64 `json:"delivered"`    // different events that reached the consumer: rows of the inbox
	Lost       int64 `json:"lost"`         // written, not delivered
	Invented   int64 `json:"invented"`     // delivered, never committed
	Duplicates int64 `json:"duplicates"`   // deliveries that the inbox had already; each was skipped
	OutOfOrder int64 `json:"out_of_order"` // first deliveries after a newer event of the same aggregate

	// From the shop sending COMMIT to the record in the consumer's hands, ms.
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
}

// OK reports whether the promises were kept: nothing lost, nothing invented,
// nothing out of order. Duplicates break no promise (the inbox is there for
// them), but without a crash there should be none.
func (v Verdict) OK() bool {
	return v.Lost == 0 && v.Invented == 0 && v.OutOfOrder == 0
}

// String is the verdict in one line. It contains "lost N" whatever N is.
func (v Verdict) String() string {
	word := "ok"
	switch {
	case !v.OK():
		word = "BROKEN"
	case v.Written == 0:
		word = "nothing happened"
	}
	s := fmt.Sprintf("verdict: %s — %s events written, %s delivered, lost %s, duplicates %s",
		word, thousands(v.Written), thousands(v.Delivered), thousands(v.Lost), thousands(v.Duplicates))
	if v.Invented > 0 {
		s += ", invented " + thousands(v.Invented)
	}
	if v.OutOfOrder > 0 {
		s += ", out of order " + thousands(v.OutOfOrder)
	}
	if v.Delivered > 0 {
		s += fmt.Sprintf(", p50 %s, p99 %s", readable(v.P50), readable(v.P99))
	}
	return s
}

// table is the verdict in lines: what, how many, and what it means.
func (v Verdict) table() []string {
	rows := [][3]string{
		{"orders placed", thousands(v.Orders), fmt.Sprintf("in %.1f s", v.Seconds)},
		{"transactions committed", thousands(v.Transactions), ""},
		{"transactions rolled back", thousands(v.RolledBack), "on purpose"},
		{"savepoints rolled back", thousands(v.SavepointsUndone), "inside committed transactions"},
		{"outbox rows rolled back", thousands(v.RolledBackEvents), "must never be seen"},
		{"events committed", thousands(v.Written), "rows of the outbox"},
		{"events delivered", thousands(v.Delivered), "rows of the consumer's inbox"},
		{"lost", thousands(v.Lost), "committed, not delivered"},
		{"invented", thousands(v.Invented), "delivered, never committed"},
		{"out of order", thousands(v.OutOfOrder), "after a newer event of the same order or customer"},
		{"duplicates", thousands(v.Duplicates), "skipped by the inbox"},
		{"COMMIT to consumer, p50", readable(v.P50), ""},
		{"COMMIT to consumer, p99", readable(v.P99), ""},
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = strings.TrimRight(fmt.Sprintf("  %-26s %10s   %s", r[0], r[1], r[2]), " ")
	}
	return lines
}

// writeJSON writes the verdict as one JSON object in one line, with its
// judgement as "ok".
func (v Verdict) writeJSON(w io.Writer) error {
	return json.NewEncoder(w).Encode(struct {
		OK bool `json:"ok"`
		Verdict
	}{v.OK(), v})
}

// thousands is n with commas: 4,213.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
