package test_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/walrelay/walrelay/test/harness"
)

// outage is how long a broker is away.
const outage = 20 * time.Second

// TestBrokerAway: the broker stops in order, is killed, or freezes for a while
// under load. Nothing is lost or repeated, memory stays bounded, and /readyz says
// why until it is over.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{})
	start := func() error { return kafka.Start(t.Context()) }
	for _, way := range []struct {
		name string
		away func() error
		back func() error
	}{
		{"stopped", kafka.Stop, start},
		// A killed process loses nothing of its log, nor so what it knew of producers.
		{"killed", kafka.Kill, start},
		{"frozen", kafka.Pause, kafka.Resume},
	} {
		t.Run(way.name, func(t *testing.T) {
			s := openOn(t, harness.Database(t), kafka, "order")
			options := s.options()
			options.Program = plainProgram(t) // its memory is the question
			p := harness.Relay(t, options)
			p.WaitReady(t, soon)
			quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 200, Pause: 2 * time.Millisecond, Padding: 4000})
			s.more(t, 2000)
			if err := way.away(); err != nil {
				t.Fatal(err)
			}
			t.Logf("while away: %s", waitReason(t, p, "kafka"))
			harness.Never(t, outage, "walrelay ends, or calls itself ready or dead", func() bool {
				status, body, err := p.Get(t.Context(), "/healthz")
				if err != nil || status != http.StatusOK {
					t.Errorf("/healthz: %d %s %v", status, body, err)
					return true
				}
				return p.Ended() || reasons(t, p) == ""
			})
			m := scrape(t, p)
			if age := m.value("walrelay_oldest_unsent_age_seconds"); age < outage.Seconds() {
				t.Errorf("walrelay_oldest_unsent_age_seconds is %g after %s", age, outage)
			}
			if m.value("walrelay_unsent_events") == 0 || m.value("walrelay_state", `state="blocked"`) != 1 {
				t.Errorf("metrics do not show the outage: %v, %v", m["walrelay_unsent_events"], m["walrelay_state"])
			}
			if err := way.back(); err != nil {
				t.Fatal(err)
			}
			p.WaitReady(t, soon)
			s.more(t, 500)
			written := quiet()
			result := s.verify(t)
			t.Log(written)
			none(t, result)
			boundedMemory(t, p)
			s.drained(t)
			stop(t, p)
		})
	}
}

// TestKafkaUnreachable: connections are cut and answers lost on the way, again
// and again under load. An answer that is lost does not make a duplicate.
func TestKafkaUnreachable(t *testing.T) {
	t.Parallel()
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{Proxied: true})
	s := openOn(t, harness.Database(t), kafka, "order")
	p := s.ready(t)
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 200, Pause: 2 * time.Millisecond})
	proxy := kafka.Proxy()
	for range 10 {
		s.more(t, 200)
		proxy.Cut()
		s.more(t, 200)
		proxy.Drop(harness.ToClient) // requests arrive, answers do not
		s.more(t, 50)
		proxy.Heal()
		proxy.Reset()
	}
	quiet()
	none(t, s.verify(t))
	if retries := scrape(t, p).value("walrelay_retries_total"); retries == 0 {
		t.Error("the test is wrong: nothing was tried again")
	}
	stop(t, p)
}

// TestMissingTopic: the relay waits and says for which topic, and goes on when
// somebody makes it.
func TestMissingTopic(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1}`)
	s.Insert(t, s.Table, "invoice", "1", "Placed", `{"seq": 1}`)
	s.Insert(t, s.Table, "order", "1", "Paid", `{"seq": 2}`)
	topic := s.Prefix + "invoice"
	t.Logf("while it is missing: %s", waitReason(t, p, "kafka", topic, "create"))
	p.WaitLog(t, soon, topic)
	if records := s.Kafka.ReadAll(t, s.Prefix+"order"); len(records) != 1 {
		t.Errorf("%d records of the other topic are there, not the one before", len(records))
	}
	s.topic(t, "invoice")
	p.WaitReady(t, soon)
	none(t, s.verify(t))
	stop(t, p)
}

// TestManyTopics: memory does not grow with the number of topics, all of them new.
func TestManyTopics(t *testing.T) {
	t.Parallel()
	const topics, events = 150, 1500
	s := open(t)
	for i := range topics {
		s.Topics = append(s.Topics, fmt.Sprintf("%stype-%d", s.Prefix, i))
	}
	admin := kadm.NewClient(s.Kafka.Client(t))
	t.Cleanup(func() {
		if _, err := admin.DeleteTopics(background(t), s.Topics...); err != nil {
			t.Errorf("delete topics: %v", err)
		}
	})
	options := s.options("WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS=1", "WALRELAY_KAFKA_TOPICS_CREATE_REPLICATION_FACTOR=1")
	options.Program = plainProgram(t)
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	s.Exec(t, fmt.Sprintf(`INSERT INTO %s (id, aggregatetype, aggregateid, type, payload)
		SELECT gen_random_uuid(), 'type-' || i %% %d, 'a', 'Placed', jsonb_build_object('seq', i / %d) FROM generate_series(0, %d) i`, s.Table.Name, topics, topics, events-1))
	none(t, s.verify(t))
	boundedMemory(t, p)
	stop(t, p)
}

// TestCreateTopics: with kafka.topics.create missing topics are made as asked.
func TestCreateTopics(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := s.ready(t, "WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS=3", "WALRELAY_KAFKA_TOPICS_CREATE_REPLICATION_FACTOR=1",
		"WALRELAY_KAFKA_TOPICS_CREATE_CONFIG=retention.ms=86400000,max.message.bytes=2000000")
	admin := kadm.NewClient(s.Kafka.Client(t))
	s.Topics = []string{s.Prefix + "order", s.Prefix + "invoice"}
	t.Cleanup(func() {
		if _, err := admin.DeleteTopics(background(t), s.Topics...); err != nil {
			t.Errorf("delete topics: %v", err)
		}
	})
	for i := range 20 {
		s.Insert(t, s.Table, []string{"order", "invoice"}[i%2], "1", "Placed", fmt.Sprintf(`{"seq": %d}`, i))
	}
	none(t, s.verify(t))
	topics, err := admin.ListTopics(t.Context(), s.Topics...)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range s.Topics {
		if n := len(topics[topic].Partitions); n != 3 {
			t.Errorf("topic %s has %d partitions, not 3", topic, n)
		}
		configs, err := admin.DescribeTopicConfigs(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		for _, config := range configs[0].Configs {
			if config.Key == "retention.ms" && config.MaybeValue() != "86400000" {
				t.Errorf("topic %s: retention.ms is %s", topic, config.MaybeValue())
			}
		}
	}
	stop(t, p)
}
