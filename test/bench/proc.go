package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times under /proc: USER_HZ, 100 on every Linux.
const tick = 10 * time.Millisecond

// processCPU returns user and system time of a process and ok=false when it is
// not there (or there is no /proc).
func processCPU(pid int) (_ time.Duration, ok bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	// The command name may hold spaces and parentheses: count from its end.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	const utime, stime = 11, 12
	if len(fields) <= stime {
		return 0, false
	}
	u, errU := strconv.ParseInt(fields[utime], 10, 64)
	s, errS := strconv.ParseInt(fields[stime], 10, 64)
	return time.Duration(u+s) * tick, errU == nil && errS == nil
}

// processName returns the command name of a process, "" when it is not there.
func processName(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// vmHWM returns the peak resident set of a process in bytes, 0 when unknown.
func vmHWM(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(fields[0], 10, 64) // 0 is "unknown"
	return kib * 1024
}

// machineBusy returns the CPU time all processes of the machine have used, time
// stolen by other guests included; 0 when unknown.
func machineBusy() time.Duration {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	var sum int64
	for i, f := range strings.Fields(line) {
		const idle, iowait, guest = 4, 5, 9
		if i == 0 || i == idle || i == iowait || i >= guest {
			continue
		}
		n, _ := strconv.ParseInt(f, 10, 64) // a field that is no number counts nothing
		sum += n
	}
	return time.Duration(sum) * tick
}

// listenerPID returns the process on this machine that listens on a TCP port,
// 0 when there is none that we may see. A forwarder of a container engine is
// none: its CPU time is not the server's.
func listenerPID(port int) int {
	inodes := listenInodes(port)
	if len(inodes) == 0 {
		return 0
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is well formed
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !inodes[target] {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
		if name := processName(pid); name == "docker-proxy" || name == "rootlesskit" {
			return 0
		}
		return pid
	}
	return 0
}

// listenInodes returns the sockets listening on a port, as /proc/PID/fd names
// them.
func listenInodes(port int) map[string]bool {
	inodes := map[string]bool{}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		suffix := fmt.Sprintf(":%04X", port)
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			const local, state, inode, listen = 1, 3, 9, "0A"
			if len(f) > inode && f[state] == listen && strings.HasSuffix(f[local], suffix) {
				inodes["socket:["+f[inode]+"]"] = true
			}
		}
	}
	return inodes
}
