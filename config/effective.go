package config

import (
	"fmt"
	"strings"
	"time"
)

// Entry is one effective setting as it is shown, secrets masked.
type Entry struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"` // default, file:line:column, variable, --flag
}

// Effective returns every setting with its value and where it came from, in the
// order of the reference. A secret's value is ****, and so is a URL's password. A
// setting without a value stands for what the reference says of its default.
func (c *Config) Effective() []Entry {
	var entries []Entry
	for _, s := range settings {
		if strings.HasPrefix(s.key, "outbox.") {
			continue // all keys of a table together, below
		}
		if s.key == "route.topic" {
			entries = append(entries, c.effectiveOutbox()...)
		}
		entries = append(entries, c.entry(s, 0))
	}
	return entries
}

func (c *Config) effectiveOutbox() []Entry {
	var entries []Entry
	for i := range c.Outbox {
		for _, s := range settings {
			if !strings.HasPrefix(s.key, "outbox.") {
				continue
			}
			if strings.HasPrefix(s.key, "outbox.route.") && !c.Given(c.fullKey(s, i)) {
				continue // the common route, shown once
			}
			entries = append(entries, c.entry(s, i))
		}
	}
	return entries
}

func (c *Config) entry(s *setting, i int) Entry {
	key := c.fullKey(s, i)
	value := ""
	if !strings.HasPrefix(key, "kafka.topics.create.") || c.Kafka.Topics.Create != nil {
		value = showValue(s, s.at(c, i))
	}
	if value != "" {
		switch s.secret {
		case masked:
			value = mask
		case maskedURL:
			value = maskURL(value)
		}
	}
	return Entry{Key: key, Value: value, Source: c.origins[key].String()}
}

// Reference returns the description of all settings as a Markdown table.
func Reference() string {
	var b strings.Builder
	b.WriteString("| key | environment, flag | default | meaning |\n|---|---|---|---|\n")
	for _, s := range settings {
		names := "`" + s.env() + "`"
		if s.flag != "" {
			names += ", `--" + s.flag + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s%s |\n", s.key, names, s.defaultText(), s.doc, s.limitText())
	}
	return b.String()
}

// defaultText returns the default as Markdown.
func (s *setting) defaultText() string {
	switch {
	case s.defDoc != "":
		return s.defDoc
	case s.def != "":
		return "`" + s.def + "`"
	}
	return ""
}

// limitText returns what values are allowed, as a sentence.
func (s *setting) limitText() string {
	var c Config
	c.Outbox = make([]Outbox, 1)
	switch s.at(&c, 0).(type) {
	case *Size:
		return fmt.Sprintf(" %s to %s.", Size(s.min), Size(s.max))
	case *int:
		return fmt.Sprintf(" %d to %d.", s.min, s.max)
	case *time.Duration:
		return fmt.Sprintf(" %s to %s.", shortDuration(time.Duration(s.min)), shortDuration(time.Duration(s.max)))
	}
	if len(s.allowed) > 0 && !strings.Contains(s.doc, s.allowed[0]) {
		return " One of `" + strings.Join(s.allowed, "`, `") + "`."
	}
	return ""
}
