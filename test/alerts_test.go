package test_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/walrelay/walrelay/relay"
)

const (
	alertsFile      = "../deploy/prometheus/alerts.yml"
	alertsTestsFile = "../deploy/prometheus/alerts_test.yml"
)

// alertRule is one alert as Prometheus reads it.
type alertRule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

// readAlerts reads the rules; fields that Prometheus does not know are errors.
func readAlerts(t *testing.T) (rules []alertRule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []alertRule
		}
	}
	decodeYAML(t, alertsFile, &file)
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules
}

// decodeYAML reads a file of one document strictly.
func decodeYAML(t *testing.T, path string, into any) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestAlerts: every alert says what to do, and has a section in the operations
// guide.
func TestAlerts(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(guide), -1) {
		anchor := regexp.MustCompile(`[^\pL\pN\- ]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	seen := map[string]bool{}
	for _, r := range readAlerts(t) {
		name, anchor := r.Alert, "alert-"+strings.ToLower(r.Alert)
		if seen[name] || !strings.HasPrefix(name, "Walrelay") {
			t.Errorf("%s: there twice, or not named after walrelay", name)
		}
		seen[name] = true
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
			t.Errorf("%s: severity %q", name, r.Labels["severity"])
		}
		if r.Annotations["summary"] == "" || len(r.Annotations["description"]) < 100 {
			t.Errorf("%s: needs a summary, and a description that says what to do", name)
		}
		if url := r.Annotations["runbook_url"]; !strings.HasSuffix(url, "/docs/operations.md#"+anchor) {
			t.Errorf("%s: runbook_url is %s", name, url)
		}
		if !anchors[anchor] {
			t.Errorf("%s: docs/operations.md has no heading that makes #%s: write \"### Alert %s\"", name, anchor, name)
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d alerts were found", len(seen))
	}
}

// TestAlertCodes: WalrelayNeedsHuman speaks of exactly the errors that are not
// waited out.
func TestAlertCodes(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range readAlerts(t) {
		q, err := parseQuery(r.Expr)
		if err != nil {
			t.Fatalf("%s: %v", r.Alert, err)
		}
		for _, s := range q.Selectors {
			if !slices.ContainsFunc(s.Matchers, func(m matcher) bool { return m.Label == "code" }) {
				continue
			}
			checked++
			for _, trouble := range relay.Troubles {
				fires := !slices.ContainsFunc(s.Matchers, func(m matcher) bool { return m.Label == "code" && !m.matches(trouble.Code) })
				if fires == trouble.Retry {
					t.Errorf("%s: %s (%s): is waited out: %v, alarmed: %v", r.Alert, trouble.Code, trouble.Title, trouble.Retry, fires)
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no alert looks at codes")
	}
}

// TestAlertRules: promtool takes the alerts, and the tests beside them pass. The
// first of those expects silence, and each alert fires in one of the others.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	type expectation struct {
		Expr     string
		EvalTime string `yaml:"eval_time"`
		Samples  []struct {
			Labels string
			Value  float64
		} `yaml:"exp_samples"`
	}
	var file struct {
		RuleFiles          []string `yaml:"rule_files"`
		EvaluationInterval string   `yaml:"evaluation_interval"`
		Tests              []struct {
			Name, Interval string
			InputSeries    []struct{ Series, Values string } `yaml:"input_series"`
			Expressions    []expectation                     `yaml:"promql_expr_test"`
			Rules          []yaml.Node                       `yaml:"alert_rule_test"`
		}
	}
	decodeYAML(t, alertsTestsFile, &file)
	fires := ""
	for i, test := range file.Tests {
		for _, e := range test.Expressions {
			if e.Expr != `ALERTS{alertstate="firing"}` {
				t.Errorf("%s: looks only at %s", test.Name, e.Expr)
			}
			for _, sample := range e.Samples {
				fires += sample.Labels + "\n"
			}
		}
		if i == 0 && (fires != "" || len(test.Expressions) == 0) {
			t.Errorf("%q does not expect silence", test.Name)
		}
	}
	for _, r := range readAlerts(t) {
		if !strings.Contains(fires, `ALERTS{alertname="`+r.Alert+`",`) {
			t.Errorf("%s: fires in no test of %s", r.Alert, alertsTestsFile)
		}
	}
	promtool := needPrometheus(t, "promtool")
	for _, args := range [][]string{{"check", "rules", alertsFile}, {"test", "rules", alertsTestsFile}} {
		command := exec.CommandContext(t.Context(), promtool, append(args[:2:2], filepath.Base(args[2]))...)
		command.Dir = filepath.Dir(args[2])
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
