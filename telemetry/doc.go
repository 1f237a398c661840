// Package telemetry is what walrelay tells about itself: metrics in Prometheus's
// format, health, readiness and status over HTTP, and the limiter that keeps a
// repeated error from filling the log.
//
//	relay ──counts──▶ Metrics ──▶ /metrics
//	  ▲
//	  └──asks────────  Server  ──▶ /healthz /readyz /status /
//
// It guarantees that looking at a relay never disturbs it: counting is a few
// atomic operations, a scrape takes no lock of the hot path, and a slow or
// malicious client is cut off by time limits. Nothing that is served holds
// payloads or secrets.
//
// Package telemetry is a leaf: it imports no other package of walrelay. What it
// needs of the relay is the interface Pipeline.
package telemetry
