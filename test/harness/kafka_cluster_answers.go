package harness

import (
	big "encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Fate is what becomes of a request to Kafka and of its answer. The zero Fate
// leaves both alone.
type Fate struct {
	// Code is the error that the answer gives, for all that was asked.
	Code int16
	// After lets the broker do what it is asked before the answer says Code: the
	// answer is a lie. Else the broker never sees the request.
	After bool
	// Lost lets the broker do what it is asked, and resets the connection instead of
	// the answer.
	Lost bool
}

// Answers stands between the proxy of a broker and the broker, and decides the fate
// of every request: rule is called with each, decoded, from several goroutines.
type Answers struct {
	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	rule   func(kmsg.Request) Fate
	conns  map[net.Conn]bool
	failed error
}

// Answers puts one behind the proxy of KafkaOptions.Proxied, until the test ends.
func (b *Broker) Answers(t testing.TB) *Answers {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &Answers{target: b.proxy.target, listener: listener, conns: map[net.Conn]bool{}}
	b.proxy.redirect(listener.Addr().String())
	a.running.Go(a.accept)
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Errorf("answers of Kafka: %v", err)
		}
	})
	return a
}

// redirect gives new connections another target, and ends those that are open.
func (p *Proxy) redirect(target string) {
	p.mu.Lock()
	p.dial = func() (net.Conn, error) { return net.DialTimeout("tcp", target, dialTimeout) }
	p.mu.Unlock()
	p.Reset()
}

// Rule decides from now on; nil leaves all alone.
func (a *Answers) Rule(rule func(kmsg.Request) Fate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rule = rule
}

func (a *Answers) fate(request kmsg.Request) Fate {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rule == nil {
		return Fate{}
	}
	return a.rule(request)
}

func (a *Answers) close() error {
	err := a.listener.Close()
	a.mu.Lock()
	for conn := range a.conns {
		conn.Close()
	}
	a.mu.Unlock()
	a.running.Wait()
	return errors.Join(err, a.failed)
}

func (a *Answers) keep(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns[conn] = true
}

func (a *Answers) drop(conn net.Conn) {
	conn.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.conns, conn)
}

func (a *Answers) accept() {
	for {
		client, err := a.listener.Accept()
		if err != nil {
			return // closed
		}
		a.keep(client)
		a.running.Go(func() {
			defer a.drop(client)
			broker, err := net.DialTimeout("tcp", a.target, dialTimeout)
			if err != nil {
				return
			}
			a.keep(broker)
			defer a.drop(broker)
			if err := a.serve(client, broker); err != nil {
				a.mu.Lock()
				a.failed = errors.Join(a.failed, err)
				a.mu.Unlock()
			}
		})
	}
}

// serve takes one request after the other, as the relay sends them. Its error is a
// fault of the test; that a connection ends is none.
func (a *Answers) serve(client, broker net.Conn) error {
	for {
		frame, err := readFrame(client)
		if err != nil {
			return nil
		}
		request, correlation, err := parseRequest(frame)
		if err != nil {
			return err
		}
		fate := a.fate(request)
		var answer []byte
		if fate.Code == 0 || fate.After {
			if _, err := broker.Write(frame); err != nil {
				return nil
			}
			if answer, err = readFrame(broker); err != nil {
				return nil
			}
		}
		switch {
		case fate.Lost:
			return nil
		case fate.Code != 0:
			if answer, err = refusalOf(request, correlation, fate.Code); err != nil {
				return err
			}
		}
		if _, err := client.Write(answer); err != nil {
			return nil
		}
	}
}

// readFrame returns a request or an answer with its size before it.
func readFrame(r io.Reader) ([]byte, error) {
	frame := make([]byte, 4)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, err
	}
	frame = append(frame, make([]byte, big.BigEndian.Uint32(frame))...)
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

// parseRequest reads size, key, version, correlation id, client id, tags, and the
// request itself.
func parseRequest(frame []byte) (request kmsg.Request, correlation []byte, err error) {
	if len(frame) < 14 {
		return nil, nil, fmt.Errorf("a request of %d bytes", len(frame))
	}
	key, version := int16(big.BigEndian.Uint16(frame[4:])), int16(big.BigEndian.Uint16(frame[6:]))
	if request = kmsg.RequestForKey(key); request == nil {
		return nil, nil, fmt.Errorf("a request of the unknown kind %d", key)
	}
	request.SetVersion(version)
	body := frame[14:]
	if length := int16(big.BigEndian.Uint16(frame[12:])); length > 0 {
		body = body[length:]
	}
	if request.IsFlexible() {
		body = body[1:] // no tags
	}
	if err := request.ReadFrom(body); err != nil {
		return nil, nil, fmt.Errorf("read a request of kind %d, version %d: %w", key, version, err)
	}
	return request, frame[8:12], nil
}

// refusalOf is an answer that gives an error for all that was asked.
func refusalOf(request kmsg.Request, correlation []byte, code int16) ([]byte, error) {
	response := request.ResponseKind()
	switch r := request.(type) {
	case *kmsg.ProduceRequest:
		refuseProduce(r, response.(*kmsg.ProduceResponse), code)
	case *kmsg.AddPartitionsToTxnRequest:
		refuseAdding(r, response.(*kmsg.AddPartitionsToTxnResponse), code)
	case *kmsg.MetadataRequest:
		answer := response.(*kmsg.MetadataResponse)
		for _, asked := range r.Topics {
			topic := kmsg.NewMetadataResponseTopic()
			topic.Topic, topic.ErrorCode = asked.Topic, code
			answer.Topics = append(answer.Topics, topic)
		}
	case *kmsg.InitProducerIDRequest:
		response.(*kmsg.InitProducerIDResponse).ErrorCode = code
	case *kmsg.EndTxnRequest:
		response.(*kmsg.EndTxnResponse).ErrorCode = code
	case *kmsg.FindCoordinatorRequest:
		response.(*kmsg.FindCoordinatorResponse).ErrorCode = code
	default:
		return nil, fmt.Errorf("no rule of the test may refuse a %T", request)
	}
	answer := append(make([]byte, 4), correlation...)
	if response.IsFlexible() {
		answer = append(answer, 0)
	}
	answer = response.AppendTo(answer)
	big.BigEndian.PutUint32(answer, uint32(len(answer)-4))
	return answer, nil
}

func refuseProduce(r *kmsg.ProduceRequest, answer *kmsg.ProduceResponse, code int16) {
	for _, asked := range r.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = asked.Topic, asked.TopicID
		for _, one := range asked.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode = one.Partition, code
			topic.Partitions = append(topic.Partitions, partition)
		}
		answer.Topics = append(answer.Topics, topic)
	}
}

func refuseAdding(r *kmsg.AddPartitionsToTxnRequest, answer *kmsg.AddPartitionsToTxnResponse, code int16) {
	for _, asked := range r.Topics {
		topic := kmsg.NewAddPartitionsToTxnResponseTopic()
		topic.Topic = asked.Topic
		for _, one := range asked.Partitions {
			partition := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
			partition.Partition, partition.ErrorCode = one, code
			topic.Partitions = append(topic.Partitions, partition)
		}
		answer.Topics = append(answer.Topics, topic)
	}
}
