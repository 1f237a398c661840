package replication

import (
	"context"
	"fmt"
)

// EmitMessage writes a logical message of a transaction of its own into the WAL
// (pg_logical_emit_message). Every slot of the database decodes it. It returns
// when the transaction has committed.
func (c *Control) EmitMessage(ctx context.Context, prefix, content string) error {
	if _, err := c.conn.Exec(ctx, `SELECT pg_logical_emit_message(true, $1, $2::text)`, prefix, content); err != nil {
		return fmt.Errorf("write logical message %q: %w", prefix, err)
	}
	return nil
}
