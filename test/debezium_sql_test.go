package test_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// statement is one of a script. data are the lines that follow a COPY FROM STDIN.
type statement struct{ sql, data string }

var fromSTDIN = regexp.MustCompile(`(?is)^COPY\s.*\sFROM\s+STDIN\b`)

// splitSQL cuts a script into its statements as psql does, so that each is a
// transaction of its own unless the script says BEGIN: at semicolons outside of
// strings, quoted names, dollar quotes, comments and parentheses.
func splitSQL(script string) []statement {
	var statements []statement
	start, depth := 0, 0
	for i := 0; i < len(script); {
		switch end := skipQuoted(script, i); {
		case end > i:
			i = end
			continue
		case script[i] == '(':
			depth++
		case script[i] == ')':
			depth--
		case script[i] == ';' && depth <= 0:
			statements = appendStatement(statements, script[start:i])
			start = i + 1
			if n := len(statements); n > 0 && fromSTDIN.MatchString(statements[n-1].sql) && statements[n-1].data == "" {
				_, after, _ := strings.Cut(script[start:], "\n")
				data, rest, _ := strings.Cut(after, "\\.\n")
				statements[n-1].data = data
				start = len(script) - len(rest)
				i = start
				continue
			}
		}
		i++
	}
	return appendStatement(statements, script[start:])
}

func appendStatement(statements []statement, sql string) []statement {
	rest := strings.TrimSpace(sql)
	for strings.HasPrefix(rest, "--") { // a comment alone is none
		_, rest, _ = strings.Cut(rest, "\n")
		rest = strings.TrimSpace(rest)
	}
	if rest == "" {
		return statements
	}
	return append(statements, statement{sql: rest})
}

// skipQuoted returns the end of the quoted text or comment that begins at i, i
// when none does.
func skipQuoted(s string, i int) int {
	rest := s[i:]
	switch {
	case strings.HasPrefix(rest, "--"):
		return i + until(rest, "\n", 2)
	case strings.HasPrefix(rest, "/*"):
		return i + until(rest, "*/", 2)
	case rest[0] == '"':
		return i + until(rest, `"`, 1) // "" inside ends one and begins the next
	case rest[0] == '\'':
		if i > 0 && (s[i-1] == 'E' || s[i-1] == 'e') && (i < 2 || !nameByte(s[i-2])) {
			return i + escaped(rest)
		}
		return i + until(rest, "'", 1)
	case rest[0] == '$' && (i == 0 || !nameByte(s[i-1])):
		tag := 1
		for tag < len(rest) && nameByte(rest[tag]) {
			tag++
		}
		if tag < len(rest) && rest[tag] == '$' && (tag == 1 || rest[1] > '9' || rest[1] < '0') {
			return i + until(rest, rest[:tag+1], tag+1)
		}
	}
	return i
}

// until is the length of s up to and including the first end behind from.
func until(s, end string, from int) int {
	at := strings.Index(s[from:], end)
	if at < 0 {
		return len(s)
	}
	return from + at + len(end)
}

// escaped is the length of an E” string, in which a backslash hides a quote.
func escaped(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\'':
			return i + 1
		}
	}
	return len(s)
}

func nameByte(b byte) bool {
	return b == '_' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

func TestSplitSQL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		script string
		want   []string
	}{
		{"", nil},
		{" ; ;\n", nil},
		{"-- only; this\n", nil},
		{"SELECT 1", []string{"SELECT 1"}},
		{"BEGIN;\nSELECT 1;\nCOMMIT;\n", []string{"BEGIN", "SELECT 1", "COMMIT"}},
		{"SELECT 'a;b'';c'; SELECT \"x;\"\"y\"", []string{"SELECT 'a;b'';c'", `SELECT "x;""y"`}},
		{`SELECT E'a\';b'; SELECT 'a\'; SELECT 2`, []string{`SELECT E'a\';b'`, `SELECT 'a\'`, "SELECT 2"}},
		{"SELECT $$a;b$$; SELECT $q$;$$;$q$; SELECT $1;", []string{"SELECT $$a;b$$", "SELECT $q$;$$;$q$", "SELECT $1"}},
		{"SELECT 1 /* ; */; -- ;\nSELECT 2", []string{"SELECT 1 /* ; */", "SELECT 2"}},
		{"CREATE RULE r AS ON INSERT TO a DO ALSO (SELECT 1; SELECT 2); SELECT 3", []string{"CREATE RULE r AS ON INSERT TO a DO ALSO (SELECT 1; SELECT 2)", "SELECT 3"}},
		{"SELECT 'open; end", []string{"SELECT 'open; end"}},
	} {
		var got []string
		for _, s := range splitSQL(c.script) {
			got = append(got, s.sql)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q is cut into %q, not %q", c.script, got, c.want)
		}
	}
	got := splitSQL("SELECT 1;\nCOPY a (b) FROM STDIN;\nx;y\t'\n2\n\\.\nSELECT 2;\n")
	if want := []statement{{sql: "SELECT 1"}, {"COPY a (b) FROM STDIN", "x;y\t'\n2\n"}, {sql: "SELECT 2"}}; !slices.Equal(got, want) {
		t.Errorf("a COPY is cut into %q", got)
	}
}
