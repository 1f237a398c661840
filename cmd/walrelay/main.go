// Command walrelay carries a PostgreSQL outbox table to Kafka.
//
//	main ─▶ run ─▶ command ─▶ config ─▶ relay, telemetry
//
// A file a command. run is the whole program as a function: it reads no globals
// but the process's signals, writes to what it is given and returns the exit code.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
