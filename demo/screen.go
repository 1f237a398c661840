package demo

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// lineWriter writes whole lines; its methods may be called from any goroutine.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

// printf writes one line. An error of the writer is nobody's concern: a demo
// whose output is gone still cleans up.
func (w *lineWriter) printf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.out, format+"\n", args...)
}

// Write lets others (the relay's log) write among the lines.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

// every calls f at each tick until the returned stop is called; stop waits for a
// call that is under way.
func every(d time.Duration, f func()) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(d)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				f()
			case <-quit:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-done })
}

// style is how a piece of text looks where colour is wanted: an SGR code.
type style string

const (
	plain  style = ""
	bold   style = "1"
	faint  style = "2"
	green  style = "32"
	red    style = "31"
	yellow style = "33"
	cyan   style = "36"
)

// screen is what a person sees of a demo. With quiet nothing is shown.
type screen struct {
	*lineWriter
	color bool

	mu      sync.Mutex
	stories map[kind]string // guarded by mu; the newest untold one of each kind
	turn    int             // guarded by mu; whose turn it is to be told
}

func newScreen(out io.Writer, color, quiet bool) *screen {
	if quiet || out == nil {
		out = io.Discard
	}
	return &screen{lineWriter: &lineWriter{out: out}, color: color, stories: make(map[kind]string)}
}

// paint gives the text a style, if there is colour.
func (s *screen) paint(st style, text string) string {
	if !s.color || st == plain {
		return text
	}
	return "\x1b[" + string(st) + "m" + text + "\x1b[0m"
}

// started is one line of the beginning: what has been started, and where.
func (s *screen) started(what, where string) {
	s.printf("  %s %s", s.paint(bold, fmt.Sprintf("%-11s", what)), where)
}

// warn is something that a person should know of and that the demo lives with.
func (s *screen) warn(format string, args ...any) {
	s.printf("  %s", s.paint(yellow, fmt.Sprintf(format, args...)))
}

// kind is a kind of story.
type kind string

const (
	kindPath      kind = "path"      // the way of one event
	kindRollback  kind = "rollback"  // a transaction that was undone
	kindSavepoint kind = "savepoint" // a part of one
	kindDuplicate kind = "duplicate" // an event that came twice
)

// program is the order in which stories are told; the way of an event is the
// best one.
var program = []kind{kindPath, kindRollback, kindPath, kindSavepoint, kindPath, kindDuplicate}

// tell keeps a story until its kind is due; a newer one takes its place.
func (s *screen) tell(k kind, story string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stories[k] = story
}

// story takes the next story of the program, "" when there is none to tell.
func (s *screen) story() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range program {
		k := program[s.turn%len(program)]
		s.turn++
		if text := s.stories[k]; text != "" {
			delete(s.stories, k)
			return text
		}
	}
	return ""
}

// judge ends the output with the verdict.
func (s *screen) judge(v Verdict) {
	s.printf("")
	for _, line := range v.table() {
		s.printf("%s", line)
	}
	st := green
	if !v.OK() {
		st = red
	}
	s.printf("")
	s.printf("%s", s.paint(st, v.String()))
}
