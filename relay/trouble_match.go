package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/segmentio/kafka-go"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// codeOf finds the code of an error that is not nil. Who has made the error comes
// before what it wraps: a gap with a lost connection in it is a gap.
func codeOf(err error) string {
	var (
		wait    *WaitError
		gap     *replication.GapError
		setup   *replication.SetupError
		refused *sink.RefusedError
	)
	switch {
	case errors.As(err, &wait):
		return codeOfWait(wait)
	case errors.Is(err, ErrStandby):
		return codeNoWait
	case errors.As(err, &gap):
		return codeOfGap(gap)
	case errors.As(err, &setup):
		return codeOfSetup(setup)
	case errors.As(err, &refused):
		return codeOfRefusal(refused)
	}
	for _, find := range []func(error) string{codeOfEvent, codeOfSentinel, codeOfCertificate, codeOfServer, codeOfBroker, codeOfNetwork, codeOfText} {
		if code := find(err); code != "" {
			return code
		}
	}
	return codeUnknown
}

// codeOfEvent knows the errors about one event or its table.
func codeOfEvent(err error) string {
	var (
		update   *UpdateError
		dead     *DeadLetterError
		poison   *PoisonError
		raw      *routing.Poison
		mapping  *decoding.MappingError
		protocol *decoding.ProtocolError
		bind     *BindError
		config   *ConfigError
		parse    *pgconn.ParseConfigError
	)
	switch {
	case errors.As(err, &update):
		return codeUpdate
	case errors.As(err, &dead):
		return codeDeadLetter
	case errors.As(err, &poison):
		return codeOfReason(poison.Reason)
	case errors.As(err, &raw):
		return codeOfReason(raw.Reason)
	case errors.As(err, &mapping) && mapping.Column != "":
		return codeColumn
	case errors.As(err, &mapping):
		return codeMapping
	case errors.As(err, &protocol):
		return codeProtocol
	case errors.As(err, &bind):
		return codeBind
	case errors.As(err, &config), errors.As(err, &parse):
		return codeConfig
	}
	return ""
}

// reasons are the codes of what makes an event poison.
var reasons = map[string]string{
	routing.ReasonNullAggregateType: codeNullType,
	routing.ReasonNullAggregateID:   codeNullID,
	routing.ReasonNullEventType:     codeNullEvent,
	routing.ReasonIllegalTopic:      codeIllegalTopic,
	routing.ReasonInvalid:           codeInvalid,
	routing.ReasonUnconvertible:     codeUnconvertible,
	routing.ReasonTooLarge:          codeTooLarge,
	routing.ReasonInvalidPartition:  codePartition,
	routing.ReasonInvalidRecord:     codeRecord,
	routing.ReasonInvalidTimestamp:  codeTimestamp,
}

func codeOfReason(reason string) string {
	if code := reasons[reason]; code != "" {
		return code
	}
	return codePoison
}

// codeOfSentinel knows the errors that are values.
func codeOfSentinel(err error) string {
	for _, s := range []struct {
		err  error
		code string
	}{
		{sink.ErrFenced, codeFenced},
		{sink.ErrAborted, codeAborted},
		{replication.ErrSlotActive, codeStandby},
		{replication.ErrStreamEnded, codePGStopping},
		{replication.ErrServerChanged, codePGOtherServer},
		{errSilent, codePGSilent},
		{errRewound, codeRewound},
		{errShutdown, codePGStopping},
		{replication.ErrSnapshotLost, codeSnapshotLost},
		{replication.ErrNotHolder, codeNotHolder},
		{errUnacknowledged, codeUnacknowledged},
		{sink.ErrFull, codeUnacknowledged},
		{sink.ErrPending, codeKafka},
		{errNotWorthIt, codeLookBack},
		{errWentBack, codeLookBack},
		{pgconn.ErrReadOnlyConnection, codePGReadOnly}, // a failover under way: the hosts are asked again
	} {
		if errors.Is(err, s.err) {
			return s.code
		}
	}
	return ""
}

// codeOfCertificate knows that a server's certificate was not accepted. The sink's
// errors of this kind are *sink.RefusedError.
func codeOfCertificate(err error) string {
	if distrusted(err) {
		return codePGCertificate
	}
	return ""
}

func distrusted(err error) bool {
	var (
		verify  *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError // by pgx's own verification, with sslmode=verify-ca
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
	)
	return errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &invalid) || errors.As(err, &host)
}

// tlsAlert says that the other side refused the TLS session: it is how crypto/tls
// reports an alert.
func tlsAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// codeOfNetwork knows what the network, and our own time limits, say. Of Kafka's
// side only a WaitError comes from there.
func codeOfNetwork(err error) string {
	var (
		connect *pgconn.ConnectError
		record  tls.RecordHeaderError
		dns     *net.DNSError
		netErr  net.Error
		errno   syscall.Errno
	)
	connecting := errors.As(err, &connect)
	switch {
	case errors.As(err, &record), tlsAlert(err):
		return codePGTLS
	case errors.As(err, &dns):
		return codePGHost
	case errors.Is(err, syscall.ECONNREFUSED), connecting && errors.Is(err, syscall.ENOENT): // no such Unix socket
		return codePGRefused
	case unreachable(err), connecting && timedOut(err):
		return codePGUnreachable
	case connecting:
		return codePGConnect
	case pgconn.SafeToRetry(err): // nothing was sent: the connection had died before
		return codePGLost
	case timedOut(err), errors.Is(err, context.Canceled): // our own time limit on a step
		return codePGSlow
	case errors.As(err, &netErr), errors.As(err, &errno),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return codePGLost
	}
	return ""
}

func unreachable(err error) bool {
	return errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.ETIMEDOUT)
}

func timedOut(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}

// codeOfRefusal is the code of what Kafka refuses for good.
func codeOfRefusal(refused *sink.RefusedError) string {
	var (
		record tls.RecordHeaderError
		code   kafka.Error
	)
	switch {
	case distrusted(refused.Err):
		return codeKafkaCert
	case errors.As(refused.Err, &record):
		return codeKafkaPlain
	case tlsAlert(refused.Err):
		return codeKafkaTLS
	case errors.As(refused.Err, &code) && !byCode[codeOfKafka(code)].Retry:
		return codeOfKafka(code)
	}
	return codeKafkaRefuses
}

// codeOfBroker knows Kafka's error codes. kafka.Error is a net.Error as well, so
// this comes before the network.
func codeOfBroker(err error) string {
	var code kafka.Error
	if errors.As(err, &code) {
		return codeOfKafka(code)
	}
	return ""
}

// codeOfKafka is the code of a broker's answer.
func codeOfKafka(code kafka.Error) string {
	switch code {
	case kafka.UnknownTopicOrPartition:
		return codeNoTopic
	case kafka.InvalidTopic:
		return codeIllegalTopic
	case kafka.TopicAuthorizationFailed:
		return codeTopicRight
	case kafka.ClusterAuthorizationFailed:
		return codeClusterRight
	case kafka.TransactionalIDAuthorizationFailed:
		return codeFenceRight
	case kafka.SASLAuthenticationFailed:
		return codeSASL
	case kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState:
		return codeSASLMechanism
	case kafka.LeaderNotAvailable, kafka.NotLeaderForPartition, kafka.BrokerNotAvailable, kafka.ReplicaNotAvailable,
		kafka.FencedLeaderEpoch, kafka.UnknownLeaderEpoch:
		return codeNoLeader
	case kafka.NotEnoughReplicas, kafka.NotEnoughReplicasAfterAppend:
		return codeReplicas
	case kafka.RequestTimedOut, kafka.NetworkException:
		return codeProduceTimeout
	case kafka.KafkaStorageError:
		return codeKafkaDisk
	case kafka.ThrottlingQuotaExceeded:
		return codeThrottled
	case kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerId:
		return codeSequence
	case kafka.GroupLoadInProgress, kafka.GroupCoordinatorNotAvailable, kafka.NotCoordinatorForGroup, kafka.ConcurrentTransactions:
		return codeCoordinator
	case kafka.InvalidMessage:
		return codeCorrupt
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge:
		return codeTooLarge
	case kafka.InvalidTimestamp:
		return codeTimestamp
	case kafka.InvalidRecord:
		return codeRecord
	case kafka.InvalidProducerEpoch, kafka.InvalidTransactionState, kafka.ProducerFenced:
		return codeFenced
	case kafka.UnsupportedVersion, kafka.UnsupportedForMessageFormat, kafka.UnsupportedCompressionType:
		return codeVersion
	}
	return codeAnswer
}

// waits are those with a code of their own, whatever the error.
var waits = map[string]string{"canary": codeCanary, waitWatermark: codeWatermark, sink.WaitTransaction: codeTransaction}

// codeOfWait is the code of what the sink waits for. It always is one that is
// waited out, because that is what the sink does.
func codeOfWait(wait *WaitError) string {
	var (
		dns  *net.DNSError
		code kafka.Error
		err  = wait.Err
	)
	if code := waits[wait.What]; code != "" {
		return code
	}
	if strings.HasPrefix(wait.What, "topic ") {
		if code := phraseIn(err.Error(), topicPhrases); code != "" {
			return code
		}
	}
	switch {
	case errors.Is(err, errUnacknowledged):
		return codeUnacknowledged
	case errors.As(err, &code):
		if found := codeOfKafka(code); byCode[found].Retry {
			return found
		}
		return codeKafka
	case errors.As(err, &dns):
		return codeKafkaHost
	case errors.Is(err, syscall.ECONNREFUSED):
		return codeKafkaRefused
	case unreachable(err), timedOut(err):
		return codeKafkaSlow
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return codeKafkaCloses
	}
	return codeKafka
}
