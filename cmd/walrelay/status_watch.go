package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/walrelay/walrelay/relay"
)

const (
	// lookEvery is how often --watch looks.
	lookEvery = time.Second
	// Over how many looks the rates are measured: events as they come, WAL over a
	// while because it comes in bursts.
	eventLooks = 5
	walLooks   = 60
)

// rates are what has changed since earlier looks, a second.
type rates struct {
	delivered     bool // events and bytes are known
	events, bytes float64
	known         bool // retained is known
	retained      float64
}

// history are the last looks, the newest last.
type history []*look

// add adds a look and gives the rates up to it.
func (h *history) add(l *look) rates {
	*h = append(*h, l)
	if len(*h) > walLooks {
		*h = (*h)[1:]
	}
	var r rates
	if s := l.status; s != nil {
		for _, earlier := range (*h)[max(0, len(*h)-1-eventLooks):] {
			span := l.at.Sub(earlier.at).Seconds()
			if e := earlier.status; e != nil && span > 0 && e.Started.Equal(s.Started) && e.Delivered <= s.Delivered && e.DeliveredBytes <= s.DeliveredBytes {
				r.delivered, r.events, r.bytes = true, float64(s.Delivered-e.Delivered)/span, float64(s.DeliveredBytes-e.DeliveredBytes)/span
				break
			}
		}
		return r // the relay measures the WAL itself
	}
	if now := l.slot.state; now != nil {
		for _, earlier := range *h {
			span := l.at.Sub(earlier.at).Seconds()
			if then := earlier.slot.state; then != nil && earlier.status == nil && span >= 2 {
				r.known, r.retained = true, float64(now.RetainedBytes-then.RetainedBytes)/span
				break
			}
		}
	}
	return r
}

// watchStatus looks again and again until ctx ends.
func (a *app) watchStatus(ctx context.Context, k *asker, asJSON bool) error {
	first, err := k.ask(ctx) // a configuration that is wrong is no matter for a picture
	if err != nil && ctx.Err() == nil {
		return err
	}
	screen := a.newScreen(asJSON)
	defer screen.leave()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var past history
	for l := first; ; {
		if ctx.Err() != nil {
			return nil
		}
		if err := screen.show(l, past.add(l)); err != nil {
			return nil // nobody is looking any more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		next, err := k.ask(ctx)
		if err != nil { // it was right before: a proxy whose relay restarts
			next = &look{at: time.Now(), base: l.base, away: err, slot: k.askSlot(ctx)}
		}
		l = next
	}
}

// screen is where --watch shows its looks: a terminal's alternate screen, or lines.
type screen struct {
	a        *app
	terminal bool
	json     bool
}

const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // the alternate screen, no cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	eraseLine   = "\x1b[K" // to its end
	eraseBelow  = "\x1b[J"
)

func (a *app) newScreen(asJSON bool) *screen {
	terminal, _ := a.terminal(a.stdout)
	s := &screen{a: a, terminal: terminal && !asJSON && a.getenv("TERM") != "dumb", json: asJSON}
	if s.terminal {
		_, _ = io.WriteString(a.stdout, enterScreen) // show tells when nobody is there
	}
	return s
}

// leave gives the terminal back as it was.
func (s *screen) leave() {
	if s.terminal {
		_, _ = io.WriteString(s.a.stdout, leaveScreen)
	}
}

// show shows a look, in one write so that nothing flickers.
func (s *screen) show(l *look, r rates) error {
	var text string
	switch {
	case s.json:
		text = fmt.Sprintf("{\"at\":%q,%s\n", l.at.UTC().Format(time.RFC3339Nano), l.json("")[1:])
	case s.terminal:
		text = s.a.picture(l, r)
	default:
		text = watchLine(l, r) + "\n"
	}
	_, err := io.WriteString(s.a.stdout, text)
	return err
}

// picture is a look that covers the terminal's present size.
func (a *app) picture(l *look, r rates) string {
	p := a.printer(l.at)
	if p.height > 0 {
		p.height-- // the last line is ours
	}
	p.look(l, r)
	if p.height > 0 && len(p.lines) > p.height {
		p.lines = append(p.lines[:p.height-1], "…")
	}
	var b strings.Builder
	b.WriteString(home)
	for _, line := range p.lines {
		b.WriteString(line + eraseLine + "\n")
	}
	fmt.Fprintf(&b, "%s%s  Ctrl-C leaves", eraseBelow, l.at.Format(time.TimeOnly))
	return b.String()
}

// watchLine is a look in one line, for logs and pipes.
func watchLine(l *look, r rates) string {
	var parts []string
	part := func(name, value string) { parts = append(parts, name+"="+strings.ReplaceAll(value, " ", "")) }
	state, reasons, slot := stateDown, []relay.Reason(nil), (*relay.SlotStatus)(nil)
	if s := l.status; s != nil {
		state, reasons, slot = s.State, s.Reasons, s.SlotState
		part("delivered", fmt.Sprint(s.Delivered))
		if r.delivered {
			part("rate", fmt.Sprintf("%.0f/s", r.events))
		}
		part("unsent", fmt.Sprint(s.UnsentEvents))
		part("oldest", durationText(seconds(s.OldestUnsentSecs)))
		part("lag", byteText(s.LagBytes))
	} else {
		down := l.down()
		state, reasons, slot = down.State, down.Reasons, down.SlotState
	}
	if slot != nil {
		held := byteText(slot.RetainedBytes)
		if slot.LimitBytes != nil {
			held += "/" + byteText(*slot.LimitBytes)
		}
		part("wal_status", slot.WALStatus)
		part("held_back", held)
	}
	line := join(" ", append([]string{l.at.UTC().Format(time.RFC3339), string(state)}, parts...)...)
	for _, reason := range reasons {
		line += "; " + oneLine(reasonText(reason))
	}
	return line
}

// terminalSize asks for width and height; 0 when nobody knows.
func terminalSize(w io.Writer) (width, height int) {
	file, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return 0, 0
	}
	width, height, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}
