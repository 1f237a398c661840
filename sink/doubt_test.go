package sink_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/sink"
)

// liar changes brokers' answers to Produce requests on the way back.
type liar struct {
	change func(topic string, p *kmsg.ProduceResponseTopicPartition) // one answer at a time
	mu     sync.Mutex
	asked  []string // the record batches of the requests, as a broker got them
}

// lying makes a liar before c.
func lying(c *kfake.Cluster, change func(topic string, p *kmsg.ProduceResponseTopicPartition)) *liar {
	l := &liar{change: change}
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, topic := range r.(*kmsg.ProduceRequest).Topics {
			for _, part := range topic.Partitions {
				l.asked = append(l.asked, string(part.Records))
			}
		}
		return nil, nil, false
	})
	return l
}

// sizes is how many records the batches of the requests had.
func (l *liar) sizes(t *testing.T) (sizes []int32) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.asked {
		var b kmsg.RecordBatch
		if err := b.ReadFrom([]byte(one)); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, b.NumRecords)
	}
	return sizes
}

func (l *liar) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &lyingConn{Conn: c, l: l}, nil
}

// lyingConn follows the requests of one connection, one at a time.
type lyingConn struct {
	net.Conn
	l       *liar
	left    int // bytes of the request that are still to come
	produce bool
	version int16
	rest    []byte // of the changed answer
}

func (c *lyingConn) Write(b []byte) (int, error) {
	if c.left == 0 && len(b) >= 8 {
		c.left = 4 + int(binary.BigEndian.Uint32(b))
		c.produce = binary.BigEndian.Uint16(b[4:]) == 0
		c.version = int16(binary.BigEndian.Uint16(b[6:]))
	}
	c.left -= len(b)
	return c.Conn.Write(b)
}

func (c *lyingConn) Read(b []byte) (int, error) {
	if len(c.rest) == 0 && !c.produce {
		return c.Conn.Read(b)
	}
	if len(c.rest) == 0 {
		if err := c.answer(); err != nil {
			return 0, err
		}
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *lyingConn) answer() error {
	const size, correlation = 4, 4
	head := make([]byte, size)
	if _, err := io.ReadFull(c.Conn, head); err != nil {
		return err
	}
	body := make([]byte, binary.BigEndian.Uint32(head))
	if _, err := io.ReadFull(c.Conn, body); err != nil {
		return err
	}
	res := kmsg.ProduceResponse{Version: c.version}
	if err := res.ReadFrom(body[correlation:]); err != nil {
		return err
	}
	for i := range res.Topics {
		for j := range res.Topics[i].Partitions {
			c.l.change(res.Topics[i].Topic, &res.Topics[i].Partitions[j])
		}
	}
	body = res.AppendTo(body[:correlation])
	c.rest = append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	return nil
}

// trusting is a configuration whose hook fails the test: nothing is to be given up.
func trusting(t *testing.T, c *kfake.Cluster, l *liar) sink.Config {
	return sink.Config{Brokers: c.ListenAddrs(), Dial: l.dial, Hooks: sink.Hooks{Reject: func(r sink.Rejection) sink.Remedy {
		t.Errorf("rejected %s: %s", r.Record.Value, r.Err)
		return sink.Remedy{}
	}}}
}

// A refusal that only the answer's damage has made, where the broker has appended the
// batch and where it has not, costs no event and repeats none, also where the answer
// was true before and after something else.
func TestDoubt_falseRefusal(t *testing.T) {
	for _, code := range []int16{10, 18, 32, 87} {
		for _, records := range []int{1, 40} {
			for name, c := range map[string]struct {
				truths []*kerr.Error // what the broker says before the answer is changed
				lies   []bool
			}{
				"appended":     {nil, []bool{true}},
				"not appended": {[]*kerr.Error{kerr.NotLeaderForPartition}, []bool{true}},
				"appended, then not the leader, then a lie again": {[]*kerr.Error{nil, kerr.NotLeaderForPartition}, []bool{true, false, true}},
			} {
				t.Run(fmt.Sprintf("%d/%d records/%s", code, records, name), func(t *testing.T) {
					t.Parallel()
					cluster := fake(t, kfake.SeedTopics(1, "one"))
					var answers atomic.Int32
					l := lying(cluster, func(_ string, p *kmsg.ProduceResponseTopicPartition) {
						if n := int(answers.Add(1)) - 1; n < len(c.lies) && c.lies[n] {
							p.ErrorCode = code
						}
					})
					for i, truth := range c.truths {
						if truth != nil {
							cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: truth, Count: -1, When: func(kmsg.Request) bool {
								return int(answers.Load()) == i
							}})
						}
					}
					o := start(t, trusting(t, cluster, l))
					o.p.Learn("one")
					waitFor(t, "the topic", func() bool { return o.p.Partitions("one") == 1 })
					for range records {
						if err := o.send(numbered("one", 1, o.number)); err != nil {
							t.Fatal(err)
						}
					}
					o.flush()
					o.settled()
					exact(t, logOf(t, cluster, "one"), o.number)
					l.mu.Lock()
					defer l.mu.Unlock()
					if len(l.asked) < 2 || l.asked[0] != l.asked[1] {
						t.Errorf("%d requests, and the first two are not the same", len(l.asked))
					}
				})
			}
		}
	}
}

// A refusal that is true is believed the second time. Halves of what was refused twice
// are not asked about again until one record is left.
func TestDoubt_trueRefusal(t *testing.T) {
	for _, code := range []int16{10, 87} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			c := fake(t, kfake.SeedTopics(1, "one"))
			l := lying(c, func(string, *kmsg.ProduceResponseTopicPartition) {})
			rejectValues(t, c, "one", code, 0)
			var met []string
			o := start(t, sink.Config{Brokers: c.ListenAddrs(), Dial: l.dial, Hooks: sink.Hooks{Reject: func(r sink.Rejection) sink.Remedy {
				met = append(met, string(r.Record.Value))
				return sink.Remedy{}
			}}})
			o.p.Learn("one")
			waitFor(t, "the topic and a producer id", func() bool { return o.p.Partitions("one") == 1 && o.p.Ready() })
			for range 16 {
				if err := o.send(numbered("one", 1, o.number)); err != nil {
					t.Fatal(err)
				}
			}
			o.flush()
			o.settled()
			exact(t, logOf(t, c, "one"), o.number, 0)
			if !slices.Equal(met, []string{"0"}) {
				t.Errorf("rejected: %s", met)
			}
			if got, want := l.sizes(t), []int32{16, 16, 8, 4, 2, 1, 1, 1, 2, 4, 8}; !slices.Equal(got, want) {
				t.Errorf("batches of %d records were sent, want %d", got, want)
			}
		})
	}
}

// A batch that is asked about again has an open fate: another partition's lost
// sequence does not raise the epoch before that is known.
func TestDoubt_isUncertain(t *testing.T) {
	c := fake(t, kfake.SeedTopics(2, "two"))
	const doubted, lost = 0, 1
	var lied, refused atomic.Bool
	l := lying(c, func(_ string, p *kmsg.ProduceResponseTopicPartition) {
		if p.Partition == doubted && refused.Load() && lied.CompareAndSwap(false, true) {
			p.ErrorCode = 87
		}
	})
	send := func(o *owner, partition int32) {
		rec := numbered("two", 1, o.number)
		rec.Partition = partition
		if err := o.send(rec); err != nil {
			t.Fatal(err)
		}
	}
	cfg := trusting(t, c, l)
	var epochs atomic.Int32
	cfg.Hooks.Fence = func(int64, int16, bool, error) { epochs.Add(1) }
	o := start(t, cfg)
	o.p.Learn("two")
	waitFor(t, "the topic and a producer id", func() bool { return o.p.Partitions("two") == 2 && o.p.Ready() })
	send(o, doubted)
	send(o, lost)
	o.flush()
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.OutOfOrderSequenceNumber, Partitions: []int32{lost}, Count: 1, When: func(kmsg.Request) bool {
		refused.Store(true)
		return true
	}})
	send(o, doubted)
	send(o, lost)
	o.flush()
	o.settled()
	if !lied.Load() || epochs.Load() != 2 {
		t.Errorf("the test is wrong: lied %v, %d epochs", lied.Load(), epochs.Load())
	}
	exact(t, logOf(t, c, "two"), o.number)
}

// The record that ends a transaction is doubted, too: a damaged answer does not stop
// the producer.
func TestDoubt_watermark(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "marks"))
	var lied atomic.Bool
	l := lying(c, func(topic string, p *kmsg.ProduceResponseTopicPartition) {
		if topic == "marks" && lied.CompareAndSwap(false, true) {
			p.ErrorCode = 10
		}
	})
	cfg := trusting(t, c, l)
	cfg.Transactions = true
	o := start(t, cfg)
	o.p.Learn("marks")
	o.load(1)
	o.flushCut(t)
	if !lied.Load() {
		t.Error("the test is wrong: no answer was changed")
	}
	if n := len(committedLog(t, c.ListenAddrs(), "marks", 1)); n != 1 {
		t.Errorf("%d watermarks", n)
	}
	exact(t, committedLog(t, c.ListenAddrs(), "orders", 1), o.number)
}

// flushCut commits what was handed over.
func (o *owner) flushCut(t *testing.T) {
	t.Helper()
	waitFor(t, "a commit", func() bool {
		o.p.Cut(watermark(o.number-1), sink.Meta{Number: o.number - 1, Committed: time.Now().UnixMicro()})
		o.p.Dispatch()
		_, _, open := o.p.Oldest()
		return !open || o.p.Err() != nil
	})
	o.flush()
}
