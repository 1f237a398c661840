package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// startReport is process start to the first record a consumer sees.
type startReport struct {
	Runs   []time.Duration `json:"runs_ns"`
	Median time.Duration   `json:"median_ns"`
	Error  string          `json:"error,omitempty"`
}

// startToFirst measures with one event waiting in the slot. The first start
// finds a slot without a marker; the others are restarts.
func (b *bench) startToFirst(ctx context.Context) *startReport {
	report := &startReport{}
	if err := b.startOnce(ctx, report); err != nil {
		report.Error = err.Error()
	}
	if len(report.Runs) > 0 {
		report.Median = median(slices.Clone(report.Runs))
	}
	b.logf("start to first record: %v %s", report.Runs, report.Error)
	return report
}

func (b *bench) startOnce(ctx context.Context, report *startReport) error {
	l, err := b.newLive(ctx, "start")
	if err != nil {
		return err
	}
	defer l.close(ctx)
	for seq := range b.opt.starts {
		if err := writeOne(ctx, l.outbox.conn, l.outbox.tag, seq); err != nil {
			return err
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil { // servers at rest
			return err
		}
		if err := l.start(ctx); err != nil {
			return err
		}
		a, err := b.kafka.awaitRecords(ctx, l.topic, seq+1, 30*time.Second, l.relay.running)
		if err != nil {
			return err
		}
		report.Runs = append(report.Runs, a.last.Sub(l.relay.start))
		if err := l.relay.stop(); err != nil {
			return err
		}
	}
	v, err := b.kafka.verify(ctx, l.topic, l.outbox.tag, b.opt.starts)
	if err == nil && !v.ok() {
		err = errors.New(v.String())
	}
	return err
}

// idleReport is what a relay with nothing to do costs.
type idleReport struct {
	Length  time.Duration `json:"length_ns"`
	Percent float64       `json:"percent_of_a_core"`
	RSS     int64         `json:"peak_rss_bytes"`
	Error   string        `json:"error,omitempty"`
}

func (b *bench) idle(ctx context.Context) *idleReport {
	report := &idleReport{Length: b.opt.idleFor}
	if err := b.idleOnce(ctx, report); err != nil {
		report.Error = err.Error()
	}
	b.logf("idle: %.2f %% of a core %s", report.Percent, report.Error)
	return report
}

// idleOnce lets one event through, so that every connection is open, waits for
// calm, and reads the CPU time at both ends of the measurement.
func (b *bench) idleOnce(ctx context.Context, report *idleReport) error {
	l, err := b.live(ctx, "idle")
	if err != nil {
		return err
	}
	defer l.close(ctx)
	if err := writeOne(ctx, l.outbox.conn, l.outbox.tag, 0); err != nil {
		return err
	}
	if err := l.awaitRecords(ctx, 1, 30*time.Second); err != nil {
		return err
	}
	if err := pause(ctx, 3*time.Second); err != nil {
		return err
	}
	pid, start := l.relay.cmd.Process.Pid, time.Now()
	before, ok := processCPU(pid)
	if !ok {
		return fmt.Errorf("no CPU time of process %d: this part needs /proc", pid)
	}
	if err := pause(ctx, b.opt.idleFor); err != nil {
		return err
	}
	after, _ := processCPU(pid)
	report.Percent = 100 * (after - before).Seconds() / time.Since(start).Seconds()
	l.relay.readRSS()
	report.RSS = l.relay.peakRSS.Load()
	return l.relay.running()
}
