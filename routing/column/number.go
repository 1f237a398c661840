package column

import (
	"math"
	"strconv"

	"github.com/walrelay/walrelay/routing/connect"
)

var (
	errBool    = fault("a boolean is neither t nor f")
	errInteger = fault("an integer is none, or out of range")
	errFloat   = fault("a floating-point number is none")
)

func readBool(text []byte, _ *connect.Arena) (connect.Value, error) {
	if len(text) == 1 && text[0] == 't' {
		return connect.Value{Int: 1}, nil
	}
	if len(text) == 1 && text[0] == 'f' {
		return connect.Value{}, nil
	}
	return connect.Value{}, errBool
}

func readInt16(text []byte, _ *connect.Arena) (connect.Value, error) {
	return readInteger(text, math.MinInt16, math.MaxInt16)
}

func readInt32(text []byte, _ *connect.Arena) (connect.Value, error) {
	return readInteger(text, math.MinInt32, math.MaxInt32)
}

func readInt64(text []byte, _ *connect.Arena) (connect.Value, error) {
	return readInteger(text, math.MinInt64, math.MaxInt64)
}

func readInteger(text []byte, low, high int64) (connect.Value, error) {
	n, ok := parseInt(text)
	if !ok || n < low || n > high {
		return connect.Value{}, errInteger
	}
	return connect.Value{Int: n}, nil
}

// parseInt reads a decimal integer with an optional sign.
func parseInt(text []byte) (n int64, ok bool) {
	digits := text
	negative := false
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		negative, digits = digits[0] == '-', digits[1:]
	}
	if len(digits) == 0 {
		return 0, false
	}
	for _, c := range digits {
		d := int64(c - '0')
		if c < '0' || c > '9' || n < (math.MinInt64+d)/10 {
			return 0, false
		}
		n = n*10 - d // downwards: there is one number more
	}
	if negative {
		return n, true
	}
	return -n, n != math.MinInt64
}

func readFloat32(text []byte, _ *connect.Arena) (connect.Value, error) { return readFloat(text, 32) }
func readFloat64(text []byte, _ *connect.Arena) (connect.Value, error) { return readFloat(text, 64) }

func readFloat(text []byte, bits int) (connect.Value, error) {
	f, ok := parseFloat(text, bits)
	if !ok {
		return connect.Value{}, errFloat
	}
	return connect.Value{Float: f}, nil
}

// parseFloat reads what Java's Double.parseDouble reads and PostgreSQL writes:
// decimal numbers, NaN, Infinity and -Infinity. Too large is infinite.
func parseFloat(text []byte, bits int) (float64, bool) {
	switch string(text) {
	case "NaN":
		return math.Float64frombits(0x7ff8000000000000), true // Java's; Go's has another bit
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	for _, c := range text { // of what strconv takes beyond it: inf, 0x, 1_0
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(text), bits)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}
