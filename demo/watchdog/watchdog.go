// Package watchdog ends a server when the program that started it has died and
// could not do so itself (kill -9, a test's time limit, a closed terminal):
//
//	this program ──pipe──▶ /bin/sh, reading ──end of file──▶ kill the server, delete its directory
//
// The pipe's only writing end is in this program, so the kernel closes it
// however the program ends. Linux' parent death signal would not do: it follows
// the thread that started the server, and other systems have none.
package watchdog

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// A shell reads one word a line: the server's process id, 0 while it is
// stopped, or "done". A stopped (SIGSTOP) server gets SIGCONT, else it could
// not act on the first signal.
const script = `
trap '' HUP INT TERM QUIT
pid=0
while read -r word; do
	[ "$word" = done ] && exit 0
	pid=$word
done
if [ "$pid" != 0 ]; then
	kill -"$1" "$pid"; kill -CONT "$pid"
	n=0
	while [ $n -lt 100 ] && kill -0 "$pid"; do sleep 0.1; n=$((n + 1)); done
	kill -KILL "$pid"
fi 2>/dev/null
[ -z "$2" ] || rm -rf "$2"
`

// Watchdog guards one server at a time. Its methods may be called by one
// goroutine at a time.
type Watchdog struct {
	command *exec.Cmd
	pipe    io.WriteCloser
}

// Start begins to watch over this program. After its death the server gets the
// signal (by its name without SIG, "QUIT"), ten seconds later KILL, and dir is
// deleted with all in it; "" deletes nothing.
func Start(signal, dir string) (*Watchdog, error) {
	command := exec.Command("/bin/sh", "-c", script, "watchdog", signal, dir)
	command.Dir = "/"
	// A group of its own: Ctrl-C in a terminal goes to the whole group of the
	// program, which is to end the server in its own time.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w: a POSIX shell is needed as /bin/sh", err)
	}
	return &Watchdog{command: command, pipe: pipe}, nil
}

// Watch names the process to end; nil means that there is none now.
func (w *Watchdog) Watch(p *os.Process) error {
	pid := 0
	if p != nil {
		pid = p.Pid
	}
	if _, err := fmt.Fprintln(w.pipe, pid); err != nil {
		return fmt.Errorf("tell the watchdog about process %d: %w", pid, err)
	}
	return nil
}

// Close ends the watch and leaves everything as it is.
func (w *Watchdog) Close() error {
	fmt.Fprintln(w.pipe, "done")
	w.pipe.Close()
	if err := w.command.Wait(); err != nil {
		return fmt.Errorf("end the watchdog: %w", err)
	}
	return nil
}
