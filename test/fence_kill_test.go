package test_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/test/harness"
)

// life is a relay from its start to its kill, known in the log by its epoch.
type life struct {
	records, repeats int
	places           map[string]int // repeats by partition
}

// TestKillsUnderFullLoad: kill -9 under full load, again and again: a backlog is worked
// off as fast as the relay can, and eight writers add to it. As a rule a kill repeats
// nothing; it repeats at most what its last request held, which reached the broker too
// late to be seen: records of one request, each once, that the life before wrote last.
func TestKillsUnderFullLoad(t *testing.T) {
	t.Parallel()
	const kills = 12
	s := open(t, "order", "backlog")
	s.ready(t).Kill()
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: 200_000, PerTransaction: 20, Aggregates: 500, Padding: 100})
	quiet := s.background(t, harness.Workload{Writers: 8, Aggregates: 400, Padding: 100, Pause: 10 * time.Millisecond})
	end, skipped := s.written(t), 0
	for i := range kills {
		from := s.confirmed(t)
		p := s.ready(t)
		harness.Eventually(t, patience, "some of the load is confirmed", func() bool {
			return s.confirmed(t) > from+max(0, end-from)/int64(kills-i+2)
		})
		left := leftOut(t, p)
		p.Kill()
		skipped += left
	}
	p := s.ready(t)
	quiet()
	s.drained(t)
	result := s.verify(t)
	lives, epochs := livesOf(t, s.Kafka.ReadAll(t, s.Topics...))
	clean, sum := 0, 0
	for i, epoch := range epochs[1:] {
		l := lives[epoch]
		t.Logf("kill %2d: %6d records delivered before it, %4d of them repeated after it %s", i+1, lives[epochs[i]].records, l.repeats, byPlace(l.places))
		if l.repeats > lastRequest {
			t.Errorf("kill %d repeated %d events, more than a request holds", i+1, l.repeats)
		}
		if sum += l.repeats; l.repeats == 0 {
			clean++
		}
	}
	skipped += leftOut(t, p)
	t.Logf("%d of %d kills repeated nothing, all together %d of %d events, %d that came again were left out", clean, len(epochs)-1, sum, result.Events, skipped)
	if skipped == 0 {
		t.Error("the test is wrong: nothing came again")
	}
	if len(epochs) < kills {
		t.Errorf("the test is wrong: %d lives have written", len(epochs))
	}
	if sum != result.Duplicates {
		t.Errorf("the verifier counts %d duplicates", result.Duplicates)
	}
	if 2*clean < len(epochs)-1 {
		t.Errorf("only %d of %d kills repeated nothing", clean, len(epochs)-1)
	}
	stop(t, p)
}

func byPlace(places map[string]int) string {
	if len(places) == 0 {
		return ""
	}
	return fmt.Sprint(places)
}

// livesOf sorts the records by the life that wrote them, and finds what it repeated. A
// repeat has to be of the life before, once, from the end of what that wrote to the
// partition.
func livesOf(t *testing.T, records []*kgo.Record) (lives map[int16]*life, epochs []int16) {
	t.Helper()
	type where struct {
		epoch  int16
		offset int64
	}
	lives = make(map[int16]*life)
	for _, r := range records {
		if lives[r.ProducerEpoch] == nil {
			lives[r.ProducerEpoch] = &life{places: make(map[string]int)}
			epochs = append(epochs, r.ProducerEpoch)
		}
	}
	slices.Sort(epochs)
	slices.SortStableFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	first := make(map[string]where)
	last := make(map[string]int64) // offset of the last record of partition and epoch
	for _, r := range records {
		last[fmt.Sprint(r.Topic, r.Partition, r.ProducerEpoch)] = r.Offset
	}
	lowest := make(map[string]int64) // of those of a life that were repeated
	for _, r := range records {
		l := lives[r.ProducerEpoch]
		l.records++
		id := recordID(r)
		seen, again := first[id]
		if !again {
			first[id] = where{r.ProducerEpoch, r.Offset}
			continue
		}
		l.repeats++
		l.places[fmt.Sprintf("%s-%d", r.Topic, r.Partition)]++
		if at := slices.Index(epochs, r.ProducerEpoch); at == 0 || epochs[at-1] != seen.epoch {
			t.Errorf("epoch %d repeats a record of epoch %d at %s-%d@%d", r.ProducerEpoch, seen.epoch, r.Topic, r.Partition, r.Offset)
			continue
		}
		key := fmt.Sprint(r.Topic, r.Partition, seen.epoch)
		if low, ok := lowest[key]; !ok || seen.offset < low {
			lowest[key] = seen.offset
		}
		first[id] = where{r.ProducerEpoch, r.Offset}
	}
	for key, low := range lowest {
		held := int(last[key] - low + 1)
		t.Logf("what came late to %s are its epoch's last %d records", key, held)
		if held > lastRequest {
			t.Errorf("%s: repeated from %d records before the end, more than a request holds", key, held)
		}
	}
	return lives, epochs
}

func recordID(r *kgo.Record) string {
	for _, h := range r.Headers {
		if h.Key == "id" {
			return string(h.Value)
		}
	}
	return ""
}

// TestFenceLateRequest: a request of a killed relay is held up on its way for as long
// as the next one needs to deliver everything. When it arrives the broker refuses it:
// nothing is there twice, and no old event behind newer ones.
func TestFenceLateRequest(t *testing.T) {
	t.Parallel()
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{Proxied: true})
	s := openOn(t, harness.Database(t), kafka, "order")
	dead := s.ready(t)
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100})
	s.more(t, 500)
	kafka.Proxy().Freeze(harness.ToServer)
	harness.Eventually(t, soon, "a request is under way", func() bool { return scrape(t, dead).value("walrelay_unsent_events") > 0 })
	s.more(t, 500)
	dead.Kill()
	next := s.ready(t, "WALRELAY_KAFKA_BROKERS="+kafka.Direct()[0])
	s.more(t, 500)
	quiet()
	s.drained(t)
	held := kafka.Proxy().Open()
	if held == 0 {
		t.Fatal("the test is wrong: nothing is held up")
	}
	before := s.ends(t)
	kafka.Proxy().Heal()
	harness.Eventually(t, soon, "what was held up has arrived", func() bool { return kafka.Proxy().Open() == 0 })
	result := s.verify(t)
	none(t, result)
	if now := s.ends(t); now != before {
		t.Errorf("%d records came late", now-before)
	}
	t.Logf("%d connections of the dead instance held up: %s", held, result)
	stop(t, next)
}
