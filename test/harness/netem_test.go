package harness

import (
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// What runs inside reaches this machine through a network that loses packets, and
// all arrives: TCP sends again.
func TestNetwork(t *testing.T) {
	t.Parallel()
	n := NewNetwork(t)
	server, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const size = 20 << 20
	go http.Serve(server, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.Copy(w, strings.NewReader(strings.Repeat("x", size)))
	}))
	t.Cleanup(func() { server.Close() })
	address := server.Addr().String()
	curl, err := exec.LookPath("curl")
	if err != nil {
		toolMissing(t, "curl", err)
	}
	program := n.Program(t, curl)
	if out, err := exec.CommandContext(t.Context(), program, "-sS", "http://"+address).CombinedOutput(); err == nil {
		t.Errorf("this machine is reachable from inside without a proxy: %d bytes", len(out))
	}
	n.Into(t, address)
	n.Lose(t, 0.05)
	out, err := exec.CommandContext(t.Context(), program, "-sS", "http://"+address).Output()
	if err != nil || len(out) != size {
		t.Errorf("%d bytes of %d arrived: %v", len(out), size, err)
	}
	if n.Lost(t) == 0 {
		t.Error("no packet was lost")
	}
	n.Lose(t, 0)
}
