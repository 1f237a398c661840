package sink_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// waitsFor waits until the producer gives a reason that names what.
func (o *owner) waitsFor(what, why string) {
	o.t.Helper()
	waitFor(o.t, what+" because "+why, func() bool {
		err := o.p.Stats().Waits[what]
		return err != nil && strings.Contains(err.Error(), why)
	})
}

// A missing topic is waited for, with a reason that names it; what goes to other
// topics is not held up, nor are its connections made anew.
func TestTopic_missing(t *testing.T) {
	c := fake(t)
	var f faults
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Dial: f.dial})
	if err := o.p.Produce(numbered("later", 1, 0), sink.Meta{}); !errors.Is(err, sink.ErrPending) {
		t.Fatalf("got %v", err)
	}
	o.waitsFor(`topic "later"`, "does not exist: create it")
	o.load(10)
	o.flush()
	if err := c.CreateTopic("later", 2, nil); err != nil {
		t.Fatal(err)
	}
	if err := o.send(numbered("later", 1, o.number)); err != nil {
		t.Fatal(err)
	}
	o.flush()
	o.settled()
	if w := o.p.Stats().Waits; len(w) != 0 {
		t.Errorf("still waits: %v", w)
	}
}

func TestTopic_made(t *testing.T) {
	c := fake(t)
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Create: &sink.TopicCreation{Partitions: 3, ReplicationFactor: 1, Config: map[string]string{"max.message.bytes": "5000"}}})
	if err := o.send(numbered("made", 1, 0)); err != nil {
		t.Fatal(err)
	}
	o.flush()
	info := c.TopicInfo("made")
	if info == nil || len(c.PartitionInfos("made")) != 3 {
		t.Fatalf("made: %+v", info)
	}
	var p *routing.Poison
	if err := o.send(&routing.Record{Topic: "made", Partition: -1, Value: make([]byte, 6000)}); !errors.As(err, &p) {
		t.Errorf("6000 bytes into a topic that takes 5000: %v", err)
	}
}

// A name that Kafka refuses is poison, whether or not topics are made.
func TestTopic_illegalName(t *testing.T) {
	for _, create := range []*sink.TopicCreation{nil, {Partitions: 1, ReplicationFactor: 1}} {
		c := fake(t)
		// Kafka answers 17 to both requests; kfake has nothing against the name.
		if create != nil {
			c.ControlKey(int16(kmsg.CreateTopics), func(r kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				res := r.ResponseKind().(*kmsg.CreateTopicsResponse)
				res.Topics = []kmsg.CreateTopicsResponseTopic{{Topic: "not legal", ErrorCode: 17}}
				return res, nil, true
			})
		} else {
			c.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				req := r.(*kmsg.MetadataRequest)
				for _, rt := range req.Topics {
					if rt.Topic != nil && *rt.Topic == "not legal" {
						res := req.ResponseKind().(*kmsg.MetadataResponse)
						b := kmsg.NewMetadataResponseBroker()
						b.Host, b.Port = "127.0.0.1", portOf(t, c.ListenAddrs()[0])
						res.Brokers = append(res.Brokers, b)
						res.Topics = []kmsg.MetadataResponseTopic{{Topic: rt.Topic, ErrorCode: 17}}
						return res, nil, true
					}
				}
				return nil, nil, false
			})
		}
		o := start(t, sink.Config{Brokers: c.ListenAddrs(), Create: create})
		var p *routing.Poison
		if err := o.send(numbered("not legal", 1, 0)); !errors.As(err, &p) || p.Reason != routing.ReasonIllegalTopic {
			t.Errorf("create %v: got %v", create, err)
		}
	}
}

// Records go on to a topic that was deleted and made again, also with fewer or
// more partitions, when nothing was on its way.
func TestTopic_madeAgain(t *testing.T) {
	for _, partitions := range []int32{2, 6, 9} {
		c := fake(t)
		o := start(t, sink.Config{Brokers: c.ListenAddrs()})
		o.load(300)
		o.flush()
		if err := c.DeleteTopic("orders"); err != nil {
			t.Fatal(err)
		}
		from := o.number
		// One record finds out.
		if err := o.send(&routing.Record{Topic: "orders", Partition: 0, Value: numbered("", 0, o.number).Value}); err != nil {
			t.Fatal(err)
		}
		o.p.Dispatch()
		o.waitsFor(`topic "orders"`, "does not exist")
		if err := c.CreateTopic("orders", partitions, nil); err != nil {
			t.Fatal(err)
		}
		o.flush()
		o.load(300)
		o.flush()
		o.settled()
		if got := o.p.Partitions("orders"); got != int(partitions) {
			t.Errorf("%d partitions are known of %d", got, partitions)
		}
		var early []uint64
		for n := range from {
			early = append(early, n)
		}
		exact(t, logOf(t, c, "orders"), o.number, early...)
	}
}

// What waits for a topic that was deleted does not hold up the others.
func TestTopic_deletedHoldsUpNoOther(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "gone"))
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	send := func(topic string) {
		if err := o.send(numbered(topic, 1, o.number)); err != nil {
			t.Fatal(err)
		}
	}
	send("gone")
	o.load(10)
	o.flush()
	if err := c.DeleteTopic("gone"); err != nil {
		t.Fatal(err)
	}
	send("gone")
	o.p.Dispatch()
	o.waitsFor(`topic "gone"`, "does not exist")
	for range 50 {
		o.load(10)
		o.p.Dispatch()
		waitFor(t, "the others", func() bool { return o.p.Stats().Unacked == 1 })
	}
	if w := o.p.Stats().Waits; w["kafka"] != nil {
		t.Errorf("waits for Kafka: %v", w["kafka"])
	}
	if err := c.CreateTopic("gone", 1, nil); err != nil {
		t.Fatal(err)
	}
	o.flush()
	o.settled()
	if n := len(logOf(t, c, "gone")); n != 1 {
		t.Errorf("%d of 1 records in the topic that was made again", n)
	}
}

// An event that names a partition above those known has the topic read again
// before it is called poison. That keys move is told, once.
func TestTopic_partitionAdded(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "one"))
	grown := make(chan string, 10)
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Grown: func(topic string, before, now int) {
		grown <- fmt.Sprintf("%s from %d to %d", topic, before, now)
	}}})
	if err := o.send(numbered("one", 1, o.number)); err != nil {
		t.Fatal(err)
	}
	o.flush()
	second := &routing.Record{Topic: "one", Partition: 1, Value: []byte("1")}
	var p *routing.Poison
	if err := o.send(second); !errors.As(err, &p) {
		t.Fatalf("partition 1 of 1: %v", err)
	}
	if err := addPartitions(c, "one", 1); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2100 * time.Millisecond) // what was read just now is believed for 2 s
	if err := o.send(second); err != nil {
		t.Fatalf("partition 1 of 2: %v", err)
	}
	o.flush()
	exact(t, logOf(t, c, "one"), 2)
	close(grown)
	var told []string
	for one := range grown {
		told = append(told, one)
	}
	if !slices.Equal(told, []string{"one from 1 to 2"}) {
		t.Errorf("told of more partitions: %q", told)
	}
}

// A partition without a leader: a reason, and everything is delivered when there
// is one.
func TestTopic_noLeader(t *testing.T) {
	c := fake(t)
	var lost atomic.Bool
	c.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.MetadataRequest)
		if !lost.Load() || len(req.Topics) == 0 {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		b.Host, b.Port = "127.0.0.1", portOf(t, c.ListenAddrs()[0])
		res.Brokers = append(res.Brokers, b)
		for _, rt := range req.Topics {
			out := kmsg.NewMetadataResponseTopic()
			out.Topic = rt.Topic
			for id := range int32(6) {
				p := kmsg.NewMetadataResponseTopicPartition()
				p.Partition = id
				if id%2 == 0 {
					p.Leader, p.ErrorCode = -1, 5
				}
				out.Partitions = append(out.Partitions, p)
			}
			res.Topics = append(res.Topics, out)
		}
		return res, nil, true
	})
	lost.Store(true)
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(300)
	o.p.Dispatch()
	o.waitsFor(`topic "orders"`, "has no leader")
	lost.Store(false)
	o.flush()
	o.settled()
	if w := o.p.Stats().Waits; len(w) != 0 {
		t.Errorf("still waits: %v", w)
	}
	exact(t, logOf(t, c, "orders"), o.number)
}
