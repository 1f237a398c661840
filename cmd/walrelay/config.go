package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Print the effective configuration and where each value came from",
		Long: `Prints every setting with its value and where it came from: a place in the file,
an environment variable, a flag, or the default. Secrets are masked. A setting
without a value stands for what the reference says of its default.

Exit code 3 when the configuration has problems; then all of them are printed.`,
		Args: cobra.NoArgs,
		RunE: action(a.config),
	}
	a.configFlags(c)
	a.outputFlag(c)
	return c
}

func (a *app) config(_ context.Context, flags *pflag.FlagSet) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	c, err := a.load(flags, false)
	if err != nil {
		return err
	}
	a.warn(c.Warnings)
	if asJSON {
		return a.printJSON(c.Effective())
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "KEY\tVALUE\tSOURCE") // Flush reports what went wrong
	for _, e := range c.Effective() {
		value := e.Value
		if value == "" {
			value = "-"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", e.Key, value, e.Source)
	}
	return w.Flush()
}

// warn prints remarks on the configuration.
func (a *app) warn(warnings []string) {
	for _, text := range warnings {
		a.complain("warning: %s\n", text)
	}
}
