package watchdog_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/walrelay/walrelay/demo/watchdog"
)

// ownerVariable makes the test binary play the program that dies: it starts a
// server (sleep) under a watchdog, prints the server's id and waits.
const ownerVariable = "WATCHDOG_TEST_OWNER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerVariable); dir != "" {
		owner(dir)
	}
	os.Exit(m.Run())
}

func owner(dir string) {
	dog, err := watchdog.Start("TERM", dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	server := exec.Command("sleep", "600")
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err = server.Start(); err == nil {
		err = dog.Watch(server.Process)
	}
	fmt.Println(server.Process.Pid, err)
	server.Wait()
}

func TestKilledOwnerLeavesNothing(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		t.Run(fmt.Sprintf("frozen=%t", frozen), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.MkdirAll(filepath.Join(dir, "base"), 0o755); err != nil {
				t.Fatal(err)
			}
			program := exec.Command(os.Args[0])
			program.Env = append(os.Environ(), ownerVariable+"="+dir)
			out, err := program.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			server, err := strconv.Atoi(strings.Fields(line)[0])
			if err != nil {
				t.Fatalf("the program says %q", line)
			}
			if frozen {
				syscall.Kill(server, syscall.SIGSTOP)
			}
			program.Process.Kill()
			program.Wait()
			waitGone(t, dir, server)
		})
	}
}

func waitGone(t *testing.T, dir string, server int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(dir)
		if os.IsNotExist(err) && !running(server) {
			return
		}
	}
	t.Fatalf("process %d or %s outlived its program", server, dir)
}

// running is false for a zombie too: who reaps orphans is the system's affair.
func running(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

func TestCloseLeavesEverything(t *testing.T) {
	dir := t.TempDir()
	dog, err := watchdog.Start("KILL", dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := dog.Watch(&os.Process{Pid: os.Getpid()}); err != nil {
		t.Fatal(err)
	}
	if err := dog.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
