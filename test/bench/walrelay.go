package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// buildWalrelay builds the command of this module the way a release is built
// and returns the binary.
func buildWalrelay(ctx context.Context, dir string) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module (run this inside the repository): %w", err)
	}
	bin := filepath.Join(dir, "walrelay")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./cmd/walrelay")
	cmd.Dir = strings.TrimSpace(string(root))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ./cmd/walrelay: %w\n%s", err, out)
	}
	return bin, nil
}

// relayFile is the configuration file of the relay under measurement. Whatever
// is not in it is walrelay's default: drain and latency run with the same
// settings.
type relayFile struct {
	Postgres struct {
		URL         string `yaml:"url"`
		Slot        string `yaml:"slot"`
		Publication string `yaml:"publication"`
	} `yaml:"postgres"`
	Route struct {
		Topic string `yaml:"topic"`
	} `yaml:"route"`
	Kafka struct {
		Brokers []string `yaml:"brokers"`
	} `yaml:"kafka"`
	HTTP struct {
		Listen string `yaml:"listen"`
	} `yaml:"http"`
	Log struct {
		Format string `yaml:"format"`
	} `yaml:"log"`
}

// relayCommand writes the configuration for one run and returns the command and
// the address of its HTTP endpoint.
func (b *bench) relayCommand(j job) (argv []string, metrics string, err error) {
	if metrics, err = freeAddress(); err != nil {
		return nil, "", err
	}
	var f relayFile
	f.Postgres.URL, f.Postgres.Slot, f.Postgres.Publication = j.url, j.slot, publication
	f.Route.Topic = topicTemplate(j.topic)
	f.Kafka.Brokers = []string{b.kafka.addr}
	f.HTTP.Listen = metrics
	f.Log.Format = "json"
	data, err := yaml.Marshal(f)
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(b.dir, j.slot+".yaml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return nil, "", err
	}
	return []string{b.relayBinary, "run", "-c", path}, metrics, nil
}

// topicTemplate is the route that leads to topic, which ends in the aggregate
// type: the template is expanded as in production.
func topicTemplate(topic string) string {
	return strings.TrimSuffix(topic, aggregateType) + "${aggregate_type}"
}

// freeAddress returns a loopback address that nobody listens on now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// awaitMetrics waits until the HTTP endpoint answers.
func awaitMetrics(ctx context.Context, address string, alive func() error) error {
	for start := time.Now(); ; {
		_, err := metric(ctx, address, mallocs)
		if err == nil {
			return nil
		}
		if err := alive(); err != nil {
			return err
		}
		if time.Since(start) > 20*time.Second {
			return err
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
}

// mallocs is the Go collector's counter of heap objects allocated so far.
const mallocs = "go_memstats_mallocs_total"

// metric reads one metric without labels from a /metrics page.
func metric(ctx context.Context, address, name string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("http://%s/metrics has no %s", address, name)
}

// relay is a running walrelay.
type relay struct {
	*child
	metrics string // HTTP endpoint
}

// startRelay starts walrelay on a slot and a topic that exist.
func (b *bench) startRelay(ctx context.Context, j job) (*relay, error) {
	argv, metrics, err := b.relayCommand(j)
	if err != nil {
		return nil, err
	}
	c, err := startChild(ctx, b.dir, "walrelay", argv, nil, nil)
	if err != nil {
		return nil, err
	}
	return &relay{c, metrics}, nil
}

// awaitStreaming waits until the slot has a walsender.
func (r *relay) awaitStreaming(ctx context.Context, o *outbox, slot string) error {
	for start := time.Now(); ; {
		var active bool
		if err := o.conn.QueryRow(ctx, "SELECT active FROM pg_replication_slots WHERE slot_name = $1", slot).Scan(&active); err != nil {
			return err
		}
		if active {
			return nil
		}
		if err := r.running(); err != nil {
			return err
		}
		if time.Since(start) > 30*time.Second {
			return fmt.Errorf("walrelay has not taken slot %q within 30s", slot)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}
