package sink_test

import (
	"context"
	"errors"
	"fmt"
	"net"
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
		for name, fate := range map[string]fate{"not appended": cutRequest, "appended": lostAnswer} {
			t.Run(fmt.Sprintf("%d, %s", code, name), func(t *testing.T) {
				t.Parallel()
				x := newCrossroads(t, code, fate)
				o := start(t, sink.Config{Brokers: x.c.ListenAddrs(), Dial: x.dial})
				o.load(200) // all partitions have sequences
				o.flush()
				x.stuck.Store(true)
				waitFor(t, "a batch whose fate is open", func() bool {
					o.load(1)
					o.p.Dispatch()
					return x.tries.Load() > 0
				})
				x.refusing.Store(true)
				waitFor(t, "the refusal, and the open batch sent again and again", func() bool {
					if x.refused.Load() == 0 {
						o.load(1)
					}
					o.p.Dispatch()
					return x.refused.Load() > 0 && x.tries.Load() > 6
				})
				x.known.Store(true)
				o.load(100)
				o.p.Dispatch()
				waitFor(t, "again", func() bool { return x.tries.Load() > 8 })
				x.known.Store(false)
				x.refusing.Store(false)
				x.stuck.Store(false)
				o.flush()
				o.settled()
				exact(t, logOf(t, x.c, "orders"), o.number)
				x.mu.Lock()
				defer x.mu.Unlock()
				if x.inits != 2 {
					t.Errorf("%d producer ids were asked for", x.inits)
				}
				if fate == lostAnswer && len(x.forms) != 1 {
					t.Errorf("the open batch was sent in %d forms", len(x.forms))
				}
			})
		}
	}
}

// crossroads is a cluster where the road to partition 1's broker loses all that is
// under way while it is stuck, and partition 0's sequence is refused.
type crossroads struct {
	t     *testing.T
	c     *kfake.Cluster
	code  int16
	away  string // address of partition 1's broker
	road  faults
	stuck atomic.Bool

	refusing       atomic.Bool
	known          atomic.Bool // the producer has the refusal
	tries, refused atomic.Int32

	mu    sync.Mutex
	inits int
	forms map[string]bool // the open batch, as it was sent
}

func newCrossroads(t *testing.T, code int16, lost fate) *crossroads {
	c := fake(t, kfake.NumBrokers(3))
	for part, broker := range []int32{0, 1, 0, 2, 2, 0} {
		if err := c.MoveTopicPartition("orders", int32(part), broker); err != nil {
			t.Fatal(err)
		}
	}
	x := &crossroads{t: t, c: c, code: code, away: c.ListenAddrs()[1], forms: map[string]bool{}}
	x.road.set(func() (now fate) {
		if x.stuck.Load() {
			x.tries.Add(1)
			return lost
		}
		return untouched
	})
	c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if x.stuck.Load() {
			t.Error("a producer id is taken while a batch's fate is open")
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.inits++
		return nil, nil, false
	})
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return x.produce(r.(*kmsg.ProduceRequest))
	})
	return x
}

func (x *crossroads) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address == x.away {
		return x.road.dial(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// produce is what the brokers do.
func (x *crossroads) produce(req *kmsg.ProduceRequest) (kmsg.Response, error, bool) {
	refuse := false
	for _, topic := range req.Topics {
		for _, part := range topic.Partitions {
			switch {
			case part.Partition == 1 && x.stuck.Load():
				x.mu.Lock()
				x.forms[string(part.Records)] = true
				x.mu.Unlock()
			case part.Partition == 1:
			case x.known.Load():
				x.t.Errorf("a batch of partition %d is sent while the epoch is to be raised", part.Partition)
			case part.Partition == 0 && x.refusing.Load():
				refuse = true
			}
		}
	}
	if !refuse {
		return nil, nil, false
	}
	defer x.refused.Add(1)
	return refusal(req, 0, x.code), nil, true
}

// refusal answers for one partition with code; the others of the request are not
// appended either.
func refusal(req *kmsg.ProduceRequest, partition int32, code int16) kmsg.Response {
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range req.Topics {
		out := kmsg.NewProduceResponseTopic()
		out.Topic, out.TopicID = topic.Topic, topic.TopicID
		for _, part := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			if p.Partition, p.ErrorCode = part.Partition, 6; part.Partition == partition {
				p.ErrorCode = code
			}
			out.Partitions = append(out.Partitions, p)
		}
		res.Topics = append(res.Topics, out)
	}
	return res
}

// Patience for the transaction coordinator is for one that says that it is not there:
// brokers that were away for longer, and then need a moment, keep the fence.
func TestRules_patienceBeginsAnew(t *testing.T) {
	c := fake(t)
	const patience = 150 * time.Millisecond
	var asked atomic.Int32
	var since atomic.Int64
	c.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		n := asked.Add(1)
		if n == 1 {
			since.Store(time.Now().UnixNano())
			res.ErrorCode = 15 // the broker shuts down
			return res, nil, true
		}
		switch gone := time.Since(time.Unix(0, since.Load())); {
		case since.Load() == 0:
			return nil, nil, false
		case gone < 2*patience:
			return nil, errors.New("away"), true
		}
		since.Store(0)
		res.ErrorCode = 15 // it is back, and has not found its transaction topic yet
		return res, nil, true
	})
	var f fences
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook}}, func(p *sink.Producer) { p.SetPatience(patience) })
	o.load(10)
	o.flush()
	if all := f.all(); asked.Load() < 4 || len(all) != 1 || !all[0].fenced {
		t.Errorf("asked %d times, told %+v", asked.Load(), all)
	}
}

// A renewal that fails holds up nothing and gives up nothing: records go on under the
// id that is there, and it is tried again.
func TestRules_renewalWithoutCoordinator(t *testing.T) {
	for name, answer := range map[string]int16{"not available": 15, "moves": 16, "loads": 14, "no answer": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := fake(t)
			var away atomic.Bool
			var asked atomic.Int32
			c.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				if !away.Load() {
					return nil, nil, false
				}
				asked.Add(1)
				if answer == 0 {
					return nil, errors.New("no answer"), true
				}
				res := r.ResponseKind().(*kmsg.InitProducerIDResponse)
				res.ErrorCode = answer
				return res, nil, true
			})
			var f fences
			o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook}},
				func(p *sink.Producer) { p.SetPatience(time.Millisecond); p.SetRenewal(20*time.Millisecond, time.Hour) })
			o.load(10)
			o.flush()
			waitFor(t, "a renewal", func() bool { return len(f.all()) > 1 })
			away.Store(true)
			waitFor(t, "renewals in vain", func() bool { return asked.Load() > 2 })
			told := len(f.all())
			for range 10 {
				o.load(50)
				o.flush()
			}
			if s := o.p.Stats(); !s.Fenced || len(f.all()) > told {
				t.Errorf("%+v, told %+v", s, f.all())
			}
			away.Store(false)
			waitFor(t, "a renewal", func() bool { return len(f.all()) > told })
			o.p.SetRenewal(time.Hour, time.Hour)
			o.load(50)
			o.flush()
			o.settled()
			exact(t, logOf(t, c, "orders"), o.number)
			if all := f.all(); !all[len(all)-1].fenced || all[len(all)-1].id != all[0].id {
				t.Errorf("told %+v", all)
			}
			if w := o.p.Stats().Waits; len(w) != 0 {
				t.Errorf("still waits: %v", w)
			}
		})
	}
}

// Without the fence it is asked for again at the next start.
func TestRules_fenceAtTheNextStart(t *testing.T) {
	for _, code := range []int16{15, 53} {
		c := fake(t)
		var missing atomic.Bool
		missing.Store(true)
		onInit(c, func(r *kmsg.InitProducerIDRequest) int16 {
			if r.TransactionalID != nil && missing.Load() {
				return code
			}
			return 0
		})
		var f fences
		o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: f.hook}}, func(p *sink.Producer) { p.SetPatience(time.Millisecond) })
		o.load(10)
		o.flush()
		missing.Store(false)
		o.p.Fence("walrelay-test-" + t.Name()) // the stream was lost and is back
		o.load(10)
		o.flush()
		exact(t, logOf(t, c, "orders"), o.number)
		if all := f.all(); len(all) != 2 || all[0].fenced || !all[1].fenced || all[1].err != nil {
			t.Errorf("%d: told %+v", code, all)
		}
	}
}

// Exactly-once does without no fence: it waits, and says for what; a right that is
// missing is the end.
func TestRules_exactlyOnceWaits(t *testing.T) {
	t.Run("coordinator", func(t *testing.T) {
		c := fake(t)
		var asked atomic.Int32
		onInit(c, func(r *kmsg.InitProducerIDRequest) int16 {
			if r.TransactionalID == nil {
				t.Error("a producer id without transactional id is asked for")
			}
			asked.Add(1)
			return 15
		})
		o := start(t, sink.Config{Brokers: c.ListenAddrs(), Transactions: true}, func(p *sink.Producer) { p.SetPatience(time.Millisecond) })
		waitFor(t, "many tries", func() bool { return asked.Load() > 5 })
		if err := o.p.Stats().Waits["producer id"]; !errors.Is(err, kafka.GroupCoordinatorNotAvailable) || o.p.Ready() || o.p.Err() != nil {
			t.Errorf("waits because of %v, ready %v, ended with %v", err, o.p.Ready(), o.p.Err())
		}
	})
	t.Run("right", func(t *testing.T) {
		c := fake(t)
		onInit(c, func(*kmsg.InitProducerIDRequest) int16 { return 53 })
		o := start(t, sink.Config{Brokers: c.ListenAddrs(), Transactions: true})
		err := <-o.ended
		o.ended <- err
		if r := new(sink.RefusedError); !errors.As(err, &r) || r.Advice != "grant the relay's principal Write and Describe on its transactional id (prefix walrelay-)" {
			t.Errorf("ended with %v", err)
		}
	})
}

// Whatever the coordinator says about a newer epoch when this instance raises or
// renews its own, this instance gives way.
func TestRules_refusedIDs(t *testing.T) {
	for _, code := range []int16{47, 48, 90} {
		for _, occasion := range []string{"start", "renewal", "raise"} {
			t.Run(fmt.Sprint(code, " ", occasion), func(t *testing.T) {
				t.Parallel()
				c := fake(t)
				var refusing atomic.Bool
				refusing.Store(occasion == "start")
				onInit(c, func(*kmsg.InitProducerIDRequest) int16 {
					if refusing.Load() {
						return code
					}
					return 0
				})
				o := start(t, sink.Config{Brokers: c.ListenAddrs()})
				if occasion != "start" {
					o.load(10)
					o.flush()
					refusing.Store(true)
				}
				switch occasion {
				case "renewal":
					o.p.SetRenewal(time.Millisecond, time.Millisecond)
					waitFor(t, "the end", func() bool { o.p.Dispatch(); return o.p.Err() != nil })
				case "raise":
					onProduce(c, func(string, int32) int16 { return 45 })
					o.load(1)
					o.p.Dispatch()
				}
				waitFor(t, "the end", func() bool { return o.p.Err() != nil })
				if err := o.p.Err(); !errors.Is(err, sink.ErrFenced) {
					t.Errorf("ended with %v", err)
				}
			})
		}
	}
}

// An epoch that is used up gives a new producer id: partitions count from 0, and what
// was sealed under the old one and is uncertain is resolved under that.
func TestRules_epochUsedUp(t *testing.T) {
	c := fake(t)
	var asked atomic.Int32
	c.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		res.ProducerID, res.ProducerEpoch = 4711, 32766
		if asked.Add(1) > 1 {
			res.ProducerID, res.ProducerEpoch = 4712, 0
		}
		return res, nil, true
	})
	var f fences
	var loss faults
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Dial: loss.dial, Hooks: sink.Hooks{Fence: f.hook}})
	o.load(100)
	o.flush()
	i := 0
	loss.set(func() fate { i++; return []fate{lostAnswer, delayed, untouched}[i%3] })
	o.load(100)
	o.p.Dispatch()
	o.p.Fence("walrelay-test-" + t.Name())
	o.load(100)
	o.flush()
	loss.late.Wait()
	o.settled()
	exact(t, logOf(t, c, "orders"), o.number)
	if all := f.all(); len(all) != 2 || all[0].epoch != 32766 || all[1] != (told{id: 4712, fenced: true}) {
		t.Errorf("told %+v", all)
	}
}
