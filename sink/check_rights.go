package sink

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/walrelay/walrelay/replication"
)

// unknownRights is what a broker answers that was not asked, or does not know.
const unknownRights = math.MinInt32

// The bits of authorized operations that matter, by the codes of Kafka's
// AclOperation.
const (
	mayRead            = 1 << 3
	mayWrite           = 1 << 4
	mayDescribe        = 1 << 8
	mayDescribeConfigs = 1 << 10
)

// acl is the beginning of a command that grants operations.
func (k *checkup) acl(operations ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "kafka-acls.sh --bootstrap-server %s --add --allow-principal User:NAME", k.cfg.Brokers[0])
	for _, o := range operations {
		b.WriteString(" --operation " + o)
	}
	return b.String()
}

// rights looks at what may be done with a topic that is there, as the cluster says.
func (k *checkup) rights(name string, t *metadata.ResponseTopic) []Finding {
	f := Finding{Name: name + " rights"}
	have := t.TopicAuthorizedOperations
	if have == unknownRights || have == 0 { // versions of Metadata before 8 leave 0
		return nil
	}
	switch {
	case have&mayWrite == 0:
		f.Level, f.Detail = replication.Fail, "no right to write"
		f.Cause = "every batch is refused, and the relay stops"
		f.Remedy = k.acl("Write", "Describe", "Read", "DescribeConfigs") + " --topic " + t.Name
	case have&mayRead == 0 && k.owns(t.Name):
		f.Level, f.Detail = replication.Fail, "may be written, not read"
		f.Cause = "the relay could not tell what is delivered, and would wait"
		f.Remedy = k.acl("Read") + " --topic " + t.Name
	case have&mayRead == 0 && k.cfg.Transactions: // the watermark knows, there is no look back
		f.Detail = "may be written"
	case have&mayRead == 0:
		f.Level, f.Detail = replication.Warn, "may be written, not read"
		f.Cause = "no look back: what a dead instance delivered and did not confirm is sent again after a restart"
		f.Remedy = k.acl("Read") + " --topic " + t.Name
	default:
		f.Detail = "may be written and read"
	}
	return []Finding{f}
}

func (k *checkup) owns(topic string) bool {
	_, own := k.cfg.Own[topic]
	return own
}

// creatable asks the cluster to say whether it would make a topic, without making it.
func (k *checkup) creatable(ctx context.Context, name, topic string) Finding {
	c := k.cfg.creation(topic)
	request := createtopics.RequestTopic{Name: topic, NumPartitions: int32(c.Partitions), ReplicationFactor: int16(c.ReplicationFactor)}
	for key, value := range c.Config {
		request.Configs = append(request.Configs, createtopics.RequestConfig{Name: key, Value: value})
	}
	answer, err := ask[*createtopics.Response](ctx, k.controls, &createtopics.Request{Topics: []createtopics.RequestTopic{request}, TimeoutMs: 5000, ValidateOnly: true})
	message := ""
	if err == nil && len(answer.Topics) == 1 && answer.Topics[0].ErrorCode != 0 {
		err, message = kafka.Error(answer.Topics[0].ErrorCode), answer.Topics[0].ErrorMessage
	}
	what := "the cluster's default of partitions"
	if c.Partitions > 0 {
		what = plural(c.Partitions, "partition")
	}
	f := Finding{Name: name, Detail: "is not there; it will be made with " + what}
	switch {
	case err == nil, errors.Is(err, kafka.TopicAlreadyExists):
		return f
	case errNoRight(err):
		f.Level, f.Detail = replication.Fail, "is not there, and there is no right to make it"
		f.Remedy = k.acl("Create", "Write", "Describe", "Read", "DescribeConfigs") + " --topic " + topic + "\nor create the topic by hand"
	case errors.Is(err, kafka.InvalidReplicationFactor):
		f.Level, f.Detail = replication.Fail, fmt.Sprintf("is not there, and can't be made with replication_factor %d: %s", c.ReplicationFactor, plural(len(k.md.Brokers), "broker"))
		f.Remedy = fmt.Sprintf("kafka.topics.create.replication_factor: %d at most", len(k.md.Brokers))
	case errors.Is(err, kafka.UnsupportedVersion):
		f.Level, f.Detail = replication.Fail, "is not there, and the cluster makes no topics over Kafka's protocol"
		f.Remedy = "create the topic by the service's own means"
	default:
		f.Level, f.Detail = replication.Fail, strings.TrimSuffix(fmt.Sprintf("is not there, and would not be made: %v (%s)", err, message), " ()")
		f.Remedy = "correct kafka.topics.create to what the cluster allows, or create the topic by hand"
	}
	f.Cause = "its events wait, and all events behind them in the slot"
	return f
}

// producer looks at the right to produce idempotently.
func (k *checkup) producer(ctx context.Context) {
	const name = "idempotent producer"
	err := settled(ctx, func() error {
		res, err := k.client.InitProducerID(ctx, &kafka.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1, TransactionTimeoutMs: 60_000})
		if err == nil {
			err = res.Error
		}
		return err
	})
	switch {
	case err == nil:
		k.ok(name, "a producer id is given")
	case passing(err):
		k.put(Finding{Name: name, Level: replication.Warn, Detail: err.Error(), Cause: "the cluster is still getting ready", Remedy: "check again in a moment"})
	default:
		f := Finding{
			Name: name, Level: replication.Fail, Detail: err.Error(), Cause: "without a producer id a repeated request would be a repeated event; the relay does not start without",
			Remedy: k.acl("IdempotentWrite") + " --cluster\n(from Kafka 2.8 on Write on the topics is enough)",
		}
		if !errNoRight(err) {
			f.Remedy = "idempotent producers have to be allowed; " + k.service.lacks()
		}
		k.put(f)
	}
}

// nobody is a producer id that the cluster has given to none yet.
const nobody = math.MaxInt - 1

// fence looks at the right to the transactional id and at its coordinator. To take a
// producer id under it would shut the active instance out. So the right to write is
// tried by ending a transaction for a producer that does not exist: who has no right
// is told so, who has is told that there is no such producer.
func (k *checkup) fence(ctx context.Context) {
	const name = "write fence"
	if k.look.TransactionalID == nil {
		return
	}
	id := k.look.TransactionalID(ctx)
	if id == "" {
		k.put(Finding{Name: name, Level: replication.Warn, Detail: "not looked at: its transactional id is made of PostgreSQL's system identifier, and PostgreSQL did not answer", Remedy: "check again when it does"})
		return
	}
	err := settled(ctx, func() error {
		found, err := k.client.FindCoordinator(ctx, &kafka.FindCoordinatorRequest{Key: id, KeyType: kafka.CoordinatorKeyTypeTransaction})
		if err == nil {
			err = found.Error
		}
		return err
	})
	if err == nil {
		err = k.tryFence(ctx, id)
	}
	f := Finding{Name: name, Level: replication.Warn, Cause: "a killed or frozen instance's late requests are not shut out: they may repeat events, behind newer ones"}
	if k.cfg.Transactions {
		f.Level, f.Cause = replication.Fail, "exactly-once writes in transactions: the relay would wait"
	}
	switch {
	case err == nil:
		k.ok(name, "transactional id %q has a coordinator, and may be used", id)
		return
	case errors.Is(err, kafka.TransactionalIDAuthorizationFailed):
		f.Detail = fmt.Sprintf("no right to transactional id %q", id)
		f.Remedy = k.acl("Write", "Describe") + " --transactional-id walrelay- --resource-pattern-type prefixed"
	case errors.Is(err, kafka.UnsupportedVersion):
		f.Detail, f.Remedy = "there are no transactional ids here", k.service.lacks()
	default:
		f.Detail = fmt.Sprintf("no transaction coordinator for %q: %v", id, err)
		f.Remedy = "look after the topic __transaction_state; on a single broker set transaction.state.log.replication.factor=1 and transaction.state.log.min.isr=1"
	}
	k.put(f)
}

// tryFence returns nil when the right to write is there, or can't be told.
func (k *checkup) tryFence(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, linkTimeout)
	defer cancel()
	res, err := k.client.EndTxn(ctx, &kafka.EndTxnRequest{TransactionalID: id, ProducerID: nobody, ProducerEpoch: 0})
	if err == nil {
		err = res.Error
	}
	if errors.Is(err, kafka.TransactionalIDAuthorizationFailed) {
		return err
	}
	return nil
}

// passing says that an error is one of a cluster that is getting ready: a fresh
// one makes its transaction topic when it is first asked.
func passing(err error) bool {
	var code kafka.Error
	return errors.As(err, &code) && coordinatorAway(code)
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
