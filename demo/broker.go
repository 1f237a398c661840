package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// demoPartitions is the number of partitions of each of the demo's topics.
const demoPartitions = 6

// keepRecords is how long the stand-in for Kafka keeps records in memory: the
// demo may run for days. The consumer is milliseconds behind.
const keepRecords = 10 * time.Minute

// broker is the Kafka of a demo: the one that was given, or a stand-in.
type broker struct {
	addresses []string
	name      string // for people
	template  string // of topic names, as routing.Rules has it
	topics    []string

	admin   *kadm.Client
	client  *kgo.Client    // of admin
	standIn *kfake.Cluster // nil with a given Kafka
	made    []string       // topics that this demo has made
}

// aggregateTypes are the aggregate types of the shop, a topic each.
var aggregateTypes = []string{"order", "customer"}

// startBroker connects to the Kafka at address, or starts a stand-in when it is
// empty, and makes the topics. On a given Kafka they carry the name of this run,
// so that they are nobody else's. The caller closes the broker, also one that
// came with an error.
func startBroker(ctx context.Context, address, run string) (*broker, error) {
	b := &broker{template: "outbox.event.${aggregate_type}"}
	if address == "" {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{
			"log.cleaner.backoff.ms": "60000", // look for old records every minute
		}))
		if err != nil {
			return b, fmt.Errorf("start the stand-in for kafka: %w", err)
		}
		b.standIn, b.addresses = cluster, cluster.ListenAddrs()
		b.name = "an in-process stand-in for Kafka (franz-go kfake), not a real one"
	} else {
		b.addresses = strings.Split(address, ",")
		b.template = "walrelay-demo-" + run + ".${aggregate_type}"
		b.name = "Kafka at " + address
	}
	for _, t := range aggregateTypes {
		b.topics = append(b.topics, strings.Replace(b.template, "${aggregate_type}", t, 1))
	}
	var err error
	if b.client, err = kgo.NewClient(kgo.SeedBrokers(b.addresses...), kgo.ClientID("walrelay-demo")); err != nil {
		return b, fmt.Errorf("kafka at %s: %w", address, err)
	}
	b.admin = kadm.NewClient(b.client)
	return b, b.makeTopics(ctx)
}

func (b *broker) makeTopics(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	keep := fmt.Sprint(keepRecords.Milliseconds())
	settings := map[string]*string{"retention.ms": &keep}
	if b.standIn == nil {
		settings = nil // a given Kafka keeps as it likes, the topics are removed anyway
	}
	answers, err := b.admin.CreateTopics(ctx, demoPartitions, -1, settings, b.topics...)
	if err != nil {
		return fmt.Errorf("make topics on kafka at %s: %w: is it a Kafka broker, and can this machine reach the address that it advertises?", strings.Join(b.addresses, ","), err)
	}
	var failed error
	for _, a := range answers.Sorted() {
		if a.Err == nil {
			b.made = append(b.made, a.Topic)
			continue
		}
		failed = errors.Join(failed, fmt.Errorf("make topic %s: %w: %s", a.Topic, a.Err, a.ErrMessage))
	}
	return failed
}

// ends are the offsets after the newest record of every partition.
func (b *broker) ends(ctx context.Context) (map[partition]int64, error) {
	listed, err := b.admin.ListEndOffsets(ctx, b.topics...)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("end offsets: %w", err)
	}
	ends := make(map[partition]int64)
	listed.Each(func(o kadm.ListedOffset) { ends[partition{o.Topic, o.Partition}] = o.Offset })
	return ends, nil
}

// close removes the topics that the demo has made on a given Kafka, or the whole
// stand-in.
func (b *broker) close(ctx context.Context) error {
	var err error
	if b.standIn == nil && len(b.made) > 0 {
		var answers kadm.DeleteTopicResponses
		if answers, err = b.admin.DeleteTopics(ctx, b.made...); err == nil {
			err = answers.Error()
		}
		if err != nil {
			err = fmt.Errorf("remove topics %s: %w: remove them by hand", strings.Join(b.made, ", "), err)
		}
	}
	if b.client != nil {
		b.client.Close()
	}
	if b.standIn != nil {
		b.standIn.Close()
	}
	return err
}
