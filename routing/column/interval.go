package column

import (
	"math"
	"strconv"

	"github.com/walrelay/walrelay/routing/connect"
)

var errInterval = fault("an interval is not in PostgreSQL's own format (IntervalStyle postgres), or a part of it is out of Java's int range, on which Debezium fails")

// intervalLength is room enough for an interval: five ints and the seconds.
const intervalLength = 5*12 + 24

// span is an interval. Seconds and micros have the same sign.
type span struct{ years, months, days, hours, minutes, seconds, micros int64 }

func (m *mapper) interval() *part {
	if m.modes.Interval == "string" {
		return &part{schema: logical(connect.String, "io.debezium.time.Interval"), read: func(text []byte, a *connect.Arena) (connect.Value, error) {
			s, ok := parseInterval(text)
			if !ok {
				return null, errInterval
			}
			return connect.Value{Data: s.appendISO(room(a, intervalLength), m.modes.Java18)}, nil
		}}
	}
	return &part{schema: logical(connect.Int64, "io.debezium.time.MicroDuration"), read: func(text []byte, _ *connect.Arena) (connect.Value, error) {
		s, ok := parseInterval(text)
		if !ok {
			return null, errInterval
		}
		return connect.Value{Int: s.duration()}, nil
	}}
}

// parseInterval reads PostgreSQL's own format: numbers with their units, then a
// time. PostgreSQL 17's infinity is an interval of nothing to Debezium.
func parseInterval(text []byte) (s span, ok bool) {
	if infinite(text) != 0 {
		return span{}, true
	}
	for rest := text; len(rest) > 0; {
		var word []byte
		word, rest = cutWord(rest)
		if n, ok := parseInt(word); ok {
			var unit []byte
			unit, rest = cutWord(rest)
			if n != int64(int32(n)) {
				return s, false
			}
			switch string(unit) {
			case "year", "years":
				s.years = n
			case "mon", "mons":
				s.months = n
			case "day", "days":
				s.days = n
			default:
				return s, false
			}
			continue
		}
		if len(rest) > 0 || !s.parseTime(word) {
			return s, false
		}
	}
	return s, len(text) > 0
}

// cutWord splits off what stands before the next blank.
func cutWord(text []byte) (word, rest []byte) {
	for i, c := range text {
		if c == ' ' {
			return text[:i], text[i+1:]
		}
	}
	return text, nil
}

// parseTime reads [-]hours:minutes:seconds with up to six digits of a fraction.
func (s *span) parseTime(text []byte) bool {
	sign := int64(1)
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	hours, rest := digits(text)
	if len(hours) == 0 || len(hours) > 10 || len(rest) < 6 || rest[0] != ':' || rest[3] != ':' || !allDigits(rest[1:3]) || !allDigits(rest[4:6]) {
		return false
	}
	s.hours, s.minutes, s.seconds = sign*decimalOf(hours), sign*decimalOf(rest[1:3]), sign*decimalOf(rest[4:6])
	if rest = rest[6:]; len(rest) > 0 {
		fraction, after := digits(rest[1:])
		if rest[0] != '.' || len(after) > 0 || len(fraction) == 0 || len(fraction) > 6 {
			return false
		}
		s.micros = sign * decimalOf(fraction)
		for range 6 - len(fraction) {
			s.micros *= 10
		}
	}
	return s.hours == int64(int32(s.hours))
}

// duration is the interval in microseconds, a month being 30.4375 days, in the
// steps of Debezium's floating-point arithmetic. The conversions keep the
// compiler from joining multiplications and additions, which would round less.
func (s span) duration() int64 {
	const daysPerMonth = 365.25 / 12
	seconds := float64(s.seconds) + float64(s.micros)/1e6
	months := int32(s.years)*12 + int32(s.months) // Java's int: wraps
	days := float64(float64(months)*daysPerMonth) + float64(s.days)
	hours := float64(days*24) + float64(s.hours)
	minutes := float64(hours*60) + float64(s.minutes)
	micros := float64((float64(minutes*60) + seconds) * 1e6)
	switch { // as Java casts
	case micros >= math.MaxInt64:
		return math.MaxInt64
	case micros <= math.MinInt64:
		return math.MinInt64
	}
	return int64(micros)
}

// appendISO appends every part, also those that are 0. The seconds come from a
// floating-point number and are cut off behind nine digits, as in Debezium:
// 1.931021 becomes 1.931020999.
func (s span) appendISO(dst []byte, java18 bool) []byte {
	for _, part := range [...]struct {
		before string
		n      int64
	}{{"P", s.years}, {"Y", s.months}, {"M", s.days}, {"DT", s.hours}, {"H", s.minutes}} {
		dst = strconv.AppendInt(append(dst, part.before...), part.n, 10)
	}
	dst = append(dst, 'M')
	seconds := float64(s.seconds) + float64(s.micros)/1e6
	if seconds < 0 {
		dst, seconds = append(dst, '-'), -seconds
	}
	return append(appendSeconds(dst, seconds, java18), 'S')
}

// appendSeconds appends 0 to 59.999999 as Java's BigDecimal has the number that
// Double.toString prints, without zeros at the end.
func appendSeconds(dst []byte, seconds float64, java18 bool) []byte {
	var buf [32]byte
	text := connect.AppendDouble(buf[:0], seconds, java18)
	zeros := 0
	if mantissa, after, found := cut(text, 'E'); found { // below a thousandth: d.ddE-n
		n, _ := parseInt(after)
		text, zeros = mantissa, int(-n)
	}
	whole, fraction, _ := cut(text, '.')
	const precision = 9
	if zeros > 0 {
		dst = append(append(dst, "0.00000000"[:1+min(zeros, precision)]...), whole...)
		precise := max(0, precision-zeros)
		dst = append(dst, fraction[:min(len(fraction), precise)]...)
	} else {
		dst = append(append(append(dst, whole...), '.'), fraction[:min(len(fraction), precision)]...)
	}
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	return dst
}
