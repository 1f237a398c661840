package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// clusterSize is the brokers of a Cluster: the fewest of which one may be away
// while topics with min.insync.replicas=2 go on.
const clusterSize = 3

// Cluster is a Kafka of three real brokers, each of them a controller, too. A
// majority of two goes on without the third: leaders and coordinators move. With
// one alone nothing moves any more. The Broker in it is all three together:
// Kill kills all. Topics have three replicas unless asked otherwise.
type Cluster struct {
	*Broker
	Nodes []*Broker // by node id, which counts from 1: Nodes[0] is broker 1
}

// PrivateCluster is a cluster of this test's own. Without Java the test is
// skipped or, where required, failed: Docker's containers would not reach each
// other at the addresses that are for us.
func PrivateCluster(t testing.TB, options KafkaOptions) *Cluster {
	t.Helper()
	c, err := newCluster(background(t), options)
	if err != nil {
		missing(t, "Kafka of three brokers", err)
	}
	shared.used(c.origin)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the brokers' logs end:\n%s", c.node.report())
		}
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Start(background(t)); err != nil {
		t.Fatal(err) // they are there: it is no reason to skip
	}
	return c
}

// newCluster makes three brokers with Java, which do not run yet. With
// KafkaOptions.Proxied each has a proxy of its own.
func newCluster(ctx context.Context, options KafkaOptions) (*Cluster, error) {
	runtime, err := findJava(ctx)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Broker: &Broker{origin: fmt.Sprintf("Kafka %s (jars, Java %d), three brokers", kafkaVersion, runtime.major), real: true, replicas: clusterSize}}
	c.node = (*clusterNode)(c)
	plans, err := planCluster(options)
	for i, plan := range plans {
		if err == nil {
			plan.node, err = newJavaNode(ctx, plan, runtime)
		}
		if err != nil {
			err = errors.Join(err, plan.close())
			continue
		}
		c.Nodes = append(c.Nodes, &Broker{
			origin: fmt.Sprintf("%s, broker %d", c.origin, i+1), real: true, node: plan.node, proxy: plan.proxy, replicas: clusterSize,
			addrs: []string{plan.advertised}, direct: []string{plan.direct}, listeners: plan.listeners,
		})
		c.addrs, c.direct = append(c.addrs, plan.advertised), append(c.direct, plan.direct)
	}
	if err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// planCluster plans brokers that know of each other.
func planCluster(options KafkaOptions) (plans []*brokerPlan, err error) {
	properties := map[string]string{
		"default.replication.factor":                       strconv.Itoa(clusterSize),
		"min.insync.replicas":                              "2",
		"offsets.topic.replication.factor":                 strconv.Itoa(clusterSize),
		"transaction.state.log.replication.factor":         strconv.Itoa(clusterSize),
		"transaction.state.log.min.isr":                    "2",
		"share.coordinator.state.topic.replication.factor": strconv.Itoa(clusterSize),
		// Who is away is noticed in seconds, as tests want it; not in less, or a busy
		// machine takes leaders away that are well, and elects controllers without end.
		"broker.session.timeout.ms": "6000", "broker.heartbeat.interval.ms": "500",
		"controller.quorum.election.timeout.ms": "2000", "controller.quorum.election.backoff.max.ms": "2000",
		"controller.quorum.fetch.timeout.ms": "4000", "controller.quorum.request.timeout.ms": "4000",
		"replica.lag.time.max.ms": "6000", "replica.fetch.wait.max.ms": "100",
		// A broker that can't register for a minute ends: three that start at once on a
		// busy machine may take longer.
		"initial.broker.registration.timeout.ms":  "600000",
		"leader.imbalance.check.interval.seconds": "3600", // leaders move when a test moves them
	}
	maps.Copy(properties, options.Properties)
	options.Properties = properties
	// Three of the usual size would be most of a small machine.
	options.JavaOptions = append([]string{"-Xmx256m"}, options.JavaOptions...)
	var voters []string
	taken := make(map[int]bool)
	for len(plans) < clusterSize {
		plan, err := planBroker(options)
		if err != nil {
			return plans, err
		}
		again := false
		for _, port := range plan.ports {
			again = again || taken[port] // found free before, and not listened at yet
		}
		if again {
			if err := plan.close(); err != nil {
				return plans, err
			}
			continue
		}
		for _, port := range plan.ports {
			taken[port] = true
		}
		plans = append(plans, plan)
		id := strconv.Itoa(len(plans))
		plan.properties["node.id"] = id
		voters = append(voters, id+"@"+local(plan.ports[2]))
	}
	for _, plan := range plans {
		plan.properties["controller.quorum.voters"] = strings.Join(voters, ",")
	}
	return plans, nil
}

// Node is the broker of that id, from 1.
func (c *Cluster) Node(id int32) *Broker { return c.Nodes[id-1] }

// Others are the brokers but that of the id.
func (c *Cluster) Others(id int32) []*Broker {
	var others []*Broker
	for i, node := range c.Nodes {
		if int32(i+1) != id {
			others = append(others, node)
		}
	}
	return others
}

// Proxies are those of KafkaOptions.Proxied.
func (c *Cluster) Proxies() []*Proxy {
	var proxies []*Proxy
	for _, node := range c.Nodes {
		if node.proxy != nil {
			proxies = append(proxies, node.proxy)
		}
	}
	return proxies
}

// Start starts the brokers that are stopped, all at once: two make a majority, one
// alone would never be ready.
func (c *Cluster) Start(ctx context.Context) error { return StartBrokers(ctx, c.Nodes...) }

// StartBrokers starts brokers of a cluster at once and returns when all take
// requests. Those that run are left alone.
func StartBrokers(ctx context.Context, brokers ...*Broker) error {
	return atOnce(brokers, func(b *Broker) error {
		if java, ok := b.node.(*javaNode); ok && java.running() {
			return nil
		}
		return b.Start(ctx)
	})
}

func atOnce(brokers []*Broker, do func(*Broker) error) error {
	errs := make([]error, len(brokers))
	var all sync.WaitGroup
	for i, broker := range brokers {
		all.Go(func() { errs[i] = do(broker) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// running says whether the process was started and not stopped by us.
func (n *javaNode) running() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process != nil
}

// Remove ends all brokers and deletes their data.
func (c *Cluster) Remove() error {
	var errs []error
	for _, node := range c.Nodes {
		errs = append(errs, node.Remove())
	}
	return errors.Join(errs...)
}

// clusterNode does to all brokers what is done to one.
type clusterNode Cluster

func (c *clusterNode) each(do func(node) error) error {
	var errs []error
	for _, broker := range c.Nodes {
		errs = append(errs, do(broker.node))
	}
	return errors.Join(errs...)
}

func (c *clusterNode) start(ctx context.Context) error {
	return c.each(func(n node) error { return n.start(ctx) })
}

func (c *clusterNode) exited() <-chan struct{} { return nil }

func (c *clusterNode) stop(kill bool) error {
	return atOnce(c.Nodes, func(b *Broker) error { return b.node.stop(kill) }) // in order it takes seconds
}

func (c *clusterNode) freeze(frozen bool) error {
	return c.each(func(n node) error { return n.freeze(frozen) })
}

func (c *clusterNode) remove() error { return (*Cluster)(c).Remove() }

func (c *clusterNode) report() string {
	var text strings.Builder
	for _, broker := range c.Nodes {
		fmt.Fprintf(&text, "--- %s\n%s\n", broker.origin, broker.node.report())
	}
	return text.String()
}

// moveTimeout is for what the controller does of its own, which a busy machine
// makes slow.
const moveTimeout = 60 * time.Second
