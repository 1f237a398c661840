package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
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
	t := &topic{name: name, aside: name == p.cfg.Aside}
	p.topics[name] = t
	p.ask(t)
	return t
}

// ask makes the manager ask the cluster about a topic. Under Producer.mu.
func (p *Producer) ask(t *topic) {
	t.stale, p.needMetadata = true, true
	p.task()
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
	age := time.NewTicker(metadataAge)
	defer age.Stop()
	renewal := time.NewTimer(renewLook)
	defer renewal.Stop()
	for {
		renewal.Reset(p.untilRenewal())
		select {
		case <-ctx.Done():
			return
		case <-p.tasks:
		case <-age.C:
			p.mu.Lock()
			p.lost()
			p.mu.Unlock()
		case <-renewal.C:
			p.mu.Lock()
			p.renewIfQuiet(time.Now())
			p.mu.Unlock()
			p.fenceLater(ctx)
		}
		if p.Err() != nil {
			return
		}
		if p.work(ctx) {
			delay.Reset()
			continue
		}
		p.pause(ctx, delay.NextBackOff())
	}
}

// pause sits out the delay after a failure, whatever is asked for meanwhile;
// only the producer's end cuts it short.
func (p *Producer) pause(ctx context.Context, delay time.Duration) {
	defer p.task()
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-p.tasks:
			if p.Err() != nil {
				return
			}
		}
	}
}

// work does what is wanted now; false when something has to be tried again.
func (p *Producer) work(ctx context.Context) (done bool) {
	done = true
	p.mu.Lock()
	metadata := p.needMetadata
	fence := (p.session.wanted || p.session.bump) && p.calm()
	p.mu.Unlock()
	if metadata {
		done = p.refresh(ctx)
	}
	if fence {
		done = p.takeProducerID(ctx) && done
	}
	return done
}

// refresh asks the cluster about the topics that are stale.
func (p *Producer) refresh(ctx context.Context) (done bool) {
	names, sizeless := p.staleTopics()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	scout, end := p.cluster.scout(names)
	defer end()
	md, err := scout.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return p.unreachable(err, names)
	}
	sizes, err := p.messageSizes(ctx, scout, sizeless)
	if err == nil {
		p.wait("kafka", nil)
	}
	done = true
	p.locate(md.Brokers)
	unanswered := slices.Clone(names)
	for i := range md.Topics {
		name := md.Topics[i].Name
		at := slices.Index(unanswered, name)
		if at < 0 {
			continue // a damaged answer: nobody has asked for it
		}
		unanswered = slices.Delete(unanswered, at, at+1)
		if !p.learn(ctx, scout, &md.Topics[i], sizes) {
			done = false
			p.askAgain(name)
		}
	}
	if len(unanswered) > 0 {
		done = false
		p.askAgain(unanswered...)
	}
	if err != nil {
		done = p.unreachable(err, sizeless) && done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lanes {
		l.wake()
	}
	p.signal()
	return done
}

// staleTopics are the topics to ask about, and those of them whose size limit is
// to be read. They count as asked.
func (p *Producer) staleTopics() (names, sizeless []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.needMetadata = false
	for name, t := range p.topics {
		if !t.stale {
			continue
		}
		t.stale = false
		names = append(names, name)
		if t.resize || t.sizedAt.IsZero() {
			sizeless = append(sizeless, name)
		}
	}
	return names, sizeless
}

// askAgain leaves topics stale.
func (p *Producer) askAgain(names ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		p.topics[name].stale, p.needMetadata = true, true
	}
}

// locate notes where brokers listen.
func (p *Producer) locate(brokers []kafka.Broker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range brokers {
		p.laneOf(int32(b.ID)).addr = kafka.TCP(net.JoinHostPort(b.Host, strconv.Itoa(b.Port)))
	}
}

// unreachable notes that the cluster did not answer about topics.
func (p *Producer) unreachable(err error, topics []string) (done bool) {
	if r := refusal("ask Kafka for metadata", err); r != nil {
		p.mu.Lock()
		p.stop(r)
		p.mu.Unlock()
		return true
	}
	p.retried("metadata")
	p.wait("kafka", hint(p.cfg, err))
	p.askAgain(topics...)
	return false
}

// learn takes over what the cluster says about one topic; false when it has to
// be asked again.
func (p *Producer) learn(ctx context.Context, client *kafka.Client, md *kafka.Topic, sizes map[string]int) (done bool) {
	what := fmt.Sprintf("topic %q", md.Name)
	var code kafka.Error
	if md.Error != nil || len(md.Partitions) == 0 {
		p.shelve(md.Name)
	}
	if md.Error != nil && errors.As(md.Error, &code) {
		switch code {
		case kafka.InvalidTopic:
			return p.illegal(md.Name)
		case kafka.TopicAuthorizationFailed:
			if md.Name == p.cfg.Aside {
				p.wait(what, fmt.Errorf("%w: %s", code, adviceFor(code, md.Name)))
				return false
			}
			p.mu.Lock()
			p.stop(&RefusedError{"ask for " + what, code, adviceFor(code, md.Name)})
			p.mu.Unlock()
			return true
		case kafka.UnknownTopicOrPartition:
			return p.missing(ctx, client, md.Name)
		}
		p.wait(what, md.Error)
		return false
	}
	if len(md.Partitions) == 0 {
		return p.missing(ctx, client, md.Name)
	}
	p.mu.Lock()
	before, now := len(p.topics[md.Name].partitions), len(md.Partitions)
	p.mu.Unlock()
	missing := p.spread(md, sizes)
	if before > 0 && now > before && p.cfg.Hooks.Grown != nil {
		p.cfg.Hooks.Grown(md.Name, before, now)
	}
	p.wait(what, missing)
	return missing == nil
}

// shelve takes a topic that is not there from the lanes, which would go on
// asking its former leaders in vain.
func (p *Producer) shelve(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.topics[name]
	t.ready = false
	for _, part := range t.partitions {
		part.leader = nowhere
		p.home(part)
	}
}

// illegal notes that Kafka can have no topic of this name.
func (p *Producer) illegal(name string) (done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.topics[name].invalid = &routing.Poison{Reason: routing.ReasonIllegalTopic, Detail: fmt.Sprintf("Kafka refuses the topic name %q", name)}
	return true
}

// leadersOf gives every partition's leader.
func leadersOf(md *kafka.Topic) map[int32]int32 {
	leaders := make(map[int32]int32, len(md.Partitions))
	for _, part := range md.Partitions {
		leaders[int32(part.ID)] = nowhere
		if part.Error == nil && part.Leader.Host != "" {
			leaders[int32(part.ID)] = int32(part.Leader.ID)
		}
	}
	return leaders
}

// spread brings the topic's partitions to their leaders' lanes. Its error says
// why the topic has to be asked for again.
func (p *Producer) spread(md *kafka.Topic, sizes map[string]int) (missing error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.topics[md.Name]
	leaders := leadersOf(md)
	p.shrink(t, len(md.Partitions))
	for id := len(t.partitions); id < len(md.Partitions); id++ {
		part := &partition{topic: t, id: int32(id), leader: nowhere}
		part.lane = p.laneOf(nowhere)
		part.lane.parts = append(part.lane.parts, part)
		t.partitions = append(t.partitions, part)
	}
	for _, part := range t.partitions {
		leader, ok := leaders[part.id]
		if !ok {
			leader = nowhere
		}
		part.leader = leader
		p.home(part)
		switch {
		case !part.hasWork() || leader != nowhere:
		case !ok:
			missing = fmt.Errorf("has no partition %d any more, and events wait for it: restart walrelay if the topic was made again with fewer partitions", part.id)
		default:
			missing = fmt.Errorf("partition %d has no leader: look after the brokers that hold it", part.id)
		}
	}
	if size, ok := sizes[md.Name]; ok {
		t.maxBytes, t.sizedAt, t.resize = size, time.Now(), false
	}
	t.learned = time.Now()
	if t.ready = t.maxBytes > 0; !t.ready {
		missing = errors.New("its configuration is not there yet")
	}
	return missing
}

// shrink forgets partitions that are gone, once nothing waits for them.
func (p *Producer) shrink(t *topic, left int) {
	for n := len(t.partitions); n > left && !t.partitions[n-1].hasWork(); n-- {
		t.partitions[n-1].lane.leave(t.partitions[n-1])
		t.partitions = t.partitions[:n-1]
	}
}

// home moves a partition to the lane of its leader, with what waits there, once
// nothing of it is in flight.
func (p *Producer) home(part *partition) {
	if part.inFlight || part.lane.broker == part.leader {
		return
	}
	from, to := part.lane, p.laneOf(part.leader)
	from.leave(part)
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

// creationError says what a refused creation needs.
func creationError(err error) error {
	if errors.Is(err, kafka.TopicAuthorizationFailed) || errors.Is(err, kafka.ClusterAuthorizationFailed) {
		return fmt.Errorf("create: %w: grant the relay's principal Create on the topic or the cluster, or make the topic", err)
	}
	return fmt.Errorf("create: %w", err)
}

// missing makes a topic that is not there, or waits for somebody to make it.
func (p *Producer) missing(ctx context.Context, client *kafka.Client, name string) (done bool) {
	what := fmt.Sprintf("topic %q", name)
	c := p.cfg.creation(name)
	if c == nil {
		p.wait(what, errors.New("does not exist: create it, or set kafka.topics.create"))
		return false
	}
	topic := kafka.TopicConfig{Topic: name, NumPartitions: c.Partitions, ReplicationFactor: c.ReplicationFactor}
	for k, v := range c.Config {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
	}
	res, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err == nil {
		err = res.Errors[name]
	}
	switch {
	case errors.Is(err, kafka.InvalidTopic):
		return p.illegal(name)
	case err != nil && !errors.Is(err, kafka.TopicAlreadyExists):
		p.wait(what, creationError(err))
	}
	return false // its partitions are asked for next
}
