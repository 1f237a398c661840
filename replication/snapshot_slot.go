package replication

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
)

// exporter is the replication connection that has made the slot. The snapshot can
// be opened elsewhere while it lives and does nothing else.
type exporter struct {
	conn     *pgconn.PgConn
	lsn      LSN    // where the slot begins
	snapshot string // name of the exported snapshot
}

func (e *exporter) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = e.conn.Close(ctx) // the slot stays, and whoever has opened the snapshot keeps it
}

// exportSlot makes the slot together with a snapshot of exactly what was committed
// before its first change.
func (c *Control) exportSlot(ctx context.Context, pos Position) (*exporter, error) {
	if c.config.FailoverSlot && c.server.version < 170000 {
		return nil, &SetupError{Problem: "failover slots need PostgreSQL 17", Remedy: "turn postgres.failover_slot off"}
	}
	rc, err := c.config.replicationConfig()
	if err != nil {
		return nil, err
	}
	conn, err := pgconn.ConnectConfig(ctx, rc)
	if err != nil {
		return nil, c.config.connectError(err)
	}
	e := &exporter{conn: conn}
	if err := e.create(ctx, c, pos); err != nil {
		e.close(ctx)
		return nil, err
	}
	return e, nil
}

func (e *exporter) create(ctx context.Context, c *Control, pos Position) error {
	step := fmt.Sprintf("create slot %q", c.config.Slot)
	system, err := pglogrepl.IdentifySystem(ctx, e.conn)
	if err != nil {
		return c.rightsError("identify system", err)
	}
	if system.SystemID != pos.SystemID || system.Timeline != pos.Timeline {
		return fmt.Errorf("%w: system %s timeline %d, expected %s timeline %d", ErrServerChanged, system.SystemID, system.Timeline, pos.SystemID, pos.Timeline)
	}
	// Between here and the opening of the snapshot this connection is idle in a
	// transaction, which idle_in_transaction_session_timeout would end.
	if _, err := e.conn.Exec(ctx, `SELECT set_config(name, '0', false) FROM pg_settings WHERE `+timeouts).ReadAll(); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	results, err := e.conn.Exec(ctx, c.config.exportSQL(c.server.version)).ReadAll()
	switch sqlState(err) {
	case "":
	case codeLimitExceeded:
		return c.slotLimitError(err)
	case codeDuplicateObject:
		return fmt.Errorf("%s: somebody has just made it: %w: %v", step, ErrSlotActive, err)
	default:
		return c.rightsError(step, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 4 {
		return fmt.Errorf("%s: the server's answer is not one row of four columns", step)
	}
	row := results[0].Rows[0] // slot_name, consistent_point, snapshot_name, output_plugin
	e.snapshot = string(row[2])
	return parseLSN(string(row[1]), &e.lsn)
}

// exportSQL is the replication command that makes the slot.
func (c Config) exportSQL(version int) string {
	sql := "CREATE_REPLICATION_SLOT " + quoteIdent(c.Slot) + " LOGICAL pgoutput"
	switch {
	case c.FailoverSlot:
		return sql + " (SNAPSHOT 'export', FAILOVER)"
	case version >= 150000:
		return sql + " (SNAPSHOT 'export')"
	}
	return sql + " EXPORT_SNAPSHOT"
}
