package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/test/harness"
)

// answerFaults are wrong and missing answers of a broker that is well.
func answerFaults() []scenario {
	refused := []int16{29, 31, 53, 58} // rights and passwords: a person has to do something
	return []scenario{
		{name: "answers lost after the append", rounds: 3, quick: []delivery{atLeastOnce}, stage: answersLost},
		{name: "every error to a produce request that is waited out, once without and once with the append", stage: everyPassing},
		{name: "every error to a produce request that ends the relay, started again", stage: everyFatal},
		{name: "errors to a request for a producer id, once without and once with it", stage: everyAnswer(func() kmsg.Request { return &kmsg.InitProducerIDRequest{} }, refused)},
		{name: "errors to adding partitions to a transaction, once without and once with it", deliveries: []delivery{exactlyOnce}, stage: everyAnswer(func() kmsg.Request { return &kmsg.AddPartitionsToTxnRequest{} }, refused)},
		{name: "errors to a commit, once without and once with it", deliveries: []delivery{exactlyOnce}, stage: everyAnswer(func() kmsg.Request { return &kmsg.EndTxnRequest{} }, refused)},
		{name: "errors to a request for metadata", stage: everyAnswer(func() kmsg.Request { return &kmsg.MetadataRequest{} }, []int16{29})},
	}
}

// answering gives the scene a broker whose answers can be chosen.
func answering(t *testing.T, s *scene) *harness.Answers {
	t.Helper()
	s.Kafka = harness.PrivateKafka(t, harness.KafkaOptions{Proxied: true})
	return s.Kafka.Answers(t)
}

// answersLost: of the answers to produce requests and commits one in two is lost, and
// its connection with it, after the broker has done what it was asked.
func answersLost(t *testing.T, s *scene) func() {
	a := answering(t, s)
	return func() {
		var mu sync.Mutex
		seen, lost := 0, 0
		a.Rule(func(r kmsg.Request) harness.Fate {
			switch r.(type) {
			case *kmsg.ProduceRequest, *kmsg.EndTxnRequest:
			default:
				return harness.Fate{}
			}
			mu.Lock()
			defer mu.Unlock()
			seen++
			if seen%2 == 0 {
				return harness.Fate{}
			}
			lost++
			return harness.Fate{Lost: true}
		})
		enough := 50
		if !s.full {
			enough = 10
		}
		harness.Eventually(t, patience, "answers are lost", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return lost >= enough
		})
		a.Rule(nil)
	}
}

// lastError is the last code that Kafka had when this was written.
const lastError = 133

// codes are all error codes of Kafka, with those that the relay waits out, or not, by
// its own table.
func codes(retry bool) (chosen []int16) {
	for code := int16(-1); code <= lastError; code++ {
		if code != 0 && code != int16(kafka.DuplicateSequenceNumber) && relay.Diagnose(kafka.Error(code)).Retry == retry {
			chosen = append(chosen, code)
		}
	}
	return chosen
}

// hit makes the next produce request, or another one of the same kind, meet a fate,
// and waits until that has happened.
func hit(t *testing.T, s *scene, a *harness.Answers, like kmsg.Request, fate harness.Fate, times int) {
	t.Helper()
	var mu sync.Mutex
	left := times
	a.Rule(func(r kmsg.Request) harness.Fate {
		mu.Lock()
		defer mu.Unlock()
		if r.Key() != like.Key() || left == 0 {
			return harness.Fate{}
		}
		if m, ok := r.(*kmsg.MetadataRequest); ok && len(m.Topics) == 0 {
			return harness.Fate{} // about brokers: there is no error in the answer
		}
		left--
		return fate
	})
	harness.Eventually(t, patience, fmt.Sprintf("the relay meets %+v", fate), func() bool {
		mu.Lock()
		defer mu.Unlock()
		return left == 0 || s.Relay.Ended()
	})
}

// everyPassing: the relay goes on, without a restart, and nothing is repeated.
func everyPassing(t *testing.T, s *scene) func() {
	a := answering(t, s)
	return func() {
		passing := codes(true)
		if !s.full {
			passing = passing[:5]
		}
		for _, code := range passing {
			for _, after := range []bool{false, true} {
				if after && (kafka.Error(code) == kafka.OutOfOrderSequenceNumber || kafka.Error(code) == kafka.UnknownProducerId) {
					continue // it says for certain that nothing was appended
				}
				hit(t, s, a, &kmsg.ProduceRequest{}, harness.Fate{Code: code, After: after}, 1)
				s.back(t)
				if s.Relay.Ended() {
					t.Fatalf("the relay ended with %s", kafka.Error(code))
				}
			}
		}
		a.Rule(nil)
		s.note = told(map[string][]int16{"goes on": passing})
	}
}

// everyFatal: the relay ends as its table says, or stands by and takes over again,
// and a new start goes on where it was.
func everyFatal(t *testing.T, s *scene) func() {
	a := answering(t, s)
	return func() {
		fatal := codes(false)
		if !s.full {
			fatal = fatal[:3]
		}
		outcomes := map[string][]int16{}
		for _, code := range fatal {
			times := 1
			switch kafka.Error(code) {
			case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge, kafka.InvalidTimestamp, kafka.InvalidRecord:
				times = 1000 // halves of the batch are tried, until one record stands alone
			}
			outcome := s.meets(t, a, &kmsg.ProduceRequest{}, harness.Fate{Code: code}, times)
			outcomes[outcome] = append(outcomes[outcome], code)
			if want := fmt.Sprintf("ends with %d", exitOf(code)); outcome != want {
				t.Errorf("%s: the relay %s, and its table says that it %s", kafka.Error(code), outcome, want)
			}
		}
		s.note = told(outcomes)
	}
}

// exitOf is what the relay ends with when a produce request meets an error.
func exitOf(code int16) int {
	switch kafka.Error(code) {
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge, kafka.InvalidTopic, kafka.InvalidTimestamp, kafka.InvalidRecord:
		return 4 // on_poison: stop
	}
	return relay.Diagnose(kafka.Error(code)).Exit
}

// coordination are the errors that Kafka's documentation names for other requests than
// produce, and those that any request may meet.
var coordination = []int16{-1, 3, 5, 6, 7, 9, 13, 14, 15, 16, 29, 31, 35, 41, 42, 45, 47, 48, 49, 50, 51, 53, 55, 56, 58, 59, 67, 74, 75, 89, 90, 120}

// everyAnswer lets one request of a kind after the other meet these errors, without
// and with the broker doing what it was asked. The relay waits it out or begins anew;
// with those of refused it ends with code 3 and a word.
func everyAnswer(like func() kmsg.Request, refused []int16) func(*testing.T, *scene) func() {
	return func(t *testing.T, s *scene) func() {
		a := answering(t, s)
		return func() {
			outcomes := map[string][]int16{}
			all := slices.Clone(coordination)
			if !s.full {
				all = all[:5]
			}
			_, idle := like().(*kmsg.MetadataRequest) // it changes nothing, and so has no "with"
			for _, code := range all {
				for _, after := range []bool{false, true} {
					if after && idle {
						continue
					}
					s.provoke(t, like())
					outcome := s.meets(t, a, like(), harness.Fate{Code: code, After: after}, 1)
					want := "goes on"
					noFence := kafka.Error(code) == kafka.TransactionalIDAuthorizationFailed && s.delivery == atLeastOnce
					if slices.Contains(refused, code) && !noFence { // without the right to it there is only no write fence
						want = "ends with 3"
					}
					if outcome != want {
						t.Errorf("%s: the relay %s, and it %s as a rule", kafka.Error(code), outcome, want)
					}
					if after {
						outcome += " (done all the same)"
					}
					outcomes[outcome] = append(outcomes[outcome], code)
				}
			}
			s.note = told(outcomes)
		}
	}
}

// provoke makes the relay send a request that it sends only now and then.
func (s *scene) provoke(t *testing.T, like kmsg.Request) {
	t.Helper()
	switch like.(type) {
	case *kmsg.InitProducerIDRequest: // at every connection to PostgreSQL
		s.Exec(t, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active", s.Slot)
	case *kmsg.MetadataRequest: // when an answer is missing
		s.Kafka.Proxy().Reset()
	}
}

// meets lets requests of a kind meet a fate, and says what has become of the relay. One
// that has ended must have said why, with a code, and is started again.
func (s *scene) meets(t *testing.T, a *harness.Answers, like kmsg.Request, fate harness.Fate, times int) (outcome string) {
	t.Helper()
	from := len(s.Relay.Log())
	hit(t, s, a, like, fate, times)
	ended := s.endsOrRecovers(t)
	a.Rule(nil)
	if !ended {
		return "goes on"
	}
	code := s.Relay.Wait(t, soon)
	text := ""
	for _, line := range s.Relay.Log()[from:] {
		text += line.Text + "\n"
	}
	if code <= 0 || code == 2 || !strings.Contains(text, `"WR`) {
		t.Errorf("%+v: the relay ended with code %d and said\n%s", fate, code, text)
	}
	s.start(t).WaitReady(t, soon)
	s.back(t)
	return fmt.Sprintf("ends with %d", code)
}

// endsOrRecovers waits until the relay has ended or delivers.
func (s *scene) endsOrRecovers(t *testing.T) (ended bool) {
	t.Helper()
	s.mu.Lock()
	first := s.probes
	s.mu.Unlock()
	committed := false
	harness.Eventually(t, patience, "the relay ends, or delivers an event", func() bool {
		if ended = s.Relay.Ended(); ended {
			return true
		}
		committed = committed || s.probe(t.Context())
		s.mu.Lock()
		defer s.mu.Unlock()
		_, seen := s.seen[fmt.Sprint(probePrefix, first)]
		return seen
	})
	return ended
}

// told is what became of the relay with which codes.
func told(outcomes map[string][]int16) string {
	var parts []string
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		parts = append(parts, fmt.Sprintf("%s: %s", outcome, ranges(outcomes[outcome])))
	}
	return "by error code, " + strings.Join(parts, "; ")
}

// ranges shortens sorted numbers: 1–3, 7.
func ranges(numbers []int16) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d–%d", numbers[i], numbers[j]))
		} else {
			parts = append(parts, fmt.Sprint(numbers[i]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
