package replication

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// CheckSource says whether the publication exists and delivers the inserts of the
// outbox tables, for one who only watches: nil or a *SetupError. It looks at no
// slot and no marker and needs no right but to log in.
func (c *Control) CheckSource(ctx context.Context) error {
	tables, err := c.tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := tableProblem(t); err != nil {
			return err
		}
	}
	p, err := c.publication(ctx)
	if err != nil {
		return err
	}
	if !p.exists {
		return &SetupError{
			Problem: fmt.Sprintf("there is no publication %q in database %q", c.config.Publication, c.server.database),
			Remedy:  "correct postgres.publication (SELECT pubname FROM pg_publication)",
		}
	}
	return c.config.publicationProblem(p, tables)
}

// OpenTemporary makes the slot of c as a temporary one and streams from it. The
// server drops such a slot with its connection, however that ends: nothing is left
// behind, and nothing goes on after a loss. It looks at no marker, makes nothing
// that lasts and waits, as long as ctx allows, for the transactions that are open.
// The Position's Confirmed is where the slot begins: every transaction that commits
// after it is sent, none before it. The first status has to say it.
//
// The error is a *SetupError when rights, settings, a free slot or a free walsender
// are missing.
func OpenTemporary(ctx context.Context, c Config) (*Stream, Position, error) {
	rc, err := c.replicationConfig()
	if err != nil {
		return nil, Position{}, err
	}
	var in *bufio.Reader
	rc.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		in = bufio.NewReaderSize(r, readBuffer)
		return pgproto3.NewFrontend(in, w)
	}
	pg, err := pgconn.ConnectConfig(ctx, rc)
	if err != nil {
		return nil, Position{}, c.temporaryError("connect for replication", err)
	}
	pos, err := c.createTemporary(ctx, pg)
	var s *Stream
	if err == nil {
		s, err = startStream(ctx, c, pos, pg)
	}
	if err != nil {
		goodbye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = pg.Close(goodbye) // the error to report is the first one
		return nil, Position{}, err
	}
	s.in = in
	return s, pos, nil
}

// createTemporary makes the slot on the connection that will read it.
func (c Config) createTemporary(ctx context.Context, pg *pgconn.PgConn) (Position, error) {
	system, err := pglogrepl.IdentifySystem(ctx, pg)
	if err != nil {
		return Position{}, c.temporaryError("identify system", err)
	}
	// The form with and without parentheses both exist since 15; before, only this one.
	results, err := pg.Exec(ctx, "CREATE_REPLICATION_SLOT "+quoteIdent(c.Slot)+" TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT").ReadAll()
	if err != nil {
		return Position{}, c.temporaryError(fmt.Sprintf("create temporary slot %q", c.Slot), err)
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) < 2 {
		return Position{}, fmt.Errorf("create temporary slot %q: the server's answer is not one row with name and position", c.Slot)
	}
	pos := Position{SystemID: system.SystemID, Timeline: system.Timeline, Made: true}
	if err := parseLSN(string(results[0].Rows[0][1]), &pos.Confirmed); err != nil { // slot_name, consistent_point, …
		return Position{}, err
	}
	pos.Created = pos.Confirmed
	return pos, nil
}

// temporaryError explains what keeps a temporary slot from being made.
func (c Config) temporaryError(step string, err error) error {
	setup := func(remedy string) error {
		return &SetupError{Problem: fmt.Sprintf("%s on %s: %v", step, c.Target(), err), Remedy: remedy, Err: err}
	}
	switch code := sqlState(err); {
	case code == codeLimitExceeded:
		return setup("a free replication slot is needed for as long as this runs: drop a slot nobody uses " +
			"(SELECT slot_name, active FROM pg_replication_slots), or raise max_replication_slots and restart")
	case code == codeTooManyConnections:
		return setup("a free walsender is needed for as long as this runs: end a replication connection nobody needs " +
			"(SELECT pid, application_name FROM pg_stat_replication), or raise max_wal_senders and restart")
	case code == codeInsufficientPrivilege:
		return setup("the role needs LOGIN and REPLICATION, and nothing else (on Amazon RDS: GRANT rds_replication)")
	case code == codePrerequisite && strings.Contains(err.Error(), "wal_level"):
		return walLevelError("not logical")
	case code == "":
		return fmt.Errorf("%s on %s: %w", step, c.Target(), err)
	}
	return c.connectError(err)
}

// codeTooManyConnections is also what the server says when all walsenders are in use.
const codeTooManyConnections = "53300"
