package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// drainLimit ends a contender that hangs.
const drainLimit = 10 * time.Minute

// contender drains a backlog.
type contender struct {
	name     string
	produces bool // writes to Kafka, so its topic is read back
	// drain runs the contender to its end and fills in Wall and what only it
	// knows. The child has ended when it returns without an error.
	drain func(ctx context.Context, b *bench, o *outbox, j job, run *drainRun) (*child, error)
}

// newContenders returns what the command line asks for. A program that is not
// there is an error: a table without its floor says nothing.
func (b *bench) newContenders() ([]contender, error) {
	var list []contender
	for _, name := range b.opt.contenders {
		switch name {
		case "pg_recvlogical":
			bin, err := findRecvlogical(b.opt.recv)
			if err != nil {
				return nil, err
			}
			list = append(list, contender{name: name, drain: drainRecvlogical(bin)})
		case "bareloop":
			list = append(list, contender{name: name, drain: drainBareLoop})
		case "walrelay":
			list = append(list, contender{name: name, produces: true, drain: drainWalrelay})
		}
	}
	for _, x := range b.opt.extra {
		list = append(list, contender{name: x.name, produces: true, drain: drainExtra(x)})
	}
	return list, nil
}

func findRecvlogical(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	if path, err := exec.LookPath("pg_recvlogical"); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_recvlogical") // the pattern is well formed
	if len(found) == 0 {
		return "", fmt.Errorf("pg_recvlogical, the floor of the drains, is not here: install PostgreSQL's client programs, " +
			"give --pg-recvlogical FILE, or leave it out with --contenders bareloop,walrelay")
	}
	newest := func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }
	return slices.MaxFunc(found, newest), nil
}

// drainRecvlogical lets pg_recvlogical write to /dev/null until the end LSN. It
// ends by itself and cannot be asked for its first or last row, so its time is
// its whole life.
func drainRecvlogical(bin string) func(context.Context, *bench, *outbox, job, *drainRun) (*child, error) {
	return func(ctx context.Context, b *bench, o *outbox, j job, run *drainRun) (*child, error) {
		dsn, password, err := splitPassword(j.url)
		if err != nil {
			return nil, err
		}
		argv := []string{
			bin, "-d", dsn, "--slot", j.slot, "--start", "--no-loop", "--file", "/dev/null", "--endpos", j.end.String(),
			"-o", "proto_version=1", "-o", "publication_names=" + publication,
		}
		c, err := startChild(ctx, b.dir, run.Contender, argv, []string{"PGPASSWORD=" + password}, nil)
		if err != nil {
			return nil, err
		}
		if err := c.wait(drainLimit); err != nil {
			return nil, err
		}
		run.Wall = c.ended.Sub(c.start)
		_, err = o.awaitConfirmed(ctx, j.slot, j.end)
		return c, err
	}
}

// splitPassword takes the password out of a URL: arguments are public.
func splitPassword(raw string) (string, string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", "", fmt.Errorf("--postgres: not a URL")
	}
	password, ok := u.User.Password()
	if ok {
		u.User = url.User(u.User.Username())
	}
	return u.String(), password, nil
}

// drainBareLoop runs this binary as the bare read loop.
func drainBareLoop(ctx context.Context, b *bench, _ *outbox, j job, run *drainRun) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argv := []string{
		self, "bareloop", "--slot", j.slot, "--publication", publication,
		"--end", j.end.String(), "--want", fmt.Sprint(j.want),
	}
	var out strings.Builder
	c, err := startChild(ctx, b.dir, run.Contender, argv, []string{urlVariable + "=" + j.url}, &out)
	if err != nil {
		return nil, err
	}
	if err := c.wait(drainLimit); err != nil {
		return nil, err
	}
	var r loopResult
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		return nil, fmt.Errorf("read what bareloop printed: %w", err)
	}
	if r.Rows != j.want {
		return nil, fmt.Errorf("bareloop read %d rows of %d", r.Rows, j.want)
	}
	run.Wall = time.Unix(0, r.LastFrameNS).Sub(c.start)
	run.ToFirst = ptr(time.Unix(0, r.FirstRowNS).Sub(c.start))
	return c, nil
}

// drainWalrelay runs walrelay until the topic holds the backlog and the slot is
// confirmed to its end, then stops it as an operator would.
func drainWalrelay(ctx context.Context, b *bench, o *outbox, j job, run *drainRun) (*child, error) {
	r, err := b.startRelay(ctx, j)
	if err != nil {
		return nil, err
	}
	defer r.kill()
	if err := awaitMetrics(ctx, r.metrics, r.running); err != nil {
		return nil, err
	}
	before, err := metric(ctx, r.metrics, mallocs)
	if err != nil {
		return nil, err
	}
	if err := drainIntoTopic(ctx, b, o, j, r.child, run); err != nil {
		return nil, err
	}
	// The scrapes allocate too: the difference of two in a row is one's share.
	after, err := metric(ctx, r.metrics, mallocs)
	if err != nil {
		return nil, err
	}
	again, err := metric(ctx, r.metrics, mallocs)
	if err != nil {
		return nil, err
	}
	run.Allocs = ptr(max(0, after-before-(again-after)) / float64(j.want))
	return r.child, r.stop()
}

// drainIntoTopic waits for the records and for the confirmation.
func drainIntoTopic(ctx context.Context, b *bench, o *outbox, j job, c *child, run *drainRun) error {
	a, err := b.kafka.awaitRecords(ctx, j.topic, j.want, drainLimit, c.running)
	if err != nil {
		return err
	}
	run.Wall = a.last.Sub(c.start)
	run.ToFirst = ptr(a.first.Sub(c.start))
	if _, err := o.awaitConfirmed(ctx, j.slot, j.end); err != nil {
		return err
	}
	run.ConfirmLag = ptr(time.Since(a.last))
	return nil
}

// drainExtra runs a command of the user's in a shell until the topic holds the
// backlog. It finds what to do in BENCH_* variables.
func drainExtra(x extra) func(context.Context, *bench, *outbox, job, *drainRun) (*child, error) {
	return func(ctx context.Context, b *bench, o *outbox, j job, run *drainRun) (*child, error) {
		env := []string{
			urlVariable + "=" + j.url, "BENCH_SLOT=" + j.slot, "BENCH_PUBLICATION=" + publication,
			"BENCH_KAFKA=" + b.kafka.addr, "BENCH_TOPIC=" + j.topic, "BENCH_EVENTS=" + fmt.Sprint(j.want),
		}
		c, err := startChild(ctx, b.dir, slotName(x.name), []string{"/bin/sh", "-c", "exec " + x.command}, env, nil)
		if err != nil {
			return nil, err
		}
		defer c.kill()
		if err := drainIntoTopic(ctx, b, o, j, c, run); err != nil {
			return nil, err
		}
		return c, c.stop()
	}
}

// slotName makes a name fit for a slot: lower-case letters, digits, underscores.
func slotName(name string) string {
	return strings.Map(func(r rune) rune {
		if (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}
