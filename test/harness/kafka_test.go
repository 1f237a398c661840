package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func produce(t *testing.T, b *Broker, records ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := b.Client(t).ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestKafkaKeepsNullAndEmptyApart(t *testing.T) {
	b := Kafka(t)
	topic := b.Topic(t, 1, "max.message.bytes", "2000")
	produce(t, b,
		&kgo.Record{Topic: topic, Headers: []kgo.RecordHeader{{Key: "null"}, {Key: "empty", Value: []byte{}}}},
		&kgo.Record{Topic: topic, Key: []byte{}, Value: []byte{}},
		&kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v")})
	got := b.ReadAll(t, topic)
	if len(got) != 3 {
		t.Fatalf("read %d records", len(got))
	}
	text := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return fmt.Sprintf("%q", b)
	}
	for i, want := range []string{"null null", `"" ""`, `"k" "v"`} {
		if s := text(got[i].Key) + " " + text(got[i].Value); s != want {
			t.Errorf("record %d: %s, want %s", i, s, want)
		}
	}
	if h := got[0].Headers; text(h[0].Value) != "null" || text(h[1].Value) != `""` {
		t.Errorf("headers %v", h)
	}
	if topics := b.Topics(t, topic); !slices.Equal(topics, []string{topic}) {
		t.Errorf("topics %v", topics)
	}
	if got := b.ReadAll(t, b.Topic(t, 3)); len(got) != 0 {
		t.Errorf("an empty topic holds %d records", len(got))
	}
}

func TestReadCommittedLeavesAbortedOut(t *testing.T) {
	b := Kafka(t)
	topic := b.Topic(t, 2)
	client := b.Client(t, kgo.TransactionalID(uniqueName()))
	for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for n := range 4 {
			record := &kgo.Record{Topic: topic, Value: fmt.Appendf(nil, "%t %d", bool(commit), n)}
			if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.EndTransaction(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	if all := b.ReadAll(t, topic); len(all) != 8 {
		t.Errorf("read_uncommitted sees %d records", len(all))
	}
	committed := b.ReadCommitted(t, topic)
	for _, r := range committed {
		if !strings.HasPrefix(string(r.Value), "true") {
			t.Errorf("read_committed sees %q", r.Value)
		}
	}
	if len(committed) != 4 {
		t.Errorf("read_committed sees %d records", len(committed))
	}
}

func TestReadCountWaits(t *testing.T) {
	b := Kafka(t)
	topic := b.Topic(t, 1)
	client := b.Client(t)
	done := make(chan []*kgo.Record)
	go func() { done <- b.ReadCount(t, 30*time.Second, 2, topic) }()
	for range 2 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
			t.Error(err)
		}
	}
	if got := <-done; len(got) != 2 {
		t.Errorf("read %d", len(got))
	}
}

func TestBreakBroker(t *testing.T) {
	began := time.Now()
	b := PrivateKafka(t, KafkaOptions{Proxied: true})
	t.Logf("%s ready after %s", b, time.Since(began).Round(time.Millisecond))
	topic := b.Topic(t, 1)
	want := 0
	for name, down := range map[string]func() error{"stop": b.Stop, "kill": b.Kill} {
		produce(t, b, &kgo.Record{Topic: topic, Value: []byte("x")})
		want++
		began := time.Now()
		if err := down(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s took %s", name, time.Since(began).Round(time.Millisecond))
		began = time.Now()
		if err := b.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("ready %s after start", time.Since(began).Round(time.Millisecond))
		produce(t, b, &kgo.Record{Topic: topic, Value: []byte("x")})
		want++
		t.Logf("takes records %s after %s and start", time.Since(began).Round(time.Millisecond), name)
		if got := b.ReadAll(t, topic); len(got) != want {
			t.Errorf("after %s: %d of %d records", name, len(got), want)
		}
	}
	if err := b.Pause(); err != nil {
		t.Fatal(err)
	}
	frozen := b.Client(t, kgo.RequestTimeoutOverhead(300*time.Millisecond), kgo.RequestRetries(0))
	if err := frozen.Ping(t.Context()); err == nil {
		t.Error("a frozen broker answers")
	}
	if err := b.Resume(); err != nil {
		t.Fatal(err)
	}
	produce(t, b, &kgo.Record{Topic: topic, Value: []byte("x")})
}

func TestProxiedBrokerKeepsClientsBehindTheProxy(t *testing.T) {
	b := PrivateKafka(t, KafkaOptions{Proxied: true, Properties: map[string]string{"num.partitions": "3"}})
	topic := b.Topic(t, 1)
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Brokers()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	send := func() error {
		return client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()
	}
	if err := send(); err != nil || b.Proxy().Accepted() < 2 {
		t.Fatalf("%v; %d connections through the proxy", err, b.Proxy().Accepted())
	}
	b.Proxy().Cut()
	brief, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := client.Ping(brief); err == nil {
		t.Error("a client goes past the proxy")
	}
	if got := b.ReadAll(t, topic); len(got) != 1 {
		t.Errorf("the harness, past the proxy, reads %d records", len(got))
	}
	b.Proxy().Heal()
	if err := send(); err != nil {
		t.Errorf("after Heal: %v", err)
	}
}

func TestOnlyPrivateBrokersBreak(t *testing.T) {
	b := &Broker{origin: "external"}
	for _, err := range []error{b.Stop(), b.Kill(), b.Pause(), b.Resume(), b.Start(t.Context())} {
		if !errors.Is(err, errNotOurs) {
			t.Errorf("%v", err)
		}
	}
}

func TestFakeIsSaid(t *testing.T) {
	t.Setenv("WALRELAY_TEST_REQUIRE", "")
	t.Setenv("CI", "")
	b, err := startFake()
	if err != nil {
		t.Fatal(err)
	}
	topic := b.Topic(t, 2)
	produce(t, b, &kgo.Record{Topic: topic, Key: []byte("k")})
	if got := b.ReadAll(t, topic); len(got) != 1 || b.Real() {
		t.Errorf("%d records, real %t", len(got), b.Real())
	}
	t.Setenv("CI", "true")
	if _, err := fakeInstead(errors.New("no Java found")); err == nil || !strings.Contains(err.Error(), "no Java found") {
		t.Errorf("CI accepts a fake: %v", err)
	}
}

func TestDockerCommand(t *testing.T) {
	plan, err := planBroker(KafkaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Join(newDockerNode(plan, kafkaImage).args, " ")
	for _, want := range []string{
		"--publish " + plan.direct + ":" + strings.TrimPrefix(plan.direct, "127.0.0.1:"),
		"--env KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://" + plan.advertised,
		"--env KAFKA_LISTENERS=PLAINTEXT://0.0.0.0:",
		"--env KAFKA_AUTO_CREATE_TOPICS_ENABLE=false",
	} {
		if !strings.Contains(args, want) {
			t.Errorf("no %q in: docker %s", want, args)
		}
	}
	if !strings.HasSuffix(args, " "+kafkaImage) {
		t.Errorf("the image is not last: %s", args)
	}
	if got := dockerVariable("a.b-c_d"); got != "KAFKA_A_B___C__D" {
		t.Errorf("variable %s", got)
	}
}

func TestFindDocker(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if _, err := findDocker(t.Context()); err == nil {
		t.Error("found a Docker where none is")
	}
	script := "#!/bin/sh\n[ \"$1\" = image ] && exit 1\n[ \"$1\" = pull ] && { echo denied >&2; exit 1; }\necho 28.0\n"
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := findDocker(t.Context()); err == nil || !strings.Contains(err.Error(), "denied") {
		t.Errorf("an engine without the image: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\necho ok\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if image, err := findDocker(t.Context()); err != nil || image != kafkaImage {
		t.Errorf("an engine with the image: %q, %v", image, err)
	}
}

func TestFindJava(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JAVA_HOME", dir)
	for output, want := range map[string]int{
		`openjdk version "21" 2023-09-19`:         21,
		`openjdk version "17.0.15" 2025-04-15`:    17,
		`openjdk version "25-ea" 2025-09-16`:      25,
		`java version "1.8.0_401"`:                0,
		`The operation couldn't be completed. :(`: 0,
	} {
		script := "#!/bin/sh\ncat >&2 <<'E'\n" + output + "\nE\n"
		if err := os.WriteFile(filepath.Join(dir, "bin", "java"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		// Another Java of this machine may stand in for one that is too old.
		if found, err := findJava(t.Context()); want != 0 && (err != nil || found.major != want) ||
			want == 0 && err == nil && strings.HasPrefix(found.path, dir) {
			t.Errorf("%s: %+v, %v", output, found, err)
		}
	}
}
