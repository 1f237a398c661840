package harness

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// mountDisk mounts a file system of its own, in memory.
func mountDisk(dir string, size int64) error {
	if err := syscall.Mount("walrelay-test", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		return fmt.Errorf("mount a small disk: %w: it takes root, or CAP_SYS_ADMIN", err)
	}
	return nil
}

// unmountDisk is not kept from it by a process that is just ending.
func unmountDisk(dir string) error {
	const detach = 2 // MNT_DETACH
	if err := syscall.Unmount(dir, detach); err != nil {
		return fmt.Errorf("unmount a broker's disk: %w", err)
	}
	return nil
}

// Network is a network namespace: a loopback of its own, on which packets get
// lost, and nothing else. What is of this machine can be reached only through
// proxies whose ends lie on both sides:
//
//	relay ─▶ Proxy ═ packets of the namespace's loopback │ the machine's ═▶ PostgreSQL, Kafka
//
// The namespace has no name and ends with its last process and socket.
type Network struct {
	path string // under /proc, for nsenter
	jobs chan func()
}

// NoNetwork says why NewNetwork can't make one that loses packets here, nil when it
// can.
func NoNetwork() error {
	n, err := startNetwork()
	if err != nil {
		return err
	}
	defer close(n.jobs)
	return n.lose(0.5)
}

// NewNetwork makes one. Where NoNetwork, the test is skipped, or failed with
// WALRELAY_TEST_REQUIRE.
func NewNetwork(t testing.TB) *Network {
	t.Helper()
	if err := NoNetwork(); err != nil {
		toolMissing(t, "network that loses packets", err)
	}
	n, err := startNetwork()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(n.jobs) })
	return n
}

// startNetwork keeps a thread in the namespace: what that opens is inside.
func startNetwork() (*Network, error) {
	n := &Network{jobs: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		n.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), syscall.Gettid())
		made <- err
		if err != nil {
			return
		}
		for job := range n.jobs {
			job()
		}
	}()
	err := <-made
	if err != nil {
		return nil, fmt.Errorf("make a network namespace: %w: it takes root on Linux", err)
	}
	if _, err = exec.LookPath("nsenter"); err == nil {
		err = n.run("ip", "link", "set", "lo", "up")
	}
	if err != nil {
		close(n.jobs)
		return nil, fmt.Errorf("%w: it takes ip, iptables and nsenter", err)
	}
	return n, nil
}

// inside runs something on the namespace's thread.
func (n *Network) inside(do func()) {
	done := make(chan struct{})
	n.jobs <- func() { defer close(done); do() }
	<-done
}

// run runs a program inside: a child is where its parent's thread is.
func (n *Network) run(name string, args ...string) (err error) {
	n.inside(func() {
		var out []byte
		if out, err = exec.Command(name, args...).CombinedOutput(); err != nil {
			err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
		}
	})
	return err
}

// Lose loses a share of all packets from now on, in both directions, before TCP
// sees them: 0.01 is 1 %. 0 ends it. The kernel's netem would do the same, but
// many kernels do not have it; netfilter's statistic is nearly everywhere.
func (n *Network) Lose(t testing.TB, share float64) {
	t.Helper()
	if err := n.lose(share); err != nil {
		t.Fatalf("lose packets: %v", err)
	}
}

func (n *Network) lose(share float64) error {
	err := n.run("iptables", "-w", "-F", "INPUT")
	if err == nil && share > 0 {
		err = n.run("iptables", "-w", "-A", "INPUT", "-i", "lo", "-p", "tcp", "-m", "statistic",
			"--mode", "random", "--probability", fmt.Sprint(share), "-j", "DROP")
	}
	return err
}

// Lost is how many packets have been lost since Lose.
func (n *Network) Lost(t testing.TB) (packets int) {
	t.Helper()
	var out []byte
	var err error
	n.inside(func() { out, err = exec.Command("iptables", "-w", "-nvxL", "INPUT").CombinedOutput() })
	if err != nil {
		t.Fatalf("count lost packets: %v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "DROP") {
			fmt.Sscan(line, &packets)
		}
	}
	return packets
}

// Into lets the inside reach an address of this machine, under the same address:
// so what Kafka advertises holds there, too. Its packets get lost.
func (n *Network) Into(t testing.TB, address string) *Proxy {
	t.Helper()
	var listener net.Listener
	var err error
	n.inside(func() { listener, err = net.Listen("tcp4", address) })
	if err != nil {
		return n.keep(t, nil, err)
	}
	p := newProxy(listener, address)
	p.running.Go(p.accept)
	return n.keep(t, p, nil)
}

// OutOf lets this machine reach an address inside under the same address: the port
// that a program there serves.
func (n *Network) OutOf(t testing.TB, address string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		return n.keep(t, nil, err)
	}
	p := newProxy(listener, address)
	p.dial = func() (conn net.Conn, err error) {
		n.inside(func() { conn, err = net.DialTimeout("tcp", address, dialTimeout) })
		return conn, err
	}
	p.running.Go(p.accept)
	return n.keep(t, p, nil)
}

func (n *Network) keep(t testing.TB, p *Proxy, err error) *Proxy {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Program is an executable that runs a program inside, with the same process id.
func (n *Network) Program(t testing.TB, program string) string {
	t.Helper()
	script := fmt.Sprintf("#!/bin/sh\nexec nsenter --net='%s' '%s' \"$@\"\n", n.path, program)
	path := File(t, "inside", []byte(script))
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
