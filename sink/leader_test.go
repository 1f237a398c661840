package sink_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/sink"
)

// beside runs fn again and again until the returned function is called.
func beside(fn func()) (stop func()) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-quit:
				return
			default:
				fn()
			}
		}
	})
	return sync.OnceFunc(func() { close(quit); wg.Wait() })
}

// Leaders move under load, brokers come and go.
func TestLeader_moves(t *testing.T) {
	c := fake(t, kfake.NumBrokers(3))
	random := rand.New(rand.NewPCG(3, 4))
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	o.load(100)
	stop := beside(func() {
		_ = c.MoveTopicPartition("orders", random.Int32N(6), random.Int32N(3))
		time.Sleep(10 * time.Millisecond) // between two moves
	})
	defer stop()
	for range 60 {
		o.load(200)
		o.p.Dispatch()
	}
	stop()
	node, _, err := c.AddNode(-1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for p := range int32(6) {
		if err := c.MoveTopicPartition("orders", p, node); err != nil {
			t.Fatal(err)
		}
	}
	o.load(500)
	o.flush()
	for p := range int32(6) {
		if err := c.MoveTopicPartition("orders", p, p%3); err != nil {
			t.Fatal(err)
		}
	}
	o.load(500)
	if err := c.RemoveNode(node); err != nil {
		t.Fatal(err)
	}
	o.load(500)
	o.flush()
	o.settled()
	exact(t, logOf(t, c, "orders"), o.number)
}

// Random faults of the network and the brokers, leaders that move and a fence
// that is taken again: in the end the log is exact, and progress never ran ahead.
func TestSoak(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, compression := range []string{"none", "snappy"} {
		t.Run(compression, func(t *testing.T) { soak(t, seed, compression) })
	}
}

func soak(t *testing.T, seed uint64, compression string) {
	c := fake(t, kfake.NumBrokers(3))
	codes := []*kerr.Error{kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.NotEnoughReplicas,
		kerr.UnknownTopicOrPartition, kerr.KafkaStorageError, kerr.CorruptMessage}
	random := rand.New(rand.NewPCG(seed, 1))
	fateRandom := rand.New(rand.NewPCG(seed, 2))
	var f faults
	f.set(func() fate {
		if fateRandom.IntN(10) > 0 {
			return untouched
		}
		return []fate{lostAnswer, cutRequest, delayed}[fateRandom.IntN(3)]
	})
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Dial: f.dial, Compression: compression, InFlightBytes: 1 << 20})
	observe(o, c, "orders")
	stop := beside(func() {
		switch random.IntN(3) {
		case 0:
			_ = c.MoveTopicPartition("orders", random.Int32N(6), random.Int32N(3))
		case 1:
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: codes[random.IntN(len(codes))], Partitions: []int32{random.Int32N(6), random.Int32N(6)}, Count: 1 + random.IntN(2)})
		}
		time.Sleep(20 * time.Millisecond) // between two faults
	})
	defer stop()
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		o.load(1 + random2(o.number, 40))
		o.p.Dispatch()
		if used, _, limit, _ := o.p.Accounts(); used > limit {
			t.Errorf("%d bytes of %d are out", used, limit)
		}
	}
	stop()
	f.set(nil)
	o.flush()
	f.late.Wait()
	o.settled()
	exact(t, logOf(t, c, "orders"), o.number)
	t.Logf("%d records", o.number)
}

// random2 is a number below n that follows from seed alone.
func random2(seed uint64, n int) int { return rand.New(rand.NewPCG(seed, 9)).IntN(n) }
