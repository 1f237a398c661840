package sink

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// cluster is the connections to Kafka. kafka.Transport routes by metadata it
// keeps to itself and refreshes when it likes, so a forced refresh is a new
// Transport: 22 ms instead of seconds after a leader moved. The lanes change
// over to it when it has its metadata.
type cluster struct {
	cfg  Config
	addr net.Addr
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu        sync.RWMutex
	transport *kafka.Transport
}

func (c *cluster) open(cfg Config) {
	c.cfg, c.addr = cfg, kafka.TCP(cfg.Brokers...)
	if c.dial = cfg.Dial; c.dial == nil {
		c.dial = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 4}}).DialContext
	}
	c.use(c.fresh(nil))
}

// fresh is a Transport that knows nothing yet and keeps the metadata of the
// given topics only. Who does not use it closes it.
func (c *cluster) fresh(topics []string) *kafka.Transport {
	if topics == nil {
		topics = []string{} // nil would ask for every topic of the cluster
	}
	return &kafka.Transport{
		Dial:           c.dial,
		DialTimeout:    5 * time.Second,
		IdleTimeout:    4 * time.Minute, // brokers close after ten
		MetadataTTL:    5 * time.Minute,
		MetadataTopics: topics,
		ClientID:       c.cfg.ClientID,
		TLS:            c.cfg.TLS,
		SASL:           c.cfg.SASL,
	}
}

// use drops what was known of the cluster; requests under way come to their end.
func (c *cluster) use(next *kafka.Transport) {
	c.mu.Lock()
	last := c.transport
	c.transport = next
	c.mu.Unlock()
	if last != nil {
		last.CloseIdleConnections()
	}
}

func (c *cluster) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.transport.CloseIdleConnections()
}

func (c *cluster) current() *kafka.Transport {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.transport
}

func (c *cluster) roundTrip(ctx context.Context, req kafka.Request) (kafka.Response, error) {
	return c.current().RoundTrip(ctx, c.addr, req)
}

func (c *cluster) client() *kafka.Client { return c.clientOf(c.current()) }

func (c *cluster) clientOf(t *kafka.Transport) *kafka.Client {
	return &kafka.Client{Addr: c.addr, Transport: t}
}
