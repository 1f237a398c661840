package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// delivery is the relay's setting of that name.
type delivery string

const (
	atLeastOnce delivery = "at-least-once"
	exactlyOnce delivery = "exactly-once"
)

// scenario is one fault: data, and a function that stages it.
type scenario struct {
	// name is what people read in the table: "kill -9 before a produce request".
	name string
	// deliveries it is run with; nil: both.
	deliveries []delivery
	// quick are the deliveries that also run with a plain `go test`, beside others
	// and with fewer events and rounds; they must be done within half a minute.
	quick []delivery
	// rounds is how often the fault happens in the full matrix; default 1.
	rounds int
	// relay are settings for the relay, by their environment twins.
	relay []string
	// needs says why this machine can't do it, "" when it can. nil: any machine.
	needs func() string
	// stage prepares the scene before anything runs: it may set servers of the
	// scenario's own (DB, Kafka, …; what is left nil is shared), and returns the
	// fault. That is called once a round in the middle of the load, breaks something,
	// mends it, and returns when nothing is broken any more. Recovery counts from its
	// return, or from the last scene.mark in it.
	stage func(t *testing.T, s *scene) (fault func())
	// repeats is how many duplicates at-least-once may make, in one round.
	repeats int
	// ending is how the relay has to end where it can't go on without a gap. The
	// fault must leave the relay to that, and is run once.
	ending *ending
	// judge replaces the verification for a fault that takes records away from
	// Kafka, or moves keys: it says what was still promised, fails the test when that
	// was broken, and returns what goes into the table. nil: nothing may be lost,
	// nothing out of order, exactly-once without duplicates.
	judge func(t *testing.T, s *scene) harness.Result
	// unpromised is a fault under which nobody can promise anything, and which is in
	// the table to say so. Its judge only counts; a note says what happened.
	unpromised bool
}

// ending is a declared end: exit code, and words that the log has to have.
type ending struct {
	code  int
	words []string
}

// group is a chapter of the matrix.
type group struct {
	name      string
	scenarios []scenario
}

// matrix is everything. Each group is in a file of its own.
func matrix() []group {
	return []group{
		{"relay", relayFaults()},
		{"postgres", postgresFaults()},
		{"kafka", kafkaFaults()},
		{"network", networkFaults()},
		{"clock", clockFaults()},
	}
}

// Variables by which main tells the test what to do.
const (
	modeVariable     = "WALRELAY_FAULTS"          // modeAll, modeList; else the quick selection
	runVariable      = "WALRELAY_FAULTS_RUN"      // regular expression for "group/name"
	deliveryVariable = "WALRELAY_FAULTS_DELIVERY" // the only one to run
)

func TestMain(m *testing.M) {
	// Most of the time is spent waiting, so more quick scenarios than cores run at a
	// time; -parallel on the command line is read later and wins.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	harness.Main(m)
}

// TestFaults runs the matrix, or the quick selection of it.
func TestFaults(t *testing.T) {
	mode := os.Getenv(modeVariable)
	wanted, err := regexp.Compile(os.Getenv(runVariable))
	if err != nil {
		t.Fatalf("%s: %v", runVariable, err)
	}
	only := delivery(os.Getenv(deliveryVariable))
	type entry struct {
		group    string
		scenario scenario
		delivery delivery
		order    int
	}
	var plan []entry
	order := 0
	for _, g := range matrix() {
		for _, sc := range g.scenarios {
			for _, d := range sc.chosen(mode) {
				order++
				if wanted.MatchString(g.name+"/"+sc.name) && (only == "" || only == d) {
					plan = append(plan, entry{g.name, sc, d, order})
				}
			}
		}
	}
	t.Attr(attributePlan, fmt.Sprint(len(plan)))
	for _, e := range plan {
		t.Run(e.group+"/"+strings.ReplaceAll(e.scenario.name, " ", "_")+"/"+string(e.delivery), func(t *testing.T) {
			result := row{Order: e.order, Group: e.group, Fault: e.scenario.name, Delivery: string(e.delivery), Verdict: verdictSkipped}
			if mode == modeList {
				report(t, result)
				return
			}
			if mode != modeAll {
				t.Parallel()
			}
			run(t, e.scenario, e.delivery, result, mode == modeAll)
		})
	}
}

// chosen are the deliveries to run in a mode.
func (sc scenario) chosen(mode string) []delivery {
	switch {
	case mode != modeAll && mode != modeList:
		return sc.quick
	case sc.deliveries == nil:
		return []delivery{atLeastOnce, exactlyOnce}
	}
	return sc.deliveries
}

// TestMatrix: names are unique and can be read, and the quick ones are part of the
// matrix.
func TestMatrix(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range matrix() {
		for _, sc := range g.scenarios {
			name := g.name + "/" + sc.name
			if seen[name] || sc.name == "" || strings.ContainsAny(sc.name, "/|\n") {
				t.Errorf("%q: the name is used twice, is empty, or has a character that a table can't have", name)
			}
			seen[name] = true
			if sc.stage == nil {
				t.Errorf("%q stages nothing", name)
			}
			for _, d := range sc.quick {
				if !slices.Contains(sc.chosen(modeAll), d) {
					t.Errorf("%q is quick with %s, which is not in its deliveries", name, d)
				}
			}
		}
	}
}
