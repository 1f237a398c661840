// Command soak lets the relay work for hours between a real PostgreSQL and a real
// Kafka, and says whether it keeps what it has taken: memory, goroutines, file
// descriptors, and time behind the server.
//
//	go run ./test/soak -for 2h                        a steady load, nothing else
//	go run ./test/soak -for 2h -faults                and something broken every 5 minutes
//	go run ./test/soak -for 30m -delivery exactly-once
//	go run ./test/soak -for 2h -output json
//	go run ./test/soak -for 2h -markdown docs/reliability.md
//
// Both servers are started here (package harness) and removed at the end. Writers
// commit events, roll some back, and delete what they have written, as outboxes do,
// so the database stays small; old segments of the topic are deleted. The relay is
// built as a release is.
//
// A straight line is laid through the samples of each figure. Its slope an hour has
// an interval of 95 %, which takes into account that neighbouring samples are alike.
// The whole interval below the limit is "flat", the whole above it a "leak"; else the
// run was too short to tell. A relay that was killed begins anew: its memory is
// compared with that of the same process only.
//
// Every event is checked as it arrives, by the number that its aggregate has counted:
// what is missing at the end is lost, what comes again a duplicate, what comes after
// a later one out of order. That takes memory for the aggregates, not for the events.
//
// The exit code is 0 when all is well or could not be told, 1 when events were lost or
// out of order, repeated without a cause, or something leaks, 2 when it could not run.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// settings are the command line.
type settings struct {
	length, warmUp, every, sample time.Duration
	rate, writers, aggregates     int
	faults, ownWarmUp             bool
	delivery, output, markdown    string
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&s.length, "for", 2*time.Hour, "how long the load lasts")
	flags.DurationVar(&s.warmUp, "warm-up", 0, "how long after a relay's start or a fault nothing is counted; 0: a tenth, at most 5m, or a third of -every")
	flags.DurationVar(&s.sample, "sample", 5*time.Second, "time between two samples")
	flags.IntVar(&s.rate, "rate", 1000, "events a second, as far as the machine can")
	flags.IntVar(&s.writers, "writers", 4, "connections that write")
	flags.IntVar(&s.aggregates, "aggregates", 1000, "number of aggregates")
	flags.BoolVar(&s.faults, "faults", false, "restart the broker and kill the relay, in turn")
	flags.DurationVar(&s.every, "every", 5*time.Minute, "time between two faults")
	flags.StringVar(&s.delivery, "delivery", "at-least-once", "at-least-once or exactly-once")
	flags.StringVar(&s.output, "output", "text", "text or json")
	flags.StringVar(&s.markdown, "markdown", "", "file whose section of the soak gets the result")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.ownWarmUp = s.warmUp != 0; !s.ownWarmUp {
		s.warmUp = min(s.length/10, 5*time.Minute)
		if s.faults {
			s.warmUp = min(s.warmUp, s.every/3)
		}
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("%q: there are only flags; see -help", flags.Arg(0))
	case s.length <= s.warmUp || s.sample <= 0 || s.every <= 0:
		return s, errors.New("-for must be longer than -warm-up, -sample and -every more than 0")
	case s.rate <= 0 || s.writers <= 0 || s.aggregates < s.writers:
		return s, errors.New("-rate and -writers must be more than 0, -aggregates no fewer than -writers")
	case s.delivery != "at-least-once" && s.delivery != "exactly-once":
		return s, fmt.Errorf("-delivery %q: at-least-once or exactly-once", s.delivery)
	case s.output != "text" && s.output != "json":
		return s, fmt.Errorf("-output %q: text or json", s.output)
	case s.markdown != "":
		return s, replaceSection(s.markdown, "", true)
	}
	return s, nil
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var r *result
	if err == nil {
		r, err = soak(ctx, s, stderr)
	}
	if err == nil {
		err = r.write(s, stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "test/soak:", err)
		return 2
	}
	if !r.Good {
		return 1
	}
	return 0
}

// write prints the result, and puts it into the document when that is wanted.
func (r *result) write(s settings, stdout io.Writer) error {
	text := r.text()
	if s.markdown != "" {
		if err := replaceSection(s.markdown, "```\n$ "+r.Command+"\n"+text+"```\n", false); err != nil {
			return err
		}
	}
	if s.output == "json" {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "\t")
		return encoder.Encode(r)
	}
	_, err := io.WriteString(stdout, text)
	return err
}
