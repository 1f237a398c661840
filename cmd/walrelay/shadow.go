package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/shadow"
)

func (a *app) shadowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "shadow",
		Short: "Compare what walrelay would write with what Debezium writes",
		Long: `Runs beside a live Debezium, or anything else that writes the same outbox's records:
reads the outbox through a temporary slot of its own on the same publication, reads
the topics in Kafka, and compares by event id (header "id") what walrelay would write
with what is there: topic, partition, key, value, headers, and the timestamp where a
column gives it. It writes nothing to Kafka and nothing to PostgreSQL and disturbs
neither Debezium nor a running relay.

A topic is read as soon as an event is routed to it, from where it ended when this
command started; --topics names further ones. Records of transactions that committed
before the start are no difference, nor are repeats with the same bytes. Differences
are shown without payloads unless --show-payloads asks for them: lengths, the
beginning of a SHA-256 and the first byte that differs.

It needs a role with REPLICATION, a free replication slot and walsender
(max_replication_slots, max_wal_senders), and the right to read the topics. The slot
is gone with its connection: when that is lost, the comparison ends with what it has.

Ctrl-C ends it; what has been seen on one side only is waited for (--wait), a second
Ctrl-C waits for nothing.

Exit codes: 0 everything that was compared agrees, 1 differences, or nothing was
compared, 2 usage, 3 configuration or preflight.`,
		Args: cobra.NoArgs,
		RunE: action(a.shadow),
	}
	a.configFlags(c)
	a.outputFlag(c)
	c.Flags().Duration("for", 0, "compare for this long (default until Ctrl-C)")
	c.Flags().Duration("wait", shadow.DefaultWait, "how long an event may be missing on either side before it counts as missing")
	c.Flags().Int("limit", 10, "how many differences to show")
	c.Flags().StringSlice("topics", nil, "read these topics, too, so that records are found that walrelay would not write")
	c.Flags().Bool("show-payloads", false, "show the beginnings of payloads that differ")
	return c
}

// shadowFlags are the flags of shadow.
type shadowFlags struct {
	duration, wait time.Duration
	limit          int
	topics         []string
	payloads       bool
}

func (a *app) shadowFlags(flags *pflag.FlagSet) (f shadowFlags, err error) {
	var errs [5]error
	f.duration, errs[0] = flags.GetDuration("for")
	f.wait, errs[1] = flags.GetDuration("wait")
	f.limit, errs[2] = flags.GetInt("limit")
	f.topics, errs[3] = flags.GetStringSlice("topics")
	f.payloads, errs[4] = flags.GetBool("show-payloads")
	if err := errors.Join(errs[:]...); err != nil {
		return f, err
	}
	switch {
	case f.duration < 0:
		return f, &usageError{fmt.Sprintf("--for %s: want a positive time, such as 10m", f.duration)}
	case f.wait <= 0:
		return f, &usageError{fmt.Sprintf("--wait %s: want a positive time, such as 30s", f.wait)}
	case f.limit < 0:
		return f, &usageError{fmt.Sprintf("--limit %d: want 0 or more", f.limit)}
	}
	return f, nil
}

func (a *app) shadow(ctx context.Context, flags *pflag.FlagSet) error {
	f, err := a.shadowFlags(flags)
	if err != nil {
		return err
	}
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	c, err := a.load(flags, false)
	if err != nil {
		return err
	}
	a.warn(c.Warnings)
	sc, err := shadowConfig(c, f)
	if err != nil {
		return err
	}
	ctx, end, stop := a.endings(ctx)
	defer stop()
	sc.End = end
	line := a.newLine()
	sc.Progress, sc.Note = line.progress, line.say
	result, err := shadow.Run(ctx, sc)
	line.clear()
	switch {
	case result == nil && ctx.Err() != nil:
		return withCode(exitFailure, errors.New("stopped before anything was compared"))
	case result == nil:
		return withCode(exitConfig, err)
	case err != nil:
		a.complain("walrelay: %s; this is what was found until then\n", err)
	}
	if asJSON {
		err = a.printJSON(struct {
			Agrees bool `json:"agrees"`
			*shadow.Result
		}{result.Agrees(), limited(result, f.limit)})
	} else {
		err = a.printShadow(result, f.limit)
	}
	if err == nil && !result.Agrees() {
		return said(exitFailure)
	}
	return err
}

// limited leaves the first differences.
func limited(r *shadow.Result, limit int) *shadow.Result {
	r.Differences = r.Differences[:min(limit, len(r.Differences))]
	return r
}

// shadowConfig is what the relay's configuration means for a comparison.
func shadowConfig(c *config.Config, f shadowFlags) (shadow.Config, error) {
	rc, err := relayConfig(c)
	if err != nil {
		return shadow.Config{}, err
	}
	sc := shadow.Config{
		Replication: rc.Replication, Tables: rc.Tables, Kafka: rc.Sink,
		For: f.duration, Wait: f.wait, Limit: f.limit, ShowPayloads: f.payloads,
		Topics: f.topics,
	}
	for i := range rc.Tables {
		t := &rc.Tables[i]
		if t.Rules.Pattern == "" && t.Rules.Topic != "" && !strings.Contains(t.Rules.Topic, "${") {
			sc.Topics = append(sc.Topics, t.Rules.Topic)
		}
		sc.PayloadHeaders = append(sc.PayloadHeaders, payloadHeaders(t.Rules.Headers, t.Decoding.Columns)...)
	}
	return sc, nil
}

// payloadHeaders are the names of the headers that carry the payload.
func payloadHeaders(headers []string, columns decoding.Columns) []string {
	payload := map[string]bool{"payload": true}
	for name := range strings.SplitSeq(columns.Payload, ",") {
		payload[strings.TrimSpace(name)] = true
	}
	delete(payload, "")
	var names []string
	for _, text := range headers {
		for name := range payload {
			source, alias, _ := strings.Cut(strings.TrimPrefix(text, `"`+name+`"`), ":")
			plain := strings.TrimSpace(source) == name
			if quoted := strings.HasPrefix(text, `"`+name+`"`); !plain && !quoted {
				continue
			}
			if alias == "" {
				alias = name
			}
			names = append(names, strings.TrimSpace(alias))
		}
	}
	return names
}

// endings returns a context that ends with the second SIGINT or SIGTERM, and a
// channel that is closed by the first. stop gives the signals back.
func (a *app) endings(ctx context.Context) (_ context.Context, end <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	first, done := make(chan struct{}), make(chan struct{})
	go func() {
		select {
		case <-done:
			return
		case <-signals:
			close(first)
		}
		select {
		case <-done:
		case <-signals:
			cancel()
		}
	}()
	return ctx, first, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
