package harness

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kfake"
)

// startFake runs franz-go's in-process broker, shared like a real one.
func startFake() (*Broker, error) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return nil, fmt.Errorf("start kfake: %w", err)
	}
	shared.atEnd(func() error { cluster.Close(); return nil })
	addrs := cluster.ListenAddrs()
	return &Broker{origin: "Kafka: kfake (in-process, no real Kafka)", addrs: addrs, direct: addrs}, nil
}
