package config

import (
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds what is read as configuration.
const maxFile = 1 << 20

// section is a mapping of the file: its keys are sections or settings.
type section struct {
	names    []string // in the order of the table
	sections map[string]*section
	settings map[string]*setting
}

// schema is the table as a tree.
var schema = func() *section {
	root := newSection()
	for _, s := range settings {
		at := root
		parts := strings.Split(s.key, ".")
		for _, p := range parts[:len(parts)-1] {
			next := at.sections[p]
			if next == nil {
				next = newSection()
				at.sections[p] = next
				at.names = append(at.names, p)
			}
			at = next
		}
		at.settings[s.last()] = s
		at.names = append(at.names, s.last())
	}
	return root
}()

func newSection() *section {
	return &section{sections: map[string]*section{}, settings: map[string]*setting{}}
}

// file reads the configuration file, if there is one.
func (l *loader) file(path string) {
	from := Origin{rank: fromFlag, name: "config"}
	if path == "" {
		path, from = l.env["WALRELAY_CONFIG"], Origin{rank: fromEnv, name: "WALRELAY_CONFIG"}
	}
	if path == "" {
		if _, err := os.Stat(DefaultFile); err != nil && os.IsNotExist(err) {
			return
		}
		path, from = DefaultFile, Origin{}
	}
	l.c.File = path
	info, err := os.Stat(path)
	if err == nil && (info.IsDir() || info.Size() > maxFile) {
		l.unreadable(from, "%s is no configuration file: name a YAML file", path)
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		l.unreadable(from, "%s", fileError(path, err))
		return
	}
	l.yaml(data)
}

// unreadable reports that nothing of the file can be used. What is missing is not
// reported then: it may well be in the file.
func (l *loader) unreadable(where Origin, format string, args ...any) {
	l.problem(where, "", format, args...)
	l.blind = true
}

// yaml walks the document. It never decodes into Go values: the nodes keep line
// and column, and text stays as it was written.
func (l *loader) yaml(data []byte) {
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if err.Error() != "EOF" { // an empty file is a valid one
			l.syntax(data, err)
		}
		return
	}
	if err := dec.Decode(&second); err == nil {
		l.unreadable(l.place(&second), "a second document begins here: keep one")
		return
	} else if err.Error() != "EOF" {
		l.syntax(data, err)
		return
	}
	l.section(schema, "", doc.Content[0], 0)
}

var (
	yamlLine   = regexp.MustCompile(`^line (\d+): (.*)$`)
	yamlAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntax reports what the YAML parser says. The text of an unknown anchor is left
// out: it is the beginning of a value, and that may be a password.
func (l *loader) syntax(data []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
		if strings.HasPrefix(text, "did not find expected") {
			line++ // the parser counts from 0 here, the scanner from 1
		}
	}
	lines := strings.Split(string(data), "\n")
	line = max(1, min(line, len(lines)))
	col := 1 + len(lines[line-1]) - len(strings.TrimLeft(lines[line-1], " \t"))
	if m := yamlAnchor.FindStringSubmatch(text); m != nil {
		text = "a value begins with *, which YAML takes for an alias: put it in quotes"
		for i, s := range lines {
			if at := strings.Index(s, "*"+m[1]); at >= 0 {
				line, col = i+1, at+1
				break
			}
		}
	} else {
		text += ": not valid YAML here or just before"
	}
	l.unreadable(Origin{rank: fromFile, name: l.c.File, line: line, col: col}, "%s", text)
}

func (l *loader) place(n *yaml.Node) Origin {
	return Origin{rank: fromFile, name: l.c.File, line: n.Line, col: n.Column}
}

// section walks one mapping; prefix is its key with a dot, i the outbox.
func (l *loader) section(sec *section, prefix string, n *yaml.Node, i int) {
	place := l.place(n)
	n = resolve(n)
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		l.problem(place, strings.TrimSuffix(prefix, "."), "want a mapping, got %s", describe(n))
		l.blind = l.blind || prefix == ""
		return
	}
	seen := map[string]*yaml.Node{}
	for k := 0; k+1 < len(n.Content); k += 2 {
		key, value := n.Content[k], n.Content[k+1]
		name := key.Value
		if key.Kind != yaml.ScalarNode {
			l.problem(l.place(key), strings.TrimSuffix(prefix, "."), "want a key, got %s", describe(resolve(key)))
			continue
		}
		if first := seen[name]; first != nil {
			l.problem(l.place(key), prefix+name, "set twice, first at line %d: keep one", first.Line)
			continue
		}
		seen[name] = key
		switch {
		case prefix == "" && name == "outbox":
			l.outbox(sec.sections[name], value)
		case sec.sections[name] != nil:
			if prefix+name == "kafka.topics.create" && !isNull(resolve(value)) {
				l.c.creation()
			}
			l.section(sec.sections[name], prefix+name+".", value, i)
		case sec.settings[name] != nil:
			l.node(sec.settings[name], prefix+name, value, i)
		default:
			l.problem(l.place(key), prefix+name, "unknown key%s", suggestKey(sec, name))
		}
	}
}

// outbox walks the one section that may also be a list.
func (l *loader) outbox(sec *section, n *yaml.Node) {
	l.c.origins["outbox"] = l.place(n)
	list := resolve(n)
	if list.Kind != yaml.SequenceNode {
		l.section(sec, "outbox.", n, 0)
		return
	}
	if len(list.Content) == 0 {
		l.problem(l.place(n), "outbox", "is empty: list at least one table")
		return
	}
	l.c.listed = true
	l.c.Outbox = make([]Outbox, len(list.Content))
	for i, item := range list.Content {
		prefix := "outbox[" + strconv.Itoa(i) + "]"
		l.section(sec, prefix+".", item, i)
		if !l.c.Given(prefix+".table") && !l.bad[prefix+".table"] && !l.bad[prefix] {
			l.problem(l.place(item), prefix+".table", "required in a list: name the table")
		}
	}
}

// node gives a setting its value from the file. A null means as if the key were
// not there.
func (l *loader) node(s *setting, key string, n *yaml.Node, i int) {
	place := l.place(n)
	n = resolve(n)
	if isNull(n) {
		return
	}
	items, at, err := setNode(s, s.at(l.c, i), n)
	if err != nil {
		if at != nil {
			place = l.place(at)
		}
		l.problem(place, key, "%s", err)
		return
	}
	l.put(key, place)
	for _, item := range items {
		l.items[key] = append(l.items[key], l.place(item))
	}
}

// resolve follows an alias to its anchor.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// describe names what a node is, never what it says.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	case "!!null":
		return "nothing"
	case "!!str":
		return "text"
	}
	return "a value with the tag " + strconv.Quote(n.ShortTag())
}
