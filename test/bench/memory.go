package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// awayRate is the load while Kafka is away, in events/s.
const awayRate = 2000

// memoryReport is the peak resident set in one adverse situation.
type memoryReport struct {
	Name     string        `json:"name"`
	Events   int           `json:"events"`
	PeakRSS  int64         `json:"peak_rss_bytes"`
	CaughtUp time.Duration `json:"caught_up_ns"` // from the end of the adversity to the last record
	Verdict  *verdict      `json:"verdict"`
	Error    string        `json:"error,omitempty"`
}

// memory runs one situation: provoke brings it about and returns how many events
// the topic must hold in the end.
func (b *bench) memory(ctx context.Context, name string, provoke func(context.Context, *live) (int, error)) memoryReport {
	report := memoryReport{Name: name}
	err := func() error {
		l, err := b.live(ctx, name)
		if err != nil {
			return err
		}
		defer l.close(ctx)
		if report.Events, err = provoke(ctx, l); err != nil {
			return err
		}
		start := time.Now()
		if err := l.awaitRecords(ctx, report.Events, 5*time.Minute); err != nil {
			return err
		}
		report.CaughtUp = time.Since(start)
		l.relay.readRSS()
		report.PeakRSS = l.relay.peakRSS.Load()
		report.Verdict, err = l.verify(ctx, report.Events)
		return err
	}()
	if err != nil {
		report.Error = err.Error()
	}
	b.logf("%s: peak RSS %s MiB %s", name, mebibytes(report.PeakRSS), report.Error)
	return report
}

// bigTransaction writes a million rows in one transaction.
func (b *bench) bigTransaction(ctx context.Context, l *live) (int, error) {
	_, err := l.outbox.fill(ctx, 0, b.opt.bigRows, b.opt.bigRows)
	return b.opt.bigRows, err
}

// kafkaAway freezes the broker under load. The load goes on all the time and a
// little before and after.
func (b *bench) kafkaAway(ctx context.Context, l *live) (int, error) {
	const around = 5 * time.Second
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	gen := newLoad(l.outbox.tag, awayRate, b.opt.awayFor+2*around)
	loaded := make(chan error, 1)
	go func() { loaded <- gen.write(ctx, l.outbox) }()
	err := pause(ctx, around)
	if err == nil {
		err = b.withoutKafka(ctx)
	}
	if err != nil {
		cancel()
		<-loaded // ends with the cancellation
		return 0, err
	}
	return gen.total, <-loaded
}

func (b *bench) withoutKafka(ctx context.Context) error {
	thaw, err := b.freezeKafka()
	if err != nil {
		return err
	}
	err = pause(ctx, b.opt.awayFor)
	if errThaw := thaw(); errThaw != nil {
		err = errors.Join(err, fmt.Errorf("let the broker go on: %w", errThaw))
	}
	return err
}
