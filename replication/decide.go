package replication

import (
	"fmt"
	"strings"
	"time"
)

// action is what a start has to do.
type action int

const (
	actStop   action = iota // the error says why
	actStart                // marker and slot agree: use the slot
	actAdopt                // a slot without a marker: write one, use the slot
	actRun                  // a slot, and a marker can't be written: use the slot, warn
	actCreate               // first start: marker, publication, slot
	actRedo                 // a first start that was broken off: drop the slot, then as actCreate
)

// facts is everything a start is decided by.
type facts struct {
	config      Config
	server      server
	access      markerAccess
	marker      *marker    // nil: no row
	slot        *SlotState // nil: no slot
	publication publication
	txns        *int64    // the slot's total_txns now; nil when unknown
	txnsCounted time.Time // since when txns counts at the latest; zero when it was never reset
}

// decision is the outcome; note is said in the log when it is not "".
type decision struct {
	action action
	note   string
	err    error
}

func stop(err error) decision { return decision{action: actStop, err: err} }

// decide is the start-up decision of the marker in design.md. Pure: the same
// facts, the same answer.
//
//	marker            slot      then
//	none              none      create, when a marker can be written and AutoCreate
//	none              there     adopt (a Debezium slot is taken over like this)
//	any               none      on a standby: stop, connect to the primary
//	other system      any       gap: restored elsewhere, upgraded, copied
//	creating          none      create
//	creating          there     drop it, create anew (wait while it is active)
//	streaming         none      gap: vanished
//	streaming, clean  ahead     gap: somebody else read from it
//	streaming, dirty  ahead     start: the marker is written once a minute
//	streaming, dirty  replaced  gap: it has decoded less than the one we knew
//	streaming         behind    start, with repeats
func decide(f facts) decision {
	if err := checkSlotKind(f); err != nil {
		return stop(err)
	}
	if f.slot == nil && f.server.inRecovery {
		// Replicated marker, slot on the primary: missing here proves nothing.
		return stop(&SetupError{
			Problem: fmt.Sprintf("slot %q does not exist on this server, which is a standby, where none is made", f.config.Slot),
			Remedy:  "connect to the primary (target_session_attrs=read-write)",
		})
	}
	if m := f.marker; m != nil && m.systemID != f.server.systemID {
		return stop(gapSince(f, fmt.Sprintf("the marker was written on system %s, this server is system %s: "+
			"a restored, copied or upgraded database", m.systemID, f.server.systemID), acceptAdvice))
	}
	switch {
	case f.marker == nil && f.slot == nil:
		return decideCreate(f, actCreate, "")
	case f.marker == nil:
		return decideAdopt(f)
	case f.marker.state != stateStreaming:
		return decideUnfinished(f)
	case f.slot == nil:
		return stop(gapSince(f, vanished(f), acceptAdvice))
	}
	return decideContinue(f)
}

// checkSlotKind refuses a slot that is not ours to read or can't be read any more.
func checkSlotKind(f facts) error {
	s := f.slot
	if s == nil {
		return nil
	}
	other := "configure another slot name, or drop it if nobody needs it: SELECT pg_drop_replication_slot(" + quoteLiteral(f.config.Slot) + ");"
	refuse := func(format string, args ...any) error {
		return &SetupError{Problem: fmt.Sprintf("slot %q ", f.config.Slot) + fmt.Sprintf(format, args...), Remedy: other}
	}
	switch {
	case s.Type != "logical":
		return refuse("is a %s slot, a logical one is needed", s.Type)
	case s.Plugin != "pgoutput":
		return refuse("uses the output plugin %q, pgoutput is needed", s.Plugin)
	case s.Database != f.server.database:
		return refuse("belongs to database %q, the connection is to %q", s.Database, f.server.database)
	case s.Temporary:
		return refuse("is temporary and would vanish with its session")
	case s.WALStatus == "lost" || s.Invalidation != "":
		reason := "the slot is lost (wal_status=" + s.WALStatus
		if s.Invalidation != "" {
			reason += ", " + s.Invalidation
		}
		g := gapSince(f, reason+"): the WAL it needs was removed", acceptAdvice)
		if g.From == 0 {
			g.From = s.Confirmed
		}
		return g
	}
	return nil
}

// decideCreate says whether publication and slot may be made.
func decideCreate(f facts, act action, note string) decision {
	missing := fmt.Sprintf("slot %q does not exist", f.config.Slot)
	switch {
	case f.server.inRecovery: // also where a slot is to be made again
		return stop(&SetupError{
			Problem: "the server is a standby, where no slot is made",
			Remedy:  "connect to the primary (target_session_attrs=read-write)",
		})
	case f.server.walLevel != "logical":
		return stop(walLevelError(f.server.walLevel))
	case !f.config.AutoCreate:
		return stop(&SetupError{Problem: missing + " and auto_create is off", Remedy: "run `walrelay init`, or turn postgres.auto_create on"})
	case f.access != markerWritable && f.access != markerMakeable:
		return stop(&SetupError{
			Problem: missing + fmt.Sprintf(" and role %q can't write walrelay.marker; without it a vanished slot could not be told from a first start", f.server.role),
			Remedy:  PrivilegeSQL(f.config, f.server.role),
		})
	}
	return decision{action: act, note: note}
}

// decideAdopt takes a slot over that has no marker.
func decideAdopt(f facts) decision {
	if !f.publication.exists {
		return stop(&SetupError{
			Problem: fmt.Sprintf("slot %q exists without publication %q, and a publication made after the slot can't be decoded with it", f.config.Slot, f.config.Publication),
			Remedy: "name the publication this slot is used with; or drop the slot and start anew, both are made then: " +
				"SELECT pg_drop_replication_slot(" + quoteLiteral(f.config.Slot) + ");",
		})
	}
	note := fmt.Sprintf("adopted the existing slot, it goes on at %s", f.slot.Confirmed)
	if f.publication.younger {
		note += fmt.Sprintf("; should publication %q have been changed after the slot was made, rows committed before that change are not delivered", f.config.Publication)
	}
	if f.access == markerWritable || f.access == markerMakeable {
		return decision{action: actAdopt, note: note}
	}
	return decision{action: actRun, note: note + "; no marker can be written: if the slot vanishes this is noticed only while the relay runs; " +
		"`walrelay init --print-sql` prints the rights that are missing"}
}

// decideUnfinished goes on after a first start that was broken off.
func decideUnfinished(f facts) decision {
	note := fmt.Sprintf("the first start was broken off (marker says %s), beginning anew", f.marker.state)
	if f.slot == nil {
		return decideCreate(f, actCreate, note)
	}
	if f.slot.Active {
		return stop(fmt.Errorf("slot %q is in use by process %d while its first start is unfinished: %w",
			f.config.Slot, f.slot.ActivePID, ErrSlotActive))
	}
	return decideCreate(f, actRedo, note+": the slot is dropped and made again, events may be repeated")
}

// decideContinue compares a streaming marker with the slot.
func decideContinue(f facts) decision {
	m, s := f.marker, f.slot
	if !f.publication.exists {
		return stop(f.config.publicationGap(m.confirmed, m.updatedAt, nil))
	}
	if m.renewed(f.config.Publication, f.publication.oid) {
		return stop(f.config.publicationGap(m.confirmed, m.updatedAt, nil))
	}
	if m.clean && s.Confirmed > m.confirmed {
		return stop(gapSince(f, fmt.Sprintf("the slot does not continue where this relay left off: it stopped cleanly at %s, the slot stands at %s; "+
			"somebody else has read from it, or it was made anew", m.confirmed, s.Confirmed), acceptAdvice))
	}
	if replaced(f) {
		return stop(gapSince(f, fmt.Sprintf("the slot was made anew: the one this relay read from had decoded %d transactions, this one %d",
			*m.slotTxns, *f.txns), acceptAdvice))
	}
	var notes []string
	if m.timeline != f.server.timeline {
		notes = append(notes, fmt.Sprintf("the server went from timeline %d to %d (failover or restore) and the slot came along", m.timeline, f.server.timeline))
	}
	if s.Confirmed < m.confirmed {
		notes = append(notes, fmt.Sprintf("the slot stands at %s, before the last confirmed %s: events between are sent again", s.Confirmed, m.confirmed))
	}
	if f.access != markerWritable && m.clean {
		// It would go on saying "stopped cleanly" while the slot moves on, a false gap next time.
		return stop(&SetupError{
			Problem: fmt.Sprintf("role %q can't write walrelay.marker", f.server.role),
			Remedy:  "GRANT SELECT, INSERT, UPDATE ON walrelay.marker TO " + quoteIdent(f.server.role) + "; on a standby connect to the primary instead",
		})
	}
	if f.access != markerWritable {
		notes = append(notes, "walrelay.marker can't be written: GRANT SELECT, INSERT, UPDATE ON walrelay.marker TO "+quoteIdent(f.server.role))
		return decision{action: actRun, note: strings.Join(notes, "; ")}
	}
	return decision{action: actStart, note: strings.Join(notes, "; ")}
}

// replaced recognises a slot that was dropped and made again after a crash, when
// positions say nothing: the count of its decoded transactions starts again with
// it. Only trusted where nothing else starts it again: the same timeline, and no
// statistics reset or lost (a crash recovery loses them) since the marker.
func replaced(f facts) bool {
	m := f.marker
	return m.slotTxns != nil && f.txns != nil && *f.txns < *m.slotTxns &&
		m.timeline == f.server.timeline && !f.txnsCounted.IsZero() && f.txnsCounted.Before(m.updatedAt)
}

// vanished words a missing slot.
func vanished(f facts) string {
	if f.marker.timeline != f.server.timeline {
		return fmt.Sprintf("the slot has vanished: the server went from timeline %d to %d (failover or restore) and the slot did not come along; "+
			"PostgreSQL 17+ can keep it with postgres.failover_slot", f.marker.timeline, f.server.timeline)
	}
	return "the slot has vanished"
}

// gapSince is a gap from where the marker stands.
func gapSince(f facts, reason, advice string) *GapError {
	g := &GapError{Slot: f.config.Slot, Reason: reason, Advice: advice}
	if m := f.marker; m != nil {
		g.From, g.Since = max(m.confirmed, m.created), m.updatedAt
	}
	return g
}
