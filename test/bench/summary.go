package main

import (
	"slices"
	"time"
)

// summary is a contender over all rounds of a drain: medians, and ratios that
// were taken within a round before their median was. A nil value could not be
// measured.
type summary struct {
	Contender  string   `json:"contender"`
	Rounds     int      `json:"rounds"` // that were measured
	Rate       float64  `json:"events_per_s"`
	RateMin    float64  `json:"events_per_s_min"`
	RateMax    float64  `json:"events_per_s_max"`
	StreamRate *float64 `json:"stream_per_s"`
	ToRecv     *float64 `json:"ratio_to_pg_recvlogical"`
	CPU        float64  `json:"cpu_us_per_event"`
	ToLoop     *float64 `json:"cpu_ratio_to_bareloop"`
	Walsender  *float64 `json:"walsender_us_per_event"`
	Broker     *float64 `json:"broker_us_per_event"`
	Allocs     *float64 `json:"allocs_per_event"`
	PeakRSS    int64    `json:"peak_rss_bytes"` // the largest
	ToFirst    *float64 `json:"to_first_ms"`
	ConfirmLag *float64 `json:"confirm_lag_ms"`
	Other      *float64 `json:"other_cpu"`         // the largest
	Verdict    *verdict `json:"verdict,omitempty"` // summed over the rounds
	Error      string   `json:"error,omitempty"`   // the first
}

// summarize makes one summary a contender, in the order of the first round.
func summarize(runs []drainRun, events int) []summary {
	byName := map[string][]drainRun{}
	var names []string
	for _, r := range runs {
		if _, ok := byName[r.Contender]; !ok {
			names = append(names, r.Contender)
		}
		byName[r.Contender] = append(byName[r.Contender], r)
	}
	var all []summary
	for _, name := range names {
		s := summarizeOne(byName[name], events)
		s.ToRecv = ratio(byName[name], byName["pg_recvlogical"], func(r drainRun) float64 { return r.Rate })
		s.ToLoop = ratio(byName[name], byName["bareloop"], func(r drainRun) float64 { return r.CPU.Seconds() })
		all = append(all, s)
	}
	return all
}

func summarizeOne(runs []drainRun, events int) summary {
	s := summary{Contender: runs[0].Contender}
	var good []drainRun
	for _, r := range runs {
		if r.Error == "" {
			good = append(good, r)
		} else if s.Error == "" {
			s.Error = r.Error
		}
		if r.Verdict != nil {
			s.Verdict = r.Verdict.plus(s.Verdict)
		}
		s.PeakRSS = max(s.PeakRSS, r.PeakRSS)
		if r.OtherCPU != nil && (s.Other == nil || *r.OtherCPU > *s.Other) {
			s.Other = r.OtherCPU
		}
	}
	if s.Rounds = len(good); s.Rounds == 0 {
		return s
	}
	rates := collect(good, func(r drainRun) *float64 { return &r.Rate })
	s.RateMin, s.RateMax, s.Rate = slices.Min(rates), slices.Max(rates), median(rates)
	perEvent := func(d *time.Duration) *float64 {
		if d == nil {
			return nil
		}
		return ptr(d.Seconds() * 1e6 / float64(events))
	}
	s.CPU = *medianOf(good, func(r drainRun) *float64 { return perEvent(&r.CPU) })
	s.StreamRate = medianOf(good, func(r drainRun) *float64 { return r.StreamRate })
	s.Walsender = medianOf(good, func(r drainRun) *float64 { return perEvent(r.WalsenderCPU) })
	s.Broker = medianOf(good, func(r drainRun) *float64 { return perEvent(r.BrokerCPU) })
	s.Allocs = medianOf(good, func(r drainRun) *float64 { return r.Allocs })
	s.ToFirst = medianOf(good, func(r drainRun) *float64 { return inMillis(r.ToFirst) })
	s.ConfirmLag = medianOf(good, func(r drainRun) *float64 { return inMillis(r.ConfirmLag) })
	return s
}

func (v verdict) plus(o *verdict) *verdict {
	if o != nil {
		v.Records += o.Records
		v.Distinct += o.Distinct
		v.Lost += o.Lost
		v.Duplicates += o.Duplicates
		v.Foreign += o.Foreign
		v.OutOfOrder += o.OutOfOrder
		v.Moved += o.Moved
	}
	return &v
}

func inMillis(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return ptr(d.Seconds() * 1e3)
}

// ratio is the median over the rounds of a's value divided by b's in the same
// round; nil when no round has both.
func ratio(a, b []drainRun, value func(drainRun) float64) *float64 {
	var ratios []float64
	for _, x := range a {
		i := slices.IndexFunc(b, func(y drainRun) bool { return y.Round == x.Round && y.Error == "" })
		if i >= 0 && x.Error == "" && value(b[i]) > 0 {
			ratios = append(ratios, value(x)/value(b[i]))
		}
	}
	if len(ratios) == 0 {
		return nil
	}
	return ptr(median(ratios))
}

func collect(runs []drainRun, value func(drainRun) *float64) []float64 {
	var values []float64
	for _, r := range runs {
		if v := value(r); v != nil {
			values = append(values, *v)
		}
	}
	return values
}

func medianOf(runs []drainRun, value func(drainRun) *float64) *float64 {
	values := collect(runs, value)
	if len(values) == 0 {
		return nil
	}
	return ptr(median(values))
}

// median sorts values, which must not be empty, and returns the middle one; of an
// even number the mean of the middle two.
func median[T ~int64 | ~float64](values []T) T {
	slices.Sort(values)
	mid := len(values) / 2
	if len(values)%2 == 1 {
		return values[mid]
	}
	return (values[mid-1] + values[mid]) / 2
}
