package sink_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"sync/atomic"

	"github.com/walrelay/walrelay/sink"
)

// A partition that brokers refuse for longer than a leader takes to move is waited
// for by name, until its batch is taken.
func TestSettle_ill(t *testing.T) {
	c := fake(t)
	var refusing atomic.Bool
	refusing.Store(true)
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if !refusing.Load() {
			return nil, nil, false
		}
		req := r.(*kmsg.ProduceRequest)
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range req.Topics {
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
			for _, part := range topic.Partitions {
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = part.Partition, 19
				answer.Partitions = append(answer.Partitions, p)
			}
			res.Topics = append(res.Topics, answer)
		}
		return res, nil, true
	})
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(1)
	o.p.Dispatch()
	waitFor(t, "a wait for the partition", func() bool {
		for what, err := range o.p.Stats().Waits {
			if len(what) > 6 && what[:6] == "topic " && err != nil {
				return true
			}
		}
		return false
	})
	refusing.Store(false)
	o.flush()
	waitFor(t, "no wait", func() bool { return len(o.p.Stats().Waits) == 0 })
}
