package column

import (
	"sort"
	"unicode/utf8"

	"github.com/walrelay/walrelay/routing/connect"
)

var errHStore = fault("an hstore is not in PostgreSQL's format")

// hstore is the part for hstore. Both modes have the pairs in the order of the
// java.util.HashMap that Debezium reads them into.
func (m *mapper) hstore() *part {
	if m.modes.HStore == "map" {
		s := plainType(connect.Map)
		s.Keys, s.Items = &connect.Schema{Type: connect.String}, &connect.Schema{Type: connect.String, Optional: true}
		return &part{schema: s, read: func(text []byte, a *connect.Arena) (connect.Value, error) {
			pairs, err := parseHStore(text, a)
			return connect.Value{Items: pairs}, err
		}}
	}
	return &part{schema: logical(connect.String, "io.debezium.data.Json"), read: func(text []byte, a *connect.Arena) (connect.Value, error) {
		pairs, err := parseHStore(text, a)
		if err != nil {
			return null, err
		}
		return connect.Value{Data: appendObject(room(a, 2*len(text)+2), pairs)}, nil
	}}
}

// parseHStore reads "key"=>"value", "key"=>NULL into keys and values by turns.
func parseHStore(text []byte, a *connect.Arena) ([]connect.Value, error) {
	if len(text) == 0 {
		return nil, nil
	}
	n := 1
	for rest := text; ; n++ { // once for the number of pairs, which the arena has to know
		var ok bool
		if rest, ok = skipPair(rest); !ok {
			return nil, errHStore
		}
		if len(rest) == 0 {
			break
		}
		if len(rest) < 3 || rest[0] != ',' || rest[1] != ' ' {
			return nil, errHStore
		}
		rest = rest[2:]
	}
	pairs, rest := a.Values(2*n), text
	for i := 0; i < len(pairs); i += 2 {
		pairs[i].Data, rest = unquote(rest, a)
		rest = rest[len("=>"):]
		if rest[0] == 'N' {
			pairs[i+1].Null, rest = true, rest[len("NULL"):]
		} else {
			pairs[i+1].Data, rest = unquote(rest, a)
		}
		if len(rest) > 0 {
			rest = rest[len(", "):]
		}
	}
	hashMapOrder(pairs, 16*3/4, func(key *connect.Value) int32 { return stringHash(key.Data) })
	return pairs, nil
}

// skipPair checks one pair and gives what follows it.
func skipPair(text []byte) (rest []byte, ok bool) {
	if rest, ok = skipQuoted(text); !ok || len(rest) < 3 || rest[0] != '=' || rest[1] != '>' {
		return nil, false
	}
	rest = rest[2:]
	if len(rest) >= 4 && string(rest[:4]) == "NULL" {
		return rest[4:], true
	}
	return skipQuoted(rest)
}

func skipQuoted(text []byte) (rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return nil, false
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return text[i+1:], true
		case '\\':
			i++
		}
	}
	return nil, false
}

// unquote reads a quoted string that skipQuoted has accepted.
func unquote(text []byte, a *connect.Arena) (value, rest []byte) {
	end, escaped := 1, false
	for ; text[end] != '"'; end++ {
		if text[end] == '\\' {
			escaped = true
			end++
		}
	}
	raw, rest := text[1:end], text[end+1:]
	if !escaped {
		return raw, rest
	}
	return unescape(raw, a), rest
}

// unescape takes the backslashes off; the last byte is none that stands alone.
func unescape(raw []byte, a *connect.Arena) []byte {
	out := room(a, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' {
			i++
		}
		out = append(out, raw[i])
	}
	return out
}

// appendObject appends pairs as Jackson writes a JSON object.
func appendObject(dst []byte, pairs []connect.Value) []byte {
	dst = append(dst, '{')
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendJSON(dst, pairs[i].Data), ':')
		if pairs[i+1].Null {
			dst = append(dst, "null"...)
		} else {
			dst = appendJSON(dst, pairs[i+1].Data)
		}
	}
	return append(dst, '}')
}

func appendJSON(dst, text []byte) []byte {
	const hexDigits = "0123456789ABCDEF"
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// stringHash is Java's String.hashCode: over UTF-16.
func stringHash(text []byte) (h int32) {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		if r >= 0x10000 {
			r -= 0x10000
			h, r = h*31+0xd800+r>>10, 0xdc00+r&0x3ff
		}
		h = h*31 + r
	}
	return h
}

// hashMapOrder puts keys and values by turns into the order in which a
// java.util.HashMap with room for so many entries goes through them: by bucket,
// in one bucket as they came. (Buckets of eight and more entries become trees,
// which has an order of its own; that is not followed.)
func hashMapOrder(pairs []connect.Value, room int, hash func(key *connect.Value) int32) {
	buckets := 1
	for buckets < room || buckets*3/4 < len(pairs)/2 {
		buckets *= 2
	}
	for i := 0; i < len(pairs); i += 2 {
		h := uint32(hash(&pairs[i]))
		// What a String's value does not use; a number's key keeps it for the end.
		pairs[i+1].Int = int64((h ^ h>>16) & uint32(buckets-1))
	}
	sort.Stable(byBucket(pairs))
	for i := 1; i < len(pairs); i += 2 {
		pairs[i].Int = 0
	}
}

// byBucket sorts pairs by the Int of their values.
type byBucket []connect.Value

func (b byBucket) Len() int           { return len(b) / 2 }
func (b byBucket) Less(i, j int) bool { return b[2*i+1].Int < b[2*j+1].Int }
func (b byBucket) Swap(i, j int) {
	b[2*i], b[2*j] = b[2*j], b[2*i]
	b[2*i+1], b[2*j+1] = b[2*j+1], b[2*i+1]
}
