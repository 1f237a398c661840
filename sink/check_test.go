package sink_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
)

// examine looks at the topics orders and what begins with order.
func examine(t *testing.T, cfg sink.Config, look sink.Look) sink.Report {
	t.Helper()
	if look.TransactionalID == nil {
		look.TransactionalID = func(context.Context) string { return "walrelay-1-x" }
	}
	began := time.Now()
	report := sink.Check(t.Context(), cfg, look)
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("it took %s", took)
	}
	for _, f := range report.Findings {
		if f.Detail == "" || f.Level == replication.Fail && (f.Cause == "" || f.Remedy == "") || f.Level == replication.Warn && f.Remedy == "" {
			t.Errorf("says too little: %+v", f)
		}
	}
	return report
}

// expect looks for a finding and its words.
func expect(t *testing.T, r sink.Report, name string, level replication.Level, words ...string) {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f sink.Finding) bool { return f.Name == name && f.Level == level })
	if i < 0 {
		t.Errorf("no %s of %q among:", level, name)
		for _, f := range r.Findings {
			t.Logf("%s %s: %s", f.Level, f.Name, f.Detail)
		}
		return
	}
	f := r.Findings[i]
	all := strings.Join([]string{f.Detail, f.Cause, f.Remedy}, "\n")
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("%s: no %q in:\n%s", name, w, all)
		}
	}
}

func fails(r sink.Report) (names []string) {
	for _, f := range r.Findings {
		if f.Level == replication.Fail {
			names = append(names, f.Name)
		}
	}
	return names
}

func TestCheck_good(t *testing.T) {
	c := fake(t, kfake.NumBrokers(3))
	r := examine(t, sink.Config{Brokers: c.ListenAddrs()}, sink.Look{Topics: []string{"orders"}})
	if bad := fails(r); len(bad) > 0 {
		t.Errorf("%v in %+v", bad, r.Findings)
	}
	for _, name := range []string{"kafka", "cluster", "broker 0", "broker 1", "broker 2", "tls", "sasl", "api versions", `topic "orders"`, "idempotent producer", "write fence"} {
		expect(t, r, name, replication.OK)
	}
	if !strings.Contains(r.Server, "3 brokers") {
		t.Errorf("server: %s", r.Server)
	}
}

// TestCheck_away: addresses that do not answer, some or all.
func TestCheck_away(t *testing.T) {
	c := fake(t)
	good := c.ListenAddrs()[0]
	r := examine(t, sink.Config{Brokers: []string{"127.0.0.1:1", good}}, sink.Look{Topics: []string{"orders"}})
	expect(t, r, "bootstrap 127.0.0.1:1", replication.Warn, "refused")
	expect(t, r, `topic "orders"`, replication.OK)

	r = examine(t, sink.Config{Brokers: []string{"127.0.0.1:1"}}, sink.Look{Topics: []string{"orders"}})
	expect(t, r, "kafka", replication.Fail, "127.0.0.1:1", "start Kafka")
	if len(r.Findings) != 1 {
		t.Errorf("%+v", r.Findings)
	}
	r = examine(t, sink.Config{Brokers: []string{"no.such.host.invalid:9092"}}, sink.Look{})
	expect(t, r, "kafka", replication.Fail, "DNS")
}

// TestCheck_largest: an event that is there and that a topic would not take.
func TestCheck_largest(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "dead"))
	if err := c.CreateTopic("small", 1, map[string]string{"max.message.bytes": "300000"}); err != nil {
		t.Fatal(err)
	}
	for bytes, level := range map[int64]replication.Level{200_000: replication.OK, 400_000: replication.Warn} {
		r := examine(t, sink.Config{Brokers: c.ListenAddrs()}, sink.Look{Topics: []string{"orders", "small", "dead"}, Purpose: map[string]string{"dead": "for dead letters"},
			LargestEvent: func(context.Context) int64 { return bytes }})
		expect(t, r, "largest event", level, `topic "small" takes 300000`)
	}
}

// TestCheck_advertised: the bootstrap address answers, what a broker advertises does
// not.
func TestCheck_advertised(t *testing.T) {
	c := fake(t, kfake.NumBrokers(2))
	addresses := c.ListenAddrs()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == addresses[1] {
			return nil, errors.New("no route")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	r := examine(t, sink.Config{Brokers: addresses[:1], Dial: dial}, sink.Look{Topics: []string{"orders"}})
	expect(t, r, "broker 1", replication.Fail, "advertises "+addresses[1], "no route", "advertised.listeners")
	expect(t, r, "broker 0", replication.OK)
}

// TestCheck_silent: a port that takes connections and says nothing.
func TestCheck_silent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := examine(t, sink.Config{Brokers: []string{l.Addr().String()}}, sink.Look{})
	expect(t, r, "kafka", replication.Fail, "does not answer")
}

func TestCheck_topics(t *testing.T) {
	c := fake(t, kfake.NumBrokers(3), kfake.AllowAutoTopicCreation())
	for name, settings := range map[string]map[string]string{
		"order.compact":  {"cleanup.policy": "compact"},
		"order.clock":    {"message.timestamp.type": "LogAppendTime"},
		"order.short":    {"retention.ms": "60000"},
		"order.small":    {"max.message.bytes": "1000"},
		"order.isr":      {"min.insync.replicas": "4"},
		"order.past":     {"message.timestamp.before.max.ms": "3600000"},
		"dead":           {},
		"walrelay.pulse": {},
	} {
		if err := c.CreateTopic(name, 3, settings); err != nil {
			t.Fatal(err)
		}
	}
	r := examine(t, sink.Config{Brokers: c.ListenAddrs()}, sink.Look{
		Topics: []string{"dead", "walrelay.pulse", "absent", "bad name"}, Purpose: map[string]string{"dead": "for dead letters", "walrelay.pulse": "for the canary", "absent": "for something"},
		Like: func(topic string) bool { return strings.HasPrefix(topic, "order.") },
	})
	expect(t, r, `topic "dead"`, replication.OK, "for dead letters")
	expect(t, r, `topic "walrelay.pulse"`, replication.OK, "for the canary")
	expect(t, r, `topic "absent"`, replication.Fail, "is not there (for something)", "--create --topic absent", "kafka.topics.create")
	expect(t, r, `topic "order.compact" cleanup.policy`, replication.Warn, "cleanup.policy=delete")
	expect(t, r, `topic "order.clock" message.timestamp.type`, replication.Warn, "look back", "message.timestamp.type=CreateTime")
	expect(t, r, `topic "order.short" retention.ms`, replication.Warn, "1m0s")
	expect(t, r, `topic "order.small" max.message.bytes`, replication.Warn, "poison", "--topic order.small")
	expect(t, r, `topic "order.isr" replicas`, replication.Warn, "takes nothing then")
	expect(t, r, `topic "order.past" message.timestamp.before.max.ms`, replication.Warn, "too old")
}

// TestCheck_manyTopics shows only those of many that something is wrong with.
func TestCheck_manyTopics(t *testing.T) {
	var names []string
	for n := range 12 {
		names = append(names, "order."+string(rune('a'+n)))
	}
	c := fake(t, kfake.SeedTopics(1, names...))
	if err := c.CreateTopic("order.bad", 1, map[string]string{"cleanup.policy": "compact"}); err != nil {
		t.Fatal(err)
	}
	look := sink.Look{Like: func(topic string) bool { return strings.HasPrefix(topic, "order.") }}
	r := examine(t, sink.Config{Brokers: c.ListenAddrs()}, look)
	expect(t, r, "topics of the route", replication.OK, "12 of 13 are well")
	expect(t, r, `topic "order.bad" cleanup.policy`, replication.Warn)
	for _, f := range r.Findings {
		if strings.HasPrefix(f.Name, `topic "order.a"`) {
			t.Errorf("%+v", f)
		}
	}
	look.Like = func(string) bool { return false }
	expect(t, examine(t, sink.Config{Brokers: c.ListenAddrs()}, look), "topics of the route", replication.Warn, "none there yet", "kafka.topics.create")
	expect(t, examine(t, sink.Config{Brokers: c.ListenAddrs(), Create: &sink.TopicCreation{Partitions: 1, ReplicationFactor: 1}}, look), "topics of the route", replication.OK, "made with its first event")
}

// TestCheck_create: the cluster is asked whether it would make a topic, and makes none.
func TestCheck_create(t *testing.T) {
	c := fake(t)
	create := func(n int) sink.Config {
		return sink.Config{Brokers: c.ListenAddrs(), Create: &sink.TopicCreation{Partitions: 3, ReplicationFactor: n}}
	}
	expect(t, examine(t, create(1), sink.Look{Topics: []string{"new"}}), `topic "new"`, replication.OK, "will be made with 3 partitions")
	if c.TopicInfo("new") != nil {
		t.Error("it was made")
	}
	if c.ControlKey(int16(kmsg.CreateTopics), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.CreateTopicsRequest)
		res := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		topic := kmsg.NewCreateTopicsResponseTopic()
		topic.Topic, topic.ErrorCode = req.Topics[0].Topic, 38 // INVALID_REPLICATION_FACTOR
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	}); true {
		expect(t, examine(t, create(5), sink.Look{Topics: []string{"new"}}), `topic "new"`, replication.Fail, "replication_factor: 1 at most")
	}
}

// acl lets the user me do something.
func acl(kind kmsg.ACLResourceType, name string, operations ...kmsg.ACLOperation) (list []kfake.ACL) {
	for _, o := range operations {
		list = append(list, kfake.ACL{Resource: kind, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: o, Allow: true})
	}
	return list
}

func TestCheck_rights(t *testing.T) {
	const topics, ids, whole = kmsg.ACLResourceTypeTopic, kmsg.ACLResourceTypeTransactionalId, kmsg.ACLResourceTypeCluster
	all := slices.Concat(
		acl(topics, "orders", kmsg.ACLOperationWrite, kmsg.ACLOperationRead, kmsg.ACLOperationDescribe, kmsg.ACLOperationDescribeConfigs),
		acl(topics, "written", kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe),
		acl(topics, "seen", kmsg.ACLOperationDescribe, kmsg.ACLOperationRead),
		acl(whole, "kafka-cluster", kmsg.ACLOperationIdempotentWrite, kmsg.ACLOperationDescribe),
		acl(ids, "walrelay-1-x", kmsg.ACLOperationDescribe, kmsg.ACLOperationWrite),
		acl(ids, "walrelay-1-seen", kmsg.ACLOperationDescribe),
	)
	c := fake(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(1, "orders", "written", "seen", "hidden"),
		kfake.Superuser("PLAIN", "root", "x"), kfake.User("PLAIN", "me", "secret", all...), kfake.User("PLAIN", "nobody", "secret"))
	cfg := sink.Config{Brokers: c.ListenAddrs(), SASL: plain.Mechanism{Username: "me", Password: "secret"}}
	r := examine(t, cfg, sink.Look{Topics: []string{"orders", "written", "seen", "hidden", "new"}})
	expect(t, r, "sasl", replication.Warn, "PLAIN without TLS", "in the clear")
	expect(t, r, `topic "orders" rights`, replication.OK)
	expect(t, r, `topic "written" rights`, replication.Warn, "no look back", "--operation Read --topic written")
	expect(t, r, `topic "written" max.message.bytes`, replication.Warn, "1 MiB is assumed", "--operation DescribeConfigs --topic written")
	expect(t, r, `topic "seen" rights`, replication.Fail, "no right to write", "--operation Write")
	expect(t, r, `topic "hidden"`, replication.Fail, "no right to see it", "--topic hidden")
	expect(t, r, "idempotent producer", replication.OK)
	expect(t, r, "write fence", replication.OK)
	for id, want := range map[string]string{"walrelay-1-seen": "Write", "walrelay-2-y": "Describe"} {
		r = examine(t, cfg, sink.Look{TransactionalID: func(context.Context) string { return id }})
		expect(t, r, "write fence", replication.Warn, id, "--transactional-id walrelay- --resource-pattern-type prefixed", want)
	}
	r = examine(t, cfg, sink.Look{TransactionalID: func(context.Context) string { return "" }})
	expect(t, r, "write fence", replication.Warn, "not looked at")

	cfg.SASL = plain.Mechanism{Username: "nobody", Password: "secret"}
	cfg.Create = &sink.TopicCreation{Partitions: 1, ReplicationFactor: 1}
	r = examine(t, cfg, sink.Look{Topics: []string{"orders", "new"}})
	expect(t, r, "idempotent producer", replication.Fail, "--operation IdempotentWrite --cluster")
	expect(t, r, `topic "orders"`, replication.Fail, "no right to see it")

	cfg.SASL = plain.Mechanism{Username: "me", Password: "wrong-password"}
	r = examine(t, cfg, sink.Look{})
	expect(t, r, "kafka", replication.Fail, "kafka.sasl.password")
	if strings.Contains(r.Findings[0].Detail+r.Findings[0].Remedy, "wrong-password") {
		t.Error("the password is shown")
	}
	cfg.SASL = nil
	r = examine(t, cfg, sink.Look{})
	expect(t, r, "cluster", replication.Fail, "expects SASL (kafka.sasl)")
}

func TestCheck_tls(t *testing.T) {
	cert, pool := certificate(t) // for an hour
	c := fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	cfg := sink.Config{Brokers: c.ListenAddrs(), TLS: &tls.Config{RootCAs: pool}}
	r := examine(t, cfg, sink.Look{Topics: []string{"orders"}})
	expect(t, r, "tls", replication.Warn, "TLS 1.3", "(0 days)", "renew")
	cfg.TLS = &tls.Config{InsecureSkipVerify: true}
	expect(t, examine(t, cfg, sink.Look{}), "tls", replication.Warn, "not verified")
	cfg.TLS = &tls.Config{}
	expect(t, examine(t, cfg, sink.Look{}), "kafka", replication.Fail, "kafka.tls.ca_file")
	cfg.TLS = nil
	expect(t, examine(t, cfg, sink.Look{}), "kafka", replication.Fail, "expects TLS")
	bare := fake(t)
	cfg = sink.Config{Brokers: bare.ListenAddrs(), TLS: &tls.Config{RootCAs: pool}}
	expect(t, examine(t, cfg, sink.Look{}), "kafka", replication.Fail, "does not speak TLS")
}

// TestCheck_old: a broker that lacks what the relay uses.
func TestCheck_old(t *testing.T) {
	old := kversion.V2_4_0()
	old.SetMaxKeyVersion(int16(kmsg.DescribeConfigs), -1)
	c := fake(t, kfake.MaxVersions(old))
	r := examine(t, sink.Config{Brokers: c.ListenAddrs(), Create: &sink.TopicCreation{}, Compression: "zstd"}, sink.Look{Topics: []string{"orders"}})
	expect(t, r, "api versions", replication.Warn, "compare epochs")
	older := kversion.V1_0_0()
	older.SetMaxKeyVersion(int16(kmsg.InitProducerID), -1)
	c = fake(t, kfake.MaxVersions(older))
	r = examine(t, sink.Config{Brokers: c.ListenAddrs(), Compression: "zstd"}, sink.Look{Topics: []string{"orders"}})
	expect(t, r, "api versions", replication.Fail, "offers no InitProducerId", "repeated event")
	if !slices.ContainsFunc(r.Findings, func(f sink.Finding) bool { return strings.Contains(f.Cause, "zstd is not taken") }) {
		t.Errorf("%+v", r.Findings)
	}
}

// TestCheck_mechanism: the listener takes another one.
func TestCheck_mechanism(t *testing.T) {
	c := fake(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "root", "x"))
	r := examine(t, sink.Config{Brokers: c.ListenAddrs(), SASL: mechanism(t, "root", "x")}, sink.Look{})
	expect(t, r, "kafka", replication.Fail, "kafka.sasl")
}
