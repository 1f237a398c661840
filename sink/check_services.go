package sink

import (
	"net"
	"strings"

	"github.com/walrelay/walrelay/replication"
)

// kafkaService is where a cluster runs, or what speaks Kafka's protocol there.
type kafkaService struct {
	name  string // "" for Apache Kafka or anything not known
	hosts []string
	id    string
}

// recogniseKafka decides by the brokers' names and the cluster's id.
func recogniseKafka(addresses []string, clusterID string) kafkaService {
	s := kafkaService{id: clusterID, hosts: addresses}
	for _, a := range addresses {
		host, _, err := net.SplitHostPort(a)
		if err != nil {
			continue
		}
		switch {
		case strings.HasSuffix(host, ".servicebus.windows.net"):
			s.name = "Azure Event Hubs"
		case strings.HasSuffix(host, ".confluent.cloud"):
			s.name = "Confluent Cloud"
		case strings.Contains(host, ".kafka.") && strings.HasSuffix(host, ".amazonaws.com"), strings.Contains(host, ".kafka-serverless."):
			s.name = "Amazon MSK"
		case strings.HasSuffix(host, ".redpanda.com"), strings.HasPrefix(clusterID, "redpanda."):
			s.name = "Redpanda"
		case strings.HasSuffix(host, ".aivencloud.com"):
			s.name = "Aiven for Apache Kafka"
		}
	}
	return s
}

// title names the service and its address.
func (s kafkaService) title(address string) string {
	if s.name == "" {
		return address
	}
	return s.name + ", " + address
}

// lacks ends the advice on an API that is missing.
func (s kafkaService) lacks() string {
	switch s.name {
	case "Azure Event Hubs":
		return "Event Hubs has it in the Premium and Dedicated tiers, if at all"
	case "":
		return "what only speaks Kafka's protocol may lack it for good"
	}
	return "ask " + s.name + " whether another tier has it"
}

// notes are what is known of the service.
func (s kafkaService) notes(cfg Config) (list []Finding) {
	const name = "service"
	port := func(want string) bool {
		for _, a := range s.hosts {
			if _, p, err := net.SplitHostPort(a); err == nil && p == want {
				return true
			}
		}
		return false
	}
	switch s.name {
	case "Azure Event Hubs":
		list = append(list, Finding{
			Name: name, Level: replication.Warn, Detail: "Azure Event Hubs closes the connection on a request above 1,046,528 bytes",
			Cause:  "one event near 1 MB ends in a lost connection instead of an answer, and is tried again without end",
			Remedy: "keep events well below 1 MB (payloads elsewhere, their address in the event); make topics in the portal",
			Doc:    "https://learn.microsoft.com/azure/event-hubs/apache-kafka-configurations",
		})
		if c := cfg.Compression; c != "" && c != "none" && c != "gzip" {
			list = append(list, Finding{Name: "compression", Level: replication.Fail, Detail: c + " is not taken by Azure Event Hubs", Cause: "every batch is refused", Remedy: "kafka.compression: none (or gzip)"})
		}
	case "Confluent Cloud":
		if cfg.SASL == nil || cfg.SASL.Name() != "PLAIN" || cfg.TLS == nil {
			list = append(list, Finding{
				Name: name, Level: replication.Fail, Detail: "Confluent Cloud takes connections with TLS and SASL PLAIN only", Cause: "the brokers close every other connection",
				Remedy: "kafka.tls.enabled: true; kafka.sasl: {mechanism: plain, username: API-KEY, password_file: FILE with the API secret}",
			})
		} else {
			list = append(list, Finding{Name: name, Detail: "Confluent Cloud makes no topic by itself, keeps 3 replicas, and bounds max.message.bytes by the kind of cluster"})
		}
	case "Amazon MSK":
		if port("9098") || port("9198") {
			list = append(list, Finding{
				Name: name, Level: replication.Fail, Detail: "port 9098 of Amazon MSK asks for IAM, which walrelay does not speak", Cause: "the brokers refuse to authenticate",
				Remedy: "turn on SASL/SCRAM for the cluster and use port 9096 with kafka.tls and kafka.sasl.mechanism: scram-sha-512; or TLS on port 9094",
			})
		} else {
			list = append(list, Finding{Name: name, Detail: "Amazon MSK: port 9096 takes SCRAM over TLS, 9094 TLS, 9092 plain text; topics are not made by themselves"})
		}
	case "Redpanda":
		list = append(list, Finding{Name: name, Detail: "Redpanda has idempotent and transactional producers on by default (enable_idempotence, enable_transactions)"})
	}
	return list
}
