package sink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
)

// faults stands between the producer and its brokers: what it says of the next
// Produce requests becomes of them.
type faults struct {
	next  func() fate // nil: nothing happens
	mu    sync.Mutex
	late  sync.WaitGroup
	conns atomic.Int64 // opened so far
}

// fate is what becomes of a Produce request.
type fate int

const (
	untouched  fate = iota
	lostAnswer      // the broker takes it; the connection breaks before the answer
	cutRequest      // the connection breaks in the middle of it
	delayed         // the connection seems to break; the request arrives later
)

// set chooses the fates from now on.
func (f *faults) set(next func() fate) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = next
}

func (f *faults) fate() fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next == nil {
		return untouched
	}
	return f.next()
}

func (f *faults) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	f.conns.Add(1)
	return &faultyConn{Conn: c, f: f}, nil
}

// faultyConn follows the requests of one connection, one at a time.
type faultyConn struct {
	net.Conn
	f    *faults
	left int    // bytes of the request that are still to come
	fate fate   // of the request
	kept []byte // of a delayed one
}

func (c *faultyConn) Write(b []byte) (int, error) {
	if c.left == 0 && len(b) >= 6 {
		c.left, c.fate, c.kept = 4+int(binary.BigEndian.Uint32(b)), untouched, nil
		if binary.BigEndian.Uint16(b[4:]) == 0 { // Produce
			c.fate = c.f.fate()
		}
	}
	c.left -= len(b)
	switch c.fate {
	case cutRequest:
		_, _ = c.Conn.Write(b[:len(b)/2])
		_ = c.Conn.Close()
		return 0, errors.New("cut in the middle")
	case delayed:
		c.kept = append(c.kept, b...)
		if c.left == 0 {
			c.f.late.Add(1)
			go c.arriveLate(c.kept)
		}
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// arriveLate brings a request to the broker when the producer has long sent it
// again on another connection.
func (c *faultyConn) arriveLate(request []byte) {
	defer c.f.late.Done()
	late, err := net.Dial("tcp", c.RemoteAddr().String())
	if err != nil {
		return
	}
	defer func() { _ = late.Close() }()
	time.Sleep(5 * time.Millisecond) // the delay is the fault
	_, _ = late.Write(request)
	_ = late.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = late.Read(make([]byte, 4)) // until the broker has dealt with it
}

func (c *faultyConn) Read(b []byte) (int, error) {
	switch c.fate {
	case lostAnswer:
		_, _ = c.Conn.Read(b) // the broker has answered
		_ = c.Conn.Close()
		return 0, io.ErrUnexpectedEOF
	case delayed:
		return 0, io.ErrUnexpectedEOF
	}
	return c.Conn.Read(b)
}

// numbered makes a record whose value is the number it is handed over with.
func numbered(topic string, key int, number uint64) *routing.Record {
	return &routing.Record{Topic: topic, Partition: -1, Key: []byte(strconv.Itoa(key)), Value: strconv.AppendUint(nil, number, 10), Timestamp: 1_700_000_000_000 + int64(number)}
}

// load hands over n records of many keys.
func (o *owner) load(n int) {
	o.t.Helper()
	for range n {
		if err := o.send(numbered("orders", int(o.number%37), o.number)); err != nil {
			o.t.Fatal(err)
		}
	}
}

// logOf reads a topic from its start to its end.
func logOf(t testing.TB, c *kfake.Cluster, topic string) []*kgo.Record {
	t.Helper()
	want := 0
	for _, p := range c.PartitionInfos(topic) {
		want += int(p.HighWatermark - p.LogStartOffset)
	}
	if want == 0 {
		return nil
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var out []*kgo.Record
	for len(out) < want {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("read %d of %d records of %q", len(out), want, topic)
		}
		fs.EachRecord(func(r *kgo.Record) { out = append(out, r) })
	}
	return out
}

// exact checks that the log holds the numbers below count but those left out,
// each once, and within every partition in order.
func exact(t testing.TB, log []*kgo.Record, count uint64, out ...uint64) {
	t.Helper()
	seen := make(map[uint64]bool, len(log))
	last := map[int32]uint64{}
	for _, r := range log {
		n, err := strconv.ParseUint(string(r.Value), 10, 64)
		if err != nil {
			t.Fatalf("partition %d offset %d: %q", r.Partition, r.Offset, r.Value)
		}
		if seen[n] {
			t.Errorf("record %d is there twice (partition %d offset %d)", n, r.Partition, r.Offset)
		}
		if before, ok := last[r.Partition]; ok && n <= before {
			t.Errorf("partition %d: %d behind %d", r.Partition, n, before)
		}
		seen[n], last[r.Partition] = true, n
	}
	for _, n := range out {
		if seen[n] {
			t.Errorf("record %d is there", n)
		}
		seen[n] = true
	}
	if len(seen) != int(count) {
		t.Errorf("%d of %d records are there", len(seen), count)
	}
}

// settled checks that nothing is left on the producer's books.
func (o *owner) settled() {
	o.t.Helper()
	s := o.p.Stats()
	used, idle, limit, pending := o.p.Accounts()
	if s.Unacked != 0 || used != 0 || pending != 0 || idle > limit {
		o.t.Errorf("after a flush: %d records, %d bytes out, %d idle of %d, %d bytes pending in lanes", s.Unacked, used, idle, limit, pending)
	}
	if n, _, ok := o.p.Oldest(); ok {
		o.t.Errorf("after a flush %d counts as unacknowledged", n)
	}
}

// onProduce answers the next Produce requests with codes: what codes gives for a
// partition, 0 leaves it to the broker.
func onProduce(c *kfake.Cluster, codes func(topic string, partition int32) int16) {
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.ProduceRequest)
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		bad := false
		for _, t := range req.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic = t.Topic
			for _, p := range t.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, codes(t.Topic, p.Partition)
				bad = bad || rp.ErrorCode != 0
				rt.Partitions = append(rt.Partitions, rp)
			}
			res.Topics = append(res.Topics, rt)
		}
		return res, nil, bad
	})
}

// waitFor waits until ok, which something is expected to make true soon.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// port is a TCP port of this machine that nobody listens on.
type port int

func freePort(t *testing.T) port {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return port(l.Addr().(*net.TCPAddr).Port)
}

func (p port) number() int  { return int(p) }
func (p port) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p))) }

// setConfig changes a topic's setting.
func setConfig(c *kfake.Cluster, topic, name, value string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		return err
	}
	defer cl.Close()
	_, err = kadm.NewClient(cl).AlterTopicConfigs(context.Background(), []kadm.AlterConfig{{Name: name, Value: &value}}, topic)
	return err
}

// addPartitions gives a topic more partitions.
func addPartitions(c *kfake.Cluster, topic string, add int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		return err
	}
	defer cl.Close()
	_, err = kadm.NewClient(cl).CreatePartitions(context.Background(), add, topic)
	return err
}

func portOf(t testing.TB, address string) int32 {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		t.Fatal(err)
	}
	return int32(n)
}
