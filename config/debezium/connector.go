package debezium

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const connectorClass = "io.debezium.connector.postgresql.PostgresConnector"

// connector refuses what is not the PostgreSQL connector, or not to Kafka.
func (im *importer) connector() {
	e := im.get("connector.class")
	switch {
	case e == nil:
		im.blockAbsent("connector.class", "is missing: want the configuration of Debezium's PostgreSQL connector (%s)", connectorClass)
	case trim(e.value) == connectorClass || trim(e.value) == "PostgresConnector" || trim(e.value) == "Postgres":
		im.note(Ignored, e, "", "walrelay is the connector.")
	default:
		im.block(e, "%q is not Debezium's PostgreSQL connector: only %s can be imported", e.value, connectorClass)
	}
	if !im.server {
		return
	}
	if e := im.get("sink.type"); e == nil {
		im.blockAbsent("sink.type", "is missing: want Debezium Server's Kafka sink (kafka)")
	} else if trim(e.value) == "kafka" {
		im.note(Ignored, e, "", "walrelay writes to Kafka only.")
	} else {
		im.block(e, "%q is not Kafka: walrelay writes to Kafka only", e.value)
	}
}

// defaults writes what Debezium does without being asked.
func (im *importer) defaults() {
	if im.get("topic.prefix") == nil && im.prefix == "" {
		im.absent(Differs, "topic.prefix", "", "Missing, though Debezium requires it. It is the first part of the name of an envelope's schema; set route.schema_prefix to it where consumers look at schema names.")
	}
	if im.get("snapshot.mode") == nil {
		im.set("snapshot.mode", "initial", im.spelled("snapshot.mode")+": Debezium's default")
		im.absent(Taken, "snapshot.mode", "snapshot.mode", "Debezium's default is initial. A slot that exists already is taken over without a snapshot.")
	}
	im.set("route.null_as_default", "true", "Debezium always does")
	if _, ok := im.values["route.key_updates"]; !ok {
		im.set("route.key_updates", "publish", "Debezium always does")
	}
	im.contextHeaders()
}

// contextHeaders tells about the four headers that Debezium adds since 3.3.
func (im *importer) contextHeaders() {
	const text = "The four headers __debezium.context.* are left out. Should a consumer read them, add debezium-context to route.headers."
	e := im.get("extended.headers.enabled")
	if e == nil {
		im.absent(Differs, "extended.headers.enabled", "route.headers", text)
		return
	}
	switch on, ok := im.flag(e); {
	case ok && on:
		im.note(Differs, e, "route.headers", text)
	case ok:
		im.took(e, "route.headers", "without debezium-context")
	}
}

func useName(im *importer, e *entry) {
	im.report.Connector = oneLine(e.value)
	im.note(Ignored, e, "", "A name of Kafka Connect's. kafka.client_id is the name that brokers see.")
}

func useTopicPrefix(im *importer, e *entry) {
	if im.resolved(e) {
		im.prefix = trim(e.value)
		im.take(e, "route.schema_prefix", scalar(im.prefix))
	}
}

// useOldName lets an option of an older Debezium stand for the one of today.
func useOldName(name string) handler {
	return func(im *importer, e *entry) {
		if im.get(name) != nil {
			im.note(Ignored, e, "", "The old name of "+name+", which is set, too, and counts.")
			return
		}
		im.note(Differs, e, "", "The old name of "+name+"; Debezium 3 does not read it any more. It was taken for "+name+".")
		renamed := *e
		renamed.name, renamed.noted = name, false
		im.byName[name] = &renamed
		im.entries = append(im.entries, &renamed)
		if row := im.table.lookup(name); row.use != nil {
			row.use(im, &renamed)
		} else if row.verdict != "" {
			im.note(row.verdict, &renamed, "", row.why)
		}
	}
}

// useMode takes over one of the words that are walrelay's, too.
func useMode(key string, allowed ...string) handler {
	return func(im *importer, e *entry) {
		if word, ok := im.choice(e, allowed...); ok {
			im.take(e, key, word)
		}
	}
}

func useSnapshotMode(im *importer, e *entry) {
	if !im.resolved(e) {
		return
	}
	mode, text := "initial", ""
	word := strings.ToLower(trim(e.value))
	switch word {
	case "initial":
	case "no_data":
		mode = "none"
	case "initial_only":
		mode = "only"
	case "never":
		mode, text = "none", "The old name of no_data, which Debezium 3 refuses."
	case "always":
		text = "Debezium takes a snapshot at every start; walrelay takes one when it makes its slot, and never repeats rows without need."
	case "when_needed":
		text = "Debezium takes a new snapshot when its place in the WAL is gone; walrelay takes one when it makes its slot, and stops with exit code 4 when the slot was lost, for a person to decide."
	case "exported":
		text = "An old name of initial: walrelay's snapshot is the slot's exported one."
	case "configuration_based":
		mode, text = im.configuredSnapshot(), "Made of snapshot.mode.configuration.based.*: compare it with what you mean."
	case "custom":
		text = "A snapshotter of your own has no counterpart. initial is the choice that loses nothing: rows that were there before the slot are published."
	default:
		im.block(e, "%q is no snapshot mode of Debezium's: want initial, no_data, initial_only, when_needed, always or configuration_based", e.value)
		return
	}
	im.set("snapshot.mode", mode, e.origin())
	switch {
	case text == "":
		im.took(e, "snapshot.mode", mode)
	case word == "custom":
		im.note(Unsupported, e, "snapshot.mode: "+mode, text)
	default:
		im.note(Differs, e, "snapshot.mode: "+mode, text)
	}
}

// configuredSnapshot reads the switches of configuration_based; their default is false.
func (im *importer) configuredSnapshot() string {
	const prefix = "snapshot.mode.configuration.based."
	on := func(name string) bool {
		e := im.get(prefix + name)
		if e == nil {
			return false
		}
		yes, _ := im.flag(e)
		return yes
	}
	data, stream := on("snapshot.data"), on("start.stream")
	for _, e := range im.entries {
		if strings.HasPrefix(e.name, prefix) && !e.noted {
			im.note(Differs, e, "snapshot.mode", "Went into snapshot.mode as far as there is a counterpart.")
		}
	}
	switch {
	case data && stream:
		return "initial"
	case data:
		return "only"
	}
	return "none"
}

func useFetchSize(im *importer, e *entry) {
	if !im.resolved(e) {
		return
	}
	n, err := strconv.Atoi(trim(e.value))
	if err != nil {
		im.block(e, "%q is no whole number", e.value)
		return
	}
	if n < 1 || n > 1_000_000 {
		im.note(Differs, e, "snapshot.fetch_size", "Out of walrelay's range (1 to 1000000): the default is used.")
		return
	}
	im.take(e, "snapshot.fetch_size", strconv.Itoa(n))
}

func useMoneyDigits(im *importer, e *entry) {
	if !im.resolved(e) {
		return
	}
	n, err := strconv.Atoi(trim(e.value))
	if err != nil || n < 0 || n > 38 {
		im.block(e, "%q is no number of digits: want 0 to 38", e.value)
		return
	}
	im.take(e, "types.money_digits", strconv.Itoa(n))
}

func useUnknownTypes(im *importer, e *entry) {
	if on, ok := im.flag(e); ok {
		im.take(e, "types.unknown", strconv.FormatBool(on))
	}
}

func usePlaceholder(im *importer, e *entry) {
	if im.resolved(e) {
		im.take(e, "types.unavailable", scalar(e.value))
	}
}

func useSignalChannels(im *importer, e *entry) {
	if im.resolved(e) && !slices.Equal(listOf(e.value), []string{"source"}) {
		im.note(Unsupported, e, "", noSignals)
		return
	}
	im.note(Ignored, e, "", noSignals)
}

func useHeartbeat(im *importer, e *entry) {
	if n, err := strconv.Atoi(trim(e.value)); err == nil && n == 0 {
		im.note(Ignored, e, "", "walrelay writes no heartbeats.")
		return
	}
	im.note(Unsupported, e, "", "walrelay writes no heartbeats into Kafka and needs none to move its slot on. If somebody watches their topic, watch walrelay_confirmed_lsn and /readyz instead.")
}

func useFailureMode(im *importer, e *entry) {
	if mode := strings.ToLower(trim(e.value)); mode == "fail" {
		im.note(Ignored, e, "", "walrelay stops on what it cannot read, too; it never skips silently.")
		return
	}
	im.note(Dangerous, e, "", "Debezium skips events that it cannot process, and they are lost. walrelay never does: what Kafka can never take is subject to on_poison, anything else stops it.")
}

// useSkipped reads skipped.operations: c, u, d, t, none.
func useSkipped(im *importer, e *entry) {
	if !im.resolved(e) {
		return
	}
	for _, op := range listOf(e.value) {
		switch strings.ToLower(op) {
		case "c":
			im.block(e, "skips INSERTs (c), so nothing is published: remove the c if events are to be published")
			return
		case "u":
			im.set("route.key_updates", "ignore", e.origin())
		case "none":
			im.note(Differs, e, "", "A TRUNCATE of an outbox table stops Debezium's task; walrelay ignores it.")
			return
		}
	}
	if _, ok := im.values["route.key_updates"]; ok {
		im.note(Taken, e, "route.key_updates", "UPDATEs are skipped, those of the primary key included.")
		return
	}
	im.note(Ignored, e, "", "UPDATE, DELETE and TRUNCATE make no events anyway.")
}

func useTransactionMetadata(im *importer, e *entry) {
	if on, ok := im.flag(e); ok && on {
		im.note(Unsupported, e, "", "There are no transaction events (Debezium writes them to <topic.prefix>.transaction). The transaction id of an event can go out as the header walrelay-xid.")
	} else if ok {
		im.note(Ignored, e, "", "There are no transaction events.")
	}
}

func useNamingStrategy(im *importer, e *entry) {
	if strings.HasSuffix(trim(e.value), ".SchemaTopicNamingStrategy") || strings.HasSuffix(trim(e.value), ".DefaultTopicNamingStrategy") {
		im.note(Ignored, e, "", noStreaming)
		return
	}
	im.note(Unsupported, e, "", "The router sets the topics; what remains of it are the names of envelope schemas, which walrelay writes as <topic.prefix>.<schema>.<table>.<aggregate type>.Value.")
}

func useDelimiter(im *importer, e *entry) {
	if trim(e.value) == "." {
		im.note(Ignored, e, "", noStreaming)
		return
	}
	im.note(Unsupported, e, "", "walrelay joins the names of envelope schemas with dots. The records' topics do not depend on it.")
}

// topicRune is what Kafka takes in a topic's name.
var notTopic = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)

// useTolerance makes of "skip what fails" a topic that keeps it.
func useTolerance(im *importer, e *entry) {
	mode, ok := im.choice(e, "none", "all")
	switch {
	case !ok:
		return
	case mode == "none":
		im.took(e, "on_poison", "stop")
		return
	}
	prefix := im.prefix
	if p := im.get("topic.prefix"); p != nil && p.missing == "" {
		prefix = trim(p.value)
	}
	prefix = notTopic.ReplaceAllString(prefix, "-")
	if len(prefix) > 200 {
		prefix = prefix[:200]
	}
	topic := strings.TrimPrefix(prefix+".dead-letter", ".")
	im.set("on_poison", "dead-letter", e.origin())
	im.set("dead_letter_topic", scalar(topic), e.origin())
	im.note(Dangerous, e, "on_poison: dead-letter", fmt.Sprintf("Debezium throws away every event that a transform, a converter or Kafka refuses: it is lost. walrelay puts such events into the topic %s, with the reason in the headers; watch it. on_poison: stop is the safer choice where order counts.", topic))
}
