package debezium

import "strings"

// isServer tells Debezium Server's application.properties from a connector's.
func isServer(entries []entry) bool {
	for _, e := range entries {
		name := profileless(e.name)
		if strings.HasPrefix(name, "debezium.source.") || strings.HasPrefix(name, "debezium.sink.") {
			return true
		}
	}
	return false
}

// profileless cuts the prefix of Quarkus's profile that is active by default.
func profileless(name string) string { return strings.TrimPrefix(name, "%prod.") }

// serverPrefixes are what Debezium Server calls Kafka Connect's options; the first
// that fits counts.
var serverPrefixes = []struct{ server, connect string }{
	{"debezium.source.", ""},
	{"debezium.transforms.", "transforms."},
	{"debezium.predicates.", "predicates."},
	{"debezium.sink.kafka.producer.", "producer.override."},
	{"debezium.sink.", "sink."},
	{"debezium.format.", "format."},
}

// serverNames gives the entries the names that Kafka Connect has for them.
func serverNames(entries []entry) []entry {
	var active, rest []entry
	for _, e := range entries {
		name := profileless(e.name)
		e.name = name
		switch {
		case name == "debezium.transforms", name == "debezium.predicates":
			e.name = strings.TrimPrefix(name, "debezium.")
		default:
			for _, p := range serverPrefixes {
				if tail, ok := strings.CutPrefix(name, p.server); ok {
					e.name = p.connect + tail
					break
				}
			}
		}
		if strings.HasPrefix(e.as, "%prod.") { // goes before the entry without a profile, wherever it stands
			rest = append(rest, e)
		} else {
			active = append(active, e)
		}
	}
	return append(active, rest...)
}
