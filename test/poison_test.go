package test_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// smallLimit is the max.message.bytes of a topic that some events do not fit.
const smallLimit = 2000

// limit sets a topic's max.message.bytes.
func (s *shop) limit(t *testing.T, topic string, bytes int) {
	t.Helper()
	admin := kadm.NewClient(s.Kafka.Client(t))
	responses, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "max.message.bytes", Value: new(itoa(bytes))}}, topic)
	if err == nil {
		err = responses[0].Err
	}
	if err != nil {
		t.Fatalf("set max.message.bytes of %s: %v", topic, err)
	}
}

// around inserts events numbered from and up, of which the middle one has the
// padding, and returns that one's id.
func (s *shop) around(t *testing.T, from, padding int) (id string) {
	t.Helper()
	for i := range 11 {
		size := 1
		if i == 5 {
			size = padding
		}
		got := s.Insert(t, s.Table, "order", []string{"a", "b"}[i%2], "Placed", fmt.Sprintf(`{"seq": %d, "pad": %q}`, from+i, strings.Repeat("x", size)))
		if i == 5 {
			id = got
		}
	}
	return id
}

// without leaves an event out.
func without(events []harness.Event, id string) []harness.Event {
	var rest []harness.Event
	for _, e := range events {
		if e.ID != id {
			rest = append(rest, e)
		}
	}
	return rest
}

func headers(r *kgo.Record) map[string]string {
	all := make(map[string]string)
	for _, h := range r.Headers {
		all[h.Key] = string(h.Value)
	}
	return all
}

// TestPoisonStops: the relay stops before a record that Kafka can never take,
// and goes on there when there is room for it.
func TestPoisonStops(t *testing.T) {
	t.Parallel()
	s := open(t)
	topic := s.topic(t, "order", "max.message.bytes", itoa(smallLimit))
	p := s.ready(t)
	id := s.around(t, 0, 2*smallLimit)
	ended(t, p, 4)
	mustSay(t, p.Output(), id, "Placed", `\"b\"`, itoa(smallLimit), "max.message.bytes", "on_poison", "commits at 0/")
	if n := len(s.Kafka.ReadAll(t, topic)); n != 5 {
		t.Errorf("%d records are there, not the 5 before the event", n)
	}
	before := s.confirmed(t)
	p = s.start(t)
	ended(t, p, 4)
	mustSay(t, p.Output(), id)
	if s.confirmed(t) != before {
		t.Error("a second start has confirmed something")
	}
	s.limit(t, topic, 10*smallLimit)
	p = s.ready(t)
	none(t, s.verify(t))
	s.drained(t)
	stop(t, p)
}

// TestPoisonSkipped: the rest is delivered, the event is named and counted.
func TestPoisonSkipped(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.topic(t, "order", "max.message.bytes", itoa(smallLimit))
	p := s.ready(t, "WALRELAY_ON_POISON=skip")
	id := s.around(t, 0, 2*smallLimit)
	line := p.WaitLog(t, soon, id)
	if line.Level != "error" || !containsAll(line.Text, "Placed", itoa(smallLimit), "too_large") {
		t.Errorf("it does not say enough: %s", line.Text)
	}
	none(t, harness.Verify(t, s.Kafka, patience, without(s.Committed(t, s.Prefix, s.Table), id), s.Topics...))
	s.drained(t)
	failures := scrape(t, p).value("walrelay_publish_failures_total", `reason="too_large"`, `event_type="Placed"`)
	if failures != 1 {
		t.Errorf("walrelay_publish_failures_total is %g, not 1", failures)
	}
	stop(t, p)
}

// TestPoisonDeadLetter: the event goes to the dead-letter topic as it is, with
// the reason; without its payload when it is too large there as well.
func TestPoisonDeadLetter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		limit   int // of the dead-letter topic
		payload bool
	}{{"whole", 100 * smallLimit, true}, {"without payload", smallLimit, false}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			topic := s.topic(t, "order", "max.message.bytes", itoa(smallLimit))
			dead := s.Kafka.Topic(t, 3, "max.message.bytes", itoa(test.limit))
			p := s.ready(t, "WALRELAY_ON_POISON=dead-letter", "WALRELAY_DEAD_LETTER_TOPIC="+dead)
			id := s.around(t, 0, 2*smallLimit)
			all := s.Committed(t, s.Prefix, s.Table)
			none(t, harness.Verify(t, s.Kafka, patience, without(all, id), s.Topics...))
			letters := s.Kafka.ReadCount(t, soon, 1, dead)
			if len(letters) != 1 {
				t.Fatalf("%d dead letters, not 1", len(letters))
			}
			letter, why := letters[0], headers(letters[0])
			if why["id"] != id || string(letter.Key) != "b" {
				t.Errorf("the dead letter is event %q with key %q", why["id"], letter.Key)
			}
			if why["walrelay-dead-letter-reason"] != "too_large" || !containsAll(why["walrelay-dead-letter-detail"], itoa(smallLimit), topic) {
				t.Errorf("it does not say why: %v", why)
			}
			for _, e := range all {
				switch {
				case e.ID != id:
				case test.payload && string(letter.Value) != string(e.Value):
					t.Errorf("its value of %d bytes is not the payload", len(letter.Value))
				case !test.payload && letter.Value != nil:
					t.Errorf("its value has %d bytes instead of being null", len(letter.Value))
				}
			}
			s.drained(t)
			stop(t, p)
		})
	}
}

// TestUnroutable: rows that no topic can be found for, by each policy.
func TestUnroutable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, aggregateType, reason string
	}{
		{"null", "NULL", "null_aggregate_type"}, {"illegal", "'sales/order 1'", "illegal_topic"}, {"long", "repeat('x', 300)", "illegal_topic"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, "order")
			dead := s.Kafka.Topic(t, 1)
			s.Exec(t, "ALTER TABLE public.outbox ALTER aggregatetype DROP NOT NULL")
			odd := func(id string) {
				t.Helper()
				s.Exec(t, "INSERT INTO public.outbox VALUES ('"+id+"', "+row.aggregateType+`, '1', 'Odd', '{"seq": 2}')`)
			}
			const id, another = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
			p := s.ready(t, "WALRELAY_ON_POISON=skip")
			s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1}`)
			odd(id)
			s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 3}`)
			rest := s.Expected(t, `SELECT id::text, $1 || aggregatetype, aggregateid, (payload->>'seq')::bigint, payload::text
				FROM public.outbox WHERE type <> 'Odd'`, s.Prefix)
			line := p.WaitLog(t, soon, id)
			if !containsAll(line.Text, row.reason, "Odd") {
				t.Errorf("it does not say enough: %s", line.Text)
			}
			none(t, harness.Verify(t, s.Kafka, patience, rest, s.Topics...))
			s.drained(t)
			if n := scrape(t, p).value("walrelay_publish_failures_total", `reason="`+row.reason+`"`); n != 1 {
				t.Errorf("walrelay_publish_failures_total is %g, not 1", n)
			}
			stop(t, p)

			odd(another)
			p = s.start(t)
			ended(t, p, 4)
			mustSay(t, p.Output(), another, "Odd", "public.outbox", "commits at 0/")

			p = s.ready(t, "WALRELAY_ON_POISON=dead-letter", "WALRELAY_DEAD_LETTER_TOPIC="+dead)
			letter := s.Kafka.ReadCount(t, soon, 1, dead)[0]
			if why := headers(letter); why["walrelay-dead-letter-reason"] != row.reason || string(letter.Value) != `{"seq": 2}` || string(letter.Key) != "1" {
				t.Errorf("dead letter with key %q, value %q, headers %v", letter.Key, letter.Value, why)
			}
			s.drained(t)
			stop(t, p)
		})
	}
}

// TestBrokerRefuses: a topic's limit is lowered under the relay, so that only the
// broker's answer tells that a record is too large. The policies hold as before.
func TestBrokerRefuses(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"stop", "skip", "dead-letter"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := open(t, "order")
			dead := s.Kafka.Topic(t, 1)
			p := s.ready(t, "WALRELAY_ON_POISON="+policy, "WALRELAY_DEAD_LETTER_TOPIC="+dead)
			s.around(t, 0, 1) // now the relay knows the topic and its limit
			s.drained(t)
			s.limit(t, s.Topics[0], smallLimit)
			id := s.around(t, 11, 2*smallLimit)
			all := s.Committed(t, s.Prefix, s.Table)
			switch policy {
			case "stop":
				ended(t, p, 4)
				mustSay(t, p.Output(), id, "max.message.bytes")
				p = s.start(t)
				ended(t, p, 4)
				s.limit(t, s.Topics[0], 10*smallLimit)
				p = s.ready(t)
				s.verify(t)
			case "dead-letter":
				if letter := headers(s.Kafka.ReadCount(t, soon, 1, dead)[0]); letter["id"] != id {
					t.Errorf("the dead letter is another event: %v", letter)
				}
				fallthrough
			default:
				p.WaitLog(t, soon, id)
				none(t, harness.Verify(t, s.Kafka, patience, without(all, id), s.Topics...))
			}
			s.drained(t)
			stop(t, p)
		})
	}
}
