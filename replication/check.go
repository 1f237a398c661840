package replication

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Level grades a Finding.
type Level int

// The levels, from harmless to one that keeps the relay from running.
const (
	OK Level = iota
	Warn
	Fail
)

// String returns ok, warn or fail.
func (l Level) String() string {
	return [...]string{OK: "ok", Warn: "warn", Fail: "fail"}[l]
}

// MarshalText writes the level as String does.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is one result of a preflight.
type Finding struct {
	Name   string `json:"name"` // what was looked at; stable
	Level  Level  `json:"level"`
	Detail string `json:"detail"`           // what was found
	Cause  string `json:"cause,omitempty"`  // what it leads to; "" when nothing or when Detail says it
	Remedy string `json:"remedy,omitempty"` // what to do, SQL where SQL helps, a statement a line; "" when nothing is to do
	Doc    string `json:"doc,omitempty"`    // address of more about it
}

// check gathers the findings of one preflight.
type check struct {
	*Control
	service   service
	facts     facts
	publishes publishes
	findings  []Finding
}

func (k *check) put(f Finding) { k.findings = append(k.findings, f) }

func (k *check) ok(name, format string, args ...any) {
	k.put(Finding{Name: name, Detail: fmt.Sprintf(format, args...)})
}

// addError adds an error as a failure, split where it is a known one.
func (k *check) addError(name string, err error) { k.put(errorFinding(name, err)) }

func errorFinding(name string, err error) Finding {
	f := Finding{Name: name, Level: Fail, Detail: err.Error()}
	var setup *SetupError
	var gap *GapError
	switch {
	case errors.As(err, &setup):
		f.Detail, f.Remedy = setup.Problem, setup.Remedy
		f.Cause = "the relay stops at its start, with exit code 3"
	case errors.As(err, &gap):
		f.Detail, f.Remedy = strings.TrimSuffix(gap.Error(), ": "+gap.Advice), gap.Advice
		f.Cause = "the relay would stop with exit code 4 and publish nothing until a person has decided"
	case errors.Is(err, context.DeadlineExceeded):
		f.Detail, f.Remedy = "PostgreSQL did not answer in time: "+err.Error(), "look for a lock or an overload: SELECT pid, wait_event_type, wait_event, query FROM pg_stat_activity WHERE state <> 'idle';"
	default:
		f.Remedy = "see PostgreSQL's log; run the check again"
	}
	return f
}

// Check is the preflight of the PostgreSQL side: all findings at once, nothing is
// changed. A query that fails becomes a finding too. The hosts and the replication
// connection are CheckConnection's.
func (c *Control) Check(ctx context.Context) []Finding {
	k := &check{Control: c}
	if err := c.identify(ctx); err != nil {
		k.addError("server", err)
		return k.findings
	}
	var err error
	if k.service, err = c.recognise(ctx); err != nil {
		k.addError("service", err)
	}
	k.findings = append(k.findings, k.service.notes...)
	k.serverFinding()
	if c.server.version < minimumVersion {
		return k.findings // the catalog lacks columns that the rest asks for
	}
	if k.facts, err = c.facts(ctx); err != nil {
		k.addError("server", err)
		return k.findings
	}
	for _, step := range []struct {
		name   string
		needed bool // else the relay runs without what a role may be kept from looking at
		look   func(context.Context) error
	}{
		{"encoding", false, k.encoding}, {"clock", false, k.clock}, {"tls", false, k.transport}, {"pooler", false, k.pooler},
		{"role", true, k.role}, {"password", false, k.password}, {"max_replication_slots", false, k.limits},
		{"publication", true, k.publishing}, {"table", true, k.outbox}, {"publication", true, k.publicationFinding}, {"publication age", false, k.publicationAge},
		{"slot", true, k.slotFinding}, {"snapshot", true, k.snapshot},
		{"max_slot_wal_keep_size", false, k.retention}, {"settings", false, k.settings}, {"spill", false, k.spill},
		{"other slots", false, k.otherSlots}, {"long transactions", false, k.longTransactions}, {"prepared transactions", false, k.prepared},
		{"failover_slot", false, k.failover},
	} {
		if err := step.look(ctx); err != nil {
			k.addError(step.name, err)
			if last := &k.findings[len(k.findings)-1]; !step.needed && !c.IsClosed() && sqlState(err) == codeInsufficientPrivilege {
				last.Level, last.Cause, last.Remedy = Warn, "this could not be looked at; the relay does not need it", "GRANT pg_monitor TO "+quoteIdent(c.server.role)+"; -- to have it looked at"
			}
			if c.IsClosed() {
				break
			}
		}
	}
	return k.findings
}

// About describes the server that Check looked at, without secrets, for instance
// "PostgreSQL 17.2 on Amazon RDS, walrelay@db:5432/shop".
func (c *Control) About(ctx context.Context) string {
	version := versionText(c.server.version)
	if s, err := c.recognise(ctx); err == nil && s.name != "" {
		version += " on " + s.name
	}
	state := "primary"
	if c.server.inRecovery {
		state = "standby"
	}
	return fmt.Sprintf("%s, %s, timeline %d, %s", version, state, c.server.timeline, c.config.Target())
}

func versionText(v int) string { return fmt.Sprintf("PostgreSQL %d.%d", v/10000, v%10000) }

// minimumVersion is the oldest PostgreSQL that walrelay is tested with.
const minimumVersion = 140000

// bytesText writes a number of bytes as people read it.
func bytesText(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i == 0 || f >= 100 {
		return fmt.Sprintf("%.0f %s", f, units[i])
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

// spanText writes a time as people say it, in its largest unit.
func spanText(d time.Duration) string {
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if d >= 2*u.size {
			return fmt.Sprintf("%.0f %s", d.Seconds()/u.size.Seconds(), u.name)
		}
	}
	return fmt.Sprintf("%.0f seconds", d.Seconds())
}
