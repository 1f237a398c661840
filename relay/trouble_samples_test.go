package relay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/segmentio/kafka-go"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// sample is an error of a kind and its code.
type sample struct {
	code string
	name string
	err  error
}

// samples are errors of every kind, made by the packages they come from where
// that is cheap.
func samples(t *testing.T) []sample {
	t.Helper()
	var all []sample
	for _, some := range [][]sample{
		connectSamples(t), serverSamples(), setupSamples(), gapSamples(), eventSamples(), refusalSamples(), waitSamples(), relaySamples(),
	} {
		all = append(all, some...)
	}
	return all
}

// connectSamples come out of replication.Connect, over connections that fail or
// answer as they are told.
func connectSamples(t *testing.T) []sample {
	failing := func(err error) error {
		return connect(t, "", func(context.Context, string, string) (net.Conn, error) { return nil, err })
	}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	answer := func(e pgproto3.ErrorResponse) error {
		return connect(t, "", answering(func(b *pgproto3.Backend) { b.Send(&e) }))
	}
	return []sample{
		{codePGRefused, "refused", failing(dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)))},
		{codePGRefused, "no Unix socket", failing(dial(os.NewSyscallError("connect", syscall.ENOENT)))},
		{codePGHost, "no such host", failing(dial(&net.DNSError{Err: "no such host", Name: "nowhere", IsNotFound: true}))},
		{codePGUnreachable, "no route", failing(dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)))},
		{codePGUnreachable, "time limit", failing(dial(os.ErrDeadlineExceeded))},
		{codePGCertificate, "unknown authority", connect(t, "sslmode=verify-ca", greetTLS(t))},
		{codePGCertificate, "another host name", connect(t, "sslmode=verify-full", greetTLS(t))},
		{codePGConnect, "no TLS there", connect(t, "sslmode=require", refuseTLS)},
		{codePGTLS, "alert", failing(&net.OpError{Op: "remote error", Err: tls.AlertError(42)})},
		{codePGTLS, "answers without TLS", failing(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"})},
		{codePGLost, "reset", fmt.Errorf("receive from slot %q: %w", "s", syscall.ECONNRESET)},
		{codePGPassword, "wrong password", answer(pgproto3.ErrorResponse{Code: "28P01"})},
		{codePGHBA, "no line in pg_hba.conf", answer(pgproto3.ErrorResponse{Code: "28000"})},
		{codePGDatabase, "no database", answer(pgproto3.ErrorResponse{Code: "3D000"})},
		{codePGConnections, "too many", answer(pgproto3.ErrorResponse{Code: "53300", Message: "désolé, trop de clients sont déjà connectés"})},
		{codePGWalsenders, "too many walsenders", answer(pgproto3.ErrorResponse{Code: "53300", Message: `le nombre demandé dépasse « max_wal_senders » (actuellement 10)`})},
		{codePGStarting, "starting", answer(pgproto3.ErrorResponse{Code: "57P03"})},
		{codePGPooler, "PgBouncer", answer(pgproto3.ErrorResponse{Code: "08P01", Message: "unsupported startup parameter: replication"})},
		{codeRight, "no REPLICATION", answer(pgproto3.ErrorResponse{Code: "42501"})},
		{codeConfig, "connection string", func() error {
			_, err := replication.Connect(t.Context(), replication.Config{ConnString: "postgres://host:port/"})
			return err
		}()},
	}
}

// connect is the error of a connection over dial.
func connect(t *testing.T, settings string, dial pgconn.DialFunc) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if settings == "" {
		settings = "sslmode=disable"
	}
	control, err := replication.Connect(ctx, replication.Config{
		ConnString: "host=127.0.0.1 port=1 user=walrelay password=x database=shop " + settings, Slot: "s", Publication: "p",
		Tables: []replication.Table{{Schema: "public", Name: "outbox"}}, DialFunc: dial,
	})
	if err == nil {
		control.Close()
		t.Fatal("connected")
	}
	return err
}

// answering is a server that takes the startup message and answers once.
func answering(answer func(*pgproto3.Backend)) pgconn.DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			b := pgproto3.NewBackend(server, server)
			if _, err := b.ReceiveStartupMessage(); err == nil {
				answer(b)
				_ = b.Flush() // who is gone does not listen
			}
		}()
		return client, nil
	}
}

// refuseTLS is a server without TLS.
func refuseTLS(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		if _, err := io.ReadFull(server, make([]byte, 8)); err == nil {
			_, _ = server.Write([]byte("N"))
		}
	}()
	return client, nil
}

// greetTLS is a server with a certificate that nobody knows.
func greetTLS(t *testing.T) pgconn.DialFunc {
	certificate := selfSigned(t)
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			if _, err := io.ReadFull(server, make([]byte, 8)); err == nil {
				_, _ = server.Write([]byte("S"))
				_ = tls.Server(server, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake() // which fails
			}
		}()
		return client, nil
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"elsewhere"}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serverSamples are answers to queries and in the stream, whose texts are in the
// server's language.
func serverSamples() []sample {
	pg := func(code, message, detail, file string) error {
		return fmt.Errorf("receive on slot %q: %w", "s", &pgconn.PgError{Code: code, Message: message, Detail: detail, File: file})
	}
	return []sample{
		{codePGStopping, "admin shutdown", pg("57P01", "", "", "")},
		{codePGStopping, "crash shutdown", pg("57P02", "", "", "")},
		{codePGDatabase, "database dropped", pg("57P04", "", "", "")},
		{codePGReadOnly, "read-only", pg("25006", "", "", "")},
		{codePGLost, "connection exception", pg("08006", "", "", "")},
		{codePGLost, "idle in transaction", pg("25P03", "", "", "")},
		{codePGCancelled, "cancelled", pg("57014", "", "", "")},
		{codePGCancelled, "lock", pg("55P03", "", "", "")},
		{codePGDiskFull, "disk full", pg("53100", "", "", "")},
		{codePGMemory, "memory", pg("53200", "", "", "")},
		{codePGResources, "resources", pg("53000", "", "", "")},
		{codePGIO, "I/O error", pg("58030", "", "", "")},
		{codePGDamaged, "damaged table", pg("XX001", "", "", "")},
		{codePGUnknown, "internal error", pg("XX000", "", "", "")},
		{codeTempFiles, "temp_file_limit", pg("53400", "taille limite « temp_file_limit » dépassée", "", "")},
		{codeSlotsInUse, "no slot free", pg("53400", "", "", "slot.c")},
		{codeStandby, "slot in use", pg("55006", "", "", "")},
		{codeWALLevel, "wal_level", pg("55000", "le décodage logique requiert « wal_level » >= « logical »", "", "logical.c")},
		{codeOnStandby, "in recovery, PostgreSQL 15", pg("0A000", "", "", "logical.c")},
		{codeVanished, "no slot", pg("42704", "", "", "slot.c")},
		{codePublicationGap, "no publication", pg("42704", "", "", "pg_publication.c")},
		{codeWALRemoved, "no WAL segment", pg("58P01", "", "", "xlogreader.c")},
		{codeSetup, "no pgoutput", pg("58P01", "", "", "dfmgr.c")},
		{codeUnreadable, "slot can't be read", pg("55000", "", "", "slot.c")},
		{codeIdleTimeout, "idle, PostgreSQL 18", pg("55000", "", `« idle_timeout »`, "slot.c")},
		{codeRowTooLarge, "row too large", pg("54000", "", "", "")},
		{codeEncoding, "not UTF-8", pg("22021", "", "", "")},
		{codeEncoding, "no such character in UTF-8", pg("22P05", "", "", "")},
	}
}

// setupSamples have the problems that replication writes; TestPhrases compares.
func setupSamples() []sample {
	setup := func(problem string, cause ...error) error {
		return fmt.Errorf("start: %w", &replication.SetupError{Problem: problem, Remedy: "do", Err: errors.Join(cause...)})
	}
	state := func(code string) error { return &pgconn.PgError{Code: code} }
	return []sample{
		{codeWALLevel, "wal_level", setup("wal_level is replica, logical replication needs logical")},
		{codeRight, "right", setup(`create slot "s" as role "walrelay": no`, state("42501"))},
		{codeMarkerRight, "marker", setup(`write walrelay.marker as role "walrelay": no`, state("42501"))},
		{codeSelectRight, "select", setup(`role "walrelay" can't read table public.outbox, which a snapshot has to (a stream needs no right to it)`, state("42501"))},
		{codeRowSecurity, "row security", setup(`row-level security hides rows of table public.outbox from role "walrelay", so a snapshot would not be whole`)},
		{codeNoPublication, "slot without publication", setup(`slot "s" exists without publication "p", and a publication made after the slot can't be decoded with it`)},
		{codeNoPublication, "no publication", setup(`there is no publication "p" in database "shop"`)},
		{codePublication, "publication lacks table", setup(`publication "p" lacks table public.outbox`)},
		{codeNoTable, "no table", setup("table public.outbox does not exist")},
		{codeTableKind, "view", setup("public.outbox is no table and can't be published")},
		{codeNoSlot, "no slot", setup(`slot "s" does not exist and auto_create is off`)},
		{codeSlotsInUse, "all slots in use", setup(`create slot "s": no`, state("53400"))},
		{codeNoWalsender, "no walsender", setup(`create temporary slot "s" on h: no`, state("53300"))},
		{codeOnStandby, "standby", setup("the server is a standby, where no slot is made and no marker written")},
		{codeOnStandby, "standby, streaming", setup(`start replication on slot "s": no`, state("55000"))},
		{codeOnStandby, "read-only", setup(`create publication "p" as role "r": no`, state("25006"))},
		{codeFailoverSlot, "failover slot", setup("failover slots need PostgreSQL 17")},
		{codeSnapshotOnly, "snapshot only", setup(`snapshot.mode is only, and slot "s" exists: only publishes rows`)},
		{codeOrderBy, "order", setup(`table public.outbox has no column "x" to order a snapshot by; its columns are id`)},
		{codeOrderBy, "no order", setup("read table public.outbox: no", state("42883"))},
		{codeSlotKind, "physical", setup(`slot "s" is a physical slot, a logical one is needed`)},
		{codeSlotKind, "plugin", setup(`slot "s" uses the output plugin "wal2json", pgoutput is needed`)},
		{codeSlotDatabase, "database", setup(`slot "s" belongs to database "a", the connection is to "b"`)},
		{codeSetup, "something else", setup("something else")},
	}
}

// gapSamples are slots that do not go on.
func gapSamples() []sample {
	gap := func(reason string, cause ...error) error {
		return fmt.Errorf("start: %w", &replication.GapError{Slot: "s", Reason: reason, Advice: "do", Err: errors.Join(cause...)})
	}
	lost := func(invalidation string) error {
		return (&replication.SlotState{WALStatus: "lost", Invalidation: invalidation}).Lost("s")
	}
	return []sample{
		{codeVanished, "vanished", gap("the slot has vanished")},
		{codeVanished, "vanished in the stream", gap("the slot has vanished (no)", &pgconn.PgError{Code: "42704"})},
		{codeLeftBehind, "failover", gap("the slot has vanished: the server went from timeline 1 to 2 (failover or restore) and the slot did not come along")},
		{codeReplaced, "replaced", gap("the slot was made anew: the one this relay read from had decoded 9 transactions, this one 1")},
		{codeMoved, "moved", gap("the slot does not continue where this relay left off: it stopped cleanly at 0/1")},
		{codeWALRemoved, "lost, PostgreSQL 15", lost("")},
		{codeWALRemoved, "lost, PostgreSQL 17", lost("wal_removed")},
		{codeIdleTimeout, "idle", lost("idle_timeout")},
		{codeRowsRemoved, "conflict", lost("rows_removed")},
		{codeRowsRemoved, "conflict, PostgreSQL 16", lost("conflict with recovery")},
		{codeWALLevelSlot, "wal_level lowered", lost("wal_level_insufficient")},
		{codeWALRemoved, "WAL gone", gap("the WAL it needs is gone (no)", &pgconn.PgError{Code: "58P01"})},
		{codeOtherSystem, "other system", gap("the marker was written on system 1, this server is system 2")},
		{codePublicationGap, "publication", gap(`publication "p" is missing or was made after the slot, whose older changes can't be decoded with it`)},
		{codePublicationGap, "publication dropped", gap(`publication "p" was dropped; the slot can't be decoded with one made later`)},
		{codeChangedUnder, "out and back", gap(`table public.outbox was taken out of publication "p" and put back, or its row filter or column list was changed: what was written to it in between does not come from the slot`)},
		{codeChangedUnder, "changed", gap("while it was being read, this changed: table public.outbox does not exist", &replication.SetupError{Problem: "table public.outbox does not exist"})},
		{codeUnreadable, "unreadable", gap("the slot can't be read any more (no)", &pgconn.PgError{Code: "55000"})},
		{codeGap, "something else", gap("something else")},
		{codeChangedStart, "changed at the start", fmt.Errorf("slot %q changed since it was prepared: start again", "s")},
	}
}

// eventSamples are rows and events that can't be delivered.
func eventSamples() []sample {
	all := []sample{
		{codeColumn, "column", &decoding.MappingError{Table: "public.outbox", Column: "id"}},
		{codeMapping, "renamed", &decoding.MappingError{Table: "public.outbox"}},
		{codeProtocol, "protocol", undecodable()},
		{codeBind, "bind", &BindError{Table: "public.outbox", Err: errors.New("no")}},
		{codeUpdate, "update", &UpdateError{Table: "public.outbox"}},
		{codeDeadLetter, "dead letter", &DeadLetterError{Topic: "dead", Err: &PoisonError{Reason: routing.ReasonTooLarge}}},
		{codeNoDeadLetter, "no dead-letter topic", fmt.Errorf("dead-letter topic %q is not known to Kafka: create it", "dead")},
		{codePoison, "a new reason", &PoisonError{Reason: "new"}},
		{codeTooLarge, "from the sink alone", &routing.Poison{Reason: routing.ReasonTooLarge}},
		{codeTooLarge, "Kafka's code", kafka.MessageSizeTooLarge},
		{codeTimestamp, "Kafka's code", kafka.InvalidTimestamp},
		{codeRecord, "Kafka's code", kafka.InvalidRecord},
		{codeIllegalTopic, "Kafka's code", kafka.InvalidTopic},
	}
	for reason, code := range reasons {
		all = append(all, sample{code, reason, &PoisonError{Reason: reason}})
	}
	return all
}

func undecodable() error {
	var m decoding.Message
	return decoding.New(nil).Decode([]byte("?"), &m)
}

// refusalSamples are what Kafka refuses for good.
func refusalSamples() []sample {
	refused := func(err error) error { return &sink.RefusedError{Op: "ask Kafka for metadata", Err: err, Advice: "do"} }
	return []sample{
		{codeKafkaCert, "certificate", refused(x509.UnknownAuthorityError{})},
		{codeKafkaPlain, "plain text", refused(tls.RecordHeaderError{})},
		{codeKafkaTLS, "alert", refused(&net.OpError{Op: "remote error", Err: tls.AlertError(42)})},
		{codeSASL, "password", refused(fmt.Errorf("SASL: %w", kafka.SASLAuthenticationFailed))},
		{codeSASLMechanism, "mechanism", refused(kafka.UnsupportedSASLMechanism)},
		{codeTopicRight, "topic", refused(kafka.TopicAuthorizationFailed)},
		{codeClusterRight, "cluster", refused(kafka.ClusterAuthorizationFailed)},
		{codeFenceRight, "transactional id", refused(kafka.TransactionalIDAuthorizationFailed)},
		{codeKafkaRefuses, "something else", refused(io.EOF)},
		{codeVersion, "version", kafka.UnsupportedVersion},
		{codeAnswer, "answer", errors.New(`produce to topic "a" partition 0: the broker answered 42 (no), which walrelay does not know how to go on from`)},
		{codeAnswer, "another code", kafka.InvalidRequest},
	}
}

// waitSamples are what the sink waits for.
func waitSamples() []sample {
	wait := func(what string, err error) error { return &WaitError{what, err} }
	const topic = `topic "orders"`
	return []sample{
		{codeKafkaRefused, "refused", wait("kafka", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})},
		{codeKafkaHost, "no such host", wait("kafka", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}})},
		{codeKafkaSlow, "no answer", wait("kafka", context.DeadlineExceeded)},
		{codeKafkaSlow, "no route", wait("kafka", syscall.EHOSTUNREACH)},
		{codeKafkaCloses, "closed", wait("kafka", fmt.Errorf("%w: the broker closes the connection", io.ErrUnexpectedEOF))},
		{codeKafkaCloses, "reset", wait("kafka", syscall.ECONNRESET)},
		{codeKafka, "something else", wait("kafka", errors.New("no"))},
		{codeKafka, "a refusal", wait("kafka", kafka.SASLAuthenticationFailed)},
		{codeNoTopic, "no topic", wait(topic, errors.New("does not exist: create it, or set kafka.topics.create"))},
		{codeTopicCreation, "creation", wait(topic, fmt.Errorf("create: %w", kafka.InvalidReplicationFactor))},
		{codePartitionGone, "partition gone", wait(topic, errors.New("has no partition 5 any more, and events wait for it: restart walrelay"))},
		{codeTopicUnknown, "no configuration", wait(topic, errors.New("its configuration is not there yet"))},
		{codeNoLeader, "no leader", wait(topic, errors.New("partition 5 has no leader: look after the brokers that hold it"))},
		{codeNoLeader, "leader moved", wait(topic, kafka.LeaderNotAvailable)},
		{codeCoordinator, "coordinator", wait("producer id", kafka.GroupCoordinatorNotAvailable)},
		{codeUnacknowledged, "no acknowledgement", wait("kafka", fmt.Errorf("%w for 3s", errUnacknowledged))},
		{codeUnacknowledged, "no room", sink.ErrFull},
		{codeKafka, "pending", sink.ErrPending},
		{codeAborted, "aborted", fmt.Errorf("commit the transaction: %w: %w", sink.ErrAborted, kafka.Error(120))},
		{codeTransaction, "coordinator", wait(sink.WaitTransaction, kafka.GroupCoordinatorNotAvailable)},
		{codeWatermark, "watermark", wait(waitWatermark, errNoTopicYet)},
		{codeCanary, "canary", wait("canary", &routing.Poison{Reason: routing.ReasonInvalidRecord})},
		{codeReplicas, "replicas", kafka.NotEnoughReplicas},
		{codeProduceTimeout, "timed out", kafka.RequestTimedOut},
		{codeKafkaDisk, "disk", kafka.KafkaStorageError},
		{codeThrottled, "throttled", kafka.ThrottlingQuotaExceeded},
		{codeSequence, "sequence", kafka.OutOfOrderSequenceNumber},
		{codeCorrupt, "corrupt", kafka.InvalidMessage},
		{codeFenced, "fenced", kafka.ProducerFenced},
	}
}

// relaySamples are the relay's own and what is left.
func relaySamples() []sample {
	return []sample{
		{codePGStopping, "stream ended", replication.ErrStreamEnded},
		{codePGStopping, "shutting down", fmt.Errorf("%w (%w)", errShutdown, &pgconn.PgError{Code: "57P03"})},
		{codePGOtherServer, "other server", replication.ErrServerChanged},
		{codePGReadOnly, "no primary", pgconn.ErrReadOnlyConnection},
		{codePGSilent, "silent", errSilent},
		{codePGSlow, "our own time limit", context.DeadlineExceeded},
		{codePGLost, "end of file", io.ErrUnexpectedEOF},
		{codePGLost, "was dead before", unsent{}},
		{codeRewound, "rewound", errRewound},
		{codeOtherHistory, "no watermark any more", judgement(&history{marker: replication.ExactlyOnce{State: replication.ExactlyOnceRunning}})},
		{codeConfig, "configuration", &ConfigError{errors.New("no outbox table")}},
		{codeStandby, "standby", replication.ErrSlotActive},
		{codeNoWait, "no wait", fmt.Errorf("%w (%w)", ErrStandby, replication.ErrSlotActive)},
		{codeFenced, "fenced", sink.ErrFenced},
		{codeSnapshotLost, "snapshot lost", fmt.Errorf("%w: its lock is not held any more: %w", replication.ErrSnapshotLost, &pgconn.PgError{Code: "57P01"})},
		{codeNotHolder, "marker", replication.ErrNotHolder},
		{codeLookBack, "look back", errWentBack},
		{codeLookBack, "look back", errNotWorthIt},
		{codeStuck, "stuck", errors.New("the relay's loop has not moved for 1m0s")},
		{codeUnknown, "unknown", errors.New("what?")},
	}
}

// judgement is the error of a start without a watermark.
func judgement(h *history) error {
	_, err := judge(nil, *h, "s", "w")
	return err
}
