package shadow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	// lookEvery is how often topics that can't be read yet are asked for again.
	lookEvery = 500 * time.Millisecond
	// lookBack is how far before the slot ids are taken note of: a connector that is
	// started again repeats what it had not noted, a minute of it by default.
	lookBack = 2 * time.Minute
	// maxLookBack bounds that, in records a partition.
	maxLookBack = 20_000
)

// partition of a topic that is read. Guarded by reader.mu, but for next while its
// lane has a request under way.
type partition struct {
	topicPartition
	next   int64 // offset to read from
	start  int64 // records before it were there before the slot
	leader string
	lost   bool // the leader is elsewhere, or the topic gone
	count  []int
}

// reader reads topics: one request at a time from every broker that leads one of
// their partitions.
type reader struct {
	cluster *cluster
	began   time.Time
	ends    map[string][]int64 // of all topics before the slot was made
	read    func(p *partition, r *kafka.Record)

	mu       sync.Mutex
	topics   map[string][]*partition // nil: not found yet
	lanes    map[string]chan struct{}
	troubles map[string]trouble // by what can't be read
	notes    []string
	wake     chan struct{}
	fatal    chan error // rights are missing
}

// trouble is why something can't be read, and since when.
type trouble struct {
	since time.Time
	err   error
}

func newReader(c *cluster, ends map[string][]int64, read func(*partition, *kafka.Record)) *reader {
	return &reader{
		cluster: c, began: time.Now(), ends: ends, read: read,
		topics: make(map[string][]*partition), lanes: make(map[string]chan struct{}), troubles: make(map[string]trouble),
		wake: make(chan struct{}, 1), fatal: make(chan error, 1),
	}
}

// subscribe makes sure that a topic is read.
func (r *reader) subscribe(topic string) {
	r.mu.Lock()
	_, known := r.topics[topic]
	if !known {
		r.topics[topic] = nil
	}
	r.mu.Unlock()
	if !known {
		r.ring()
	}
}

func (r *reader) ring() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run finds topics and leaders until ctx ends.
func (r *reader) run(ctx context.Context) {
	var lanes sync.WaitGroup
	defer lanes.Wait()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if names := r.unresolved(); len(names) > 0 {
			err := r.resolve(ctx, names, &lanes)
			if ctx.Err() == nil {
				r.trouble("metadata", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-ticker.C:
		}
	}
}

// unresolved are the topics of which something is not read.
func (r *reader) unresolved() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for name, partitions := range r.topics {
		if len(partitions) == 0 || slices.ContainsFunc(partitions, func(p *partition) bool { return p.lost }) {
			names = append(names, name)
		}
	}
	return names
}

// resolve asks where the topics are and hands their partitions to the lanes.
func (r *reader) resolve(ctx context.Context, names []string, lanes *sync.WaitGroup) error {
	topics, err := r.cluster.metadata(ctx, names)
	if err != nil {
		return fmt.Errorf("ask Kafka for topics: %w", err)
	}
	for i := range topics {
		t := &topics[i]
		switch {
		case errors.Is(t.Error, kafka.TopicAuthorizationFailed):
			r.refused(t.Name, t.Error)
		case t.Error != nil || len(t.Partitions) == 0: // it may be made yet
		default:
			if err := r.assign(ctx, t, lanes); err != nil {
				return err
			}
		}
	}
	return nil
}

// assign hands the partitions of a topic to the lanes of their leaders.
func (r *reader) assign(ctx context.Context, t *kafka.Topic, lanes *sync.WaitGroup) error {
	r.mu.Lock()
	known := r.topics[t.Name]
	r.mu.Unlock()
	if len(known) == 0 {
		var err error
		if known, err = r.positions(ctx, t); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topics[t.Name] = known
	leaderless := false
	for i := range t.Partitions {
		if t.Partitions[i].ID >= len(known) {
			continue // partitions were added: seen at the next start
		}
		p, leader := known[t.Partitions[i].ID], address(&t.Partitions[i])
		p.leader, p.lost = leader, leader == ""
		if leader == "" {
			leaderless = true
			r.blame(t.Name, fmt.Errorf("partition %d of topic %s has no leader", p.partition, t.Name))
			continue
		}
		wake := r.lanes[leader]
		if wake == nil {
			wake = make(chan struct{}, 1)
			r.lanes[leader] = wake
			lanes.Go(func() { r.lane(ctx, leader, wake) })
		}
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	if !leaderless {
		delete(r.troubles, t.Name)
	}
	return nil
}

// positions makes the partitions of a topic, each from where it is to be read.
func (r *reader) positions(ctx context.Context, t *kafka.Topic) ([]*partition, error) {
	list := make([]*partition, len(t.Partitions))
	leaders := make(map[string][]topicPartition)
	count := make([]int, len(t.Partitions))
	for i := range t.Partitions {
		count[i] = i
	}
	for i := range list {
		place := topicPartition{t.Name, int32(i)}
		list[i] = &partition{topicPartition: place, count: count, lost: true}
		if ends := r.ends[t.Name]; i < len(ends) {
			list[i].start, list[i].next = ends[i], ends[i]
		}
	}
	for i := range t.Partitions {
		if p := &t.Partitions[i]; p.ID < len(list) && address(p) != "" && list[p.ID].start != 0 {
			leaders[address(p)] = append(leaders[address(p)], list[p.ID].topicPartition)
		}
	}
	for leader, places := range leaders {
		earlier, err := r.cluster.list(ctx, leader, places, r.began.Add(-lookBack).UnixMilli())
		if err != nil {
			return nil, err
		}
		ends, err := r.cluster.list(ctx, leader, places, kafka.LastOffset)
		if err != nil {
			return nil, err
		}
		for _, place := range places {
			p := list[place.partition]
			if p.start < 0 { // it had no leader when the ends were noted
				p.start, p.next = ends[place], ends[place]
				r.note(fmt.Sprintf("partition %d of topic %s could not be read at the start: records from before %s are not compared", place.partition, place.topic, time.Now().UTC().Format(time.RFC3339)))
			}
			if at, ok := earlier[place]; ok && at < p.start {
				p.next = max(at, p.start-maxLookBack)
			}
		}
	}
	return list, nil
}

func (r *reader) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.notes, text) && len(r.notes) < 20 {
		r.notes = append(r.notes, text)
	}
}

// trouble notes why something can't be read; nil: it can.
func (r *reader) trouble(what string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		delete(r.troubles, what)
		return
	}
	r.blame(what, err)
}

// blame is trouble under mu.
func (r *reader) blame(what string, err error) {
	t := r.troubles[what]
	if t.err = err; t.since.IsZero() {
		t.since = time.Now()
	}
	r.troubles[what] = t
}

// unreadable says since when not all is read and why; nil: all is.
func (r *reader) unreadable() (since time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.troubles {
		if err == nil || t.since.Before(since) {
			since, err = t.since, t.err
		}
	}
	return since, err
}

// refused ends the reading: waiting does not mend a missing right.
func (r *reader) refused(topic string, err error) {
	select {
	case r.fatal <- fmt.Errorf("topic %s: %w: grant the principal Read and Describe on it", topic, err):
	default:
	}
}

// read and found topics, sorted; and those that were not found.
func (r *reader) names() (found, missing []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, partitions := range r.topics {
		if len(partitions) > 0 {
			found = append(found, name)
		} else {
			missing = append(missing, name)
		}
	}
	slices.Sort(found)
	slices.Sort(missing)
	return found, missing
}
