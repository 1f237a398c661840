package replication

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
)

// ParseLSN reads an LSN as PostgreSQL writes it, such as 0/16B3748.
func ParseLSN(text string) (LSN, error) { return pglogrepl.ParseLSN(text) }

// ErrNoAncestor says that a server was never on a timeline, or has no record of it.
var ErrNoAncestor = errors.New("no ancestor of the server's timeline")

// TimelineSwitch asks the server where its history left the timeline of: the record
// that begins there is another one than of's. pos says which server is meant:
// ErrServerChanged when another one answers. ErrNoAncestor when of is none of its
// ancestors.
func TimelineSwitch(ctx context.Context, c Config, pos Position, of int32) (LSN, error) {
	rc, err := c.replicationConfig()
	if err != nil {
		return 0, err
	}
	pg, err := pgconn.ConnectConfig(ctx, rc)
	if err != nil {
		return 0, c.connectError(err)
	}
	defer pg.Close(context.WithoutCancel(ctx))
	system, err := pglogrepl.IdentifySystem(ctx, pg)
	if err != nil {
		return 0, fmt.Errorf("identify system: %w", err)
	}
	if system.SystemID != pos.SystemID || system.Timeline != pos.Timeline { // of several hosts, in a failover
		return 0, fmt.Errorf("%w: system %s timeline %d, expected %s timeline %d", ErrServerChanged, system.SystemID, system.Timeline, pos.SystemID, pos.Timeline)
	}
	history, err := pglogrepl.TimelineHistory(ctx, pg, pos.Timeline)
	if sqlState(err) == codeUndefinedFile {
		return 0, fmt.Errorf("timeline %d: %w: %w", of, ErrNoAncestor, err)
	}
	if err != nil {
		return 0, fmt.Errorf("ask for the history of timeline %d: %w", pos.Timeline, err)
	}
	return switchPoint(history.Content, of)
}

// switchPoint finds where a timeline ended in a history file: lines of timeline,
// LSN and a reason (PostgreSQL's timeline.c).
func switchPoint(content []byte, of int32) (LSN, error) {
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		timeline, err := strconv.ParseInt(fields[0], 10, 32)
		if err != nil || int32(timeline) != of {
			continue
		}
		lsn, err := ParseLSN(fields[1])
		if err != nil {
			return 0, fmt.Errorf("history of timelines: LSN %q: %w", fields[1], err)
		}
		return lsn, nil
	}
	return 0, fmt.Errorf("timeline %d: %w", of, ErrNoAncestor)
}
