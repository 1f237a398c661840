package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/replication"
)

// The most that is shown for a person; JSON has all.
const (
	maxTopics = 20
	maxErrors = 3
)

// The columns: a node of the way, or a label of what belongs to it, then the text.
const (
	nodeWidth  = 7
	labelWidth = 12
)

// printer puts a look into lines.
type printer struct {
	now     time.Time // times are shown in its zone
	width   int       // of the terminal, 0: unlimited
	height  int       // likewise
	colours bool
	lines   []string
}

// printer makes one for standard output.
func (a *app) printer(now time.Time) *printer {
	p := &printer{now: now}
	var terminal bool
	if terminal, p.colours = a.terminal(a.stdout); terminal {
		p.width, p.height = terminalSize(a.stdout)
	}
	return p
}

// add adds text in lines that fit: first stands before the first one, as many
// blanks before the others unless rest is something else.
func (p *printer) add(first, rest, text string) {
	if rest == "" {
		rest = strings.Repeat(" ", visible(first))
	}
	for line := range strings.SplitSeq(text, "\n") {
		width := 0
		if p.width > 0 {
			width = max(20, p.width-visible(first))
		}
		for _, part := range wrap(line, width) {
			p.lines = append(p.lines, strings.TrimRight(first+part, " "))
			first = rest
		}
	}
}

// node is a stop of the way.
func (p *printer) node(name, text string) { p.add(p.bold(pad(name, nodeWidth)), "", text) }

// row is something about a stop. rail says that the way goes on below.
func (p *printer) row(rail bool, label, text string) {
	margin := pad("", nodeWidth)
	if rail {
		margin = pad("  │", nodeWidth)
	}
	p.add(margin+pad(label, labelWidth), margin+pad("", labelWidth), text)
}

func (p *printer) blank() { p.lines = append(p.lines, "") }

func (p *printer) bold(text string) string {
	if !p.colours {
		return text
	}
	return "\x1b[1m" + text + "\x1b[22m"
}

// look prints a look. The rates are those since earlier looks.
func (p *printer) look(l *look, r rates) {
	if s := l.status; s != nil {
		p.title(s, l.base)
		p.state(s.State, s.Since, s.Reasons)
		p.way(s, r)
		p.errors(s)
		p.topics(s.Topics)
		return
	}
	down := l.down()
	p.state(down.State, time.Time{}, down.Reasons)
	if down.SlotState != nil {
		p.blank()
		p.downWay(&down, r)
	}
}

// title names the relay.
func (p *printer) title(s *relay.Status, base string) {
	parts := []string{strings.TrimSpace("walrelay " + s.Version)}
	if s.Instance != "" {
		parts = append(parts, s.Instance)
	}
	if !s.Started.IsZero() {
		parts = append(parts, "up "+p.since(s.Started))
	}
	p.add("", "", strings.Join(append(parts, base), "  "))
	p.blank()
}

// colour of a state: whether a person has to do something.
func colourOf(state relay.State) string {
	switch state {
	case relay.StateStreaming:
		return green
	case relay.StateBlocked, stateDown:
		return red
	}
	return yellow
}

// state is what matters most, with its reasons and what to do.
func (p *printer) state(state relay.State, since time.Time, reasons []relay.Reason) {
	line := p.bold(paint("● "+string(state), colourOf(state), p.colours))
	if !since.IsZero() {
		line += fmt.Sprintf(" for %s, since %s", p.since(since), p.clock(since))
	}
	p.add("", "  ", line)
	for i, r := range reasons {
		p.add("  ", "", clean(reasonText(r)))
		if again := i+1 < len(reasons) && reasons[i+1].Advice == r.Advice; r.Advice != "" && !again {
			p.add("  → ", "", clean(r.Advice))
		}
	}
}

// way is the way of an event.
func (p *printer) way(s *relay.Status, r rates) {
	p.blank()
	p.node("WAL", s.Target)
	if s.SlotState != nil {
		p.row(true, "written", later(s.SlotState.CurrentLSN, s.ReceivedLSN))
	}
	p.node("slot", join(" · ", s.Slot, "publication "+s.Publication))
	if s.SlotState != nil {
		p.slot(s.SlotState, true, fullIn(s.SlotState))
	}
	p.node("relay", oneLine(strings.Join(s.Tables, ", ")))
	if s.ReceivedLSN != "" {
		p.row(true, "received", s.ReceivedLSN)
		behind := ""
		if s.SlotState != nil { // else nobody has looked
			behind = fmt.Sprintf(" · %s behind the WAL", byteText(s.LagBytes))
		}
		p.row(true, "confirmed", s.ConfirmedLSN+behind)
	}
	p.row(true, "unsent", unsentText(s))
	if s.Snapshot != nil && s.Snapshot.Finished == nil {
		p.row(true, "snapshot", snapshotText(s.Snapshot))
	}
	if s.Reconnects > 0 {
		p.row(true, "reconnects", numberText(uint64(s.Reconnects)))
	}
	p.node("Kafka", strings.Join(s.Brokers, ", "))
	p.row(false, "delivered", deliveredText(s, r))
	switch {
	case s.Producer.Fenced:
		p.row(false, "write fence", "on")
	case s.State == relay.StateStreaming:
		p.row(false, "write fence", paint("off", yellow, p.colours)+": late writes of a dead instance are not shut out (`walrelay check` says why)")
	}
	if s.Canary != nil {
		p.row(false, "canary", p.canaryText(s.Canary))
	}
}

// later is the later of two positions: the slot is looked at now and then only.
func later(a, b string) string {
	var x, y replication.LSN
	if x.Scan(a) == nil && y.Scan(b) == nil && y > x {
		return b
	}
	return a
}

// downWay is what can be told without the relay.
func (p *printer) downWay(d *downStatus, r rates) {
	s := d.SlotState
	p.node("WAL", d.Target)
	p.row(true, "written", s.CurrentLSN)
	text := join(" · ", d.Slot, "publication "+d.Publication)
	switch {
	case *d.SlotActive:
		text += fmt.Sprintf(" · read by process %d", d.SlotPID)
	case d.InactiveSince != nil:
		text += fmt.Sprintf(" · inactive for %s, since %s", p.since(*d.InactiveSince), p.clock(*d.InactiveSince))
	default:
		text += " · inactive"
	}
	p.node("slot", text)
	p.row(false, "confirmed", fmt.Sprintf("%s · %s behind the WAL", s.ConfirmedLSN, byteText(d.LagBytes)))
	full := "not known from one look: --watch measures it"
	if r.known {
		s.FullIn = nil
		if r.retained > 0 && s.LimitBytes != nil {
			left := max(0, float64(*s.LimitBytes-s.RetainedBytes)/r.retained)
			s.FullIn = &left
		}
		full = fullIn(s)
	}
	p.slot(s, false, full)
}

// slot is what the slot costs.
func (p *printer) slot(s *relay.SlotStatus, rail bool, fullIn string) {
	text := paint(s.WALStatus, green, p.colours)
	switch s.WALStatus {
	case "unreserved":
		text = paint(s.WALStatus, red, p.colours) + ": lost at the next checkpoint; raise max_slot_wal_keep_size at once"
	case "lost":
		text = paint(s.WALStatus, red, p.colours)
	}
	if old := p.now.Sub(s.At); old > 15*time.Second {
		text += fmt.Sprintf(" · looked at %s ago", durationText(old))
	}
	p.row(rail, "status", text)
	if s.LimitBytes == nil {
		p.row(rail, "held back", byteText(s.RetainedBytes)+" of WAL, no limit (max_slot_wal_keep_size = -1)")
		return
	}
	share := 1.0
	if *s.LimitBytes > 0 {
		share = float64(s.RetainedBytes) / float64(*s.LimitBytes)
	}
	p.row(rail, "held back", fmt.Sprintf("%s %3.0f %% · %s of %s", p.bar(share), share*100, byteText(s.RetainedBytes), byteText(*s.LimitBytes)))
	if s.WALStatus != "lost" {
		p.row(rail, "full in", fullIn)
	}
}

// bar shows a share, coloured from where the relay warns.
func (p *printer) bar(share float64) string {
	const width = 20
	filled := min(width, int(share*width+0.5))
	if share > 0 && filled == 0 {
		filled = 1
	}
	colour := green
	switch {
	case share >= 0.8:
		colour = red
	case share >= 0.5:
		colour = yellow
	}
	return paint(strings.Repeat("█", filled), colour, p.colours) + strings.Repeat("░", width-filled)
}

// fullIn is when the limit is reached at the present rate.
func fullIn(s *relay.SlotStatus) string {
	switch {
	case s.FullIn == nil && s.Growth == nil:
		return "not known yet"
	case s.FullIn == nil:
		return "not at the present rate"
	}
	return durationText(seconds(*s.FullIn)) + " at the present rate"
}

func unsentText(s *relay.Status) string {
	if s.UnsentEvents == 0 {
		return "no events"
	}
	text := fmt.Sprintf("%s · the oldest %s old", plural(uint64(s.UnsentEvents), "event"), durationText(seconds(s.OldestUnsentSecs)))
	if s.Producer.MemoryBytes > 0 {
		text += " · " + byteText(int64(s.Producer.MemoryBytes)) + " in flight"
	}
	return text
}

func deliveredText(s *relay.Status, r rates) string {
	text := plural(s.Delivered, "event")
	if s.DeliveredBytes > 0 {
		text += " · " + byteText(int64(s.DeliveredBytes))
	}
	if r.delivered {
		text += fmt.Sprintf(" · %s/s · %s/s", numberText(uint64(r.events+0.5)), byteText(int64(r.bytes)))
	}
	return text
}

func snapshotText(s *relay.SnapshotStatus) string {
	text := fmt.Sprintf("%s: %s", oneLine(s.Table), plural(uint64(s.Rows), "row"))
	if s.EstimatedRows > 0 {
		text += fmt.Sprintf(" of some %s · %d %%", numberText(uint64(s.EstimatedRows)), s.Percent)
	}
	return text
}

func (p *printer) canaryText(c *relay.CanaryStatus) string {
	text := "none delivered yet"
	if c.Last != nil && c.LastAt != nil {
		text = fmt.Sprintf("%s to acknowledgement, %s ago", durationText(seconds(*c.Last)), p.since(*c.LastAt))
	}
	return text + fmt.Sprintf(" · every %s to %s", durationText(seconds(c.Every)), c.Topic)
}

// errors are the last ones. What stands above as a reason is not said again.
func (p *printer) errors(s *relay.Status) {
	if len(s.Errors) == 0 && s.LastError != "" && s.LastErrorAt != nil {
		s.Errors = []relay.ErrorStatus{{At: *s.LastErrorAt, First: *s.LastErrorAt, Message: s.LastError, Count: 1}}
	}
	if len(s.Errors) == 0 {
		return
	}
	p.blank()
	p.add(p.bold("last errors"), "", "")
	for i := range s.Errors[:min(maxErrors, len(s.Errors))] {
		e := &s.Errors[i]
		line := join(" · ", e.Code, e.Side, p.clock(e.At))
		if e.Count > 1 {
			line += fmt.Sprintf(" · %d times since %s", e.Count, p.clock(e.First))
		}
		if e.Over {
			line += " · " + paint("over", green, p.colours)
		}
		p.add("  ", "", line)
		told := slices.ContainsFunc(s.Reasons, func(r relay.Reason) bool { return r.Error == e.Code && e.Code != "" })
		if told && !e.Over {
			continue
		}
		p.add("    ", "", clean(e.Message))
		if e.Advice != "" && !e.Over {
			p.add("    → ", "", clean(e.Advice))
		}
	}
	p.more(len(s.Errors)-maxErrors, "error")
}

// more says what was left out.
func (p *printer) more(n int, noun string) {
	if n > 0 {
		p.add("  ", "", fmt.Sprintf("… %s more (--output json)", plural(uint64(n), noun)))
	}
}

// topics is a table. Long names are cut to the terminal.
func (p *printer) topics(topics []relay.TopicStatus) {
	if len(topics) == 0 {
		return
	}
	most := maxTopics
	if p.height > 0 {
		most = min(most, max(3, p.height-len(p.lines)-4))
	}
	shown := slices.Clone(topics[:min(most, len(topics))])
	for i := range shown {
		shown[i].Topic, shown[i].EventType = oneLine(shown[i].Topic), oneLine(shown[i].EventType)
	}
	const gap = "  "
	topic, event, number := len("topic"), len("event type"), len("events")
	for _, t := range shown {
		topic, event, number = max(topic, visible(t.Topic)), max(event, visible(t.EventType)), max(number, len(numberText(t.Events)))
	}
	if over := topic + event + number + 2*len(gap) - p.width; p.width > 0 && over > 0 {
		cutEvent := min(over/2, max(0, event-len("event type")))
		event -= cutEvent
		topic = max(len("topic"), topic-(over-cutEvent))
	}
	line := func(a, b, c string) string {
		return pad(cut(a, topic), topic) + gap + pad(cut(b, event), event) + gap + strings.Repeat(" ", max(0, number-len(c))) + c
	}
	p.blank()
	p.lines = append(p.lines, p.bold(line("topic", "event type", "events")))
	for _, t := range shown {
		p.lines = append(p.lines, line(t.Topic, t.EventType, numberText(t.Events)))
	}
	p.more(len(topics)-len(shown), "topic")
}
