package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/relay"
)

func (a *app) healthCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "health",
		Short: "Ask a running relay whether it is alive, for health checks and scripts",
		Long: `Asks the relay at http.listen for /healthz, or with --ready for /readyz, and prints
one line. It asks nobody else and takes three seconds at most.

Alive means that a restart would not help: a relay that waits for PostgreSQL or
Kafka is alive, and so is a standby. Ready means that events flow.

  HEALTHCHECK CMD ["walrelay", "health"]

Exit code 0 for yes; 1 for no, for a relay that does not answer, and when the
configuration can't be read.`,
		Args: cobra.NoArgs,
		RunE: action(a.health),
	}
	c.Flags().StringVarP(&a.file, "config", "c", "", "configuration file (default walrelay.yaml if it is there; $WALRELAY_CONFIG)")
	urlFlag(c.Flags())
	c.Flags().Bool("ready", false, "ask whether events flow, not only whether the process is alive")
	return c
}

func (a *app) health(ctx context.Context, flags *pflag.FlagSet) error {
	address, err := flags.GetString("url")
	if err != nil {
		return err
	}
	ready, err := flags.GetBool("ready")
	if err != nil {
		return err
	}
	yes, line, err := a.askHealth(ctx, flags, address, ready)
	var usage *usageError
	if errors.As(err, &usage) {
		return err
	}
	var away *awayError
	switch {
	case errors.As(err, &away):
		line = err.Error() + ": start the relay, or name its address with http.listen or --url"
	case err != nil:
		line = err.Error()
	}
	if _, err := fmt.Fprintln(a.stdout, oneLine(line)); err != nil || !yes {
		return said(exitFailure) // whatever it is: container engines know no other code
	}
	return nil
}

// askHealth asks and puts the answer in words.
func (a *app) askHealth(ctx context.Context, flags *pflag.FlagSet, address string, ready bool) (yes bool, line string, err error) {
	settings, err := a.loadHTTP(flags)
	if err != nil {
		return false, "", err
	}
	c, err := newClient(settings, address)
	if err != nil {
		return false, "", err
	}
	if ready {
		return c.askReady(ctx)
	}
	return c.askAlive(ctx)
}

func (c *client) askAlive(ctx context.Context) (bool, string, error) {
	status, body, err := c.bare().get(ctx, "/healthz")
	if err != nil {
		return false, "", err
	}
	var answer struct {
		Alive  *bool
		Reason string
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Alive == nil {
		return false, "", c.stranger("/healthz: " + firstLine(body))
	}
	if status != http.StatusOK || !*answer.Alive {
		return false, "not alive: " + answer.Reason, nil
	}
	return true, "alive: " + c.base, nil
}

func (c *client) askReady(ctx context.Context) (bool, string, error) {
	status, body, err := c.get(ctx, "/readyz")
	if err != nil {
		return false, "", err
	}
	var answer struct {
		Ready   *bool
		Reasons []relay.Reason
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Ready == nil {
		return false, "", c.stranger("/readyz: " + firstLine(body))
	}
	if status == http.StatusOK && *answer.Ready {
		return true, "ready: " + c.base, nil
	}
	why := make([]string, len(answer.Reasons))
	for i, r := range answer.Reasons {
		why[i] = reasonText(r)
	}
	return false, "not ready: " + strings.Join(why, "; "), nil
}
