package column

import (
	"unicode/utf8"

	"github.com/walrelay/walrelay/routing/connect"
)

// amount reads a money value as Debezium does: without parentheses, one sign
// before the digits, and commas. What it needs room for it borrows.
func amount(text []byte, a *connect.Arena) (number, error) {
	rest, negative := text, false
	if len(rest) > 0 && (rest[0] == '-' || rest[0] == '(') {
		negative = true
		if rest[0] == '(' {
			if rest[len(rest)-1] != ')' {
				return number{}, errMoney
			}
			rest = rest[:len(rest)-1]
		}
		rest = rest[1:]
	}
	if r, size := utf8.DecodeRune(rest); size > 0 && (r < '0' || r > '9') && r != '.' {
		rest = rest[size:]
	}
	bare := room(a, len(rest))
	for _, c := range rest {
		if c != ',' {
			bare = append(bare, c)
		}
	}
	if len(bare) > 0 && (bare[0] == '-' || bare[0] == '+') {
		return number{}, errMoney
	}
	n, ok := parseNumber(bare)
	if !ok {
		return number{}, errMoney
	}
	n.negative = negative
	return n, nil
}

func moneyText(text []byte, a *connect.Arena) (connect.Value, error) {
	n, err := amount(text, a)
	if err != nil {
		return null, err
	}
	return connect.Value{Data: n.appendPlain(room(a, n.length()))}, nil
}

func moneyDouble(text []byte, a *connect.Arena) (connect.Value, error) {
	n, err := amount(text, a)
	if err != nil {
		return null, err
	}
	f, ok := parseFloat(n.appendPlain(room(a, n.length())), 64)
	if !ok {
		return null, errMoney
	}
	return connect.Value{Float: f}, nil
}

// moneyBytes rounds to a number of digits, a half away from zero.
func moneyBytes(scale int) reader {
	return func(text []byte, a *connect.Arena) (connect.Value, error) {
		n, err := amount(text, a)
		if err != nil {
			return null, err
		}
		if len(n.fraction) > scale {
			up := n.fraction[scale] >= '5'
			n.fraction = n.fraction[:scale]
			if up {
				n = n.increased(a)
			}
		}
		n.scale = scale
		return connect.Value{Data: n.unscaled(room(a, n.size()))}, nil
	}
}

// increased is n with one more in its last place.
func (n number) increased(a *connect.Arena) number {
	buf := append(append(append(room(a, n.length()), '0'), n.whole...), n.fraction...)
	for i := len(buf) - 1; i >= 0; i-- {
		if buf[i] != '9' {
			buf[i]++
			break
		}
		buf[i] = '0'
	}
	n.whole, n.fraction = buf[:1+len(n.whole)], buf[1+len(n.whole):]
	return n
}
