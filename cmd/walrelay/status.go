package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/replication"
)

// longStart is when a start that has not come to its end is called unhealthy.
const longStart = 30 * time.Second

func (a *app) statusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show a running relay, or its slot when none runs",
		Long: `Asks the relay at http.listen how it does and shows the way WAL, slot, relay, Kafka.
When none answers it asks PostgreSQL what the slot costs meanwhile.

With --watch it looks again every second until Ctrl-C: in place on a terminal, else
a line each time. Rates are those of the last five seconds.

Exit codes: 0 streaming, standing by, publishing a snapshot, done with one, or
starting; 1 blocked, stopping, starting for more than 30 s, or no relay there;
3 the configuration, or a password that the relay refuses. --watch ends with 0.`,
		Args: cobra.NoArgs,
		RunE: action(a.status),
	}
	a.configFlags(c)
	a.outputFlag(c)
	urlFlag(c.Flags())
	c.Flags().BoolP("watch", "w", false, "look again every second")
	return c
}

func (a *app) status(ctx context.Context, flags *pflag.FlagSet) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	watch, err := flags.GetBool("watch")
	if err != nil {
		return err
	}
	asker, err := a.newAsker(flags)
	if err != nil {
		return err
	}
	defer asker.close()
	ctx, stop := a.graceful(ctx)
	defer stop()
	if watch {
		return a.watchStatus(ctx, asker, asJSON)
	}
	l, err := asker.ask(ctx)
	switch {
	case ctx.Err() != nil:
		return withCode(exitFailure, errors.New("stopped before anybody answered"))
	case err != nil:
		return err
	case asJSON:
		_, err = fmt.Fprintf(a.stdout, "%s\n", l.json("  "))
	default:
		p := a.printer(l.at)
		p.look(l, rates{})
		_, err = fmt.Fprintln(a.stdout, strings.Join(p.lines, "\n"))
	}
	if code := l.exitCode(); err == nil && code != exitDone {
		return said(code)
	}
	return err
}

// look is one look at a relay.
type look struct {
	at   time.Time
	base string // where it was asked, "" when http.listen is off

	status *relay.Status   // what it says; nil: it does not answer
	raw    json.RawMessage // the same as it came
	away   error           // why there is no status
	slot   slotLook        // then
}

// asker asks the relay, and PostgreSQL where there is none.
type asker struct {
	client *client
	off    error // why there is no client

	config  *config.Config
	problem error // why there is no configuration to ask PostgreSQL with

	control *replication.Control // kept from one look to the next
}

// newAsker reads the configuration. What is wrong with it matters only when it is
// needed: another machine's relay can be asked without.
func (a *app) newAsker(flags *pflag.FlagSet) (*asker, error) {
	address, err := flags.GetString("url")
	if err != nil {
		return nil, err
	}
	asker := &asker{}
	asker.config, asker.problem = a.load(flags, true)
	var settings config.HTTP
	switch {
	case asker.config != nil:
		settings = asker.config.HTTP
	case address != "":
		// The file is of no use, the environment may hold a password.
		if c, err := config.Load(config.Options{File: os.DevNull, Env: a.env, Only: "http."}); err == nil {
			settings = c.HTTP
		}
	default:
		if settings, err = a.loadHTTP(flags); err != nil {
			return nil, asker.problem // all of it, not what concerns us alone
		}
	}
	asker.client, err = newClient(settings, address)
	if errors.Is(err, errOff) {
		asker.client, asker.off = nil, err
		return asker, nil
	}
	var usage *usageError
	if err != nil && !errors.As(err, &usage) {
		err = withCode(exitConfig, err)
	}
	return asker, err
}

func (k *asker) close() {
	if k.control != nil {
		k.control.Close()
	}
}

// ask takes a look. An error is one of the configuration; that nobody answers is
// part of the look.
func (k *asker) ask(ctx context.Context) (*look, error) {
	l := &look{at: time.Now()}
	if k.client == nil {
		l.away = k.off
	} else {
		l.base = k.client.base
		_, body, err := k.client.get(ctx, "/status")
		var away *awayError
		switch {
		case err == nil:
			k.close() // whatever was asked of PostgreSQL, the relay knows better
			k.control = nil
			return l, l.decode(k.client, body)
		case !errors.As(err, &away):
			return nil, err
		}
		l.away = away
	}
	l.slot = k.askSlot(ctx)
	return l, nil
}

// decode takes the relay's answer. What it lacks, or knows beyond us, is no error.
func (l *look) decode(c *client, body []byte) error {
	var status relay.Status
	if err := json.Unmarshal(body, &status); err != nil || status.State == "" {
		return c.stranger("/status: " + firstLine(body))
	}
	l.status, l.raw = &status, bytes.TrimSpace(body)
	return nil
}

// exitCode is what a script needs to know.
func (l *look) exitCode() int {
	if l.status == nil {
		return l.slot.exitCode(l.base == "")
	}
	switch l.status.State {
	case relay.StateStreaming, relay.StateStandby, relay.StateIdle, relay.StateSnapshot:
		return exitDone
	case relay.StateStarting:
		if l.at.Sub(l.status.Since) < longStart {
			return exitDone
		}
	}
	return exitFailure
}

// json is the look as JSON: what the relay says, word by word, or what is known
// without it. indent "" makes one line.
func (l *look) json(indent string) []byte {
	raw := l.raw
	if l.status == nil {
		raw, _ = json.Marshal(l.down()) // plain values: never an error
	}
	var out bytes.Buffer
	if indent == "" {
		_ = json.Compact(&out, raw) // it was decoded: never an error
	} else {
		_ = json.Indent(&out, raw, "", indent)
	}
	return out.Bytes()
}
