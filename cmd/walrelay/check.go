package main

import (
	"context"
	"errors"
	"regexp"
	"strings"
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
		Long: `Looks at PostgreSQL (server, rights, outbox tables, publication, slot, what holds
WAL back, managed services and poolers) and at Kafka (every broker, topics, rights)
at the same time. It prints what it found, all problems at once, each with what it
leads to and what to do, with the SQL or the setting. It changes nothing and may be
run beside a running relay.

Exit code 0 when the relay can run, whatever it warns of; 3 when it cannot.`,
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

// side is what one side has answered.
type side struct {
	name, title string
	server      string // what was looked at
	findings    []replication.Finding
}

// diagnosis is the result of the command.
type diagnosis struct {
	OK       bool              `json:"ok"`
	Problems int               `json:"problems"`
	Warnings int               `json:"warnings"`
	Servers  map[string]string `json:"servers"` // by side
	Findings []finding         `json:"findings"`
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
	rc, err := relayConfig(c)
	if err != nil {
		return err
	}
	ctx, stop := a.graceful(ctx)
	defer stop()
	sides := append(checkConfig(c), checkBoth(ctx, c, rc)...)
	if err := ctx.Err(); err != nil {
		return withCode(exitFailure, errors.New("stopped before everything was looked at"))
	}
	d := diagnose(sides)
	if asJSON {
		err = a.printJSON(d)
	} else {
		err = a.printSides(sides, d)
	}
	if err == nil && !d.OK {
		return said(exitConfig)
	}
	return err
}

// diagnose counts, and puts all findings into one list.
func diagnose(sides []side) diagnosis {
	d := diagnosis{Servers: map[string]string{}, Findings: []finding{}}
	for _, s := range sides {
		if s.server != "" {
			d.Servers[s.name] = s.server
		}
		for _, f := range s.findings {
			d.Findings = append(d.Findings, finding{Side: s.name, Finding: f})
			switch f.Level {
			case replication.Fail:
				d.Problems++
			case replication.Warn:
				d.Warnings++
			}
		}
	}
	d.OK = d.Problems == 0
	return d
}

// checkConfig makes the configuration's own warnings a side.
func checkConfig(c *config.Config) []side {
	s := side{name: "config", title: "Configuration"}
	for _, text := range c.Warnings {
		s.findings = append(s.findings, replication.Finding{Name: "settings", Level: replication.Warn, Detail: text})
	}
	if len(s.findings) == 0 {
		return nil
	}
	return []side{s}
}

// known is what the look at PostgreSQL tells the one at Kafka. Each channel gets one
// value, as soon as it is known, or a zero one.
type known struct {
	fence   chan string // the transactional id that the relay would use
	largest chan int64  // the size of the largest event in the outbox
}

// await waits for a value until ctx ends.
func await[T any](from <-chan T) func(context.Context) T {
	return func(ctx context.Context) (value T) {
		select {
		case value = <-from:
		case <-ctx.Done():
		}
		return value
	}
}

// checkBoth looks at both sides at the same time, so that one that hangs does not
// hide the other.
func checkBoth(ctx context.Context, c *config.Config, rc relay.Config) []side {
	tell := known{fence: make(chan string, 1), largest: make(chan int64, 1)}
	postgres := make(chan side, 1)
	go func() { postgres <- checkPostgres(ctx, rc, tell) }()
	kafka := checkKafka(ctx, c, relay.SinkConfig(rc), tell)
	return []side{<-postgres, kafka}
}

// checkPostgres looks at the PostgreSQL side.
func checkPostgres(ctx context.Context, rc relay.Config, tell known) side {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	s := side{name: "postgres", title: "PostgreSQL", server: rc.Replication.Target()}
	var control *replication.Control
	control, s.findings = replication.CheckConnection(ctx, rc.Replication)
	if control == nil {
		tell.fence <- ""
		tell.largest <- 0
		return s
	}
	defer control.Close()
	tell.fence <- relay.TransactionalID(control.SystemID(), rc.Replication.Slot)
	s.server = control.About(ctx)
	s.findings = append(s.findings, control.Check(ctx)...)
	if !control.IsClosed() {
		s.findings = append(s.findings, relay.CheckTables(ctx, control, rc)...)
	}
	largest := int64(0)
	if !control.IsClosed() {
		largest, _ = control.LargestRow(ctx) // what keeps from it is no matter of the relay, which does not read the tables
	}
	tell.largest <- largest
	return s
}

// checkKafka looks at the Kafka side.
func checkKafka(ctx context.Context, c *config.Config, sc sink.Config, tell known) side {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	report := sink.Check(ctx, sc, sink.Look{
		Topics: fixedTopics(c), Purpose: purposes(c), Like: routedTopics(c),
		TransactionalID: await(tell.fence), LargestEvent: await(tell.largest),
	})
	return side{name: "kafka", title: "Kafka", server: report.Server, findings: report.Findings}
}

// purposes says of topics beside the events what they are for.
func purposes(c *config.Config) map[string]string {
	of := map[string]string{}
	if c.Canary.Every > 0 && c.Delivery != config.ExactlyOnce {
		of[c.Canary.Topic] = "for the canary"
	}
	if c.OnPoison == "dead-letter" {
		of[c.DeadLetterTopic] = "for dead letters"
	}
	if c.Delivery == config.ExactlyOnce {
		of[c.Kafka.WatermarkTopic] = "for the watermark of exactly-once"
	}
	return of
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
	switch {
	case c.Delivery == config.ExactlyOnce:
		add(c.Kafka.WatermarkTopic) // the canary goes there, too
	case c.Canary.Every > 0:
		add(c.Canary.Topic)
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
