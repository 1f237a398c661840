package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// graceful returns a context that ends with the first SIGINT or SIGTERM. A second
// one ends the process at once with exit code 1. stop gives the signals back.
func (a *app) graceful(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			select {
			case <-done:
				return
			case s := <-signals:
				if !first {
					a.complain("walrelay: second signal (%s): stopped at once; what Kafka has not acknowledged is sent again at the next start\n", s)
					os.Exit(exitFailure)
				}
				cancel()
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
