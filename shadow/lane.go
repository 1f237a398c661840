package shadow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// lane reads what a broker leads, one request at a time, until ctx ends.
func (r *reader) lane(ctx context.Context, leader string, wake <-chan struct{}) {
	for turn := 0; ctx.Err() == nil; turn++ {
		partitions, moved := r.led(leader, turn)
		if len(partitions) == 0 {
			if moved {
				r.trouble(leader, nil) // whatever it was, it is another broker's now
			}
			select {
			case <-ctx.Done():
			case <-wake:
			}
			continue
		}
		res, err := r.cluster.fetch(ctx, leader, partitions)
		if ctx.Err() != nil {
			return
		}
		r.trouble(leader, err)
		if err != nil {
			r.lose(partitions)
			pause(ctx, lookEvery)
			continue
		}
		if err := r.answer(res, partitions); err != nil {
			r.trouble(leader, err)
			pause(ctx, lookEvery)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// led are the partitions that a broker leads, those of a topic together, beginning
// with another one each turn: only the first is sure to get an answer. moved says
// that it leads none at all, also none of those that are looked for.
func (r *reader) led(leader string, turn int) (list []*partition, moved bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	moved = true
	for _, partitions := range r.topics {
		for _, p := range partitions {
			if p.leader == leader {
				moved = false
				if !p.lost {
					list = append(list, p)
				}
			}
		}
	}
	if len(list) < 2 {
		return list, moved
	}
	slices.SortFunc(list, func(a, b *partition) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	at := turn % len(list)
	first := list[at].topic
	// A topic may stand in a request only once, so what was before the first
	// partition in its own topic follows it at once.
	begin := slices.IndexFunc(list, func(p *partition) bool { return p.topic == first })
	end := begin
	for end < len(list) && list[end].topic == first {
		end++
	}
	rotated := append(slices.Clone(list[at:end]), list[begin:at]...)
	return append(append(rotated, list[end:]...), list[:begin]...), moved
}

// lose makes the manager look for the partitions' leaders.
func (r *reader) lose(partitions []*partition) {
	r.mu.Lock()
	for _, p := range partitions {
		p.lost = true
	}
	r.mu.Unlock()
	r.ring()
}

// answer hands on the records of an answer.
func (r *reader) answer(res *fetch.Response, partitions []*partition) error {
	asked := make(map[topicPartition]*partition, len(partitions))
	for _, p := range partitions {
		asked[p.topicPartition] = p
	}
	var errs []error
	for i := range res.Topics {
		for j := range res.Topics[i].Partitions {
			answered := &res.Topics[i].Partitions[j]
			p := asked[topicPartition{res.Topics[i].Topic, answered.Partition}]
			if p == nil {
				continue
			}
			if answered.ErrorCode != 0 {
				errs = append(errs, r.misread(p, answered))
				continue
			}
			if err := r.records(p, answered); err != nil {
				errs = append(errs, fmt.Errorf("read partition %d of topic %s: %w", p.partition, p.topic, err))
			}
		}
	}
	return errors.Join(errs...)
}

// misread draws the consequences of a partition's error.
func (r *reader) misread(p *partition, answered *fetch.ResponsePartition) error {
	switch err := kafka.Error(answered.ErrorCode); err {
	case kafka.TopicAuthorizationFailed:
		r.refused(p.topic, err)
		return err
	case kafka.OffsetOutOfRange:
		// The records are deleted already, or the topic is another one of that name.
		r.note(fmt.Sprintf("partition %d of topic %s does not have the records from offset %d on any more: it is read from %d", p.partition, p.topic, p.next, max(answered.LogStartOffset, 0)))
		p.next = max(answered.LogStartOffset, 0)
		p.start = min(p.start, p.next)
		return nil
	default:
		r.lose([]*partition{p})
		return fmt.Errorf("read partition %d of topic %s: %w", p.partition, p.topic, err)
	}
}

// records hands on the records of a partition, but for the markers of transactions.
func (r *reader) records(p *partition, answered *fetch.ResponsePartition) error {
	if answered.RecordSet.Records == nil {
		return nil
	}
	batches := []protocol.RecordReader{answered.RecordSet.Records}
	if stream, ok := answered.RecordSet.Records.(*protocol.RecordStream); ok {
		batches = stream.Records
	}
	from := p.next
	for _, batch := range batches {
		_, control := batch.(*protocol.ControlBatch)
		for {
			rec, err := batch.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if rec.Offset >= p.next { // a batch may begin earlier
				p.next = rec.Offset + 1
				if !control {
					r.read(p, rec)
				}
			}
		}
	}
	if p.next == from && answered.HighWatermark > from {
		p.next++ // a batch that compaction has emptied
	}
	return nil
}
