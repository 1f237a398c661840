package sink

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Dialer is how this configuration opens connections to brokers, for whoever gives them
// to kafka-go: with keepalives, and without TLS behind a guard.
func (c *Config) Dialer() func(ctx context.Context, network, address string) (net.Conn, error) {
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 4}}).DialContext
	}
	if c.TLS != nil {
		return dial // whose records are authenticated: what arrives is what was sent
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &guard{Conn: conn}, nil
	}
}

// guard is a connection that gives an answer of Kafka to its reader only once it is
// whole and can be decoded. kafka-go believes every length in an answer: with one that
// a flipped bit has changed it asks for gigabytes or panics, in a goroutine of its own
// where nobody can recover. So the answer is decoded here first, by kmsg, which holds every
// length against what is left; an answer it can't read is the end of the connection, and
// the request is sent again over another. What an answer says is not judged here.
//
// It is for protocol.Conn, which sends a request and then waits for its answer: one
// goroutine at a time, one request at a time. Source: the protocol guide, "Protocol
// Primitive Types", and KIP-482.
type guard struct {
	net.Conn
	request  [requestHead]byte // size, API key, version and correlation id of the request at hand
	had      int               // how many of these bytes were written
	rest     int               // bytes of the request that are to come
	raw      bool              // what goes to and fro now are no requests: SASL before KIP-152
	answer   bytes.Buffer
	reported error // of a broken answer, for good
}

// requestHead is how many bytes the guard has to see of a request, keptAnswer how much
// memory stays with a connection between two answers.
const (
	requestHead = 12
	keptAnswer  = 64 << 10
)

var errAnswer = errors.New("the answer is damaged, or none of Kafka's")

// Write follows the requests, however they are cut. The first version of SASL's handshake
// is the last of them.
func (g *guard) Write(b []byte) (int, error) {
	n, err := g.Conn.Write(b)
	for seen := b[:n]; len(seen) > 0 && !g.raw; {
		if g.rest == 0 && g.had == requestHead {
			if key, version, _ := g.asked(); protocol.ApiKey(key) == protocol.SaslHandshake && version == 0 {
				g.raw = true
				break
			}
			g.had = 0
		}
		if g.had < requestHead {
			took := copy(g.request[g.had:], seen)
			g.had += took
			seen = seen[took:]
			if g.had == requestHead {
				g.rest = int(binary.BigEndian.Uint32(g.request[:])) - (requestHead - 4)
			}
			continue
		}
		took := min(g.rest, len(seen))
		g.rest -= took
		seen = seen[took:]
	}
	return n, err
}

// asked is the request at hand.
func (g *guard) asked() (key, version int16, correlation uint32) {
	r := g.request[4:]
	return int16(binary.BigEndian.Uint16(r)), int16(binary.BigEndian.Uint16(r[2:])), binary.BigEndian.Uint32(r[4:])
}

// Read gives bytes of a whole answer.
func (g *guard) Read(b []byte) (int, error) {
	if g.raw {
		return g.Conn.Read(b)
	}
	if g.answer.Len() == 0 && g.reported == nil {
		g.reported = g.take()
	}
	if g.answer.Len() == 0 && g.reported != nil {
		return 0, g.reported
	}
	return g.answer.Read(b)
}

// take reads an answer. Memory grows with what arrives, not with what was announced.
func (g *guard) take() error {
	if g.answer.Cap() > keptAnswer {
		g.answer = bytes.Buffer{}
	}
	g.answer.Reset()
	const head = 4
	if _, err := io.CopyN(&g.answer, g.Conn, head); err != nil {
		return err // what came of it is for kafka-go to explain
	}
	size := int32(binary.BigEndian.Uint32(g.answer.Bytes()))
	var err error
	if size >= head {
		_, err = io.CopyN(&g.answer, g.Conn, int64(size))
	}
	switch {
	case err != nil && g.answer.Len() < 2*head:
		return err // an alert of TLS, say, which kafka-go knows
	case err == nil:
		err = g.inspect(g.answer.Bytes()[head:])
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		g.answer.Reset()
	}
	return err
}

// inspect decodes the answer behind its size.
func (g *guard) inspect(b []byte) error {
	key, version, correlation := g.asked()
	if len(b) < 4 || binary.BigEndian.Uint32(b) != correlation {
		return fmt.Errorf("%w: it is not to the request that was sent", errAnswer)
	}
	b = b[4:]
	kind := answers[protocol.ApiKey(key)]
	if kind == nil {
		return fmt.Errorf("no answer to requests of kind %d is known: this is a bug in walrelay, please report it", key)
	}
	answer := kind()
	answer.SetVersion(version)
	var err error
	if answer.IsFlexible() && protocol.ApiKey(key) != protocol.ApiVersions { // KIP-511
		b, err = skipTags(b)
	}
	if err == nil {
		err = answer.ReadFrom(b)
	}
	if fetched, ok := answer.(*kmsg.FetchResponse); ok && err == nil {
		err = inspectFetched(fetched)
	}
	if err != nil {
		return fmt.Errorf("%w: %s version %d: %w", errAnswer, protocol.ApiKey(key), version, err)
	}
	return nil
}

// answers are of the requests that walrelay sends.
var answers = map[protocol.ApiKey]func() kmsg.Response{
	protocol.Produce:            func() kmsg.Response { return new(kmsg.ProduceResponse) },
	protocol.Fetch:              func() kmsg.Response { return new(kmsg.FetchResponse) },
	protocol.ListOffsets:        func() kmsg.Response { return new(kmsg.ListOffsetsResponse) },
	protocol.Metadata:           func() kmsg.Response { return new(kmsg.MetadataResponse) },
	protocol.FindCoordinator:    func() kmsg.Response { return new(kmsg.FindCoordinatorResponse) },
	protocol.SaslHandshake:      func() kmsg.Response { return new(kmsg.SASLHandshakeResponse) },
	protocol.ApiVersions:        func() kmsg.Response { return new(kmsg.ApiVersionsResponse) },
	protocol.CreateTopics:       func() kmsg.Response { return new(kmsg.CreateTopicsResponse) },
	protocol.InitProducerId:     func() kmsg.Response { return new(kmsg.InitProducerIDResponse) },
	protocol.AddPartitionsToTxn: func() kmsg.Response { return new(kmsg.AddPartitionsToTxnResponse) },
	protocol.EndTxn:             func() kmsg.Response { return new(kmsg.EndTxnResponse) },
	protocol.DescribeConfigs:    func() kmsg.Response { return new(kmsg.DescribeConfigsResponse) },
	protocol.SaslAuthenticate:   func() kmsg.Response { return new(kmsg.SASLAuthenticateResponse) },
}

// skipTags passes over the tagged fields of an answer's header.
func skipTags(b []byte) ([]byte, error) {
	next := func() (n uint64, err error) {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			return 0, io.ErrUnexpectedEOF
		}
		b = b[size:]
		return n, nil
	}
	tags, err := next()
	for ; tags > 0 && err == nil; tags-- {
		var size uint64
		if _, err = next(); err != nil {
			break
		}
		if size, err = next(); err != nil {
			break
		}
		if size > uint64(len(b)) {
			return nil, io.ErrUnexpectedEOF
		}
		b = b[size:]
	}
	return b, err
}

func inspectFetched(answer *kmsg.FetchResponse) error {
	for i := range answer.Topics {
		for j := range answer.Topics[i].Partitions {
			if err := inspectBatches(answer.Topics[i].Partitions[j].RecordBatches); err != nil {
				return err
			}
		}
	}
	return nil
}

// inspectBatches compares the checksum of every whole batch, before anybody unpacks it;
// the last one may be cut. A batch is: base offset (8 bytes), length of what follows (4),
// leader epoch (4), magic (1), CRC-32C (4) of what is behind it. Before Kafka 0.11 it was
// a message: offset (8), length (4), CRC-32 (4) of what is behind it, magic (1).
func inspectBatches(b []byte) error {
	const prefix, magicAt = 12, 16
	for len(b) > magicAt {
		length := int(int32(binary.BigEndian.Uint32(b[8:])))
		var table *crc32.Table
		sumAt, least := 0, 0
		switch b[magicAt] {
		case 0, 1:
			table, sumAt, least = crc32.IEEETable, 12, 14
		case 2:
			table, sumAt, least = castagnoli, 17, 49
		default:
			return fmt.Errorf("a batch of records has the unknown format %d", b[magicAt])
		}
		if length < least {
			return fmt.Errorf("a batch of records has %d bytes", length)
		}
		if length > len(b)-prefix {
			return nil
		}
		if crc32.Checksum(b[sumAt+4:prefix+length], table) != binary.BigEndian.Uint32(b[sumAt:]) {
			return errors.New("the checksum of a batch of records is wrong")
		}
		b = b[prefix+length:]
	}
	return nil
}
