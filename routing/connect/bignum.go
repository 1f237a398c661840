package connect

import "math/bits"

// bignum is a natural number of up to 1536 bits, more than any that the digits of
// a double take: 5^324·2^53, 10^309 and 2^1078 are the largest. It needs no
// memory of its own, so printing does not allocate.
type bignum struct {
	limbs [24]uint64 // little endian, 0 from n on
	n     int
}

// set makes x = f·5^five·2^two.
func (x *bignum) set(f uint64, five, two int) {
	x.limbs[0], x.n = f, 1
	for ; five >= 26; five -= 26 {
		x.multiply(1490116119384765625) // 5^26
	}
	x.multiply(power5(five))
	x.shift(two)
}

func (x *bignum) multiply(f uint64) {
	var carry uint64
	for i := range x.limbs[:x.n] {
		hi, lo := bits.Mul64(x.limbs[i], f)
		var c uint64
		x.limbs[i], c = bits.Add64(lo, carry, 0)
		carry = hi + c
	}
	if carry != 0 && x.n < len(x.limbs) {
		x.limbs[x.n] = carry
		x.n++
	}
}

func (x *bignum) shift(by int) {
	words, rest := by/64, uint(by%64)
	for i := len(x.limbs) - 1; i >= 0; i-- {
		var limb uint64
		if i >= words {
			limb = x.limbs[i-words] << rest
			if rest > 0 && i > words {
				limb |= x.limbs[i-words-1] >> (64 - rest)
			}
		}
		x.limbs[i] = limb
	}
	x.n = min(x.n+words+1, len(x.limbs))
	x.trim()
}

func (x *bignum) trim() {
	for x.n > 0 && x.limbs[x.n-1] == 0 {
		x.n--
	}
}

func (x *bignum) compare(y *bignum) int {
	if x.n != y.n {
		return compare(int64(x.n), int64(y.n))
	}
	for i := x.n - 1; i >= 0; i-- {
		switch {
		case x.limbs[i] < y.limbs[i]:
			return -1
		case x.limbs[i] > y.limbs[i]:
			return 1
		}
	}
	return 0
}

// digit gives x / unit, which is less than ten, and makes x ten times the rest.
func (x *bignum) digit(unit *bignum) uint64 {
	q := uint64(0)
	for ; q < 10 && x.compare(unit) >= 0; q++ {
		var borrow uint64
		for i := range x.limbs[:x.n] {
			x.limbs[i], borrow = bits.Sub64(x.limbs[i], unit.limbs[i], borrow)
		}
		x.trim()
	}
	x.multiply(10)
	return q
}

// compareSum compares a+b with c.
func compareSum(a, b, c *bignum) int {
	var sum bignum
	var carry uint64
	for i := range sum.limbs {
		sum.limbs[i], carry = bits.Add64(a.limbs[i], b.limbs[i], carry)
	}
	sum.n = len(sum.limbs)
	sum.trim()
	return sum.compare(c)
}
