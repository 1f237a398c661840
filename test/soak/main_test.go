package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// points are samples every 5 s of a saw with noise that rises by slope an hour.
func points(slope float64, hours float64, lives int) (all []point) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; float64(i)*5/3600 < hours; i++ {
		at := float64(i) * 5 / 3600
		life := int(at / hours * float64(lives))
		all = append(all, point{at, 30 + 3*float64(life) + slope*at + 0.2*float64(i%12)/12 + 0.3*random.NormFloat64(), life})
	}
	return all
}

// A leak is found, the absence of one too, also over restarts; a short run says so.
func TestFit(t *testing.T) {
	for _, c := range []struct {
		name         string
		slope, hours float64
		lives        int
		want         string
	}{
		{"flat", 0, 2, 1, flat},
		{"flat, restarted", 0, 2, 12, flat},
		{"falls", -5, 2, 1, flat},
		{"leaks", 5, 2, 1, leak},
		{"leaks, restarted", 5, 2, 4, leak},
		{"short", 0, 0.03, 1, unknown},
		{"one sample", 0, 0.001, 1, unknown},
		{"none", 0, 0, 1, unknown},
	} {
		l := fit(points(c.slope, c.hours, c.lives))
		if got := l.judge(1); got != c.want {
			t.Errorf("%s: %s: %+v", c.name, got, l)
		}
		if l.Known && (l.Lower > c.slope || l.Upper < c.slope) {
			t.Errorf("%s: %+v leaves out %v", c.name, l, c.slope)
		}
	}
	constant := fit([]point{{0, 7, 0}, {1, 7, 0}, {2, 7, 0}, {3, 7, 0}, {4, 7, 0}, {5, 7, 0}})
	if constant.judge(1) != flat || constant.Slope != 0 || math.Abs(constant.Mean-7) > 1e-9 || constant.Max != 7 {
		t.Errorf("a constant: %+v", constant)
	}
	for degrees, want := range map[float64]float64{3: 3.182, 10: 2.228, 30: 2.042, 1000: 1.962} {
		if got := student(degrees); math.Abs(got-want) > want/100 {
			t.Errorf("t of %v degrees is %v, not %v", degrees, got, want)
		}
	}
}

func TestChecker(t *testing.T) {
	type in struct {
		e         event
		partition int32
	}
	for _, c := range []struct {
		name                                 string
		records                              []in
		committed                            int
		duplicates, disorder, invented, lost int
	}{
		{"right", []in{{event{0, 1, false}, 2}, {event{0, 2, false}, 2}}, 2, 0, 0, 0, 0},
		{"lost in the middle", []in{{event{0, 1, false}, 2}, {event{0, 3, false}, 2}}, 3, 0, 0, 0, 1},
		{"lost at the end", []in{{event{0, 1, false}, 2}}, 3, 0, 0, 0, 2},
		{"repeated", []in{{event{0, 1, false}, 2}, {event{0, 2, false}, 2}, {event{0, 1, false}, 2}, {event{0, 2, false}, 2}}, 2, 2, 0, 0, 0},
		{"out of order", []in{{event{0, 2, false}, 2}, {event{0, 1, false}, 2}, {event{0, 1, false}, 2}}, 2, 1, 1, 0, 0},
		{"moved", []in{{event{0, 1, false}, 2}, {event{0, 2, false}, 3}}, 2, 0, 1, 0, 0},
		{"rolled back", []in{{event{0, 1, true}, 2}, {event{0, 1, false}, 2}}, 1, 0, 0, 1, 0},
		{"never written", []in{{event{0, 1, false}, 2}, {event{0, 2, false}, 2}, {event{9, 1, false}, 2}}, 1, 0, 0, 2, 0},
	} {
		check := newChecker(1)
		for _, r := range c.records {
			payload, err := json.Marshal(r.e)
			if err != nil {
				t.Fatal(err)
			}
			check.take(payload, r.partition)
		}
		if got := check.complete([]int{c.committed}); got != (c.lost == 0 || c.name == "lost in the middle") {
			t.Errorf("%s: complete: %t", c.name, got)
		}
		check.finish([]int{c.committed})
		if check.Duplicates != c.duplicates || check.Disorder != c.disorder || check.Invented != c.invented || check.Lost != c.lost {
			t.Errorf("%s: %s, lost %d, invented %d", c.name, check, check.Lost, check.Invented)
		}
	}
}

// What makes a run bad, and what does not.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name string
		r    result
		end  error
		want string // "" for good
	}{
		{"good", result{Verifier: &checker{}}, nil, ""},
		{"repeats after a kill", result{Kills: 1, Verifier: &checker{Duplicates: 3}}, nil, ""},
		{"repeats without", result{Verifier: &checker{Duplicates: 3}}, nil, "3 events repeated"},
		{"repeats, exactly-once", result{Kills: 1, Delivery: "exactly-once", Verifier: &checker{Duplicates: 3}}, nil, "3 events repeated"},
		{"lost", result{Verifier: &checker{Lost: 1}}, nil, "1 events lost"},
		{"does not end", result{Verifier: &checker{}}, errors.New("it hangs"), "it hangs"},
	} {
		c.r.judge(c.end)
		text := c.r.text()
		if c.r.Good != (c.want == "") || c.want != "" && !strings.Contains(text, "!!! "+c.want) {
			t.Errorf("%s: good: %t\n%s", c.name, c.r.Good, text)
		}
	}
}

func TestCommandLine(t *testing.T) {
	var errs bytes.Buffer
	for _, args := range [][]string{{"-for", "1s", "-warm-up", "2s"}, {"-rate", "0"}, {"-delivery", "once"}, {"-output", "xml"}, {"here"}, {"-markdown", "absent"}} {
		errs.Reset()
		if code := run(t.Context(), args, &errs, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, &errs)
		}
	}
	s, err := parse([]string{"-for", "90m", "-faults", "-delivery", "exactly-once"}, &errs)
	if want := "go run ./test/soak -for 1h30m -faults -every 5m -delivery exactly-once"; err != nil || (&scene{settings: s}).command() != want || s.warmUp != 100*time.Second {
		t.Errorf("%v: %q, warm-up %s", err, (&scene{settings: s}).command(), s.warmUp)
	}
	path := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(path, []byte("a\n"+sectionBegin+"old\n"+sectionEnd+"b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := result{Command: "go run ./test/soak", Verifier: &checker{}, Figures: []finding{{Name: "goroutines", Verdict: flat}}}
	var out bytes.Buffer
	if err := r.write(settings{markdown: path, output: "json"}, &out); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("%v: %s", err, &out)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "old") || !strings.Contains(string(text), "$ go run ./test/soak\n") || !strings.HasSuffix(string(text), "b\n") {
		t.Errorf("%v:\n%s", err, text)
	}
}
