package javaregex

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dlclark/regexp2"
)

// What could mean something else here than in Java is refused, with its place
// and what to write instead.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ pattern, replacement, want string }{
		{`(?=(a))a`, `$1`, `pattern, at character 4: group 1 is used, but lies within a lookaround`},
		{`(?>(a))b`, `$1`, `pattern, at character 4: group 1 is used, but lies within`},
		{`(a)++`, `$1`, `pattern, at character 1: group 1 is used, but lies within`},
		{`(?:x(\w))*`, `$1`, `pattern, at character 5: group 1 is used, but lies within`},
		{`()*\1`, ``, `pattern, at character 1: group 1 is used, can be empty, and is repeated`},
		{`(?:a?|b){2}`, ``, `pattern, at character 9: a group that can be empty is repeated at least 2 times`},
		{`(?i)(a)\1`, ``, `pattern, at character 9: a backreference under (?i) is not supported`},
		{`\2(a)(b)`, ``, `pattern, at character 1: a reference to group 2 before that group`},
		{`(a)(?<=\1)b`, ``, `pattern, at character 8: a backreference within a lookbehind`},
		{`(?<=(?>a|ab)c)d`, ``, `pattern, at character 5: (?>...) within a lookbehind`},
		{`(?<=a?+)b`, ``, `pattern, at character 6: a possessive repetition within a lookbehind`},
		{`(?U)\w`, ``, `pattern, at character 3: the flag U is not supported`},
		{`\X`, ``, `pattern, at character 2: \X is not supported`},
		{`a\b{g}`, ``, `pattern, at character 3: \b{g} is not supported`},
		{`\N{DIGIT ONE}`, ``, `pattern, at character 2: \N{...} is not supported`},
		{`\p{InGreek}`, ``, `pattern, at character 11: the property is unknown or not supported`},
		{`\uD800`, ``, `pattern, at character 6: half of a surrogate pair`},
		{`*`, ``, `pattern, at character 1: nothing stands before *`},
		{`a(b`, ``, `pattern, at character 4: a group has no closing )`},
		{`\Qab\E(`, ``, `pattern, at character 8: a group has no closing )`},
		{`(a)`, `$2`, `replacement, at character 2: the pattern has no group with this number`},
		{`(a)`, `x$`, `replacement, at character 2: a $ at its end`},
		{`(a)`, `${n}`, `replacement, at character 3: the pattern has no group with this name`},
		{strings.Repeat("(", 300), ``, `pattern, at character 200: more than 200 groups`},
		{strings.Repeat("[", 300), ``, `pattern, at character 199: more than 200 groups`},
	} {
		_, err := Compile(c.pattern, c.replacement)
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q, %q: %v", c.pattern, c.replacement, err)
		}
	}
}

// A group that nothing refers to may lie anywhere.
func TestUnusedGroups(t *testing.T) {
	r, err := Compile(`(?=(a))(?>(a)(b)?)(c)*+(.*)`, `$5`)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, err := r.Replace("abccd"); got != "d" || !ok || err != nil {
		t.Fatal(got, ok, err)
	}
}

// Up to Java 18 letters beyond ASCII are part of a word.
func TestBoundaries(t *testing.T) {
	for value, want := range map[string]bool{"grün": true, "gru\u0308n": true, "gr-n": false, "gr\u0308": false} {
		r, err := Compile(`gr\B.*`, "")
		if err != nil {
			t.Fatal(err)
		}
		if value == "gr\u0308" {
			want = true // the mark belongs to the letter
		}
		if _, ok, _ := r.Replace(value); ok != want {
			t.Errorf("%q: %v", value, ok)
		}
	}
}

func TestTooSlow(t *testing.T) {
	defer regexp2.StopTimeoutClock()
	r, err := Compile(`(?:a|aa)+b`, "x")
	if err != nil {
		t.Fatal(err)
	}
	value := strings.Repeat("a", 200) + "cb"
	begin := time.Now()
	got, ok, err := r.Replace(value)
	if got != value || ok || !errors.Is(err, ErrTooSlow) {
		t.Fatal(got, ok, err)
	}
	if took := time.Since(begin); took > 20*timeout {
		t.Fatal(took)
	}
}

// Rules that hold for every pattern: a first match put back where it was gives
// the value, and a group around a pattern makes no difference.
func TestRulesOfAllPatterns(t *testing.T) {
	g := newGenerator(1)
	matches := 0
	for range 600 {
		pattern, replacement := g.pattern(), g.replacement()
		plain, err := Compile(pattern, replacement)
		if err != nil {
			continue
		}
		whole, err := Compile(pattern, "$0")
		if err != nil {
			t.Fatalf("%q: %v", pattern, err)
		}
		around, err := Compile("(?:"+pattern+"\n)", replacement)
		if strings.Contains(pattern, "#") { // may be a comment, which ends at the line's end
			around, err = plain, nil
		} else if err == nil {
			around, err = Compile("(?:"+pattern+")", replacement)
		}
		if err != nil {
			t.Fatalf("%q: %v", pattern, err)
		}
		for range 10 {
			value := g.value()
			got, ok, err := plain.Replace(value)
			if err != nil {
				t.Fatalf("%q on %q: %v", pattern, value, err)
			}
			if ok {
				matches++
			}
			if same, sameOK, err := whole.Replace(value); same != value || sameOK != ok || err != nil {
				t.Fatalf("%q on %q: put back: %q, %v, %v", pattern, value, same, sameOK, err)
			}
			if again, againOK, err := around.Replace(value); again != got || againOK != ok || err != nil {
				t.Fatalf("%q on %q: %q, %v; in a group: %q, %v, %v", pattern, value, got, ok, again, againOK, err)
			}
		}
	}
	if matches < 200 {
		t.Fatalf("only %d matches", matches)
	}
}

// The cache neither grows without end nor changes an answer.
func TestCache(t *testing.T) {
	r, err := Compile(`(\w+)\.(\w+)`, "$2-$1")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for i := range 3 * maxCached {
			got, ok, err := r.Replace(fmt.Sprintf("a%d.b%d", i, i))
			if want := fmt.Sprintf("b%d-a%d", i, i); got != want || !ok || err != nil {
				t.Fatal(got, ok, err)
			}
		}
		if got, ok, err := r.Replace(strings.Repeat("x", 2*maxCachedSize)); ok || err != nil || len(got) != 2*maxCachedSize {
			t.Fatal(got, ok, err)
		}
	}
	if len(r.cache) > maxCached {
		t.Fatal(len(r.cache))
	}
}

func FuzzCompile(f *testing.F) {
	for i, g := range readGolden(f) {
		if i%5 == 0 && len(g.Values) > 0 {
			f.Add(g.Pattern, g.Replacement, g.Values[0])
		}
	}
	f.Fuzz(func(t *testing.T, pattern, replacement, value string) {
		if len(pattern) > 60 || len(value) > 20 || strings.Contains(pattern, "{") {
			return // long ones only take long
		}
		r, err := Compile(pattern, replacement)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || strings.Contains(e.Detail, "cannot be translated") {
				t.Fatalf("%q: %v", pattern, err)
			}
			return
		}
		got, ok, err := r.Replace(value)
		if (!ok || err != nil) && got != value {
			t.Fatalf("%q changed to %q", value, got)
		}
		again, okAgain, errAgain := r.Replace(value)
		if err == nil && errAgain == nil && (again != got || okAgain != ok) {
			t.Fatalf("%q, then %q", got, again)
		}
	})
}

func BenchmarkReplaceKnown(b *testing.B) {
	r, err := Compile(`(?:dev|prod)-(eu|us)\.(\w+)`, "outbox.$1.$2")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, _ := r.Replace("prod-eu.order"); !ok {
			b.Fatal("no match")
		}
	}
}

func BenchmarkReplaceNew(b *testing.B) {
	r, err := Compile(`(?:dev|prod)-(eu|us)\.(\w+)`, "outbox.$1.$2")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, _ := r.replace("prod-eu.order"); !ok {
			b.Fatal("no match")
		}
	}
}
