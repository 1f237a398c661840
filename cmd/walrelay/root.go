package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/relay"
)

// The exit codes that do not come from the relay.
const (
	exitDone    = 0 // done, or stopped on request
	exitFailure = 1 // runtime failure
	exitUsage   = 2 // the command line is wrong
	exitConfig  = 3 // configuration or preflight
)

// app is one run of the program.
type app struct {
	env    []string
	stdout io.Writer
	stderr io.Writer

	file   string // --config
	output string // --output
}

// commandError is an error of a command that ran, in contrast to a command line
// that is wrong.
type commandError struct {
	code int
	err  error // nil: everything was said already
}

func (e *commandError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *commandError) Unwrap() error { return e.err }

// said is the error of a command that has told what is wrong by itself.
func said(code int) error { return &commandError{code: code} }

// withCode gives an error an exit code.
func withCode(code int, err error) error { return &commandError{code: code, err: err} }

// run executes a command line and returns the exit code. env is "NAME=value" each.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	a := &app{env: env, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(append([]string{}, args...)) // not nil: cobra would take the process's own
	root.SetOut(stdout)
	root.SetErr(stderr)
	used, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	return a.report(used, err)
}

// report prints an error and returns its exit code.
func (a *app) report(used *cobra.Command, err error) int {
	var failed *commandError
	var problems *config.Error
	switch {
	case errors.As(err, &problems): // a place and a problem a line, as compilers write them
		a.complain("%s\n", problems)
		return exitConfig
	case !errors.As(err, &failed):
		a.complain("walrelay: %s\nRun `%s --help` for usage.\n", strings.TrimSpace(err.Error()), used.CommandPath())
		return exitUsage
	case failed.err == nil:
		return failed.code
	}
	a.complain("walrelay: %s\n", failed.err)
	return failed.code
}

// complain writes to stderr. There is nobody to tell when that fails.
func (a *app) complain(format string, args ...any) { _, _ = fmt.Fprintf(a.stderr, format, args...) }

// root makes the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "walrelay",
		Short: "Carries a PostgreSQL outbox table to Kafka",
		Long: `walrelay carries a PostgreSQL outbox table to Kafka: it reads the write-ahead log
through a logical replication slot, turns every committed INSERT into the outbox
into a Kafka record, and confirms the WAL position only after Kafka has it.

Begin with ` + "`walrelay demo`" + `; for your own database: ` + "`walrelay init`, `check`, `run`" + `.

Every setting of the file has an environment twin (kafka.brokers is
WALRELAY_KAFKA_BROKERS); a flag goes before the environment, that before the file.

Exit codes: 0 done or stopped on request, 1 runtime failure, 2 usage,
3 configuration or preflight, 4 needs a human (a gap in the WAL, a lost slot),
5 another instance holds the slot (only with --no-wait).`,
		Version:       buildInfo().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("walrelay {{.Version}}\n")
	root.AddCommand(a.runCommand(), a.initCommand(), a.checkCommand(), a.statusCommand(), a.healthCommand(), a.explainCommand(), a.configCommand(), a.importCommand(), a.shadowCommand(), a.versionCommand())
	if demo := a.demoCommand(); demo != nil {
		root.AddCommand(demo)
	}
	return root
}

// action makes a cobra function of ours. What it returns is an error of the
// command, never one of usage unless it says so by an *usageError.
func action(f func(ctx context.Context, flags *pflag.FlagSet) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) error {
		err := f(c.Context(), c.Flags())
		var failed *commandError
		var usage *usageError
		if err == nil || errors.As(err, &failed) || errors.As(err, &usage) {
			return err
		}
		return &commandError{code: relay.ExitCode(err), err: err}
	}
}

// usageError is a command line that cobra accepts and we do not.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// configFlags adds --config and the flags of settings to a command.
func (a *app) configFlags(c *cobra.Command) {
	c.Flags().StringVarP(&a.file, "config", "c", "", "configuration file (default "+config.DefaultFile+" if it is there; $WALRELAY_CONFIG)")
	for _, f := range config.Flags() {
		usage := strings.ReplaceAll(f.Doc, "`", "")
		usage, _, _ = strings.Cut(usage, ". ")
		usage = strings.TrimSuffix(usage, ".")
		if f.Default != "" {
			usage += " (default " + f.Default + ")"
		}
		c.Flags().String(f.Name, "", usage)
	}
}

// outputFlag adds --output to a command that prints a table.
func (a *app) outputFlag(c *cobra.Command) {
	c.Flags().StringVarP(&a.output, "output", "o", "table", "how to print: table or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
}

// json tells whether to print JSON.
func (a *app) json() (bool, error) {
	switch a.output {
	case "json":
		return true, nil
	case "table":
		return false, nil
	}
	return false, &usageError{fmt.Sprintf("--output %q: want table or json", a.output)}
}

// load reads the configuration of a command. withoutKafka is for those that have
// to do with PostgreSQL alone.
func (a *app) load(flags *pflag.FlagSet, withoutKafka bool) (*config.Config, error) {
	given := map[string]string{}
	for _, f := range config.Flags() {
		if flag := flags.Lookup(f.Name); flag != nil && flag.Changed {
			given[f.Name] = flag.Value.String()
		}
	}
	c, err := config.Load(config.Options{File: a.file, Env: a.env, Flags: given, WithoutKafka: withoutKafka, Check: checkDetails})
	if err != nil {
		return nil, withCode(exitConfig, err)
	}
	return c, nil
}

// getenv returns a variable of the environment that run was given.
func (a *app) getenv(name string) string {
	for _, e := range a.env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}
