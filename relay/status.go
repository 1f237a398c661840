package relay

import (
	"slices"
	"time"

	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
)

// Status is a look at the relay, the body of /status.
type Status struct {
	Version  string    `json:"version,omitempty"`
	Instance string    `json:"instance,omitempty"` // host and process id
	Started  time.Time `json:"started"`

	State   State     `json:"state"`
	Since   time.Time `json:"since"`
	Reasons []Reason  `json:"reasons,omitempty"`

	Target      string   `json:"postgres"`
	Slot        string   `json:"slot"`
	Publication string   `json:"publication"`
	Brokers     []string `json:"kafka"`
	Tables      []string `json:"tables"`

	ReceivedLSN      string  `json:"received_lsn,omitempty"`
	ConfirmedLSN     string  `json:"confirmed_lsn,omitempty"`
	LagBytes         int64   `json:"replication_lag_bytes"` // when the slot was last looked at
	UnsentEvents     int     `json:"unsent_events"`
	OldestUnsentSecs float64 `json:"oldest_unsent_age_seconds"`
	Delivered        uint64  `json:"delivered_events"` // since the start, as all that is counted here
	DeliveredBytes   uint64  `json:"delivered_bytes"`
	Reconnects       int     `json:"reconnects"`

	LastError   string        `json:"last_error,omitempty"`
	LastErrorAt *time.Time    `json:"last_error_at,omitempty"`
	Errors      []ErrorStatus `json:"errors"` // the newest first, some 20

	Producer  sink.Stats    `json:"producer"`
	SlotState *SlotStatus   `json:"slot_state,omitempty"` // absent while nothing is known
	Topics    []TopicStatus `json:"topics"`               // those with the most events first, some 100
	Events    []EventStatus `json:"events"`               // the newest first, some 50, a sample when many flow
	Canary    *CanaryStatus `json:"canary,omitempty"`     // absent: off

	Snapshot *SnapshotStatus `json:"snapshot,omitempty"` // absent: none was due

	Config []Setting `json:"config,omitempty"` // who runs the relay sets it
}

// Setting is one value of the configuration, masked where it is a secret, and
// where it came from.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// SlotStatus is what was last seen of the slot by SQL.
type SlotStatus struct {
	WALStatus           string    `json:"wal_status"`
	RestartLSN          string    `json:"restart_lsn"`
	ConfirmedLSN        string    `json:"confirmed_flush_lsn"`
	CurrentLSN          string    `json:"current_wal_lsn"`
	RetainedBytes       int64     `json:"retained_bytes"`
	SafeBytes           *int64    `json:"safe_bytes,omitempty"`              // absent: max_slot_wal_keep_size is unlimited
	LimitBytes          *int64    `json:"limit_bytes,omitempty"`             // likewise
	FullIn              *float64  `json:"full_in_seconds,omitempty"`         // absent: no limit, or it does not grow
	Growth              *float64  `json:"growth_bytes_per_second,omitempty"` // absent: not known yet
	SpilledTransactions int64     `json:"spilled_transactions"`
	SpilledBytes        int64     `json:"spilled_bytes"`
	At                  time.Time `json:"at"`
}

// NewSlotStatus puts a look at the slot into the words of a Status. How it grows
// takes more than one look.
func NewSlotStatus(s *replication.SlotState, at time.Time) *SlotStatus {
	return &SlotStatus{
		WALStatus: s.WALStatus, RestartLSN: s.Restart.String(), ConfirmedLSN: s.Confirmed.String(), CurrentLSN: s.Current.String(),
		RetainedBytes: s.RetainedBytes, SafeBytes: s.SafeBytes, LimitBytes: s.LimitBytes,
		SpilledTransactions: s.SpilledTransactions, SpilledBytes: s.SpilledBytes, At: at,
	}
}

// Status is a snapshot for /status and the status page. Any goroutine.
func (r *Relay) Status() any { return r.Snapshot() }

// Snapshot is Status with its type.
func (r *Relay) Snapshot() Status {
	unsent, age := r.unsent()
	out := Status{
		Version: r.cfg.Version, Instance: r.cfg.Replication.Instance, Started: r.started,
		Target: r.cfg.Replication.Target(), Slot: r.cfg.Replication.Slot, Publication: r.cfg.Replication.Publication, Brokers: r.cfg.Sink.Brokers,
		UnsentEvents: unsent, OldestUnsentSecs: age.Seconds(), Delivered: r.meter.delivered.Load(), DeliveredBytes: r.meter.bytes.Load(),
		Errors: r.journal.list(), Topics: r.meter.topics(), Canary: r.canary.status(),
	}
	for _, t := range r.cfg.Replication.Tables {
		out.Tables = append(out.Tables, t.String())
	}
	out.Events = r.recent.list(func() (oldest uint64, waiting bool) {
		if p := r.producer.Load(); p != nil {
			out.Producer = p.Stats()
			oldest, _, waiting = p.Oldest()
		}
		return oldest, waiting
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.status
	out.State, out.Since, out.Reasons = s.State, s.Since, slices.Clone(s.reasons)
	out.Reconnects, out.LastError, out.SlotState, out.LagBytes = s.reconnects, s.lastError, s.slot, s.lag
	if s.received != 0 {
		out.ReceivedLSN, out.ConfirmedLSN = s.received.String(), s.confirmed.String()
	}
	if s.snapshot != nil {
		look := *s.snapshot
		out.Snapshot = &look
	}
	if !s.lastErrorAt.IsZero() {
		at := s.lastErrorAt
		out.LastErrorAt = &at
	}
	return out
}
