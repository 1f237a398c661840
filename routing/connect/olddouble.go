package connect

import (
	"math"
	"math/bits"
)

// Floating-point numbers as Java up to 18 prints them. Java's method there is
// Steele and White's: write the number as a fraction b/s, half the distance to
// its neighbours as m/s, and develop digits until what is left is less than m,
// or less than m from the next digit up. Three things make its results at times
// longer than needed, or not the nearest, and have to be the same here:
//
//   - whole numbers are not developed but printed in full, with the digits
//     rounded off that can be told to lie below the precision;
//   - at least two digits are developed where an exponent will be printed, and
//     the test for an end is left out for the first of them;
//   - the comparison with the next digit up is strict when b and s fit in 64
//     bits and not when they do not, and in the narrow case m may overflow.

// binary64 is a number fraction·2^(exponent-52) with bit 52 of fraction set.
type binary64 struct {
	fraction    uint64
	exponent    int
	significant int // bits that the format has for it: fewer when subnormal
}

func appendOldDouble(dst []byte, f float64) []byte {
	u := math.Float64bits(f)
	b := binary64{fraction: u & (1<<52 - 1), exponent: int(u>>52&0x7ff) - 1023, significant: 53}
	if b.exponent == -1023 {
		b.significant = bits.Len64(b.fraction)
		b.fraction <<= 53 - b.significant
		b.exponent = b.significant - 53 - 1022
	} else {
		b.fraction |= 1 << 52
	}
	return b.append(dst, u>>63 != 0)
}

func appendOldFloat(dst []byte, f float32) []byte {
	u := math.Float32bits(f)
	b := binary64{fraction: uint64(u & (1<<23 - 1)), exponent: int(u>>23&0xff) - 127, significant: 24}
	if b.exponent == -127 {
		b.significant = bits.Len64(b.fraction)
		b.fraction <<= 24 - b.significant
		b.exponent = b.significant - 24 - 126
	} else {
		b.fraction |= 1 << 23
	}
	b.fraction <<= 52 - 23
	return b.append(dst, u>>31 != 0)
}

func (b binary64) append(dst []byte, negative bool) []byte {
	if negative {
		dst = append(dst, '-')
	}
	d := oldDigits{}
	if !b.whole(&d) {
		b.develop(&d)
	}
	return appendJava(dst, d.digits[:d.n], d.point)
}

// oldDigits are the digits of a number 0.digits times 10^point.
type oldDigits struct {
	digits [24]byte
	n      int
	point  int
}

func (d *oldDigits) put(q uint64) {
	if d.n < len(d.digits) {
		d.digits[d.n] = byte('0' + q)
		d.n++
	}
}

// up rounds the last digit up.
func (d *oldDigits) up() {
	i := d.n - 1
	for i > 0 && d.digits[i] == '9' {
		d.digits[i] = '0'
		i--
	}
	if d.digits[i] == '9' {
		d.digits[i] = '1'
		d.point++
		return
	}
	d.digits[i]++
}

// fractionBits is how many bits b has behind the binary point, and width how many
// from the first to the last that is set.
func (b binary64) fractionBits() (behind, width int) {
	width = 53 - bits.TrailingZeros64(b.fraction)
	return max(0, width-b.exponent-1), width
}

// whole prints a whole number below 2^63. Digits that lie below the precision,
// of a number with more bits than the format holds, are rounded off.
func (b binary64) whole(d *oldDigits) bool {
	behind, _ := b.fractionBits()
	if behind != 0 || b.exponent > 62 {
		return false
	}
	var n uint64
	if b.exponent >= 52 {
		n = b.fraction << (b.exponent - 52)
	} else {
		n = b.fraction >> (52 - b.exponent)
	}
	drop := 0
	if b.exponent > b.significant {
		drop = decimalDigits(uint64(1)<<(b.exponent-b.significant-1)) - 1
	}
	if drop > 0 {
		unit := power10(drop)
		rest := n % unit
		n /= unit
		if rest >= unit/2 {
			n++
		}
	}
	d.point = drop + decimalDigits(n)
	for n%10 == 0 {
		n /= 10
	}
	d.n = decimalDigits(n)
	for i := d.n - 1; i >= 0; i-- {
		d.digits[i] = byte('0' + n%10)
		n /= 10
	}
	return true
}

func decimalDigits(n uint64) int {
	digits := 1
	for ; n >= 10; n /= 10 {
		digits++
	}
	return digits
}

func power10(n int) uint64 {
	p := uint64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

// scaled is b/s and m/s of the method, each a product of powers of five and two,
// b times fraction.
type scaled struct {
	fraction uint64
	b5, b2   int
	s5, s2   int
	m5, m2   int
	ten      int // the power of ten of the first digit, as estimated
}

func (b binary64) scale() scaled {
	behind, width := b.fractionBits()
	s := scaled{fraction: b.fraction >> bits.TrailingZeros64(b.fraction), ten: b.estimate()}
	s.b5, s.s5 = max(0, -s.ten), max(0, s.ten)
	s.b2 = s.b5 + behind + b.exponent
	s.s2 = s.s5 + behind
	s.m5, s.m2 = s.b5, s.b2-b.significant
	s.b2 -= width - 1
	common := min(s.b2, s.s2)
	s.b2, s.s2, s.m2 = s.b2-common, s.s2-common, s.m2-common
	if width == 1 {
		s.m2-- // a power of two: the next number below is only half as far away
	}
	if s.m2 < 0 {
		s.b2, s.s2, s.m2 = s.b2-s.m2, s.s2-s.m2, 0
	}
	return s
}

// estimate gives the power of ten of the first digit, or one more: the tangent of
// log10 at 1.5. The conversions keep each product from being fused with its sum.
func (b binary64) estimate() int {
	f := math.Float64frombits(b.fraction&(1<<52-1) | 1023<<52)
	return int(math.Floor(float64(float64(float64((f-1.5)*0.289529654)+0.176091259) +
		float64(float64(b.exponent)*0.301029995663981))))
}

// bitsOf5 is how many bits 5^n has; beyond 26 an upper bound will do.
func bitsOf5(n int) int {
	if n <= 26 {
		return bits.Len64(power5(n))
	}
	return 3 * n
}

func power5(n int) uint64 {
	p := uint64(1)
	for ; n > 0; n-- {
		p *= 5
	}
	return p
}

func (b binary64) develop(d *oldDigits) {
	s := b.scale()
	_, width := b.fractionBits()
	size := width + s.b2 + bitsOf5(s.b5)
	tens := s.s2 + 1 + bitsOf5(s.s5+1)
	if size < 64 && tens < 64 {
		s.narrow(d, size < 32 && tens < 32)
	} else {
		s.wide(d)
	}
}

// narrow develops the digits in 64-bit arithmetic, or in 32-bit arithmetic where
// Java does: m can overflow, and ends the digits when it does.
func (s scaled) narrow(d *oldDigits, int32s bool) {
	fit := func(n int64) int64 {
		if int32s {
			return int64(int32(n))
		}
		return n
	}
	b := int64(s.fraction * power5(s.b5) << s.b2)
	unit := int64(power5(s.s5) << s.s2)
	m := fit(int64(power5(s.m5) << s.m2))
	tens := unit * 10
	q := b / unit
	b = 10 * (b % unit)
	m = fit(m * 10)
	low, high := b < m, fit(b+m) > tens
	if q == 0 && !high {
		s.ten--
	} else {
		d.put(uint64(q))
	}
	if s.ten < -3 || s.ten >= 8 {
		low, high = false, false
	}
	for !low && !high {
		q = b / unit
		b = 10 * (b % unit)
		m = fit(m * 10)
		if m > 0 {
			low, high = b < m, fit(b+m) > tens
		} else {
			low, high = true, true
		}
		d.put(uint64(q))
	}
	d.point = s.ten + 1
	d.finish(low, high, compare(fit(b<<1-tens), 0)) // b<<1 may overflow, the difference not
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// finish rounds the last digit: up when only the next digit up is near enough; to
// the nearer when both are, a tie to even.
func (d *oldDigits) finish(low, high bool, difference int) {
	switch {
	case !high:
	case !low, difference > 0:
		d.up()
	case difference == 0 && d.digits[d.n-1]&1 != 0:
		d.up()
	}
}

// wide develops the digits in as many bits as it takes.
func (s scaled) wide(d *oldDigits) {
	var b, unit, m, tens bignum
	b.set(s.fraction, s.b5, s.b2)
	unit.set(1, s.s5, s.s2)
	m.set(1, s.m5+1, s.m2+1)
	tens.set(1, s.s5+1, s.s2+1)
	q := b.digit(&unit)
	low, high := b.compare(&m) < 0, compareSum(&b, &m, &tens) >= 0
	if q == 0 && !high {
		s.ten--
	} else {
		d.put(q)
	}
	if s.ten < -3 || s.ten >= 8 {
		low, high = false, false
	}
	for !low && !high {
		q = b.digit(&unit)
		m.multiply(10)
		low, high = b.compare(&m) < 0, compareSum(&b, &m, &tens) >= 0
		d.put(q)
	}
	d.point = s.ten + 1
	difference := 0
	if low && high {
		difference = compareSum(&b, &b, &tens)
	}
	d.finish(low, high, difference)
}
