package connect

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"strconv"
)

// appendDecimal appends BigDecimal.toString of an unscaled value (two's
// complement, big endian) under the schema's scale: plain where the scale is not
// negative and the first digit not beyond the sixth place behind the point,
// scientific otherwise.
func appendDecimal(dst, unscaled []byte, s *Schema) ([]byte, error) {
	scale, ok := scaleOf(s)
	if !ok {
		return dst, unconvertible("a decimal's schema has no valid parameter scale")
	}
	start := len(dst)
	dst = appendInteger(dst, unscaled)
	if scale == 0 {
		return dst, nil
	}
	if dst[start] == '-' {
		start++
	}
	digits := len(dst) - start
	exponent := int64(digits) - 1 - int64(scale)
	if scale > 0 && exponent >= -6 {
		if digits > scale {
			return insert(dst, len(dst)-scale, "."), nil
		}
		return insert(dst, start, "0.00000000"[:2+scale-digits]), nil
	}
	if digits > 1 {
		dst = insert(dst, start+1, ".")
	}
	dst = append(dst, 'E')
	if exponent > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, exponent, 10), nil
}

// scaleOf reads the parameter scale, a Java int.
func scaleOf(s *Schema) (int, bool) {
	for i := range s.Parameters {
		if s.Parameters[i].Name == "scale" {
			n, err := strconv.ParseInt(s.Parameters[i].Value, 10, 32)
			return int(n), err == nil
		}
	}
	return 0, false
}

// insert puts text before dst[at].
func insert(dst []byte, at int, text string) []byte {
	dst = append(dst, text...)
	copy(dst[at+len(text):], dst[at:len(dst)-len(text)])
	copy(dst[at:], text)
	return dst
}

const (
	chunk       = 1e19 // the largest power of ten in a uint64
	chunkDigits = 19
	// maxLimbs bounds the numbers that are printed without allocating: 4096 bits,
	// 1233 digits.
	maxLimbs = 64
)

// appendInteger appends a two's complement, big-endian integer in decimal. No
// bytes are 0.
func appendInteger(dst, twos []byte) []byte {
	negative := len(twos) > 0 && twos[0]&0x80 != 0
	if len(twos) <= 8 {
		var n int64
		if negative {
			n = -1
		}
		for _, b := range twos {
			n = n<<8 | int64(b)
		}
		return strconv.AppendInt(dst, n, 10)
	}
	if len(twos) > maxLimbs*8 {
		return appendHuge(dst, twos, negative)
	}
	var limbs [maxLimbs]uint64 // little endian
	n := magnitude(&limbs, twos, negative)
	if negative {
		dst = append(dst, '-')
	}
	if n <= 1 {
		return strconv.AppendUint(dst, limbs[0], 10)
	}
	var chunks [maxLimbs + 8]uint64
	count := 0
	for ; n > 0; count++ {
		var rest uint64
		for i := n - 1; i >= 0; i-- {
			limbs[i], rest = bits.Div64(rest, limbs[i], chunk)
		}
		chunks[count] = rest
		for n > 0 && limbs[n-1] == 0 {
			n--
		}
	}
	dst = strconv.AppendUint(dst, chunks[count-1], 10)
	for i := count - 2; i >= 0; i-- {
		var text [chunkDigits]byte
		for j, c := chunkDigits-1, chunks[i]; j >= 0; j, c = j-1, c/10 {
			text[j] = byte('0' + c%10)
		}
		dst = append(dst, text[:]...)
	}
	return dst
}

// magnitude fills limbs with the absolute value of twos, and gives how many of
// them count.
func magnitude(limbs *[maxLimbs]uint64, twos []byte, negative bool) int {
	n := 0
	for end := len(twos); end > 0; end -= 8 {
		if end >= 8 {
			limbs[n] = binary.BigEndian.Uint64(twos[end-8 : end])
		} else {
			var limb uint64
			if negative {
				limb = ^uint64(0)
			}
			for _, b := range twos[:end] {
				limb = limb<<8 | uint64(b)
			}
			limbs[n] = limb
		}
		n++
	}
	if negative {
		carry := uint64(1)
		for i := range limbs[:n] {
			limbs[i], carry = bits.Add64(^limbs[i], 0, carry)
		}
	}
	for n > 0 && limbs[n-1] == 0 {
		n--
	}
	return n
}

func appendHuge(dst, twos []byte, negative bool) []byte {
	i := new(big.Int).SetBytes(twos)
	if negative {
		i.Sub(i, new(big.Int).Lsh(big.NewInt(1), uint(len(twos))*8))
	}
	return i.Append(dst, 10)
}
