package shadow

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"github.com/walrelay/walrelay/sink"
)

// cluster asks Kafka: metadata, offsets and records. It has no request that writes.
type cluster struct {
	cfg       sink.Config
	addr      net.Addr // the brokers to start from
	transport *kafka.Transport
}

const (
	// answerTimeout is when an answer counts as lost.
	answerTimeout = 15 * time.Second
	// fetchWait is how long a broker may wait for records, and so how long a topic
	// that is added may wait for its first request.
	fetchWait = 250 * time.Millisecond
	// fetchBytes bounds an answer, partitionBytes what it has of one partition.
	fetchBytes     = 8 << 20
	partitionBytes = 1 << 20
	// scoutTimeout is how long the connections stay that metadata was asked over.
	scoutTimeout = time.Second
	idleTimeout  = 4 * time.Minute // brokers close after ten
)

func newCluster(cfg sink.Config) *cluster {
	c := &cluster{cfg: cfg, addr: kafka.TCP(cfg.Brokers...)}
	c.transport = c.newTransport([]string{}, idleTimeout) // nil would ask for every topic, again and again
	return c
}

func (c *cluster) newTransport(topics []string, idle time.Duration) *kafka.Transport {
	id := c.cfg.ClientID
	if id == "" {
		id = "walrelay"
	}
	return &kafka.Transport{
		Dial: c.cfg.Dialer(), DialTimeout: 5 * time.Second, IdleTimeout: idle, MetadataTTL: 5 * time.Minute, MetadataTopics: topics,
		ClientID: id, TLS: c.cfg.TLS, SASL: c.cfg.SASL,
	}
}

func (c *cluster) close() { c.transport.CloseIdleConnections() }

// metadata asks for the topics, nil for all. kafka-go answers from what it has kept,
// so one that has kept nothing is asked.
func (c *cluster) metadata(ctx context.Context, topics []string) ([]kafka.Topic, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	t := c.newTransport(topics, scoutTimeout)
	defer t.CloseIdleConnections()
	md, err := (&kafka.Client{Addr: c.addr, Transport: t}).Metadata(ctx, &kafka.MetadataRequest{Topics: topics})
	if err != nil {
		return nil, err
	}
	return md.Topics, nil
}

// address is where a partition's leader listens, "" when it has none.
func address(p *kafka.Partition) string {
	if p.Leader.Host == "" {
		return ""
	}
	return net.JoinHostPort(p.Leader.Host, strconv.Itoa(p.Leader.Port))
}

// ends returns the offset behind the last record of every partition that may be
// seen, by topic; -1 where it is not known.
func (c *cluster) ends(ctx context.Context) (map[string][]int64, error) {
	topics, err := c.metadata(ctx, nil)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string][]topicPartition) // by the leader's address
	ends := make(map[string][]int64, len(topics))
	for i := range topics {
		t := &topics[i]
		if t.Error != nil {
			continue
		}
		list := make([]int64, len(t.Partitions))
		for j := range t.Partitions {
			p := &t.Partitions[j]
			if p.ID < len(list) {
				list[p.ID] = -1
				wanted[address(p)] = append(wanted[address(p)], topicPartition{t.Name, int32(p.ID)})
			}
		}
		ends[t.Name] = list
	}
	delete(wanted, "")
	var mu sync.Mutex
	var all sync.WaitGroup
	var errs []error
	for leader, partitions := range wanted {
		all.Go(func() {
			offsets, err := c.list(ctx, leader, partitions, kafka.LastOffset)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			for p, offset := range offsets {
				ends[p.topic][p.partition] = offset
			}
		})
	}
	all.Wait()
	return ends, errors.Join(errs...)
}

// list asks a leader for offsets of its partitions: the first whose timestamp is at
// or after when (milliseconds since 1970), or the end for kafka.LastOffset. What it
// does not know is left out.
func (c *cluster) list(ctx context.Context, leader string, partitions []topicPartition, when int64) (map[topicPartition]int64, error) {
	req := &directList{ReplicaID: -1}
	at := make(map[string]int)
	for _, p := range partitions {
		i, ok := at[p.topic]
		if !ok {
			i = len(req.Topics)
			at[p.topic] = i
			req.Topics = append(req.Topics, listoffsets.RequestTopic{Topic: p.topic})
		}
		t := &req.Topics[i]
		t.Partitions = append(t.Partitions, listoffsets.RequestPartition{Partition: p.partition, CurrentLeaderEpoch: -1, Timestamp: when})
	}
	answer, err := c.ask(ctx, leader, req)
	if err != nil {
		return nil, fmt.Errorf("ask broker %s for offsets: %w", leader, err)
	}
	res, ok := answer.(*listoffsets.Response)
	if !ok {
		return nil, fmt.Errorf("ask broker %s for offsets: it answers with %T", leader, answer)
	}
	offsets := make(map[topicPartition]int64, len(partitions))
	for i := range res.Topics {
		for _, p := range res.Topics[i].Partitions {
			if p.ErrorCode == 0 && p.Offset >= 0 {
				offsets[topicPartition{res.Topics[i].Topic, p.Partition}] = p.Offset
			}
		}
	}
	return offsets, nil
}

// fetch asks a leader for the records of its partitions from the given offsets on,
// also uncommitted ones. That of the first partition is answered with a whole batch,
// however large.
func (c *cluster) fetch(ctx context.Context, leader string, from []*partition) (*fetch.Response, error) {
	req := &directFetch{
		ReplicaID: -1, MaxWaitTime: int32(fetchWait.Milliseconds()), MinBytes: 1, MaxBytes: fetchBytes, SessionID: -1, SessionEpoch: -1,
	}
	for _, p := range from {
		n := len(req.Topics)
		if n == 0 || req.Topics[n-1].Topic != p.topic { // those of a topic follow each other
			req.Topics = append(req.Topics, fetch.RequestTopic{Topic: p.topic})
			n++
		}
		t := &req.Topics[n-1]
		t.Partitions = append(t.Partitions, fetch.RequestPartition{
			Partition: p.partition, CurrentLeaderEpoch: -1, FetchOffset: p.next, LogStartOffset: -1, PartitionMaxBytes: partitionBytes,
		})
	}
	answer, err := c.ask(ctx, leader, req)
	if err != nil {
		return nil, fmt.Errorf("read from broker %s: %w", leader, err)
	}
	res, ok := answer.(*fetch.Response)
	if !ok {
		return nil, fmt.Errorf("read from broker %s: it answers with %T", leader, answer)
	}
	if res.ErrorCode != 0 {
		return nil, fmt.Errorf("read from broker %s: %w", leader, kafka.Error(res.ErrorCode))
	}
	return res, nil
}

// ask sends a request to the broker at an address, whatever kafka-go knows of it.
func (c *cluster) ask(ctx context.Context, broker string, req kafka.Request) (kafka.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return c.transport.RoundTrip(ctx, kafka.TCP(broker), req)
}

// directFetch and directList are requests without the methods by which
// kafka.Transport finds brokers for them, of which one splits a request into one a
// partition: they go to the address they are sent to.
type (
	directFetch fetch.Request
	directList  listoffsets.Request
)

func (*directFetch) ApiKey() protocol.ApiKey { return protocol.Fetch }

func (*directList) ApiKey() protocol.ApiKey { return protocol.ListOffsets }
