package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/telemetry"
)

func (a *app) runCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the relay",
		Long: `Runs the relay until SIGINT or SIGTERM, which stop it gracefully: what was
received is delivered and confirmed. A second signal ends it at once; nothing is
lost, but what Kafka had not acknowledged is sent again at the next start.

Errors that pass by themselves are waited out without end, with the reason in the
log and on /readyz. Others end the process, or with on_fatal: hold keep it up, not
ready, until a signal.`,
		Args: cobra.NoArgs,
		RunE: action(a.run),
	}
	a.configFlags(c)
	c.Flags().Bool("no-wait", false, "exit with code 5 instead of waiting when another instance holds the slot")
	return c
}

// run is the daemon: configuration, log, limits, server, relay.
func (a *app) run(ctx context.Context, flags *pflag.FlagSet) error {
	c, err := a.load(flags, false)
	if err != nil {
		return err
	}
	log, err := a.logger(c.Log)
	if err != nil {
		return err
	}
	a.limitMemory(c)
	rc, err := relayConfig(c)
	if err != nil {
		return err
	}
	if rc.NoWait, err = flags.GetBool("no-wait"); err != nil {
		return fmt.Errorf("flag no-wait: %w", err)
	}
	rc.Version = buildInfo().Version
	rc.Log, rc.Metrics = log, telemetry.NewMetrics(rc.Version)
	r, err := relay.New(rc)
	if err != nil {
		return withCode(exitConfig, err)
	}
	d := &daemon{log: log, relay: r, metrics: rc.Metrics, hold: c.OnFatal == "hold"}
	for _, e := range c.Effective() {
		d.settings = append(d.settings, relay.Setting{Key: e.Key, Value: e.Value, Source: e.Source})
	}
	if c.HTTP.Listen != "" {
		if d.server, err = telemetry.NewServer(telemetry.ServerConfig{
			Listen: c.HTTP.Listen, Username: c.HTTP.Username, Password: c.HTTP.Password, Token: c.HTTP.Token,
		}, rc.Metrics, d, log); err != nil {
			return withCode(exitConfig, err)
		}
	}
	ctx, stop := a.graceful(ctx)
	defer stop()
	announce(log, c, rc, d.server)
	return d.run(ctx)
}

// announce logs what begins, in one line without secrets.
func announce(log zerolog.Logger, c *config.Config, rc relay.Config, server *telemetry.Server) {
	for _, text := range c.Warnings {
		log.Warn().Msg(text)
	}
	set := zerolog.Dict()
	for _, e := range c.Effective() {
		if e.Source != "default" && e.Value != "" {
			set.Str(e.Key, e.Value)
		}
	}
	b := buildInfo()
	e := log.Info().Str("version", b.Version).Str("commit", b.Commit).Str("postgres", rc.Replication.Target()).
		Str("slot", rc.Replication.Slot).Strs("kafka", rc.Sink.Brokers)
	if server != nil {
		e.Str("http", server.Addr())
	}
	e.Str("file", c.File).Dict("config", set).Msg("walrelay starts")
}

// The memory that the process needs beside the events in flight, and a garbage
// collection that keeps the heap near what is live. Compressors keep windows of
// their own.
const (
	baseMemory     = 14 << 20
	compressMemory = 16 << 20
	gcPercent      = 50
)

// limitMemory sets the soft memory limit and the pace of garbage collection,
// unless the user did by GOMEMLIMIT and GOGC.
func (a *app) limitMemory(c *config.Config) {
	limit := int64(c.Limits.InFlightBytes) + baseMemory
	if c.Kafka.Compression != "none" {
		limit += compressMemory
	}
	if a.getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
	if a.getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// daemon joins the relay and the server, and holds the process when it should.
// It is the server's pipeline.
type daemon struct {
	log     zerolog.Logger
	relay   *relay.Relay
	metrics *telemetry.Metrics
	server  *telemetry.Server // nil: off
	hold    bool
	held

	settings []relay.Setting // in force, without secrets
}

// run runs both until ctx ends or one of them fails. The error was logged.
func (d *daemon) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer d.notify(ctx)() // the service manager, if there is one
	served := make(chan error, 1)
	serverLife, stopServer := context.WithCancel(context.WithoutCancel(ctx)) // readiness is answered until the relay has ended
	defer stopServer()
	if d.server == nil {
		served <- nil
	} else {
		go func() {
			err := d.server.Run(serverLife)
			if err != nil {
				cancel() // a relay that cannot be seen is stopped, not left alone
			}
			served <- err
		}()
	}
	err := d.relay.Run(ctx)
	code := relay.ExitCode(err)
	if err != nil {
		trouble := relay.Diagnose(err)
		d.log.Error().Err(err).Str("code", trouble.Code).Str("advice", trouble.Remedy).Int("exit_code", code).Msg("relay ended")
	}
	if err != nil && d.hold && ctx.Err() == nil && !errors.Is(err, relay.ErrStandby) {
		d.keep(err, d.metrics)
		d.log.Warn().Msg("held by on_fatal: not ready until somebody has seen to it; a signal ends the process")
		d.relay.Watch(ctx)
	}
	stopServer()
	if serveErr := <-served; serveErr != nil {
		d.log.Error().Err(serveErr).Msg("status server ended")
		if err == nil {
			code = exitFailure
		}
	}
	if code != exitDone {
		return said(code)
	}
	d.log.Info().Msg("stopped on request")
	return nil
}
