package column

import "github.com/walrelay/walrelay/routing/connect"

// Elements of arrays come to Debezium as java.sql.Date, Time and Timestamp. Their
// calendar is java.util's, Julian before 1582-10-15, and they lose the era, or
// the digits behind the second or millisecond.

// What java.sql.Date and Timestamp make of infinite values in a JVM in UTC.
var (
	infinityElementDay      = epochDay(292278994, 8, 16)
	minusInfinityElementDay = epochDay(minusInfinityYear, 12, 2)
)

const minusInfinityYear = 292269055

func elementDate(text []byte, a *connect.Arena, write dateWriter) (connect.Value, error) {
	switch infinite(text) {
	case 1:
		return write(infinityElementDay, a), nil
	case -1:
		return write(minusInfinityElementDay, a), nil
	}
	var t moment
	rest, ok := t.parseDate(text)
	if !ok || !t.parseEra(rest) {
		return null, errDate
	}
	year, month, day := withoutEra(hybridDay(t.year, t.month, t.day))
	if day > daysIn(year, month) {
		return null, warned // a leap day BC whose year AD is none
	}
	return write(epochDay(year, month, day), a), nil
}

// withoutEra is the date in java.util's calendar with the year of its era.
func withoutEra(day int64) (year int64, month, d int) {
	year, month, d = hybridCivil(day)
	if year <= 0 {
		year = 1 - year
	}
	return year, month, d
}

func elementTime(text []byte, a *connect.Arena, write timeWriter) (connect.Value, error) {
	var t moment
	rest, ok := t.parseTime(text)
	if !ok || len(rest) > 0 {
		return null, errTime
	}
	nanos := (t.hour*3600+t.minute*60)*nanosPerSec + t.nano
	return write((nanos-nanos%1_000_000)%nanosPerDay, a), nil
}

func elementTimeZone(text []byte, a *connect.Arena) (connect.Value, error) {
	var t moment
	rest, ok := t.parseTime(text)
	if ok {
		rest, ok = t.parseOffset(rest, true)
	}
	if !ok || len(rest) > 0 {
		return null, errTimeZone
	}
	return connect.Value{Data: append(appendTime(room(a, timeLength), t.instant(0).secondOfDay(), 0, 0), 'Z')}, nil
}

func elementTimestamp(text []byte, a *connect.Arena, write timestampWriter) (connect.Value, error) {
	switch infinite(text) {
	case 1:
		return write(infinity, a), nil
	case -1:
		return write(minusInfinity, a), nil
	}
	t, ok := parseTimestamp(text, false)
	if !ok {
		return null, errTimestamp
	}
	return write(t.instant(hybridDay(t.year, t.month, t.day)), a), nil
}

func elementZoned(text []byte, a *connect.Arena, width int) (connect.Value, error) {
	var year int64
	var month, day int
	var i instant
	switch infinite(text) {
	case 1:
		return connect.Value{Data: text}, nil
	case -1:
		year, month, day, i.seconds = minusInfinityYear, 12, 2, 23*3600
	default:
		t, ok := parseTimestamp(text, true)
		if !ok {
			return null, errTimestamp
		}
		i = t.instant(hybridDay(t.year, t.month, t.day))
		if year, month, day = withoutEra(i.day()); day > daysIn(year, month) {
			return null, warned
		}
	}
	out := append(appendDate(room(a, dateLength+timeLength), year, month, day), 'T')
	return connect.Value{Data: append(appendTime(out, i.secondOfDay(), i.nanos, width), 'Z')}, nil
}
