package shadow

import (
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"

	"github.com/walrelay/walrelay/sink"
)

func testReader(leaders map[string][]string) *reader {
	r := newReader(newCluster(sink.Config{Brokers: []string{"127.0.0.1:1"}}), nil, func(*partition, *kafka.Record) {})
	for topic, list := range leaders {
		for i, leader := range list {
			r.topics[topic] = append(r.topics[topic], &partition{topicPartition: topicPartition{topic, int32(i)}, leader: leader})
		}
	}
	return r
}

// TestTurns: every partition comes first in its turn, none is left out, and those of
// a topic stay together.
func TestTurns(t *testing.T) {
	r := testReader(map[string][]string{"a": {"x", "x", "y"}, "b": {"x"}, "c": {"y", "x", "x"}})
	first := make(map[topicPartition]bool)
	for turn := range 5 {
		list, moved := r.led("x", turn)
		if len(list) != 5 || moved {
			t.Fatalf("%d partitions, moved %t", len(list), moved)
		}
		first[list[0].topicPartition] = true
		seen, ended, last := make(map[topicPartition]bool), make(map[string]bool), ""
		for _, p := range list {
			if p.topic != last {
				ended[last], last = true, p.topic
			}
			if seen[p.topicPartition] || ended[p.topic] {
				t.Errorf("turn %d: %v", turn, list)
			}
			seen[p.topicPartition] = true
		}
	}
	if len(first) != 5 {
		t.Errorf("first were only %v", first)
	}
	r.lose(r.topics["b"])
	if list, _ := r.led("x", 0); len(list) != 4 {
		t.Errorf("%d partitions after one was lost", len(list))
	}
	if names := r.unresolved(); len(names) != 1 || names[0] != "b" {
		t.Error(names)
	}
	if _, moved := r.led("z", 0); !moved {
		t.Error("a broker that leads nothing")
	}
}

// TestAnswer: records before the wanted offset are left out, markers of transactions
// move on without being records, and an emptied batch is passed.
func TestAnswer(t *testing.T) {
	r := testReader(map[string][]string{"a": {"x"}})
	p := r.topics["a"][0]
	p.next = 5
	var got []int64
	r.read = func(_ *partition, rec *kafka.Record) { got = append(got, rec.Offset) }
	give := func(part fetch.ResponsePartition) error {
		return r.answer(&fetch.Response{Topics: []fetch.ResponseTopic{{Topic: "a", Partitions: []fetch.ResponsePartition{part}}}}, []*partition{p})
	}
	records := protocol.NewRecordReader(protocol.Record{Offset: 4}, protocol.Record{Offset: 5}, protocol.Record{Offset: 7})
	marker := &protocol.ControlBatch{Records: protocol.NewRecordReader(protocol.Record{Offset: 8})}
	err := give(fetch.ResponsePartition{HighWatermark: 9, RecordSet: protocol.RecordSet{Records: &protocol.RecordStream{Records: []protocol.RecordReader{records, marker}}}})
	if err != nil || len(got) != 2 || got[0] != 5 || got[1] != 7 || p.next != 9 {
		t.Errorf("%v, next %d, %v", got, p.next, err)
	}
	empty := &protocol.RecordStream{Records: []protocol.RecordReader{protocol.NewRecordReader()}}
	if err := give(fetch.ResponsePartition{HighWatermark: 20, RecordSet: protocol.RecordSet{Records: empty}}); err != nil || p.next != 10 {
		t.Errorf("next %d, %v", p.next, err)
	}
	if err := give(fetch.ResponsePartition{HighWatermark: 20}); err != nil || p.next != 10 {
		t.Errorf("nothing read, next %d, %v", p.next, err)
	}
}

func TestAnswerErrors(t *testing.T) {
	r := testReader(map[string][]string{"a": {"x"}})
	p := r.topics["a"][0]
	give := func(code kafka.Error) error {
		return r.answer(&fetch.Response{Topics: []fetch.ResponseTopic{{Topic: "a", Partitions: []fetch.ResponsePartition{
			{ErrorCode: int16(code), LogStartOffset: 100}, {Partition: 7},
		}}}}, []*partition{p})
	}
	if err := give(kafka.NotLeaderForPartition); !errors.Is(err, kafka.NotLeaderForPartition) || !p.lost {
		t.Errorf("%v, lost %t", err, p.lost)
	}
	if err := give(kafka.OffsetOutOfRange); err != nil || p.next != 100 || len(r.notes) != 1 {
		t.Errorf("%v, next %d, notes %q", err, p.next, r.notes)
	}
	if err := give(kafka.TopicAuthorizationFailed); err == nil {
		t.Error("no error")
	}
	select {
	case err := <-r.fatal:
		if !errors.Is(err, kafka.TopicAuthorizationFailed) {
			t.Error(err)
		}
	default:
		t.Error("a missing right is not fatal")
	}
}

// TestTrouble: the oldest trouble counts, with its latest reason, until all is well.
func TestTrouble(t *testing.T) {
	r := testReader(nil)
	first, second := errors.New("first"), errors.New("second")
	r.trouble("a", first)
	since, _ := r.unreadable()
	time.Sleep(time.Millisecond)
	r.trouble("b", second)
	r.trouble("a", second)
	if at, err := r.unreadable(); !at.Equal(since) || err == nil {
		t.Errorf("%s, %v", at, err)
	}
	r.trouble("a", nil)
	if at, err := r.unreadable(); !at.After(since) || !errors.Is(err, second) {
		t.Errorf("%s, %v", at, err)
	}
	r.trouble("b", nil)
	if _, err := r.unreadable(); err != nil {
		t.Error(err)
	}
}
