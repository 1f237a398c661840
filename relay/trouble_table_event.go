package relay

// What is true of every event that Kafka can never take.
const (
	poisonCause  = " Under on_poison: stop the process ends before the event: it is not lost, and nothing behind it is confirmed."
	poisonRemedy = " Then start again. Or set on_poison to dead-letter or skip."
)

// eventTroubles are those of one event.
var eventTroubles = []Trouble{
	{
		Code: codeNullType, Side: sideRelay, Title: "an event has no aggregate type",
		Cause:  "The topic is made from the aggregate type, which is NULL in this row." + poisonCause,
		Remedy: "Mend what wrote the row (NOT NULL on the column keeps it from happening), or change route.topic to one that does without." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codeNullID, Side: sideRelay, Title: "an event has no aggregate id",
		Cause:  "The topic is made from the aggregate id, which is NULL in this row." + poisonCause,
		Remedy: "Mend what wrote the row, or change route.topic to one that does without." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codeNullEvent, Side: sideRelay, Title: "an event has no event type",
		Cause:  "The topic is made from the event type, which is NULL in this row." + poisonCause,
		Remedy: "Mend what wrote the row, or change route.topic to one that does without." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codeIllegalTopic, Side: sideRelay, Title: "an event's topic name is not allowed",
		Cause:  "What route.topic makes of the row is no name for a topic: Kafka takes 1 to 249 of letters, digits, dot, underscore and hyphen." + poisonCause,
		Remedy: "Mend what wrote the row, or change route.topic, route.pattern and route.replacement so that they make a legal name." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codeInvalid, Side: sideRelay, Title: "a value of an event is malformed",
		Cause:  "PostgreSQL's text of a value is not what its type promises, such as bytea in another format than hex." + poisonCause,
		Remedy: "Look at the row that the message names, and report it to walrelay's project: the server should not send that." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codeUnconvertible, Side: sideRelay, Title: "the converter does not take a value of an event",
		Cause:  "A value can't be turned into what format, types or route ask for. Debezium's task fails on such a row, too." + poisonCause,
		Remedy: "Change the converter or the rule that the message names, or mend what wrote the row." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codeTooLarge, Side: sideRelay, Title: "an event is larger than its topic allows",
		Cause:  "The record exceeds the topic's max.message.bytes." + poisonCause,
		Remedy: "Raise the topic's max.message.bytes (1048588 by default; replica.fetch.max.bytes on the brokers and the consumers' limits should follow), set kafka.compression, or keep large payloads out of the outbox." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codePartition, Side: sideRelay, Title: "an event asks for a partition that is not there",
		Cause:  "route.partition takes the partition from a column, and the topic has no partition of that number." + poisonCause,
		Remedy: "Correct what writes the column, or give the topic that many partitions." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codeRecord, Side: sideRelay, Title: "the broker refuses an event as invalid",
		Cause:  "The broker checks records and does not take this one: as a rule the topic is compacted and the event has no key." + poisonCause,
		Remedy: "Give the event a key (route.key), or the topic another cleanup.policy." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codeTimestamp, Side: sideRelay, Title: "an event's timestamp is out of the topic's range",
		Cause:  "The record's timestamp is older or further in the future than the topic allows, or can't be expressed in Kafka. Without route.timestamp it is the commit time." + poisonCause,
		Remedy: "Widen the topic's message.timestamp.before.max.ms or message.timestamp.after.max.ms, compare PostgreSQL's clock with the brokers', or correct what route.timestamp names." + poisonRemedy,
		Exit:   exitHuman,
	},
	{
		Code: codeDeadLetter, Side: sideRelay, Title: "the dead-letter topic does not take an event either",
		Cause:  "Kafka can never take the event, and its dead letter is refused as well. The process ends before it: it is not lost, and nothing behind it is confirmed.",
		Remedy: "Give the dead-letter topic room: max.message.bytes at least that of the other topics, cleanup.policy delete, wide timestamp limits. Then start again.",
		Exit:   exitHuman,
	},
	{
		Code: codeUpdate, Side: sideRelay, Title: "a row of the outbox was updated",
		Cause:  "route.updates is stop, and an UPDATE of an outbox row came. An UPDATE makes no event. Nothing is lost.",
		Remedy: "Find what updates the table. To go on, set route.updates to warn or ignore and start again.",
		Exit:   exitHuman,
	},
	{
		Code: codePoison, Side: sideRelay, Title: "Kafka can never take an event",
		Cause:  "The event can't be a Kafka record, for the reason in the message." + poisonCause,
		Remedy: "Mend what wrote the row." + poisonRemedy,
		Exit:   exitHuman,
	},
}

// relayTroubles are those of the relay itself.
var relayTroubles = []Trouble{
	{
		Code: codeConfig, Side: sideRelay, Title: "the configuration is refused",
		Cause:  "A setting is unknown, of the wrong type, impossible, or missing. Nothing was touched.",
		Remedy: "Correct each place that the message names (file, line and column, variable or flag). `walrelay config` shows what is in force, docs/configuration.md what there is.",
		Exit:   exitSetup,
	},
	{
		Code: codeStandby, Side: sidePostgres, Title: "another instance holds the slot: standing by",
		Cause:  "Only one may read from a slot. This instance waits and takes over when the other one ends; that is no error with a standby. Events are delivered by the other.",
		Remedy: "Nothing with a standby. If no other instance should run: `SELECT active_pid FROM pg_replication_slots` and pg_stat_replication say who it is; a walsender whose client is gone ends after wal_sender_timeout.",
		Retry:  true, wait: standBy,
	},
	{
		Code: codeNoWait, Side: sideRelay, Title: "another instance holds the slot, and --no-wait is set",
		Cause:  "The slot is in use, and this instance was told not to wait for it. Events are delivered by the other.",
		Remedy: "Stop the other instance, or run without --no-wait to stand by.",
		Exit:   exitStandby,
	},
	{
		Code: codeFenced, Side: sideKafka, Title: "another instance has taken over",
		Cause:  "A newer instance of the same slot has taken the transactional id, so Kafka refuses what this one still sends: two instances never write at once. This one gives the slot up and stands by. Nothing is lost.",
		Remedy: "Nothing after a takeover. If two instances take over from each other again and again, find out which should run: both believe they hold the slot, or two servers share one Kafka and system identifier (a copied database).",
		Retry:  true, wait: standBy,
	},
	{
		Code: codeSnapshotLost, Side: sidePostgres, Title: "the snapshot was lost and begins anew",
		Cause:  "The snapshot's connection, lock or tables are not what they were (the connection broke, a table was truncated or rewritten, another instance began it anew). It begins again with all rows: those that were published are published again. Nothing is missing.",
		Remedy: "Leave the outbox tables alone while the snapshot runs, and look for what ends connections.",
		Retry:  true,
	},
	{
		Code: codeNotHolder, Side: sidePostgres, Title: "another instance holds the marker",
		Cause:  "Another instance has taken the slot over, so this one does not write the marker any more. Events are not concerned.",
		Remedy: "Nothing after a takeover.",
		Retry:  true,
	},
	{
		Code: codeLookBack, Side: sideRelay, Title: "what was delivered before the restart can't be told",
		Cause:  "After a restart walrelay reads the ends of the topics to leave out what is there already. That was not possible here, so events since the slot's confirmed position may be repeated, each with its event id. Nothing is lost.",
		Remedy: "Nothing: consumers skip repeats by the event id. It happens after long outages, or when another program writes to the topic.",
		Retry:  true,
	},
	{
		Code: codeStuck, Side: sideRelay, Title: "the relay's loop stands still",
		Cause:  "The process lives and its loop has not moved for a minute: a fault of walrelay, or a machine that is frozen or starved. /healthz fails. Nothing is lost: what Kafka has not acknowledged is not confirmed.",
		Remedy: "Restart it, as a supervisor does that watches /healthz or systemd's watchdog. If it comes again, report it to walrelay's project with the goroutines that SIGQUIT prints.",
		Exit:   exitFailure,
	},
	{
		Code: codeUnknown, Side: sideRelay, Title: "an error that walrelay does not know",
		Cause:  "There is no rule for this error. The process ends, because going on could lose events. Nothing is lost: a new start goes on from the slot's position, perhaps with repeats.",
		Remedy: "Start again. If it comes again, report it to walrelay's project with the log's last lines.",
		Exit:   exitFailure,
	},
}
