package relay

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
	"github.com/walrelay/walrelay/telemetry"
)

// unknownType is the label of events whose type is not known where they are
// counted.
const unknownType = int32(0)

// meter counts what happens. Event types become small numbers once, so that the
// hot path carries no strings; their labels are capped by telemetry.
type meter struct {
	m         *telemetry.Metrics // nil: only what /status shows is kept
	delivered atomic.Uint64
	bytes     atomic.Uint64 // of those
	lastAck   atomic.Int64  // ns since 1970

	canaryTopic string // "" without a canary
	canary      func(committed int64, now time.Time)

	labels map[string]int32 // the owner's

	mu     sync.RWMutex
	names  []string // by label
	events map[topicType]*delivered
}

type topicType struct {
	topic string
	label int32
}

// delivered counts the events of a topic and type, for /status and for Prometheus.
type delivered struct {
	events atomic.Uint64
	metric prometheus.Counter // nil without metrics
}

func (d *delivered) add(n int) {
	d.events.Add(uint64(n))
	if d.metric != nil {
		d.metric.Add(float64(n))
	}
}

func newMeter(m *telemetry.Metrics) *meter {
	return &meter{m: m, labels: map[string]int32{"": unknownType}, names: []string{""}, events: map[topicType]*delivered{}}
}

// label is the number of an event type. Types beyond the cap share one number.
// The relay's goroutine only.
func (w *meter) label(eventType []byte) int32 {
	if n, ok := w.labels[string(eventType)]; ok {
		return n
	}
	name := string(eventType)
	if len(w.labels) > telemetry.MaxEventTypes {
		name = telemetry.OtherEventType
		if n, ok := w.labels[name]; ok {
			return n
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n := int32(len(w.names))
	w.names = append(w.names, name)
	w.labels[name] = n
	return n
}

func (w *meter) name(label int32) string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.names[label]
}

// acked counts an acknowledged batch. Called by the sink's lanes.
func (w *meter) acked(a sink.Acked) {
	now := time.Now()
	if a.Topic == w.canaryTopic && w.canary != nil {
		a.Commit(func(committed int64, _ int) { w.canary(committed, now) })
		return
	}
	w.delivered.Add(uint64(a.Records))
	w.bytes.Add(uint64(a.Bytes))
	w.lastAck.Store(now.UnixNano())
	a.Type(func(label int32, n int) { w.counter(topicType{a.Topic, label}).add(n) })
	if w.m == nil {
		return
	}
	w.m.EventBytes.Add(float64(a.Bytes))
	w.m.Produce.Observe(a.Took.Seconds(), 1)
	micros := now.UnixMicro()
	a.Commit(func(committed int64, n int) { w.m.Delivery.Observe(float64(micros-committed)/1e6, n) })
}

func (w *meter) counter(k topicType) *delivered {
	w.mu.RLock()
	d := w.events[k]
	w.mu.RUnlock()
	if d != nil {
		return d
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if d = w.events[k]; d == nil {
		d = &delivered{}
		if w.m != nil {
			d.metric = w.m.Events(k.topic, w.names[k.label])
		}
		w.events[k] = d
	}
	return d
}

// maxTopics bounds what /status lists.
const maxTopics = 100

// TopicStatus is how many events of a type a topic has taken since the start.
type TopicStatus struct {
	Topic     string `json:"topic"`
	EventType string `json:"event_type,omitempty"`
	Events    uint64 `json:"events"`
}

// topics lists topics and event types, those with the most events first.
func (w *meter) topics() []TopicStatus {
	w.mu.RLock()
	out := make([]TopicStatus, 0, len(w.events))
	for k, d := range w.events {
		out = append(out, TopicStatus{k.topic, w.names[k.label], d.events.Load()})
	}
	w.mu.RUnlock()
	slices.SortFunc(out, func(a, b TopicStatus) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.EventType, b.EventType))
	})
	return out[:min(len(out), maxTopics)]
}

func (w *meter) failure(topic string, label int32, reason string) {
	if w.m != nil {
		w.m.PublishFailures(topic, w.name(label), reason).Inc()
	}
}

func (w *meter) lookedBack() {
	if w.m != nil {
		w.m.LookbackSkipped.Inc()
	}
}

func (w *meter) retry(reason string) {
	if w.m != nil {
		w.m.Retries(reason).Inc()
	}
}

func (w *meter) reconnect(side string) {
	if w.m != nil {
		w.m.Reconnects(side).Inc()
	}
}

func (w *meter) state(s State) {
	if w.m != nil {
		w.m.SetState(string(s))
	}
}

func (w *meter) positions(received, confirmed replication.LSN) {
	if w.m != nil {
		w.m.ReceivedLSN.Set(float64(received))
		w.m.ConfirmedLSN.Set(float64(confirmed))
	}
}

func (w *meter) fence(fenced bool) {
	if w.m == nil {
		return
	}
	w.m.WriteFence.Set(0)
	if fenced {
		w.m.WriteFence.Set(1)
	}
}

// slot takes over a look at the slot; nil says that it is not there.
func (w *meter) slot(s *replication.SlotState, fullIn *float64) {
	if w.m == nil {
		return
	}
	w.m.SetSlotFull(fullIn)
	if s == nil {
		w.m.SetSlotStatus("missing")
		w.m.SlotRetained.Set(0)
		w.m.SetSlotSafe(nil)
		w.m.SetSlotLimit(nil)
		return
	}
	w.m.SetSlotLimit(s.LimitBytes)
	w.m.Spill.Set(s.SpilledTransactions, s.Spills, s.SpilledBytes)
	w.m.SlotRetained.Set(float64(s.RetainedBytes))
	w.m.SetSlotSafe(s.SafeBytes)
	w.m.SetSlotStatus(s.WALStatus)
	w.m.ReplicationLag.Set(float64(s.Lag()))
}

// refresh brings the gauges that follow from the sink's state up to date before
// a scrape.
func (r *Relay) refresh() {
	unsent, age := r.unsent()
	r.cfg.Metrics.UnsentEvents.Set(float64(unsent))
	r.cfg.Metrics.OldestUnsentAge.Set(age.Seconds())
	if at := r.meter.lastAck.Load(); at != 0 {
		r.cfg.Metrics.LastAck.Set(float64(at/1e6) / 1e3)
	}
	if at := r.heard.Load(); at != 0 {
		r.cfg.Metrics.LastReceived.Set(float64(at/1e6) / 1e3)
	}
	if p := r.producer.Load(); p != nil {
		r.cfg.Metrics.InFlightBytes.Set(float64(p.Stats().MemoryBytes))
	}
}

// hooks let the sink count and log through the relay.
func (r *Relay) hooks() sink.Hooks {
	return sink.Hooks{
		Acked: r.meter.acked,
		Committed: func(_ int, took time.Duration) {
			if m := r.cfg.Metrics; m != nil {
				m.Commit.Observe(took.Seconds(), 1)
			}
		},
		Retry:  r.meter.retry,
		Reject: r.rejected,
		Claim:  r.claim,
		Wait: func(what string, err error) {
			if err == nil {
				r.recovered(what, "kafka: "+what+" is there")
				return
			}
			r.trouble(what, "kafka: waiting for "+what, &WaitError{what, err}, nil)
		},
		Grown: func(topic string, before, now int) {
			r.log.Warn().Str("topic", topic).Int("partitions_before", before).Int("partitions", now).
				Msg("the topic has more partitions than before: keys move to other partitions, and events of one aggregate then stand in two; let consumers come to the end of the old ones before they read on")
		},
		Fence: func(id int64, epoch int16, fenced bool, err error) {
			r.meter.fence(fenced)
			if err != nil {
				r.log.Warn().Err(err).Msg("no write fence: a killed instance's late requests are not shut out; grant Write and Describe on the transactional id, or give the cluster a transaction coordinator (when one comes the fence is taken by itself)")
				return
			}
			said := "producer id taken"
			if fenced && epoch == 0 {
				said += ": it is a new one (a first start, one after days without a relay, or the epochs were used up), so late requests of a former instance are not shut out this once"
			}
			r.log.Info().Int64("producer_id", id).Int16("epoch", epoch).Msg(said)
		},
	}
}
