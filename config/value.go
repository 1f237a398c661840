package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// setText parses text, as it stands in an environment variable, a flag or the
// table of defaults, into dst. The error never contains the text of a secret.
func setText(s *setting, dst any, text string) error {
	switch d := dst.(type) {
	case *[]string:
		list, err := splitList(text)
		if err != nil {
			return err
		}
		if _, err := checkItems(s, list); err != nil {
			return err
		}
		*d = list
		return nil
	case *map[string]string:
		m, err := splitPairs(text)
		if err == nil {
			*d = m
		}
		return err
	}
	return setScalar(s, dst, text)
}

// setNode parses a node of the file into dst. It returns the nodes of a list, and
// with an error the element that is wrong, if it is one.
func setNode(s *setting, dst any, n *yaml.Node) (items []*yaml.Node, at *yaml.Node, err error) {
	switch d := dst.(type) {
	case *[]string:
		if n.Kind != yaml.SequenceNode {
			return nil, nil, fmt.Errorf("want a list, got %s: write [a, b]", describe(n))
		}
		list := make([]string, len(n.Content))
		for i, item := range n.Content {
			item = resolve(item)
			if item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str" {
				return nil, n.Content[i], fmt.Errorf("want text, got %s%s", describe(item), quoteHint(item))
			}
			list[i] = item.Value
		}
		if i, err := checkItems(s, list); err != nil {
			return nil, n.Content[i], err
		}
		*d = list
		return n.Content, nil, nil
	case *map[string]string:
		m, at, err := nodePairs(n)
		if err == nil {
			*d = m
		}
		return nil, at, err
	}
	if err := wantScalar(dst, n); err != nil {
		return nil, nil, err
	}
	return nil, nil, setScalar(s, dst, n.Value)
}

// wantScalar checks that a node has the type of the setting, as YAML sees it.
func wantScalar(dst any, n *yaml.Node) error {
	want, tags := "text", []string{"!!str"}
	switch dst.(type) {
	case *bool:
		want, tags = "true or false", []string{"!!bool"}
	case *int:
		want, tags = "a whole number", []string{"!!int"}
	case *Size:
		want, tags = "a size such as 16MiB", []string{"!!int", "!!str"}
	case *time.Duration:
		want = "a duration such as 10s"
	case *Table:
		want = "a table such as public.outbox"
	}
	if n.Kind == yaml.ScalarNode && slices.Contains(tags, n.ShortTag()) {
		return nil
	}
	hint := ""
	if want == "text" {
		hint = quoteHint(n)
	}
	return fmt.Errorf("want %s, got %s%s", want, describe(n), hint)
}

// quoteHint says how a number and the like become text.
func quoteHint(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		return ": put it in quotes"
	}
	return ""
}

// setScalar parses one value and checks its limits.
func setScalar(s *setting, dst any, text string) error {
	switch d := dst.(type) {
	case *string:
		if err := checkText(s, text); err != nil {
			return err
		}
		*d = text
	case *bool:
		switch text {
		case "true":
			*d = true
		case "false":
			*d = false
		default:
			return fmt.Errorf("want true or false, got %q", text)
		}
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("want a whole number, got %q", text)
		}
		if err := s.within(int64(n), func(n int64) string { return strconv.FormatInt(n, 10) }); err != nil {
			return err
		}
		*d = n
	case *Size:
		n, err := ParseSize(text)
		if err != nil {
			return err
		}
		if err := s.within(int64(n), func(n int64) string { return Size(n).String() }); err != nil {
			return err
		}
		*d = n
	case *time.Duration:
		v, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("want a duration such as 10s or 1m30s, got %q", text)
		}
		if err := s.within(int64(v), func(n int64) string { return shortDuration(time.Duration(n)) }); err != nil {
			return err
		}
		*d = v
	case *Table:
		t, err := ParseTable(text)
		if err != nil {
			return err
		}
		*d = t
	default:
		return fmt.Errorf("no way to set a %T", dst)
	}
	return nil
}

// within checks the bounds of a number; show writes it as the reader would.
func (s *setting) within(n int64, show func(int64) string) error {
	if s.max == 0 || n >= s.min && n <= s.max {
		return nil
	}
	return fmt.Errorf("want %s to %s, got %s", show(s.min), show(s.max), show(n))
}

// checkText checks a text against the allowed values or the row's own check.
func checkText(s *setting, text string) error {
	if strings.ContainsRune(text, 0) {
		return fmt.Errorf("contains a NUL byte")
	}
	if len(s.allowed) > 0 && !slices.Contains(s.allowed, text) {
		return fmt.Errorf("want %s, got %q%s", oneOf(s.allowed), text, didYouMean(suggest(text, s.allowed)))
	}
	if s.check != nil && text != "" {
		return s.check(text)
	}
	return nil
}

// checkItems checks the elements of a list and returns the number of a bad one.
func checkItems(s *setting, list []string) (int, error) {
	for i, item := range list {
		if item == "" {
			return i, fmt.Errorf("an element is empty: remove it")
		}
		if !s.repeats && slices.Contains(list[:i], item) {
			return i, fmt.Errorf("%q is listed twice: keep one", item)
		}
		if s.check != nil {
			if err := s.check(item); err != nil {
				return i, err
			}
		}
	}
	return 0, nil
}

// splitList splits at commas; blanks around an element do not count.
func splitList(text string) ([]string, error) {
	list := strings.Split(text, ",")
	for i, item := range list {
		list[i] = strings.TrimSpace(item)
		if list[i] == "" {
			return nil, fmt.Errorf("an element is empty: write a,b")
		}
	}
	return list, nil
}

// splitPairs splits "a=1,b=2". A piece without = belongs to the value before it,
// because topic settings have commas in them (cleanup.policy=compact,delete).
func splitPairs(text string) (map[string]string, error) {
	m, last := map[string]string{}, ""
	for _, piece := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(piece, "=")
		name = strings.TrimSpace(name)
		switch _, twice := m[name]; {
		case !ok && last != "":
			m[last] += "," + piece
			continue
		case !ok || name == "":
			return nil, fmt.Errorf("want name=value,name=value")
		case twice:
			return nil, fmt.Errorf("%q is set twice: keep one", name)
		}
		m[name], last = strings.TrimSpace(value), name
	}
	return m, nil
}

// nodePairs reads a mapping of scalars; numbers and booleans are taken as written.
func nodePairs(n *yaml.Node) (map[string]string, *yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, nil, fmt.Errorf("want a mapping of names to values, got %s", describe(n))
	}
	m := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], resolve(n.Content[i+1])
		if _, twice := m[key.Value]; twice {
			return nil, key, fmt.Errorf("%q is set twice: keep one", key.Value)
		}
		if key.Kind != yaml.ScalarNode || key.Value == "" {
			return nil, key, fmt.Errorf("want a name, got %s", describe(resolve(key)))
		}
		if value.Kind != yaml.ScalarNode || isNull(value) {
			return nil, n.Content[i+1], fmt.Errorf("%q: want a value, got %s", key.Value, describe(value))
		}
		m[key.Value] = value.Value
	}
	return m, nil, nil
}

var sizeUnits = []struct {
	name string
	n    int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1},
}

// ParseSize reads a number of bytes: "16MiB", "1GB", "65536". Units are B, kB, MB,
// GB (powers of 1000) and KiB, MiB, GiB (powers of 1024).
func ParseSize(text string) (Size, error) {
	number, unit := strings.TrimSpace(text), int64(1)
	for _, u := range sizeUnits {
		if n, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(n), u.n
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("want a size such as 16MiB, 1GB or 65536 (bytes), got %q", text)
	}
	return Size(n * unit), nil
}

// shortDuration writes 10m instead of 10m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if rest, ok := strings.CutSuffix(text, "m0s"); ok {
		text = rest + "m"
	}
	if rest, ok := strings.CutSuffix(text, "h0m"); ok {
		text = rest + "h"
	}
	return text
}

// showValue writes a value as an environment variable would hold it.
func showValue(s *setting, dst any) string {
	switch d := dst.(type) {
	case *string:
		return *d
	case *bool:
		return strconv.FormatBool(*d)
	case *int:
		if *d == 0 && s.def == "" { // 0 stands for the cluster's default
			return ""
		}
		return strconv.Itoa(*d)
	case *Size:
		return d.String()
	case *time.Duration:
		return shortDuration(*d)
	case *Table:
		return d.String()
	case *[]string:
		return strings.Join(*d, ",")
	case *map[string]string:
		pairs := make([]string, 0, len(*d))
		for name, value := range *d {
			pairs = append(pairs, name+"="+value)
		}
		slices.Sort(pairs)
		return strings.Join(pairs, ",")
	}
	return ""
}
