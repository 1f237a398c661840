package harness

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A cluster outlives one of its brokers, and leaders move where they are told to.
func TestPrivateCluster(t *testing.T) {
	t.Parallel()
	c := PrivateCluster(t, KafkaOptions{})
	topic := c.Topic(t, 2)
	client := c.Client(t)
	produce := func(count int) {
		t.Helper()
		for i := range count {
			record := &kgo.Record{Topic: topic, Value: fmt.Append(nil, i)}
			if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for to := int32(1); to <= clusterSize; to++ {
		c.MoveLeaders(t, topic, to)
		produce(5)
		if leader := c.Leader(t, topic, 1); leader != to {
			t.Errorf("broker %d leads, not %d", leader, to)
		}
	}
	c.InSync(t, topic, clusterSize)
	if err := c.Node(3).Kill(); err != nil {
		t.Fatal(err)
	}
	produce(5) // once another leads
	c.InSync(t, topic, clusterSize-1)
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.InSync(t, topic, clusterSize)
	if records := c.ReadAll(t, topic); len(records) != 20 {
		t.Errorf("%d records of 20", len(records))
	}
	if coordinator := c.Coordinator(t, "somebody"); coordinator < 1 || coordinator > clusterSize {
		t.Errorf("broker %d keeps a transactional id", coordinator)
	}
	c.AddPartitions(t, topic, 3)
	Eventually(t, 20*time.Second, "five partitions", func() bool {
		details, err := c.describe(t.Context(), topic)
		return err == nil && len(details.Partitions) == 5
	})
	c.DeleteTopic(t, topic)
}

// A broker whose disk is full ends, and comes back when it has space, with what it
// had acknowledged.
func TestBrokerDisk(t *testing.T) {
	t.Parallel()
	NeedDisk(t)
	b := PrivateKafka(t, KafkaOptions{Disk: 64 << 20})
	topic := b.Topic(t, 1)
	client := b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.RecordRetries(0),
		kgo.RecordDeliveryTimeout(20*time.Second), kgo.ProduceRequestTimeout(5*time.Second))
	b.Fill(t, 4<<20)
	taken := 0
	for ; !b.Died(); taken++ {
		if client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: make([]byte, 500_000)}).FirstErr() != nil {
			break
		}
		if taken > 100 {
			t.Fatal("the disk never was full")
		}
	}
	Eventually(t, 60*time.Second, "the broker ends by itself", b.Died)
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	b.Empty(t)
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if records := b.ReadAll(t, topic); len(records) < taken {
		t.Errorf("%d records, and %d were acknowledged", len(records), taken)
	}
}
