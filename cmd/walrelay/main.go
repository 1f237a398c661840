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
	"runtime/debug"
)

func main() {
	// A panic ends a Go program with exit code 2, which is "wrong usage" here and
	// nothing that a supervisor starts again; so it ends by SIGABRT.
	debug.SetTraceback("crash")
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
