package connect

import (
	"math"
	"math/bits"
	"strconv"
)

// AppendDouble appends Java's Double.toString of f: as Java from 19 on gives it,
// or with java18 as the releases before.
func AppendDouble(dst []byte, f float64, java18 bool) []byte {
	if out, ok := appendSimple(dst, f); ok {
		return out
	}
	if java18 {
		return appendOldDouble(dst, f)
	}
	return appendShortest(dst, f, 64)
}

// AppendFloat appends Java's Float.toString of f; see AppendDouble.
func AppendFloat(dst []byte, f float32, java18 bool) []byte {
	if out, ok := appendSimple(dst, float64(f)); ok {
		return out
	}
	if java18 {
		return appendOldFloat(dst, f)
	}
	return appendShortest(dst, float64(f), 32)
}

// appendSimple appends what all releases print alike: what is no number, and
// whole numbers below 10^7.
func appendSimple(dst []byte, f float64) ([]byte, bool) {
	switch {
	case f != f:
		return append(dst, "NaN"...), true
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...), true
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...), true
	case f == 0:
		if math.Signbit(f) {
			dst = append(dst, '-')
		}
		return append(dst, "0.0"...), true
	case f > -1e7 && f < 1e7 && f == math.Trunc(f):
		return append(strconv.AppendInt(dst, int64(f), 10), ".0"...), true
	}
	return dst, false
}

// appendShortest prints as Java from 19 on: the fewest digits that read back as
// f, and of those with so many the nearest to f; but two digits when one would
// do, the nearest two that read back as f. strconv's shortest is the same, but
// for the two digits. f is finite and not zero.
func appendShortest(dst []byte, f float64, width int) []byte {
	if f < 0 {
		dst, f = append(dst, '-'), -f
	}
	var text [32]byte
	b := strconv.AppendFloat(text[:0], f, 'e', -1, width)
	if b[1] == 'e' {
		b = twoDigits(text[:0], f, width)
	} else {
		toEven(b, f, width)
	}
	return appendFormatted(dst, b)
}

// toEven takes the even one of two decimals that f lies halfway between; b,
// strconv's shortest, is one of them. Such an f is odd·2^-p, and its decimal,
// odd·5^p, has one digit more than b. (Without bits behind the point the gap to
// f's neighbours is too narrow for both decimals.)
func toEven(b []byte, f float64, width int) {
	fraction, exponent := math.Frexp(f)
	odd := uint64(fraction * (1 << 53))
	zeros := bits.TrailingZeros64(odd)
	p := 53 - exponent - zeros
	if p <= 0 || p > 26 {
		return // 5^27 has more digits than a double's shortest
	}
	last := exponentAt(b) - 1
	over, n := bits.Mul64(odd>>zeros, power5(p))
	if over != 0 || decimalDigits(n) != last+1 || b[last]&1 == 0 { // of d.ddd, last is the number of digits
		return
	}
	was := b[last]
	if below := byte('0' + n/10%10); was != below {
		b[last]--
	} else if was < '9' {
		b[last]++ // 10 after 9 would have been shorter
	}
	if !readsBack(b, f, width) {
		b[last] = was // below a power of two the gap is narrower
	}
}

// exponentAt is where the e of strconv's text is.
func exponentAt(b []byte) int {
	e := len(b) - 1
	for b[e] != 'e' {
		e--
	}
	return e
}

// twoDigits gives the decimal of two digits that is nearest to f and reads back
// as f, given that one digit does. The nearest of all is not always one that
// does: below a power of two the numbers lie closer.
func twoDigits(buf []byte, f float64, width int) []byte {
	b := strconv.AppendFloat(buf, f, 'e', 1, width)
	if b[2] == '0' || readsBack(b, f, width) {
		return b
	}
	if b[2] < '9' {
		b[2]++ // the next one above; one digit that does lies above as well
		if readsBack(b, f, width) {
			return b
		}
	}
	one := strconv.AppendFloat(buf, f, 'e', -1, width)
	return append(one[:1], append([]byte(".0"), one[1:]...)...)
}

func readsBack(b []byte, f float64, width int) bool {
	back, err := strconv.ParseFloat(string(b), width)
	return err == nil && back == f
}

// appendFormatted rewrites strconv's d.ddde±xx as Java has it.
func appendFormatted(dst, b []byte) []byte {
	e := exponentAt(b)
	exponent, _ := strconv.Atoi(string(b[e+1:]))
	var digits [24]byte
	n := copy(digits[:], b[:1])
	if e > 2 {
		n += copy(digits[1:], b[2:e])
	}
	for n > 1 && digits[n-1] == '0' {
		n--
	}
	return appendJava(dst, digits[:n], exponent+1)
}

// appendJava appends 0.digits times 10^point: plain from 10^-3 to 10^7, else with
// an exponent, and always with a digit behind the point.
func appendJava(dst, digits []byte, point int) []byte {
	n := len(digits)
	switch {
	case point > 0 && point < 8:
		whole := min(n, point)
		dst = append(dst, digits[:whole]...)
		for i := whole; i < point; i++ {
			dst = append(dst, '0')
		}
		dst = append(dst, '.')
		if n > point {
			return append(dst, digits[point:]...)
		}
		return append(dst, '0')
	case point <= 0 && point > -3:
		dst = append(dst, "0."...)
		for ; point < 0; point++ {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[0], '.')
	if n > 1 {
		dst = append(dst, digits[1:]...)
	} else {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(append(dst, 'E'), int64(point-1), 10)
}
