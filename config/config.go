package config

import (
	"fmt"
	"strings"
	"time"
)

// The values of Config.Delivery.
const (
	AtLeastOnce = "at-least-once"
	ExactlyOnce = "exactly-once"
)

// Config is the whole configuration. Load makes it; it is not changed afterwards
// and may be read from any goroutine. The reference of all keys, with units and
// defaults, is Reference.
type Config struct {
	Postgres        Postgres
	Outbox          []Outbox // at least one
	Route           Route    // what an outbox uses where it has no route of its own
	Format          Format
	Types           Types
	Snapshot        Snapshot
	Kafka           Kafka
	Delivery        string // AtLeastOnce or ExactlyOnce
	OnPoison        string // stop, dead-letter or skip
	OnFatal         string // exit or hold
	DeadLetterTopic string // set with OnPoison dead-letter
	Limits          Limits
	HTTP            HTTP
	Canary          Canary
	Log             Log

	// File is the path that was read, "" when there was none.
	File string
	// Warnings are remarks that stop nothing, without secrets; the command
	// prints them.
	Warnings []string

	listed  bool              // outbox was written as a list
	origins map[string]Origin // where each value came from, by full key
}

// Postgres is where the outbox lives and how its WAL is read.
type Postgres struct {
	URL              string // URL or keyword/value string; "" means PG* variables alone
	URLFile          string
	Password         string // "" means what the URL, PGPASSWORD or ~/.pgpass say
	PasswordFile     string
	Slot             string
	Publication      string
	AutoCreate       bool
	FailoverSlot     bool
	WALSenderTimeout time.Duration
}

// Outbox is one outbox table with its columns and its route.
type Outbox struct {
	Table   Table
	Columns Columns
	Route   Route // complete: what the table does not say is taken from Config.Route
	OrderBy string
}

// Table is a table's name.
type Table struct{ Schema, Name string }

// String returns the name as it is written in the configuration, quoted where
// PostgreSQL needs quotes.
func (t Table) String() string { return quoteName(t.Schema) + "." + quoteName(t.Name) }

// Columns names the outbox columns; an empty name is found by itself.
type Columns struct{ ID, AggregateType, AggregateID, EventType, Payload string }

// Route says where an event goes. Package routing knows what the texts mean.
type Route struct {
	Topic            string
	Pattern          string // with Replacement, instead of Topic
	Replacement      string
	Key              string
	Headers          []string
	Envelope         []string
	Partition        string
	Timestamp        string
	SchemaVersion    string
	SchemaPrefix     string
	MissingColumns   string
	ExpandJSON       bool
	ExpandJSONNulls  string
	ExpandJSONNames  string
	TombstoneOnEmpty bool
	NullAsDefault    bool
	Updates          string
	KeyUpdates       string
}

// Kafka is the cluster and how it is spoken to.
type Kafka struct {
	Brokers        []string
	ClientID       string
	Compression    string
	TLS            TLS
	SASL           SASL
	Topics         Topics
	WatermarkTopic string
}

// TLS is the encryption of the connections to Kafka.
type TLS struct {
	Enabled            bool // set, or any other key of kafka.tls is
	CAFile             string
	CertFile           string
	KeyFile            string
	ServerName         string
	InsecureSkipVerify bool
}

// SASL is the authentication to Kafka; Mechanism "" is none.
type SASL struct {
	Mechanism    string
	Username     string
	Password     string
	PasswordFile string
}

// Topics holds what is done about topics that do not exist.
type Topics struct {
	Create *TopicCreation // nil: wait for them
}

// TopicCreation says how a missing topic is made. Zero partitions or replicas
// mean the cluster's default.
type TopicCreation struct {
	Partitions        int
	ReplicationFactor int
	Config            map[string]string
}

// Limits bounds memory.
type Limits struct{ InFlightBytes Size }

// Log is the program's log.
type Log struct{ Level, Format string }

// Size is a number of bytes.
type Size int64

// String returns the size in the largest binary unit that divides it, as the
// configuration may be written.
func (s Size) String() string {
	for _, u := range []struct {
		name string
		n    Size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if s != 0 && s%u.n == 0 {
			return fmt.Sprintf("%d%s", s/u.n, u.name)
		}
	}
	return fmt.Sprintf("%d", int64(s))
}

// Origin is where a value was set.
type Origin struct {
	rank int
	line int
	col  int
	name string // file, variable, flag
}

// The ranks are the precedence: the higher one wins.
const (
	fromDefault = iota
	fromFile
	fromEnv
	fromFlag
)

// String returns "walrelay.yaml:3:5", "WALRELAY_POSTGRES_SLOT", "--slot" or
// "default".
func (o Origin) String() string {
	switch o.rank {
	case fromFile:
		if o.line == 0 {
			return o.name
		}
		return fmt.Sprintf("%s:%d:%d", o.name, o.line, o.col)
	case fromEnv:
		return o.name
	case fromFlag:
		return "--" + o.name
	}
	return "default"
}

// Problem is one thing that is wrong, and where.
type Problem struct {
	Where Origin
	Key   string // full key, "" for the file as a whole
	Text  string // what is wrong and what to do, without secrets
}

// String returns the problem on one line: place, key, text.
func (p Problem) String() string {
	parts := make([]string, 0, 3)
	if p.Where.rank != fromDefault {
		parts = append(parts, p.Where.String())
	}
	if p.Key != "" {
		parts = append(parts, p.Key)
	}
	return strings.Join(append(parts, p.Text), ": ")
}

// Error is every problem of a configuration, in the order of the file, then the
// environment, the flags, and what is missing. Load returns no other error. It
// means exit code 3.
type Error struct{ Problems []Problem }

// Error returns a problem per line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
