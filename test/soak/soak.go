package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/test/harness"
)

// scene is what a run is made of.
type scene struct {
	settings
	progress io.Writer
	begin    time.Time
	server   *postgres.Server
	kafka    *harness.Broker
	relay    *relay
	check    *checker

	points   map[string][]point
	broken   time.Time // when the last fault was over
	silent   int       // samples for which the relay did not answer
	restarts int       // of the broker
	kills    int       // of the relay
}

const topic = "soak.order"

// soak does it all; the error is for what is no result.
func soak(ctx context.Context, s settings, progress io.Writer) (r *result, err error) {
	dir, err := os.MkdirTemp("", "walrelay-soak-")
	if err != nil {
		return nil, err
	}
	c := &scene{settings: s, progress: progress, check: newChecker(s.aggregates), points: map[string][]point{}}
	defer func() { err = errors.Join(err, c.close(), os.RemoveAll(dir)) }()
	if err := c.open(ctx, dir); err != nil {
		return nil, err
	}
	reading, stopReading := context.WithCancel(ctx)
	var reader sync.WaitGroup
	reader.Go(func() { c.read(reading) })
	defer func() { stopReading(); reader.Wait() }()
	if err := c.relay.start(ctx); err != nil {
		return nil, err
	}
	c.begin = time.Now()
	c.say("the load begins: %d events/s for %s", s.rate, s.length)
	writing, stopWriting := context.WithTimeout(ctx, s.length)
	defer stopWriting()
	load := startLoad(writing, c.server.ConnString("postgres"), s)
	faultErr := c.watch(writing)
	if faultErr != nil {
		stopWriting()
	}
	wrote := time.Since(c.begin)
	if err := errors.Join(faultErr, load.wait(), ctx.Err()); err != nil {
		return nil, err
	}
	c.say("the load has ended; what is under way is waited for")
	drained := c.relay.await(ctx, "events are missing", func() bool { return c.check.complete(load.counts) })
	c.check.finish(load.counts)
	return c.result(load, wrote, errors.Join(drained, c.relay.stop())), ctx.Err()
}

func (c *scene) say(format string, args ...any) {
	elapsed := time.Duration(0)
	if !c.begin.IsZero() {
		elapsed = time.Since(c.begin)
	}
	_, _ = fmt.Fprintf(c.progress, "%8s  %s\n", elapsed.Round(time.Second), fmt.Sprintf(format, args...))
}

// open starts the servers and makes what the relay needs.
func (c *scene) open(ctx context.Context, dir string) (err error) {
	c.say("PostgreSQL, Kafka and the relay are started")
	if c.server, err = postgres.Start(ctx, postgres.Options{
		Version:  os.Getenv("WALRELAY_TEST_POSTGRES_VERSION"),
		Settings: map[string]string{"wal_level": "logical", "max_wal_size": "1GB"},
	}); err != nil {
		return err
	}
	if c.kafka, err = harness.StartKafka(ctx, harness.KafkaOptions{}); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, c.server.ConnString("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, tableSQL); err != nil {
		return err
	}
	if err := c.makeTopic(ctx); err != nil {
		return err
	}
	program, err := build(ctx, dir)
	if err != nil {
		return err
	}
	c.relay, err = newRelay(dir, program, c.server.ConnString("postgres"), c.kafka.Brokers()[0], c.delivery)
	return err
}

// makeTopic makes a topic that keeps at most 100 MB a partition: hours fit on a disk.
func (c *scene) makeTopic(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.kafka.Brokers()...))
	if err != nil {
		return err
	}
	defer client.Close()
	bytes, segment := "100000000", "20000000"
	answer, err := kadm.NewClient(client).CreateTopic(ctx, 6, 1, map[string]*string{"retention.bytes": &bytes, "segment.bytes": &segment}, topic)
	return errors.Join(err, answer.Err)
}

// read hands every record to the checker, until the context ends.
func (c *scene) read(ctx context.Context) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.kafka.Brokers()...), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		c.say("the reader can't start: %v", err)
		return
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx) // a broker that is away is tried again
		fetches.EachRecord(func(r *kgo.Record) { c.check.take(r.Value, r.Partition) })
	}
}

// watch samples, tells how it goes, and breaks things, until the load ends.
func (c *scene) watch(ctx context.Context) error {
	sample := time.NewTicker(c.sample)
	defer sample.Stop()
	tell := time.NewTicker(time.Minute)
	defer tell.Stop()
	fault := time.NewTicker(c.every)
	defer fault.Stop()
	if !c.faults {
		fault.Stop()
	}
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-c.relay.ended:
			return fmt.Errorf("the relay has ended by itself (%s); its log ends:\n%s", c.relay.command.ProcessState, c.relay.tail())
		case <-sample.C:
			c.take()
		case <-tell.C:
			c.say("%s", c.check)
		case <-fault.C:
			if err := c.breakOne(ctx, n); err != nil && ctx.Err() == nil {
				return err
			}
			c.broken = time.Now()
			n++
		}
	}
}

// away is how long the broker is stopped.
const away = 10 * time.Second

// breakOne restarts the broker or kills the relay, in turn.
func (c *scene) breakOne(ctx context.Context, n int) error {
	whole := context.WithoutCancel(ctx) // what has been broken is mended, also at the end
	if n%2 == 1 {
		c.say("kill -9 of the relay")
		c.kills++
		c.relay.kill()
		return c.relay.start(whole)
	}
	c.say("the broker is stopped for %s", away)
	c.restarts++
	if err := c.kafka.Stop(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(away):
	}
	return c.kafka.Start(whole)
}

// take takes a sample, when the relay has run for long enough, and what a fault has
// piled up is gone.
func (c *scene) take() {
	if min(time.Since(time.Unix(0, c.relay.started.Load())), time.Since(c.broken)) < c.warmUp {
		return
	}
	names := make([]string, len(figures))
	for i, f := range figures {
		names[i] = f.metric
	}
	values := c.relay.metrics(names)
	if len(values) == 0 {
		c.silent++
	}
	for name, value := range values {
		c.points[name] = append(c.points[name], point{time.Since(c.begin).Hours(), value, c.relay.life})
	}
}

// close stops and removes what was started.
func (c *scene) close() error {
	var errs []error
	if c.relay != nil {
		c.relay.kill()
	}
	if c.kafka != nil {
		errs = append(errs, c.kafka.Remove())
	}
	if c.server != nil {
		errs = append(errs, c.server.Remove())
	}
	return errors.Join(errs...)
}
