package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo terminal of a size: what a program has, and what its
// user sees.
func openTerminal(t *testing.T, width, height uint16) (program, user *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = user.Close() })
	fd := int(user.Fd())
	unlocked := 0
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), unix.TIOCSPTLCK, uintptr(unsafe.Pointer(&unlocked))); errno != 0 {
		t.Fatal(errno)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	resize(t, user, width, height)
	return program, user
}

func resize(t *testing.T, user *os.File, width, height uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(user.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: height}); err != nil {
		t.Fatal(err)
	}
}

// TestStatus_terminal: on a terminal --watch draws in place, within its size, and
// an interrupt gives the terminal back.
func TestStatus_terminal(t *testing.T) {
	quietDir(t)
	program, user := openTerminal(t, 60, 12)
	server := fakeRelay(t, "", map[string]string{"/status": streamingStatus})
	var seen watched
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child, err := os.StartProcess(self, []string{self, "status", "--watch", "--url", server.URL}, &os.ProcAttr{
		Dir: t.TempDir(), Env: []string{"WALRELAY_TEST_PROCESS=walrelay", "TERM=xterm"}, Files: []*os.File{program, program, program},
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the terminal
		buffer := make([]byte, 64<<10)
		for {
			n, err := user.Read(buffer)
			if err != nil {
				return
			}
			_, _ = seen.Write(buffer[:n])
		}
	}()
	wait(t, "second picture", seen.until("leaves"+home), &seen)
	resize(t, user, 100, 40)
	wait(t, "bigger picture", seen.until("outbox.event.customer"), &seen)
	left := seen.until(leaveScreen)
	if err := child.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	state, err := child.Wait()
	if err != nil || state.ExitCode() != 0 {
		t.Fatalf("%v, %v", state, err)
	}
	wait(t, "goodbye", left, &seen)
	text := seen.String()
	if !strings.HasPrefix(text, enterScreen+home) || !strings.HasSuffix(text, leaveScreen) || strings.Count(text, enterScreen) != 1 {
		t.Errorf("%q", text)
	}
	first := strings.Split(text, home)[1]
	lines := strings.Split(first, eraseLine+"\r\n") // the terminal makes \r\n of \n
	if len(lines) != 12 {
		t.Errorf("%d lines on a terminal of 12:\n%s", len(lines), first)
	}
	for _, line := range lines {
		if strings.Contains(line, eraseBelow) {
			_, line, _ = strings.Cut(line, eraseBelow)
		}
		if visible(line) > 60 {
			t.Errorf("wider than the terminal: %q", line)
		}
	}
	if !strings.Contains(first, green) {
		t.Errorf("no colours on a terminal: %q", first)
	}
}
