package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// report is everything a run has found out. Durations in JSON are nanoseconds.
type report struct {
	Started  time.Time       `json:"started"`
	Machine  machine         `json:"machine"`
	Drains   []drainReport   `json:"drains,omitempty"`
	Latency  []latencyReport `json:"latency,omitempty"`
	Start    *startReport    `json:"start,omitempty"`
	Idle     *idleReport     `json:"idle,omitempty"`
	Memory   []memoryReport  `json:"memory,omitempty"`
	Bars     []bar           `json:"bars"`
	Notes    []string        `json:"notes,omitempty"`    // what to keep in mind
	Problems []string        `json:"problems,omitempty"` // what was not measured, or wrong: exit 1
}

// problem notes what makes the command fail.
func (r *report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// note notes what to keep in mind when reading the figures.
func (r *report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// noisy is the share of the machine's CPU used by others from which on a drain's
// figures are doubtful.
const noisy = 0.10

// finish draws the conclusions.
func (r *report) finish(opt options) {
	r.Bars = r.bars()
	for _, d := range r.Drains {
		others := 0.0
		for _, s := range d.Summaries {
			r.check(d.Name+", "+s.Contender, s.Error, s.Verdict)
			if s.Other != nil {
				others = max(others, *s.Other)
			}
		}
		if others > noisy {
			r.note("%s: others used up to %.0f %% of the machine: repeat it on a quiet one", d.Name, 100*others)
		}
		if d.Events != fullBacklog {
			r.note("%s: %d events instead of %d: the start weighs differently", d.Name, d.Events, fullBacklog)
		}
	}
	for _, l := range r.Latency {
		r.check(fmt.Sprintf("latency at %d/s", l.Rate), l.Error, l.Verdict)
		if l.Error == "" && l.Achieved < 0.98*float64(l.Rate) {
			r.note("latency at %d/s: only %.0f/s could be written: writers or PostgreSQL were the limit", l.Rate, l.Achieved)
		}
	}
	if r.Start != nil {
		r.check("start", r.Start.Error, nil)
	}
	if r.Idle != nil {
		r.check("idle", r.Idle.Error, nil)
	}
	for _, m := range r.Memory {
		r.check(m.Name, m.Error, m.Verdict)
	}
	if opt.rounds < 3 && len(r.Drains) > 0 {
		r.note("%d round(s): no median to speak of", opt.rounds)
	}
}

// check turns an error and a bad verdict into problems.
func (r *report) check(name, failed string, v *verdict) {
	if failed != "" {
		r.problem("%s: %s", name, failed)
	}
	if v != nil && !v.ok() {
		r.problem("%s: wrong result: %s", name, v)
	}
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *report) writeTables(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	m := r.Machine
	fmt.Fprintf(w, "machine\t%s, %d cores, Linux %s, load %s\n", m.CPU, m.Cores, m.Kernel, m.Load)
	fmt.Fprintf(w, "PostgreSQL\t%s (%s)\n", m.PostgreSQL, m.Settings)
	fmt.Fprintf(w, "Kafka\t%s\n", m.Kafka)
	fmt.Fprintf(w, "servers\t%s\n", m.Servers)
	fmt.Fprintf(w, "Go\t%s\n", m.Go)
	for _, d := range r.Drains {
		d.writeTable(w)
	}
	r.writeLatency(w)
	r.writeRest(w)
	if len(r.Bars) > 0 {
		fmt.Fprint(w, "\nbar\tlimit\tmeasured\tverdict\n")
		for _, b := range r.Bars {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", b.Name, b.Limit, b.Measured, b.Verdict)
		}
	}
	writeLines(w, "note", r.Notes)
	writeLines(w, "problem", r.Problems)
	return w.Flush()
}

func writeLines(w io.Writer, title string, lines []string) {
	if len(lines) > 0 {
		fmt.Fprintf(w, "\n%s: %s\n", title, strings.Join(lines, "\n"+title+": "))
	}
}

func (d drainReport) writeTable(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %d events, %d a transaction, %d MB of WAL, %d partitions, acks=all, medians\n",
		d.Name, d.Events, d.PerTx, d.WALBytes>>20, partitions)
	fmt.Fprint(w, "contender\tevents/s\tspread\tsince first\tto recvlogical\tCPU µs\tto bareloop\twalsender µs\tbroker µs\t"+
		"allocs\tRSS MiB\tfirst ms\tconfirmed ms\tothers\tresult\n")
	for _, s := range d.Summaries {
		result := "–"
		if s.Verdict != nil {
			result = s.Verdict.String()
		}
		if s.Error != "" {
			result = "failed, see below"
		}
		if s.Rounds == 0 {
			fmt.Fprintf(w, "%s\t–\t–\t–\t–\t–\t–\t–\t–\t–\t–\t–\t–\t–\t%s\n", s.Contender, result)
			continue
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.0f–%.0f\t%s\t%s\t%.2f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			s.Contender, s.Rate, s.RateMin, s.RateMax, number("%.0f", s.StreamRate), number("%.2f", s.ToRecv),
			s.CPU, number("%.2f", s.ToLoop), number("%.2f", s.Walsender), number("%.2f", s.Broker), number("%.3f", s.Allocs),
			mebibytes(s.PeakRSS), number("%.0f", s.ToFirst), number("%.0f", s.ConfirmLag), number("%.0f %%", percent(s.Other)), result)
	}
}

func (r *report) writeLatency(w io.Writer) {
	if len(r.Latency) == 0 {
		return
	}
	fmt.Fprint(w, "\nlatency, ms: commit to consumer\nrate\twritten\tfrom\tp50\tp99\tp99.9\tmax\tCPU µs\tRSS MiB\tresult\n")
	for _, l := range r.Latency {
		result := "failed, see below"
		if l.Error == "" && l.Verdict != nil {
			result = l.Verdict.String()
		}
		line := func(from string, p percentiles) {
			fmt.Fprintf(w, "%d/s\t%.0f/s\t%s\t%s\t%s\t%s\t%s\t%.1f\t%s\t%s\n", l.Rate, l.Achieved, from,
				millis(p.P50), millis(p.P99), millis(p.P999), millis(p.Max), l.CPU, mebibytes(l.PeakRSS), result)
		}
		line("COMMIT returned", l.FromReturn)
		line("COMMIT sent", l.FromSent)
	}
}

func (r *report) writeRest(w io.Writer) {
	if s := r.Start; s != nil {
		fmt.Fprintf(w, "\nstart to first record\tmedian %s ms of", millis(s.Median))
		for _, d := range s.Runs {
			fmt.Fprintf(w, " %s", millis(d))
		}
		fmt.Fprintln(w)
	}
	if i := r.Idle; i != nil {
		fmt.Fprintf(w, "\nidle for %s\t%.2f %% of a core, peak RSS %s MiB\n", i.Length, i.Percent, mebibytes(i.RSS))
	}
	if len(r.Memory) > 0 {
		fmt.Fprint(w, "\nsituation\tevents\tpeak RSS MiB\tcaught up after s\tresult\n")
	}
	for _, m := range r.Memory {
		result := "failed, see below"
		if m.Error == "" && m.Verdict != nil {
			result = m.Verdict.String()
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%.1f\t%s\n", m.Name, m.Events, mebibytes(m.PeakRSS), m.CaughtUp.Seconds(), result)
	}
}

func number(format string, v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf(format, *v)
}

func percent(share *float64) *float64 {
	if share == nil {
		return nil
	}
	return ptr(100 * *share)
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1e3) }

func mebibytes(n int64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", float64(n)/(1<<20))
}
