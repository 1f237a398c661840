package debezium

import "strings"

// What the report says of exactly-once.
const (
	exactlyText = "walrelay, too, commits events and their position in one transaction of Kafka; the position is a record in kafka.watermark_topic. " +
		"It needs rights to that topic and to a transactional id of its own: `walrelay check`. Consumers need isolation.level=read_committed, as before. " +
		"At the switch itself Debezium's last events may come once more, because its position is not walrelay's: start once with delivery: at-least-once, " +
		"which looks into the topics, stop it, and start it with this file."
	exactlyNoSnapshot = "exactly-once takes no snapshot. A slot that exists is taken over without one anyway. Where there is none yet and the rows of the outbox are to be published: " +
		"start once with delivery: at-least-once and snapshot.mode: initial, stop it once it streams, and start it with this file."
	exactlyMaybe = "Kafka Connect writes in transactions only if its worker has exactly.once.source.support=enabled, which is not in this file (give the worker's with --worker). " +
		"If it has, and consumers read with isolation.level=read_committed, set delivery: exactly-once and snapshot.mode: none."
)

// delivery decides between at-least-once and exactly-once. Kafka Connect writes in
// transactions when its worker says so; a connector can insist on it, or just take
// what it gets.
func (im *importer) delivery() {
	worker, connector := im.get("exactly.once.source.support"), im.get("exactly.once.support")
	if im.server {
		for _, e := range []*entry{worker, connector} {
			if e != nil {
				im.note(Ignored, e, "", "Debezium Server does not write in transactions, whatever this says. walrelay can: delivery: exactly-once.")
			}
		}
		return
	}
	enabled := im.wordOf(worker, "disabled", "preparing", "enabled") == "enabled"
	required := im.wordOf(connector, "requested", "required") == "required"
	asks := connector
	if enabled && !required {
		asks = worker
	}
	if required || enabled {
		im.exactly(asks)
	}
	if worker != nil && !worker.noted {
		im.note(Ignored, worker, "", "The worker does not write in transactions, or the connector says what counts.")
	}
	switch {
	case connector == nil || connector.noted:
	case enabled, worker != nil, im.o.Worker != nil:
		im.note(Ignored, connector, "", "Whether Kafka Connect writes in transactions is up to its worker.")
	default:
		im.note(Differs, connector, "", exactlyMaybe)
	}
}

// wordOf is choice, but "" where the option is missing.
func (im *importer) wordOf(e *entry, allowed ...string) string {
	if e == nil {
		return ""
	}
	word, _ := im.choice(e, allowed...)
	return word
}

// exactly takes exactly-once over, and what goes with it.
func (im *importer) exactly(e *entry) {
	mode := im.values["snapshot.mode"].text
	if mode == "only" {
		im.note(Differs, e, "delivery", "A snapshot alone is delivered at least once: a second run after a crash would publish the rows again.")
		return
	}
	im.set("delivery", "exactly-once", e.origin())
	im.note(Differs, e, "delivery: exactly-once", exactlyText)
	if mode != "initial" {
		return
	}
	im.set("snapshot.mode", "none", "exactly-once takes no snapshot")
	for i := range im.report.Notes {
		n := &im.report.Notes[i]
		if n.Option == im.spelled("snapshot.mode") && strings.HasPrefix(n.Key, "snapshot.mode") {
			n.Verdict, n.Key, n.Value, n.Text = Differs, "snapshot.mode: none", "", exactlyNoSnapshot
		}
	}
}
