// Package expand turns a payload of JSON text into a value under a schema that
// it infers, as Debezium's Outbox Event Router does with
// table.expand.json.payload.
//
//	text ─parser─▶ nodes ─shapes─▶ connect.Schema ─reader─▶ connect.Value
//
// The sources are Debezium's EventRouterDelegate and JsonSchemaData, Jackson's
// tree model (what is JSON, which number is an int, a long, a double) and Kafka
// Connect's SchemaBuilder, Struct and ConnectSchema (what fits a schema). Each
// document gives a value, or ErrUnchanged, or a *Conflict, for the same reasons
// as there.
//
// Where Debezium's result depends on the order of a HashSet, and so differs from
// one run of it to the next, the order here is that of the text: the elements of
// an array of objects are merged in the order in which their distinct shapes
// first appear. That decides the order of the merged fields, and which of
// several nested types one of them has: the first.
//
// Two limits are not Debezium's, which has only its heap: the values that merging
// adds where an element lacks a field, and the length of all struct names of one
// document. Beyond them a document is a *Conflict.
//
// Everything here is pure, never panics, and is for use by one goroutine. Schemas
// are remembered by their shape: a document of a known shape allocates nothing,
// and equal schemas are mostly, but not always, the same pointer.
package expand
