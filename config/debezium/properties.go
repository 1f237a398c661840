package debezium

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parseProperties reads Java's .properties format as java.util.Properties.load
// does: comments with # and !, keys that end at '=', ':' or a blank, continuation
// lines, escapes and \uXXXX. Bytes are UTF-8, or ISO-8859-1 when they are not valid
// UTF-8. The entries come in the order of the file, doubles included.
func parseProperties(data []byte) ([]entry, error) {
	text := decode(data)
	var entries []entry
	for number := 1; text != ""; {
		start := number
		logical, rest, lines := logicalLine(text)
		text, number = rest, number+lines
		if logical == "" {
			continue
		}
		key, value := splitPair(logical)
		name, err := unescape(key)
		if err == nil {
			value, err = unescape(value)
		}
		if err != nil {
			return nil, refuse(start, "%s", err)
		}
		entries = append(entries, entry{name: name, as: name, value: value, line: start})
	}
	return entries, nil
}

// decode makes text of the bytes of a file.
func decode(data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if utf8.Valid(data) {
		return string(data)
	}
	latin := make([]rune, len(data))
	for i, c := range data {
		latin[i] = rune(c)
	}
	return string(latin)
}

// blanks are what the format takes for white space within a line.
const blanks = " \t\f"

// logicalLine takes one logical line off the text: natural lines joined where one
// ends in an odd number of backslashes. A blank or comment line comes back as "".
func logicalLine(text string) (logical, rest string, lines int) {
	var b strings.Builder
	for {
		natural := text
		at := strings.IndexAny(text, "\r\n")
		last := at < 0
		if last {
			text = ""
		} else {
			natural = text[:at]
			if strings.HasPrefix(text[at:], "\r\n") {
				at++
			}
			text = text[at+1:]
		}
		lines++
		natural = strings.TrimLeft(natural, blanks)
		if b.Len() == 0 && (natural == "" || natural[0] == '#' || natural[0] == '!') {
			return "", text, lines
		}
		slashes := len(natural) - len(strings.TrimRight(natural, `\`))
		if slashes%2 == 0 {
			b.WriteString(natural)
			return b.String(), text, lines
		}
		b.WriteString(natural[:len(natural)-1])
		if last || text == "" {
			return b.String(), text, lines
		}
	}
}

// splitPair splits a logical line at the first separator that is not escaped.
func splitPair(line string) (key, value string) {
	end := 0
	for end < len(line) && !strings.ContainsRune("=:"+blanks, rune(line[end])) {
		if line[end] == '\\' && end+1 < len(line) {
			end++
		}
		end++
	}
	value = strings.TrimLeft(line[end:], blanks)
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], blanks)
	}
	return line[:end], value
}

// unescape resolves \t, \n, \r, \f, \uXXXX, and drops the backslash before anything
// else. Halves of a surrogate pair are joined.
func unescape(text string) (string, error) {
	if !strings.Contains(text, `\`) {
		return text, nil
	}
	var b strings.Builder
	var high rune // a surrogate that waits for its second half
	flush := func() {
		if high != 0 {
			b.WriteRune(utf8.RuneError)
			high = 0
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '\\' {
			flush()
			b.WriteByte(c)
			continue
		}
		if i++; i == len(text) {
			break
		}
		if text[i] != 'u' {
			flush()
			if plain := strings.IndexByte("tnrf", text[i]); plain >= 0 {
				b.WriteByte("\t\n\r\f"[plain])
			} else {
				b.WriteByte(text[i])
			}
			continue
		}
		r, ok := hex4(text[i+1:])
		if !ok {
			return "", fmt.Errorf(`has a malformed \uXXXX: write four hexadecimal digits, or \\u for a backslash`)
		}
		i += 4
		switch joined := utf16.DecodeRune(high, r); {
		case high != 0 && joined != utf8.RuneError:
			b.WriteRune(joined)
			high = 0
		case 0xd800 <= r && r < 0xdc00:
			flush()
			high = r
		default:
			flush()
			b.WriteRune(r) // a lone second half becomes U+FFFD
		}
	}
	flush()
	return b.String(), nil
}

// hex4 reads four hexadecimal digits.
func hex4(text string) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range []byte(text[:4]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 + rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 + rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return r, true
}
