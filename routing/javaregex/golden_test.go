package javaregex

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

// golden is a line of testdata/java.jsonl: what java.util.regex of Java 17 makes
// of a pattern and values.
type golden struct {
	Pattern          string    `json:"pattern"`
	Replacement      string    `json:"replacement"`
	Values           []string  `json:"values"`
	Error            string    `json:"error"`   // of the pattern
	Results          []*string `json:"results"` // nil: no match
	ReplacementError string    `json:"replacementError"`
	Broken           string    `json:"broken"` // Java's stack ended
}

func readGolden(t testing.TB) []golden {
	t.Helper()
	path := "testdata/java.jsonl"
	if more := os.Getenv("WALRELAY_REGEX_GOLDEN"); more != "" {
		path = more // a longer file of the same kind
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []golden
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var g golden
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAsJava(t *testing.T) {
	count := map[string]int{}
	why := map[string]int{}
	for _, g := range readGolden(t) {
		r, err := Compile(g.Pattern, g.Replacement)
		switch {
		case g.Broken != "":
			continue
		case g.Error != "":
			count["java refuses"]++
			if err == nil {
				t.Errorf("%q: Java refuses it (%s)", g.Pattern, g.Error)
			}
			continue
		case g.ReplacementError != "":
			count["java refuses the replacement"]++
			if err == nil {
				t.Errorf("%q, %q: Java refuses the replacement (%s)", g.Pattern, g.Replacement, g.ReplacementError)
			}
			continue
		case err != nil:
			count["refused"]++
			why[err.(*Error).What+err.(*Error).Detail]++
			continue
		}
		count["compiled"]++
		for i, v := range g.Values {
			got, ok, err := r.Replace(v)
			want := v
			if g.Results[i] != nil {
				want = *g.Results[i]
				count["matched"]++
			}
			count["values"]++
			if err != nil || ok != (g.Results[i] != nil) || got != want {
				t.Errorf("%q, %q on %q:\n got %q, %v, %v\nwant %q, %v\nas   %s", g.Pattern, g.Replacement, v, got, ok, err, want,
					g.Results[i] != nil, r.begin)
			}
		}
	}
	t.Log(count)
	if testing.Verbose() {
		for w, n := range why {
			t.Log(n, w)
		}
	}
}
