package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// DeleteTopic deletes a topic and returns when the broker does not know it any
// more. Who is in sync takes part; a broker that is away deletes when it is back.
func (b *Broker) DeleteTopic(t testing.TB, name string) {
	t.Helper()
	admin := kadm.NewClient(b.Client(t))
	response, err := admin.DeleteTopic(t.Context(), name)
	if err := errors.Join(err, response.Err); err != nil {
		t.Fatalf("delete topic %s: %v", name, err)
	}
	Eventually(t, moveTimeout, "topic "+name+" is gone", func() bool {
		topics, err := admin.ListTopics(t.Context(), name)
		return err == nil && !topics.Has(name)
	})
}

// AddPartitions adds partitions to a topic.
func (b *Broker) AddPartitions(t testing.TB, name string, add int) {
	t.Helper()
	added, err := kadm.NewClient(b.Client(t)).CreatePartitions(t.Context(), add, name)
	if err := errors.Join(err, added.Error()); err != nil {
		t.Fatalf("add %d partitions to topic %s: %v", add, name, err)
	}
}

// SetTopic changes settings of a topic: name, value, name, value.
func (b *Broker) SetTopic(t testing.TB, name string, config ...string) {
	t.Helper()
	var changes []kadm.AlterConfig
	for pair := range slices.Chunk(config, 2) {
		if len(pair) != 2 {
			t.Fatalf("topic %s: the settings are no pairs: %v", name, config)
		}
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: pair[0], Value: &pair[1]})
	}
	altered, err := kadm.NewClient(b.Client(t)).AlterTopicConfigs(t.Context(), changes, name)
	for _, one := range altered {
		err = errors.Join(err, one.Err)
	}
	if err != nil {
		t.Fatalf("set %v of topic %s: %v", config, name, err)
	}
}

// Coordinator is the id of the broker that keeps a transactional id.
func (c *Cluster) Coordinator(t testing.TB, transactionalID string) (id int32) {
	t.Helper()
	Eventually(t, moveTimeout, "a coordinator of "+transactionalID, func() bool {
		found := kadm.NewClient(c.Client(t)).FindTxnCoordinators(t.Context(), transactionalID)
		one, ok := found[transactionalID]
		id = one.NodeID
		return ok && one.Err == nil
	})
	return id
}

// Leader is the id of the broker that leads a partition, -1 for none.
func (c *Cluster) Leader(t testing.TB, topic string, partition int32) int32 {
	t.Helper()
	details, err := c.describe(t.Context(), topic)
	if err != nil {
		t.Fatalf("find the leader of %s-%d: %v", topic, partition, err)
	}
	return details.Partitions[partition].Leader
}

func (c *Cluster) describe(ctx context.Context, topic string) (kadm.TopicDetail, error) {
	admin, done, err := c.admin()
	if err != nil {
		return kadm.TopicDetail{}, err
	}
	defer done()
	topics, err := admin.ListTopics(ctx, topic)
	if err := errors.Join(err, topics.Error()); err != nil {
		return kadm.TopicDetail{}, err
	}
	return topics[topic], nil
}

// MoveLeaders makes the broker of that id the leader of every partition of a topic
// and returns when it is. All brokers that have replicas must be there.
func (c *Cluster) MoveLeaders(t testing.TB, topic string, to int32) {
	t.Helper()
	err := c.place(t.Context(), topic, func(replicas []int32) []int32 {
		order := []int32{to}
		for _, id := range replicas {
			if id != to {
				order = append(order, id)
			}
		}
		return order
	})
	if err != nil {
		t.Fatalf("move the leaders of topic %s to broker %d: %v", topic, to, err)
	}
}

// Place puts the replicas of every partition of a topic on these brokers, the first
// of which becomes the leader.
func (c *Cluster) Place(t testing.TB, topic string, replicas ...int32) {
	t.Helper()
	if err := c.place(t.Context(), topic, func([]int32) []int32 { return replicas }); err != nil {
		t.Fatalf("place topic %s on brokers %v: %v", topic, replicas, err)
	}
}

// place reassigns every partition, which makes the first replica the preferred leader,
// and has that elected.
func (c *Cluster) place(ctx context.Context, topic string, assign func(replicas []int32) []int32) error {
	ctx, cancel := context.WithTimeout(ctx, moveTimeout)
	defer cancel()
	admin, done, err := c.admin()
	if err != nil {
		return err
	}
	defer done()
	var details kadm.TopicDetail
	var last error
	if err := await(ctx, func() bool { // a broker may not know yet of a topic that was just made
		details, last = c.describe(ctx, topic)
		return last == nil
	}); err != nil {
		return errors.Join(err, last)
	}
	var request kadm.AlterPartitionAssignmentsReq
	want := map[int32][]int32{}
	for _, p := range details.Partitions {
		want[p.Partition] = assign(p.Replicas)
		request.Assign(topic, p.Partition, want[p.Partition])
	}
	answer, err := admin.AlterPartitionAssignments(ctx, request)
	if err := errors.Join(err, answer.Error()); err != nil {
		return err
	}
	return errors.Join(await(ctx, func() bool {
		details, last = c.describe(ctx, topic)
		if last != nil {
			return false
		}
		placed := true
		for _, p := range details.Partitions {
			placed = placed && p.Leader == want[p.Partition][0] && len(p.ISR) == len(want[p.Partition]) && slices.Equal(p.Replicas, want[p.Partition])
		}
		if !placed { // refused while the reassignment goes on, and for those that are there
			_, last = admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil)
		}
		return placed
	}), last)
}

// InSync waits until every partition of a topic has that many replicas in sync.
func (c *Cluster) InSync(t testing.TB, topic string, replicas int) {
	t.Helper()
	Eventually(t, moveTimeout, fmt.Sprintf("topic %s has %d replicas in sync", topic, replicas), func() bool {
		details, err := c.describe(t.Context(), topic)
		for _, p := range details.Partitions {
			if len(p.ISR) != replicas {
				return false
			}
		}
		return err == nil && len(details.Partitions) > 0
	})
}

// admin is a client for one step; done closes it.
func (c *Cluster) admin() (admin *kadm.Client, done func(), err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.direct...), kgo.RetryTimeout(moveTimeout))
	if err != nil {
		return nil, nil, err
	}
	return kadm.NewClient(client), client.Close, nil
}
