package replication

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// LSN is a position in the write-ahead log, written like 0/16B3748.
type LSN = pglogrepl.LSN

// Table names an outbox table, without quotes.
type Table struct{ Schema, Name string }

// String returns schema.name, each quoted where SQL needs it.
func (t Table) String() string { return quoteIfNeeded(t.Schema) + "." + quoteIfNeeded(t.Name) }

// DefaultSenderTimeout is the wal_sender_timeout that a Stream asks for by
// default: a dead holder frees the slot within it.
const DefaultSenderTimeout = 10 * time.Second

// Config says which server, slot and publication to use.
type Config struct {
	// ConnString is a URL or keyword/value string, also with several hosts; ""
	// means the PG* environment and its defaults. PG* variables and ~/.pgpass
	// fill in what it leaves open. Without target_session_attrs only a server
	// that accepts writes is taken.
	ConnString string
	// Password overrides the one of ConnString, environment and ~/.pgpass when
	// it is not "".
	Password string
	// Slot is the replication slot's name: 1 to 63 of a-z, 0-9 and _.
	Slot string
	// Publication is the publication's name, 1 to 63 bytes.
	Publication string
	// Tables are the outbox tables; at least one.
	Tables []Table
	// Updates lets a publication that is made here carry updates of the outbox
	// tables, too.
	Updates bool
	// AutoCreate lets Prepare make schema, publication and slot at a first start.
	AutoCreate bool
	// Snapshot says what becomes of the rows that are in the outbox before the slot
	// is made.
	Snapshot SnapshotConfig
	// ExactlyOnce says that BeginExactlyOnce will be called, which needs the marker.
	ExactlyOnce bool
	// FailoverSlot makes a new slot one that is synchronised to standbys.
	// PostgreSQL 17 and later; ignored for a slot that exists.
	FailoverSlot bool
	// Instance names this process in pg_stat_activity and in the marker, for
	// instance the host's or pod's name. Instances of one slot need different ones.
	Instance string
	// SenderTimeout is the wal_sender_timeout of the stream's own connection, in
	// whole milliseconds. Default DefaultSenderTimeout. Send a status at least
	// every third of it.
	SenderTimeout time.Duration
	// DialFunc replaces the dialer, for tests. nil dials with TCP keepalives.
	DialFunc pgconn.DialFunc
}

var slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

// Validate reports everything that is wrong with c without touching the network.
// The errors name no secret.
func (c Config) Validate() error {
	var errs []error
	if !slotName.MatchString(c.Slot) {
		errs = append(errs, fmt.Errorf("slot %q: use 1 to 63 of a-z, 0-9 and _", c.Slot))
	}
	if len(c.Publication) == 0 || len(c.Publication) > 63 || strings.ContainsRune(c.Publication, 0) {
		errs = append(errs, fmt.Errorf("publication %q: use 1 to 63 bytes", c.Publication))
	}
	if len(c.Tables) == 0 {
		errs = append(errs, errors.New("no outbox table: name at least one"))
	}
	for _, t := range c.Tables {
		if t.Schema == "" || t.Name == "" || strings.ContainsRune(t.Schema+t.Name, 0) {
			errs = append(errs, fmt.Errorf("outbox table %s: name schema and table", t))
		}
	}
	errs = append(errs, c.Snapshot.validate(len(c.Tables)))
	if c.SenderTimeout != 0 && c.SenderTimeout < time.Second {
		errs = append(errs, fmt.Errorf("sender timeout %s: use at least 1s", c.SenderTimeout))
	}
	if _, err := pgx.ParseConfig(c.ConnString); err != nil {
		errs = append(errs, fmt.Errorf("connection string: %w", err))
	}
	return errors.Join(errs...)
}

// Target describes the server without secrets: user, hosts and database, for
// instance walrelay@db1:5432,db2:5432/shop.
func (c Config) Target() string {
	p, err := pgx.ParseConfig(c.ConnString)
	if err != nil {
		return "(unreadable connection string)"
	}
	hosts := []string{net.JoinHostPort(p.Host, strconv.Itoa(int(p.Port)))}
	for _, f := range p.Fallbacks { // a host appears twice with sslmode=prefer
		if h := net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port))); h != hosts[len(hosts)-1] {
			hosts = append(hosts, h)
		}
	}
	return fmt.Sprintf("%s@%s/%s", p.User, strings.Join(hosts, ","), p.Database)
}

// senderTimeout returns SenderTimeout or its default.
func (c Config) senderTimeout() time.Duration {
	if c.SenderTimeout == 0 {
		return DefaultSenderTimeout
	}
	return c.SenderTimeout
}

// sessionTimeout is what the stream's connection asks the server for: a little less
// than senderTimeout, within which another instance is to have taken over.
func (c Config) sessionTimeout() time.Duration { return c.senderTimeout() * 9 / 10 }

// applicationName is what pg_stat_activity and pg_stat_replication show.
func (c Config) applicationName() string {
	name := strings.TrimSpace("walrelay " + c.Slot + " " + c.Instance)
	return name[:min(len(name), 63)] // NAMEDATALEN-1; the server would cut it with a notice
}

// connectTimeout bounds the attempt on one host when the user set nothing.
const connectTimeout = 10 * time.Second

// connConfig is what both connections have in common.
func (c Config) connConfig() (*pgx.ConnConfig, error) {
	// pgx's parser also for the replication connection: it takes pgx's own
	// settings out, which the server would refuse.
	p, err := pgx.ParseConfig(c.ConnString)
	if err != nil {
		return nil, &SetupError{Problem: "connection string: " + err.Error(), Err: err}
	}
	if c.Password != "" {
		p.Password = c.Password
	}
	if p.ValidateConnect == nil && !c.sessionAttrsGiven() {
		p.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if p.ConnectTimeout == 0 {
		p.ConnectTimeout = connectTimeout
	}
	p.DialFunc = c.DialFunc
	if p.DialFunc == nil {
		p.DialFunc = keepaliveDialer(c.senderTimeout()).DialContext
	}
	p.RuntimeParams["application_name"] = c.applicationName()
	p.RuntimeParams["client_encoding"] = "UTF8"
	p.RuntimeParams["statement_timeout"] = "0" // a role's default must not cut slot creation or the stream
	return p, nil
}

// sessionAttrsGiven tells an explicit target_session_attrs=any from the default.
func (c Config) sessionAttrsGiven() bool {
	return strings.Contains(c.ConnString, "target_session_attrs") || os.Getenv("PGTARGETSESSIONATTRS") != ""
}

// output fixes the text form of every value whatever the server's or role's
// defaults are, the same on every connection that values come from.
var output = map[string]string{
	"bytea_output":       "hex",
	"DateStyle":          "ISO",
	"IntervalStyle":      "postgres",
	"TimeZone":           "UTC",
	"extra_float_digits": "1", // shortest text that reads back exactly
}

// replicationConfig is the stream's connection.
func (c Config) replicationConfig() (*pgconn.Config, error) {
	p, err := c.connConfig()
	if err != nil {
		return nil, err
	}
	maps.Copy(p.RuntimeParams, output)
	p.RuntimeParams["replication"] = "database"
	p.RuntimeParams["wal_sender_timeout"] = strconv.FormatInt(c.sessionTimeout().Milliseconds(), 10)
	return &p.Config, nil
}

// keepaliveDialer notices a dead server within a few sender timeouts, also while
// nothing is sent.
func keepaliveDialer(senderTimeout time.Duration) *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: senderTimeout, Interval: senderTimeout / 2, Count: 3},
		ControlContext:  setUserTimeout(2 * senderTimeout),
	}
}

var plainIdentifier = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// reserved are words that a table or schema is plausibly called and that SQL
// takes only in quotes.
var reserved = map[string]bool{
	"all": true, "end": true, "from": true, "group": true, "order": true, "select": true,
	"table": true, "to": true, "user": true, "references": true, "primary": true, "default": true,
}

func quoteIfNeeded(name string) string {
	if plainIdentifier.MatchString(name) && !reserved[name] {
		return name
	}
	return quoteIdent(name)
}

// quoteIdent quotes an identifier; the replication grammar takes it too.
func quoteIdent(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// quoteLiteral quotes a string. Names come from the user's configuration, so a
// backslash is written in the E form, right whatever standard_conforming_strings is.
func quoteLiteral(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return " E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

// deadlineOf returns ctx's deadline, or now plus fallback when it has none.
func deadlineOf(ctx context.Context, fallback time.Duration) time.Time {
	if d, ok := ctx.Deadline(); ok {
		return d
	}
	return time.Now().Add(fallback)
}
