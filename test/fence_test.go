package test_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/internal/failpoint"
	"github.com/walrelay/walrelay/test/harness"
)

// TestFenceTakenBehindTheSlot: the producer id is asked for when the slot is held, and
// before the first record; never by a standby, check, status or shadow, which would
// shut out the active one. Who takes over asks again.
func TestFenceTakenBehindTheSlot(t *testing.T) {
	t.Parallel()
	s := watch(t)
	active := s.ready(t, s.env...)
	s.orders(t, 50)
	s.drained(t)
	first := s.taken()
	if len(first) != 1 || first[0].holders != 1 || first[0].produced != 0 || !strings.HasPrefix(first[0].name, "walrelay-") {
		t.Fatalf("a first start asked for producer ids like this: %+v", first)
	}
	standby := s.start(t, s.env...)
	waitReason(t, standby, "standby")
	if code, output := s.run(t, []string{"check"}, s.env...); code != 0 {
		t.Errorf("check: exit code %d: %s", code, output)
	}
	if code, output := s.run(t, []string{"status"}, append(s.env, "WALRELAY_HTTP_LISTEN="+active.Address)...); code != 0 {
		t.Errorf("status: exit code %d: %s", code, output)
	}
	shadow := s.shadow(t, s.env, "--wait", "5s")
	s.orders(t, 50)
	s.drained(t)
	shadow.Terminate()
	report(t, shadow, 0)
	if now := s.taken(); len(now) != 1 {
		t.Errorf("beside a running relay producer ids were asked for: %+v", now[1:])
	}
	if reasons(t, standby) == "" {
		t.Error("the test is wrong: the standby is active")
	}
	active.Kill()
	standby.WaitReady(t, soon)
	s.orders(t, 50)
	s.drained(t)
	if now := s.taken(); len(now) != 2 || now[1].holders != 1 || now[1].name != first[0].name {
		t.Errorf("to take over, producer ids were asked for like this: %+v", now[1:])
	}
	s.verify(t)
	stop(t, standby)
}

// TestFenceBeforeTheLook: partitions are read back when the fence is there and their
// topic is sealed, so that what is not found can't come late, and before anything is
// sent; once that is over nothing is read or sealed any more.
func TestFenceBeforeTheLook(t *testing.T) {
	t.Parallel()
	s := watch(t)
	s.killed(t, func() { s.orders(t, 300) }, s.env...)
	s.asked()
	s.orders(t, 20) // not delivered
	p := s.ready(t, s.env...)
	s.drained(t)
	if left := waitLookedBack(t, p); left == 0 {
		t.Error("the test is wrong: nothing came again")
	}
	asked := s.asked()
	place := func(key kmsg.Key) int { return slices.Index(asked, key) }
	if order := []int{place(kmsg.InitProducerID), place(kmsg.AddPartitionsToTxn), place(kmsg.EndTxn), place(kmsg.ListOffsets), place(kmsg.Fetch), place(kmsg.Produce)}; order[0] < 0 || !slices.IsSorted(order) {
		t.Errorf("producer id, seal opened, seal ended, end of the log, its records, first record sent: %v of %v", order, asked)
	}
	last := len(asked) - 1 - slices.Index(backwards(asked), kmsg.EndTxn)
	if last > place(kmsg.ListOffsets) {
		t.Errorf("a partition's end was asked for before the seal was there: %v", asked)
	}
	s.orders(t, 500)
	s.drained(t)
	count := make(map[kmsg.Key]int)
	for _, key := range s.asked() {
		count[key]++
	}
	if count[kmsg.Produce] == 0 || count[kmsg.Fetch] != 0 || count[kmsg.ListOffsets] != 0 || count[kmsg.InitProducerID] != 0 || count[kmsg.AddPartitionsToTxn] != 0 || count[kmsg.EndTxn] != 0 {
		t.Errorf("in the steady state: %v", count)
	}
	none(t, s.verify(t))
	stop(t, p)
}

// backwards is a copy of a list from its end.
func backwards(keys []kmsg.Key) []kmsg.Key {
	keys = slices.Clone(keys)
	slices.Reverse(keys)
	return keys
}

// TestFenceBeforeTheFirstRecord: a request of a killed relay is held up until the next
// one has looked at the partitions, and that one is killed before its own first request.
// The late one is refused although nobody has written there since: what was read was
// the end. The third one repeats nothing.
func TestFenceBeforeTheFirstRecord(t *testing.T) {
	t.Parallel()
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{Proxied: true})
	s := openOn(t, harness.Database(t), kafka, "order")
	direct := "WALRELAY_KAFKA_BROKERS=" + kafka.Direct()[0]
	s.takeProducerID(t, "warm-up")
	dead := s.ready(t)
	s.write(t, 100)
	s.drained(t)
	kafka.Proxy().Freeze(harness.ToServer)
	s.write(t, 100)
	harness.Eventually(t, soon, "a request is under way", func() bool { return scrape(t, dead).value("walrelay_unsent_events") > 0 })
	dead.Kill()
	before := s.ends(t)
	options := s.options(direct, failpoint.Variable+"="+string(failpoint.BeforeProduce))
	options.Program = harness.TaggedBinary(t, "failpoints")
	next := harness.Relay(t, options)
	next.Wait(t, soon)
	sealed := s.ends(t)
	if sealed != before+partitions {
		t.Errorf("the next one has left %d records, not a marker in each of %d partitions", sealed-before, partitions)
	}
	held := kafka.Proxy().Open()
	if held == 0 {
		t.Fatal("the test is wrong: nothing is held up")
	}
	kafka.Proxy().Heal()
	harness.Eventually(t, soon, "what was held up has arrived", func() bool { return kafka.Proxy().Open() == 0 })
	if now := s.ends(t); now != sealed {
		t.Errorf("%d records came late", now-sealed)
	}
	third := s.ready(t, direct)
	s.write(t, 100)
	s.drained(t)
	none(t, s.verify(t))
	stop(t, third)
}

// TestFenceRefused: whom a broker refuses because of a newer epoch gives up the slot
// and stands by; when nobody else takes it, it comes back with an epoch of its own.
func TestFenceRefused(t *testing.T) {
	t.Parallel()
	for code, more := range map[int16]bool{47: true, 48: false, 90: false} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			s := watch(t)
			instances := []*harness.Process{s.ready(t, s.env...)}
			if more {
				instances = append(instances, s.start(t, s.env...))
				waitReason(t, instances[1], "standby")
			}
			s.orders(t, 20)
			s.drained(t)
			walsender := func() int64 {
				return s.QueryInt(t, "SELECT coalesce(max(active_pid), 0) FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
			}
			held := walsender()
			refused := false
			s.answers(func(r kmsg.Request) int16 {
				if refused || kmsg.Key(r.Key()) != kmsg.Produce {
					return 0
				}
				refused = true
				return code
			})
			s.orders(t, 20)
			instances[0].WaitLog(t, soon, "another instance has taken over")
			s.orders(t, 20)
			s.drained(t)
			if now := walsender(); now == held {
				t.Error("the slot was not given up")
			}
			if taken := s.taken(); len(taken) < 2 {
				t.Errorf("whoever goes on has not taken the fence: %+v", taken)
			}
			none(t, s.verify(t))
			if more {
				harness.Eventually(t, soon, "one is active, the other stands by", func() bool {
					a, b := reasons(t, instances[0]), reasons(t, instances[1])
					return a == "" && strings.Contains(b, "standby") || b == "" && strings.Contains(a, "standby")
				})
			}
			for _, p := range instances {
				p.Terminate()
			}
			for _, p := range instances {
				ended(t, p, 0)
			}
		})
	}
}

// TestFenceAgain: without the fence it is asked for at the next start, and the metric
// follows. A producer id that is new, or whose epochs are used up, shuts nobody out:
// the log says so.
func TestFenceAgain(t *testing.T) {
	t.Parallel()
	s := watch(t)
	refuse := func(r kmsg.Request) int16 {
		if init, ok := r.(*kmsg.InitProducerIDRequest); ok && init.TransactionalID != nil {
			return 53
		}
		return 0
	}
	s.answers(refuse)
	for i, fenced := range []bool{false, true, true, false} {
		if s.answers(refuse); fenced {
			s.answers(nil)
		}
		before := len(s.taken())
		p := s.ready(t, s.env...)
		s.orders(t, 20)
		s.drained(t)
		if fence := scrape(t, p).value("walrelay_write_fence"); fence != 0 != fenced {
			t.Errorf("walrelay_write_fence is %v, want %v", fence, fenced)
		}
		if line, warned := p.Logged("no write fence"); warned == fenced || warned && line.Level != "warn" {
			t.Errorf("warned: %q", line.Text)
		}
		if _, said := p.Logged("are not shut out this once"); said != (i == 1) {
			t.Errorf("start %d: it says that the producer id is a new one: %v", i+1, said)
		}
		if now := s.taken(); len(now) != before+1 {
			t.Errorf("asked %d times", len(now)-before)
		}
		stop(t, p)
	}
	none(t, s.verify(t))
}

// TestFenceWithoutCoordinator: a single broker that keeps the default replication of
// its transaction topic has no coordinator, for ever. At-least-once goes on after a
// while, exactly-once waits and says why.
func TestFenceWithoutCoordinator(t *testing.T) {
	t.Parallel()
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{Properties: map[string]string{"transaction.state.log.replication.factor": "3"}})
	s := openOn(t, harness.Database(t), kafka, "order")
	exact := openOn(t, harness.Database(t), kafka, "order")
	waiting := exact.start(t, exact.exact()...)
	exact.insertOne(t)
	for range 2 {
		began := time.Now()
		p := s.ready(t)
		t.Logf("ready after %s", time.Since(began).Round(100*time.Millisecond))
		s.Run(t.Context(), t, harness.Workload{Table: s.Table, Writers: 1, Transactions: 50})
		s.drained(t)
		line, _ := p.Logged("no write fence")
		mustSay(t, line.Text, "warn", "transaction coordinator")
		if n := strings.Count(p.Output(), "no write fence"); n != 1 {
			t.Errorf("it says so %d times", n)
		}
		if fence := scrape(t, p).value("walrelay_write_fence"); fence != 0 {
			t.Errorf("walrelay_write_fence is %v", fence)
		}
		none(t, s.verify(t))
		stop(t, p)
	}
	// It has waited for longer than at-least-once has patience, twice.
	t.Logf("exactly-once: %s", waitReason(t, waiting, "kafka", "producer id"))
	if _, body, err := waiting.Get(t.Context(), "/readyz"); err != nil || !containsAll(body, "WR0807", "transaction.state.log.replication.factor") {
		t.Errorf("/readyz does not say what to do: %v %s", err, body)
	}
	if records := exact.Kafka.ReadAll(t, exact.Topics...); len(records) != 0 {
		t.Errorf("%d records without a transaction", len(records))
	}
	stop(t, waiting)
}

// insertOne commits an event.
func (s *shop) insertOne(t *testing.T) {
	t.Helper()
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1}`)
}
