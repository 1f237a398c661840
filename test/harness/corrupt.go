package harness

import "math/rand/v2"

// Corrupt changes one byte in about every so many of a direction, at random places
// and to random values, as a broken switch or memory does behind TCP's checksum.
// 0 ends it. A connection that has been damaged may go wrong later: Reset it after
// Heal.
func (p *Proxy) Corrupt(direction Direction, every int) {
	p.set(func(f *faults) {
		corrupt := map[Direction]int{ToServer: f.corrupt[ToServer], ToClient: f.corrupt[ToClient]}
		for one := range corrupt {
			if direction&one != 0 {
				corrupt[one] = every
			}
		}
		f.corrupt = corrupt
	})
}

// Damaged is how many bytes Corrupt has changed so far.
func (p *Proxy) Damaged() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.damaged
}

// damage is where the next wrong byte of one direction of a connection is.
type damage struct {
	every int // for which next was drawn
	next  int // bytes until then
}

// spoil changes bytes that are about to be sent on.
func (p *Proxy) spoil(at *damage, d Direction, data []byte) {
	current, _ := p.now()
	every := current.corrupt[d]
	if every <= 0 {
		at.every = 0
		return
	}
	if at.every != every {
		at.every, at.next = every, rand.IntN(2*every) // on average one in every
	}
	changed := 0
	for ; at.next < len(data); at.next += 1 + rand.IntN(2*every) {
		data[at.next] ^= byte(1 + rand.IntN(255))
		changed++
	}
	at.next -= len(data)
	if changed > 0 {
		p.mu.Lock()
		p.damaged += changed
		p.mu.Unlock()
	}
}
