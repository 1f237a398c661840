package main

import "math"

// point is a sample: hours since the beginning, a value, and the relay's process,
// counted from 0.
type point struct {
	hours, value float64
	life         int
}

// line is what is known of a figure's slope.
type line struct {
	Slope  float64 `json:"slope_per_hour"`
	Lower  float64 `json:"lower"` // of the interval of 95 %
	Upper  float64 `json:"upper"`
	Mean   float64 `json:"mean"`
	Max    float64 `json:"max"`
	Points int     `json:"samples"`
	Known  bool    `json:"known"` // enough samples for an interval
}

// leastHours is how long samples must have been taken: below ten minutes the first
// collections and a checkpoint are all that is seen.
const leastHours = 1.0 / 6

// fit lays lines of one slope through the points, each process with a height of its
// own, by least squares. Samples in a row are alike (memory is a saw), so the error
// is computed as of fewer samples: by the correlation of neighbouring residuals.
func fit(points []point) line {
	l := line{Points: len(points), Max: math.Inf(-1)}
	type sums struct{ n, t, v float64 }
	lives := map[int]*sums{}
	for _, p := range points {
		s := lives[p.life]
		if s == nil {
			s = new(sums)
			lives[p.life] = s
		}
		s.n, s.t, s.v = s.n+1, s.t+p.hours, s.v+p.value
		l.Mean += p.value / float64(len(points))
		l.Max = max(l.Max, p.value)
	}
	if len(points) == 0 {
		l.Max = 0
		return l
	}
	var tt, tv float64
	for _, p := range points {
		s := lives[p.life]
		t := p.hours - s.t/s.n
		tt += t * t
		tv += t * (p.value - s.v/s.n)
	}
	if tt == 0 {
		return l
	}
	l.Slope = tv / tt
	var squares, neighbours, last float64
	for i, p := range points {
		s := lives[p.life]
		residual := p.value - s.v/s.n - l.Slope*(p.hours-s.t/s.n)
		squares += residual * residual
		if i > 0 && points[i-1].life == p.life {
			neighbours += residual * last
		}
		last = residual
	}
	parameters := float64(len(lives) + 1)
	correlation := 0.0
	if squares > 0 {
		correlation = min(max(0, neighbours/squares), 0.999)
	}
	independent := float64(len(points)) * (1 - correlation) / (1 + correlation)
	degrees := independent - parameters
	if degrees < 3 || points[len(points)-1].hours-points[0].hours < leastHours {
		return l
	}
	// The variance of the slope, widened by as much as there are fewer samples.
	variance := squares / degrees / tt
	half := student(degrees) * math.Sqrt(variance)
	l.Lower, l.Upper, l.Known = l.Slope-half, l.Slope+half, true
	return l
}

// student is the 97.5 % quantile of Student's t distribution, by the expansion of
// Cornish and Fisher: within 1 % from 3 degrees of freedom on.
func student(degrees float64) float64 {
	const z = 1.959964
	z2 := z * z
	return z * (1 + (z2+1)/(4*degrees) + ((5*z2+16)*z2+3)/(96*degrees*degrees) +
		(((3*z2+19)*z2+17)*z2-15)/(384*degrees*degrees*degrees))
}

// The judgements of a figure.
const (
	flat    = "flat"
	leak    = "LEAK"
	unknown = "too short to tell"
)

// judge compares the interval with what a figure may rise in an hour.
func (l line) judge(limit float64) string {
	switch {
	case !l.Known:
		return unknown
	case l.Upper <= limit:
		return flat
	case l.Lower > limit:
		return leak
	}
	return unknown
}
