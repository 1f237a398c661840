package relay

import (
	"errors"
	"fmt"
	"slices"
)

// Trouble is one kind of error with its stable code, under which people find it
// in the log, on the status page and in docs/errors.md. A code is never used for
// another kind.
type Trouble struct {
	Code   string // "WR0301"
	Side   string // postgres, kafka or relay: where to look
	Title  string // a short line: "the slot has vanished"
	Cause  string // sentences: what has happened, and what it means for events
	Remedy string // sentences or SQL and settings: what to do; an error's own text may say it more exactly
	Retry  bool   // waited out without end; else it ends the process with Exit
	Exit   int    // exit code of an error that ends the process; 0 with Retry

	wait decision // retry or standBy, with Retry
}

// The sides of a Trouble.
const (
	sidePostgres = "postgres"
	sideKafka    = "kafka"
	sideRelay    = "relay"
)

// Troubles are all kinds of errors, ascending by code. What classify and ExitCode
// decide stands here and nowhere else.
var Troubles = slices.Concat(
	connectionTroubles, // WR01
	setupTroubles,      // WR02
	slotTroubles,       // WR03
	decodingTroubles,   // WR04
	eventTroubles,      // WR05
	clusterTroubles,    // WR06
	topicTroubles,      // WR07
	produceTroubles,    // WR08
	relayTroubles,      // WR09
)

// byCode finds an entry of Troubles.
var byCode = func() map[string]*Trouble {
	found := make(map[string]*Trouble, len(Troubles))
	for i := range Troubles {
		found[Troubles[i].Code] = &Troubles[i]
	}
	return found
}()

// Diagnose says what kind of trouble an error is, whatever it is wrapped in. The
// error's own text remains the message: it knows names and positions. What nobody
// knows is WR0999, which ends the process: going on after it could lose events.
// The zero Trouble for nil. Wrap what the sink waits for in a *WaitError first.
func Diagnose(err error) Trouble {
	if err == nil {
		return Trouble{}
	}
	return *byCode[codeOf(err)]
}

// WaitError is something on Kafka's side that is waited for without end, as
// sink.Stats.Waits names it. Diagnose gives it a Trouble with Retry, of Kafka's
// side, also where the error alone could be PostgreSQL's (a refused connection).
type WaitError struct {
	What string // "kafka", "producer id", `topic "orders"`, or "canary" of the relay's own
	Err  error
}

func (e *WaitError) Error() string { return fmt.Sprintf("%s: %v", e.What, e.Err) }

func (e *WaitError) Unwrap() error { return e.Err }

// ConfigError is a configuration that is refused. Exit code 3.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }

func (e *ConfigError) Unwrap() error { return e.Err }

// DeadLetterError is an event that the dead-letter topic can't take either.
type DeadLetterError struct {
	Topic string // the dead-letter topic
	Err   error  // a *PoisonError as a rule
}

func (e *DeadLetterError) Error() string {
	return fmt.Sprintf("dead-letter topic %q: %v", e.Topic, e.Err)
}

func (e *DeadLetterError) Unwrap() error { return e.Err }

// BindError is a table whose columns, as they are now, the route does not fit.
type BindError struct {
	Table string // schema.name
	Err   error
}

func (e *BindError) Error() string { return fmt.Sprintf("outbox table %s: %v", e.Table, e.Err) }

func (e *BindError) Unwrap() error { return e.Err }

// errUnacknowledged: records are with Kafka, which says nothing.
var errUnacknowledged = errors.New("no acknowledgement from Kafka")
