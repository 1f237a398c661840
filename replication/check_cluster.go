package replication

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// settings looks at those that do harm to a relay, and at some that are thought to.
func (k *check) settings(ctx context.Context) error {
	var synchronous, idleText, sender string
	var idle int64
	err := k.conn.QueryRow(ctx, `SELECT current_setting('synchronous_standby_names'), coalesce(current_setting('idle_replication_slot_timeout', true), ''),
		coalesce((SELECT setting::int8 FROM pg_settings WHERE name = 'idle_replication_slot_timeout'), 0), current_setting('wal_sender_timeout')`).
		Scan(&synchronous, &idleText, &idle, &sender)
	if err != nil {
		return fmt.Errorf("look at the server's settings: %w", err)
	}
	if strings.Contains(synchronous, "*") || strings.Contains(synchronous, "walrelay") {
		k.put(Finding{
			Name: "synchronous_standby_names", Level: Warn, Detail: fmt.Sprintf("%q takes the relay for a standby", synchronous),
			Cause:  "while Kafka is away nothing is confirmed, and the commits of all applications hang",
			Remedy: "name the real standbys instead of *, for instance:\n" + k.service.set(setting{name: "synchronous_standby_names", value: "'standby1'"}),
		})
	} else {
		k.ok("synchronous_standby_names", "%s", orWord(synchronous, "empty"))
	}
	switch {
	case idle > 0: // PostgreSQL 18
		k.put(Finding{
			Name: "idle_replication_slot_timeout", Level: Warn, Detail: idleText,
			Cause:  "when the relay is away for as long, the next checkpoint invalidates its slot, and what was not delivered is missing",
			Remedy: k.service.set(setting{name: "idle_replication_slot_timeout", value: "0"}),
		})
	case idleText != "":
		k.ok("idle_replication_slot_timeout", "off")
	}
	k.ok("wal_sender_timeout", "%s; no matter: the relay asks for %s on its own connection", sender, k.config.sessionTimeout())
	return nil
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// heldBack is what another slot that nobody reads may hold back.
const (
	heldBack   = 1 << 30
	heldBackXs = 50_000_000
)

// slotBeside is a slot of the cluster that is not ours.
type slotBeside struct {
	Name, Type, Status string
	Active             bool
	Retained           int64
	Age                int64 // of its xmin or catalog_xmin, in transactions
}

// otherSlots looks for slots that nobody reads and that fill the same disk.
func (k *check) otherSlots(ctx context.Context) error {
	rows, err := k.conn.Query(ctx, `SELECT slot_name, slot_type, coalesce(wal_status, ''), active,
		coalesce(greatest(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - restart_lsn, 0), 0)::int8,
		coalesce(greatest(age(xmin), age(catalog_xmin)), 0)::int8 FROM pg_replication_slots WHERE slot_name <> $1 AND NOT temporary ORDER BY 5 DESC`, k.config.Slot)
	if err != nil {
		return fmt.Errorf("look at the other slots: %w", err)
	}
	slots, err := pgx.CollectRows(rows, pgx.RowToStructByPos[slotBeside])
	if err != nil {
		return fmt.Errorf("look at the other slots: %w", err)
	}
	k.findings = append(k.findings, besideFindings(slots)...)
	return nil
}

func besideFindings(slots []slotBeside) (list []Finding) {
	const name = "other slots"
	quiet, most := 0, int64(0)
	for _, s := range slots {
		drop := "SELECT pg_drop_replication_slot(" + quoteLiteral(s.Name) + "); -- only if nobody needs it any more"
		f := Finding{Name: name, Level: Warn, Remedy: "start what reads it, or\n" + drop}
		switch {
		case s.Status == "lost":
			f.Detail = fmt.Sprintf("%s slot %q is lost", s.Type, s.Name)
			f.Cause, f.Remedy = "nothing can be read from it any more; it takes one of max_replication_slots", drop
		case !s.Active && s.Retained > heldBack:
			f.Detail = fmt.Sprintf("%s slot %q is read by nobody and holds back %s of WAL", s.Type, s.Name, bytesText(s.Retained))
			f.Cause = "it fills the disk of the primary, and with it ends the relay's work too"
		case !s.Active && s.Age > heldBackXs:
			f.Detail = fmt.Sprintf("%s slot %q is read by nobody and is %d million transactions old", s.Type, s.Name, s.Age/1_000_000)
			f.Cause = "vacuum can't clean what is younger: tables and catalogs bloat, in the end the server refuses to write"
		default:
			quiet++
			most = max(most, s.Retained)
			continue
		}
		list = append(list, f)
	}
	switch {
	case len(slots) == 0:
		list = append(list, Finding{Name: name, Detail: "none"})
	case quiet > 0:
		list = append(list, Finding{Name: name, Detail: fmt.Sprintf("%d, none of which does harm (%s of WAL at most)", quiet, bytesText(most))})
	}
	return list
}

// longTime is what a transaction may take before it is named; waitTime when a slot
// is still to be made, which waits for all that have written.
const (
	longTime = 10 * time.Minute
	waitTime = 10 * time.Second
)

// longTransaction is one that has written.
type longTransaction struct {
	PID                                int32
	User, Application, Database, State string
	Seconds                            *float64 // nil: not to be seen without pg_read_all_stats
	Age                                int64    // in transactions
}

// longTransactions looks for transactions that hold back the slot's restart_lsn and
// keep a new slot from being made. Those that only read do neither.
func (k *check) longTransactions(ctx context.Context) error {
	if k.server.inRecovery {
		return nil
	}
	rows, err := k.conn.Query(ctx, `SELECT pid, coalesce(usename, '')::text, coalesce(application_name, ''), coalesce(datname, '')::text, coalesce(state, ''),
		extract(epoch FROM clock_timestamp() - xact_start)::float8, age(backend_xid)::int8 FROM pg_stat_activity
		WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start NULLS FIRST`)
	if err != nil {
		return fmt.Errorf("look at transactions: %w", err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[longTransaction])
	if err != nil {
		return fmt.Errorf("look at transactions: %w", err)
	}
	k.findings = append(k.findings, longFindings(open, k.facts.slot == nil, k.server.role)...)
	return nil
}

func longFindings(open []longTransaction, noSlot bool, role string) (list []Finding) {
	const name = "long transactions"
	limit, cause := longTime, "the slot can't move on past its beginning: WAL piles up, and a restart of the relay decodes all of it again"
	if noSlot {
		limit, cause = waitTime, "a slot can be made only after every transaction that has written has ended: the first start waits for it"
	}
	hidden := 0
	for _, t := range open {
		if t.Seconds == nil {
			if t.Age > 10_000 {
				hidden++
			}
			continue
		}
		since := time.Duration(*t.Seconds * float64(time.Second))
		if since < limit {
			continue
		}
		list = append(list, Finding{
			Name: name, Level: Warn, Cause: cause,
			Detail: fmt.Sprintf("process %d (%s of %s in %s, %s) has been in one for %s", t.PID, orWord(t.Application, "no application_name"), t.User, t.Database, t.State, spanText(since)),
			Remedy: fmt.Sprintf("have it commit; if nobody misses it: SELECT pg_terminate_backend(%d);", t.PID),
		})
	}
	switch {
	case hidden > 0:
		list = append(list, Finding{
			Name: name, Level: Warn, Detail: fmt.Sprintf("%d of other users, at least 10000 transactions old; since when is not shown to %q", hidden, role),
			Cause: cause, Remedy: fmt.Sprintf("GRANT pg_read_all_stats TO %s; -- then check again", quoteIdent(role)),
		})
	case len(list) == 0:
		list = append(list, Finding{Name: name, Detail: "none above " + spanText(limit)})
	}
	return list
}

// preparedTransaction is one that waits for its second phase.
type preparedTransaction struct {
	GID, Owner, Database string
	Seconds              float64
}

// prepared looks for transactions that somebody has prepared and forgotten: they
// outlive every restart.
func (k *check) prepared(ctx context.Context) error {
	rows, err := k.conn.Query(ctx, `SELECT gid, owner::text, database::text, extract(epoch FROM clock_timestamp() - prepared)::float8 FROM pg_prepared_xacts ORDER BY prepared`)
	if err != nil {
		return fmt.Errorf("look at prepared transactions: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[preparedTransaction])
	if err != nil {
		return fmt.Errorf("look at prepared transactions: %w", err)
	}
	k.findings = append(k.findings, preparedFindings(list, k.facts.slot == nil)...)
	return nil
}

func preparedFindings(all []preparedTransaction, noSlot bool) (list []Finding) {
	const name = "prepared transactions"
	limit, cause := longTime, "the slot can't move on past its beginning, also over restarts: WAL piles up without end"
	if noSlot {
		limit, cause = waitTime, "a slot can be made only after it has ended: the first start waits for it without end"
	}
	for _, p := range all {
		since := time.Duration(p.Seconds * float64(time.Second))
		if since < limit {
			continue
		}
		list = append(list, Finding{
			Name: name, Level: Warn, Cause: cause,
			Detail: fmt.Sprintf("%q of %s in %s waits for its second phase for %s", p.GID, p.Owner, p.Database, spanText(since)),
			Remedy: fmt.Sprintf("ask its transaction manager; if it is forgotten, as %s in database %s: ROLLBACK PREPARED %s;", p.Owner, p.Database, strings.TrimSpace(quoteLiteral(p.GID))),
		})
	}
	if len(list) == 0 {
		list = append(list, Finding{Name: name, Detail: "none above " + spanText(limit)})
	}
	return list
}
