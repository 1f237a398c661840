package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/config/debezium"
)

// importFlags are the flags of import-debezium.
type importFlags struct {
	out, worker string
	tables      []string
	force       bool
}

func (a *app) importCommand() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import-debezium FILE",
		Short: "Make walrelay.yaml of a Debezium connector's configuration",
		Long: `Makes walrelay.yaml of the configuration of a Debezium PostgreSQL connector with the
Outbox Event Router, with a comment per line that says where it comes from, and
prints a report: what was taken over, what differs, what is not supported, what is
dangerous, and what has no meaning here. Nothing is left out silently.

FILE ("-" is standard input) is one of these, recognised by what is in it:
  Kafka Connect's connector.properties, also merged with the worker's file
  the JSON of Kafka Connect's REST interface, with or without "config" around it
  Strimzi's KafkaConnector
  Debezium Server's application.properties

Secrets are not copied: the database password comes from PGPASSWORD or ~/.pgpass,
Kafka's from WALRELAY_KAFKA_SASL_PASSWORD. Brokers that the file does not name come
from WALRELAY_KAFKA_BROKERS. The report lists what the environment has to give.

The configuration goes to standard output and the report to standard error. With
--output json the report is JSON, on standard output when there is -o.

Exit code 0 when a file was written that runs, whatever the report warns of; 3, with
all reasons, when none can be made.`,
		Example: "  walrelay import-debezium connector.json -o walrelay.yaml\n  walrelay import-debezium connector.properties --worker connect-distributed.properties > walrelay.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return action(func(ctx context.Context, _ *pflag.FlagSet) error { return a.importDebezium(ctx, args[0], f) })(c, args)
		},
	}
	c.Flags().StringVarP(&f.out, "out", "o", "", "file to write (default standard output)")
	c.Flags().BoolVar(&f.force, "force", false, "overwrite the file of -o")
	c.Flags().StringVar(&f.worker, "worker", "", "file of the Kafka Connect worker: converters and brokers that the connector's file leaves to it")
	c.Flags().StringArrayVar(&f.tables, "table", nil, "outbox table as schema.table, instead of table.include.list; may be repeated")
	c.Flags().StringVar(&a.output, "output", "table", "how to print the report: table or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	return c
}

// importResult is the report as JSON.
type importResult struct {
	OK      bool            `json:"ok"`
	Written string          `json:"written,omitempty"` // the file of -o
	Reasons []debezium.Note `json:"reasons,omitempty"` // why there is none
	*debezium.Report
}

func (a *app) importDebezium(_ context.Context, file string, f importFlags) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	if f.force && f.out == "" {
		return &usageError{"--force goes with -o only"}
	}
	o := debezium.Options{Name: importName(file), Tables: f.tables, Env: a.lookupEnv}
	data, err := readImport(file)
	if err != nil {
		return withCode(exitConfig, err)
	}
	if f.worker != "" {
		o.WorkerName = importName(f.worker)
		if o.Worker, err = readImport(f.worker); err != nil {
			return withCode(exitConfig, err)
		}
	}
	result, err := debezium.Import(data, o)
	if err != nil {
		return a.refuseImport(err, file, asJSON, f.out != "")
	}
	if err := a.writeImport(result.YAML, f); err != nil {
		return err
	}
	return a.reportImport(result, asJSON, f)
}

// importName is what messages call a file.
func importName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return filepath.Base(file)
}

// maxImport bounds what is read of a file that is no configuration.
const maxImport = 8 << 20

func readImport(file string) ([]byte, error) {
	if file == "-" {
		data, err := io.ReadAll(io.LimitReader(os.Stdin, maxImport))
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return data, nil
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, importFileError(file, err)
	}
	defer func() { _ = in.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(in, maxImport))
	if err != nil {
		return nil, importFileError(file, err)
	}
	return data, nil
}

// importFileError says what is wrong with a file and what to do.
func importFileError(file string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist: check the path", file)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s exists: choose another name, or overwrite it with --force", file)
	}
	return fmt.Errorf("%s: %w", file, err)
}

// writeImport writes walrelay.yaml. Without --force an existing file is kept, also one
// that appears in this moment.
func (a *app) writeImport(yaml []byte, f importFlags) error {
	if f.out == "" || f.out == "-" {
		_, err := a.stdout.Write(yaml)
		return err
	}
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if f.force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	out, err := os.OpenFile(f.out, mode, 0o644)
	if err != nil {
		return withCode(exitConfig, importFileError(f.out, err))
	}
	_, err = out.Write(yaml)
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return withCode(exitFailure, fmt.Errorf("write %s: %w", f.out, err))
	}
	return nil
}

// reportImport prints the report and what to do next.
func (a *app) reportImport(result *debezium.Result, asJSON bool, f importFlags) error {
	toFile := f.out != "" && f.out != "-"
	if asJSON {
		r := importResult{OK: true, Report: result.Report}
		if toFile {
			r.Written = f.out
		}
		return a.importJSON(r, toFile)
	}
	_, colours := a.terminal(a.stderr)
	a.complain("%s\n%s\n", result.Report.Text(colours), importSummary(result.Report, f.out, toFile))
	return nil
}

// importSummary is the last line of the report.
func importSummary(r *debezium.Report, out string, toFile bool) string {
	name, did := config.DefaultFile, "printed"
	if toFile {
		name, did = out, "written"
	}
	var counts []string
	for _, c := range []struct {
		verdict debezium.Verdict
		word    string
	}{
		{debezium.Taken, "taken over"}, {debezium.Differs, "different"}, {debezium.Dangerous, "dangerous"},
		{debezium.Unsupported, "not supported"}, {debezium.Unknown, "not known"}, {debezium.Ignored, "without meaning here"},
	} {
		if n := r.Count(c.verdict); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, c.word))
		}
	}
	return fmt.Sprintf("%s was %s: %s.\nNext: `walrelay check -c %s` looks at both sides before a start.", name, did, strings.Join(counts, ", "), name)
}

// refuseImport tells why no file can be made.
func (a *app) refuseImport(err error, file string, asJSON, toFile bool) error {
	var refused *debezium.Refused
	if !errors.As(err, &refused) {
		return err
	}
	if asJSON {
		if err := a.importJSON(importResult{Reasons: refused.Reasons, Report: &debezium.Report{File: importName(file), Notes: []debezium.Note{}, Environment: []debezium.Variable{}}}, toFile); err != nil {
			return err
		}
		return said(exitConfig)
	}
	a.complain("%s\n\nNo configuration was written: %s to be settled first.\n", refused, count(len(refused.Reasons), "problem"))
	return said(exitConfig)
}

// importJSON prints the report as JSON, beside the configuration or instead of it.
func (a *app) importJSON(r importResult, toFile bool) error {
	if !toFile {
		stderr := *a
		stderr.stdout = a.stderr
		return stderr.printJSON(r)
	}
	return a.printJSON(r)
}

// lookupEnv looks up a variable of the environment that run was given.
func (a *app) lookupEnv(name string) (string, bool) {
	for i := len(a.env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(a.env[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}
