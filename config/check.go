package config

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// check looks at what one value alone cannot tell. Keys that have a problem
// already are left alone.
func (l *loader) check() {
	c := l.c
	l.checkPostgres()
	l.checkTables()
	if len(c.Kafka.Brokers) == 0 && !l.bad["kafka.brokers"] && !l.blind && !l.o.WithoutKafka {
		l.problem(c.origins["kafka.brokers"], "kafka.brokers", "required: set it in %s, in WALRELAY_KAFKA_BROKERS or with --brokers", l.fileName())
	}
	l.checkTLS()
	l.checkSASL()
	l.checkHTTP()
	l.checkOwnTopics()
	if c.Delivery == ExactlyOnce && c.Snapshot.Mode != "none" {
		l.problem(c.origins["snapshot.mode"], "snapshot.mode", "%s does not go with delivery exactly-once: a snapshot that breaks off begins anew; take it with at-least-once first", c.Snapshot.Mode)
	}
	if c.OnPoison == "dead-letter" && c.DeadLetterTopic == "" && !l.bad["dead_letter_topic"] && !l.bad["on_poison"] {
		l.problem(c.origins["on_poison"], "dead_letter_topic", "required with on_poison dead-letter: name a topic")
	}
	l.checkRoute()
	for _, key := range []string{"postgres.slot", "postgres.publication", "route.topic", "route.key", "kafka.client_id", "kafka.watermark_topic", "http.username", "canary.topic"} {
		if *byKey[key].at(c, 0).(*string) == "" && !l.bad[key] {
			l.problem(c.origins[key], key, "must not be empty: remove it for the default %s", byKey[key].def)
		}
	}
}

// checkRoute refuses two ways to find the topic.
func (l *loader) checkRoute() {
	const pattern, replacement, topic = "route.pattern", "route.replacement", "route.topic"
	c := l.c
	switch {
	case c.Route.Pattern == "" && c.Route.Replacement == "":
	case c.Route.Pattern == "":
		l.problem(c.origins[replacement], pattern, "required with route.replacement: write the regular expression, or use route.topic")
	case c.Route.Replacement == "":
		l.problem(c.origins[pattern], replacement, "required with route.pattern: write the topic, with ${name} or $1 for groups of the pattern")
	case c.Given(topic):
		l.problem(c.origins[pattern], pattern, "contradicts route.topic (%s): keep one of them", c.origins[topic])
	}
}

// checkOwnTopics keeps walrelay's own records apart from events and from each other.
func (l *loader) checkOwnTopics() {
	c := l.c
	if c.Canary.Every != 0 {
		l.apart("canary.topic", "the canary", c.Canary.Topic, map[string]string{"kafka.watermark_topic": c.Kafka.WatermarkTopic})
	}
	if c.Delivery == ExactlyOnce {
		l.apart("kafka.watermark_topic", "the watermark", c.Kafka.WatermarkTopic, map[string]string{})
	}
}

// apart refuses a topic that is also one of taken, by their keys, or one of events.
func (l *loader) apart(key, whose, topic string, taken map[string]string) {
	c := l.c
	if l.bad[key] {
		return
	}
	taken["route.topic"], taken["dead_letter_topic"] = c.Route.Topic, c.DeadLetterTopic
	for i, o := range c.Outbox {
		if o.Route.Topic != c.Route.Topic {
			taken[c.OutboxKey(i)+".route.topic"] = o.Route.Topic
		}
	}
	for _, other := range slices.Sorted(maps.Keys(taken)) {
		if taken[other] == topic {
			l.problem(c.origins[key], key, "%q is %s, too: give %s a topic of its own", topic, other, whose)
			return
		}
	}
}

// fileName returns the file that was read, or the one that would be.
func (l *loader) fileName() string {
	if l.c.File == "" {
		return DefaultFile
	}
	return l.c.File
}

// checkPostgres checks that there is a way to the database. With any of the PG*
// variables that name one, the URL may be missing.
func (l *loader) checkPostgres() {
	const key = "postgres.url"
	c := l.c
	if l.bad[key] || l.bad["postgres.url_file"] {
		return
	}
	if c.Postgres.URL == "" {
		named := false
		for _, name := range []string{"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"} {
			named = named || l.env[name] != ""
		}
		if !named && l.blind {
			return
		}
		if !named {
			l.problem(c.origins[key], key, "required: set it in %s, in WALRELAY_POSTGRES_URL, with --postgres-url or by PG* variables", l.fileName())
			return
		}
		if !c.Given(key) {
			c.origins[key] = Origin{rank: fromEnv, name: "PG* variables"}
		}
	}
	if err := checkPostgresURL(c.Postgres.URL); err != nil {
		l.problem(c.origins[key], key, "%s", err)
	}
}

// checkTables refuses a table that is listed twice.
func (l *loader) checkTables() {
	seen := map[Table]int{}
	for i, o := range l.c.Outbox {
		key := l.fullKey(byKey["outbox.table"], i)
		if o.Table.Name == "" {
			continue
		}
		if first, twice := seen[o.Table]; twice {
			l.problem(l.c.origins[key], key, "%s is listed twice, first as outbox[%d]: keep one", o.Table, first)
			continue
		}
		seen[o.Table] = i
	}
}

// checkSASL checks that authentication is complete.
func (l *loader) checkSASL() {
	c, s := l.c, &l.c.Kafka.SASL
	const mechanism, username, password = "kafka.sasl.mechanism", "kafka.sasl.username", "kafka.sasl.password"
	if s.Mechanism == "" {
		for _, key := range []string{username, password} {
			if c.Given(key) && !l.bad[mechanism] {
				l.problem(c.origins[key], mechanism, "required with %s: %s", byKey[key].last(), oneOf(byKey[mechanism].allowed))
				return
			}
		}
		return
	}
	if s.Username == "" && !l.bad[username] {
		l.problem(c.origins[mechanism], username, "required with mechanism %s", s.Mechanism)
	}
	if s.Password == "" && !l.bad[password] && !l.bad["kafka.sasl.password_file"] {
		l.problem(c.origins[mechanism], password, "required with mechanism %s: set it, or password_file", s.Mechanism)
	}
	if s.Mechanism == "plain" && !c.Kafka.TLS.Enabled {
		c.Warnings = append(c.Warnings, "kafka.sasl.mechanism plain without kafka.tls sends the password in clear text: use TLS or scram-sha-512")
	}
}

var (
	slotName  = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)
	topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)
)

// checkSlot is PostgreSQL's rule for replication slots.
func checkSlot(name string) error {
	if !slotName.MatchString(name) {
		return fmt.Errorf("%q is no slot name: want 1 to 63 of a-z, 0-9 and _", name)
	}
	return nil
}

// checkColumns takes one name or several separated by commas, of which the first
// that a row has is meant.
func checkColumns(names string) error {
	for _, name := range strings.Split(names, ",") {
		if strings.TrimSpace(name) == "" {
			return fmt.Errorf("%q has an empty name: write one column, or several separated by commas", names)
		}
		if err := checkIdentifier(name); err != nil {
			return err
		}
	}
	return nil
}

// checkIdentifier is PostgreSQL's rule for names, which may hold anything.
func checkIdentifier(name string) error {
	if len(name) > 63 {
		return fmt.Errorf("has %d bytes: PostgreSQL's names have at most 63", len(name))
	}
	return nil
}

// checkTopic is Kafka's rule for topics.
func checkTopic(name string) error {
	if !topicName.MatchString(name) || name == "." || name == ".." {
		return fmt.Errorf("%q is no topic name: want 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'", name)
	}
	return nil
}

// checkBroker wants host:port.
func checkBroker(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		switch {
		case strings.Contains(addr, "://"):
			return fmt.Errorf("%q is a URL: write host:port", addr)
		case !strings.Contains(addr, ":"):
			return fmt.Errorf("%q has no port: write %s:9092", addr, addr)
		}
		return fmt.Errorf("%q is no address: write host:port, an IPv6 host in brackets", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("%q: want a port from 1 to 65535", addr)
	}
	if host == "" || strings.ContainsAny(host, "/@ ,") {
		return fmt.Errorf("%q has no host name: write host:port", addr)
	}
	return nil
}

// checkListen wants host:port, where the host may be missing.
func checkListen(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is no address: write 127.0.0.1:9187, or \"\" to switch it off", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q: want a port from 0 to 65535 (0: any free one)", addr)
	}
	return nil
}

// ParseTable reads "schema.table" or "table" (in schema public) as SQL does:
// unquoted names are folded to lower case, quoted ones are taken as they are.
func ParseTable(text string) (Table, error) {
	bad := fmt.Errorf("%q is no table name: write schema.table, with quotes around names that have capitals or dots", text)
	var names []string
	rest := text
	for {
		name, tail, ok := cutName(rest)
		if !ok || name == "" || len(name) > 63 {
			return Table{}, bad
		}
		names = append(names, name)
		if tail == "" {
			break
		}
		if tail[0] != '.' {
			return Table{}, bad
		}
		rest = tail[1:]
	}
	switch len(names) {
	case 1:
		return Table{Schema: "public", Name: names[0]}, nil
	case 2:
		return Table{Schema: names[0], Name: names[1]}, nil
	}
	return Table{}, bad
}

// cutName takes one name, quoted or not, off the front of text.
func cutName(text string) (name, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexByte(text, '.')
		if end < 0 {
			end = len(text)
		}
		name = text[:end]
		return strings.ToLower(name), text[end:], !strings.ContainsAny(name, "\" \t\n'();")
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		return b.String(), text[i+1:], true
	}
	return "", "", false
}

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_$]*$`)

// quoteName puts a name in quotes if it would be folded otherwise.
func quoteName(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
