package debezium

import (
	"bytes"
	"fmt"
	"strings"
)

// maxFile bounds what is read.
const maxFile = 4 << 20

// Format is the kind of file that was recognised.
type Format string

// The kinds of files.
const (
	ConnectProperties Format = "Kafka Connect properties"
	ConnectJSON       Format = "Kafka Connect REST JSON"
	Strimzi           Format = "Strimzi KafkaConnector"
	Server            Format = "Debezium Server application.properties"
)

// entry is one option of the file.
type entry struct {
	name    string // as Kafka Connect calls it: slot.name
	as      string // as the file calls it: debezium.source.slot.name
	value   string
	line    int    // from 1, 0 unknown
	file    string // the other file that it comes from, "" for the main one
	missing string // a reference in the value that could not be resolved, "" none
	worker  bool   // of the Kafka Connect worker's file
	noted   bool   // stands in the report
}

// parse recognises the format by content and reads the entries.
func parse(data []byte) (Format, []entry, error) {
	if len(data) > maxFile {
		return "", nil, refuse(0, "has more than %d MiB: this is no connector's configuration", maxFile>>20)
	}
	start := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n\f")
	switch {
	case len(start) == 0:
		return "", nil, refuse(0, "is empty")
	case bytes.IndexByte(data, 0) >= 0:
		return "", nil, refuse(0, "is no text file: want .properties or JSON (UTF-16 has to be converted to UTF-8)")
	case start[0] == '{':
		entries, err := parseJSON(data)
		return ConnectJSON, entries, err
	case start[0] == '[':
		return "", nil, refuse(1, "is a JSON list: want one connector, an object such as {\"name\": …, \"config\": {…}}")
	case isStrimzi(data):
		entries, err := parseStrimzi(data)
		return Strimzi, entries, err
	}
	entries, err := parseProperties(data)
	if err != nil {
		return "", nil, err
	}
	if isServer(entries) {
		return Server, serverNames(entries), nil
	}
	return ConnectProperties, entries, nil
}

// refuse is a Refused with one reason.
func refuse(line int, format string, args ...any) error {
	return &Refused{Reasons: []Note{{Verdict: Blocked, Line: line, Text: fmt.Sprintf(format, args...)}}}
}

// lineOf returns the number of the line that a byte is in.
func lineOf(data []byte, offset int) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), len(data))], []byte("\n"))
}

// javaSplit splits as Java's String.split does with one character: empty parts at
// the end are dropped.
func javaSplit(text, sep string) []string {
	parts := strings.Split(text, sep)
	for len(parts) > 1 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// trim cuts what Java's String.trim cuts.
func trim(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
}

// listOf splits Kafka's LIST type.
func listOf(text string) []string {
	var list []string
	for _, item := range strings.Split(text, ",") {
		if item = trim(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
