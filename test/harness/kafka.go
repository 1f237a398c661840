package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// KafkaVariable names the brokers to test with, or "kfake".
const KafkaVariable = "WALRELAY_TEST_KAFKA"

// kafkaStartTimeout includes a recovery of the log after Kill.
const kafkaStartTimeout = 4 * time.Minute

// KafkaOptions shape a private broker.
type KafkaOptions struct {
	// Properties go into server.properties over those of the harness.
	Properties map[string]string

	// JavaOptions follow the harness's own, which are made for a quick start and
	// little memory: a benchmark wants a broker as it runs in earnest.
	JavaOptions []string

	// Listeners are further ones, by name (capital letters) with their security
	// protocol, each on a port of its own: Broker.Listener. The harness itself
	// keeps to its own, which must stay open to it.
	Listeners map[string]string

	// Proxied puts a Proxy before the broker: Brokers and what the broker
	// advertises are the proxy's address, so every client that starts from
	// Brokers stays behind it. The harness itself goes past it.
	Proxied bool

	// Disk, in bytes, puts the log on a file system of its own of that size, to be
	// filled by Broker.Fill: a tmpfs, which takes the right to mount. 0: no.
	Disk int64
}

// Broker is a Kafka of one node, or the external cluster that was named.
type Broker struct {
	origin string
	real   bool
	addrs  []string // as the relay shall see them
	direct []string // past the proxy
	proxy  *Proxy   // nil without
	node   node     // nil: not ours to stop

	replicas  int               // of a topic that Topic makes; 0 is 1
	listeners map[string]string // addresses of KafkaOptions.Listeners
}

// node is a broker that the harness can start and break. A node keeps its
// ports and its data between stop and start.
type node interface {
	start(ctx context.Context) error // returns before it takes requests
	exited() <-chan struct{}         // closed when it has ended by itself; nil: unknown
	stop(kill bool) error
	freeze(frozen bool) error
	remove() error
	report() string // the end of its log
}

// sharedKafka is the broker that all tests of this program share.
var sharedKafka struct {
	once   sync.Once
	broker *Broker
	err    error
}

// Kafka is the test program's shared broker, started when a test first asks.
// Tests keep to topics of their own and leave the broker alone; see
// PrivateKafka.
func Kafka(t testing.TB) *Broker {
	t.Helper()
	s := &sharedKafka
	s.once.Do(func() { s.broker, s.err = openSharedKafka(background(t)) })
	if s.err != nil {
		t.Fatalf("have a Kafka: %v", s.err)
	}
	return s.broker
}

func openSharedKafka(ctx context.Context) (*Broker, error) {
	named := os.Getenv(KafkaVariable)
	switch {
	case named == "kfake":
		return fakeInstead(fmt.Errorf("%s=kfake", KafkaVariable))
	case named != "":
		return externalKafka(ctx, strings.Split(named, ","))
	}
	broker, err := StartKafka(ctx, KafkaOptions{})
	if err != nil {
		return fakeInstead(err)
	}
	shared.atEnd(broker.Remove)
	shared.used(broker.origin)
	return broker, nil
}

// fakeInstead is the last resort, refused where a real Kafka is required.
func fakeInstead(reason error) (*Broker, error) {
	if Required() {
		return nil, fmt.Errorf("WALRELAY_TEST_REQUIRE or CI asks for a real one: %w", reason)
	}
	broker, err := startFake()
	if err != nil {
		return nil, errors.Join(reason, err)
	}
	shared.atEnd(broker.Remove)
	shared.used(broker.origin)
	shared.warn("NO REAL KAFKA: the tests ran against franz-go's kfake, which proves less: " + reason.Error())
	return broker, nil
}

func externalKafka(ctx context.Context, brokers []string) (*Broker, error) {
	broker := &Broker{
		origin: fmt.Sprintf("Kafka at %s (%s)", strings.Join(brokers, ","), KafkaVariable),
		real:   true, addrs: brokers, direct: brokers,
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := broker.awaitReady(ctx); err != nil {
		return nil, fmt.Errorf("use %s: %w", KafkaVariable, err)
	}
	shared.used(broker.origin)
	return broker, nil
}

// PrivateKafka is a real broker of this test's own, to stop, kill and freeze.
// Without Docker and Java the test is skipped or, where required, failed.
func PrivateKafka(t testing.TB, options KafkaOptions) *Broker {
	t.Helper()
	// A killed broker may register again only when its session has run out: 9 s
	// by default, which the shared broker keeps for the sake of slow machines.
	properties := map[string]string{"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "300"}
	maps.Copy(properties, options.Properties)
	options.Properties = properties
	broker, err := StartKafka(background(t), options)
	if err != nil {
		missing(t, "Kafka to break", err)
	}
	shared.used(broker.origin)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the broker's log ends:\n%s", broker.node.report())
		}
		if err := broker.Remove(); err != nil {
			t.Error(err)
		}
	})
	return broker
}

// StartKafka starts a broker with Docker or Java and waits until it takes
// requests. The caller removes it.
func StartKafka(ctx context.Context, options KafkaOptions) (*Broker, error) {
	plan, err := planBroker(options)
	if err != nil {
		return nil, err
	}
	image, noDocker := haveDocker(ctx)
	if noDocker == nil && options.Disk == 0 { // a disk takes the jars: its mount is not the engine's
		plan.node, plan.origin = newDockerNode(plan, image), "Kafka "+kafkaVersion+" (Docker image "+image+")"
		return plan.open(ctx)
	}
	java, noJava := findJava(ctx)
	if noJava == nil {
		plan.origin = fmt.Sprintf("Kafka %s (jars, Java %d)", kafkaVersion, java.major)
		plan.node, noJava = newJavaNode(ctx, plan, java)
	}
	if noJava != nil {
		return nil, errors.Join(noDocker, noJava, plan.close())
	}
	return plan.open(ctx)
}

// open starts the planned broker for the first time.
func (p *brokerPlan) open(ctx context.Context) (*Broker, error) {
	broker := &Broker{
		origin: p.origin, real: true, node: p.node, proxy: p.proxy,
		addrs: []string{p.advertised}, direct: []string{p.direct}, listeners: p.listeners,
	}
	if err := broker.Start(ctx); err != nil {
		return nil, errors.Join(err, broker.Remove())
	}
	return broker, nil
}

// Brokers are the addresses for the program under test.
func (b *Broker) Brokers() []string { return b.addrs }

// Direct are the addresses past the proxy, the same as Brokers without one.
func (b *Broker) Direct() []string { return b.direct }

// Listener is the address of one of KafkaOptions.Listeners.
func (b *Broker) Listener(name string) string { return b.listeners[name] }

// Proxy is the one that KafkaOptions.Proxied asked for, else nil.
func (b *Broker) Proxy() *Proxy { return b.proxy }

// Origin says which Kafka this is.
func (b *Broker) Origin() string { return b.origin }

// Real is false for kfake.
func (b *Broker) Real() bool { return b.real }

var errNotOurs = errors.New("only a broker of PrivateKafka can be broken")

// Start starts a stopped or killed broker on the same ports and data and
// returns when it takes requests.
func (b *Broker) Start(ctx context.Context) error {
	if b.node == nil {
		return errNotOurs
	}
	ctx, cancel := context.WithTimeout(ctx, kafkaStartTimeout)
	defer cancel()
	err := b.node.start(ctx)
	if err == nil {
		err = b.awaitReady(ctx)
	}
	if err != nil {
		return fmt.Errorf("start %s: %w: its log ends:\n%s", b.origin, err, b.node.report())
	}
	return nil
}

// Stop stops the broker in order (SIGTERM).
func (b *Broker) Stop() error {
	return b.breakNode("stop", func(n node) error { return n.stop(false) })
}

// Kill ends the broker with SIGKILL.
func (b *Broker) Kill() error { return b.breakNode("kill", func(n node) error { return n.stop(true) }) }

// Pause freezes the broker: connections stay and nothing answers.
func (b *Broker) Pause() error {
	return b.breakNode("pause", func(n node) error { return n.freeze(true) })
}

// Resume lets a frozen broker run on.
func (b *Broker) Resume() error {
	return b.breakNode("resume", func(n node) error { return n.freeze(false) })
}

func (b *Broker) breakNode(verb string, do func(node) error) error {
	if b.node == nil {
		return errNotOurs
	}
	if err := do(b.node); err != nil {
		return fmt.Errorf("%s %s: %w", verb, b.origin, err)
	}
	return nil
}

// Remove stops the broker and deletes its data; an external one stays.
func (b *Broker) Remove() error {
	if b.node == nil {
		return nil
	}
	err := b.node.remove()
	if b.proxy != nil {
		err = errors.Join(err, b.proxy.Close())
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", b.origin, err)
	}
	return nil
}

// awaitReady returns when the broker answers, and knows itself as a broker.
func (b *Broker) awaitReady(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.direct...),
		kgo.RetryBackoffFn(func(int) time.Duration { return 2 * tick }), kgo.RetryTimeout(kafkaStartTimeout), kgo.RequestRetries(1<<20))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if b.node != nil {
		go func() {
			select {
			case <-b.node.exited():
				cancel(errors.New("it ended by itself"))
			case <-ctx.Done():
			}
		}()
	}
	var last error
	if err := await(ctx, func() bool {
		last = pingBroker(ctx, client)
		return last == nil
	}); err != nil {
		return errors.Join(cmp.Or(context.Cause(ctx), err), last)
	}
	return nil
}
