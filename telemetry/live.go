package telemetry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	// maxLive is how many pages may be open at a time. Each costs a goroutine and
	// a few kilobytes a second.
	maxLive = 16
	// liveWrite is how long a slow reader may take for one message. The server's
	// limit for whole answers does not hold for streams.
	liveWrite = 10 * time.Second
	// liveRetry is when a browser that has lost the stream tries again.
	liveRetry = 2 * time.Second
)

// live is the stream of the status page.
type live struct {
	history  *history
	look     func() look
	seats    chan struct{}   // one is taken by each client
	patience time.Duration   // how long one message may take
	ending   <-chan struct{} // closed when the server stops
}

// look is what the page shows beside the samples.
type look struct {
	Now     int64    `json:"now"` // ms since 1970, by this machine's clock
	Ready   bool     `json:"ready"`
	Reasons []Reason `json:"reasons"`
	Status  any      `json:"status"`
}

// ServeHTTP streams server-sent events until the client goes or the server stops:
// at first `samples` with all that are kept, then each second `status` and the
// fresh `samples`. Nothing is kept for a slow reader: it gets what is due when it
// is ready again, and is cut off when one message takes too long.
func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case l.seats <- struct{}{}:
		defer func() { <-l.seats }()
	default:
		w.Header().Set("Retry-After", "30")
		http.Error(w, fmt.Sprintf("%d pages are open already, the most that are served at a time: close one, or look at /status", maxLive), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy is to pass each message on at once
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	if _, err := fmt.Fprintf(w, "retry: %d\n\n", liveRetry.Milliseconds()); err != nil {
		return
	}
	for seen := 0; ; {
		samples, taken, changed := l.history.since(seen)
		seen = taken
		if l.send(w, out, "samples", samples) != nil || l.send(w, out, "status", l.look()) != nil {
			return // the client has gone
		}
		select {
		case <-changed:
		case <-l.ending:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// send writes one event. JSON has no line breaks of its own.
func (l *live) send(w http.ResponseWriter, out *http.ResponseController, event string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode %s: %w", event, err)
	}
	_ = out.SetWriteDeadline(time.Now().Add(l.patience)) // only a test's recorder has none
	if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, body); err != nil {
		return err
	}
	return out.Flush()
}
