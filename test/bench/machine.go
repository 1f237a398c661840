package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
)

// machine is what the figures were measured on.
type machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	Kernel     string `json:"kernel"`
	Load       string `json:"load_average"` // at the start, 1, 5 and 15 minutes
	Go         string `json:"go"`
	PostgreSQL string `json:"postgresql"`
	Settings   string `json:"postgresql_settings"`
	Kafka      string `json:"kafka"`
	Servers    string `json:"servers"`
}

func cores() int { return runtime.NumCPU() }

func (b *bench) describeMachine(ctx context.Context) (machine, error) {
	m := machine{
		CPU: cpuModel(), Cores: cores(), Go: runtime.Version(),
		Kernel:  firstLine("/proc/sys/kernel/osrelease"),
		Load:    firstLine("/proc/loadavg"),
		Servers: b.servers.origin(),
	}
	if f := strings.Fields(m.Load); len(f) > 3 {
		m.Load = strings.Join(f[:3], " ")
	}
	conn, err := pgx.Connect(ctx, b.serverURL)
	if err != nil {
		return m, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version'),
		string_agg(name || '=' || current_setting(name), ' ' ORDER BY name)
		FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers',
			'max_wal_size', 'logical_decoding_work_mem')`).Scan(&m.PostgreSQL, &m.Settings)
	if err != nil {
		return m, err
	}
	m.Kafka, err = b.kafka.version(ctx)
	return m, err
}

// version guesses the broker's version from the requests it takes; brokers do
// not tell it.
func (k *broker) version(ctx context.Context) (string, error) {
	all, err := k.admin.ApiVersions(ctx)
	if err != nil {
		return "", fmt.Errorf("ask Kafka for its versions: %w", err)
	}
	for _, v := range all {
		if v.Err == nil {
			return fmt.Sprintf("%s (guessed), %d broker(s)", v.VersionGuess(), len(all)), nil
		}
	}
	return "unknown", nil
}

func cpuModel() string {
	data, _ := os.ReadFile("/proc/cpuinfo") // none: unknown
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func firstLine(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}
