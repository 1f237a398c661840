package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sort"
	"strings"
)

// DefaultFile is read when no file is named and it is there.
const DefaultFile = "walrelay.yaml"

// Options says where Load looks.
type Options struct {
	// File is the path of the YAML file, which must exist. "" means the
	// variable WALRELAY_CONFIG, else DefaultFile if it is there.
	File string
	// Env is the environment as "NAME=value", as os.Environ returns it. The PG*
	// variables are read from the process itself, as libpq does.
	Env []string
	// Flags are the flags that were given, by name without dashes.
	Flags map[string]string
	// WithoutKafka allows kafka.brokers to be missing, for commands that have to do
	// with PostgreSQL alone.
	WithoutKafka bool
	// Only, if set, is the beginning of the keys that matter ("http."): what is wrong
	// with the value of another is passed over, for commands that need nothing else.
	Only string
	// Check, if set, looks at a configuration that is complete otherwise and
	// reports what is wrong with a key. The command checks with it what other
	// packages know, so that those problems come with their place, too.
	Check func(c *Config, report func(key string, err error))
}

// Load reads, merges and checks the configuration. It touches nothing but the
// files that the configuration names. The error is an *Error with all problems.
func Load(o Options) (*Config, error) {
	l := &loader{
		o:     o,
		c:     &Config{Outbox: make([]Outbox, 1), origins: map[string]Origin{}},
		env:   environment(o.Env),
		items: map[string][]Origin{},
	}
	l.defaults()
	l.file(o.File)
	l.environ()
	l.flags(o.Flags)
	l.secrets()
	l.inherit()
	l.check()
	if o.Check != nil && len(l.problems) == 0 {
		o.Check(l.c, func(key string, err error) { l.problem(l.c.origins[key], key, "%s", err) })
	}
	if o.Only != "" {
		l.problems = slices.DeleteFunc(l.problems, func(p Problem) bool { return byKey[p.Key] != nil && !strings.HasPrefix(p.Key, o.Only) })
	}
	if len(l.problems) > 0 {
		return nil, l.err()
	}
	return l.c, nil
}

// loader collects values and problems of one Load.
type loader struct {
	o        Options
	c        *Config
	env      map[string]string
	problems []Problem
	items    map[string][]Origin // places of a list's elements, by key
	bad      map[string]bool     // keys with a problem already: not checked further
	blind    bool                // the file could not be read, so what is missing may be in it
}

func (l *loader) problem(where Origin, key, format string, args ...any) {
	l.problems = append(l.problems, Problem{Where: where, Key: key, Text: fmt.Sprintf(format, args...)})
	if l.bad == nil {
		l.bad = map[string]bool{}
	}
	l.bad[key] = true
}

// err returns the problems in the order a person works through them.
func (l *loader) err() *Error {
	rank := func(o Origin) int { // what is missing everywhere comes last
		if o.rank == fromDefault {
			return fromFlag + 1
		}
		return o.rank
	}
	sort.SliceStable(l.problems, func(i, j int) bool {
		a, b := l.problems[i].Where, l.problems[j].Where
		switch {
		case rank(a) != rank(b):
			return rank(a) < rank(b)
		case a.rank == fromFile && a.line != b.line:
			return a.line < b.line
		case a.rank == fromFile:
			return a.col < b.col
		}
		return a.name < b.name
	})
	return &Error{Problems: l.problems}
}

// defaults fills in the table's defaults. A default that does not parse is a
// mistake in the table, which a test finds.
func (l *loader) defaults() {
	for _, s := range settings {
		if s.def == "" {
			continue
		}
		if err := setText(s, s.at(l.c, 0), s.def); err != nil {
			l.problem(Origin{}, s.key, "default: %s", err)
		}
	}
}

// environment splits "NAME=value"; the last one of a name counts.
func environment(env []string) map[string]string {
	m := make(map[string]string, len(env))
	for _, e := range env {
		if name, value, ok := strings.Cut(e, "="); ok {
			m[name] = value
		}
	}
	return m
}

// environ applies the environment twins. A variable that is set to nothing
// counts as not set, as compose files like to pass them on, unless the setting
// gives the empty value a meaning.
func (l *loader) environ() {
	for _, s := range settings {
		value, ok := l.env[s.env()]
		if !ok || value == "" && s.empty == "" {
			continue
		}
		l.set(s, Origin{rank: fromEnv, name: s.env()}, value)
	}
	names := make([]string, 0, len(l.env))
	for name := range l.env {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		l.unknownVariable(name)
	}
}

// flags applies the command line.
func (l *loader) flags(given map[string]string) {
	for _, s := range settings {
		if s.flag == "" {
			continue
		}
		if value, ok := given[s.flag]; ok {
			l.set(s, Origin{rank: fromFlag, name: s.flag}, value)
		}
	}
}

// set gives a setting its value as text, from the environment or a flag.
func (l *loader) set(s *setting, from Origin, text string) {
	if strings.HasPrefix(s.key, "outbox.") && l.c.listed && len(l.c.Outbox) > 1 {
		l.problem(from, s.key, "means a single outbox, but %s lists %d (%s): set it in the file", l.c.File, len(l.c.Outbox), l.c.origins["outbox"])
		return
	}
	if err := setText(s, s.at(l.c, 0), text); err != nil {
		l.problem(from, s.key, "%s", err)
		return
	}
	l.put(l.fullKey(s, 0), from)
}

// put remembers where a value came from.
func (l *loader) put(key string, from Origin) {
	l.c.origins[key] = from
	if from.rank != fromFile {
		delete(l.items, key)
	}
	delete(l.bad, key)
}

// fullKey returns the key with the outbox's number where there is a list.
func (l *loader) fullKey(s *setting, i int) string { return l.c.fullKey(s, i) }

func (c *Config) fullKey(s *setting, i int) string {
	if rest, ok := strings.CutPrefix(s.key, "outbox."); ok {
		return c.OutboxKey(i) + "." + rest
	}
	return s.key
}

// OutboxKey returns the key of outbox i as the file writes it: "outbox", or
// "outbox[1]" in a list.
func (c *Config) OutboxKey(i int) string {
	if !c.listed {
		return "outbox"
	}
	return fmt.Sprintf("outbox[%d]", i)
}

// Given tells whether a key was set anywhere, so that its value is not the default.
func (c *Config) Given(key string) bool { return c.origins[key].rank != fromDefault }

// secrets reads the files that hold secrets. Of a secret and its file the one of
// higher precedence counts; both at one place contradict each other.
func (l *loader) secrets() {
	for _, pair := range secretFiles {
		secret, file := byKey[pair[0]], byKey[pair[1]]
		direct, named := l.c.origins[secret.key], l.c.origins[file.key]
		path := file.at(l.c, 0).(*string)
		switch {
		case named.rank == fromDefault:
			continue
		case direct.rank == named.rank:
			l.problem(named, file.key, "%s is set, too (%s): keep one of them", secret.key, direct)
			continue
		case direct.rank > named.rank:
			*path = ""
			delete(l.c.origins, file.key)
			continue
		}
		text, err := readSecret(*path)
		if err != nil {
			l.problem(named, file.key, "%s", err)
			continue
		}
		*secret.at(l.c, 0).(*string) = text
		l.c.origins[secret.key] = Origin{rank: named.rank, name: "file " + *path + " of " + named.String()}
	}
}

// maxSecret bounds what is read of a file that should hold one line.
const maxSecret = 64 << 10

// readSecret returns a file's content without its last line break.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fileError(path, err)
	}
	if info.IsDir() {
		return "", fmt.Errorf("%s is a directory: name a file that holds nothing but the secret", path)
	}
	if info.Size() > maxSecret {
		return "", fmt.Errorf("%s has %d bytes: name a file that holds nothing but the secret", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fileError(path, err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if text == "" {
		return "", fmt.Errorf("%s is empty: write the secret into it", path)
	}
	if strings.ContainsAny(text, "\n\x00") {
		return "", fmt.Errorf("%s has several lines: name a file that holds nothing but the secret", path)
	}
	return text, nil
}

// fileError turns an error of the os package into path, reason and advice.
func fileError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist: check the path (it is relative to the working directory)", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be read by this user: change its owner or mode", path)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s cannot be read: %w", path, err)
}

// inherit completes what depends on what was set: a table's route, TLS.
func (l *loader) inherit() {
	c := l.c
	for i := range c.Outbox {
		own := func(key string) bool { return c.Given(l.fullKey(byKey[key], i)) }
		r := c.Route
		if own("outbox.route.topic") {
			r.Topic, r.Pattern, r.Replacement = c.Outbox[i].Route.Topic, "", ""
		}
		if own("outbox.route.key") {
			r.Key = c.Outbox[i].Route.Key
		}
		if own("outbox.route.headers") {
			r.Headers = c.Outbox[i].Route.Headers
		}
		c.Outbox[i].Route = r
	}
	if c.Given("kafka.tls.enabled") {
		return
	}
	for _, s := range settings {
		if strings.HasPrefix(s.key, "kafka.tls.") && c.Given(s.key) {
			c.Kafka.TLS.Enabled = true
		}
	}
}
