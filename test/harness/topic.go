package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func pingBroker(ctx context.Context, client *kgo.Client) error {
	brokers, err := kadm.NewClient(client).ListBrokers(ctx)
	if err != nil {
		return err
	}
	if len(brokers) == 0 {
		return errors.New("it knows no broker yet")
	}
	return nil
}

// Client is a franz-go client past the proxy that the test's end closes.
func (b *Broker) Client(t testing.TB, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.direct...)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// TopicPrefix is for topic names of this test alone: "wr0123456789ab."
func TopicPrefix(t testing.TB) string {
	t.Helper()
	return uniqueName() + "."
}

// Topic makes a topic with a name of its own and returns the name. config is
// name, value, name, value: "max.message.bytes", "1000".
func (b *Broker) Topic(t testing.TB, partitions int, config ...string) string {
	t.Helper()
	name := uniqueName()
	b.CreateTopic(t, name, partitions, config...)
	return name
}

// CreateTopic makes a topic of a given name, as Topic does. The test's end
// deletes it from a broker that outlives the test program.
func (b *Broker) CreateTopic(t testing.TB, name string, partitions int, config ...string) {
	t.Helper()
	settings := make(map[string]*string)
	for pair := range slices.Chunk(config, 2) {
		if len(pair) != 2 {
			t.Fatalf("topic %s: the settings are no pairs: %v", name, config)
		}
		settings[pair[0]] = &pair[1]
	}
	admin := kadm.NewClient(b.Client(t))
	response, err := admin.CreateTopic(t.Context(), int32(partitions), int16(max(1, b.replicas)), settings, name)
	if err := errors.Join(err, response.Err); err != nil {
		t.Fatalf("make topic %s: %v", name, err)
	}
	if b.node == nil && b.real {
		t.Cleanup(func() {
			if _, err := admin.DeleteTopic(background(t), name); err != nil {
				t.Errorf("delete topic %s: %v", name, err)
			}
		})
	}
}

// Topics lists the topics whose names begin with prefix, sorted.
func (b *Broker) Topics(t testing.TB, prefix string) []string {
	t.Helper()
	details, err := kadm.NewClient(b.Client(t)).ListTopics(t.Context())
	if err != nil {
		t.Fatalf("list topics: %v", err)
	}
	var names []string
	for _, name := range details.Names() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

// Topic makes a topic on the shared broker.
func Topic(t testing.TB, partitions int, config ...string) string {
	t.Helper()
	return Kafka(t).Topic(t, partitions, config...)
}

func (b *Broker) String() string {
	return fmt.Sprintf("%s at %s", b.origin, strings.Join(b.addrs, ","))
}
