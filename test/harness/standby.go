package harness

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
)

// Standby is a hot standby that streams from a primary through a physical slot.
type Standby struct {
	*postgres.Server
	Slot string // the physical slot on its primary

	primary *postgres.Server
}

// StandbyOf makes a standby of a running server. It sends hot_standby_feedback.
// settings are its own.
func StandbyOf(t testing.TB, primary *postgres.Server, settings map[string]string) *Standby {
	t.Helper()
	s := &Standby{Slot: uniqueName(), primary: primary}
	ask(t, primary, "SELECT pg_create_physical_replication_slot('"+s.Slot+"', true)")
	image := TakeImage(t, primary)
	data := filepath.Join(image.dir, "data")
	// As pg_basebackup does: slots are the primary's.
	if err := emptyDir(filepath.Join(data, "pg_replslot")); err != nil {
		t.Fatal(err)
	}
	if err := signalFile(data, "standby.signal"); err != nil {
		t.Fatal(err)
	}
	own := map[string]string{
		"primary_conninfo":             fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres application_name=%s", primary.Port(), s.Slot),
		"primary_slot_name":            s.Slot,
		"hot_standby_feedback":         "on",
		"wal_retrieve_retry_interval":  "100ms",
		"wal_receiver_status_interval": "1s",
	}
	maps.Copy(own, settings)
	s.Server = privatePostgres(t, postgres.Options{Version: strconv.Itoa(primary.Major()), DataDir: image.dir, Settings: own})
	Eventually(t, standbyTimeout, "the standby streams from its primary", func() bool {
		return ask(t, primary, "SELECT count(*)::text FROM pg_stat_replication WHERE state = 'streaming' AND application_name = '"+s.Slot+"'") == "1"
	})
	return s
}

// standbyTimeout bounds what a standby does in a second or two.
const standbyTimeout = 2 * time.Minute

// emptyDir removes all that is in a folder.
func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if err == nil {
			err = os.RemoveAll(filepath.Join(dir, entry.Name()))
		}
	}
	return err
}

// Guards lets the primary's failover slots wait for this standby
// (synchronized_standby_slots, PostgreSQL 17): nobody reads from them what the
// standby does not have.
func (s *Standby) Guards(t testing.TB) {
	t.Helper()
	ask(t, s.primary, "ALTER SYSTEM SET synchronized_standby_slots = '"+s.Slot+"'")
	ask(t, s.primary, "SELECT pg_reload_conf()")
	Eventually(t, standbyTimeout, "the primary knows of synchronized_standby_slots", func() bool {
		return ask(t, s.primary, "SHOW synchronized_standby_slots") == s.Slot
	})
}

// CatchUp waits until the standby has applied all that the primary has written so far.
func (s *Standby) CatchUp(t testing.TB) {
	t.Helper()
	end := ask(t, s.primary, "SELECT pg_current_wal_flush_lsn()")
	Eventually(t, standbyTimeout, "the standby has applied the primary's WAL up to "+end, func() bool {
		return ask(t, s.Server, "SELECT pg_last_wal_replay_lsn() >= '"+end+"'::pg_lsn") == "true"
	})
}

// KeepSlot lets the standby keep the primary's failover slots (sync_replication_slots,
// PostgreSQL 17) and waits until it has this one, so that it is there after a
// promotion. The server looks for new slots every half a minute only, but at once
// when that is switched on: so make the slot first. A relay has to read from it, or it
// stays behind where the standby's copy could begin.
func (s *Standby) KeepSlot(t testing.TB, slot string) {
	t.Helper()
	ask(t, s.Server, "ALTER SYSTEM SET sync_replication_slots = on")
	ask(t, s.Server, "SELECT pg_reload_conf()")
	Eventually(t, standbyTimeout, "the standby keeps slot "+slot, func() bool {
		// The primary's slot has to get behind where the standby's began, and moves from
		// one note of the running transactions to the next, of which there is one in 15 s.
		ask(t, s.primary, "SELECT pg_log_standby_snapshot()")
		return ask(t, s.Server, "SELECT count(*)::text FROM pg_replication_slots WHERE synced AND NOT temporary AND invalidation_reason IS NULL AND slot_name = '"+slot+"'") == "1"
	})
}

// Promote makes the standby a primary, on a new timeline, and returns when it
// accepts writes. The former primary is the caller's to end before.
func (s *Standby) Promote(t testing.TB) {
	t.Helper()
	if ask(t, s.Server, "SELECT pg_promote(true, 120)") != "true" {
		t.Fatal("the standby was not promoted")
	}
	awaitPrimary(t, s.Server)
}

// awaitPrimary waits until the server accepts writes.
func awaitPrimary(t testing.TB, server *postgres.Server) {
	t.Helper()
	Eventually(t, standbyTimeout, "the server accepts writes", func() bool {
		return ask(t, server, "SELECT pg_is_in_recovery()") == "false"
	})
}

// ask runs one statement on a server as its superuser and returns its value as text.
func ask(t testing.TB, server *postgres.Server, sql string) (value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), standbyTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.ConnString("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(background(t))
	results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", abbreviate(sql), err)
	}
	if len(results) == 0 || len(results[0].Rows) == 0 {
		return ""
	}
	switch value = string(results[0].Rows[0][0]); value {
	case "t":
		return "true"
	case "f":
		return "false"
	}
	return value
}

// On is the same database on another server that has it: a standby, or one that was
// restored elsewhere. Several servers make a connection string of several hosts, of
// which the one is taken that accepts writes. The test's end drops nothing there.
func (db *DB) On(servers ...*postgres.Server) *DB {
	other := *db
	var hosts, ports []string
	for _, server := range servers {
		hosts, ports = append(hosts, "127.0.0.1"), append(ports, strconv.Itoa(server.Port()))
	}
	where := fmt.Sprintf("host=%s port=%s user=postgres sslmode=disable target_session_attrs=read-write connect_timeout=5 dbname=", strings.Join(hosts, ","), strings.Join(ports, ","))
	other.address, other.admin = where+db.Name, where+"postgres"
	return &other
}
