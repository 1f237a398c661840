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
	Name   string `json:"name"` // what was looked at
	Level  Level  `json:"level"`
	Detail string `json:"detail"`           // what was found
	Remedy string `json:"remedy,omitempty"` // what to do, SQL where SQL helps; "" when nothing is to do
}

// check gathers the findings of one preflight.
type check struct {
	*Control
	facts    facts
	findings []Finding
}

func (k *check) add(name string, level Level, detail, remedy string) {
	k.findings = append(k.findings, Finding{Name: name, Level: level, Detail: detail, Remedy: remedy})
}

// addError adds an error as a failure, split where it is a known one.
func (k *check) addError(name string, err error) {
	var setup *SetupError
	var gap *GapError
	switch {
	case errors.As(err, &setup):
		k.add(name, Fail, setup.Problem, setup.Remedy)
	case errors.As(err, &gap):
		k.add(name, Fail, strings.TrimSuffix(gap.Error(), ": "+gap.Advice), gap.Advice)
	default:
		k.add(name, Fail, err.Error(), "")
	}
}

// Check is the preflight of the PostgreSQL side: all findings at once, nothing is
// changed. A query that fails becomes a finding too.
func (c *Control) Check(ctx context.Context) []Finding {
	k := &check{Control: c}
	if err := c.identify(ctx); err != nil {
		k.addError("server", err)
		return k.findings
	}
	k.serverFinding()
	if c.server.version < minimumVersion {
		return k.findings // the catalog lacks columns that the rest asks for
	}
	var err error
	if k.facts, err = c.facts(ctx); err != nil {
		k.addError("server", err)
		return k.findings
	}
	for _, step := range []func(context.Context) error{k.role, k.limits, k.outbox, k.publicationFinding, k.slotFinding, k.snapshot, k.retention, k.failover} {
		if err := step(ctx); err != nil {
			k.addError("server", err)
			if c.IsClosed() {
				break
			}
		}
	}
	return k.findings
}

// minimumVersion is the oldest PostgreSQL that walrelay is tested with.
const minimumVersion = 140000

func (k *check) serverFinding() {
	s := k.server
	version := fmt.Sprintf("PostgreSQL %d.%d", s.version/10000, s.version%10000)
	if s.version < minimumVersion {
		k.add("version", Fail, version+" is too old", "use PostgreSQL 14 or later")
	} else {
		k.add("version", OK, version, "")
	}
	var level *SetupError
	if errors.As(walLevelError(s.walLevel), &level) && s.walLevel != "logical" {
		k.add("wal_level", Fail, level.Problem, level.Remedy)
	} else {
		k.add("wal_level", OK, s.walLevel, "")
	}
	if s.inRecovery {
		k.add("recovery", Fail, "the server is a standby", "connect to the primary (target_session_attrs=read-write)")
	} else {
		k.add("recovery", OK, "the server accepts writes", "")
	}
}

// role looks at the rights to replicate, to keep the marker and to create.
func (k *check) role(ctx context.Context) error {
	var replicate, create bool
	err := k.conn.QueryRow(ctx, `SELECT rolsuper OR rolreplication OR EXISTS (SELECT FROM pg_roles g
			WHERE g.rolname = 'rds_replication' AND pg_has_role(current_user, g.oid, 'MEMBER')),
		has_database_privilege(current_database(), 'CREATE') FROM pg_roles WHERE rolname = current_user`).Scan(&replicate, &create)
	if err != nil {
		return fmt.Errorf("look at role: %w", err)
	}
	name, role := "role", k.server.role
	if replicate {
		k.add(name, OK, fmt.Sprintf("%q may replicate", role), "")
	} else {
		k.add(name, Fail, fmt.Sprintf("%q may not replicate", role),
			fmt.Sprintf("ALTER ROLE %s REPLICATION; -- Amazon RDS: GRANT rds_replication TO %s;", quoteIdent(role), quoteIdent(role)))
	}
	switch f := k.facts; {
	case f.access == markerWritable:
		k.add("marker", OK, "walrelay.marker can be written", "")
	case f.access == markerMakeable:
		k.add("marker", OK, "walrelay.marker is made at the first start", "")
	case f.slot == nil:
		k.add("marker", Fail, fmt.Sprintf("%q can't write walrelay.marker, so no slot is made", role), PrivilegeSQL(k.config, role))
	default:
		k.add("marker", Warn, fmt.Sprintf("%q can't write walrelay.marker: a slot that vanishes is noticed only while the relay runs", role), PrivilegeSQL(k.config, role))
	}
	if k.config.AutoCreate && k.config.Snapshot.mode() != SnapshotOnly && !k.facts.publication.exists && !create {
		k.add("create", Fail, fmt.Sprintf("publication %q does not exist and %q may not create it", k.config.Publication, role), PrivilegeSQL(k.config, role))
	}
	return nil
}

// limits looks whether a slot and a walsender are free for us.
func (k *check) limits(ctx context.Context) error {
	var slots, maxSlots, senders, maxSenders int
	err := k.conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM pg_replication_slots), current_setting('max_replication_slots')::int,
		(SELECT count(*) FROM pg_stat_replication), current_setting('max_wal_senders')::int`).Scan(&slots, &maxSlots, &senders, &maxSenders)
	if err != nil {
		return fmt.Errorf("look at limits: %w", err)
	}
	limit := func(name string, used, most int, need bool) {
		detail := fmt.Sprintf("%d of %d in use", used, most)
		switch {
		case need && used >= most:
			k.add(name, Fail, detail, fmt.Sprintf("free one, or ALTER SYSTEM SET %s = %d; then restart PostgreSQL", name, most+10))
		case used >= most:
			k.add(name, Warn, detail, fmt.Sprintf("ALTER SYSTEM SET %s = %d; then restart PostgreSQL", name, most+10))
		default:
			k.add(name, OK, detail, "")
		}
	}
	limit("max_replication_slots", slots, maxSlots, k.facts.slot == nil)
	limit("max_wal_senders", senders, maxSenders, k.facts.slot == nil || !k.facts.slot.Active)
	return nil
}

// outbox looks at the tables themselves. pgoutput needs no right to read them.
func (k *check) outbox(ctx context.Context) error {
	tables, err := k.tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		name := "table " + t.table.String()
		if err := tableProblem(t); err != nil {
			k.addError(name, err)
			continue
		}
		kind := "columns "
		if t.kind == "p" {
			kind = "partitioned, columns "
		}
		k.add(name, OK, kind+strings.Join(t.columns, ", "), "")
	}
	return nil
}

// publicationFinding looks whether the publication delivers the tables' inserts.
func (k *check) publicationFinding(ctx context.Context) error {
	name := "publication"
	p := k.facts.publication
	tables, err := k.tables(ctx)
	if err != nil {
		return err
	}
	switch {
	case p.exists:
		if err := k.config.publicationProblem(p, tables); err != nil {
			k.addError(name, err)
		} else {
			k.add(name, OK, fmt.Sprintf("%q publishes the inserts of the outbox", k.config.Publication), "")
		}
	case k.facts.slot != nil:
		k.addError(name, k.config.publicationGap(k.facts.slot.Confirmed, time.Time{}, nil))
	case k.config.Snapshot.mode() == SnapshotOnly:
		k.add(name, OK, fmt.Sprintf("%q does not exist, and snapshot.mode only needs none", k.config.Publication), "")
	case k.config.AutoCreate:
		k.add(name, OK, fmt.Sprintf("%q is made at the first start", k.config.Publication), "")
	default:
		k.add(name, Fail, fmt.Sprintf("%q does not exist", k.config.Publication), k.config.publicationSQL()+";")
	}
	return nil
}

// slotFinding says what a start would do, and how the slot is.
func (k *check) slotFinding(context.Context) error {
	d := decide(k.facts)
	switch s := k.facts.slot; {
	case d.err != nil:
		k.addError("slot", d.err)
	case k.config.Snapshot.mode() == SnapshotOnly:
		k.add("slot", OK, strings.TrimPrefix(d.note+"; none is made, snapshot.mode is only", "; "), "")
	case s == nil:
		k.add("slot", OK, fmt.Sprintf("%q is made at the first start", k.config.Slot), "")
	case s.WALStatus == "unreserved":
		k.add("slot", Warn, fmt.Sprintf("%q is about to lose its WAL (wal_status=unreserved, %d bytes kept back)", k.config.Slot, s.RetainedBytes),
			"start the relay now, and raise max_slot_wal_keep_size")
	default:
		detail := fmt.Sprintf("%q stands at %s, wal_status=%s, %d bytes kept back", k.config.Slot, s.Confirmed, s.WALStatus, s.RetainedBytes)
		if s.Active {
			detail += fmt.Sprintf(", in use by process %d", s.ActivePID)
		}
		if d.note != "" {
			detail += "; " + d.note
		}
		level := OK
		if d.action == actRedo {
			level = Warn
		}
		k.add("slot", level, detail, "")
	}
	return nil
}

// snapshot looks whether the rows can be read, while that is still to be done.
func (k *check) snapshot(ctx context.Context) error {
	const name = "snapshot"
	mode := k.config.Snapshot.mode()
	if mode == SnapshotNone || k.facts.server.inRecovery {
		return nil
	}
	d := decide(k.facts)
	if d.err != nil || !k.snapshotDue(d) {
		k.add(name, OK, fmt.Sprintf("snapshot.mode is %s, and no snapshot is due", mode), "")
		return nil
	}
	tables, err := k.snapshotTables(ctx)
	if err != nil {
		k.addError(name, err)
		return nil
	}
	rows := int64(0)
	for _, t := range tables {
		rows += t.estimate
		if t.orderBy != "" && !t.indexed {
			k.add(name, Warn, fmt.Sprintf("no index begins with column %q, which orders the rows of %s: the server sorts them before the first one goes out", t.orderBy, t.table),
				fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", t.table, quoteIdent(t.orderBy)))
		}
	}
	k.add(name, OK, fmt.Sprintf("the start publishes the rows that are in the outbox, about %d by the server's statistics", rows), "")
	return nil
}

// retention looks at what bounds the WAL that a stopped relay keeps back.
func (k *check) retention(ctx context.Context) error {
	var keep, synchronous string
	var idle *string
	err := k.conn.QueryRow(ctx, `SELECT current_setting('max_slot_wal_keep_size'), current_setting('synchronous_standby_names'),
		nullif(current_setting('idle_replication_slot_timeout', true), '0')`).Scan(&keep, &synchronous, &idle)
	if err != nil {
		return fmt.Errorf("look at WAL retention: %w", err)
	}
	if keep == "-1" {
		k.add("max_slot_wal_keep_size", Warn, "no limit: while the relay or Kafka is away, WAL can fill the disk",
			"ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf(); -- what the disk can spare; beyond it the slot is lost instead")
	} else {
		k.add("max_slot_wal_keep_size", OK, keep, "")
	}
	if strings.Contains(synchronous, "*") || strings.Contains(synchronous, "walrelay") {
		k.add("synchronous_standby_names", Warn, fmt.Sprintf("%q takes the relay for a standby: while Kafka is away, commits can hang", synchronous),
			"name the real standbys in synchronous_standby_names instead of *")
	}
	if idle != nil { // PostgreSQL 18
		k.add("idle_replication_slot_timeout", Warn, fmt.Sprintf("the slot is lost when the relay is away for %s", *idle),
			"ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf();")
	}
	return nil
}

// failover looks at what a failover slot needs, as far as the primary shows it.
func (k *check) failover(ctx context.Context) error {
	if !k.config.FailoverSlot {
		return nil
	}
	name := "failover_slot"
	if k.server.version < 170000 {
		k.add(name, Fail, "failover slots need PostgreSQL 17", "turn postgres.failover_slot off")
		return nil
	}
	if s := k.facts.slot; s != nil && !s.Failover {
		k.add(name, Fail, fmt.Sprintf("slot %q exists without failover", k.config.Slot),
			fmt.Sprintf("stop the relay, then on a replication connection: ALTER_REPLICATION_SLOT %s (FAILOVER true);", quoteIdent(k.config.Slot)))
		return nil
	}
	var waits string
	var feedback int
	err := k.conn.QueryRow(ctx, `SELECT current_setting('synchronized_standby_slots'),
		(SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'physical' AND active AND xmin IS NOT NULL)`).Scan(&waits, &feedback)
	if err != nil {
		return fmt.Errorf("look at failover settings: %w", err)
	}
	standby := "on the standby: sync_replication_slots = on, hot_standby_feedback = on, primary_slot_name set, dbname in primary_conninfo"
	switch {
	case feedback == 0:
		k.add(name, Warn, "no standby is connected through a physical slot with hot_standby_feedback, so the slot is kept nowhere else", standby)
	case waits == "":
		k.add(name, Warn, "the relay may read ahead of the standby: synchronized_standby_slots is empty",
			"ALTER SYSTEM SET synchronized_standby_slots = '(the physical slot of the standby)'; SELECT pg_reload_conf(); "+standby)
	default:
		k.add(name, OK, fmt.Sprintf("waits for the standby slots %s", waits), "")
	}
	return nil
}
