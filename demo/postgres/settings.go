package postgres

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// defaultSettings make a server for logical decoding whose data may be lost
// with the machine: without fsync a commit survives every death of processes
// (kill -9 and immediate shutdown included), not a power cut.
func defaultSettings() map[string]string {
	return map[string]string{
		"wal_level":             "logical",
		"max_wal_senders":       "40",
		"max_replication_slots": "40",
		"max_connections":       "200",
		"fsync":                 "off",
		"full_page_writes":      "off",
		"max_wal_size":          "4GB",
		"timezone":              "UTC",
		"log_timezone":          "UTC",
		"log_line_prefix":       "%m [%p] %q%u@%d %a ",
	}
}

// configuration is the file that postgresql.conf includes.
const configuration = "walrelay.conf"

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// maxSocketPath is the shortest limit of the supported systems (macOS: 104
// with the final zero byte).
const maxSocketPath = 103

// configure writes the server's settings; the next start of it reads them.
func (s *Server) configure() error {
	settings := defaultSettings()
	settings["listen_addresses"] = "127.0.0.1"
	settings["unix_socket_directories"] = s.dir
	if len(filepath.Join(s.dir, ".s.PGSQL.65535.lock")) > maxSocketPath {
		settings["unix_socket_directories"] = ""
	}
	maps.Copy(settings, s.options.Settings)
	settings["port"] = strconv.Itoa(s.port)

	var text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		if !settingName.MatchString(name) || strings.ContainsAny(value, "\n\r\x00") {
			return fmt.Errorf("setting %q = %q: a name or a value that no PostgreSQL setting has", name, value)
		}
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(value))
	}
	path := filepath.Join(s.data(), configuration)
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return s.include(path)
}

// include makes postgresql.conf read our file last, once.
func (s *Server) include(path string) error {
	main := filepath.Join(s.data(), "postgresql.conf")
	content, err := os.ReadFile(main)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	line := "include '" + configuration + "'\n"
	if bytes.HasSuffix(content, []byte(line)) {
		return nil
	}
	if err := s.run.own(path); err != nil {
		return fmt.Errorf("give %s to user %s: %w", path, s.run.name, err)
	}
	// WriteFile keeps the owner and the mode of a file that exists.
	if err := os.WriteFile(main, append(content, line...), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}
