package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// verdict is what reading a topic back has shown.
type verdict struct {
	Records    int64 `json:"records"`      // sum of the high watermarks
	Distinct   int   `json:"distinct"`     // different event ids of this run
	Lost       int   `json:"lost"`         // events without a record
	Duplicates int   `json:"duplicates"`   // records beyond the first of an event
	Foreign    int   `json:"foreign"`      // records whose id is none of this run's
	OutOfOrder int   `json:"out_of_order"` // first records that came behind a later event of their aggregate
	Moved      int   `json:"moved"`        // records of an aggregate in a second partition
}

// ok says that a run did its job: everything arrived, once, in order.
func (v verdict) ok() bool {
	return v.Lost+v.Duplicates+v.Foreign+v.OutOfOrder+v.Moved == 0
}

func (v verdict) String() string {
	if v.ok() {
		return "lost 0"
	}
	var parts []string
	for _, p := range []struct {
		name string
		n    int
	}{{"lost", v.Lost}, {"duplicates", v.Duplicates}, {"foreign", v.Foreign}, {"out of order", v.OutOfOrder}, {"moved", v.Moved}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", p.name, p.n))
		}
	}
	return strings.Join(parts, ", ")
}

// checker finds every event of a run by its id. Event number n has the id tag‖n
// (a uuid of two 64-bit numbers), so a bitmap is enough to count them.
type checker struct {
	tag  uint64
	seen []bool
	last map[string]place // by key
	v    verdict
}

// place is where an aggregate stood last.
type place struct {
	partition int32
	seq       uint64
}

func newChecker(tag uint64, events int) *checker {
	return &checker{tag: tag, seen: make([]bool, events), last: make(map[string]place, aggregates)}
}

func (c *checker) record(r *kgo.Record) {
	c.v.Records++
	seq, ok := eventSeq(r, c.tag)
	if !ok || seq >= uint64(len(c.seen)) {
		c.v.Foreign++
		return
	}
	at, known := c.last[string(r.Key)]
	if known && at.partition != r.Partition {
		c.v.Moved++
	}
	if c.seen[seq] {
		c.v.Duplicates++
		return
	}
	c.seen[seq] = true
	c.v.Distinct++
	if known && seq < at.seq {
		c.v.OutOfOrder++
		return
	}
	c.last[string(r.Key)] = place{r.Partition, seq}
}

func (c *checker) verdict() verdict {
	c.v.Lost = len(c.seen) - c.v.Distinct
	return c.v
}

// eventID is the uuid of event seq as PostgreSQL prints it.
func eventID(tag uint64, seq int) string {
	h := fmt.Sprintf("%016x%016x", tag, seq)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// eventSeq returns the number of the event a record carries, by its header "id".
func eventSeq(r *kgo.Record, tag uint64) (uint64, bool) {
	const uuidLen = 36
	for _, h := range r.Headers {
		if h.Key != "id" || len(h.Value) != uuidLen {
			continue
		}
		var digits [32]byte
		d := digits[:0]
		for _, b := range h.Value {
			if b != '-' {
				d = append(d, b)
			}
		}
		var raw [16]byte
		if n, err := hex.Decode(raw[:], d); err != nil || n != len(raw) {
			return 0, false
		}
		return binary.BigEndian.Uint64(raw[8:]), binary.BigEndian.Uint64(raw[:8]) == tag
	}
	return 0, false
}

// verify reads a topic from its beginning to its high watermarks and looks for
// events 0 to events-1 of the run with this tag.
func (k *broker) verify(ctx context.Context, topic string, tag uint64, events int) (verdict, error) {
	marks, err := k.highWatermarks(ctx, topic)
	if err != nil {
		return verdict{}, err
	}
	c := newChecker(tag, events)
	if sum(marks) == 0 {
		return c.verdict(), nil
	}
	client, err := k.consumer(topic, kgo.NewOffset().AtStart(), kgo.KeepControlRecords())
	if err != nil {
		return verdict{}, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for read := int64(0); read < sum(marks); {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return verdict{}, fmt.Errorf("read topic %q back: %w", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if read++; !r.Attrs.IsControl() { // markers take offsets, too
				c.record(r)
			}
		})
	}
	return c.verdict(), nil
}

// consumer returns a client that reads all partitions of a topic without a
// group.
func (k *broker) consumer(topic string, from kgo.Offset, opts ...kgo.Opt) (*kgo.Client, error) {
	offsets := map[int32]kgo.Offset{}
	for p := range int32(partitions) {
		offsets[p] = from
	}
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(k.addr),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}),
	}, opts...)...)
}
