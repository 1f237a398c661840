package harness

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echo answers every connection with what it gets.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp4", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// say writes and returns what comes back within the time.
func say(conn net.Conn, text string, within time.Duration) (string, error) {
	if _, err := conn.Write([]byte(text)); err != nil {
		return "", err
	}
	return hear(conn, len(text), within)
}

func hear(conn net.Conn, n int, within time.Duration) (string, error) {
	conn.SetReadDeadline(time.Now().Add(within))
	answer := make([]byte, n)
	_, err := io.ReadFull(conn, answer)
	return string(answer), err
}

const soon, long = 100 * time.Millisecond, 10 * time.Second

func TestProxyForwards(t *testing.T) {
	p := NewProxy(t, echo(t))
	conn := dial(t, p)
	if got, err := say(conn, "hello", long); err != nil || got != "hello" {
		t.Fatalf("%q, %v", got, err)
	}
	if p.Accepted() != 1 || p.Open() != 1 {
		t.Errorf("accepted %d, open %d", p.Accepted(), p.Open())
	}
	conn.(*net.TCPConn).CloseWrite()
	if _, err := hear(conn, 1, long); !errors.Is(err, io.EOF) {
		t.Errorf("an end does not come through: %v", err)
	}
	Eventually(t, long, "the link is gone", func() bool { return p.Open() == 0 })
}

func TestProxyCut(t *testing.T) {
	p := NewProxy(t, echo(t))
	conn := dial(t, p)
	if _, err := say(conn, "x", long); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if _, err := hear(conn, 1, long); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("an open connection survives: %v", err)
	}
	if young, err := net.Dial("tcp4", p.Address()); err == nil {
		if _, err := say(young, "x", long); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a new connection survives: %v", err)
		}
		young.Close()
	}
	p.Heal()
	if _, err := say(dial(t, p), "x", long); err != nil {
		t.Errorf("after Heal: %v", err)
	}
}

func TestProxyReset(t *testing.T) {
	p := NewProxy(t, echo(t))
	conn := dial(t, p)
	if _, err := say(conn, "x", long); err != nil {
		t.Fatal(err)
	}
	p.Reset()
	if _, err := hear(conn, 1, long); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("an open connection survives: %v", err)
	}
	if _, err := say(dial(t, p), "x", long); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}

func TestProxyFreezeLosesNothing(t *testing.T) {
	for name, direction := range map[string]Direction{"requests": ToServer, "responses": ToClient, "both": Both} {
		t.Run(name, func(t *testing.T) {
			p := NewProxy(t, echo(t))
			old := dial(t, p)
			if _, err := say(old, "x", long); err != nil {
				t.Fatal(err)
			}
			p.Freeze(direction)
			young := dial(t, p)
			for _, conn := range []net.Conn{old, young} {
				if got, err := say(conn, "frozen", soon); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("%q, %v", got, err)
				}
			}
			p.Heal()
			for _, conn := range []net.Conn{old, young} {
				if got, err := hear(conn, 6, long); err != nil || got != "frozen" {
					t.Errorf("after Heal: %q, %v", got, err)
				}
			}
		})
	}
}

func TestProxyDropLosesAnswers(t *testing.T) {
	p := NewProxy(t, echo(t))
	conn := dial(t, p)
	p.Drop(ToClient)
	if got, err := say(conn, "lost", soon); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%q, %v", got, err)
	}
	p.Heal()
	if got, err := say(conn, "kept", long); err != nil || got != "kept" {
		t.Errorf("after Heal: %q, %v", got, err)
	}
}

func TestProxyDelay(t *testing.T) {
	p := NewProxy(t, echo(t))
	conn := dial(t, p)
	p.Delay(ToClient, 150*time.Millisecond)
	began := time.Now()
	if _, err := say(conn, "x", long); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Errorf("the answer came after %s", took)
	}
}

func TestProxyTargetGone(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	p := NewProxy(t, listener.Addr().String())
	conn, err := net.Dial("tcp4", p.Address())
	if err != nil {
		return // the reset was quicker
	}
	defer conn.Close()
	if _, err := say(conn, "x", long); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("no reset: %v", err)
	}
}
