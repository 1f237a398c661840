package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is what is sampled; limit is what it may rise in an hour, in its unit.
type figure struct {
	name, metric, unit string
	scale, limit       float64
}

// figures are those of the table. The limits are far below what hurts in a month of
// running, and above what a line through a saw can be told from.
var figures = []figure{
	{"memory (RSS)", "process_resident_memory_bytes", "MiB", 1 << 20, 1},
	{"Go heap in use", "go_memstats_heap_inuse_bytes", "MiB", 1 << 20, 1},
	{"live Go heap", "go_gc_heap_live_bytes", "MiB", 1 << 20, 0.5},
	{"goroutines", "go_goroutines", "", 1, 1},
	{"file descriptors", "process_open_fds", "", 1, 1},
	{"lag", "walrelay_replication_lag_bytes", "MiB", 1 << 20, 1},
}

// finding is a figure with its line.
type finding struct {
	Name    string  `json:"name"`
	Metric  string  `json:"metric"`
	Unit    string  `json:"unit"`
	Limit   float64 `json:"limit_per_hour"`
	Verdict string  `json:"verdict"`
	line
}

// result is what the run has shown.
type result struct {
	Command   string        `json:"command"`
	Date      string        `json:"date"`
	Servers   []string      `json:"servers"`
	Delivery  string        `json:"delivery"`
	Length    time.Duration `json:"length"`
	Events    int           `json:"events"` // committed
	Rate      float64       `json:"events_s"`
	Restarts  int           `json:"broker_restarts"`
	Kills     int           `json:"relay_kills"`
	Unheard   int           `json:"samples_without_answer"`
	Verifier  *checker      `json:"verifier"`
	Figures   []finding     `json:"figures"`
	Problems  []string      `json:"problems"`
	Undecided bool          `json:"undecided"` // a figure of which the run was too short
	Good      bool          `json:"good"`
}

func (c *scene) result(l *load, wrote time.Duration, ended error) *result {
	r := &result{
		Command: c.command(), Date: time.Now().UTC().Format(time.DateOnly), Delivery: c.delivery, Length: wrote.Round(time.Second),
		Servers:  []string{fmt.Sprintf("PostgreSQL %s", c.server.Version()), c.kafka.Origin()},
		Restarts: c.restarts, Kills: c.kills, Unheard: c.silent, Verifier: c.check,
	}
	for _, n := range l.counts {
		r.Events += n
	}
	r.Rate = float64(r.Events) / wrote.Seconds()
	for _, f := range figures {
		points := c.points[f.metric]
		for i := range points {
			points[i].value /= f.scale
		}
		line := fit(points)
		verdict := line.judge(f.limit)
		r.Undecided = r.Undecided || verdict == unknown
		r.Figures = append(r.Figures, finding{f.name, f.metric, f.unit, f.limit, verdict, line})
		if verdict == leak {
			r.Problems = append(r.Problems, fmt.Sprintf("%s grows by %.1f %s an hour", f.name, line.Slope, f.unit))
		}
	}
	r.judge(ended)
	return r
}

// judge says what of the verifier's counts is a problem. Repeats are none where the
// relay was killed and has not promised exactly-once.
func (r *result) judge(ended error) {
	v := r.Verifier
	problem := func(n int, what string) {
		if n > 0 {
			r.Problems = append(r.Problems, fmt.Sprintf("%d events %s", n, what))
		}
	}
	problem(v.Lost, "lost")
	problem(v.Disorder, "out of order")
	problem(v.Invented, "that nobody committed")
	if r.Kills == 0 || r.Delivery == "exactly-once" {
		problem(v.Duplicates, "repeated without a cause")
	}
	if ended != nil {
		r.Problems = append(r.Problems, ended.Error())
	}
	r.Good = len(r.Problems) == 0
}

// command is how the run can be repeated.
func (c *scene) command() string {
	text := "go run ./test/soak -for " + short(c.length)
	if c.rate != 1000 {
		text += fmt.Sprintf(" -rate %d", c.rate)
	}
	if c.ownWarmUp {
		text += " -warm-up " + short(c.warmUp)
	}
	if c.faults {
		text += " -faults -every " + short(c.every)
	}
	if c.delivery != "at-least-once" {
		text += " -delivery " + c.delivery
	}
	return text
}

// short is 2h instead of 2h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// text is the result for people.
func (r *result) text() string {
	var text strings.Builder
	v := r.Verifier
	_, _ = fmt.Fprintf(&text, "%s, %s, %s, on %s\n", short(r.Length), r.Delivery, strings.Join(r.Servers, ", "), r.Date)
	_, _ = fmt.Fprintf(&text, "%d events committed, %.0f/s; broker restarted %d times, relay killed %d times\n", r.Events, r.Rate, r.Restarts, r.Kills)
	_, _ = fmt.Fprintf(&text, "lost %d, duplicates %d, out of order %d, never committed %d\n\n", v.Lost, v.Duplicates, v.Disorder, v.Invented)
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "figure\tmean\tmax\tslope/h\t95 % interval\tlimit/h\tsamples\tverdict\t")
	for _, f := range r.Figures {
		interval := "-"
		if f.Known {
			interval = fmt.Sprintf("%+.2f to %+.2f", f.Lower, f.Upper)
		}
		name := f.Name
		if f.Unit != "" {
			name += ", " + f.Unit
		}
		_, _ = fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%+.2f\t%s\t%.0f\t%d\t%s\t\n", name, f.Mean, f.Max, f.Slope, interval, f.Limit, f.Points, f.Verdict)
	}
	_ = w.Flush() // into memory
	switch {
	case !r.Good:
		_, _ = fmt.Fprintf(&text, "\n!!! %s\n", strings.Join(r.Problems, "\n!!! "))
	case r.Undecided:
		_, _ = fmt.Fprintf(&text, "\nnothing lost, nothing out of order; for a slope that is not \"flat\" run longer\n")
	default:
		_, _ = fmt.Fprintf(&text, "\nnothing lost, nothing out of order, nothing leaks\n")
	}
	return text.String()
}

// The result stands in the document between these lines.
const (
	sectionBegin = "<!-- soak -->\n"
	sectionEnd   = "<!-- /soak -->\n"
)

// replaceSection puts text between the marks of a file; with dry it only looks
// whether they are there.
func replaceSection(path, text string, dry bool) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("-markdown: %w", err)
	}
	before, rest, begins := strings.Cut(string(content), sectionBegin)
	_, after, ends := strings.Cut(rest, sectionEnd)
	if !begins || !ends {
		return fmt.Errorf("-markdown: %s has no lines %q and %q: add them where the result is to stand",
			path, strings.TrimSpace(sectionBegin), strings.TrimSpace(sectionEnd))
	}
	if dry {
		return nil
	}
	return os.WriteFile(path, []byte(before+sectionBegin+"\n"+text+"\n"+sectionEnd+after), 0o644)
}
