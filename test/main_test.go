// Package test_test proves walrelay's promises from outside: the built program
// between real servers that are broken on purpose. README.md has the list.
package test_test

import (
	"flag"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

func TestMain(m *testing.M) {
	// Most of the time is spent waiting for servers, so more tests than cores run
	// at a time; -parallel on the command line is read later and wins.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	harness.Main(m)
}
