package replication

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// standbyState is what a standby has of what a failover slot needs.
type standbyState struct {
	sync, feedback bool
	primarySlot    string
	conninfo       *string // nil: not to be seen without pg_read_all_settings
	slot           bool    // our slot is there
	synced         bool    // and is one that is synchronised
}

var conninfoDatabase = regexp.MustCompile(`\bdbname\s*=`)

func lookAtStandby(ctx context.Context, conn *pgx.Conn, slot string) (standbyState, error) {
	var s standbyState
	err := conn.QueryRow(ctx, `SELECT current_setting('sync_replication_slots')::bool, current_setting('hot_standby_feedback')::bool, current_setting('primary_slot_name'),
		(SELECT setting FROM pg_settings WHERE name = 'primary_conninfo'),
		EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1), EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND synced AND NOT temporary)`,
		pgx.QueryExecModeSimpleProtocol, slot).Scan(&s.sync, &s.feedback, &s.primarySlot, &s.conninfo, &s.slot, &s.synced)
	if err != nil {
		return s, fmt.Errorf("look at the standby: %w", err)
	}
	return s, nil
}

// standbyFindings looks at the standbys among the hosts: does the slot come along?
func (c Config) standbyFindings(hosts []hostState) (list []Finding) {
	for _, h := range hosts {
		if h.err != nil || !h.inRecovery {
			continue
		}
		name := "failover_slot on " + h.address
		switch {
		case !c.FailoverSlot && h.version >= 170000:
			list = append(list, Finding{
				Name: name, Level: Warn, Detail: "postgres.failover_slot is off",
				Cause:  "the slot is not on this standby: after a failover to it the relay stops with a gap (exit code 4)",
				Remedy: "postgres.failover_slot: true for a new slot; an existing one, while the relay is stopped, on a replication connection: ALTER_REPLICATION_SLOT " + quoteIdent(c.Slot) + " (FAILOVER true);",
			})
		case h.version < 170000:
			list = append(list, Finding{
				Name: name, Level: Warn, Detail: versionText(h.version) + " does not keep logical slots on a standby",
				Cause:  "after a failover to it the relay stops with a gap (exit code 4), unless something else copies the slot",
				Remedy: "PostgreSQL 17 with postgres.failover_slot; until then Patroni's permanent slots (slots: in its configuration) or the extension pg_failover_slots",
			})
		default:
			list = append(list, h.standby.finding(name))
		}
	}
	return list
}

func (s standbyState) finding(name string) Finding {
	var missing, remedy []string
	need := func(ok bool, what, sql string) {
		if !ok {
			missing, remedy = append(missing, what), append(remedy, sql)
		}
	}
	need(s.sync, "sync_replication_slots is off", "ALTER SYSTEM SET sync_replication_slots = on;")
	need(s.feedback, "hot_standby_feedback is off", "ALTER SYSTEM SET hot_standby_feedback = on;")
	need(s.primarySlot != "", "primary_slot_name is empty", "ALTER SYSTEM SET primary_slot_name = '(a physical slot of the primary)';")
	need(s.conninfo == nil || conninfoDatabase.MatchString(*s.conninfo), "primary_conninfo names no dbname", "ALTER SYSTEM SET primary_conninfo = '(what it is now) dbname=postgres';")
	switch {
	case len(missing) > 0:
		return Finding{
			Name: name, Level: Warn, Detail: strings.Join(missing, ", "),
			Cause:  "the slot is not kept on this standby: after a failover to it the relay stops with a gap (exit code 4)",
			Remedy: "on the standby:\n" + strings.Join(remedy, "\n") + "\nSELECT pg_reload_conf();",
		}
	case s.slot && !s.synced:
		return Finding{
			Name: name, Level: Warn, Detail: "the slot is there, but not synchronised yet or not a copy of the primary's",
			Cause:  "after a failover now the relay would stop with a gap",
			Remedy: "wait for the standby to catch up; a slot of that name that was made on the standby itself is to be dropped there",
		}
	case !s.slot:
		return Finding{Name: name, Detail: "its settings keep slots; this one is not there yet"}
	}
	return Finding{Name: name, Detail: "the slot is kept there"}
}

// failover looks at what a failover slot needs, as far as the primary shows it.
func (k *check) failover(ctx context.Context) error {
	if !k.config.FailoverSlot {
		return nil
	}
	name := "failover_slot"
	if k.server.version < 170000 {
		k.put(Finding{
			Name: name, Level: Fail, Detail: "failover slots need PostgreSQL 17",
			Cause: "the slot can't be made", Remedy: "postgres.failover_slot: false; for older versions see Patroni's permanent slots or pg_failover_slots",
		})
		return nil
	}
	if s := k.facts.slot; s != nil && !s.Failover {
		k.put(Finding{
			Name: name, Level: Fail, Detail: fmt.Sprintf("slot %q exists without failover", k.config.Slot),
			Cause:  "no standby keeps it: after a failover the relay stops with a gap",
			Remedy: fmt.Sprintf("stop the relay, then on a replication connection: ALTER_REPLICATION_SLOT %s (FAILOVER true);", quoteIdent(k.config.Slot)),
		})
		return nil
	}
	var waits, absent string
	var feedback int
	err := k.conn.QueryRow(ctx, `SELECT current_setting('synchronized_standby_slots'),
		(SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'physical' AND active AND xmin IS NOT NULL),
		coalesce((SELECT string_agg(trim(n), ', ') FROM unnest(string_to_array(nullif(current_setting('synchronized_standby_slots'), ''), ',')) AS n
			WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_type = 'physical' AND active AND slot_name = trim(both ' "' FROM n))), '')`).Scan(&waits, &feedback, &absent)
	if err != nil {
		return fmt.Errorf("look at failover settings: %w", err)
	}
	standby := "on the standby: sync_replication_slots = on, hot_standby_feedback = on, primary_slot_name set, dbname in primary_conninfo"
	switch {
	case absent != "":
		k.put(Finding{
			Name: name, Level: Fail, Detail: "synchronized_standby_slots names slots that no standby uses now: " + absent,
			Cause:  "the stream waits for them, so no event is delivered until they are back",
			Remedy: "start the standby; or take it out:\n" + k.service.set(setting{name: "synchronized_standby_slots", value: "''"}),
		})
	case feedback == 0:
		k.put(Finding{
			Name: name, Level: Warn, Detail: "no standby is connected through a physical slot with hot_standby_feedback",
			Cause: "the slot is kept nowhere else: after a failover the relay stops with a gap", Remedy: standby,
		})
	case waits == "":
		k.put(Finding{
			Name: name, Level: Warn, Detail: "synchronized_standby_slots is empty",
			Cause:  "the relay may read ahead of the standby: after a failover events are in Kafka whose transactions are lost",
			Remedy: k.service.set(setting{name: "synchronized_standby_slots", value: "'(the physical slot of the standby)'"}) + "\n" + standby,
		})
	default:
		k.ok(name, "waits for the standby slots %s", waits)
	}
	return nil
}
