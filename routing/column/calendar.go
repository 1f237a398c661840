package column

import "math"

// moment is a date, a time of day and an offset as PostgreSQL writes them.
type moment struct {
	year               int64 // astronomical: 1 BC is 0
	month, day         int
	hour, minute, nano int64 // nano of the minute
	offset             int64 // seconds east of UTC
}

const (
	secondsPerDay = 86400
	nanosPerSec   = 1_000_000_000
	nanosPerDay   = secondsPerDay * nanosPerSec
)

// epochDay is the number of days since 1970-01-01 in the proleptic Gregorian
// calendar, which is PostgreSQL's and that of java.time.
func epochDay(year int64, month, day int) int64 {
	y := year
	if month <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yearOfEra := y - era*400
	dayOfYear := int64((153*((month+9)%12)+2)/5 + day - 1)
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// civil is the inverse of epochDay.
func civil(days int64) (year int64, month, day int) {
	days += 719468
	era := floorDiv(days, 146097)
	dayOfEra := days - era*146097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	year = yearOfEra + era*400
	month = int(m+2)%12 + 1
	if month <= 2 {
		year++
	}
	return year, month, int(dayOfYear-(153*m+2)/5) + 1
}

// cutover is the first day of java.util.GregorianCalendar that is Gregorian,
// 1582-10-15; the days before it are Julian.
const cutover = -141427

// hybridDay is the number of days since 1970-01-01 in java.util's calendar. The
// ten days left out in 1582 count as Julian.
func hybridDay(year int64, month, day int) int64 {
	if d := epochDay(year, month, day); d >= cutover {
		return d
	}
	y := year
	if month <= 2 {
		y--
	}
	return y*365 + floorDiv(y, 4) + int64((153*((month+9)%12)+2)/5+day-1) - 719470
}

// hybridCivil is the inverse of hybridDay.
func hybridCivil(days int64) (year int64, month, day int) {
	if days >= cutover {
		return civil(days)
	}
	days += 719470
	cycle := floorDiv(days, 1461)
	dayOfCycle := days - cycle*1461
	yearOfCycle := (dayOfCycle - dayOfCycle/1460) / 365
	dayOfYear := dayOfCycle - 365*yearOfCycle
	m := (5*dayOfYear + 2) / 153
	year = cycle*4 + yearOfCycle
	month = int(m+2)%12 + 1
	if month <= 2 {
		year++
	}
	return year, month, int(dayOfYear-(153*m+2)/5) + 1
}

// daysIn is the length of a month in the Gregorian calendar.
func daysIn(year int64, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// instant is a point on the time line: seconds since 1970-01-01 and nanoseconds
// after them.
type instant struct{ seconds, nanos int64 }

// instant of a moment whose date is the day.
func (t moment) instant(day int64) instant {
	return instant{seconds: day*secondsPerDay + t.hour*3600 + t.minute*60 + t.nano/nanosPerSec - t.offset, nanos: t.nano % nanosPerSec}
}

func (i instant) day() int64         { return floorDiv(i.seconds, secondsPerDay) }
func (i instant) secondOfDay() int64 { return i.seconds - i.day()*secondsPerDay }

// millis is Instant.toEpochMilli.
func (i instant) millis() int64 { return i.seconds*1000 + i.nanos/1_000_000 }

// micros is Debezium's, which holds at the ends of the range and then adds the
// fraction: behind 294247-01-10 it overflows.
func (i instant) micros() int64 {
	seconds := i.seconds
	switch {
	case seconds > math.MaxInt64/1_000_000:
		return math.MinInt64 + (i.nanos/1000 - 1) // MaxInt64 + micros, wrapped
	case seconds < math.MinInt64/1_000_000:
		return math.MinInt64 + i.nanos/1000
	}
	return seconds*1_000_000 + i.nanos/1000
}

// epochNanos is Debezium's: not ok when the day's midnight is out of range, be
// the point itself in it or not.
func (i instant) epochNanos() (n int64, ok bool) {
	day := i.day()
	if day > math.MaxInt64/nanosPerDay || day < math.MinInt64/nanosPerDay {
		return 0, false
	}
	base, rest := day*nanosPerDay, i.secondOfDay()*nanosPerSec+i.nanos
	if base > math.MaxInt64-rest {
		return 0, false
	}
	return base + rest, true
}
