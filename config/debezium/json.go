package debezium

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// parseJSON reads what Kafka Connect's REST interface takes and gives: a mapping of
// options, or one with a name and a "config" that holds them. Values may be numbers
// and booleans.
func parseJSON(data []byte) ([]entry, error) {
	text := bytes.TrimPrefix(data, []byte("\ufeff"))
	p := &jsonParser{data: text, dec: json.NewDecoder(bytes.NewReader(text))}
	p.dec.UseNumber()
	if _, err := p.dec.Token(); err != nil { // the '{' that parse saw
		return nil, p.syntax(err)
	}
	if err := p.object("", 0); err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse(p.line(), "goes on after the end of the JSON object: want one connector a file")
	}
	if !p.wrapped {
		return p.outer, nil
	}
	entries := p.config
	for _, e := range p.outer { // beside "config" stand the name and what Connect tells about the connector
		inside := func(c entry) bool { return c.name == "name" }
		switch {
		case e.name == "name" && slices.ContainsFunc(entries, inside):
			continue // the same again, as Connect's answers have it
		case !slices.Contains([]string{"name", "tasks", "type", "initial_state"}, e.name):
			e.name = "beside config: " + e.name // no option of the connector
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// jsonParser reads the object token by token, for the sake of line numbers.
type jsonParser struct {
	data    []byte
	dec     *json.Decoder
	outer   []entry // of the object itself
	config  []entry // of its "config"
	wrapped bool
}

func (p *jsonParser) line() int { return lineOf(p.data, int(p.dec.InputOffset())) }

// syntax reports what is not JSON.
func (p *jsonParser) syntax(err error) error {
	var bad *json.SyntaxError
	line := p.line()
	if errors.As(err, &bad) {
		line = lineOf(p.data, int(bad.Offset)-1)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(line, "is not complete: the JSON ends here")
	}
	return refuse(line, "is no valid JSON here or just before")
}

// object reads the members up to the closing brace; prefix is "config" inside it.
func (p *jsonParser) object(prefix string, depth int) error {
	for p.dec.More() {
		token, err := p.dec.Token()
		if err != nil {
			return p.syntax(err)
		}
		name, _ := token.(string) // JSON allows nothing else here
		line := p.line()
		value, err := p.dec.Token()
		if err != nil {
			return p.syntax(err)
		}
		if err := p.member(prefix, name, value, line, depth); err != nil {
			return err
		}
	}
	if _, err := p.dec.Token(); err != nil {
		return p.syntax(err)
	}
	return nil
}

// member takes one member.
func (p *jsonParser) member(prefix, name string, value json.Token, line, depth int) error {
	if delim, ok := value.(json.Delim); ok {
		if delim == '{' && prefix == "" && name == "config" && !p.wrapped {
			p.wrapped = true
			return p.object("config", depth+1)
		}
		if prefix == "config" {
			return refuse(line, "%s: want text, a number or true or false, got a list or an object", name)
		}
		if err := p.skip(); err != nil {
			return err
		}
		p.outer = append(p.outer, entry{name: name, as: name, value: "…", line: line})
		return nil
	}
	text := ""
	switch v := value.(type) {
	case nil:
		return nil // Kafka Connect takes null for not set
	case string:
		text = v
	case json.Number:
		text = v.String()
	default:
		text = fmt.Sprint(v)
	}
	e := entry{name: name, as: name, value: text, line: line}
	if prefix == "config" {
		p.config = append(p.config, e)
	} else {
		p.outer = append(p.outer, e)
	}
	return nil
}

// skip reads to the end of a list or object that has begun.
func (p *jsonParser) skip() error {
	for depth := 1; depth > 0; {
		token, err := p.dec.Token()
		if err != nil {
			return p.syntax(err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}
