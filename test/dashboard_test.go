package test_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

const dashboardFile = "../deploy/grafana/walrelay.json"

// panel is what Grafana shows of one or several queries.
type panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct {
		RefID string
		Expr  string
	}
	FieldConfig struct{ Defaults struct{ Unit string } }
	Options     json.RawMessage
}

// dashboard is Grafana's file.
type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Panels        []panel
	Templating    struct {
		List []struct{ Name, Type, Definition string }
	}
	Annotations struct {
		List []struct{ Name, Expr string }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	content, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatalf("%s: %v", dashboardFile, err)
	}
	return d
}

// expressions are all of the dashboard's queries by where they stand, with
// Grafana's variables filled in.
func (d *dashboard) expressions() map[string]string {
	fill := strings.NewReplacer("$job", "walrelay", "$instance", ".*", "$__rate_interval", "10s")
	found := map[string]string{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			found[fmt.Sprintf("panel %q, query %s", p.Title, target.RefID)] = fill.Replace(target.Expr)
		}
	}
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			found[fmt.Sprintf("annotation %q", a.Name)] = fill.Replace(a.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			found[fmt.Sprintf("variable %q", v.Name)] = fill.Replace(regexp.MustCompile(`^label_values\((.*), \w+\)$`).ReplaceAllString(v.Definition, "$1"))
		}
	}
	return found
}

// TestDashboardFile: every panel explains itself, has its place and a unit, and
// Grafana's variables are the ones that are there.
func TestDashboardFile(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	if d.UID != "walrelay" || d.Title == "" || d.SchemaVersion < 39 {
		t.Errorf("uid %q, title %q, schema %d", d.UID, d.Title, d.SchemaVersion)
	}
	seen, taken := map[string]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q lies over %q or beyond the edge", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		id := fmt.Sprint("id ", p.ID)
		if seen[id] || seen[p.Title] {
			t.Errorf("panel %q is there twice, by title or id", p.Title)
		}
		seen[id], seen[p.Title] = true, true
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || len(p.Description) < 30 || !strings.HasSuffix(p.Description, ".") {
			t.Errorf("panel %q needs queries and a description in sentences", p.Title)
		}
		hasUnit := p.FieldConfig.Defaults.Unit != "" || slices.Contains([]string{"state-timeline", "table", "heatmap"}, p.Type) ||
			slices.Contains([]string{"State", "Write fence"}, p.Title) // words instead of numbers
		if !hasUnit {
			t.Errorf("panel %q has no unit", p.Title)
		}
	}
	for where, expr := range d.expressions() {
		if strings.Contains(expr, "$") {
			t.Errorf("%s has an unknown variable: %s", where, expr)
		}
	}
	for _, name := range []string{"datasource", "job", "instance"} {
		if !slices.ContainsFunc(d.Templating.List, func(v struct{ Name, Type, Definition string }) bool { return v.Name == name }) {
			t.Errorf("no variable %s", name)
		}
	}
}

// slotLimit is small, so that a test reaches half of it.
const slotLimit = 192 << 20

// TestDashboard: every query of the dashboard and every alert speaks of metrics
// and labels that a running relay has. In a real Prometheus each panel shows
// something, nothing is alarmed while all is well, and what has to be is when
// Kafka is away.
func TestDashboard(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	server := harness.PrivatePostgres(t, map[string]string{"max_slot_wal_keep_size": fmt.Sprintf("%dMB", slotLimit>>20), "max_wal_size": "1GB"})
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{})
	s := openOn(t, harness.DatabaseOn(t, server), kafka, "order", "canary")
	s.topic(t, "small", "max.message.bytes", itoa(smallLimit))
	env := []string{"WALRELAY_ON_POISON=skip", "WALRELAY_CANARY_EVERY=1s", "WALRELAY_CANARY_TOPIC=" + s.Prefix + "canary"}
	active := s.ready(t, env...)
	standby := s.start(t, env...)
	waitReason(t, standby, "standby")

	var prom *prometheus
	began := time.Now()
	t.Run("Prometheus", func(t *testing.T) { needPrometheus(t, "prometheus") }) // says so where there is none
	if program, err := findPrometheus("prometheus"); err == nil {
		prom = startPrometheus(t, program, active.Address, standby.Address)
	}
	seen := scraped{}
	seen.wait(t, active, "canaries came through", func() bool { return seen.last.value("walrelay_canary_seconds_count") >= 5 })

	stopShop := s.background(t, harness.Workload{Writers: 2, Padding: 200, Pause: 5 * time.Millisecond})
	seen.wait(t, active, "the slot was seen, events flow", func() bool {
		return seen.last.value("walrelay_slot_limit_bytes") > 0 && seen.last.value("walrelay_events_total") > 100
	})
	if prom != nil {
		prom.quiet(t, standby.Address)
	}
	s.Insert(t, s.Table, "small", "1", "Huge", `{"seq": 1, "pad": "`+strings.Repeat("x", 2*smallLimit)+`"}`)
	seen.wait(t, active, "poison is counted", func() bool { return seen.last.value("walrelay_publish_failures_total") > 0 })

	s.pileUp(t, active, &seen)
	stopShop()
	seen.wait(t, active, "trouble is counted", func() bool {
		return seen.last.value("walrelay_errors_total") > 0 && seen.last.value("walrelay_retries_total") > 0 &&
			seen.last.value("walrelay_state", `state="blocked"`) == 1
	})
	if prom != nil {
		prom.alarmed(t, began, standby.Address)
	}
	if err := kafka.Start(background(t)); err != nil {
		t.Fatal(err)
	}
	s.drained(t)
	if prom != nil {
		prom.recovered(t)
		for where, expr := range d.expressions() {
			if prom.numbers(t, expr, began) == 0 {
				t.Errorf("%s never showed anything: %s", where, expr)
			}
		}
	}
	judged := d.expressions()
	for _, rule := range readAlerts(t) {
		judged["alert "+rule.Alert] = rule.Expr
	}
	for where, expr := range judged {
		for _, problem := range seen.judge(expr) {
			t.Errorf("%s: %s: %s", where, problem, expr)
		}
	}
	stop(t, standby)
	stop(t, active)
}

// pileUp stops Kafka and writes WAL until the slot holds back more than half of its
// limit, and the relay has said when it is full.
func (s *shop) pileUp(t *testing.T, p *harness.Process, seen *scraped) {
	t.Helper()
	if err := s.Kafka.Stop(); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "CREATE TABLE ballast (filler text)")
	full := false
	harness.Eventually(t, patience, "the slot holds back more than half of its limit, and the relay says when it is full", func() bool {
		held := s.QueryInt(t, "SELECT pg_current_wal_lsn() - restart_lsn FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
		if held < slotLimit*55/100 {
			s.Exec(t, "INSERT INTO ballast SELECT repeat('x', 1000) FROM generate_series(1, 2000)")
		}
		seen.take(t, p)
		full = full || seen.last.value("walrelay_slot_full_seconds") > 0
		return full && seen.last.value("walrelay_slot_retained_bytes") > slotLimit/2
	})
}

// quiet: while all is well no alert is pending or firing.
func (p *prometheus) quiet(t *testing.T, standby string) {
	t.Helper()
	harness.Eventually(t, soon, "both instances are scraped, and WalrelayGone is not pending any more", func() bool {
		return p.numbers(t, `count(walrelay_build_info) == 2`, time.Now().Add(-time.Second)) > 0 && len(p.alerts(t)) == 0
	})
	harness.Never(t, 5*time.Second, "an alert while all is well", func() bool {
		found := p.alerts(t)
		if len(found) > 0 {
			t.Errorf("alerts while all is well, standby at %s: %v", standby, found)
		}
		return len(found) > 0
	})
}

// alarmed: with Kafka away and WAL piling up these alerts are on their way, and
// none of them is about the standby.
func (p *prometheus) alarmed(t *testing.T, began time.Time, standby string) {
	t.Helper()
	expected := []string{"WalrelayBlocked", "WalrelayOldEvents", "WalrelaySlotHalfFull", "WalrelaySlotFullSoon", "WalrelayPoison"}
	harness.Eventually(t, patience, fmt.Sprintf("pending or firing: %v", expected), func() bool {
		for name, alerts := range p.alerts(t) {
			if !slices.Contains(expected, name) {
				t.Fatalf("an alert that has nothing to do with it: %s %v", name, alerts)
			}
			for _, a := range alerts {
				if a.Labels["instance"] == standby {
					t.Fatalf("an alert about the standby: %v", a)
				}
			}
		}
		return !slices.ContainsFunc(expected, func(name string) bool {
			return p.numbers(t, fmt.Sprintf("ALERTS{alertname=%q}", name), began) == 0
		})
	})
}

// recovered: the alerts about Kafka end by themselves.
func (p *prometheus) recovered(t *testing.T) {
	t.Helper()
	harness.Eventually(t, patience, "the alerts have ended", func() bool {
		found := p.alerts(t)
		return len(found["WalrelayBlocked"])+len(found["WalrelayOldEvents"])+len(found["WalrelaySlotHalfFull"]) == 0
	})
}

// scraped is what the relay has shown so far: the values of each label of each
// metric, over several scrapes, since some come and go.
type scraped struct {
	last   metrics
	series []map[string]string // labels, with the metric as __name__
	known  map[string]bool
}

var labelPair = regexp.MustCompile(`([a-zA-Z_]+)="((?:[^"\\]|\\.)*)"`)

// take scrapes once more.
func (s *scraped) take(t *testing.T, p *harness.Process) {
	t.Helper()
	s.last = scrape(t, p)
	for name, samples := range s.last {
		for _, one := range samples {
			if s.known[name+one.labels] {
				continue
			}
			if s.known == nil {
				s.known = map[string]bool{}
			}
			s.known[name+one.labels] = true
			series := map[string]string{"__name__": name, "job": "walrelay", "instance": p.Address, "namespace": ""}
			for _, pair := range labelPair.FindAllStringSubmatch(one.labels, -1) {
				series[pair[1]] = pair[2]
			}
			s.series = append(s.series, series)
		}
	}
}

func (s *scraped) wait(t *testing.T, p *harness.Process, what string, condition func() bool) {
	t.Helper()
	harness.Eventually(t, patience, what, func() bool {
		s.take(t, p)
		return condition()
	})
}

// prometheusOwn are the metrics that Prometheus makes itself, and their labels.
var prometheusOwn = map[string][]string{"ALERTS": {"alertname", "alertstate"}}

// judge checks that the relay has what an expression asks for: each metric, each
// of its labels, and each of the values that a matcher lists.
func (s *scraped) judge(expr string) (problems []string) {
	q, err := parseQuery(expr)
	if err != nil {
		return []string{err.Error()}
	}
	labels := map[string]bool{}
	for _, selector := range q.Selectors {
		found := slices.Clone(prometheusOwn[selector.Metric])
		for _, series := range s.series {
			if series["__name__"] == selector.Metric {
				found = slices.AppendSeq(found, maps.Keys(series))
			}
		}
		if len(found) == 0 {
			problems = append(problems, "the relay has no metric "+selector.Metric)
		}
		for _, label := range found {
			labels[label] = true
		}
		for _, m := range selector.Matchers {
			for _, one := range oneByOne(m) {
				if len(found) > 0 && prometheusOwn[selector.Metric] == nil && !s.has(selector.Metric, one) {
					problems = append(problems, fmt.Sprintf("no %s has %s%s%q", selector.Metric, one.Label, one.Op, one.Value))
				}
			}
		}
	}
	for _, label := range q.Labels {
		if !labels[label] {
			problems = append(problems, "nothing in it has the label "+label)
		}
	}
	return problems
}

// has says whether a series of the metric has the label, with a value that meets
// the condition. Which errors there are depends on the moment, so codes need only
// the label; TestAlertCodes knows them all.
func (s *scraped) has(metric string, m matcher) bool {
	return slices.ContainsFunc(s.series, func(series map[string]string) bool {
		value, ok := series[m.Label]
		return series["__name__"] == metric && ok && (m.matches(value) || m.Label == "code")
	})
}

// oneByOne splits a|b|c, each of which has to exist.
func oneByOne(m matcher) (all []matcher) {
	if m.Op != "=~" || strings.ContainsAny(m.Value, "([") {
		return []matcher{m}
	}
	for value := range strings.SplitSeq(m.Value, "|") {
		all = append(all, matcher{m.Label, m.Op, value})
	}
	return all
}

// TestJudge: what is not there is found.
func TestJudge(t *testing.T) {
	t.Parallel()
	s := scraped{series: []map[string]string{{"__name__": "a", "state": "on", "job": "j"}}}
	for expr, good := range map[string]bool{
		`a{state="on",job=~"j|.*"}`: true, `sum by (job) (a)`: true, `ALERTS{alertname="x"}`: true,
		`b`: false, `a{state="off"}`: false, `a{state=~"on|of"}`: false, `a{stat="on"}`: false, `sum by (jobs) (a)`: false, `sum(a`: false,
	} {
		if problems := s.judge(expr); (len(problems) == 0) != good {
			t.Errorf("%s: %v", expr, problems)
		}
	}
}
