package harness

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/walrelay/walrelay/demo/postgres"
)

// Direction is the way bytes take through a Proxy.
type Direction int

// ToServer are requests, ToClient are responses.
const (
	ToServer Direction = 1 << iota
	ToClient
	Both = ToServer | ToClient
)

// Proxy is a TCP proxy that breaks the network between two programs. Faults
// hold for open and for new connections until Heal. Its methods may be called
// from any goroutine.
type Proxy struct {
	listener net.Listener
	target   string
	dial     func() (net.Conn, error)
	running  sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change of the faults
	faults  faults
	links   map[*link]struct{}
	served  int
	damaged int
	closed  bool
}

// faults say what happens to bytes now.
type faults struct {
	cut     bool
	frozen  Direction
	dropped Direction
	delay   map[Direction]time.Duration
	corrupt map[Direction]int // one byte in so many; 0: none
}

// NewProxy puts a proxy before the target, "host:port", until the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p, err := StartProxy(target)
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

// StartProxy does the same for a caller that closes it.
func StartProxy(target string) (*Proxy, error) {
	var listener net.Listener
	for try := 0; ; try++ {
		port, err := postgres.FreePort()
		if err != nil {
			return nil, err
		}
		if listener, err = net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			break
		}
		if try == 10 { // others may take a port that was free a moment ago
			return nil, fmt.Errorf("start a proxy: %w", err)
		}
	}
	p := newProxy(listener, target)
	p.running.Go(p.accept)
	return p, nil
}

const dialTimeout = 5 * time.Second

// newProxy is one that does not accept yet.
func newProxy(listener net.Listener, target string) *Proxy {
	return &Proxy{
		listener: listener, target: target, changed: make(chan struct{}), links: make(map[*link]struct{}),
		dial: func() (net.Conn, error) { return net.DialTimeout("tcp", target, dialTimeout) },
	}
}

// Address is where clients connect, "127.0.0.1:port".
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Cut resets all connections and every new one.
func (p *Proxy) Cut() {
	p.set(func(f *faults) { f.cut = true })
	p.Reset()
}

// Reset resets the connections that are open now; new ones work.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

// Freeze stops forwarding in a direction. Connections stay open on both sides
// and new ones are taken: the half-open network of a lost route. Nothing is
// lost; Heal lets it flow again.
func (p *Proxy) Freeze(d Direction) { p.set(func(f *faults) { f.frozen |= d }) }

// Drop throws bytes of a direction away: the other side's answers never come.
// A connection that has lost bytes is of no use after Heal; Reset it.
func (p *Proxy) Drop(d Direction) { p.set(func(f *faults) { f.dropped |= d }) }

// Delay lets every byte of a direction arrive later by d.
func (p *Proxy) Delay(direction Direction, d time.Duration) {
	p.set(func(f *faults) {
		delay := make(map[Direction]time.Duration)
		for one, old := range f.delay {
			delay[one] = old
		}
		for _, one := range []Direction{ToServer, ToClient} {
			if direction&one != 0 {
				delay[one] = d
			}
		}
		f.delay = delay
	})
}

// Heal ends all faults.
func (p *Proxy) Heal() { p.set(func(f *faults) { *f = faults{} }) }

// Accepted is how many connections were taken so far.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.served
}

// Open is how many connections are open now.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// Close resets all connections and stops listening.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	err := p.listener.Close()
	p.Reset()
	p.running.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the proxy: %w", err)
	}
	return nil
}

func (p *Proxy) set(change func(*faults)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.faults)
	close(p.changed)
	p.changed = make(chan struct{})
}

// now returns the faults and a channel that closes when they change.
func (p *Proxy) now() (faults, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults, p.changed
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.running.Go(func() { p.serve(client.(*net.TCPConn)) })
	}
}

func (p *Proxy) serve(client *net.TCPConn) {
	l := &link{proxy: p, client: client, done: make(chan struct{})}
	if current, _ := p.now(); current.cut {
		l.reset()
		return
	}
	p.mu.Lock()
	dial := p.dial
	p.mu.Unlock()
	server, err := dial()
	if err != nil {
		l.reset()
		return
	}
	l.server = server.(*net.TCPConn)
	if !p.add(l) {
		l.reset()
		return
	}
	var pumps sync.WaitGroup
	pumps.Go(func() { l.pump(ToServer, l.client, l.server) })
	pumps.Go(func() { l.pump(ToClient, l.server, l.client) })
	pumps.Wait()
	l.reset()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.faults.cut {
		return false
	}
	p.served++
	p.links[l] = struct{}{}
	return true
}

// link is one proxied connection.
type link struct {
	proxy          *Proxy
	client, server *net.TCPConn
	once           sync.Once
	done           chan struct{} // closed by reset
}

// reset ends both sides with a TCP reset, as a lost host would.
func (l *link) reset() {
	l.once.Do(func() {
		close(l.done)
		for _, conn := range []*net.TCPConn{l.client, l.server} {
			if conn != nil {
				conn.SetLinger(0)
				conn.Close()
			}
		}
	})
}

// piece is what one read returned and when that was.
type piece struct {
	data []byte
	read time.Time
}

// pump carries one direction. Reading goes on while pieces wait for their
// delay, up to what a socket would buffer.
func (l *link) pump(d Direction, from, to *net.TCPConn) {
	pieces := make(chan piece, 32)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(pieces)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				select {
				case pieces <- piece{data[:n], time.Now()}:
				case <-l.done:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	defer reader.Wait()
	var damage damage
	for one := range pieces {
		forward, ok := l.hold(d, one.read)
		if !ok {
			return
		}
		l.proxy.spoil(&damage, d, one.data)
		if forward {
			if _, err := to.Write(one.data); err != nil {
				l.reset()
				return
			}
		}
	}
	to.CloseWrite() // the other direction may go on
}

// hold waits until a piece may go on; ok is false when the link is at its end.
func (l *link) hold(d Direction, read time.Time) (forward, ok bool) {
	for {
		current, changed := l.proxy.now()
		var due <-chan time.Time
		switch {
		case current.frozen&d != 0:
		case current.dropped&d != 0:
			return false, true
		default:
			wait := time.Until(read.Add(current.delay[d]))
			if wait <= 0 {
				return true, true
			}
			timer := time.NewTimer(wait)
			defer timer.Stop()
			due = timer.C
		}
		select {
		case <-changed:
		case <-due:
		case <-l.done:
			return false, false
		}
	}
}
