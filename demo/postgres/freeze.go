package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Pause freezes (SIGSTOP) the backends with these process ids, or the whole
// server when none is named: connections stay open and nothing answers.
func (s *Server) Pause(backends ...int) error { return s.signal(syscall.SIGSTOP, backends) }

// Resume lets run on (SIGCONT) what Pause froze.
func (s *Server) Resume(backends ...int) error { return s.signal(syscall.SIGCONT, backends) }

// Kill ends a backend with SIGKILL. PostgreSQL then ends all the others and
// recovers, as after a crash, while the postmaster lives on.
func (s *Server) Kill(backend int) error { return s.signal(syscall.SIGKILL, []int{backend}) }

func (s *Server) signal(signal syscall.Signal, backends []int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil || !s.process.alive() {
		return fmt.Errorf("send %s to PostgreSQL: it does not run", signal)
	}
	pid := s.process.command.Process.Pid
	if len(backends) == 0 {
		// The postmaster first: then it starts no more children.
		if err := syscall.Kill(pid, signal); err != nil {
			return fmt.Errorf("send %s to PostgreSQL: %w", signal, err)
		}
		killAll(descendants(pid), signal)
		return nil
	}
	children := descendants(pid)
	var errs []error
	for _, backend := range backends {
		if !slices.Contains(children, backend) {
			errs = append(errs, fmt.Errorf("send %s to process %d: it is no backend of this server", signal, backend))
			continue
		}
		if err := syscall.Kill(backend, signal); err != nil {
			errs = append(errs, fmt.Errorf("send %s to backend %d: %w", signal, backend, err))
		}
	}
	return errors.Join(errs...)
}

// killAll signals processes that may end meanwhile.
func killAll(pids []int, signal syscall.Signal) {
	for _, pid := range pids {
		syscall.Kill(pid, signal)
	}
}

// awaitDeath waits a moment for orphans of a killed postmaster: while one holds
// the shared memory, the next start is refused.
func awaitDeath(pids []int) {
	for range 200 {
		if !slices.ContainsFunc(pids, running) {
			return
		}
		time.Sleep(tick)
	}
}

// running is false for a zombie too: it holds nothing any more.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return runtime.GOOS != "linux"
	}
	_, state, _ := bytes.Cut(content, []byte(") "))
	return !bytes.HasPrefix(state, []byte("Z"))
}

// descendants lists the living processes below a process.
func descendants(root int) []int {
	children := childrenOf()
	var found []int
	for next := []int{root}; len(next) > 0; next = next[1:] {
		found = append(found, children[next[0]]...)
		next = append(next, children[next[0]]...)
	}
	return found
}

// childrenOf maps every process to its children.
func childrenOf() map[int][]int {
	if runtime.GOOS == "linux" { // containers often lack ps
		return childrenOfProc()
	}
	children := make(map[int][]int)
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return children
	}
	for line := range strings.Lines(string(out)) {
		var pid, parent int
		if _, err := fmt.Sscan(line, &pid, &parent); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	return children
}

func childrenOfProc() map[int][]int {
	children := make(map[int][]int)
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		// "1234 (postgres: x) S 1200 …": the name may hold anything, so look behind it.
		fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
		if len(fields) < 2 {
			continue
		}
		pid, err1 := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, err2 := strconv.Atoi(fields[1])
		if err1 == nil && err2 == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	return children
}
