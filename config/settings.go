package config

import (
	"slices"
	"strings"
	"time"
)

// setting is one row of the table that everything about a key comes from.
type setting struct {
	key     string
	at      func(c *Config, i int) any // where the value lives; i is the outbox, and only outbox keys use it
	def     string                     // default as written in an environment variable; "" is the type's zero
	defDoc  string                     // the default in words, when def does not say it
	doc     string
	flag    string
	allowed []string           // for text: the only values
	min     int64              // for numbers, sizes, durations (ns); with max 0 there is no bound
	max     int64              //
	check   func(string) error // for text, and for each element of a list; not called for ""
	secret  secrecy
	repeats bool   // a list may hold the same element twice
	empty   string // what "" means, for a setting that an empty environment variable may set
}

type secrecy int

const (
	shown     secrecy = iota
	masked            // shown as ****
	maskedURL         // shown with its password as ****
)

// settings is the table, in the order of the reference.
var settings = slices.Concat(
	sourceSettings, outboxSettings, routingSettings, routeSettings,
	formatSettings("key", "text", "How the key becomes bytes: by one of Kafka Connect's converters, byte for byte. `text` is its `string` converter, but for `bytea`, whose bytes go out as they are.",
		func(c *Config) *Converter { return &c.Format.Key }, converters),
	formatSettings("value", "text", "How the value becomes bytes, as for `format.key.converter`.",
		func(c *Config) *Converter { return &c.Format.Value }, converters),
	formatSettings("headers", "simple", "How the headers become bytes, as for `format.key.converter`; `simple` is Kafka Connect's default for headers.",
		func(c *Config) *Converter { return &c.Format.Headers }, append([]string{"simple"}, converters...)),
	typeSettings, snapshotSettings, kafkaSettings, runSettings, httpSettings, logSettings,
)

// sourceSettings are the PostgreSQL side.
var sourceSettings = []*setting{
	{key: "postgres.url", at: func(c *Config, _ int) any { return &c.Postgres.URL }, secret: maskedURL, flag: "postgres-url",
		defDoc: "`PG*` variables", doc: "Where the outbox is: a URL (`postgres://user@host:5432/database`) or `keyword=value` pairs; several hosts are allowed. `PG*` variables and `~/.pgpass` fill in what it leaves out."},
	{key: "postgres.url_file", at: func(c *Config, _ int) any { return &c.Postgres.URLFile },
		doc: "A file that holds `postgres.url`."},
	{key: "postgres.password", at: func(c *Config, _ int) any { return &c.Postgres.Password }, secret: masked,
		defDoc: "`PGPASSWORD`, `~/.pgpass`", doc: "The password; it goes before one in the URL."},
	{key: "postgres.password_file", at: func(c *Config, _ int) any { return &c.Postgres.PasswordFile },
		doc: "A file that holds `postgres.password`."},
	{key: "postgres.slot", at: func(c *Config, _ int) any { return &c.Postgres.Slot }, def: "walrelay", flag: "slot", check: checkSlot,
		doc: "The logical replication slot. One relay reads it at a time; another one waits as standby."},
	{key: "postgres.publication", at: func(c *Config, _ int) any { return &c.Postgres.Publication }, def: "walrelay", flag: "publication", check: checkIdentifier,
		doc: "The publication that holds the outbox tables."},
	{key: "postgres.auto_create", at: func(c *Config, _ int) any { return &c.Postgres.AutoCreate }, def: "true",
		doc: "Make publication and slot at a first start. Without the rights to, the relay exits with 3 and prints the SQL."},
	{key: "postgres.failover_slot", at: func(c *Config, _ int) any { return &c.Postgres.FailoverSlot }, def: "false",
		doc: "Make the slot with `failover` (PostgreSQL 17 and later), so that it survives on a promoted standby."},
	{key: "postgres.wal_sender_timeout", at: func(c *Config, _ int) any { return &c.Postgres.WALSenderTimeout }, def: "10s", min: int64(time.Second), max: int64(10 * time.Minute),
		doc: "within this time another instance takes over from one that is frozen or cut off: nine tenths are the `wal_sender_timeout` of the relay's own connection."},
}

// outboxSettings are those of each outbox table.
var outboxSettings = []*setting{
	{key: "outbox.table", at: func(c *Config, i int) any { return &c.Outbox[i].Table }, def: "public.outbox", flag: "table",
		doc: "The outbox table. `outbox` may be a list of such mappings when there are several tables; environment and flag mean the single form."},
	{key: "outbox.columns.id", at: func(c *Config, i int) any { return &c.Outbox[i].Columns.ID }, check: checkColumns, defDoc: "found: `id`",
		doc: "The column of the event's id. Here and below several names may stand, separated by commas: the first that a row has counts, so that a column can be renamed while events wait."},
	{key: "outbox.columns.aggregate_type", at: func(c *Config, i int) any { return &c.Outbox[i].Columns.AggregateType }, check: checkColumns, defDoc: "found: `aggregatetype`, `aggregate_type`",
		doc: "The column of the aggregate type."},
	{key: "outbox.columns.aggregate_id", at: func(c *Config, i int) any { return &c.Outbox[i].Columns.AggregateID }, check: checkColumns, defDoc: "found: `aggregateid`, `aggregate_id`",
		doc: "The column of the aggregate id."},
	{key: "outbox.columns.event_type", at: func(c *Config, i int) any { return &c.Outbox[i].Columns.EventType }, check: checkColumns, defDoc: "found: `type`, `event_type`",
		doc: "The column of the event type; the table may do without."},
	{key: "outbox.columns.payload", at: func(c *Config, i int) any { return &c.Outbox[i].Columns.Payload }, check: checkColumns, defDoc: "found: `payload`",
		doc: "The column of the payload."},
	{key: "outbox.route.topic", at: func(c *Config, i int) any { return &c.Outbox[i].Route.Topic }, defDoc: "`route.topic`",
		doc: "`route.topic` for this table alone."},
	{key: "outbox.route.key", at: func(c *Config, i int) any { return &c.Outbox[i].Route.Key }, defDoc: "`route.key`",
		doc: "`route.key` for this table alone."},
	{key: "outbox.route.headers", at: func(c *Config, i int) any { return &c.Outbox[i].Route.Headers }, defDoc: "`route.headers`",
		doc: "`route.headers` for this table alone."},
	{key: "outbox.order_by", at: func(c *Config, i int) any { return &c.Outbox[i].OrderBy }, check: checkIdentifier,
		doc: "The column that orders this table's rows in a snapshot. Without one their order is not promised."},
}

// routingSettings say where an event goes.
var routingSettings = []*setting{
	{key: "route.topic", at: func(c *Config, _ int) any { return &c.Route.Topic }, def: "outbox.event.${aggregate_type}",
		doc: "The topic of an event: text, `${aggregate_type}`, `${aggregate_id}` and `${event_type}`."},
	{key: "route.key", at: func(c *Config, _ int) any { return &c.Route.Key }, def: "aggregate_id",
		doc: "What becomes the record's key, and so decides the partition: a part of the event (`aggregate_id`, `aggregate_type`, `event_type`, `id`, `payload`), another column, or `none`."},
	{key: "route.headers", at: func(c *Config, _ int) any { return &c.Route.Headers }, def: "id", repeats: true,
		doc: "The record's headers: a part of the event or a column, `column:name` for another header name; also `walrelay-lsn`, `walrelay-index`, `walrelay-xid`, `walrelay-table`, `walrelay-commit-time`, and `debezium-context`, which stands for Debezium's four `__debezium.context.*` headers. A name in double quotes (`'\"type\":eventType'`) is always the column of that name, also where a part of the event is called so."},
}

// kafkaSettings are the Kafka side.
var kafkaSettings = []*setting{
	{key: "kafka.brokers", at: func(c *Config, _ int) any { return &c.Kafka.Brokers }, flag: "brokers", check: checkBroker, defDoc: "required",
		doc: "Brokers to ask first, as `host:port`."},
	{key: "kafka.client_id", at: func(c *Config, _ int) any { return &c.Kafka.ClientID }, def: "walrelay",
		doc: "The client id that brokers see in their logs and quotas."},
	{key: "kafka.compression", at: func(c *Config, _ int) any { return &c.Kafka.Compression }, def: "none", allowed: []string{"none", "gzip", "snappy", "lz4", "zstd"},
		doc: "Compression of record batches."},
	{key: "kafka.tls.enabled", at: func(c *Config, _ int) any { return &c.Kafka.TLS.Enabled }, def: "false", defDoc: "true when another `kafka.tls` key is set, else false",
		doc: "Speak TLS with the system's certificate authorities. Any other key of `kafka.tls` switches it on, too; `false` switches it off whatever they say."},
	{key: "kafka.tls.ca_file", at: func(c *Config, _ int) any { return &c.Kafka.TLS.CAFile },
		doc: "PEM file of the certificate authorities to trust instead of the system's."},
	{key: "kafka.tls.cert_file", at: func(c *Config, _ int) any { return &c.Kafka.TLS.CertFile },
		doc: "PEM file of the client certificate (mutual TLS)."},
	{key: "kafka.tls.key_file", at: func(c *Config, _ int) any { return &c.Kafka.TLS.KeyFile },
		doc: "PEM file of the client certificate's key."},
	{key: "kafka.tls.server_name", at: func(c *Config, _ int) any { return &c.Kafka.TLS.ServerName }, defDoc: "the broker's host",
		doc: "The name that the brokers' certificates must carry."},
	{key: "kafka.tls.insecure_skip_verify", at: func(c *Config, _ int) any { return &c.Kafka.TLS.InsecureSkipVerify }, def: "false",
		doc: "Trust any certificate. For a try only: it makes TLS useless against a forger."},
	{key: "kafka.sasl.mechanism", at: func(c *Config, _ int) any { return &c.Kafka.SASL.Mechanism }, defDoc: "no authentication", allowed: []string{"plain", "scram-sha-256", "scram-sha-512"},
		doc: "How to authenticate; needs `username` and `password`."},
	{key: "kafka.sasl.username", at: func(c *Config, _ int) any { return &c.Kafka.SASL.Username },
		doc: "The user name."},
	{key: "kafka.sasl.password", at: func(c *Config, _ int) any { return &c.Kafka.SASL.Password }, secret: masked,
		doc: "The password."},
	{key: "kafka.sasl.password_file", at: func(c *Config, _ int) any { return &c.Kafka.SASL.PasswordFile },
		doc: "A file that holds `kafka.sasl.password`."},
	{key: "kafka.topics.create.partitions", at: func(c *Config, _ int) any { return &c.creation().Partitions }, defDoc: "the cluster's", min: 1, max: 100000,
		doc: "Partitions of a topic that the relay makes. Any key under `kafka.topics.create` (or `create: {}`) lets it make missing topics; `create: null` makes it wait for them."},
	{key: "kafka.topics.create.replication_factor", at: func(c *Config, _ int) any { return &c.creation().ReplicationFactor }, defDoc: "the cluster's", min: 1, max: 32767,
		doc: "Replication factor of a topic that the relay makes."},
	{key: "kafka.topics.create.config", at: func(c *Config, _ int) any { return &c.creation().Config },
		doc: "Topic settings by their Kafka names, such as `{cleanup.policy: delete}`; in the environment `name=value,name=value`."},
	{key: "kafka.watermark_topic", at: func(c *Config, _ int) any { return &c.Kafka.WatermarkTopic }, def: "walrelay.watermark", check: checkTopic,
		doc: "The topic that exactly-once keeps its position in; not used otherwise."},
}

// runSettings are about the process.
var runSettings = []*setting{
	{key: "delivery", at: func(c *Config, _ int) any { return &c.Delivery }, def: AtLeastOnce, allowed: []string{AtLeastOnce, ExactlyOnce},
		doc: "`at-least-once`, or `exactly-once`: in transactions of Kafka, so that consumers with `isolation.level=read_committed` see every event once (docs/exactly-once.md)."},
	{key: "on_poison", at: func(c *Config, _ int) any { return &c.OnPoison }, def: "stop", allowed: []string{"stop", "dead-letter", "skip"},
		doc: "What to do with a record that Kafka will never take (too large, invalid): `stop` with exit code 4, send it to `dead_letter_topic`, or `skip` it and name each one in the log."},
	{key: "on_fatal", at: func(c *Config, _ int) any { return &c.OnFatal }, def: "exit", allowed: []string{"exit", "hold"},
		doc: "After an error that needs a human: `exit`, or `hold`: stay up, not ready, with the reason on `/readyz` (for Kubernetes)."},
	{key: "dead_letter_topic", at: func(c *Config, _ int) any { return &c.DeadLetterTopic }, check: checkTopic,
		doc: "The topic of `on_poison: dead-letter`."},

	{key: "limits.in_flight_bytes", at: func(c *Config, _ int) any { return &c.Limits.InFlightBytes }, def: "16MiB", min: 1 << 20, max: 1 << 32,
		doc: "Bytes handed to Kafka and not yet acknowledged; reading pauses at it. The process needs about this and 24 MiB more."},
}

// logSettings are those of the log.
var logSettings = []*setting{
	{key: "log.level", at: func(c *Config, _ int) any { return &c.Log.Level }, def: "info", flag: "log-level", allowed: []string{"trace", "debug", "info", "warn", "error"},
		doc: "The least important messages that are written."},
	{key: "log.format", at: func(c *Config, _ int) any { return &c.Log.Format }, def: "auto", flag: "log-format", allowed: []string{"auto", "console", "json"},
		doc: "`auto` is `console` on a terminal and `json` otherwise."},
}

// secretFiles pairs each secret with the key of the file that may hold it.
var secretFiles = [][2]string{
	{"postgres.url", "postgres.url_file"},
	{"postgres.password", "postgres.password_file"},
	{"kafka.sasl.password", "kafka.sasl.password_file"},
	{"http.password", "http.password_file"},
	{"http.token", "http.token_file"},
}

// envPrefix begins the name of every environment twin.
const envPrefix = "WALRELAY_"

// env returns the name of the setting's environment twin.
func (s *setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// last returns the key without its sections.
func (s *setting) last() string { return s.key[strings.LastIndexByte(s.key, '.')+1:] }

var byKey = func() map[string]*setting {
	m := make(map[string]*setting, len(settings))
	for _, s := range settings {
		m[s.key] = s
	}
	return m
}()

// creation returns the topic creation, made when a key of it is set first.
func (c *Config) creation() *TopicCreation {
	if c.Kafka.Topics.Create == nil {
		c.Kafka.Topics.Create = &TopicCreation{}
	}
	return c.Kafka.Topics.Create
}

// Flag is a setting that the command line has a flag for.
type Flag struct{ Name, Key, Default, Doc string }

// Flags returns the settings that have a flag, in the order of the reference.
func Flags() []Flag {
	var flags []Flag
	for _, s := range settings {
		if s.flag != "" {
			flags = append(flags, Flag{Name: s.flag, Key: s.key, Default: s.def, Doc: s.doc})
		}
	}
	return flags
}
