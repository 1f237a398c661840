package test_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/demo/watchdog"
	"github.com/walrelay/walrelay/test/harness"
)

// prometheusVariable names the folder of prometheus and promtool, where they are
// not in the PATH.
const prometheusVariable = "WALRELAY_TEST_PROMETHEUS"

// findPrometheus finds prometheus or promtool.
func findPrometheus(name string) (path string, err error) {
	path = name
	if dir := os.Getenv(prometheusVariable); dir != "" {
		path = filepath.Join(dir, name)
	}
	if path, err = exec.LookPath(path); err != nil {
		err = fmt.Errorf("no %s: %w: install the package prometheus of Debian or Ubuntu, or name its folder with %s", name, err, prometheusVariable)
	}
	return path, err
}

// needPrometheus is findPrometheus for what can't do without: the test is skipped,
// which the summary says, or fails where real servers are required.
func needPrometheus(t *testing.T, name string) string {
	t.Helper()
	path, err := findPrometheus(name)
	if err != nil && harness.ToolsRequired() {
		t.Fatal(err)
	} else if err != nil {
		harness.Skip(t, err.Error())
	}
	return path
}

// prometheus is a server that scrapes relays every second and evaluates the
// project's alerts.
type prometheus struct{ address string }

// startPrometheus starts one that the test's end stops.
func startPrometheus(t *testing.T, program string, targets ...string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: walrelay
    static_configs: [{targets: [%s]}]
`, rules, strings.Join(targets, ", ")), 0o600); err != nil {
		t.Fatal(err)
	}
	port, err := postgres.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	p := &prometheus{address: "127.0.0.1:" + strconv.Itoa(port)}
	var output bytes.Buffer
	command := exec.Command(program, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.address, "--log.level=warn")
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dog, err := watchdog.Start("KILL", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start prometheus: %v", err)
	}
	if err := dog.Watch(command.Process); err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // one that has ended needs none
		_ = command.Wait()                          // it was asked to end
		if err := dog.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("prometheus said: %s", output.String())
		}
	})
	harness.Eventually(t, soon, "prometheus answers", func() bool {
		status, _, err := p.get(t.Context(), "/-/ready", nil)
		return err == nil && status == http.StatusOK
	})
	return p
}

func (p *prometheus) get(ctx context.Context, path string, query url.Values) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+path+"?"+query.Encode(), nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	var content bytes.Buffer
	_, err = content.ReadFrom(response.Body)
	return response.StatusCode, content.Bytes(), err
}

// api asks for data of the HTTP API.
func (p *prometheus) api(t *testing.T, path string, query url.Values, data any) {
	t.Helper()
	status, body, err := p.get(t.Context(), "/api/v1/"+path, query)
	if err != nil || status != http.StatusOK {
		t.Fatalf("prometheus: %s %v: %d %v: %s", path, query, status, err, body)
	}
	if err := json.Unmarshal(body, &struct{ Data any }{data}); err != nil {
		t.Fatalf("prometheus: %s: %v in %s", path, err, body)
	}
}

// numbers counts the samples that a query has had since start, second by second,
// leaving out those that are no number.
func (p *prometheus) numbers(t *testing.T, expr string, start time.Time) (count int) {
	t.Helper()
	var data struct {
		Result []struct {
			Values [][2]any
		}
	}
	p.api(t, "query_range", url.Values{"query": {expr}, "start": {stamp(start)}, "end": {stamp(time.Now())}, "step": {"1"}}, &data)
	for _, series := range data.Result {
		for _, sample := range series.Values {
			if text, _ := sample[1].(string); text != "NaN" {
				count++
			}
		}
	}
	return count
}

func stamp(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1e3, 'f', 3, 64) }

// alert is one that is pending or firing.
type alert struct {
	Labels map[string]string
	State  string
}

// alerts are those that are pending or firing now, by name.
func (p *prometheus) alerts(t *testing.T) map[string][]alert {
	t.Helper()
	var data struct{ Alerts []alert }
	p.api(t, "alerts", nil, &data)
	found := map[string][]alert{}
	for _, a := range data.Alerts {
		name := a.Labels["alertname"]
		a.Labels = maps.Clone(a.Labels)
		found[name] = append(found[name], a)
	}
	return found
}
