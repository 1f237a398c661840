package replication

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// slotDetails is what the catalog says of the slot beyond SlotState.
type slotDetails struct {
	twoPhase bool
	inactive *time.Duration // since when nobody reads it; nil: in use, or before 17
}

func (k *check) slotDetails(ctx context.Context) (slotDetails, error) {
	var d slotDetails
	since := "NULL::float8"
	if k.server.version >= 170000 {
		since = "extract(epoch FROM clock_timestamp() - inactive_since)::float8"
	}
	var seconds *float64
	err := k.conn.QueryRow(ctx, `SELECT coalesce(two_phase, false), CASE WHEN NOT active THEN `+since+` END FROM pg_replication_slots WHERE slot_name = $1`, k.config.Slot).
		Scan(&d.twoPhase, &seconds)
	if err != nil {
		return d, fmt.Errorf("look at slot %q: %w", k.config.Slot, err)
	}
	if seconds != nil {
		inactive := time.Duration(*seconds * float64(time.Second))
		d.inactive = &inactive
	}
	return d, nil
}

// slotFinding says what a start would do, and how the slot is.
func (k *check) slotFinding(ctx context.Context) error {
	const name = "slot"
	d := decide(k.facts)
	s := k.facts.slot
	switch {
	case d.err != nil && !k.saidBefore(d.err):
		k.addError(name, d.err)
	case d.err != nil:
		k.put(Finding{Name: name, Level: Fail, Detail: "the start would stop: " + errorFinding("", d.err).Detail, Cause: "no event is published", Remedy: "see above"})
	case k.config.Snapshot.mode() == SnapshotOnly:
		k.ok(name, "%s", strings.TrimPrefix(d.note+"; none is made, snapshot.mode is only", "; "))
	case s == nil:
		k.ok(name, "%q is made at the first start", k.config.Slot)
	}
	if s == nil || d.err != nil || k.config.Snapshot.mode() == SnapshotOnly {
		return nil
	}
	more, err := k.slotDetails(ctx)
	if err != nil {
		return err
	}
	if s.WALStatus == "unreserved" {
		k.put(Finding{
			Name: name, Level: Warn, Detail: fmt.Sprintf("%q is about to lose its WAL: wal_status is unreserved, %s held back", k.config.Slot, bytesText(s.RetainedBytes)),
			Cause:  "at the next checkpoint the slot may be lost, and what was not delivered with it",
			Remedy: "start the relay now, and raise the limit:\n" + k.service.set(setting{name: "max_slot_wal_keep_size", value: "'100GB'", plain: "102400"}),
		})
		return nil
	}
	f := Finding{Name: name, Detail: slotText(k.config.Slot, s, more)}
	if d.note != "" {
		f.Detail += "; " + d.note
	}
	if d.action == actRedo {
		f.Level = Warn
	}
	k.put(f)
	if more.inactive != nil && *more.inactive > time.Hour {
		k.put(Finding{
			Name: "slot inactive", Level: Warn, Detail: fmt.Sprintf("nobody has read it for %s", spanText(*more.inactive)),
			Cause:  "WAL piles up on the primary's disk, and vacuum of the catalogs is held back",
			Remedy: "start the relay; if it is not wanted any more: SELECT pg_drop_replication_slot(" + quoteLiteral(k.config.Slot) + ");",
		})
	}
	return nil
}

// saidBefore tells whether the decision's error is wal_level's, recovery's or the
// marker's, whose findings have cause and remedy.
func (k *check) saidBefore(err error) bool {
	detail := errorFinding("", err).Detail
	if strings.Contains(detail, "can't write walrelay.marker") {
		return true
	}
	return k.server.walLevel != "logical" && strings.HasPrefix(detail, "wal_level") || k.server.inRecovery && strings.Contains(detail, "standby")
}

func slotText(name string, s *SlotState, more slotDetails) string {
	text := fmt.Sprintf("%q stands at %s, wal_status=%s, %s held back", name, s.Confirmed, s.WALStatus, bytesText(s.RetainedBytes))
	if s.Active {
		text += fmt.Sprintf(", in use by process %d", s.ActivePID)
	}
	if s.Failover {
		text += ", a failover slot"
	}
	if more.twoPhase {
		text += ", made with two_phase (which the relay does not use: prepared transactions come when they commit)"
	}
	if more.inactive != nil {
		text += ", inactive for " + spanText(*more.inactive)
	}
	return text
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
		k.ok(name, "snapshot.mode is %s, and no snapshot is due", mode)
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
			k.put(Finding{
				Name: name, Level: Warn, Detail: fmt.Sprintf("no index begins with column %q, which orders the rows of %s", t.orderBy, t.table),
				Cause:  "the server sorts all rows before the first one goes out",
				Remedy: fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", t.table, quoteIdent(t.orderBy)),
			})
		}
	}
	k.ok(name, "the start publishes the rows that are in the outbox, about %d by the server's statistics", rows)
	return nil
}

// spill looks at how often the slot's transactions did not fit the memory of
// decoding, and went through the server's disk.
func (k *check) spill(ctx context.Context) error {
	var memory string
	var total, txns, bytes int64
	err := k.conn.QueryRow(ctx, `SELECT current_setting('logical_decoding_work_mem'), coalesce(sum(total_txns), 0)::int8, coalesce(sum(spill_txns), 0)::int8, coalesce(sum(spill_bytes), 0)::int8
		FROM pg_stat_replication_slots WHERE slot_name = $1`, k.config.Slot).Scan(&memory, &total, &txns, &bytes)
	if err != nil {
		return fmt.Errorf("look at the slot's statistics: %w", err)
	}
	k.put(k.spillFinding(memory, total, txns, bytes))
	return nil
}

func (k *check) spillFinding(memory string, total, txns, bytes int64) Finding {
	f := Finding{Name: "logical_decoding_work_mem", Detail: memory}
	if txns > 0 {
		f.Detail += fmt.Sprintf("; of %d transactions %d were spilled to disk, %s", total, txns, bytesText(bytes))
	}
	if txns >= 10 && txns*20 >= total {
		f.Level = Warn
		f.Cause = "decoding writes large transactions to the server's disk and reads them back: delivery is slower, the disk fuller"
		f.Remedy = k.service.set(setting{name: "logical_decoding_work_mem", value: "'256MB'", plain: "262144"}) + "\nor keep transactions that write the outbox small"
	}
	return f
}

// retention looks at what bounds the WAL that a stopped relay holds back.
func (k *check) retention(ctx context.Context) error {
	var limit, perDay int64
	err := k.conn.QueryRow(ctx, `SELECT setting::int8 FROM pg_settings WHERE name = 'max_slot_wal_keep_size'`).Scan(&limit)
	if err != nil {
		return fmt.Errorf("look at WAL retention: %w", err)
	}
	// How much WAL a day there is only adds to it; a role may be kept from statistics.
	err = k.conn.QueryRow(ctx, `SELECT coalesce((SELECT (wal_bytes * 86400 / nullif(greatest(extract(epoch FROM clock_timestamp() - stats_reset), 0), 0))::int8
		FROM pg_stat_wal WHERE clock_timestamp() - stats_reset > interval '10 minutes'), 0)`).Scan(&perDay)
	if err != nil && k.IsClosed() {
		return fmt.Errorf("look at the WAL of a day: %w", err)
	}
	if limit >= 0 {
		limit <<= 20 // it is in MB
	}
	k.put(k.limitFinding(limit, perDay))
	if s := k.facts.slot; s != nil && s.SafeBytes != nil {
		k.put(k.usedFinding(s))
	}
	return nil
}

// limitFinding judges max_slot_wal_keep_size, in bytes, against the WAL that is
// written a day on average; 0 when that is not known.
func (k *check) limitFinding(limit, perDay int64) Finding {
	f := Finding{Name: "max_slot_wal_keep_size"}
	enough := max(50<<30, perDay) >> 30 // a day, in GiB
	set := k.service.set(setting{name: f.Name, value: fmt.Sprintf("'%dGB'", enough), plain: strconv.FormatInt(enough<<10, 10)})
	rate := ""
	if perDay > 0 {
		rate = fmt.Sprintf("; %s of WAL are written a day on average", bytesText(perDay))
	}
	switch {
	case limit < 0:
		f.Level, f.Detail = Warn, "-1: no limit"+rate
		f.Cause = "while the relay or Kafka is away, WAL piles up until the primary's disk is full, and then nothing can be written at all"
		f.Remedy = set + "\n(what the disk can spare and an outage takes: beyond it the slot is lost, instead of the whole server)"
	case perDay > 0 && limit < perDay/6:
		f.Level, f.Detail = Warn, bytesText(limit)+rate
		f.Cause = fmt.Sprintf("at that rate the slot is lost when the relay or Kafka is away for %s", spanText(time.Duration(float64(limit)/float64(perDay)*24*float64(time.Hour))))
		f.Remedy = set
	default:
		f.Detail = bytesText(limit) + rate
		if perDay > 0 {
			f.Detail += fmt.Sprintf(", so it lasts for %s", spanText(time.Duration(float64(limit)/float64(perDay)*24*float64(time.Hour))))
		}
	}
	return f
}

// usedFinding says how much of the limit the slot has used.
func (k *check) usedFinding(s *SlotState) Finding {
	room := max(*s.SafeBytes, 0)
	percent := int64(100)
	if s.RetainedBytes+room > 0 {
		percent = s.RetainedBytes * 100 / (s.RetainedBytes + room)
	}
	f := Finding{Name: "slot retention", Detail: fmt.Sprintf("%d %% of what the slot may hold back: %s, and %s left", percent, bytesText(s.RetainedBytes), bytesText(room))}
	if percent >= 50 {
		f.Level = Warn
		f.Cause = "when the rest is used up, the slot is lost, and what was not delivered with it"
		f.Remedy = "see why the relay does not confirm: `walrelay status`; meanwhile raise the limit:\n" +
			k.service.set(setting{name: "max_slot_wal_keep_size", value: fmt.Sprintf("'%dGB'", (s.RetainedBytes+room)>>29+1), plain: strconv.FormatInt(((s.RetainedBytes+room)>>29+1)<<10, 10)})
	}
	if percent >= 80 {
		f.Cause = "the slot is nearly lost, and what was not delivered with it"
	}
	return f
}
