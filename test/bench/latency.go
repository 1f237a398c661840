package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// latencyRates are the loads at which commit to consumer is measured, in
// events/s.
var latencyRates = []int{500, 5000}

// warmUp precedes each latency measurement and is left out of it: connections,
// the topic's first fetch, the relay's first batches.
const warmUp = 2 * time.Second

// latencyReport is commit to consumer at one rate.
type latencyReport struct {
	Rate       int         `json:"rate"`
	Achieved   float64     `json:"achieved"`
	Events     int         `json:"events"` // in the percentiles
	FromReturn percentiles `json:"from_commit_returned"`
	FromSent   percentiles `json:"from_commit_sent"`
	CPU        float64     `json:"cpu_us_per_event"` // of the relay
	PeakRSS    int64       `json:"peak_rss_bytes"`
	Verdict    *verdict    `json:"verdict"`
	Error      string      `json:"error,omitempty"`
}

// percentiles of a latency. They can be negative when counted from the return
// of COMMIT: the walsender does not wait until the writer has its answer.
type percentiles struct {
	P50  time.Duration `json:"p50_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`
}

func newPercentiles(d []time.Duration) percentiles {
	if len(d) == 0 {
		return percentiles{}
	}
	slices.Sort(d)
	at := func(q float64) time.Duration { return d[max(0, int(math.Ceil(q*float64(len(d))))-1)] }
	return percentiles{at(0.5), at(0.99), at(0.999), d[len(d)-1]}
}

// latency measures one rate with a relay and an outbox of its own. Writers and
// consumer live in this process, so one clock stamps both ends.
func (b *bench) latency(ctx context.Context, rate int) latencyReport {
	report := latencyReport{Rate: rate}
	if err := b.latencyOnce(ctx, &report); err != nil {
		report.Error = err.Error()
	}
	b.logf("latency at %d/s: %.0f/s written, p50 %s ms, p99 %s ms %s", rate, report.Achieved,
		millis(report.FromReturn.P50), millis(report.FromReturn.P99), report.Error)
	return report
}

func (b *bench) latencyOnce(ctx context.Context, report *latencyReport) error {
	l, err := b.live(ctx, fmt.Sprintf("latency%d", report.Rate))
	if err != nil {
		return err
	}
	defer l.close(ctx)
	gen := newLoad(l.outbox.tag, report.Rate, warmUp+b.opt.latencyFor)
	received := make([]time.Time, gen.total)
	reader, err := l.read(ctx, received)
	if err != nil {
		return err
	}
	cpuBefore, _ := processCPU(l.relay.cmd.Process.Pid)
	if err := gen.write(ctx, l.outbox); err != nil {
		return err
	}
	if err := reader.wait(30 * time.Second); err != nil {
		return err
	}
	cpuAfter, ok := processCPU(l.relay.cmd.Process.Pid)
	if ok {
		report.CPU = float64((cpuAfter - cpuBefore).Microseconds()) / float64(gen.total)
	}
	report.Achieved = gen.achieved()
	report.fill(gen, received)
	l.relay.readRSS()
	report.PeakRSS = l.relay.peakRSS.Load()
	v, err := l.verify(ctx, gen.total)
	report.Verdict = v
	return err
}

// fill computes the percentiles over what was written after the warm-up.
func (r *latencyReport) fill(l *load, received []time.Time) {
	skip := int(float64(l.rate) * warmUp.Seconds())
	var fromReturn, fromSent []time.Duration
	for seq := skip; seq < l.total; seq++ {
		fromReturn = append(fromReturn, received[seq].Sub(l.after[seq]))
		fromSent = append(fromSent, received[seq].Sub(l.before[seq]))
	}
	r.Events = len(fromReturn)
	r.FromReturn, r.FromSent = newPercentiles(fromReturn), newPercentiles(fromSent)
}

// reader consumes a topic and stamps the first sight of every event.
type reader struct {
	client *kgo.Client
	done   chan struct{} // closed when every event was seen or reading failed
	err    error         // set before done closes
	seen   int           // written by consume, read after done
	cancel context.CancelFunc
}

// read starts a consumer at the end of the topic and returns once it is there.
// received must not be read before wait has returned nil.
func (l *live) read(ctx context.Context, received []time.Time) (*reader, error) {
	marks, err := l.bench.kafka.highWatermarks(ctx, l.topic)
	if err != nil {
		return nil, err
	}
	if n := sum(marks); n != 0 {
		return nil, fmt.Errorf("topic %q holds %d records before the first event", l.topic, n)
	}
	client, err := l.bench.kafka.consumer(l.topic, kgo.NewOffset().AtStart(), kgo.FetchMaxWait(50*time.Millisecond), kgo.FetchMinBytes(1))
	if err != nil {
		return nil, err
	}
	r := &reader{client: client, done: make(chan struct{})}
	ctx, r.cancel = context.WithCancel(ctx)
	go r.consume(ctx, l.outbox.tag, received)
	return r, nil
}

func (r *reader) consume(ctx context.Context, tag uint64, received []time.Time) {
	defer close(r.done)
	defer r.client.Close()
	for r.seen < len(received) {
		fetches := r.client.PollFetches(ctx)
		now := time.Now()
		if r.err = fetches.Err(); r.err != nil {
			return
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			seq, ok := eventSeq(rec, tag)
			if ok && seq < uint64(len(received)) && received[seq].IsZero() {
				received[seq] = now
				r.seen++
			}
		})
	}
}

// wait waits until every event was seen.
func (r *reader) wait(limit time.Duration) error {
	late := time.AfterFunc(limit, r.cancel)
	defer late.Stop()
	<-r.done
	r.cancel()
	if r.err != nil {
		return fmt.Errorf("consumer saw %d events and then, within %s of the last commit, no more: %w", r.seen, limit, r.err)
	}
	return nil
}
