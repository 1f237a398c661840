// Package decoding turns pgoutput messages into transactions and outbox events.
//
//	replication ─frame─▶ Decoder.Decode ─Message─▶ routing
//	                        │
//	                        ├ B, C      the transaction: XID, commit LSN, commit time
//	                        ├ R, Y      relation cache: columns found once per Relation
//	                        ├ I         an Event, when the relation is an outbox table
//	                        └ U D T O M counted or named, never an event
//
// It speaks protocol version 1 with text values and without streaming, so the
// server sends committed transactions only, one after the other, and a rolled
// back savepoint is never seen. The package does no I/O, starts no goroutine and
// never panics: bytes are read through one bounds-checked cursor (reader.go), a
// message that is too short, too long or of an unknown kind is a *ProtocolError.
//
// An INSERT into a configured table becomes an Event without allocating; its
// bytes are those of the frame, not a copy. An outbox table whose columns can't
// be found is a *MappingError at the first INSERT that needs them, not at the
// Relation: an ALTER that nobody inserts under stops nothing. Tables that are not
// configured are ignored. Nothing is ever skipped because it could not be read.
//
// The bytes are described in the PostgreSQL documentation, chapter "Logical
// Replication Message Formats".
package decoding
