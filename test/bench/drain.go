package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
)

// job is what one contender is to drain.
type job struct {
	url   string // database with the outbox
	slot  string
	topic string // empty, with its partitions; "" when the contender writes nothing
	tag   uint64 // upper half of the event ids
	want  int    // events in the backlog
	end   pglogrepl.LSN
}

// drainRun is one contender in one round. A nil value could not be measured.
type drainRun struct {
	Contender    string         `json:"contender"`
	Round        int            `json:"round"`
	Wall         time.Duration  `json:"wall_ns"`          // process start to the last record
	ToFirst      *time.Duration `json:"to_first_ns"`      // process start to the first record
	Rate         float64        `json:"events_per_s"`     // over Wall
	StreamRate   *float64       `json:"stream_per_s"`     // since the first record
	ConfirmLag   *time.Duration `json:"confirm_lag_ns"`   // last record to confirmed_flush_lsn at the end
	CPU          time.Duration  `json:"cpu_ns"`           // client, user and system, start to exit
	WalsenderCPU *time.Duration `json:"walsender_cpu_ns"` //
	BrokerCPU    *time.Duration `json:"broker_cpu_ns"`    //
	OtherCPU     *float64       `json:"other_cpu"`        // share of the machine used by anybody else, 0 to 1
	PeakRSS      int64          `json:"peak_rss_bytes"`
	Allocs       *float64       `json:"allocs_per_event"`
	Verdict      *verdict       `json:"verdict"`
	Error        string         `json:"error,omitempty"`
}

// drainReport is one part of the kind drain.
type drainReport struct {
	Name      string        `json:"name"`
	PerTx     int           `json:"events_per_transaction"`
	Events    int           `json:"events"`
	FillTook  time.Duration `json:"fill_ns"`
	WALBytes  int64         `json:"wal_bytes"`
	Runs      []drainRun    `json:"runs"`
	Summaries []summary     `json:"summaries"`
}

// drain writes a backlog and lets every contender read it, round by round. The
// order rotates, so that no contender always runs behind the same one.
func (b *bench) drain(ctx context.Context, name string, perTx int) (*drainReport, error) {
	o, err := b.newOutbox(ctx, name)
	if err != nil {
		return nil, err
	}
	defer b.cleanUp(ctx, o)
	before, err := o.flushWAL(ctx)
	if err != nil {
		return nil, err
	}
	b.logf("%s: writing %d events, %d a transaction", name, b.opt.events, perTx)
	start := time.Now()
	end, err := o.fill(ctx, 0, b.opt.events, perTx)
	if err != nil {
		return nil, err
	}
	report := &drainReport{
		Name: name, PerTx: perTx, Events: b.opt.events,
		FillTook: time.Since(start), WALBytes: int64(end - before),
	}
	b.logf("%s: written in %.1fs, %d MB of WAL", name, report.FillTook.Seconds(), report.WALBytes>>20)
	for round := range b.opt.rounds {
		for i := range b.contenders {
			c := b.contenders[(i+round)%len(b.contenders)]
			run := b.drainOnce(ctx, o, c, round, end)
			if ctx.Err() != nil {
				return report, ctx.Err()
			}
			b.logf("%s: round %d: %s", name, round+1, run)
			report.Runs = append(report.Runs, run)
		}
	}
	report.Summaries = summarize(report.Runs, b.opt.events)
	return report, nil
}

func (r drainRun) String() string {
	if r.Error != "" {
		return r.Contender + ": " + r.Error
	}
	s := fmt.Sprintf("%s: %.0f/s, %.1fs CPU", r.Contender, r.Rate, r.CPU.Seconds())
	if r.Verdict != nil {
		s += ", " + r.Verdict.String()
	}
	return s
}

// drainOnce runs one contender on a fresh copy of the slot and a fresh topic.
// What goes wrong is part of the result: the other contenders go on.
func (b *bench) drainOnce(ctx context.Context, o *outbox, c contender, round int, end pglogrepl.LSN) drainRun {
	run := drainRun{Contender: c.name, Round: round}
	j := job{url: o.url, slot: fmt.Sprintf("%s_%s_%d", o.name, slotName(c.name), round), tag: o.tag, want: b.opt.events, end: end}
	if err := b.prepare(ctx, o, c, &j); err != nil {
		run.Error = err.Error()
		return run
	}
	err := b.timeOne(ctx, o, c, j, &run)
	if err == nil && j.topic != "" {
		var v verdict
		if v, err = b.kafka.verify(ctx, j.topic, j.tag, j.want); err == nil {
			run.Verdict = &v
		}
	}
	err = errors.Join(err, o.dropSlot(ctx, j.slot))
	if j.topic != "" {
		err = errors.Join(err, b.kafka.deleteTopic(ctx, j.topic))
	}
	if err != nil {
		run.Error = err.Error()
	}
	return run
}

// prepare makes the slot and the topic and lets the servers come to rest.
func (b *bench) prepare(ctx context.Context, o *outbox, c contender, j *job) error {
	if c.produces {
		topic := b.topic(j.slot)
		if err := b.kafka.createTopic(ctx, topic); err != nil {
			return err
		}
		j.topic = topic
	}
	if err := o.copySlot(ctx, j.slot); err != nil {
		return err
	}
	if _, err := o.conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return err
	}
	return pause(ctx, time.Second)
}

// timeOne runs the contender and fills in the figures.
func (b *bench) timeOne(ctx context.Context, o *outbox, c contender, j job, run *drainRun) error {
	w, err := newWatch(ctx, o.url, j.slot, b.kafka.pid)
	if err != nil {
		return err
	}
	begin := time.Now()
	p, err := c.drain(ctx, b, o, j, run)
	used := w.stop(ctx)
	if err != nil {
		return err
	}
	run.Rate = float64(j.want) / run.Wall.Seconds()
	if run.ToFirst != nil && run.Wall > *run.ToFirst {
		run.StreamRate = ptr(float64(j.want) / (run.Wall - *run.ToFirst).Seconds())
	}
	run.CPU = p.cpu()
	run.PeakRSS = p.peakRSS.Load()
	run.WalsenderCPU = used.walsender
	if c.produces {
		run.BrokerCPU = used.broker
	}
	if used.machine > 0 && used.walsender != nil {
		other := used.machine - run.CPU - *used.walsender
		if used.broker != nil {
			other -= *used.broker
		}
		run.OtherCPU = ptr(max(0, other.Seconds()/(time.Since(begin).Seconds()*float64(cores()))))
	}
	return nil
}

func ptr[T any](v T) *T { return &v }
