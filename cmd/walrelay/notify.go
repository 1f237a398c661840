package main

import (
	"context"
	"fmt"
	"os"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/relay"
)

const (
	// notifyEvery is how often the service manager is told what has changed.
	notifyEvery = time.Second / 2
	// startGrace is how long a start that waits, for PostgreSQL say, is not called
	// finished. Until then a wrong setting, a missing right or a gap end the process
	// and so fail `systemctl start` for everybody to see. After it waiting is the
	// service's work like any other: a start job that never ends would hold up the
	// boot and deployments, and one that times out would restart the relay in a loop.
	startGrace = 30 * time.Second
	// extension is for how long a start that waits asks not to be given up.
	extension = 15 * time.Second
	// maxStatus bounds the line that `systemctl status` shows.
	maxStatus = 300
)

// notifier tells the service manager (systemd's Type=notify) how the relay does.
type notifier struct {
	log      zerolog.Logger
	look     func() (relay.State, []relay.Reason)
	alive    func() error
	send     func(text string) error
	every    time.Duration
	grace    time.Duration
	watchdog time.Duration // WatchdogSec of the unit, 0 without

	began  time.Time
	ready  bool
	status string // what was said last
	silent bool   // the loop is dead, and that was logged
	deaf   bool   // nobody takes the messages, and that was logged
}

// notify tells the service manager until the returned function is called. Without
// NOTIFY_SOCKET it does nothing. ctx is the relay's: its end is the beginning of
// the stop.
func (d *daemon) notify(ctx context.Context) (done func()) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return func() {}
	}
	watchdog, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		d.log.Warn().Err(err).Msg("the service manager's watchdog is not served")
	}
	n := &notifier{
		log: d.log, look: d.look, alive: d.Alive, every: notifyEvery, grace: startGrace, watchdog: watchdog,
		send: func(text string) error {
			_, err := systemd.SdNotify(false, text)
			return err
		},
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		n.run(ctx.Done(), quit)
	}()
	return func() {
		close(quit)
		<-ended
	}
}

// look is the state with its reasons, also of a relay that is held.
func (d *daemon) look() (relay.State, []relay.Reason) {
	status, ok := d.Status().(relay.Status)
	if !ok {
		return "", nil
	}
	return status.State, status.Reasons
}

// run tells until quit is closed. stopping is closed when the stop begins.
func (n *notifier) run(stopping, quit <-chan struct{}) {
	n.began = time.Now()
	ticker := time.NewTicker(n.every)
	defer ticker.Stop()
	var feed <-chan time.Time // none without a watchdog
	if n.watchdog > 0 {
		feeder := time.NewTicker(n.watchdog / 2)
		defer feeder.Stop()
		feed = feeder.C
		n.feed()
	}
	for {
		select {
		case <-quit:
			if stopping != nil { // an end that nobody asked for, or a quick one
				n.say(systemd.SdNotifyStopping)
			}
			return
		case <-stopping:
			n.say(systemd.SdNotifyStopping)
			stopping = nil
		case <-feed:
			n.feed()
		case <-ticker.C:
			n.tell()
		}
	}
}

// tell says what has changed.
func (n *notifier) tell() {
	state, reasons := n.look()
	if status := statusLine(state, reasons); status != n.status {
		n.status = status
		n.say("STATUS=" + status)
	}
	if n.ready {
		return
	}
	if up(state) || time.Since(n.began) >= n.grace {
		n.ready = true
		n.say(systemd.SdNotifyReady)
		return
	}
	if n.alive() == nil {
		n.say(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", extension.Microseconds()))
	}
}

// up says that a start has come to its end. Blocked is up, too: the relay has its
// slot and waits for Kafka, or it is held for a person to look at.
func up(state relay.State) bool {
	return state != relay.StateStarting && state != relay.StateStopping
}

// feed keeps the watchdog quiet while the loop moves.
func (n *notifier) feed() {
	if err := n.alive(); err != nil {
		if !n.silent {
			n.log.Error().Err(err).Msg("the service manager's watchdog is not fed any more: it restarts the process")
		}
		n.silent = true
		return
	}
	n.silent = false
	n.say(systemd.SdNotifyWatchdog)
}

// say sends a message. That nobody takes it is worth one line in the log.
func (n *notifier) say(text string) {
	err := n.send(text)
	if err != nil && !n.deaf {
		n.log.Warn().Err(err).Msg("the service manager can't be told how the relay does: look at NOTIFY_SOCKET and the unit's NotifyAccess")
	}
	n.deaf = err != nil
}

// statusLine is the state with its first reason, in one line.
func statusLine(state relay.State, reasons []relay.Reason) string {
	text := string(state)
	if len(reasons) > 0 {
		text += ": " + reasonText(reasons[0])
	}
	return cut(oneLine(text), maxStatus)
}

// reasonText is a reason's message with the code of the error behind it.
func reasonText(r relay.Reason) string {
	text := r.Message
	if text == "" {
		text = r.Code
	}
	if r.Error != "" {
		text = r.Error + " " + text
	}
	return text
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:max(0, most-1)]) + "…"
}
