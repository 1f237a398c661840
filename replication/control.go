package replication

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// Control is an ordinary SQL connection for catalog, marker and the slot's
// figures. It may be used by one goroutine at a time. Every method is bounded by
// its context only; a context that ends in the middle of a query closes the
// connection, see IsClosed.
type Control struct {
	config Config
	conn   *pgx.Conn
	server server

	relieved  bool    // see Relieved
	published entries // as CheckPublication saw them last
}

// server is what does not change while a connection lives, but for recovery,
// which ends when a standby is promoted; the timeline then changes too.
type server struct {
	version    int // server_version_num
	inRecovery bool
	walLevel   string
	systemID   string
	timeline   int32
	database   string
	role       string
}

// Position is what Prepare found: the server, and where the slot stands.
type Position struct {
	SystemID string // system identifier, as IDENTIFY_SYSTEM writes it
	Timeline int32
	// Confirmed is the slot's confirmed_flush_lsn when Prepare looked. Another
	// holder may have moved it on since: see Control.Confirmed.
	Confirmed LSN
	Created   LSN  // where the slot was created; 0 when it was not made by walrelay
	Adopted   bool // the slot was there without a marker
	Made      bool // the slot was made by this call
	// Snapshot: the rows that are there have to be published before anything is
	// streamed, see Control.BeginSnapshot. Without a slot Confirmed is 0.
	Snapshot bool
	// Done: SnapshotOnly, and the rows were published. There is no slot and nothing
	// to stream.
	Done bool
}

// SlotState is one look at the slot.
type SlotState struct {
	Plugin    string // output plugin, "" for a physical slot
	Type      string // "logical" or "physical"
	Database  string // "" for a physical slot
	Temporary bool
	Failover  bool // synchronised to standbys; always false before PostgreSQL 17

	WALStatus    string // reserved, extended, unreserved or lost
	Invalidation string // why it was invalidated; PostgreSQL 16 and later, else ""
	Restart      LSN    // restart_lsn: WAL from here on is kept
	Confirmed    LSN    // confirmed_flush_lsn
	Current      LSN    // the server's WAL position

	RetainedBytes int64  // WAL kept back by the slot
	SafeBytes     *int64 // WAL that may be written until the slot is in danger; nil without max_slot_wal_keep_size
	LimitBytes    *int64 // max_slot_wal_keep_size; nil when it is -1

	// What decoding has spilled to the server's disk because it did not fit into
	// logical_decoding_work_mem, since the statistics were last reset; filled in by
	// Control.Look.
	SpilledTransactions, Spills, SpilledBytes int64

	Active    bool
	ActivePID int32 // the walsender, 0 when not active

	InactiveSince time.Time // PostgreSQL 17 and later; zero when active or not known
}

// Lag is the WAL between the confirmed position and the server's.
func (s *SlotState) Lag() int64 { return int64(max(s.Current, s.Confirmed) - s.Confirmed) }

// holder identifies this process in the marker, so that a former holder's late
// write is recognised.
var holder = sync.OnceValue(func() string { return rand.Text() })

func (c Config) holder() string { return c.Instance + "/" + holder() }

// Connect opens the SQL connection. Only a server that accepts writes is taken,
// unless the connection string says otherwise.
//
// *SetupError when the server refuses user, password or database; other errors
// are worth another try.
func Connect(ctx context.Context, c Config) (*Control, error) {
	p, err := c.connConfig()
	if err != nil {
		return nil, err
	}
	p.RuntimeParams["search_path"] = "pg_catalog" // no function or operator of a user's schema
	conn, err := pgx.ConnectConfig(ctx, p)
	if err != nil {
		return nil, c.connectError(err)
	}
	control := &Control{config: c, conn: conn}
	if err := control.identify(ctx); err != nil {
		control.Close()
		return nil, err
	}
	return control, nil
}

// timeouts would cut a connection that asks only now and then, or one whose
// transaction is as long as a snapshot. As startup parameters the younger ones
// would keep `check` from naming an older version.
const timeouts = `name IN ('idle_session_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`

// identify reads the server's identity and switches timeouts off.
func (c *Control) identify(ctx context.Context) error {
	var version string
	err := c.conn.QueryRow(ctx, `SELECT current_setting('server_version_num'),
		count(set_config(name, '0', false)) * 0 = 0 AND pg_is_in_recovery(),
		current_setting('wal_level'), current_database(), current_user
		FROM pg_settings WHERE `+timeouts).
		Scan(&version, &c.server.inRecovery, &c.server.walLevel, &c.server.database, &c.server.role)
	if err != nil {
		return fmt.Errorf("read server settings: %w", err)
	}
	if c.server.version, err = strconv.Atoi(version); err != nil {
		return fmt.Errorf("read server settings: server_version_num: %w", err)
	}
	// The control file's timeline follows a promotion only with the next checkpoint,
	// the name of the current WAL file at once; it can't be asked for in recovery.
	var system int64
	err = c.conn.QueryRow(ctx, `SELECT s.system_identifier,
		CASE WHEN pg_is_in_recovery() THEN p.timeline_id
		ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END
		FROM pg_control_system() s, pg_control_checkpoint() p`).Scan(&system, &c.server.timeline)
	if err != nil {
		return fmt.Errorf("identify server: %w", err)
	}
	c.server.systemID = strconv.FormatUint(uint64(system), 10)
	return nil
}

// IsClosed says that the connection is broken or closed: Connect again.
func (c *Control) IsClosed() bool { return c.conn.IsClosed() }

// Version is the server's server_version_num, for instance 150018.
func (c *Control) Version() int { return c.server.version }

// SystemID is the server's system identifier, as IDENTIFY_SYSTEM writes it.
func (c *Control) SystemID() string { return c.server.systemID }

// Close closes the connection.
func (c *Control) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.conn.Close(ctx) // nothing depends on a proper goodbye
}

// errNoSlot says that the slot does not exist.
var errNoSlot = errors.New("the slot does not exist")

// Slot looks at the slot. A slot that is not there is a *GapError.
func (c *Control) Slot(ctx context.Context) (SlotState, error) {
	state, err := c.slot(ctx)
	if errors.Is(err, errNoSlot) {
		return SlotState{}, &GapError{Slot: c.config.Slot, Reason: "the slot has vanished", Advice: acceptAdvice}
	}
	return state, err
}

func (c *Control) slot(ctx context.Context) (SlotState, error) {
	failover, invalidation, inactive := "false", "NULL::text", "NULL::timestamptz"
	if c.server.version >= 170000 {
		failover, invalidation, inactive = "failover", "invalidation_reason", "CASE WHEN NOT active THEN inactive_since END"
	} else if c.server.version >= 160000 {
		invalidation = "CASE WHEN conflicting THEN 'conflict with recovery' END"
	}
	var s SlotState
	var restart, confirmed, current string
	var since *time.Time
	err := c.conn.QueryRow(ctx, `SELECT coalesce(plugin, ''), slot_type, coalesce(database, ''), temporary,
		coalesce(`+failover+`, false), coalesce(wal_status, ''), coalesce(`+invalidation+`, ''),
		coalesce(restart_lsn, '0/0')::text, coalesce(confirmed_flush_lsn, '0/0')::text, now_lsn::text,
		coalesce(greatest(now_lsn - restart_lsn, 0), 0)::int8, safe_wal_size, active, coalesce(active_pid, 0),
		(SELECT nullif(setting::int8, -1) * 1024 * 1024 FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
		`+inactive+`
		FROM pg_replication_slots, LATERAL (SELECT CASE WHEN pg_is_in_recovery()
			THEN coalesce(pg_last_wal_replay_lsn(), '0/0') ELSE pg_current_wal_lsn() END AS now_lsn) AS wal
		WHERE slot_name = $1`, c.config.Slot).
		Scan(&s.Plugin, &s.Type, &s.Database, &s.Temporary, &s.Failover, &s.WALStatus, &s.Invalidation,
			&restart, &confirmed, &current, &s.RetainedBytes, &s.SafeBytes, &s.Active, &s.ActivePID,
			&s.LimitBytes, &since)
	if errors.Is(err, pgx.ErrNoRows) {
		return SlotState{}, errNoSlot
	}
	if err != nil {
		return SlotState{}, fmt.Errorf("look at slot %q: %w", c.config.Slot, err)
	}
	if since != nil {
		s.InactiveSince = *since
	}
	if err := errors.Join(parseLSN(restart, &s.Restart), parseLSN(confirmed, &s.Confirmed), parseLSN(current, &s.Current)); err != nil {
		return s, err
	}
	if s.Confirmed > s.Current {
		// Both moved while the query ran, and the order in it is the planner's.
		err = c.conn.QueryRow(ctx, `SELECT CASE WHEN pg_is_in_recovery() THEN $1 ELSE pg_current_wal_lsn()::text END`, confirmed).Scan(&current)
		if err != nil {
			return s, fmt.Errorf("look at slot %q: %w", c.config.Slot, err)
		}
		return s, parseLSN(current, &s.Current)
	}
	return s, nil
}

// Look is Slot with what was spilled, for a look that is shown. A role that is kept
// from statistics gets zeros: nothing depends on them.
func (c *Control) Look(ctx context.Context) (SlotState, error) {
	s, err := c.Slot(ctx)
	if err != nil {
		return s, err
	}
	err = c.conn.QueryRow(ctx, `SELECT spill_txns, spill_count, spill_bytes FROM pg_stat_replication_slots WHERE slot_name = $1`, c.config.Slot).
		Scan(&s.SpilledTransactions, &s.Spills, &s.SpilledBytes)
	if err != nil && c.IsClosed() {
		return s, fmt.Errorf("look at statistics of slot %q: %w", c.config.Slot, err)
	}
	return s, nil
}

// parseLSN parses what the server wrote.
func parseLSN(text string, lsn *LSN) (err error) {
	if *lsn, err = pglogrepl.ParseLSN(text); err != nil {
		return fmt.Errorf("LSN %q: %w", text, err)
	}
	return nil
}
