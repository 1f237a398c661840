package connect

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// plain are the bytes that stand for themselves in Jackson's strings: all of
// ASCII but controls, the quote and the backslash. DEL and / are among them.
var plain = func() (t [256]bool) {
	for b := 0x20; b < utf8.RuneSelf; b++ {
		t[b] = b != '"' && b != '\\'
	}
	return t
}()

// shortEscape is what follows the backslash of the controls that have a letter.
var shortEscape = [0x20]byte{'\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r'}

// appendQuoted appends text as a JSON string as Jackson writes it: no escapes
// but those that JSON asks for, in upper-case hex, and code points above U+FFFF
// as an escaped surrogate pair; so is half a pair (see appendUTF8). Other bytes
// that are no UTF-8 become U+FFFD.
func appendQuoted(dst, text []byte) []byte {
	dst = slices.Grow(dst, len(text)+2)
	dst = append(dst, '"')
	for i := 0; i < len(text); {
		if n := len(dst); i+8 <= len(text) && n+8 <= cap(dst) {
			// Eight bytes at once: all are stored, and those before the first that
			// is not plain are kept.
			word := binary.LittleEndian.Uint64(text[i : i+8])
			binary.LittleEndian.PutUint64(dst[n:n+8], word)
			special := specialBytes(word)
			if special == 0 {
				dst, i = dst[:n+8], i+8
				continue
			}
			kept := bits.TrailingZeros64(special) / 8
			dst, i = dst[:n+kept], i+kept
		}
		var width int
		dst, width = appendOne(dst, text[i:])
		i += width
	}
	return append(dst, '"')
}

// appendQuotedName is appendQuoted of a name.
func appendQuotedName(dst []byte, name string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(name); {
		var width int
		dst, width = appendOne(dst, name[i:])
		i += width
	}
	return append(dst, '"')
}

// appendOne appends the code point that text, which is not empty, begins with,
// and gives its length in text.
func appendOne[T []byte | string](dst []byte, text T) ([]byte, int) {
	switch b := text[0]; {
	case plain[b]:
		return append(dst, b), 1
	case b >= 0xc2 && b < 0xe0 && len(text) > 1 && text[1]&0xc0 == 0x80:
		return append(dst, b, text[1]), 2
	case b >= utf8.RuneSelf:
		if n := multibyte(text); n == 2 || n == 3 {
			return append(dst, text[:n]...), n
		}
		return appendUnusual(dst, text)
	case b >= 0x20:
		return append(dst, '\\', b), 1
	case shortEscape[b] != 0:
		return append(dst, '\\', shortEscape[b]), 1
	default:
		return append(dst, '\\', 'u', '0', '0', upperHex[b>>4], upperHex[b&15]), 1
	}
}

// specialBytes gives a word whose lowest bit that is set is in the first byte of
// word, from the lowest on, that is not plain; 0 when all are. Each term sets the
// top bit of the bytes that it looks for; a borrow can set one falsely, but only
// above such a byte.
func specialBytes(word uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, backslash := word^ones*'"', word^ones*'\\'
	return (word | (word-ones*0x20)&^word | (quote-ones)&^quote | (backslash-ones)&^backslash) & tops
}

// multibyte gives the length of the code point that text begins with, 0 for what
// is no UTF-8.
func multibyte[T []byte | string](text T) int {
	var head [utf8.UTFMax]byte
	n := copy(head[:], text)
	r, width := utf8.DecodeRune(head[:n])
	if r == utf8.RuneError && width <= 1 {
		return 0
	}
	return width
}

// appendUnusual appends what text begins with: a code point above U+FFFF, half a
// surrogate pair, or a byte that is no UTF-8; and gives its length.
func appendUnusual[T []byte | string](dst []byte, text T) ([]byte, int) {
	var head [utf8.UTFMax]byte
	n := copy(head[:], text)
	if isSurrogate(head[:n]) {
		return appendUnit(dst, 0xd000|uint16(head[1]&0x3f)<<6|uint16(head[2]&0x3f)), 3
	}
	r, width := utf8.DecodeRune(head[:n])
	if r == utf8.RuneError {
		return append(dst, "\ufffd"...), max(width, 1)
	}
	r -= 0x10000
	dst = appendUnit(dst, 0xd800|uint16(r>>10))
	return appendUnit(dst, 0xdc00|uint16(r&0x3ff)), width
}

func appendUnit(dst []byte, u uint16) []byte {
	return append(dst, '\\', 'u', upperHex[u>>12], upperHex[u>>8&15], upperHex[u>>4&15], upperHex[u&15])
}
