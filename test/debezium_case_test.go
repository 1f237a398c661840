package test_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// debeziumCase is one recorded case, as debezium/README.md describes it.
type debeziumCase struct {
	name   string
	dir    string
	config string // path of connector.properties or application.properties
	server bool   // recorded from Debezium Server

	note     string
	failed   bool     // Debezium's task did
	trace    []string // why
	unstable string   // what Debezium itself leaves to chance; "" nothing
	java     int      // major version, 0 unknown

	setup, input string // SQL
	wrote        []recorded
}

// recorded is a record that Debezium wrote.
type recorded struct {
	Topic     string
	Partition int32
	Offset    int64
	Key       content
	Value     content
	Headers   []recordedHeader
	Timestamp int64    // milliseconds since 1970
	Varies    []string // fields that differ from run to run
}

type recordedHeader struct {
	Name   string
	Value  content
	Varies bool
}

// content is a key, a value or a header's value: null, bytes, or what is kept of
// bytes too many to lie in a file.
type content struct {
	bytes  []byte // nil: null
	length int    // of the abridged
	sha256 string // of the abridged, in hex; "": it is all in bytes
}

func (c content) equal(got []byte) bool {
	if c.sha256 != "" {
		sum := sha256.Sum256(got)
		return len(got) == c.length && hex.EncodeToString(sum[:]) == c.sha256
	}
	return (got == nil) == (c.bytes == nil) && string(got) == string(c.bytes)
}

// varies says whether a field of the record differs from run to run.
func (r *recorded) varies(field string) bool { return slices.Contains(r.Varies, field) }

// part is how content stands in the file, under the names that a part has there.
type part struct {
	base64 *string
	length int
	sha256 string
}

func (p part) content() (content, error) {
	if p.sha256 != "" {
		return content{length: p.length, sha256: p.sha256}, nil
	}
	if p.base64 == nil {
		return content{}, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(*p.base64)
	if decoded == nil {
		decoded = []byte{} // empty is not null
	}
	return content{bytes: decoded}, err
}

func (r *recorded) UnmarshalJSON(text []byte) error {
	var file struct {
		Topic       string   `json:"topic"`
		Partition   int32    `json:"partition"`
		Offset      int64    `json:"offset"`
		Key         *string  `json:"key"`
		KeyLen      int      `json:"key_len"`
		KeySHA256   string   `json:"key_sha256"`
		Value       *string  `json:"value"`
		ValueLen    int      `json:"value_len"`
		ValueSHA256 string   `json:"value_sha256"`
		Timestamp   int64    `json:"timestamp"`
		Type        string   `json:"timestamp_type"`
		Varies      []string `json:"varies"`
		Headers     []struct {
			Name        string  `json:"name"`
			Value       *string `json:"value"`
			ValueLen    int     `json:"value_len"`
			ValueSHA256 string  `json:"value_sha256"`
			Varies      bool    `json:"varies"`
		} `json:"headers"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	if file.Type != "CreateTime" {
		return fmt.Errorf("timestamp_type %q: only CreateTime is compared", file.Type)
	}
	*r = recorded{Topic: file.Topic, Partition: file.Partition, Offset: file.Offset, Timestamp: file.Timestamp, Varies: file.Varies}
	var err error
	if r.Key, err = (part{file.Key, file.KeyLen, file.KeySHA256}).content(); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if r.Value, err = (part{file.Value, file.ValueLen, file.ValueSHA256}).content(); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	for _, h := range file.Headers {
		value, err := (part{h.Value, h.ValueLen, h.ValueSHA256}).content()
		if err != nil {
			return fmt.Errorf("header %s: %w", h.Name, err)
		}
		r.Headers = append(r.Headers, recordedHeader{Name: h.Name, Value: value, Varies: h.Varies})
	}
	return nil
}

// loadDebeziumCases reads all cases, sorted by name.
func loadDebeziumCases(t testing.TB) []*debeziumCase {
	t.Helper()
	var cases []*debeziumCase
	seen := make(map[string]string)
	for _, folder := range []string{"cases", "cases-server", "recorded"} {
		dirs, err := filepath.Glob(filepath.Join("debezium", folder, "*", "case.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range dirs {
			c, err := loadDebeziumCase(filepath.Dir(file))
			if err != nil {
				t.Fatalf("%s: %v", filepath.Dir(file), err)
			}
			if other, twice := seen[c.name]; twice {
				t.Fatalf("%s and %s have one name", other, c.dir)
			}
			seen[c.name] = c.dir
			cases = append(cases, c)
		}
	}
	if len(cases) == 0 {
		t.Fatal("no case is there")
	}
	slices.SortFunc(cases, func(a, b *debeziumCase) int { return strings.Compare(a.name, b.name) })
	return cases
}

func loadDebeziumCase(dir string) (*debeziumCase, error) {
	c := &debeziumCase{name: filepath.Base(dir), dir: dir}
	var about struct {
		Note     string   `json:"note"`
		State    string   `json:"task_state"`
		Trace    []string `json:"trace"`
		Unstable string   `json:"unstable"`
		Java     string   `json:"java"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "case.json"))
	if err == nil {
		err = json.Unmarshal(text, &about)
	}
	if err != nil {
		return nil, err
	}
	c.note, c.trace, c.unstable, c.failed = about.Note, about.Trace, about.Unstable, about.State == "FAILED"
	major, _, _ := strings.Cut(about.Java, ".")
	if c.java, err = strconv.Atoi(major); err != nil && about.Java != "" {
		return nil, fmt.Errorf("java %q: %w", about.Java, err)
	}
	c.config = filepath.Join(dir, "connector.properties")
	if _, err := os.Stat(c.config); err != nil {
		c.config, c.server = filepath.Join(dir, "application.properties"), true
	}
	for name, to := range map[string]*string{"setup.sql": &c.setup, "input.sql": &c.input} {
		sql, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		*to = string(sql)
	}
	if c.wrote, err = loadRecords(filepath.Join(dir, "records.jsonl")); err != nil {
		return nil, err
	}
	return c, nil
}

// loadRecords reads a file of one record a line.
func loadRecords(file string) (records []recorded, err error) {
	lines, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(lines)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		var r recorded
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("%s, record %d: %w", filepath.Base(file), len(records)+1, err)
		}
		records = append(records, r)
	}
	return records, nil
}
