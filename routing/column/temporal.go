package column

import (
	"math"

	"github.com/walrelay/walrelay/routing/connect"
)

var (
	errDate      = fault("a date is not in PostgreSQL's ISO format")
	errTime      = fault("a time is not in PostgreSQL's format")
	errTimeZone  = fault("a time with time zone is not in PostgreSQL's format, or its offset has seconds or is above 18 hours, on which Debezium fails")
	errTimestamp = fault("a timestamp is not in PostgreSQL's ISO format")
)

// What Debezium makes of infinite values.
const (
	infinityDay      = -2147472692 // -5877611-06-21
	minusInfinityDay = -2147472691
)

var (
	infinity      = instant{seconds: 9223372036825, nanos: 200_000_000}
	minusInfinity = instant{seconds: -9223372036833, nanos: 600_000_000}
)

// infinite says whether text is infinity (1) or -infinity (-1).
func infinite(text []byte) int {
	switch string(text) {
	case "infinity":
		return 1
	case "-infinity":
		return -1
	}
	return 0
}

// temporal is the part for dates, times and intervals.
func (m *mapper) temporal(t *shape) *part {
	switch t.name {
	case "date":
		s, write := m.date()
		return &part{schema: s,
			read:    func(text []byte, a *connect.Arena) (connect.Value, error) { return readDate(text, a, write) },
			element: func(text []byte, a *connect.Arena) (connect.Value, error) { return elementDate(text, a, write) }}
	case "time":
		s, write := m.time(t.scale())
		return &part{schema: s,
			read:    func(text []byte, a *connect.Arena) (connect.Value, error) { return readTime(text, a, write) },
			element: func(text []byte, a *connect.Arena) (connect.Value, error) { return elementTime(text, a, write) }}
	case "timestamp":
		s, write := m.timestamp(t.scale())
		return &part{schema: s,
			read:    func(text []byte, a *connect.Arena) (connect.Value, error) { return readTimestamp(text, a, write) },
			element: func(text []byte, a *connect.Arena) (connect.Value, error) { return elementTimestamp(text, a, write) }}
	case "timestamptz":
		width := t.scale()
		return &part{schema: logical(connect.String, "io.debezium.time.ZonedTimestamp"),
			read:    func(text []byte, a *connect.Arena) (connect.Value, error) { return readZoned(text, a, width) },
			element: func(text []byte, a *connect.Arena) (connect.Value, error) { return elementZoned(text, a, width) }}
	case "timetz":
		return &part{schema: logical(connect.String, "io.debezium.time.ZonedTime"), read: readTimeZone, element: elementTimeZone}
	case "interval":
		return m.interval()
	}
	return nil
}

// What the modes of time make of a day, of nanoseconds since midnight, and of a
// point in time.
type (
	dateWriter      func(day int64, a *connect.Arena) connect.Value
	timeWriter      func(nanos int64, a *connect.Arena) connect.Value
	timestampWriter func(i instant, a *connect.Arena) connect.Value
)

func (m *mapper) date() (connect.Schema, dateWriter) {
	number := func(day int64, _ *connect.Arena) connect.Value { return connect.Value{Int: int64(int32(day))} }
	switch m.modes.Time {
	case "isostring":
		return logical(connect.String, "io.debezium.time.IsoDate"), func(day int64, a *connect.Arena) connect.Value {
			return connect.Value{Data: append(appendDay(room(a, dateLength), day), 'Z')}
		}
	case "connect":
		return logical(connect.Int32, "org.apache.kafka.connect.data.Date"), number
	}
	return logical(connect.Int32, "io.debezium.time.Date"), number
}

func appendDay(dst []byte, day int64) []byte {
	year, month, d := civil(day)
	return appendDate(dst, year, month, d)
}

func (m *mapper) time(scale int) (connect.Schema, timeWriter) {
	units := func(per int64) timeWriter {
		return func(nanos int64, _ *connect.Arena) connect.Value { return connect.Value{Int: nanos / per} }
	}
	switch {
	case m.modes.Time == "isostring":
		return logical(connect.String, "io.debezium.time.IsoTime"), func(nanos int64, a *connect.Arena) connect.Value {
			nanos %= nanosPerDay
			return connect.Value{Data: append(appendTime(room(a, timeLength), nanos/nanosPerSec, nanos%nanosPerSec, 0), 'Z')}
		}
	case m.modes.Time == "connect":
		return logical(connect.Int32, "org.apache.kafka.connect.data.Time"), units(1_000_000)
	case m.modes.Time == "nanoseconds":
		return logical(connect.Int64, "io.debezium.time.NanoTime"), units(1)
	case m.modes.Time == "adaptive" && scale <= 3:
		return logical(connect.Int32, "io.debezium.time.Time"), units(1_000_000)
	}
	return logical(connect.Int64, "io.debezium.time.MicroTime"), units(1000)
}

func (m *mapper) timestamp(scale int) (connect.Schema, timestampWriter) {
	millis := func(i instant, _ *connect.Arena) connect.Value { return connect.Value{Int: i.millis()} }
	switch {
	case m.modes.Time == "isostring":
		return logical(connect.String, "io.debezium.time.IsoTimestamp"), func(i instant, a *connect.Arena) connect.Value {
			return connect.Value{Data: appendInstant(room(a, dateLength+timeLength), i, 0)}
		}
	case m.modes.Time == "connect":
		return logical(connect.Int64, "org.apache.kafka.connect.data.Timestamp"), millis
	case m.modes.Time == "nanoseconds":
		return logical(connect.Int64, "io.debezium.time.NanoTimestamp"), nanosOf
	case m.modes.Time != "microseconds" && scale <= 3:
		return logical(connect.Int64, "io.debezium.time.Timestamp"), millis
	}
	return logical(connect.Int64, "io.debezium.time.MicroTimestamp"), func(i instant, _ *connect.Arena) connect.Value {
		return connect.Value{Int: i.micros()}
	}
}

// nanosOf writes null for what is out of range.
func nanosOf(i instant, _ *connect.Arena) connect.Value {
	switch i {
	case infinity:
		return connect.Value{Int: math.MaxInt64}
	case minusInfinity:
		return connect.Value{Int: math.MinInt64}
	}
	n, ok := i.epochNanos()
	if !ok {
		return null
	}
	return connect.Value{Int: n}
}

func readDate(text []byte, a *connect.Arena, write dateWriter) (connect.Value, error) {
	switch infinite(text) {
	case 1:
		return write(infinityDay, a), nil
	case -1:
		return write(minusInfinityDay, a), nil
	}
	var t moment
	rest, ok := t.parseDate(text)
	if !ok || !t.parseEra(rest) {
		return null, errDate
	}
	return write(epochDay(t.year, t.month, t.day), a), nil
}

func readTime(text []byte, a *connect.Arena, write timeWriter) (connect.Value, error) {
	var t moment
	rest, ok := t.parseTime(text)
	if !ok || len(rest) > 0 {
		return null, errTime
	}
	return write(t.hour*3600*nanosPerSec+t.minute*60*nanosPerSec+t.nano, a), nil
}

func readTimestamp(text []byte, a *connect.Arena, write timestampWriter) (connect.Value, error) {
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
	return write(t.instant(epochDay(t.year, t.month, t.day)), a), nil
}

// readZoned writes exactly width digits of the fraction, for 0 those there are.
func readZoned(text []byte, a *connect.Arena, width int) (connect.Value, error) {
	if infinite(text) != 0 {
		return connect.Value{Data: text}, nil
	}
	t, ok := parseTimestamp(text, true)
	if !ok {
		return null, errTimestamp
	}
	return connect.Value{Data: appendInstant(room(a, dateLength+timeLength), t.instant(epochDay(t.year, t.month, t.day)), width)}, nil
}

func readTimeZone(text []byte, a *connect.Arena) (connect.Value, error) {
	var t moment
	rest, ok := t.parseTime(text)
	if ok {
		rest, ok = t.parseOffset(rest, false)
	}
	if !ok || len(rest) > 0 {
		return null, errTimeZone
	}
	i := t.instant(0)
	return connect.Value{Data: append(appendTime(room(a, timeLength), i.secondOfDay(), i.nanos, 0), 'Z')}, nil
}
