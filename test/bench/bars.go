package main

import (
	"fmt"
	"time"
)

// The bars: what walrelay is meant to reach.
const (
	barRatio    = 0.95     // of pg_recvlogical's rate
	barLoop     = 1.35     // times the bare read loop's CPU an event
	barAllocs   = 0.1      // allocations an event
	barRSS      = 48 << 20 // bytes
	barP50      = time.Millisecond
	barP99      = 5 * time.Millisecond
	barRate     = 500 // events/s of the latency bars
	barStart    = 300 * time.Millisecond
	barIdle     = 0.5 // percent of a core
	barDrain1   = 10  // µs CPU an event, one event a transaction
	barDrain100 = 5   // µs CPU an event, a hundred a transaction
)

// bar is one line of the verdict.
type bar struct {
	Name     string `json:"name"`
	Limit    string `json:"limit"`
	Measured string `json:"measured"`
	Verdict  string `json:"verdict"` // ok, miss, wrong (fast, but not every event arrived right), not measured
}

// bars judges walrelay; parts that were not asked for have no bar.
func (r *report) bars() []bar {
	var all []bar
	for _, d := range r.Drains {
		all = append(all, d.bars()...)
	}
	for _, l := range r.Latency {
		if l.Rate == barRate {
			all = append(all, l.bars()...)
		}
	}
	if s := r.Start; s != nil {
		name, limit := "start to first record", "≤ 300 ms"
		all = append(all, judge(name, limit, millis(s.Median)+" ms", s.Median <= barStart, s.Error, nil))
	}
	if i := r.Idle; i != nil {
		all = append(all, judge("idle", "< 0.5 % of a core", fmt.Sprintf("%.2f %%", i.Percent), i.Percent < barIdle, i.Error, nil))
	}
	for _, m := range r.Memory {
		all = append(all, judge("peak RSS, "+m.Name, "≤ 48 MiB", mebibytes(m.PeakRSS)+" MiB", m.PeakRSS <= barRSS, m.Error, m.Verdict))
	}
	return all
}

func (d drainReport) bars() []bar {
	for _, s := range d.Summaries {
		if s.Contender != "walrelay" {
			continue
		}
		cpuBar := float64(barDrain1)
		if d.PerTx > 1 {
			cpuBar = barDrain100
		}
		judge := func(name, limit string, value *float64, format string, ok func(float64) bool) bar {
			if value == nil {
				return bar{d.Name + ": " + name, limit, "–", "not measured"}
			}
			return judge(d.Name+": "+name, limit, fmt.Sprintf(format, *value), ok(*value), s.Error, s.Verdict)
		}
		below := func(limit float64) func(float64) bool { return func(v float64) bool { return v <= limit } }
		return []bar{
			judge("rate to pg_recvlogical", "≥ 0.95", s.ToRecv, "%.2f", func(v float64) bool { return v >= barRatio }),
			judge("CPU an event", fmt.Sprintf("≤ %.0f µs", cpuBar), &s.CPU, "%.1f µs", below(cpuBar)),
			judge("CPU to bare loop", "≤ 1.35", s.ToLoop, "%.2f", below(barLoop)),
			judge("allocations an event", "< 0.1", s.Allocs, "%.3f", func(v float64) bool { return v < barAllocs }),
			judge("peak RSS", "≤ 48 MiB", ptr(float64(s.PeakRSS)/(1<<20)), "%.1f MiB", below(barRSS>>20)),
		}
	}
	return nil
}

func (l latencyReport) bars() []bar {
	name := fmt.Sprintf("latency at %d/s, ", l.Rate)
	p50, p99 := l.FromReturn.P50, l.FromReturn.P99
	return []bar{
		judge(name+"p50", "≤ 1 ms", millis(p50)+" ms", p50 <= barP50, l.Error, l.Verdict),
		judge(name+"p99", "≤ 5 ms", millis(p99)+" ms", p99 <= barP99, l.Error, l.Verdict),
	}
}

// judge makes a line. An error means that nothing was measured, a bad verdict
// that the figure is worth nothing.
func judge(name, limit, measured string, ok bool, failed string, v *verdict) bar {
	switch {
	case failed != "":
		return bar{name, limit, "–", "not measured"}
	case v != nil && !v.ok():
		return bar{name, limit, measured, "wrong: " + v.String()}
	case ok:
		return bar{name, limit, measured, "ok"}
	default:
		return bar{name, limit, measured, "miss"}
	}
}
