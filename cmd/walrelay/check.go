package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/sink"
)

// checkTimeout bounds the look at each side.
const checkTimeout = 30 * time.Second

func (a *app) checkCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Look at both sides before a start: all problems at once",
		Long: `Looks at PostgreSQL (server, rights, outbox tables, publication, slot) and at Kafka
(brokers, topics, rights) and prints what it found, all problems at once, each with
what to do. It changes nothing and may be run beside a running relay.

Exit code 0 when the relay can run, whatever it warns; 3 when it cannot.`,
		Args: cobra.NoArgs,
		RunE: action(a.check),
	}
	a.configFlags(c)
	a.outputFlag(c)
	return c
}

// finding is one line of the result.
type finding struct {
	Side string `json:"side"` // config, postgres, kafka
	replication.Finding
}

// of makes the findings of a side.
func of(side string, list ...replication.Finding) []finding {
	findings := make([]finding, len(list))
	for i, f := range list {
		findings[i] = finding{Side: side, Finding: f}
	}
	return findings
}

func (a *app) check(ctx context.Context, flags *pflag.FlagSet) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	c, err := a.load(flags, false)
	if err != nil {
		return err
	}
	kafka, err := sinkConfig(c)
	if err != nil {
		return err
	}
	ctx, stop := a.graceful(ctx)
	defer stop()
	var findings []finding
	for _, text := range c.Warnings {
		findings = append(findings, of("config", replication.Finding{Name: "settings", Level: replication.Warn, Detail: text})...)
	}
	rc, err := relayConfig(c)
	if err != nil {
		return err
	}
	found, fence := checkPostgres(ctx, rc)
	findings = append(findings, found...)
	findings = append(findings, checkKafka(ctx, kafka, fixedTopics(c), routedTopics(c), fence)...)
	if err := ctx.Err(); err != nil {
		return withCode(exitFailure, errors.New("stopped before everything was looked at"))
	}
	fails := 0
	for _, f := range findings {
		if f.Level == replication.Fail {
			fails++
		}
	}
	if asJSON {
		err = a.printJSON(struct {
			OK       bool      `json:"ok"`
			Findings []finding `json:"findings"`
		}{fails == 0, findings})
	} else {
		err = a.printFindings(findings, fails)
	}
	if err == nil && fails > 0 {
		return said(exitConfig)
	}
	return err
}

// checkPostgres looks at the PostgreSQL side. fence is the transactional id that
// the relay would use, "" when the server could not be asked.
func checkPostgres(ctx context.Context, rc relay.Config) (findings []finding, fence string) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	control, err := openControl(ctx, rc.Replication)
	if err != nil {
		f := replication.Finding{Name: "connection", Level: replication.Fail, Detail: err.Error(), Remedy: "check host, port and that PostgreSQL is up"}
		var setup *replication.SetupError
		if errors.As(err, &setup) {
			f.Detail, f.Remedy = setup.Problem, setup.Remedy
		}
		return of("postgres", f), ""
	}
	defer control.Close()
	findings = of("postgres", control.Check(ctx)...)
	findings = append(findings, of("postgres", relay.CheckTables(ctx, control, rc)...)...)
	return findings, relay.TransactionalID(control.SystemID(), rc.Replication.Slot)
}

// checkKafka looks at the Kafka side.
func checkKafka(ctx context.Context, sc sink.Config, topics []string, like func(string) bool, fence string) []finding {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return of("kafka", sink.Check(ctx, sc, topics, like, fence)...)
}

// fixedTopics returns the topics that are known without an event.
func fixedTopics(c *config.Config) []string {
	var topics []string
	seen := map[string]bool{"": true}
	add := func(topic string) {
		if !seen[topic] {
			seen[topic] = true
			topics = append(topics, topic)
		}
	}
	for _, o := range c.Outbox {
		if o.Route.Pattern == "" && !strings.Contains(o.Route.Topic, "${") {
			add(o.Route.Topic)
		}
	}
	if c.OnPoison == "dead-letter" {
		add(c.DeadLetterTopic)
	}
	return topics
}

// routedTopics tells which topics of a cluster the templates of the routes can
// name. Of a route by pattern that can't be told.
func routedTopics(c *config.Config) func(string) bool {
	var like []string
	for _, o := range c.Outbox {
		if o.Route.Pattern == "" && strings.Contains(o.Route.Topic, "${") {
			parts := templateColumn.Split(o.Route.Topic, -1)
			for i := range parts {
				parts[i] = regexp.QuoteMeta(parts[i])
			}
			like = append(like, strings.Join(parts, ".+"))
		}
	}
	if len(like) == 0 {
		return nil
	}
	return regexp.MustCompile("^(" + strings.Join(like, "|") + ")$").MatchString
}

// templateColumn is a column in a topic's template.
var templateColumn = regexp.MustCompile(`\$\{[^}]*\}`)

// printFindings prints a line a finding, what to do below it, and a sum.
func (a *app) printFindings(findings []finding, fails int) error {
	_, colours := a.terminal(a.stdout)
	marks := map[replication.Level]string{
		replication.OK:   paint("✓", green, colours),
		replication.Warn: paint("!", yellow, colours),
		replication.Fail: paint("✗", red, colours),
	}
	none := paint(" ", green, colours) // as wide as a mark for the tabwriter
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	warnings := 0
	for _, f := range findings {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", marks[f.Level], f.Side, f.Name, f.Detail) // Flush reports what went wrong
		if f.Level == replication.Warn {
			warnings++
		}
		if f.Level == replication.OK || f.Remedy == "" {
			continue
		}
		for line := range strings.Lines(f.Remedy) {
			_, _ = fmt.Fprintf(w, "%s\t\t\t→ %s\n", none, strings.TrimRight(line, "\n"))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "\n%s, %s\n", count(fails, "problem"), count(warnings, "warning"))
	return err
}

// count writes "1 problem", "2 problems", "no problems".
func count(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
