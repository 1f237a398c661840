package harness

import (
	"bytes"
	"io"
	"net"
	"testing"
)

func TestProxy_Corrupt(t *testing.T) {
	t.Parallel()
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	p := NewProxy(t, target.Addr().String())
	p.Corrupt(ToServer, 1000)
	sent := make([]byte, 1_000_000)
	through := func() (differ int) {
		t.Helper()
		client, err := net.Dial("tcp", p.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		go client.Write(sent)
		server, err := target.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(server, got); err != nil {
			t.Fatal(err)
		}
		go server.Write(got)
		back := make([]byte, len(sent))
		if _, err := io.ReadFull(client, back); err != nil || !bytes.Equal(got, back) {
			t.Errorf("the way back is not whole: %v", err)
		}
		for i := range got {
			if got[i] != sent[i] {
				differ++
			}
		}
		return differ
	}
	if differ := through(); differ < 500 || differ > 2000 || differ != p.Damaged() {
		t.Errorf("%d bytes of a million differ with one in 1000 to change, and %d are said", differ, p.Damaged())
	}
	p.Heal()
	if differ := through(); differ != 0 {
		t.Errorf("%d bytes differ after Heal", differ)
	}
}
