package sink

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/sasl/plain"

	"github.com/walrelay/walrelay/replication"
)

func TestRecogniseKafka(t *testing.T) {
	for _, test := range []struct{ address, cluster, want string }{
		{"localhost:9092", "", ""},
		{"shop.servicebus.windows.net:9093", "", "Azure Event Hubs"},
		{"pkc-1.eu-central-1.aws.confluent.cloud:9092", "lkc-1", "Confluent Cloud"},
		{"b-1.shop.abc.c2.kafka.eu-west-1.amazonaws.com:9096", "", "Amazon MSK"},
		{"boot-x.c1.kafka-serverless.eu-west-1.amazonaws.com:9098", "", "Amazon MSK"},
		{"seed.x.fmc.prd.cloud.redpanda.com:9092", "", "Redpanda"},
		{"10.0.0.1:9092", "redpanda.0b0b", "Redpanda"},
		{"kafka-1.aivencloud.com:1234", "", "Aiven for Apache Kafka"},
		{"kafka.example.com:9092", "abc", ""},
	} {
		s := recogniseKafka([]string{test.address}, test.cluster)
		if s.name != test.want {
			t.Errorf("%+v: %q", test, s.name)
		}
		if !strings.Contains(s.title(test.address), test.address) || s.lacks() == "" {
			t.Errorf("%+v: %q, %q", test, s.title(test.address), s.lacks())
		}
	}
}

func TestServiceNotes(t *testing.T) {
	secret := plain.Mechanism{Username: "k", Password: "s"}
	for _, test := range []struct {
		address string
		cfg     Config
		level   replication.Level
		says    string
	}{
		{"x.servicebus.windows.net:9093", Config{}, replication.Warn, "1,046,528"},
		{"x.servicebus.windows.net:9093", Config{Compression: "zstd"}, replication.Fail, "zstd is not taken"},
		{"x.confluent.cloud:9092", Config{SASL: secret}, replication.Fail, "kafka.tls.enabled: true"},
		{"x.confluent.cloud:9092", Config{SASL: secret, TLS: &tls.Config{}}, replication.OK, "3 replicas"},
		{"b-1.a.kafka.eu-west-1.amazonaws.com:9098", Config{}, replication.Fail, "SCRAM"},
		{"b-1.a.kafka.eu-west-1.amazonaws.com:9096", Config{}, replication.OK, "SCRAM"},
		{"x.redpanda.com:9092", Config{}, replication.OK, "enable_idempotence"},
	} {
		notes := recogniseKafka([]string{test.address}, "").notes(test.cfg)
		if !slices.ContainsFunc(notes, func(f Finding) bool {
			return f.Level == test.level && strings.Contains(f.Detail+f.Cause+f.Remedy, test.says)
		}) {
			t.Errorf("%s: %+v", test.address, notes)
		}
	}
	if notes := recogniseKafka([]string{"localhost:9092"}, "").notes(Config{}); notes != nil {
		t.Errorf("%+v", notes)
	}
}

// TestReplicas: replicas, those in sync and leaders against what acks=all asks for.
func TestReplicas(t *testing.T) {
	part := func(leader int32, replicas, isr int) metadata.ResponsePartition {
		return metadata.ResponsePartition{LeaderID: leader, ReplicaNodes: make([]int32, replicas), IsrNodes: make([]int32, isr)}
	}
	for name, test := range map[string]struct {
		brokers int
		parts   []metadata.ResponsePartition
		isr     string
		level   replication.Level
		finding string // "": none
		says    string
	}{
		"well":             {3, []metadata.ResponsePartition{part(1, 3, 3)}, "2", replication.OK, "", ""},
		"one broker":       {1, []metadata.ResponsePartition{part(1, 1, 1)}, "1", replication.OK, "", ""},
		"no leader":        {3, []metadata.ResponsePartition{part(1, 3, 3), part(-1, 3, 0)}, "2", replication.Fail, "leaders", "partition 0"},
		"too few replicas": {3, []metadata.ResponsePartition{part(1, 1, 1)}, "2", replication.Warn, "replicas", "takes nothing then"},
		"too few in sync":  {3, []metadata.ResponsePartition{part(1, 3, 1)}, "2", replication.Fail, "replicas", "refused there until"},
		"lagging":          {3, []metadata.ResponsePartition{part(1, 3, 2)}, "2", replication.Warn, "replicas", "1 partition under-replicated"},
		"no room":          {3, []metadata.ResponsePartition{part(1, 3, 3)}, "3", replication.Warn, "replicas", "min.insync.replicas=2"},
		"single":           {3, []metadata.ResponsePartition{part(1, 1, 1)}, "1", replication.Warn, "replicas", "one replica only"},
		"one is enough":    {3, []metadata.ResponsePartition{part(1, 3, 3)}, "1", replication.Warn, "replicas", "min.insync.replicas is 1"},
		"settings unknown": {3, []metadata.ResponsePartition{part(1, 3, 3)}, "", replication.OK, "", ""},
	} {
		k := &checkup{cfg: Config{Brokers: []string{"b:1"}}, md: &metadata.Response{Brokers: make([]metadata.ResponseBroker, test.brokers)}}
		summary, list := k.replicas("t", &metadata.ResponseTopic{Name: "t", Partitions: test.parts}, topicSettings{"min.insync.replicas": test.isr})
		if summary.Level != replication.OK || !strings.Contains(summary.Detail, "replica") {
			t.Errorf("%s: %+v", name, summary)
		}
		if test.finding == "" {
			if len(list) != 0 {
				t.Errorf("%s: %+v", name, list)
			}
			continue
		}
		if len(list) != 1 || list[0].Name != "t "+test.finding || list[0].Level != test.level || !strings.Contains(list[0].Detail+list[0].Cause+list[0].Remedy, test.says) {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

func TestSecurity(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ends := func(days int) *link {
		return &link{address: "b:1", tls: &tls.ConnectionState{Version: tls.VersionTLS12, PeerCertificates: []*x509.Certificate{{NotAfter: now.AddDate(0, 0, days)}}}}
	}
	k := &checkup{cfg: Config{TLS: &tls.Config{}}, md: &metadata.Response{}}
	if f := k.tlsFinding([]*link{ends(100), ends(60)}, now); f.Level != replication.OK || !strings.Contains(f.Detail, "2026-03-02") {
		t.Errorf("%+v", f)
	}
	if f := k.tlsFinding([]*link{ends(100), ends(5)}, now); f.Level != replication.Warn || !strings.Contains(f.Detail, "5 days") {
		t.Errorf("%+v", f)
	}
	k = &checkup{md: &metadata.Response{Brokers: []metadata.ResponseBroker{{Host: "127.0.0.1", Port: 9092}}}}
	if f := k.plainFinding(); f.Level != replication.OK {
		t.Errorf("%+v", f)
	}
	k.md.Brokers = append(k.md.Brokers, metadata.ResponseBroker{Host: "kafka.example.com", Port: 9092})
	if f := k.plainFinding(); f.Level != replication.Warn {
		t.Errorf("%+v", f)
	}
}

// TestVersions: a broker that is too new for this walrelay is another matter than one
// that is too old.
func TestVersions(t *testing.T) {
	offers := func(produce versionRange) *link {
		l := &link{address: "b:1", apis: map[protocol.ApiKey]versionRange{}}
		for _, n := range needs {
			l.apis[n.key] = versionRange{0, 20}
		}
		l.apis[protocol.Produce] = produce
		return l
	}
	for _, test := range []struct {
		produce versionRange
		level   replication.Level
		says    string
	}{
		{versionRange{3, 11}, replication.OK, "all that the relay uses"},
		{versionRange{0, 2}, replication.Fail, "up to version 2, version 3 is needed"},
		{versionRange{30, 40}, replication.Fail, "a newer walrelay"},
	} {
		k := &checkup{}
		k.versions([]*link{offers(versionRange{3, 11}), offers(test.produce)})
		if len(k.findings) != 1 || k.findings[0].Level != test.level || !strings.Contains(k.findings[0].Detail+k.findings[0].Remedy, test.says) {
			t.Errorf("%+v: %+v", test, k.findings)
		}
	}
}

// TestAbsent: topics that are there and can't be used.
func TestAbsent(t *testing.T) {
	k := &checkup{cfg: Config{Brokers: []string{"b:1"}}, md: &metadata.Response{}}
	for code, want := range map[kafka.Error]string{
		kafka.InvalidTopic: "249", kafka.TopicAuthorizationFailed: "kafka-acls.sh", kafka.UnknownTopicOrPartition: "--create", kafka.LeaderNotAvailable: "look after the cluster",
	} {
		f := k.absent(t.Context(), "t", &metadata.ResponseTopic{Name: "t", ErrorCode: int16(code)})
		if f.Level != replication.Fail || !strings.Contains(f.Remedy, want) {
			t.Errorf("%v: %+v", code, f)
		}
	}
}
