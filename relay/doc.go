// Package relay joins the stages: it moves events forward and confirms backward.
//
//	replication ─frame─▶ decoding ─event─▶ routing ─record─▶ sink ──▶ Kafka
//	     ▲                                                    │
//	     └───── confirm ◀── checkpoint ◀─── oldest number ◀───┘
//
// # Guarantee
//
// At least once, in commit order per aggregate. The slot is confirmed up to a
// boundary only when every event before it is acknowledged by all in-sync
// replicas. What a crash repeats is bounded by the window of the sink; a
// graceful stop and a lost connection repeat nothing.
//
// # States
//
//	state       means                                          left by
//	starting    connecting, or waiting for PostgreSQL          a started slot
//	standby     another instance reads from the slot           the slot becoming free
//	snapshot    rows from before the slot go out       the acknowledgement of the last
//	streaming   events flow, or there are none                 an error, a stop
//	blocked     streaming, but Kafka does not take events      an acknowledgement
//	idle        they are out, and nothing more was     a stop
//	            asked for (snapshot.mode only)
//	stopping    flushing, confirming, closing                  the end
//
// # Goroutines
//
// The goroutine that calls Run owns the replication connection, decoder, router
// and tracker. It never waits for Kafka without going on to send status updates.
// Beside it run the sink's goroutines and, while streaming, one that looks at
// the slot by SQL and keeps the marker.
package relay
