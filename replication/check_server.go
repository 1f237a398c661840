package replication

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"
)

func (k *check) serverFinding() {
	s := k.server
	if s.version < minimumVersion {
		k.put(Finding{
			Name: "version", Level: Fail, Detail: versionText(s.version) + " is too old",
			Cause: "what the relay asks of catalog and replication protocol came with PostgreSQL 14", Remedy: "use PostgreSQL 14 or later",
		})
	} else {
		k.ok("version", "%s", versionText(s.version))
	}
	switch {
	case s.walLevel != "logical":
		k.put(Finding{
			Name: "wal_level", Level: Fail, Detail: fmt.Sprintf("wal_level is %s, logical replication needs logical", s.walLevel),
			Cause: "the WAL lacks what it takes to decode rows from it: no slot can be made", Remedy: k.service.logical,
		})
	default:
		k.ok("wal_level", "%s", s.walLevel)
	}
	if s.inRecovery {
		k.put(Finding{
			Name: "recovery", Level: Fail, Detail: "the server is a standby",
			Cause: "on a standby no marker can be written and the slot does not move; events wait until it is promoted", Remedy: "connect to the primary, or name all hosts in postgres.url and leave target_session_attrs=read-write, its default",
		})
	} else {
		k.ok("recovery", "the server accepts writes, timeline %d", s.timeline)
	}
}

// encoding: the server converts text to UTF-8 for our connection, but for SQL_ASCII,
// whose bytes are nobody's.
func (k *check) encoding(ctx context.Context) error {
	var encoding string
	if err := k.conn.QueryRow(ctx, `SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()`).Scan(&encoding); err != nil {
		return fmt.Errorf("look at the database's encoding: %w", err)
	}
	k.put(encodingFinding(encoding))
	return nil
}

func encodingFinding(encoding string) Finding {
	f := Finding{Name: "encoding", Detail: encoding}
	switch encoding {
	case "UTF8":
	case "SQL_ASCII":
		f.Level = Warn
		f.Cause = "the server does not know which characters the bytes are and passes them on as they are: text that is not UTF-8 comes as such into Kafka, and consumers can't read it"
		f.Remedy = "write only UTF-8 into the outbox; or move to a database in UTF-8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, then dump and restore"
	default:
		f.Detail += ", which the server converts to UTF-8 for the relay"
	}
	return f
}

// clockSkew is the difference of clocks that is worth a word: lag and latency are
// the difference of two clocks, and what the look back reads is found by time.
const clockSkew = 2 * time.Second

func (k *check) clock(ctx context.Context) error {
	var server time.Time
	before := time.Now()
	if err := k.conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&server); err != nil {
		return fmt.Errorf("ask for the server's time: %w", err)
	}
	trip := time.Since(before)
	k.put(clockFinding(server.Sub(before.Add(trip/2)), trip))
	return nil
}

func clockFinding(ahead, trip time.Duration) Finding {
	f := Finding{Name: "clock", Detail: fmt.Sprintf("PostgreSQL's and the one here are at most %s apart", (ahead.Abs()+trip/2).Round(time.Millisecond)+time.Millisecond)}
	if ahead.Abs() > clockSkew+trip/2 {
		word := "ahead of"
		if ahead < 0 {
			word = "behind"
		}
		f.Level = Warn
		f.Detail = fmt.Sprintf("PostgreSQL's is %s the one here by %s", word, ahead.Abs().Round(10*time.Millisecond))
		f.Cause = "ages and latencies are wrong by as much; records carry the commit time of PostgreSQL's clock"
		f.Remedy = "have both machines follow the same time source (chrony, ntpd): `timedatectl` shows whether they do"
	}
	return f
}

// transport looks at how the connection is protected.
func (k *check) transport(context.Context) error {
	conn := k.conn.PgConn().Conn()
	secure, ok := conn.(*tls.Conn)
	if !ok {
		k.put(plainFinding(conn.RemoteAddr()))
		return nil
	}
	verified := false
	if c := k.conn.Config(); c.TLSConfig != nil {
		verified = !c.TLSConfig.InsecureSkipVerify || c.TLSConfig.VerifyPeerCertificate != nil
	}
	k.put(tlsFinding(secure.ConnectionState(), verified, time.Now()))
	return nil
}

func plainFinding(remote net.Addr) Finding {
	f := Finding{Name: "tls", Detail: "not used, and the connection does not leave this machine"}
	if tcp, ok := remote.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		f.Level, f.Detail = Warn, fmt.Sprintf("the connection to %s is not encrypted", remote)
		f.Cause = "whoever listens on the network reads every payload, and can take over the session"
		f.Remedy = "sslmode=verify-full and sslrootcert=FILE in postgres.url; the server needs ssl = on"
	}
	return f
}

func tlsFinding(state tls.ConnectionState, verified bool, now time.Time) Finding {
	f := Finding{Name: "tls", Detail: tls.VersionName(state.Version)}
	if !verified {
		f.Level, f.Detail = Warn, f.Detail+", but the server's certificate is not verified"
		f.Cause = "whoever can redirect the connection can pose as the server, and gets the password"
		f.Remedy = "sslmode=verify-full and sslrootcert=FILE (the certificate authority's) in postgres.url"
	}
	if len(state.PeerCertificates) > 0 {
		end := state.PeerCertificates[0].NotAfter
		left := end.Sub(now)
		f.Detail += ", certificate until " + end.UTC().Format(time.DateOnly)
		if left < certificateWarning {
			f.Level, f.Detail = Warn, f.Detail+fmt.Sprintf(" (%.0f days)", left.Hours()/24)
			f.Cause = strings.TrimPrefix(f.Cause+"; when the certificate ends, no connection that verifies it succeeds", "; ")
			f.Remedy = strings.TrimPrefix(f.Remedy+"\nrenew the server's certificate, then SELECT pg_reload_conf();", "\n")
		}
	}
	return f
}

// certificateWarning is how long before its end a certificate is warned about.
const certificateWarning = 21 * 24 * time.Hour

// pooler compares the process that answers with the one that the connection was
// promised: PostgreSQL itself always says its own, a pooler or proxy (PgBouncer,
// Supavisor, RDS Proxy, pgcat, Odyssey) makes a number up, because its clients share
// servers. Addresses prove nothing: they differ behind any load balancer or
// container port too.
func (k *check) pooler(ctx context.Context) error {
	for _, f := range k.findings {
		if f.Name == "pooler" {
			return nil // known by the host's name, with better words
		}
	}
	var pid uint32
	if err := k.conn.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
		return fmt.Errorf("ask for the server's process: %w", err)
	}
	if pid == k.conn.PgConn().PID() {
		k.ok("pooler", "none between: the server's own process answers")
		return nil
	}
	if k.service.name == "Neon" { // whose proxy stands before every compute and passes replication
		k.ok("pooler", "only Neon's proxy is between, which passes replication connections")
		return nil
	}
	k.put(Finding{
		Name: "pooler", Level: Warn, Detail: "a pooler or proxy stands between (PgBouncer, Supavisor, RDS Proxy or the like)",
		Cause:  "in transaction mode settings and locks of a session get lost between two statements; only PgBouncer 1.23 and later passes replication connections, and then the stream shares its limits and its restarts",
		Remedy: "name PostgreSQL's own host and port in postgres.url: the relay needs two connections only",
	})
	return nil
}
