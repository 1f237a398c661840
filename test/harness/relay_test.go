package harness

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// programVariable makes the test binary play walrelay.
const programVariable = "HARNESS_TEST_PROGRAM"

func program(role string) {
	if role == "fails" {
		fmt.Println("not JSON")
		os.Exit(3)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	http.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	go http.ListenAndServe(os.Getenv("WALRELAY_HTTP_LISTEN"), nil)
	fmt.Printf(`{"level":"info","message":"started","args":%q,"pg":%q}`+"\n", fmt.Sprint(os.Args[1:]), os.Getenv("PGHOST"))
	<-stop
	fmt.Println(`{"level":"warn","message":"stopping"}`)
	os.Exit(0)
}

func TestRelayProcess(t *testing.T) {
	t.Setenv("PGHOST", "elsewhere")
	p := Relay(t, RelayOptions{Program: os.Args[0], Config: "kafka: {}", Env: []string{programVariable + "=runs"}})
	line := p.WaitLog(t, 20*time.Second, "started")
	if line.Level != "info" || line.Message != "started" || line.Fields["pg"] != "" {
		t.Errorf("the line is %+v", line)
	}
	p.WaitReady(t, 20*time.Second)
	p.Pause()
	Eventually(t, 20*time.Second, "the frozen program answers no more", func() bool {
		_, _, err := p.Get(t.Context(), "/readyz")
		return err != nil
	})
	p.Resume()
	p.WaitReady(t, 20*time.Second)
	p.Terminate()
	if code := p.Wait(t, 20*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if _, ok := p.Logged("stopping"); !ok {
		t.Errorf("the last words are lost: %s", p.Output())
	}
}

func TestRelayProcessDies(t *testing.T) {
	p := Relay(t, RelayOptions{Program: os.Args[0], Env: []string{programVariable + "=runs"}})
	p.WaitLog(t, 20*time.Second, "started")
	p.Kill()
	if code := p.Wait(t, time.Second); code != -1 {
		t.Errorf("exit code %d", code)
	}
	failing := Relay(t, RelayOptions{Program: os.Args[0], Args: []string{"check"}, Env: []string{programVariable + "=fails"}})
	if code := failing.Wait(t, 20*time.Second); code != 3 {
		t.Errorf("exit code %d", code)
	}
	if line := failing.WaitLog(t, time.Second, "not JSON"); line.Message != "" {
		t.Errorf("the line is %+v", line)
	}
}
