package sink_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// rejectValues refuses batches that hold one of the values, as a broker does: the
// whole batch, with code.
func rejectValues(t testing.TB, c *kfake.Cluster, topic string, code int16, values ...uint64) {
	bad := map[string]bool{}
	for _, v := range values {
		bad[strconv.FormatUint(v, 10)] = true
	}
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := r.ResponseKind().(*kmsg.ProduceResponse)
		refused := false
		for _, rt := range r.(*kmsg.ProduceRequest).Topics {
			out := kmsg.NewProduceResponseTopic()
			out.Topic = rt.Topic
			for _, rp := range rt.Partitions {
				var b kmsg.RecordBatch
				if err := b.ReadFrom(rp.Records); err != nil {
					t.Error(err)
				}
				records, err := kfake.BatchRecords(b)
				if err != nil {
					t.Error(err)
				}
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = rp.Partition, 19 // the others wait
				for _, r := range records {
					if rt.Topic == topic && bad[string(r.Value)] {
						p.ErrorCode, refused = code, true
					}
				}
				out.Partitions = append(out.Partitions, p)
			}
			res.Topics = append(res.Topics, out)
		}
		return res, nil, refused
	})
}

// The one record that a broker refuses inside a batch of many is found; all
// others are delivered in order, and progress never passes it.
func TestReject_leaveOutOrInstead(t *testing.T) {
	for _, code := range []int16{10, 18, 32, 87} {
		for _, instead := range []bool{false, true} {
			for _, compression := range []string{"none", "zstd"} {
				t.Run(strconv.Itoa(int(code))+"/"+map[bool]string{true: "instead", false: "leave out"}[instead]+"/"+compression, func(t *testing.T) {
					t.Parallel()
					c := fake(t, kfake.SeedTopics(1, "one", "dead"))
					bad := []uint64{0, 77, 78, 399}
					rejectValues(t, c, "one", code, bad...)
					var mu sync.Mutex
					var met []string
					var v *observer
					o := start(t, sink.Config{Brokers: c.ListenAddrs(), Compression: compression, Hooks: sink.Hooks{Reject: func(r sink.Rejection) sink.Remedy {
						mu.Lock()
						defer mu.Unlock()
						met = append(met, string(r.Record.Value))
						if r.Record.Topic != "one" || r.Partition != 0 || r.Size <= 0 || r.Limit != 1048588 || string(r.Record.Key) != "1" {
							t.Errorf("rejection %+v", r)
						}
						if !instead {
							n, _ := strconv.ParseUint(string(r.Record.Value), 10, 64)
							v.leftOut(n)
							return sink.Remedy{}
						}
						dead := r.Record
						dead.Topic, dead.Partition = "dead", -1
						return sink.Remedy{Instead: &dead}
					}}})
					o.p.Learn("dead")
					mu.Lock()
					v = observe(o, c, "one", "dead")
					mu.Unlock()
					waitFor(t, "topics", func() bool { return o.p.Partitions("dead") == 1 })
					for range 400 {
						if err := o.send(numbered("one", 1, o.number)); err != nil {
							t.Fatal(err)
						}
					}
					o.flush()
					o.settled()
					v.stop()
					exact(t, logOf(t, c, "one"), o.number, bad...)
					if got := strings.Join(met, " "); got != "0 77 78 399" {
						t.Errorf("rejected: %s", got)
					}
					dead := logOf(t, c, "dead")
					if instead && len(dead) != len(bad) || !instead && len(dead) != 0 {
						t.Errorf("%d records in the dead-letter topic", len(dead))
					}
				})
			}
		}
	}
}

// The dead letter may itself be refused: the hook decides again.
func TestReject_deadLetterRefused(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "one", "dead"))
	rejectValues(t, c, "one", 87, 5)
	rejectValues(t, c, "dead", 87, 5)
	var topics []string
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Reject: func(r sink.Rejection) sink.Remedy {
		topics = append(topics, r.Record.Topic)
		if r.Record.Topic == "dead" {
			return sink.Remedy{}
		}
		dead := r.Record
		dead.Topic, dead.Partition = "dead", -1
		return sink.Remedy{Instead: &dead}
	}}})
	o.p.Learn("dead")
	waitFor(t, "topics", func() bool { return o.p.Partitions("dead") == 1 })
	for range 10 {
		if err := o.send(numbered("one", 1, o.number)); err != nil {
			t.Fatal(err)
		}
	}
	o.flush()
	o.settled()
	exact(t, logOf(t, c, "one"), o.number, 5)
	if got := strings.Join(topics, " "); got != "one dead" {
		t.Errorf("rejected: %s", got)
	}
}

func TestReject_stop(t *testing.T) {
	for name, hook := range map[string]func(sink.Rejection) sink.Remedy{
		"no hook": nil,
		"stop":    func(sink.Rejection) sink.Remedy { return sink.Remedy{Stop: true} },
	} {
		t.Run(name, func(t *testing.T) {
			c := fake(t, kfake.SeedTopics(1, "one"))
			rejectValues(t, c, "one", 87, 30)
			o := start(t, sink.Config{Brokers: c.ListenAddrs(), Hooks: sink.Hooks{Reject: hook}})
			for range 100 {
				if err := o.send(numbered("one", 1, o.number)); err != nil {
					break // the producer may have ended before the last
				}
			}
			o.p.Dispatch()
			err := <-o.ended
			o.ended <- err
			var p *routing.Poison
			if !errors.As(err, &p) || p.Reason != "invalid_record" {
				t.Errorf("ended with %v", err)
			}
			if n, _, ok := o.p.Oldest(); !ok || n > 30 {
				t.Errorf("the oldest unacknowledged is %d (%v), the poison 30", n, ok)
			}
			exact(t, logOf(t, c, "one"), 30)
		})
	}
}

// max.message.bytes is the topic's own, and it is read again before a record is
// called too large: it may have been raised for it.
func TestSize_topicsOwnLimit(t *testing.T) {
	c := fake(t)
	small := "1000"
	if err := c.CreateTopic("small", 1, map[string]string{"max.message.bytes": small}); err != nil {
		t.Fatal(err)
	}
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	value := func(n int) *routing.Record {
		return &routing.Record{Topic: "small", Partition: -1, Key: []byte("k"), Value: []byte(strings.Repeat("0", n))}
	}
	fits := 0
	for n := 800; n < 1000; n++ { // exactly up to the limit
		var p *routing.Poison
		switch err := o.send(value(n)); {
		case errors.As(err, &p):
			if p.Reason != routing.ReasonTooLarge {
				t.Fatal(err)
			}
		case err != nil:
			t.Fatal(err)
		default:
			fits = n
		}
	}
	o.flush()
	// 61 bytes of batch header; 2 of the record's length, 4 of attributes, deltas and
	// headers, 2 of the key and 2 of the value's length.
	if fits != 1000-61-2-4-2-2 {
		t.Errorf("values up to %d bytes fit", fits)
	}
	if err := setConfig(c, "small", "max.message.bytes", "100000"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2100 * time.Millisecond) // what was read just now is believed for 2 s
	if err := o.send(value(50_000)); err != nil {
		t.Fatalf("the limit was raised, and still: %v", err)
	}
	o.flush()
	o.settled()
}

// A record above the limit that fits once compressed goes through.
func TestSize_fitsCompressed(t *testing.T) {
	c := fake(t)
	if err := c.CreateTopic("small", 1, map[string]string{"max.message.bytes": "1000"}); err != nil {
		t.Fatal(err)
	}
	o := start(t, sink.Config{Brokers: c.ListenAddrs(), Compression: "zstd"})
	for range 10 {
		if err := o.send(&routing.Record{Topic: "small", Partition: -1, Value: []byte(strings.Repeat("0", 50_000))}); err != nil {
			t.Fatal(err)
		}
	}
	o.flush()
	o.settled()
	if n := len(logOf(t, c, "small")); n != 10 {
		t.Errorf("%d of 10 records", n)
	}
}

// A limit lowered behind the producer's back: batches are split until they fit.
func TestSize_loweredMeanwhile(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "one"))
	o := start(t, sink.Config{Brokers: c.ListenAddrs()})
	if err := o.send(numbered("one", 1, o.number)); err != nil {
		t.Fatal(err)
	}
	o.flush()
	if err := setConfig(c, "one", "max.message.bytes", "300"); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if err := o.send(numbered("one", 1, o.number)); err != nil {
			t.Fatal(err)
		}
	}
	o.flush()
	o.settled()
	exact(t, logOf(t, c, "one"), o.number)
}
