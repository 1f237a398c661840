package column

import "github.com/walrelay/walrelay/routing/connect"

var errArray = fault("an array is not in PostgreSQL's format")

// optionalItems are the element types whose schema Debezium makes optional in an
// array. A NULL among elements of other types it can't convert.
var optionalItems = map[string]bool{
	"int2": true, "int4": true, "int8": true, "oid": true, "float4": true, "float8": true, "bool": true, "numeric": true,
	"char": true, "varchar": true, "text": true, "bpchar": true, "citext": true, "ltree": true,
	"inet": true, "cidr": true, "macaddr": true, "macaddr8": true, "uuid": true, "json": true, "jsonb": true,
	"tsrange": true, "tstzrange": true, "daterange": true, "int4range": true, "numrange": true, "int8range": true,
	"date": true, "time": true, "timetz": true, "timestamp": true, "timestamptz": true, "bytea": true,
	"hstore": true, "geometry": true, "geography": true,
}

// array is the part for an array.
func (m *mapper) array(t *shape) *part {
	element := t.element
	if unmappedArrays[element.name] && !element.enum {
		return nil
	}
	switch {
	case t.name == "int2vector" || t.name == "oidvector":
		s := plainType(connect.Array)
		s.Items = &m.scalar(element).schema
		return &part{schema: s, read: readNoItems}
	case element.name == "bit":
		// Debezium gives the column its element's schema, which no array fits.
		p := m.scalar(element)
		return &part{schema: p.schema, read: func([]byte, *connect.Arena) (connect.Value, error) { return null, warned }}
	}
	p := m.scalar(element)
	if p == nil {
		return nil
	}
	reader := arrayReader{read: p.read, nested: p.nested, delimiter: ',', required: true}
	if p.element != nil {
		reader.read = p.element
	}
	items := p.schema
	if optionalItems[element.name] && !element.enum && !element.domain {
		items.Optional, reader.required = true, element.name == "ltree" // which fails on NULL all the same
	}
	switch element.name {
	case "box":
		reader.delimiter = ';'
	case "geometry", "geography":
		reader.delimiter = ':'
	}
	s := plainType(connect.Array)
	s.Items = &items
	return &part{schema: s, read: reader.readArray}
}

// readNoItems is for the vectors of pg_catalog, whose format is not an array's.
func readNoItems(text []byte, _ *connect.Arena) (connect.Value, error) {
	if len(text) == 0 {
		return null, warned
	}
	return connect.Value{}, nil
}

// arrayReader reads the arrays of one type.
type arrayReader struct {
	read      reader
	nested    reader // nil: Null
	required  bool   // elements must not be NULL
	delimiter byte
}

// readArray reads an array of one dimension. Of more, Debezium has what Java
// prints for an inner array where elements are strings; that names an address, so
// here it is the inner array's text. Elsewhere it has null.
func (r *arrayReader) readArray(text []byte, a *connect.Arena) (connect.Value, error) {
	body := text
	if len(body) > 0 && body[0] == '[' { // bounds: [2:3]={...}
		if _, after, found := cut(body, '='); found {
			body = after
		}
	}
	n, ok := r.countItems(body)
	if !ok {
		return null, errArray
	}
	items, rest := a.Values(n), body[1:]
	for i := range items {
		var item []byte
		item, rest = r.cutItem(rest)
		v, err := r.readItem(item, a)
		if err == nil && v.Null && r.required {
			err = warned
		}
		if err != nil {
			return null, err
		}
		items[i] = v
	}
	return connect.Value{Items: items}, nil
}

func (r *arrayReader) readItem(item []byte, a *connect.Arena) (connect.Value, error) {
	switch {
	case item[0] == '{':
		if r.nested == nil {
			return null, nil
		}
		return r.nested(item, a)
	case item[0] == '"':
		item = item[1 : len(item)-1]
		for _, c := range item {
			if c == '\\' {
				return r.read(unescape(item, a), a)
			}
		}
	case string(item) == "NULL":
		return null, nil
	case item[0] == ' ': // PostgreSQL quotes an item with blanks
		return null, errArray
	}
	return r.read(item, a)
}

// countItems checks {...} as a whole and counts its items.
func (r *arrayReader) countItems(text []byte) (n int, ok bool) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return 0, false
	}
	if len(text) == 2 {
		return 0, true
	}
	for rest := text[1:]; ; {
		item, after := r.cutItem(rest)
		if len(item) == 0 || len(after) == 0 && (len(rest) == len(item) || rest[len(item)] == r.delimiter) {
			return 0, false
		}
		n++
		if len(after) == 0 {
			return n, true
		}
		rest = after
	}
}

// cutItem splits off the item at the beginning of the rest of an array, with its
// quotes or braces; after is what follows the delimiter, nothing at the array's
// end. An item of nothing says that the text is no array.
func (r *arrayReader) cutItem(text []byte) (item, after []byte) {
	depth, quoted, closed := 0, false, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted, closed = false, true
			}
		case c == '"' && (i == 0 || depth > 0):
			quoted = true
		case c == '{' && (i == 0 || depth > 0):
			depth++
		case c == '}' && depth > 0:
			depth--
			closed = true
		case depth > 0:
		case c == r.delimiter:
			return text[:i], text[i+1:]
		case c == '}':
			if i != len(text)-1 {
				return nil, nil
			}
			return text[:i], nil
		case closed || c == '"' || c == '{' || c == '\\':
			return nil, nil // something behind quotes or braces, or quotes within
		}
	}
	return nil, nil
}
