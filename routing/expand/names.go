package expand

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// adjuster returns name as a valid name for Avro. It is name itself if nothing
// changes; else it is appended to changed.
type adjuster func(name []byte, changed *[]byte) []byte

func adjusterOf(mode string) adjuster {
	switch mode {
	case "avro":
		return adjustAvro
	case "avro_unicode":
		return adjustUnicode
	}
	return nil
}

// adjustAvro puts an underscore for what is no letter, digit or underscore of
// ASCII, and before a digit that comes first (Debezium's
// FieldNameUnderscoreReplacementFunction).
func adjustAvro(name []byte, changed *[]byte) []byte {
	return adjust(name, changed, true)
}

// adjustUnicode puts _uXXXX for what is no letter or digit of ASCII, underscores
// among it, and for a digit that comes first (FieldNameUnicodeReplacementFunction).
func adjustUnicode(name []byte, changed *[]byte) []byte {
	return adjust(name, changed, false)
}

func adjust(name []byte, changed *[]byte, underscore bool) []byte {
	valid := true
	for i, c := range name {
		if !validInName(c, i == 0, underscore) {
			valid = false
			break
		}
	}
	if valid {
		return name
	}
	from := len(*changed)
	out := *changed
	for i := 0; i < len(name); {
		if validInName(name[i], i == 0, underscore) {
			out = append(out, name[i])
			i++
			continue
		}
		r, size := decode(name[i:])
		switch {
		case underscore && r > 0xFFFF:
			out = append(out, "__"...)
		case underscore:
			out = append(out, '_')
			if i == 0 && unicode.IsDigit(r) {
				out = append(out, name[:size]...)
			}
		case r > 0xFFFF:
			out = appendHex(out, 0xD800+(r-0x10000)>>10)
			out = appendHex(out, 0xDC00+(r-0x10000)&0x3FF)
		default:
			out = appendHex(out, r)
		}
		i += size
	}
	*changed = out
	return out[from:len(out):len(out)]
}

func validInName(c byte, first, underscore bool) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' && underscore || '0' <= c && c <= '9' && !first
}

// decode reads a character, or half of a surrogate pair that is alone.
func decode(s []byte) (rune, int) {
	r, size := utf8.DecodeRune(s)
	if r == utf8.RuneError && size == 1 && len(s) >= 3 && s[0] == 0xED {
		return 0xD000 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), 3
	}
	return r, size
}

func appendHex(dst []byte, unit rune) []byte {
	dst = append(dst, "_u"...)
	if unit <= 0xFF {
		dst = append(dst, "00"...) // also before one digit, as there
	}
	return strconv.AppendInt(dst, int64(unit), 16)
}
