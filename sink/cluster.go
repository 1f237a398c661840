package sink

import (
	"context"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/rawproduce"
)

// cluster is the connections to Kafka: one kafka.Transport for as long as the
// producer lives, which keeps a connection to every broker it is told to speak
// to. It keeps no topics: where partitions are is the manager's to find out and
// the lanes' to follow.
type cluster struct {
	cfg       Config
	addr      net.Addr // the brokers to start from
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	transport *kafka.Transport
}

const (
	idleTimeout = 3 * time.Minute // brokers close after ten, Azure Event Hubs after four
	// scoutTimeout is how long a scout's connections stay; kafka-go keeps a
	// Transport in memory until then, with all that it has learned.
	scoutTimeout = time.Second
)

func (c *cluster) open(cfg Config) {
	c.cfg, c.addr, c.dial = cfg, kafka.TCP(cfg.Brokers...), cfg.Dialer()
	c.transport = c.newTransport([]string{}, idleTimeout) // nil would ask for every topic of the cluster
}

func (c *cluster) newTransport(topics []string, idle time.Duration) *kafka.Transport {
	return &kafka.Transport{
		Dial:           c.dial,
		DialTimeout:    5 * time.Second,
		IdleTimeout:    idle,
		MetadataTTL:    5 * time.Minute,
		MetadataTopics: topics,
		ClientID:       c.cfg.ClientID,
		TLS:            c.cfg.TLS,
		SASL:           c.cfg.SASL,
	}
}

// scout is a client that asks the cluster about the topics at its first request.
// kafka-go answers for metadata from what it has kept; only one that has kept
// nothing asks: 22 ms instead of seconds after a leader moved. Call done when it
// is not needed any more.
func (c *cluster) scout(topics []string) (client *kafka.Client, done func()) {
	t := c.newTransport(topics, scoutTimeout)
	return &kafka.Client{Addr: c.addr, Transport: t}, t.CloseIdleConnections
}

// client speaks to the cluster as a whole, over the connections that are there.
func (c *cluster) client() *kafka.Client {
	return &kafka.Client{Addr: c.addr, Transport: c.transport}
}

// forget drops all connections that are not in use, and what kafka-go knows of
// the brokers: for when that may be wrong, and for the end.
func (c *cluster) forget() { c.transport.CloseIdleConnections() }

// produce sends req to the broker at addr, whatever kafka-go knows of it.
func (c *cluster) produce(ctx context.Context, addr net.Addr, req *rawproduce.Request) (kafka.Response, error) {
	return c.transport.RoundTrip(ctx, addr, (*directProduce)(req))
}

// directProduce is a raw Produce request without the method by which
// kafka.Transport would find a broker for it: it goes to the address it is sent
// to. Otherwise the Transport would have to know every topic, and would refuse a
// request as a whole for one partition that it looks for elsewhere.
type directProduce rawproduce.Request

func (r *directProduce) ApiKey() protocol.ApiKey { return protocol.Produce }

func (r *directProduce) TypeKey() protocol.OverrideTypeKey { return protocol.RawProduceOverride }

var _ protocol.OverrideTypeMessage = (*directProduce)(nil)
