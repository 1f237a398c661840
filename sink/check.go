package sink

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/walrelay/walrelay/replication"
)

// Finding is one result of a preflight, as on PostgreSQL's side.
type Finding = replication.Finding

// Look says what a preflight looks at.
type Look struct {
	// Topics are those that are known by name already.
	Topics []string
	// Purpose says of some of them what they are for, beside events.
	Purpose map[string]string
	// Like (nil: none) tells which others of the cluster records may go to.
	Like func(topic string) bool
	// TransactionalID returns what Fence would be called with, or "" when that is not
	// known. It may wait until ctx ends, and is asked last. nil: no fence.
	TransactionalID func(ctx context.Context) string
	// LargestEvent returns how large the largest event is that is known, in bytes, 0
	// when none is. It may wait until ctx ends, and is asked last. nil: not known.
	LargestEvent func(ctx context.Context) int64
}

// Report is what a preflight has found.
type Report struct {
	Server   string // what answered, in a few words
	Findings []Finding
}

// checkup gathers the findings of one preflight.
type checkup struct {
	cfg      Config
	look     Look
	cluster  cluster
	client   *kafka.Client
	service  kafkaService
	controls *link              // to the controller, else to where metadata came from
	md       *metadata.Response // of all topics
	tightest topicLimit         // of the topics that were looked at
	findings []Finding
}

// topicLimit is what a topic takes of one event.
type topicLimit struct {
	topic string // "": none is known
	bytes int64
}

func (k *checkup) put(f Finding) { k.findings = append(k.findings, f) }

func (k *checkup) ok(name, format string, args ...any) {
	k.put(Finding{Name: name, Detail: fmt.Sprintf(format, args...)})
}

// checkTimeout bounds the look at a cluster.
const checkTimeout = 20 * time.Second

// Check is the preflight of Kafka's side: all findings at once, nothing is changed
// or written. It takes no producer id under the transactional id: that would fence
// the active instance.
func Check(ctx context.Context, cfg Config, look Look) Report {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	k := &checkup{cfg: cfg, look: look, service: recogniseKafka(cfg.Brokers, "")}
	k.cluster.open(cfg)
	client, done := k.cluster.scout(look.Topics)
	defer done()
	k.client = client
	home := k.reach(ctx)
	if home == nil {
		k.findings = append(k.findings, k.service.notes(cfg)...)
		return Report{Server: k.service.title(strings.Join(cfg.Brokers, ",")), Findings: k.findings}
	}
	defer home.close()
	k.controls = home
	if err := k.learnCluster(ctx, home); err != nil {
		k.put(k.connectFinding("cluster", strings.Join(cfg.Brokers, ","), err))
		return Report{Server: k.service.title(strings.Join(cfg.Brokers, ",")), Findings: k.findings}
	}
	k.findings = append(k.findings, k.service.notes(cfg)...)
	links := k.brokers(ctx)
	for _, l := range links {
		defer l.close()
	}
	k.security(links, time.Now())
	k.versions(append(links, home))
	k.clusterSettings(ctx)
	k.topics(ctx)
	k.producer(ctx)
	k.fence(ctx)
	k.largest(ctx)
	return Report{Server: k.about(), Findings: k.findings}
}

// about describes the cluster in a few words.
func (k *checkup) about() string {
	about := k.service.title(strings.Join(k.cfg.Brokers, ","))
	if k.md.ClusterID != "" {
		about += ", cluster " + k.md.ClusterID
	}
	return fmt.Sprintf("%s, %s", about, plural(len(k.md.Brokers), "broker"))
}

// reach asks all bootstrap addresses at once and keeps the link to the first one in
// their order that answers; nil when none does.
func (k *checkup) reach(ctx context.Context) (home *link) {
	const name = "kafka"
	links, errs := k.openAll(ctx, k.cfg.Brokers)
	for i, l := range links {
		switch {
		case l == nil:
		case home == nil:
			home = l
			k.ok(name, "%s answers", k.cfg.Brokers[i])
		default:
			l.close()
		}
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		f := k.connectFinding("bootstrap "+k.cfg.Brokers[i], k.cfg.Brokers[i], err)
		if home != nil {
			f.Level, f.Cause = replication.Warn, "the relay finds the cluster by the others now; when those are away, it does not"
		} else if len(k.cfg.Brokers) == 1 {
			f.Name = name
		}
		k.put(f)
	}
	return home
}

// openAll opens a link to every address.
func (k *checkup) openAll(ctx context.Context, addresses []string) ([]*link, []error) {
	links, errs := make([]*link, len(addresses)), make([]error, len(addresses))
	var all sync.WaitGroup
	for i, address := range addresses {
		all.Go(func() { links[i], errs[i] = k.open(ctx, address) })
	}
	all.Wait()
	return links, errs
}

// learnCluster asks for brokers, topics and rights. The rights come with versions 8
// of Metadata, Kafka 2.3.
func (k *checkup) learnCluster(ctx context.Context, home *link) error {
	ask8 := &metadata.Request{IncludeClusterAuthorizedOperations: true, IncludeTopicAuthorizedOperations: true} // no names: all topics
	md, err := ask[*metadata.Response](ctx, home, ask8)
	if err != nil {
		return err
	}
	k.md = md
	for _, t := range k.look.Topics { // one that we may not see is not among all
		if slices.ContainsFunc(md.Topics, func(m metadata.ResponseTopic) bool { return m.Name == t }) {
			continue
		}
		one, err := ask[*metadata.Response](ctx, home, &metadata.Request{TopicNames: []string{t}, IncludeTopicAuthorizedOperations: true})
		if err != nil {
			return err
		}
		md.Topics = append(md.Topics, one.Topics...)
	}
	k.service = recogniseKafka(append(slices.Clone(k.cfg.Brokers), k.addresses()...), md.ClusterID)
	controller := "none is named"
	for _, b := range md.Brokers {
		if b.NodeID == md.ControllerID {
			controller = "broker " + strconv.Itoa(int(b.NodeID))
		}
	}
	k.ok("cluster", "%s, %s, controller: %s, %s", orWord(md.ClusterID, "without an id"), plural(len(md.Brokers), "broker"), controller, plural(len(md.Topics), "topic"))
	return nil
}

// addresses are those that the brokers advertise.
func (k *checkup) addresses() []string {
	list := make([]string, len(k.md.Brokers))
	for i, b := range k.md.Brokers {
		list[i] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	return list
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
