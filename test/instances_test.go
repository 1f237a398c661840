package test_test

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/test/harness"
)

// shortSender lets the server give up a silent instance soon.
const shortSender = "WALRELAY_POSTGRES_WAL_SENDER_TIMEOUT=2s"

// freeze is how long a writer is frozen that another one replaces meanwhile. A
// minute is the real thing: WALRELAY_TEST_FREEZE=1m go test ./test -run TestFrozenWriter -v.
func freeze(t *testing.T) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(cmp.Or(os.Getenv("WALRELAY_TEST_FREEZE"), "5s"))
	if err != nil {
		t.Fatalf("WALRELAY_TEST_FREEZE: %v", err)
	}
	return d
}

// openProxied makes a shop whose Kafka has a proxy before it. An instance with
// past goes by it, so that the two can be cut off one by one.
func openProxied(t *testing.T) (s *shop, past string) {
	t.Helper()
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{Proxied: true})
	s = openOn(t, harness.Database(t), kafka, "order")
	// A new broker makes its transaction topic first. An instance waits ten seconds for
	// that and then goes on without the fence, which is not what is tested here.
	s.takeProducerID(t, "warm-up")
	return s, "WALRELAY_KAFKA_BROKERS=" + kafka.Direct()[0]
}

// write commits so many transactions, and returns then.
func (s *shop) write(t *testing.T, transactions int64) {
	t.Helper()
	s.Run(t.Context(), t, harness.Workload{Table: s.Table, Writers: 4, Aggregates: 20, Transactions: transactions})
}

// settled waits until one of two instances works and the other stands by.
func settled(t *testing.T, a, b *harness.Process) (active, standby *harness.Process) {
	t.Helper()
	harness.Eventually(t, soon, "one instance works and the other stands by", func() bool {
		of := map[*harness.Process]string{a: reasons(t, a), b: reasons(t, b)}
		for _, pair := range [][2]*harness.Process{{a, b}, {b, a}} {
			status, _, err := pair[0].Get(t.Context(), "/readyz")
			if err == nil && status == http.StatusOK && strings.Contains(of[pair[1]], "standby") {
				active, standby = pair[0], pair[1]
				return true
			}
		}
		return false
	})
	return active, standby
}

// idsTaken is how often an instance has taken a producer id.
func idsTaken(p *harness.Process) int { return strings.Count(p.Output(), `"producer id taken`) }

// TestLateProducerID: an instance has the slot and has asked Kafka for its producer
// id, is frozen before it gets it, and loses the slot. The id that it gets when it
// wakes is newer than its successor's, and yet it must not send what it has
// received: that is delivered, and events after it.
func TestLateProducerID(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d way) {
		s, past := openProxied(t)
		env := append(d.env(s), shortSender)
		stop(t, s.ready(t, env...)) // the slot is there
		s.Kafka.Proxy().Freeze(harness.ToServer)
		late := s.start(t, env...)
		late.WaitLog(t, soon, `"streaming"`)
		s.write(t, 300)
		late.Pause()
		next := s.ready(t, append(env, past)...)
		s.write(t, 300)
		s.drained(t)
		s.Kafka.Proxy().Heal()
		late.Resume()
		settled(t, late, next)
		s.write(t, 300)
		s.drained(t)
		none(t, d.verify(s, t))
	})
}

// TestLateWriter: an instance is frozen with requests on their way to Kafka, which
// arrive when its successor has delivered the same events and newer ones. Brokers
// refuse them on every partition that the successor has written to.
func TestLateWriter(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d way) {
		s, past := openProxied(t)
		env := append(d.env(s), shortSender)
		late := s.ready(t, env...)
		next := s.start(t, append(env, past)...)
		waitReason(t, next, "standby")
		s.write(t, 100)
		s.drained(t)
		s.Kafka.Proxy().Freeze(harness.ToServer)
		s.write(t, 300)
		harness.Eventually(t, soon, "events are on their way", func() bool { return scrape(t, late).value("walrelay_unsent_events") > 100 })
		late.Pause()
		next.WaitReady(t, soon)
		s.write(t, 300)
		s.drained(t)
		s.Kafka.Proxy().Heal() // the old requests reach the broker, although their sender is frozen
		late.Resume()
		waitReason(t, late, "standby")
		s.write(t, 100)
		s.drained(t)
		none(t, d.verify(s, t))
		if n := idsTaken(next); n != 1 {
			t.Errorf("the successor has taken %d producer ids: the late writer has shut it out", n)
		}
	})
}

// TestFrozenWriter: a writer frozen under load and woken after another has taken
// over does no harm, stands by, and is as good as new when its turn comes.
func TestFrozenWriter(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d way) {
		s := open(t, "order")
		env := append(d.env(s), shortSender)
		first := s.ready(t, env...)
		quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 5 * time.Millisecond})
		seen := s.watch(t, d.name == "exactly-once")
		s.more(t, 200)
		second := s.start(t, env...)
		waitReason(t, second, "standby")
		before, began := seen.writer(t), time.Now()
		first.Pause()
		arrived, silence := seen.handover(t, before)
		t.Logf("frozen with a wal_sender_timeout of 2s: the other's first event after %s; consumers got nothing for %s",
			arrived.Sub(began).Round(time.Millisecond), silence.Round(time.Millisecond))
		if rest := freeze(t) - time.Since(began); rest > 0 {
			harness.Never(t, rest, "the second instance gives up", func() bool { return second.Ended() })
		}
		first.Resume()
		waitReason(t, first, "standby")
		s.more(t, 200)
		if n := idsTaken(second); n != 1 {
			t.Errorf("the second instance has taken %d producer ids: the frozen one has shut it out", n)
		}
		// What the other has delivered meanwhile is not sent again either.
		second.Kill()
		first.WaitReady(t, soon)
		s.more(t, 200)
		quiet()
		result := d.verify(s, t)
		t.Logf("a freeze and a kill repeated %d events", result.Duplicates)
		s.drained(t)
		stop(t, first)
	})
}

// TestCutCable: an instance that loses both PostgreSQL and Kafka without a word is
// replaced within wal_sender_timeout, and stands by when the cable is back.
func TestCutCable(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d way) {
		s, past := openProxied(t)
		postgres := harness.NewProxy(t, s.Target(t))
		env := append(d.env(s), shortSender)
		first := s.ready(t, append(env, "WALRELAY_POSTGRES_URL="+s.ConnStringVia(t, postgres))...)
		quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 5 * time.Millisecond})
		seen := s.watch(t, d.name == "exactly-once")
		s.more(t, 200)
		second := s.start(t, append(env, past)...)
		waitReason(t, second, "standby")
		before, began := seen.writer(t), time.Now()
		postgres.Drop(harness.Both)
		s.Kafka.Proxy().Drop(harness.Both)
		arrived, silence := seen.handover(t, before)
		t.Logf("cut with a wal_sender_timeout of 2s: the other's first event after %s; consumers got nothing for %s",
			arrived.Sub(began).Round(time.Millisecond), silence.Round(time.Millisecond))
		s.more(t, 200)
		for _, p := range []*harness.Proxy{postgres, s.Kafka.Proxy()} {
			p.Heal()
			p.Reset() // connections that have lost bytes are of no use
		}
		waitReason(t, first, "standby")
		s.more(t, 200)
		quiet()
		none(t, d.verify(s, t))
		s.drained(t)
		stop(t, second)
		first.WaitReady(t, soon)
		stop(t, first)
	})
}

// TestRollingUpdate: stopping one instance after the other under load, each
// replaced by a new one, loses and repeats nothing.
func TestRollingUpdate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d way) {
		s := open(t, "order")
		env := d.env(s)
		pair := [2]*harness.Process{s.ready(t, env...), s.start(t, env...)} // the slot is there before the events
		quiet := s.background(t, harness.Workload{Writers: 8, Aggregates: 100, Pause: 2 * time.Millisecond, RollbackShare: 0.1, SavepointUndo: 0.1})
		for range 2 { // both are replaced each time, the standby first
			for _, i := range []int{1, 0} {
				settled(t, pair[0], pair[1])
				s.more(t, 50)
				stop(t, pair[i])
				pair[i] = s.start(t, env...)
			}
		}
		active, standby := settled(t, pair[0], pair[1])
		quiet()
		none(t, d.verify(s, t))
		s.drained(t)
		stop(t, standby)
		stop(t, active)
	})
}

// TestShutOut: when somebody takes the producer id of the instance that works, a
// transaction is refused, so with exactly-once it gives up the slot, and one of the
// two goes on: they do not shut each other out in turn. Without transactions a
// partition is closed only by a newer batch in it, and there is none.
func TestShutOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d way) {
		s := open(t, "order")
		env := d.env(s)
		first := s.ready(t, env...)
		second := s.start(t, env...)
		waitReason(t, second, "standby")
		quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 5 * time.Millisecond})
		s.more(t, 100)
		taken := idsTaken(first) + idsTaken(second)
		s.takeProducerID(t, "walrelay-"+s.QueryText(t, "SELECT system_identifier FROM pg_control_system()")+"-"+s.Slot)
		refused := 0
		if d.name == "exactly-once" {
			first.WaitLog(t, soon, "another instance has taken over")
			refused = 1
		}
		s.more(t, 100)
		active, standby := settled(t, first, second)
		s.more(t, 500)
		if n := idsTaken(first) + idsTaken(second) - taken; n != refused {
			t.Errorf("%d producer ids were taken after that instead of %d", n, refused)
		}
		quiet()
		result := d.verify(s, t)
		t.Logf("repeated %d events", result.Duplicates)
		s.drained(t)
		stop(t, standby)
		stop(t, active)
	})
}

// takeProducerID takes the producer id of a transactional id, as a late request of
// an instance does.
func (s *shop) takeProducerID(t *testing.T, name string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Kafka.Direct()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrInitProducerIDRequest()
	request.TransactionalID, request.TransactionTimeoutMillis = &name, 60_000
	harness.Eventually(t, soon, "a producer id is taken", func() bool { // a transaction that is open is aborted first
		response, err := request.RequestWith(t.Context(), client)
		return err == nil && response.ErrorCode == 0
	})
}

// TestRoles: who works and who stands by is on /readyz, in the metrics, the log and
// the status, together with who holds the slot.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	first := s.ready(t)
	second := s.start(t)
	reason := waitReason(t, second, "standby")
	mustSay(t, reason, fmt.Sprintf(":%d ", first.PID()), "reads from the slot", "takes over")
	second.WaitLog(t, soon, "standing by")
	for _, one := range []struct {
		p     *harness.Process
		state string
		ready int
	}{{first, "streaming", http.StatusOK}, {second, "standby", http.StatusServiceUnavailable}} {
		m := scrape(t, one.p)
		if m.value("walrelay_state", `state="`+one.state+`"`) != 1 || m.value("walrelay_state") != 1 {
			t.Errorf("walrelay_state of the one that is %s: %v", one.state, m["walrelay_state"])
		}
		if answer := s.stated(t, one.p.Address, 0); answer.State != one.state {
			t.Errorf("status says %s instead of %s", answer.State, one.state)
		}
		for path, want := range map[string]int{"/readyz": one.ready, "/readyz?standby=ok": http.StatusOK, "/healthz": http.StatusOK} {
			if status, body, err := one.p.Get(t.Context(), path); err != nil || status != want {
				t.Errorf("%s of the one that is %s: %d %s %v", path, one.state, status, body, err)
			}
		}
	}
	stop(t, first)
	second.WaitReady(t, soon)
	stop(t, second)
}
