package replication

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// hostTimeout bounds the look at one host.
const hostTimeout = 8 * time.Second

// hostState is what one host of the connection string says of itself.
type hostState struct {
	address    string
	err        error
	version    int
	inRecovery bool
	systemID   string
	timeline   int32
	standby    standbyState // of a standby with PostgreSQL 17 or later
}

// CheckConnection is the first part of the preflight: it looks at every host of the
// connection string, opens the SQL connection that Check goes on with, and tries out
// a replication connection, which is then closed again: pg_hba.conf and poolers often
// refuse just that one. The Control is nil when there is no SQL connection to be had;
// else the caller closes it.
func CheckConnection(ctx context.Context, c Config) (*Control, []Finding) {
	hosts := c.lookAtHosts(ctx)
	findings := hostFindings(hosts)
	control, err := c.connectWithin(ctx)
	if err != nil {
		f := c.connectionFinding("connection", err)
		for _, h := range hosts {
			if h.err == nil && !errors.Is(err, pgconn.ErrReadOnlyConnection) {
				f.Detail += fmt.Sprintf(" (without the relay's own startup parameters %s answers)", h.address)
				break
			}
		}
		return nil, append(findings, f)
	}
	findings = append(findings, Finding{Name: "connection", Detail: "as " + c.Target()})
	findings = append(findings, c.replicationFinding(ctx, control)...)
	return control, append(findings, c.standbyFindings(hosts)...)
}

func (c Config) connectWithin(ctx context.Context) (*Control, error) {
	ctx, cancel := context.WithTimeout(ctx, hostTimeout+2*time.Second)
	defer cancel()
	return Connect(ctx, c)
}

// hostNames are the hosts of the connection string, host:port each once.
func (c Config) hostNames() []string {
	p, err := pgx.ParseConfig(c.ConnString)
	if err != nil {
		return nil
	}
	var names []string
	seen := map[string]bool{}
	for _, h := range append([]*pgconn.FallbackConfig{{Host: p.Host, Port: p.Port}}, p.Fallbacks...) {
		if name := net.JoinHostPort(h.Host, strconv.Itoa(int(h.Port))); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// lookAtHosts asks all hosts at the same time. No parameters but the names: what a
// pooler refuses of ours is the connection's own finding.
func (c Config) lookAtHosts(ctx context.Context) []hostState {
	names := c.hostNames()
	states := make([]hostState, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, hostTimeout)
			defer cancel()
			states[i] = c.lookAtHost(ctx, name)
		})
	}
	all.Wait()
	return states
}

func (c Config) lookAtHost(ctx context.Context, address string) hostState {
	h := hostState{address: address}
	p, err := c.connConfig()
	if err != nil {
		h.err = err
		return h
	}
	p.ValidateConnect = nil // any
	delete(p.RuntimeParams, "statement_timeout")
	p.Config.Fallbacks = onlyHost(&p.Config, address)
	conn, err := pgx.ConnectConfig(ctx, p)
	if err != nil {
		h.err = err
		return h
	}
	defer func() {
		goodbye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(goodbye) // only looked at
	}()
	var system int64
	h.err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), s.system_identifier,
		CASE WHEN pg_is_in_recovery() THEN p.timeline_id ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END
		FROM pg_control_system() s, pg_control_checkpoint() p`, pgx.QueryExecModeSimpleProtocol).Scan(&h.version, &h.inRecovery, &system, &h.timeline)
	h.systemID = strconv.FormatUint(uint64(system), 10)
	if h.err == nil && h.inRecovery && h.version >= 170000 {
		h.standby, h.err = lookAtStandby(ctx, conn, c.Slot)
	}
	return h
}

// onlyHost makes p one for the host at address and returns the fallbacks that are
// left: sslmode=prefer names a host twice, with TLS and without.
func onlyHost(p *pgconn.Config, address string) []*pgconn.FallbackConfig {
	var left []*pgconn.FallbackConfig
	for _, f := range append([]*pgconn.FallbackConfig{{Host: p.Host, Port: p.Port, TLSConfig: p.TLSConfig}}, p.Fallbacks...) {
		if net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port))) == address {
			left = append(left, f)
		}
	}
	p.Host, p.Port, p.TLSConfig = left[0].Host, left[0].Port, left[0].TLSConfig
	return left[1:]
}

// hostFindings says what the hosts are, when there are several.
func hostFindings(hosts []hostState) (list []Finding) {
	if len(hosts) < 2 {
		return nil
	}
	var first *hostState // whose system the others are compared with
	primaries := 0
	for i := range hosts {
		if h := &hosts[i]; h.err == nil && !h.inRecovery {
			primaries++
			if first == nil {
				first = h
			}
		}
	}
	for i := range hosts {
		h := &hosts[i]
		f := Finding{Name: "host " + h.address}
		switch {
		case h.err != nil:
			f.Level, f.Detail = Warn, oneLine(h.err)
			f.Cause = "after a failover to this host the relay could not go on"
			f.Remedy = "start it, or take it out of postgres.url"
		case first != nil && h.systemID != first.systemID:
			f.Level, f.Detail = Fail, fmt.Sprintf("belongs to system %s, %s to system %s", h.systemID, first.address, first.systemID)
			f.Cause = "these are two databases, not a primary and its standby: the relay would publish from the one that answers first, and report a gap at the other"
			f.Remedy = "name only hosts of one cluster in postgres.url"
		case h.inRecovery:
			f.Detail = fmt.Sprintf("standby, %s, timeline %d", versionText(h.version), h.timeline)
		case primaries > 1:
			f.Level, f.Detail = Fail, fmt.Sprintf("takes writes, timeline %d, as %d hosts do", h.timeline, primaries)
			f.Cause = "the old primary was not shut down after a failover: events are written to two histories"
			f.Remedy = "stop the one that was left behind (the lower timeline), then rebuild it with pg_rewind"
		default:
			f.Detail = fmt.Sprintf("primary, %s, timeline %d", versionText(h.version), h.timeline)
		}
		list = append(list, f)
	}
	return list
}

// replicationFinding opens a replication connection as the stream does.
func (c Config) replicationFinding(ctx context.Context, control *Control) []Finding {
	const name = "replication connection"
	ctx, cancel := context.WithTimeout(ctx, hostTimeout)
	defer cancel()
	rc, err := c.replicationConfig()
	if err != nil {
		return []Finding{errorFinding(name, err)}
	}
	pg, err := pgconn.ConnectConfig(ctx, rc)
	if err != nil {
		f := c.connectionFinding(name, err)
		if service, unknown := control.recognise(ctx); unknown == nil && sqlState(err) == codeInsufficientPrivilege {
			f.Remedy = service.replicate(quoteIdent(control.server.role))
		}
		return []Finding{f}
	}
	defer func() {
		goodbye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = pg.Close(goodbye) // only tried out
	}()
	system, err := pglogrepl.IdentifySystem(ctx, pg)
	if err != nil {
		return []Finding{c.connectionFinding(name, err)}
	}
	if system.SystemID != control.server.systemID {
		return []Finding{{
			Name: name, Level: Fail, Detail: fmt.Sprintf("reaches system %s, SQL reaches system %s", system.SystemID, control.server.systemID),
			Cause: "the hosts or the proxy lead the two connections to different databases", Remedy: "name one cluster only in postgres.url",
		}}
	}
	f := Finding{Name: name, Detail: fmt.Sprintf("taken, at %s on timeline %d", system.XLogPos, system.Timeline)}
	if got, err := pg.Exec(ctx, "SHOW wal_sender_timeout").ReadAll(); err == nil && len(got) == 1 && len(got[0].Rows) == 1 {
		f.Detail += ", wal_sender_timeout " + string(got[0].Rows[0][0])
	}
	return []Finding{f}
}

// connectionFinding explains what keeps a connection from being opened.
func (c Config) connectionFinding(name string, err error) Finding {
	f := Finding{Name: name, Level: Fail, Detail: oneLine(err), Cause: "the relay waits and tries again; meanwhile events stay in PostgreSQL and the slot holds back WAL"}
	var (
		unknown x509.UnknownAuthorityError
		wrong   x509.HostnameError
		verify  *tls.CertificateVerificationError
		dns     *net.DNSError
		message = err.Error()
		says    = func(words string) bool { return strings.Contains(message, words) }
		code    = sqlState(err)
	)
	switch {
	case says("unsupported startup parameter"):
		parameter := strings.TrimSuffix(firstWord(message, "unsupported startup parameter: "), ")")
		f.Detail = fmt.Sprintf("a PgBouncer stands between and refuses the startup parameter %q", parameter)
		f.Cause = "the relay sets what it relies on at the start of each connection, and streams by a replication connection, which PgBouncer passes since version 1.23 only"
		f.Remedy = "name PostgreSQL's own host and port in postgres.url: the relay needs two connections only"
	case says("Tenant or user not found"), says("pgbouncer cannot connect to server"), says("no such database: "):
		f.Cause = "a pooler answers, and knows no such database or user"
		f.Remedy = "name PostgreSQL's own host and port in postgres.url"
	case errors.Is(err, pgconn.ErrReadOnlyConnection), says("read only connection"):
		f.Detail = "no host of postgres.url accepts writes"
		f.Cause = "all are standbys or read only: no marker can be written, and the slot is on the primary"
		f.Remedy = "name the primary in postgres.url, or wait until one is promoted; where it is the primary: SHOW default_transaction_read_only;"
	case says("pg_hba.conf"):
		f.Cause = "pg_hba.conf does not let this user in from here" + whenReplication(name)
		f.Remedy = fmt.Sprintf("add to pg_hba.conf, before the line that refuses:\nhostssl %s %s ADDRESS/32 scram-sha-256\nthen SELECT pg_reload_conf();", c.databaseAndUser(0), c.databaseAndUser(1))
	case strings.HasPrefix(code, classAuthorization):
		f.Remedy = "correct user and password (postgres.url, postgres.password_file, PGPASSWORD, ~/.pgpass); \\password in psql sets a new one"
	case code == codeNoDatabase:
		f.Remedy = "create the database, or correct its name in postgres.url"
	case code == codeInsufficientPrivilege && name == "replication connection":
		f.Cause, f.Remedy = "without the right to replicate there is no stream", fmt.Sprintf("ALTER ROLE %s REPLICATION;", quoteIdent(c.databaseAndUser(1)))
	case code == codeInsufficientPrivilege:
		f.Remedy = fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s;", quoteIdent(c.databaseAndUser(0)), quoteIdent(c.databaseAndUser(1)))
	case code == codeTooManyConnections:
		f.Remedy = "end connections that nobody needs (SELECT pid, usename, application_name, state FROM pg_stat_activity), or raise max_connections or max_wal_senders and restart; ALTER ROLE … CONNECTION LIMIT bounds a role"
	case code == "57P03", says("the database system is"):
		f.Remedy = "wait until the server is up; a standby needs hot_standby = on to answer"
	case errors.As(err, &wrong):
		f.Remedy = "use the host name that the certificate is for, or have it made for this one"
	case errors.As(err, &unknown), errors.As(err, &verify):
		f.Remedy = "sslrootcert=FILE in postgres.url: the certificate authority that signed the server's certificate"
	case says("server refused TLS"):
		f.Remedy = "have the server take TLS (ssl = on, a certificate), or sslmode=disable where the network is trusted"
	case errors.As(err, &dns):
		f.Remedy = "correct the host name in postgres.url, or its DNS"
	default:
		f.Remedy = "check host, port and that PostgreSQL is up and listens there (listen_addresses), and firewalls between"
	}
	return f
}

func whenReplication(name string) string {
	if name == "replication connection" {
		return "; a connection with replication=database matches the lines of the database itself, not those of the word replication"
	}
	return ""
}

// databaseAndUser returns the database (0) or the user (1) of the connection string.
func (c Config) databaseAndUser(which int) string {
	p, err := pgx.ParseConfig(c.ConnString)
	if err != nil {
		return "?"
	}
	return [...]string{p.Database, p.User}[which]
}

func firstWord(s, after string) string {
	_, rest, _ := strings.Cut(s, after)
	word, _, _ := strings.Cut(rest, " ")
	return word
}

// oneLine writes an error of connecting on one line. pgx puts each attempt on its
// own, with sslmode=prefer also the one with TLS that a server without it refuses.
func oneLine(err error) string {
	var attempts, rest []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSuffix(strings.Join(strings.Fields(line), " "), ":")
		switch {
		case line == "" || strings.HasPrefix(line, "failed to connect to `") && !strings.Contains(line, "`:"):
		case strings.Contains(line, "server refused TLS connection"):
			rest = append(rest, line)
		case !slices.Contains(attempts, line):
			_, after, found := strings.Cut(line, "`: ")
			if found && strings.HasPrefix(line, "failed to connect to `") {
				line = after
			}
			attempts = append(attempts, line)
		}
	}
	if len(attempts) == 0 {
		attempts = rest
	}
	return strings.Join(attempts, "; ")
}
