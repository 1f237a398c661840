package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/walrelay/walrelay/test/harness"
)

// kafkaFaults are the faults of brokers.
func kafkaFaults() []scenario {
	all := brokerFaults()
	all = append(all, clusterFaults()...)
	all = append(all, topicFaults()...)
	return append(all, answerFaults()...)
}

// outage is how long something is away: long enough for every time limit and backoff
// of the relay to be met.
func (s *scene) outage(full time.Duration) time.Duration {
	if s.full {
		return full
	}
	return 3 * time.Second
}

// stays watches that the relay lives on while something is away.
func (s *scene) stays(t *testing.T, during time.Duration) {
	t.Helper()
	harness.Never(t, during, "the relay ends", s.Relay.Ended)
}

// back measures the recovery from now, which is before the fault's end: others do the
// work of who is away.
func (s *scene) back(t *testing.T) {
	t.Helper()
	s.mark()
	s.count(s.recovered(t))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// brokerFaults are those of a single broker, which is all that there is.
func brokerFaults() []scenario {
	broker := func(away func(*scene) error, back func(*testing.T, *scene) error, outage time.Duration) func(*testing.T, *scene) func() {
		return func(t *testing.T, s *scene) func() {
			s.Kafka = harness.PrivateKafka(t, harness.KafkaOptions{})
			return func() {
				must(t, away(s))
				s.stays(t, s.outage(outage))
				must(t, back(t, s))
			}
		}
	}
	start := func(t *testing.T, s *scene) error { return s.Kafka.Start(t.Context()) }
	stop := func(s *scene) error { return s.Kafka.Stop() }
	return []scenario{
		{
			name: "broker killed (kill -9), started after 5 s", rounds: 3, quick: []delivery{exactlyOnce},
			stage: broker(func(s *scene) error { return s.Kafka.Kill() }, start, 5*time.Second),
		},
		{name: "broker stopped in order, started at once", rounds: 3, stage: broker(stop, start, 0)},
		{name: "broker stopped for a minute", stage: broker(stop, start, time.Minute)},
		{
			name:  "broker frozen for 30 s",
			stage: broker(func(s *scene) error { return s.Kafka.Pause() }, func(_ *testing.T, s *scene) error { return s.Kafka.Resume() }, 30*time.Second),
		},
		{
			name: "broker's disk full, space given and broker started after 20 s",
			needs: func() string {
				if err := harness.NoDisk(); err != nil {
					return fmt.Sprintf("no small disk for a broker: %v", err)
				}
				return ""
			},
			stage: diskFull,
		},
	}
}

// diskFull: Kafka's answer to a full disk is the end of the broker, which has to be
// started again when there is space.
func diskFull(t *testing.T, s *scene) func() {
	s.Kafka = harness.PrivateKafka(t, harness.KafkaOptions{Disk: 400 << 20})
	return func() {
		s.Kafka.Fill(t, 2<<20)
		harness.Eventually(t, patience, "the broker ends by itself", func() bool {
			if s.Relay.Ended() {
				t.Fatal("the relay has ended")
			}
			return s.Kafka.Died()
		})
		s.stays(t, s.outage(20*time.Second))
		must(t, s.Kafka.Stop())
		s.Kafka.Empty(t)
		must(t, s.Kafka.Start(t.Context()))
	}
}

// clusterFaults are those of three brokers.
func clusterFaults() []scenario {
	return []scenario{
		{name: "three brokers: leaders moved to each in turn", rounds: 3, stage: onCluster(moveLeaders)},
		{name: "three brokers: the one that leads all partitions killed, back after 10 s", rounds: 3, stage: onCluster(killLeader)},
		{name: "three brokers: rolling restart, one after the other", stage: onCluster(rollingRestart)},
		{name: "three brokers: min.insync.replicas=3 and one away for 15 s", stage: onCluster(oneAway)},
		{name: "three brokers: two killed, back after 15 s", stage: onCluster(twoAway)},
		{name: "three brokers: all killed at once, back after 5 s", stage: onCluster(allAway)},
		{name: "three brokers: the transaction coordinator killed, back after 10 s", rounds: 3, stage: onCluster(coordinator((*harness.Broker).Kill))},
		{name: "three brokers: unclean leader election, after 2 s of events that one broker alone has", stage: unclean, unpromised: true, judge: count, repeats: math.MaxInt},
		{name: "three brokers: the transaction coordinator moved by a stop in order", rounds: 3, stage: onCluster(coordinator((*harness.Broker).Stop))},
	}
}

// onCluster plays a fault on three brokers of the scenario's own.
func onCluster(fault func(*testing.T, *scene, *harness.Cluster)) func(*testing.T, *scene) func() {
	return func(t *testing.T, s *scene) func() {
		c := harness.PrivateCluster(t, harness.KafkaOptions{})
		s.Kafka = c.Broker
		return func() { fault(t, s, c) }
	}
}

// unclean lets a broker lead that has missed what was acknowledged last: the topic
// allows it, and is content with one replica.
func unclean(t *testing.T, s *scene) func() {
	c := harness.PrivateCluster(t, harness.KafkaOptions{})
	s.Kafka = c.Broker
	s.MakeTopic = func(name string) {
		c.CreateTopic(t, name, 6, "min.insync.replicas", "1", "unclean.leader.election.enable", "true")
		c.Place(t, name, 2, 3)
	}
	return func() {
		leader, behind := c.Node(2), c.Node(3)
		must(t, behind.Kill())
		c.InSync(t, s.Topics[0], 1)
		s.stays(t, 2*time.Second)
		must(t, leader.Kill())
		must(t, behind.Start(t.Context()))
		s.back(t)
		must(t, leader.Start(t.Context()))
		c.InSync(t, s.Topics[0], 2)
		s.note = "Kafka threw away what it had acknowledged"
	}
}

func moveLeaders(t *testing.T, s *scene, c *harness.Cluster) {
	for id := range c.Nodes {
		c.MoveLeaders(t, s.Topics[0], int32(id+1))
		s.back(t)
	}
}

func killLeader(t *testing.T, s *scene, c *harness.Cluster) {
	first := c.Leader(t, s.Topics[0], 0)
	c.InSync(t, s.Topics[0], len(c.Nodes))
	c.MoveLeaders(t, s.Topics[0], first)
	must(t, c.Node(first).Kill())
	s.back(t) // while it is away: the others take over
	s.stays(t, s.outage(10*time.Second))
	must(t, c.Start(t.Context()))
	c.InSync(t, s.Topics[0], len(c.Nodes))
}

func rollingRestart(t *testing.T, s *scene, c *harness.Cluster) {
	for _, node := range c.Nodes {
		c.InSync(t, s.Topics[0], len(c.Nodes))
		must(t, node.Stop())
		s.back(t)
		must(t, node.Start(t.Context()))
	}
	c.InSync(t, s.Topics[0], len(c.Nodes))
}

// oneAway: with as many replicas as have to be in sync, each broker that is away
// stops all.
func oneAway(t *testing.T, s *scene, c *harness.Cluster) {
	c.SetTopic(t, s.Topics[0], "min.insync.replicas", "3")
	must(t, c.Node(2).Kill())
	s.Relay.WaitLog(t, soon, "WR0802")
	s.stays(t, s.outage(15*time.Second))
	must(t, c.Start(t.Context()))
	c.InSync(t, s.Topics[0], len(c.Nodes))
}

// twoAway: the third has neither enough replicas nor a majority of controllers.
func twoAway(t *testing.T, s *scene, c *harness.Cluster) {
	lone := c.Leader(t, s.Topics[0], 0)
	for _, node := range c.Others(lone) {
		must(t, node.Kill())
	}
	s.stays(t, s.outage(15*time.Second))
	must(t, c.Start(t.Context()))
}

func allAway(t *testing.T, s *scene, c *harness.Cluster) {
	must(t, c.Kill())
	s.stays(t, s.outage(5*time.Second))
	must(t, c.Start(t.Context()))
}

// coordinator takes away the broker that keeps the relay's transactional id.
func coordinator(away func(*harness.Broker) error) func(*testing.T, *scene, *harness.Cluster) {
	return func(t *testing.T, s *scene, c *harness.Cluster) {
		id := c.Coordinator(t, transactionalID(t, s))
		must(t, away(c.Node(id)))
		s.back(t) // while it is away: another takes over
		s.stays(t, s.outage(10*time.Second))
		must(t, c.Start(t.Context()))
		c.InSync(t, s.Topics[0], len(c.Nodes))
	}
}

// transactionalID is the relay's, as the coordinator knows it.
func transactionalID(t *testing.T, s *scene) (id string) {
	t.Helper()
	admin := kadm.NewClient(s.Kafka.Client(t))
	harness.Eventually(t, soon, "the relay's transactional id is known", func() bool {
		listed, err := admin.ListTransactions(t.Context(), nil, nil)
		if err != nil {
			return false
		}
		for _, one := range listed {
			if strings.Contains(one.TxnID, s.Slot) {
				id = one.TxnID
				return true
			}
		}
		return false
	})
	return id
}
