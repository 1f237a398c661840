package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// parts are the names --only takes, in the order they run.
var parts = []string{"drain1", "drain100", "latency", "start", "idle", "rss"}

// fullBacklog is how many events a drain has unless --events says otherwise.
const fullBacklog = 500_000

// options are the command line.
type options struct {
	postgres   string        // URL of a server to use, "" starts one
	kafka      string        // HOST:PORT of a broker to use, "" starts one
	only       []string      // parts to run
	contenders []string      // drain contenders to run
	extra      []extra       // further drain contenders
	walrelay   string        // binary to measure, "" builds ./cmd/walrelay
	recv       string        // pg_recvlogical, "" looks for it
	events     int           // backlog of a drain
	rounds     int           // rounds of a drain
	latencyFor time.Duration // length of each latency measurement
	idleFor    time.Duration // length of the idle measurement
	awayFor    time.Duration // how long Kafka is away
	bigRows    int           // rows of the big transaction
	starts     int           // runs of the start measurement
	pauseKafka bool          // a broker that is not ours may be stopped too
	output     string        // table or json
}

// extra is a contender given on the command line.
type extra struct{ name, command string }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with its surroundings as arguments. It returns the exit code: 0
// measured, 1 something was lost or could not be measured, 2 usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "bareloop" {
		if err := bareLoop(ctx, args[1:], stdout); err != nil {
			fmt.Fprintln(stderr, "bareloop:", err)
			return 1
		}
		return 0
	}
	opt, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	b, err := newBench(ctx, opt, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	report := b.measure(ctx)
	if err := b.close(); err != nil {
		report.problem("clean up: %v", err)
	}
	if opt.output == "json" {
		err = report.writeJSON(stdout)
	} else {
		err = report.writeTables(stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	if len(report.Problems) > 0 {
		return 1
	}
	return 0
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var only, contenders string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.postgres, "postgres", "", "`URL` of a PostgreSQL to use (superuser, wal_level=logical); default: start one")
	f.StringVar(&o.kafka, "kafka", "", "`HOST:PORT` of a Kafka to use; default: start one")
	f.StringVar(&only, "only", strings.Join(parts, ","), "`parts` to measure")
	f.StringVar(&contenders, "contenders", "pg_recvlogical,bareloop,walrelay", "`contenders` of the drains")
	f.Func("extra", "one more contender of the drains, `NAME=COMMAND` (see README.md), may be repeated", func(s string) error {
		name, command, ok := strings.Cut(s, "=")
		if !ok || name == "" || command == "" {
			return errors.New("want NAME=COMMAND")
		}
		o.extra = append(o.extra, extra{name, command})
		return nil
	})
	f.StringVar(&o.walrelay, "walrelay", "", "`FILE` to measure; default: build ./cmd/walrelay")
	f.StringVar(&o.recv, "pg-recvlogical", "", "`FILE` of pg_recvlogical; default: found on PATH or beside the newest server")
	f.IntVar(&o.events, "events", fullBacklog, "events in the backlog of a drain")
	f.IntVar(&o.rounds, "rounds", 3, "rounds of a drain")
	f.DurationVar(&o.latencyFor, "latency-for", 20*time.Second, "length of each latency measurement")
	f.DurationVar(&o.idleFor, "idle-for", 20*time.Second, "length of the idle measurement")
	f.DurationVar(&o.awayFor, "away-for", time.Minute, "how long Kafka is away in the part rss")
	f.IntVar(&o.bigRows, "big-rows", 1_000_000, "rows of the big transaction in the part rss")
	f.IntVar(&o.starts, "starts", 5, "runs of the part start")
	f.BoolVar(&o.pauseKafka, "pause-kafka", false, "allow to stop the broker of --kafka with SIGSTOP, when it runs on this machine")
	f.StringVar(&o.output, "output", "table", "table or json")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.only, o.contenders = splitList(only), splitList(contenders)
	return o, o.validate(f.Args())
}

func (o options) validate(rest []string) error {
	var errs []error
	if len(rest) > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", rest[0]))
	}
	for _, p := range o.only {
		if !slices.Contains(parts, p) {
			errs = append(errs, fmt.Errorf("--only: no part %q, there are %s", p, strings.Join(parts, ", ")))
		}
	}
	for _, c := range o.contenders {
		if !slices.Contains([]string{"pg_recvlogical", "bareloop", "walrelay"}, c) {
			errs = append(errs, fmt.Errorf("--contenders: no contender %q, there are pg_recvlogical, bareloop, walrelay", c))
		}
	}
	if o.output != "table" && o.output != "json" {
		errs = append(errs, fmt.Errorf("--output: %q is neither table nor json", o.output))
	}
	if o.events < 100 || o.events%100 != 0 {
		errs = append(errs, fmt.Errorf("--events: %d is not a positive multiple of 100", o.events))
	}
	for _, n := range []struct {
		flag  string
		value int
	}{{"rounds", o.rounds}, {"starts", o.starts}, {"big-rows", o.bigRows}} {
		if n.value < 1 {
			errs = append(errs, fmt.Errorf("--%s: %d is less than 1", n.flag, n.value))
		}
	}
	return errors.Join(errs...)
}

func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
