package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
	"github.com/walrelay/walrelay/telemetry"
)

// Table is one outbox table: how its rows are read and where its events go.
type Table struct {
	Decoding decoding.Table // Index and Extra are filled in by New
	Rules    routing.Rules
	// Updates says what an UPDATE of a row does that makes no event. Default
	// UpdateIgnore.
	Updates UpdatePolicy
}

// UpdatePolicy is what an UPDATE of an outbox row does.
type UpdatePolicy string

// The policies: nothing, a warning in the log, or the end of the relay.
const (
	UpdateIgnore UpdatePolicy = "ignore"
	UpdateWarn   UpdatePolicy = "warn"
	UpdateStop   UpdatePolicy = "stop"
)

// Config is what a Relay is made of.
type Config struct {
	Replication replication.Config // Tables is filled in by New
	Tables      []Table            // at least one
	Sink        sink.Config        // Hooks are filled in by New

	// OnPoison says what becomes of an event that Kafka can never take. Default
	// PoisonStop.
	OnPoison        Policy
	DeadLetterTopic string // for PoisonDeadLetter

	// Watermark is the topic of exactly-once, "" for at-least-once: the position up to
	// which events are delivered is committed together with them.
	Watermark string

	Canary       Canary
	ShowPayloads bool // Status shows the beginning of the last events' payloads

	NoWait bool // ErrStandby instead of waiting while another instance holds the slot

	Version string // what /status says runs
	Log     zerolog.Logger
	Metrics *telemetry.Metrics // nil: none are kept
}

// Policy is what becomes of a poison event.
type Policy string

// The policies: stop the relay before it, leave it out and say so, or send it to
// the dead-letter topic.
const (
	PoisonStop       Policy = "stop"
	PoisonSkip       Policy = "skip"
	PoisonDeadLetter Policy = "dead-letter"
)

// Relay carries the events of one slot to Kafka. Make one with New.
type Relay struct {
	cfg     Config
	log     zerolog.Logger
	decoder *decoding.Decoder
	routers []*routing.Router // by decoding.Table.Index
	keyed   []bool            // likewise: the key is the aggregate id
	meter   *meter
	errors  *telemetry.Repeated
	journal journal
	recent  recent
	canary  canary
	started time.Time

	producer atomic.Pointer[sink.Producer] // replaced after it was fenced
	ended    chan error                    // the present producer's end
	claimant atomic.Pointer[watch]         // of the present session; see claim
	refusal  atomic.Pointer[PoisonError]   // the event that a broker refused under PoisonStop

	// The watch's while a session lasts, else those of Run's goroutine.
	acquired bool // the present try had the slot
	costTold bool // what the slot costs
	guard    guard
	good     replication.LSN // confirmed when slot and publication were last seen to be well
	goodAt   time.Time

	generation int    // of the watermarks; likewise
	lastNumber uint64 // of the record that was handed over last; likewise

	resume resume       // what the last connection handed over; Run's goroutine only
	look   *lookback    // at what another process handed over, for the next session; likewise
	beat   atomic.Int64 // when the loop last moved, ns since started: no clock that somebody sets
	heard  atomic.Int64 // when the server last sent anything, ns since 1970; 0 before

	mu     sync.Mutex // guards status
	status status
}

// resume is the last event that was handed to the sink, or skipped: after a lost connection
// the slot sends from its confirmed position again, and what is at or before
// resume was delivered by this very process. Only good on the same server and
// timeline; the zero value skips nothing.
type resume struct {
	systemID string
	timeline int32
	lsn      replication.LSN // commit LSN
	index    int
	// A restored server may give the same LSN and xid to another transaction, but not
	// the same microsecond.
	xid       uint32
	committed time.Time
}

// covers says whether the event at lsn and index was handed over already.
func (r resume) covers(lsn replication.LSN, index int) bool {
	return lsn < r.lsn || lsn == r.lsn && index <= r.index
}

// New checks cfg and makes a Relay that has not connected to anything.
func New(cfg Config) (*Relay, error) {
	if cfg.OnPoison == "" {
		cfg.OnPoison = PoisonStop
	}
	routers, tables, err := Routers(cfg.Tables)
	if err != nil {
		return nil, err
	}
	r := &Relay{cfg: cfg, log: cfg.Log, routers: routers, meter: newMeter(cfg.Metrics), errors: telemetry.NewRepeated(cfg.Log), started: time.Now()}
	r.recent.payloads = cfg.ShowPayloads
	for _, t := range cfg.Tables {
		r.keyed = append(r.keyed, t.Rules.Key == "" || t.Rules.Key == "aggregate_id")
	}
	if cfg.Watermark != "" {
		cfg.Canary.Topic = cfg.Watermark
	}
	if r.canary.Canary, r.canary.token = cfg.Canary, rand.Text(); r.canary.on() {
		if cfg.Watermark == "" {
			r.cfg.Sink.Aside = cfg.Canary.Topic
		}
		r.meter.canaryTopic, r.meter.canary = cfg.Canary.Topic, r.canaryAcked
	}
	if cfg.Metrics != nil && r.canary.on() {
		cfg.Metrics.LastCanary.Set(float64(r.started.UnixMilli()) / 1e3) // so that one that never comes is missed
	}
	r.cfg.Replication.Tables = nil
	for _, t := range tables {
		r.cfg.Replication.Tables = append(r.cfg.Replication.Tables, replication.Table{Schema: t.Schema, Name: t.Name})
	}
	if err := r.cfg.Replication.Validate(); err != nil {
		return nil, err
	}
	r.decoder = decoding.New(tables)
	r.cfg.Sink.Hooks = r.hooks()
	r.cfg.Sink = SinkConfig(r.cfg)
	if _, err := sink.New(r.cfg.Sink); err != nil {
		return nil, err
	}
	r.status.State, r.status.Since = StateStarting, time.Now()
	if cfg.Metrics != nil {
		cfg.Metrics.BeforeScrape(r.refresh)
	}
	r.moved()
	return r, nil
}

// Run relays until ctx ends, which is a graceful stop and gives nil: what was
// received is flushed, confirmed, and the connections are closed. Errors worth
// waiting out are waited out without end; ExitCode tells what the others ask for.
func (r *Relay) Run(ctx context.Context) error {
	defer r.setState(StateStopping)
	defer r.stopLooking()
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval, delay.MaxInterval = 100*time.Millisecond, 10*time.Second
	// The sink outlives ctx: a graceful stop has to flush.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	for {
		if err := r.startSink(life); err != nil {
			return err
		}
		began := time.Now()
		err := r.stream(ctx)
		d := classify(err)
		if ctx.Err() != nil && d != stop {
			err = nil
		}
		if err == nil || d == stop {
			end()
			<-r.ended
			r.lastWord(ctx, err)
			return err
		}
		if time.Since(began) > delay.MaxInterval {
			delay.Reset()
		}
		if errors.Is(err, errRewound) {
			r.resume = resume{}
		}
		wait := delay.NextBackOff()
		r.failed(err, wait)
		if err := r.afterLoss(ctx, err); err != nil {
			end()
			<-r.ended
			r.lastWord(ctx, err)
			return err
		}
		if !r.sleep(ctx, wait) {
			continue // ctx has ended: the next stream returns at once
		}
	}
}

// startSink makes a producer unless there is a good one.
func (r *Relay) startSink(life context.Context) error {
	if p := r.producer.Load(); p != nil && p.Err() == nil {
		return nil
	}
	if r.ended != nil {
		<-r.ended
	}
	p, err := sink.New(r.cfg.Sink)
	if err != nil {
		return err
	}
	r.ended = make(chan error, 1)
	r.producer.Store(p)
	go func() { r.ended <- p.Run(life) }()
	p.Learn(r.staticTopics()...)
	r.resume = resume{} // a new producer has delivered nothing
	r.recent.clear()
	r.canary.over()
	return nil
}

// staticTopics are the topics that are known before the first event.
func (r *Relay) staticTopics() []string {
	var topics []string
	if r.cfg.OnPoison == PoisonDeadLetter {
		topics = append(topics, r.cfg.DeadLetterTopic)
	}
	if r.cfg.Watermark != "" {
		topics = append(topics, r.cfg.Watermark)
	}
	if r.aside(r.canary.Topic) {
		topics = append(topics, r.canary.Topic)
	}
	return topics
}

// sleep waits for d; false when ctx ended first.
func (r *Relay) sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		r.moved()
		return true
	}
}

// moved is the sign of life that Alive looks for.
func (r *Relay) moved() { r.beat.Store(int64(time.Since(r.started))) }
