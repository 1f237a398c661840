package config

// Format says how a record's key, value and headers become bytes.
type Format struct {
	Key, Value, Headers Converter
	JavaVersion         int // 18 or 19: whose way of printing floating-point numbers
}

// Converter is one of Kafka Connect's converters and its options.
type Converter struct {
	Converter   string
	Delegate    string
	Decimals    string
	NullDefault bool
}

// Types says what the types of columns become where text alone will not do.
type Types struct {
	Decimal     string
	Time        string
	Interval    string
	Binary      string
	HStore      string
	MoneyDigits int
	Unknown     bool
	Unavailable string
}

// Snapshot says what becomes of the rows that are older than the slot.
type Snapshot struct {
	Mode      string // none, initial or only
	FetchSize int
}

var (
	converters = []string{"text", "string", "json", "json-schema", "bytes", "binary", "int16", "int32", "int64", "float32", "float64", "boolean"}
	delegates  = []string{"", "string", "json", "json-schema"}
)

// routeSettings are the rules beyond topic, key and headers; most of them are
// those of Debezium's Outbox Event Router.
var routeSettings = []*setting{
	{key: "route.pattern", at: func(c *Config, _ int) any { return &c.Route.Pattern },
		doc: "Instead of `route.topic`: a Java regular expression that has to match the whole aggregate type; what does not match goes to a topic of its own name."},
	{key: "route.replacement", at: func(c *Config, _ int) any { return &c.Route.Replacement },
		doc: "The topic for `route.pattern`, by the rules of Java's `Matcher.replaceFirst`: `$1` and `${name}` are groups of the pattern."},
	{key: "route.envelope", at: func(c *Config, _ int) any { return &c.Route.Envelope },
		doc: "Sources (`column` or `column:name`, as in `route.headers`) that stand in the value beside the payload: the value becomes a struct with the field `payload` and these."},
	{key: "route.partition", at: func(c *Config, _ int) any { return &c.Route.Partition }, check: checkColumns,
		doc: "An `integer` column that gives the partition. Without one, and where it is NULL, the key decides. An event whose partition does not exist is poison."},
	{key: "route.timestamp", at: func(c *Config, _ int) any { return &c.Route.Timestamp }, check: checkColumns, defDoc: "the commit time",
		doc: "A `timestamp` column (without time zone, taken as UTC) that gives the record's timestamp; where it is NULL, the commit time does."},
	{key: "route.schema_version", at: func(c *Config, _ int) any { return &c.Route.SchemaVersion }, check: checkColumns,
		doc: "An `integer` column that gives the version of the envelope's schema; only `json-schema` shows it."},
	{key: "route.schema_prefix", at: func(c *Config, _ int) any { return &c.Route.SchemaPrefix },
		doc: "The first part of the name of the envelope's schema (Debezium's `topic.prefix`): `<prefix>.<schema>.<table>.<aggregate type>.Value`. Also the name that the header source `debezium-context` gives."},
	{key: "route.missing_columns", at: func(c *Config, _ int) any { return &c.Route.MissingColumns }, def: "error", allowed: []string{"error", "ignore"},
		doc: "What to do when a column of `route.headers` or `route.envelope` does not exist: stop with an `error`, or `ignore` it."},
	{key: "route.expand_json", at: func(c *Config, _ int) any { return &c.Route.ExpandJSON }, def: "false",
		doc: "Parse a payload that is a JSON object in text, so that `json` converters write it as JSON and not as a string with JSON in it."},
	{key: "route.expand_json_nulls", at: func(c *Config, _ int) any { return &c.Route.ExpandJSONNulls }, def: "drop", allowed: []string{"drop", "keep"},
		doc: "Members of an expanded payload that are `null`: leave them out, or keep them."},
	{key: "route.expand_json_names", at: func(c *Config, _ int) any { return &c.Route.ExpandJSONNames }, def: "none", allowed: []string{"none", "avro", "avro_unicode"},
		doc: "Rename members of an expanded payload so that Avro takes them. As in Debezium, a member that has to be renamed loses its value: only for consumers that count on it."},
	{key: "route.tombstone_on_empty", at: func(c *Config, _ int) any { return &c.Route.TombstoneOnEmpty }, def: "false",
		doc: "Send a null value (a tombstone) for a payload that is NULL, empty or blank, whatever the converter and the envelope would make of it."},
	{key: "route.null_as_default", at: func(c *Config, _ int) any { return &c.Route.NullAsDefault }, def: "false",
		doc: "Let an explicit NULL in a column that has a DEFAULT go out as that default, as Debezium does."},
	{key: "route.updates", at: func(c *Config, _ int) any { return &c.Route.Updates }, def: "ignore", allowed: []string{"ignore", "warn", "stop"},
		doc: "What an UPDATE of an outbox row does beside making no event: nothing, a `warn`ing in the log, or `stop` the relay."},
	{key: "route.key_updates", at: func(c *Config, _ int) any { return &c.Route.KeyUpdates }, def: "ignore", allowed: []string{"ignore", "publish"},
		doc: "An UPDATE that changes the primary key: make no event, or `publish` the row again with the header `__debezium.oldkey`, as Debezium does."},
}

// formatSettings are the converters of one part of the record.
func formatSettings(part, converter, doc string, of func(*Config) *Converter, allowed []string) []*setting {
	key := "format." + part
	return []*setting{
		{key: key + ".converter", at: func(c *Config, _ int) any { return &of(c).Converter }, def: converter, allowed: allowed,
			doc: doc},
		{key: key + ".delegate", at: func(c *Config, _ int) any { return &of(c).Delegate }, allowed: delegates,
			doc: "For `binary`: the converter of what is not bytes. Without one such an event is poison."},
		{key: key + ".decimals", at: func(c *Config, _ int) any { return &of(c).Decimals }, def: "base64", allowed: []string{"base64", "numeric"},
			doc: "For `json` and `json-schema`: how `numeric` columns are written (`types.decimal: precise`)."},
		{key: key + ".null_default", at: func(c *Config, _ int) any { return &of(c).NullDefault }, def: "true",
			doc: "For `json` and `json-schema`: write a column's default for its NULL where the schema has one (Kafka Connect's `replace.null.with.default`)."},
	}
}

// typeSettings say what column types become; the words are Debezium's.
var typeSettings = []*setting{
	{key: "format.java_version", at: func(c *Config, _ int) any { return &c.Format.JavaVersion }, def: "19", min: 18, max: 19,
		doc: "Floating-point numbers as Java prints them: `19` as from version 19 on (shortest), `18` as up to version 18 (2.0E-3 may have other last digits)."},
	{key: "types.decimal", at: func(c *Config, _ int) any { return &c.Types.Decimal }, def: "precise", allowed: []string{"precise", "double", "string"},
		doc: "`numeric` and `money`: exact, as a floating-point number, or as text."},
	{key: "types.time", at: func(c *Config, _ int) any { return &c.Types.Time }, def: "adaptive",
		allowed: []string{"adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"},
		doc:     "`date`, `time` and `timestamp` as numbers by their precision (`adaptive`), in one unit, or as ISO 8601 text."},
	{key: "types.interval", at: func(c *Config, _ int) any { return &c.Types.Interval }, def: "numeric", allowed: []string{"numeric", "string"},
		doc: "`interval` as microseconds (a month is 30.4375 days), or as ISO 8601 text."},
	{key: "types.binary", at: func(c *Config, _ int) any { return &c.Types.Binary }, def: "bytes", allowed: []string{"bytes", "base64", "base64-url-safe", "hex"},
		doc: "`bytea` as bytes, or as text in this encoding."},
	{key: "types.hstore", at: func(c *Config, _ int) any { return &c.Types.HStore }, def: "json", allowed: []string{"json", "map"},
		doc: "`hstore` as JSON text, or as a map."},
	{key: "types.money_digits", at: func(c *Config, _ int) any { return &c.Types.MoneyDigits }, def: "2", min: 0, max: 38,
		doc: "Fraction digits of `money`."},
	{key: "types.unknown", at: func(c *Config, _ int) any { return &c.Types.Unknown }, def: "false",
		doc: "Columns of types that Debezium does not know: as bytes of their text, or (`false`) as if the column did not exist."},
	{key: "types.unavailable", at: func(c *Config, _ int) any { return &c.Types.Unavailable }, def: "__debezium_unavailable_value",
		doc: "What stands for a large value that an UPDATE of the key left unchanged and that is therefore not in the WAL."},
}

// snapshotSettings are about the rows that are older than the slot.
var snapshotSettings = []*setting{
	{key: "snapshot.mode", at: func(c *Config, _ int) any { return &c.Snapshot.Mode }, def: "none", allowed: []string{"none", "initial", "only"},
		doc: "Rows that are in the outbox tables before the relay makes its slot: leave them (`none`), publish them before streaming (`initial`), or publish them and nothing else (`only`). A slot that exists already is taken over without a snapshot."},
	{key: "snapshot.fetch_size", at: func(c *Config, _ int) any { return &c.Snapshot.FetchSize }, def: "10240", min: 1, max: 1_000_000,
		doc: "Rows read at once during a snapshot."},
}
