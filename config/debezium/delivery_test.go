package debezium_test

import (
	"strings"
	"testing"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/config/debezium"
)

// TestImport_exactlyOnce: who gets exactly-once from Kafka Connect gets it from
// walrelay, and nobody else; what is made loads.
func TestImport_exactlyOnce(t *testing.T) {
	quiet(t)
	tests := []struct {
		name      string
		connector map[string]string
		worker    string // "-": none is given
		delivery  string
		snapshot  string
		note      string // of the report, as option, verdict and a piece of the text
	}{
		{name: "required", connector: map[string]string{"exactly.once.support": "required"}, worker: "-",
			delivery: config.ExactlyOnce, snapshot: "none", note: "exactly.once.support|differs|read_committed"},
		{name: "capitals", connector: map[string]string{"exactly.once.support": "REQUIRED"}, worker: "-",
			delivery: config.ExactlyOnce, snapshot: "none", note: "exactly.once.support|differs|kafka.watermark_topic"},
		{name: "required, with Debezium's default snapshot", connector: map[string]string{"exactly.once.support": "required", "snapshot.mode": ""}, worker: "-",
			delivery: config.ExactlyOnce, snapshot: "none", note: "snapshot.mode|differs|takes no snapshot"},
		{name: "required, with a snapshot", connector: map[string]string{"exactly.once.support": "required", "snapshot.mode": "always"}, worker: "-",
			delivery: config.ExactlyOnce, snapshot: "none", note: "snapshot.mode|differs|takes no snapshot"},
		{name: "required, for a snapshot alone", connector: map[string]string{"exactly.once.support": "required", "snapshot.mode": "initial_only"}, worker: "-",
			delivery: config.AtLeastOnce, snapshot: "only", note: "exactly.once.support|differs|at least once"},
		{name: "requested, from a worker that is not known", connector: map[string]string{"exactly.once.support": "requested"}, worker: "-",
			delivery: config.AtLeastOnce, snapshot: "none", note: "exactly.once.support|differs|set delivery: exactly-once"},
		{name: "requested, from a worker that has it", connector: map[string]string{"exactly.once.support": "requested"}, worker: "exactly.once.source.support=enabled",
			delivery: config.ExactlyOnce, snapshot: "none", note: "exactly.once.source.support|differs|read_committed"},
		{name: "requested, from a worker without", connector: map[string]string{"exactly.once.support": "requested"}, worker: "group.id=connect",
			delivery: config.AtLeastOnce, snapshot: "none", note: "exactly.once.support|ignored|up to its worker"},
		{name: "nothing, from a worker that has it", worker: "exactly.once.source.support=enabled",
			delivery: config.ExactlyOnce, snapshot: "none", note: "exactly.once.source.support|differs|read_committed"},
		{name: "a worker that prepares", worker: "exactly.once.source.support=preparing",
			delivery: config.AtLeastOnce, snapshot: "none", note: "exactly.once.source.support|ignored|does not write in transactions"},
		{name: "a worker without", worker: "exactly.once.source.support=disabled",
			delivery: config.AtLeastOnce, snapshot: "none", note: "exactly.once.source.support|ignored|does not write in transactions"},
		{name: "nothing", worker: "-", delivery: config.AtLeastOnce, snapshot: "none"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := debezium.Options{Name: "orders.json"}
			if test.worker != "-" {
				o.Worker, o.WorkerName = []byte(test.worker+"\n"), "worker.properties"
			}
			r, c := mustImport(t, with(t, test.connector), o)
			if c.Delivery != test.delivery || c.Snapshot.Mode != test.snapshot {
				t.Errorf("delivery %s and snapshot.mode %s, want %s and %s", c.Delivery, c.Snapshot.Mode, test.delivery, test.snapshot)
			}
			if test.note != "" {
				wantNote(t, r.Report, strings.Split(test.note, "|"))
			}
		})
	}
}

// wantNote wants one note about an option, with that verdict and text.
func wantNote(t *testing.T, report *debezium.Report, want []string) {
	t.Helper()
	found := 0
	for _, n := range report.Notes {
		if n.Option != want[0] {
			continue
		}
		found++
		if string(n.Verdict) != want[1] || !strings.Contains(n.Text, want[2]) {
			t.Errorf("%s: %s, %q; want %s, %q", n.Option, n.Verdict, n.Text, want[1], want[2])
		}
	}
	if found != 1 {
		t.Errorf("%d notes about %s, want one", found, want[0])
	}
}

// TestImport_exactlyOnceServer: Debezium Server does not write in transactions.
func TestImport_exactlyOnceServer(t *testing.T) {
	quiet(t)
	file := string(read(t, "server.properties")) + "\ndebezium.source.exactly.once.support=required\n"
	r, c := mustImport(t, []byte(file), debezium.Options{Name: "application.properties"})
	if c.Delivery != config.AtLeastOnce {
		t.Errorf("delivery %s", c.Delivery)
	}
	wantNote(t, r.Report, []string{"debezium.source.exactly.once.support", "ignored", "walrelay can"})
}

// TestImport_exactlyOnceWord: a word that Kafka Connect refuses is refused here.
func TestImport_exactlyOnceWord(t *testing.T) {
	_, err := debezium.Import(with(t, map[string]string{"exactly.once.support": "always"}), debezium.Options{Name: "orders.json"})
	if err == nil || !strings.Contains(err.Error(), `exactly.once.support: "always" is not one of requested, required`) {
		t.Errorf("error %v", err)
	}
}
