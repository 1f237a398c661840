package column

import (
	"math/big"
	"math/bits"
	"strings"

	"github.com/walrelay/walrelay/routing/connect"
)

var (
	errNumeric = fault("a numeric is no number")
	errMoney   = fault("a money value can't be read: Debezium takes one currency sign before the digits, commas between and a point as in lc_monetary = 'en_US.UTF-8' or 'C'")
)

// The limits of a numeric: digits before the point and after it.
const (
	maxDigits = 131072
	maxScale  = 16383
)

// number is a decimal number as its text: digits, of which the last scale are
// the fraction. A scale below 0 stands for zeros behind the digits.
type number struct {
	negative bool
	whole    []byte // digits before the point
	fraction []byte // digits behind it
	scale    int    // digits of the fraction that count; more than there are stand for zeros
}

// parseNumber reads the decimal number that text is as a whole.
func parseNumber(text []byte) (n number, ok bool) {
	rest := text
	if len(rest) > 0 && (rest[0] == '-' || rest[0] == '+') {
		n.negative, rest = rest[0] == '-', rest[1:]
	}
	n.whole, rest = digits(rest)
	if len(rest) > 0 && rest[0] == '.' {
		n.fraction, rest = digits(rest[1:])
	}
	if len(rest) > 0 || len(n.whole)+len(n.fraction) == 0 || len(n.whole) > maxDigits || len(n.fraction) > maxScale {
		return number{}, false
	}
	n.scale = len(n.fraction)
	return n, true
}

// digits splits off the decimal digits at the beginning.
func digits(text []byte) (found, rest []byte) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return text[:i], text[i:]
}

// rescaled is BigDecimal.setScale without rounding; not ok when digits would be lost.
func (n number) rescaled(scale int) (_ number, ok bool) {
	for len(n.fraction) > scale {
		if n.fraction[len(n.fraction)-1] != '0' {
			return n, false
		}
		n.fraction = n.fraction[:len(n.fraction)-1]
	}
	n.scale = scale
	return n, true
}

// stripped is without zeros at the end of the fraction.
func (n number) stripped() number {
	for len(n.fraction) > 0 && n.fraction[len(n.fraction)-1] == '0' {
		n.fraction = n.fraction[:len(n.fraction)-1]
	}
	n.scale = len(n.fraction)
	return n
}

func (n number) zero() bool {
	for _, part := range [2][]byte{n.whole, n.fraction} {
		for _, c := range part {
			if c != '0' {
				return false
			}
		}
	}
	return true
}

// digit gives the digits of the unscaled value, one after the other.
func (n number) digit(i int) byte {
	if i < len(n.whole) {
		return n.whole[i]
	}
	if i -= len(n.whole); i < len(n.fraction) {
		return n.fraction[i]
	}
	return '0'
}

// length is room enough for the number as text, size for its unscaled bytes: a
// digit takes less than 0.416 of one.
func (n number) length() int { return len(n.whole) + n.scale + 3 }
func (n number) size() int   { return (len(n.whole)+n.scale)*416/1000 + 8 }

// unscaled appends the unscaled value as BigInteger.toByteArray has it: two's
// complement, big endian, as short as can be.
func (n number) unscaled(dst []byte) []byte {
	count, first := len(n.whole)+n.scale, 0
	for first < count && n.digit(first) == '0' {
		first++
	}
	if count-first > 18 {
		return n.unscaledLong(dst, first, count)
	}
	var v int64
	for i := first; i < count; i++ {
		v = v*10 + int64(n.digit(i)-'0')
	}
	if n.negative {
		v = -v
	}
	size := 1
	for size < 8 && v>>(8*size-1) != 0 && v>>(8*size-1) != -1 {
		size++
	}
	for size--; size >= 0; size-- {
		dst = append(dst, byte(v>>(8*size)))
	}
	return dst
}

// schoolbook bounds the digits that are multiplied into place one after the
// other, without allocating; the time is quadratic.
const schoolbook = 1200

// unscaledLong is unscaled for more digits than an int64 holds.
func (n number) unscaledLong(dst []byte, first, count int) []byte {
	start := len(dst)
	if count-first > schoolbook {
		var text strings.Builder
		text.Grow(count - first)
		for i := first; i < count; i++ {
			text.WriteByte(n.digit(i))
		}
		v, _ := new(big.Int).SetString(text.String(), 10) // nothing but digits
		dst = append(append(dst, 0), v.Bytes()...)
	} else {
		for range (count-first)*416/1000 + 2 { // one byte more: the highest bit is the sign's
			dst = append(dst, 0)
		}
		for i := first; i < count; {
			chunk, factor := uint64(0), uint64(1)
			for ; i < count && factor < 1e17; i++ {
				chunk, factor = chunk*10+uint64(n.digit(i)-'0'), factor*10
			}
			multiplyAdd(dst[start:], factor, chunk)
		}
	}
	if n.negative {
		negate(dst[start:])
	}
	return shorten(dst, start)
}

// multiplyAdd sets v, which is big endian, to v * factor + addend.
func multiplyAdd(v []byte, factor, addend uint64) {
	for i := len(v) - 1; i >= 0; i-- {
		high, low := bits.Mul64(uint64(v[i]), factor)
		low, carry := bits.Add64(low, addend, 0)
		v[i] = byte(low)
		addend = low>>8 | (high+carry)<<56
	}
}

// negate makes the two's complement of v, which is big endian.
func negate(v []byte) {
	carry := true
	for i := len(v) - 1; i >= 0; i-- {
		v[i] = ^v[i]
		if carry {
			v[i]++
			carry = v[i] == 0
		}
	}
}

// shorten takes off the bytes behind start that only repeat the sign.
func shorten(dst []byte, start int) []byte {
	v := dst[start:]
	skip := 0
	for skip < len(v)-1 && (v[skip] == 0 && v[skip+1] < 0x80 || v[skip] == 0xff && v[skip+1] >= 0x80) {
		skip++
	}
	return dst[:start+copy(v, v[skip:])]
}

// appendPlain appends BigDecimal.toPlainString.
func (n number) appendPlain(dst []byte) []byte {
	if n.negative && !n.zero() {
		dst = append(dst, '-')
	}
	whole := n.whole
	for len(whole) > 1 && whole[0] == '0' {
		whole = whole[1:]
	}
	if len(whole) == 0 {
		dst = append(dst, '0')
	}
	dst = append(dst, whole...)
	if n.scale > 0 {
		dst = append(dst, '.')
		for i := range n.scale {
			dst = append(dst, n.digit(len(n.whole)+i))
		}
	}
	return dst
}

// special says that text is one of the numerics that are no decimal number, and
// how Debezium names it.
func special(text []byte) string {
	switch string(text) {
	case "NaN":
		return "NAN"
	case "Infinity":
		return "POSITIVE_INFINITY"
	case "-Infinity":
		return "NEGATIVE_INFINITY"
	}
	return ""
}

// scaled parses a numeric and gives it the scale of its column; -1: keeps its own.
func scaled(text []byte, scale int) (number, error) {
	n, ok := parseNumber(text)
	if !ok {
		return n, errNumeric
	}
	if scale >= 0 {
		if n, ok = n.rescaled(scale); !ok {
			return n, warned
		}
	}
	return n, nil
}

// finite is for elements of an array, where special values can't be converted.
func finite(read reader) reader {
	return func(text []byte, a *connect.Arena) (connect.Value, error) {
		if special(text) != "" {
			return null, warned
		}
		return read(text, a)
	}
}

func decimalBytes(scale int) reader {
	return func(text []byte, a *connect.Arena) (connect.Value, error) {
		if special(text) != "" {
			return null, warned
		}
		n, err := scaled(text, scale)
		if err != nil {
			return null, err
		}
		return connect.Value{Data: n.unscaled(room(a, n.size()))}, nil
	}
}

func readVariable(text []byte, a *connect.Arena) (connect.Value, error) {
	if special(text) != "" {
		return null, warned
	}
	n, err := scaled(text, -1)
	if err != nil {
		return null, err
	}
	n = n.stripped()
	fields := a.Values(2)
	fields[0].Int = int64(n.scale)
	fields[1].Data = n.unscaled(room(a, n.size()))
	return connect.Value{Items: fields}, nil
}

func decimalText(scale int) reader {
	return func(text []byte, a *connect.Arena) (connect.Value, error) {
		if name := special(text); name != "" {
			return connect.Value{Data: append(room(a, len(name)), name...)}, nil
		}
		n, err := scaled(text, scale)
		if err != nil {
			return null, err
		}
		return connect.Value{Data: n.appendPlain(room(a, n.length()))}, nil
	}
}

func decimalDouble(scale int) reader {
	return func(text []byte, a *connect.Arena) (connect.Value, error) {
		if special(text) == "" {
			if _, err := scaled(text, scale); err != nil {
				return null, err
			}
		}
		f, ok := parseFloat(text, 64)
		if !ok {
			return null, errNumeric
		}
		return connect.Value{Float: f}, nil
	}
}
