package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/test/harness"
)

// servers are the ones this run has started; zero for those it was given.
type servers struct {
	postgres *postgres.Server
	kafka    *harness.Broker
}

// postgresSettings are those of a server that is measured: durable as in
// production, and no checkpoint by size in the middle of a drain.
var postgresSettings = map[string]string{
	"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
	"wal_level": "logical", "max_replication_slots": "20", "max_wal_senders": "20", "max_connections": "200",
	"shared_buffers": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "30min",
}

// inEarnest lets the broker's Java run as it does by default, with the compilers
// and the collector that the harness leaves out for a quick start.
var inEarnest = []string{"-XX:TieredStopAtLevel=4", "-XX:-UseSerialGC", "-XX:+UseG1GC", "-Xmx1g"}

// openServers takes the servers of the command line and starts the others.
func (b *bench) openServers(ctx context.Context) (err error) {
	if b.serverURL = b.opt.postgres; b.serverURL == "" {
		b.logf("starting PostgreSQL")
		if b.servers.postgres, err = postgres.Start(ctx, postgres.Options{Settings: postgresSettings}); err != nil {
			return err
		}
		b.serverURL = b.servers.postgres.ConnString("postgres")
	}
	addr := b.opt.kafka
	if addr == "" {
		b.logf("starting Kafka")
		if b.servers.kafka, err = harness.StartKafka(ctx, harness.KafkaOptions{JavaOptions: inEarnest}); err != nil {
			return fmt.Errorf("start a Kafka (or give one with --kafka): %w", err)
		}
		addr = b.servers.kafka.Brokers()[0]
	}
	b.kafka, err = newBroker(ctx, addr)
	return err
}

// errNotOurs says why Kafka was not taken away.
var errNotOurs = errors.New("not measured: the broker is not this run's own; leave out --kafka, " +
	"or allow it to be stopped with --pause-kafka where it runs on this machine")

// freezeKafka stops the broker with SIGSTOP: connections stay open and nothing
// answers, the worst kind of absence. thaw lets it go on.
func (b *bench) freezeKafka() (thaw func() error, err error) {
	if own := b.servers.kafka; own != nil {
		return own.Resume, own.Pause()
	}
	pid := b.kafka.pid
	if pid == 0 || !b.opt.pauseKafka {
		return nil, errNotOurs
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil, fmt.Errorf("stop the broker: %w", err)
	}
	return func() error { return syscall.Kill(pid, syscall.SIGCONT) }, nil
}

// origin says where the servers come from.
func (s servers) origin() string {
	pg, kafka := "given", "given"
	if s.postgres != nil {
		pg = "started here, " + s.postgres.Origin()
	}
	if s.kafka != nil {
		kafka = "started here, " + s.kafka.Origin()
	}
	return "PostgreSQL " + pg + "; Kafka " + kafka
}

// stop ends the servers of this run and removes their data.
func (s servers) stop() error {
	var errs []error
	if s.kafka != nil {
		errs = append(errs, s.kafka.Remove())
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.Remove())
	}
	return errors.Join(errs...)
}
