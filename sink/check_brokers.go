package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/describeconfigs"

	"github.com/walrelay/walrelay/replication"
)

// brokers opens a connection to every address that brokers advertise, as the
// producer will: a listener that advertises localhost is the commonest trap.
func (k *checkup) brokers(ctx context.Context) (open []*link) {
	addresses := k.addresses()
	links, errs := k.openAll(ctx, addresses)
	for i, b := range k.md.Brokers {
		name := fmt.Sprintf("broker %d", b.NodeID)
		if errs[i] == nil {
			open = append(open, links[i])
			if b.NodeID == k.md.ControllerID {
				k.controls = links[i]
			}
			k.ok(name, "reachable at %s", addresses[i])
			continue
		}
		f := k.connectFinding(name, addresses[i], errs[i])
		f.Cause = "events of the partitions that this broker leads can't be delivered"
		var step *linkError
		if errors.As(errs[i], &step) && step.step == "connect" {
			f.Detail = fmt.Sprintf("advertises %s, which does not answer from here: %v", addresses[i], step.err)
			f.Remedy = "in the broker's configuration: advertised.listeners=NAME://HOST:PORT with a host and port that are reached from here; or open the way to " + addresses[i]
		}
		k.put(f)
	}
	return open
}

// connectFinding explains what keeps a connection from being opened.
func (k *checkup) connectFinding(name, address string, err error) Finding {
	f := Finding{Name: name, Level: replication.Fail, Detail: fmt.Sprintf("%s: %v", address, err), Cause: "nothing can be published; events wait in PostgreSQL, and the slot holds back WAL"}
	var (
		dns  *net.DNSError
		step *linkError
	)
	where := ""
	if errors.As(err, &step) {
		where = step.step
	}
	closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
	switch r := refusal("connect", err); {
	case r != nil:
		f.Remedy = r.Advice
	case errors.As(err, &dns):
		f.Remedy = "correct the host name in kafka.brokers, or its DNS"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Remedy = "start Kafka, or correct the port in kafka.brokers"
	case where == "connect":
		f.Remedy = "correct kafka.brokers; open the firewall between"
	case where == "TLS" && (closed || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)):
		f.Remedy = "the listener does not speak TLS, it seems: kafka.tls.enabled: false, or name a port that does"
	case where == "SASL" && closed:
		f.Detail += ": the broker closes the connection instead of authenticating"
		f.Remedy = "check kafka.sasl.username, kafka.sasl.password and kafka.sasl.mechanism"
	case closed || where == "versions":
		f.Detail += ": the broker takes the connection and does not answer"
		f.Remedy = strings.TrimPrefix(hint(k.cfg, io.EOF).Error(), io.EOF.Error()+": the broker closes the connection; if that goes on, ")
	default:
		f.Remedy = "correct kafka.brokers, kafka.tls and kafka.sasl to what the listener expects"
	}
	return f
}

// certificateWarning is how long before its end a certificate is warned about.
const certificateWarning = 21 * 24 * time.Hour

// security looks at how connections are protected.
func (k *checkup) security(links []*link, now time.Time) {
	if k.cfg.TLS == nil {
		k.put(k.plainFinding())
	} else {
		k.put(k.tlsFinding(links, now))
	}
	switch {
	case k.cfg.SASL == nil:
		k.ok("sasl", "not used")
	case k.cfg.TLS != nil:
		k.ok("sasl", "%s, over TLS", k.cfg.SASL.Name())
	default:
		f := Finding{Name: "sasl", Level: replication.Warn, Detail: k.cfg.SASL.Name() + " without TLS", Remedy: "kafka.tls.enabled: true, and a listener with SASL_SSL"}
		if k.cfg.SASL.Name() == "PLAIN" {
			f.Cause = "the password goes over the network in the clear with every connection"
		} else {
			f.Cause = "whoever listens can try out passwords at leisure, and take over the session once it is open"
		}
		k.put(f)
	}
}

func (k *checkup) plainFinding() Finding {
	f := Finding{Name: "tls", Detail: "not used, and the connections do not leave this machine"}
	for _, address := range k.addresses() {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err == nil && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			f.Level, f.Detail = replication.Warn, "not used"
			f.Cause = "whoever listens on the network reads every payload"
			f.Remedy = "kafka.tls.enabled: true, and a listener with SSL or SASL_SSL"
		}
	}
	return f
}

// tlsFinding names the certificate that ends first.
func (k *checkup) tlsFinding(links []*link, now time.Time) Finding {
	f := Finding{Name: "tls", Detail: "used"}
	var end time.Time
	for _, l := range links {
		if l.tls == nil || len(l.tls.PeerCertificates) == 0 {
			continue
		}
		if e := l.tls.PeerCertificates[0].NotAfter; end.IsZero() || e.Before(end) {
			end = e
			f.Detail = fmt.Sprintf("%s, certificate of %s until %s", tls.VersionName(l.tls.Version), l.address, e.UTC().Format(time.DateOnly))
		}
	}
	if k.cfg.TLS.InsecureSkipVerify && k.cfg.TLS.VerifyPeerCertificate == nil {
		f.Level, f.Detail = replication.Warn, f.Detail+", but it is not verified"
		f.Cause, f.Remedy = "whoever can redirect the connection can pose as the cluster", "kafka.tls.ca_file: FILE, and kafka.tls.insecure_skip_verify: false"
	}
	if left := end.Sub(now); !end.IsZero() && left < certificateWarning {
		f.Level, f.Detail = replication.Warn, fmt.Sprintf("%s (%.0f days)", f.Detail, left.Hours()/24)
		f.Cause = "when it ends, no connection succeeds any more"
		f.Remedy = "renew the brokers' certificates"
	}
	return f
}

// need is an API that the relay uses, and what goes without it.
type need struct {
	key     protocol.ApiKey
	min     int16
	level   replication.Level
	without string
}

var needs = []need{
	{protocol.Produce, 3, replication.Fail, "records with headers can't be written: Kafka 0.11 or later"},
	{protocol.Metadata, 1, replication.Fail, "brokers and topics can't be found"},
	{protocol.InitProducerId, 0, replication.Fail, "no idempotent producer, so a repeated request would be a repeated event"},
	{protocol.InitProducerId, 3, replication.Warn, "the coordinator does not compare epochs (Kafka 2.5): an instance that was shut out may take the write fence back"},
	{protocol.FindCoordinator, 1, replication.Warn, "no write fence: late writes of a dead instance are not shut out"},
	{protocol.ListOffsets, 2, replication.Warn, "no look back: what a dead instance delivered and did not confirm is sent again"},
	{protocol.Fetch, 4, replication.Warn, "no look back: what a dead instance delivered and did not confirm is sent again"},
	{protocol.DescribeConfigs, 0, replication.Warn, "max.message.bytes can't be asked for: 1 MiB is assumed, so larger events are refused here though the topic may take them"},
}

// versions compares what all brokers take with what the relay uses.
func (k *checkup) versions(links []*link) {
	const name = "api versions"
	want := needs
	if k.cfg.Create != nil {
		want = append(want[:len(want):len(want)], need{protocol.CreateTopics, 0, replication.Fail, "topics can't be made: kafka.topics.create has no effect"})
	}
	if k.cfg.Compression == "zstd" {
		want = append(want[:len(want):len(want)], need{protocol.Produce, 7, replication.Fail, "zstd is not taken (Kafka 2.1): every batch would be refused"})
	}
	found := 0
	for _, n := range want {
		for _, l := range links {
			have, offered := l.apis[n.key]
			if offered && have.max >= n.min && have.min <= n.key.MaxVersion() {
				continue
			}
			f := Finding{Name: name, Level: n.level, Cause: n.without, Remedy: "update the brokers; " + k.service.lacks()}
			switch {
			case !offered:
				f.Detail = fmt.Sprintf("%s offers no %s", l.address, n.key)
			case have.max < n.min:
				f.Detail = fmt.Sprintf("%s takes %s up to version %d, version %d is needed", l.address, n.key, have.max, n.min)
			default:
				f.Detail = fmt.Sprintf("%s takes %s from version %d on, this walrelay speaks up to %d", l.address, n.key, have.min, n.key.MaxVersion())
				f.Remedy = "use a newer walrelay"
			}
			k.put(f)
			found++
			break
		}
	}
	if found == 0 {
		k.ok(name, "all that the relay uses is offered")
	}
}

// clusterSettings looks at settings of the brokers that people wonder about.
func (k *checkup) clusterSettings(ctx context.Context) {
	const name = "auto.create.topics.enable"
	answer, err := ask[*describeconfigs.Response](ctx, k.controls, &describeconfigs.Request{Resources: []describeconfigs.RequestResource{{
		ResourceType: int8(kafka.ResourceTypeBroker), ResourceName: fmt.Sprint(k.md.ControllerID), ConfigNames: []string{name},
	}}})
	if err != nil || len(answer.Resources) == 0 {
		return // a right that the relay does not need
	}
	for _, e := range answer.Resources[0].ConfigEntries {
		if e.ConfigName == name {
			k.ok(name, "%s; no matter: the relay never asks for it", e.ConfigValue)
		}
	}
}
