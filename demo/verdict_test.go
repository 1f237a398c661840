package demo

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestVerdict(t *testing.T) {
	fine := Verdict{Written: 4213, Delivered: 4213, P50: 0.9, P99: 3.14}
	with := func(change func(*Verdict)) Verdict { v := fine; change(&v); return v }
	for _, c := range []struct {
		name string
		v    Verdict
		ok   bool
		line string
	}{
		{"fine", fine, true,
			"verdict: ok — 4,213 events written, 4,213 delivered, lost 0, duplicates 0, p50 0.9 ms, p99 3.1 ms"},
		{"duplicates break nothing", with(func(v *Verdict) { v.Duplicates = 2 }), true,
			"verdict: ok — 4,213 events written, 4,213 delivered, lost 0, duplicates 2, p50 0.9 ms, p99 3.1 ms"},
		{"lost", with(func(v *Verdict) { v.Lost, v.Delivered = 1200, 3013 }), false,
			"verdict: BROKEN — 4,213 events written, 3,013 delivered, lost 1,200, duplicates 0, p50 0.9 ms, p99 3.1 ms"},
		{"invented", with(func(v *Verdict) { v.Invented = 1 }), false,
			"verdict: BROKEN — 4,213 events written, 4,213 delivered, lost 0, duplicates 0, invented 1, p50 0.9 ms, p99 3.1 ms"},
		{"out of order", with(func(v *Verdict) { v.OutOfOrder = 7 }), false,
			"verdict: BROKEN — 4,213 events written, 4,213 delivered, lost 0, duplicates 0, out of order 7, p50 0.9 ms, p99 3.1 ms"},
		{"stopped at once", Verdict{}, true,
			"verdict: nothing happened — 0 events written, 0 delivered, lost 0, duplicates 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.v.OK() != c.ok {
				t.Errorf("OK() = %v", c.v.OK())
			}
			if got := c.v.String(); got != c.line {
				t.Errorf("got  %s\nwant %s", got, c.line)
			}
			var out bytes.Buffer
			if err := c.v.writeJSON(&out); err != nil {
				t.Fatal(err)
			}
			var object map[string]any
			if err := json.Unmarshal(out.Bytes(), &object); err != nil {
				t.Fatal(err)
			}
			if object["ok"] != c.ok || object["lost"] != float64(c.v.Lost) {
				t.Errorf("JSON: %s", out.Bytes())
			}
		})
	}
}

func TestVerdict_table(t *testing.T) {
	column := -1
	for _, line := range (Verdict{Orders: 1234567, Lost: 3, P50: 1.5, P99: 2100}).table() {
		end := len(strings.TrimRight(line[:min(39, len(line))], " "))
		if column == -1 {
			column = end
		}
		if end != column {
			t.Errorf("numbers end at columns %d and %d: %q", column, end, line)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -999: "-999", -1000: "-1,000"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}
