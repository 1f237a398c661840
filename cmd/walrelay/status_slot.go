package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/replication"
)

// The states of a relay that does not answer, beside those of one that does.
const (
	stateDown    relay.State = "down"
	stateUnknown relay.State = "unknown" // http.listen is off, and somebody reads from the slot
)

// slotLook is what PostgreSQL says of the slot while no relay answers.
type slotLook struct {
	target, name, publication string
	state                     *replication.SlotState // nil: see err
	err                       error
}

// askSlot asks PostgreSQL. The connection is kept for the next time.
func (k *asker) askSlot(ctx context.Context) slotLook {
	if k.config == nil {
		return slotLook{err: k.problem}
	}
	rc := replicationConfig(k.config)
	s := slotLook{target: rc.Target(), name: rc.Slot, publication: rc.Publication}
	ctx, cancel := context.WithTimeout(ctx, 2*answerTimeout)
	defer cancel()
	if k.control == nil || k.control.IsClosed() {
		k.control = nil
		control, err := replication.Connect(ctx, rc)
		if err != nil {
			s.err = err
			return s
		}
		k.control = control
	}
	state, err := k.control.Look(ctx)
	if err != nil {
		s.err = err
		return s
	}
	s.state = &state
	return s
}

// exitCode: with the server off, a slot that somebody reads from is all that can
// be asked for.
func (s *slotLook) exitCode(off bool) int {
	var problems *config.Error
	switch {
	case errors.As(s.err, &problems):
		return exitConfig
	case off && s.state != nil && s.state.Active:
		return exitDone
	}
	return exitFailure
}

// downStatus is the JSON of a relay that does not answer; its names are those of
// relay.Status.
type downStatus struct {
	State         relay.State       `json:"state"`
	Reasons       []relay.Reason    `json:"reasons"`
	Target        string            `json:"postgres,omitempty"`
	Slot          string            `json:"slot,omitempty"`
	Publication   string            `json:"publication,omitempty"`
	LagBytes      int64             `json:"replication_lag_bytes"` // WAL that was written since the confirmed position
	SlotState     *relay.SlotStatus `json:"slot_state,omitempty"`
	SlotActive    *bool             `json:"slot_active,omitempty"`
	SlotPID       int32             `json:"slot_active_pid,omitempty"`
	InactiveSince *time.Time        `json:"slot_inactive_since,omitempty"` // PostgreSQL 17 and later
}

// down is what is known without the relay.
func (l *look) down() downStatus {
	d := downStatus{State: stateDown, Reasons: l.reasons(), Target: l.slot.target, Slot: l.slot.name, Publication: l.slot.publication}
	s := l.slot.state
	if s == nil {
		return d
	}
	if l.base == "" && s.Active {
		d.State = stateUnknown
	}
	d.LagBytes = s.Lag()
	d.SlotState, d.SlotActive, d.SlotPID = relay.NewSlotStatus(s, l.at), &s.Active, s.ActivePID
	if !s.InactiveSince.IsZero() {
		d.InactiveSince = &s.InactiveSince
	}
	return d
}

// reasons say what is wrong while no relay answers, and what to do.
func (l *look) reasons() []relay.Reason {
	return append([]relay.Reason{l.relayReason()}, l.slot.reasons()...)
}

func (l *look) relayReason() relay.Reason {
	r := relay.Reason{Code: "relay", Message: l.away.Error()}
	s := l.slot.state
	switch {
	case s != nil && s.Active && l.base == "":
		r.Advice = fmt.Sprintf("Process %d of PostgreSQL sends from the slot to somebody, most likely the relay.", s.ActivePID)
	case s != nil && s.Active:
		r.Advice = fmt.Sprintf("Somebody reads from the slot all the same (process %d of PostgreSQL): a relay that listens elsewhere? Name its address with --url.", s.ActivePID)
	case l.base == "":
		r.Code, r.Message = "relay", "no relay reads from the slot, and http.listen is off, so that it can't be asked why"
		r.Advice = startAdvice
	default:
		r.Advice = startAdvice
	}
	return r
}

const startAdvice = "If it should run, start it and look into its log for why it ended; it goes on where it was. If it runs elsewhere, name its address with --url."

// reasons are what there is to say of the slot itself.
func (s *slotLook) reasons() []relay.Reason {
	if s.err != nil {
		return []relay.Reason{s.failure()}
	}
	const keep = "Raise max_slot_wal_keep_size (ALTER SYSTEM SET max_slot_wal_keep_size = '…'; SELECT pg_reload_conf();)"
	switch {
	case s.state.WALStatus == "lost":
		why := ""
		if s.state.Invalidation != "" {
			why = " (" + s.state.Invalidation + ")"
		}
		return []relay.Reason{{
			Code: "slot", Message: fmt.Sprintf("slot %s is lost%s: the server has removed the WAL it needs, and events committed after %s may be missing", s.name, why, s.state.Confirmed),
			Advice: "Publish what is missing by other means or accept the loss, then run `walrelay init --accept-gap`.",
		}}
	case s.state.WALStatus == "unreserved":
		return []relay.Reason{{
			Code: "slot", Message: fmt.Sprintf("slot %s is about to be lost: the server removes the WAL it needs at the next checkpoint", s.name),
			Advice: keep + " at once, or start the relay at once.",
		}}
	case !s.state.Active && s.state.LimitBytes == nil:
		return []relay.Reason{{
			Code: "slot", Message: fmt.Sprintf("slot %s holds back WAL until the relay is back, without a limit: the primary's disk may fill", s.name),
			Advice: fmt.Sprintf("Start the relay; bound it by max_slot_wal_keep_size. If no relay is ever to read from it again: SELECT pg_drop_replication_slot('%s');", s.name),
		}}
	case !s.state.Active:
		return []relay.Reason{{
			Code: "slot", Message: fmt.Sprintf("slot %s holds back WAL until the relay is back; beyond max_slot_wal_keep_size it is lost", s.name),
			Advice: fmt.Sprintf("Start the relay before that. If no relay is ever to read from it again: SELECT pg_drop_replication_slot('%s');", s.name),
		}}
	}
	return nil
}

// failure is why PostgreSQL could not be asked.
func (s *slotLook) failure() relay.Reason {
	var problems *config.Error
	var gap *replication.GapError
	var setup *replication.SetupError
	r := relay.Reason{Code: "postgres", Message: "PostgreSQL can't be asked for the slot either: " + s.err.Error()}
	switch {
	case errors.As(s.err, &problems):
		r.Message = "PostgreSQL can't be asked for the slot either, the configuration lacks it:\n" + strings.TrimSpace(problems.Error())
		r.Advice = "Name the relay's configuration with -c FILE."
		return r
	case errors.As(s.err, &gap):
		return relay.Reason{
			Code: "slot", Error: relay.Diagnose(s.err).Code, Message: fmt.Sprintf("there is no slot %s on %s", s.name, s.target),
			Advice: "If no relay was ever started here the first start makes it. If it has vanished events may be missing: `walrelay check` knows which.",
		}
	case errors.As(s.err, &setup):
		r.Message, r.Advice = "PostgreSQL can't be asked for the slot either: "+setup.Problem, setup.Remedy
	default:
		r.Advice = "Check postgres.url, and that PostgreSQL is up and reached from here."
	}
	r.Error = relay.Diagnose(s.err).Code
	return r
}
