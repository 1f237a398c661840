// Package docs holds what is written for people. Its tests keep that in step
// with the program: the generated reference, links, metrics, file names, and
// configuration examples.
package docs

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/walrelay/walrelay/config"
	"github.com/walrelay/walrelay/telemetry"
)

var update = flag.Bool("update", false, "write configuration.md anew")

// root is the top of the project, seen from this package.
const root = ".."

const configurationHead = `# Configuration

<!-- Generated from config/settings.go: go test ./docs -update -->

One YAML file (` + "`-c FILE`, `WALRELAY_CONFIG`, else `walrelay.yaml` where it is there" + `), environment
variables and flags. A flag goes before the environment, the environment before the file, the file
before the default. ` + "`PG*` variables and `~/.pgpass`" + ` work as in libpq. Secrets may come from files
(` + "`…_file`" + `). Unknown keys, wrong types and impossible values are refused before anything is touched,
all at once, each with its file, line and column, variable or flag.
` + "`walrelay config`" + ` prints what is in force and where each value came from.

`

// TestConfigurationReference compares configuration.md with the table that the
// program reads.
func TestConfigurationReference(t *testing.T) {
	const file = "configuration.md"
	want := configurationHead + config.Reference()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, file); got != want {
		t.Errorf("docs/%s is out of date: run go test ./docs -update", file)
	}
}

// TestLinks: what a document links to inside the project is there, heading
// included.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for path, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, heading, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link to %s: no such file", path, m[1])
			} else if heading != "" && !headings(read(t, target))[heading] {
				t.Errorf("%s: link to %s: no such heading", path, m[1])
			}
		}
	}
}

// headings are the anchors of a document as GitHub makes them.
func headings(text string) map[string]bool {
	drop := regexp.MustCompile("[^a-z0-9 _-]")
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		found[strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return found
}

// TestGoFiles: a Go file that a document names exists.
func TestGoFiles(t *testing.T) {
	name := regexp.MustCompile("`((?:[a-z]+/)+[a-z_]+\\.go)`")
	for path, text := range documents(t) {
		for _, m := range name.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", path, m[1])
			}
		}
	}
}

// TestCommands: a test that a document has people run is there.
func TestCommands(t *testing.T) {
	tests := ""
	for _, file := range glob(t, "test/*_test.go") {
		tests += read(t, file)
	}
	run := regexp.MustCompile(`go test \./test (?:-v )?-run '?([A-Za-z|]+)`)
	for path, text := range documents(t) {
		for _, m := range run.FindAllStringSubmatch(text, -1) {
			for name := range strings.SplitSeq(m[1], "|") {
				if !strings.Contains(tests, "\nfunc "+name) {
					t.Errorf("%s has %s run, which no test is called", path, name)
				}
			}
		}
	}
}

// glob finds files of the project.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return files
}

// TestMetrics: a metric that a document names is one that /metrics has, and
// operations.md has a line for each that /metrics has.
func TestMetrics(t *testing.T) {
	known := metrics()
	// Files, slots and tables have a letter, dot or quote of their own behind the name.
	name := regexp.MustCompile(`\bwalrelay_[a-z_]+`)
	suffix := regexp.MustCompile(`_(bucket|sum|count)$`)
	for path, text := range documents(t) {
		for _, metric := range name.FindAllString(text, -1) {
			if !known[metric] && !known[suffix.ReplaceAllString(metric, "")] {
				t.Errorf("%s names %s, which /metrics does not have", path, metric)
			}
		}
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(walrelay_[a-z_]+)` \\|").FindAllStringSubmatch(read(t, "operations.md"), -1) {
		if listed[m[1]] {
			t.Errorf("operations.md lists %s twice", m[1])
		}
		listed[m[1]] = true
	}
	for metric := range known {
		if strings.HasPrefix(metric, "walrelay_") && !listed[metric] {
			t.Errorf("operations.md lacks %s", metric)
		}
	}
}

// metrics are the names of all that /metrics has.
func metrics() map[string]bool {
	known := map[string]bool{}
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		telemetry.NewMetrics("test").Registry.Describe(descs)
	}()
	fqName := regexp.MustCompile(`fqName: "([^"]+)"`)
	for d := range descs {
		known[fqName.FindStringSubmatch(d.String())[1]] = true
	}
	return known
}

// TestAlerts: operations.md has a section for each alert, with its severity, and
// none for others; every address of this project's documents in the rules leads
// somewhere.
func TestAlerts(t *testing.T) {
	rules := read(t, filepath.Join(root, "deploy/prometheus/alerts.yml"))
	page := read(t, "operations.md")
	severities := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)- alert: (\w+)\n.*?severity: (\w+)`).FindAllStringSubmatch(rules, -1) {
		severities[m[1]] = m[2]
	}
	if len(severities) == 0 {
		t.Error("alerts.yml has no alerts")
	}
	sections := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^### Alert (\w+)\n\*(\w+)\.\*`).FindAllStringSubmatch(page, -1) {
		sections[m[1]] = m[2]
	}
	for alert, severity := range severities {
		if sections[alert] != severity {
			t.Errorf("alert %s is %s, its section in operations.md says %q", alert, severity, sections[alert])
		}
	}
	for alert := range sections {
		if severities[alert] == "" {
			t.Errorf("operations.md has a section for %s, which is no alert", alert)
		}
	}
	for _, m := range regexp.MustCompile(`blob/main/([^#\s]+)#(\S+)`).FindAllStringSubmatch(rules, -1) {
		if !headings(read(t, filepath.Join(root, m[1])))[m[2]] {
			t.Errorf("alerts.yml leads to %s#%s, which is not there", m[1], m[2])
		}
	}
}

// TestConfigurationExamples loads every YAML block that begins with the comment
// "# walrelay.yaml". What every configuration needs and an excerpt leaves out is
// filled in.
func TestConfigurationExamples(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(# walrelay\\.yaml.*?)```")
	examples := 0
	for path, text := range documents(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			examples++
			file := filepath.Join(t.TempDir(), "walrelay.yaml")
			if err := os.WriteFile(file, []byte(m[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			var env []string
			if !strings.Contains(m[1], "postgres:\n") {
				env = append(env, "WALRELAY_POSTGRES_URL=postgres://db/shop")
			}
			if !strings.Contains(m[1], "kafka:\n") {
				env = append(env, "WALRELAY_KAFKA_BROKERS=kafka:9092")
			}
			_, err := config.Load(config.Options{File: file, Env: env})
			for _, problem := range problems(t, err) {
				t.Errorf("%s: an example is refused: %v", path, problem)
			}
		}
	}
	if examples == 0 {
		t.Error("no document has an example of the configuration")
	}
}

// problems are those of err, but for the secrets and certificates that an example
// names and this machine does not have.
func problems(t *testing.T, err error) []config.Problem {
	t.Helper()
	var refused *config.Error
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if refused == nil {
		return nil
	}
	return slices.DeleteFunc(refused.Problems, func(p config.Problem) bool {
		return strings.HasSuffix(p.Key, "_file") && strings.Contains(p.Text, "does not exist") ||
			p.Key == "postgres.url" && strings.Contains(p.Text, "unable to read CA file")
	})
}

// documents are all Markdown files of the project by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." || entry.Name() == "testdata"):
			return filepath.SkipDir
		case filepath.Ext(path) == ".md":
			found[path] = read(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
