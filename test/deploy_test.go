package test_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/walrelay/walrelay/test/harness"
)

// port is where walrelay serves HTTP, in every file under deploy.
const port = "9187"

// composeService is what the tests look at of a service in docker-compose.yml.
type composeService struct {
	Image       string
	Build       struct{ Target string }
	Command     yaml.Node
	Entrypoint  []string
	Environment map[string]string
	Ports       []string
	Volumes     []string
	Healthcheck struct{ Test []string }
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
}

type composeFile struct {
	Services map[string]composeService
	Volumes  map[string]any
}

func readCompose(t *testing.T) composeFile {
	t.Helper()
	var c composeFile
	readYAML(t, "../docker-compose.yml", &c)
	return c
}

// readYAML reads a file of one document, of which only some fields are of interest.
func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestCompose: images are pinned, ports stay on this machine, every service waits
// for healthy ones, and every file and volume that is named is there.
func TestCompose(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	ours := []string{"walrelay", "walrelay-demo"}
	volumes := map[string]bool{}
	for name, s := range c.Services {
		if _, tag, _ := strings.Cut(s.Image, ":"); slices.Contains(ours, s.Image) == (s.Build.Target == "") || s.Build.Target == "" && (tag == "" || tag == "latest") {
			t.Errorf("%s: image %q has to be built here or pinned", name, s.Image)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to the network", name, p)
			}
		}
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(source, ".") {
				volumes[source] = true
			} else if _, err := os.Stat(filepath.Join("..", source)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for other, d := range s.DependsOn {
			needed, ok := c.Services[other]
			if !ok || d.Condition == "service_healthy" && len(needed.Healthcheck.Test) == 0 {
				t.Errorf("%s: waits for the health of %s, which has no check", name, other)
			}
			if d.Condition == "service_started" && len(needed.Healthcheck.Test) > 0 {
				t.Errorf("%s: does not wait for the health of %s", name, other)
			}
		}
		if len(s.DependsOn) == 0 && len(s.Healthcheck.Test) == 0 {
			t.Errorf("%s: neither waits for anything nor says when it is healthy", name)
		}
	}
	if declared := slices.Sorted(maps.Keys(c.Volumes)); !slices.Equal(declared, slices.Sorted(maps.Keys(volumes))) {
		t.Errorf("volumes %v are declared, %v used", declared, volumes)
	}
	var addresses []string
	node := c.Services["addresses"].Command
	if err := node.Decode(&addresses); err != nil {
		t.Fatal(err)
	}
	for name, s := range c.Services {
		for _, p := range s.Ports {
			public := strings.Split(p, ":")[1]
			if !strings.Contains(addresses[0], "localhost:"+public) {
				t.Errorf("the list of addresses lacks %s of %s", public, name)
			}
		}
	}
}

// TestComposeSettings: the program takes the environment and the commands that
// docker-compose.yml gives it, and Prometheus scrapes the port it listens on.
func TestComposeSettings(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	environment := c.Services["walrelay"].Environment
	config := effective(t, "", environment)
	if config["http.listen"] != ":"+port || config["kafka.brokers"] != "kafka:19092" || config["canary.every"] != "10s" {
		t.Errorf("the program understands %v", config)
	}
	if !slices.Contains(c.Services["walrelay"].Ports, "127.0.0.1:"+port+":"+port) {
		t.Errorf("ports %v", c.Services["walrelay"].Ports)
	}
	for name, s := range c.Services {
		if s.Build.Target == "" {
			continue
		}
		var args []string
		if err := s.Command.Decode(&args); err != nil {
			t.Fatal(err)
		}
		isDemo := args[0] == "demo"
		if isDemo != (s.Build.Target == "demo") {
			t.Errorf("%s: image %s, command %q", name, s.Build.Target, args)
		}
		checkCommand(t, name, args)
		if len(s.Healthcheck.Test) > 1 {
			checkCommand(t, name, s.Healthcheck.Test[2:])
		}
	}
	var prometheus struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "../deploy/compose/prometheus.yml", &prometheus)
	if jobs := prometheus.ScrapeConfigs; len(jobs) != 1 || jobs[0].StaticConfigs[0].Targets[0] != "walrelay:"+port {
		t.Errorf("Prometheus scrapes %v", jobs)
	}
	for _, file := range prometheus.RuleFiles {
		if !slices.ContainsFunc(c.Services["prometheus"].Volumes, func(v string) bool { return strings.Contains(v, ":"+file+":") }) {
			t.Errorf("Prometheus has no %s", file)
		}
	}
}

// checkCommand sees that the program has a command with these flags: it is asked
// for their help.
func checkCommand(t *testing.T, where string, args []string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), harness.Binary(t), append(slices.Clone(args), "--help")...)
	if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "walrelay "+args[0]) {
		t.Errorf("%s: walrelay %s: %v: %s", where, strings.Join(args, " "), err, out)
	}
}

// effective is what the program makes of a file ("" for none) and an environment.
func effective(t *testing.T, file string, environment map[string]string) map[string]string {
	t.Helper()
	args := []string{"config", "--output", "json"}
	if file != "" {
		args = append(args, "--config", file)
	}
	command := exec.CommandContext(t.Context(), harness.Binary(t), args...)
	command.Dir = t.TempDir()
	command.Env = []string{"HOME=" + command.Dir, "GORACE=" + os.Getenv("GORACE")}
	for name, value := range environment {
		command.Env = append(command.Env, name+"="+value)
	}
	var errors strings.Builder
	command.Stderr = &errors
	out, err := command.Output()
	if err != nil {
		t.Fatalf("walrelay config: %v: %s%s", err, out, errors.String())
	}
	var list []struct{ Key, Value string }
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatalf("walrelay config: %v: %s", err, out)
	}
	found := map[string]string{}
	for _, e := range list {
		found[e.Key] = e.Value
	}
	return found
}

// TestImageContext: the image and the release are built from all packages that the
// program is made of.
func TestImageContext(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../cmd/walrelay").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	needed := []string{"go.mod", "go.sum"}
	for line := range strings.Lines(string(out)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "github.com/walrelay/walrelay/"); ok {
			needed = append(needed, strings.Split(path, "/")[0])
		}
	}
	slices.Sort(needed)
	needed = slices.Compact(needed)
	ignore, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	release := readRelease(t)
	var sources []string
	for line := range strings.Lines(string(ignore)) {
		if source, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			sources = append(sources, source)
		}
	}
	slices.Sort(sources)
	if !slices.Equal(sources, needed) {
		t.Errorf(".dockerignore lets %v in, the program is made of %v", sources, needed)
	}
	if extra := slices.Sorted(slices.Values(release.Dockers[0].ExtraFiles)); !slices.Equal(extra, needed) {
		t.Errorf(".goreleaser.yaml builds the image of %v, the program is made of %v", extra, needed)
	}
}

// releaseFile is what the tests look at of .goreleaser.yaml.
type releaseFile struct {
	Nfpms   []struct{ Contents []struct{ Src string } }
	Dockers []struct {
		ExtraFiles []string `yaml:"extra_files"`
	} `yaml:"dockers_v2"`
	Archives []struct{ Files []string }
}

func readRelease(t *testing.T) (release releaseFile) {
	t.Helper()
	readYAML(t, "../.goreleaser.yaml", &release)
	if len(release.Nfpms) == 0 || len(release.Dockers) == 0 || len(release.Archives) == 0 {
		t.Fatalf(".goreleaser.yaml lacks packages, images or archives: %+v", release)
	}
	return release
}

// TestRelease: every file that a release takes along is there, and the package's
// unit starts the program as the other does.
func TestRelease(t *testing.T) {
	t.Parallel()
	release := readRelease(t)
	var files []string
	for _, c := range release.Nfpms[0].Contents {
		files = append(files, c.Src)
	}
	for _, file := range slices.Concat(files, release.Archives[0].Files) {
		if found, err := filepath.Glob(filepath.Join("..", file)); file != "" && (err != nil || len(found) == 0) {
			t.Errorf(".goreleaser.yaml names %s, which is not there", file)
		}
	}
	start := regexp.MustCompile(`(?m)^ExecStart=(/\S+/walrelay) (.*)$`)
	unit, dropIn := start.FindStringSubmatch(readFile(t, "../deploy/systemd/walrelay.service")), start.FindStringSubmatch(readFile(t, "../deploy/packages/10-package.conf"))
	if len(unit) != 3 || len(dropIn) != 3 || dropIn[1] != "/usr/bin/walrelay" || unit[2] != dropIn[2] {
		t.Errorf("the unit starts %q, the package's %q", unit, dropIn)
	}
}

// TestImage: the Dockerfile says what an image has to.
func TestImage(t *testing.T) {
	t.Parallel()
	dockerfile := readFile(t, "../Dockerfile")
	for _, line := range []string{
		"FROM scratch AS base", "USER 65532:65532", "EXPOSE " + port, "STOPSIGNAL SIGTERM",
		`ENTRYPOINT ["/walrelay"]`, `CMD ["run"]`, `org.opencontainers.image.version="${VERSION}"`, "-X main.version=${VERSION} -X main.commit=${COMMIT}",
	} {
		if !strings.Contains(dockerfile, line) {
			t.Errorf("Dockerfile lacks %s", line)
		}
	}
	if version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(readFile(t, "../go.mod"))[1]; !strings.Contains(dockerfile, "ARG GO_VERSION="+version) {
		t.Errorf("Dockerfile has another Go than go.mod: %s", version)
	}
	health := regexp.MustCompile(`HEALTHCHECK .* CMD (\[.*\])`).FindStringSubmatch(dockerfile)
	var command []string
	if len(health) != 2 || json.Unmarshal([]byte(health[1]), &command) != nil || command[0] != "/walrelay" {
		t.Fatalf("Dockerfile has no health check: %q", health)
	}
	checkCommand(t, "Dockerfile", command[1:])
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
