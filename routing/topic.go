package routing

import (
	"fmt"
	"strings"

	"github.com/walrelay/walrelay/decoding"
)

// DefaultTopic is Debezium's: its prefix and the aggregate type as it is.
const DefaultTopic = "outbox.event.${aggregate_type}"

// maxTopic is the longest topic name that Kafka takes, in bytes.
const maxTopic = 249

// field is a part of the event that a topic template may name.
type field uint8

const (
	literal field = iota
	aggregateType
	aggregateID
	eventType
)

var fields = map[string]field{"aggregate_type": aggregateType, "aggregate_id": aggregateID, "event_type": eventType}

// nullReason is the reason of a Poison whose topic needs a column that is NULL.
var nullReason = [...]string{
	aggregateType: ReasonNullAggregateType, aggregateID: ReasonNullAggregateID, eventType: ReasonNullEventType,
}

// of returns the field's column.
func (f field) of(e *decoding.Event) *decoding.Value {
	switch f {
	case aggregateType:
		return &e.AggregateType
	case aggregateID:
		return &e.AggregateID
	default:
		return &e.EventType
	}
}

func (f field) String() string {
	switch f {
	case aggregateType:
		return "aggregate type"
	case aggregateID:
		return "aggregate id"
	case eventType:
		return "event type"
	default:
		return "literal"
	}
}

// part is a piece of a template: text, or a field of the event.
type part struct {
	field field
	text  string
}

// parseTopic reads a template: text that is legal in a topic name, and
// ${aggregate_type}, ${aggregate_id}, ${event_type}. Positions in errors count
// bytes from 1.
func parseTopic(template string) ([]part, error) {
	bad := func(at int, format string, args ...any) error {
		return fmt.Errorf("topic template %q, position %d: %s", template, at+1, fmt.Sprintf(format, args...))
	}
	var parts []part
	length := 0
	for at := 0; at < len(template); {
		if template[at] != '$' {
			end := at
			for end < len(template) && template[end] != '$' {
				if !legal(template[end]) {
					return nil, bad(end, "a topic name may hold letters, digits, '.', '_' and '-' only")
				}
				end++
			}
			parts = append(parts, part{text: template[at:end]})
			length += end - at
			at = end
			continue
		}
		if !strings.HasPrefix(template[at:], "${") {
			return nil, bad(at, "'$' begins a column such as ${aggregate_type}")
		}
		end := strings.IndexByte(template[at:], '}')
		if end < 0 {
			return nil, bad(at, "'}' is missing")
		}
		name := template[at+2 : at+end]
		f, ok := fields[name]
		if !ok {
			return nil, bad(at+2, "%q is not known: use aggregate_type, aggregate_id or event_type", name)
		}
		parts = append(parts, part{field: f})
		at += end + 1
	}
	switch {
	case template == "." || template == "..":
		return nil, bad(0, "a topic may not be called %q", template)
	case length > maxTopic:
		return nil, bad(maxTopic, "a topic name has at most %d bytes", maxTopic)
	}
	return parts, nil
}

// legal reports whether Kafka takes c in a topic name.
func legal(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// checkTopic applies Kafka's rule for topic names.
func checkTopic(name []byte) error {
	why := ""
	switch {
	case len(name) == 0:
		why = "it is empty"
	case len(name) > maxTopic:
		why = fmt.Sprintf("it has %d bytes, %d are allowed", len(name), maxTopic)
	case string(name) == "." || string(name) == "..":
		why = `"." and ".." are not allowed`
	default:
		for i, c := range name {
			if !legal(c) {
				why = fmt.Sprintf("byte %d is neither letter, digit, '.', '_' nor '-'", i+1)
				break
			}
		}
	}
	if why == "" {
		return nil
	}
	shown := name
	if len(shown) > maxTopic {
		shown = shown[:maxTopic]
	}
	return &Poison{Reason: ReasonIllegalTopic, Detail: fmt.Sprintf("Kafka can have no topic %q: %s", shown, why)}
}
