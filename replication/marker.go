package replication

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// markerState says how far the first start got.
type markerState string

const (
	stateCreating     markerState = "creating"     // publication and slot are being made
	stateSnapshotting markerState = "snapshotting" // rows from before the slot are being published
	stateStreaming    markerState = "streaming"    // the slot is in use; from here on it may not vanish
	stateSnapshotted  markerState = "snapshotted"  // the rows were published, and there is no slot (SnapshotOnly)
)

// marker is the row of walrelay.marker for our slot: a witness, no second truth.
// It lives in the database it speaks of, so a restored backup restores it too.
type marker struct {
	state     markerState
	systemID  string
	timeline  int32
	created   LSN  // where the slot was created, 0 when adopted
	confirmed LSN  // last position saved as confirmed; may be a minute old unless clean
	clean     bool // confirmed was written at a graceful stop and is exact
	// publication is the one that was used, and its oid: made anew under its name it
	// is another one, and changes from before it are lost (silently on PostgreSQL 18).
	publication    string
	publicationOID uint32
	published      entries   // nil when not known
	slotTxns       *int64    // the slot's pg_stat_replication_slots.total_txns when confirmed was saved
	updatedAt      time.Time // when it was written, server's clock
	holder         string    // process that writes it; "" in one from before that was kept
}

// markerSchemaDDL and markerTableDDL make the marker's home. One row a slot.
const (
	markerSchemaDDL = `CREATE SCHEMA IF NOT EXISTS walrelay`
	markerTableDDL  = `CREATE TABLE IF NOT EXISTS walrelay.marker (
	slot              text PRIMARY KEY,
	state             text NOT NULL CHECK (state IN ('creating', 'snapshotting', 'streaming', 'snapshotted')),
	system_identifier text NOT NULL,
	timeline          integer NOT NULL,
	creation_lsn      pg_lsn,
	exactly_once      text NOT NULL DEFAULT 'never' CHECK (exactly_once IN ('never', 'beginning', 'running')),
	generation        integer NOT NULL DEFAULT 0,
	confirmed_lsn     pg_lsn,
	clean             boolean NOT NULL DEFAULT false,
	slot_txns         bigint,
	publication       text,
	publication_oid   oid,
	published         text,
	holder            text,
	updated_at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE walrelay.marker IS 'walrelay: what each slot was last known to be; tells a first start from a vanished slot'`
)

// markerAccess says what we may do with the marker.
type markerAccess int

const (
	markerNone     markerAccess = iota // neither readable nor ours to make
	markerReadable                     // may be read only
	markerMakeable                     // is not there, and we may make it
	markerWritable
)

// markerAccess asks the catalog, so that a missing right shows before anything
// is touched.
func (c *Control) markerAccess(ctx context.Context) (markerAccess, error) {
	var read, write, makeable bool
	err := c.conn.QueryRow(ctx, `SELECT
		coalesce(has_schema_privilege(s.oid, 'USAGE') AND has_table_privilege(t.oid, 'SELECT'), false),
		coalesce(has_table_privilege(t.oid, 'INSERT') AND has_table_privilege(t.oid, 'UPDATE'), false),
		t.oid IS NULL AND CASE WHEN s.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
			ELSE has_schema_privilege(s.oid, 'CREATE, USAGE') AND has_schema_privilege(s.oid, 'CREATE') END
		FROM (SELECT 1) AS one LEFT JOIN pg_namespace s ON s.nspname = 'walrelay'
		LEFT JOIN pg_class t ON t.relnamespace = s.oid AND t.relname = 'marker'`).Scan(&read, &write, &makeable)
	switch {
	case err != nil:
		return markerNone, fmt.Errorf("look for walrelay.marker: %w", err)
	case c.server.inRecovery && read:
		return markerReadable, nil
	case c.server.inRecovery:
		return markerNone, nil
	case read && write:
		return markerWritable, nil
	case read:
		return markerReadable, nil
	case makeable:
		return markerMakeable, nil
	}
	return markerNone, nil
}

// readMarker returns nil without a row.
func (c *Control) readMarker(ctx context.Context) (*marker, error) {
	var m marker
	var created, confirmed, published string
	err := c.conn.QueryRow(ctx, `SELECT state, system_identifier, timeline, coalesce(creation_lsn, '0/0')::text,
		coalesce(confirmed_lsn, '0/0')::text, clean,
		coalesce(publication, ''), coalesce(publication_oid, 0), coalesce(published, 'null'), slot_txns, updated_at, coalesce(holder, '') FROM walrelay.marker WHERE slot = $1`, c.config.Slot).
		Scan(&m.state, &m.systemID, &m.timeline, &created, &confirmed, &m.clean, &m.publication, &m.publicationOID, &published, &m.slotTxns, &m.updatedAt, &m.holder)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read walrelay.marker: %w", err)
	}
	if err := json.Unmarshal([]byte(published), &m.published); err != nil {
		return nil, fmt.Errorf("read walrelay.marker: column published: %w", err)
	}
	return &m, errors.Join(parseLSN(created, &m.created), parseLSN(confirmed, &m.confirmed))
}

// makeMarkerTable makes schema and table where they are missing. IF NOT EXISTS
// alone would not do: it asks for the right to create even where nothing is created.
func (c *Control) makeMarkerTable(ctx context.Context, access markerAccess) error {
	if access == markerWritable {
		return nil
	}
	var schema bool
	err := c.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'walrelay')`).Scan(&schema)
	if err == nil {
		// Without arguments pgx sends a simple query, which is one transaction. The lock
		// is for relays of other slots of this database that start at the same time.
		sql := `SELECT pg_advisory_xact_lock(hashtextextended('walrelay.marker', 0));`
		if !schema {
			sql += markerSchemaDDL + ";"
		}
		_, err = c.conn.Exec(ctx, sql+markerTableDDL)
	}
	if err != nil {
		return c.rightsError("make walrelay.marker", err)
	}
	return nil
}

// writeMarker puts the row for a slot that is being made or was adopted. created
// and confirmed may be 0. Until somebody holds the marker it is this process's.
// Only an adopted slot's transactions are counted: for one that was just made
// PostgreSQL 14 may still give the figure of its predecessor of the same name.
func (c *Control) writeMarker(ctx context.Context, state markerState, created, confirmed LSN) error {
	published, err := c.entries(ctx)
	if err != nil {
		return err
	}
	_, err = c.conn.Exec(ctx, `INSERT INTO walrelay.marker AS m
		(slot, state, system_identifier, timeline, creation_lsn, confirmed_lsn,
			publication, publication_oid, published, slot_txns, holder)
		VALUES ($1, $2, $3, $4, nullif($5::text::pg_lsn, '0/0'), nullif($6::text::pg_lsn, '0/0'), $7::text, `+publicationOID+`, $9,
			CASE WHEN $2 = 'streaming' AND $5::text = '0/0' THEN `+slotTxns+` END, $8)
		ON CONFLICT (slot) DO UPDATE SET state = excluded.state, system_identifier = excluded.system_identifier,
			timeline = excluded.timeline, creation_lsn = excluded.creation_lsn, confirmed_lsn = excluded.confirmed_lsn,
			publication = excluded.publication, publication_oid = excluded.publication_oid,
			published = excluded.published, slot_txns = excluded.slot_txns, clean = false, holder = excluded.holder, updated_at = now()`,
		c.config.Slot, string(state), c.server.systemID, c.server.timeline, created.String(), confirmed.String(), c.config.Publication, c.config.holder(), published.text())
	if err != nil {
		return c.rightsError("write walrelay.marker", err)
	}
	return nil
}

// finishMarker ends the state snapshotting, but only for the one that is in it:
// whoever has begun the snapshot anew since then has made it his own.
func (c *Control) finishMarker(ctx context.Context, state markerState) error {
	tag, err := c.conn.Exec(ctx, `UPDATE walrelay.marker SET state = $3, updated_at = now()
		WHERE slot = $1 AND holder = $2 AND state = 'snapshotting'`, c.config.Slot, c.config.holder(), string(state))
	if err != nil {
		return c.rightsError("write walrelay.marker", err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("%w: another instance has begun it anew", ErrSnapshotLost)
	}
	return nil
}

// slotTxns reads the transactions that were decoded for slot $1 since its
// statistics began: the one figure that starts again when a slot is replaced.
const slotTxns = `(SELECT total_txns FROM pg_stat_replication_slots WHERE slot_name = $1)`

// publicationOID reads the oid of publication $7.
const publicationOID = `(SELECT oid FROM pg_publication WHERE pubname = $7::text)`

// hold makes this process the one that writes the marker, and takes "clean" back:
// from now on confirmed_lsn lags behind the slot. published is what was compared with
// what the marker had.
func (c *Control) hold(ctx context.Context, confirmed LSN, published entries) error {
	tag, err := c.conn.Exec(ctx, `UPDATE walrelay.marker SET state = 'streaming', holder = $2, clean = false,
		timeline = $3, confirmed_lsn = $4::text::pg_lsn,
		publication = $5::text, publication_oid = (SELECT oid FROM pg_publication WHERE pubname = $5::text),
		published = $6, slot_txns = `+slotTxns+`, updated_at = now() WHERE slot = $1`,
		c.config.Slot, c.config.holder(), c.server.timeline, confirmed.String(), c.config.Publication, published.text())
	if err != nil {
		return c.rightsError("write walrelay.marker", err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("write walrelay.marker: the row of slot %q has vanished; start again", c.config.Slot)
	}
	return nil
}

// SaveProgress writes the last confirmed position into the marker; clean says
// that the relay stops here in good order, so that the slot must be found at this
// position. Save at most once a minute, and with clean after the stream is closed.
//
// ErrNotHolder when another instance has taken over since, or no marker is kept.
// No error of it harms the stream: the marker is only a witness.
func (c *Control) SaveProgress(ctx context.Context, confirmed LSN, clean bool) error {
	tag, err := c.conn.Exec(ctx, `UPDATE walrelay.marker SET confirmed_lsn = $3::text::pg_lsn, clean = $4,
		slot_txns = `+slotTxns+`, updated_at = now() WHERE slot = $1 AND holder = $2`,
		c.config.Slot, c.config.holder(), confirmed.String(), clean)
	if err != nil {
		return fmt.Errorf("save progress %s of slot %q: %w", confirmed, c.config.Slot, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("save progress %s of slot %q: %w", confirmed, c.config.Slot, ErrNotHolder)
	}
	return nil
}
