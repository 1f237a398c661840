package main

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/test/harness"
)

// networkFaults are the faults between two programs.
func networkFaults() []scenario {
	var all []scenario
	for _, side := range []struct {
		name  string
		stage func(*testing.T, *scene) []*harness.Proxy
	}{
		{"PostgreSQL", toPostgres},
		{"Kafka", toKafka},
	} {
		named := func(name string) string { return "to " + side.name + ": " + name }
		quick := []delivery{atLeastOnce}
		if side.name == "Kafka" {
			quick = []delivery{exactlyOnce}
		}
		all = append(all,
			scenario{name: named("connections reset"), rounds: 10, stage: broken(side.stage, resets)},
			scenario{name: named("cut for 10 s"), rounds: 2, quick: quick, stage: broken(side.stage, cut)},
			scenario{name: named("half-open for 30 s: no packet in either direction"), stage: broken(side.stage, frozen(harness.Both))},
			scenario{name: named("half-open for 30 s: nothing comes back"), stage: broken(side.stage, frozen(harness.ToClient))},
			scenario{name: named("bytes to the relay lost, connections reset 5 s later"), rounds: 3, stage: broken(side.stage, dropped(harness.ToClient))},
			scenario{name: named("bytes from the relay lost, connections reset 5 s later"), rounds: 3, stage: broken(side.stage, dropped(harness.ToServer))},
			scenario{name: named("500 ms delay each way for 30 s"), stage: broken(side.stage, slow)},
		)
	}
	return append(append(all, lossFaults()...), corruptionFaults()...)
}

// toPostgres puts a proxy between the relay and PostgreSQL; the writers go past it.
func toPostgres(t *testing.T, s *scene) []*harness.Proxy {
	s.DB = harness.Database(t)
	proxy := harness.NewProxy(t, s.Target(t))
	s.Addr = s.ConnStringVia(t, proxy)
	return []*harness.Proxy{proxy}
}

// toKafka puts a proxy before a broker of the scenario's own; the readers go past it.
func toKafka(t *testing.T, s *scene) []*harness.Proxy {
	s.Kafka = harness.PrivateKafka(t, harness.KafkaOptions{Proxied: true})
	return []*harness.Proxy{s.Kafka.Proxy()}
}

func broken(stage func(*testing.T, *scene) []*harness.Proxy, fault func(*testing.T, *scene, *harness.Proxy)) func(*testing.T, *scene) func() {
	return func(t *testing.T, s *scene) func() {
		proxies := stage(t, s)
		return func() {
			for _, proxy := range proxies {
				fault(t, s, proxy)
			}
		}
	}
}

func resets(_ *testing.T, _ *scene, p *harness.Proxy) { p.Reset() }

func cut(t *testing.T, s *scene, p *harness.Proxy) {
	p.Cut()
	s.stays(t, s.outage(10*time.Second))
	p.Heal()
}

// frozen loses nothing: TCP sends again what did not arrive while the route was away.
func frozen(way harness.Direction) func(*testing.T, *scene, *harness.Proxy) {
	return func(t *testing.T, s *scene, p *harness.Proxy) {
		p.Freeze(way)
		s.stays(t, s.outage(30*time.Second))
		p.Heal()
	}
}

// dropped loses what was on its way: the connections do not live on.
func dropped(way harness.Direction) func(*testing.T, *scene, *harness.Proxy) {
	return func(t *testing.T, s *scene, p *harness.Proxy) {
		p.Drop(way)
		s.stays(t, s.outage(5*time.Second))
		p.Heal()
		p.Reset()
	}
}

// slow measures the recovery while all is slow: events flow on.
func slow(t *testing.T, s *scene, p *harness.Proxy) {
	p.Delay(harness.Both, 500*time.Millisecond)
	s.back(t)
	s.stays(t, s.outage(30*time.Second))
	p.Heal()
}

// lossFaults lose packets below TCP, which a proxy can't: in a network namespace, on
// the way to PostgreSQL and to Kafka.
func lossFaults() []scenario {
	needs := func() string {
		if err := harness.NoNetwork(); err != nil {
			return fmt.Sprintf("no network that loses packets: %v", err)
		}
		return ""
	}
	lose := func(share float64) func(*testing.T, *scene) func() {
		return func(t *testing.T, s *scene) func() {
			n := inside(t, s)
			return func() {
				n.Lose(t, share)
				s.back(t)
				s.stays(t, s.outage(30*time.Second))
				s.note = fmt.Sprintf("%s packets were lost; recovery is that of an event meanwhile", thousands(n.Lost(t)))
				n.Lose(t, 0)
			}
		}
	}
	return []scenario{
		{name: "1 % of packets lost to PostgreSQL and Kafka for 30 s", needs: needs, stage: lose(0.01)},
		{name: "10 % of packets lost to PostgreSQL and Kafka for 30 s", needs: needs, stage: lose(0.10)},
	}
}

// inside lets the relay run in a network of its own.
func inside(t *testing.T, s *scene) *harness.Network {
	t.Helper()
	n := harness.NewNetwork(t)
	s.DB, s.Kafka = harness.Database(t), harness.Kafka(t)
	n.Into(t, s.Target(t))
	for _, broker := range s.Kafka.Brokers() {
		n.Into(t, broker)
	}
	port, err := postgres.FreePort()
	must(t, err)
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	n.OutOf(t, address)
	s.Env = append(s.Env, "WALRELAY_HTTP_LISTEN="+address)
	s.Program = n.Program(t, harness.Binary(t))
	return n
}
