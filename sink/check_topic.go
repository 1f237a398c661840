package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/describeconfigs"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/walrelay/walrelay/replication"
)

// fewTopics is how many topics are shown one by one.
const fewTopics = 8

// topics looks at those that are known by name, and at those that records may go to;
// of many of the latter only those are shown that something is wrong with.
func (k *checkup) topics(ctx context.Context) {
	var fixed, like []*metadata.ResponseTopic
	for _, name := range k.look.Topics {
		i := slices.IndexFunc(k.md.Topics, func(t metadata.ResponseTopic) bool { return t.Name == name })
		if i < 0 { // an answer without it: not there
			fixed = append(fixed, &metadata.ResponseTopic{Name: name, ErrorCode: int16(kafka.UnknownTopicOrPartition), TopicAuthorizedOperations: unknownRights})
			continue
		}
		fixed = append(fixed, &k.md.Topics[i])
	}
	for i := range k.md.Topics {
		if t := &k.md.Topics[i]; !t.IsInternal && k.look.Like != nil && !slices.Contains(k.look.Topics, t.Name) && k.look.Like(t.Name) {
			like = append(like, t)
		}
	}
	settings := k.settingsOf(ctx, append(slices.Clone(fixed), like...))
	for _, t := range fixed {
		k.findings = append(k.findings, k.topic(ctx, t, settings[t.Name])...)
	}
	well := 0
	for _, t := range like {
		found := k.topic(ctx, t, settings[t.Name])
		for i := range found { // it may be another team's: nobody knows whether events go there
			if found[i].Level == replication.Fail {
				found[i].Level = replication.Warn
				found[i].Cause = "if events go there: " + found[i].Cause
			}
		}
		bad := slices.ContainsFunc(found, func(f Finding) bool { return f.Level != replication.OK })
		if !bad {
			well++
		}
		if bad || len(like) <= fewTopics {
			k.findings = append(k.findings, found...)
		}
	}
	switch {
	case len(like) > fewTopics:
		k.ok("topics of the route", "%d of %d are well", well, len(like))
	case k.look.Like != nil && len(like) == 0:
		k.put(k.noneOfRoute())
	}
}

// noneOfRoute says that no topic has a name that the route can give.
func (k *checkup) noneOfRoute() Finding {
	f := Finding{Name: "topics of the route", Detail: "none there yet"}
	if k.cfg.Create != nil {
		f.Detail += "; each is made with its first event"
		return f
	}
	f.Level, f.Cause = replication.Warn, "the first event waits for its topic, and all events behind it"
	f.Remedy = "create the topics, one an aggregate type; or set kafka.topics.create: {partitions: 6, replication_factor: 3}"
	return f
}

// topicSettings are those of a topic that matter; nil: they may not be read.
type topicSettings map[string]string

var settingNames = []string{
	"max.message.bytes", "min.insync.replicas", "cleanup.policy", "retention.ms",
	"message.timestamp.type", "message.timestamp.difference.max.ms", "message.timestamp.before.max.ms",
}

// settingsOf reads the configurations of all topics that are there, in one request.
func (k *checkup) settingsOf(ctx context.Context, topics []*metadata.ResponseTopic) map[string]topicSettings {
	all := map[string]topicSettings{}
	request := &describeconfigs.Request{}
	for _, t := range topics {
		if t.ErrorCode == 0 {
			request.Resources = append(request.Resources, describeconfigs.RequestResource{ResourceType: int8(kafka.ResourceTypeTopic), ResourceName: t.Name, ConfigNames: settingNames})
		}
	}
	if len(request.Resources) == 0 {
		return all
	}
	answer, err := ask[*describeconfigs.Response](ctx, k.controls, request)
	if err != nil {
		return all
	}
	for _, r := range answer.Resources {
		if r.ErrorCode != 0 {
			continue
		}
		s := topicSettings{}
		for _, e := range r.ConfigEntries {
			s[e.ConfigName] = e.ConfigValue
		}
		all[r.ResourceName] = s
	}
	return all
}

// number returns a setting as a number, ok false when it is not known.
func (s topicSettings) number(name string) (n int64, ok bool) {
	n, err := strconv.ParseInt(s[name], 10, 64)
	return n, err == nil
}

// topic looks at one topic.
func (k *checkup) topic(ctx context.Context, t *metadata.ResponseTopic, s topicSettings) []Finding {
	name := fmt.Sprintf("topic %q", t.Name)
	if t.ErrorCode != 0 {
		return []Finding{k.absent(ctx, name, t)}
	}
	summary, list := k.replicas(name, t, s)
	if what := k.look.Purpose[t.Name]; what != "" {
		summary.Detail += "; " + what
	}
	list = append([]Finding{summary}, list...)
	list = append(list, k.size(name, s)...)
	if own, ok := k.cfg.Own[t.Name]; ok {
		list = append(list, k.ownPolicy(name, t.Name, own, s)...)
	} else {
		list = append(list, k.policy(name, t.Name, s)...)
	}
	return append(list, k.rights(name, t)...)
}

// absent explains a topic that can't be looked at.
func (k *checkup) absent(ctx context.Context, name string, t *metadata.ResponseTopic) Finding {
	code := kafka.Error(t.ErrorCode)
	f := Finding{Name: name, Level: replication.Fail, Detail: code.Error(), Cause: "its events wait, and all events behind them in the slot"}
	what := ""
	if p := k.look.Purpose[t.Name]; p != "" {
		what = " (" + p + ")"
	}
	switch {
	case code == kafka.UnknownTopicOrPartition && k.cfg.creation(t.Name) != nil:
		return k.creatable(ctx, name, t.Name)
	case code == kafka.UnknownTopicOrPartition:
		f.Detail = "is not there" + what
		f.Remedy = fmt.Sprintf("kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions 6 --replication-factor %d\nor set kafka.topics.create", k.cfg.Brokers[0], t.Name, min(3, max(1, len(k.md.Brokers))))
	case code == kafka.TopicAuthorizationFailed:
		f.Detail = "no right to see it" + what
		f.Remedy = k.acl("Write", "Describe", "Read", "DescribeConfigs") + " --topic " + t.Name
	case code == kafka.InvalidTopic:
		f.Remedy = "use letters, digits, dot, underscore and hyphen, at most 249 of them"
	default:
		f.Remedy = "look after the cluster, and run the check again"
	}
	return f
}

// replicas compares the replicas with what acks=all asks for.
func (k *checkup) replicas(name string, t *metadata.ResponseTopic, s topicSettings) (summary Finding, list []Finding) {
	replicas, lagging, leaderless, isrs := len(k.md.Brokers), 0, []string(nil), len(k.md.Brokers)
	for _, p := range t.Partitions {
		replicas, isrs = min(replicas, len(p.ReplicaNodes)), min(isrs, len(p.IsrNodes))
		if len(p.IsrNodes) < len(p.ReplicaNodes) {
			lagging++
		}
		if p.LeaderID < 0 || p.ErrorCode == int16(kafka.LeaderNotAvailable) {
			leaderless = append(leaderless, strconv.Itoa(int(p.PartitionIndex)))
		}
	}
	summary = Finding{Name: name, Detail: fmt.Sprintf("%s, %s", plural(len(t.Partitions), "partition"), plural(replicas, "replica"))}
	if len(leaderless) > 0 {
		list = append(list, Finding{
			Name: name + " leaders", Level: replication.Fail, Detail: "no leader now: partition " + strings.Join(leaderless, ", "),
			Cause: "their events wait, and all events behind them in the slot", Remedy: "start the brokers that hold them: kafka-topics.sh --describe --unavailable-partitions",
		})
	}
	isr, known := s.number("min.insync.replicas")
	if known {
		summary.Detail += fmt.Sprintf(", min.insync.replicas %d", isr)
	}
	f := Finding{Name: name + " replicas"}
	switch {
	case known && int(isr) > replicas:
		f.Level, f.Detail = replication.Warn, fmt.Sprintf("min.insync.replicas is %d, with %s", isr, plural(replicas, "replica"))
		f.Cause = "a broker before Kafka 4 takes nothing then, acks=all can't be met; a newer one asks for all replicas there are"
		f.Remedy = k.alter(t.Name, "min.insync.replicas", strconv.Itoa(max(1, replicas-1))) + "\nor add replicas (kafka-reassign-partitions.sh)"
	case known && min(int(isr), replicas) > isrs && len(leaderless) == 0:
		f.Level, f.Detail = replication.Fail, fmt.Sprintf("of a partition only %s in sync, min.insync.replicas is %d", plural(isrs, "replica"), isr)
		f.Cause = "acks=all is refused there until brokers are back"
		f.Remedy = "start the brokers that are away: kafka-topics.sh --describe --under-min-isr-partitions"
	case lagging > 0 && len(leaderless) == 0:
		f.Level, f.Detail = replication.Warn, plural(lagging, "partition")+" under-replicated"
		f.Cause = "a broker is away or slow; one more away may stop writes, or lose what was acknowledged"
		f.Remedy = "look after the brokers: kafka-topics.sh --describe --under-replicated-partitions"
	case known && int(isr) == replicas && replicas > 1:
		f.Level, f.Detail = replication.Warn, fmt.Sprintf("min.insync.replicas is %d, as many as there are", isr)
		f.Cause = "with one broker away nothing can be written"
		f.Remedy = k.alter(t.Name, "min.insync.replicas", strconv.Itoa(replicas-1))
	case replicas == 1 && len(k.md.Brokers) > 1:
		f.Level, f.Detail = replication.Warn, "one replica only"
		f.Cause = "with its broker away nothing can be written, with its disk all events are gone"
		f.Remedy = "add replicas (kafka-reassign-partitions.sh), or make the topic anew with --replication-factor 3"
	case known && isr == 1 && replicas > 1:
		f.Level, f.Detail = replication.Warn, "min.insync.replicas is 1"
		f.Cause = "an event counts as written when one broker has it; when that one is lost before the others follow, so is the event"
		f.Remedy = k.alter(t.Name, "min.insync.replicas", "2")
	default:
		return summary, list
	}
	return summary, append(list, f)
}

// smallMessage is what a topic should take at least; Kafka's default is 1 MiB.
const smallMessage = 256 << 10

// size looks at how large an event may be.
func (k *checkup) size(name string, s topicSettings) []Finding {
	f := Finding{Name: name + " max.message.bytes"}
	limit, ok := s.number("max.message.bytes")
	topic := strings.Trim(strings.TrimPrefix(name, "topic "), `"`)
	if ok && (k.tightest.topic == "" || limit < k.tightest.bytes) && k.look.Purpose[topic] == "" {
		k.tightest = topicLimit{topic, limit}
	}
	inFlight := k.cfg.InFlightBytes
	if inFlight == 0 {
		inFlight = 16 << 20
	}
	switch {
	case !ok:
		f.Level, f.Detail = replication.Warn, "can't be read (no right to the topic's configuration)"
		f.Cause = "1 MiB is assumed: a larger event counts as poison here, though the topic may take it"
		f.Remedy = k.acl("DescribeConfigs") + " --topic " + topic
	case limit < smallMessage:
		f.Level, f.Detail = replication.Warn, strconv.FormatInt(limit, 10)
		f.Cause = "a larger event is poison: on_poison says whether the relay stops, leaves it out or sends it to the dead-letter topic"
		f.Remedy = k.alter(topic, "max.message.bytes", "1048588")
	case limit > int64(inFlight):
		f.Detail = fmt.Sprintf("%d, more than limits.in_flight_bytes (%d): such an event is sent alone, and takes as much memory", limit, inFlight)
	default:
		f.Detail = fmt.Sprintf("%d; a larger event is poison", limit)
	}
	return []Finding{f}
}

// largest compares the largest event that is known with the topic that takes least.
func (k *checkup) largest(ctx context.Context) {
	if k.look.LargestEvent == nil || k.tightest.topic == "" {
		return
	}
	bytes := k.look.LargestEvent(ctx)
	if bytes <= 0 {
		return
	}
	f := Finding{Name: "largest event", Detail: fmt.Sprintf("about %d bytes in the outbox now; topic %q takes %d", bytes, k.tightest.topic, k.tightest.bytes)}
	if bytes > k.tightest.bytes {
		f.Level = replication.Warn
		f.Cause = "an event as large as that is poison there: on_poison says whether the relay stops, leaves it out or sends it to the dead-letter topic"
		f.Remedy = k.alter(k.tightest.topic, "max.message.bytes", strconv.FormatInt(2*bytes, 10)) + "\n(and as much for the consumers' max.partition.fetch.bytes); or keep payloads smaller"
	}
	k.put(f)
}

// ownPolicy looks at what becomes of the records of a topic of walrelay's own: the
// last one has to stay.
func (k *checkup) ownPolicy(name, topic string, own TopicCreation, s topicSettings) []Finding {
	want := own.Config["cleanup.policy"]
	have, known := s["cleanup.policy"]
	if !known || have == want {
		return nil
	}
	return []Finding{{
		Name: name + " cleanup.policy", Level: replication.Fail, Detail: have,
		Cause:  "after a quiet time the record that says what is delivered is deleted, and the relay does not start without it",
		Remedy: k.alter(topic, "cleanup.policy", want),
	}}
}

// policy looks at what the topic does with records later on.
func (k *checkup) policy(name, topic string, s topicSettings) (list []Finding) {
	if strings.Contains(s["cleanup.policy"], "compact") {
		list = append(list, Finding{
			Name: name + " cleanup.policy", Level: replication.Warn, Detail: s["cleanup.policy"],
			Cause:  "older events of a key disappear, and an event without a key is refused; right for states, not for events",
			Remedy: k.alter(topic, "cleanup.policy", "delete"),
		})
	}
	if s["message.timestamp.type"] == "LogAppendTime" {
		list = append(list, Finding{
			Name: name + " message.timestamp.type", Level: replication.Warn, Detail: "LogAppendTime",
			Cause:  "the broker replaces the commit time by its own: after a crash the look back recognises nothing, and what was delivered and not confirmed is sent again",
			Remedy: k.alter(topic, "message.timestamp.type", "CreateTime"),
		})
	}
	if ms, ok := s.number("retention.ms"); ok && ms >= 0 && ms < (6*time.Hour).Milliseconds() && !strings.HasPrefix(s["cleanup.policy"], "compact") {
		list = append(list, Finding{
			Name: name + " retention.ms", Level: replication.Warn, Detail: (time.Duration(ms) * time.Millisecond).String(),
			Cause:  "events go before a consumer that is down for longer has read them; the look back finds only what is still there",
			Remedy: k.alter(topic, "retention.ms", "604800000"),
		})
	}
	for _, n := range []string{"message.timestamp.before.max.ms", "message.timestamp.difference.max.ms"} {
		if ms, ok := s.number(n); ok && ms < (7*24*time.Hour).Milliseconds() {
			list = append(list, Finding{
				Name: name + " " + n, Level: replication.Warn, Detail: (time.Duration(ms) * time.Millisecond).String(),
				Cause:  "records carry their commit time: after a longer outage the broker refuses the backlog as too old, which is poison",
				Remedy: k.alter(topic, n, "9223372036854775807"),
			})
			break
		}
	}
	return list
}

// alter is the command that changes a topic's setting.
func (k *checkup) alter(topic, setting, value string) string {
	return fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --topic %s --add-config %s=%s", k.cfg.Brokers[0], topic, setting, value)
}

// errNoRight is what the broker says about a missing right on a topic.
func errNoRight(err error) bool {
	return errors.Is(err, kafka.TopicAuthorizationFailed) || errors.Is(err, kafka.ClusterAuthorizationFailed)
}
