package test_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// query is what a PromQL expression asks of its metrics. Prometheus' own parser
// would be the heaviest dependency of the module, and to know names and labels
// takes a tokenizer. Whether an expression is right is judged by a real Prometheus.
type query struct {
	Selectors []selector
	Labels    []string // of by, without, on, ignoring, group_left and group_right
}

// selector is a metric with its label matchers.
type selector struct {
	Metric   string
	Matchers []matcher
}

// matcher is one condition on a label: = != =~ !~.
type matcher struct{ Label, Op, Value string }

// matches says whether a label's value meets the condition.
func (m matcher) matches(value string) bool {
	switch m.Op {
	case "=":
		return value == m.Value
	case "!=":
		return value != m.Value
	}
	return regexp.MustCompile("^(?:"+m.Value+")$").MatchString(value) == (m.Op == "=~")
}

var promToken = regexp.MustCompile(`^(?:#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|` + "`[^`]*`" + `|[0-9][0-9a-zA-Z_.+]*(?:[eE][+-][0-9]+)?|[a-zA-Z_:][a-zA-Z0-9_:]*|=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}\[\],@:])`)

// promWords are neither metrics nor functions.
var promWords = []string{"and", "or", "unless", "offset", "bool", "inf", "nan", "start", "end"}

// promGroups are followed by a list of labels.
var promGroups = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}

// parseQuery reads an expression.
func parseQuery(expr string) (query, error) {
	p := promParser{}
	for rest := strings.TrimSpace(expr); rest != ""; rest = strings.TrimSpace(rest) {
		token := promToken.FindString(rest)
		if token == "" {
			return query{}, fmt.Errorf("what is %.20q in %q?", rest, expr)
		}
		if !strings.HasPrefix(token, "#") {
			p.tokens = append(p.tokens, token)
		}
		rest = rest[len(token):]
	}
	if err := p.parse(); err != nil {
		return query{}, fmt.Errorf("%w in %q", err, expr)
	}
	return p.query, nil
}

type promParser struct {
	tokens []string
	query  query
}

// next takes a token, "" at the end.
func (p *promParser) next() (token string) {
	if len(p.tokens) > 0 {
		token, p.tokens = p.tokens[0], p.tokens[1:]
	}
	return token
}

func (p *promParser) peek(token string) bool { return len(p.tokens) > 0 && p.tokens[0] == token }

func (p *promParser) parse() error {
	var open []string
	for token := p.next(); token != ""; token = p.next() {
		var err error
		switch first := token[0]; {
		case first == '(' || first == '[':
			open = append(open, token)
		case first == ')' || first == ']':
			if len(open) == 0 || open[len(open)-1] != map[string]string{")": "(", "]": "["}[token] {
				return fmt.Errorf("an unexpected %s", token)
			}
			open = open[:len(open)-1]
		case first == '{':
			return fmt.Errorf("a selector without a metric")
		case first == '_' || first >= 'a' && first <= 'z' || first >= 'A' && first <= 'Z':
			err = p.word(token)
		}
		if err != nil {
			return err
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("%s is not closed", open)
	}
	return nil
}

// word is a keyword, a function or aggregation, or a metric.
func (p *promParser) word(name string) error {
	switch lower := strings.ToLower(name); {
	case slices.Contains(promGroups, lower):
		if strings.HasPrefix(lower, "group_") && !p.peek("(") {
			return nil
		}
		return p.labels()
	case slices.Contains(promWords, lower), p.peek("("), p.peek("by"), p.peek("without"):
		return nil
	}
	s := selector{Metric: name}
	if p.peek("{") {
		p.next()
		for !p.peek("}") {
			m := matcher{Label: p.next(), Op: p.next()}
			value := p.next()
			if len(value) < 2 || !slices.Contains([]string{"=", "!=", "=~", "!~"}, m.Op) {
				return fmt.Errorf("a strange matcher %s %s %s", m.Label, m.Op, value)
			}
			m.Value = value[1 : len(value)-1]
			s.Matchers = append(s.Matchers, m)
			if p.peek(",") {
				p.next()
			} else if !p.peek("}") {
				return fmt.Errorf("%s{ is not closed", name)
			}
		}
		p.next()
	}
	p.query.Selectors = append(p.query.Selectors, s)
	return nil
}

// labels takes a list in parentheses.
func (p *promParser) labels() error {
	if p.next() != "(" {
		return fmt.Errorf("no list of labels")
	}
	for !p.peek(")") {
		label := p.next()
		if label == "" {
			return fmt.Errorf("a list of labels that does not end")
		}
		if label != "," {
			p.query.Labels = append(p.query.Labels, label)
		}
	}
	p.next()
	return nil
}

// TestParseQuery: the tokenizer finds every metric and label.
func TestParseQuery(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]query{
		"a_total": {Selectors: []selector{{Metric: "a_total"}}},
		`sum by (le, job) (rate(a_bucket{x="1",y=~"b|c",}[5m:1m] offset 5m)) > 1e-9`: {
			Selectors: []selector{{"a_bucket", []matcher{{"x", "=", "1"}, {"y", "=~", "b|c"}}}}, Labels: []string{"le", "job"}},
		`sum(a) by (x) / on (y) group_left (z) b{c!='d}'} # by (nothing) e`: {
			Selectors: []selector{{Metric: "a"}, {"b", []matcher{{"c", "!=", "d}"}}}}, Labels: []string{"x", "y", "z"}},
		`time() - (a > 0) > 90 and b unless on () c or 1.5 * -d`: {
			Selectors: []selector{{Metric: "a"}, {Metric: "b"}, {Metric: "c"}, {Metric: "d"}}},
		"a * on (x) group_right b:rate5m": {Selectors: []selector{{Metric: "a"}, {Metric: "b:rate5m"}}, Labels: []string{"x"}},
	} {
		got, err := parseQuery(expr)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %v instead of %+v", expr, got, err, want)
		}
	}
	for _, expr := range []string{"sum(a", "a)", "rate(a[5m)", "{x='1'}", "a{x", "a{x=~1}", "a{x='1' y='2'}", "sum by a", "sum by (a", "a ; b"} {
		if got, err := parseQuery(expr); err == nil {
			t.Errorf("%s: no error but %+v", expr, got)
		}
	}
	for m, want := range map[matcher]bool{
		{"x", "=", "a"}: true, {"x", "!=", "a"}: false, {"x", "=~", "b|a"}: true, {"x", "=~", "aa"}: false, {"x", "!~", "b.*"}: true,
	} {
		if m.matches("a") != want {
			t.Errorf("%v matches a: %v", m, !want)
		}
	}
}
