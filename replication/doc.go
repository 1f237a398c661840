// Package replication is the PostgreSQL edge of walrelay: it prepares a logical
// replication slot, reads its stream and confirms progress. It knows nothing of
// outbox rows or Kafka.
//
//	Connect ─▶ Control.Prepare ─▶ OpenStream ─▶ Control.Confirmed ─▶ Receive … Confirm … ─▶ Close
//	            marker, publication,  the slot        the slot's true       one goroutine
//	            slot (in this order)  becomes ours    confirmed_flush_lsn
//
// Two connections are used. A [Control] is an ordinary SQL connection for the
// catalog, the marker and the slot's figures. A [Stream] is the one replication
// connection; the slot admits a single reader, so it is also the lock between
// instances.
//
// # What is guaranteed
//
// A slot that this relay has read from is never made again in silence. The
// marker, one row of walrelay.marker, is the witness that tells a first start
// from a slot that has vanished or was replaced, and from a restored or other
// server; see [Control.Prepare]. The slot is the truth, the marker only says
// whether it is still the same one. A gap is reported as [*GapError], and only
// [Control.AcceptGap], called on a person's order, goes on after it.
//
// The stream hands out exactly what the server sends, in its order. A position
// is confirmed only when the caller says so, never zero and never backwards. On
// any error the caller closes the stream and opens it anew; what was not
// confirmed is sent again.
//
// Publication comes before slot, always: pgoutput looks the publication up in
// the catalog as it was when a change was written, so a publication made after
// the slot can't be found for older changes, for ever.
package replication
