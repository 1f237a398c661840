package test_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// aclLine is a line of docs/security.md that grants operations on a resource.
var aclLine = regexp.MustCompile(`(?m)^\$acls((?: --operation \w+)+) --(topic|transactional-id) (\S+) --resource-pattern-type prefixed`)

// documented are the rights in Kafka that docs/security.md grants, with the
// test's topics in place of the default ones.
func documented(t *testing.T, prefix string) (grants []harness.Grant) {
	t.Helper()
	content, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := aclLine.FindAllStringSubmatch(string(content), -1)
	if len(lines) == 0 || len(lines) != strings.Count(string(content), "$acls --") {
		t.Fatalf("docs/security.md has %d lines that grant rights, and this test understands %d", strings.Count(string(content), "$acls --"), len(lines))
	}
	names := strings.NewReplacer("outbox.event.", prefix, "walrelay.watermark", watermarkOf(prefix))
	for _, line := range lines {
		for _, operation := range strings.Split(line[1], " --operation ")[1:] {
			grants = append(grants, harness.Grant{
				Resource: line[2], Name: names.Replace(line[3]), Prefixed: true, Operation: operation,
			})
		}
	}
	return grants
}

// principal is a SCRAM user of the test's own with the documented rights, and the
// settings to be it. "made" is a topic that the relay has to make.
type principal struct {
	*secureShop
	name   string
	rights []harness.Grant
	env    []string
}

func openPrincipal(t *testing.T) *principal {
	t.Helper()
	s := openSecure(t)
	p := &principal{secureShop: s, name: "User:" + s.Slot, rights: documented(t, s.Prefix)}
	s.broker.User(t, s.Slot, "secret")
	s.broker.Allow(t, p.name, p.rights...)
	p.env = append(sasl("scram-sha-512", s.Slot, "secret"), brokers(s.broker.Listener(harness.ListenSASL)), "WALRELAY_KAFKA_TOPICS_CREATE_PARTITIONS=3")
	return p
}

// revoke takes away all rights of an operation on a kind of resource.
func (p *principal) revoke(t *testing.T, resource, operation string) (taken []harness.Grant) {
	t.Helper()
	return p.revokeOf(t, resource, operation, func(harness.Grant) bool { return true })
}

// revokeOf takes away those that are chosen.
func (p *principal) revokeOf(t *testing.T, resource, operation string, chosen func(harness.Grant) bool) (taken []harness.Grant) {
	t.Helper()
	for _, right := range p.rights {
		if right.Resource == resource && right.Operation == operation && chosen(right) {
			taken = append(taken, right)
		}
	}
	if len(taken) == 0 {
		t.Fatalf("docs/security.md does not grant %s on %s", operation, resource)
	}
	p.broker.Revoke(t, p.name, taken...)
	return taken
}

// check is what `walrelay check` says, and its exit code.
func (p *principal) check(t *testing.T) (code int, output string) {
	t.Helper()
	return p.run(t, []string{"check"}, p.env...)
}

// unconfirmed lets a relay deliver an event and dies before PostgreSQL hears of it.
func (p *principal) unconfirmed(t *testing.T) {
	t.Helper()
	proxy := harness.NewProxy(t, p.Target(t))
	superuser := p.Addr
	p.Addr = p.ConnStringVia(t, proxy)
	process := p.ready(t, p.env...)
	p.insert(t)
	p.delivered(t) // so it streams
	proxy.Freeze(harness.ToServer)
	p.insert(t)
	p.delivered(t)
	process.Kill()
	proxy.Reset() // what was held back would arrive otherwise
	p.Addr = superuser
}

// make commits an event for a topic that is not there.
func (p *principal) make(t *testing.T) {
	t.Helper()
	if len(p.Topics) == 1 {
		p.Topics = append(p.Topics, p.Prefix+"made")
	}
	p.sent = append(p.sent, len(p.sent)+1)
	p.Insert(t, p.Table, "made", "1", "Placed", `{"seq": `+itoa(len(p.sent))+`}`)
}

// TestSecurityKafkaRights: the rights that docs/security.md grants are all that the
// relay needs: to deliver, to make a topic, to look back after a kill, and to shut out
// late writes.
func TestSecurityKafkaRights(t *testing.T) {
	t.Parallel()
	p := openPrincipal(t)
	p.unconfirmed(t)
	p.make(t)
	process := p.ready(t, p.env...)
	p.delivered(t)
	p.drained(t)
	process.WaitLog(t, soon, "looked back")
	m := scrape(t, process)
	if fence, skipped := m.value("walrelay_write_fence"), m.value("walrelay_lookback_skipped_total"); fence != 1 || skipped == 0 {
		t.Errorf("write fence %v, %v events skipped by looking back", fence, skipped)
	}
	stop(t, process)
	if code, output := p.check(t); code != 0 || strings.Contains(output, "kafka-acls.sh") {
		t.Errorf("check: exit code %d: %s", code, output)
	}
}

// TestSecurityKafkaMissingRight: without one of the rights the relay says which, or
// goes on as docs/security.md says it does, and `walrelay check` names it.
func TestSecurityKafkaMissingRight(t *testing.T) {
	t.Parallel()
	check := func(code int, says ...string) func(*principal, *testing.T) {
		return func(p *principal, t *testing.T) {
			t.Helper()
			if got, output := p.check(t); got != code || !containsAll(strings.Join(strings.Fields(output), " "), says...) {
				t.Errorf("check: exit code %d, and it should be %d and say %q: %s", got, code, says, output)
			}
		}
	}
	for _, test := range []struct {
		resource, operation string
		check               func(*principal, *testing.T)
		run                 func(*principal, *testing.T)
	}{
		{"topic", "Write", check(3, "no right to write", "--operation Write", ".order"), (*principal).runWithoutWrite},
		{"topic", "Read", check(0, "may be written, not read", "--operation Read --topic"), (*principal).runWithoutRead},
		{"topic", "DescribeConfigs", check(0, "no right to the topic's configuration", "--operation DescribeConfigs"), (*principal).runAsIfNothing},
		{"topic", "Create", (*principal).checkWithoutCreate, (*principal).runWithoutCreate},
		{"transactional-id", "Write", check(0, "no right to transactional id", "--operation Write", "--transactional-id walrelay-"), (*principal).runWithoutFence},
		// Write implies Describe for Kafka, so these are documented for the reader alone.
		{"topic", "Describe", check(0), (*principal).runAsIfNothing},
		{"transactional-id", "Describe", check(0), (*principal).runAsIfNothing},
	} {
		t.Run(test.operation+" on "+test.resource, func(t *testing.T) {
			t.Parallel()
			p := openPrincipal(t)
			taken := p.revoke(t, test.resource, test.operation)
			test.check(p, t)
			test.run(p, t)
			p.broker.Allow(t, p.name, taken...)
			output := p.works(t, p.env...)
			if strings.Contains(output, `"level":"error"`) {
				t.Errorf("with the right back it complains: %s", output)
			}
		})
	}
}

// TestSecurityKafkaOtherRights: more than one right is missing, or one of another
// topic than the events'.
func TestSecurityKafkaOtherRights(t *testing.T) {
	t.Parallel()
	t.Run("nothing at all", func(t *testing.T) {
		t.Parallel()
		p := openPrincipal(t)
		p.broker.Revoke(t, p.name, p.rights...)
		proxy := harness.NewProxy(t, p.broker.Listener(harness.ListenSASL))
		p.refused(t, proxy, []string{"WR070", "grant the relay's principal"}, append(p.env, brokers(proxy.Address()))...)
		p.broker.Allow(t, p.name, p.rights...)
		p.works(t, p.env...)
	})
	t.Run("the canary's topic", func(t *testing.T) {
		t.Parallel()
		p := openPrincipal(t)
		topic := harness.TopicPrefix(t) + "canary"
		p.Kafka.CreateTopic(t, topic, 1)
		settings := append(p.env, "WALRELAY_CANARY_EVERY=200ms", "WALRELAY_CANARY_TOPIC="+topic)
		p.insert(t)
		process := p.ready(t, settings...) // events flow all the same
		harness.Eventually(t, soon, "it says which right the canary lacks", func() bool {
			return containsAll(process.Output(), "Write and Describe on topic", topic)
		})
		p.insert(t)
		stop(t, process)
		p.broker.Allow(t, p.name, harness.Grant{Resource: "topic", Name: topic, Operation: "Write"}, harness.Grant{Resource: "topic", Name: topic, Operation: "Describe"})
		p.works(t, settings...)
	})
	t.Run("the dead-letter topic", func(t *testing.T) {
		t.Parallel()
		p := openPrincipal(t)
		topic := harness.TopicPrefix(t) + "dead"
		p.Kafka.CreateTopic(t, topic, 1)
		p.topic(t, "small", "max.message.bytes", "600")
		settings := append(p.env, "WALRELAY_ON_POISON=dead-letter", "WALRELAY_DEAD_LETTER_TOPIC="+topic)
		p.Insert(t, p.Table, "small", "1", "Placed", `{"seq": 1000000, "name": "`+strings.Repeat("x", 1000)+`"}`)
		process := p.start(t, settings...)
		ended(t, process, 3)
		mustSay(t, process.Output(), "WR0702", "Write and Describe on topic", topic)
		p.broker.Allow(t, p.name, harness.Grant{Resource: "topic", Name: topic, Operation: "Write"}, harness.Grant{Resource: "topic", Name: topic, Operation: "Describe"})
		process = p.ready(t, settings...)
		p.Kafka.ReadCount(t, soon, 1, topic)
		stop(t, process)
	})
	t.Run("no right to produce", func(t *testing.T) {
		t.Parallel()
		p := openPrincipal(t)
		p.revoke(t, "transactional-id", "Write")
		p.revoke(t, "topic", "Write")
		p.revoke(t, "transactional-id", "Describe")
		proxy := harness.NewProxy(t, p.broker.Listener(harness.ListenSASL))
		p.refused(t, proxy, []string{"WR0703", "IdempotentWrite on the cluster"}, append(p.env, brokers(proxy.Address()))...)
	})
}

// runWithoutWrite: the event's topic and the right are named, and it waits.
func (p *principal) runWithoutWrite(t *testing.T) {
	t.Helper()
	p.insert(t)
	process := p.start(t, p.env...)
	ended(t, process, 3)
	mustSay(t, process.Output(), "WR0702", "Write and Describe on topic", p.Prefix+"order")
}

// runWithoutRead: an event that a killed relay delivered is sent again, which is said once.
func (p *principal) runWithoutRead(t *testing.T) {
	t.Helper()
	p.unconfirmed(t)
	process := p.ready(t, p.env...)
	line := process.WaitLog(t, soon, "can't look back")
	mustSay(t, line.Text, "Topic Authorization Failed", p.Prefix+"order")
	p.insert(t)
	p.drained(t)
	result := harness.Verify(t, p.Kafka, soon, p.Committed(t, p.Prefix, p.Table), p.Topics...)
	if result.Duplicates == 0 {
		t.Error("the test is wrong: nothing was sent again")
	}
	stop(t, process)
	if said := strings.Count(process.Output(), "can't look back"); said != 1 {
		t.Errorf("it says so %d times", said)
	}
	p.repeated = true
}

// runWithoutFence: it is warned that late writes are not shut out.
func (p *principal) runWithoutFence(t *testing.T) {
	t.Helper()
	process := p.ready(t, p.env...)
	p.insert(t)
	p.delivered(t)
	line := process.WaitLog(t, soon, "no write fence")
	mustSay(t, line.Text, "warn", "grant Write and Describe on the transactional id")
	if fence := scrape(t, process).value("walrelay_write_fence"); fence != 0 {
		t.Errorf("walrelay_write_fence is %v", fence)
	}
	stop(t, process)
}

// checkWithoutCreate: of a topic that does not depend on the event it is known that it
// can't be made.
func (p *principal) checkWithoutCreate(t *testing.T) {
	t.Helper()
	code, output := p.run(t, []string{"check"}, append(p.env, "WALRELAY_ROUTE_TOPIC="+p.Prefix+"fixed")...)
	if code != 3 || !containsAll(strings.Join(strings.Fields(output), " "), "no right to make it", "--operation Create") {
		t.Errorf("check: exit code %d: %s", code, output)
	}
}

// runWithoutCreate: a missing topic is waited for.
func (p *principal) runWithoutCreate(t *testing.T) {
	t.Helper()
	process := p.start(t, p.env...)
	p.make(t)
	waitReason(t, process, "kafka", p.Prefix+"made", "create", "Authorization")
	if _, body, err := process.Get(t.Context(), "/readyz"); err != nil || !containsAll(body, "WR0705", "Grant Create") {
		t.Errorf("/readyz does not name the right: %v %s", err, body)
	}
	stop(t, process)
}

// runAsIfNothing: nothing changes.
func (p *principal) runAsIfNothing(t *testing.T) {
	t.Helper()
	p.works(t, p.env...)
}
