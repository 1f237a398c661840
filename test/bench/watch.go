package main

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// watch follows the CPU time of the two servers while a contender runs.
type watch struct {
	conn      *pgx.Conn
	slot      string
	brokerPID int
	brokerCPU time.Duration // at the start
	busy      time.Duration // of the whole machine, at the start
	cancel    context.CancelFunc
	done      sync.WaitGroup

	senders map[int]time.Duration // walsender pid → CPU; written by follow, read after done
}

// serverCPU is what the servers and everybody else used during a run; a server
// that does not run on this machine has none.
type serverCPU struct {
	walsender, broker *time.Duration
	machine           time.Duration // all processes together
}

// newWatch starts to watch the walsender of slot over a connection of its own.
func newWatch(ctx context.Context, url, slot string, brokerPID int) (*watch, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	w := &watch{conn: conn, slot: slot, brokerPID: brokerPID, busy: machineBusy(), senders: map[int]time.Duration{}}
	w.brokerCPU, _ = processCPU(brokerPID) // no such process: left out in stop
	ctx, w.cancel = context.WithCancel(ctx)
	w.done.Go(func() { w.follow(ctx) })
	return w, nil
}

// follow reads the CPU time of the slot's walsender 20 times a second. A
// walsender is a process of its own, so its counters start at zero; the last
// reading misses at most 50 ms.
func (w *watch) follow(ctx context.Context) {
	const every, askEvery = 50 * time.Millisecond, 10 // asks for the pid every askEvery readings
	for i, pid := 0, 0; ; i++ {
		cpu, ok := processCPU(pid)
		if ok && pid != 0 {
			w.senders[pid] = cpu
		}
		if !ok || pid == 0 || i%askEvery == 0 {
			pid = w.senderPID(ctx)
		}
		if pause(ctx, every) != nil {
			return
		}
	}
}

// senderPID returns the walsender of the slot, 0 when there is none or it runs
// on another machine.
func (w *watch) senderPID(ctx context.Context) int {
	var pid int
	err := w.conn.QueryRow(ctx, "SELECT coalesce(active_pid, 0) FROM pg_replication_slots WHERE slot_name = $1", w.slot).Scan(&pid)
	if err != nil || processName(pid) != "postgres" {
		return 0
	}
	return pid
}

// stop ends the watch and returns what was used since its start. It may be
// called twice.
func (w *watch) stop(ctx context.Context) serverCPU {
	w.cancel()
	w.done.Wait()
	used := serverCPU{machine: machineBusy() - w.busy}
	if cpu, ok := processCPU(w.brokerPID); ok && w.brokerPID != 0 {
		cpu -= w.brokerCPU
		used.broker = &cpu
	}
	if len(w.senders) > 0 {
		var all time.Duration
		for _, cpu := range w.senders {
			all += cpu
		}
		used.walsender = &all
	}
	w.conn.Close(context.WithoutCancel(ctx))
	return used
}
