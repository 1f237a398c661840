// Package failpoint lets a test end the relay with kill -9 at a named place, so that
// what is promised of a crash is tested where a crash hurts most, not where chance
// puts it.
//
// Only a program built with the tag failpoints has them:
//
//	go build -tags failpoints ./cmd/walrelay
//	WALRELAY_FAILPOINT=before-confirm:3 ./walrelay run
//
// kills itself when it comes to that place for the third time; without a number at
// the first. Without the tag Pass does nothing, is inlined to nothing, and the
// variable is not read. Releases are built without it, see
// docs/decisions/0013-failpoints.md.
package failpoint

// Point is a place in the relay.
type Point string

// The places, in the order of an event's way. They exist in every build, so that a
// test can name them.
const (
	// AfterReceive: a frame of the stream is read and not looked at yet. One pass a frame.
	AfterReceive Point = "after-receive"
	// BeforeProduce: a produce request is made and not sent. One pass a request.
	BeforeProduce Point = "before-produce"
	// AfterProduce: the broker has answered a produce request, and nobody has read the answer.
	AfterProduce Point = "after-produce"
	// AfterAcknowledgement: a batch is known to be acknowledged, and the window does not
	// know of it yet. One pass a batch.
	AfterAcknowledgement Point = "after-acknowledgement"
	// BeforeEndTxn: all of a transaction is acknowledged, its end is not asked for.
	// With exactly-once only, as AfterEndTxn.
	BeforeEndTxn Point = "before-end-txn"
	// AfterEndTxn: the coordinator has said that the transaction is committed, and nobody
	// has looked at it.
	AfterEndTxn Point = "after-end-txn"
	// BeforeConfirm: a new position is about to be confirmed to PostgreSQL.
	BeforeConfirm Point = "before-confirm"
	// AfterConfirm: it was sent.
	AfterConfirm Point = "after-confirm"
)

// Points are all of them.
var Points = []Point{
	AfterReceive, BeforeProduce, AfterProduce, AfterAcknowledgement, BeforeEndTxn, AfterEndTxn, BeforeConfirm, AfterConfirm,
}

// Variable tells a tagged program where to end: "name" or "name:pass".
const Variable = "WALRELAY_FAILPOINT"
