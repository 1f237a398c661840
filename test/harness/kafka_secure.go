package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// The listeners of a secure broker. Beside them Brokers is a proxied listener of
// SASL without TLS. Who does not authenticate (Direct, TLS without a client's
// certificate) is a superuser; everybody else may do what the ACLs say: nothing
// at first.
const (
	ListenTLS     = "TLS"     // certificate for 127.0.0.1 and "localhost"
	ListenName    = "NAMED"   // TLS, certificate for "kafka.internal" alone
	ListenExpired = "EXPIRED" // TLS, certificate that has expired
	ListenMutual  = "MUTUAL"  // TLS that asks for a client's certificate: principal User:CN=<its name>
	ListenSASL    = "OPEN"    // SASL without TLS: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
	ListenSASLTLS = "SAFE"    // the same with TLS
	ListenPlain   = "SIMPLE"  // SASL without TLS, PLAIN alone
)

// PlainUser is the user that SASL PLAIN knows.
const (
	PlainUser     = "plain"
	PlainPassword = `pl"ain=; secret` // what properties, JAAS and YAML quote in different ways
)

// SecureBroker is a Kafka with TLS, SASL and ACLs (KRaft, StandardAuthorizer).
type SecureBroker struct {
	*Broker
	Trusted *Authority // that signed the brokers' certificates, and that they trust
	Other   *Authority // that nobody trusts
}

// sharedSecure is the one of this test program.
var sharedSecure struct {
	once   sync.Once
	broker *SecureBroker
	err    error
}

// SecureKafka is the test program's shared secure broker. Tests keep to topics
// and users of their own. Without Docker and Java the test is skipped or, where
// required, failed.
func SecureKafka(t testing.TB) *SecureBroker {
	t.Helper()
	s := &sharedSecure
	s.once.Do(func() { s.broker, s.err = startSecure(background(t)) })
	if s.err != nil {
		missing(t, "Kafka with TLS, SASL and ACLs", s.err)
	}
	return s.broker
}

func startSecure(ctx context.Context) (*SecureBroker, error) {
	both, err := authorities("Trusted", "Other")
	if err != nil {
		return nil, err
	}
	s := &SecureBroker{Trusted: both[0], Other: both[1]}
	options, err := s.options()
	if err != nil {
		return nil, err
	}
	if s.Broker, err = StartKafka(ctx, options); err != nil {
		return nil, err
	}
	shared.atEnd(s.Remove)
	shared.used(s.origin + ", with TLS, SASL and ACLs")
	return s, nil
}

// options are the broker's settings.
func (s *SecureBroker) options() (KafkaOptions, error) {
	o := KafkaOptions{Proxied: true, Listeners: map[string]string{
		ListenTLS: "SSL", ListenName: "SSL", ListenExpired: "SSL", ListenMutual: "SSL",
		ListenSASL: "SASL_PLAINTEXT", ListenSASLTLS: "SASL_SSL", ListenPlain: "SASL_PLAINTEXT",
	}}
	protocols := []string{"PLAINTEXT:SASL_PLAINTEXT", "DIRECT:PLAINTEXT", "CONTROLLER:PLAINTEXT"}
	for _, name := range slices.Sorted(maps.Keys(o.Listeners)) {
		protocols = append(protocols, name+":"+o.Listeners[name])
	}
	o.Properties = map[string]string{
		"listener.security.protocol.map": strings.Join(protocols, ","),
		"authorizer.class.name":          "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                    "User:ANONYMOUS",
	}
	local := Identity{Name: "broker", Hosts: []string{"127.0.0.1", "localhost"}}
	named, expired := local, local
	named.Hosts, expired.Expired = []string{"kafka.internal"}, true
	for listener, who := range map[string]Identity{ListenTLS: local, ListenSASLTLS: local, ListenMutual: local, ListenName: named, ListenExpired: expired} {
		if err := s.certify(o.Properties, listener, who); err != nil {
			return o, err
		}
	}
	o.Properties["listener.name.mutual.ssl.client.auth"] = "required"
	for _, listener := range []string{"PLAINTEXT", ListenSASL, ListenSASLTLS} {
		authenticate(o.Properties, listener, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
	}
	authenticate(o.Properties, ListenPlain, "PLAIN")
	return o, nil
}

// certify gives a listener its key and whom it trusts.
func (s *SecureBroker) certify(properties map[string]string, listener string, who Identity) error {
	certificate, key, err := s.Trusted.Issue(who)
	if err != nil {
		return fmt.Errorf("issue the certificate of %s: %w", listener, err)
	}
	prefix := "listener.name." + strings.ToLower(listener) + ".ssl."
	properties[prefix+"keystore.type"], properties[prefix+"truststore.type"] = "PEM", "PEM"
	properties[prefix+"keystore.certificate.chain"] = string(certificate)
	properties[prefix+"keystore.key"] = string(key)
	properties[prefix+"truststore.certificates"] = string(s.Trusted.PEM)
	return nil
}

// authenticate gives a listener its mechanisms.
func authenticate(properties map[string]string, listener string, mechanisms ...string) {
	prefix := "listener.name." + strings.ToLower(listener) + "."
	properties[prefix+"sasl.enabled.mechanisms"] = strings.Join(mechanisms, ",")
	for _, mechanism := range mechanisms {
		login := "org.apache.kafka.common.security.scram.ScramLoginModule required;"
		if mechanism == "PLAIN" {
			login = fmt.Sprintf(`org.apache.kafka.common.security.plain.PlainLoginModule required user_%s="%s";`,
				PlainUser, strings.ReplaceAll(PlainPassword, `"`, `\"`))
		}
		properties[prefix+strings.ToLower(mechanism)+".sasl.jaas.config"] = login
	}
}

// propagated is how long the metadata log may take to the broker's own memory.
const propagated = 20 * time.Second

// User makes a SCRAM user with a name and returns when the broker knows it; made
// again, its password is the new one.
func (s *SecureBroker) User(t testing.TB, name, password string) {
	t.Helper()
	for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
		// One request takes a user once.
		credentials := []kadm.UpsertSCRAM{{User: name, Mechanism: mechanism, Iterations: 4096, Password: password}}
		altered, err := kadm.NewClient(s.Client(t)).AlterUserSCRAMs(t.Context(), nil, credentials)
		if err := errors.Join(err, altered.Error()); err != nil {
			t.Fatalf("make the user %s: %v", name, err)
		}
	}
	for _, mechanism := range []func() kgo.Opt{
		func() kgo.Opt { return kgo.SASL(scram.Auth{User: name, Pass: password}.AsSha256Mechanism()) },
		func() kgo.Opt { return kgo.SASL(scram.Auth{User: name, Pass: password}.AsSha512Mechanism()) },
	} {
		Eventually(t, propagated, "the broker takes the password of "+name, func() bool {
			client, err := kgo.NewClient(kgo.SeedBrokers(s.Listener(ListenSASL)), mechanism(), kgo.RequestRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			return client.Ping(t.Context()) == nil
		})
	}
}

// Grant is a right of a principal.
type Grant struct {
	Resource  string // "topic", "transactional-id", "cluster"
	Name      string // not of the cluster
	Prefixed  bool   // Name begins the names of the resources
	Operation string // as kafka-acls.sh takes it: "Write", "DescribeConfigs"
}

// String is the grant in words: "Write on topic prefix orders.".
func (g Grant) String() string {
	if g.Prefixed {
		return g.Operation + " on " + g.Resource + " prefix " + g.Name
	}
	return strings.TrimSuffix(g.Operation+" on "+g.Resource+" "+g.Name, " ")
}

// operations are those that the tests grant.
var operations = map[string]kadm.ACLOperation{
	"Read": kadm.OpRead, "Write": kadm.OpWrite, "Create": kadm.OpCreate, "Describe": kadm.OpDescribe,
	"DescribeConfigs": kadm.OpDescribeConfigs, "IdempotentWrite": kadm.OpIdempotentWrite,
}

// Allow gives rights to a principal, "User:name", and returns when they hold.
func (s *SecureBroker) Allow(t testing.TB, principal string, grants ...Grant) {
	t.Helper()
	admin := kadm.NewClient(s.Client(t))
	for _, grant := range grants {
		created, err := admin.CreateACLs(t.Context(), rule(t, principal, grant))
		for _, one := range created {
			err = errors.Join(err, one.Err)
		}
		if err != nil {
			t.Fatalf("allow %s %s: %v", principal, grant, err)
		}
		Eventually(t, propagated, fmt.Sprintf("%s holds for %s", grant, principal), func() bool { return s.allowed(t, admin, principal, grant) })
	}
}

// Revoke takes rights back and returns when they are gone.
func (s *SecureBroker) Revoke(t testing.TB, principal string, grants ...Grant) {
	t.Helper()
	admin := kadm.NewClient(s.Client(t))
	for _, grant := range grants {
		deleted, err := admin.DeleteACLs(t.Context(), rule(t, principal, grant).AllowHosts())
		count := 0
		for _, one := range deleted {
			err = errors.Join(err, one.Err)
			count += len(one.Deleted)
		}
		if err != nil || count != 1 {
			t.Fatalf("revoke %s from %s: %d rules, %v", grant, principal, count, err)
		}
		Eventually(t, propagated, fmt.Sprintf("%s is gone from %s", grant, principal), func() bool { return !s.allowed(t, admin, principal, grant) })
	}
}

// allowed asks the broker's authorizer.
func (s *SecureBroker) allowed(t testing.TB, admin *kadm.Client, principal string, grant Grant) bool {
	t.Helper()
	described, err := admin.DescribeACLs(t.Context(), rule(t, principal, grant).AllowHosts())
	count := 0
	for _, one := range described {
		err = errors.Join(err, one.Err)
		count += len(one.Described)
	}
	if err != nil {
		t.Fatalf("look for %s of %s: %v", grant, principal, err)
	}
	return count > 0
}

func rule(t testing.TB, principal string, g Grant) *kadm.ACLBuilder {
	t.Helper()
	operation, ok := operations[g.Operation]
	b := kadm.NewACLs().Allow(principal).Operations(operation).ResourcePatternType(kadm.ACLPatternLiteral)
	if g.Prefixed {
		b.ResourcePatternType(kadm.ACLPatternPrefixed)
	}
	switch {
	case ok && g.Resource == "topic":
		return b.Topics(g.Name)
	case ok && g.Resource == "transactional-id":
		return b.TransactionalIDs(g.Name)
	case ok && g.Resource == "cluster":
		return b.Clusters()
	}
	t.Fatalf("no such right: %s", g)
	return nil
}
