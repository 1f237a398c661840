package test_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestPage_format: the page writes numbers and times as people read them.
func TestPage_format(t *testing.T) {
	t.Parallel()
	b := browse(t)
	source, err := os.ReadFile("../telemetry/page/format.js")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ call, want string }{
		{"count(0)", "0"}, {"count(1234567)", "1,234,567"}, {"count(undefined)", "–"}, {"count(null)", "–"}, {"count(NaN)", "–"},
		{"amount(0)", "0"}, {"amount(0.05)", "0.05"}, {"amount(0.333)", "0.3"}, {"amount(9.96)", "10"}, {"amount(1234.5)", "1,235"},
		{"brief(999)", "999"}, {"brief(9999)", "9,999"}, {"brief(12345)", "12.3 k"}, {"brief(1234567)", "1.23 M"}, {"brief(123456789)", "123 M"},
		{"bytes(0)", "0 B"}, {"bytes(999)", "999 B"}, {"bytes(1000)", "0.977 KiB"}, {"bytes(1024)", "1 KiB"}, {"bytes(1536 * 1024)", "1.5 MiB"},
		{"bytes(8 * 2 ** 30)", "8 GiB"}, {"bytes(5e15)", "4547 TiB"}, {"bytes(null)", "–"},
		{"seconds(0)", "0 s"}, {"seconds(-1)", "0 s"}, {"seconds(0.0004)", "400 µs"}, {"seconds(0.0042)", "4.2 ms"}, {"seconds(0.9996)", "1000 ms"},
		{"seconds(1.25)", "1.3 s"}, {"seconds(59.4)", "59 s"}, {"seconds(59.6)", "1 min"}, {"seconds(61)", "1 min 1 s"}, {"seconds(3600)", "1 h"},
		{"seconds(11520)", "3 h 12 min"}, {"seconds(90000)", "1 d 1 h"}, {"seconds(undefined)", "–"},
		{"tickTime(0.5)", "500 ms"}, {"tickTime(100)", "100 s"}, {"tickTime(120)", "2 min"}, {"tickTime(3600)", "1 h"},
		{"moment('0001-01-01T00:00:00Z')", "undefined"}, {"moment('')", "undefined"}, {"moment('2026-11-22T04:00:00Z')", "1795320000000"},
	}
	calls := make([]string, len(cases))
	for i, c := range cases {
		calls[i] = c.call
	}
	list, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	got := eval[[]string](t, b, "(() => {"+string(source)+"; return "+string(list)+".map((call) => String(eval(call))); })()")
	for i, c := range cases {
		if text := strings.ReplaceAll(got[i], "\u00a0", " "); text != c.want {
			t.Errorf("%s is %q, want %q", c.call, text, c.want)
		}
	}
}
