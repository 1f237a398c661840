// Package telemetry is what walrelay tells about itself: metrics in Prometheus's
// format, health, readiness and status over HTTP, the status page, and the limiter
// that keeps a repeated error from filling the log.
//
//	relay ──counts──▶ Metrics ─────────────────▶ /metrics
//	  ▲                  │ a sample each second
//	  │                  ▼
//	  │               history, ten minutes ──▶ /live ──▶ the page at /
//	  └──asks── Server: /healthz /readyz /status ▲
//	               guard: password, token, host ─┘
//
// A request passes the guard (who may see what), then routes. /live streams
// server-sent events: the history at first, then each second what is new of it, and
// the status. The page (folder page, one document when served) draws what comes.
//
// It guarantees that looking at a relay never disturbs it: counting is a few
// atomic operations, a scrape or a sample takes no lock of the hot path, and a slow
// or malicious client is cut off by limits of time, number and size. Nothing that
// is served holds secrets, and payloads only when the Pipeline puts them into its
// status. With a password or token strangers learn no more than whether the relay
// is alive and ready; without either, on the loopback, pages from elsewhere cannot
// read it through a visitor's browser.
//
// Package telemetry is a leaf: it imports no other package of walrelay. What it
// needs of the relay is the interface Pipeline.
package telemetry
