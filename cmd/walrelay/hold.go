package main

import (
	"sync/atomic"

	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/telemetry"
)

// held is the error that a relay ended with while the process stays up.
type held struct{ err atomic.Pointer[error] }

// keep notes the error. The state is blocked from then on: nothing flows, and
// somebody has to act.
func (h *held) keep(err error, m *telemetry.Metrics) {
	h.err.Store(&err)
	m.SetState(string(relay.StateBlocked))
}

// fatal returns the error that is held, or nil.
func (h *held) fatal() error {
	if err := h.err.Load(); err != nil {
		return *err
	}
	return nil
}

// reason is what /readyz says of it.
func (h *held) reason() []telemetry.Reason {
	err := h.fatal()
	trouble := relay.Diagnose(err)
	return []telemetry.Reason{{Code: "fatal", Error: trouble.Code, Message: err.Error(), Advice: trouble.Remedy}}
}

// Status is the relay's, with the error that is held.
func (d *daemon) Status() any {
	status := d.relay.Snapshot()
	status.Config = d.settings
	if d.fatal() != nil {
		status.State, status.Reasons = relay.StateBlocked, d.reason()
	}
	return status
}

// Ready is the relay's, or false with the error that is held.
func (d *daemon) Ready() (bool, []telemetry.Reason) {
	if d.fatal() != nil {
		return false, d.reason()
	}
	return d.relay.Ready()
}

// Alive is the relay's. A held process is alive: a restart would not help.
func (d *daemon) Alive() error {
	if d.fatal() != nil {
		return nil
	}
	return d.relay.Alive()
}
