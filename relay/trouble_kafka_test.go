package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
)

// producing is a producer of the sink, what it says, and its end.
type producing struct {
	*sink.Producer
	waits chan error // each as a *WaitError, as far as somebody looks
	ended chan error
}

func produceTo(t *testing.T, cfg sink.Config) *producing {
	t.Helper()
	p := &producing{waits: make(chan error, 100), ended: make(chan error, 1)}
	cfg.Hooks.Wait = func(what string, err error) {
		if err != nil {
			select {
			case p.waits <- &WaitError{what, err}:
			default:
			}
		}
	}
	var err error
	if p.Producer, err = sink.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.ended <- p.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	p.Fence("")
	p.Learn("one")
	return p
}

// one hands a record over as soon as the producer takes it.
func (p *producing) one(t *testing.T) {
	t.Helper()
	rec, at := event("one", 0)
	for {
		err := p.Produce(rec, sink.Meta{Committed: at.UnixMicro()})
		switch {
		case err == nil:
			p.Dispatch()
			return
		case !errors.Is(err, sink.ErrPending):
			t.Fatal(err)
		}
		select {
		case <-p.Changed():
		case <-time.After(20 * time.Second):
			t.Fatal("takes nothing")
		}
	}
}

// The sink and the table decide alike about every answer that a broker may give to
// a produce request: what the sink sends again is waited out, what ends it is not.
func TestDiagnose_asTheSinkJudges(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "one"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	answers := make(chan int16, 2)
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		select {
		case code := <-answers:
			return refuse(r.(*kmsg.ProduceRequest), code), nil, true
		default:
			return nil, nil, false
		}
	})
	for code := kafka.Error(1); code <= 106; code++ {
		p := produceTo(t, sink.Config{Brokers: c.ListenAddrs()})
		answers <- int16(code)
		answers <- int16(code) // what is said of one record is believed the second time
		p.one(t)
		entry := Diagnose(code)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := p.Flush(ctx)
		switch got := Diagnose(err); {
		case err == nil && code != kafka.DuplicateSequenceNumber && (!entry.Retry || entry.wait != retry):
			t.Errorf("%d: the sink sends again, its entry is %s", code, entry.Code)
		case err != nil && p.Err() == nil:
			t.Errorf("%d: %v", code, err)
		case err != nil && (got.Retry != entry.Retry || got.wait != entry.wait || got.Retry && got.wait == retry):
			t.Errorf("%d: the sink ends with %v (%s), its entry is %s", code, err, got.Code, entry.Code)
		}
		cancel()
		for len(answers) > 0 {
			<-answers // one was enough
		}
	}
}

// refuse answers every partition of a request with code.
func refuse(r *kmsg.ProduceRequest, code int16) kmsg.Response {
	res := r.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range r.Topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic, t.TopicID = topic.Topic, topic.TopicID
		for _, part := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = part.Partition, code
			t.Partitions = append(t.Partitions, p)
		}
		res.Topics = append(res.Topics, t)
	}
	return res
}

// What the sink itself says of a cluster that it can't work with has its code.
func TestDiagnose_bySink(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := nobody.Addr().String()
	_ = nobody.Close() // nobody listens there any more
	secret := kfake.TLS(&tls.Config{Certificates: []tls.Certificate{selfSigned(t)}})
	for name, c := range map[string]struct {
		broker []kfake.Opt
		cfg    sink.Config
		want   string
	}{
		"refused":            {nil, sink.Config{Brokers: []string{closed}}, codeKafkaRefused},
		"no such host":       {nil, sink.Config{Dial: unresolved, Brokers: []string{"broker:1"}}, codeKafkaHost},
		"plain text to TLS":  {[]kfake.Opt{secret}, sink.Config{}, codeKafkaCloses},
		"certificate":        {[]kfake.Opt{secret}, sink.Config{TLS: &tls.Config{}}, codeKafkaCert},
		"no topic":           {nil, sink.Config{}, codeNoTopic},
		"impossible replica": {nil, sink.Config{Create: &sink.TopicCreation{Partitions: 1, ReplicationFactor: 9}}, codeTopicCreation},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := kfake.NewCluster(append(c.broker, kfake.NumBrokers(1))...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Close)
			if c.cfg.Brokers == nil {
				c.cfg.Brokers = b.ListenAddrs()
			}
			p := produceTo(t, c.cfg)
			for limit := time.After(20 * time.Second); ; {
				select {
				case err := <-p.waits:
					if Diagnose(err).Code == c.want {
						return
					}
					t.Log(err)
				case err := <-p.ended:
					if got := Diagnose(err); got.Code != c.want {
						t.Errorf("ended with %v: %s, want %s", err, got.Code, c.want)
					}
					return
				case <-limit:
					t.Fatalf("nothing was %s", c.want)
				}
			}
		})
	}
}

func unresolved(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "broker", IsNotFound: true}}
}

// The policy of the relay, not the sink, words an event that a broker refuses.
func TestDiagnose_refusedRecord(t *testing.T) {
	r := &Relay{meter: newMeter(nil)}
	rec, _ := event("one", 0)
	if remedy := r.rejected(sink.Rejection{Record: *rec, Reason: routing.ReasonInvalidRecord, Err: kafka.InvalidRecord}); !remedy.Stop {
		t.Fatal("goes on")
	}
	if got := Diagnose(r.refused(&routing.Poison{Reason: routing.ReasonInvalidRecord})); got.Code != codeRecord {
		t.Error(got.Code)
	}
}
