// Package column makes Kafka Connect values of a table's columns, as the
// PostgreSQL value converters of Debezium 3.6.1.Final do.
//
//	Relation message ─┐
//	catalog ──────────┴─ Column ─▶ New ─▶ Codec ── Schema: type, name, version, parameters, default
//	pgoutput's text ────────────────────▶ Codec.Read ─▶ connect.Value
//
// For every text that PostgreSQL writes the value is the one that Debezium has,
// with its oddities: they are part of what consumers have come to expect. A text
// that PostgreSQL does not write is an error, where Debezium is often lenient.
// The session that writes the text has DateStyle ISO, IntervalStyle postgres,
// bytea_output hex and extra_float_digits 1 or more. The time zone does not
// matter; Debezium's JVM is taken to be in UTC.
//
// # What differs from PostgreSQL's text
//
// StringConverter and SimpleHeaderConverter, which are the default, print the
// value and not PostgreSQL's text. They are the same for those types for which
// Codec.Plain is true:
//
//	text, varchar, char(n), "char", citext,       the text; char(n) with its blanks
//	json, jsonb, xml, uuid, enums, ltree,
//	inet, cidr, macaddr, macaddr8, tsvector,
//	the ranges of pg_catalog, isbn
//	int2, int4, int8, oid                         the number
//
// and of the others print, with the default modes, in a record and in a header:
//
//	bool                   true, false
//	bit(1), varbit(1)      true, false
//	bit(n), bit varying    bytes, little endian, without high zero bytes
//	bytea                  bytes
//	float4, float8         as Java prints it: 1.0, 2.5E-10, NaN
//	numeric(p,s)           the text; NaN and infinity are null (precise)
//	numeric                {scale, value} without zeros at the end (precise)
//	money                  a number without sign of currency and commas
//	date                   days since 1970-01-01; infinity is -2147472692
//	time                   milliseconds (precision 0 to 3) or microseconds
//	timetz                 10:34:56.789Z: in UTC, without zeros at the end
//	timestamp              milliseconds (precision 0 to 3) or microseconds since 1970-01-01
//	timestamptz            2024-02-29T10:34:56.789123Z: in UTC, with all digits of its precision
//	interval               microseconds, a month being 30.4375 days
//	hstore                 JSON, in the order of a Java HashMap
//	point, geometry, geography, vector, halfvec, sparsevec, arrays
//	name                   null, '' where NOT NULL; the text with Modes.Unknown
//
// Debezium does not capture the rest, which New says with *Unmapped: composite
// types, other ranges, multiranges, tsquery, the other geometric types, pg_lsn
// and so on, and the arrays of them and of domains. Modes.Unknown makes binary
// data of their text, but for arrays of money, name, interval, varbit, xml, point
// and refcursor.
//
// # What Debezium loses
//
// Debezium logs what it cannot convert and writes null. Read does too, as far as
// PostgreSQL can write such a value:
//
//	numeric NaN, Infinity   with decimal precise; in arrays with every mode
//	timestamp               with time nanoseconds, outside of 1677-09-22 to 2262-04-11
//	bit varying(1)          when empty
//	arrays                  bit(n)[] always; a NULL in an array of an enum, ltree
//	                        and others whose elements are required; inner arrays
//	                        of what is no string
//	date[], timestamptz[]   a leap day BC in a year whose number AD has none
//	sparsevec               with more than 32767 dimensions
//
// Elements of arrays come to Debezium as java.sql objects: dates before
// 1582-10-15 are Julian in timestamp[], the era BC is lost in date[] and
// timestamptz[], time[] has milliseconds and timetz[] seconds.
package column
