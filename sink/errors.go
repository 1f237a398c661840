package sink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/segmentio/kafka-go"
)

// What Produce answers when the record has to wait. The caller keeps it and
// calls again after Changed.
var (
	// ErrFull: the in-flight limit or the window is reached.
	ErrFull = errors.New("in-flight limit reached")
	// ErrPending: the topic's partitions or the producer id are not known yet.
	// Blocked says why when that lasts.
	ErrPending = errors.New("waiting for Kafka")
)

// ErrFenced means that a newer instance took the producer id: this one must
// give up the slot and stand by (error codes 47, 48 and 90).
var ErrFenced = errors.New("another instance has taken over the producer id")

// RefusedError is something that Kafka refuses and that waiting does not mend:
// missing rights, a wrong password, a certificate that does not verify.
type RefusedError struct {
	Op     string // what was tried
	Err    error
	Advice string // what to do
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s: %v: %s", e.Op, e.Err, e.Advice)
}

func (e *RefusedError) Unwrap() error { return e.Err }

// verdict is what a broker's answer for one batch means.
type verdict int

const (
	delivered   verdict = iota // acknowledged by all in-sync replicas
	retry                      // certainly not appended; send again
	uncertain                  // may be appended; send the same bytes again
	misrouted                  // not appended: the leader or the topic is elsewhere
	outOfOrder                 // 45, 59: the producer's state at the broker is not ours
	fenced                     // a newer epoch exists
	poison                     // the batch can never be taken as it is
	refused                    // missing rights
	incompetent                // an answer this producer does not know: stop
)

// judge is the one place that knows Kafka's produce error codes
// (https://kafka.apache.org/protocol.html#protocol_error_codes).
func judge(code kafka.Error) verdict {
	switch code {
	case 0, kafka.DuplicateSequenceNumber:
		// 46: the broker has this very batch, and more after it from its last five.
		return delivered
	case kafka.UnknownTopicOrPartition, kafka.LeaderNotAvailable, kafka.NotLeaderForPartition,
		kafka.ReplicaNotAvailable, kafka.KafkaStorageError, kafka.FencedLeaderEpoch, kafka.UnknownLeaderEpoch,
		kafka.BrokerNotAvailable:
		return misrouted
	case kafka.RequestTimedOut, kafka.NetworkException, kafka.NotEnoughReplicasAfterAppend:
		return uncertain
	case kafka.NotEnoughReplicas, kafka.InvalidMessage, kafka.ConcurrentTransactions, kafka.ThrottlingQuotaExceeded,
		kafka.GroupLoadInProgress, kafka.GroupCoordinatorNotAvailable, kafka.NotCoordinatorForGroup:
		return retry
	case kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerId:
		return outOfOrder
	case kafka.InvalidProducerEpoch, kafka.InvalidTransactionState, kafka.ProducerFenced:
		return fenced
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge, kafka.InvalidTimestamp, kafka.InvalidRecord:
		return poison
	case kafka.TopicAuthorizationFailed, kafka.ClusterAuthorizationFailed, kafka.TransactionalIDAuthorizationFailed:
		return refused
	}
	return incompetent
}

// adviceFor says what to do about missing rights.
func adviceFor(code kafka.Error, topic string) string {
	switch code {
	case kafka.TopicAuthorizationFailed:
		return fmt.Sprintf("grant the relay's principal Write and Describe on topic %q", topic)
	case kafka.ClusterAuthorizationFailed:
		return "grant the relay's principal IdempotentWrite on the cluster"
	case kafka.TransactionalIDAuthorizationFailed:
		return "grant the relay's principal Write and Describe on its transactional id (prefix walrelay-)"
	}
	return "see the broker's authorizer log"
}

// adviceForCertificate says what to do about a broker's certificate that does not
// verify.
func adviceForCertificate(err error) string {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &authority):
		return "set kafka.tls.ca_file to the authority that signed the broker's certificate"
	case errors.As(err, &host):
		return "name the brokers by a host that their certificates hold (kafka.brokers, advertised.listeners), or set kafka.tls.server_name to it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the broker's certificate, or set the clock of this machine"
	}
	return "check kafka.tls.ca_file and kafka.tls.server_name against the broker's certificate"
}

// refusal tells connection errors that need a human from those that pass.
func refusal(op string, err error) *RefusedError {
	var (
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		record    tls.RecordHeaderError
		remote    *net.OpError
		code      kafka.Error
	)
	switch {
	case damaged(err):
		return nil
	case errors.As(err, &verify), errors.As(err, &authority):
		return &RefusedError{op, err, adviceForCertificate(err)}
	case errors.As(err, &record):
		return &RefusedError{op, err, "the listener does not speak TLS: leave kafka.tls out, or name a port that does"}
	case errors.As(err, &remote) && remote.Op == "remote error": // how crypto/tls reports an alert
		return &RefusedError{op, err, "the broker refused the TLS session: check kafka.tls.cert_file and kafka.tls.key_file"}
	case errors.As(err, &code):
		switch code {
		case kafka.SASLAuthenticationFailed:
			return &RefusedError{op, err, "check kafka.sasl.username and kafka.sasl.password"}
		case kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState:
			return &RefusedError{op, err, "check kafka.sasl.mechanism against the listener's sasl.enabled.mechanisms"}
		case kafka.ClusterAuthorizationFailed, kafka.TopicAuthorizationFailed, kafka.TransactionalIDAuthorizationFailed:
			return &RefusedError{op, err, adviceFor(code, "")}
		}
	}
	return nil
}

// damaged says of a TLS session's end that bytes were changed on the way, as one side
// or the other has found: a new session will do. What is said in the handshake about
// who speaks is none of these.
func damaged(err error) bool {
	var (
		record tls.RecordHeaderError
		remote *net.OpError
	)
	switch {
	case errors.As(err, &record):
		return record.Conn == nil // else the first bytes of all were no TLS
	case errors.As(err, &remote) && remote.Op == "remote error":
		switch remote.Err.Error() { // crypto/tls exports no numbers for alerts
		case "tls: bad record MAC", "tls: decryption failed", "tls: record overflow", "tls: unexpected message",
			"tls: error decoding message", "tls: error decrypting message", "tls: internal error":
			return true
		}
	}
	return false
}

// hint adds to a connection that the broker closed what is the commonest reason
// when it goes on: a listener that expects something else. A broker that
// restarts looks the same, so it is waited for.
func hint(cfg Config, err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
		return err
	}
	reason := "its listener expects TLS (kafka.tls)"
	if cfg.TLS != nil {
		reason = "its listener does not speak TLS"
	}
	if cfg.SASL != nil {
		reason += " or refuses what kafka.sasl says"
	} else {
		reason += " or expects SASL (kafka.sasl)"
	}
	return fmt.Errorf("%w: the broker closes the connection; if that goes on, %s", err, reason)
}

// forbidden says that the fence can't be had, however long one waits.
func forbidden(code kafka.Error) bool {
	return code == kafka.TransactionalIDAuthorizationFailed || code == kafka.UnsupportedVersion
}

// coordinatorAway says that no coordinator gives the fence now: brokers are there, and
// it may come.
func coordinatorAway(code kafka.Error) bool {
	switch code {
	case kafka.GroupCoordinatorNotAvailable, kafka.NotCoordinatorForGroup, kafka.GroupLoadInProgress, kafka.ConcurrentTransactions:
		return true
	}
	return false
}
