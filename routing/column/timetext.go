package column

// Room enough for a date with a year of ten digits, its sign and a letter, and
// for a time with nine digits of a fraction and a letter.
const (
	dateLength = 20
	timeLength = 20
)

// parseDate splits off a date, without the era, which stands at the end of a
// value: year, month and day as PostgreSQL writes them with DateStyle ISO.
func (t *moment) parseDate(text []byte) (rest []byte, ok bool) {
	year, rest := digits(text)
	if len(year) < 4 || len(year) > 9 || len(rest) < 6 || rest[0] != '-' || rest[3] != '-' {
		return nil, false
	}
	t.year = decimalOf(year)
	month, day := rest[1:3], rest[4:6]
	if !allDigits(month) || !allDigits(day) || t.year == 0 {
		return nil, false
	}
	t.month, t.day = int(decimalOf(month)), int(decimalOf(day))
	return rest[6:], t.month >= 1 && t.month <= 12 && t.day >= 1
}

// parseTime splits off a time of day: hours, minutes and seconds with up to nine
// digits of a fraction. 24:00:00 is one.
func (t *moment) parseTime(text []byte) (rest []byte, ok bool) {
	if len(text) < 8 || text[2] != ':' || text[5] != ':' ||
		!allDigits(text[:2]) || !allDigits(text[3:5]) || !allDigits(text[6:8]) {
		return nil, false
	}
	seconds := decimalOf(text[6:8])
	t.hour, t.minute, t.nano = decimalOf(text[:2]), decimalOf(text[3:5]), seconds*nanosPerSec
	rest = text[8:]
	if len(rest) > 0 && rest[0] == '.' {
		var fraction []byte
		fraction, rest = digits(rest[1:])
		if len(fraction) == 0 || len(fraction) > 9 {
			return nil, false
		}
		n := decimalOf(fraction)
		for range 9 - len(fraction) {
			n *= 10
		}
		t.nano += n
	}
	midnight := t.hour == 24 && t.minute == 0 && t.nano == 0
	return rest, midnight || t.hour < 24 && t.minute < 60 && seconds < 60
}

// parseOffset splits off an offset from UTC, which may be missing: hours, and
// minutes and seconds where they are not 0.
func (t *moment) parseOffset(text []byte, seconds bool) (rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '+' && text[0] != '-' {
		return text, true
	}
	sign := int64(1)
	if text[0] == '-' {
		sign = -1
	}
	rest = text[1:]
	for i, unit := 0, int64(3600); i < 3; i, unit = i+1, unit/60 {
		if i > 0 {
			if len(rest) == 0 || rest[0] != ':' {
				break
			}
			if rest = rest[1:]; i == 2 && !seconds {
				return nil, false
			}
		}
		if len(rest) < 2 || !allDigits(rest[:2]) || i > 0 && rest[0] > '5' {
			return nil, false
		}
		t.offset += sign * unit * decimalOf(rest[:2])
		rest = rest[2:]
	}
	return rest, t.offset >= -18*3600 && t.offset <= 18*3600
}

// parseEra reads what may follow a value with a date: BC.
func (t *moment) parseEra(text []byte) (ok bool) {
	switch string(text) {
	case "":
	case " BC":
		t.year = 1 - t.year
	default:
		return false
	}
	return t.day <= daysIn(t.year, t.month)
}

// parseTimestamp reads a timestamp, with an offset from UTC where zoned.
func parseTimestamp(text []byte, zoned bool) (t moment, ok bool) {
	rest, ok := t.parseDate(text)
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return t, false
	}
	if rest, ok = t.parseTime(rest[1:]); !ok {
		return t, false
	}
	if zoned {
		if rest, ok = t.parseOffset(rest, true); !ok {
			return t, false
		}
	}
	return t, t.parseEra(rest)
}

func allDigits(text []byte) bool {
	_, rest := digits(text)
	return len(rest) == 0
}

// decimalOf is the number that up to 18 digits make.
func decimalOf(text []byte) (n int64) {
	for _, c := range text {
		n = n*10 + int64(c-'0')
	}
	return n
}

// appendDate appends a date as java.time does: four digits of the year, more
// with a sign.
func appendDate(dst []byte, year int64, month, day int) []byte {
	switch {
	case year > 9999:
		dst = append(dst, '+')
	case year < 0:
		dst, year = append(dst, '-'), -year
	}
	dst = appendPadded(dst, year, 4)
	dst = appendPadded(append(dst, '-'), int64(month), 2)
	return appendPadded(append(dst, '-'), int64(day), 2)
}

// appendTime appends a time of day with width digits of a fraction; 0: as many as
// it takes, none for a full second.
func appendTime(dst []byte, secondOfDay, nanos int64, width int) []byte {
	dst = appendPadded(dst, secondOfDay/3600, 2)
	dst = appendPadded(append(dst, ':'), secondOfDay/60%60, 2)
	dst = appendPadded(append(dst, ':'), secondOfDay%60, 2)
	if width == 0 && nanos == 0 {
		return dst
	}
	dst = appendPadded(append(dst, '.'), nanos, 9)
	if width > 0 {
		return dst[:len(dst)-9+min(width, 9)]
	}
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// appendPadded appends n, which is not negative, with zeros before it.
func appendPadded(dst []byte, n int64, width int) []byte {
	var buf [20]byte
	i := len(buf)
	for n > 0 || len(buf)-i < width {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, buf[i:]...)
}

// appendInstant appends a point in time in UTC, with width as in appendTime.
func appendInstant(dst []byte, i instant, width int) []byte {
	year, month, day := civil(i.day())
	dst = append(appendDate(dst, year, month, day), 'T')
	return append(appendTime(dst, i.secondOfDay(), i.nanos, width), 'Z')
}
