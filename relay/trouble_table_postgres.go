package relay

// What the entries of PostgreSQL's side have in common.
const (
	waitsForPostgres = " Nothing is lost: events wait in the WAL, and delivery goes on from the slot's position."
	ownedBySlot      = " Meanwhile the slot keeps back WAL on the primary's disk."
)

// connectionTroubles are those of reaching PostgreSQL and of its being well.
var connectionTroubles = []Trouble{
	{
		Code: codePGRefused, Side: sidePostgres, Title: "PostgreSQL refuses the connection",
		Cause:  "Nothing listens at the address: the server is down or restarting, listens elsewhere, or a firewall rejects." + waitsForPostgres,
		Remedy: "Start PostgreSQL, or correct host and port in postgres.url. On the server look at listen_addresses and port.",
		Retry:  true,
	},
	{
		Code: codePGHost, Side: sidePostgres, Title: "PostgreSQL's host name is not found",
		Cause:  "The name in postgres.url does not resolve from here: it is misspelt, or the name service does not answer." + waitsForPostgres,
		Remedy: "Correct the host in postgres.url, or mend the name service. In containers try the name from inside the container's network.",
		Retry:  true,
	},
	{
		Code: codePGUnreachable, Side: sidePostgres, Title: "PostgreSQL's host does not answer",
		Cause:  "The attempt to connect ran into its time limit, or there is no route: the machine is down or frozen, or a firewall drops packets." + waitsForPostgres + ownedBySlot,
		Remedy: "Look after the server and the network between. The limit is connect_timeout in postgres.url, 10 s when not set.",
		Retry:  true,
	},
	{
		Code: codePGCertificate, Side: sidePostgres, Title: "PostgreSQL's certificate is not accepted",
		Cause:  "The server's TLS certificate does not verify: unknown authority, another host name, or expired. Waiting does not mend it, so the process ends. Nothing is lost: the slot stays where it is.",
		Remedy: "Set sslrootcert in postgres.url to the authority that signed it, connect by a name that it holds, or renew it.",
		Exit:   exitSetup,
	},
	{
		Code: codePGTLS, Side: sidePostgres, Title: "the TLS session with PostgreSQL fails",
		Cause:  "Server and walrelay do not agree on TLS: an alert from the server (a client certificate that it does not take, a protocol version), or something that answers without TLS." + waitsForPostgres,
		Remedy: "Check sslmode, sslcert and sslkey in postgres.url against the server's ssl settings, and that no proxy in between ends TLS.",
		Retry:  true,
	},
	{
		Code: codePGPassword, Side: sidePostgres, Title: "PostgreSQL refuses the password",
		Cause:  "The user's password is wrong or missing. Nothing is lost: the slot stays where it is, and keeps back WAL until the relay runs again.",
		Remedy: "Correct postgres.password, postgres.password_file, PGPASSWORD or ~/.pgpass, or set it anew: `ALTER ROLE walrelay PASSWORD '…'`.",
		Exit:   exitSetup,
	},
	{
		Code: codePGHBA, Side: sidePostgres, Title: "PostgreSQL does not let the user in",
		Cause:  "No line of pg_hba.conf lets this user connect from here to this database, or the role does not exist or may not log in. Nothing is lost: the slot stays where it is.",
		Remedy: "Add a line to pg_hba.conf such as `host DATABASE USER ADDRESS scram-sha-256` and run `SELECT pg_reload_conf()`. Logical replication matches the database's own lines, not those for replication.",
		Exit:   exitSetup,
	},
	{
		Code: codePGDatabase, Side: sidePostgres, Title: "the database does not exist",
		Cause:  "The server has no database of the name in postgres.url, or it was dropped. A dropped database takes its slots with it; the next start then says what is missing.",
		Remedy: "Correct the database in postgres.url, or restore it.",
		Exit:   exitSetup,
	},
	{
		Code: codePGConnections, Side: sidePostgres, Title: "PostgreSQL has too many connections",
		Cause:  "All connections of the server, of the role or of the database are in use. The relay needs two." + waitsForPostgres,
		Remedy: "End connections that nobody needs (`SELECT * FROM pg_stat_activity`), or raise max_connections, the role's or the database's CONNECTION LIMIT.",
		Retry:  true,
	},
	{
		Code: codePGWalsenders, Side: sidePostgres, Title: "all walsenders are in use",
		Cause:  "The server has as many replication connections as max_wal_senders allows. The relay needs one." + waitsForPostgres + ownedBySlot,
		Remedy: "End one that nobody needs (`SELECT pid, application_name FROM pg_stat_replication`), or raise it: `ALTER SYSTEM SET max_wal_senders = 20;` then restart PostgreSQL.",
		Retry:  true,
	},
	{
		Code: codePGStarting, Side: sidePostgres, Title: "PostgreSQL is starting up",
		Cause:  "The server does not take connections yet: it starts, recovers from a crash, or is about to stop." + waitsForPostgres,
		Remedy: "Wait. If it lasts, read the server's log: recovery may have much WAL to replay, or be stuck.",
		Retry:  true,
	},
	{
		Code: codePGStopping, Side: sidePostgres, Title: "PostgreSQL shuts down or ended the connection",
		Cause:  "The server is being stopped, has crashed, or somebody has ended the connection (pg_terminate_backend); a slot that is invalidated ends it, too. What was confirmed is kept." + waitsForPostgres,
		Remedy: "Nothing, if the server comes back. Else start it. If it comes again while the server runs, find who ends connections.",
		Retry:  true,
	},
	{
		Code: codePGReadOnly, Side: sidePostgres, Title: "the server is read-only",
		Cause:  "None of the hosts takes writes: a failover is under way, or postgres.url names standbys only. All hosts are asked again without end." + waitsForPostgres,
		Remedy: "Wait for the new primary, or correct the hosts in postgres.url so that the primary is among them.",
		Retry:  true,
	},
	{
		Code: codePGLost, Side: sidePostgres, Title: "the connection to PostgreSQL broke",
		Cause:  "The connection was cut: the server crashed or was killed, or the network or a proxy in between closed it. What was not confirmed is sent again and left out if this process has delivered it." + waitsForPostgres,
		Remedy: "Nothing, if it is rare. Else look at the server's log and at time limits of proxies and load balancers in between.",
		Retry:  true,
	},
	{
		Code: codePGSilent, Side: sidePostgres, Title: "the walsender is silent",
		Cause:  "The server has sent nothing for longer than postgres.wal_sender_timeout, although it was asked to: it is frozen, overloaded, or the network swallows packets. The connection is made anew." + waitsForPostgres + ownedBySlot,
		Remedy: "Look after the server: load, disk, and `SELECT * FROM pg_stat_replication`. If it is only slow, raise postgres.wal_sender_timeout.",
		Retry:  true,
	},
	{
		Code: codePGSlow, Side: sidePostgres, Title: "a step with PostgreSQL took too long",
		Cause:  "A query or the start of the stream ran into walrelay's own time limit: the server is overloaded or frozen, or a lock is in the way." + waitsForPostgres,
		Remedy: "Look at `SELECT pid, state, wait_event_type, wait_event, query FROM pg_stat_activity` for what holds it up.",
		Retry:  true,
	},
	{
		Code: codePGCancelled, Side: sidePostgres, Title: "PostgreSQL cancelled a query",
		Cause:  "Somebody cancelled it, or it met a lock, a deadlock or a conflict. It is tried again." + waitsForPostgres,
		Remedy: "Nothing, if it is rare. Else look for long locks on the catalog or the outbox (`SELECT * FROM pg_locks WHERE NOT granted`).",
		Retry:  true,
	},
	{
		Code: codePGOtherServer, Side: sidePostgres, Title: "the connection reached another server",
		Cause:  "Two connections in a row reached different servers or timelines: a failover, or a load balancer before several servers. Everything is looked at again on the one that answers." + waitsForPostgres,
		Remedy: "Wait for the failover to end. If it lasts, connect to the primary directly and not through a balancer.",
		Retry:  true,
	},
	{
		Code: codePGConnect, Side: sidePostgres, Title: "connecting to PostgreSQL fails",
		Cause:  "The connection could not be made, for a reason that the message gives: no TLS where sslmode asks for it, or a server that does not speak PostgreSQL's protocol." + waitsForPostgres,
		Remedy: "Check host, port and sslmode in postgres.url. A server refused TLS connection means that ssl is off there.",
		Retry:  true,
	},
	{
		Code: codePGDiskFull, Side: sidePostgres, Title: "PostgreSQL's disk is full",
		Cause:  "The server can't write, most likely the transaction that it decodes to pg_replslot. It is tried again, because a disk is freed while both run, and because ending would not free any WAL." + waitsForPostgres + ownedBySlot,
		Remedy: "Make room at once: a full WAL disk stops the whole database. See what slots hold back with `SELECT slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots;` never delete from pg_wal.",
		Retry:  true,
	},
	{
		Code: codePGMemory, Side: sidePostgres, Title: "PostgreSQL is out of memory",
		Cause:  "The server could not get memory, perhaps for decoding a large transaction. It is tried again, because memory comes back when others end." + waitsForPostgres,
		Remedy: "Lower logical_decoding_work_mem, so that large transactions go to disk earlier, or give the server memory. An error that comes at the same position again and again is a row that is too large.",
		Retry:  true,
	},
	{
		Code: codePGIO, Side: sidePostgres, Title: "PostgreSQL has an I/O error",
		Cause:  "The server could not read or write a file. Network disks recover from that, so it is tried again. Nothing is confirmed that was not delivered; should WAL be damaged beyond reading, what was not read yet is missing.",
		Remedy: "Look at the server's log and at the disk's health at once. Don't restart PostgreSQL before its data is safe.",
		Retry:  true,
	},
	{
		Code: codePGResources, Side: sidePostgres, Title: "PostgreSQL is short of resources",
		Cause:  "The server lacks something that comes back, such as file handles or shared memory." + waitsForPostgres,
		Remedy: "The message and the server's log name it; raise its limit.",
		Retry:  true,
	},
	{
		Code: codePGDamaged, Side: sidePostgres, Title: "PostgreSQL reports damaged data",
		Cause:  "A table, an index or WAL of the server is corrupt. Nothing more is confirmed. Events in damaged WAL may be lost; rows that are still in the outbox are not.",
		Remedy: "Stop and save the data directory before anything else; then restore or repair PostgreSQL, and compare the outbox with Kafka.",
		Exit:   exitHuman,
	},
	{
		Code: codePGPooler, Side: sidePostgres, Title: "a pooler or proxy answers instead of PostgreSQL",
		Cause:  "The answer is a protocol violation, as PgBouncer and its like give for a replication connection, which they do not pass on, or while they do not reach their server." + waitsForPostgres,
		Remedy: "Connect to PostgreSQL itself, not to the pooler: another port or host name with most services (Supabase, Neon, RDS Proxy).",
		Retry:  true,
	},
	{
		Code: codePGUnknown, Side: sidePostgres, Title: "PostgreSQL reports an error that walrelay does not know",
		Cause:  "The server answered with a SQLSTATE that walrelay has no rule for. The process ends, because going on could lose events. Nothing is lost: a new start goes on from the slot's position.",
		Remedy: "Start again. If it comes again, look up the message in the server's log and report it to walrelay's project with its SQLSTATE.",
		Exit:   exitFailure,
	},
}

// setupTroubles are those of what has to be there before the first event.
var setupTroubles = []Trouble{
	{
		Code: codeWALLevel, Side: sidePostgres, Title: "wal_level is not logical",
		Cause:  "The WAL does not hold what logical decoding needs. No event was read; with a slot that exists, events since wal_level was lowered are not in the WAL in a form that can be read.",
		Remedy: "`ALTER SYSTEM SET wal_level = logical;` then restart PostgreSQL. Managed services have a parameter for it, for instance rds.logical_replication = 1.",
		Exit:   exitSetup,
	},
	{
		Code: codeRight, Side: sidePostgres, Title: "the role lacks a right",
		Cause:  "PostgreSQL forbids a step that the relay needs, which the message names. Nothing is lost: the slot, if there is one, stays where it is.",
		Remedy: "Have a superuser run what `walrelay init --print-sql` prints; it grants REPLICATION and the marker, and no more.",
		Exit:   exitSetup,
	},
	{
		Code: codeMarkerRight, Side: sidePostgres, Title: "walrelay.marker can't be written",
		Cause:  "The role may not write the table that tells a vanished slot from a first start. The relay does not begin without it. Nothing is lost.",
		Remedy: "`GRANT USAGE ON SCHEMA walrelay TO walrelay; GRANT SELECT, INSERT, UPDATE ON walrelay.marker TO walrelay;` with the role's name. `walrelay init --print-sql` prints all of it.",
		Exit:   exitSetup,
	},
	{
		Code: codeSelectRight, Side: sidePostgres, Title: "the outbox table can't be read for the snapshot",
		Cause:  "A snapshot reads the rows by SQL, for which the role lacks SELECT. A stream alone needs no right to the table. Nothing was published.",
		Remedy: "GRANT SELECT on the outbox table and USAGE on its schema to the role, or set snapshot.mode to none.",
		Exit:   exitSetup,
	},
	{
		Code: codeRowSecurity, Side: sidePostgres, Title: "row-level security hides rows of the outbox table",
		Cause:  "A snapshot would leave out the rows that the role may not see, without a word. Nothing was published.",
		Remedy: "`ALTER ROLE walrelay BYPASSRLS`, or set snapshot.mode to none.",
		Exit:   exitSetup,
	},
	{
		Code: codeNoPublication, Side: sidePostgres, Title: "the publication is missing",
		Cause:  "The slot exists and the publication does not. One that is made after the slot can't decode what the slot still has to send.",
		Remedy: "Set postgres.publication to the one that this slot is used with (`SELECT pubname FROM pg_publication`). If there is none, drop the slot and start anew: both are made then, and what was committed before is not delivered.",
		Exit:   exitSetup,
	},
	{
		Code: codePublication, Side: sidePostgres, Title: "the publication does not deliver the outbox",
		Cause:  "The publication lacks an outbox table, does not publish inserts, or publishes partitions under their own names. Rows committed before it is mended are not delivered by this slot.",
		Remedy: "Run the ALTER PUBLICATION that the message has. Then publish again the rows that were written to the table before it.",
		Exit:   exitSetup,
	},
	{
		Code: codeNoTable, Side: sidePostgres, Title: "the outbox table does not exist",
		Cause:  "The database has no table of the name in outbox.table. Nothing is lost.",
		Remedy: "Correct outbox.table (schema.table, case matters), check the database in postgres.url, or make the table: `walrelay init --create-table`.",
		Exit:   exitSetup,
	},
	{
		Code: codeTableKind, Side: sidePostgres, Title: "the outbox table can't be published",
		Cause:  "It is a view, a foreign table, unlogged or temporary: its rows are not in the WAL, so they would never be delivered.",
		Remedy: "Name the table behind the view, or run `ALTER TABLE … SET LOGGED`. Rows written before that are not delivered.",
		Exit:   exitSetup,
	},
	{
		Code: codeNoSlot, Side: sidePostgres, Title: "the slot does not exist and may not be made",
		Cause:  "There is no slot, no sign that there ever was one, and postgres.auto_create is off. Events committed before the slot is made are not streamed.",
		Remedy: "Run `walrelay init`, or set postgres.auto_create to true.",
		Exit:   exitSetup,
	},
	{
		Code: codeSlotsInUse, Side: sidePostgres, Title: "all replication slots are in use",
		Cause:  "The server has as many slots as max_replication_slots allows, so none could be made.",
		Remedy: "Drop a slot that nobody uses (`SELECT slot_name, active FROM pg_replication_slots`), or raise it: `ALTER SYSTEM SET max_replication_slots = 20;` then restart PostgreSQL.",
		Exit:   exitSetup,
	},
	{
		Code: codeNoWalsender, Side: sidePostgres, Title: "no walsender is free for a temporary slot",
		Cause:  "A command that looks along with a temporary slot (`walrelay shadow`) needs a replication connection of its own and does not wait for one. The relay itself is not concerned.",
		Remedy: "End a replication connection that nobody needs (`SELECT pid, application_name FROM pg_stat_replication`), or raise it: `ALTER SYSTEM SET max_wal_senders = 20;` then restart PostgreSQL.",
		Exit:   exitSetup,
	},
	{
		Code: codeOnStandby, Side: sidePostgres, Title: "the server is a standby",
		Cause:  "The connection is to a standby, where no slot is made and no marker written. Nothing is lost: the slot is on the primary.",
		Remedy: "Connect to the primary: name all hosts in postgres.url and leave target_session_attrs out or set it to read-write.",
		Exit:   exitSetup,
	},
	{
		Code: codeFailoverSlot, Side: sidePostgres, Title: "failover slots need PostgreSQL 17",
		Cause:  "postgres.failover_slot is on and the server is older. No slot was made.",
		Remedy: "Set postgres.failover_slot to false, or upgrade PostgreSQL.",
		Exit:   exitSetup,
	},
	{
		Code: codeSnapshotOnly, Side: sideRelay, Title: "snapshot.mode only does not go with a slot",
		Cause:  "snapshot.mode is only, which publishes rows and never reads from a slot; but there is one, which would keep back WAL without end, or a gap of one was to be accepted.",
		Remedy: "Set snapshot.mode to none or initial to go on with the slot, or drop the slot, or name another one.",
		Exit:   exitSetup,
	},
	{
		Code: codeOrderBy, Side: sideRelay, Title: "the snapshot can't be ordered like that",
		Cause:  "outbox.order_by names a column that the table does not have, or one whose type has no order. Nothing was published.",
		Remedy: "Set outbox.order_by to a column that rows are written in the order of, such as created_at.",
		Exit:   exitSetup,
	},
	{
		Code: codeTempFiles, Side: sidePostgres, Title: "temp_file_limit is reached",
		Cause:  "Sorting the rows of a snapshot needs more temporary disk than temp_file_limit allows the role. The snapshot begins anew at the next start; the slot, if it was made, keeps what was committed since.",
		Remedy: "`ALTER ROLE walrelay SET temp_file_limit = -1`, or make an index on the column of outbox.order_by.",
		Exit:   exitSetup,
	},
	{
		Code: codeSetup, Side: sidePostgres, Title: "something has to be set up in PostgreSQL",
		Cause:  "PostgreSQL or its settings do not allow what the relay needs; the message says what. Nothing is lost.",
		Remedy: "Do what the message says. `walrelay check` shows all that is missing at once.",
		Exit:   exitSetup,
	},
}
