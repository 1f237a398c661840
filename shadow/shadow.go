package shadow

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
)

// Config says what is compared with what, and for how long.
type Config struct {
	// Replication names the server and the publication. Slot and Tables are filled in.
	Replication replication.Config
	Tables      []relay.Table // at least one
	// Kafka names the brokers. What concerns writing is not used.
	Kafka sink.Config
	// Topics are read from the beginning, also when no event is routed to them.
	Topics []string
	// PayloadHeaders are headers whose bytes are not to be shown either.
	PayloadHeaders []string

	// For is how long events are taken in; 0: until End.
	For time.Duration
	// End, when closed, ends the taking in: what waits then is still waited for.
	End <-chan struct{}
	// Wait is how long an event may be missing on either side before it counts as
	// missing. Default DefaultWait.
	Wait time.Duration
	// Limit is how many differences of each kind the Result holds.
	Limit int
	// ShowPayloads puts the beginnings of values into the Result.
	ShowPayloads bool

	// Note is called with what the user should know at once; nil: nobody is told.
	Note func(string)
	// Progress is called about once a second; nil: nobody is told.
	Progress func(Progress)
}

// DefaultWait is the default of Config.Wait.
const DefaultWait = 30 * time.Second

// Progress is how things stand.
type Progress struct {
	Counts
	Ending bool // nothing new is taken in any more
}

// connectTimeout bounds the steps before the slot is made.
const connectTimeout = 30 * time.Second

// progressEvery is how often Config.Progress is called.
const progressEvery = time.Second

// firmAfter is how long after the first event was found on both sides the topics'
// ends are noted: what the other side had sent before it has landed by then.
const firmAfter = time.Second

// shadow is one comparison.
type shadow struct {
	cfg     Config
	cluster *cluster
	matcher *matcher
	reader  *reader
	source  *source
	began   time.Time
}

// Run compares until Config says that it is enough, or ctx ends, which ends it at
// once. Without a Result the error says what has to be set up first; with one it is
// why the comparison ended early, and the Result is what was found until then.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if cfg.Wait <= 0 {
		cfg.Wait = DefaultWait
	}
	if cfg.Note == nil {
		cfg.Note = func(string) {}
	}
	routers, tables, err := relay.Routers(cfg.Tables)
	if err != nil {
		return nil, err
	}
	cfg.Replication.Slot = slotName()
	cfg.Replication.Tables = nil
	for _, t := range tables {
		cfg.Replication.Tables = append(cfg.Replication.Tables, replication.Table{Schema: t.Schema, Name: t.Name})
	}
	if err := cfg.Replication.Validate(); err != nil {
		return nil, err
	}
	s := &shadow{cfg: cfg, matcher: newMatcher(&cfg), cluster: newCluster(cfg.Kafka)}
	defer s.cluster.close()
	s.source = newSource(&s.cfg, routers, tables)
	s.source.take = s.fromWAL
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	return s.run(ctx)
}

// slotName is one that nobody else has.
func slotName() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return fmt.Sprintf("walrelay_shadow_%d_%s", os.Getpid(), hex.EncodeToString(b[:]))
}

// open notes the topics' ends and then makes the slot.
func (s *shadow) open(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	step, cancel := context.WithTimeout(ctx, connectTimeout)
	ends, err := s.cluster.ends(step)
	cancel()
	if err != nil {
		return fmt.Errorf("read from Kafka: %w", err)
	}
	s.reader = newReader(s.cluster, ends, s.fromKafka)
	for _, topic := range s.cfg.Topics {
		s.reader.subscribe(topic)
	}
	slow := time.AfterFunc(3*time.Second, func() {
		s.cfg.Note("making a temporary slot, which takes as long as the oldest open transaction")
	})
	defer slow.Stop()
	stream, position, err := replication.OpenTemporary(ctx, s.cfg.Replication)
	if err != nil {
		return err
	}
	s.source.stream = stream
	s.source.received, s.source.confirmed = position.Confirmed, position.Confirmed
	s.began = time.Now()
	return nil
}

// check looks at PostgreSQL's side.
func (s *shadow) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	control, err := replication.Connect(ctx, s.cfg.Replication)
	if err != nil {
		return err
	}
	defer control.Close()
	return control.CheckSource(ctx)
}

// run compares until the end.
func (s *shadow) run(ctx context.Context) (*Result, error) {
	life, end := context.WithCancel(ctx)
	defer end()
	s.cfg.Note("comparing from " + s.source.confirmed.String() + " on")
	walEnded, readerEnded := make(chan error, 1), make(chan struct{})
	go func() { walEnded <- s.source.run(life) }()
	go func() {
		defer close(readerEnded)
		s.reader.run(life)
	}()
	go s.firm(life)
	err, walGone := s.watch(ctx, walEnded)
	end()
	if !walGone {
		<-walEnded // its error, if any, is the end that was asked for
	}
	<-readerEnded
	goodbye, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	_ = s.source.stream.Close(goodbye) // the slot goes with the connection in any case
	return s.result(err), err
}

// watch waits for the end. walGone says that the slot's reader has ended.
func (s *shadow) watch(ctx context.Context, wal <-chan error) (err error, walGone bool) {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	enough := make(<-chan time.Time)
	if s.cfg.For > 0 {
		enough = time.After(s.cfg.For)
	}
	stop, ending, shown := s.cfg.End, false, time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil, false
		case err := <-wal:
			if stop := (*stopError)(nil); errors.As(err, &stop) {
				return err, true
			}
			return fmt.Errorf("the stream from PostgreSQL has ended, and the temporary slot with it: %w", err), true
		case err := <-s.reader.fatal:
			return fmt.Errorf("read from Kafka: %w", err), false
		case <-enough:
			ending = true
		case <-stop:
			ending, stop = true, nil
		case now := <-ticker.C:
			since, err := s.reader.unreadable()
			if err == nil { // what can't be read is not missing
				s.matcher.expire(now)
			} else if now.Sub(since) > s.cfg.Wait {
				return fmt.Errorf("reading from Kafka has failed for %s: %w", now.Sub(since).Round(time.Second), err), false
			}
			if now.Sub(shown) >= progressEvery && s.cfg.Progress != nil {
				shown = now
				s.cfg.Progress(Progress{s.matcher.snapshot(), ending})
			}
		}
		if ending {
			s.matcher.close()
			if s.matcher.snapshot().Waiting == 0 {
				return nil, false
			}
		}
	}
}

// firm notes the topics' ends after the first event was found on both sides.
func (s *shadow) firm(ctx context.Context) {
	for ctx.Err() == nil {
		if !s.matcher.hasJoined() {
			pause(ctx, tickEvery)
			continue
		}
		pause(ctx, firmAfter)
		if ends, err := s.cluster.ends(ctx); err == nil {
			s.matcher.noteEnds(ends)
			return
		}
	}
}

// fromWAL takes a record of the source.
func (s *shadow) fromWAL(r *record) {
	if r.topic != "" {
		s.reader.subscribe(r.topic)
	}
	if r.id == "" {
		s.matcher.nameless()
		return
	}
	s.matcher.wal(r)
}

// fromKafka takes a record of the reader.
func (s *shadow) fromKafka(p *partition, rec *kafka.Record) {
	r := &record{kafka: true, topic: p.topic, partition: p.partition, offset: rec.Offset, timestamp: rec.Time.UnixMilli(), seen: time.Now()}
	key, keyErr := readAll(rec.Key)
	value, valueErr := readAll(rec.Value)
	if err := errors.Join(keyErr, valueErr); err != nil {
		s.reader.note(fmt.Sprintf("the record at offset %d of partition %d of topic %s can't be read: %v", rec.Offset, p.partition, p.topic, err))
		return
	}
	r.key, r.value, r.byKey = newPart(key), newPart(value), javaPartition(key, p.count)
	r.headers = make([]header, len(rec.Headers))
	for i, h := range rec.Headers {
		r.headers[i] = header{h.Key, newPart(h.Value)}
	}
	r.fingerprint()
	id, ok := event(r.headers)
	r.id = id
	switch {
	case rec.Offset < p.start:
		if ok {
			s.matcher.before(r)
		}
	case !ok || id == "":
		s.matcher.nameless()
	default:
		s.matcher.kafkas(r)
	}
}

// readAll reads and frees; null stays nil.
func readAll(b protocol.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	defer b.Close()
	return protocol.ReadAll(b)
}

// result is what was found until now.
func (s *shadow) result(broken error) *Result {
	r := &Result{
		Postgres: s.cfg.Replication.Target(), Slot: s.cfg.Replication.Slot, Publication: s.cfg.Replication.Publication,
		Began: s.began.UTC(), Ended: time.Now().UTC(), Counts: s.matcher.snapshot(), Differences: s.matcher.differences(), Notes: []string{},
	}
	var missing []string
	r.Topics, missing = s.reader.names()
	for _, topic := range missing {
		r.Notes = append(r.Notes, fmt.Sprintf("topic %s does not exist, or may not be seen", topic))
	}
	r.Notes = append(r.Notes, s.reader.notes...)
	if r.Dropped > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("more than %d events waited for their other side: %d of the oldest were dropped and are not compared", maxPending, r.Dropped))
	}
	if r.Waiting > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("at the end %d events had been seen on one side only, for less than %s: they count as nothing", r.Waiting, s.cfg.Wait))
	}
	if r.Early > 0 && !s.matcher.hasJoined() {
		r.Notes = append(r.Notes, "records without an event were seen, but no event was found on both sides, so they may be of before the start")
	}
	if broken != nil {
		r.Broken = broken.Error()
	}
	return r
}
