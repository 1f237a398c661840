package sink_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/sink"
)

// Whatever happens to requests and answers on their way, the log is exact.
func TestProducer_lossyNetwork(t *testing.T) {
	for name, fates := range map[string][]fate{
		"lost answers": {lostAnswer, untouched},
		"cut requests": {cutRequest, untouched},
		"late copies":  {delayed, untouched},
		"all of them":  {lostAnswer, cutRequest, delayed, untouched, untouched, untouched},
	} {
		for _, compression := range []string{"none", "lz4"} {
			t.Run(name+"/"+compression, func(t *testing.T) {
				c := fake(t)
				f := &faults{}
				random := rand.New(rand.NewPCG(1, 2))
				f.set(func() fate { return fates[random.IntN(len(fates))] })
				o := start(t, sink.Config{Brokers: c.ListenAddrs(), Dial: f.dial, Compression: compression})
				for range 20 {
					o.load(200)
					o.p.Dispatch()
				}
				o.flush()
				f.late.Wait()
				o.settled()
				exact(t, logOf(t, c, "orders"), o.number)
			})
		}
	}
}

// Every code after which a batch is sent again, for some partitions of a request
// only, and both where the broker did nothing and where it had appended.
func TestProducer_retriableCodes(t *testing.T) {
	for _, code := range []int16{2, 3, 5, 6, 7, 8, 9, 13, 19, 20, 51, 56, 74, 75, 89} {
		t.Run(fmt.Sprint(kafka.Error(code)), func(t *testing.T) {
			t.Parallel()
			c := fake(t)
			h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.ErrorForCode(code).(*kerr.Error), Partitions: []int32{0, 2, 5}, Count: 6})
			var retries atomic.Int32
			o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Retry: func(string) { retries.Add(1) }}})
			for range 10 {
				o.load(50)
				o.p.Dispatch()
			}
			o.flush()
			o.settled()
			if retries.Load() == 0 || h.Hits() != 6 {
				t.Errorf("%d faults, %d retries", h.Hits(), retries.Load())
			}
			exact(t, logOf(t, c, "orders"), o.number)
		})
	}
}

// The broker appends and then answers a time-out: the copies it is sent again
// are the same.
func TestProducer_appendedAndTimedOut(t *testing.T) {
	for _, err := range []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend} {
		t.Run(err.Message, func(t *testing.T) {
			c := fake(t)
			h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Partitions: []int32{0, 3, 5}, Count: 10})
			o := start(t, sink.Config{Brokers: c.ListenAddrs()})
			for range 10 {
				o.load(50)
				o.p.Dispatch()
			}
			o.flush()
			o.settled()
			if h.Hits() == 0 {
				t.Error("no fault was met")
			}
			exact(t, logOf(t, c, "orders"), o.number)
		})
	}
}

// 46 says that the broker has the batch.
func TestProducer_duplicateIsAcknowledged(t *testing.T) {
	c := fake(t)
	onProduce(c, func(string, int32) int16 { return 46 })
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(10)
	o.flush()
	o.settled()
}

// A broker that has lost the producer's state: the epoch is raised when nothing
// is uncertain, and sequences start from 0.
func TestProducer_raisesTheEpoch(t *testing.T) {
	for _, code := range []int16{45, 59} {
		for _, fence := range []string{"fenced", ""} {
			t.Run(fmt.Sprint(code, fence), func(t *testing.T) {
				c := fake(t)
				var mu sync.Mutex
				var epochs []int16
				uncertain := map[int32]bool{}
				var faults [2]int
				first := map[int64]map[int32]int32{} // id and epoch → partition → first sequence
				c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
					c.KeepControl()
					mu.Lock()
					defer mu.Unlock()
					for p, yes := range uncertain {
						if yes {
							t.Errorf("a producer id is taken while partition %d is uncertain", p)
						}
					}
					return nil, nil, false
				})
				c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
					c.KeepControl()
					mu.Lock()
					defer mu.Unlock()
					res := r.ResponseKind().(*kmsg.ProduceResponse)
					req := r.(*kmsg.ProduceRequest)
					bad := false
					for _, rt := range req.Topics {
						out := kmsg.NewProduceResponseTopic()
						out.Topic = rt.Topic
						for _, rp := range rt.Partitions {
							var b kmsg.RecordBatch
							if err := b.ReadFrom(rp.Records); err != nil {
								t.Error(err)
							}
							id := b.ProducerID<<16 | int64(b.ProducerEpoch)
							if first[id] == nil {
								first[id] = map[int32]int32{}
							}
							if _, ok := first[id][rp.Partition]; !ok {
								first[id][rp.Partition] = b.FirstSequence
							}
							p := kmsg.NewProduceResponseTopicPartition()
							p.Partition = rp.Partition
							uncertain[rp.Partition] = false
							// Every third partition is out of order, the others are not known. Each
							// kind has a number of its own: brokers whose partitions are all of
							// one kind would else use up what the other needs.
							kind := 0
							if rp.Partition%3 == 0 {
								kind = 1
							}
							if b.FirstSequence > 0 && faults[kind] < 6 {
								faults[kind]++
								bad = true
								if p.ErrorCode = 7; kind == 1 {
									p.ErrorCode = code
								} else {
									uncertain[rp.Partition] = true
								}
							}
							out.Partitions = append(out.Partitions, p)
						}
						res.Topics = append(res.Topics, out)
					}
					if bad { // none of the request is appended
						for i := range res.Topics {
							for j := range res.Topics[i].Partitions {
								if p := &res.Topics[i].Partitions[j]; p.ErrorCode == 0 {
									p.ErrorCode = 6
								}
							}
						}
					}
					return res, nil, bad
				})
				o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Fence: func(_ int64, epoch int16, fenced bool, _ error) {
					mu.Lock()
					defer mu.Unlock()
					epochs = append(epochs, epoch)
					if fenced != (fence != "") {
						t.Errorf("fenced: %v", fenced)
					}
				}}})
				if fence == "" {
					o.p.Fence("")
				}
				for range 10 {
					o.load(100)
					o.flush()
				}
				o.settled()
				exact(t, logOf(t, c, "orders"), o.number)
				mu.Lock()
				defer mu.Unlock()
				if len(epochs) < 2 {
					t.Errorf("epochs %v: none was raised", epochs)
				}
				for id, parts := range first {
					for p, seq := range parts {
						if seq != 0 {
							t.Errorf("epoch %d: partition %d starts with sequence %d", id&0xffff, p, seq)
						}
					}
				}
			})
		}
	}
}

func TestProducer_endsWith(t *testing.T) {
	refused := func(advice string) func(error) bool {
		return func(err error) bool {
			var r *sink.RefusedError
			return errors.As(err, &r) && r.Advice == advice
		}
	}
	unknown := func(err error) bool {
		return err != nil && strings.Contains(err.Error(), "which walrelay does not know how to go on from")
	}
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	for code, ok := range map[int16]func(error) bool{
		47: is(sink.ErrFenced),
		48: is(sink.ErrFenced),
		90: is(sink.ErrFenced),
		29: refused(`grant the relay's principal Write and Describe on topic "orders"`),
		31: refused("grant the relay's principal IdempotentWrite on the cluster"),
		53: refused("grant the relay's principal Write and Describe on its transactional id (prefix walrelay-)"),
		-1: unknown,
		21: unknown,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			c := fake(t)
			onProduce(c, func(string, int32) int16 { return code })
			o := start(t, sink.Config{Brokers: c.ListenAddrs()})
			if err := o.send(numbered("orders", 1, 0)); err != nil {
				t.Fatal(err)
			}
			o.p.Dispatch()
			err := <-o.ended
			o.ended <- err
			if !ok(err) {
				t.Errorf("ended with %v", err)
			}
			if got := o.p.Produce(numbered("orders", 1, 1), sink.Meta{}); !errors.Is(got, err) {
				t.Errorf("Produce afterwards: %v, want %v", got, err)
			}
		})
	}
}
