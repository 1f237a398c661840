package routing

import (
	"time"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing/connect"
)

// Names of the schemas that Debezium gives to points in time
// (io.debezium.time), with Kafka Connect's own.
const (
	millisSchema  = "io.debezium.time.Timestamp"
	microsSchema  = "io.debezium.time.MicroTimestamp"
	nanosSchema   = "io.debezium.time.NanoTimestamp"
	zonedSchema   = "io.debezium.time.ZonedTimestamp"
	isoSchema     = "io.debezium.time.IsoTimestamp"
	dateSchema    = "io.debezium.time.Date"
	connectSchema = "org.apache.kafka.connect.data.Timestamp"
	connectDate   = "org.apache.kafka.connect.data.Date"
)

// millis is the point in time that a column holds, in milliseconds since 1970.
// Debezium takes timestamps without time zone only, and cuts their microseconds
// off towards zero; points in time of other types are as plain here.
func (r *Router) millis(b *bound, v *decoding.Value) (int64, error) {
	name := b.schema().Name
	if !isTime(name) {
		return 0, unfit(b, "timestamp: a number has no unit; use a timestamp column, or leave route.timestamp out for the commit time")
	}
	value, err := b.codec.Read(v.Data, &r.arena)
	if err != nil {
		return 0, err
	}
	const day = 24 * 60 * 60 * 1000
	switch name {
	case millisSchema, connectSchema:
		return value.Int, nil
	case microsSchema:
		return value.Int / 1000, nil
	case nanosSchema:
		return value.Int / 1_000_000, nil
	case dateSchema, connectDate:
		return value.Int * day, nil
	}
	return zoned(value)
}

// isTime says whether a schema of that name is a point in time.
func isTime(schema string) bool {
	switch schema {
	case millisSchema, microsSchema, nanosSchema, zonedSchema, isoSchema, dateSchema, connectSchema, connectDate:
		return true
	}
	return false
}

// zoned reads ISO 8601 text, which is UTC.
func zoned(value connect.Value) (int64, error) {
	t, err := time.Parse(time.RFC3339Nano, string(value.Data))
	if err != nil {
		return 0, &Poison{Reason: ReasonInvalidTimestamp, Detail: "it is no point in time between the years 0 and 9999"}
	}
	return t.UnixMilli(), nil
}
