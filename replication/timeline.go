package replication

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
)

// ParseLSN reads an LSN as PostgreSQL writes it, such as 0/16B3748.
func ParseLSN(text string) (LSN, error) { return pglogrepl.ParseLSN(text) }

// TimelineSwitch asks the server where its history left the timeline of; now is the
// timeline it is on (TIMELINE_HISTORY). An error when of is none of its ancestors.
func TimelineSwitch(ctx context.Context, c Config, now, of int32) (LSN, error) {
	rc, err := c.replicationConfig()
	if err != nil {
		return 0, err
	}
	pg, err := pgconn.ConnectConfig(ctx, rc)
	if err != nil {
		return 0, c.connectError(err)
	}
	defer pg.Close(context.WithoutCancel(ctx))
	history, err := pglogrepl.TimelineHistory(ctx, pg, now)
	if err != nil {
		return 0, fmt.Errorf("ask for the history of timeline %d: %w", now, err)
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
	return 0, fmt.Errorf("timeline %d is no ancestor of the server's", of)
}
