package main

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// topicFaults are what people do to topics under a running relay.
func topicFaults() []scenario {
	var d deletion
	var a addition
	return []scenario{
		{name: "topic deleted, made again 5 s later", stage: d.stage, judge: d.judge},
		{name: "partitions added to the topic", stage: a.stage, judge: a.judge},
	}
}

// deletion is a topic that was deleted. What Kafka had taken before is gone with it;
// everything else has to come into the new one.
type deletion struct {
	taken map[string]bool // event ids in the topic when it was deleted
}

func (d *deletion) stage(t *testing.T, s *scene) func() {
	s.Kafka = harness.PrivateKafka(t, harness.KafkaOptions{Proxied: true})
	return func() {
		// Requests wait on the way while we look, so that none arrives between the look
		// and the deletion.
		proxy, topic := s.Kafka.Proxy(), s.Topics[0]
		proxy.Freeze(harness.ToServer)
		d.taken = arrived(d.settled(t, s, topic))
		s.Kafka.DeleteTopic(t, topic)
		proxy.Heal()
		s.Relay.WaitLog(t, soon, "WR0701")
		s.stays(t, s.outage(5e9))
		s.Kafka.CreateTopic(t, topic, 6)
		s.mark()
		s.watch(t)
	}
}

// settled are the records of a topic once no more come.
func (d *deletion) settled(t *testing.T, s *scene, topic string) (records []*kgo.Record) {
	t.Helper()
	admin, last := kadm.NewClient(s.Kafka.Client(t)), int64(-1)
	harness.Eventually(t, soon, "the topic has stopped to grow", func() bool {
		harness.Never(t, 500e6, "the relay ends", s.Relay.Ended)
		ends, err := admin.ListEndOffsets(t.Context(), topic)
		must(t, err)
		sum := int64(0)
		ends.Each(func(o kadm.ListedOffset) { sum += o.Offset })
		defer func() { last = sum }()
		return sum == last
	})
	return s.Kafka.ReadAll(t, topic)
}

func arrived(records []*kgo.Record) map[string]bool {
	ids := map[string]bool{}
	for _, r := range records {
		for _, h := range r.Headers {
			if h.Key == "id" {
				ids[string(h.Value)] = true
			}
		}
	}
	return ids
}

func (d *deletion) judge(t *testing.T, s *scene) harness.Result {
	all := s.Committed(t, s.Prefix, s.Table)
	again := arrived(s.Kafka.ReadAll(t, s.Topics...))
	gone := 0
	left := slices.DeleteFunc(slices.Clone(all), func(e harness.Event) bool {
		deleted := d.taken[e.ID] && !again[e.ID]
		if deleted {
			gone++
		}
		return deleted
	})
	verify := harness.Verify
	if s.delivery == exactlyOnce {
		verify = harness.VerifyCommitted
	}
	result := verify(t, s.Kafka, patience, left, s.Topics...)
	result.Events = len(all)
	s.note = fmt.Sprintf("%s events that Kafka had taken went with the deleted topic; it is the deletion that loses them. All others are in the new one.", thousands(gone))
	return result
}

// addition is a topic that has got more partitions: keys move.
type addition struct{}

func (*addition) stage(t *testing.T, s *scene) func() {
	s.Kafka = harness.PrivateKafka(t, harness.KafkaOptions{})
	return func() {
		s.Kafka.AddPartitions(t, s.Topics[0], 3)
		s.more(t, s.step())              // nobody has told the relay
		says(t, s.Relay, 0, "keys move") // but it looks every minute, and warns
		s.mark()
	}
}

// judge: no event is lost or repeated, each partition is in order, and a key that has
// moved goes on behind where it stopped: it never comes back.
func (*addition) judge(t *testing.T, s *scene) harness.Result {
	read := s.Kafka.ReadAll
	if s.delivery == exactlyOnce {
		read = s.Kafka.ReadCommitted
	}
	events := s.Committed(t, s.Prefix, s.Table)
	expected := make(map[string]harness.Event, len(events))
	for _, e := range events {
		expected[e.ID] = e
	}
	result := harness.Result{Events: len(events)}
	type stay struct {
		partition   int32
		first, last int64
	}
	seen, stays := map[string]bool{}, map[string][]stay{}
	for _, r := range read(t, s.Topics...) {
		result.Records++
		id := ""
		for _, h := range r.Headers {
			id = string(h.Value)
		}
		e, ok := expected[id]
		switch {
		case !ok:
			result.Invented++
			continue
		case seen[id]:
			result.Duplicates++
		case string(r.Value) != string(e.Value):
			result.Corrupted++
		}
		seen[id] = true
		key := string(r.Key)
		at := slices.IndexFunc(stays[key], func(one stay) bool { return one.partition == r.Partition })
		switch {
		case at < 0:
			stays[key] = append(stays[key], stay{r.Partition, e.Sequence, e.Sequence})
		case e.Sequence <= stays[key][at].last:
			result.Disorder++
		default:
			stays[key][at].last = e.Sequence
		}
	}
	result.Lost = len(events) - len(seen)
	moved := 0
	for key, all := range stays {
		slices.SortFunc(all, func(a, b stay) int { return cmp.Compare(a.first, b.first) })
		for i := 1; i < len(all); i++ {
			moved++
			if all[i].first <= all[i-1].last {
				result.Disorder++
				t.Errorf("key %s is in partitions %d and %d at the same time", key, all[i-1].partition, all[i].partition)
			}
		}
	}
	if !result.OK() || result.Duplicates > 0 {
		t.Errorf("Kafka is not what was committed: %s", result)
	}
	if moved == 0 {
		t.Error("the test is wrong: no key has moved")
	}
	s.note = fmt.Sprintf("%s of %s keys moved to another partition, each once; before and after, each is in order", thousands(moved), thousands(len(stays)))
	return result
}
