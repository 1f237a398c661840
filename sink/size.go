package sink

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/walrelay/walrelay/routing"
)

// messageSizes reads max.message.bytes of topics. Without the right to read it,
// and for topics that are not there yet, Kafka's default is assumed.
func (p *Producer) messageSizes(ctx context.Context, client *kafka.Client, topics []string) (map[string]int, error) {
	if len(topics) == 0 {
		return nil, nil
	}
	req := &kafka.DescribeConfigsRequest{}
	sizes := make(map[string]int, len(topics))
	for _, name := range topics {
		sizes[name] = defaultMaxMessage
		req.Resources = append(req.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: name, ConfigNames: []string{"max.message.bytes"},
		})
	}
	res, err := client.DescribeConfigs(ctx, req)
	if err != nil {
		return nil, err
	}
	for _, r := range res.Resources {
		if r.Error != nil {
			if errors.Is(r.Error, kafka.UnknownTopicOrPartition) {
				delete(sizes, r.ResourceName) // read when it is there
			}
			continue
		}
		for _, e := range r.ConfigEntries {
			if n, err := strconv.Atoi(e.ConfigValue); err == nil && e.ConfigName == "max.message.bytes" && n > 0 {
				sizes[r.ResourceName] = n
			}
		}
	}
	return sizes, nil
}

// tooLarge is the answer for a record above its topic's limit. A limit that was
// read a while ago is read again before: it may have been raised for this very
// record.
func (p *Producer) tooLarge(t *topic, size int) error {
	if p.reread(t, t.sizedAt) {
		return ErrPending
	}
	return &routing.Poison{Reason: routing.ReasonTooLarge, Detail: fmt.Sprintf("%d bytes in a batch of its own; topic %q takes %d (max.message.bytes)", size, t.name, t.maxBytes)}
}

// reread has the topic read again before a record is given up, when what was
// read at the time given may be out of date.
func (p *Producer) reread(t *topic, at time.Time) bool {
	if time.Since(at) <= 2*time.Second {
		return false
	}
	t.resize, t.ready = true, false
	p.ask(t)
	return true
}

// fitsCompressed says whether a record that is too large as it is fits once
// compressed. It costs a compression; few records are that large.
func (p *Producer) fitsCompressed(rec *routing.Record, limit int) bool {
	codec, _ := newCompressor(p.cfg.Compression)
	if codec == nil {
		return false
	}
	b := batch{slab: make([]byte, recordsAt, aloneLen(rec)+prefixLen)}
	b.append(rec, cap(b.slab))
	small := codec.compress(b.slab)
	return small != nil && len(small)-prefixLen <= limit
}
