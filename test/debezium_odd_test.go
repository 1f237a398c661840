package test_test

// odd are the cases in which walrelay does something else than Debezium, and
// what exactly.
var odd = map[string]*oddity{
	"heartbeat":            omits(heartbeats, ""),
	"heartbeat_json":       omits(heartbeats, ""),
	"transaction_metadata": omits("fx.transaction", ""),
	"op_logical_message":   omits("fx.message", ""),
}
