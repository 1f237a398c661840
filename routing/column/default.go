package column

import (
	"regexp"
	"strings"

	"github.com/walrelay/walrelay/routing/connect"
)

// Debezium reads a default from its expression: the first quoted literal in it,
// without regard for doubled quotes, or the whole of it when nothing is quoted.
// An expression that begins like the call of a function stands for a value of the
// type's own, as do the functions that are called without parentheses.
var (
	literalPattern  = regexp.MustCompile(`'([^\n\r\x{85}\x{2028}\x{2029}]*?)'`)
	functionPattern = regexp.MustCompile(`^\(?[A-Za-z0-9_.]+\([^\n\r\x{85}\x{2028}\x{2029}]*\)`)
	functionNames   = map[string]bool{"current_timestamp": true, "current_time": true, "current_date": true, "localtime": true, "localtimestamp": true}
)

// placeholders are the types whose defaults Debezium reads, with what stands for
// a function.
var placeholders = map[string]string{
	"bit": "00", "varbit": "0", "bool": "false", "bpchar": "", "varchar": "", "text": "",
	"numeric": "0.0", "float4": "0.0", "float8": "0.0", "int2": "0", "int4": "0", "int8": "0",
	"json": "{}", "jsonb": "{}", "xml": "", "uuid": "00000000-0000-0000-0000-000000000000",
	"date": "1970-01-01", "time": "00:00:00", "timestamp": "1970-01-01", "timestamptz": "1970-01-01", "interval": "00:00:00",
}

// untrimmed are those whose expression is taken with blanks around it.
var untrimmed = map[string]bool{"bpchar": true, "varchar": true, "text": true, "json": true, "jsonb": true, "xml": true}

// defaultOf is the default in the schema of a column, nil for none.
func defaultOf(c *Column, t *shape, p *part, m Modes) *connect.Value {
	if c.Default == "" || c.Domain != "" || t.element != nil || p.schema.Type == connect.Struct {
		return nil
	}
	var text string
	if t.enum {
		label, ok := enumDefault(c.Default, t.name)
		if !ok {
			return nil
		}
		text = label
	} else {
		placeholder, ok := placeholders[t.name]
		if !ok {
			return nil
		}
		expression := c.Default
		if !untrimmed[t.name] {
			expression = strings.Trim(expression, blanks)
		}
		if text, ok = extract(expression, placeholder); !ok {
			return nil
		}
	}
	v, err := readDefault([]byte(text), t, p, m)
	if err != nil || v.Null {
		return nil
	}
	return &v
}

// blanks are what Java's String.trim takes off.
const blanks = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f "

// extract gives the text of a default; not ok when there is none.
func extract(expression, placeholder string) (text string, ok bool) {
	switch {
	case functionPattern.MatchString(expression) || functionNames[strings.ToLower(expression)]:
		return placeholder, true
	case !strings.Contains(expression, "'"):
		return expression, !strings.HasPrefix(expression, "NULL::")
	}
	found := literalPattern.FindStringSubmatch(expression)
	if found == nil {
		return "", false // the literal has more than one line
	}
	return found[1], !strings.HasPrefix(expression, "NULL::")
}

// enumDefault reads 'label'::type, with doubled quotes left in the label.
func enumDefault(expression, typeName string) (label string, ok bool) {
	at := strings.LastIndex(expression, "::")
	if at < 0 {
		return "", false
	}
	value := expression[:at]
	if lastIdentifier(expression[at+2:]) != typeName || len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
		return "", false
	}
	return value[1 : len(value)-1], true
}

// lastIdentifier is the name in [schema.]name, either of them quoted or not.
func lastIdentifier(qualified string) string {
	var parts []string
	var name strings.Builder
	quoted := false
	for i := 0; i < len(qualified); i++ {
		switch c := qualified[i]; {
		case c == '"' && quoted && i+1 < len(qualified) && qualified[i+1] == '"':
			name.WriteByte('"')
			i++
		case c == '"':
			quoted = !quoted
		case c == '.' && !quoted:
			parts = append(parts, name.String())
			name.Reset()
		default:
			name.WriteByte(c)
		}
	}
	if parts = append(parts, name.String()); len(parts) == 1 {
		return parts[0]
	}
	return parts[1]
}

// readDefault makes the value of a default's text. What it borrows it keeps.
func readDefault(text []byte, t *shape, p *part, m Modes) (connect.Value, error) {
	var a connect.Arena
	mapper := &mapper{modes: m}
	switch t.name {
	case "bool":
		if strings.EqualFold(string(text), "true") {
			return connect.Value{Int: 1}, nil
		}
		return connect.Value{}, nil
	case "bit":
		if len(text) == 1 && p.schema.Type == connect.Bytes {
			v := connect.Value{Data: []byte{0}} // as Debezium makes a boolean of it first
			if text[0] == '1' {
				v.Data[0] = 1
			}
			return v, nil
		}
		if p.schema.Type == connect.Boolean {
			return bitDefault(text)
		}
	case "varbit":
		if p.schema.Type == connect.Boolean {
			return bitDefault(text)
		}
	case "numeric":
		if special(text) != "" {
			return null, warned
		}
	case "uuid":
		return uuidDefault(text)
	case "date":
		_, write := mapper.date()
		return dateDefault(text, &a, write)
	case "time":
		if string(text) == "24:00:00" {
			_, write := mapper.time(t.scale())
			return write(nanosPerDay-1, &a), nil
		}
	case "timestamp":
		_, write := mapper.timestamp(t.scale())
		return timestampDefault(text, &a, p, write)
	case "timestamptz":
		i, infinite, ok := defaultInstant(text)
		if !ok || infinite {
			return null, warned
		}
		return connect.Value{Data: appendInstant(nil, i, t.scale())}, nil
	}
	return p.read(text, &a)
}

// bitDefault is false for 0 and every other string of zeros.
func bitDefault(text []byte) (connect.Value, error) {
	if len(text) == 0 || strings.Trim(string(text), "01") != "" {
		return null, warned
	}
	if strings.Contains(string(text), "1") {
		return connect.Value{Int: 1}, nil
	}
	return connect.Value{}, nil
}

func uuidDefault(text []byte) (connect.Value, error) {
	if len(text) != 36 {
		return null, warned
	}
	lower := strings.ToLower(string(text))
	for i, c := range []byte(lower) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return null, warned
		}
	}
	return connect.Value{Data: []byte(lower)}, nil
}

// The ends of java.time's range, which stand for infinite defaults.
var (
	lastInstant  = instant{seconds: 365241780471*secondsPerDay + secondsPerDay - 1, nanos: nanosPerSec - 1}
	firstInstant = instant{seconds: -365243219162 * secondsPerDay}
)

// defaultInstant reads a date or a timestamp, at UTC when it does not say.
func defaultInstant(text []byte) (i instant, endless, ok bool) {
	switch infinite(text) {
	case 1:
		return lastInstant, true, true
	case -1:
		return firstInstant, true, true
	}
	var t moment
	if rest, ok := t.parseDate(text); ok && t.parseEra(rest) {
		return t.instant(epochDay(t.year, t.month, t.day)), false, true
	}
	if t, ok = parseTimestamp(text, true); !ok {
		return i, false, false
	}
	return t.instant(epochDay(t.year, t.month, t.day)), false, true
}

func dateDefault(text []byte, a *connect.Arena, write dateWriter) (connect.Value, error) {
	i, _, ok := defaultInstant(text)
	if !ok {
		return null, warned
	}
	return write(i.day(), a), nil
}

func timestampDefault(text []byte, a *connect.Arena, p *part, write timestampWriter) (connect.Value, error) {
	i, endless, ok := defaultInstant(text)
	millis := strings.HasSuffix(p.schema.Name, ".Timestamp") // io.debezium.time's and Connect's
	if !ok || endless && millis {
		return null, warned
	}
	return write(i, a), nil
}
