package relay

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/walrelay/walrelay/replication"
)

// codeOfServer knows what PostgreSQL answers, by SQLSTATE
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func codeOfServer(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return ""
	}
	if code := codeOfSQLState(pg); code != "" {
		return code
	}
	return codePGUnknown
}

// sqlStates are the codes of SQLSTATEs that mean one thing.
var sqlStates = map[string]string{
	"28P01": codePGPassword,
	"3D000": codePGDatabase,
	"57P04": codePGDatabase, // database_dropped
	"57P01": codePGStopping, // admin_shutdown
	"57P02": codePGStopping, // crash_shutdown
	"57P03": codePGStarting, // cannot_connect_now
	"57P05": codePGLost,     // idle_session_timeout
	"25P03": codePGLost,     // idle_in_transaction_session_timeout
	"25P04": codePGLost,     // transaction_timeout
	"25006": codePGReadOnly, // read_only_sql_transaction: the wrong node, resolved anew
	"57014": codePGCancelled,
	"40001": codePGCancelled, // conflicts and locks
	"40P01": codePGCancelled,
	"55P03": codePGCancelled,
	"53100": codePGDiskFull,
	"53200": codePGMemory,
	"53000": codePGResources,
	"58030": codePGIO,
	"XX001": codePGDamaged,
	"XX002": codePGDamaged,
	"42501": codeRight,
	"55006": codeStandby,     // object_in_use: the slot is active elsewhere
	"08P01": codePGPooler,    // protocol_violation: what poolers answer with
	"54000": codeRowTooLarge, // more than a message or a buffer can hold
	"22021": codeEncoding,
	"22P05": codeEncoding,
}

// codeOfSQLState is "" for what nobody knows. Names of settings and of source
// files are the same in every language of the server, its messages are not.
func codeOfSQLState(pg *pgconn.PgError) string {
	names := func(setting string) bool { return strings.Contains(pg.Message+pg.Detail+pg.Hint, setting) }
	switch {
	case sqlStates[pg.Code] != "":
		return sqlStates[pg.Code]
	case pg.Code == "53300" && names("max_wal_senders"):
		return codePGWalsenders
	case pg.Code == "53300":
		return codePGConnections
	case pg.Code == "53400" && names("temp_file_limit"):
		return codeTempFiles
	case pg.Code == "53400":
		return codeSlotsInUse
	case pg.Code == "55000" && phraseIn(pg.Detail, causes) != "":
		return phraseIn(pg.Detail, causes)
	case pg.Code == "55000" && names("wal_level"):
		return codeWALLevel
	case pg.Code == "55000":
		return codeUnreadable
	case pg.Code == "58P01" && pg.File == "dfmgr.c": // the output plugin itself
		return codeSetup
	case pg.Code == "58P01":
		return codeWALRemoved
	case pg.Code == "0A000" && pg.File == "logical.c": // in recovery, before PostgreSQL 16
		return codeOnStandby
	case pg.Code == "42704" && pg.File == "pg_publication.c":
		return codePublicationGap
	case pg.Code == "42704":
		return codeVanished
	case strings.HasPrefix(pg.Code, "28"):
		return codePGHBA
	case strings.HasPrefix(pg.Code, "08"):
		return codePGLost
	}
	return ""
}

// phrase is a piece of a text of our own that tells what an error is about, where
// no type does. A test sees to it that the text is still written like that.
type phrase struct{ text, code string }

// phraseIn is the code of the first phrase that text has, or "".
func phraseIn(text string, phrases []phrase) string {
	for _, p := range phrases {
		if strings.Contains(text, p.text) {
			return p.code
		}
	}
	return ""
}

// gapPhrases tell the kinds of replication.GapError by its reason.
var gapPhrases = []phrase{
	{"exactly-once can't tell what is delivered", codeOtherHistory},
	{"while it was being read, this changed", codeChangedUnder}, // goes on with what a SetupError says
	{"was taken out of publication", codeChangedUnder},
	{"the slot has vanished: the server went from timeline", codeLeftBehind},
	{"the slot has vanished", codeVanished},
	{"the slot was made anew", codeReplaced},
	{"the slot does not continue where this relay left off", codeMoved},
	{"beyond the end of the server's WAL", codeMoved},
	{"the marker was written on system", codeOtherSystem},
	{"is missing or was made after the slot", codePublicationGap},
	{"was dropped; the slot can't be decoded", codePublicationGap},
}

// causes are those of pg_replication_slots.invalidation_reason, which the errors of
// PostgreSQL 18 name as well, in every language.
var causes = []phrase{
	{"idle_timeout", codeIdleTimeout},
	{"rows_removed", codeRowsRemoved},
	{"wal_level_insufficient", codeWALLevelSlot},
	{"wal_removed", codeWALRemoved},
}

// lossPhrases tell why a slot is lost where the server gives no cause.
var lossPhrases = []phrase{
	{"conflict with recovery", codeRowsRemoved}, // PostgreSQL 16
	{"the slot is lost (", codeWALRemoved},      // PostgreSQL 15 and earlier
}

// codeOfGap is the code of a slot that does not go on where this relay left off.
func codeOfGap(gap *replication.GapError) string {
	for _, phrases := range [][]phrase{gapPhrases, causes, lossPhrases} {
		if code := phraseIn(gap.Reason, phrases); code != "" {
			return code
		}
	}
	var pg *pgconn.PgError
	if errors.As(gap.Err, &pg) {
		if code := codeOfSQLState(pg); code != "" && byCode[code].Exit == exitHuman {
			return code
		}
	}
	return codeGap
}

// setupPhrases tell the kinds of replication.SetupError by its problem.
var setupPhrases = []phrase{
	{"wal_level is ", codeWALLevel},
	{"walrelay.marker", codeMarkerRight},
	{", which a snapshot has to", codeSelectRight},
	{"row-level security hides rows", codeRowSecurity},
	{"failover slots need PostgreSQL 17", codeFailoverSlot},
	{"snapshot.mode is only", codeSnapshotOnly},
	{"to order a snapshot by", codeOrderBy},
	{"is a standby", codeOnStandby},
	{" and auto_create is off", codeNoSlot},
	{"exists without publication", codeNoPublication},
	{"there is no publication", codeNoPublication},
	{"does not publish inserts", codePublication},
	{"publishes the partitions of", codePublication},
	{"lacks table", codePublication},
	{"is no table and can't be published", codeTableKind},
	{"is unlogged or temporary", codeTableKind},
	{", the connection is to ", codeSlotDatabase},
	{" slot, a logical one is needed", codeSlotKind},
	{"uses the output plugin", codeSlotKind},
	{"is temporary and would vanish", codeSlotKind},
}

// codeOfSetup is the code of something that has to be set up. Its kinds all end
// the process with the same exit code.
func codeOfSetup(setup *replication.SetupError) string {
	if code := phraseIn(setup.Problem, setupPhrases); code != "" {
		return code
	}
	var pg *pgconn.PgError
	var parse *pgconn.ParseConfigError
	switch {
	case errors.As(setup.Err, &parse):
		return codeConfig
	case !errors.As(setup.Err, &pg):
		if phraseIn(setup.Problem, tablePhrases) != "" {
			return codeNoTable
		}
		return codeSetup
	}
	switch pg.Code {
	case "25006":
		return codeOnStandby
	case "53300": // for a temporary slot, which is not waited for
		return codeNoWalsender
	case "55000":
		return codeOnStandby // the one case of it that replication makes a SetupError of, but for wal_level
	case "42883":
		return codeOrderBy
	}
	if code := codeOfSQLState(pg); code != "" && byCode[code].Exit == exitSetup {
		return code
	}
	return codeSetup
}

// tablePhrases come last: servers say so of other things, too.
var tablePhrases = []phrase{{"does not exist", codeNoTable}}

// topicPhrases tell what a topic waits for.
var topicPhrases = []phrase{
	{"does not exist: create it, or set kafka.topics.create", codeNoTopic},
	{"has no partition ", codePartitionGone},
	{" has no leader: ", codeNoLeader},
	{"its configuration is not there yet", codeTopicUnknown},
	{"create: ", codeTopicCreation},
}

// textPhrases tell errors that have no type of their own.
var textPhrases = []phrase{
	{"is not known to Kafka: create it", codeNoDeadLetter},
	{"which walrelay does not know how to go on from", codeAnswer},
	{"changed since it was prepared: start again", codeChangedStart},
	{"has vanished; start again", codeChangedStart},
	{"the relay's loop has not moved", codeStuck},
}

func codeOfText(err error) string { return phraseIn(err.Error(), textPhrases) }
