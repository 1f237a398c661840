package test_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestDamagedCommit: a position of a commit that was changed on the way, in each of the
// places where the server says it. The relay ends and says why, the slot stays behind
// the transaction, and the next start sends what was missing.
func TestDamagedCommit(t *testing.T) {
	t.Parallel()
	// Offsets in the XLogData message. The byte that is changed is 16 MB of WAL.
	for name, at := range map[string]int64{"data start": 1 + 4, "server's end": 9 + 4, "end of the transaction": 25 + 10 + 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, "order")
			d := damageCommits(t, s.Target(t))
			address, err := url.Parse(s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			address.Host = d.listener.Addr().String()
			address.RawQuery = "sslmode=disable"
			s.Addr = address.String()
			p := s.ready(t)
			s.Insert(t, s.Table, "order", "1", "made", `{"seq": 1}`)
			s.verify(t)
			d.at.Store(at)
			s.Insert(t, s.Table, "order", "1", "made", `{"seq": 2}`)
			ended(t, p, 1)
			if output := p.Output(); !strings.Contains(output, "WR0403") ||
				!strings.Contains(output, "a byte was changed on the way") && !strings.Contains(output, "not after its beginning") { // a bit may go either way
				t.Errorf("it ended with: %s", output)
			}
			if d.at.Load() != 0 {
				t.Error("the test is wrong: no commit was damaged")
			}
			s.Insert(t, s.Table, "order", "1", "made", `{"seq": 3}`)
			p = s.ready(t)
			none(t, s.verify(t))
			if s.QueryInt(t, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn > pg_current_wal_lsn()", s.Slot) != 0 {
				t.Error("the slot is beyond the end of the WAL")
			}
			stop(t, p)
		})
	}
}

// commitDamage passes PostgreSQL's protocol on and changes one byte of one commit.
type commitDamage struct {
	listener net.Listener
	target   string
	at       atomic.Int64 // of the next commit's XLogData message; 0: none
}

func damageCommits(t *testing.T, target string) *commitDamage {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &commitDamage{listener: listener, target: target}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { d.serve(client) })
		}
	})
	// Registered before the relay is started, so called after it has ended.
	t.Cleanup(func() { _ = listener.Close(); running.Wait() })
	return d
}

func (d *commitDamage) serve(client net.Conn) {
	server, err := net.Dial("tcp4", d.target)
	if err != nil {
		_ = client.Close()
		return
	}
	var up sync.WaitGroup
	up.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
	_ = d.answers(client, server)
	_ = client.Close()
	_ = server.Close()
	up.Wait()
}

// answers passes the server's messages on, one by one: a kind, a length, a body.
func (d *commitDamage) answers(client io.Writer, server io.Reader) error {
	const header, xLogData = 5, 25
	for {
		message := make([]byte, header)
		if _, err := io.ReadFull(server, message); err != nil {
			return err
		}
		message = append(message, make([]byte, binary.BigEndian.Uint32(message[1:])-4)...)
		body := message[header:]
		if _, err := io.ReadFull(server, body); err != nil {
			return err
		}
		if message[0] == 'd' && len(body) > xLogData && body[0] == 'w' && body[xLogData] == 'C' {
			if at := d.at.Swap(0); at > 0 {
				body[at] ^= 1
			}
		}
		if _, err := client.Write(message); err != nil {
			return err
		}
	}
}
