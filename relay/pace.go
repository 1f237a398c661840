package relay

import (
	"math"
	"time"
)

// Reading every frame as it comes costs a wake-up and a system call for one or
// two of them, which is most of what a relay costs: the walsender hands each to
// the socket by itself. So while frames come fast the loop lets them gather in
// the socket for a moment and reads many at once. A quiet stream is read at
// once; what it costs there does not matter.
const (
	// gatherFor is how long frames gather: at most the delay it adds.
	gatherFor = 300 * time.Microsecond
	// gatherFrom is the number of frames a second from which that pays.
	gatherFrom = 20_000
	// paceMemory is the time over which the rate is averaged.
	paceMemory = 5 * time.Millisecond
)

// pace knows how fast frames come.
type pace struct {
	frames int // since the last look
	looked time.Time
	rate   float64 // frames a second
}

// fast brings the rate up to date and says whether frames should gather. Called
// when all that was read is used up.
func (p *pace) fast(now time.Time) bool {
	dt := now.Sub(p.looked)
	if dt <= 0 {
		return p.rate >= gatherFrom
	}
	keep := math.Exp(-float64(dt) / float64(paceMemory))
	p.rate = p.rate*keep + float64(p.frames)/dt.Seconds()*(1-keep)
	p.frames, p.looked = 0, now
	return p.rate >= gatherFrom
}
