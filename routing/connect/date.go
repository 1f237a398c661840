package connect

import (
	"strconv"
	"time"
)

const (
	dayMillis = 24 * 60 * 60 * 1000
	// gregorianStart is 1582-10-15, where Java's calendar changes from Julian to
	// Gregorian, in milliseconds.
	gregorianStart = -12219292800000
)

// millis gives the time of a java.util.Date from a value of Connect's Date, Time
// or Timestamp: milliseconds since 1970.
func millis(l logicalType, v int64) int64 {
	if l == logicalDate {
		return v * dayMillis
	}
	return v
}

// appendDateString appends java.util.Date.toString in UTC, in which the year has
// no sign: "Thu Feb 29 12:34:56 UTC 2024".
func appendDateString(dst []byte, ms int64) []byte {
	year, month, day := civil(ms)
	if year <= 0 {
		year = 1 - year
	}
	dst = append(dst, time.Weekday((floorDiv(ms, dayMillis)%7 + 7 + 4) % 7).String()[:3]...)
	dst = append(dst, ' ')
	dst = append(dst, time.Month(month).String()[:3]...)
	dst = append(dst, ' ')
	dst = appendPadded(dst, day, 2)
	dst = append(dst, ' ')
	dst = appendClock(dst, ms)
	dst = append(dst, " UTC "...)
	return strconv.AppendInt(dst, year, 10)
}

// appendDateFormat appends what Values.dateFormatFor makes of a java.util.Date: it
// guesses from the value alone whether it is a time, a date or a timestamp, and
// takes all before 1970-01-02 for times.
func appendDateFormat(dst []byte, ms int64) []byte {
	if ms >= dayMillis {
		year, month, day := civil(ms)
		dst = append(appendPadded(dst, year, 4), '-')
		dst = append(appendPadded(dst, month, 2), '-')
		dst = appendPadded(dst, day, 2)
		if ms%dayMillis == 0 {
			return dst
		}
		dst = append(dst, 'T')
	}
	dst = append(appendClock(dst, ms), '.')
	return append(appendPadded(dst, ms-floorDiv(ms, 1000)*1000, 3), 'Z')
}

// appendClock appends the time of day, in seconds.
func appendClock(dst []byte, ms int64) []byte {
	s := floorDiv(ms, 1000) - floorDiv(ms, dayMillis)*(dayMillis/1000)
	dst = append(appendPadded(dst, s/3600, 2), ':')
	dst = append(appendPadded(dst, s/60%60, 2), ':')
	return appendPadded(dst, s%60, 2)
}

func appendPadded(dst []byte, n int64, width int) []byte {
	for limit := int64(10); width > 1; width-- {
		if n < limit {
			dst = append(dst, '0')
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, n, 10)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// civil gives the date, Julian before the change of calendars; the year before 1
// is 0. Counting from the first of March makes the leap day the year's last.
func civil(ms int64) (year, month, day int64) {
	d := floorDiv(ms, dayMillis) + 719468 // since 0000-03-01, Gregorian
	if ms >= gregorianStart {
		era := floorDiv(d, 146097)
		d -= era * 146097
		year = (d - d/1460 + d/36524 - d/146096) / 365
		d -= 365*year + year/4 - year/100
		year += era * 400
	} else {
		d += 2 // since 0000-03-01, Julian
		era := floorDiv(d, 1461)
		d -= era * 1461
		year = (d - d/1460) / 365
		d -= 365 * year
		year += era * 4
	}
	month = (5*d + 2) / 153
	day = d - (153*month+2)/5 + 1
	if month += 3; month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}
