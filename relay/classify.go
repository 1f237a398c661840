package relay

import (
	"errors"
	"fmt"

	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
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

// classify is the one place that decides what an error asks for, by its entry in
// Troubles. What it does not know stops the relay: going on after an unknown error
// could lose events.
func classify(err error) decision {
	if trouble := Diagnose(err); trouble.Retry {
		return trouble.wait
	}
	return stop
}

// The exit codes of errors; see ExitCode.
const (
	exitFailure = 1
	exitSetup   = 3
	exitHuman   = 4
	exitStandby = 5
)

// ExitCode is the process's exit code for the error of Run: 0 stopped on
// request, 1 runtime failure, 3 configuration or preflight, 4 needs a human, 5
// another instance holds the slot. An error that Run waits out is 1 for a command
// that does not wait.
func ExitCode(err error) int {
	trouble := Diagnose(err)
	if trouble.Retry {
		return exitFailure
	}
	return trouble.Exit
}
