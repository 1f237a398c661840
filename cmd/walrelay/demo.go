//go:build !nodemo

package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/demo"
)

// demoCommand is left out of a binary built with the tag nodemo, and with it what
// only the demo needs.
func (a *app) demoCommand() *cobra.Command {
	var o demo.Options
	c := &cobra.Command{
		Use:   "demo",
		Short: "A whole outbox on this machine, nothing to configure",
		Long: `Starts a real PostgreSQL (one that is installed here, else one that is fetched), an
in-process Kafka-compatible broker (or uses the Kafka given with --kafka), a small
shop that writes orders and events in transactions, the relay, and a consumer with
an inbox table. Prints what happens until Ctrl-C or --for, and ends with a verdict:
events written, delivered, lost, duplicated. Removes what it made.

Exit code 1 when an event was lost, invented or out of order.`,
		Example: "  walrelay demo --for 20s\n  walrelay demo --kafka localhost:9092",
		Args:    cobra.NoArgs,
		RunE:    action(func(ctx context.Context, _ *pflag.FlagSet) error { return a.demo(ctx, o) }),
	}
	c.Flags().DurationVar(&o.For, "for", 0, "how long the shop is open, such as 30s (default until Ctrl-C)")
	c.Flags().StringVar(&o.Kafka, "kafka", "", "a Kafka to use, as host:port, instead of the one in the process")
	c.Flags().StringVar(&o.HTTP, "listen", "", "address of the status page (default 127.0.0.1:9187, or a free port)")
	c.Flags().IntVar(&o.Rate, "rate", 20, "new orders a second, each makes about four events")
	a.outputFlag(c)
	c.AddCommand(a.demoShopCommand(), a.demoConsumerCommand())
	return c
}

func (a *app) demo(ctx context.Context, o demo.Options) error {
	asJSON, err := a.json()
	switch {
	case err != nil:
		return err
	case o.For < 0:
		return &usageError{"--for: want a duration such as 30s"}
	case o.Rate < 1:
		return &usageError{"--rate: want at least 1"}
	}
	o.Output = "text"
	if asJSON {
		o.Output = "json"
	}
	_, o.Color = a.terminal(a.stdout)
	o.Out, o.Version = a.stdout, buildInfo().Version
	ctx, stop := a.graceful(ctx)
	defer stop()
	verdict, err := demo.Run(ctx, o)
	if errors.Is(err, context.Canceled) {
		return nil // Ctrl-C while it was starting
	}
	if err != nil {
		return withCode(exitFailure, err)
	}
	if !verdict.OK() {
		return said(exitFailure) // the verdict has said it
	}
	return nil
}

// demoShopCommand is the demo's shop as a program of its own, for trying a real
// set-up.
func (a *app) demoShopCommand() *cobra.Command {
	var o demo.ShopOptions
	c := &cobra.Command{
		Use:   "shop",
		Short: "The demo's shop alone, against any PostgreSQL",
		Args:  cobra.NoArgs,
		RunE: action(func(ctx context.Context, _ *pflag.FlagSet) error {
			ctx, stop := a.graceful(ctx)
			defer stop()
			o.Out = a.stdout
			return demo.RunShop(ctx, o)
		}),
	}
	c.Flags().StringVar(&o.Postgres, "postgres", "", "connection string of the shop's database (default PG* variables)")
	c.Flags().IntVar(&o.Rate, "rate", 20, "new orders a second, each makes about four events")
	c.Flags().DurationVar(&o.For, "for", 0, "how long the shop is open, such as 30s (default until Ctrl-C)")
	return c
}

// demoConsumerCommand is the demo's consumer as a program of its own.
func (a *app) demoConsumerCommand() *cobra.Command {
	var o demo.ConsumerOptions
	c := &cobra.Command{
		Use:   "consumer",
		Short: "The demo's consumer alone, against any Kafka and PostgreSQL",
		Args:  cobra.NoArgs,
		RunE: action(func(ctx context.Context, _ *pflag.FlagSet) error {
			ctx, stop := a.graceful(ctx)
			defer stop()
			o.Out = a.stdout
			return demo.RunConsumer(ctx, o)
		}),
	}
	c.Flags().StringVar(&o.Postgres, "postgres", "", "connection string of the database with the inbox (default PG* variables)")
	c.Flags().StringSliceVar(&o.Kafka, "kafka", []string{"localhost:9092"}, "brokers, as host:port")
	c.Flags().StringSliceVar(&o.Topics, "topics", nil, "topics to read (default those of the shop)")
	c.Flags().StringVar(&o.Group, "group", "", "consumer group (default none: from the beginning at every start)")
	c.Flags().DurationVar(&o.Every, "every", 10*time.Second, "how often to print a line")
	return c
}
