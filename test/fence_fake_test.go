package test_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/test/harness"
)

// watchedShop is a shop whose Kafka is franz-go's kfake in this process, so that
// every request can be seen, and answered, here. PostgreSQL and the relay are real.
type watchedShop struct {
	*shop
	cluster *kfake.Cluster
	env     []string
	topic   string

	mu       sync.Mutex
	requests []kmsg.Key // what was asked, but for metadata
	fences   []fenceTaken
	produced int // Produce requests that the broker took
	answer   func(kmsg.Request) int16
}

// fenceTaken is a request for a producer id under the transactional id.
type fenceTaken struct {
	name     string
	holders  int // connections that read from the slot at that moment
	produced int // Produce requests before
}

// watch opens a watched shop with a topic "order".
func watch(t *testing.T) *watchedShop {
	t.Helper()
	s := &watchedShop{shop: open(t)}
	s.topic = s.Prefix + "order"
	var err error
	if s.cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, s.topic)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.cluster.Close)
	s.env = []string{"WALRELAY_KAFKA_BROKERS=" + s.cluster.ListenAddrs()[0]}
	s.cluster.Control(func(r kmsg.Request) (kmsg.Response, error, bool) {
		s.cluster.KeepControl()
		return s.seen(t, r)
	})
	return s
}

// seen notes a request, and answers it when the test wants to.
func (s *watchedShop) seen(t *testing.T, r kmsg.Request) (kmsg.Response, error, bool) {
	key := kmsg.Key(r.Key())
	holders := 0
	init, isInit := r.(*kmsg.InitProducerIDRequest)
	if isInit = isInit && init.TransactionalID != nil; isInit {
		// The cluster goes on meanwhile, and the asker waits.
		s.cluster.SleepControl(func() { holders = s.holders(t) })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if key != kmsg.Metadata && key != kmsg.ApiVersions {
		s.requests = append(s.requests, key)
	}
	if isInit {
		s.fences = append(s.fences, fenceTaken{*init.TransactionalID, holders, s.produced})
	}
	code := int16(0)
	if s.answer != nil {
		code = s.answer(r)
	}
	if code == 0 {
		if key == kmsg.Produce {
			s.produced++
		}
		return nil, nil, false
	}
	res := r.ResponseKind()
	switch res := res.(type) {
	case *kmsg.InitProducerIDResponse:
		res.ErrorCode = code
	case *kmsg.ProduceResponse:
		for _, topic := range r.(*kmsg.ProduceRequest).Topics {
			out := kmsg.NewProduceResponseTopic()
			out.Topic, out.TopicID = topic.Topic, topic.TopicID
			for _, part := range topic.Partitions {
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = part.Partition, code
				out.Partitions = append(out.Partitions, p)
			}
			res.Topics = append(res.Topics, out)
		}
	}
	return res, nil, true
}

// holders is how many connections read from the slot.
func (s *watchedShop) holders(t *testing.T) (n int) {
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, s.ConnString())
	if err == nil {
		defer func() { _ = conn.Close(ctx) }()
		err = conn.QueryRow(ctx, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1 AND active", s.Slot).Scan(&n)
	}
	if err != nil {
		t.Errorf("look at the slot: %v", err)
	}
	return n
}

// answers lets fn answer requests with a code; 0 leaves them to the broker.
func (s *watchedShop) answers(fn func(kmsg.Request) int16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = fn
}

// taken are the requests for a producer id so far.
func (s *watchedShop) taken() []fenceTaken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.fences)
}

// asked are the requests since the last call.
func (s *watchedShop) asked() []kmsg.Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.requests
	s.requests = nil
	return all
}

// verify waits for all that is in the outbox and judges it.
func (s *watchedShop) verify(t *testing.T) harness.Result {
	t.Helper()
	events := s.Committed(t, s.Prefix, s.Table)
	verifier := harness.NewVerifier(events)
	client, err := kgo.NewClient(kgo.SeedBrokers(s.cluster.ListenAddrs()...), kgo.ConsumeTopics(s.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.KeepControlRecords()) // the markers of seals count in the offsets
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	records := 0
	for ctx.Err() == nil {
		end := 0
		for _, p := range s.cluster.PartitionInfos(s.topic) {
			end += int(p.HighWatermark - p.LogStartOffset)
		}
		if verifier.Missing() == 0 && records >= end {
			break
		}
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if records++; !r.Attrs.IsControl() {
				verifier.Observe(r)
			}
		})
	}
	result := verifier.Result()
	if !result.OK() {
		t.Errorf("Kafka is not what was committed: %s", result)
	}
	return result
}

// orders writes n events of some aggregates.
func (s *watchedShop) orders(t *testing.T, n int) {
	t.Helper()
	s.Run(t.Context(), t, harness.Workload{Table: s.Table, Writers: 1, Transactions: int64(n), MaxEvents: 3})
}
