package replication

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// LogFunc takes a constant message and pairs of key and value; with the key
// "warning" it is one. nil says nothing.
type LogFunc func(msg string, kv ...any)

// Prepare decides by marker, publication and slot how to start, and makes what a
// first start needs: marker, publication, slot, in this order. It may be called
// again at any time and does nothing then. It creates only with Config.AutoCreate,
// only on a server that accepts writes, and only where the marker can be written.
// Making a slot waits for the transactions that are open, however long that is:
// don't give ctx a short timeout.
//
// Where a snapshot is due it makes all but the slot, which has to be made with the
// snapshot in one step, and says so in Position.Snapshot.
//
// *GapError when the slot has vanished, was replaced or does not continue where
// this relay left off; *SetupError when something has to be set up or is of the
// wrong kind; ErrSlotActive while another instance is in its first start, which
// with a snapshot may take long.
func (c *Control) Prepare(ctx context.Context, log LogFunc) (Position, error) {
	if log == nil {
		log = func(string, ...any) {}
	}
	if err := c.config.Validate(); err != nil {
		return Position{}, &SetupError{Problem: err.Error(), Err: err}
	}
	unlock, err := c.lock(ctx)
	if err != nil {
		return Position{}, err
	}
	defer unlock()
	f, err := c.facts(ctx)
	if err != nil {
		return Position{}, err
	}
	d := decide(f)
	if d.err != nil {
		return Position{}, d.err
	}
	if d.note != "" {
		key := "note"
		if d.action == actRun { // without a marker that can be written
			key = "warning"
		}
		log("start decided", "slot", c.config.Slot, key, d.note)
	}
	pos := Position{SystemID: c.server.systemID, Timeline: c.server.timeline}
	switch {
	case d.action == actDone:
		pos.Done = true
		return pos, nil
	case c.snapshotDue(d):
		pos.Snapshot = true
		return pos, c.beforeSnapshot(ctx, f, d)
	case d.action == actCreate || d.action == actRedo:
		return c.create(ctx, f.access, d.action == actRedo, log)
	}
	if err := c.ensurePublication(ctx); err != nil {
		return Position{}, err
	}
	pos.Confirmed = f.slot.Confirmed
	if f.marker != nil {
		pos.Created = f.marker.created
	}
	pos.Adopted = f.marker == nil
	if d.action == actAdopt {
		return pos, c.adopt(ctx, f.access, *f.slot)
	}
	return pos, nil
}

// facts reads everything decide needs.
func (c *Control) facts(ctx context.Context) (facts, error) {
	if err := c.identify(ctx); err != nil { // a standby may have been promoted meanwhile
		return facts{}, err
	}
	f := facts{config: c.config, server: c.server}
	var err error
	if f.access, err = c.markerAccess(ctx); err != nil {
		return facts{}, err
	}
	if f.access == markerReadable || f.access == markerWritable {
		if f.marker, err = c.readMarker(ctx); err != nil {
			return facts{}, err
		}
	}
	slot, err := c.slot(ctx)
	if err == nil {
		f.slot = &slot
	} else if !errors.Is(err, errNoSlot) {
		return facts{}, err
	}
	if f.publication, err = c.publication(ctx); err != nil {
		return facts{}, err
	}
	f.txns, f.txnsCounted, err = c.slotStatistics(ctx)
	return f, err
}

// slotStatistics reads how many transactions were decoded for the slot and since
// when that is counted at the latest. Statistics are lost in a crash recovery;
// what the server then sets is the reset time of the shared ones.
func (c *Control) slotStatistics(ctx context.Context) (*int64, time.Time, error) {
	var txns *int64
	var since *time.Time
	err := c.conn.QueryRow(ctx, `SELECT s.total_txns, greatest(s.stats_reset, b.stats_reset)
		FROM pg_stat_bgwriter b LEFT JOIN pg_stat_replication_slots s ON s.slot_name = $1`, c.config.Slot).Scan(&txns, &since)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("look at statistics of slot %q: %w", c.config.Slot, err)
	}
	if since == nil {
		return txns, time.Time{}, nil
	}
	return txns, *since, nil
}

// How long, and how often, lock tries.
const (
	lockPatience = 2 * time.Second
	lockEvery    = 50 * time.Millisecond
)

// lock keeps two instances from preparing the same slot at once, which would have
// one of them find the other's half-made first start. That a snapshot is being
// published can't be told from the slot, which nobody reads from meanwhile, so
// this lock is kept until its end. ErrSlotActive when another has it.
func (c *Control) lock(ctx context.Context) (unlock func(), err error) {
	key := "walrelay " + c.config.Slot
	if c.server.inRecovery {
		return func() {}, nil // nothing is made there
	}
	// The lock of an instance whose machine is gone lives as long as its connection
	// seems to: two hours by default.
	idle := c.config.senderTimeout()
	for until := time.Now().Add(lockPatience); ; {
		var mine bool
		err := c.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended($1, 0)) FROM (SELECT set_config('tcp_keepalives_idle', $2, false),
			set_config('tcp_keepalives_interval', $3, false), set_config('tcp_keepalives_count', '3', false) OFFSET 0) AS keepalive`,
			key, seconds(idle), seconds(idle/2)).Scan(&mine)
		if err != nil {
			return nil, fmt.Errorf("wait for another instance that prepares slot %q: %w", c.config.Slot, err)
		}
		if mine {
			break
		}
		if time.Now().After(until) {
			return nil, fmt.Errorf("another instance prepares slot %q or publishes its snapshot: %w", c.config.Slot, ErrSlotActive)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for another instance that prepares slot %q: %w", c.config.Slot, ctx.Err())
		case <-time.After(lockEvery):
		}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		// A connection that is broken has lost the lock already.
		_, _ = c.conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtextextended($1, 0))`, key)
	}, nil
}

// seconds writes a setting in whole seconds, at least one.
func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(d/time.Second))) }

// create makes marker, publication and slot. The marker goes first and says
// "creating" until the slot is there, so that a start broken off in between is
// recognised.
func (c *Control) create(ctx context.Context, access markerAccess, redo bool, log LogFunc) (Position, error) {
	if err := c.makeMarkerTable(ctx, access); err != nil {
		return Position{}, err
	}
	if err := c.writeMarker(ctx, stateCreating, 0, 0); err != nil {
		return Position{}, err
	}
	if redo {
		if err := c.dropSlot(ctx); err != nil {
			return Position{}, err
		}
	}
	if err := c.ensurePublication(ctx); err != nil {
		return Position{}, err
	}
	log("creating slot, which waits for the transactions that are open now", "slot", c.config.Slot, "publication", c.config.Publication)
	created, err := c.createSlot(ctx)
	if err != nil {
		return Position{}, err
	}
	if err := c.writeMarker(ctx, stateStreaming, created, created); err != nil {
		return Position{}, err
	}
	log("slot created", "slot", c.config.Slot, "publication", c.config.Publication, "lsn", created.String())
	return Position{
		SystemID: c.server.systemID, Timeline: c.server.timeline,
		Confirmed: created, Created: created, Made: true,
	}, nil
}

// createSlot makes the slot and returns where it begins.
func (c *Control) createSlot(ctx context.Context) (LSN, error) {
	if c.config.FailoverSlot && c.server.version < 170000 {
		return 0, &SetupError{Problem: "failover slots need PostgreSQL 17", Remedy: "turn postgres.failover_slot off"}
	}
	var text string
	if err := c.conn.QueryRow(ctx, c.config.slotSQL()).Scan(&text); err != nil {
		if sqlState(err) == codeLimitExceeded {
			return 0, c.slotLimitError(err)
		}
		return 0, c.rightsError(fmt.Sprintf("create slot %q", c.config.Slot), err)
	}
	var created LSN
	return created, parseLSN(text, &created)
}

func (c *Control) slotLimitError(err error) error {
	return &SetupError{
		Problem: fmt.Sprintf("create slot %q: %v", c.config.Slot, err), Err: err,
		Remedy: "drop a slot nobody uses (SELECT slot_name, active FROM pg_replication_slots), or raise max_replication_slots and restart",
	}
}

// slotSQL is the query that makes the slot and returns its LSN as text.
func (c Config) slotSQL() string {
	args := quoteLiteral(c.Slot) + ", 'pgoutput'"
	if c.FailoverSlot {
		args += ", failover => true" // PostgreSQL 17
	}
	return "SELECT lsn::text FROM pg_create_logical_replication_slot(" + args + ")"
}

func (c *Control) dropSlot(ctx context.Context) error {
	_, err := c.conn.Exec(ctx, `SELECT pg_drop_replication_slot($1)`, c.config.Slot)
	switch sqlState(err) {
	case codeObjectInUse:
		return fmt.Errorf("drop slot %q: %w: %w", c.config.Slot, ErrSlotActive, err)
	case codeUndefinedObject: // gone already
		return nil
	}
	if err != nil {
		return c.rightsError(fmt.Sprintf("drop slot %q", c.config.Slot), err)
	}
	return nil
}

// adopt writes the marker for a slot that was there before it.
func (c *Control) adopt(ctx context.Context, access markerAccess, s SlotState) error {
	if err := c.makeMarkerTable(ctx, access); err != nil {
		return err
	}
	return c.writeMarker(ctx, stateStreaming, 0, s.Confirmed)
}

// Confirmed returns the slot's confirmed_flush_lsn. Call it after OpenStream has
// succeeded: only then nobody else moves it. It decides once more, because a
// holder before us may have moved on since Prepare, and makes this instance the
// one that writes the marker. Its value is what the first status update says.
func (c *Control) Confirmed(ctx context.Context) (LSN, error) {
	f, err := c.facts(ctx)
	if err != nil {
		return 0, err
	}
	d := decide(f)
	switch {
	case d.err != nil:
		return 0, d.err
	case d.action == actRun:
		return f.slot.Confirmed, nil
	case d.action != actStart:
		return 0, fmt.Errorf("slot %q changed since it was prepared: start again", c.config.Slot)
	}
	c.relieved = f.marker != nil && f.marker.holder != c.config.holder()
	published := f.publication.published
	if f.marker != nil && f.marker.publication == c.config.Publication {
		published = published.keeping(f.marker.published, c.config.Tables)
	}
	return f.slot.Confirmed, c.hold(ctx, f.slot.Confirmed, published)
}

// Relieved says whether the Confirmed before has found that another process held
// the slot since this one did, if it ever did. Always false where no marker can be
// written.
func (c *Control) Relieved() bool { return c.relieved }

// AcceptGap makes the present state the one to go on from, after a person has
// decided that what is missing is taken care of: a slot that can be read is kept
// and the marker written anew; one that can't (vanished, lost, without the
// publication it was made with) is made again, with the publication where it is
// missing. Events committed in between are not delivered, and no snapshot is made,
// whatever the mode. The relay must not run.
//
// ErrSlotActive while somebody reads from the slot; *SetupError as Prepare.
func (c *Control) AcceptGap(ctx context.Context, log LogFunc) (Position, error) {
	if log == nil {
		log = func(string, ...any) {}
	}
	unlock, err := c.lock(ctx)
	if err != nil {
		return Position{}, err
	}
	defer unlock()
	f, err := c.facts(ctx)
	if err != nil {
		return Position{}, err
	}
	if f.slot != nil && f.slot.Active {
		return Position{}, fmt.Errorf("slot %q is in use by process %d, stop the relay first: %w", c.config.Slot, f.slot.ActivePID, ErrSlotActive)
	}
	if f.config.Snapshot.mode() == SnapshotOnly {
		return Position{}, &SetupError{Problem: "snapshot.mode is only, which has no slot and so no gap", Remedy: "set snapshot.mode to none or initial"}
	}
	f.config.AutoCreate = true // it was asked for
	kind := checkSlotKind(f)
	var gap *GapError
	if kind != nil && !errors.As(kind, &gap) {
		return Position{}, kind // somebody else's slot
	}
	if d := decideCreate(f, actCreate, ""); d.err != nil {
		return Position{}, d.err
	}
	renewed := f.marker != nil && f.marker.renewed(f.config.Publication, f.publication.oid)
	if f.slot == nil || gap != nil || !f.publication.exists || renewed {
		pos, err := c.create(ctx, f.access, f.slot != nil, log)
		if err != nil {
			return Position{}, err
		}
		return pos, c.newGeneration(ctx)
	}
	if err := c.ensurePublication(ctx); err != nil {
		return Position{}, err
	}
	log("gap accepted, the slot is kept", "slot", c.config.Slot, "lsn", f.slot.Confirmed.String())
	if err := c.adopt(ctx, f.access, *f.slot); err != nil {
		return Position{}, err
	}
	return Position{
		SystemID: c.server.systemID, Timeline: c.server.timeline, Confirmed: f.slot.Confirmed, Adopted: true,
	}, c.newGeneration(ctx)
}

// CreateOutbox makes an outbox table where it is missing. shape is "debezium"
// (id, aggregatetype, aggregateid, type, payload) or "snake" (id, aggregate_type,
// aggregate_id, event_type, payload, created_at). A table that exists is left as it is.
func (c *Control) CreateOutbox(ctx context.Context, t Table, shape string) error {
	ddl, err := outboxDDL(t, shape)
	if err != nil {
		return err
	}
	var exists bool // asked first: IF NOT EXISTS needs the right to create all the same
	err = c.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
		WHERE n.nspname = $1 AND r.relname = $2)`, t.Schema, t.Name).Scan(&exists)
	if err != nil {
		return fmt.Errorf("look for table %s: %w", t, err)
	}
	if exists {
		return nil
	}
	if _, err := c.conn.Exec(ctx, ddl); err != nil {
		return c.rightsError(fmt.Sprintf("create table %s", t), err)
	}
	return nil
}

// rightsError turns a missing right into a *SetupError with the SQL that grants it.
func (c *Control) rightsError(step string, err error) error {
	if code := sqlState(err); code == codeInsufficientPrivilege || code == codeReadOnlyTransaction {
		return &SetupError{Problem: fmt.Sprintf("%s as role %q: %v", step, c.server.role, err), Remedy: PrivilegeSQL(c.config, c.server.role), Err: err}
	}
	return fmt.Errorf("%s: %w", step, err)
}
