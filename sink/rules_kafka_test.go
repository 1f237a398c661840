package sink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
	"github.com/walrelay/walrelay/test/harness"
)

// How long the broker of these tests remembers: a transactional id (7 days by
// default), and a producer's state in a partition (1 day).
const (
	idExpired    = 8 * time.Second // what must not expire in a test has to be faster
	stateExpired = time.Second
)

// TestRules_kafka is what only a real broker tells: how it counts sequences, what it
// forgets, and what it answers to who asks for a producer id again. All share one.
func TestRules_kafka(t *testing.T) {
	t.Parallel()
	b := &bench{Broker: harness.PrivateKafka(t, harness.KafkaOptions{Properties: map[string]string{
		"transactional.id.expiration.ms":                             fmt.Sprint(idExpired.Milliseconds()),
		"transaction.remove.expired.transaction.cleanup.interval.ms": "200",
		"producer.id.expiration.check.interval.ms":                   "200",
	}})}
	b.admin = kadm.NewClient(b.Client(t))
	t.Run("while states last", func(t *testing.T) {
		for _, compression := range []string{"none", "lz4"} {
			t.Run("sequence wraps, "+compression, func(t *testing.T) { t.Parallel(); b.wrap(t, compression) })
		}
		t.Run("out of order", func(t *testing.T) { t.Parallel(); b.outOfOrder(t) })
		t.Run("answer to a renewal lost", func(t *testing.T) { t.Parallel(); b.renewalUnanswered(t) })
		t.Run("transactions, quiet", func(t *testing.T) { t.Parallel(); b.transactionForgotten(t) })
		t.Run("answer to a raise lost", func(t *testing.T) { t.Parallel(); b.raiseUnanswered(t) })
	})
	b.remember(t, stateExpired)
	t.Run("states expire", func(t *testing.T) {
		t.Run("quiet, renewed", func(t *testing.T) { t.Parallel(); b.quietRenewed(t) })
		t.Run("quiet for too long", func(t *testing.T) { t.Parallel(); b.quietForgotten(t) })
	})
	t.Run("one partition busy, the other quiet", b.oneBusy)
}

// start is that of a slow machine, where the coordinator needs longer than patience
// lasts to make its topic.
func (b *bench) start(t *testing.T, cfg sink.Config, settings ...func(*sink.Producer)) *owner {
	t.Helper()
	return start(t, cfg, append(settings, func(p *sink.Producer) { p.SetPatience(time.Hour) })...)
}

// remember sets for how long the broker keeps a producer's state in a partition.
func (b *bench) remember(t *testing.T, d time.Duration) {
	t.Helper()
	value := fmt.Sprint(d.Milliseconds())
	done, err := b.admin.AlterBrokerConfigs(t.Context(), []kadm.AlterConfig{{Name: "producer.id.expiration.ms", Value: &value}})
	if err == nil && len(done) == 1 {
		err = done[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
}

// bench is a real broker and what looks into it.
type bench struct {
	*harness.Broker
	admin *kadm.Client
}

// place waits until the producer knows the topic, and has a producer id.
func ready(o *owner, topic string) {
	o.t.Helper()
	o.place(&routing.Record{Topic: topic, Partition: 0})
}

// fill hands over n records to one partition.
func fill(o *owner, topic string, partition int32, n int) {
	o.t.Helper()
	for range n {
		rec := numbered(topic, int(partition), o.number)
		rec.Partition, rec.Timestamp = partition, time.Now().UnixMilli()
		if err := o.send(rec); err != nil {
			o.t.Fatal(err)
		}
	}
}

// lossy loses answers and delays requests now and then.
func lossy() *faults {
	f, i := &faults{}, 0
	f.set(func() fate { i++; return []fate{untouched, lostAnswer, untouched, delayed, cutRequest}[i%5] })
	return f
}

// wrap: behind the sequence 2147483647 comes 0, between batches and inside one, also
// when a batch is sent again.
func (b *bench) wrap(t *testing.T, compression string) {
	before := []int32{0, 1, 9, 50, 99, 100}
	topic := b.Topic(t, len(before))
	f := lossy()
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Dial: f.dial, Compression: compression})
	ready(o, topic)
	for part, n := range before {
		o.p.SetSequence(topic, int32(part), math.MaxInt32-n)
	}
	for range 10 {
		for part := range before {
			fill(o, topic, int32(part), 100)
		}
		o.flush()
	}
	f.late.Wait()
	o.settled()
	exact(t, b.ReadAll(t, topic), o.number)
	inside := 0
	for part, n := range before {
		sum, next := 0, int32(math.MaxInt32-n)
		for _, batch := range b.batches(t, topic, int32(part)) {
			if batch.FirstSequence != next {
				t.Errorf("partition %d: a batch has sequence %d and not %d", part, batch.FirstSequence, next)
			}
			if batch.ProducerEpoch != o.p.Stats().Epoch {
				t.Errorf("partition %d: the epoch was raised", part)
			}
			end := int64(next) + int64(batch.NumRecords)
			if end > math.MaxInt32+1 {
				inside++
			}
			sum += int(batch.NumRecords)
			next = int32(end % (math.MaxInt32 + 1))
		}
		if want := int32(999 - n); sum != 1000 || next != want {
			t.Errorf("partition %d: %d records, the next sequence is %d and not %d", part, sum, next, want)
		}
	}
	if inside == 0 {
		t.Error("the test is wrong: no batch goes over the end")
	}
}

// outOfOrder: the broker refuses a sequence (45) while requests and answers get lost
// elsewhere. The epoch is raised, each partition counts from 0, nothing is there twice.
func (b *bench) outOfOrder(t *testing.T) {
	topic := b.Topic(t, 4)
	f := lossy()
	var told fences
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Dial: f.dial, Hooks: sink.Hooks{Fence: told.hook}})
	ready(o, topic)
	load := func(rounds int) {
		for range rounds {
			for part := range int32(4) {
				fill(o, topic, part, 25)
			}
			o.p.Dispatch()
		}
	}
	load(10)
	o.flush()
	for range 3 {
		epochs := len(told.all())
		o.p.SetSequence(topic, 1, 1_000_000)
		load(10)
		o.flush()
		if now := len(told.all()); now <= epochs {
			t.Fatal("the test is wrong: no epoch was raised")
		}
	}
	f.late.Wait()
	o.settled()
	exact(t, b.ReadAll(t, topic), o.number)
	for part := range int32(4) {
		epoch := int16(-1)
		for _, batch := range b.batches(t, topic, part) {
			if batch.ProducerEpoch != epoch && batch.FirstSequence != 0 {
				t.Errorf("partition %d: epoch %d begins with sequence %d", part, batch.ProducerEpoch, batch.FirstSequence)
			}
			epoch = batch.ProducerEpoch
		}
	}
}

// deaf loses the next answer to a request for a producer id.
type deaf struct {
	armed atomic.Int32 // answers to lose
	lost  atomic.Int32
}

func (d *deaf) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &deafConn{Conn: c, d: d}, nil
}

type deafConn struct {
	net.Conn
	d    *deaf
	lose bool
}

func (c *deafConn) Write(b []byte) (int, error) {
	if len(b) >= 6 && binary.BigEndian.Uint16(b[4:]) == uint16(kmsg.InitProducerID) && c.d.armed.Add(-1) >= 0 {
		c.lose = true
	}
	return c.Conn.Write(b)
}

func (c *deafConn) Read(b []byte) (int, error) {
	if c.lose {
		if n, _ := c.Conn.Read(b); n > 0 { // the broker has answered
			c.d.lost.Add(1)
		}
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return c.Conn.Read(b)
}

// renewalUnanswered: the coordinator has raised the epoch and the answer is lost.
// Records go on under the old one, and asked again it gives the one it has: a producer
// does not shut itself out.
func (b *bench) renewalUnanswered(t *testing.T) {
	topic := b.Topic(t, 2)
	var d deaf
	var told fences
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Dial: d.dial, Hooks: sink.Hooks{Fence: told.hook}})
	ready(o, topic)
	fill(o, topic, 0, 10)
	o.flush()
	d.armed.Store(2)
	o.p.SetRenewal(20*time.Millisecond, time.Hour)
	waitFor(t, "renewal", func() bool {
		fill(o, topic, int32(o.number%2), 1)
		o.flush()
		o.p.Dispatch()
		return d.lost.Load() == 2 && len(told.all()) > 1
	})
	o.p.SetRenewal(time.Hour, time.Hour)
	fill(o, topic, 0, 10)
	o.flush()
	exact(t, b.ReadAll(t, topic), o.number)
	if all := told.all(); all[1].id != all[0].id || all[1].epoch != all[0].epoch+1 || !all[1].fenced {
		t.Errorf("told %+v", all)
	}
}

// raiseUnanswered: so when the epoch has to be raised.
func (b *bench) raiseUnanswered(t *testing.T) {
	topic := b.Topic(t, 2)
	var d deaf
	var told fences
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Dial: d.dial, Hooks: sink.Hooks{Fence: told.hook}})
	ready(o, topic)
	fill(o, topic, 0, 10)
	o.flush()
	d.armed.Store(2)
	o.p.SetSequence(topic, 0, 1_000_000)
	fill(o, topic, 0, 10)
	fill(o, topic, 1, 10)
	o.flush()
	exact(t, b.ReadAll(t, topic), o.number)
	all := told.all()
	if len(all) != 2 || d.lost.Load() != 2 || all[1].id != all[0].id || all[1].epoch != all[0].epoch+1 {
		t.Errorf("told %+v, %d answers lost", all, d.lost.Load())
	}
}

// quietRenewed: a producer that has nothing to send, and whose owner says nothing,
// keeps its transactional id alive: who comes after it shuts it out.
func (b *bench) quietRenewed(t *testing.T) {
	topic := b.Topic(t, 1)
	var told fences
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Hooks: sink.Hooks{Fence: told.hook}}, func(p *sink.Producer) { p.SetRenewal(idExpired/10, time.Hour) })
	ready(o, topic)
	fill(o, topic, 0, 10)
	o.flush()
	began := time.Now()
	waitFor(t, "an expiry", func() bool { return time.Since(began) > 3*idExpired/2 })
	all := told.all()
	if len(all) < 5 {
		t.Errorf("renewed %d times", len(all)-1)
	}
	for i := 1; i < len(all); i++ {
		if all[i].id != all[0].id || all[i].epoch != all[i-1].epoch+1 || !all[i].fenced {
			t.Errorf("renewal %d: %+v after %+v", i, all[i], all[i-1])
		}
	}
	b.shutsOut(t, o, topic)
}

// shutsOut lets a newer instance write, after which o is refused.
func (b *bench) shutsOut(t *testing.T, o *owner, topic string) {
	t.Helper()
	o.p.SetRenewal(time.Hour, time.Hour)
	waitFor(t, "a producer id", o.p.Ready)
	newer := b.start(t, sink.Config{Brokers: b.Brokers()})
	newer.number = o.number
	ready(newer, topic)
	fill(newer, topic, 0, 1)
	newer.flush()
	fill(o, topic, 0, 1)
	o.p.Dispatch()
	waitFor(t, "the older instance is shut out", func() bool { return o.p.Err() != nil })
	if err := o.p.Err(); !errors.Is(err, sink.ErrFenced) {
		t.Errorf("the older instance ended with %v", err)
	}
	exact(t, b.ReadAll(t, topic), newer.number)
}

// quietForgotten: not renewed, the broker forgets both. What comes then is taken, and
// so is what comes after a renewal, which has to begin with a new producer id.
func (b *bench) quietForgotten(t *testing.T) {
	topic := b.Topic(t, 2)
	var told fences
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Hooks: sink.Hooks{Fence: told.hook}})
	ready(o, topic)
	for range 3 {
		fill(o, topic, 0, 10)
		fill(o, topic, 1, 10)
		o.flush()
	}
	b.forgotten(t, topic, 0, 1)
	waitFor(t, "the transactional id is forgotten", func() bool {
		described, err := b.admin.DescribeTransactions(t.Context(), "walrelay-test-"+t.Name())
		if err != nil {
			t.Fatal(err)
		}
		one, err := described.On("walrelay-test-"+t.Name(), nil)
		return err != nil || one.Err != nil
	})
	fill(o, topic, 0, 10) // of the two, one goes on under the old id
	o.flush()
	o.p.SetRenewal(time.Millisecond, time.Hour)
	waitFor(t, "renewal", func() bool { o.p.Dispatch(); return len(told.all()) > 1 })
	o.p.SetRenewal(time.Hour, time.Hour)
	waitFor(t, "a producer id", o.p.Ready)
	fill(o, topic, 0, 10)
	fill(o, topic, 1, 10)
	o.flush()
	o.settled()
	all := told.all()
	if all[1].id == all[0].id || !all[1].fenced {
		t.Errorf("the test is wrong, or the fence is not taken anew: %+v", all)
	}
	for part := range int32(2) {
		batches := b.batches(t, topic, part)
		for i := 1; i < len(batches); i++ {
			if batches[i].ProducerID != batches[i-1].ProducerID && batches[i].FirstSequence != 0 {
				t.Errorf("partition %d: a new producer id begins with sequence %d", part, batches[i].FirstSequence)
			}
		}
	}
	b.shutsOut(t, o, topic)
}

// forgotten waits until the broker has no producer in the partitions.
func (b *bench) forgotten(t *testing.T, topic string, partitions ...int32) {
	t.Helper()
	waitFor(t, "the producer's state is forgotten", func() bool { return b.known(t, topic, partitions...) == 0 })
}

// known is how many producers the partitions remember.
func (b *bench) known(t *testing.T, topic string, partitions ...int32) (n int) {
	t.Helper()
	var set kadm.TopicsSet
	set.Add(topic, partitions...)
	described, err := b.admin.DescribeProducers(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	described.EachProducer(func(kadm.DescribedProducer) { n++ })
	return n
}

// oneBusy: a partition that gets nothing for longer than the broker remembers, while
// others are busy, goes on where it was, also when its first answer then is lost.
func (b *bench) oneBusy(t *testing.T) {
	topic := b.Topic(t, 2)
	var f faults
	var told fences
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Dial: f.dial, Hooks: sink.Hooks{Fence: told.hook}})
	ready(o, topic)
	fill(o, topic, 1, 10)
	o.flush()
	waitFor(t, "the quiet partition is forgotten", func() bool {
		fill(o, topic, 0, 10)
		o.flush()
		return b.known(t, topic, 1) == 0
	})
	// What is sent again soon is known again; a slow machine must not make that late.
	b.remember(t, 24*time.Hour)
	i := 0
	f.set(func() fate { i++; return []fate{lostAnswer, delayed, untouched}[min(i-1, 2)] })
	fill(o, topic, 1, 10)
	fill(o, topic, 0, 10)
	o.flush()
	f.late.Wait()
	fill(o, topic, 1, 10)
	o.flush()
	o.settled()
	exact(t, b.ReadAll(t, topic), o.number)
	next := int32(0)
	for _, batch := range b.batches(t, topic, 1) {
		if batch.FirstSequence != next {
			t.Errorf("sequence %d instead of %d", batch.FirstSequence, next)
		}
		next += batch.NumRecords
	}
	if all := told.all(); len(all) != 1 {
		t.Errorf("the producer id was taken again: %+v", all)
	}
}

// transactionForgotten: with transactions, too, nothing is committed twice or lost
// when the coordinator has forgotten the id: the producer ends, and says that what was
// open does not count.
func (b *bench) transactionForgotten(t *testing.T) {
	topic := b.Topic(t, 1)
	var told fences
	o := b.start(t, sink.Config{Brokers: b.Brokers(), Transactions: true, Hooks: sink.Hooks{Fence: told.hook}},
		func(p *sink.Producer) { p.SetRenewal(idExpired/10, time.Hour) })
	ready(o, topic)
	commit := func() error {
		for range 10 {
			rec := numbered(topic, 0, o.number)
			rec.Timestamp = time.Now().UnixMilli()
			if err := o.send(rec); err != nil {
				return err
			}
		}
		rec := numbered(topic, 0, o.number)
		rec.Timestamp = time.Now().UnixMilli()
		o.p.Cut(rec, sink.Meta{Number: o.number})
		o.number++
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		return o.p.Flush(ctx)
	}
	if err := commit(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	waitFor(t, "an expiry", func() bool { return time.Since(began) > 5*idExpired/4 })
	if all := told.all(); len(all) < 3 || all[len(all)-1].id != all[0].id {
		t.Errorf("a quiet producer has not kept its id: %+v", all)
	}
	if err := commit(); err != nil {
		t.Fatal(err)
	}
	committed := o.number
	o.p.SetRenewal(time.Hour, time.Hour)
	waitFor(t, "the transactional id is forgotten", func() bool {
		described, err := b.admin.DescribeTransactions(t.Context(), "walrelay-test-"+t.Name())
		if err != nil {
			t.Fatal(err)
		}
		one, err := described.On("walrelay-test-"+t.Name(), nil)
		return err != nil || one.Err != nil
	})
	err := commit()
	if err != nil && !errors.Is(err, sink.ErrAborted) && !errors.Is(err, sink.ErrFenced) {
		t.Errorf("ended with %v", err)
	}
	if err == nil {
		committed = o.number
	}
	exact(t, b.ReadCommitted(t, topic), committed)
}

// batches are the record batches of a partition, as the broker keeps them.
func (b *bench) batches(t *testing.T, topic string, partition int32) (all []kmsg.RecordBatch) {
	t.Helper()
	client := b.Client(t)
	metadata, err := b.admin.Metadata(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	ends, err := b.admin.ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(topic, partition)
	for next := int64(0); next < end.Offset; {
		part := kmsg.NewFetchRequestTopicPartition()
		part.Partition, part.FetchOffset, part.PartitionMaxBytes = partition, next, 1<<20
		asked := kmsg.NewFetchRequestTopic()
		asked.Topic, asked.TopicID, asked.Partitions = topic, metadata.Topics[topic].ID, []kmsg.FetchRequestTopicPartition{part}
		req := kmsg.NewPtrFetchRequest()
		req.MaxBytes, req.Topics = 1<<20, []kmsg.FetchRequestTopic{asked}
		res, err := req.RequestWith(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Topics) == 0 {
			t.Fatalf("fetch of %s-%d: code %d", topic, partition, res.ErrorCode)
		}
		got := res.Topics[0].Partitions[0].RecordBatches
		if len(got) < 12 {
			t.Fatalf("nothing at offset %d of %d", next, end.Offset)
		}
		for len(got) >= 12 {
			n := 12 + int(binary.BigEndian.Uint32(got[8:]))
			if n > len(got) {
				break
			}
			var batch kmsg.RecordBatch
			if err := batch.ReadFrom(got[:n]); err != nil {
				t.Fatal(err)
			}
			got = got[n:]
			all = append(all, batch)
			next = batch.FirstOffset + int64(batch.LastOffsetDelta) + 1
		}
	}
	return all
}
