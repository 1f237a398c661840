package relay

import (
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// journalSize is how many errors are kept for a look at them.
const journalSize = 20

// ErrorStatus is an error that was met, once or again and again.
type ErrorStatus struct {
	At      time.Time `json:"at"`    // when it was last met
	First   time.Time `json:"first"` // when it began
	Code    string    `json:"code"`  // see Troubles
	Side    string    `json:"side"`
	Message string    `json:"message"`
	Advice  string    `json:"advice,omitempty"`
	Count   int       `json:"count"`
	Over    bool      `json:"over"` // it has ended

	name string // of the trouble, as telemetry.Repeated knows it
}

// journal keeps the last errors. Any goroutine.
type journal struct {
	mu      sync.Mutex
	entries []ErrorStatus // the newest last
}

// add notes an error under the name of its trouble.
func (j *journal) add(name string, t Trouble, message string, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := len(j.entries) - 1; i >= 0; i-- {
		e := &j.entries[i]
		if e.name != name || e.Over {
			continue
		}
		if e.Code == t.Code {
			again := *e
			again.At, again.Message, again.Count = at, message, e.Count+1
			j.entries = append(slices.Delete(j.entries, i, i+1), again)
			return
		}
		e.Over = true // the trouble goes on as another error
	}
	if len(j.entries) == journalSize {
		j.entries = slices.Delete(j.entries, 0, 1)
	}
	j.entries = append(j.entries, ErrorStatus{
		At: at, First: at, Code: t.Code, Side: t.Side, Message: message, Advice: t.Remedy, Count: 1, name: name,
	})
}

// over notes that a trouble has ended.
func (j *journal) over(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.entries {
		if j.entries[i].name == name {
			j.entries[i].Over = true
		}
	}
}

// list gives the errors, the newest first.
func (j *journal) list() []ErrorStatus {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := append([]ErrorStatus{}, j.entries...) // a list in JSON, also when empty
	slices.Reverse(out)
	return out
}

// trouble counts, keeps and logs an error that is waited out, under a name that
// recovered will know; message is constant. with may add to the log line.
func (r *Relay) trouble(name, message string, err error, with func(*zerolog.Event)) {
	t := r.noted(name, err)
	r.errors.Failed(name, message, err, func(e *zerolog.Event) {
		e.Str("code", t.Code).Str("advice", t.Remedy)
		if with != nil {
			with(e)
		}
	})
}

// noted counts and keeps an error; who calls it logs or returns it.
func (r *Relay) noted(name string, err error) Trouble {
	t, now := Diagnose(err), time.Now()
	r.journal.add(name, t, err.Error(), now)
	if r.cfg.Metrics != nil {
		r.cfg.Metrics.Failed(t.Code, t.Side, now)
	}
	return t
}

// recovered ends a trouble, if there was one.
func (r *Relay) recovered(name, message string) {
	r.errors.Recovered(name, message)
	r.journal.over(name)
}

// reasonFor is why a relay is not ready because of an error; code is the short
// word of the side that it is about.
func reasonFor(code string, err error, message string) Reason {
	t := Diagnose(err)
	return Reason{Code: code, Error: t.Code, Message: message, Advice: t.Remedy}
}
