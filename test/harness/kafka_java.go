package harness

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/walrelay/walrelay/demo/watchdog"
)

// oldestJava is what Kafka 4 brokers run on.
const oldestJava = 17

const javaStopTimeout = 30 * time.Second

// java is a runtime on this machine.
type java struct {
	path    string
	major   int
	version string // as printed, for names of files
}

// findJava looks at JAVA_HOME, PATH and where Linux distributions install.
func findJava(ctx context.Context) (java, error) {
	candidates := []string{filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java")}
	if path, err := exec.LookPath("java"); err == nil {
		candidates = append(candidates, path)
	}
	installed, _ := filepath.Glob("/usr/lib/jvm/*/bin/java") // the pattern is well formed
	candidates = append(candidates, installed...)
	found := errors.New("no Java found")
	for _, path := range candidates {
		ask, cancel := context.WithTimeout(ctx, 10*time.Second)
		out, err := exec.CommandContext(ask, path, "-version").CombinedOutput()
		cancel()
		if err != nil {
			continue
		}
		version, major := javaVersion(string(out))
		if major >= oldestJava {
			return java{path: path, major: major, version: version}, nil
		}
		found = fmt.Errorf("%s is Java %s: Kafka needs %d", path, version, oldestJava)
	}
	return java{}, fmt.Errorf("%w: install a Java runtime %d or newer", found, oldestJava)
}

// javaVersion reads `openjdk version "17.0.15" 2025-04-15`; 1 is Java 8 and
// older, 0 is no version.
func javaVersion(output string) (version string, major int) {
	_, rest, _ := strings.Cut(output, `"`)
	version, _, _ = strings.Cut(rest, `"`)
	end := strings.IndexFunc(version+".", func(r rune) bool { return r < '0' || r > '9' })
	major, _ = strconv.Atoi(version[:end]) // no digits: 0
	return version, major
}

// javaNode is a broker of the fetched jars.
type javaNode struct {
	command []string
	dir     string // server.properties, data, server.log
	mounted bool   // data is a file system of its own
	dog     *watchdog.Watchdog

	mu      sync.Mutex
	process *exec.Cmd
	ended   chan struct{}
}

func newJavaNode(ctx context.Context, p *brokerPlan, runtime java) (*javaNode, error) {
	jars, err := fetchKafka(ctx, runtime)
	if err != nil {
		return nil, err
	}
	n := &javaNode{}
	if n.dir, err = os.MkdirTemp("", "walrelay-kafka-"); err != nil {
		return nil, err
	}
	if err = n.format(p); err == nil {
		n.dog, err = watchdog.Start("KILL", n.dir)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(n.dir))
	}
	n.command = jars.command(n.dir, p.java...)
	return n, nil
}

// format writes what `kafka-storage format` would, without starting a Java
// for it: the two ids may be any, but for zeros.
func (n *javaNode) format(p *brokerPlan) error {
	data := n.data()
	if err := os.Mkdir(data, 0o755); err != nil {
		return err
	}
	if p.disk > 0 {
		if err := mountDisk(data, p.disk); err != nil {
			return err
		}
		n.mounted = true
	}
	id := p.properties["node.id"]
	meta := fmt.Sprintf("version=1\ncluster.id=walrelayTestCluster000\nnode.id=%s\ndirectory.id=walrelayTestFolder%s000\n", id, id)
	return errors.Join(
		os.WriteFile(filepath.Join(data, "meta.properties"), []byte(meta), 0o644),
		os.WriteFile(filepath.Join(n.dir, "server.properties"), []byte(p.file(data)), 0o644))
}

func (n *javaNode) start(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process != nil {
		return errors.New("it runs already")
	}
	log, err := os.OpenFile(n.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	process := exec.Command(n.command[0], n.command[1:]...)
	process.Dir, process.Stdout, process.Stderr = n.dir, log, log
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the tests
	if err := process.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		process.Wait() // how it ended is in its log
		close(ended)
	}()
	n.process, n.ended = process, ended
	return n.dog.Watch(process.Process)
}

func (n *javaNode) data() string { return filepath.Join(n.dir, "data") }

func (n *javaNode) log() string { return filepath.Join(n.dir, "server.log") }

func (n *javaNode) exited() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ended
}

func (n *javaNode) stop(kill bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return nil
	}
	defer func() { n.process = nil }()
	signal := syscall.SIGTERM
	if kill {
		signal = syscall.SIGKILL
	}
	n.process.Process.Signal(signal) // it may have ended by itself
	n.process.Process.Signal(syscall.SIGCONT)
	select {
	case <-n.ended:
		return n.dog.Watch(nil)
	case <-time.After(javaStopTimeout):
	}
	n.process.Process.Kill()
	<-n.ended
	return errors.Join(fmt.Errorf("it ran on for %s and was killed", javaStopTimeout), n.dog.Watch(nil))
}

func (n *javaNode) freeze(frozen bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return errors.New("it does not run")
	}
	if !frozen {
		return n.process.Process.Signal(syscall.SIGCONT)
	}
	if err := n.process.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	// On a busy machine a thread may answer once more before the signal gets to it.
	for until := time.Now().Add(10 * time.Second); !halted(n.process.Process.Pid); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			return errors.New("it does not halt")
		}
	}
	return nil
}

// halted says whether no thread of a process runs any more; true where /proc does not
// tell.
func halted(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // the pattern is good
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state …, and a name may hold anything.
		rest := text[bytes.LastIndexByte(text, ')')+1:]
		if fields := bytes.Fields(rest); len(fields) > 0 && fields[0][0] != 'T' && fields[0][0] != 'Z' {
			return false
		}
	}
	return true
}

func (n *javaNode) remove() error {
	err := n.stop(true)
	if n.mounted {
		err = errors.Join(err, unmountDisk(n.data()))
	}
	return errors.Join(err, os.RemoveAll(n.dir), n.dog.Close())
}

// report is the last of the log, without reading a long one whole.
func (n *javaNode) report() string {
	file, err := os.Open(n.log())
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > 1<<16 {
		file.Seek(-1<<16, io.SeekEnd)
	}
	var lines []string
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
