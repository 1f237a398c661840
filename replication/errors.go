package replication

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrSlotActive says that another connection reads from the slot (SQLSTATE
// 55006). Worth waiting out: the walsender of a killed predecessor lives on for
// a moment, and a standby waits like this for its turn.
var ErrSlotActive = errors.New("the slot is active elsewhere")

// ErrStreamEnded says that the server has ended the stream in an orderly way, as
// it does when it shuts down. Close the Stream and open a new one.
var ErrStreamEnded = errors.New("the server ended the stream")

// ErrServerChanged says that the replication connection reached another server
// or timeline than the one that was prepared, as happens with several hosts
// during a failover. Connect and Prepare again.
var ErrServerChanged = errors.New("connected to another server than the one prepared")

// ErrNotHolder says that another instance has taken the slot over since, so this
// one must not write the marker any more. Harmless to the stream.
var ErrNotHolder = errors.New("another instance holds the marker")

// ErrSnapshotLost says that a snapshot can't be finished, because its connection,
// its lock or its tables are not what they were. Worth another try: it begins anew.
var ErrSnapshotLost = errors.New("the snapshot was lost and has to begin anew")

// GapError says that the slot does not continue where this relay left off:
// events may be missing and a person has to decide. Exit code 4.
type GapError struct {
	Slot   string    // name of the slot
	From   LSN       // the last position known to be in Kafka; 0 when unknown
	Since  time.Time // when From was recorded; zero when unknown
	Reason string    // what was found
	Advice string    // what to do
	Err    error     // the server's error when there is one
}

// Error puts reason, extent and advice in one line.
func (e *GapError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "slot %q: %s", e.Slot, e.Reason)
	if e.From != 0 {
		fmt.Fprintf(&b, "; events committed after %s", e.From)
		if !e.Since.IsZero() {
			fmt.Fprintf(&b, " (recorded %s)", e.Since.UTC().Format(time.RFC3339))
		}
		b.WriteString(" may be missing")
	}
	fmt.Fprintf(&b, ": %s", e.Advice)
	return b.String()
}

// Unwrap returns the server's error, if any.
func (e *GapError) Unwrap() error { return e.Err }

// SetupError says that something on the PostgreSQL side has to be set up first.
// Exit code 3.
type SetupError struct {
	Problem string // what is wrong
	Remedy  string // what to do; SQL where SQL helps, possibly several lines
	Err     error  // the server's error when there is one
}

// Error puts problem and remedy together.
func (e *SetupError) Error() string {
	if e.Remedy == "" {
		return e.Problem
	}
	return e.Problem + ": " + e.Remedy
}

// Unwrap returns the server's error, if any.
func (e *SetupError) Unwrap() error { return e.Err }

// SQLSTATE codes this package decides by.
// See https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	codeObjectInUse           = "55006" // slot is active
	codePrerequisite          = "55000" // object not in prerequisite state: slot lost, in recovery, wal_level
	codeUndefinedObject       = "42704" // no such slot or publication
	codeDuplicateObject       = "42710"
	codeUndefinedColumn       = "42703"
	codeUndefinedTable        = "42P01"
	codeUndefinedFunction     = "42883"
	codeInsufficientPrivilege = "42501"
	codeUndefinedFile         = "58P01" // a WAL segment is gone
	codeNoDatabase            = "3D000"
	codeReadOnlyTransaction   = "25006"
	codeLimitExceeded         = "53400" // all replication slots are in use
	classAuthorization        = "28"    // wrong password, no pg_hba.conf entry
)

// sqlState returns the SQLSTATE of a server error in err's chain, or "".
func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

// connectError explains an error of connecting where a person has to act; others
// are worth waiting out and are only wrapped.
func (c Config) connectError(err error) error {
	switch code := sqlState(err); {
	case strings.HasPrefix(code, classAuthorization):
		return &SetupError{
			Problem: fmt.Sprintf("connect to %s: %v", c.Target(), err),
			Remedy:  "check user, password and pg_hba.conf (replication connections of `replication=database` match the database's own lines)",
			Err:     err,
		}
	case code == codeNoDatabase:
		return &SetupError{Problem: fmt.Sprintf("connect to %s: %v", c.Target(), err), Remedy: "create the database or correct its name", Err: err}
	case code == codeInsufficientPrivilege:
		return &SetupError{Problem: fmt.Sprintf("connect to %s: %v", c.Target(), err), Remedy: PrivilegeSQL(c, ""), Err: err}
	}
	if errors.Is(err, pgconn.ErrReadOnlyConnection) {
		return fmt.Errorf("connect to %s: no host accepts writes, wait for the primary or correct the list of hosts: %w", c.Target(), err)
	}
	return fmt.Errorf("connect to %s: %w", c.Target(), err)
}

// streamError explains an error the server sent for START_REPLICATION or in the
// stream. pos is what was prepared.
func (c Config) streamError(step string, pos Position, err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return fmt.Errorf("%s on slot %q: %w", step, c.Slot, err)
	}
	gap := func(reason string) error {
		return &GapError{Slot: c.Slot, From: pos.Confirmed, Reason: reason, Advice: acceptAdvice, Err: err}
	}
	switch msg := pgErr.Message; {
	case pgErr.Code == codeObjectInUse:
		return fmt.Errorf("%s on slot %q: %w: %w", step, c.Slot, ErrSlotActive, err)
	case pgErr.Code == codeInsufficientPrivilege:
		return &SetupError{Problem: fmt.Sprintf("%s on slot %q: %v", step, c.Slot, err), Remedy: PrivilegeSQL(c, ""), Err: err}
	case pgErr.Code == codeUndefinedObject && strings.Contains(msg, "publication"):
		return c.publicationGap(pos.Confirmed, time.Time{}, err)
	case pgErr.Code == codeUndefinedObject && strings.Contains(msg, "slot"):
		return gap("the slot has vanished (" + msg + ")")
	case pgErr.Code == codeUndefinedFile && strings.Contains(msg, "WAL segment"):
		return gap("the WAL it needs is gone (" + msg + ")")
	case pgErr.Code == codePrerequisite && strings.Contains(msg, "in recovery"):
		return &SetupError{Problem: fmt.Sprintf("%s on slot %q: %v", step, c.Slot, err), Remedy: "connect to the primary (target_session_attrs=read-write)", Err: err}
	case pgErr.Code == codePrerequisite && strings.Contains(msg, "slot"):
		return gap("the slot can't be read any more (" + strings.TrimSuffix(msg+"; "+pgErr.Detail, "; ") + ")")
	case pgErr.Code == codePrerequisite && strings.Contains(msg, "wal_level"):
		return walLevelError("not logical")
	}
	return fmt.Errorf("%s on slot %q: %w", step, c.Slot, err)
}

// acceptAdvice ends every gap that a new start of the slot can leave behind.
const acceptAdvice = "publish what is missing by other means or accept the loss, then run `walrelay init --accept-gap`"

// publicationGap explains a slot whose publication is missing or younger than it.
func (c Config) publicationGap(from LSN, since time.Time, err error) error {
	return &GapError{
		Slot: c.Slot, From: from, Since: since, Err: err,
		Reason: fmt.Sprintf("publication %q is missing or was made after the slot, whose older changes can't be decoded with it", c.Publication),
		Advice: "correct the publication's name if it is another; else only a new slot helps: " + acceptAdvice,
	}
}

// walLevelError explains a server whose WAL can't be decoded.
func walLevelError(level string) error {
	return &SetupError{
		Problem: fmt.Sprintf("wal_level is %s, logical replication needs logical", level),
		Remedy:  "ALTER SYSTEM SET wal_level = logical; then restart PostgreSQL (on managed services set the parameter, for instance rds.logical_replication = 1)",
	}
}
