package telemetry

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// RepeatInterval is how often an error that goes on is logged.
const RepeatInterval = 30 * time.Second

// maxTexts bounds the different texts of one trouble that are logged within a
// RepeatInterval.
const maxTexts = 5

// Repeated keeps an error that occurs again and again from filling the log. A
// trouble has a name, such as "kafka" or "topic orders": its first error is logged
// at once, later ones at most every RepeatInterval with the number of attempts, and
// its end once as recovered. An error with another text is news and is logged at
// once, too. It may be used from any goroutine.
type Repeated struct {
	log zerolog.Logger
	now func() time.Time

	mu       sync.Mutex
	troubles map[string]*trouble
}

// trouble is what goes wrong under one name.
type trouble struct {
	since    time.Time
	attempts int
	logged   time.Time       // when the interval of texts began
	texts    map[string]bool // logged in this interval
}

// NewRepeated makes a limiter that writes to log.
func NewRepeated(log zerolog.Logger) *Repeated {
	return &Repeated{log: log, now: time.Now, troubles: map[string]*trouble{}}
}

// Failed logs err as a warning with message, unless that was done a short while
// ago. message is constant; with adds fields to the line and may be nil.
func (r *Repeated) Failed(name, message string, err error, with func(*zerolog.Event)) {
	attempts, since, news := r.count(name, err)
	if !news {
		return
	}
	e := r.log.Warn().Err(err).Int("attempt", attempts)
	if attempts > 1 {
		e = e.Str("for", r.now().Sub(since).Round(time.Second).String())
	}
	if with != nil {
		with(e)
	}
	e.Msg(message)
}

// count counts an error and tells whether to log it.
func (r *Repeated) count(name string, err error) (attempts int, since time.Time, news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	t := r.troubles[name]
	if t == nil {
		t = &trouble{since: now}
		r.troubles[name] = t
	}
	t.attempts++
	if t.texts == nil || now.Sub(t.logged) >= RepeatInterval {
		t.logged, t.texts = now, map[string]bool{}
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	if t.texts[text] || len(t.texts) >= maxTexts {
		return t.attempts, t.since, false
	}
	t.texts[text] = true
	return t.attempts, t.since, true
}

// Recovered ends a trouble. If there was one, it is logged once with message, the
// number of failed attempts and how long it took. Without one it costs a map look-up.
func (r *Repeated) Recovered(name, message string) {
	r.mu.Lock()
	t := r.troubles[name]
	delete(r.troubles, name)
	r.mu.Unlock()
	if t == nil {
		return
	}
	r.log.Info().Int("attempts", t.attempts).Str("after", r.now().Sub(t.since).Round(time.Millisecond).String()).Msg(message)
}

// Failing tells whether a trouble of that name goes on.
func (r *Repeated) Failing(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.troubles[name] != nil
}
