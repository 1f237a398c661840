package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/replication"
)

// connectTimeout bounds connecting for commands that a person waits for.
const connectTimeout = 15 * time.Second

func (a *app) initCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "init",
		Short: "Make publication, slot and marker, and the outbox table when asked",
		Long: `Makes what the relay needs in PostgreSQL, in the right order: the outbox table (with
--create-table), publication, the schema walrelay with the marker, and the slot.
What exists is left alone, so it may be run again. Making a slot waits for the
transactions that are open.

The shapes of --create-table:
  debezium  id, aggregatetype, aggregateid, type, payload
  snake     id, aggregate_type, aggregate_id, event_type, payload, created_at

With --print-sql it prints the SQL instead, for somebody who has the rights; the
relay itself needs no more than this SQL grants.

With --accept-gap it goes on after a gap (exit code 4 of walrelay run): what was
committed in the gap is not delivered. Stop the relay and publish what is missing
by other means first.`,
		Args: cobra.NoArgs,
		RunE: action(a.init),
	}
	a.configFlags(c)
	a.outputFlag(c)
	c.Flags().Bool("print-sql", false, "print the SQL instead of running it")
	c.Flags().String("role", "", "with --print-sql: the relay's role (default that of the connection)")
	c.Flags().Bool("accept-gap", false, "go on after a gap that a person has accepted")
	c.Flags().String("create-table", "", "make the outbox table where it is missing: debezium or snake")
	c.Flags().Lookup("create-table").NoOptDefVal = "debezium"
	c.MarkFlagsMutuallyExclusive("print-sql", "accept-gap")
	c.MarkFlagsMutuallyExclusive("print-sql", "create-table")
	_ = c.RegisterFlagCompletionFunc("create-table", cobra.FixedCompletions([]string{"debezium", "snake"}, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	return c
}

// initFlags are the flags of init.
type initFlags struct {
	printSQL, acceptGap bool
	role, shape         string
}

func (a *app) initFlags(flags *pflag.FlagSet) (f initFlags, err error) {
	if f.printSQL, err = flags.GetBool("print-sql"); err != nil {
		return f, err
	}
	if f.acceptGap, err = flags.GetBool("accept-gap"); err != nil {
		return f, err
	}
	if f.role, err = flags.GetString("role"); err != nil {
		return f, err
	}
	if f.shape, err = flags.GetString("create-table"); err != nil {
		return f, err
	}
	switch {
	case f.role != "" && !f.printSQL:
		return f, &usageError{"--role goes with --print-sql only"}
	case flags.Changed("create-table") && f.shape != "debezium" && f.shape != "snake":
		return f, &usageError{fmt.Sprintf("--create-table=%s: want debezium or snake", f.shape)}
	}
	return f, nil
}

// initResult is what init prints as JSON.
type initResult struct {
	Postgres    string   `json:"postgres"`
	Slot        string   `json:"slot"`
	Publication string   `json:"publication"`
	Steps       []string `json:"steps"` // what was done
	Made        bool     `json:"slot_made"`
	Adopted     bool     `json:"slot_adopted"`
	Confirmed   string   `json:"confirmed_lsn"`
}

func (a *app) init(ctx context.Context, flags *pflag.FlagSet) error {
	f, err := a.initFlags(flags)
	if err != nil {
		return err
	}
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	c, err := a.load(flags, true)
	if err != nil {
		return err
	}
	a.warn(c.Warnings)
	rc := replicationConfig(c)
	if f.printSQL {
		_, err := fmt.Fprintln(a.stdout, replication.PrivilegeSQL(rc, f.role))
		return err
	}
	rc.AutoCreate = true // making things is what init is for
	ctx, stop := a.graceful(ctx)
	defer stop()
	control, err := openControl(ctx, rc)
	if err != nil {
		return err
	}
	defer control.Close()

	result := initResult{Postgres: rc.Target(), Slot: rc.Slot, Publication: rc.Publication, Steps: []string{}}
	step := func(text string) {
		result.Steps = append(result.Steps, text)
		if !asJSON {
			_, _ = fmt.Fprintln(a.stdout, text) // as it happens: making a slot may take long
		}
	}
	position, err := a.prepare(ctx, control, rc, f, step)
	if err != nil {
		return err
	}
	result.Made, result.Adopted, result.Confirmed = position.Made, position.Adopted, position.Confirmed.String()
	if asJSON {
		return a.printJSON(result)
	}
	switch {
	case position.Snapshot:
		_, err = fmt.Fprintf(a.stdout, "ready: the first start of the relay makes slot %s on %s together with its snapshot\n", result.Slot, result.Postgres)
		return err
	case position.Done:
		_, err = fmt.Fprintf(a.stdout, "done: the rows on %s were published, and snapshot.mode is only\n", result.Postgres)
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "ready: slot %s on %s, confirmed up to %s\n", result.Slot, result.Postgres, result.Confirmed)
	return err
}

// prepare makes what was asked for and reports each step.
func (a *app) prepare(ctx context.Context, control *replication.Control, rc replication.Config, f initFlags, step func(string)) (replication.Position, error) {
	if f.shape != "" {
		for _, table := range rc.Tables {
			if err := control.CreateOutbox(ctx, table, f.shape); err != nil {
				return replication.Position{}, err
			}
			step(fmt.Sprintf("outbox table %s is there", table))
		}
	}
	log := func(message string, kv ...any) {
		for i := 0; i+1 < len(kv); i += 2 {
			message += fmt.Sprintf(" %v=%v", kv[i], kv[i+1])
		}
		step(message)
	}
	if f.acceptGap {
		return control.AcceptGap(ctx, log)
	}
	return control.Prepare(ctx, log)
}

// openControl opens the SQL connection for a command that a person waits for. That it
// cannot be opened is a matter of set-up, whatever the reason.
func openControl(ctx context.Context, rc replication.Config) (*replication.Control, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	control, err := replication.Connect(ctx, rc)
	if err != nil {
		return nil, withCode(exitConfig, err)
	}
	return control, nil
}
