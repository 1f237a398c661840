package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// ErrStandby says that another instance holds the slot and that Config.NoWait
// forbids to wait for it.
var ErrStandby = errors.New("another instance holds the slot: stop it, or run without --no-wait to stand by")

// PoisonError is an event that Kafka can never take, under the policy stop. Of
// one that only the broker's answer told us about, EventType, Table and LSN are
// not known any more.
type PoisonError struct {
	ID, EventType, Key string
	Table              string          // "" when not known
	LSN                replication.LSN // commit LSN of its transaction
	Topic              string          // "" when it has none
	Reason             string          // as routing.Poison
	Detail             string
}

func (e *PoisonError) Error() string {
	event := fmt.Sprintf("event %q (key %q)", e.ID, e.Key)
	if e.Table != "" {
		event = fmt.Sprintf("event %q (type %q, key %q) of %s in the transaction that commits at %s", e.ID, e.EventType, e.Key, e.Table, e.LSN)
	}
	return event + " can't be a Kafka record: " + e.Detail + ": " + e.remedy() + " and start again, " +
		"or set on_poison to dead-letter or skip; nothing after it is confirmed"
}

// remedy says what would let the event through.
func (e *PoisonError) remedy() string {
	switch e.Reason {
	case routing.ReasonTooLarge:
		return "make room for it (raise the topic's max.message.bytes, mend the row's cause)"
	case routing.ReasonUnconvertible:
		return "change the converter or the rule that does not take it (Debezium's task fails on such a row, too)"
	case routing.ReasonInvalidTimestamp:
		return "widen the topic's message.timestamp.before.max.ms or message.timestamp.after.max.ms (without route.timestamp the record's timestamp is the commit time: compare PostgreSQL's clock with the brokers')"
	case routing.ReasonInvalidPartition:
		return "correct what writes the column, or give the topic that many partitions"
	case routing.ReasonIllegalTopic, routing.ReasonNullAggregateType, routing.ReasonNullAggregateID, routing.ReasonNullEventType:
		return "change the rule for the topic so that it takes such a row, and mend what wrote it"
	}
	return "mend what wrote it"
}

// UpdateError is an UPDATE of an outbox row under the policy UpdateStop.
type UpdateError struct {
	Table string
	LSN   replication.LSN // commit LSN of its transaction
}

func (e *UpdateError) Error() string {
	return fmt.Sprintf("a row of %s was updated in the transaction that commits at %s, and route.updates is stop: "+
		"an UPDATE makes no event; set route.updates to warn or ignore and start again, nothing is lost", e.Table, e.LSN)
}

// decision is what an error asks for.
type decision int

const (
	retry   decision = iota // reconnect after a while, without end
	standBy                 // wait for the slot
	stop                    // a human, or a restart, has to do something
)

// classify is the one place that decides what an error asks for. What it does
// not know stops the relay: going on after an unknown error could lose events.
func classify(err error) decision {
	var (
		gap     *replication.GapError
		setup   *replication.SetupError
		mapping *decoding.MappingError
		poison  *PoisonError
		update  *UpdateError
		refused *sink.RefusedError
		pg      *pgconn.PgError
		connect *pgconn.ConnectError
		verify  *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		netErr  net.Error
		errno   syscall.Errno
	)
	switch {
	case err == nil, errors.Is(err, ErrStandby):
		return stop
	case errors.As(err, &gap), errors.As(err, &setup), errors.As(err, &mapping), errors.As(err, &poison), errors.As(err, &update), errors.As(err, &refused):
		return stop
	case errors.Is(err, sink.ErrFenced), errors.Is(err, replication.ErrSlotActive):
		return standBy
	case errors.Is(err, replication.ErrStreamEnded), errors.Is(err, replication.ErrServerChanged), errors.Is(err, errSilent),
		errors.Is(err, errRewound), errors.Is(err, errShutdown), errors.Is(err, replication.ErrSnapshotLost):
		return retry
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return retry // a failover under way: the hosts are asked again
	case errors.As(err, &verify), errors.As(err, &unknown):
		return stop // waiting does not mend a certificate
	case errors.As(err, &pg):
		return classifySQLState(pg.Code)
	case pgconn.SafeToRetry(err):
		return retry // nothing was sent: the connection had died before
	case errors.As(err, &connect), errors.As(err, &netErr), errors.As(err, &errno),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return retry // the network and what it hides
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return retry // our own time limit on a step
	}
	return stop
}

// classifySQLState names the server errors that pass by themselves
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func classifySQLState(code string) decision {
	switch {
	case code == "55006": // object_in_use: the slot is active elsewhere
		return standBy
	case strings.HasPrefix(code, "08"), // connection exception
		code == "57P01", code == "57P02", code == "57P03", // shutdown, crash, starting up
		code == "57014",                                   // query_canceled
		code == "57P05",                                   // idle_session_timeout
		code == "53300",                                   // too_many_connections
		code == "25006",                                   // read_only_sql_transaction: the wrong node, resolved anew
		code == "40001", code == "40P01", code == "55P03": // conflicts and locks
		return retry
	}
	return stop
}

// ExitCode is the process's exit code for the error of Run: 0 stopped on
// request, 1 runtime failure, 3 configuration or preflight, 4 needs a human, 5
// another instance holds the slot.
func ExitCode(err error) int {
	var (
		gap     *replication.GapError
		setup   *replication.SetupError
		mapping *decoding.MappingError
		poison  *PoisonError
		update  *UpdateError
		refused *sink.RefusedError
		verify  *tls.CertificateVerificationError
		pg      *pgconn.PgError
	)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrStandby):
		return 5
	case errors.As(err, &gap), errors.As(err, &mapping), errors.As(err, &poison), errors.As(err, &update):
		return 4
	case errors.As(err, &setup), errors.As(err, &refused), errors.As(err, &verify):
		return 3
	case errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "28") || pg.Code == "42501"):
		return 3
	case errors.As(err, &pg) && (pg.Code == "42704" || pg.Code == "55000" || pg.Code == "53100" || pg.Code == "58P01"):
		return 4
	}
	return 1
}
