package replication

import (
	"fmt"
	"strings"
	"time"
)

// action is what a start has to do.
type action int

const (
	actStop     action = iota // the error says why
	actStart                  // marker and slot agree: use the slot
	actAdopt                  // a slot without a marker: write one, use the slot
	actRun                    // a slot, and a marker can't be written: use the slot, warn
	actCreate                 // first start: marker, publication, slot; with SnapshotInitial also the rows
	actRedo                   // a first start that was broken off: drop the slot, then as actCreate
	actSnapshot               // publish the rows, with the slot that there is (SnapshotInitial) or with none (SnapshotOnly)
	actDone                   // SnapshotOnly, and the rows were published
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
//	snapshotting      none      create, with the snapshot
//	snapshotting      there     the rows anew, then the slot from where it was made
//	snapshotted       none      create (see decideSnapshotted)
//	streaming         none      gap: vanished
//	streaming, clean  ahead     gap: somebody else read from it
//	streaming, dirty  ahead     start: the marker is written once a minute
//	streaming, dirty  replaced  gap: it has decoded less than the one we knew
//	streaming         behind    start, with repeats
//
// A snapshot is made only with a slot that is new: whoever takes over an existing
// one goes on where it stands. SnapshotOnly is decided by decideOnly.
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
	case f.marker != nil && f.marker.state == stateStreaming && f.slot == nil:
		return stop(gapSince(f, vanished(f), acceptAdvice))
	case f.config.Snapshot.mode() == SnapshotOnly:
		return decideOnly(f)
	case f.marker == nil && f.slot == nil:
		return decideCreate(f, actCreate, "")
	case f.marker == nil:
		return decideAdopt(f)
	case f.marker.state == stateSnapshotted:
		return decideSnapshotted(f)
	case f.marker.state != stateStreaming:
		return decideUnfinished(f)
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
	}
	if lost := s.Lost(f.config.Slot); lost != nil {
		g := gapSince(f, lost.Reason, lost.Advice)
		if g.From == 0 {
			g.From = lost.From
		}
		return g
	}
	return nil
}

// Lost is the gap of a slot that the server has invalidated, from its confirmed
// position on, or that stands beyond the end of the server's WAL: what commits up to
// there is skipped without a word. From is 0 then. Nil for a slot that can be read.
func (s *SlotState) Lost(slot string) *GapError {
	if s.Current > 0 && s.Confirmed > s.Current {
		return &GapError{Slot: slot, Advice: acceptAdvice, Reason: fmt.Sprintf("the slot stands at %s, beyond the end of the server's WAL at %s, "+
			"and skips all that commits before it: its state is of another server (a copy of a slot, a failover), or a byte of a position was changed on the way (use TLS)", s.Confirmed, s.Current)}
	}
	if s.WALStatus != "lost" && s.Invalidation == "" {
		return nil
	}
	reason := "the slot is lost (wal_status=" + s.WALStatus
	if s.Invalidation != "" {
		reason += ", " + s.Invalidation
	}
	return &GapError{Slot: slot, From: s.Confirmed, Reason: reason + "): the WAL it needs was removed", Advice: acceptAdvice}
}

// standbyError explains a server where nothing can be made.
func standbyError() error {
	return &SetupError{
		Problem: "the server is a standby, where no slot is made and no marker written",
		Remedy:  "connect to the primary (target_session_attrs=read-write)",
	}
}

// decideCreate says whether publication and slot may be made.
func decideCreate(f facts, act action, note string) decision {
	missing := fmt.Sprintf("slot %q does not exist", f.config.Slot)
	switch {
	case f.server.inRecovery: // also where a slot is to be made again
		return stop(standbyError())
	case f.server.walLevel != "logical":
		return stop(walLevelError(f.server.walLevel))
	case !f.config.AutoCreate && !f.begun():
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
	if f.config.Snapshot.mode() == SnapshotInitial {
		note += "; no snapshot is made, because the slot was there: rows committed before that position are not published (for them, drop the slot and start anew)"
	}
	if f.publication.younger {
		note += fmt.Sprintf("; should publication %q have been changed after the slot was made, rows committed before that change are not delivered", f.config.Publication)
	}
	if f.access == markerWritable || f.access == markerMakeable {
		return decision{action: actAdopt, note: note}
	}
	return decision{action: actRun, note: note + "; no marker can be written: if the slot vanishes this is noticed only while the relay runs; " +
		"`walrelay init --print-sql` prints the rights that are missing"}
}

// decideUnfinished goes on after a first start that was broken off. A slot that
// was made for a snapshot is kept: what was committed since comes from it, also
// when the rows were deleted meanwhile. Only the rows are read anew.
func decideUnfinished(f facts) decision {
	begun := fmt.Sprintf("the first start was broken off (marker says %s)", f.marker.state)
	mode := f.config.Snapshot.mode()
	switch {
	case f.slot == nil && f.marker.state == stateCreating && mode == SnapshotInitial:
		return decideCreate(f, actCreate, "the first start has begun and got to no slot yet: the slot is made now, with its snapshot")
	case f.slot == nil && f.marker.state == stateSnapshotting:
		return decideCreate(f, actCreate, begun+" and the slot is gone, beginning anew: rows that were published are published again, "+
			"and what was committed and deleted since then is not")
	case f.slot == nil:
		return decideCreate(f, actCreate, begun+", beginning anew")
	case f.slot.Active:
		return stop(fmt.Errorf("slot %q is in use by process %d while its first start is unfinished: %w",
			f.config.Slot, f.slot.ActivePID, ErrSlotActive))
	case f.marker.state == stateCreating:
		return decideCreate(f, actRedo, begun+", beginning anew: the slot is dropped and made again, events may be repeated")
	}
	if !f.publication.exists || f.marker.renewed(f.config.Publication, f.publication.oid) {
		return stop(f.config.publicationGap(f.marker.created, f.marker.updatedAt, nil))
	}
	if err := f.interrupted(); err != nil {
		return stop(err)
	}
	if f.server.inRecovery {
		return stop(standbyError())
	}
	if f.access != markerWritable {
		return stop(&SetupError{
			Problem: fmt.Sprintf("role %q can't write walrelay.marker, and the first start is unfinished", f.server.role),
			Remedy:  "GRANT SELECT, INSERT, UPDATE ON walrelay.marker TO " + quoteIdent(f.server.role) + "; on a standby connect to the primary instead",
		})
	}
	if mode == SnapshotNone {
		return decision{action: actStart, note: begun + " and snapshot.mode is none now: rows from before the slot that were not published are left out, " +
			fmt.Sprintf("everything committed after %s is streamed", f.slot.Confirmed)}
	}
	return decision{action: actSnapshot, note: begun + ": the snapshot begins anew with all rows that are there now, so events that were published before are published again; " +
		fmt.Sprintf("then the slot goes on from %s, so nothing is missing", f.slot.Confirmed)}
}

// decideSnapshotted makes the slot after a snapshot without one.
func decideSnapshotted(f facts) decision {
	if f.slot != nil {
		return decideAdopt(f)
	}
	note := fmt.Sprintf("the rows of a snapshot with snapshot.mode only were published (as of %s, %s)",
		f.marker.confirmed, f.marker.updatedAt.UTC().Format(time.RFC3339))
	if f.config.Snapshot.mode() == SnapshotInitial {
		return decideCreate(f, actCreate, note+": all rows that are there are published again with the slot's own snapshot, so that nothing is missing")
	}
	return decideCreate(f, actCreate, note+": events committed since then and before the slot is made are not published (snapshot.mode initial would publish all rows again)")
}

// decideOnly decides for SnapshotOnly, which has no slot.
func decideOnly(f facts) decision {
	unfinished := f.marker != nil && (f.marker.state == stateCreating || f.marker.state == stateSnapshotting)
	switch {
	case f.slot != nil && !unfinished:
		return stop(&SetupError{
			Problem: fmt.Sprintf("snapshot.mode is only, and slot %q exists: only publishes rows and never reads from a slot, which would keep back WAL without end", f.config.Slot),
			Remedy:  "set snapshot.mode to none or initial to go on with the slot (no snapshot is made then); or drop the slot; or name another one, which a snapshot of its own is kept under",
		})
	case f.slot != nil && f.slot.Active:
		return stop(fmt.Errorf("slot %q is in use by process %d while its first start is unfinished: %w",
			f.config.Slot, f.slot.ActivePID, ErrSlotActive))
	case f.marker != nil && f.marker.state == stateSnapshotted:
		return decision{action: actDone, note: fmt.Sprintf("the rows were published (as of %s, %s) and snapshot.mode is only: there is nothing to do",
			f.marker.confirmed, f.marker.updatedAt.UTC().Format(time.RFC3339))}
	case f.server.inRecovery:
		return stop(standbyError())
	case f.access == markerWritable, f.access == markerMakeable && f.config.AutoCreate:
	default:
		return stop(&SetupError{
			Problem: fmt.Sprintf("role %q can't write walrelay.marker; without it every start would publish the rows again", f.server.role),
			Remedy:  PrivilegeSQL(f.config, f.server.role),
		})
	}
	note := ""
	if unfinished {
		note = fmt.Sprintf("an earlier snapshot was broken off (marker says %s): it begins anew, events that were published before are published again", f.marker.state)
	}
	if f.slot != nil {
		return decision{action: actRedo, note: note + "; the slot that was made for it is dropped, because snapshot.mode is only now"}
	}
	return decision{action: actSnapshot, note: note}
}

// begun says that somebody with the right to it has begun a first start with a
// snapshot, so that the relay may make the slot.
func (f facts) begun() bool {
	return f.config.Snapshot.mode() == SnapshotInitial && f.marker != nil && f.marker.state == stateCreating
}

// interrupted is the gap of a table that was out of the publication since the marker
// was written, or nil.
func (f facts) interrupted() error {
	if f.marker.publication != f.config.Publication {
		return nil
	}
	table := f.marker.published.interrupted(f.publication.published)
	if table == "" {
		return nil
	}
	g := f.config.interruptedGap(table)
	return gapSince(f, g.Reason, g.Advice)
}

// decideContinue compares a streaming marker with the slot.
func decideContinue(f facts) decision {
	m, s := f.marker, f.slot
	if !f.publication.exists || m.renewed(f.config.Publication, f.publication.oid) {
		return stop(f.config.publicationGap(m.confirmed, m.updatedAt, nil))
	}
	if err := f.interrupted(); err != nil {
		return stop(err)
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
