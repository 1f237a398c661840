// Package harness gives the tests real neighbours for the relay, breaks them,
// and judges the result:
//
//	Database ─ a fresh database in a real PostgreSQL ─┐
//	Workload ─ transactions, rollbacks, savepoints ───┤▶ Relay (the built program) ─▶ Kafka ─▶ Verify
//	Proxy    ─ cut, freeze, delay, drop on the way ───┘      Kill, Pause, Terminate      Stop, Kill, Pause
//
// PostgreSQL is the server of WALRELAY_TEST_POSTGRES (the URL of a superuser),
// else one that package demo/postgres starts here, of the major version
// WALRELAY_TEST_POSTGRES_VERSION when that is set.
//
// Kafka is, in this order: the brokers of WALRELAY_TEST_KAFKA ("kfake" asks for
// the fake), the image apache/kafka in a running Docker engine, the Kafka jars
// from Maven Central with a Java 17 or newer, else franz-go's kfake. A fake
// proves less, so it is said loudly, and WALRELAY_TEST_REQUIRE=1 or CI=true make
// its use a failure. WALRELAY_TEST_KAFKA_VERSION chooses the version of image or
// jars; KafkaVersions has those whose jars are pinned.
//
// PrivateCluster is three brokers, with Java alone. Between the relay and a broker
// Proxy breaks connections and changes bytes, Answers gives error codes, with and
// without the broker having done what it was asked, and Network loses packets (Linux,
// root).
//
// Both are started when a test first asks and live as long as the test program.
// Databases, slots, topics and private servers are a test's own, so tests may
// run in parallel. Nothing is skipped silently: use Skip, and let TestMain be
//
//	func TestMain(m *testing.M) { harness.Main(m) }
//
// which prints what was used and what could not run, also into the file that
// WALRELAY_TEST_SUMMARY names, because `go test ./...` hides the output of a
// package that passes.
package harness
