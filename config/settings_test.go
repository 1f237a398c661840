package config

import (
	"strings"
	"testing"
)

// TestSettings holds the table to its own rules.
func TestSettings(t *testing.T) {
	flags := map[string]bool{}
	for _, s := range settings {
		if s.doc == "" || !strings.HasSuffix(s.doc, ".") {
			t.Errorf("%s: want a description in sentences, got %q", s.key, s.doc)
		}
		if s.flag != "" && flags[s.flag] {
			t.Errorf("%s: flag --%s is taken", s.key, s.flag)
		}
		flags[s.flag] = true
		if byKey[s.key] != s {
			t.Errorf("%s: listed twice", s.key)
		}
		c := &Config{Outbox: make([]Outbox, 1)}
		if s.def == "" {
			continue
		}
		if err := setText(s, s.at(c, 0), s.def); err != nil {
			t.Errorf("%s: default %q: %v", s.key, s.def, err)
		}
		if got := showValue(s, s.at(c, 0)); got != s.def {
			t.Errorf("%s: default %q is shown as %q", s.key, s.def, got)
		}
	}
	for _, pair := range secretFiles {
		if byKey[pair[0]] == nil || byKey[pair[1]] == nil || byKey[pair[0]].secret == shown {
			t.Errorf("secret %s, file %s: not in the table as such", pair[0], pair[1])
		}
	}
	for _, s := range settings {
		if s.secret != shown && byKey[s.key+"_file"] == nil {
			t.Errorf("%s: a secret without a _file twin", s.key)
		}
	}
}

func TestReference(t *testing.T) {
	text := Reference()
	for _, s := range settings {
		if !strings.Contains(text, "| `"+s.key+"` | `"+s.env()+"`") {
			t.Errorf("%s is missing", s.key)
		}
	}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 5 {
			t.Errorf("line %d has not four columns: %s", i+1, line)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "65536": 65536, "1kB": 1000, "1KB": 1000, "1KiB": 1024, "16MiB": 16 << 20, "16 MiB": 16 << 20,
		"1MB": 1e6, "1GB": 1e9, "2GiB": 2 << 30, "7B": 7,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "16M", "16mib", "9999999999GiB", "1MiBB", "0x10", "1 2"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestParseTable(t *testing.T) {
	for text, want := range map[string]Table{
		"outbox": {"public", "outbox"}, "Shop.OutBox": {"shop", "outbox"}, `"Shop"."Out.Box"`: {"Shop", "Out.Box"},
		`shop."a""b"`: {"shop", `a"b`}, `"outbox"`: {"public", "outbox"},
	} {
		got, err := ParseTable(text)
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
		if again, err := ParseTable(got.String()); err != nil || again != got {
			t.Errorf("%q: written as %s, read again as %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", ".", "a.", ".a", "a.b.c", `"a`, `""`, `"a"b`, "a b", "a;b"} {
		if got, err := ParseTable(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestSuggest(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"tabel", "table"}, {"colums", "columns"}, {"rout", "route"}, {"xy", ""}, {"tls", ""},
	} {
		if got := suggest(test.text, []string{"table", "columns", "route"}); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}
