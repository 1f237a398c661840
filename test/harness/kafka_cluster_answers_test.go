package harness

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// An answer says what the rule wants, and the broker has done what it should have.
func TestAnswers(t *testing.T) {
	t.Parallel()
	b := PrivateKafka(t, KafkaOptions{Proxied: true})
	a := b.Answers(t)
	topic := b.Topic(t, 1)
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Brokers()...), kgo.DisableIdempotentWrite(), kgo.RecordRetries(0), kgo.MaxProduceRequestsInflightPerBroker(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for _, test := range []struct {
		fate Fate
		want error
		adds int // records in the log
	}{
		{Fate{}, nil, 1},
		{Fate{Code: kerr.MessageTooLarge.Code}, kerr.MessageTooLarge, 0},
		{Fate{Code: kerr.MessageTooLarge.Code, After: true}, kerr.MessageTooLarge, 1},
	} {
		var met atomic.Int64
		a.Rule(func(r kmsg.Request) Fate {
			if _, ok := r.(*kmsg.ProduceRequest); !ok {
				return Fate{}
			}
			met.Add(1)
			return test.fate
		})
		before := len(b.ReadAll(t, topic))
		err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()
		if !errors.Is(err, test.want) || met.Load() == 0 {
			t.Errorf("%+v: %v, %d requests met", test.fate, err, met.Load())
		}
		if got := len(b.ReadAll(t, topic)) - before; got != test.adds {
			t.Errorf("%+v: %d records more", test.fate, got)
		}
	}
	a.Rule(nil)
}
