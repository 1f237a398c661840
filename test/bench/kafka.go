package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// broker is the Kafka of the run.
type broker struct {
	addr   string
	client *kgo.Client
	admin  *kadm.Client
	pid    int // of the broker when it runs on this machine, else 0
}

func newBroker(ctx context.Context, addr string) (*broker, error) {
	_, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--kafka: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("--kafka: port %q is no number", portText)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("reach Kafka at %s: %w", addr, err)
	}
	return &broker{addr: addr, client: client, admin: kadm.NewClient(client), pid: listenerPID(port)}, nil
}

// createTopic makes a topic and waits until every partition has a leader.
func (k *broker) createTopic(ctx context.Context, topic string) error {
	_, err := k.admin.CreateTopic(ctx, partitions, 1, nil, topic)
	if err != nil {
		return fmt.Errorf("create topic %q: %w", topic, err)
	}
	for range 200 {
		if _, err = k.highWatermarks(ctx, topic); err == nil {
			return nil
		}
		if err := pause(ctx, 25*time.Millisecond); err != nil {
			return err
		}
	}
	return err
}

func (k *broker) deleteTopic(ctx context.Context, topic string) error {
	_, err := k.admin.DeleteTopic(context.WithoutCancel(ctx), topic)
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return fmt.Errorf("delete topic %q: %w", topic, err)
	}
	return nil
}

// highWatermarks returns the high watermark of every partition in one request:
// what is below it is acknowledged (acks=all) and visible to consumers.
func (k *broker) highWatermarks(ctx context.Context, topic string) ([]int64, error) {
	req := kmsg.NewListOffsetsRequest()
	req.ReplicaID = -1
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for p := range int32(partitions) {
		part := kmsg.NewListOffsetsRequestTopicPartition()
		part.Partition, part.Timestamp = p, -1
		t.Partitions = append(t.Partitions, part)
	}
	req.Topics = append(req.Topics, t)
	marks := make([]int64, partitions)
	for _, shard := range k.client.RequestSharded(ctx, &req) {
		if shard.Err != nil {
			return nil, fmt.Errorf("list offsets of %q: %w", topic, shard.Err)
		}
		for _, rt := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, rp := range rt.Partitions {
				if err := kerr.ErrorForCode(rp.ErrorCode); err != nil {
					return nil, fmt.Errorf("list offsets of %q: %w", topic, err)
				}
				marks[rp.Partition] = rp.Offset
			}
		}
	}
	return marks, nil
}

// arrival is when records of a run became visible.
type arrival struct {
	first, last time.Time
}

// awaitRecords waits until topic holds n records; alive is asked on the way and
// ends the wait with its error. The polls adapt: every few milliseconds where
// precision counts, at the first record and near the end, and rarely between,
// so that the broker is left alone.
func (k *broker) awaitRecords(ctx context.Context, topic string, n int, limit time.Duration, alive func() error) (arrival, error) {
	const finest, coarsest = 3 * time.Millisecond, 250 * time.Millisecond
	var a arrival
	start := time.Now()
	for {
		marks, err := k.highWatermarks(ctx, topic)
		if err != nil {
			return a, err
		}
		now, have := time.Now(), sum(marks)
		if have > 0 && a.first.IsZero() {
			a.first = now
		}
		if have >= int64(n) {
			a.last = now
			return a, nil
		}
		if err := alive(); err != nil {
			return a, err
		}
		if now.Sub(start) > limit {
			return a, fmt.Errorf("topic %q holds %d of %d records after %s", topic, have, n, limit)
		}
		wait := finest
		if have > 0 {
			left := now.Sub(a.first) * time.Duration(int64(n)-have) / time.Duration(have)
			wait = min(max(left/2, finest), coarsest)
		}
		if err := pause(ctx, wait); err != nil {
			return a, err
		}
	}
}

func sum(marks []int64) int64 {
	var s int64
	for _, m := range marks {
		s += m
	}
	return s
}

func (k *broker) close() { k.client.Close() }
