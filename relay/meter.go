package relay

import (
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
	lastAck   atomic.Int64 // ns since 1970

	labels map[string]int32 // the owner's

	mu     sync.RWMutex
	names  []string // by label
	events map[topicType]prometheus.Counter
}

type topicType struct {
	topic string
	label int32
}

func newMeter(m *telemetry.Metrics) *meter {
	return &meter{m: m, labels: map[string]int32{"": unknownType}, names: []string{""}, events: map[topicType]prometheus.Counter{}}
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
	w.delivered.Add(uint64(a.Records))
	w.lastAck.Store(now.UnixNano())
	if w.m == nil {
		return
	}
	w.m.EventBytes.Add(float64(a.Bytes))
	w.m.Produce.Observe(a.Took.Seconds(), 1)
	micros := now.UnixMicro()
	a.Commit(func(committed int64, n int) { w.m.Delivery.Observe(float64(micros-committed)/1e6, n) })
	a.Type(func(label int32, n int) { w.counter(topicType{a.Topic, label}).Add(float64(n)) })
}

func (w *meter) counter(k topicType) prometheus.Counter {
	w.mu.RLock()
	c := w.events[k]
	w.mu.RUnlock()
	if c != nil {
		return c
	}
	c = w.m.Events(k.topic, w.name(k.label))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events[k] = c
	return c
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
func (w *meter) slot(s *replication.SlotState) {
	if w.m == nil {
		return
	}
	if s == nil {
		w.m.SetSlotStatus("missing")
		return
	}
	w.m.SlotRetained.Set(float64(s.RetainedBytes))
	w.m.SetSlotSafe(s.SafeBytes)
	w.m.SetSlotStatus(s.WALStatus)
	w.m.ReplicationLag.Set(max(0, float64(s.Current)-float64(s.Confirmed)))
}

// refresh brings the gauges that follow from the sink's state up to date before
// a scrape.
func (r *Relay) refresh() {
	unsent, age := r.unsent()
	r.cfg.Metrics.UnsentEvents.Set(float64(unsent))
	r.cfg.Metrics.OldestUnsentAge.Set(age.Seconds())
}

// hooks let the sink count and log through the relay.
func (r *Relay) hooks() sink.Hooks {
	return sink.Hooks{
		Acked:  r.meter.acked,
		Retry:  r.meter.retry,
		Reject: r.rejected,
		Wait: func(what string, err error) {
			if err == nil {
				r.errors.Recovered(what, "kafka: "+what+" is there")
				return
			}
			r.errors.Failed(what, "kafka: waiting for "+what, err, nil)
		},
		Fence: func(id int64, epoch int16, fenced bool, err error) {
			r.meter.fence(fenced)
			if err != nil {
				r.log.Warn().Err(err).Msg("no write fence: a killed instance's late requests are not shut out; grant Write and Describe on the transactional id, or give the cluster a transaction coordinator")
				return
			}
			r.log.Info().Int64("producer_id", id).Int16("epoch", epoch).Msg("producer id taken")
		},
	}
}
