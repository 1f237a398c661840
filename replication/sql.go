package replication

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// outboxDDL is the table of the shape; see CreateOutbox.
func outboxDDL(t Table, shape string) (string, error) {
	switch shape {
	case "debezium":
		return fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s (
	id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	aggregatetype text NOT NULL,
	aggregateid   text NOT NULL,
	type          text NOT NULL,
	payload       jsonb
)`, t), nil
	case "snake":
		return fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s (
	id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	aggregate_type text NOT NULL,
	aggregate_id   text NOT NULL,
	event_type     text NOT NULL,
	payload        jsonb,
	created_at     timestamptz NOT NULL DEFAULT now()
)`, t), nil
	}
	return "", fmt.Errorf("outbox shape %q: use debezium or snake", shape)
}

// PrivilegeSQL is the SQL that a superuser runs once, in the relay's database, so
// that the role needs no right but LOGIN, REPLICATION and the marker: role,
// publication, marker, slot, in the order that matters, each left alone where it
// exists. role "" means the role of the connection string. The outbox tables must
// exist. With a snapshot the slot is left to the relay, which makes both in one,
// and the role may read the tables. Run it with psql, outside of a transaction: a slot can't be made in one
// that has written.
func PrivilegeSQL(c Config, role string) string {
	database := "(the relay's database)"
	if p, err := pgx.ParseConfig(c.ConnString); err == nil {
		database = p.Database
		if role == "" {
			role = p.User
		}
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("-- as a superuser, with psql in database %s; on Amazon RDS: GRANT rds_replication TO the role instead of REPLICATION", quoteIdent(database))
	line("DO $walrelay$ BEGIN")
	line("  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s) THEN CREATE ROLE %s LOGIN; END IF; -- then set a password: \\password", quoteLiteral(role), quoteIdent(role))
	line("  IF NOT (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = %s) THEN ALTER ROLE %s REPLICATION; END IF;", quoteLiteral(role), quoteIdent(role))
	mode := c.Snapshot.mode()
	if mode != SnapshotOnly {
		line("  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = %s) THEN", quoteLiteral(c.Publication))
		line("    %s;", c.publicationSQL())
		line("  END IF;")
	}
	line("END $walrelay$;")
	line("DO $walrelay$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %%I TO %%I', current_database(), %s); END $walrelay$;", quoteLiteral(role))
	line("%s;", markerSchemaDDL)
	line("%s;", markerTableDDL)
	line("GRANT USAGE ON SCHEMA walrelay TO %s;", quoteIdent(role))
	line("GRANT SELECT, INSERT, UPDATE ON walrelay.marker TO %s;", quoteIdent(role))
	if mode != SnapshotNone {
		line("-- a snapshot reads the tables; a stream needs no right to them")
		for _, sql := range c.selectSQL(role) {
			line("%s", sql)
		}
		line("-- no slot: the first start makes it, together with its snapshot, or needs none")
		return b.String()
	}
	line("-- publication before slot; a slot keeps WAL back until the relay runs")
	line("%s WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)", c.slotSQL(), quoteLiteral(c.Slot))
	line("  AND NOT EXISTS (SELECT FROM walrelay.marker WHERE slot = %s);", quoteLiteral(c.Slot))
	return b.String()
}
