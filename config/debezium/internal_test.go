package debezium

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/routing/javaregex"
)

// TestParseProperties holds the parser to what java.util.Properties.load makes of the
// same bytes.
func TestParseProperties(t *testing.T) {
	tests := []struct{ text, want string }{
		{"a=b", "a→b"}, {"a:b", "a→b"}, {"a b", "a→b"}, {"a = b ", "a→b "}, {"a  :  = b", "a→= b"}, {"a", "a→"}, {"=b", "→b"},
		{"# c\n! c\n \t# c\n\na=1\r\nb=2\rc=3", "a→1|b→2|c→3"},
		{"a=b\\\n   c\\\r\n\td", "a→bcd"}, {"a=b\\\\\nc=d", `a→b\|c→d`}, {"a=b\\\n\nc=d", "a→b|c→d"}, {"a=b\\\n# no comment", "a→b# no comment"},
		{"\\\n# comment\na=b", "a→b"}, {`a\ b\:c\=d=e`, "a b:c=d→e"}, {`a=\t\n\r\f\q\\`, "a→\t\n\r\fq\\"},
		{`a=\u00e4\ud83d\ude00\ud83dx`, "a→ä😀\ufffdx"}, {"a=ä", "a→ä"}, {"a=\xe4", "a→ä"}, {"\ufeffa=b", "a→b"}, {"a=b\\", "a→b"},
		{"a=1\na=2", "a→1|a→2"},
	}
	for _, test := range tests {
		entries, err := parseProperties([]byte(test.text))
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		var got []string
		for _, e := range entries {
			got = append(got, e.name+"→"+e.value)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "|")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.text, diff)
		}
	}
	entries, err := parseProperties([]byte("\n# x\na=b\\\n c\nd=e"))
	if err != nil || len(entries) != 2 || entries[0].line != 3 || entries[1].line != 5 {
		t.Errorf("lines: %v, %v", entries, err)
	}
}

func TestExpand(t *testing.T) {
	env := func(name string) (string, bool) {
		text, ok := map[string]string{"A": "1", "DB_HOST": "h", "EMPTY": ""}[name]
		return text, ok
	}
	tests := []struct{ text, want, missing string }{
		{"x", "x", ""}, {"${A}", "1", ""}, {"${db.host}", "h", ""}, {"${B:2}", "2", ""}, {"${B:${A}}${EMPTY}.", "1.", ""}, {"${B:${C:}}", "", ""},
		{"${B}", "${B}", "${B}"}, {`\${routedByValue}`, "${routedByValue}", ""}, {"${routedByValue}", "${routedByValue}", ""}, {"$$x $1 ${", "$x $1 ${", ""}, {"a${A}b${B}", "a1b${B}", "${B}"},
	}
	for _, test := range tests {
		if got, missing := expand(test.text, env); got != test.want || missing != test.missing {
			t.Errorf("%q: %q, missing %q; want %q, %q", test.text, got, missing, test.want, test.missing)
		}
	}
	if got, missing := resolveProviders("${env:A}-${routedByValue}-${file:/a/b:c}", env); got != "1-${routedByValue}-${file:/a/b:c}" || missing != "${file:/a/b:c}" {
		t.Errorf("providers: %q, missing %q", got, missing)
	}
}

func TestFinite(t *testing.T) {
	tests := []struct{ pattern, want string }{
		{"public.outbox", "public.outbox"}, {`public\.outbox`, "public.outbox"}, {"app.out-box", "app.out-box"}, {`\Qa.b\E`, "a.b"},
		{"a.(b|c)", "a.b a.c"}, {"a.b(_v2)?", "a.b a.b_v2"}, {"a.b[12]", "a.b1 a.b2"}, {"a.b{2,3}", "a.bb a.bbb"}, {"^a.b$", "a.b"},
		{"a.*", ""}, {"a.b+", ""}, {"a.[a-z]{3}", ""}, {"a.b{2,}", ""}, {"(", ""}, {"a.[^b]", ""},
	}
	for _, test := range tests {
		names, err := finite(test.pattern)
		if got := strings.Join(names, " "); got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v; want %q", test.pattern, got, err, test.want)
		}
	}
	if got := patterns(` a\.b , c,,d\,e `); !slices.Equal(got, []string{`a\.b`, "c", "d,e"}) {
		t.Errorf("patterns: %q", got)
	}
}

// TestTopicTemplate holds a template to what Java's rule makes of values.
func TestTopicTemplate(t *testing.T) {
	made := 0
	for _, pattern := range []string{defaultRegex, "(.*)", ".*", "(?<x>.*)", "(.+)", "(.*)y"} {
		for _, replacement := range []string{defaultReplacement, "all", "$0", "$1", "$01", "$10", "$00", "a${x}b", `a\-b$1`, `\$1`, "$1$1", "$", "${", `a\`, "${routedByValue}"} {
			template, ok := topicTemplate(pattern, replacement)
			re, err := javaregex.Compile(pattern, replacement)
			if !ok {
				continue
			}
			made++
			if err != nil {
				t.Errorf("%s, %s: made %q of what Java refuses: %v", pattern, replacement, template, err)
				continue
			}
			for _, value := range []string{"order", "", "a.b", "y"} {
				want, _, err := re.Replace(value)
				if got := strings.ReplaceAll(template, "${aggregate_type}", value); err != nil || got != want {
					t.Errorf("%s, %s: %q becomes %q, want %q (%v)", pattern, replacement, value, got, want, err)
				}
			}
		}
	}
	if made < 20 {
		t.Errorf("only %d templates", made)
	}
}

// TestOptions_table: no name stands in the table twice, and every row says something.
func TestOptions_table(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range options {
		if seen[o.name] {
			t.Errorf("%s stands in the table twice", o.name)
		}
		seen[o.name] = true
		if o.verdict != "" && o.verdict != Unknown && o.why == "" {
			t.Errorf("%s: %s without a reason", o.name, o.verdict)
		}
		if o.verdict != "" && o.use != nil {
			t.Errorf("%s has both a verdict and a handler", o.name)
		}
	}
}

func TestScalar(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "": "''", "yes": "'yes'", "1": "'1'", "a b": "'a b'", "it's": "'it''s'", "a: b": "'a: b'", "- a": "'- a'", "a\nb": `"a\nb"`, "ä": `"ä"`, "\u2028": `"\u2028"`, `"id":x`: `'"id":x'`,
	} {
		if got := scalar(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
