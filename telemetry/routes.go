package telemetry

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// routes are the paths, for requests that the guard has let through.
func routes(m *Metrics, p Pipeline, h *history, ending <-chan struct{}) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { health(w, p) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		readiness(w, p, accessOf(r), r.URL.Query().Get("standby") == "ok")
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, true, p.Status()) })
	mux.HandleFunc("GET /{$}", servePage)
	mux.Handle("GET /live", &live{
		history: h, seats: make(chan struct{}, maxLive), patience: liveWrite, ending: ending,
		look: func() look {
			ready, reasons := p.Ready()
			return look{time.Now().UnixMilli(), ready, listed(reasons), p.Status()}
		},
	})
	return mux
}

// health is /healthz: whether only a restart helps.
func health(w http.ResponseWriter, p Pipeline) {
	answer := struct {
		Alive  bool   `json:"alive"`
		Reason string `json:"reason,omitempty"`
	}{Alive: true}
	if err := p.Alive(); err != nil {
		answer.Alive, answer.Reason = false, err.Error()
	}
	writeJSON(w, answer.Alive, answer)
}

// standby is the code of the reason of an instance that waits for the slot.
const standby = "standby"

// readiness is /readyz. Strangers get codes only: messages name hosts and topics.
// With standbyToo an instance that stands by passes as well, the reason still there:
// for probes of two replicas, of which one never streams.
func readiness(w http.ResponseWriter, p Pipeline, a access, standbyToo bool) {
	ready, reasons := p.Ready()
	reasons = listed(reasons)
	if standbyToo && len(reasons) > 0 && !slices.ContainsFunc(reasons, func(r Reason) bool { return r.Code != standby }) {
		ready = true
	}
	if a != full {
		short := make([]Reason, len(reasons))
		for i, r := range reasons {
			short[i] = Reason{Code: r.Code, Error: r.Error}
		}
		reasons = short
	}
	writeJSON(w, ready, struct {
		Ready   bool     `json:"ready"`
		Reasons []Reason `json:"reasons"`
	}{ready, reasons})
}

// listed makes an empty list of none, for JSON.
func listed(reasons []Reason) []Reason {
	if reasons == nil {
		return []Reason{}
	}
	return reasons
}

// writeJSON answers with 200, or 503 when not ok.
func writeJSON(w http.ResponseWriter, ok bool, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		http.Error(w, "encode: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(body, '\n')) // a client that has gone needs nothing
}
