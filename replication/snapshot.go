package replication

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// SnapshotMode says what becomes of the rows that are in the outbox before the
// slot is made. A slot that exists already is never preceded by a snapshot.
type SnapshotMode string

// The modes: rows from before the slot are left alone; they are published, and
// then the slot is streamed from; they are published, and nothing is streamed.
// Debezium calls them no_data, initial and initial_only. "" is SnapshotNone.
const (
	SnapshotNone    SnapshotMode = "none"
	SnapshotInitial SnapshotMode = "initial"
	SnapshotOnly    SnapshotMode = "only"
)

// The number of rows that are fetched at a time: what a SnapshotConfig of 0 means,
// and the most.
const (
	DefaultFetchSize = 10_240
	MaxFetchSize     = 1_000_000
)

// SnapshotConfig says whether and how the rows of the outbox tables are read.
type SnapshotConfig struct {
	Mode SnapshotMode
	// FetchSize is the number of rows that a cursor fetches at a time, 1 to
	// MaxFetchSize; 0 is DefaultFetchSize. The server keeps so many ready, the relay
	// one.
	FetchSize int
	// OrderBy names the column that orders the rows of a table, one a table of
	// Config.Tables and in their order; "" or a shorter list: no promised order. It
	// is best indexed: the server sorts before the first row otherwise.
	OrderBy []string
}

func (s SnapshotConfig) validate(tables int) error {
	var errs []error
	switch s.Mode {
	case "", SnapshotNone, SnapshotInitial, SnapshotOnly:
	default:
		errs = append(errs, fmt.Errorf("snapshot mode %q: use none, initial or only", s.Mode))
	}
	if s.FetchSize < 0 || s.FetchSize > MaxFetchSize {
		errs = append(errs, fmt.Errorf("snapshot fetch size %d: use 1 to %d", s.FetchSize, MaxFetchSize))
	}
	if len(s.OrderBy) > tables {
		errs = append(errs, fmt.Errorf("snapshot order: %d columns for %d tables", len(s.OrderBy), tables))
	}
	return errors.Join(errs...)
}

func (s SnapshotConfig) mode() SnapshotMode {
	if s.Mode == "" {
		return SnapshotNone
	}
	return s.Mode
}

func (s SnapshotConfig) fetchSize() int {
	if s.FetchSize == 0 {
		return DefaultFetchSize
	}
	return s.FetchSize
}

func (s SnapshotConfig) orderBy(table int) string {
	if table < len(s.OrderBy) {
		return s.OrderBy[table]
	}
	return ""
}

// Snapshot is all rows of the outbox tables at one moment, read table after table:
//
//	BeginSnapshot ─▶ for each table: Open, Next … ─▶ Finish
//
// It is one transaction: the rows of all tables are those that one snapshot sees.
// With a slot that was made for it that is exactly what was committed before the
// slot's first change, so that the stream goes on without a gap or a repetition.
// Until Finish nothing of it counts: a Snapshot that is closed before begins anew.
//
// While it is open the server can't clean up rows that were deleted since
// (vacuum), and the tables can't be truncated, dropped or altered. It belongs to
// one goroutine, together with its Control, which must not be used for anything
// else meanwhile but IsClosed.
type Snapshot struct {
	control  *Control
	reader   *Control
	unlock   func()
	position Position
	mode     SnapshotMode
	lsn      LSN
	at       time.Time
	tables   []snapshotTable
	cursor   cursor
}

// Position is the server's, with where the slot was made; without one
// (SnapshotOnly) Confirmed is 0 and Done set.
func (s *Snapshot) Position() Position { return s.position }

// LSN is where the slot begins to stream; without a slot the server's WAL position
// at the snapshot.
func (s *Snapshot) LSN() LSN { return s.lsn }

// Time is when the snapshot was taken, by the server's clock.
func (s *Snapshot) Time() time.Time { return s.at }

// Estimate is about how many rows the table has, 0 when nothing is known.
func (s *Snapshot) Estimate(table int) int64 { return s.tables[table].estimate }

// snapshotDue says that rows have to be published before anything else.
func (c *Control) snapshotDue(d decision) bool {
	return d.action == actSnapshot || c.config.Snapshot.mode() != SnapshotNone && (d.action == actCreate || d.action == actRedo)
}

// beforeSnapshot makes what a snapshot needs: marker, publication, and no slot of
// a start that was broken off.
func (c *Control) beforeSnapshot(ctx context.Context, f facts, d decision) error {
	if _, err := c.snapshotTables(ctx); err != nil { // before anything is touched
		return err
	}
	if err := c.makeMarkerTable(ctx, f.access); err != nil {
		return err
	}
	if d.action != actSnapshot {
		if err := c.writeMarker(ctx, stateCreating, 0, 0); err != nil {
			return err
		}
	}
	if d.action == actRedo {
		if err := c.dropSlot(ctx); err != nil {
			return err
		}
	}
	if c.config.Snapshot.mode() == SnapshotOnly {
		return nil // reading rows needs no publication
	}
	return c.ensurePublication(ctx)
}

// BeginSnapshot makes the slot, with SnapshotInitial and where there is none, and
// opens its snapshot. Call it after Prepare said Position.Snapshot. Making a slot
// waits for the transactions that are open, however long that is. ctx is for the
// beginning only.
//
// ErrSlotActive when another instance is at it, or has done it: Prepare again.
// ErrSnapshotLost is worth another try. *SetupError when a right is missing or a
// table can't be read. Close the Snapshot in the end.
func (c *Control) BeginSnapshot(ctx context.Context, log LogFunc) (*Snapshot, error) {
	if log == nil {
		log = func(string, ...any) {}
	}
	unlock, err := c.lock(ctx)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{control: c, unlock: unlock, mode: c.config.Snapshot.mode()}
	if err := s.begin(ctx, log); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Snapshot) begin(ctx context.Context, log LogFunc) error {
	c := s.control
	f, err := c.facts(ctx)
	if err != nil {
		return err
	}
	d := decide(f)
	switch {
	case d.err != nil:
		return d.err
	case !c.snapshotDue(d) || d.action == actRedo:
		return fmt.Errorf("slot %q changed since it was prepared: %w", c.config.Slot, ErrSlotActive)
	}
	s.position = Position{SystemID: c.server.systemID, Timeline: c.server.timeline, Done: s.mode == SnapshotOnly}
	before, err := c.snapshotTables(ctx)
	if err != nil {
		return err
	}
	var export *exporter
	if d.action == actCreate {
		log("creating slot with its snapshot, which waits for the transactions that are open now", "slot", c.config.Slot, "publication", c.config.Publication)
		if export, err = c.exportSlot(ctx, s.position); err != nil {
			return err
		}
		defer export.close(ctx)
		s.begins(export.lsn)
		s.position.Made = true
		log("slot created", "slot", c.config.Slot, "publication", c.config.Publication, "lsn", s.lsn.String())
	} else if f.slot != nil {
		s.begins(f.slot.Confirmed)
	}
	if s.position.Confirmed != 0 { // at once: from here on the slot is kept, whatever happens
		if err := c.writeMarker(ctx, stateSnapshotting, s.lsn, s.lsn); err != nil {
			return err
		}
	}
	if err := s.openReader(ctx, export); err != nil {
		return err
	}
	if s.position.Done {
		if err := c.writeMarker(ctx, stateSnapshotting, 0, s.lsn); err != nil {
			return err
		}
	}
	return s.settle(ctx, before)
}

// begins notes where the slot streams from after the snapshot.
func (s *Snapshot) begins(lsn LSN) {
	s.lsn, s.position.Confirmed, s.position.Created = lsn, lsn, lsn
}

// openReader opens the transaction that sees the snapshot: the exported one, which
// nobody needs any more afterwards, or else the present.
func (s *Snapshot) openReader(ctx context.Context, export *exporter) error {
	c := s.control
	rc, err := c.config.readerConfig()
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, rc)
	if err != nil {
		return c.config.connectError(err)
	}
	s.reader = &Control{config: c.config, conn: conn}
	if err := s.reader.identify(ctx); err != nil {
		return err
	}
	if r := s.reader.server; r.systemID != c.server.systemID || r.timeline != c.server.timeline || r.inRecovery {
		return fmt.Errorf("%w: the snapshot's connection reached system %s timeline %d (standby: %t), expected %s timeline %d",
			ErrServerChanged, r.systemID, r.timeline, r.inRecovery, c.server.systemID, c.server.timeline)
	}
	sql := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
	if export != nil {
		sql += "SET TRANSACTION SNAPSHOT " + quoteLiteral(export.snapshot) + ";"
	}
	if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		return fmt.Errorf("%w: open it: %v", ErrSnapshotLost, err) // its SQLSTATE means something else elsewhere
	}
	var now string
	if err := conn.QueryRow(ctx, `SELECT now(), pg_current_wal_lsn()::text`).Scan(&s.at, &now); err != nil {
		return fmt.Errorf("open the snapshot: %w", err)
	}
	if s.lsn == 0 {
		return parseLSN(now, &s.lsn)
	}
	return nil
}

// settle locks the tables against what a snapshot does not protect from: TRUNCATE
// and the forms of ALTER TABLE that rewrite make rows vanish for it. What happened
// to them in the moment before shows in their files.
func (s *Snapshot) settle(ctx context.Context, before []snapshotTable) error {
	for _, t := range before {
		only := "ONLY "
		if t.partitioned {
			only = ""
		}
		if _, err := s.reader.conn.Exec(ctx, "LOCK TABLE "+only+t.table.quoted()+" IN ACCESS SHARE MODE"); err != nil {
			return s.control.readError("lock table", t.table, err)
		}
	}
	var err error
	if s.tables, err = s.control.snapshotTables(ctx); err != nil {
		return err
	}
	for i := range before {
		if before[i].files != s.tables[i].files {
			return fmt.Errorf("%w: table %s was truncated or rewritten at that moment", ErrSnapshotLost, before[i].table)
		}
	}
	return nil
}

// Alive says whether the snapshot still counts: that its lock is still held and
// nobody else has begun it anew. Ask now and then, a Snapshot that waits for its
// reader does not notice. ErrSnapshotLost, or what the server says.
func (s *Snapshot) Alive(ctx context.Context) error {
	var mine bool
	err := s.control.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM walrelay.marker WHERE slot = $1 AND holder = $2 AND state = 'snapshotting')`,
		s.control.config.Slot, s.control.config.holder()).Scan(&mine)
	switch {
	case err != nil:
		return fmt.Errorf("%w: its lock is not held any more: %w", ErrSnapshotLost, err)
	case !mine:
		return fmt.Errorf("%w: another instance has begun it anew", ErrSnapshotLost)
	}
	return nil
}

// Finish says in the marker that all rows are published, and closes. Call it only
// when Kafka has acknowledged every one of them: from then on nothing reads them
// again.
func (s *Snapshot) Finish(ctx context.Context) error {
	state := stateStreaming
	if s.mode == SnapshotOnly {
		state = stateSnapshotted
	}
	if err := s.control.finishMarker(ctx, state); err != nil {
		return err
	}
	s.Close()
	return nil
}

// Release ends the transaction when all rows are read; what is left to do is
// Finish. Other instances go on waiting.
func (s *Snapshot) Release() {
	if s.reader != nil {
		s.reader.Close()
		s.reader = nil
	}
}

// Close ends the transaction and lets other instances go on. The Control is the
// caller's again.
func (s *Snapshot) Close() {
	s.Release()
	if s.unlock != nil {
		s.unlock()
		s.unlock = nil
	}
}
