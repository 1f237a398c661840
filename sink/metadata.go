package sink

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"

	"github.com/walrelay/walrelay/routing"
)

// Learn makes the producer ask for a topic before its first record is there.
func (p *Producer) Learn(topics ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range topics {
		if p.topics[name] == nil {
			p.addTopic(name)
		}
	}
}

func (p *Producer) addTopic(name string) *topic {
	t := &topic{name: name}
	p.topics[name] = t
	p.needMetadata = true
	p.task()
	return t
}

// task wakes the manager.
func (p *Producer) task() {
	select {
	case p.tasks <- struct{}{}:
	default:
	}
}

// manage is the manager goroutine: it asks for metadata and producer ids when
// they are wanted, until ctx ends or the producer has failed.
func (p *Producer) manage(ctx context.Context) {
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval, delay.MaxInterval = 20*time.Millisecond, 2*time.Second
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.tasks:
		case <-timer.C:
		}
		if p.Err() != nil {
			return
		}
		if p.work(ctx) {
			delay.Reset()
			timer.Reset(time.Hour)
			continue
		}
		timer.Reset(delay.NextBackOff())
		p.pause(ctx, timer)
	}
}

// pause sits out the delay after a failure, whatever is asked for meanwhile.
func (p *Producer) pause(ctx context.Context, timer *time.Timer) {
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	p.task()
}

// work does what is wanted now; false when something has to be tried again.
func (p *Producer) work(ctx context.Context) (done bool) {
	done = true
	p.mu.Lock()
	metadata := p.needMetadata
	fence := p.session.wanted || p.session.bump && p.calm()
	p.mu.Unlock()
	if metadata {
		done = p.refresh(ctx)
	}
	if fence {
		p.mu.Lock()
		named := p.session.name != "" && (p.session.wanted || p.session.fenced)
		p.mu.Unlock()
		done = p.takeProducerID(ctx, named) && done
	}
	return done
}

// refresh asks the cluster anew for everything that is known by name.
func (p *Producer) refresh(ctx context.Context) (done bool) {
	p.mu.Lock()
	p.needMetadata = false
	names := make([]string, 0, len(p.topics))
	var size []string
	for name, t := range p.topics {
		names = append(names, name)
		if t.resize || t.sizedAt.IsZero() {
			size = append(size, name)
		}
	}
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	p.cluster.renew(names)
	md, err := p.cluster.client().Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return p.unreachable(err)
	}
	p.wait("kafka", nil)
	sizes, err := p.messageSizes(ctx, size)
	if err != nil {
		return p.unreachable(err)
	}
	done = true
	for i := range md.Topics {
		done = p.learn(ctx, &md.Topics[i], sizes) && done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !done {
		p.needMetadata = true
	}
	for _, l := range p.lanes {
		l.wake()
	}
	p.signal()
	return done
}

// unreachable notes that the cluster did not answer.
func (p *Producer) unreachable(err error) (done bool) {
	if r := refusal("ask Kafka for metadata", err); r != nil {
		p.mu.Lock()
		p.stop(r)
		p.mu.Unlock()
		return true
	}
	p.retried("metadata")
	p.wait("kafka", err)
	p.mu.Lock()
	p.needMetadata = true
	p.mu.Unlock()
	return false
}

// learn takes over what the cluster says about one topic; false when it has to
// be asked again.
func (p *Producer) learn(ctx context.Context, md *kafka.Topic, sizes map[string]int) (done bool) {
	what := fmt.Sprintf("topic %q", md.Name)
	var code kafka.Error
	if md.Error != nil && errors.As(md.Error, &code) {
		switch code {
		case kafka.InvalidTopic:
			p.mu.Lock()
			p.topics[md.Name].invalid = &routing.Poison{Reason: "illegal_topic", Detail: fmt.Sprintf("Kafka refuses the topic name %q", md.Name)}
			p.mu.Unlock()
			return true
		case kafka.TopicAuthorizationFailed:
			p.mu.Lock()
			p.stop(&RefusedError{"ask for " + what, code, adviceFor(code, md.Name)})
			p.mu.Unlock()
			return true
		case kafka.UnknownTopicOrPartition:
			return p.missing(ctx, md.Name)
		}
		p.wait(what, md.Error)
		return false
	}
	if len(md.Partitions) == 0 {
		return p.missing(ctx, md.Name)
	}
	p.wait(what, nil)
	return p.spread(md, sizes)
}

// spread brings the topic's partitions to their leaders' lanes.
func (p *Producer) spread(md *kafka.Topic, sizes map[string]int) (done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.topics[md.Name]
	leaders := make(map[int]int32, len(md.Partitions))
	for _, part := range md.Partitions {
		leaders[part.ID] = nowhere
		if part.Error == nil && part.Leader.Host != "" {
			leaders[part.ID] = int32(part.Leader.ID)
		}
	}
	for id := len(t.partitions); id < len(md.Partitions); id++ {
		part := &partition{topic: t, id: int32(id), leader: nowhere}
		part.lane = p.laneOf(nowhere)
		part.lane.parts = append(part.lane.parts, part)
		t.partitions = append(t.partitions, part)
	}
	done = true
	for _, part := range t.partitions {
		leader, ok := leaders[int(part.id)]
		if !ok {
			leader = nowhere
		}
		part.leader = leader
		p.home(part)
		if leader == nowhere && part.hasWork() {
			done = false
		}
	}
	if size, ok := sizes[md.Name]; ok {
		t.maxBytes, t.sizedAt, t.resize = size, time.Now(), false
	}
	t.ready = t.maxBytes > 0
	return done && t.ready
}

// home moves a partition to the lane of its leader, with what waits there, once
// nothing of it is in flight.
func (p *Producer) home(part *partition) {
	if part.inFlight || part.lane.broker == part.leader {
		return
	}
	from, to := part.lane, p.laneOf(part.leader)
	for i, other := range from.parts {
		if other == part {
			from.parts = append(from.parts[:i], from.parts[i+1:]...)
			break
		}
	}
	bytes := 0
	for _, b := range part.queue {
		bytes += len(b.slab) - recordsAt
	}
	if part.open != nil {
		bytes += len(part.open.slab) - recordsAt
	}
	from.pending -= bytes
	to.pending += bytes
	to.parts = append(to.parts, part)
	part.lane = to
	to.wake()
}

// missing makes a topic that is not there, or waits for somebody to make it.
func (p *Producer) missing(ctx context.Context, name string) (done bool) {
	what := fmt.Sprintf("topic %q", name)
	c := p.cfg.Create
	if c == nil {
		p.wait(what, errors.New("does not exist: create it, or set kafka.topics.create"))
		return false
	}
	topic := kafka.TopicConfig{Topic: name, NumPartitions: c.Partitions, ReplicationFactor: c.ReplicationFactor}
	for k, v := range c.Config {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
	}
	res, err := p.cluster.client().CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err == nil {
		err = res.Errors[name]
	}
	if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
		p.wait(what, fmt.Errorf("create: %w", err))
	}
	return false // its partitions are asked for next
}

// messageSizes reads max.message.bytes of topics. Without the right to read it,
// and for topics that are not there yet, Kafka's default is assumed.
func (p *Producer) messageSizes(ctx context.Context, topics []string) (map[string]int, error) {
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
	res, err := p.cluster.client().DescribeConfigs(ctx, req)
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
	if time.Since(t.sizedAt) > 2*time.Second {
		t.resize, t.ready, p.needMetadata = true, false, true
		p.task()
		return ErrPending
	}
	return &routing.Poison{Reason: "too_large", Detail: fmt.Sprintf("%d bytes in a batch of its own; topic %q takes %d (max.message.bytes)", size, t.name, t.maxBytes)}
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
