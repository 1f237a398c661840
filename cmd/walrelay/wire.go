package main

import (
	"fmt"
	"os"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
	"github.com/walrelay/walrelay/routing/expand"
	"github.com/walrelay/walrelay/sink"
)

// relayConfig makes the relay's configuration, but for log and metrics.
func relayConfig(c *config.Config) (relay.Config, error) {
	kafka, err := sinkConfig(c)
	if err != nil {
		return relay.Config{}, err
	}
	rc := relay.Config{
		Replication:     replicationConfig(c),
		Sink:            kafka,
		OnPoison:        relay.Policy(c.OnPoison),
		DeadLetterTopic: c.DeadLetterTopic,
		Canary:          relay.Canary{Every: c.Canary.Every, Topic: c.Canary.Topic},
		ShowPayloads:    c.HTTP.ShowPayloads,
	}
	if c.Delivery == config.ExactlyOnce {
		rc.Watermark = c.Kafka.WatermarkTopic
	}
	for _, o := range c.Outbox {
		rc.Tables = append(rc.Tables, relay.Table{
			Decoding: decoding.Table{Schema: o.Table.Schema, Name: o.Table.Name, Columns: decoding.Columns(o.Columns)},
			Rules:    rules(c, o.Route),
			Updates:  relay.UpdatePolicy(o.Route.Updates),
		})
	}
	return rc, nil
}

// rules are the routing rules of a table.
func rules(c *config.Config, r config.Route) routing.Rules {
	java18 := c.Format.JavaVersion == 18
	format := func(f config.Converter) connect.Options {
		return connect.Options{Converter: f.Converter, Delegate: f.Delegate, Decimals: f.Decimals, NullDefault: f.NullDefault, Java18: java18}
	}
	return routing.Rules{
		Topic: r.Topic, Pattern: r.Pattern, Replacement: r.Replacement, Key: r.Key, Headers: r.Headers, Envelope: r.Envelope,
		Partition: r.Partition, Timestamp: r.Timestamp, SchemaVersion: r.SchemaVersion, SchemaPrefix: r.SchemaPrefix,
		IgnoreMissing: r.MissingColumns == "ignore",
		ExpandJSON:    r.ExpandJSON, Expand: expand.Options{KeepNulls: r.ExpandJSONNulls == "keep", Names: r.ExpandJSONNames},
		TombstoneOnEmpty: r.TombstoneOnEmpty, NullAsDefault: r.NullAsDefault, KeyUpdates: r.KeyUpdates == "publish",
		KeyFormat: format(c.Format.Key), ValueFormat: format(c.Format.Value), HeaderFormat: format(c.Format.Headers),
		Types: column.Modes{
			Decimal: c.Types.Decimal, Time: c.Types.Time, Interval: c.Types.Interval, Binary: c.Types.Binary, HStore: c.Types.HStore,
			MoneyDigits: c.Types.MoneyDigits, Unknown: c.Types.Unknown, Unavailable: c.Types.Unavailable, Java18: java18,
		},
	}
}

// replicationConfig is the PostgreSQL side.
func replicationConfig(c *config.Config) replication.Config {
	rc := replication.Config{
		ConnString:    c.Postgres.URL,
		Password:      c.Postgres.Password,
		Slot:          c.Postgres.Slot,
		Publication:   c.Postgres.Publication,
		ExactlyOnce:   c.Delivery == config.ExactlyOnce,
		AutoCreate:    c.Postgres.AutoCreate,
		FailoverSlot:  c.Postgres.FailoverSlot,
		Instance:      instance(),
		SenderTimeout: c.Postgres.WALSenderTimeout,
		Snapshot:      replication.SnapshotConfig{Mode: replication.SnapshotMode(c.Snapshot.Mode), FetchSize: c.Snapshot.FetchSize},
	}
	for _, o := range c.Outbox {
		rc.Tables = append(rc.Tables, replication.Table(o.Table))
		rc.Snapshot.OrderBy = append(rc.Snapshot.OrderBy, o.OrderBy)
		rc.Updates = rc.Updates || o.Route.KeyUpdates == "publish" || o.Route.Updates != "ignore"
	}
	return rc
}

// instance names this process among those of one slot: host (in a container its
// name) and process id.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// sinkConfig is the Kafka side.
func sinkConfig(c *config.Config) (sink.Config, error) {
	tls, err := c.Kafka.TLS.Config()
	if err != nil {
		return sink.Config{}, withCode(exitConfig, err)
	}
	mechanism, err := saslMechanism(c.Kafka.SASL)
	if err != nil {
		return sink.Config{}, withCode(exitConfig, err)
	}
	sc := sink.Config{
		Brokers:       c.Kafka.Brokers,
		ClientID:      c.Kafka.ClientID,
		TLS:           tls,
		SASL:          mechanism,
		Compression:   c.Kafka.Compression,
		InFlightBytes: int(c.Limits.InFlightBytes),
	}
	if create := c.Kafka.Topics.Create; create != nil {
		sc.Create = &sink.TopicCreation{
			Partitions:        orClusterDefault(create.Partitions),
			ReplicationFactor: orClusterDefault(create.ReplicationFactor),
			Config:            create.Config,
		}
	}
	return sc, nil
}

// orClusterDefault turns "not set" into Kafka's number for the cluster's default.
func orClusterDefault(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

func saslMechanism(s config.SASL) (sasl.Mechanism, error) {
	algorithm := scram.SHA512
	switch s.Mechanism {
	case "":
		return nil, nil
	case "plain":
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case "scram-sha-256":
		algorithm = scram.SHA256
	}
	mechanism, err := scram.Mechanism(algorithm, s.Username, s.Password)
	if err != nil { // the library's error quotes the password
		return nil, fmt.Errorf("the user name or the password has a character that %s does not allow (control characters and the like): change it", s.Mechanism)
	}
	return mechanism, nil
}

// checkDetails asks the packages that know about routes and credentials, one key
// at a time, so that each problem has its place.
func checkDetails(c *config.Config, report func(key string, err error)) {
	checkRoute("route", c.Route, report)
	for i, o := range c.Outbox {
		checkRoute(c.OutboxKey(i)+".route", o.Route, func(key string, err error) {
			if c.Given(key) { // else it is the common route's problem
				report(key, err)
			}
		})
	}
	if _, err := saslMechanism(c.Kafka.SASL); err != nil {
		report("kafka.sasl.password", err)
	}
}

func checkRoute(prefix string, r config.Route, report func(key string, err error)) {
	for _, part := range []struct {
		key   string
		rules routing.Rules
	}{
		{"topic", routing.Rules{Topic: r.Topic}}, {"key", routing.Rules{Key: r.Key}},
		{"headers", routing.Rules{Headers: r.Headers, SchemaPrefix: r.SchemaPrefix}}, {"envelope", routing.Rules{Envelope: r.Envelope}},
		{"pattern", routing.Rules{Pattern: r.Pattern, Replacement: r.Replacement}},
	} {
		if _, err := routing.New(part.rules); err != nil {
			report(prefix+"."+part.key, err)
		}
	}
}
