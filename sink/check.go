package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/walrelay/walrelay/replication"
)

// Finding is one result of a preflight, as on PostgreSQL's side.
type Finding = replication.Finding

// checkup gathers the findings of one preflight.
type checkup struct {
	cfg      Config
	client   *kafka.Client
	findings []Finding
}

func (k *checkup) add(name string, level replication.Level, detail, remedy string) {
	k.findings = append(k.findings, Finding{Name: name, Level: level, Detail: detail, Remedy: remedy})
}

// Check is the preflight of Kafka's side: all findings at once, nothing is
// changed or written. topics are those that are known by name already, like (nil:
// none) tells which others of the cluster records may go to; transactionalID is what Fence would be called with, or empty. It takes no
// producer id under that name: that would fence the active instance.
func Check(ctx context.Context, cfg Config, topics []string, like func(topic string) bool, transactionalID string) []Finding {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var c cluster
	c.open(cfg)
	client, done := c.scout(topics)
	defer done()
	k := &checkup{cfg: cfg, client: client}
	md, err := k.client.Metadata(ctx, &kafka.MetadataRequest{}) // of all topics
	if err != nil {
		remedy := "start Kafka, or correct kafka.brokers (and kafka.tls, kafka.sasl) to what the listener expects"
		var r *RefusedError
		if r = refusal("connect", err); r != nil {
			remedy = r.Advice
		}
		k.add("kafka", replication.Fail, fmt.Sprintf("%s: %v", strings.Join(cfg.Brokers, ","), err), remedy)
		return k.findings
	}
	k.add("kafka", replication.OK, fmt.Sprintf("%s answered; brokers in the cluster: %d", strings.Join(cfg.Brokers, ","), len(md.Brokers)), "")
	k.brokers(ctx, md.Brokers)
	k.producer(ctx, transactionalID)
	for _, name := range topics {
		t := kafka.Topic{Name: name, Error: kafka.UnknownTopicOrPartition}
		if i := slices.IndexFunc(md.Topics, func(t kafka.Topic) bool { return t.Name == name }); i >= 0 {
			t = md.Topics[i]
		} else if asked, err := k.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{name}}); err == nil && len(asked.Topics) == 1 {
			t = asked.Topics[0] // one that we may not see is not among all
		}
		k.topic(ctx, &t, len(md.Brokers))
	}
	if like != nil {
		k.likely(ctx, md, func(name string) bool { return like(name) && !slices.Contains(topics, name) })
	}
	return k.findings
}

// fewTopics is how many topics are shown one by one.
const fewTopics = 8

// likely looks at the topics that records may go to; of many only those are
// shown that something is wrong with.
func (k *checkup) likely(ctx context.Context, md *kafka.MetadataResponse, like func(string) bool) {
	before, n := len(k.findings), 0
	for i := range md.Topics {
		if t := &md.Topics[i]; !t.Internal && like(t.Name) && ctx.Err() == nil {
			k.topic(ctx, t, len(md.Brokers))
			n++
		}
	}
	if n <= fewTopics {
		return
	}
	shown := append([]Finding(nil), k.findings[before:]...)
	k.findings = k.findings[:before]
	well := 0
	for _, f := range shown {
		if f.Level == replication.OK {
			well++
			continue
		}
		k.findings = append(k.findings, f)
	}
	k.add("topics of the route", replication.OK, fmt.Sprintf("%d of %d are well", well, n), "")
}

// brokers looks whether the addresses that brokers advertise can be reached from
// here: a listener that advertises localhost is the commonest trap.
func (k *checkup) brokers(ctx context.Context, brokers []kafka.Broker) {
	for _, b := range brokers {
		addr := net.JoinHostPort(b.Host, strconv.Itoa(b.Port))
		conn, err := (&net.Dialer{Timeout: 3 * time.Second}).DialContext(ctx, "tcp", addr)
		if err != nil {
			k.add("broker "+strconv.Itoa(b.ID), replication.Fail, fmt.Sprintf("advertises %s, which does not answer from here: %v", addr, err),
				"correct the broker's advertised.listeners, or make its name and port reachable from here")
			continue
		}
		_ = conn.Close()
		k.add("broker "+strconv.Itoa(b.ID), replication.OK, "reachable at "+addr, "")
	}
}

// producer looks at the rights to produce idempotently and under the fence.
func (k *checkup) producer(ctx context.Context, transactionalID string) {
	err := settled(ctx, func() error {
		res, err := k.client.InitProducerID(ctx, &kafka.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1, TransactionTimeoutMs: 60_000})
		if err == nil {
			err = res.Error
		}
		return err
	})
	switch {
	case passing(err):
		k.add("idempotent producer", replication.Warn, err.Error(), "the cluster is still getting ready: check again in a moment")
		return
	case err != nil:
		k.add("idempotent producer", replication.Fail, err.Error(), "grant the relay's principal IdempotentWrite on the cluster, or Write on the topics")
		return
	}
	k.add("idempotent producer", replication.OK, "a producer id is given", "")
	if transactionalID == "" {
		return
	}
	err = settled(ctx, func() error {
		found, err := k.client.FindCoordinator(ctx, &kafka.FindCoordinatorRequest{Key: transactionalID, KeyType: kafka.CoordinatorKeyTypeTransaction})
		if err == nil {
			err = found.Error
		}
		return err
	})
	switch {
	case err == nil:
		k.add("write fence", replication.OK, fmt.Sprintf("transactional id %q has a coordinator", transactionalID), "")
	case errors.Is(err, kafka.TransactionalIDAuthorizationFailed):
		k.add("write fence", replication.Warn, fmt.Sprintf("no right to transactional id %q: a killed instance's late requests are not shut out", transactionalID), adviceFor(kafka.TransactionalIDAuthorizationFailed, ""))
	default:
		k.add("write fence", replication.Warn, fmt.Sprintf("no transaction coordinator for %q: %v; a killed instance's late requests are not shut out", transactionalID, err),
			"on a single broker set transaction.state.log.replication.factor=1 and transaction.state.log.min.isr=1")
	}
}

// passing says that an error is one of a cluster that is getting ready: a fresh
// one makes its transaction topic when it is first asked.
func passing(err error) bool {
	return errors.Is(err, kafka.GroupLoadInProgress) || errors.Is(err, kafka.GroupCoordinatorNotAvailable) ||
		errors.Is(err, kafka.NotCoordinatorForGroup) || errors.Is(err, kafka.ConcurrentTransactions)
}

// settled asks again while the answer is passing, for five seconds at most.
func settled(ctx context.Context, ask func() error) error {
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		err := ask()
		if !passing(err) || wait > 2*time.Second {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// topic looks at one topic.
func (k *checkup) topic(ctx context.Context, t *kafka.Topic, brokers int) {
	name := fmt.Sprintf("topic %q", t.Name)
	switch {
	case errors.Is(t.Error, kafka.UnknownTopicOrPartition) && k.cfg.Create != nil:
		k.add(name, replication.OK, fmt.Sprintf("is not there; it will be made with %d partitions", k.cfg.Create.Partitions), "")
		return
	case errors.Is(t.Error, kafka.UnknownTopicOrPartition):
		k.add(name, replication.Fail, "is not there", "create it, or set kafka.topics.create")
		return
	case errors.Is(t.Error, kafka.TopicAuthorizationFailed):
		k.add(name, replication.Fail, t.Error.Error(), adviceFor(kafka.TopicAuthorizationFailed, t.Name))
		return
	case t.Error != nil:
		k.add(name, replication.Fail, t.Error.Error(), "")
		return
	}
	replicas := brokers
	for _, p := range t.Partitions {
		replicas = min(replicas, len(p.Replicas))
		if p.Leader.Host == "" {
			k.add(name, replication.Warn, fmt.Sprintf("partition %d has no leader now", p.ID), "look after the brokers that hold it")
		}
	}
	settings := k.settings(ctx, t.Name)
	detail := fmt.Sprintf("%d partitions, %d replicas, max.message.bytes %s", len(t.Partitions), replicas, orUnknown(settings["max.message.bytes"]))
	level, remedy := replication.OK, ""
	if isr, err := strconv.Atoi(settings["min.insync.replicas"]); err == nil {
		detail += fmt.Sprintf(", min.insync.replicas %d", isr)
		switch {
		case isr > replicas:
			level, remedy = replication.Fail, "acks=all can never be met: lower min.insync.replicas or add replicas"
		case isr == replicas && replicas > 1:
			level, remedy = replication.Warn, "one broker away and nothing can be written: min.insync.replicas below the number of replicas"
		}
	}
	if strings.Contains(settings["cleanup.policy"], "compact") {
		level, remedy = max(level, replication.Warn), "the topic is compacted: older events of a key disappear, and events without a key are refused"
	}
	k.add(name, level, detail, remedy)
}

// settings reads a topic's configuration; empty without the right to.
func (k *checkup) settings(ctx context.Context, topic string) map[string]string {
	out := map[string]string{}
	res, err := k.client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
		ConfigNames: []string{"max.message.bytes", "min.insync.replicas", "cleanup.policy"},
	}}})
	if err != nil {
		return out
	}
	for _, r := range res.Resources {
		for _, e := range r.ConfigEntries {
			out[e.ConfigName] = e.ConfigValue
		}
	}
	return out
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown (no right to read the topic's configuration)"
	}
	return s
}
