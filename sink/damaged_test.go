package sink_test

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/sink"
)

// An answer about a topic that nobody has asked for, as a damaged byte makes it, is no
// answer about the one that was: that is asked for again.
func TestDamaged_metadata(t *testing.T) {
	c := fake(t)
	var damaged atomic.Int64
	c.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.MetadataRequest)
		if len(req.Topics) == 0 || damaged.Add(1) > 3 {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		b.Host, b.Port = "127.0.0.1", portOf(t, c.ListenAddrs()[0])
		res.Brokers = append(res.Brokers, b)
		topic, name := kmsg.NewMetadataResponseTopic(), "orderz"
		topic.Topic = &name
		topic.Partitions = append(topic.Partitions, kmsg.NewMetadataResponseTopicPartition())
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(10)
	o.flush()
	if damaged.Load() < 4 {
		t.Errorf("the test is wrong: %d requests for metadata", damaged.Load())
	}
}

// A byte of a TLS session that was changed on the way ends the session, not the
// producer.
func TestDamaged_TLS(t *testing.T) {
	cert, pool := certificate(t)
	c := fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	var wrong atomic.Int64
	cfg := sink.Config{Brokers: c.ListenAddrs(), TLS: &tls.Config{RootCAs: pool}, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &damagedConn{Conn: conn, wrong: &wrong}, nil
	}}
	o := start(t, cfg)
	o.load(20)
	o.flush()
	for range 10 {
		wrong.Store(1)
		o.load(20)
		o.flush()
	}
}

// damagedConn changes a byte of the next application record that it sends.
type damagedConn struct {
	net.Conn
	wrong *atomic.Int64
}

func (c *damagedConn) Write(b []byte) (int, error) {
	const applicationData, header = 23, 5
	if len(b) > header && b[0] == applicationData && c.wrong.CompareAndSwap(1, 0) {
		b = append([]byte(nil), b...)
		b[header] ^= 1
	}
	return c.Conn.Write(b)
}
