package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// bench is one run of the command: the servers, what is measured, the report.
type bench struct {
	opt         options
	log         io.Writer // progress, for people
	dir         string    // configuration and logs of the contenders
	id          string    // part of every name made on the servers
	serverURL   string    // PostgreSQL
	kafka       *broker
	servers     servers
	relayBinary string
	contenders  []contender
	report      *report
	made        int // outboxes so far
}

// newBench brings up what is needed. Nothing is left behind when it fails.
func newBench(ctx context.Context, opt options, log io.Writer) (_ *bench, err error) {
	b := &bench{opt: opt, log: log, id: fmt.Sprintf("bench_%d", os.Getpid()), report: &report{Started: time.Now()}}
	if b.dir, err = os.MkdirTemp("", "walrelay-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if opt.drains() {
		if b.contenders, err = b.newContenders(); err != nil {
			return nil, err
		}
	}
	if b.relayBinary = opt.walrelay; b.relayBinary == "" && opt.runsWalrelay() {
		b.logf("building walrelay")
		if b.relayBinary, err = buildWalrelay(ctx, b.dir); err != nil {
			return nil, err
		}
	}
	if err = b.openServers(ctx); err != nil {
		return nil, err
	}
	b.report.Machine, err = b.describeMachine(ctx)
	return b, err
}

func isDrain(part string) bool { return strings.HasPrefix(part, "drain") }

// drains says whether any drain is asked for.
func (o options) drains() bool { return slices.ContainsFunc(o.only, isDrain) }

// runsWalrelay says whether any part runs the relay.
func (o options) runsWalrelay() bool {
	live := slices.ContainsFunc(o.only, func(part string) bool { return !isDrain(part) })
	return live || (o.drains() && slices.Contains(o.contenders, "walrelay"))
}

// measure runs the parts. A part that fails leaves its error in the report and
// the next one runs; an interrupt ends the whole.
func (b *bench) measure(ctx context.Context) *report {
	for _, part := range parts {
		if !slices.Contains(b.opt.only, part) || ctx.Err() != nil {
			continue
		}
		switch part {
		case "drain1":
			b.addDrain(ctx, part, 1)
		case "drain100":
			b.addDrain(ctx, part, 100)
		case "latency":
			for _, rate := range latencyRates {
				if ctx.Err() == nil {
					b.report.Latency = append(b.report.Latency, b.latency(ctx, rate))
				}
			}
		case "start":
			b.report.Start = b.startToFirst(ctx)
		case "idle":
			b.report.Idle = b.idle(ctx)
		case "rss":
			b.report.Memory = append(b.report.Memory, b.memory(ctx, "big_transaction", b.bigTransaction))
			if ctx.Err() == nil {
				b.report.Memory = append(b.report.Memory, b.memory(ctx, "kafka_away", b.kafkaAway))
			}
		}
	}
	if ctx.Err() != nil {
		b.report.problem("interrupted: what is missing was not measured")
	}
	b.report.finish(b.opt)
	return b.report
}

func (b *bench) addDrain(ctx context.Context, part string, perTx int) {
	d, err := b.drain(ctx, part, perTx)
	if d != nil {
		b.report.Drains = append(b.report.Drains, *d)
	}
	if err != nil {
		b.report.problem("%s: %v", part, err)
	}
}

// newOutbox makes an outbox for one part, with event ids of its own.
func (b *bench) newOutbox(ctx context.Context, part string) (*outbox, error) {
	b.made++
	tag := uint64(b.report.Started.UnixNano())&^0xff | uint64(b.made)
	return newOutbox(ctx, b.serverURL, b.id+"_"+part, tag&(1<<63-1))
}

// topic is the name of a topic made for something of this run. It ends in the
// aggregate type, as route.topic templates expect.
func (b *bench) topic(name string) string { return name + "." + aggregateType }

// cleanUp removes an outbox; failing to is a problem for the report, not for the
// measurement.
func (b *bench) cleanUp(ctx context.Context, o *outbox) {
	if err := o.close(ctx); err != nil {
		b.report.problem("clean up: %v", err)
	}
}

// close stops what this run started and removes its files.
func (b *bench) close() error {
	if b.kafka != nil {
		b.kafka.close()
	}
	return errors.Join(b.servers.stop(), os.RemoveAll(b.dir))
}

func (b *bench) logf(format string, args ...any) {
	fmt.Fprintf(b.log, "%s %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}
