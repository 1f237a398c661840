package connect

import (
	"slices"
	"strconv"
)

// schemaTexts keeps the JSON texts of schemas that come again: those of columns,
// which live as long as their table does not change. Schemas that are made for
// one event, as those of expanded payloads, do not come again; they are not kept
// and drive nothing out.
type schemaTexts struct {
	texts map[*Schema][]byte
	size  int // bytes in texts
	// seen are the schemas seen last that are not kept: one of them that comes
	// again is kept from then on.
	seen [128]*Schema
	next int
}

// What is kept at most; then all is forgotten and learnt anew.
const (
	maxTexts     = 1024
	maxTextBytes = 8 << 20
)

func (t *schemaTexts) append(dst []byte, s *Schema, c *jsonConverter) ([]byte, error) {
	if text, ok := t.texts[s]; ok {
		return append(dst, text...), nil
	}
	start := len(dst)
	dst, err := c.appendSchema(dst, s, "", 1)
	if err != nil {
		return dst, err
	}
	if slices.Contains(t.seen[:], s) {
		t.keep(s, dst[start:])
		return dst, nil
	}
	t.seen[t.next] = s
	t.next = (t.next + 1) % len(t.seen)
	return dst, nil
}

func (t *schemaTexts) keep(s *Schema, text []byte) {
	if len(t.texts) >= maxTexts || t.size+len(text) > maxTextBytes {
		t.texts, t.size = nil, 0
	}
	if len(text) > maxTextBytes {
		return
	}
	if t.texts == nil {
		t.texts = make(map[*Schema][]byte)
	}
	t.texts[s] = slices.Clone(text)
	t.size += len(text)
}

// appendSchema appends the JSON text of s; field is the name of the field whose
// schema it is, "" for none.
func (c *jsonConverter) appendSchema(dst []byte, s *Schema, field string, depth int) (_ []byte, err error) {
	if s == nil {
		return dst, errNoSchema
	}
	if s.Type < Int8 || s.Type > Struct {
		return dst, errNoType
	}
	if depth++; depth > maxDepth {
		return dst, errDepth
	}
	dst = append(append(append(dst, `{"type":"`...), typeTexts[s.Type]...), '"')
	if dst, err = c.appendParts(dst, s, depth); err != nil {
		return dst, err
	}
	dst = strconv.AppendBool(append(dst, `,"optional":`...), s.Optional)
	if s.Name != "" {
		dst = appendQuotedName(append(dst, `,"name":`...), s.Name)
	}
	if s.HasVersion {
		dst = strconv.AppendInt(append(dst, `,"version":`...), int64(s.Version), 10)
	}
	if s.Doc != "" {
		dst = appendQuotedName(append(dst, `,"doc":`...), s.Doc)
	}
	if len(s.Parameters) > 0 {
		if depth >= maxDepth {
			return dst, errDepth
		}
		dst = appendParameters(append(dst, `,"parameters":`...), s.Parameters)
	}
	if s.Default != nil && !s.Default.Null {
		if dst, err = c.value(append(dst, `,"default":`...), s, s.Default, depth); err != nil {
			return dst, err
		}
	}
	if field != "" {
		dst = appendQuotedName(append(dst, `,"field":`...), field)
	}
	return append(dst, '}'), nil
}

// appendParts appends the schemas of what a value of s is made of.
func (c *jsonConverter) appendParts(dst []byte, s *Schema, depth int) (_ []byte, err error) {
	switch s.Type {
	case Array:
		return c.appendSchema(append(dst, `,"items":`...), s.Items, "", depth)
	case Map:
		if dst, err = c.appendSchema(append(dst, `,"keys":`...), s.Keys, "", depth); err != nil {
			return dst, err
		}
		return c.appendSchema(append(dst, `,"values":`...), s.Items, "", depth)
	case Struct:
		if depth++; depth > maxDepth {
			return dst, errDepth
		}
		dst = append(dst, `,"fields":[`...)
		for i := range s.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = c.appendSchema(dst, s.Fields[i].Schema, s.Fields[i].Name, depth); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	}
	return dst, nil
}

func appendParameters(dst []byte, parameters []Parameter) []byte {
	dst = append(dst, '{')
	for i, p := range parameters {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuotedName(dst, p.Name), ':')
		dst = appendQuotedName(dst, p.Value)
	}
	return append(dst, '}')
}
