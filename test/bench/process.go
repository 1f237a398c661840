package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// child is a process under measurement.
type child struct {
	name    string
	start   time.Time // just before fork
	cmd     *exec.Cmd
	logFile string
	done    chan struct{} // closed when the process is gone
	err     error         // why it ended; set before done closes
	ended   time.Time     // when it ended; set before done closes
	peakRSS atomic.Int64  // bytes, the last VmHWM seen; written by the sampler
}

// rssEvery is how often VmHWM is read. It is a high-water mark, so only what a
// process adds in its last moments can be missed.
const rssEvery = 50 * time.Millisecond

// startChild starts argv with env added to a cleaned environment. Its standard
// error, and its standard output when out is nil, go to a file in dir.
//
// Peak RSS is read from VmHWM. ru_maxrss would be wrong: a child of fork and
// exec starts with its parent's peak, and this parent is larger than walrelay.
func startChild(ctx context.Context, dir, name string, argv, env []string, out *strings.Builder) (*child, error) {
	log, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d.log", name, time.Now().UnixNano())))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c := &child{name: name, logFile: log.Name(), done: make(chan struct{})}
	c.cmd = exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.cmd.Env = append(cleanEnv(), env...)
	c.cmd.Stderr = log
	c.cmd.Stdout = log
	if out != nil {
		c.cmd.Stdout = out
	}
	c.start = time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		c.err = c.cmd.Wait()
		c.ended = time.Now()
		close(c.done)
	}()
	go c.sampleRSS()
	return c, nil
}

// cleanEnv is our environment without what would configure a contender behind
// our back.
func cleanEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "WALRELAY_") && !strings.HasPrefix(v, "PG") {
			env = append(env, v)
		}
	}
	return env
}

func (c *child) sampleRSS() {
	t := time.NewTicker(rssEvery)
	defer t.Stop()
	for {
		c.readRSS()
		select {
		case <-c.done:
			return
		case <-t.C:
		}
	}
}

func (c *child) readRSS() {
	if v := vmHWM(c.cmd.Process.Pid); v > 0 {
		c.peakRSS.Store(v)
	}
}

// running returns nil while the process runs, else why it does not.
func (c *child) running() error {
	select {
	case <-c.done:
		return fmt.Errorf("%s ended too early: %w", c.name, c.failure())
	default:
		return nil
	}
}

// failure is the error of an ended process with the last lines it wrote.
func (c *child) failure() error {
	err := c.err
	if err == nil {
		err = errors.New("exit status 0")
	}
	text, _ := os.ReadFile(c.logFile) // a log that cannot be read adds nothing
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("%w\n\t%s", err, strings.Join(lines[max(0, len(lines)-5):], "\n\t"))
}

// wait waits for a process that ends by itself.
func (c *child) wait(limit time.Duration) error {
	select {
	case <-c.done:
	case <-time.After(limit):
		c.kill()
		return fmt.Errorf("%s is not done after %s", c.name, limit)
	}
	if c.err != nil {
		return fmt.Errorf("%s: %w", c.name, c.failure())
	}
	return nil
}

// stop asks the process to end, as an operator would. Not ending on SIGTERM
// within ten seconds, or ending badly, is an error.
func (c *child) stop() error {
	if err := c.running(); err != nil {
		return err
	}
	c.readRSS()
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // a process that is gone shows below
	select {
	case <-c.done:
	case <-time.After(10 * time.Second):
		c.kill()
		return fmt.Errorf("%s did not stop within 10s of SIGTERM", c.name)
	}
	var exit *exec.ExitError
	if errors.As(c.err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		return nil // a program without a handler for SIGTERM
	}
	if c.err != nil {
		return fmt.Errorf("stop %s: %w", c.name, c.failure())
	}
	return nil
}

// kill ends the process at once. It is a no-op for one that has ended.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // already gone is what we want
	<-c.done
}

// cpu returns user and system time of the ended process and the children it
// waited for, from rusage.
func (c *child) cpu() time.Duration {
	return c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
}
