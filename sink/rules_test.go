package sink_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/sink"
)

// A partition's sequence is refused while the fate of another's batch, at another
// broker, is open: until that is resolved no producer id is taken, nothing but that
// batch is sent, and always as the same bytes.
func TestRules_raisesWhenNothingIsUncertain(t *testing.T) {
	for _, code := range []int16{45, 59} {
		for _, fate := range []string{"not appended", "appended"} {
			t.Run(fmt.Sprintf("%d, %s", code, fate), func(t *testing.T) {
				t.Parallel()
				c := fake(t, kfake.NumBrokers(3))
				for part := range int32(6) {
					if err := c.MoveTopicPartition("orders", part, part%3); err != nil {
						t.Fatal(err)
					}
				}
				x := &crossroads{t: t, code: code, appended: fate == "appended", ids: map[string]bool{}}
				x.control(c)
				o := start(t, sink.Config{Brokers: c.ListenAddrs()})
				o.load(200) // all partitions have sequences
				o.flush()
				x.set(func() { x.phase = open })
				waitFor(t, "a batch whose fate is open", func() bool {
					o.load(1)
					o.p.Dispatch()
					return x.asked(func() bool { return x.tries > 0 })
				})
				x.set(func() { x.phase = refusing })
				for range 20 {
					o.load(20)
					o.p.Dispatch()
				}
				waitFor(t, "the refusal, and the open batch sent again and again", func() bool {
					o.p.Dispatch()
					return x.asked(func() bool { return x.refused > 0 && x.tries > 5 })
				})
				x.set(func() { x.phase = calm })
				o.flush()
				o.settled()
				exact(t, logOf(t, c, "orders"), o.number)
				x.set(func() {
					if x.inits != 2 || len(x.ids) != 1 {
						t.Errorf("%d producer ids were asked for, the open batch was sent in %d forms", x.inits, len(x.ids))
					}
				})
			})
		}
	}
}

// crossroads leaves the fate of partition 1's batches open, and refuses a sequence of
// partition 0.
type crossroads struct {
	t        *testing.T
	code     int16
	appended bool // the open batch is in the log, only the answer is lost

	mu      sync.Mutex
	phase   phase
	tries   int // of the open batch
	refused int
	inits   int
	first   map[int32]bool
	ids     map[string]bool // forms of the open batch: bytes
}

type phase int

const (
	before   phase = iota
	open           // partition 1 gets no answer
	refusing       // and partition 0 is refused
	calm
)

func (x *crossroads) set(fn func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	fn()
}

func (x *crossroads) asked(fn func() bool) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return fn()
}

func (x *crossroads) control(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		x.set(func() {
			if x.inits++; x.phase == open || x.phase == refusing {
				x.t.Error("a producer id is taken while a batch's fate is open")
			}
		})
		return nil, nil, false
	})
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.produce(r.(*kmsg.ProduceRequest))
	})
}

func (x *crossroads) produce(req *kmsg.ProduceRequest) (kmsg.Response, error, bool) {
	if x.phase != open && x.phase != refusing {
		return nil, nil, false
	}
	for _, topic := range req.Topics {
		for _, part := range topic.Partitions {
			switch {
			case part.Partition == 1:
				x.ids[string(part.Records)] = true
				if x.tries++; x.tries == 1 && x.appended {
					return x.timedOut(req), nil, false
				}
				return nil, errors.New("no answer"), true
			case x.refused > 0:
				x.t.Errorf("a batch of partition %d is sent while the epoch is to be raised", part.Partition)
			}
		}
	}
	if x.phase == refusing && has(req, 0) {
		x.refused++
		return x.answer(req, x.code), nil, true
	}
	return nil, nil, false
}

// timedOut: kfake appends what control does not handle, and its answer stands; the
// next try will be lost.
func (x *crossroads) timedOut(*kmsg.ProduceRequest) kmsg.Response { return nil }

func has(req *kmsg.ProduceRequest, partition int32) bool {
	for _, topic := range req.Topics {
		for _, part := range topic.Partitions {
			if part.Partition == partition {
				return true
			}
		}
	}
	return false
}

// answer refuses partition 0; the others of the request are not appended either.
func (x *crossroads) answer(req *kmsg.ProduceRequest, code int16) kmsg.Response {
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range req.Topics {
		out := kmsg.NewProduceResponseTopic()
		out.Topic, out.TopicID = topic.Topic, topic.TopicID
		for _, part := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			if p.Partition, p.ErrorCode = part.Partition, 6; part.Partition == 0 {
				p.ErrorCode = code
			}
			out.Partitions = append(out.Partitions, p)
		}
		res.Topics = append(res.Topics, out)
	}
	return res
}
