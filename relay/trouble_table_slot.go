package relay

// acceptGap is the way out of most gaps.
const acceptGap = "Stop all instances. Publish what is missing by other means: rows that are still in the outbox table can be inserted again (docs/operations.md, A gap). Then run `walrelay init --accept-gap`."

// slotTroubles are those of the slot itself. Most are gaps: events may be missing,
// and a person has to decide.
var slotTroubles = []Trouble{
	{
		Code: codeVanished, Side: sidePostgres, Title: "the slot has vanished",
		Cause:  "The slot that this relay read from was dropped. What was committed after the position in the message and not delivered is missing: a new slot begins with what is committed after it was made. Nothing was made anew.",
		Remedy: acceptGap, Exit: exitHuman,
	},
	{
		Code: codeLeftBehind, Side: sidePostgres, Title: "the slot did not come along in a failover",
		Cause:  "The server was promoted or restored, and the slot exists only where it was before. What was committed after the position in the message and not delivered is missing.",
		Remedy: acceptGap + " For the next time: postgres.failover_slot with PostgreSQL 17 and later.", Exit: exitHuman,
	},
	{
		Code: codeReplaced, Side: sidePostgres, Title: "the slot was made anew by somebody else",
		Cause:  "A slot of the same name was dropped and made again. What was committed between the old slot's position and the new one's start is missing.",
		Remedy: acceptGap, Exit: exitHuman,
	},
	{
		Code: codeMoved, Side: sidePostgres, Title: "the slot does not stand where this relay stopped",
		Cause:  "The relay stopped cleanly, and since then the slot was moved on or made anew: another program reads from it. What that program took was not delivered to Kafka by this relay. Or the slot stands beyond the end of the server's WAL: it was copied from another server, or a byte of a position was changed on the way. Then PostgreSQL skips what commits before it.",
		Remedy: "Find the other reader and give it a slot of its own; use TLS. " + acceptGap, Exit: exitHuman,
	},
	{
		Code: codeWALRemoved, Side: sidePostgres, Title: "the WAL that the slot needs was removed",
		Cause:  "The slot fell further behind than max_slot_wal_keep_size, or WAL was deleted. What was committed after the position in the message is not in the WAL any more and is missing in Kafka.",
		Remedy: acceptGap + " Then raise the limit or alarm earlier: `ALTER SYSTEM SET max_slot_wal_keep_size = '60GB'; SELECT pg_reload_conf()`.", Exit: exitHuman,
	},
	{
		Code: codeIdleTimeout, Side: sidePostgres, Title: "the slot was given up because it was idle",
		Cause:  "Nobody read from the slot for longer than idle_replication_slot_timeout (PostgreSQL 18), so the server invalidated it. What was committed after the position in the message is missing.",
		Remedy: acceptGap + " Then: `ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf()`.", Exit: exitHuman,
	},
	{
		Code: codeRowsRemoved, Side: sidePostgres, Title: "the slot was invalidated by a conflict on the standby",
		Cause:  "Rows of the catalog that the slot needed were removed on the primary (vacuum). What was committed after the position in the message is missing.",
		Remedy: acceptGap + " Read from the primary, or set hot_standby_feedback = on.", Exit: exitHuman,
	},
	{
		Code: codeWALLevelSlot, Side: sidePostgres, Title: "the slot was invalidated because wal_level was lowered",
		Cause:  "wal_level was not logical for a time. What was committed meanwhile can't be decoded and is missing.",
		Remedy: "`ALTER SYSTEM SET wal_level = logical;` then restart PostgreSQL. " + acceptGap, Exit: exitHuman,
	},
	{
		Code: codeOtherSystem, Side: sidePostgres, Title: "the database belongs to another system now",
		Cause:  "The marker in the database was written on a server with another system identifier: this is a restored backup, a copy or an upgraded database. A copy that delivered would send the original's events twice; after a restore or an upgrade, events since then may be missing.",
		Remedy: "If this is a copy, give it no relay. If it replaces the original: " + acceptGap, Exit: exitHuman,
	},
	{
		Code: codePublicationGap, Side: sidePostgres, Title: "the publication was dropped, or is younger than the slot",
		Cause:  "What was committed while there was no publication can't be decoded by this slot; PostgreSQL 18 leaves it out without an error. Events since the position in the message may be missing.",
		Remedy: "If only the name is wrong, correct postgres.publication. Else: " + acceptGap, Exit: exitHuman,
	},
	{
		Code: codeChangedUnder, Side: sidePostgres, Title: "the publication or the outbox table was changed",
		Cause:  "The publication lost a table or the inserts, or the table was dropped or changed, so that rows passed by without an error: while it was read, or while no relay ran. Also when all is well again: a table that was taken out and put back, or got another row filter, is published from then on only. What was written to it since the position in the message may be missing.",
		Remedy: "Mend what the message names before the next start. Publish again what was written to the table since the time that it gives, by its rows or by other means. Then `walrelay init --accept-gap`, where the next start asks for it.", Exit: exitHuman,
	},
	{
		Code: codeUnreadable, Side: sidePostgres, Title: "the slot can't be read any more",
		Cause:  "PostgreSQL refuses to read from the slot; the server's message says why. As a rule it was invalidated, and what was committed after its position is missing.",
		Remedy: "Look at `SELECT * FROM pg_replication_slots`. If wal_status is lost or the slot is invalidated: " + acceptGap, Exit: exitHuman,
	},
	{
		Code: codeSlotKind, Side: sidePostgres, Title: "the slot is of another kind",
		Cause:  "There is a slot of this name that is physical, temporary, or has another output plugin than pgoutput: it is another program's. It was not touched.",
		Remedy: "Set postgres.slot to another name; or, if nobody needs it, `SELECT pg_drop_replication_slot('NAME')`.",
		Exit:   exitSetup,
	},
	{
		Code: codeSlotDatabase, Side: sidePostgres, Title: "the slot belongs to another database",
		Cause:  "Slots have names for the whole server and read one database each. This one reads another than postgres.url names. It was not touched.",
		Remedy: "Correct the database in postgres.url, or set postgres.slot to another name.",
		Exit:   exitSetup,
	},
	{
		Code: codeRewound, Side: sidePostgres, Title: "the server was put back to an earlier state",
		Cause:  "The server does not send again what it had sent before the connection broke: it lost its last transactions in a failover or a restore. Everything from the slot's position is sent to Kafka. Events may repeat, and Kafka has events that the database does not know any more.",
		Remedy: "Compare with the database what Kafka got just before. Synchronous replication keeps a failover from losing transactions.",
		Retry:  true,
	},
	{
		Code: codeChangedStart, Side: sidePostgres, Title: "slot or marker changed during the start",
		Cause:  "Between two looks somebody made or dropped the slot or its row in walrelay.marker. Nothing was read or confirmed.",
		Remedy: "Start again. If it comes again, find who else works on this slot.",
		Exit:   exitFailure,
	},
	{
		Code: codeOtherHistory, Side: sidePostgres, Title: "exactly-once can't tell what is delivered",
		Cause:  "The watermark in Kafka, up to which events are delivered, does not fit the history of this server: a backup was restored, a failover lost what the old server had committed, or the watermark's topic was deleted. Going on could repeat events or leave some out, and exactly-once promises neither. The message says which, and from which position.",
		Remedy: "Compare the outbox with Kafka from the position in the message on, and publish what is missing by other means or accept that events repeat. " + acceptGap, Exit: exitHuman,
	},
	{
		Code: codeGap, Side: sidePostgres, Title: "events may be missing",
		Cause:  "The slot does not go on where this relay left off; the message says why, and from where on events may be missing.",
		Remedy: acceptGap, Exit: exitHuman,
	},
}

// decodingTroubles are those of reading a row.
var decodingTroubles = []Trouble{
	{
		Code: codeColumn, Side: sideRelay, Title: "a column of the outbox table is missing",
		Cause:  "A row was written while the table had no column of the configured name: it was renamed or dropped, or the configuration is wrong. Nothing is lost and nothing behind the row is confirmed.",
		Remedy: "Set outbox.columns (or the key of route that the message names) to the column, or to new_name,old_name to read rows from before and after a rename, and start again. Renaming the column back does not help rows already written.",
		Exit:   exitHuman,
	},
	{
		Code: codeMapping, Side: sideRelay, Title: "a row of the outbox can't be read as configured",
		Cause:  "The table was renamed, or its columns do not fit the configuration in another way; the message says how. Nothing is lost and nothing behind the row is confirmed.",
		Remedy: "Correct the configuration as the message says and start again: it goes on with exactly this row.",
		Exit:   exitHuman,
	},
	{
		Code: codeProtocol, Side: sidePostgres, Title: "a message of the stream can't be decoded",
		Cause:  "PostgreSQL sent what protocol 1 of pgoutput does not have: a fault of the server, of walrelay, or of a proxy in between. Nothing is lost and nothing behind it is confirmed.",
		Remedy: "Start again. If it comes at the same position again, report it to walrelay's project with the server's version.",
		Exit:   exitFailure,
	},
	{
		Code: codeRowTooLarge, Side: sidePostgres, Title: "PostgreSQL can't send a row because it is too large",
		Cause:  "A row in text form exceeds what the server puts into one message (1 GB). It would fail at the same row again and again. Nothing is lost, and nothing behind the row is confirmed.",
		Remedy: "No setting helps. Accept the loss of this transaction: read its rows from the table, publish them by other means, stop the relay, move the slot past it with `SELECT pg_replication_slot_advance('SLOT', 'LSN')` and run `walrelay init --accept-gap`. Keep large payloads out of the outbox.",
		Exit:   exitHuman,
	},
	{
		Code: codeEncoding, Side: sidePostgres, Title: "a row holds text that is not UTF-8",
		Cause:  "The database's encoding (SQL_ASCII, for instance) let bytes in that the server can't convert to UTF-8, which the stream is in. It would fail at the same row again and again. Nothing is lost, and nothing behind the row is confirmed.",
		Remedy: "Publish the row by other means, stop the relay, move the slot past its transaction with `SELECT pg_replication_slot_advance('SLOT', 'LSN')` and run `walrelay init --accept-gap`. Then keep such text out: use a database in UTF8, or bytea for the payload.",
		Exit:   exitHuman,
	},
	{
		Code: codeBind, Side: sideRelay, Title: "the route does not fit the outbox table",
		Cause:  "The table's columns, as they are now, can't be turned into what route and format ask for; the message names the column. Nothing is lost and nothing behind the row is confirmed.",
		Remedy: "Correct route, format or types as the message says and start again.",
		Exit:   exitHuman,
	},
}
