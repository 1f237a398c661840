package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
)

// link is one connection to one broker, opened as the producer opens its own: TCP,
// TLS, versions, SASL. kafka-go's Transport picks brokers by itself, hides how a
// connection was made and answers for metadata from memory; a preflight wants to know
// all of that of each address.
type link struct {
	address string
	conn    *protocol.Conn
	tls     *tls.ConnectionState // nil: plain text
	apis    map[protocol.ApiKey]versionRange
}

// versionRange is what a broker takes of one API.
type versionRange struct{ min, max int16 }

// linkTimeout bounds the opening of a link.
const linkTimeout = 5 * time.Second

// open connects to address; the error says at which step it failed.
func (k *checkup) open(ctx context.Context, address string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, linkTimeout)
	defer cancel()
	raw, err := k.cluster.dial(ctx, "tcp", address)
	if err != nil {
		return nil, &linkError{step: "connect", err: err}
	}
	l := &link{address: address}
	if deadline, ok := ctx.Deadline(); ok {
		_ = raw.SetDeadline(deadline) // an error shows with the next read
	}
	conn := raw
	if k.cfg.TLS != nil {
		settings := k.cfg.TLS.Clone()
		if settings.ServerName == "" {
			if host, _, err := net.SplitHostPort(address); err == nil {
				settings.ServerName = host
			}
		}
		secure := tls.Client(raw, settings)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, &linkError{step: "TLS", err: err}
		}
		state := secure.ConnectionState()
		l.tls, conn = &state, secure
	}
	l.conn = protocol.NewConn(conn, k.cfg.ClientID)
	if err := l.greet(ctx, k.cfg); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// linkError is a failure of one step on the way to a broker.
type linkError struct {
	step string // connect, TLS, versions, SASL
	err  error
}

func (e *linkError) Error() string { return e.step + ": " + e.err.Error() }

func (e *linkError) Unwrap() error { return e.err }

// greet asks for the versions and authenticates.
func (l *link) greet(ctx context.Context, cfg Config) error {
	l.conn.SetVersions(map[protocol.ApiKey]int16{protocol.ApiVersions: 0})
	answer, err := l.conn.RoundTrip(new(apiversions.Request))
	if err != nil {
		return &linkError{step: "versions", err: err}
	}
	versions, ok := answer.(*apiversions.Response)
	if !ok {
		return &linkError{step: "versions", err: errOtherAnswer}
	}
	if versions.ErrorCode != 0 {
		return &linkError{step: "versions", err: kafka.Error(versions.ErrorCode)}
	}
	l.apis = make(map[protocol.ApiKey]versionRange, len(versions.ApiKeys))
	chosen := make(map[protocol.ApiKey]int16, len(versions.ApiKeys))
	for _, v := range versions.ApiKeys {
		key := protocol.ApiKey(v.ApiKey)
		l.apis[key] = versionRange{v.MinVersion, v.MaxVersion}
		if int(v.ApiKey) < knownAPIs {
			chosen[key] = key.SelectVersion(v.MinVersion, v.MaxVersion)
		}
	}
	l.conn.SetVersions(chosen)
	if cfg.SASL == nil {
		return nil
	}
	if err := l.authenticate(ctx, cfg); err != nil {
		return &linkError{step: "SASL", err: err}
	}
	return nil
}

var errOtherAnswer = errors.New("the broker's answer is of another kind")

// knownAPIs is how many of Kafka's APIs kafka-go has names for; beyond them its
// tables end.
const knownAPIs = 52

func (l *link) authenticate(ctx context.Context, cfg Config) error {
	answer, err := l.conn.RoundTrip(&saslhandshake.Request{Mechanism: cfg.SASL.Name()})
	if err != nil {
		return err
	}
	if hello, ok := answer.(*saslhandshake.Response); ok && hello.ErrorCode != 0 {
		return fmt.Errorf("%w (the listener takes %v)", kafka.Error(hello.ErrorCode), hello.Mechanisms)
	}
	session, state, err := cfg.SASL.Start(ctx)
	for done := false; err == nil && !done; {
		var answer protocol.Message
		answer, err = l.conn.RoundTrip(&saslauthenticate.Request{AuthBytes: state})
		if errors.Is(err, io.EOF) {
			return kafka.SASLAuthenticationFailed // how older brokers say it
		}
		if err != nil {
			return err
		}
		got, ok := answer.(*saslauthenticate.Response)
		if !ok {
			return errOtherAnswer
		}
		if got.ErrorCode != 0 {
			return fmt.Errorf("%w: %s", kafka.Error(got.ErrorCode), got.ErrorMessage)
		}
		done, state, err = session.Next(ctx, got.AuthBytes)
	}
	return err
}

// ask sends a request and waits for its answer until ctx ends.
func ask[R protocol.Message](ctx context.Context, l *link, request protocol.Message) (R, error) {
	var none R
	deadline, ok := ctx.Deadline()
	if limit := time.Now().Add(linkTimeout); !ok || limit.Before(deadline) {
		deadline = limit
	}
	if _, offered := l.apis[request.ApiKey()]; !offered {
		return none, kafka.UnsupportedVersion
	}
	_ = l.conn.SetDeadline(deadline) // an error shows with the next read
	answer, err := l.conn.RoundTrip(request)
	if err != nil {
		return none, err
	}
	response, ok := answer.(R)
	if !ok {
		return none, errOtherAnswer
	}
	return response, nil
}

func (l *link) close() { _ = l.conn.Close() } // only looked at
